"""How far out the functions of a cell are driven, where they flatten and gradients are lost.

A gradient that comes back through a function is multiplied by its slope, at most 1 for tanh and 1/4
for the logistic function σ. The latter is a tanh in another scale, σ(x) = (1 + tanh(x / 2)) / 2. So
with y for tanh itself and for 2 σ - 1, both have

    argument          artanh(y), for σ twice that
    relative slope    1 - y², of the largest slope that the function has

A value is saturated where the relative slope is below a tenth: beyond arguments of ±1.82 for tanh,
of ±3.64 for σ.

Source: Glorot & Bengio, Understanding the Difficulty of Training Deep Feedforward Neural Networks
(2010), section 3, which watches values of tanh; Karpathy, Johnson & Fei-Fei, Visualizing and
Understanding Recurrent Networks (2016), which counts gates below 0.1 or above 0.9.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unrolled.analysis.gradient_flow import in_double_precision
from unrolled.model.cells.cell import Activation, blocks
from unrolled.model.network import Network
from unrolled.model.packing import PackedBatch
from unrolled.model.types import Array

EDGES = np.linspace(-6, 6, 49)
"""Bins a quarter wide; beyond them less than 1/40,000 of tanh's slope is left, 1/100 of σ's."""

SATURATED = 0.1
"""A relative slope below this is a saturated value's."""


@dataclass(frozen=True)
class ActivationHistogram:
    """What one of a cell's functions does, over all positions of a batch and all hidden units.

    Attributes:
        name: of the value, one of the cell's `ACTIVATIONS`.
        function: which makes it.
        shares: (bins,) the share of arguments in each bin, adding up to 1; what is beyond the outer
            edges is in the outer bins, what is on an edge in the bin above it.
        saturated_share: the share of values that are saturated.
        mean_relative_slope: 1 where all arguments are zero, 0 where none lets a gradient through.
    """

    name: str
    function: Activation
    shares: Sequence[float]
    saturated_share: float
    mean_relative_slope: float


def activation_histograms(
    network: Network, batch: PackedBatch, edges: NDArray[np.float64] = EDGES
) -> list[ActivationHistogram]:
    """A histogram for each of the cell's `ACTIVATIONS`, in double precision.

    Args:
        network: a trained one.
        batch: the sentences, each begun with a state of zeros.
        edges: (bins + 1,) of the bins, ascending.

    Raises:
        DataError: an id is not one of the vocabulary.
    """
    network = in_double_precision(network)
    cell, trace = network.cell, network.forward(batch).trace
    values = blocks(cell.activations(trace.states, trace.memory), len(cell.ACTIVATIONS))
    return [
        _histogram(name, function, of_function, edges)
        for (name, function), of_function in zip(cell.ACTIVATIONS.items(), values, strict=True)
    ]


def arguments(values: Array, function: Activation) -> Array:
    """What a function was given for it to give these values, in their shape; infinite where a value
    is rounded to the function's bound.
    """
    with np.errstate(divide="ignore"):
        found: Array = np.arctanh(_as_tanh(values, function))
    return 2 * found if function == "sigmoid" else found


def relative_slopes(values: Array, function: Activation) -> Array:
    """A function's slopes where it has these values, in their shape; of its largest one."""
    slopes: Array = 1 - _as_tanh(values, function) ** 2
    return slopes


def _as_tanh(values: Array, function: Activation) -> Array:
    return 2 * values - 1 if function == "sigmoid" else values


def _histogram(
    name: str, function: Activation, values: Array, edges: NDArray[np.float64]
) -> ActivationHistogram:
    slopes = relative_slopes(values, function)
    within = np.clip(arguments(values, function), edges[0], edges[-1])
    counts, _ = np.histogram(within, edges)
    return ActivationHistogram(
        name,
        function,
        shares=(counts / values.size).tolist(),
        saturated_share=float(np.mean(slopes < SATURATED)),
        mean_relative_slope=float(slopes.mean()),
    )
