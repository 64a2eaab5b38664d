"""What training a run is likely to take, by what other runs have taken."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from unrolled.model.cells import CELLS
from unrolled.model.initialisation import parameter_shapes
from unrolled.model.output.softmax import CHUNK_BYTES
from unrolled.stages.resources import NUMBER_BYTES, copies_in_training

EMPTY_MB = 125
"""What an interpreter takes that has loaded NumPy and this package; measured."""

MEGABYTE = 2**20

LOGITS = 3
"""So many arrays of their size: they, what the softmax makes of them, and what is left over of one
before."""


@dataclass(frozen=True)
class Measured:
    """What a run has taken whose settings are known.

    Attributes:
        settings: of the run.
        tokens_per_second: trained.
        peak_memory_mb: None if it is under way.
    """

    settings: Mapping[str, Any]
    tokens_per_second: float
    peak_memory_mb: float | None = None


@dataclass(frozen=True)
class Corpus:
    """What the time and the memory of a run depend on beside its settings.

    Attributes:
        predictions: those of one epoch.
        sentences: in the training split.
        vocabulary_size: how many words are known.
    """

    predictions: int
    sentences: int
    vocabulary_size: int


def expected_seconds(
    settings: Mapping[str, Any],
    corpus: Corpus | None,
    measured: Sequence[Measured],
    share: float = 1.0,
) -> float | None:
    """How long a share of a run is likely to take, by the run most like it; None without any.

    A run with more work for each token than that one is taken to be slower by as much, which is at
    most so, and one with less as slow, which it is at most, too.
    """
    if corpus is None or not measured:
        return None
    like = _most_alike(settings, measured)
    slower = max(1.0, _work(settings) / _work(like.settings))
    tokens = share * settings["epochs"] * corpus.predictions
    return float(tokens / like.tokens_per_second * slower)


def expected_memory_mb(
    settings: Mapping[str, Any], corpus: Corpus | None, measured: Sequence[Measured]
) -> float | None:
    """How much memory a run is likely to take at most: what the one most like it has taken, and
    what it has more of parameters; without any, by its sizes; None without a corpus.
    """
    if corpus is None:
        return None
    ended = [run for run in measured if run.peak_memory_mb is not None]
    own = _parameters_mb(settings, corpus)
    if not ended:
        return EMPTY_MB + own + _logits_mb(settings, corpus)
    like = _most_alike(settings, ended)
    return (like.peak_memory_mb or 0) + max(0.0, own - _parameters_mb(like.settings, corpus))


def _most_alike(settings: Mapping[str, Any], measured: Sequence[Measured]) -> Measured:
    """Of like work for each token, and of those one of the same cell, depth and output."""

    def difference(run: Measured) -> tuple[float, int]:
        other = run.settings
        keys = ("cell", "truncation_depth", "output", "batch_size")
        work = abs(math.log(_work(settings) / _work(other)))
        return work, sum(settings[key] != other[key] for key in keys)

    return min(measured, key=difference)


def _work(settings: Mapping[str, Any]) -> float:
    """What the matrix products of a token grow with."""
    return float(CELLS[settings["cell"]].BLOCKS * settings["hidden_size"])


def _parameters_mb(settings: Mapping[str, Any], corpus: Corpus) -> float:
    """Of the weights and all that training holds beside them; of a plain softmax."""
    shapes = parameter_shapes(
        settings["cell"],
        corpus.vocabulary_size,
        settings["hidden_size"],
        settings["bias"],
        settings["tied_weights"],
    )
    numbers = copies_in_training(settings["optimiser"]) * sum(map(math.prod, shapes.values()))
    return numbers * NUMBER_BYTES[settings["precision"]] / MEGABYTE


def _logits_mb(settings: Mapping[str, Any], corpus: Corpus) -> float:
    """Of the rows of a batch that are held at once, each with all words."""
    length = corpus.predictions / max(corpus.sentences, 1)
    if settings["carry_state"]:
        length = settings["segment_length"]
    rows = float(settings["batch_size"] * length)
    size = rows * corpus.vocabulary_size * NUMBER_BYTES[settings["precision"]]
    return LOGITS * min(CHUNK_BYTES, size) / MEGABYTE
