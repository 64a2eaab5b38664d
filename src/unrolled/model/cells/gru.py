"""The GRU cell: a state that is partly kept, partly replaced.

    u = U x_t + b and w = W s_{t-1}, in three blocks each
    r = σ(u_1 + w_1)            the reset gate: how much of the past the candidate sees
    z = σ(u_2 + w_2)            the update gate: how much is kept
    n = tanh(u_3 + r w_3)       the candidate
    s_t = (1 - z) n + z s_{t-1}

Source: Cho et al., Learning Phrase Representations using RNN Encoder-Decoder (2014); with the reset
gate after the product, as in cuDNN and in PyTorch.
"""

import numpy as np

from unrolled.model.cells.cell import StepGradients, sigmoid
from unrolled.model.types import Array

BLOCKS = 3
PARTS = 1
KEEP_BLOCK = 1
FORMULA = (
    "u1, u2, u3 = split(input_weights[x_t] + bias, 3); "
    "w1, w2, w3 = split(recurrent_weights @ s_{t-1}, 3); "
    "r = sigmoid(u1 + w1); z = sigmoid(u2 + w2); n = tanh(u3 + r * w3); "
    "s_t = (1 - z) * n + z * s_{t-1}"
)


def step(word: Array, recurrent: Array, previous: Array) -> tuple[Array, Array]:
    """The next hidden states; remembered are the gates, the candidate and w_3."""
    size = previous.shape[1]
    gates = sigmoid(word[:, : 2 * size] + recurrent[:, : 2 * size])
    r, z = gates[:, :size], gates[:, size:]
    past = recurrent[:, 2 * size :]
    n = np.tanh(word[:, 2 * size :] + r * past)
    return n + z * (previous - n), np.hstack([gates, n, past])


def step_backward(d_state: Array, previous: Array, state: Array, memory: Array) -> StepGradients:
    """The gradients for both projections, which differ in the candidate, and the state before."""
    r, z, n, past = np.split(memory, 4, axis=1)
    d_n = d_state * (1 - z) * (1 - n * n)
    d_z = d_state * (previous - n) * z * (1 - z)
    d_r = d_n * past * r * (1 - r)
    return StepGradients(np.hstack([d_r, d_z, d_n]), np.hstack([d_r, d_z, d_n * r]), d_state * z)
