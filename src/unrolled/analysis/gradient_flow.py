"""How far back gradients travel in a trained network, and what truncation does to them.

The loss at t knows of the word k steps back by way of k steps of the cell. How much of its gradient
arrives there is measured where that word enters, at its projection u:

    norm_k(t) = |dL_t / du_{t-k}|        Euclidean, along the whole chain, nothing being cut off

which means the same for every cell: how much a change of the word read k steps back would change
the loss at t. Where the ratio norm_k / norm_0 falls by a factor with every lag, gradients vanish;
where it rises, they explode.

Everything is done in double precision, whatever the network was trained in: what has vanished is
small beside what has not.

Source: Bengio, Simard & Frasconi, Learning Long-Term Dependencies with Gradient Descent Is
Difficult (1994); Pascanu, Mikolov & Bengio, On the Difficulty of Training Recurrent Neural Networks
(2013).
"""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from unrolled.model import bptt
from unrolled.model.arguments import require_at_least
from unrolled.model.network import Network
from unrolled.model.packing import PackedBatch
from unrolled.model.types import Array, Gradients, Parameters, RowGradient

BEFORE_OUTPUT = ("input_weights", "input_projection", "recurrent_weights", "bias")
"""The parameters that act through the hidden states alone; a network has some of them.

The gradient of the output layer's own parameters is the same at every depth: with it all depths
would look alike. Tied output weights have a part in both and are left out.
"""


@dataclass(frozen=True)
class LagArrival:
    """What arrives so many steps back, over all outputs with as many words before them.

    The share is a mean of the ratios in which each output counts by its norm at lag 0. A plain mean
    would be ruled by a few outputs whose norm at lag 0 is next to nothing, because a saturated step
    lets nothing through to the last word: their ratios are huge and say little of training.

    Attributes:
        lag: how many steps back.
        outputs: how many they are, not counting those whose gradient at lag 0 is zero.
        share: the sum of their norms at this lag over the sum of their norms at lag 0.
        lower_quartile: of the ratios norm_k / norm_0, each of one output.
        median: likewise.
        upper_quartile: likewise.
    """

    lag: int
    outputs: int
    share: float
    lower_quartile: float
    median: float
    upper_quartile: float


@dataclass(frozen=True)
class Arrival:
    """How much of the losses' gradients arrives at each lag.

    Attributes:
        lags: from 0 on, as long as there are outputs. They are fewer at each lag; those of a long
            one stand late in long sentences.
        left_out: outputs whose gradient at lag 0 is zero, for they have no ratio.
    """

    lags: Sequence[LagArrival]
    left_out: int


@dataclass(frozen=True)
class Cosine:
    """How a truncated gradient compares with the full one.

    Attributes:
        depth: how many steps back each loss reaches.
        cosine: of the angle between both; None where either is zero.
        length_ratio: the length of the truncated one over that of the full one; None where the
            latter is zero.
    """

    depth: int
    cosine: float | None
    length_ratio: float | None


def arrival(network: Network, batch: PackedBatch, deepest: int) -> Arrival:
    """How much of the losses' gradients arrives at each lag.

    Args:
        network: a trained one.
        batch: the sentences, each begun with a state of zeros.
        deepest: the longest lag.

    Raises:
        ConfigError: the longest lag is below 0.
        DataError: an id is not one of the vocabulary.
    """
    norms = norms_by_lag(network, batch, deepest)
    pairs = [(arrived, norms[0][-len(arrived) :]) for arrived in norms]
    lags = [
        _lag_arrival(lag, arrived[own > 0], own[own > 0])
        for lag, (arrived, own) in enumerate(pairs)
        if own.any()
    ]
    return Arrival(lags, left_out=int(np.count_nonzero(norms[0] == 0)))


def norms_by_lag(network: Network, batch: PackedBatch, deepest: int) -> list[Array]:
    """The norms at lag 0, 1 and so on up to the deepest, or to the start of the longest sentence.

    Arguments and errors are those of `arrival`.

    Returns:
        of each lag (outputs,): of those with as many words before them, which in a batch are all
        rows from time step `lag` on.
    """
    require_at_least("deepest", deepest, 0)
    network = in_double_precision(network)
    forward = network.forward(batch)
    d_hidden = network.output.loss_and_gradients(forward.hidden, batch.targets).d_hidden
    walk = _word_gradients_by_lag(network, batch, forward.trace, d_hidden)
    return [np.linalg.norm(d_word, axis=1) for d_word in itertools.islice(walk, deepest + 1)]


def truncation_cosines(network: Network, batch: PackedBatch, depths: Sequence[int]) -> list[Cosine]:
    """How the truncated gradient of the summed loss compares with the full one, at each depth.

    Compared are the gradients of all of `BEFORE_OUTPUT` together.

    Args:
        network: a trained one.
        batch: the sentences, each begun with a state of zeros.
        depths: as `Network.loss_and_gradients` takes them.

    Raises:
        ConfigError: a depth is below 0.
        DataError: an id is not one of the vocabulary.
    """
    network = in_double_precision(network)
    forward = network.forward(batch)

    def gradient(depth: int | None) -> Array:
        return _before_output(network.loss_and_gradients(batch, depth, forward)[1])

    full = gradient(None)
    return [_cosine(depth, gradient(depth), full) for depth in depths]


def singular_values(recurrent_weights: Array, blocks: int) -> Array:
    """(blocks, hidden), the singular values of each square block, the largest first.

    Args:
        recurrent_weights: (blocks * hidden, hidden), a block for each of the cell's `GATES`.
        blocks: how many they are.
    """
    size = recurrent_weights.shape[1]
    squares = recurrent_weights.astype(np.float64).reshape(blocks, size, size)
    values: Array = np.linalg.svd(squares, compute_uv=False)
    return values


def in_double_precision(network: Network) -> Network:
    """The same network with weights of double precision."""
    parameters: Parameters = {
        name: array.astype(np.float64) for name, array in network.parameters.items()
    }
    return replace(network, parameters=parameters)


def _word_gradients_by_lag(
    network: Network, batch: PackedBatch, trace: bptt.Trace, d_hidden: Array
) -> Iterator[Array]:
    """dL_t / du_{t-k} for k = 0, 1 and so on, (outputs, blocks * hidden) each.

    A row is carried back for each output. Rows going by time step, the first ones are always those
    that come to the start of their sentence.
    """
    cell, weights = network.cell, network.parameters["recurrent_weights"]
    slopes = cell.slopes(trace.previous, trace.states, trace.memory)
    d_rest: Array = np.zeros((batch.positions, (cell.PARTS - 1) * network.hidden_size))
    at = np.arange(batch.positions)  # the step to which each output's gradient has come
    for at_start in np.diff(batch.step_starts):
        d_sums, d_before, d_rest = cell.step_backward(d_hidden, d_rest, slopes[at])
        yield cell.word_gradient(d_sums)
        d_hidden = cell.recurrent_gradient(d_sums[at_start:]) @ weights
        if d_before is not None:
            d_hidden += d_before[at_start:]
        d_rest = d_rest[at_start:]
        at = batch.previous[at[at_start:]]


def _lag_arrival(lag: int, arrived: Array, own: Array) -> LagArrival:
    """The summary of one lag.

    Args:
        lag: which.
        arrived: (outputs,) the norms at this lag.
        own: (outputs,) the norms of the same outputs at lag 0, none of them zero.
    """
    share = float(arrived.sum() / own.sum())
    quartiles = np.quantile(arrived / own, [0.25, 0.5, 0.75]).tolist()
    return LagArrival(lag, len(own), share, *quartiles)


def _before_output(gradients: Gradients) -> Array:
    """All numbers of those gradients one after the other, words that do not occur left out."""
    found = [gradients[name] for name in BEFORE_OUTPUT if name in gradients]
    arrays = [array.values if isinstance(array, RowGradient) else array for array in found]
    return np.concatenate([array.ravel() for array in arrays])


def _cosine(depth: int, truncated: Array, full: Array) -> Cosine:
    square, full_square = float(truncated @ truncated), float(full @ full)
    return Cosine(
        depth,
        # the root of the product, not the product of the roots: of equal gradients it is exactly 1
        cosine=_ratio(float(truncated @ full), math.sqrt(square * full_square)),
        length_ratio=_ratio(math.sqrt(square), math.sqrt(full_square)),
    )


def _ratio(value: float, base: float) -> float | None:
    return value / base if base > 0 else None
