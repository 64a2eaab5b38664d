"""Packed batches: every word has its row, and the rows of a sentence hang together."""

import itertools

import numpy as np
import pytest
from hypothesis import given

from model_strategies import ids, sentences_of
from unrolled.errors import DataError
from unrolled.model.packing import PackedBatch, pack, pack_pairs
from unrolled.text.vocabulary import Ids

# Of lengths 2, 3, 1 and 2, so that packing has to turn them round: order 1, 0, 3, 2
SENTENCES = [ids(10, 11, 12), ids(20, 21, 22, 23), ids(30, 31), ids(40, 41, 42)]


def test_rows_are_laid_out_step_by_step_and_longest_sentence_first() -> None:
    batch = pack(SENTENCES)

    # step 0: the first words of 1, 0, 3, 2; step 1: the second ones of 1, 0, 3; step 2: that of 1
    assert batch.step_starts.tolist() == [0, 4, 7, 8]
    assert batch.inputs.tolist() == [20, 10, 40, 30, 21, 11, 41, 22]
    assert batch.targets.tolist() == [21, 11, 41, 31, 22, 12, 42, 23]
    assert (batch.positions, batch.steps) == (8, 3)
    assert [batch.rows(step) for step in range(3)] == [slice(0, 4), slice(4, 7), slice(7, 8)]


def test_order_and_sentence_lead_back_to_the_sentences_as_given() -> None:
    batch = pack(SENTENCES)

    assert batch.order.tolist() == [1, 0, 3, 2]
    assert batch.sentence.tolist() == [1, 0, 3, 2, 1, 0, 3, 1]


def test_previous_is_the_row_of_the_word_before() -> None:
    batch = pack(SENTENCES)

    # rows 4, 5, 6 follow rows 0, 1, 2; row 7 follows row 4; before rows 0 to 3 there is nothing
    assert batch.previous[4:].tolist() == [0, 1, 2, 4]


def test_rows_by_sentence_are_those_of_the_longest_sentence_first() -> None:
    batch = pack(SENTENCES)

    # sentence 1 has rows 0, 4, 7; sentence 0 rows 1, 5; sentence 3 rows 2, 6; sentence 2 row 3
    assert batch.by_sentence.tolist() == [0, 4, 7, 1, 5, 2, 6, 3]
    assert batch.sentence_starts.tolist() == [0, 3, 5, 7, 8]
    assert batch.inputs[batch.by_sentence].tolist() == [20, 21, 22, 10, 11, 40, 41, 30]


def test_sentences_of_one_length_keep_their_order() -> None:
    batch = pack([ids(7, 1), ids(5, 1), ids(6, 1)])

    assert batch.order.tolist() == [0, 1, 2]
    assert batch.inputs.tolist() == [7, 5, 6]


def test_a_single_sentence_is_its_own_batch() -> None:
    batch = pack([ids(0, 3, 4, 1)])

    assert batch.inputs.tolist() == [0, 3, 4]
    assert batch.targets.tolist() == [3, 4, 1]
    assert batch.step_starts.tolist() == [0, 1, 2, 3]
    assert batch.previous[1:].tolist() == [0, 1]


@given(sentences_of(50, largest=7))
def test_walking_previous_from_any_row_visits_the_sentences_words_backwards(
    sentences: list[Ids],
) -> None:
    batch = pack(sentences)

    for step in range(batch.steps):
        for row in range(*batch.rows(step).indices(batch.positions)):
            walked = [row]
            for _ in range(step):
                walked.append(int(batch.previous[walked[-1]]))
            words = sentences[batch.sentence[row]].tolist()
            assert batch.inputs[walked].tolist() == words[: step + 1][::-1]
            assert batch.targets[walked].tolist() == words[1 : step + 2][::-1]


@given(sentences_of(50, largest=7))
def test_the_last_row_of_each_sentence_is_that_of_its_last_word(sentences: list[Ids]) -> None:
    batch = pack(sentences)

    expected = [np.flatnonzero(batch.sentence == index)[-1] for index in range(len(sentences))]
    assert batch.last_rows().tolist() == expected


@given(sentences_of(50, largest=12))
def test_rows_by_sentence_and_where_sentences_start_are_those_of_a_plain_loop(
    sentences: list[Ids],
) -> None:
    batch = pack(sentences)

    rows: list[int] = []
    starts = [0]
    for place, index in enumerate(batch.order):
        # as the packed sentence at a place has the row of that place in each of its steps
        rows += [int(batch.step_starts[step]) + place for step in range(len(sentences[index]) - 1)]
        starts.append(len(rows))
    assert batch.by_sentence.tolist() == rows
    assert batch.sentence_starts.tolist() == starts
    assert sorted(rows) == list(range(batch.positions))
    words = np.concatenate([sentences[index][:-1] for index in batch.order])
    np.testing.assert_array_equal(batch.inputs[batch.by_sentence], words)
    assert batch.by_sentence.dtype == batch.sentence_starts.dtype == np.int64


@given(sentences_of(50, largest=7))
def test_rows_by_sentence_lead_back_to_the_row_before(sentences: list[Ids]) -> None:
    batch = pack(sentences)

    for start, stop in itertools.pairwise(batch.sentence_starts):
        rows = batch.by_sentence[start:stop]
        assert len(set(batch.sentence[rows].tolist())) == 1
        assert batch.previous[rows[1:]].tolist() == rows[:-1].tolist()


@given(sentences_of(50, largest=7))
def test_every_input_and_every_target_appears_once(sentences: list[Ids]) -> None:
    batch = pack(sentences)

    assert sorted(batch.order.tolist()) == list(range(len(sentences)))
    for index, words in enumerate(sentences):
        rows = batch.sentence == index
        assert batch.inputs[rows].tolist() == words[:-1].tolist()
        assert batch.targets[rows].tolist() == words[1:].tolist()


@given(sentences_of(50, largest=7))
def test_a_step_is_as_wide_as_there_are_sentences_longer_than_it(sentences: list[Ids]) -> None:
    batch = pack(sentences)

    for step in range(batch.steps):
        longer = sum(len(words) - 1 > step for words in sentences)
        assert batch.rows(step).stop - batch.rows(step).start == longer


def test_packing_leaves_the_sentences_as_they_are() -> None:
    sentences = [words.copy() for words in SENTENCES]

    pack(sentences)

    for words, original in zip(sentences, SENTENCES, strict=True):
        np.testing.assert_array_equal(words, original)


# Batches that go on from others


def continued_batch() -> PackedBatch:
    """Packed as 1, 0, 3, 2, of which 0 and 3 go on from rows 5 and 2 of the batch before."""
    pairs = [(words[:-1], words[1:]) for words in SENTENCES]
    return pack_pairs(pairs, np.array([5, -1, -1, 2]))


def test_pairs_are_packed_like_the_sentences_that_they_are_of() -> None:
    batch, whole = continued_batch(), pack(SENTENCES)

    for name in ("inputs", "targets", "step_starts", "order"):
        np.testing.assert_array_equal(getattr(batch, name), getattr(whole, name))


def test_targets_of_pairs_need_not_be_their_inputs_shifted() -> None:
    batch = pack_pairs([(ids(3), ids(4)), (ids(1, 2), ids(8, 9))])

    assert batch.inputs.tolist() == [1, 3, 2]
    assert batch.targets.tolist() == [8, 4, 9]


def test_where_sentences_go_on_is_packed_with_them() -> None:
    batch = continued_batch()

    assert batch.continues is not None
    assert batch.continues.tolist() == [-1, 5, 2, -1]


def test_sentences_begin_with_zeros_or_with_the_states_that_they_go_on_from() -> None:
    states = np.arange(1.0, 13.0).reshape(6, 2)
    copy = states.copy()

    start = continued_batch().start(states)

    assert start is not None
    assert start.tolist() == [[0, 0], [11, 12], [5, 6], [0, 0]]  # rows 5 and 2
    np.testing.assert_array_equal(states, copy)


def test_without_a_batch_before_or_a_sentence_that_goes_on_all_begin_with_zeros() -> None:
    assert continued_batch().start(None) is None
    assert pack(SENTENCES).start(np.ones((6, 2))) is None


# What is refused


@pytest.mark.parametrize("sentences", [[], [ids()], [ids(0)], [ids(0, 3, 1), ids(0)]])
def test_a_batch_without_a_word_to_predict_is_refused(sentences: list[Ids]) -> None:
    with pytest.raises(DataError, match="at least two ids, a start and an end"):
        pack(sentences)


@pytest.mark.parametrize("pairs", [[], [(ids(), ids())], [(ids(0), ids(1)), (ids(), ids())]])
def test_pairs_without_a_word_to_predict_are_refused(pairs: list[tuple[Ids, Ids]]) -> None:
    with pytest.raises(DataError, match="at least two ids, a start and an end"):
        pack_pairs(pairs)


@pytest.mark.parametrize("targets", [ids(1), ids(1, 2), ids(1, 2, 3, 4)])
def test_pairs_of_which_the_sides_differ_in_length_are_refused(targets: Ids) -> None:
    with pytest.raises(DataError):
        pack_pairs([(ids(0, 1, 2), targets)])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (ids(0, 9, 1), r"inputs must be ids of 0 to 8 \(got 9\)"),
        (ids(-1, 8, 1), r"inputs must be ids of 0 to 8 \(got -1\)"),
        (ids(0, 8, 10), r"targets must be ids of 0 to 8 \(got 10\)"),
        (ids(0, 8, -5), r"targets must be ids of 0 to 8 \(got -5\)"),
    ],
)
def test_ids_of_another_vocabulary_are_refused(words: Ids, message: str) -> None:
    batch = pack([ids(0, 8, 0), words])

    with pytest.raises(DataError, match=message):
        batch.require_ids_below(9)


def test_ids_of_the_whole_vocabulary_are_let_through() -> None:
    pack([ids(0, 8, 0), ids(8, 0, 8)]).require_ids_below(9)
