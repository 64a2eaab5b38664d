"""Back-propagation through time: exact, truncated per output, for all outputs at once.

The loss at time t reaches the states t, t-1, ..., t-d and no further. Written down, that is a loop
over outputs around a loop over steps back. Here the loops change places: one row of deltas is
carried per output, all rows go back one step together, and what arrives at a state is added up
there:

    D_0[t]     = dL_t/ds_t * (1 - s_t²)
    D_{k+1}[t] = (D_k[t] W) * (1 - s_{t-k-1}²)              the loss at t, seen k+1 steps back
    total[j]   = Σ_{k <= d} D_k[j+k]

so that depth d costs d matrix products over whole batches instead of steps * d small ones. Without
a limit the sums over k telescope into the ordinary backward recurrence, which `full_deltas` uses.

Source: Williams & Peng, An Efficient Gradient-Based Algorithm for On-Line Training of Recurrent
Network Trajectories (1990), there for one output at a time.
"""

import numpy as np

from unrolled.model import elman
from unrolled.model.packing import PackedBatch
from unrolled.model.types import Array


def deltas(
    batch: PackedBatch, hidden: Array, d_hidden: Array, recurrent_weights: Array, depth: int | None
) -> Array:
    """The gradient for what goes into each state's tanh, (positions, hidden).

    Args:
        batch: where each row's earlier row lies.
        hidden: (positions, hidden), the states.
        d_hidden: (positions, hidden), the gradient of each output's own loss for its own state.
        recurrent_weights: (hidden, hidden).
        depth: how many steps back each loss reaches; None for the start of the sentence.
    """
    if depth is None or depth >= batch.steps - 1:
        return full_deltas(batch, hidden, d_hidden, recurrent_weights)
    return truncated_deltas(batch, hidden, d_hidden, recurrent_weights, depth)


def truncated_deltas(
    batch: PackedBatch, hidden: Array, d_hidden: Array, recurrent_weights: Array, depth: int
) -> Array:
    """As `deltas`, each loss reaching `depth` steps back."""
    carried = elman.step_backward(d_hidden, hidden)
    total = carried.copy()
    place = np.arange(batch.positions)  # the state that each carried row has come to
    for lag in range(1, min(depth, batch.steps - 1) + 1):
        # outputs of the step lag - 1 have come to the start of their sentence and go no further
        gone = int(batch.step_starts[lag] - batch.step_starts[lag - 1])
        place = batch.previous[place[gone:]]
        carried = elman.step_backward(carried[gone:] @ recurrent_weights, hidden[place])
        total[place] += carried  # at one lag no two outputs share a place
    return total


def full_deltas(
    batch: PackedBatch, hidden: Array, d_hidden: Array, recurrent_weights: Array
) -> Array:
    """As `deltas`, each loss reaching the start of its sentence."""
    total = np.empty_like(hidden)
    arriving = d_hidden.copy()
    for step in reversed(range(batch.steps)):
        rows = batch.rows(step)
        total[rows] = elman.step_backward(arriving[rows], hidden[rows])
        if step > 0:
            arriving[batch.previous[rows]] += total[rows] @ recurrent_weights
    return total
