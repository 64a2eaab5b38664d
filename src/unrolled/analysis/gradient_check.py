"""Is the gradient that training follows the derivative of what it claims to be?

Truncated back-propagation is not the gradient of the total loss: the loss at time t is held to
depend on the weights only as they act at the steps t-d ... t. The check differentiates that very
function. For the output at t the weights are copied; the copies that act at the steps t-d ... t are
moved by ±h, the state before them stays that of the unmoved weights; the output weights, which act
at t alone, are moved too:

    n = (Σ_t L_t(w + h) - Σ_t L_t(w - h)) / 2h

At full depth this is the plain difference of the total loss. At a finite depth the plain difference
must disagree, and `plain_error` shows that it does.

What is judged is max|a - n| / max|n| over each parameter: the central difference has an error of
the size h² L''' + ε L / h everywhere, which makes the element-wise relative error of a tiny entry
large without anything being wrong.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrolled.config.sections import ChecksConfig
from unrolled.model.initialisation import parameter_shapes
from unrolled.model.network import Network
from unrolled.model.packing import pack
from unrolled.model.types import Gradients, Parameters, RowGradient
from unrolled.text.classes import WordClasses, frequency_classes
from unrolled.text.vocabulary import Ids

TINY = 1e-10
"""An entry whose two values are both below this says nothing about the relative error."""

SPREAD = 0.6
"""Standard deviation of the weights: large enough for the tanh to bend and for a truncation to be
felt.
"""


@dataclass(frozen=True)
class Checked:
    """Which kind of network is checked.

    Attributes:
        cell: its name.
        output: softmax or classes.
        bias: whether it has biases.
        tied: whether input and output weights are tied.
    """

    cell: str
    output: str = "softmax"
    bias: bool = False
    tied: bool = False


@dataclass(frozen=True)
class ParameterCheck:
    """How the gradient of one parameter compares.

    Attributes:
        parameter: its name.
        error: max|a - n| / max|n|, NaN if anything is not finite or nothing differs from zero.
        worst_index: where |a - n| is largest, or where a value is not finite.
        analytic: the value of back-propagation there.
        numeric: the value of the central difference there.
        relative_errors: |a - n| / (|a| + |n|) of every entry that is not tiny.
        tiny_count: entries left out of `relative_errors`, both their values being tiny.
        plain_error: `error` against the plain difference of the total loss.
    """

    parameter: str
    error: float
    worst_index: tuple[int, ...]
    analytic: float
    numeric: float
    relative_errors: NDArray[np.float64]
    tiny_count: int
    plain_error: float

    def passes(self, tolerance: float) -> bool:
        """Whether the error is a number within the tolerance and anything was compared."""
        return len(self.relative_errors) > 0 and self.error <= tolerance  # NaN <= x is False


def check_gradients(
    checked: Checked, config: ChecksConfig, truncation_depth: int | None
) -> list[ParameterCheck]:
    """A network's gradients against central differences, for every entry of every parameter."""
    rng = np.random.default_rng(config.seed)
    network = _small_network(checked, config, rng)
    sentences = _sentences(config, truncation_depth, rng)
    _, gradients = network.loss_and_gradients(pack(sentences), truncation_depth)
    return compare(network, sentences, gradients, truncation_depth, config.step)


def compare(
    network: Network,
    sentences: Sequence[Ids],
    gradients: Gradients,
    truncation_depth: int | None,
    step: float,
) -> list[ParameterCheck]:
    """Gradients, wherever they come from, against central differences of the windowed loss."""
    checks = []
    for name, parameter in network.parameters.items():
        gradient = gradients[name]
        analytic = gradient.dense(len(parameter)) if isinstance(gradient, RowGradient) else gradient
        numeric = _differences(network, sentences, name, truncation_depth, step)
        plain = (
            numeric
            if truncation_depth is None
            else _differences(network, sentences, name, None, step)
        )
        checks.append(_parameter_check(name, analytic, numeric, plain))
    return checks


def windowed_loss(
    network: Network, moved: Parameters, sentences: Sequence[Ids], truncation_depth: int | None
) -> float:
    """The loss in nats summed over all outputs, each seeing `moved` weights in its own window."""
    total = 0.0
    copy = replace(network, parameters=moved)
    for ids in sentences:
        states = _windowed_states(network, copy, ids[:-1], truncation_depth)
        hidden = states[:, : network.hidden_size]
        scores = copy.output.log_probabilities(hidden)
        total -= float(scores[np.arange(len(hidden)), ids[1:]].sum())
    return total


def _windowed_states(
    network: Network, moved: Network, words: Ids, truncation_depth: int | None
) -> NDArray[Any]:
    """The state at each output t, made by moved weights at the steps t-d ... t.

    All windows are stepped together: after the turn of a lag, row t holds the state at step t-lag.

    Returns:
        (words, parts * hidden).
    """
    length = len(words)
    depth = length - 1 if truncation_depth is None else min(truncation_depth, length - 1)
    unmoved = network.forward(pack([np.append(words, words[:1])])).trace.states
    states = np.zeros_like(unmoved)
    states[depth + 1 :] = unmoved[: length - depth - 1]  # the states that the windows start from
    for lag in range(depth, -1, -1):
        states[lag:] = moved.step(words[: length - lag], states[lag:])
    return states


def _differences(
    network: Network,
    sentences: Sequence[Ids],
    name: str,
    truncation_depth: int | None,
    step: float,
) -> NDArray[np.float64]:
    """The central difference for every entry of one parameter."""
    moved = {key: parameter.copy() for key, parameter in network.parameters.items()}
    differences = np.empty(moved[name].shape)
    for index in np.ndindex(differences.shape):
        losses = []
        for signed_step in (step, -step):
            moved[name][index] = network.parameters[name][index] + signed_step
            losses.append(windowed_loss(network, moved, sentences, truncation_depth))
        moved[name][index] = network.parameters[name][index]
        differences[index] = (losses[0] - losses[1]) / (2 * step)
    return differences


def _parameter_check(
    name: str, analytic: NDArray[Any], numeric: NDArray[Any], plain: NDArray[Any]
) -> ParameterCheck:
    difference = np.abs(analytic - numeric)
    # argmax takes the first NaN for the largest value, which is what is wanted here
    worst = tuple(int(part) for part in np.unravel_index(np.argmax(difference), difference.shape))
    size = np.abs(analytic) + np.abs(numeric)
    telling = ~(size < 2 * TINY)
    with np.errstate(invalid="ignore"):  # infinity over infinity: NaN, which fails like infinity
        relative_errors = difference[telling] / size[telling]
    return ParameterCheck(
        parameter=name,
        error=_largest_error(analytic, numeric),
        worst_index=worst,
        analytic=float(analytic[worst]),
        numeric=float(numeric[worst]),
        relative_errors=relative_errors,
        tiny_count=int(np.count_nonzero(~telling)),
        plain_error=_largest_error(analytic, plain),
    )


def _largest_error(analytic: NDArray[Any], numeric: NDArray[Any]) -> float:
    """max|a - n| / max|n|; NaN if either is not finite or all differences are zero."""
    largest = float(np.abs(numeric).max())
    error = float(np.abs(analytic - numeric).max())
    return error / largest if largest > 0 and math.isfinite(largest + error) else math.nan


def _small_network(checked: Checked, config: ChecksConfig, rng: np.random.Generator) -> Network:
    words, hidden = config.vocabulary_size, config.hidden_size
    classes = _small_classes(words) if checked.output == "classes" else None
    shapes = parameter_shapes(checked.cell, words, hidden, checked.bias, checked.tied, classes)
    parameters: Parameters = {name: rng.normal(0, SPREAD, shape) for name, shape in shapes.items()}
    return Network(parameters, checked.cell, classes)


def _small_classes(vocabulary_size: int) -> WordClasses:
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
