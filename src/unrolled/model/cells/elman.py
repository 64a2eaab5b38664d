"""The Elman cell: s_t = tanh(U x_t + W s_{t-1} + b).

Source: Elman, Finding Structure in Time (1990); this form as in Mikolov et al., Recurrent Neural
Network Based Language Model (2010).
"""

from collections.abc import Mapping

import numpy as np

from unrolled.model.cells.cell import Activation, StepGradients
from unrolled.model.types import Array

BLOCKS = 1
GATES = ("state",)
PARTS = 1
MEMORY = 0
SUMS = 1
KEEP_BLOCK = None
ACTIVATIONS: Mapping[str, Activation] = {"state": "tanh"}
FORMULA = "s_t = tanh(input_weights[x_t] + bias + recurrent_weights @ s_{t-1})"


def step(word: Array, recurrent: Array, previous: Array, state: Array, memory: Array) -> None:
    """Fill in the next hidden states; nothing else is needed on the way back."""
    recurrent += word
    np.tanh(recurrent, out=state)


def slopes(previous: Array, state: Array, memory: Array) -> Array:
    """The slope of tanh, 1 - tanh²."""
    slope = np.multiply(state, state)
    return np.subtract(1, slope, out=slope)


def step_backward(d_hidden: Array, d_rest: Array, slopes: Array) -> StepGradients:
    """The gradients for the sums of the two projections."""
    return StepGradients(d_hidden * slopes, None, d_rest)


def word_gradient(d_sums: Array) -> Array:
    """The projections are simply added."""
    return d_sums


def recurrent_gradient(d_sums: Array) -> Array:
    """Likewise."""
    return d_sums


def activations(state: Array, memory: Array) -> Array:
    """The state itself."""
    return state
