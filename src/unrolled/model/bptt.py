"""Back-propagation through time: exact, truncated per output, for all outputs and any cell.

The loss at time t reaches the states t, t-1, ..., t-d and no further. Written down, that is a loop
over outputs around a loop over steps back. Here the loops change places: one row is carried per
output, all rows go back one step together, and what arrives at a step is added up there. For an
Elman network:

    D_0[t]     = dL_t/ds_t
    D_{k+1}[t] = (D_k[t] * (1 - s_{t-k}²)) W                the loss at t, seen k+1 steps back
    total[j]   = Σ_{k <= d} D_k[j+k] * (1 - s_j²)

so that depth d costs d matrix products over whole batches instead of steps * d small ones. There
the words of a sentence lie one after the other, so that a step back is a shift by one row. Without
a limit the sums over k telescope into the ordinary backward recurrence, which `full_deltas` uses.

Source: Williams & Peng, An Efficient Gradient-Based Algorithm for On-Line Training of Recurrent
Network Trajectories (1990), there for one output at a time.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unrolled.model.arguments import checked_depth
from unrolled.model.cells.cell import Cell
from unrolled.model.packing import PackedBatch
from unrolled.model.types import Array

BLOCK_BYTES = 2_500_000
"""How much of a batch is carried back at once.

Blocks that stay in the processor's cache make an LSTM's way back faster by a third; smaller ones
make the products slower.
"""


@dataclass(frozen=True)
class Trace:
    """What the way forward leaves for the way back, a row for each position.

    Attributes:
        states: (positions, parts * hidden), the state after each word.
        previous: (positions, parts * hidden), the state before it.
        memory: (positions, MEMORY * hidden), what the cell remembers of each step.
        hidden_size: the length of the first part of a state, the one that predicts.
    """

    states: Array
    previous: Array
    memory: Array
    hidden_size: int

    @property
    def hidden(self) -> Array:
        """(positions, hidden), the hidden states."""
        return self.states[:, : self.hidden_size]

    @property
    def previous_hidden(self) -> Array:
        """(positions, hidden), the hidden states before each word."""
        return self.previous[:, : self.hidden_size]


class Deltas(NamedTuple):
    """The gradients for the projections that go into each step, (positions, blocks * hidden)."""

    d_word: Array
    d_recurrent: Array


def forward(
    cell: Cell,
    batch: PackedBatch,
    word: Array,
    recurrent_weights: Array,
    start: Array | None = None,
) -> Trace:
    """The states of a batch.

    Args:
        cell: makes each state from the one before.
        batch: which row follows which.
        word: (positions, blocks * hidden), the projections of the words, biases included.
        recurrent_weights: (blocks * hidden, hidden).
        start: (sentences, parts * hidden), the states before the first words, in the order of the
            batch's rows; None for zeros.
    """
    hidden_size = recurrent_weights.shape[1]
    previous = np.zeros((batch.positions, cell.PARTS * hidden_size), dtype=word.dtype)
    if start is not None:
        previous[batch.rows(0)] = start
    states = np.empty_like(previous)
    memory = np.empty((batch.positions, cell.MEMORY * hidden_size), dtype=word.dtype)
    across = np.ascontiguousarray(recurrent_weights.T)  # small products are faster with it
    for step in range(batch.steps):
        rows = batch.rows(step)
        if step > 0:
            previous[rows] = states[batch.rows_before(step)]
        recurrent = previous[rows, :hidden_size] @ across
        cell.step(word[rows], recurrent, previous[rows], states[rows], memory[rows])
    return Trace(states, previous, memory, hidden_size)


def deltas(
    cell: Cell,
    batch: PackedBatch,
    trace: Trace,
    d_hidden: Array,
    recurrent_weights: Array,
    depth: int | None,
) -> Deltas:
    """The gradients for what goes into each step.

    Args:
        cell: as on the way forward.
        batch: likewise.
        trace: what the way forward has left.
        d_hidden: (positions, hidden), the gradient of each output's own loss for its own state.
        recurrent_weights: (blocks * hidden, hidden).
        depth: how many steps back each loss reaches; None for the start of the sentence.
    """
    depth = checked_depth(depth, batch.steps)
    if depth >= batch.steps - 1:
        return full_deltas(cell, batch, trace, d_hidden, recurrent_weights)
    return truncated_deltas(cell, batch, trace, d_hidden, recurrent_weights, depth)


def truncated_deltas(
    cell: Cell,
    batch: PackedBatch,
    trace: Trace,
    d_hidden: Array,
    recurrent_weights: Array,
    depth: int,
) -> Deltas:
    """As `deltas`, each loss reaching `depth` steps back."""
    d_sums = np.empty((batch.positions, cell.SUMS * trace.hidden_size), dtype=d_hidden.dtype)
    row_bytes = (cell.PARTS + cell.MEMORY + 2 * cell.BLOCKS) * d_hidden.shape[1] * d_hidden.itemsize
    for starts in _blocks(batch.sentence_starts, BLOCK_BYTES // row_bytes):
        rows = batch.by_sentence[starts[0] : starts[-1]]
        slopes = cell.slopes(trace.previous[rows], trace.states[rows], trace.memory[rows])
        d_sums[rows] = _carried_back(
            cell, d_hidden[rows], slopes, recurrent_weights, starts - starts[0], depth
        )
    return Deltas(cell.word_gradient(d_sums), cell.recurrent_gradient(d_sums))


def full_deltas(
    cell: Cell, batch: PackedBatch, trace: Trace, d_hidden: Array, recurrent_weights: Array
) -> Deltas:
    """As `deltas`, each loss reaching the start of its sentence."""
    arriving = d_hidden.copy()
    rest = np.zeros((batch.positions, (cell.PARTS - 1) * trace.hidden_size), dtype=d_hidden.dtype)
    d_sums = np.empty((batch.positions, cell.SUMS * trace.hidden_size), dtype=d_hidden.dtype)
    for step in reversed(range(batch.steps)):
        rows = batch.rows(step)
        slopes = cell.slopes(trace.previous[rows], trace.states[rows], trace.memory[rows])
        d_sums[rows], d_before, d_rest = cell.step_backward(arriving[rows], rest[rows], slopes)
        if step > 0:
            before = batch.rows_before(step)
            arriving[before] += cell.recurrent_gradient(d_sums[rows]) @ recurrent_weights
            if d_before is not None:
                arriving[before] += d_before
            rest[before] = d_rest
    return Deltas(cell.word_gradient(d_sums), cell.recurrent_gradient(d_sums))


def _carried_back(
    cell: Cell,
    d_hidden: Array,
    slopes: Array,
    recurrent_weights: Array,
    starts: NDArray[np.int64],
    depth: int,
) -> Array:
    """The gradients for the sums of each step, sentences lying one after the other.

    Args:
        cell: whose steps are taken back.
        d_hidden: (rows, hidden), the gradient of each output's own loss for its own state.
        slopes: (rows, any), of the steps.
        recurrent_weights: (blocks * hidden, hidden).
        starts: (sentences + 1,) where each sentence begins, the number of rows last.
        depth: how many steps back each loss reaches.
    """
    d_rest = np.zeros((len(d_hidden), (cell.PARTS - 1) * d_hidden.shape[1]), dtype=d_hidden.dtype)
    total_hidden, total_rest = d_hidden.copy(), d_rest.copy()
    ends = starts[1:-1] - 1  # the last rows of sentences that others follow
    for _lag in range(1, min(depth, len(d_hidden) - 1) + 1):
        d_sums, d_before, d_rest = cell.step_backward(d_hidden, d_rest, slopes[: len(d_hidden)])
        # from here on row j is what the loss at j + lag sends to the step j
        d_hidden = cell.recurrent_gradient(d_sums)[1:] @ recurrent_weights
        if d_before is not None:
            d_hidden += d_before[1:]
        d_rest = d_rest[1:]
        # what has come to the start of a sentence does not go on to the end of the one before
        stopped = ends[ends < len(d_hidden)]
        d_hidden[stopped] = 0
        d_rest[stopped] = 0
        total_hidden[: len(d_hidden)] += d_hidden
        total_rest[: len(d_hidden)] += d_rest
    # a step back is linear, so that all that has arrived at a step can take it together
    return cell.step_backward(total_hidden, total_rest, slopes).d_sums


def _blocks(starts: NDArray[np.int64], most: int) -> Iterator[NDArray[np.int64]]:
    """The starts of some sentences at a time, and where the last of them ends.

    Args:
        starts: (sentences + 1,) of all, the number of rows last.
        most: rows a block, unless a single sentence has more.
    """
    first = 0
    while first < len(starts) - 1:
        last = int(np.searchsorted(starts, starts[first] + most, side="right")) - 1
        last = max(last, first + 1)
        yield starts[first : last + 1]
        first = last
