"""How a split comes to the network: as sentences, or as streams of whole documents.

Sentences each begin with a state of zeros. A stream is documents one after the other, cut into
segments; the state goes on from segment to segment, and begins with zeros at each document. In both
the start of a sentence is read and its end is predicted, so that both predict the same tokens.
"""

import math
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from unrolled.model.packing import PackedBatch, pack, pack_pairs
from unrolled.text.dataset import Dataset
from unrolled.text.integers import Integers, integer_type
from unrolled.text.vocabulary import Ids

EVALUATION_BATCH = 64
"""Sentences or documents whose hidden states are held at once while a split is scored."""

EVALUATION_SEGMENT = 100
"""Tokens of each document at a time."""

RELEASED_AFTER = 32
"""Sentences or pieces of streams read before the pages of the split are given back. In random order
each maps not one page but many around it, of ids and of offsets: measured, 0.8 MB and 25 MB in all.
"""

MARKED = 8
"""Every eighth sentence of a stream has a mark from where to look for its tokens: fewer would be
slower, more would take memory for each sentence of the training split.
"""

TOGETHER = 2**12
"""Documents, and sentences, whose offsets are looked at together."""


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
        starts = range(0, len(self.order), self.batch_size)
        return _releasing(self.dataset, map(self._batch, starts))

    def _batch(self, start: int) -> PackedBatch:
        split = _plain(self.dataset)
        return pack([split[k] for k in self.order[start : start + self.batch_size]])


@dataclass(frozen=True)
class Stream:
    """Sentences one after the other, to be read from anywhere to anywhere.

    Attributes:
        dataset: the split.
        sentences: (sentences,) their indices.
        begins: (sentences,) whether the state begins with zeros there.
    """

    dataset: Dataset
    sentences: Integers
    begins: NDArray[np.bool_]

    def __len__(self) -> int:
        """How many tokens are predicted."""
        return int(self._marks[-1])

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
        for number, offset, ids in self._from(start):
            if offset >= stop:
                break
            if self.begins[number] and offset >= start:
                if piece:
                    yield begins, *_joined(piece)
                piece, begins = [], True
            piece.append(ids[max(0, start - offset) : stop - offset + 1])
        yield begins, *_joined(piece)

    def _from(self, token: int) -> Iterator[tuple[int, int, Ids]]:
        """The sentences from the one with a token on: number, offset and ids of each."""
        split = _plain(self.dataset)
        # NumPy's search would copy all marks to integers as wide as the number sought
        mark = bisect_right(self._marks, token) - 1
        offset = int(self._marks[mark])
        for number in range(mark * MARKED, len(self.sentences)):
            ids = split[int(self.sentences[number])]
            if offset + len(ids) - 1 > token:
                yield number, offset, ids
            offset += len(ids) - 1

    @cached_property
    def _marks(self) -> Integers:
        """How many tokens are predicted before some sentences, each `MARKED` further on, and in
        all last.
        """
        total = 0
        marks: list[int] = []
        for first, ends in _ends(self.dataset, self.sentences):
            marks += ends[-first % MARKED : -1 : MARKED].tolist()
            total = int(ends[-1])
        return np.array([*marks, total], dtype=integer_type(total))


@dataclass(frozen=True)
class SegmentBatches:
    """Streams side by side, a segment of each at a time.

    Attributes:
        streams: of one split, of any length.
        segment_length: tokens.
    """

    streams: Sequence[Stream]
    segment_length: int

    def __len__(self) -> int:
        return math.ceil(max(map(len, self.streams)) / self.segment_length)

    def __iter__(self) -> Iterator[PackedBatch]:
        return _releasing(self.streams[0].dataset, self._batches())

    def _batches(self) -> Iterator[PackedBatch]:
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
    sentences, begins = _in_order(dataset, rng.permutation(len(dataset.documents) - 1))
    cuts = _cuts(dataset, sentences, count)
    begins[cuts] = True
    parts = zip(np.split(sentences, cuts), np.split(begins, cuts), strict=True)
    streams = [Stream(dataset, *part) for part in parts if len(part[0]) > 0]
    return SegmentBatches(streams, segment_length)


def ordered_batches(dataset: Dataset, carry_state: bool) -> Iterator[PackedBatch]:
    """Every sentence once, as they stand, for scoring; document by document with `carry_state`."""
    if not carry_state:
        yield from SentenceBatches(dataset, np.arange(len(dataset)), EVALUATION_BATCH)
        return
    for start in range(0, len(dataset.documents) - 1, EVALUATION_BATCH):
        bounds = dataset.documents[start : start + EVALUATION_BATCH + 1].tolist()
        streams = [_document(dataset, *pair) for pair in pairwise(bounds)]
        yield from SegmentBatches(streams, EVALUATION_SEGMENT)


def _releasing(dataset: Dataset, batches: Iterable[PackedBatch]) -> Iterator[PackedBatch]:
    """The batches; the pages that reading them brings into memory are given back now and then."""
    read = 0
    for batch in batches:
        yield batch
        read += len(batch.order)
        if read >= RELEASED_AFTER:
            dataset.release()
            read = 0
    dataset.release()


def _plain(dataset: Dataset) -> Dataset:
    """The same split in plain arrays, of which parts are taken faster than of mapped ones."""
    return Dataset(*map(np.asarray, (dataset.ids, dataset.sentences, dataset.documents)))


def _document(dataset: Dataset, start: int, stop: int) -> Stream:
    """The sentences from `start` to before `stop`, of which only the first begins anew."""
    sentences = np.arange(start, stop)
    return Stream(dataset, sentences, sentences == start)


def _in_order(dataset: Dataset, documents: NDArray[np.int64]) -> tuple[Integers, NDArray[np.bool_]]:
    """The sentences of all documents in some order of these, and which of them begin one.

    Args:
        dataset: the split.
        documents: (documents,) every index once.
    """
    sentences = np.empty(len(dataset), dtype=integer_type(len(dataset)))
    begins = np.zeros(len(dataset), dtype=np.bool_)
    filled = 0
    for first in range(0, len(documents), TOGETHER):
        some = documents[first : first + TOGETHER]
        starts = dataset.documents[some]
        counts = dataset.documents[some + 1] - starts
        ends = filled + np.cumsum(counts)
        places = np.arange(filled, ends[-1], dtype=sentences.dtype)
        shifts = (starts - ends + counts).astype(sentences.dtype)
        np.add(places, np.repeat(shifts, counts), out=sentences[filled : ends[-1]])
        begins[(ends - counts)[counts > 0]] = True
        filled = int(ends[-1])
    return sentences, begins


def _cuts(dataset: Dataset, sentences: Integers, count: int) -> list[int]:
    """The places of sentences with which streams of about the same length begin, but for the first.

    Args:
        dataset: the split.
        sentences: (sentences,) all of them, in any order.
        count: of the streams; there are fewer if there are fewer sentences.
    """
    count = min(count, len(sentences))
    ideal = np.arange(1, count) * dataset.prediction_count / count
    cuts: list[int] = []
    for first, ends in _ends(dataset, sentences):
        # a sentence belongs to the stream in which its middle lies
        middles = ends[:-1] + np.diff(ends) / 2
        inside = ideal[len(cuts) :]
        inside = inside[inside <= middles[-1]]
        cuts += (first + np.searchsorted(middles, inside)).tolist()
    return cuts


def _ends(dataset: Dataset, sentences: Integers) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """How many tokens are predicted before some sentences and up to the end of each of them.

    Yields:
        The place of the first sentence, (some + 1,) tokens.
    """
    before = 0
    for first in range(0, len(sentences), TOGETHER):
        if first:
            dataset.release()  # here too sentences in random order map nearly all pages
        some = sentences[first : first + TOGETHER]
        lengths = dataset.sentences[some + 1] - dataset.sentences[some] - 1
        ends = before + np.cumsum(np.concatenate([[0], lengths]))
        yield first, ends
        before = int(ends[-1])


def _joined(sentences: Sequence[Ids]) -> tuple[Ids, Ids]:
    """Inputs and targets of sentences one after the other."""
    inputs = np.concatenate([ids[:-1] for ids in sentences])
    targets = np.concatenate([ids[1:] for ids in sentences])
    return inputs, targets
