"""How the learning rate changes in the course of training."""

import math
from collections.abc import Callable, Mapping
from typing import Protocol

from unrolled.config.sections import TrainingConfig


class Schedule(Protocol):
    """A learning rate over time.

    Attributes:
        learning_rate: the rate that others are shares of; all that a schedule remembers.
    """

    learning_rate: float

    def rate(self, epoch: float) -> float:
        """The learning rate.

        Args:
            epoch: how many passes over the training split have been made.
        """

    def evaluated(self, loss_before: float, loss: float) -> None:
        """Take note of a validation loss, and of the one before."""


class Constant:
    """The same all the time."""

    def __init__(self, config: TrainingConfig) -> None:
        self.learning_rate = config.learning_rate

    def rate(self, epoch: float) -> float:
        """As `Schedule.rate`."""
        return self.learning_rate

    def evaluated(self, loss_before: float, loss: float) -> None:
        """As `Schedule.evaluated`."""


class Halving(Constant):
    """Half of it whenever the validation loss is higher than before."""

    def evaluated(self, loss_before: float, loss: float) -> None:
        """As `Schedule.evaluated`."""
        if loss > loss_before:
            self.learning_rate /= 2


class Cosine(Constant):
    """Down to zero along half a cosine, slowly at first and at last.

    Source: Loshchilov & Hutter, SGDR: Stochastic Gradient Descent with Warm Restarts (2017),
    equation 5, without restarts.
    """

    def __init__(self, config: TrainingConfig) -> None:
        super().__init__(config)
        self.start = config.warmup_epochs
        self.end = config.epochs

    def rate(self, epoch: float) -> float:
        """As `Schedule.rate`."""
        gone = max(0.0, epoch - self.start) / (self.end - self.start)
        return self.learning_rate * (1 + math.cos(math.pi * gone)) / 2


SCHEDULES: Mapping[str, Callable[[TrainingConfig], Schedule]] = {
    "constant": Constant,
    "halving": Halving,
    "cosine": Cosine,
}


def warm_up(epoch: float, warmup_epochs: float) -> float:
    """The share of the learning rate that is used: it grows from 0 to 1 in the first epochs.

    Source: Goyal et al., Accurate, Large Minibatch SGD: Training ImageNet in 1 Hour (2017), 2.2.
    """
    return min(1.0, epoch / warmup_epochs) if warmup_epochs > 0 else 1.0
