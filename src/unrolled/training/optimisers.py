"""How parameters follow their gradients.

Only rows that a gradient touches are moved: where a word has not occurred, its input weights rest
(unless they are tied to the output weights), and with momentum or Adam their averages rest too.
Elsewhere they often go on by what is left of earlier gradients, which over a vocabulary costs more
than everything else but the output layer.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from unrolled.arrays import taken_from, under
from unrolled.config.sections import TrainingConfig
from unrolled.model.types import Array, Gradients, Parameters, RowGradient, copied_as

Memory = Mapping[str, NDArray[Any]]
"""What an optimiser keeps from step to step, arrays by name."""


class Optimiser(Protocol):
    """Moves parameters in place, and keeps what it must remember from step to step."""

    def step(
        self, parameters: Parameters, gradients: Gradients, scale: float, learning_rate: float
    ) -> None:
        """Move the parameters once; the gradients are used up.

        Args:
            parameters: changed in place.
            gradients: of a summed loss.
            scale: makes of them the gradients to follow: one over the tokens, times clipping.
            learning_rate: how far to go.
        """

    def memory(self) -> Memory:
        """What is kept, by name; not copies."""

    def remember(self, memory: Memory, parameters: Parameters) -> None:
        """Go on from what another optimiser of this kind has kept of these parameters."""


class Sgd:
    """w -= η g."""

    def step(
        self, parameters: Parameters, gradients: Gradients, scale: float, learning_rate: float
    ) -> None:
        """As `Optimiser.step`."""
        for name, gradient in gradients.items():
            rows, values = _rows_and_values(gradient)
            values *= values.dtype.type(scale * learning_rate)
            parameters[name][rows] -= values

    def memory(self) -> Memory:
        """As `Optimiser.memory`."""
        return {}

    def remember(self, memory: Memory, parameters: Parameters) -> None:
        """As `Optimiser.remember`."""


class Momentum:
    """v = μ v + g; w -= η v.

    Source: Polyak, Some Methods of Speeding Up the Convergence of Iteration Methods (1964);
    Sutskever et al., On the Importance of Initialization and Momentum in Deep Learning (2013).
    """

    def __init__(self, momentum: float) -> None:
        self.momentum = momentum
        self.velocities: Parameters = {}

    def step(
        self, parameters: Parameters, gradients: Gradients, scale: float, learning_rate: float
    ) -> None:
        """As `Optimiser.step`."""
        for name, gradient in gradients.items():
            rows, values = _rows_and_values(gradient)
            velocities = _kept(self.velocities, name, parameters[name])
            velocity = velocities[rows]
            velocity *= velocity.dtype.type(self.momentum)
            velocity += values * values.dtype.type(scale)
            velocities[rows] = velocity
            np.multiply(velocity, velocity.dtype.type(learning_rate), out=values)
            parameters[name][rows] -= values

    def memory(self) -> Memory:
        """As `Optimiser.memory`."""
        return under("velocities", self.velocities)

    def remember(self, memory: Memory, parameters: Parameters) -> None:
        """As `Optimiser.remember`."""
        self.velocities = copied_as(parameters, taken_from("velocities", memory))


class Adam:
    """m = β₁ m + (1 - β₁) g; v = β₂ v + (1 - β₂) g²; w -= η m̂ / (√v̂ + ε).

    m̂ = m / (1 - β₁ᵗ) and v̂ = v / (1 - β₂ᵗ), t being the step. The constants are the paper's.

    Source: Kingma & Ba, Adam: A Method for Stochastic Optimization (2015), algorithm 1.
    """

    mean_decay, square_decay, epsilon = 0.9, 0.999, 1e-8

    def __init__(self) -> None:
        self.steps = 0
        self.means: Parameters = {}
        self.squares: Parameters = {}

    def step(
        self, parameters: Parameters, gradients: Gradients, scale: float, learning_rate: float
    ) -> None:
        """As `Optimiser.step`."""
        self.steps += 1
        # The means gain a = (1 - β₁) g, and the squares gain a² instead of (1 - β₂) g²; what they
        # lack to v̂ is this factor, which goes into the two numbers of the last lines.
        lacking = (1 - self.square_decay) / (1 - self.mean_decay) ** 2
        root = math.sqrt(lacking / (1 - self.square_decay**self.steps))
        rate = learning_rate / (1 - self.mean_decay**self.steps) / root
        for name, gradient in gradients.items():
            rows, values = _rows_and_values(gradient)
            number = values.dtype.type
            means = _kept(self.means, name, parameters[name])
            squares = _kept(self.squares, name, parameters[name])
            mean, square = means[rows], squares[rows]
            # `values` holds one thing after the other, since a large array that is new each time
            # costs more than what is done to it
            values *= number(scale * (1 - self.mean_decay))
            mean *= number(self.mean_decay)
            mean += values
            values *= values
            square *= number(self.square_decay)
            square += values
            if isinstance(gradient, RowGradient):  # otherwise these are the averages themselves
                means[rows], squares[rows] = mean, square
            np.sqrt(square, out=values)
            values += number(self.epsilon / root)
            np.divide(mean, values, out=values)
            values *= number(rate)
            parameters[name][rows] -= values

    def memory(self) -> Memory:
        """As `Optimiser.memory`."""
        averages = {**under("means", self.means), **under("squares", self.squares)}
        return {"steps": np.array(self.steps), **averages}

    def remember(self, memory: Memory, parameters: Parameters) -> None:
        """As `Optimiser.remember`."""
        self.steps = int(memory["steps"])
        self.means = copied_as(parameters, taken_from("means", memory))
        self.squares = copied_as(parameters, taken_from("squares", memory))


class AdamAndSgd:
    """Plain descent for the words inside classes, Adam for everything else.

    Adam keeps two averages for each weight, and moves a row of weights whenever its class occurs.
    Most weights are those of words inside classes, and most of them hear little that is new in a
    step: there plain descent learns as well, at a fraction of the time.

    Attributes:
        ratio: of the learning rate of plain descent to Adam's.
    """

    within = ("output_weights", "output_bias")

    def __init__(self, ratio: float) -> None:
        self.ratio = ratio
        self.adam = Adam()
        self.sgd = Sgd()

    def step(
        self, parameters: Parameters, gradients: Gradients, scale: float, learning_rate: float
    ) -> None:
        """As `Optimiser.step`; the learning rate is Adam's."""
        within = {name: gradients[name] for name in self.within if name in gradients}
        others = {name: gradients[name] for name in gradients if name not in within}
        self.adam.step(parameters, others, scale, learning_rate)
        self.sgd.step(parameters, within, scale, learning_rate * self.ratio)

    def memory(self) -> Memory:
        """As `Optimiser.memory`."""
        return self.adam.memory()

    def remember(self, memory: Memory, parameters: Parameters) -> None:
        """As `Optimiser.remember`."""
        self.adam.remember(memory, parameters)


OPTIMISERS: Mapping[str, Callable[[TrainingConfig], Optimiser]] = {
    "sgd": lambda config: Sgd(),
    "momentum": lambda config: Momentum(config.momentum),
    "adam": lambda config: Adam(),
    "adam_and_sgd": lambda config: AdamAndSgd(config.class_learning_rate / config.learning_rate),
}


def _rows_and_values(gradient: Array | RowGradient) -> tuple[NDArray[np.integer] | slice, Array]:
    if isinstance(gradient, RowGradient):
        return gradient.rows, gradient.values
    return slice(None), gradient


def _kept(averages: Parameters, name: str, parameter: Array) -> Array:
    """The average of a parameter, zeros at first."""
    if name not in averages:
        averages[name] = np.zeros_like(parameter)
    return averages[name]
