"""How often each word follows each other one in the sentences of a split.

A split is counted block by block, so that memory goes by the different pairs, of which there are
some millions where there are many tokens, and not by the tokens. The counts of blocks are merged
as those of a log-structured merge-tree are: a few sorted runs, each several times as large as the
next, so that no pair is copied often, and all together are little more than the largest.

Source: O'Neil et al., The Log-Structured Merge-Tree (1996).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrolled.text.dataset import Dataset
from unrolled.text.integers import Integers, integer_type

BLOCK = 2**20
"""Tokens of a split looked at together: arrays of 4 and 8 MB."""

PART = 2**18
"""Pairs looked at together: some arrays of 2 MB."""

SMALLER = 8
"""Two runs are merged unless the later one is smaller by more than this factor."""

Part = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]
"""First numbers, second numbers and counts of some pairs; counts are exact up to 2**53."""


@dataclass(frozen=True)
class Pairs:
    """Different pairs of numbers, such as ids of words, and how often each was seen.

    Attributes:
        keys: (pairs,) the first number times `shape[1]`, plus the second; ascending.
        counts: (pairs,) how often each pair was seen.
        shape: how many different first numbers there may be, and how many second ones.
    """

    keys: Integers
    counts: Integers
    shape: tuple[int, int]

    def __len__(self) -> int:
        return len(self.keys)

    @cached_property
    def starts(self) -> NDArray[np.int64]:
        """(shape[0] + 1,) where the pairs of each first number begin, how many there are last."""
        firsts, seconds = self.shape
        least = np.arange(firsts) * seconds
        starts = np.searchsorted(self.keys, least.astype(self.keys.dtype))  # else keys are copied
        return np.append(starts, len(self))

    def beside(self, first: int) -> tuple[Integers, Integers]:
        """The second numbers that were seen with a first one, and how often each was."""
        those = slice(self.starts[first], self.starts[first + 1])
        return self.keys[those] - first * self.shape[1], self.counts[those]

    def counts_of(self, firsts: NDArray[Any], seconds: NDArray[Any]) -> Integers:
        """How often each pair was seen, 0 for one that never was; of the shape of both arrays."""
        keys = _keys(firsts, seconds, self.shape)
        found = np.minimum(np.searchsorted(self.keys, keys), len(self) - 1)
        return np.where(self.keys[found] == keys, self.counts[found], 0)

    def totals(self, side: int) -> NDArray[np.int64]:
        """(shape[side],) how often each number was seen as the first, side 0, or the second."""
        totals = np.zeros(self.shape[side], dtype=np.int64)
        for *numbers, counts in self.parts():
            totals += np.bincount(numbers[side], counts, len(totals)).astype(np.int64)
        return totals

    def parts(self) -> Iterator[Part]:
        """All pairs, some at a time, ascending."""
        for start in range(0, len(self), PART):
            some = slice(start, start + PART)
            firsts, seconds = np.divmod(self.keys[some].astype(np.int64), self.shape[1])
            yield firsts, seconds, self.counts[some].astype(np.float64)

    def turned(self) -> "Pairs":
        """The same pairs with the second number first, sorted part by part."""
        shape = (self.shape[1], self.shape[0])
        keys, counts = np.empty_like(self.keys), np.empty_like(self.counts)
        met = sum(np.bincount(seconds, minlength=shape[0]) for _, seconds, _ in self.parts())
        free = np.cumsum(met) - met  # where the next pair of each second number goes
        for firsts, seconds, seen in self.parts():
            order = np.argsort(seconds, kind="stable")  # so that its first numbers ascend
            ranked = seconds[order]
            places = free[ranked] + np.arange(len(order)) - np.searchsorted(ranked, ranked)
            keys[places] = _keys(ranked, firsts[order], shape)
            counts[places] = seen[order]
            free += np.bincount(seconds, minlength=shape[0])
        return Pairs(keys, counts, shape)

    def grouped(self, groups: tuple[NDArray[Any], NDArray[Any]], shape: tuple[int, int]) -> "Pairs":
        """The pairs of groups that the numbers belong to, such as classes of words.

        Args:
            groups: (shape[0],) the group of each first number, (shape[1],) that of each second.
            shape: how many groups there are of first numbers, and of second ones.
        """
        return merged(
            self._summed(_keys(groups[0][firsts], groups[1][seconds], shape), counts, shape)
            for firsts, seconds, counts in self.parts()
        )

    def _summed(
        self, keys: Integers, counts: NDArray[np.float64], shape: tuple[int, int]
    ) -> "Pairs":
        """Pairs with their counts, those of equal keys added up."""
        different, place = np.unique(keys, return_inverse=True)
        sums = np.bincount(place, counts).astype(self.counts.dtype)
        return Pairs(different, sums, shape)


def count_pairs(dataset: Dataset, vocabulary_size: int, tokens: int = BLOCK) -> Pairs:
    """Each word or start with the word or end that follows it in a sentence of a split.

    Args:
        dataset: the split.
        vocabulary_size: how many words there are.
        tokens: so many of the split are looked at together.
    """
    shape = (vocabulary_size, vocabulary_size)
    count_type = integer_type(len(dataset.ids))

    def counted(block: Dataset) -> Pairs:
        keys, counts = np.unique(_keys(*block.neighbours, shape), return_counts=True)
        return Pairs(keys, counts.astype(count_type), shape)

    return merged(map(counted, dataset.blocks(tokens)))


def merged(parts: Iterable[Pairs]) -> Pairs:
    """All pairs of one part or more, which are used up; counts of the same pair are added up."""
    runs: list[Pairs] = []
    for part in parts:
        runs.append(part)
        del part  # else it stays in memory while it is merged
        while len(runs) > 1 and len(runs[-2]) <= SMALLER * len(runs[-1]):
            _merge_last(runs)
    while len(runs) > 1:
        _merge_last(runs)
    return runs[0]


def _merge_last(runs: list[Pairs]) -> None:
    """Put one run in the place of the last two."""
    fewer, more = runs.pop(), runs.pop()
    places = np.searchsorted(more.keys, fewer.keys)
    known = more.keys.take(places, mode="clip") == fewer.keys
    more.counts[places[known]] += fewer.counts[known]
    places, new = places[~known], ~known
    keys = np.insert(more.keys, places, fewer.keys[new])
    counts = np.insert(more.counts, places, fewer.counts[new])
    runs.append(Pairs(keys, counts, more.shape))


def _keys(firsts: NDArray[Any], seconds: NDArray[Any], shape: tuple[int, int]) -> Integers:
    """The keys of pairs in a table of some shape."""
    keys = firsts.astype(np.int64) * shape[1] + seconds
    narrow: Integers = keys.astype(integer_type(shape[0] * shape[1]))
    return narrow
