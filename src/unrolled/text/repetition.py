"""What has been seen before, remembered in eight bytes for each thing that differs.

A thing is known by a hash of 64 bits. Among ten million different ones two share theirs with a
probability of some three in a million: n² / 2^65.
"""

import hashlib

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]


def hash_of(text: str) -> int:
    """A number below 2^64 that depends on the text alone."""
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8"), digest_size=8).digest(), "little")


class Seen:
    """Hashes that were met, in sorted arrays of which each is more than twice as long as the next.

    So a hash is moved as often as the logarithm of their number, and is looked for in as many
    arrays; a set of Python's numbers would take ten times the memory.

    Source: O'Neil et al., The Log-Structured Merge-Tree (1996), for the idea.
    """

    def __init__(self) -> None:
        self._known: list[Hashes] = []

    def first(self, hashes: Hashes) -> NDArray[np.bool_]:
        """(hashes,) whether each is met for the first time, within these and in all calls before;
        from now on all of them are known.
        """
        new = np.zeros(len(hashes), dtype=np.bool_)
        different, places = np.unique(hashes, return_index=True)
        unknown = np.ones(len(different), dtype=np.bool_)
        for known in self._known:
            nearest = np.searchsorted(known, different)
            unknown &= known.take(nearest, mode="clip") != different
        new[places[unknown]] = True
        self._learn(different[unknown])
        return new

    def _learn(self, hashes: Hashes) -> None:
        if len(hashes) == 0:
            return
        self._known.append(hashes)
        while len(self._known) > 1 and len(self._known[-2]) <= 2 * len(self._known[-1]):
            merged = np.concatenate([self._known.pop(), self._known.pop()])
            merged.sort()
            self._known.append(merged)
