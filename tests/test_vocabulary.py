"""Which words have an id, in which order, and what becomes of the others."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategies import SENTENCES, WORDS
from unrolled.errors import DataError
from unrolled.text.vocabulary import (
    END,
    RESERVED,
    START,
    UNKNOWN,
    Vocabulary,
    build_vocabulary,
    read_vocabulary,
    write_vocabulary,
)

COUNTS = st.dictionaries(WORDS, st.integers(1, 4), min_size=1)
"""How often words occur."""

CORPORA = st.lists(SENTENCES, min_size=1, max_size=6)
"""The sentences of a training split."""


def built(corpus: Sequence[Sequence[str]], size: int = 1000, minimum_count: int = 1) -> Vocabulary:
    """The vocabulary of sentences."""
    counts = Counter(word for sentence in corpus for word in sentence)
    return build_vocabulary(counts.items(), len(corpus), size, minimum_count)


def vocabulary_of(text: str, size: int = 100, minimum_count: int = 1) -> Vocabulary:
    """The vocabulary of sentences parted by slashes, words parted by spaces."""
    return built([part.split() for part in text.split("/")], size, minimum_count)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One file for all examples of a property."""
    return tmp_path_factory.mktemp("vocabulary") / "vocabulary.tsv"


class TestOrder:
    def test_reserved_tokens_come_first_and_have_the_ids_0_1_and_2(self) -> None:
        assert (START, END, UNKNOWN) == (0, 1, 2)
        assert vocabulary_of("a").tokens[:3] == ["SENTENCE_START", "SENTENCE_END", "UNKNOWN_TOKEN"]

    def test_frequent_words_come_before_rare_ones(self) -> None:
        assert vocabulary_of("c b a c b / c").tokens[3:] == ["c", "b", "a"]

    def test_ties_are_in_the_order_of_code_points(self) -> None:
        # Z is U+005A, a U+0061, é U+00E9, a full-width A U+FF21, an emoji U+1F600. As UTF-16 units
        # or in most languages' dictionaries they would stand otherwise.
        assert vocabulary_of("😀 Ａ é a Z").tokens[3:] == ["Z", "a", "é", "Ａ", "😀"]

    @given(counts=COUNTS, size=st.integers(4, 9), data=st.data())
    def test_the_order_in_which_words_come_does_not_matter(
        self, counts: dict[str, int], size: int, data: st.DataObject
    ) -> None:
        other = data.draw(st.permutations(list(counts.items())))

        expected = build_vocabulary(counts.items(), 1, size, 1)
        assert build_vocabulary(other, 1, size, 1) == expected

    @given(counts=COUNTS, size=st.integers(4, 9), minimum_count=st.integers(1, 3))
    def test_the_words_kept_are_the_first_of_all_in_order(
        self, counts: dict[str, int], size: int, minimum_count: int
    ) -> None:
        counts["often"] = 9

        vocabulary = build_vocabulary(counts.items(), 1, size, minimum_count)

        ordered = sorted(counts, key=lambda word: (-counts[word], word))
        frequent = [word for word in ordered if counts[word] >= minimum_count]
        assert vocabulary.tokens[3:] == frequent[: size - 3]


class TestReservedSpellings:
    @pytest.mark.parametrize("name", RESERVED)
    def test_a_word_spelled_like_a_reserved_token_is_an_ordinary_word(self, name: str) -> None:
        vocabulary = vocabulary_of(f"a {name} b {name}")

        # It stands twice, a and b once: so it comes right after the reserved three.
        assert vocabulary.tokens == [*RESERVED, name, "a", "b"]
        assert vocabulary.encode([name]).tolist() == [START, 3, END]

    def test_where_it_is_not_in_the_training_split_it_is_unknown_like_any_other(self) -> None:
        encoded = vocabulary_of("a b").encode(RESERVED)

        assert encoded.tolist() == [START, UNKNOWN, UNKNOWN, UNKNOWN, END]


class TestBounds:
    def test_words_below_the_minimum_count_are_unknown(self) -> None:
        vocabulary = vocabulary_of("a a a b b c", minimum_count=2)

        assert vocabulary.tokens[3:] == ["a", "b"]
        assert vocabulary.encode(["c", "a"]).tolist() == [START, UNKNOWN, 3, END]

    def test_the_size_is_an_upper_bound_that_counts_the_reserved_tokens(self) -> None:
        vocabulary = vocabulary_of("a a a b b c", size=5)

        assert len(vocabulary) == 5
        assert vocabulary.tokens[3:] == ["a", "b"]

    def test_fewer_types_than_the_size_make_a_smaller_vocabulary(self) -> None:
        assert len(vocabulary_of("a b", size=8000)) == 5

    def test_where_no_word_is_frequent_enough_the_key_is_named(self) -> None:
        with pytest.raises(
            DataError,
            match=r"^none of the 3 different words of the training split occurs 2 times; lower"
            r" text\.minimum_count$",
        ):
            vocabulary_of("a b / c", minimum_count=2)

    def test_a_training_split_without_a_word_is_refused(self) -> None:
        with pytest.raises(DataError, match=r"^none of the 0 different words"):
            build_vocabulary([], 0, 100, 1)


class TestCounts:
    def test_they_are_those_of_the_training_split(self) -> None:
        vocabulary = vocabulary_of("a a b / c a b / d", size=5)

        # Three sentences have a start and an end each; c and d are left over.
        assert vocabulary.counts == [3, 3, 2, 3, 2]

    @given(corpus=CORPORA, size=st.integers(4, 12), minimum_count=st.integers(1, 2))
    def test_they_are_how_often_each_id_stands_in_the_encoded_split(
        self, corpus: list[list[str]], size: int, minimum_count: int
    ) -> None:
        words = [word for sentence in corpus for word in sentence]
        # One word is made frequent enough, since a vocabulary needs one.
        corpus = [*corpus, [words[0]] * 2]

        vocabulary = built(corpus, size, minimum_count)

        ids = np.concatenate([vocabulary.encode(sentence) for sentence in corpus])
        assert list(vocabulary.counts) == np.bincount(ids, minlength=len(vocabulary)).tolist()


class TestUnknownToken:
    def test_it_is_no_word_and_its_count_is_that_of_the_unknown(self) -> None:
        counts = {"a": 2, "<unk>": 5, "b": 3, "rare": 1}

        vocabulary = build_vocabulary(counts.items(), 4, 100, 2, "<unk>")

        # <unk> five times and the rare word once
        assert vocabulary == Vocabulary([*RESERVED, "b", "a"], [4, 4, 6, 3, 2])
        assert vocabulary.encode(["a", "<unk>", "b"]).tolist() == [START, 4, UNKNOWN, 3, END]

    def test_it_takes_no_place_from_a_word(self) -> None:
        counts = {"<unk>": 5, "a": 2, "b": 1}

        assert build_vocabulary(counts.items(), 1, 5, 1, "<unk>").tokens[3:] == ["a", "b"]

    def test_a_training_split_of_nothing_else_has_no_word(self) -> None:
        with pytest.raises(DataError, match=r"^none of the 0 different words"):
            build_vocabulary([("<unk>", 9)], 1, 100, 1, "<unk>")

    def test_where_it_is_not_named_it_is_a_word(self) -> None:
        assert build_vocabulary([("<unk>", 9)], 1, 100, 1).tokens[3:] == ["<unk>"]


class TestEncoding:
    def test_a_sentence_is_its_start_its_words_and_its_end(self) -> None:
        encoded = vocabulary_of("a a b").encode(["b", "a", "x"])

        assert encoded.dtype == np.int32
        assert encoded.tolist() == [0, 4, 3, 2, 1]

    def test_a_sentence_without_a_word_is_its_start_and_its_end(self) -> None:
        assert vocabulary_of("a").encode([]).tolist() == [START, END]

    def test_only_words_of_its_own_are_in_it(self) -> None:
        vocabulary = vocabulary_of("a b")

        assert [word in vocabulary for word in ("a", "b", "c", *RESERVED)] == [
            *(True, True),
            *[False] * 4,
        ]

    def test_reserved_ids_read_as_their_names(self) -> None:
        assert vocabulary_of("a").decode([0, 3, 2, 1]) == [
            "SENTENCE_START",
            "a",
            "UNKNOWN_TOKEN",
            "SENTENCE_END",
        ]

    @given(corpus=CORPORA)
    def test_decoding_what_was_encoded_gives_the_known_words_back(
        self, corpus: list[list[str]]
    ) -> None:
        vocabulary = built(corpus)

        for sentence in corpus:
            assert vocabulary.decode(vocabulary.encode(sentence)[1:-1]) == sentence

    @given(corpus=CORPORA, words=st.lists(WORDS))
    def test_a_word_is_unknown_unless_it_was_in_the_training_split(
        self, corpus: list[list[str]], words: list[str]
    ) -> None:
        known = Counter(word for sentence in corpus for word in sentence)

        encoded = built(corpus).encode(words)[1:-1]

        assert [index != UNKNOWN for index in encoded] == [word in known for word in words]


class TestFile:
    def test_it_is_a_table_of_token_and_count(self, tmp_path: Path) -> None:
        write_vocabulary(tmp_path / "vocabulary.tsv", vocabulary_of("a \\n / a"))

        assert (tmp_path / "vocabulary.tsv").read_bytes() == (
            b"token\tcount\n"
            b"SENTENCE_START\t2\n"
            b"SENTENCE_END\t2\n"
            b"UNKNOWN_TOKEN\t0\n"
            b"a\t2\n"
            b"\\\\n\t1\n"
        )  # fmt: skip

    @given(corpus=CORPORA)
    def test_reading_gives_what_was_written(self, path: Path, corpus: list[list[str]]) -> None:
        vocabulary = built(corpus)

        write_vocabulary(path, vocabulary)

        assert read_vocabulary(path) == vocabulary

    @pytest.mark.parametrize("tokens", [[], ["a"], ["SENTENCE_END", "SENTENCE_START", "a"]])
    def test_a_table_that_does_not_begin_with_the_reserved_tokens_is_refused(
        self, tmp_path: Path, tokens: list[str]
    ) -> None:
        write_vocabulary(tmp_path / "v.tsv", Vocabulary(tokens, [1] * len(tokens)))

        with pytest.raises(DataError, match=r"v\.tsv must begin with SENTENCE_START, SENTENCE_END"):
            read_vocabulary(tmp_path / "v.tsv")

    @pytest.mark.parametrize(
        "content", ["token\tnumber\na\t1\n", "word\na\n", "token\tcount\na\tb\n"]
    )
    def test_another_table_is_refused(self, tmp_path: Path, content: str) -> None:
        (tmp_path / "v.tsv").write_text(content)

        with pytest.raises(DataError, match=r"v\.tsv must be a table of token and count \(got "):
            read_vocabulary(tmp_path / "v.tsv")
