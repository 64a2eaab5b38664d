"""How a split comes to the network: as sentences, or as streams of whole documents.

Sentences each begin with a state of zeros. A stream is documents one after the other, cut into
segments; the state goes on from segment to segment, and begins with zeros at each document. In both
the start of a sentence is read and its end is predicted, so that both predict the same tokens.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from unrolled.model.packing import PackedBatch, pack, pack_pairs
from unrolled.text.dataset import Dataset
from unrolled.text.vocabulary import Ids

EVALUATION_BATCH = 64
"""Sentences or documents whose hidden states are held at once while a split is scored."""

EVALUATION_SEGMENT = 100
"""Tokens of each document at a time."""


class Batches(Protocol):
    """Batches of known number."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[PackedBatch]: ...


@dataclass(frozen=True)
class SentenceBatches:
    """Sentences in an order, some at a time, fewer in the last batch.

    Attributes:
        dataset: the split.
        order: (sentences,) their indices.
        batch_size: sentences a batch.
    """

    dataset: Dataset
    order: NDArray[np.int64]
    batch_size: int

    def __len__(self) -> int:
        return math.ceil(len(self.order) / self.batch_size)

    def __iter__(self) -> Iterator[PackedBatch]:
        for start in range(0, len(self.order), self.batch_size):
            yield pack([self.dataset[k] for k in self.order[start : start + self.batch_size]])


@dataclass(frozen=True)
class Stream:
    """Sentences one after the other, to be read from anywhere to anywhere.

    Attributes:
        dataset: the split.
        sentences: (sentences,) their indices.
        begins: (sentences,) whether the state begins with zeros there.
    """

    dataset: Dataset
    sentences: NDArray[np.int64]
    begins: NDArray[np.bool_]

    def __len__(self) -> int:
        """How many tokens are predicted."""
        return int(self._offsets[-1])

    def pieces(self, start: int, stop: int) -> Iterator[tuple[bool, Ids, Ids]]:
        """What lies between two tokens, in pieces that a state goes through without a new start.

        Args:
            start: the first token, less than `stop`.
            stop: the one after the last, at most the stream's length.

        Yields:
            Whether the state begins with zeros, inputs, targets.
        """
        piece: list[Ids] = []
        begins = False
        first = int(np.searchsorted(self._offsets, start, side="right")) - 1
        last = int(np.searchsorted(self._offsets, stop, side="left"))
        for number in range(first, last):
            skipped = max(0, start - int(self._offsets[number]))
            if self.begins[number] and skipped == 0:
                if piece:
                    yield begins, *_joined(piece)
                piece, begins = [], True
            ids = self.dataset[int(self.sentences[number])]
            piece.append(ids[skipped : stop - int(self._offsets[number]) + 1])
        yield begins, *_joined(piece)

    @cached_property
    def _offsets(self) -> NDArray[np.int64]:
        return np.concatenate([[0], np.cumsum(_lengths(self.dataset, self.sentences))])


@dataclass(frozen=True)
class SegmentBatches:
    """Streams side by side, a segment of each at a time.

    Attributes:
        streams: of any length.
        segment_length: tokens.
    """

    streams: Sequence[Stream]
    segment_length: int

    def __len__(self) -> int:
        return math.ceil(max(map(len, self.streams)) / self.segment_length)

    def __iter__(self) -> Iterator[PackedBatch]:
        last_rows: dict[int, int] = {}  # where each stream stood in the batch before
        for start in range(0, len(self) * self.segment_length, self.segment_length):
            pairs: list[tuple[Ids, Ids]] = []
            continues: list[int] = []
            last_pieces: dict[int, int] = {}
            for number, stream in enumerate(self.streams):
                stop = min(start + self.segment_length, len(stream))
                if start >= stop:
                    continue
                for begins, inputs, targets in stream.pieces(start, stop):
                    continues.append(-1 if begins else last_rows[number])
                    pairs.append((inputs, targets))
                last_pieces[number] = len(pairs) - 1
            batch = pack_pairs(pairs, np.array(continues))
            yield batch
            rows = batch.last_rows()
            last_rows = {number: int(rows[piece]) for number, piece in last_pieces.items()}


def shuffled_sentences(
    dataset: Dataset, batch_size: int, rng: np.random.Generator
) -> SentenceBatches:
    """Every sentence once, in random order."""
    return SentenceBatches(dataset, rng.permutation(len(dataset)), batch_size)


def shuffled_streams(
    dataset: Dataset, count: int, segment_length: int, rng: np.random.Generator
) -> SegmentBatches:
    """Every document once, in random order, cut between sentences into streams of about the same
    length.

    Where a cut falls into a document, its later part begins with a state of zeros.

    Args:
        dataset: the split.
        count: of the streams; there are fewer if there are fewer sentences.
        segment_length: tokens of each stream in a batch.
        rng: gives the order.
    """
    sentences, begins = _documents(dataset, rng.permutation(len(dataset.documents) - 1))
    lengths = _lengths(dataset, sentences)
    ends = np.cumsum(lengths)
    count = min(count, len(sentences))
    # a sentence belongs to the stream in which its middle lies
    cuts = np.searchsorted(ends - lengths / 2, np.arange(1, count) * ends[-1] / count)
    cuts = cuts[cuts < len(sentences)]
    begins[cuts] = True
    parts = zip(np.split(sentences, cuts), np.split(begins, cuts), strict=True)
    streams = [Stream(dataset, *part) for part in parts if len(part[0]) > 0]
    return SegmentBatches(streams, segment_length)


def ordered_batches(dataset: Dataset, carry_state: bool) -> Iterator[PackedBatch]:
    """Every sentence once, as they stand, for scoring; document by document with `carry_state`."""
    if not carry_state:
        yield from SentenceBatches(dataset, np.arange(len(dataset)), EVALUATION_BATCH)
        return
    documents = np.arange(len(dataset.documents) - 1)
    for start in range(0, len(documents), EVALUATION_BATCH):
        streams = [
            Stream(dataset, *_documents(dataset, documents[[number]]))
            for number in documents[start : start + EVALUATION_BATCH]
        ]
        yield from SegmentBatches(streams, EVALUATION_SEGMENT)


def _documents(
    dataset: Dataset, documents: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The sentences of some documents one after the other, and which of them begin one."""
    starts, stops = dataset.documents[documents], dataset.documents[documents + 1]
    sentences = np.concatenate([np.arange(*pair) for pair in zip(starts, stops, strict=True)])
    return sentences, np.isin(sentences, starts)


def _lengths(dataset: Dataset, sentences: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many tokens are predicted in each sentence."""
    return dataset.sentences[sentences + 1] - dataset.sentences[sentences] - 1


def _joined(sentences: Sequence[Ids]) -> tuple[Ids, Ids]:
    """Inputs and targets of sentences one after the other."""
    inputs = np.concatenate([ids[:-1] for ids in sentences])
    targets = np.concatenate([ids[1:] for ids in sentences])
    return inputs, targets
