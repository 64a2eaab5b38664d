"""One step of gradient descent."""

import math

import numpy as np

from unrolled.model.types import Gradients, Parameters, RowGradient


def gradient_norm(gradients: Gradients) -> float:
    """The Euclidean length of all gradients taken as one vector."""
    squares = 0.0
    for gradient in gradients.values():
        values = gradient.values if isinstance(gradient, RowGradient) else gradient
        squares += float(np.vdot(values, values))
    return math.sqrt(squares)


def clipped(learning_rate: float, norm: float, limit: float | None) -> float:
    """The learning rate that keeps the gradient within a limit without turning it.

    Source: Pascanu, Mikolov & Bengio, On the Difficulty of Training Recurrent Neural Networks
    (2013), algorithm 1.
    """
    return learning_rate if limit is None or norm <= limit else learning_rate * limit / norm


def descend(parameters: Parameters, gradients: Gradients, rate: float) -> None:
    """Take `rate` times the gradient off every parameter, in place; the gradients are used up."""
    for name, gradient in gradients.items():
        parameter = parameters[name]
        values = gradient.values if isinstance(gradient, RowGradient) else gradient
        np.multiply(values, parameter.dtype.type(rate), out=values)
        if isinstance(gradient, RowGradient):
            parameter[gradient.rows] -= values
        else:
            parameter -= values
