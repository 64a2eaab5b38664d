"""The Elman cell: s_t = tanh(U x_t + W s_{t-1}).

Both functions act on rows: any number of states at once, whichever time steps they belong to.

Source: Elman, Finding Structure in Time (1990), equation-free there; this form as in Mikolov et al.
(2010).
"""

import numpy as np

from unrolled.model.types import Array


def step(projected: Array, previous: Array | None, recurrent_weights: Array) -> Array:
    """The next hidden states, (rows, hidden).

    Args:
        projected: (rows, hidden), the input weights of the words that are read, U x_t.
        previous: (rows, hidden), or None at the start of a sentence, where the state is zero.
        recurrent_weights: (hidden, hidden).
    """
    if previous is None:
        return np.tanh(projected)
    return np.tanh(projected + previous @ recurrent_weights.T)


def step_backward(d_hidden: Array, hidden: Array) -> Array:
    """The gradient for what goes into tanh, given the one for what comes out; (rows, hidden)."""
    return d_hidden * (1 - hidden * hidden)
