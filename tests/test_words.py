"""From a sentence to its words and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategies import PROSE
from unrolled.text.words import readable, words


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
