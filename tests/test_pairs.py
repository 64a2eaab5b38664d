"""Counts of pairs, found block by block, are those of the whole split."""

import tracemalloc
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_strategies import dataset_of, sentence
from unrolled.text import pairs
from unrolled.text.dataset import Dataset
from unrolled.text.pairs import Pairs, count_pairs, merged
from unrolled.text.vocabulary import END, START

V = 7
"""Words, the start and the end among them."""

TEXTS = st.lists(st.lists(st.integers(2, V - 1), max_size=6), min_size=1, max_size=12)

COUNTS = st.dictionaries(
    st.tuples(st.integers(0, 3), st.integers(0, 5)), st.integers(1, 9), min_size=1
)
"""How often pairs of one of four numbers and one of six were seen."""

few_at_a_time = st.integers(1, 9)


def split_of(text: Iterable[Iterable[int]]) -> Dataset:
    return dataset_of([sentence(*words) for words in text])


def counted(text: Iterable[Iterable[int]]) -> Counter[tuple[int, int]]:
    """The pairs of sentences one by one."""
    whole = ([START, *words, END] for words in text)
    return Counter(pair for words in whole for pair in pairwise(words))


def pairs_of(seen: dict[tuple[int, int], int], shape: tuple[int, int] = (4, 6)) -> Pairs:
    """Pairs from a dictionary."""
    ranked = sorted(seen)
    keys = [first * shape[1] + second for first, second in ranked]
    counts = [seen[pair] for pair in ranked]
    return Pairs(np.array(keys, dtype=np.int32), np.array(counts, dtype=np.int32), shape)


def seen_in(found: Pairs) -> dict[tuple[int, int], int]:
    """A dictionary from pairs, whose keys must ascend."""
    assert (np.diff(found.keys) > 0).all()
    pairs = (divmod(key, found.shape[1]) for key in found.keys.tolist())
    return dict(zip(pairs, found.counts.tolist(), strict=True))


class TestCountPairs:
    @given(text=TEXTS, tokens=few_at_a_time)
    def test_they_are_the_pairs_inside_sentences(self, text: list[list[int]], tokens: int) -> None:
        assert seen_in(count_pairs(split_of(text), V, tokens)) == counted(text)

    def test_many_blocks_give_what_sorting_the_whole_split_gives(self) -> None:
        rng = np.random.default_rng(1)
        ids = 2 + rng.geometric(0.1, size=20_000) % 48
        split = split_of(np.split(ids, np.sort(rng.choice(20_000, 2000, replace=False))))
        previous, following = split.neighbours

        found = count_pairs(split, 50, tokens=100)

        keys, counts = np.unique(previous.astype(np.int64) * 50 + following, return_counts=True)
        np.testing.assert_array_equal(found.keys, keys)
        np.testing.assert_array_equal(found.counts, counts)

    @pytest.mark.parametrize(
        ("vocabulary_size", "bits"),
        [(46_340, 32), (46_341, 64)],  # 46340² < 2^31 < 46341²
    )
    def test_keys_have_as_many_bits_as_they_need(self, vocabulary_size: int, bits: int) -> None:
        last = vocabulary_size - 1

        found = count_pairs(split_of([[last, last, last]]), vocabulary_size)

        assert seen_in(found) == {(START, last): 1, (last, last): 2, (last, END): 1}
        assert found.keys.dtype == f"int{bits}"
        assert found.beside(last)[0].tolist() == [END, last]
        assert found.counts_of(np.array([last, last]), np.array([last, 2])).tolist() == [2, 0]

    def test_memory_goes_by_the_block_and_the_pairs_and_not_by_the_split(self) -> None:
        split = split_of(np.random.default_rng(1).integers(2, V, (2**14, 14)).tolist())

        tracemalloc.start()
        try:
            found = count_pairs(split, V, tokens=2**10)
            _, peak_bytes = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

        # of the split's 2^18 ids, an array has 1 MB or more; of a block's 2^10, 8 kB
        assert len(split.ids) == 2**18
        assert found.counts.sum() == split.prediction_count
        assert peak_bytes < 2**17


class TestMerged:
    @given(parts=st.lists(COUNTS, min_size=1, max_size=20))
    def test_counts_of_the_same_pair_are_added_up(
        self, parts: list[dict[tuple[int, int], int]]
    ) -> None:
        expected = sum((Counter(part) for part in parts), Counter[tuple[int, int]]())

        assert seen_in(merged(map(pairs_of, parts))) == expected

    def test_no_pair_is_copied_often(self, monkeypatch: pytest.MonkeyPatch) -> None:
        copied = 0
        merge = pairs._merge_last

        def merge_and_count(runs: list[Pairs]) -> None:
            nonlocal copied
            merge(runs)
            copied += len(runs[-1])

        monkeypatch.setattr(pairs, "_merge_last", merge_and_count)
        keys = np.random.default_rng(1).permutation(2000).tolist()

        found = merged(pairs_of({(0, key): 1}, (1, 2000)) for key in keys)

        # A run is merged with a later one of at least an eighth of its size, and so grows to 9/8
        # or more each time. A pair can be copied ln 2000 / ln (9/8) = 65 times at most; one by
        # one it would be 1000 times on average.
        assert len(found) == 2000
        assert copied <= 65 * 2000

    def test_all_that_is_held_is_little_more_than_the_largest_run(self) -> None:
        keys = np.random.default_rng(2).permutation(2**18).astype(np.int32)
        parts = (
            Pairs(np.sort(part), np.ones_like(part), (1, 2**18)) for part in np.split(keys, 2**8)
        )

        tracemalloc.start()
        try:
            found = merged(parts)
            _, peak_bytes = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

        # the result has 2 MB; while it is made there are what it is made of and a few places
        assert len(found) == 2**18
        assert peak_bytes < 3 * 2**21


class TestPairs:
    @given(seen=COUNTS, part=few_at_a_time)
    def test_parts_are_all_pairs_a_few_at_a_time(
        self, seen: dict[tuple[int, int], int], part: int
    ) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(pairs, "PART", part)
            found = list(pairs_of(seen).parts())

        read = [
            ((int(first), int(second)), int(count))
            for some in found
            for first, second, count in zip(*some, strict=True)
        ]
        assert read == sorted(seen.items())
        assert [len(counts) for _, _, counts in found[:-1]] == [part] * (len(found) - 1)

    @given(seen=COUNTS, part=few_at_a_time)
    def test_totals_are_sums_over_either_number(
        self, seen: dict[tuple[int, int], int], part: int
    ) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(pairs, "PART", part)
            found = [pairs_of(seen).totals(side).tolist() for side in (0, 1)]

        assert found == [
            [sum(count for pair, count in seen.items() if pair[side] == number) for number in those]
            for side, those in ((0, range(4)), (1, range(6)))
        ]

    @given(seen=COUNTS)
    def test_beside_a_number_stand_those_that_were_seen_with_it(
        self, seen: dict[tuple[int, int], int]
    ) -> None:
        found = pairs_of(seen)

        for first in range(4):
            beside = zip(*(side.tolist() for side in found.beside(first)), strict=True)
            assert list(beside) == [
                (second, seen[first, second]) for second in range(6) if (first, second) in seen
            ]

    @given(seen=COUNTS)
    def test_any_pair_can_be_looked_up(self, seen: dict[tuple[int, int], int]) -> None:
        firsts, seconds = np.indices((4, 6))

        found = pairs_of(seen).counts_of(firsts, seconds)

        assert found.tolist() == [
            [seen.get((first, second), 0) for second in range(6)] for first in range(4)
        ]

    @given(seen=COUNTS, part=few_at_a_time)
    def test_turned_pairs_are_the_same_the_other_way_round(
        self, seen: dict[tuple[int, int], int], part: int
    ) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(pairs, "PART", part)
            found = pairs_of(seen).turned()

        assert found.shape == (6, 4)
        assert seen_in(found) == {(second, first): seen[first, second] for first, second in seen}

    @given(
        seen=COUNTS,
        of_first=st.lists(st.integers(0, 2), min_size=4, max_size=4),
        of_second=st.lists(st.integers(0, 1), min_size=6, max_size=6),
        part=few_at_a_time,
    )
    def test_pairs_of_groups_are_counted_together(
        self,
        seen: dict[tuple[int, int], int],
        of_first: list[int],
        of_second: list[int],
        part: int,
    ) -> None:
        expected: Counter[tuple[int, int]] = Counter()
        for (first, second), count in seen.items():
            expected[of_first[first], of_second[second]] += count

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(pairs, "PART", part)
            found = pairs_of(seen).grouped((np.array(of_first), np.array(of_second)), (3, 2))

        assert found.shape == (3, 2)
        assert seen_in(found) == expected
