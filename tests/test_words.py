"""From a sentence to its words and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategies import PROSE, WORDS
from unrolled.text.words import pieces, readable, words


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("It fell.", ["It", "fell", "."]),
        ("Don't say it's.", ["Do", "n't", "say", "it", "'s", "."]),
        ("I cannot, sir!", ["I", "can", "not", ",", "sir", "!"]),
        ('"So," he said.', ["``", "So", ",", "''", "he", "said", "."]),
        ("Of (two) kinds; 3.5%", ["Of", "(", "two", ")", "kinds", ";", "3.5", "%"]),
        ("We met Dr. Brown.", ["We", "met", "Dr.", "Brown", "."]),
        ("a well-known $5 mark...", ["a", "well-known", "$", "5", "mark", "..."]),
        ("naïve 東京 😀", ["naïve", "東京", "😀"]),
        ("SENTENCE_START <b>", ["SENTENCE_START", "<", "b", ">"]),
        ("", []),
        ("  ", []),
    ],
)
def test_words_and_marks_are_parted_as_in_the_penn_treebank(
    sentence: str, expected: list[str]
) -> None:
    assert words(sentence, lowercase=False) == expected


def test_lower_case_is_a_choice() -> None:
    assert words("It FELL on Rome.", lowercase=True) == ["it", "fell", "on", "rome", "."]


@given(sentence=st.text() | PROSE, lowercase=st.booleans())
def test_no_word_is_empty_or_holds_white_space(sentence: str, lowercase: bool) -> None:
    assert all(word.split() == [word] for word in words(sentence, lowercase))


@given(sentence=st.text() | PROSE)
def test_lower_case_parts_words_in_the_same_places(sentence: str) -> None:
    plain = words(sentence, lowercase=False)

    assert words(sentence, lowercase=True) == [word.lower() for word in plain]


@pytest.mark.parametrize(
    "sentence",
    [
        "It fell, and fell.",
        "Don't say it's so!",
        '"So," he said.',
        "Of two (2) kinds; really?",
        "naïve 東京.",
    ],
)
def test_tokens_are_put_together_as_people_write_them(sentence: str) -> None:
    assert readable(words(sentence, lowercase=False)) == sentence


def test_nothing_reads_as_nothing() -> None:
    assert readable([]) == ""


# In pieces

MARKS = ["``", "''", "'", "'s", "n't", ",", ".", "...", "(", ")", "$", "%", "--", "can", "not", "?"]
"""What is written closer to its neighbours than other words, or otherwise than it is."""

TOKENS = st.lists(st.sampled_from(MARKS) | WORDS, max_size=10)


def joined(tokens: list[str]) -> str:
    return "".join(space + text for space, text in pieces(tokens))


def as_written(token: str) -> str:
    """A token with the quotation marks that people write."""
    return token.replace("``", '"').replace("''", '"')


@given(sentence=PROSE)
def test_the_pieces_of_prose_are_what_is_read(sentence: str) -> None:
    tokens = words(sentence, lowercase=False)

    assert joined(tokens) == readable(tokens)


@given(tokens=TOKENS)
def test_pieces_are_what_is_read_wherever_that_has_all_tokens_in_their_order(
    tokens: list[str],
) -> None:
    read = readable(tokens)

    has_all = "".join(read.split()) == "".join(map(as_written, tokens))
    assert joined(tokens) == (read if has_all else " ".join(tokens))


@given(tokens=TOKENS)
def test_each_token_has_a_piece_of_white_space_and_text(tokens: list[str]) -> None:
    found = pieces(tokens)

    assert len(found) == len(tokens)
    for (space, text), token in zip(found, tokens, strict=True):
        assert space.strip() == ""
        assert text in {token, as_written(token)}


def test_quotation_marks_are_written_as_people_write_them() -> None:
    assert pieces(["``", "Yes", "''", ",", "he", "said", "."]) == [
        ("", '"'),
        ("", "Yes"),
        ("", '"'),
        ("", ","),
        (" ", "he"),
        (" ", "said"),
        ("", "."),
    ]


def test_tokens_that_are_changed_in_other_ways_are_joined_by_single_spaces() -> None:
    tokens = ["He", "said", "``", "no", "'", "''"]

    # the two last marks have changed places
    assert readable(tokens) == 'He said "no"\''
    assert joined(tokens) == "He said `` no ' ''"


def test_text_that_has_more_than_the_tokens_is_not_cut_into_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("unrolled.text.words.readable", lambda tokens: "no, no more")

    assert joined(["no", ",", "no"]) == "no , no"
