"""The LSTM cell: a memory c that is kept, added to and shown as gates decide.

    a = U x_t + W s_{t-1} + b, in four blocks
    i = σ(a_1)      the input gate: how much is added
    f = σ(a_2)      the forget gate: how much is kept
    g = tanh(a_3)   the candidate: what is added
    o = σ(a_4)      the output gate: how much is shown
    c_t = f c_{t-1} + i g
    s_t = o tanh(c_t)

Source: Hochreiter & Schmidhuber, Long Short-Term Memory (1997); with the forget gate of Gers et
al., Learning to Forget (2000).
"""

import numpy as np

from unrolled.model.cells.cell import StepGradients, blocks, sigmoid
from unrolled.model.types import Array

BLOCKS = 4
PARTS = 2
MEMORY = 5
KEEP_BLOCK = 1
FORMULA = (
    "i, f, g, o = split(input_weights[x_t] + bias + recurrent_weights @ s_{t-1}, 4); "
    "c_t = sigmoid(f) * c_{t-1} + sigmoid(i) * tanh(g); s_t = sigmoid(o) * tanh(c_t)"
)


def step(word: Array, recurrent: Array, previous: Array, state: Array, memory: Array) -> None:
    """Fill in the next states [s, c]; remembered are the gates, the candidate and tanh(c)."""
    size = previous.shape[1] // PARTS
    s, c = blocks(state, PARTS)
    i, f, g, o, shown = blocks(memory, MEMORY)
    np.add(word, recurrent, out=memory[:, : 4 * size])
    sigmoid(memory[:, : 2 * size])
    np.tanh(g, out=g)
    sigmoid(o)
    np.multiply(f, previous[:, size:], out=c)
    c += np.multiply(i, g, out=s)
    np.tanh(c, out=shown)
    np.multiply(o, shown, out=s)


def slopes(previous: Array, state: Array, memory: Array) -> Array:
    """What gradients are multiplied by, a block for each of: those for c_t on the way to i, f, g
    and c_{t-1}; those for s_t on the way to c_t and o.
    """
    size = previous.shape[1] // PARTS
    i, f, g, o, shown = blocks(memory, MEMORY)
    slopes = np.empty((len(memory), 6 * size), dtype=memory.dtype)
    of_i, of_f, of_g, kept, of_c, of_o = blocks(slopes, 6)
    np.multiply(g, i * (1 - i), out=of_i)
    np.multiply(previous[:, size:], f * (1 - f), out=of_f)
    np.multiply(i, 1 - g * g, out=of_g)
    kept[:] = f
    np.multiply(o, 1 - shown * shown, out=of_c)
    np.multiply(shown, o * (1 - o), out=of_o)
    return slopes


def step_backward(d_hidden: Array, d_rest: Array, slopes: Array) -> StepGradients:
    """The gradients for a, and for the memory before."""
    size = d_hidden.shape[1]
    d_c = d_hidden * slopes[:, 4 * size : 5 * size]
    d_c += d_rest
    d_sums = np.empty((len(d_hidden), 4 * size), dtype=d_hidden.dtype)
    np.multiply(
        d_c[:, np.newaxis],
        slopes[:, : 3 * size].reshape(-1, 3, size),
        out=d_sums[:, : 3 * size].reshape(-1, 3, size),
    )
    np.multiply(d_hidden, slopes[:, 5 * size :], out=d_sums[:, 3 * size :])
    d_c *= slopes[:, 3 * size : 4 * size]
    return StepGradients(d_sums, None, d_c)


def word_gradient(d_sums: Array) -> Array:
    """The projections are simply added."""
    return d_sums


def recurrent_gradient(d_sums: Array) -> Array:
    """Likewise."""
    return d_sums
