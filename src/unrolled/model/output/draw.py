"""Choices, drawn by chance."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float64]


def draw(scores: Scores, rngs: Sequence[np.random.Generator]) -> NDArray[np.integer[Any]]:
    """(rows,) the index of a choice in each row, drawn with probabilities in proportion to
    exp(scores).

    Args:
        scores: (rows, choices), -inf where a choice is never drawn; in each row one is finite.
        rngs: for each row one, of which a number is drawn.
    """
    limits = np.cumsum(np.exp(scores - scores.max(axis=1, keepdims=True)), axis=1)
    chances = np.array([rng.random() for rng in rngs])
    # never beyond the last limit: a number below one makes a product below the other factor
    drawn = chances[:, np.newaxis] * limits[:, -1:]
    reached: NDArray[np.integer[Any]] = np.count_nonzero(limits <= drawn, axis=1)
    return reached


def tempered(log_probabilities: Scores, temperature: float) -> Scores:
    """Scores by which a temperature below 1 prefers likely choices, one above 1 evens them out.

    At a tiny temperature all but the best become -inf, as they should.

    Args:
        log_probabilities: (rows, choices).
        temperature: above 0.
    """
    with np.errstate(over="ignore"):
        best = log_probabilities.max(axis=1, keepdims=True)
        scores: Scores = (log_probabilities - best) / temperature
    return scores


def tempered_share(log_probabilities: Scores, temperature: float) -> Scores:
    """(rows,) T log Σ exp(log_probabilities / T): what choices have together at a temperature T.

    At a tiny temperature it is what the best of them has, and it is -inf where none has anything.
    """
    best = log_probabilities.max(axis=1)
    best[np.isneginf(best)] = 0
    with np.errstate(over="ignore", divide="ignore"):
        sums = np.exp((log_probabilities - best[:, np.newaxis]) / temperature).sum(axis=1)
        share: Scores = best + temperature * np.log(sums)
    return share
