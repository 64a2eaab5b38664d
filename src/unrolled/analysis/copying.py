"""Which words of a sentence stand in the training split in the same order.

Every window of `least` words is found in the split by a hash, a polynomial in the ids modulo 2^64.
Equal windows have equal hashes; what has an equal hash is compared word by word, and followed for
as long as the words agree. So the split is gone through once, in blocks, however many sentences
there are and however large it is.

Source: Karp & Rabin, Efficient Randomized Pattern-Matching Algorithms (1987).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unrolled.config.sections import Unit
from unrolled.text.dataset import Dataset
from unrolled.text.vocabulary import RESERVED, Ids

LEAST: Mapping[Unit, int] = {"word": 5, "character": 25}
"""Shorter runs of words, or of characters, are the language's own, in any two texts."""

BLOCK = 2**20
"""Windows of the split looked at together: some arrays of 8 MB."""

MULTIPLIER = 0x9E3779B97F4A7C15
"""Odd, so that no id loses its weight modulo 2^64; the golden ratio's digits, without pattern."""

Hashes = NDArray[np.uint64]
Places = NDArray[np.intp]


class _Window(NamedTuple):
    """Where a window begins, and the known words that go on from there."""

    sentence: int
    begin: int
    words: Sequence[int]


def copied_spans(
    sentences: Sequence[Sequence[int]],
    dataset: Dataset,
    least: int = LEAST["word"],
    block: int = BLOCK,
) -> list[list[tuple[int, int]]]:
    """For each sentence its copied spans [from, to), ascending: those that stand word for word
    within one sentence of a split.

    A span that lies inside another one is not given, but spans may overlap. No reserved id, such as
    the unknown word's, is a copy of anything.

    Args:
        sentences: the ids of each, without start and end.
        dataset: the split.
        least: words that a span has at least, 1 or more.
        block: windows of the split looked at together.
    """
    ids = np.asarray(dataset.ids)
    windows = _windows(sentences, least)
    longest = [[0] * len(words) for words in sentences]
    for value, places in _candidates(dataset, windows, least, block):
        for sentence, begin, words in windows[value]:
            length = _length_of_copy(words, ids, places)
            longest[sentence][begin] = max(longest[sentence][begin], length)
    return [_maximal(lengths, least) for lengths in longest]


def _windows(sentences: Sequence[Sequence[int]], least: int) -> dict[int, list[_Window]]:
    """The windows of the sentences by their hash."""
    windows: dict[int, list[_Window]] = {}
    for number, sentence in enumerate(sentences):
        for begin in range(len(sentence) - least + 1):
            words = _known(sentence[begin:])
            if len(words) >= least:
                (value,) = _hashes(np.array(words[:least], dtype=np.int32), least).tolist()
                windows.setdefault(value, []).append(_Window(number, begin, words))
    return windows


def _known(words: Sequence[int]) -> Sequence[int]:
    """The words up to the first that is reserved."""
    reserved = (place for place, word in enumerate(words) if word < len(RESERVED))
    return words[: next(reserved, len(words))]


def _candidates(
    dataset: Dataset, windows: dict[int, list[_Window]], least: int, block: int
) -> Iterator[tuple[int, Places]]:
    """Hashes of windows, each with places of the split, of one block, that have the same."""
    if not windows:
        return
    ids = np.asarray(dataset.ids)
    wanted = np.array(sorted(windows), dtype=np.uint64)
    for first in range(0, len(ids) - least + 1, block):
        # the last windows of a block reach into the next one
        hashes = _hashes(ids[first : first + block + least - 1], least)
        nearest = wanted.take(np.searchsorted(wanted, hashes), mode="clip")
        found = np.flatnonzero(nearest == hashes)
        for value in np.unique(hashes[found]):
            yield int(value), first + found[hashes[found] == value]
        dataset.release()


def _hashes(ids: Ids, least: int) -> Hashes:
    """(ids - least + 1,) the hash of every window."""
    numbers = ids.astype(np.uint64)
    count = len(ids) - least + 1
    hashes = numbers[:count].copy()
    for place in range(1, least):
        hashes *= np.uint64(MULTIPLIER)
        hashes += numbers[place : place + count]
    return hashes


def _length_of_copy(words: Sequence[int], ids: Ids, places: Places) -> int:
    """How many of the words, the first ones, stand at one of the places; the most of all.

    No known word agrees with a sentence's end, so that no copy goes on beyond it.
    """
    for length, word in enumerate(words):
        places = places[ids[places + length] == word]
        if len(places) == 0:
            return length
    return len(words)


def _maximal(longest: Sequence[int], least: int) -> list[tuple[int, int]]:
    """The spans that reach further than all that begin before them.

    Args:
        longest: the length of the longest copy that begins at each word.
        least: the length of a span at least.
    """
    spans: list[tuple[int, int]] = []
    reached = 0
    for begin, length in enumerate(longest):
        if length >= least and begin + length > reached:
            reached = begin + length
            spans.append((begin, reached))
    return spans
