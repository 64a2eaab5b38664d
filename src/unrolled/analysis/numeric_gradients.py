"""The derivative of the loss that training follows, found by evaluating the loss alone.

Truncated back-propagation is not the gradient of the total loss: the loss at time t is held to
depend on the weights only as they act at the steps t-d ... t. What is differentiated here is that
very function. For the output at t the weights are copied; the copies that act at the steps
t-d ... t are moved, the state before them stays that of the unmoved weights; the output weights,
which act at t alone, are moved too. At full depth it is the total loss.

There are two ways to the derivative for one weight w, which share neither steps nor rounding:

    central differences    (L(w + h) - L(w - h)) / 2h    error h² L''' / 6 + ε L / h
    complex step           Im L(w + ih) / h              error h² L''' / 6, and rounding

The first is off by at least some ε^(2/3), whatever its step; a step near ε^(1/3), 1e-5 in double
precision, makes both parts about as small. The second subtracts nothing, so that its step may be so
tiny that h² vanishes: what is left is the rounding of the loss itself.

Source: Squire & Trapp, Using Complex Variables to Estimate Derivatives of Real Functions (1998).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrolled.model.network import Network
from unrolled.model.packing import PackedBatch
from unrolled.model.types import Array, Parameters

Loss = Callable[[Mapping[str, NDArray[Any]]], complex]
"""A loss in nats as a function of a network's parameters, real or complex."""

Numeric = dict[str, Array]
"""A derivative for each entry of a parameter, by the name of the method that found it."""

CENTRAL, COMPLEX = METHODS = ("central differences", "complex step")

COMPLEX_STEP = 1e-30
"""Its square is lost beside any weight, its quotients are far from where numbers lose digits."""


@dataclass(frozen=True)
class WindowedLoss:
    """The loss summed over all outputs of a batch, each seeing moved weights in its own window.

    Attributes:
        network: whose weights are unmoved.
        batch: the sentences.
        start: (sentences, parts * hidden), the states before their first words, which no weight
            moves, in the order of the batch's rows; None for zeros.
        truncation_depth: how many steps before an output belong to its window; None for all.
    """

    network: Network
    batch: PackedBatch
    start: Array | None
    truncation_depth: int | None

    def __call__(self, moved: Mapping[str, NDArray[Any]]) -> complex:
        """The loss in nats: complex for complex weights, otherwise real."""
        network = replace(self.network, parameters=dict(moved))
        states = self._before_windows.astype(moved["recurrent_weights"].dtype)
        for rows, words in self._turns:
            states[rows] = network.step(words, states[rows])
        scores = network.output.log_probabilities(states[:, : network.hidden_size])
        loss: complex = -scores[np.arange(len(scores)), self._targets].sum()
        return loss

    @property
    def _depth(self) -> int:
        longest = self.batch.steps - 1
        return longest if self.truncation_depth is None else min(self.truncation_depth, longest)

    @property
    def _times(self) -> NDArray[np.int64]:
        """(positions,) the time of each output, sentence after sentence."""
        starts = self.batch.sentence_starts
        return np.arange(starts[-1]) - np.repeat(starts[:-1], np.diff(starts))

    @property
    def _targets(self) -> NDArray[Any]:
        return self.batch.targets[self.batch.by_sentence]

    @cached_property
    def _before_windows(self) -> Array:
        """(positions, parts * hidden), the unmoved state that each output's window starts from."""
        trace = self.network.forward(self.batch, self.start).trace
        first_rows = self.batch.sentence_starts[:-1]
        first_steps = np.maximum(self._times - self._depth, 0)
        window_starts = np.repeat(first_rows, np.diff(self.batch.sentence_starts)) + first_steps
        return trace.previous[self.batch.by_sentence][window_starts]

    @cached_property
    def _turns(self) -> list[tuple[NDArray[np.int64], NDArray[Any]]]:
        """Which windows take a step together, and the words they read, the earliest step first."""
        words = self.batch.inputs[self.batch.by_sentence]
        rows = [np.flatnonzero(self._times >= lag) for lag in range(self._depth, -1, -1)]
        lags = range(self._depth, -1, -1)
        return [(turn, words[turn - lag]) for turn, lag in zip(rows, lags, strict=True)]


def numeric_gradients(
    loss: Loss, parameters: Parameters, central_step: float
) -> dict[str, Numeric]:
    """The derivatives of a loss for all parameters, by both methods."""
    return {
        name: {
            CENTRAL: central_differences(loss, parameters, name, central_step),
            COMPLEX: complex_step(loss, parameters, name),
        }
        for name in parameters
    }


def central_differences(loss: Loss, parameters: Parameters, name: str, step: float) -> Array:
    """The central difference for every entry of one parameter, in the parameter's shape."""
    moved = {key: parameter.copy() for key, parameter in parameters.items()}
    losses: list[Array] = []
    for signed_step in (step, -step):
        found = (loss(moved).real for _ in _moved_entries(moved[name], signed_step))
        losses.append(np.fromiter(found, np.float64))
    with np.errstate(invalid="ignore"):  # of infinite losses the difference is NaN, as it should
        differences = (losses[0] - losses[1]) / (2 * step)
    return differences.reshape(parameters[name].shape)


def complex_step(loss: Loss, parameters: Parameters, name: str) -> Array:
    """The derivative for every entry of one parameter, in the parameter's shape."""
    moved = {key: parameter.astype(np.complex128) for key, parameter in parameters.items()}
    found = (loss(moved).imag for _ in _moved_entries(moved[name], COMPLEX_STEP * 1j))
    derivatives: Array = np.fromiter(found, np.float64) / COMPLEX_STEP
    return derivatives.reshape(parameters[name].shape)


def _moved_entries(parameter: NDArray[Any], step: complex) -> Iterator[None]:
    """Move one entry of a parameter after the other, each back again before the next."""
    for index in np.ndindex(parameter.shape):
        unmoved = parameter[index]
        parameter[index] = unmoved + step
        yield
        parameter[index] = unmoved
