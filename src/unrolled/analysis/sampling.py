"""Sentences drawn from a trained network."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unrolled.config.sections import SamplingConfig
from unrolled.model.network import Network
from unrolled.text.vocabulary import END, START, UNKNOWN

NEVER_DRAWN = [START, UNKNOWN]


@dataclass(frozen=True)
class Sample:
    """One sentence as drawn."""

    ids: list[int]
    """Without start and end."""
    log_probability: float
    """The network's own, in nats: unmasked and at temperature 1, the end included where it came."""
    ended: bool
    """Whether the end was drawn; if not, the sentence was cut at its greatest length."""


def draw_sentence(network: Network, config: SamplingConfig, rng: np.random.Generator) -> Sample:
    """A sentence drawn word by word; the hidden state is carried along, so it costs its length.

    The unknown word and the start are never drawn, the end not before `minimum_words`; what remains
    is renormalised.
    """
    ids: list[int] = []
    log_probability = 0.0
    state, word = None, START
    while len(ids) < config.maximum_words:
        state, rows = network.step(np.array([word], dtype=np.int32), state)
        log_probabilities = rows[0].astype(np.float64)
        may_end = len(ids) >= config.minimum_words
        probabilities = _masked(log_probabilities, config.temperature, may_end)
        word = int(rng.choice(len(probabilities), p=probabilities))
        log_probability += float(log_probabilities[word])
        if word == END:
            return Sample(ids, log_probability, ended=True)
        ids.append(word)
    return Sample(ids, log_probability, ended=False)


def _masked(
    log_probabilities: NDArray[np.float64], temperature: float, may_end: bool
) -> NDArray[np.float64]:
    """The distribution that is drawn from, however small the share of what remains."""
    scores = log_probabilities.copy()
    scores[NEVER_DRAWN] = -np.inf
    if not may_end:
        scores[END] = -np.inf
    # at a tiny temperature all but the best become -inf, as they should
    with np.errstate(over="ignore"):
        scores = (scores - scores.max()) / temperature
    weights = np.exp(scores)
    distribution: NDArray[np.float64] = weights / weights.sum()
    return distribution
