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

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from unrolled.model.cells.cell import Activation, StepGradients, blocks
from unrolled.model.types import Array

BLOCKS = 4
GATES = ("input", "forget", "candidate", "output")
PARTS = 2
MEMORY = 4
SUMS = 4
KEEP_BLOCK = 1
ACTIVATIONS: Mapping[str, Activation] = {
    "input": "sigmoid",
    "forget": "sigmoid",
    "candidate": "tanh",
    "output": "sigmoid",
    "memory shown": "tanh",
}
FORMULA = (
    "i, f, g, o = split(input_weights[x_t] + bias + recurrent_weights @ s_{t-1}, 4); "
    "c_t = sigmoid(f) * c_{t-1} + sigmoid(i) * tanh(g); s_t = sigmoid(o) * tanh(c_t)"
)


def step(word: Array, recurrent: Array, previous: Array, state: Array, memory: Array) -> None:
    """Fill in the next states [s, c]; remembered are the gates and the candidate.

    All four are made together, σ(x) being (1 + tanh(x / 2)) / 2: operations on parts of rows take
    three times as long as on whole ones.
    """
    size = previous.shape[1] // PARTS
    scale, shift = _scale_and_shift(size, memory.dtype)
    np.add(word, recurrent, out=memory)
    memory *= scale
    np.tanh(memory, out=memory)
    memory *= scale
    memory += shift
    i, f, g, o = blocks(memory, MEMORY)
    c = f * previous[:, size:]
    c += i * g
    state[:, size:] = c
    np.multiply(o, np.tanh(c, out=c), out=state[:, :size])


def slopes(previous: Array, state: Array, memory: Array) -> Array:
    """What gradients are multiplied by, a block for each of: those for c_t on the way to i, f, g
    and c_{t-1}; those for s_t on the way to c_t and o.
    """
    size = previous.shape[1] // PARTS
    i, f, g, o = blocks(memory, MEMORY)
    of_sigmoid = 1 - memory
    of_sigmoid *= memory
    slope_i, slope_f, _, slope_o = blocks(of_sigmoid, MEMORY)
    shown = np.tanh(state[:, size:])
    slopes = np.empty((len(memory), 6 * size), dtype=memory.dtype)
    of_i, of_f, of_g, kept, of_c, of_o = blocks(slopes, 6)
    np.multiply(g, slope_i, out=of_i)
    np.multiply(previous[:, size:], slope_f, out=of_f)
    np.multiply(i, 1 - g * g, out=of_g)
    kept[:] = f
    np.multiply(shown, slope_o, out=of_o)
    shown *= shown
    np.multiply(o, np.subtract(1, shown, out=shown), out=of_c)
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


def activations(state: Array, memory: Array) -> Array:
    """The gates and the candidate, which are remembered, and tanh(c)."""
    return np.hstack([memory, np.tanh(state[:, state.shape[1] // PARTS :])])


@lru_cache
def _scale_and_shift(size: int, dtype: np.dtype[Any]) -> tuple[Array, Array]:
    """What makes of tanh the gates and the candidate, (4 * size,) both."""
    scale: Array = np.repeat(np.array([0.5, 0.5, 1, 0.5], dtype=dtype), size)
    return scale, 1 - scale
