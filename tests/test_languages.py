"""Languages in which the last word agrees with the first: their rules, their figures."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.config.corpus_sections import GrammarConfig
from unrolled.corpus.grammars.derivation import (
    draw_sentences,
    entropy_nats_per_sentence,
    entropy_nats_per_token,
    log_probabilities,
    mean_length,
)
from unrolled.corpus.grammars.grammar import Grammar, grammar_text, parse_grammar
from unrolled.corpus.grammars.languages import (
    Agreement,
    agreement_of,
    agreements,
    countdown,
    geometric,
    language,
)
from unrolled.errors import ConfigError, DataError

DISTANCES = [1, 2, 4, 8, 16]

CONFIG = GrammarConfig(
    language="countdown",
    path=None,
    agreement=None,
    markers=8,
    distances=DISTANCES,
    fillers=4,
    stop_probability=0.15,
    cue=False,
    training_sentences=10,
    validation_sentences=10,
    test_sentences=10,
    seed=1,
)

OPENING_OF = agreement_of(CONFIG)
"""Of eight markers, in both languages."""

RULES = "S -> 'if' X [0.5] | 'either' Y [0.5]\nX -> 'then' [1.0]\nY -> 'or' [1.0]\n"


def entropy(weights: Sequence[float]) -> float:
    """Of a choice, in nats; weights need not add up to 1."""
    total = math.fsum(weights)
    return -math.fsum(weight / total * math.log(weight / total) for weight in weights)


def zipf_entropy(count: int) -> float:
    """Of a choice among words, the r-th of which is 1/r times as frequent as the first."""
    return entropy([1 / rank for rank in range(1, count + 1)])


def words_of(grammar: Grammar) -> set[str]:
    """All the words of its rules."""
    return {found.word for rule in grammar.rules.values() for found in rule}


def drawn(grammar: Grammar, count: int) -> list[list[str]]:
    """Sentences by a generator of their own."""
    return list(draw_sentences(grammar, count, np.random.default_rng(1)))


# Rules


def test_a_countdown_has_fillers_of_its_own_for_each_place_before_the_end() -> None:
    # of two words a class the first has 2/3; right after the marker a half of it, for the distance
    expected = """
        S -> 'open1' K1 [0.5] | 'open2' K2 [0.5]
        K1 -> 'f1.1' X1_0 [P] | 'f1.2' X1_0 [Q] | 'f3.1' X1_2 [P] | 'f3.2' X1_2 [Q]
        X1_2 -> 'f2.1' X1_1 [PP] | 'f2.2' X1_1 [QQ]
        X1_1 -> 'f1.1' X1_0 [PP] | 'f1.2' X1_0 [QQ]
        X1_0 -> 'close1' [1.0]
        K2 -> 'f1.1' X2_0 [P] | 'f1.2' X2_0 [Q] | 'f3.1' X2_2 [P] | 'f3.2' X2_2 [Q]
        X2_2 -> 'f2.1' X2_1 [PP] | 'f2.2' X2_1 [QQ]
        X2_1 -> 'f1.1' X2_0 [PP] | 'f1.2' X2_0 [QQ]
        X2_0 -> 'close2' [1.0]
    """
    for name, value in {"PP": 2 / 3, "QQ": 1 / 3, "P": 1 / 3, "Q": 1 / 6}.items():
        expected = expected.replace(f"[{name}]", f"[{value!r}]")

    assert_same(countdown(2, [1, 3], 2), parse_grammar(expected, "expected"))


@pytest.mark.parametrize("cue", [False, True])
def test_a_geometric_language_may_close_after_every_word(cue: bool) -> None:
    closing = {
        False: "'close1' [0.25]",
        True: "'cue' C1 [0.25]\nC1 -> 'close1' [1.0]",
    }[cue]
    one = f"K1 -> 'f1' K1 [0.5] | 'f2' K1 [0.25] | {closing}\n"
    other = one.replace("1 ->", "2 ->").replace("K1", "K2").replace("C1", "C2")
    other = other.replace("close1", "close2")
    expected = f"S -> 'open1' K1 [0.5] | 'open2' K2 [0.5]\n{one}{other}"

    assert_same(geometric(2, 2, 0.25, cue), parse_grammar(expected, "expected"))


def assert_same(found: Grammar, expected: Grammar) -> None:
    """The same rules in the same order, but for rounding."""
    assert list(found.rules) == list(expected.rules)
    for symbol, rule in found.rules.items():
        other = expected.rules[symbol]
        assert [(one.word, one.symbols) for one in rule] == [
            (one.word, one.symbols) for one in other
        ]
        np.testing.assert_allclose(
            [one.probability for one in rule], [one.probability for one in other], rtol=1e-14
        )


LANGUAGES: dict[str, Callable[[], Grammar]] = {
    "countdown": lambda: countdown(8, DISTANCES, 4),
    "geometric": lambda: geometric(8, 32, 0.15, cue=False),
    "cue": lambda: geometric(8, 32, 0.15, cue=True),
}
every_language = pytest.mark.parametrize("make", LANGUAGES.values(), ids=LANGUAGES)


@every_language
def test_a_language_can_be_written_down_and_read(make: Callable[[], Grammar]) -> None:
    assert parse_grammar(grammar_text(make()), "language") == make()


def test_the_order_of_distances_does_not_matter() -> None:
    assert countdown(2, [3, 1, 2], 2) == countdown(2, [1, 2, 3], 2)


def test_the_opening_word_says_nothing_about_fillers() -> None:
    grammar = countdown(3, [1, 3], 2)

    choices = [
        [
            [(found.word, found.probability) for found in grammar.rules[symbol]]
            for symbol in (f"K{marker}", f"X{marker}_2", f"X{marker}_1")
        ]
        for marker in (1, 2, 3)
    ]

    assert choices[0] == choices[1] == choices[2]


@pytest.mark.parametrize("distances", [[0], [0, 1], [1, -1], [2, 2]])
def test_distances_must_be_1_or_more_and_different(distances: list[int]) -> None:
    with pytest.raises(ConfigError, match="countdown: "):
        countdown(2, distances, 2)


@pytest.mark.parametrize("stop_probability", [0.0, 1.0, -0.5, 1.5])
def test_a_probability_to_stop_must_leave_both_choices(stop_probability: float) -> None:
    with pytest.raises(ConfigError, match=r"geometric: the probability of .* must be above 0"):
        geometric(2, 2, stop_probability, cue=False)


# Figures


# With 8 markers, in nats. Word types are those of the rules: 8 opening, 8 closing, the fillers
# and the cue; the start and the end of a sentence are not among them.
@pytest.mark.parametrize(
    ("name", "per_sentence", "tokens", "per_token", "word_types"),
    [
        ("countdown", 11.392118, 9.2, 1.238274, 8 + 8 + 16 * 4),
        ("geometric", 21.194495, 0.85 / 0.15 + 3, 2.445519, 8 + 8 + 32),
        ("cue", 21.194495, 0.85 / 0.15 + 4, 2.192534, 8 + 8 + 32 + 1),
    ],
)
def test_the_figures_of_the_experiments_are_known(
    name: str, per_sentence: float, tokens: float, per_token: float, word_types: int
) -> None:
    grammar = LANGUAGES[name]()

    assert entropy_nats_per_sentence(grammar) == pytest.approx(per_sentence, abs=5e-7)
    assert mean_length(grammar) + 1 == pytest.approx(tokens, rel=1e-12)
    assert entropy_nats_per_token(grammar) == pytest.approx(per_token, abs=5e-7)
    assert len(words_of(grammar)) == word_types


@given(
    st.integers(2, 6),
    st.lists(st.integers(1, 12), min_size=1, max_size=4, unique=True),
    st.integers(1, 5),
)
def test_a_countdown_has_the_entropy_of_marker_distance_and_fillers(
    markers: int, distances: list[int], fillers: int
) -> None:
    grammar = countdown(markers, distances, fillers)

    # ln n + H(k) + E[k] H(z), over E[k] fillers, two that agree, and the end
    mean = sum(distances) / len(distances)
    expected = math.log(markers) + math.log(len(distances)) + mean * zipf_entropy(fillers)
    assert entropy_nats_per_sentence(grammar) == pytest.approx(expected, rel=1e-12)
    assert entropy_nats_per_token(grammar) == pytest.approx(expected / (mean + 3), rel=1e-12)


@given(st.integers(2, 6), st.integers(1, 9), st.floats(0.01, 0.99), st.booleans())
def test_a_geometric_language_has_the_entropy_of_its_choices(
    markers: int, fillers: int, stop_probability: float, cue: bool
) -> None:
    grammar = geometric(markers, fillers, stop_probability, cue)

    # ln n + (H(q) + (1 - q) H(z)) / q, whether or not a word announces the close
    going_on = 1 - stop_probability
    choice = entropy([stop_probability, going_on]) + going_on * zipf_entropy(fillers)
    expected = math.log(markers) + choice / stop_probability
    tokens = going_on / stop_probability + 3 + cue
    assert entropy_nats_per_sentence(grammar) == pytest.approx(expected, rel=1e-12)
    assert entropy_nats_per_token(grammar) == pytest.approx(expected / tokens, rel=1e-12)


# Sentences


@every_language
def test_every_sentence_closes_with_the_word_of_its_opening(make: Callable[[], Grammar]) -> None:
    for first, *between, last in drawn(make(), 500):
        assert OPENING_OF[last] == first
        assert not {first, *OPENING_OF} & set(between)


@pytest.mark.parametrize(
    ("name", "probability"), [("countdown", 1.0), ("geometric", 0.15), ("cue", 1.0)]
)
def test_only_without_a_cue_does_the_closing_word_come_by_chance(
    name: str, probability: float
) -> None:
    grammar = LANGUAGES[name]()

    for words in drawn(grammar, 100):
        assert math.exp(log_probabilities(grammar, words)[-2]) == pytest.approx(probability)


def test_a_countdown_counts_down() -> None:
    for _, *between, _ in drawn(countdown(8, DISTANCES, 4), 500):
        left = [int(word.removeprefix("f").split(".")[0]) for word in between]

        assert left == list(range(len(between), 0, -1))
        assert len(between) in DISTANCES


def test_the_distances_of_a_countdown_are_all_as_likely() -> None:
    sentences = drawn(countdown(8, DISTANCES, 4), 10_000)

    counts = Counter(len(words) - 2 for words in sentences)

    # the standard deviation of a count is sqrt(10,000 * 0.2 * 0.8) = 40
    assert all(abs(counts[distance] - 2000) < 4 * 40 for distance in DISTANCES)


@pytest.mark.parametrize("cue", [False, True])
def test_a_cue_comes_right_before_the_close_and_nowhere_else(cue: bool) -> None:
    sentences = drawn(geometric(8, 32, 0.15, cue), 500)

    assert all((words[-2] == "cue") == cue and words.count("cue") == cue for words in sentences)
    assert min(map(len, sentences)) == 2 + cue  # no filler at all


# Agreement

BRACKETS = {")": "(", "]": "["}


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("( )", [Agreement(1, 0)]),
        ("a ( b c ) d", [Agreement(4, 2)]),
        ("( [ ] )", [Agreement(2, 0), Agreement(3, 2)]),
        ("( ( a )", [Agreement(3, 1)]),  # the nearest one
        ("( ) a )", [Agreement(1, 0), Agreement(3, 2)]),  # one opening word serves both
        (") (", []),  # it stands later
        ("[ )", []),  # another one's
        ("( [ a", []),
        ("", []),
    ],
)
def test_a_closing_word_agrees_with_the_nearest_opening_word_before_it(
    sentence: str, expected: list[Agreement]
) -> None:
    assert agreements(sentence.split(), BRACKETS) == expected


def test_a_word_may_agree_with_its_own_kind_and_close_what_another_opens() -> None:
    # b closes a and opens c
    found = agreements(["a", "a", "b", "c"], {"a": "a", "b": "a", "c": "b"})

    assert found == [Agreement(1, 0), Agreement(2, 0), Agreement(3, 0)]


@given(
    st.lists(st.sampled_from("abcde")),
    st.dictionaries(st.sampled_from("abcde"), st.sampled_from("abcde")),
)
def test_agreement_is_what_a_search_backwards_finds(
    words: list[str], opening_of: dict[str, str]
) -> None:
    expected = []
    for position, word in enumerate(words):
        for distance in range(position):
            if opening_of.get(word) == words[position - 1 - distance]:
                expected.append(Agreement(position, distance))
                break

    assert agreements(words, opening_of) == expected


@every_language
def test_a_sentence_has_one_agreement_over_all_that_stands_between(
    make: Callable[[], Grammar],
) -> None:
    for words in drawn(make(), 200):
        assert agreements(words, OPENING_OF) == [Agreement(len(words) - 1, len(words) - 2)]


# By configuration


def test_the_configuration_says_which_language() -> None:
    assert language(CONFIG) == LANGUAGES["countdown"]()
    for cue, name in ((False, "geometric"), (True, "cue")):
        config = replace(CONFIG, language="geometric", fillers=32, cue=cue)
        assert language(config) == LANGUAGES[name]()


def test_rules_come_from_the_users_own_file(tmp_path: Path) -> None:
    (tmp_path / "rules.txt").write_text(RULES)
    config = file_config(tmp_path / "rules.txt", {"then": "if", "or": "either"})

    assert language(config) == parse_grammar(RULES, "rules")
    assert agreement_of(config) == {"then": "if", "or": "either"}


def file_config(path: Path, agreement: dict[str, str] | None) -> GrammarConfig:
    """The configuration of a user's own rules."""
    return replace(CONFIG, language="file", path=str(path), agreement=agreement)


def test_rules_need_no_agreement(tmp_path: Path) -> None:
    (tmp_path / "rules.txt").write_text(RULES)
    config = file_config(tmp_path / "rules.txt", None)

    assert language(config).start == "S"
    assert agreement_of(config) == {}


@pytest.mark.parametrize("agreement", [{"than": "if"}, {"then": "than"}])
def test_agreement_of_a_word_that_the_rules_lack_is_refused(
    tmp_path: Path, agreement: dict[str, str]
) -> None:
    (tmp_path / "rules.txt").write_text(RULES)
    message = r"grammar\.agreement must name words of .*rules\.txt .found no 'than' there"

    with pytest.raises(ConfigError, match=message):
        language(file_config(tmp_path / "rules.txt", agreement))


def test_a_missing_file_of_rules_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"rules\.txt cannot be read"):
        language(file_config(tmp_path / "rules.txt", None))


@pytest.mark.parametrize(
    "config", [CONFIG, replace(CONFIG, language="geometric")], ids=["countdown", "geometric"]
)
def test_each_marker_has_a_closing_word_of_its_own(config: GrammarConfig) -> None:
    config = replace(config, markers=3)

    found = agreement_of(config)

    assert found == {"close1": "open1", "close2": "open2", "close3": "open3"}
    assert {*found, *found.values()} <= words_of(language(config))
