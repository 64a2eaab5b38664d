"""A split as word ids, laid out to be mapped into memory and read sentence by sentence.

A split may be larger than memory: it is written as its sentences come, and looked through in blocks
whose pages go back to the system.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrolled.arrays import new_array, read_array, release, write_array
from unrolled.errors import DataError
from unrolled.text.vocabulary import Ids, Vocabulary

FILES = ("ids.npy", "sentences.npy", "documents.npy")

BLOCK = 2**20
"""Ids or offsets that are looked at together: some megabytes."""

PIECE = 2**16
"""Numbers that are written together, since to make an array of a few has its own cost."""


@dataclass(frozen=True)
class Dataset:
    """The sentences of one split.

    Attributes:
        ids: (tokens,) every sentence with its start and end, one after the other.
        sentences: (sentences + 1,) where each sentence begins in `ids`, the number of ids last.
        documents: (documents + 1,) which sentence each document begins with, the number of
            sentences last.
    """

    ids: Ids
    sentences: NDArray[np.int64]
    documents: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.sentences) - 1

    def __getitem__(self, index: int) -> Ids:
        """(length + 2,) ids of one sentence."""
        return self.ids[self.sentences[index] : self.sentences[index + 1]]

    def __iter__(self) -> Iterator[Ids]:
        return (self[index] for index in range(len(self)))

    @property
    def prediction_count(self) -> int:
        """How many tokens are predicted: all words and the ends."""
        return len(self.ids) - len(self)

    @property
    def neighbours(self) -> tuple[Ids, Ids]:
        """(predictions,) both: each id that another one follows in its sentence, and that one,
        which is predicted.
        """
        inside = np.ones(len(self.ids), dtype=np.bool_)
        inside[self.sentences[1:] - 1] = False  # nothing follows an end
        places = np.flatnonzero(inside)
        return self.ids[places], self.ids[places + 1]

    def blocks(self, tokens: int = BLOCK) -> Iterator["Dataset"]:
        """The split in consecutive parts, each a split of its own, that need little memory.

        Sentences stay whole. A document that goes on in the next part begins there anew. The pages
        of a part are given back once the next one is asked for.

        Args:
            tokens: so many ids at most in a part, but one sentence at least.
        """
        first = 0
        while first < len(self):
            limit = self.sentences[first] + tokens
            last = int(np.searchsorted(self.sentences, limit, side="right")) - 1
            last = max(last, first + 1)
            yield self._part(first, last)
            self.release()
            first = last

    def release(self) -> None:
        """Give the pages of arrays mapped into memory back to the system (see arrays.release)."""
        for array in (self.ids, self.sentences, self.documents):
            release(array)

    def _part(self, first: int, last: int) -> "Dataset":
        """The sentences from `first` to before `last`."""
        sentences = self.sentences[first : last + 1]
        inside = slice(*np.searchsorted(self.documents, [first + 1, last]))
        return Dataset(
            ids=self.ids[sentences[0] : sentences[-1]],
            sentences=np.asarray(sentences - sentences[0]),
            documents=np.concatenate([[0], self.documents[inside] - first, [last - first]]),
        )


def encode_documents(
    documents: Sequence[Sequence[Sequence[str]]], vocabulary: Vocabulary
) -> Dataset:
    """Sentences as ids in memory, for splits that are small."""
    encoded = [vocabulary.encode(sentence) for document in documents for sentence in document]
    return Dataset(
        ids=np.concatenate(encoded),
        sentences=_offsets([len(sentence) for sentence in encoded]),
        documents=_offsets([len(document) for document in documents]),
    )


def encode_sentences(
    folder: Path | str, sentences: Iterable[tuple[bool, Sequence[str]]], vocabulary: Vocabulary
) -> None:
    """Write sentences as ids into the three arrays of a folder, as they come.

    Args:
        folder: that of the arrays, which appear once all sentences have come.
        sentences: whether each begins a document, as the first one does whatever is said, and its
            words.
        vocabulary: what has an id.
    """
    folder = Path(folder)
    tokens = count = 0
    with (
        _gathered(folder / FILES[0], np.int32) as add_ids,
        _gathered(folder / FILES[1], np.int64) as add_sentences,
        _gathered(folder / FILES[2], np.int64) as add_documents,
    ):
        for begins, words in sentences:
            ids = vocabulary.ids_of(words)
            if begins or count == 0:
                add_documents([count])
            add_sentences([tokens])
            add_ids(ids)
            tokens += len(ids)
            count += 1
        add_sentences([tokens])
        add_documents([count])


def write_dataset(folder: Path | str, dataset: Dataset) -> None:
    """Write the three arrays into a folder, all at once."""
    folder = Path(folder)
    write_array(folder / FILES[0], dataset.ids)
    write_array(folder / FILES[1], dataset.sentences)
    write_array(folder / FILES[2], dataset.documents)


def read_dataset(folder: Path | str, vocabulary_size: int) -> Dataset:
    """The split of a folder, mapped into memory.

    Args:
        folder: that of the three arrays.
        vocabulary_size: how many words there are.

    Raises:
        DataError: a file is missing or not an array, an id is not one of the vocabulary, or the
            offsets do not cut the ids into sentences of two ids or more.
    """
    paths = [Path(folder) / name for name in FILES]
    dataset = Dataset(*(read_array(path) for path in paths))
    lowest, highest = _extent(dataset.ids)
    if lowest < 0 or highest >= vocabulary_size:
        raise DataError(
            f"{paths[0]} must hold ids of 0 to {vocabulary_size - 1} (got {lowest} to {highest})"
        )
    _require_offsets(paths[1], dataset.sentences, len(dataset.ids), at_least=2)
    _require_offsets(paths[2], dataset.documents, len(dataset), at_least=0)
    return dataset


def _extent(ids: Ids) -> tuple[int, int]:
    """The lowest and the highest id, or 0 if that is lower or higher."""
    lowest = highest = 0
    for block in _looked_through(ids):
        lowest, highest = min(lowest, int(block.min())), max(highest, int(block.max()))
    return lowest, highest


def _require_offsets(path: Path, offsets: NDArray[np.int64], last: int, at_least: int) -> None:
    """Refuse offsets that do not lead from 0 to the last one in steps of a least length."""
    ends = offsets[[0, -1]].tolist() if len(offsets) else []
    steps = (np.diff(block).min(initial=at_least) for block in _looked_through(offsets, overlap=1))
    if ends != [0, last] or min(steps, default=at_least) < at_least:
        raise DataError(f"{path} must lead from 0 to {last} in steps of {at_least} or more")


def _looked_through(array: NDArray[Any], overlap: int = 0) -> Iterator[NDArray[Any]]:
    """Blocks of an array, each with so many values of the next one; their pages are given back."""
    for start in range(0, len(array), BLOCK):
        yield array[start : start + BLOCK + overlap]
        release(array)


def _offsets(lengths: Sequence[int]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


@contextmanager
def _gathered(
    path: Path, dtype: type[np.integer[Any]]
) -> Iterator[Callable[[Sequence[int]], None]]:
    """A function that adds numbers to a new array, which is written in larger pieces."""
    waiting: list[int] = []
    with new_array(path, dtype) as append:

        def add(numbers: Sequence[int]) -> None:
            waiting.extend(numbers)
            if len(waiting) >= PIECE:
                append(np.array(waiting, dtype))
                waiting.clear()

        yield add
        append(np.array(waiting, dtype))
