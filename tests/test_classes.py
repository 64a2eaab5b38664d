"""Which words share a class, in which order, and what becomes of a table of them."""

import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.errors import DataError
from unrolled.text.classes import (
    WordClasses,
    classes_of_labels,
    frequency_classes,
    read_classes,
    resolved,
    write_classes,
)
from unrolled.text.vocabulary import RESERVED, Vocabulary

COUNTS = st.lists(st.sampled_from([0, 0, 1, 2, 3, 50, 10_000]), min_size=1, max_size=30)
"""How often words are predicted: often never, often as often as others, some very often."""

VOCABULARY = Vocabulary([*RESERVED, "a\tb", "SENTENCE_END", "é"], [9, 9, 1, 5, 4, 3])
"""Six words, two of them spelled the same."""

GOOD = [
    "token\tclass\tposition",
    "SENTENCE_START\t1\t2",
    "SENTENCE_END\t0\t",
    "UNKNOWN_TOKEN\t1\t3",
    "a\\tb\t2\t",
    "SENTENCE_END\t1\t1",
    "é\t1\t0",
]
"""The rows of a table for it, header first."""


def classes(class_of: list[int], position: list[int]) -> WordClasses:
    """The classes of these lists."""
    return WordClasses(np.array(class_of, dtype=np.int32), np.array(position, dtype=np.int32))


def members(found: WordClasses) -> list[list[int]]:
    """The ids of each class, in the order of their positions."""
    ids = range(len(found))
    return [
        sorted((i for i in ids if found.class_of[i] == number), key=found.position.__getitem__)
        for number in range(found.count)
    ]


@st.composite
def sizes_and_wishes(draw: st.DrawFn) -> tuple[list[int], int, int | None]:
    """Counts, how many words are to stand alone, and a number of classes that fits."""
    counts = draw(COUNTS)
    words_alone = draw(st.integers(0, len(counts) + 2))
    most = max(0, len(counts) - words_alone) // 2
    count = draw(st.none() | st.integers(1, most)) if most else None
    return counts, words_alone, count


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One file for all examples of a property."""
    return tmp_path_factory.mktemp("classes") / "classes.tsv"


class TestWordClasses:
    def test_classes_of_one_word_take_no_place(self) -> None:
        found = classes([1, 0, 1, 3, 2, 3], [1, -1, 0, 2, -1, 3])

        # Class 0 is word 1, class 1 are words 2 and 0, class 2 is word 4, class 3 are 3 and 5.
        assert found.count == 4
        assert found.words_alone == 2
        assert found.starts.tolist() == [0, 0, 2, 2, 4]
        assert found.order.tolist() == [2, 0, 3, 5]
        assert len(found) == 6
        assert found.starts.dtype == np.int64
        assert found.order.dtype == np.int32

    def test_members_of_a_class_stand_by_position(self) -> None:
        found = classes([1, 0, 1, 3, 2, 3], [1, -1, 0, 2, -1, 3])

        assert [ids.tolist() for ids in found.members] == [[1], [2, 0], [4], [3, 5]]
        assert found.first.tolist() == [1, 2, 4, 3]
        assert found.first.dtype == found.members[0].dtype == np.int32

    def test_where_every_word_stands_alone_there_is_no_place(self) -> None:
        found = classes([1, 0], [-1, -1])

        assert (found.count, found.words_alone) == (2, 2)
        assert found.starts.tolist() == [0, 0, 0]
        assert found.order.tolist() == []

    @pytest.mark.parametrize(
        ("class_of", "position", "message"),
        [
            ([], [], r"a position for each word, one word or more \(got \(0,\) classes and \(0,\)"),
            ([0, 0], [0], r"a position for each word, one word or more \(got \(2,\) classes and"),
            ([0, -3, 0], [0, -1, 1], r"^word 1: its class must be 0 or more \(got -3\)$"),
            ([0, 0, 2, 2], [0, 1, 2, 3], r"^class 1 has no word, though there is a class 2; every"),
            ([1, 1], [0, 1], r"^class 0 has no word, though there is a class 1; every class from"),
            ([2**31 - 1, 0], [-1, -1], r"^class 1 has no word, though there is a class 2147483647"),
            (
                [0, 1, 1],
                [2, 0, 1],
                r"^word 0: alone in class 0, it must have no position \(-1; got",
            ),
            ([0, 1, 1], [-2, 0, 1], r"^word 0: alone .* no position \(-1; got -2\)$"),
            ([0, 0, 1], [-1, 0, -1], r"^word 0: one of several in class 0, .* 0 to 1 .*got -1\)$"),
            ([0, 0, 0], [0, 1, 1], r"^word 2: one of .* 0 to 2 that no other word has \(got 1\)$"),
            ([0, 0, 0], [0, 1, 3], r"^word 2: one of .* 0 to 2 that no other word has \(got 3\)$"),
            (
                [0, 1, 0, 1],
                [0, 1, 2, 3],
                r"^word 2: of class 0, it must have a position before those of class 1 \(got 2, aft"
                r"er word 1\)$",
            ),
            ([1, 1, 0, 0], [0, 1, 2, 3], r"^word 2: of class 0, it must have a position before"),
        ],
    )
    def test_classes_and_positions_that_do_not_fit_are_refused(
        self, class_of: list[int], position: list[int], message: str
    ) -> None:
        with pytest.raises(DataError, match=message):
            classes(class_of, position)


class TestOrder:
    def test_words_alone_come_first_then_the_classes_with_most_tokens(self) -> None:
        labels = np.array([7, 5, 5, 3, 9, 3, 7, 8, 7])
        counts = np.array([1, 2, 4, 30, 20, 0, 1, 25, 2])

        found = classes_of_labels(labels, counts)

        # Alone: word 7 with 25 tokens and word 4 with 20. Then labels 3, 5 and 7: 30, 6 and 4.
        assert members(found) == [[7], [4], [3, 5], [2, 1], [8, 0, 6]]

    def test_ties_go_by_id(self) -> None:
        labels = np.array([2, 9, 1, 2, 8, 1])

        found = classes_of_labels(labels, np.full(6, 5))

        assert members(found) == [[1], [4], [0, 3], [2, 5]]

    @given(counts=COUNTS, data=st.data())
    def test_labels_say_nothing_but_which_words_belong_together(
        self, counts: list[int], data: st.DataObject
    ) -> None:
        label = st.integers(0, 8)
        labels = data.draw(st.lists(label, min_size=len(counts), max_size=len(counts)))
        other = np.array(data.draw(st.permutations(range(9))))[labels]

        found = classes_of_labels(np.array(labels), np.array(counts))

        same = classes_of_labels(other, np.array(counts))
        np.testing.assert_array_equal(found.class_of, same.class_of, strict=True)
        np.testing.assert_array_equal(found.position, same.position, strict=True)
        groups = [
            {i for i, label in enumerate(labels) if label == wanted} for wanted in set(labels)
        ]
        assert sorted(map(sorted, groups)) == sorted(map(sorted, members(found)))


class TestFrequencyClasses:
    def test_bins_have_equal_sums_of_square_roots(self) -> None:
        counts = np.array([1, 100, 4, 16, 9, 1, 9, 1, 4, 4, 1])

        found = frequency_classes(counts, words_alone=1, count=2)

        # Without the 100, the roots are 4, 3, 3, 2, 2, 2, 1, 1, 1, 1: 20 in all, 10 a bin.
        assert members(found) == [[1], [3, 4, 6], [2, 8, 9, 0, 5, 7, 10]]

    def test_a_cut_falls_where_it_is_nearest_to_an_equal_sum(self) -> None:
        found = frequency_classes(np.array([9, 9, 9, 9, 4, 4]), words_alone=0, count=2)

        # Of the roots 3, 3, 3, 3, 2, 2, the half is 8: three words are 9, two words are 6.
        assert members(found) == [[0, 1, 2], [3, 4, 5]]

    def test_a_cut_moves_to_leave_two_words_on_either_side(self) -> None:
        few, many = np.array([10_000, 1, 1, 1, 1]), np.array([9, 9, 9, 9, 9])

        # 100 of the 104 roots are the first word's; 6 of 15 are those of two words.
        assert members(frequency_classes(few, words_alone=0, count=2)) == [[0, 1], [2, 3, 4]]
        assert len(members(frequency_classes(many, words_alone=0, count=2))[1]) == 2

    def test_words_that_are_never_predicted_are_shared_out_like_words_seen_once(self) -> None:
        found = frequency_classes(np.zeros(9, dtype=np.int64), 0, 3)

        assert members(found) == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]

    def test_the_most_frequent_words_stand_alone_ties_by_id(self) -> None:
        found = frequency_classes(np.array([0, 5, 5, 9, 5, 1, 1]), words_alone=3, count=2)

        assert members(found)[:3] == [[3], [1], [2]]

    @given(wishes=sizes_and_wishes())
    def test_every_class_has_two_words_for_any_counts(
        self, wishes: tuple[list[int], int, int | None]
    ) -> None:
        counts, words_alone, count = wishes

        found = frequency_classes(np.array(counts), words_alone, count)

        alone, shared = resolved(len(counts), words_alone, count)
        sizes = Counter(found.class_of.tolist())
        assert found.words_alone == alone
        assert sum(size > 1 for size in sizes.values()) == shared
        assert found.count == alone + shared

    @given(wishes=sizes_and_wishes())
    def test_no_word_of_a_bin_is_rarer_than_one_of_a_bin_of_rarer_words(
        self, wishes: tuple[list[int], int, int | None]
    ) -> None:
        counts, words_alone, count = wishes

        found = frequency_classes(np.array(counts), words_alone, count)

        bins = [[counts[i] for i in ids] for ids in members(found)]
        bins.sort(key=lambda bin_counts: (len(bin_counts) > 1, -max(bin_counts), -min(bin_counts)))
        assert [each for bin_counts in bins for each in bin_counts] == sorted(counts, reverse=True)

    def test_they_are_of_one_size_where_words_are_equally_frequent(self) -> None:
        found = frequency_classes(np.full(120, 7), words_alone=20, count=10)

        assert np.diff(found.starts)[20:].tolist() == [10] * 10


class TestResolved:
    @pytest.mark.parametrize(
        ("vocabulary_size", "words_alone", "count", "expected"),
        [
            (10_000, 32, None, (32, 100)),  # the square root
            (100, 90, None, (90, 5)),  # half of the ten words left
            (100, 97, None, (97, 1)),
            (100, 98, None, (98, 1)),
            (100, 99, None, (100, 0)),  # a class of one word is none
            (100, 100, None, (100, 0)),
            (100, 32, 34, (32, 34)),
            (100, 32, 1, (32, 1)),
            (3, 32, None, (3, 0)),
            (2, 0, None, (0, 1)),
            (1, 0, None, (1, 0)),
            (5, 5, 0, (5, 0)),
        ],
    )
    def test_classes_fit_the_vocabulary(
        self, vocabulary_size: int, words_alone: int, count: int | None, expected: tuple[int, int]
    ) -> None:
        assert resolved(vocabulary_size, words_alone, count) == expected

    @pytest.mark.parametrize(
        ("vocabulary_size", "words_alone", "count", "message"),
        [
            (56, 32, 100, "at most 12, half of the 24 words that do not stand alone (got 100)"),
            (56, 32, 13, "at most 12, half of the 24 words that do not stand alone (got 13)"),
            (56, 55, 1, "at most 0, half of the 1 words that do not stand alone (got 1)"),
            (56, 99, 1, "at most 0, half of the 0 words that do not stand alone (got 1)"),
            (56, 32, 0, "1 or more, since 24 words do not stand alone (got 0)"),
        ],
    )
    def test_classes_without_two_words_each_are_refused(
        self, vocabulary_size: int, words_alone: int, count: int, message: str
    ) -> None:
        with pytest.raises(DataError) as raised:
            resolved(vocabulary_size, words_alone, count)

        assert str(raised.value) == f"classes.count must be {message}"

    @given(st.integers(1, 400), st.integers(0, 500))
    def test_what_was_resolved_once_is_resolved(
        self, vocabulary_size: int, words_alone: int
    ) -> None:
        once = resolved(vocabulary_size, words_alone, None)

        assert resolved(vocabulary_size, *once) == once
        assert once[0] + 2 * once[1] <= vocabulary_size
        assert once[1] <= math.sqrt(vocabulary_size) + 0.5


class TestFile:
    def test_it_is_a_table_of_token_class_and_position(self, tmp_path: Path) -> None:
        found = classes([1, 0, 1, 2, 1, 1], [2, -1, 3, -1, 1, 0])

        write_classes(tmp_path / "classes.tsv", found, VOCABULARY)

        assert (tmp_path / "classes.tsv").read_text(encoding="utf-8").split("\n") == [*GOOD, ""]

    @given(wishes=sizes_and_wishes())
    def test_reading_gives_what_was_written(
        self, path: Path, wishes: tuple[list[int], int, int | None]
    ) -> None:
        counts, words_alone, count = wishes
        vocabulary = Vocabulary([f"{number} \\ \t" for number in range(len(counts))], counts)
        written = frequency_classes(np.array(counts), words_alone, count)

        write_classes(path, written, vocabulary)

        found = read_classes(path, vocabulary)
        np.testing.assert_array_equal(found.class_of, written.class_of, strict=True)
        np.testing.assert_array_equal(found.position, written.position, strict=True)

    def test_arrays_read_are_laid_out_for_look_ups(self, tmp_path: Path) -> None:
        found = read_classes(table(tmp_path, GOOD), VOCABULARY)

        assert found.class_of.flags.c_contiguous
        assert found.position.flags.c_contiguous

    @pytest.mark.parametrize(
        ("row", "text", "message"),
        [
            (
                1,
                "token\tclass\tplace",
                "row 1: the columns must be token, class, position (got tok",
            ),
            (1, "class\ttoken\tposition", "row 1: the columns must be token, class, position (got"),
            (
                3,
                "SENTENCE_END\tx\t",
                "row 3: the class must be a whole number of 0 or more (got 'x'",
            ),
            (
                3,
                "SENTENCE_END\t\t",
                "row 3: the class must be a whole number of 0 or more (got '')",
            ),
            (
                3,
                "SENTENCE_END\t-1\t",
                "row 3: the class must be a whole number of 0 or more (got '-",
            ),
            (
                3,
                "SENTENCE_END\t٣\t",
                "row 3: the class must be a whole number of 0 or more (got '٣'",
            ),
            (
                3,
                "SENTENCE_END\t9999999999\t",
                "row 3: the class must be a whole number of 0 or more",
            ),
            (
                4,
                "UNKNOWN_TOKEN\t1\t1.5",
                "row 4: the position must be a whole number of 0 or more (",
            ),
            (
                4,
                "UNKNOWN_TOKEN\t1\t-1",
                "row 4: the position must be a whole number of 0 or more (g",
            ),
            (
                4,
                "unknown\t1\t3",
                "row 4: made for another vocabulary; the word must be 'UNKNOWN_TOKEN' (got 'unknown"
                "')",
            ),
            (4, "UNKNOWN_TOKEN\t1", "row 4: 2 cells under 3 columns"),
            (
                8,
                "dog\t1\t4",
                "row 8: made for another vocabulary; the table must end before it (got the word 'do"
                "g')",
            ),
        ],
    )
    def test_a_table_that_does_not_fit_is_refused_by_file_and_row(
        self, tmp_path: Path, row: int, text: str, message: str
    ) -> None:
        path = table(tmp_path, [*GOOD[: row - 1], text, *GOOD[row:]])

        with pytest.raises(DataError) as raised:
            read_classes(path, VOCABULARY)

        assert str(raised.value).startswith(f"{path}, {message}")

    @pytest.mark.parametrize(
        ("rows", "message"),
        [
            (GOOD[:5], "lacks the word 'SENTENCE_END', to be in row 6"),
            (GOOD[:1], "lacks the word 'SENTENCE_START', to be in row 2"),
        ],
    )
    def test_a_word_that_is_missing_is_named(
        self, tmp_path: Path, rows: list[str], message: str
    ) -> None:
        path = table(tmp_path, rows)

        with pytest.raises(DataError) as raised:
            read_classes(path, VOCABULARY)

        assert str(raised.value) == f"{path} {message}"

    def test_classes_that_do_not_fit_together_are_refused_by_file_and_word(
        self, tmp_path: Path
    ) -> None:
        path = table(tmp_path, [*GOOD[:4], "a\\tb\t2\t4", *GOOD[5:]])

        with pytest.raises(DataError) as raised:
            read_classes(path, VOCABULARY)

        assert str(raised.value) == (
            f"{path}: word 3: alone in class 2, it must have no position (-1; got 4)"
        )

    def test_a_missing_file_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match=r"none\.tsv cannot be read"):
            read_classes(tmp_path / "none.tsv", VOCABULARY)


def table(folder: Path, rows: list[str]) -> Path:
    """A file of these rows."""
    path = folder / "classes.tsv"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path
