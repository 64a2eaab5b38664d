"""Gradients that are too long are shortened, so that one steep place does not throw training off.

Source: Pascanu, Mikolov & Bengio, On the Difficulty of Training Recurrent Neural Networks (2013),
algorithm 1.
"""

import math

import numpy as np

from unrolled.model.types import Gradients, RowGradient


def gradient_norm(gradients: Gradients) -> float:
    """The Euclidean length of all gradients taken as one vector."""
    squares = 0.0
    for gradient in gradients.values():
        values = gradient.values if isinstance(gradient, RowGradient) else gradient
        entries = values.ravel(order="K")  # in the order of the memory, so that nothing is copied
        squares += float(np.dot(entries, entries))
    return math.sqrt(squares)


def clip_factor(norm: float, limit: float | None) -> float:
    """What brings a gradient of a length down to a limit, without turning it; 1 if it is within."""
    return 1.0 if limit is None or norm <= limit else limit / norm
