"""Which words the model knows.

Three ids are reserved: the start and the end of a sentence, and every word that is too rare. They
are ids, not strings: a word of the same spelling in the text is an ordinary word with an id of its
own.
"""

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unrolled.errors import DataError
from unrolled.storage import Cell, iterate_tsv, write_tsv

Ids = NDArray[np.int32]
"""Word ids."""

START, END, UNKNOWN = 0, 1, 2
RESERVED = ("SENTENCE_START", "SENTENCE_END", "UNKNOWN_TOKEN")


@dataclass(frozen=True)
class Vocabulary:
    """Words and their ids.

    Attributes:
        tokens: by id, the reserved three first, then most frequent first, ties in code-point order.
        counts: how often each id occurs in the training split.
    """

    tokens: Sequence[str]
    counts: Sequence[int]

    def __len__(self) -> int:
        return len(self.tokens)

    @cached_property
    def _ids(self) -> dict[str, int]:
        words = enumerate(self.tokens[len(RESERVED) :], start=len(RESERVED))
        return {word: index for index, word in words}

    def __contains__(self, word: str) -> bool:
        """Whether the word is known; the names of the reserved tokens are not, as such."""
        return word in self._ids

    def ids_of(self, words: Iterable[str]) -> list[int]:
        """Ids of one sentence, with its start and its end; unknown words have the id UNKNOWN."""
        find = self._ids.get
        return [START, *[find(word, UNKNOWN) for word in words], END]

    def encode(self, words: Iterable[str]) -> Ids:
        """(words + 2,) the same ids as an array."""
        return np.array(self.ids_of(words), dtype=np.int32)

    def decode(self, ids: Iterable[int]) -> list[str]:
        """The words of ids, reserved ones by their names."""
        return [self.tokens[index] for index in ids]


def build_vocabulary(
    counts: Iterable[tuple[str, int]],
    sentence_count: int,
    vocabulary_size: int,
    minimum_count: int,
    unknown_token: str | None = None,
) -> Vocabulary:
    """The vocabulary of a training split.

    No more words are held in memory than are kept, however many there are.

    Args:
        counts: each different word once, with how often it occurs; in any order.
        sentence_count: how many sentences there are, each with a start and an end.
        vocabulary_size: how many ids at most, reserved ones counted; 4 or more.
        minimum_count: rarer words become UNKNOWN.
        unknown_token: what stands in the text for words that are unknown already; it is no word.

    Raises:
        DataError: no word is frequent enough.
    """
    types = tokens = 0

    def frequent() -> Iterator[tuple[int, str]]:
        """What is to be kept smallest first: the negative count, then the word."""
        nonlocal types, tokens
        for word, count in counts:
            tokens += count
            if word != unknown_token:
                types += 1
                if count >= minimum_count:
                    yield -count, word

    kept = heapq.nsmallest(vocabulary_size - len(RESERVED), frequent())
    if not kept:
        raise DataError(
            f"none of the {types} different words of the training split occurs"
            f" {minimum_count} times; lower text.minimum_count"
        )
    of_words = [-negative for negative, _ in kept]
    return Vocabulary(
        tokens=[*RESERVED, *(word for _, word in kept)],
        counts=[sentence_count, sentence_count, tokens - sum(of_words), *of_words],
    )


def write_vocabulary(path: Path | str, vocabulary: Vocabulary) -> None:
    """Write the table of token and count, ids by order."""
    rows: Iterator[Mapping[str, Cell]] = (
        {"token": token, "count": count}
        for token, count in zip(vocabulary.tokens, vocabulary.counts, strict=True)
    )
    write_tsv(path, ["token", "count"], rows)


def read_vocabulary(path: Path | str) -> Vocabulary:
    """The vocabulary of a table.

    Raises:
        DataError: the file is missing, is no table of token and count, or does not begin with the
            reserved tokens.
    """
    try:
        found = [(row["token"], int(row["count"])) for row in iterate_tsv(path)]
    except (KeyError, ValueError) as error:
        raise DataError(f"{path} must be a table of token and count (got {error})") from None
    tokens, counts = [token for token, _ in found], [count for _, count in found]
    if tuple(tokens[: len(RESERVED)]) != RESERVED:
        raise DataError(f"{path} must begin with {', '.join(RESERVED)} (got {tokens[:3]})")
    return Vocabulary(tokens, counts)
