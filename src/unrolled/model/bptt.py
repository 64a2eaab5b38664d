"""Back-propagation through time: exact, truncated per output, for all outputs and any cell.

The loss at time t reaches the states t, t-1, ..., t-d and no further. Written down, that is a loop
over outputs around a loop over steps back. Here the loops change places: one row is carried per
output, all rows go back one step together, and what arrives at a step is added up there. For an
Elman network:

    D_0[t]     = dL_t/ds_t * (1 - s_t²)
    D_{k+1}[t] = (D_k[t] W) * (1 - s_{t-k-1}²)              the loss at t, seen k+1 steps back
    total[j]   = Σ_{k <= d} D_k[j+k]

so that depth d costs d matrix products over whole batches instead of steps * d small ones. Without
a limit the sums over k telescope into the ordinary backward recurrence, which `full_deltas` uses.

Source: Williams & Peng, An Efficient Gradient-Based Algorithm for On-Line Training of Recurrent
Network Trajectories (1990), there for one output at a time.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from unrolled.model.arguments import checked_depth
from unrolled.model.cells.cell import Cell
from unrolled.model.packing import PackedBatch
from unrolled.model.types import Array


@dataclass(frozen=True)
class Trace:
    """What the way forward leaves for the way back, a row for each position.

    Attributes:
        states: (positions, parts * hidden), the state after each word.
        previous: (positions, parts * hidden), the state before it.
        memory: (positions, any), what the cell remembers of each step.
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
    memories = []
    for step in range(batch.steps):
        rows = batch.rows(step)
        if step > 0:
            previous[rows] = states[batch.rows_before(step)]
        recurrent = previous[rows, :hidden_size] @ recurrent_weights.T
        states[rows], memory = cell.step(word[rows], recurrent, previous[rows])
        memories.append(memory)
    return Trace(states, previous, np.concatenate(memories), hidden_size)


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
    found = cell.step_backward(
        _state_gradient(trace, d_hidden), trace.previous, trace.states, trace.memory
    )
    total = Deltas(found.d_word, found.d_recurrent)
    place = np.arange(batch.positions)  # the step that each carried row has come to
    for lag in range(1, min(depth, batch.steps - 1) + 1):
        # outputs of the step lag - 1 have come to the start of their sentence, no further
        gone = int(batch.step_starts[lag] - batch.step_starts[lag - 1])
        carried: Array = found.d_recurrent[gone:] @ recurrent_weights
        if found.d_previous is not None:
            found.d_previous[gone:, : trace.hidden_size] += carried
            carried = found.d_previous[gone:]
        place = batch.previous[place[gone:]]
        found = cell.step_backward(
            carried, trace.previous[place], trace.states[place], trace.memory[place]
        )
        # at one lag no two rows share a place
        total.d_word[place] += found.d_word
        if total.d_recurrent is not total.d_word:
            total.d_recurrent[place] += found.d_recurrent
    return total


def full_deltas(
    cell: Cell, batch: PackedBatch, trace: Trace, d_hidden: Array, recurrent_weights: Array
) -> Deltas:
    """As `deltas`, each loss reaching the start of its sentence."""
    arriving = _state_gradient(trace, d_hidden)
    found = []
    for step in reversed(range(batch.steps)):
        rows = batch.rows(step)
        gradients = cell.step_backward(
            arriving[rows], trace.previous[rows], trace.states[rows], trace.memory[rows]
        )
        found.append(gradients)
        if step > 0:
            before = batch.rows_before(step)
            arriving[before, : trace.hidden_size] += gradients.d_recurrent @ recurrent_weights
            if gradients.d_previous is not None:
                arriving[before] += gradients.d_previous
    found.reverse()
    d_word = np.concatenate([gradients.d_word for gradients in found])
    if found[0].d_recurrent is found[0].d_word:
        return Deltas(d_word, d_word)
    return Deltas(d_word, np.concatenate([gradients.d_recurrent for gradients in found]))


def _state_gradient(trace: Trace, d_hidden: Array) -> Array:
    """The gradient of each output's loss for the whole state: zero beyond the hidden part."""
    d_state = np.zeros_like(trace.states)
    d_state[:, : trace.hidden_size] = d_hidden
    return d_state
