"""How well a trained network predicts a split, and the user's own sentences."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from unrolled.analysis.measures import perplexity
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


def evaluate(network: Network, dataset: Dataset) -> Score:
    """How well the network predicts each token of a split, ends included."""
    total, hits = 0.0, 0
    for batch in ordered_batches(dataset):
        losses, batch_hits = network.losses_and_hits(batch)
        total += float(losses.sum(dtype=np.float64))
        hits += int(batch_hits.sum())
    loss = total / dataset.prediction_count
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
    losses, _ = network.losses_and_hits(pack([ids]))
    return ScoredSentence(
        words,
        tokens=vocabulary.decode(ids[1:]),
        unknown=[bool(index == UNKNOWN) for index in ids[1:]],
        log_probabilities=[-float(loss) for loss in losses],
    )
