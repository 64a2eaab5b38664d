"""A split as word ids, laid out to be mapped into memory and read sentence by sentence."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unrolled.errors import DataError
from unrolled.storage import read_array, write_array
from unrolled.text.vocabulary import Ids, Vocabulary

FILES = ("ids.npy", "sentences.npy", "documents.npy")


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


def encode_documents(
    documents: Sequence[Sequence[Sequence[str]]], vocabulary: Vocabulary
) -> Dataset:
    """The split's sentences as ids."""
    encoded = [vocabulary.encode(sentence) for document in documents for sentence in document]
    return Dataset(
        ids=np.concatenate(encoded),
        sentences=_offsets([len(sentence) for sentence in encoded]),
        documents=_offsets([len(document) for document in documents]),
    )


def write_dataset(folder: Path | str, dataset: Dataset) -> None:
    """Write the three arrays into a folder."""
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
    lowest, highest = dataset.ids.min(initial=0), dataset.ids.max(initial=0)
    if lowest < 0 or highest >= vocabulary_size:
        raise DataError(
            f"{paths[0]} must hold ids of 0 to {vocabulary_size - 1} (got {lowest} to {highest})"
        )
    _require_offsets(paths[1], dataset.sentences, len(dataset.ids), at_least=2)
    _require_offsets(paths[2], dataset.documents, len(dataset), at_least=0)
    return dataset


def _require_offsets(path: Path, offsets: NDArray[np.int64], last: int, at_least: int) -> None:
    """Refuse offsets that do not lead from 0 to the last one in steps of a least length."""
    ends = offsets[[0, -1]].tolist() if len(offsets) else []
    if ends != [0, last] or np.diff(offsets).min(initial=at_least) < at_least:
        raise DataError(f"{path} must lead from 0 to {last} in steps of {at_least} or more")


def _offsets(lengths: Sequence[int]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
