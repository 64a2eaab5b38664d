"""The GRU cell: a state that is partly kept, partly replaced.

    u = U x_t + b and w = W s_{t-1}, in three blocks each
    r = σ(u_1 + w_1)            the reset gate: how much of the past the candidate sees
    z = σ(u_2 + w_2)            the update gate: how much is kept
    n = tanh(u_3 + r w_3)       the candidate
    s_t = (1 - z) n + z s_{t-1}

Source: Cho et al., Learning Phrase Representations using RNN Encoder-Decoder (2014); with the reset
gate after the product, as in cuDNN and in PyTorch.
"""

from collections.abc import Mapping

import numpy as np

from unrolled.model.cells.cell import Activation, StepGradients, blocks, sigmoid
from unrolled.model.types import Array

BLOCKS = 3
GATES = ("reset", "update", "candidate")
PARTS = 1
MEMORY = 4
SUMS = 4
KEEP_BLOCK = 1
ACTIVATIONS: Mapping[str, Activation] = {
    "reset": "sigmoid",
    "update": "sigmoid",
    "candidate": "tanh",
}
FORMULA = (
    "u1, u2, u3 = split(input_weights[x_t] + bias, 3); "
    "w1, w2, w3 = split(recurrent_weights @ s_{t-1}, 3); "
    "r = sigmoid(u1 + w1); z = sigmoid(u2 + w2); n = tanh(u3 + r * w3); "
    "s_t = (1 - z) * n + z * s_{t-1}"
)


def step(word: Array, recurrent: Array, previous: Array, state: Array, memory: Array) -> None:
    """Fill in the next hidden states; remembered are the gates, the candidate and w_3."""
    size = previous.shape[1]
    gates = word[:, : 2 * size] + recurrent[:, : 2 * size]
    sigmoid(gates)
    r, z = blocks(gates, 2)
    n = r * recurrent[:, 2 * size :]
    n += word[:, 2 * size :]
    np.tanh(n, out=n)
    np.subtract(previous, n, out=state)
    state *= z
    state += n
    memory[:, : 2 * size] = gates
    memory[:, 2 * size : 3 * size] = n
    memory[:, 3 * size :] = recurrent[:, 2 * size :]


def slopes(previous: Array, state: Array, memory: Array) -> Array:
    """What the gradient for a state is multiplied by, a block for each of: u_3, u_1 and w_1, u_2
    and w_2, w_3, s_{t-1}.
    """
    size = previous.shape[1]
    r, z, n, past = blocks(memory, MEMORY)
    slopes = np.empty((len(memory), 5 * size), dtype=memory.dtype)
    of_word, of_reset, of_update, of_past, kept = blocks(slopes, 5)
    kept[:] = z
    changed = 1 - z
    np.multiply(previous - n, z * changed, out=of_update)
    changed *= 1 - n * n
    of_word[:] = changed
    changed *= r
    of_past[:] = changed
    changed *= past
    np.multiply(changed, 1 - r, out=of_reset)
    return slopes


def step_backward(d_hidden: Array, d_rest: Array, slopes: Array) -> StepGradients:
    """The gradients for the sums u_3, u_1 + w_1, u_2 + w_2, w_3, and for the state before."""
    size = d_hidden.shape[1]
    d_sums = np.empty((len(d_hidden), 4 * size), dtype=d_hidden.dtype)
    np.multiply(
        d_hidden[:, np.newaxis],
        slopes[:, : 4 * size].reshape(-1, 4, size),
        out=d_sums.reshape(-1, 4, size),
    )
    return StepGradients(d_sums, d_hidden * slopes[:, 4 * size :], d_rest)


def word_gradient(d_sums: Array) -> Array:
    """The gradients for u, its third block last."""
    size = d_sums.shape[1] // 4
    return np.hstack([d_sums[:, size : 3 * size], d_sums[:, :size]])


def recurrent_gradient(d_sums: Array) -> Array:
    """The gradients for w."""
    return d_sums[:, d_sums.shape[1] // 4 :]


def activations(state: Array, memory: Array) -> Array:
    """The gates and the candidate, all that is remembered but w_3."""
    return memory[:, : 3 * state.shape[1]]
