"""What the page shows of the best and the worst run, word by word."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from report_material import NEIGHBOURS, SURPRISAL, UNITS, WALL, surprisal_row
from strategies import WORDS
from unrolled.analysis.units import PLACE, VARIANCE, WORD_CLASS
from unrolled.report.page.portraits import (
    RULES,
    SAID,
    SURPRISE_STEPS,
    VALUE_STEPS,
    neighbours,
    surprise,
    units,
    wall,
)
from unrolled.text.readable import pieces, readable

Row = dict[str, str]

# Surprise


def _told(*rows: Row) -> dict[str, Any]:
    """The one sentence under the one run that these rows are of."""
    ((told,),) = surprise(rows)["sentences"]
    return dict(told)


def test_each_sentence_stands_under_the_best_run_and_then_under_the_worst() -> None:
    # the table has all sentences of the best run before those of the worst
    sentences = surprise(SURPRISAL)["sentences"]

    assert [[(told["role"], told["run"]) for told in sentence] for sentence in sentences] == [
        [("best", "b1"), ("worst", "a2")]
    ] * 2
    assert all(
        [word["word"] for word in told["words"]] == ["a", "dog", ""] for told in sentences[0]
    )


def test_sentences_stand_by_number_and_words_in_their_order() -> None:
    rows = [
        surprisal_row("best", sentence, place, f"{sentence}.{place}", 1.0)
        for sentence in (2, 10, 1)
        for place in (1, 2)
    ]

    found = [[word["word"] for word in told["words"]] for (told,) in surprise(rows)["sentences"]]

    assert found == [["1.1", "1.2"], ["2.1", "2.2"], ["10.1", "10.2"]]


@pytest.mark.parametrize(
    ("nats", "step"),
    [
        (0.0, 0),
        (0.4999, 0),
        (0.5, 1),
        (0.9999, 1),
        (1.0, 2),
        (2.0, 3),
        (3.0, 4),
        (4.4999, 4),
        (4.5, 5),
        (6.0, 6),
        (7.9999, 6),
        (8.0, 7),
        (100.0, 7),
    ],
)
def test_a_word_has_the_colour_of_the_last_step_that_its_surprisal_reaches(
    nats: float, step: int
) -> None:
    (word,) = _told(surprisal_row("best", 1, 1, "dog", nats))["words"]

    assert (word["step"], word["surprisal"]) == (step, nats)


def test_every_step_of_the_scale_has_a_colour() -> None:
    assert surprise([])["scale"] == ["0", "0.5", "1", "2", "3", "4.5", "6", "8"]
    assert len(SURPRISE_STEPS) == 8


def test_the_perplexity_of_a_sentence_is_that_of_its_words_and_its_end() -> None:
    rows = [
        surprisal_row("best", 1, place, "a", nats) for place, nats in enumerate((0.0, 1.0, 2.0))
    ]

    # exp((0 + 1 + 2) / 3) = e
    assert _told(*rows)["perplexity"] == pytest.approx(2.718281828)


def test_a_word_has_the_guesses_that_there_are_and_says_whether_it_is_known() -> None:
    row = {**surprisal_row("best", 1, 1, "dog", 1.0), "known": "no", "guess_3": "", "guess_4": ""}
    row |= {"guess_5": "", "probability_3": "", "probability_4": "", "probability_5": ""}

    (word,) = _told(row)["words"]

    assert word["guesses"] == [
        {"word": "guess1", "probability": "0.3"},
        {"word": "guess2", "probability": "0.15"},
    ]
    assert word["known"] is False


def test_no_two_words_have_the_same_id() -> None:
    ids = [
        word["id"]
        for sentence in surprise(SURPRISAL)["sentences"]
        for told in sentence
        for word in told["words"]
    ]

    assert len(set(ids)) == len(ids) == len(SURPRISAL)


def test_the_takeaway_counts_first_guesses_under_each_run() -> None:
    def row(role: str, word: str, guess: str, known: str = "yes") -> Row:
        return {**surprisal_row(role, 1, 1, word, 1.0), "guess_1": guess, "known": known}

    rows = [
        row("best", "dog", "dog"),
        row("best", "", "SENTENCE_END"),
        row("best", "wombat", "UNKNOWN_TOKEN", known="no"),
        row("best", "cat", "UNKNOWN_TOKEN"),
        row("worst", "dog", "a"),
        row("worst", "SENTENCE_END", "dog"),
        row("worst", "wombat", "wombat", known="no"),  # which a model cannot guess
        row("worst", "cat", "cat"),
    ]

    # 3 of 4 and 1 of 4
    assert surprise(rows)["takeaway"] == (
        "In these sentences 75 % of the words are the best run's first guess, 25 % of the words are"
        " the worst run's first guess."
    )


def test_of_a_single_run_its_own_first_guesses_are_told() -> None:
    rows = [row for row in SURPRISAL if row["role"] == "best"]

    assert surprise(rows)["takeaway"] == (
        "In these sentences 0 % of the words are the best run's first guess."
    )


# The wall


def _sample(tokens: list[str], copied: str = "", ended: str = "yes") -> dict[str, Any]:
    """The one sentence of a wall."""
    row = {**WALL[0], "tokens": " ".join(tokens), "copied": copied, "ended": ended}
    (look,) = wall([row], "word")["looks"]
    (temperature,) = look["temperatures"]
    (sample,) = temperature["samples"]
    return dict(sample)


def test_sentences_stand_by_epoch_and_temperature_the_last_look_being_the_best() -> None:
    looks = wall(WALL, "word")["looks"]

    assert [(look["epoch"], look["is_best"]) for look in looks] == [
        ("0.0", False),
        ("1.0", False),
        ("2.0", True),
    ]
    for look in looks:
        temperatures = [one["temperature"] for one in look["temperatures"]]
        assert temperatures == ["0.5", "0.8", "1.1"]
        assert all(len(one["samples"]) == 1 for one in look["temperatures"])


@pytest.mark.parametrize(
    ("copied", "expected"),
    [
        ("", [(False, "the dog barks, at it.")]),
        ("1-7", [(True, "the dog barks, at it.")]),
        ("1-3", [(True, "the dog barks"), (False, ", at it.")]),
        (
            "2-3 5-6",
            [(False, "the "), (True, "dog barks"), (False, ", "), (True, "at it"), (False, ".")],
        ),
        ("2-4 3-5", [(False, "the "), (True, "dog barks, at"), (False, " it.")]),
        ("1-2 3-4", [(True, "the dog barks,"), (False, " at it.")]),
        ("7-7", [(False, "the dog barks, at it"), (True, ".")]),
    ],
)
def test_copied_words_are_pieces_with_the_spaces_between_them(
    copied: str, expected: list[tuple[bool, str]]
) -> None:
    sample = _sample(["the", "dog", "barks", ",", "at", "it", "."], copied)

    marked: list[tuple[bool, str]] = []
    for piece in sample["pieces"]:  # neighbours that are alike put together
        if marked and marked[-1][0] == piece["copied"]:
            marked[-1] = (piece["copied"], marked[-1][1] + piece["text"])
        else:
            marked.append((piece["copied"], piece["text"]))
    assert marked == expected


@given(st.data())
def test_pieces_are_the_readable_text_and_exactly_the_copied_words_are_marked(
    data: st.DataObject,
) -> None:
    tokens = data.draw(
        st.lists(WORDS | st.sampled_from(["a", "dog", ",", ".", "(", "``", "''"]), min_size=1)
    )
    places = st.integers(1, len(tokens))
    spans = sorted(tuple(sorted(span)) for span in data.draw(st.lists(st.tuples(places, places))))

    sample = _sample(tokens, " ".join(f"{begin}-{end}" for begin, end in spans))

    # letter by letter: those of a token by its place, a space by whether both its sides are copied
    covered = [
        any(begin <= place <= end for begin, end in spans) for place in range(1, len(tokens) + 1)
    ]
    expected: list[tuple[str, bool]] = []
    for place, (space, text) in enumerate(pieces(tokens, "word")):
        inside = place > 0 and covered[place] and covered[place - 1]
        expected += [(letter, inside) for letter in space]
        expected += [(letter, covered[place]) for letter in text]
    found = [(letter, piece["copied"]) for piece in sample["pieces"] for letter in piece["text"]]
    assert found == expected


def test_the_pieces_of_prose_read_as_prose() -> None:
    tokens = ["``", "no", ",", "''", "he", "did", "n't", "say", "(", "so", ")", "."]

    sample = _sample(tokens, "3-8")

    text = "".join(piece["text"] for piece in sample["pieces"])
    assert text == readable(tokens, "word") == '"no," he didn\'t say (so).'


@pytest.mark.parametrize(("ended", "is_cut"), [("yes", False), ("cut", True)])
def test_a_sentence_says_whether_it_was_cut(ended: str, is_cut: bool) -> None:
    assert _sample(["a"], ended=ended)["is_cut"] is is_cut


def test_the_takeaway_tells_what_the_trained_network_copied_at_each_temperature() -> None:
    def row(epoch: str, temperature: str, words: int, copied: int) -> Row:
        tokens = " ".join(["a"] * words)
        more = {"tokens": tokens, "copied_words": str(copied)}
        return {**WALL[0], "epoch": epoch, "temperature": temperature, **more}

    rows = [
        row("0.0", "0.5", 10, 10),
        row("3.0", "0.5", 10, 8),
        row("3.0", "0.5", 6, 0),
        row("3.0", "1.1", 8, 1),
    ]

    # (8 + 0) / (10 + 6) = 0.5; 1 / 8 = 0.125, a half that goes to the even digit
    assert wall(rows, "word")["takeaway"] == (
        "Of the trained network's words so many were copied from training: 50 % at temperature 0.5,"
        " 12 % at temperature 1.1."
    )


def test_sentences_without_words_copy_nothing() -> None:
    rows = [{**WALL[0], "tokens": "", "copied_words": "0"}]

    assert wall(rows, "word")["takeaway"].endswith(": 0 % at temperature 0.5.")
    assert "".join(piece["text"] for piece in _sample([""])["pieces"]) == ""


# Units


def test_units_stand_under_the_rules_that_picked_them() -> None:
    shown = units(UNITS)

    assert [
        (rule["title"], [(unit["unit"], unit["detail"]) for unit in rule["units"]])
        for rule in shown["rules"]
    ] == [("varies most", [("3", "")]), ("word class", [("4", ".")])]


def test_a_row_is_a_word_with_the_value_of_each_unit_in_the_order_of_the_columns() -> None:
    rows = [
        {
            **UNITS[0],
            "unit": unit,
            "sentence": sentence,
            "place": place,
            "word": word,
            "value": value,
        }
        for unit, of_unit in (("7", "-0.5 0.25 0.5"), ("2", "1.0 -1.0 0.0"))
        for (sentence, place, word), value in zip(
            (("1", "1", "a"), ("1", "2", "a"), ("2", "1", "b")), of_unit.split(), strict=True
        )
    ]

    shown = units(rows)

    assert [unit["unit"] for unit in shown["rules"][0]["units"]] == ["7", "2"]
    found = [
        [(row["word"], [value["value"] for value in row["shown"]]) for row in sentence]
        for sentence in shown["sentences"]
    ]
    assert found == [[("a", [-0.5, 1.0]), ("a", [0.25, -1.0])], [("b", [0.5, 0.0])]]


@pytest.mark.parametrize(
    ("value", "step"),
    [
        # (value + 1) * 4, to the nearest whole number
        (-1.0, 0),
        (-0.876, 0),
        (-0.874, 1),
        (-0.126, 3),
        (-0.124, 4),
        (0.0, 4),
        (0.124, 4),
        (0.126, 5),
        (0.874, 7),
        (0.876, 8),
        (1.0, 8),
    ],
)
def test_a_value_has_the_nearest_of_nine_colours(value: float, step: int) -> None:
    ((row,),) = units([{**UNITS[0], "value": str(value)}])["sentences"]

    assert VALUE_STEPS == 9
    assert row["shown"] == [{"value": value, "step": step}]


def test_every_rule_has_a_title_and_words_of_its_own() -> None:
    assert set(RULES) == set(SAID) == {VARIANCE, PLACE, WORD_CLASS}


def test_the_takeaway_tells_the_first_unit_of_each_rule_with_its_measure() -> None:
    rows = [
        {**UNITS[0], "rule": rule, "unit": unit, "measure": measure}
        for rule, unit, measure in (
            (VARIANCE, "12", "0.375"),
            (VARIANCE, "3", "0.25"),
            (PLACE, "6", "-0.366"),
            (WORD_CLASS, "84", "0.5"),
            (WORD_CLASS, "1", "-0.4"),
        )
    ]

    # three eighths, a half of the last digit, goes to the even one
    assert units(rows)["takeaway"] == (
        "Unit 12 varies most (its variance is 0.38); unit 6 is most tied to the place in the"
        " sentence (a correlation of −0.37); unit 84 is most tied to a class of the word just read"
        " (a correlation of 0.50)."
    )


def test_rules_that_picked_no_unit_are_not_told() -> None:
    assert units(UNITS[:1])["takeaway"] == "Unit 3 varies most (its variance is 0.25)."


# Neighbours


def test_words_stand_with_the_neighbours_that_they_have() -> None:
    lonely = {key: "" if key[-1] in "2345" else value for key, value in NEIGHBOURS[1].items()}

    shown = neighbours([NEIGHBOURS[0], lonely])

    # 0.9, 0.9 / 2, ...
    assert [row["word"] for row in shown["rows"]] == ["dog", "barks"]
    assert [near["word"] for near in shown["rows"][0]["near"]] == [f"near{k}" for k in range(1, 6)]
    assert shown["rows"][1]["near"] == [{"word": "near1", "cosine": "0.9"}]


def test_the_takeaway_tells_how_near_the_nearest_words_are() -> None:
    rows = [{**NEIGHBOURS[0], "cosine_1": cosine} for cosine in ("0.5", "0.75", "0.25")]

    # (0.5 + 0.75 + 0.25) / 3 = 0.5
    assert neighbours(rows)["takeaway"] == (
        "The cosine between a word and the nearest other one is 0.50 in the mean, and 0.75 at most."
    )


@pytest.mark.parametrize("rows", [[], [{**NEIGHBOURS[0], "cosine_1": ""}]])
def test_without_neighbours_the_takeaway_says_so(rows: list[Row]) -> None:
    assert neighbours(rows)["takeaway"] == ("Too few words are frequent enough to have neighbours.")


@pytest.mark.parametrize(
    ("shown", "parts"),
    [
        (surprise, ["sentences"]),
        (lambda rows: wall(rows, "word"), ["looks"]),
        (units, ["rules", "sentences"]),
        (neighbours, ["rows"]),
    ],
)
def test_a_table_without_rows_shows_nothing(shown: Any, parts: list[str]) -> None:
    assert [shown([])[part] for part in parts] == [[]] * len(parts)
