"""The Elman cell: s_t = tanh(U x_t + W s_{t-1} + b).

Source: Elman, Finding Structure in Time (1990); this form as in Mikolov et al., Recurrent Neural
Network Based Language Model (2010).
"""

import numpy as np

from unrolled.model.cells.cell import StepGradients
from unrolled.model.types import Array

BLOCKS = 1
PARTS = 1
KEEP_BLOCK = None
FORMULA = "s_t = tanh(input_weights[x_t] + bias + recurrent_weights @ s_{t-1})"


def step(word: Array, recurrent: Array, previous: Array) -> tuple[Array, Array]:
    """The next hidden states; nothing else is needed on the way back."""
    state = np.tanh(word + recurrent)
    return state, state[:, :0]


def step_backward(d_state: Array, previous: Array, state: Array, memory: Array) -> StepGradients:
    """The gradients for the two projections, which are added: tanh' = 1 - tanh²."""
    d_sum = d_state * (1 - state * state)
    return StepGradients(d_sum, d_sum, None)
