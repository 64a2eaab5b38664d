"""Back-propagation through time for all outputs at once, against a walk for each output alone."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import DTypeLike

from model_strategies import backward_step, depths, ids, largest_error, sentences_of, step_of
from unrolled.model import bptt
from unrolled.model.bptt import Deltas, Trace
from unrolled.model.cells import CELLS
from unrolled.model.cells.cell import Cell
from unrolled.model.packing import PackedBatch, pack
from unrolled.model.types import Array
from unrolled.text.vocabulary import Ids

LENGTHS = {"full": [5, 5, 5], "mixed": [2, 6, 1, 4, 6], "single words": [1, 1], "one": [7]}

every_cell = pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)
from_zeros_and_carried = pytest.mark.parametrize("carried", [False, True], ids=["zeros", "carried"])


def batch_of(lengths: list[int]) -> PackedBatch:
    return pack([np.zeros(length + 1, dtype=np.int32) for length in lengths])


def arrays_for(
    cell: Cell, batch: PackedBatch, seed: int = 1, hidden_size: int = 3, carried: bool = False
) -> tuple[Trace, Array, Array]:
    """A trace, gradients for its hidden states and recurrent weights."""
    rng = np.random.default_rng(seed)
    blocks = cell.BLOCKS * hidden_size
    weights = rng.normal(0, 0.6, (blocks, hidden_size))
    start = rng.uniform(-1, 1, (len(batch.order), cell.PARTS * hidden_size)) if carried else None
    trace = bptt.forward(cell, batch, rng.normal(0, 1, (batch.positions, blocks)), weights, start)
    return trace, rng.normal(0, 1, (batch.positions, hidden_size)), weights


def rows_by_sentence(batch: PackedBatch) -> list[list[int]]:
    """The rows of each sentence in the order of its words."""
    return [np.flatnonzero(batch.sentence == k).tolist() for k in range(len(batch.order))]


def walked_deltas(
    cell: Cell,
    batch: PackedBatch,
    trace: Trace,
    d_hidden: Array,
    weights: Array,
    depth: int | None,
) -> Deltas:
    """Each output's delta carried back alone, one step after the other."""
    total = Deltas(*np.zeros((2, batch.positions, len(weights))))
    hidden_size = weights.shape[1]
    for rows in rows_by_sentence(batch):
        for t, output in enumerate(rows):
            d_state: Array = np.zeros((1, trace.states.shape[1]))
            d_state[0, :hidden_size] = d_hidden[output]
            first = 0 if depth is None else max(0, t - depth)
            for row in reversed(rows[first : t + 1]):
                found = backward_step(
                    cell, d_state, trace.previous[[row]], trace.states[[row]], trace.memory[[row]]
                )
                total.d_word[row] += found.d_word[0]
                total.d_recurrent[row] += found.d_recurrent[0]
                d_state = found.d_previous
                d_state[0, :hidden_size] += weights.T @ found.d_recurrent[0]
    return total


def error_between(found: Deltas, expected: Deltas) -> float:
    return max(largest_error(*arrays) for arrays in zip(found, expected, strict=True))


# The way forward


@every_cell
@from_zeros_and_carried
@pytest.mark.parametrize("lengths", LENGTHS.values(), ids=LENGTHS)
def test_a_trace_is_what_each_sentence_gives_when_it_is_stepped_alone(
    cell: Cell, lengths: list[int], carried: bool
) -> None:
    batch, rng = batch_of(lengths), np.random.default_rng(2)
    starts = rng.uniform(-1, 1, (len(lengths), cell.PARTS * 3)) * carried
    word = rng.normal(0, 1, (batch.positions, cell.BLOCKS * 3))
    weights = rng.normal(0, 0.6, (cell.BLOCKS * 3, 3))

    trace = bptt.forward(cell, batch, word, weights, starts[batch.order] if carried else None)

    for sentence, rows in enumerate(rows_by_sentence(batch)):
        state: Array = starts[[sentence]]
        for row in rows:
            np.testing.assert_allclose(trace.previous[[row]], state, rtol=0, atol=1e-14)
            state, memory = step_of(cell, word[[row]], state[:, :3] @ weights.T, state)
            np.testing.assert_allclose(trace.states[[row]], state, rtol=0, atol=1e-14)
            np.testing.assert_allclose(trace.memory[[row]], memory, rtol=0, atol=1e-14)


@every_cell
def test_the_hidden_part_of_a_state_comes_first(cell: Cell) -> None:
    trace, _, _ = arrays_for(cell, batch_of([2, 3]))

    assert trace.states.shape == trace.previous.shape == (5, cell.PARTS * 3)
    np.testing.assert_array_equal(trace.hidden, trace.states[:, :3])
    np.testing.assert_array_equal(trace.previous_hidden, trace.previous[:, :3])


# The way back


@every_cell
@pytest.mark.parametrize("lengths", LENGTHS.values(), ids=LENGTHS)
@pytest.mark.parametrize("depth", [0, 1, 2, 4, None])
def test_deltas_are_those_of_each_output_walked_back_alone(
    cell: Cell, lengths: list[int], depth: int | None
) -> None:
    batch = batch_of(lengths)
    arrays = arrays_for(cell, batch)

    found = bptt.deltas(cell, batch, *arrays, depth)

    assert error_between(found, walked_deltas(cell, batch, *arrays, depth)) < 1e-13


@every_cell
@given(sentences_of(2), depths(), st.integers(0, 10_000), st.integers(1, 5), st.booleans())
def test_deltas_of_any_lengths_and_depth_are_those_walked_back_alone(
    cell: Cell,
    sentences: list[Ids],
    depth: int | None,
    seed: int,
    hidden_size: int,
    carried: bool,
) -> None:
    batch = pack(sentences)
    arrays = arrays_for(cell, batch, seed, hidden_size, carried)

    found = bptt.deltas(cell, batch, *arrays, depth)

    assert error_between(found, walked_deltas(cell, batch, *arrays, depth)) < 1e-12


# Blocks of sentences


def bytes_of_a_row(cell: Cell, hidden_size: int) -> int:
    """As `truncated_deltas` counts them in double precision."""
    return (cell.PARTS + cell.MEMORY + 2 * cell.BLOCKS) * hidden_size * 8


@every_cell
@pytest.mark.parametrize("lengths", LENGTHS.values(), ids=LENGTHS)
@pytest.mark.parametrize("depth", [0, 1, 4, 20])
@pytest.mark.parametrize("rows", [0, 1, 7, 12])  # a block has one sentence at least
def test_truncated_deltas_do_not_depend_on_the_size_of_a_block(
    cell: Cell, lengths: list[int], depth: int, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = batch_of(lengths)
    arrays = arrays_for(cell, batch, carried=True)
    at_once = bptt.truncated_deltas(cell, batch, *arrays, depth)

    monkeypatch.setattr(bptt, "BLOCK_BYTES", rows * bytes_of_a_row(cell, 3) + 1)
    in_blocks = bptt.truncated_deltas(cell, batch, *arrays, depth)

    assert error_between(in_blocks, at_once) < 1e-14


@every_cell
@given(sentences_of(2, largest=8), st.integers(0, 9), st.integers(0, 10_000), st.integers(0, 30))
def test_deltas_in_blocks_of_any_size_are_those_walked_back_alone(
    cell: Cell, sentences: list[Ids], depth: int, seed: int, rows: int
) -> None:
    batch = pack(sentences)
    arrays = arrays_for(cell, batch, seed, hidden_size=2)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bptt, "BLOCK_BYTES", rows * bytes_of_a_row(cell, 2) + 1)
        found = bptt.truncated_deltas(cell, batch, *arrays, depth)

    assert error_between(found, walked_deltas(cell, batch, *arrays, depth)) < 1e-12


@every_cell
def test_a_byte_a_block_is_a_sentence_a_block(cell: Cell, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = batch_of(LENGTHS["mixed"])
    arrays = arrays_for(cell, batch)
    taken: list[int] = []
    slopes = cell.slopes

    def noted(previous: Array, state: Array, memory: Array) -> Array:
        taken.append(len(previous))
        return slopes(previous, state, memory)

    monkeypatch.setattr(cell, "slopes", noted)
    bptt.truncated_deltas(cell, batch, *arrays, 2)
    monkeypatch.setattr(bptt, "BLOCK_BYTES", 1)
    bptt.truncated_deltas(cell, batch, *arrays, 2)

    assert taken == [19, *[6, 6, 4, 2, 1]]


@given(sentences_of(2, largest=12), st.integers(0, 30))
def test_blocks_hold_every_sentence_once_and_as_many_as_find_room(
    sentences: list[Ids], most: int
) -> None:
    starts = pack(sentences).sentence_starts

    blocks = [block.tolist() for block in bptt._blocks(starts, most)]

    joined = [blocks[0][0], *(start for block in blocks for start in block[1:])]
    assert joined == starts.tolist()
    for block, following in itertools.pairwise([*blocks, None]):
        assert block[-1] - block[0] <= most or len(block) == 2  # a single sentence
        if following is not None:
            assert following[0] == block[-1]
            assert following[1] - block[0] > most  # the next one would not have found room


@every_cell
@from_zeros_and_carried
@pytest.mark.parametrize("lengths", LENGTHS.values(), ids=LENGTHS)
@pytest.mark.parametrize("beyond", [0, 1, 20])
def test_both_ways_agree_where_no_sentence_is_longer_than_the_depth(
    cell: Cell, lengths: list[int], beyond: int, carried: bool
) -> None:
    batch = batch_of(lengths)
    arrays = arrays_for(cell, batch, carried=carried)

    truncated = bptt.truncated_deltas(cell, batch, *arrays, max(lengths) - 1 + beyond)

    assert error_between(truncated, bptt.full_deltas(cell, batch, *arrays)) < 1e-14


@every_cell
def test_both_ways_differ_where_the_longest_sentence_is_one_step_too_long(cell: Cell) -> None:
    batch = batch_of(LENGTHS["mixed"])
    arrays = arrays_for(cell, batch)

    truncated = bptt.truncated_deltas(cell, batch, *arrays, max(LENGTHS["mixed"]) - 2)

    assert error_between(truncated, bptt.full_deltas(cell, batch, *arrays)) > 1e-3


@every_cell
@pytest.mark.parametrize("depth", [0, 1, 3, 4, 5, None])
def test_a_loss_reaches_its_own_state_and_as_many_before_as_the_depth(
    cell: Cell, depth: int | None
) -> None:
    batch = batch_of([3, 6])
    trace, d_hidden, weights = arrays_for(cell, batch)
    rows = rows_by_sentence(batch)[1]
    d_hidden[np.arange(batch.positions) != rows[4]] = 0  # only the fifth output has a loss

    found = bptt.deltas(cell, batch, trace, d_hidden, weights, depth)

    reached = rows[max(0, 4 - (4 if depth is None else depth)) : 5]
    for deltas in found:
        assert np.flatnonzero(deltas.any(axis=1)).tolist() == sorted(reached)


def elman_trace() -> Trace:
    """One sentence of two words and one hidden unit; made up, since any states will do."""
    states = np.array([[0.5], [-0.5]])
    return Trace(states, np.array([[0.0], [0.5]]), states[:, :0], hidden_size=1)


@pytest.mark.parametrize(
    ("depth", "expected"),
    [
        (0, [[3], [6]]),  # the slope of tanh is 1 - 0.5² = 0.75 at both
        (1, [[12], [6]]),  # 6 * 2 * 0.75 = 9 arrives at the 3 of the first
    ],
)
def test_elman_deltas_by_hand(depth: int, expected: list[list[int]]) -> None:
    batch = pack([ids(0, 0, 0)])
    d_hidden, weights = np.array([[4.0], [8.0]]), np.array([[2.0]])

    found = bptt.truncated_deltas(CELLS["elman"], batch, elman_trace(), d_hidden, weights, depth)

    assert found.d_word.tolist() == found.d_recurrent.tolist() == expected


def test_a_gradient_passes_unchanged_through_gates_that_keep_everything() -> None:
    batch = batch_of([6])
    word = np.tile([0.0, 1e4, 0.5], (6, 1))  # the update gate of the only unit is open
    word[0] = [0.0, 0.0, 0.5]  # but at the first word
    weights = np.zeros((3, 1))
    trace = bptt.forward(CELLS["gru"], batch, word, weights)
    d_hidden = np.array([[0.0], [0.0], [0.0], [0.0], [0.0], [8.0]])

    found = bptt.full_deltas(CELLS["gru"], batch, trace, d_hidden, weights)

    # z = 1/2, n = tanh 1/2, s = n / 2: d_n = 8 (1 - z) (1 - n²), d_z = -8 n z (1 - z)
    n = np.tanh(0.5)
    np.testing.assert_allclose(found.d_word[0], [0, -2 * n, 4 * (1 - n * n)], rtol=1e-14)
    assert not found.d_word[1:].any()


@every_cell
@pytest.mark.parametrize("depth", [0, 1, 3, 10])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_deltas_have_the_precision_of_what_they_are_made_of(
    cell: Cell, depth: int, dtype: DTypeLike
) -> None:
    batch = batch_of(LENGTHS["mixed"])
    trace, d_hidden, weights = arrays_for(cell, batch)
    states, previous, memory = (
        array.astype(dtype) for array in (trace.states, trace.previous, trace.memory)
    )
    cast = Trace(states, previous, memory, hidden_size=3)

    found = bptt.deltas(cell, batch, cast, d_hidden.astype(dtype), weights.astype(dtype), depth)

    assert {deltas.dtype for deltas in found} == {np.dtype(dtype)}
    expected = bptt.deltas(cell, batch, trace, d_hidden, weights, depth)
    assert error_between(found, expected) < (1e-5 if dtype == np.float32 else 1e-15)


@every_cell
@pytest.mark.parametrize("depth", [0, 2, None])
def test_what_is_handed_over_stays_unchanged(cell: Cell, depth: int | None) -> None:
    batch = batch_of(LENGTHS["mixed"])
    trace, d_hidden, weights = arrays_for(cell, batch)
    arrays = [trace.states, trace.previous, trace.memory, d_hidden, weights]
    copies = [array.copy() for array in arrays]

    bptt.deltas(cell, batch, trace, d_hidden, weights, depth)

    for array, copy in zip(arrays, copies, strict=True):
        np.testing.assert_array_equal(array, copy)
