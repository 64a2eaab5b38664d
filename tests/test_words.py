"""From a sentence to its tokens, words or characters."""

from typing import get_args

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from nltk.tokenize.casual import TweetTokenizer
from nltk.tokenize.destructive import NLTKWordTokenizer

from strategies import PROSE
from unrolled.config.sections import TokenizerName, Unit
from unrolled.errors import DataError
from unrolled.text import words as module
from unrolled.text.words import tokenizer

NAMES: tuple[TokenizerName, ...] = get_args(TokenizerName)
UNITS: tuple[Unit, ...] = get_args(Unit)

_FRAGMENTS = [
    *"\"'`.,:;!?()[]{}<>«»“”‘’„-–—…*@#$%&/_\t\xa0\u2003\x1c\x85\r\u2028\0abstTS12é🙂ΣİſK\u0301\ufeff",
    *["``", "''", "--", "...", ".)", '."', "3.5", "3,000", "a:1", "Dr.", "can", "not", "cannot"],
    *["Gonna", "wanna", "gotta", "gimme", "lemme", "'tis", "'Twas", "d'ye", "more'n", "n't", "N'T"],
    *["'ll", "'RE", "'ve", "'s", "'S", "'d", "'m"],
    *[" "] * 20,
]
NASTY = st.lists(st.sampled_from(_FRAGMENTS), max_size=20).map("".join)
"""Sentences of all that NLTK's rules look for, with the white space and marks between them."""

LINES = st.text(st.characters(codec="utf-8", exclude_characters="\n")) | PROSE.map(
    lambda text: text.replace("\n", " ")
)
"""Sentences of anything but a line feed."""


def words(sentence: str, lowercase: bool) -> list[str]:
    return tokenizer("word", "nltk_word", lowercase)(sentence)


# Any tokens


@given(
    unit=st.sampled_from(UNITS),
    name=st.sampled_from(NAMES),
    lowercase=st.booleans(),
    sentence=LINES | NASTY,
)
def test_no_token_is_empty_or_holds_a_space_or_a_line_feed(
    unit: Unit, name: TokenizerName, lowercase: bool, sentence: str
) -> None:
    tokens = tokenizer(unit, name, lowercase)(sentence)

    line = " ".join(tokens)
    assert "\n" not in line
    assert line.split(" ") == (tokens or [""])


@given(unit=st.sampled_from(UNITS), name=st.sampled_from(NAMES), sentence=LINES | NASTY)
def test_all_tokens_can_be_written_to_a_file(
    unit: Unit, name: TokenizerName, sentence: str
) -> None:
    tokens = tokenizer(unit, name, lowercase=False)(sentence)

    assert "".join(tokens).encode("utf-8").decode("utf-8") == "".join(tokens)


@pytest.mark.parametrize("name", NAMES)
def test_a_word_of_a_megabyte_is_one_token(name: TokenizerName) -> None:
    assert tokenizer("word", name, lowercase=True)("A" * 10**6) == ["a" * 10**6]


@pytest.mark.parametrize("name", NAMES)
def test_a_megabyte_of_spaces_has_no_token(name: TokenizerName) -> None:
    assert tokenizer("word", name, lowercase=False)(" " * 10**6) == []


# NLTK's words


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


@given(sentence=st.text() | PROSE | NASTY, lowercase=st.booleans())
def test_no_word_is_empty_or_holds_white_space(sentence: str, lowercase: bool) -> None:
    assert all(word.split() == [word] for word in words(sentence, lowercase))


@given(sentence=st.text() | PROSE)
def test_lower_case_parts_words_in_the_same_places(sentence: str) -> None:
    plain = words(sentence, lowercase=False)

    assert words(sentence, lowercase=True) == [word.lower() for word in plain]


class TestAsNltk:
    """The tokens are those that NLTK finds in the sentence as a whole."""

    @example(sentences=["a,b's'", "a,b's' c", "a,,", "a,, b"], lowercase=False)
    # More than usual: NLTK's rules look for much, and each of it is rare.
    @settings(max_examples=5 * settings().max_examples)
    @given(sentences=st.lists(NASTY | LINES, max_size=6), lowercase=st.booleans())
    def test_of_sentences_of_marks_quotes_and_contractions(
        self, sentences: list[str], lowercase: bool
    ) -> None:
        tokens_of = tokenizer("word", "nltk_word", lowercase)

        for sentence in [*sentences, *sentences]:  # met first, then remembered
            assert tokens_of(sentence) == by_nltk(sentence, lowercase)

    @example(sentences=["a b c.", "a d e."], most=3, longest=8)
    @given(sentences=st.lists(NASTY, max_size=6), most=st.integers(1, 8), longest=st.integers(1, 8))
    def test_however_little_is_remembered(
        self, sentences: list[str], most: int, longest: int
    ) -> None:
        tokens_of = tokenizer("word", "nltk_word", lowercase=False)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, "MOST_CHUNKS", most)
            patch.setattr(module, "LONGEST_CHUNK", longest)
            found = [tokens_of(sentence) for sentence in [*sentences, *sentences]]

        assert found == [
            by_nltk(sentence, lowercase=False) for sentence in [*sentences, *sentences]
        ]

    @pytest.mark.parametrize("form", ["{}", "a{}b", "'{}", ".{}", "{}."])
    def test_with_each_character_of_the_first_planes(self, form: str) -> None:
        chunks = [form.format(chr(code)) for code in range(0x3100)]
        tokens_of = tokenizer("word", "nltk_word", lowercase=False)

        for start in range(0, len(chunks), 100):
            sentence = " ".join(chunks[start : start + 100])
            assert tokens_of(sentence) == by_nltk(sentence, lowercase=False)

    @pytest.mark.parametrize(
        "sentence",
        [
            "'Tis 'tis cannot. Cannot 'twas",
            "''a ''a a''",
            '"a "a a"',
            '\0"a b. "a b.',
            'x \0"a b.',
            "It fell.\" ') ]  ",
            "a. . ) b",
            "a' ' b ' ' ",
            "a,, b ,,c, :",
            "a--b a-b -a a-",
            "can-not can not wanna",
            " wanna",
            ".",
            ". .",
            ") ) )",
        ],
    )
    def test_where_the_start_and_the_end_of_a_sentence_count(self, sentence: str) -> None:
        tokens_of = tokenizer("word", "nltk_word", lowercase=False)

        for part in [sentence, f"{sentence} x", f"x {sentence}", f"x {sentence} x", sentence]:
            assert tokens_of(part) == by_nltk(part, lowercase=False)

    @pytest.mark.parametrize("closer", [*"])}>\"'»”’`", "\t", "\xa0", "\x1c", " ", ""])
    def test_whatever_closes_after_the_last_stop(self, closer: str) -> None:
        tokens_of = tokenizer("word", "nltk_word", lowercase=False)

        for end in [f".{closer}", f". {closer}", f".{closer} {closer}", f". {closer}{closer}"]:
            assert tokens_of(f"It fell{end}") == by_nltk(f"It fell{end}", lowercase=False)

    @pytest.mark.parametrize("stops", ["a.", ".)", "' ", '" ', ". ", "!"])
    def test_of_a_sentence_of_many_thousand_stops(self, stops: str) -> None:
        sentence = stops * 20_000

        assert words(sentence, lowercase=False) == by_nltk(sentence, lowercase=False)


def by_nltk(sentence: str, lowercase: bool) -> list[str]:
    tokens: list[str] = NLTKWordTokenizer().tokenize(sentence)
    return [token.lower() for token in tokens] if lowercase else tokens


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What NLTK is given from here on."""
    texts: list[str] = []
    tokenize = NLTKWordTokenizer.tokenize

    def noted(nltk: NLTKWordTokenizer, text: str) -> list[str]:
        texts.append(text)
        found: list[str] = tokenize(nltk, text)
        return found

    monkeypatch.setattr(NLTKWordTokenizer, "tokenize", noted)
    return texts


def test_nltk_looks_at_each_chunk_but_once(seen: list[str]) -> None:
    tokens_of = tokenizer("word", "nltk_word", lowercase=False)

    tokens_of("No, it's so.")
    tokens_of("So, it's so.")
    tokens_of("No, so, it's it's so.")
    for _ in range(2):
        tokens_of("So (" + "o" * 64)

    # "So," is new in the second, "so," in the third; plain words are not handed over at all, nor
    # with their full stop, and what is too long to be remembered is handed over with its sentence
    # each time
    assert [text.replace("\0", "").split() for text in seen] == [
        ["No,", "it's"],
        ["So,"],
        ["so,"],
        *[["So", "(" + "o" * 64]] * 2,
    ]


def test_nltk_looks_once_at_all_that_is_new_in_sentences_that_are_expected(
    seen: list[str],
) -> None:
    sentences = ["No, it's so.", "(So, it's so.)", '"It\'s" here? ']
    by_one = [by_nltk(sentence, lowercase=False) for sentence in sentences]
    seen.clear()
    tokens_of = tokenizer("word", "nltk_word", lowercase=False)

    tokens_of.expect(sentences)
    found = [tokens_of(sentence) for sentence in sentences]

    assert found == by_one
    # then the ends and starts of sentences that are not plain, one by one
    assert [text.replace("\0", "").split() for text in seen] == [
        ["No,", "it's", "(So,", "here?"],
        ["so.)"],
        ['"It\'s"'],
    ]


@given(
    sentences=st.lists(NASTY | LINES, max_size=8), most=st.integers(1, 6), at_once=st.integers(1, 3)
)
def test_what_is_expected_changes_no_token(sentences: list[str], most: int, at_once: int) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(module, "MOST_CHUNKS", most)
        patched.setattr(module, "CHUNKS_AT_ONCE", at_once)
        tokens_of = tokenizer("word", "nltk_word", lowercase=True)

        tokens_of.expect(sentences)

        for sentence in sentences:
            assert tokens_of(sentence) == by_nltk(sentence, lowercase=True)


# Tweets


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("@you see #this :-)", ["@you", "see", "#this", ":-)"]),
        ("call +1 (800) 123-4567 now", ["call", "+1␣(800)␣123-4567", "now"]),
        ("so . . . so", ["so", ".␣.␣.", "so"]),
        ("so!!!!!! Rock &amp; &unknown; roll", ["so", "!", "!", "!", "Rock", "&", "roll"]),
        ("half &#xD83D; a character", ["half", "\ufffd", "a", "character"]),
        ("one &#10; two", ["one", "two"]),
    ],
)
def test_tweets_are_parted_as_by_nltk_with_no_space_in_a_token(
    sentence: str, expected: list[str]
) -> None:
    assert tokenizer("word", "nltk_tweet", lowercase=False)(sentence) == expected


@given(sentence=LINES | NASTY)
def test_words_of_tweets_are_those_of_nltk(sentence: str) -> None:
    found = tokenizer("word", "nltk_tweet", lowercase=False)(sentence)

    expected = TweetTokenizer().tokenize(sentence)
    assert [token.replace("␣", " ") for token in found] == [
        token.replace("␣", " ") for token in expected
    ]


def test_emoticons_keep_their_case() -> None:
    found = tokenizer("word", "nltk_tweet", lowercase=True)("So GOOD :D D:")

    assert found == ["so", "good", ":D", "D:"]


@pytest.mark.parametrize(
    ("name", "nltk"), [("nltk_word", NLTKWordTokenizer), ("nltk_tweet", TweetTokenizer)]
)
def test_a_sentence_that_takes_nltk_too_long_is_told_by_its_beginning(
    name: TokenizerName, nltk: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nltk, "tokenize", _without_end)

    with pytest.raises(
        DataError,
        match=r"^a sentence of 90 characters takes NLTK too long .* \(it begins 'So so .{54}'\)$",
    ):
        tokenizer("word", name, lowercase=False)("So so " * 15)


def _without_end(nltk: object, text: str) -> list[str]:
    raise TimeoutError


# White space and characters


@given(sentence=st.text())
def test_white_space_parts_words_and_nothing_else_does(sentence: str) -> None:
    assert tokenizer("word", "whitespace", lowercase=False)(sentence) == sentence.split()


def test_words_between_white_space_are_lowered() -> None:
    found = tokenizer("word", "whitespace", lowercase=True)("It's\tFALLEN,  in\u2003ΟΔΟΣ .")

    assert found == ["it's", "fallen,", "in", "οδος", "."]


def test_each_code_point_is_a_character_and_the_space_is_written() -> None:
    found = tokenizer("character", "whitespace", lowercase=False)(" No␣e\u0301\t🙂")

    assert found == ["␣", "N", "o", "␣␣", "e", "\u0301", "\t", "🙂"]


def test_characters_are_lowered() -> None:
    # İ has no lower case of one code point
    found = tokenizer("character", "nltk_word", lowercase=True)("Aİ Σ")

    assert found == ["a", "i", "\u0307", "␣", "σ"]
