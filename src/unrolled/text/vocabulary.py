"""Which words the model knows.

Three ids are reserved: the start and the end of a sentence, and every word that is too rare. They
are ids, not strings: a word of the same spelling in the text is an ordinary word with an id of its
own.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unrolled.errors import DataError
from unrolled.storage import Cell, read_tsv, write_tsv

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

    def encode(self, words: Iterable[str]) -> Ids:
        """(words + 2,) ids of one sentence, with its start and its end; unknown words have the id
        UNKNOWN.
        """
        known = (self._ids.get(word, UNKNOWN) for word in words)
        return np.array([START, *known, END], dtype=np.int32)

    def decode(self, ids: Iterable[int]) -> list[str]:
        """The words of ids, reserved ones by their names."""
        return [self.tokens[index] for index in ids]


def build_vocabulary(
    sentences: Iterable[Sequence[str]], vocabulary_size: int, minimum_count: int
) -> Vocabulary:
    """The vocabulary of a training split.

    Args:
        sentences: the words of each.
        vocabulary_size: how many ids at most, reserved ones counted.
        minimum_count: rarer words become UNKNOWN.

    Raises:
        DataError: no word is frequent enough.
    """
    counter: Counter[str] = Counter()
    sentence_count = 0
    for sentence in sentences:
        counter.update(sentence)
        sentence_count += 1
    frequent = [item for item in counter.items() if item[1] >= minimum_count]
    if not frequent:
        raise DataError(
            f"none of the {len(counter)} different words of the training split occurs"
            f" {minimum_count} times; lower text.minimum_count"
        )
    frequent.sort(key=lambda item: (-item[1], item[0]))
    kept = frequent[: vocabulary_size - len(RESERVED)]
    unknown_count = counter.total() - sum(count for _, count in kept)
    return Vocabulary(
        tokens=[*RESERVED, *(word for word, _ in kept)],
        counts=[sentence_count, sentence_count, unknown_count, *(count for _, count in kept)],
    )


def write_vocabulary(path: Path | str, vocabulary: Vocabulary) -> None:
    """Write the table of token and count, ids by order."""
    rows: list[Mapping[str, Cell]] = [
        {"token": token, "count": count}
        for token, count in zip(vocabulary.tokens, vocabulary.counts, strict=True)
    ]
    write_tsv(path, ["token", "count"], rows)


def read_vocabulary(path: Path | str) -> Vocabulary:
    """The vocabulary of a table.

    Raises:
        DataError: the file is missing, is no table of token and count, or does not begin with the
            reserved tokens.
    """
    rows = read_tsv(path)
    try:
        tokens, counts = [row["token"] for row in rows], [int(row["count"]) for row in rows]
    except (KeyError, ValueError) as error:
        raise DataError(f"{path} must be a table of token and count (got {error})") from None
    if tuple(tokens[: len(RESERVED)]) != RESERVED:
        raise DataError(f"{path} must begin with {', '.join(RESERVED)} (got {tokens[:3]})")
    return Vocabulary(tokens, counts)
