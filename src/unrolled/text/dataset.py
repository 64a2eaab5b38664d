"""A split as word ids, laid out to be mapped into memory and read sentence by sentence."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

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


def read_dataset(folder: Path | str) -> Dataset:
    """The split of a folder, mapped into memory.

    Raises:
        DataError: a file is missing or not an array.
    """
    return Dataset(*(read_array(Path(folder) / name) for name in FILES))


def _offsets(lengths: Sequence[int]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
