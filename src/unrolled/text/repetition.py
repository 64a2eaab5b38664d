"""What has been seen before, remembered in eight bytes for each thing that differs.

A thing is known by a hash of 64 bits. Among ten million different ones two share theirs with a
probability of some three in a million: n² / 2^65.
"""

import hashlib

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]

LONGEST = 2**20
"""Hashes in an array that is not merged any more: 8 MB. To merge what is longer would take twice
the memory of all that is known, for a while; ten million hashes are looked for in ten arrays.
"""


def hash_of(text: str) -> int:
    """A number below 2^64 that depends on the text alone."""
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8"), digest_size=8).digest(), "little")


class Seen:
    """Hashes that were met, in sorted arrays of which each, unless it is among the longest, is more
    than twice as long as the next.

    So a hash is moved some ten times and looked for in few arrays; a set of Python's numbers would
    take ten times the memory.

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
        while len(self._known) > 1 and self._are_to_be_merged(*self._known[-2:]):
            merged = np.concatenate([self._known.pop(), self._known.pop()])
            merged.sort()
            self._known.append(merged)

    @staticmethod
    def _are_to_be_merged(longer: Hashes, shorter: Hashes) -> bool:
        return len(longer) <= min(2 * len(shorter), LONGEST)
