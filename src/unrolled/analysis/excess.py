"""How far a network is from the least loss that its text allows.

Where the text was drawn from a grammar, nothing can predict it better than the grammar does: its
own loss on the very sentences of the test is the floor. A network's excess over it is a difference
between paired losses, so that most of the chance in which sentences were drawn cancels.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unrolled.model.network import Network
from unrolled.text.dataset import Dataset
from unrolled.training.batches import ordered_batches

Losses = NDArray[np.float64]


@dataclass(frozen=True)
class Excess:
    """A network's loss less the grammar's, in nats per token.

    Attributes:
        excess_nats_per_token: below zero only by chance.
        excess_standard_error: of that, as sentences were drawn by chance.
    """

    excess_nats_per_token: float
    excess_standard_error: float


def token_losses(network: Network, dataset: Dataset) -> Losses:
    """(predictions,) the loss of each token of a split in nats, ends included, as they stand; the
    state begins with zeros at each sentence.
    """
    losses = np.empty(dataset.prediction_count)
    filled = 0
    for sentences in _losses_by_sentence(network, dataset):
        found = np.concatenate(sentences)
        losses[filled : filled + len(found)] = found
        filled += len(found)
    return losses


def sentence_losses(network: Network, dataset: Dataset) -> Losses:
    """(sentences,) the losses of each sentence's tokens added up; as `token_losses`."""
    sums = [
        np.add.reduceat(np.concatenate(sentences), _starts(sentences))
        for sentences in _losses_by_sentence(network, dataset)
    ]
    return np.concatenate(sums)


def _losses_by_sentence(network: Network, dataset: Dataset) -> Iterator[list[Losses]]:
    """The losses of each sentence's tokens as they stand, some sentences at a time."""
    for batch in ordered_batches(dataset, carry_state=False):
        losses = network.losses(batch)[batch.by_sentence].astype(np.float64)
        packed = np.split(losses, batch.sentence_starts[1:-1])
        yield [packed[place] for place in np.argsort(batch.order)]


def _starts(sentences: list[Losses]) -> NDArray[np.int64]:
    """Where each sentence begins when they stand one after the other."""
    lengths = np.array([0, *map(len, sentences[:-1])])
    return np.cumsum(lengths)


def excess(losses: Losses, floor: Losses, token_counts: NDArray[np.int64]) -> Excess:
    """How much a network loses over the floor.

    Args:
        losses: (sentences,) the network's, in nats.
        floor: (sentences,) the grammar's.
        token_counts: (sentences,) predicted tokens.

    Source: Cochran, Sampling Techniques (1977), section 6.3, for the error of a ratio of two means.
    """
    count, tokens = len(losses), int(token_counts.sum())
    ratio = float((losses - floor).sum()) / tokens
    residuals = losses - floor - ratio * token_counts
    variance = float(residuals @ residuals) * count / max(1, count - 1)
    return Excess(ratio, math.sqrt(variance) / tokens)
