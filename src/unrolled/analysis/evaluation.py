"""How well a trained network predicts a split, and the user's own sentences."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from unrolled.analysis.measures import perplexity
from unrolled.errors import DataError
from unrolled.model.network import Network
from unrolled.model.packing import pack
from unrolled.text.dataset import Dataset
from unrolled.text.vocabulary import UNKNOWN, Vocabulary
from unrolled.training.batches import ordered_batches


@dataclass(frozen=True)
class Score:
    """A split's figures."""

    loss_nats_per_token: float
    perplexity: float
    next_word_accuracy: float
    """Share of tokens, ends included, that were the model's first guess."""


def evaluate(network: Network, dataset: Dataset, carry_state: bool = False) -> Score:
    """How well the network predicts each token of a split, ends included.

    Args:
        network: what is scored.
        dataset: the split.
        carry_state: whether the state goes on from sentence to sentence of a document.

    Raises:
        DataError: the loss is not finite.
    """
    total, hits = 0.0, 0
    with np.errstate(all="ignore"):  # what is not finite is found and named below
        for batch, forward in network.passes(ordered_batches(dataset, carry_state)):
            losses, batch_hits = network.losses_and_hits(batch, forward)
            total += float(losses.sum(dtype=np.float64))
            hits += int(batch_hits.sum())
    loss = total / dataset.prediction_count
    if not math.isfinite(loss):
        raise DataError(f"the network's loss is {loss}, its weights being too large")
    return Score(loss, perplexity(loss), hits / dataset.prediction_count)


@dataclass(frozen=True)
class ScoredSentence:
    """One sentence under a model: log P(w_1, ..., w_m, end) = Σ log P(w_i | w_1 ... w_{i-1})."""

    words: Sequence[str]
    tokens: Sequence[str]
    """What the model saw, the end last."""
    unknown: Sequence[bool]
    """Whether each token stands for a word that the model does not know."""
    log_probabilities: Sequence[float]
    """Of each token, in nats."""

    @property
    def log_probability(self) -> float:
        """Of the whole sentence with its end, in nats."""
        return sum(self.log_probabilities)


def score_sentence(
    network: Network, vocabulary: Vocabulary, words: Sequence[str]
) -> ScoredSentence:
    """A sentence's log-probability, as a whole and word by word."""
    ids = vocabulary.encode(words)
    losses = network.losses(pack([ids]))
    return ScoredSentence(
        words,
        tokens=vocabulary.decode(ids[1:]),
        unknown=[bool(index == UNKNOWN) for index in ids[1:]],
        log_probabilities=[-float(loss) for loss in losses],
    )
