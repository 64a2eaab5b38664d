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

from unrolled.model.cells.cell import StepGradients, sigmoid
from unrolled.model.types import Array

BLOCKS = 4
PARTS = 2
KEEP_BLOCK = 1
FORMULA = (
    "i, f, g, o = split(input_weights[x_t] + bias + recurrent_weights @ s_{t-1}, 4); "
    "c_t = sigmoid(f) * c_{t-1} + sigmoid(i) * tanh(g); s_t = sigmoid(o) * tanh(c_t)"
)


def step(word: Array, recurrent: Array, previous: Array) -> tuple[Array, Array]:
    """The next states [s, c]; remembered are the gates, the candidate and tanh(c)."""
    size = previous.shape[1] // PARTS
    sums = word + recurrent
    i, f = np.split(sigmoid(sums[:, : 2 * size]), 2, axis=1)
    g = np.tanh(sums[:, 2 * size : 3 * size])
    o = sigmoid(sums[:, 3 * size :])
    c = f * previous[:, size:] + i * g
    shown = np.tanh(c)
    return np.hstack([o * shown, c]), np.hstack([i, f, g, o, shown])


def step_backward(d_state: Array, previous: Array, state: Array, memory: Array) -> StepGradients:
    """The gradients for the two projections, which are added, and for the memory before."""
    size = d_state.shape[1] // PARTS
    i, f, g, o, shown = np.split(memory, 5, axis=1)
    d_s, d_c = d_state[:, :size], d_state[:, size:]
    d_c = d_c + d_s * o * (1 - shown * shown)
    d_sums = np.hstack(
        [
            d_c * g * i * (1 - i),
            d_c * previous[:, size:] * f * (1 - f),
            d_c * i * (1 - g * g),
            d_s * shown * o * (1 - o),
        ]
    )
    d_previous = np.zeros_like(d_state)
    d_previous[:, size:] = d_c * f
    return StepGradients(d_sums, d_sums, d_previous)
