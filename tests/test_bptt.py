"""Back-propagation through time for all outputs at once, against a walk for each output alone."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model_strategies import depths, ids, largest_error, sentences_of
from unrolled.model import bptt
from unrolled.model.packing import PackedBatch, pack
from unrolled.model.types import Array
from unrolled.text.vocabulary import Ids

LENGTHS = {"full": [5, 5, 5], "mixed": [2, 6, 1, 4, 6], "single words": [1, 1], "one": [7]}


def batch_of(lengths: list[int]) -> PackedBatch:
    return pack([np.zeros(length + 1, dtype=np.int32) for length in lengths])


def arrays_for(
    batch: PackedBatch, seed: int = 1, hidden_size: int = 3
) -> tuple[Array, Array, Array]:
    """Hidden states, gradients for them and recurrent weights; made up, since any will do."""
    rng = np.random.default_rng(seed)
    shape = (batch.positions, hidden_size)
    weights = rng.normal(0, 0.6, (hidden_size, hidden_size))
    return rng.uniform(-1, 1, shape), rng.normal(0, 1, shape), weights


def rows_by_sentence(batch: PackedBatch) -> list[list[int]]:
    """The rows of each sentence in the order of its words."""
    return [np.flatnonzero(batch.sentence == k).tolist() for k in range(len(batch.order))]


def walked_deltas(
    batch: PackedBatch, hidden: Array, d_hidden: Array, weights: Array, depth: int | None
) -> Array:
    """Each output's delta carried back alone, one step after the other."""
    total = np.zeros_like(hidden)
    for rows in rows_by_sentence(batch):
        for t, row in enumerate(rows):
            delta = d_hidden[row] * (1 - hidden[row] ** 2)
            total[row] += delta
            first = 0 if depth is None else max(0, t - depth)
            for earlier in reversed(rows[first:t]):
                delta = weights.T @ delta * (1 - hidden[earlier] ** 2)
                total[earlier] += delta
    return total


@pytest.mark.parametrize("lengths", LENGTHS.values(), ids=LENGTHS)
@pytest.mark.parametrize("depth", [0, 1, 4, None])
def test_deltas_are_those_of_each_output_walked_back_alone(
    lengths: list[int], depth: int | None
) -> None:
    batch = batch_of(lengths)
    hidden, d_hidden, weights = arrays_for(batch)

    found = bptt.deltas(batch, hidden, d_hidden, weights, depth)

    expected = walked_deltas(batch, hidden, d_hidden, weights, depth)
    assert largest_error(found, expected) < 1e-13


@given(sentences_of(2), depths(), st.integers(0, 10_000), st.integers(1, 5))
@settings(deadline=None)
def test_deltas_of_any_lengths_and_depth_are_those_walked_back_alone(
    sentences: list[Ids], depth: int | None, seed: int, hidden_size: int
) -> None:
    batch = pack(sentences)
    hidden, d_hidden, weights = arrays_for(batch, seed, hidden_size)

    found = bptt.deltas(batch, hidden, d_hidden, weights, depth)

    expected = walked_deltas(batch, hidden, d_hidden, weights, depth)
    assert largest_error(found, expected) < 1e-12


@pytest.mark.parametrize("lengths", LENGTHS.values(), ids=LENGTHS)
@pytest.mark.parametrize("beyond", [0, 1, 20])
def test_both_ways_agree_where_no_sentence_is_longer_than_the_depth(
    lengths: list[int], beyond: int
) -> None:
    batch = batch_of(lengths)
    arrays = arrays_for(batch)

    truncated = bptt.truncated_deltas(batch, *arrays, max(lengths) - 1 + beyond)

    assert largest_error(truncated, bptt.full_deltas(batch, *arrays)) < 1e-14


def test_both_ways_differ_where_the_longest_sentence_is_one_step_too_long() -> None:
    batch = batch_of(LENGTHS["mixed"])
    arrays = arrays_for(batch)

    truncated = bptt.truncated_deltas(batch, *arrays, max(LENGTHS["mixed"]) - 2)

    assert largest_error(truncated, bptt.full_deltas(batch, *arrays)) > 1e-3


@pytest.mark.parametrize("depth", [0, 1, 3, 4, 5, None])
def test_a_loss_reaches_its_own_state_and_as_many_before_as_the_depth(depth: int | None) -> None:
    batch = batch_of([3, 6])
    hidden, d_hidden, weights = arrays_for(batch)
    rows = rows_by_sentence(batch)[1]
    d_hidden[np.arange(batch.positions) != rows[4]] = 0  # only the fifth output has a loss

    found = bptt.deltas(batch, hidden, d_hidden, weights, depth)

    reached = rows[max(0, 4 - (4 if depth is None else depth)) : 5]
    assert np.flatnonzero(found.any(axis=1)).tolist() == sorted(reached)


def test_depth_zero_stays_where_it_is() -> None:
    batch = pack([ids(0, 0, 0)])
    hidden, d_hidden = np.array([[0.5], [-0.5]]), np.array([[4.0], [8.0]])

    found = bptt.deltas(batch, hidden, d_hidden, np.array([[2.0]]), 0)

    assert found.tolist() == [[3], [6]]  # the slope of tanh is 1 - 0.5² = 0.75 at both


def test_depth_one_goes_back_through_the_recurrent_weights() -> None:
    batch = pack([ids(0, 0, 0)])
    hidden, d_hidden = np.array([[0.5], [-0.5]]), np.array([[4.0], [8.0]])

    found = bptt.deltas(batch, hidden, d_hidden, np.array([[2.0]]), 1)

    assert found.tolist() == [[12], [6]]  # 6 * 2 * 0.75 = 9 arrives at the 3 of the first


@pytest.mark.parametrize("depth", [0, 2, None])
def test_what_is_handed_over_stays_unchanged(depth: int | None) -> None:
    batch = batch_of(LENGTHS["mixed"])
    arrays = arrays_for(batch)
    copies = [array.copy() for array in arrays]

    bptt.deltas(batch, *arrays, depth)

    for array, copy in zip(arrays, copies, strict=True):
        np.testing.assert_array_equal(array, copy)
