"""Minibatches: of sentences each once, or of streams in which a state goes on within documents."""

import itertools
from collections.abc import Callable, Iterable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_strategies import dataset_of, sentence
from training_strategies import numbered, split_of
from unrolled.model.packing import PackedBatch
from unrolled.text.dataset import Dataset
from unrolled.training import batches as module
from unrolled.training.batches import (
    SegmentBatches,
    Stream,
    ordered_batches,
    shuffled_sentences,
    shuffled_streams,
)

SENTENCES = [sentence(*range(first, first + 1 + first % 3)) for first in range(10, 33)]
DATASET = dataset_of(SENTENCES)


def words_of(batch: PackedBatch) -> list[list[int]]:
    """The sentences of a batch in the order in which it was given them."""
    return [
        [*batch.inputs[rows].tolist(), int(batch.targets[rows][-1])]
        for rows in (batch.sentence == index for index in range(len(batch.order)))
    ]


def epoch(batch_size: int, rng: np.random.Generator) -> list[list[int]]:
    batches = shuffled_sentences(DATASET, batch_size, rng)
    return [words for batch in batches for words in words_of(batch)]


# Sentences


@pytest.mark.parametrize("batch_size", [1, 2, 5, 23, 100])
def test_an_epoch_shows_every_sentence_once(batch_size: int) -> None:
    shown = epoch(batch_size, np.random.default_rng(1))

    assert sorted(shown) == sorted(words.tolist() for words in SENTENCES)


def test_batches_are_of_the_size_asked_for_and_the_last_holds_the_rest() -> None:
    batches = shuffled_sentences(DATASET, 5, np.random.default_rng(1))

    assert [len(batch.order) for batch in batches] == [5, 5, 5, 5, 3]  # 23 sentences
    assert len(batches) == 5


def test_equal_seeds_give_equal_orders_and_other_seeds_others() -> None:
    first, again, other = (epoch(4, np.random.default_rng(seed)) for seed in (1, 1, 2))

    assert first == again
    assert first != other


def test_the_order_does_not_depend_on_the_size_of_a_batch() -> None:
    assert epoch(4, np.random.default_rng(3)) == epoch(7, np.random.default_rng(3))


def test_each_epoch_has_a_new_order() -> None:
    rng = np.random.default_rng(4)

    assert epoch(4, rng) != epoch(4, rng)


@pytest.mark.parametrize("count", [1, 23, 64, 150])
def test_ordered_batches_show_every_sentence_in_its_place(count: int) -> None:
    sentences = [SENTENCES[k % 23] for k in range(count)]

    batches = ordered_batches(dataset_of(sentences), carry_state=False)

    shown = [words for batch in batches for words in words_of(batch)]
    assert shown == [words.tolist() for words in sentences]


# Streams


def targets_of(dataset: Dataset) -> list[list[list[int]]]:
    """What is predicted: by document, by sentence."""
    sentences = [ids[1:].tolist() for ids in dataset]
    return [sentences[start:stop] for start, stop in itertools.pairwise(dataset.documents)]


def walks(batches: Iterable[PackedBatch]) -> list[list[int]]:
    """What is predicted from each new start of a state on, the state being followed from row to
    row and from batch to batch.
    """
    found: list[list[int]] = []
    walk_of_row: dict[int, list[int]] = {}
    for batch in batches:
        assert batch.continues is not None
        states_before, walk_of_row = walk_of_row, {}
        for packed, row_before in enumerate(batch.continues.tolist()):
            if row_before < 0:
                found.append([])
            walk = states_before.pop(row_before) if row_before >= 0 else found[-1]
            rows = np.flatnonzero(batch.sentence == batch.order[packed])
            assert batch.inputs[rows].tolist() == [word - 1 for word in batch.targets[rows]]
            walk += batch.targets[rows].tolist()
            walk_of_row[int(rows[-1])] = walk
    return found


LENGTHS = st.lists(
    st.lists(st.integers(1, 7), min_size=1, max_size=4),
    min_size=1,
    max_size=5,
)
"""How many predictions each sentence of each document has."""


@given(
    lengths=LENGTHS,
    count=st.integers(1, 9),
    segment_length=st.integers(1, 12),
    seed=st.integers(0, 99),
)
def test_streams_show_every_prediction_once_and_no_state_enters_a_document(
    lengths: list[list[int]], count: int, segment_length: int, seed: int
) -> None:
    dataset = numbered(lengths)
    batches = shuffled_streams(dataset, count, segment_length, np.random.default_rng(seed))

    shown = list(batches)
    read = walks(shown)

    assert sorted(word for walk in read for word in walk) == sorted(
        word for document in targets_of(dataset) for words in document for word in words
    )
    # each walk is some sentences of one document in their order; one that does not begin where the
    # document does stands after one of the cuts between streams
    begins = [document[0][0] for document in targets_of(dataset)]
    parts = [
        list(itertools.chain(*document[start:stop]))
        for document in targets_of(dataset)
        for start, stop in itertools.combinations(range(len(document) + 1), 2)
    ]
    assert [walk for walk in read if walk not in parts] == []
    assert sum(walk[0] not in begins for walk in read) <= count - 1
    assert len(shown) == len(batches)
    assert all(batch.positions <= count * segment_length for batch in shown)


@given(lengths=LENGTHS, count=st.integers(1, 9), seed=st.integers(0, 99))
def test_streams_are_of_equal_length_but_for_a_sentence(
    lengths: list[list[int]], count: int, seed: int
) -> None:
    dataset = numbered(lengths)

    streams = shuffled_streams(dataset, count, 4, np.random.default_rng(seed)).streams

    share, longest = dataset.prediction_count / count, max(itertools.chain(*lengths))
    assert sum(map(len, streams)) == dataset.prediction_count
    assert 1 <= len(streams) <= count
    assert all(abs(len(stream) - share) <= longest + 1e-9 for stream in streams)


def whole_streams(
    dataset: Dataset, count: int, rng: np.random.Generator
) -> list[tuple[list[int], list[bool]]]:
    """The sentences of each stream and which of them begin anew, with arrays of the whole split."""
    order = rng.permutation(len(dataset.documents) - 1)
    documents = [np.arange(*dataset.documents[[number, number + 1]]) for number in order]
    sentences = np.concatenate(documents)
    begins = np.isin(sentences, dataset.documents[:-1])
    lengths = np.diff(dataset.sentences)[sentences] - 1
    ends = np.cumsum(lengths)
    count = min(count, len(sentences))
    cuts = np.searchsorted(ends - lengths / 2, np.arange(1, count) * ends[-1] / count)
    cuts = cuts[cuts < len(sentences)]
    begins[cuts] = True
    parts = zip(np.split(sentences, cuts), np.split(begins, cuts), strict=True)
    return [(numbers.tolist(), anew.tolist()) for numbers, anew in parts if len(numbers)]


@given(
    lengths=LENGTHS,
    empty=st.lists(st.integers(0, 5), max_size=3),
    count=st.integers(1, 9),
    seed=st.integers(0, 99),
    together=st.integers(1, 5),
    number_type=st.sampled_from([np.int32, np.int64]),
)
def test_streams_do_not_depend_on_what_is_looked_at_together(
    lengths: list[list[int]],
    empty: list[int],
    count: int,
    seed: int,
    together: int,
    number_type: type,
) -> None:
    for place in empty:
        lengths = [*lengths[:place], [], *lengths[place:]]
    dataset = numbered(lengths)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "TOGETHER", together)
        patch.setattr(module, "integer_type", lambda largest: number_type)
        patch.setattr(module, "MARKED", together)
        batches = shuffled_streams(dataset, count, 4, np.random.default_rng(seed))
        shown = [(words_of(batch), str(batch.continues)) for batch in batches]
        streams = [
            (stream.sentences.tolist(), stream.begins.tolist(), len(stream))
            for stream in batches.streams
        ]

    again = shuffled_streams(dataset, count, 4, np.random.default_rng(seed))
    assert shown == [(words_of(batch), str(batch.continues)) for batch in again]
    sentence_lengths = list(itertools.chain(*lengths))
    assert streams == [
        (numbers, anew, sum(sentence_lengths[number] for number in numbers))
        for numbers, anew in whole_streams(dataset, count, np.random.default_rng(seed))
    ]


def test_a_segment_goes_on_where_its_stream_ended_until_a_document_begins() -> None:
    # sentences 0 to 4 and 5 to 7 are a document, 8 to 11 is another; segments of five predictions
    dataset = numbered([[4, 2], [3]])
    stream = Stream(dataset, np.array([0, 1, 2]), np.array([True, False, True]))

    first, second = SegmentBatches([stream], 5)

    # the end, 4, is predicted; then the start, 5, is read
    assert (first.inputs.tolist(), first.targets.tolist()) == ([0, 1, 2, 3, 5], [1, 2, 3, 4, 6])
    assert first.continues is not None
    assert first.continues.tolist() == [-1]
    # packed longest first: 8 9 10 begins a document, 6 goes on from the row of 5
    assert (second.inputs.tolist(), second.targets.tolist()) == ([8, 6, 9, 10], [9, 7, 10, 11])
    assert second.continues is not None
    assert second.continues.tolist() == [-1, 4]


def test_there_may_be_more_streams_than_sentences() -> None:
    batches = shuffled_streams(numbered([[3, 2], [1]]), 50, 9, np.random.default_rng(1))

    (batch,) = batches

    assert sorted(len(words) - 1 for words in words_of(batch)) == [1, 2, 3]
    assert batch.continues is not None
    assert batch.continues.tolist() == [-1, -1, -1]


def test_equal_seeds_give_equal_streams_and_other_seeds_others() -> None:
    dataset = numbered([[3, 2], [1], [4, 4, 2], [5], [2, 6]])

    first, again, other = (
        [
            (words_of(batch), batch.continues)
            for batch in shuffled_streams(dataset, 3, 4, np.random.default_rng(seed))
        ]
        for seed in (1, 1, 2)
    )

    assert str(first) == str(again)
    assert str(first) != str(other)


def test_with_carried_state_ordered_batches_read_each_document_once_from_its_start() -> None:
    rng = np.random.default_rng(1)
    lengths = [rng.integers(1, 9, rng.integers(1, 5)).tolist() for _ in range(150)]
    lengths[70] = [30, 50, 20, 1, 99]  # predictions; longer than a segment
    dataset = numbered(lengths)

    read = walks(ordered_batches(dataset, carry_state=True))

    assert sorted(read) == [list(itertools.chain(*document)) for document in targets_of(dataset)]


def test_streams_that_can_be_cut_evenly_are() -> None:
    # 20 sentences of 11 tokens each
    split = split_of([[sentence(*range(3, 13))] * 5] * 4)

    streams = shuffled_streams(split, 4, 7, np.random.default_rng(1)).streams

    assert [len(stream) for stream in streams] == [55, 55, 55, 55]


def test_a_split_of_few_sentences_has_few_streams() -> None:
    split = split_of([[sentence(3)], [sentence(4)]])

    assert len(shuffled_streams(split, 10**9, 7, np.random.default_rng(1)).streams) == 2


# Pages of the split


DOCUMENTS = split_of([[words, words] for words in SENTENCES] * 2)
"""46 documents of two sentences."""


@pytest.mark.parametrize(
    "made",
    [
        lambda: shuffled_sentences(DOCUMENTS, 4, np.random.default_rng(1)),
        lambda: shuffled_streams(DOCUMENTS, 3, 4, np.random.default_rng(1)),
        lambda: ordered_batches(DOCUMENTS, carry_state=False),
        lambda: ordered_batches(DOCUMENTS, carry_state=True),
    ],
    ids=["sentences", "streams", "in order", "documents in order"],
)
def test_pages_are_given_back_while_a_split_is_read_and_at_its_end(
    monkeypatch: pytest.MonkeyPatch, made: Callable[[], Iterable[PackedBatch]]
) -> None:
    monkeypatch.setattr(module, "RELEASED_AFTER", 10)
    monkeypatch.setattr(module, "EVALUATION_BATCH", 4)
    read: list[int] = [0]  # sentences or pieces between the times at which pages are given back
    monkeypatch.setattr(Dataset, "release", lambda dataset: read.append(0))

    most = 0
    for batch in made():
        read[-1] += len(batch.order)
        most = max(most, len(batch.order))

    assert len(read) > 4
    assert read[-1] == 0
    assert max(read) < 10 + most


def test_pages_of_a_split_are_not_given_back_after_every_batch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    released: list[Dataset] = []
    monkeypatch.setattr(Dataset, "release", lambda dataset: released.append(dataset))

    batches = list(shuffled_sentences(DOCUMENTS, 4, np.random.default_rng(1)))

    # 32 or more after eight batches of 4 and after sixteen, and what is left at the end
    assert len(batches) == 23
    assert len(released) == 3
