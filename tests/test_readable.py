"""From tokens back to a text that people can read, at once and in pieces."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategies import PROSE, WORDS
from unrolled.text.characters import characters
from unrolled.text.readable import pieces, readable
from unrolled.text.vocabulary import RESERVED
from unrolled.text.words import tokenizer

words_of = tokenizer("word", "nltk_word", lowercase=False)

# Characters


@given(sentence=st.text() | PROSE | st.text("␣ a"))
def test_characters_read_as_the_text_they_are_of(sentence: str) -> None:
    tokens = characters(sentence)

    assert len(tokens) == len(sentence)
    assert readable(tokens, "character") == sentence
    assert pieces(tokens, "character") == [("", character) for character in sentence]


def test_reserved_names_among_characters_are_shown_as_they_are() -> None:
    tokens = ["a", "␣", *RESERVED, "␣␣"]

    assert readable(tokens, "character") == "a SENTENCE_STARTSENTENCE_ENDUNKNOWN_TOKEN␣"
    assert [text for _, text in pieces(tokens, "character")] == ["a", " ", *RESERVED, "␣"]


# Words as people write them


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
    assert readable(words_of(sentence), "word") == sentence


def test_nothing_reads_as_nothing() -> None:
    assert readable([], "word") == ""


# In pieces

MARKS = ["``", "''", "'", "'s", "n't", ",", ".", "...", "(", ")", "$", "%", "--", "can", "not", "?"]
"""What is written closer to its neighbours than other words, or otherwise than it is."""

TOKENS = st.lists(st.sampled_from(MARKS) | WORDS, max_size=10)


def joined(tokens: list[str]) -> str:
    return "".join(space + text for space, text in pieces(tokens, "word"))


def as_written(token: str) -> str:
    """A token with the quotation marks that people write."""
    return token.replace("``", '"').replace("''", '"')


@given(sentence=PROSE)
def test_the_pieces_of_prose_are_what_is_read(sentence: str) -> None:
    tokens = words_of(sentence)

    assert joined(tokens) == readable(tokens, "word")


@given(tokens=TOKENS)
def test_pieces_are_what_is_read_wherever_that_has_all_tokens_in_their_order(
    tokens: list[str],
) -> None:
    read = readable(tokens, "word")

    has_all = "".join(read.split()) == "".join(map(as_written, tokens))
    assert joined(tokens) == (read if has_all else " ".join(tokens))


@given(tokens=TOKENS)
def test_each_token_has_a_piece_of_white_space_and_text(tokens: list[str]) -> None:
    found = pieces(tokens, "word")

    assert len(found) == len(tokens)
    for (space, text), token in zip(found, tokens, strict=True):
        assert space.strip() == ""
        assert text in {token, as_written(token)}


def test_quotation_marks_are_written_as_people_write_them() -> None:
    assert pieces(["``", "Yes", "''", ",", "he", "said", "."], "word") == [
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
    assert readable(tokens, "word") == 'He said "no"\''
    assert joined(tokens) == "He said `` no ' ''"


def test_text_that_has_more_than_the_tokens_is_not_cut_into_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("unrolled.text.readable.readable", lambda tokens, unit: "no, no more")

    assert joined(["no", ",", "no"]) == "no , no"
