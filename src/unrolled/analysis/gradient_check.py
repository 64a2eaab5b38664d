"""Is the gradient that training follows the derivative of what it claims to be?

A small network of each kind is differentiated by back-propagation, at the depth at which training
will truncate it, and twice more by numbers alone; see `numeric_gradients` for what is
differentiated and how.

What is judged is max|a - n| / max|n| over each parameter: a numeric derivative has an error of some
size everywhere, which makes the element-wise relative error of a tiny entry large without anything
being wrong. NaN, an infinity, or a parameter without any entry to compare is a failure.
"""

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrolled.analysis.numeric_gradients import (
    CENTRAL,
    COMPLEX,
    Numeric,
    WindowedLoss,
    complex_step,
    numeric_gradients,
)
from unrolled.config.sections import ChecksConfig
from unrolled.model.initialisation import parameter_shapes
from unrolled.model.network import Network
from unrolled.model.packing import PackedBatch, pack
from unrolled.model.types import Array, Gradients, Parameters, RowGradient
from unrolled.text.classes import WordClasses, frequency_classes
from unrolled.text.vocabulary import Ids

TINY = 1e-10
"""An entry whose two values are both below this says nothing about the relative error."""

SPREAD = 0.6
"""Standard deviation of the weights: large enough for the tanh to bend and for a truncation to be
felt.
"""


@dataclass(frozen=True)
class Kind:
    """Which kind of network is checked, always with biases.

    Attributes:
        output: softmax or classes.
        tied: whether input and output weights are tied.
        carried: whether the sentences go on from a state before them.
    """

    output: str = "softmax"
    tied: bool = False
    carried: bool = False

    @property
    def title(self) -> str:
        """The kind in words."""
        output = "word classes" if self.output == "classes" else "softmax"
        tied = ", tied weights" if self.tied else ""
        return output + tied + (", state carried over" if self.carried else "")


KINDS = [
    Kind(output, tied, carried)
    for (output, tied), carried in itertools.product(
        [("softmax", False), ("softmax", True), ("classes", False)], [False, True]
    )
]
"""All kinds of networks that a cell can be part of."""


@dataclass(frozen=True)
class Problem:
    """A small network, and sentences whose loss is differentiated.

    Attributes:
        network: in double precision.
        batch: the sentences.
        start: the states before them, as `Network.forward` takes them.
        truncation_depth: how many steps back each output's loss reaches; None for no limit.
    """

    network: Network
    batch: PackedBatch
    start: Array | None
    truncation_depth: int | None

    def back_propagated(self, network: Network | None = None) -> Gradients:
        """The gradients by back-propagation, of this network or of a copy with another way back."""
        network = network or self.network
        forward = network.forward(self.batch, self.start)
        return network.loss_and_gradients(self.batch, self.truncation_depth, forward)[1]

    def loss(self, truncation_depth: int | None) -> WindowedLoss:
        """The loss as a function of the weights within each output's window."""
        return WindowedLoss(self.network, self.batch, self.start, truncation_depth)


@dataclass(frozen=True)
class Comparison:
    """How the gradient of one parameter compares with one numeric derivative.

    Attributes:
        error: max|a - n| / max|n|, NaN if anything is not finite or nothing differs from zero.
        worst_index: where |a - n| is largest, or where a value is not finite.
        analytic: the value of back-propagation there.
        numeric: the value of the numeric derivative there.
        relative_errors: |a - n| / (|a| + |n|) of every entry that is neither tiny nor skipped.
        tiny_count: entries of which both values are tiny, though not both zero.
        skipped_count: entries of which both values are zero, such as those of a word that does not
            occur.
    """

    error: float
    worst_index: tuple[int, ...]
    analytic: float
    numeric: float
    relative_errors: NDArray[np.float64]
    tiny_count: int
    skipped_count: int

    def passes(self, tolerance: float) -> bool:
        """Whether the error is a number within the tolerance and anything was compared."""
        return len(self.relative_errors) > 0 and self.error <= tolerance  # NaN <= x is False


@dataclass(frozen=True)
class ParameterCheck:
    """How the gradient of one parameter compares.

    Attributes:
        parameter: its name.
        comparisons: with the derivative of each method, by the method's name.
    """

    parameter: str
    comparisons: Mapping[str, Comparison]

    def passes(self, tolerances: Mapping[str, float]) -> bool:
        """Whether it compares well with every method.

        Args:
            tolerances: the largest error allowed, by the method's name.
        """
        return len(tolerances) > 0 and all(
            self.comparisons[method].passes(tolerance) for method, tolerance in tolerances.items()
        )


def tolerances(config: ChecksConfig) -> dict[str, float]:
    """The largest error allowed, by the method's name."""
    return {CENTRAL: config.central_tolerance, COMPLEX: config.complex_tolerance}


def problem_of(
    cell: str, kind: Kind, config: ChecksConfig, truncation_depth: int | None
) -> Problem:
    """A network of random weights and sentences of random words, the same for the same seed."""
    rng = np.random.default_rng(config.seed)
    words, hidden = config.vocabulary_size, config.hidden_size
    classes = small_classes(words) if kind.output == "classes" else None
    shapes = parameter_shapes(cell, words, hidden, bias=True, tied=kind.tied, classes=classes)
    parameters: Parameters = {name: rng.normal(0, SPREAD, shape) for name, shape in shapes.items()}
    network = Network(parameters, cell, classes)
    batch = pack(_sentences(config, truncation_depth, rng))
    start = rng.uniform(-1, 1, (config.sentences, network.cell.PARTS * hidden))
    return Problem(network, batch, start if kind.carried else None, truncation_depth)


def numeric_of(problem: Problem, config: ChecksConfig) -> dict[str, Numeric]:
    """The derivatives that its gradients must equal, for all parameters and by both methods."""
    loss = problem.loss(problem.truncation_depth)
    return numeric_gradients(loss, problem.network.parameters, config.central_step)


def plain_errors(
    problem: Problem, gradients: Gradients, numeric: Mapping[str, Numeric]
) -> dict[str, float]:
    """How far gradients are from those of the total loss, by parameter: 0 at full depth, as it must
    be, and far from it where something was cut off.

    Args:
        problem: whose gradients.
        gradients: by back-propagation.
        numeric: as of `numeric_of`, which at full depth are those of the total loss already.
    """
    loss, parameters = problem.loss(None), problem.network.parameters

    def plain(name: str) -> Array:
        if problem.truncation_depth is None:
            return numeric[name][COMPLEX]
        return complex_step(loss, parameters, name)

    return {
        name: _largest_error(_dense(gradients[name], parameter), plain(name))
        for name, parameter in parameters.items()
    }


def compare(
    parameters: Parameters, gradients: Gradients, numeric: Mapping[str, Numeric]
) -> list[ParameterCheck]:
    """Gradients, wherever they come from, against numeric derivatives."""
    return [
        ParameterCheck(
            name,
            {
                method: _comparison(_dense(gradients[name], parameter), derivative)
                for method, derivative in numeric[name].items()
            },
        )
        for name, parameter in parameters.items()
    ]


def _dense(gradient: Array | RowGradient, parameter: Array) -> Array:
    return gradient.dense(len(parameter)) if isinstance(gradient, RowGradient) else gradient


def _comparison(analytic: Array, numeric: Array) -> Comparison:
    if analytic.size == 0:
        return Comparison(math.nan, (), math.nan, math.nan, np.empty(0), 0, 0)
    with np.errstate(invalid="ignore", over="ignore"):  # what is not finite fails, below
        difference = np.abs(analytic - numeric)
        size = np.abs(analytic) + np.abs(numeric)
        relative_errors = difference / size
    # argmax takes the first NaN for the largest value, which is what is wanted here
    worst = tuple(int(part) for part in np.unravel_index(np.argmax(difference), difference.shape))
    tiny = (np.abs(analytic) < TINY) & (np.abs(numeric) < TINY)
    skipped_count = int(np.count_nonzero(size == 0))
    return Comparison(
        error=_largest_error(analytic, numeric),
        worst_index=worst,
        analytic=float(analytic[worst]),
        numeric=float(numeric[worst]),
        relative_errors=relative_errors[~tiny],
        tiny_count=int(np.count_nonzero(tiny)) - skipped_count,
        skipped_count=skipped_count,
    )


def _largest_error(analytic: NDArray[Any], numeric: NDArray[Any]) -> float:
    """max|a - n| / max|n|; NaN if either is not finite or all derivatives are zero."""
    with np.errstate(invalid="ignore", over="ignore"):  # what is not finite becomes NaN
        largest = float(np.abs(numeric).max())
        error = float(np.abs(analytic - numeric).max())
    return error / largest if largest > 0 and math.isfinite(largest + error) else math.nan


def small_classes(vocabulary_size: int) -> WordClasses:
    """A quarter of the words alone, the others in classes of three words or a few more."""
    falling = np.arange(vocabulary_size, 0, -1)
    alone = vocabulary_size // 4
    return frequency_classes(falling, alone, (vocabulary_size - alone) // 3)


def _sentences(
    config: ChecksConfig, truncation_depth: int | None, rng: np.random.Generator
) -> list[Ids]:
    """Sentences of different lengths, all more than depth + 2 words long, so that the truncation
    bites.
    """
    words = config.vocabulary_size
    shortest = (truncation_depth or 0) + 3
    lengths = range(shortest, shortest + config.sentences)
    sentences = [rng.integers(words, size=n + 1).astype(np.int32) for n in lengths]
    sentences[0][-1] = words - 1  # so that some word is predicted that shares its class
    return sentences
