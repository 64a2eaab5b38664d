"""What a caller of the reference model may get wrong, each refused in one line."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrolled.errors import ConfigError, DataError

FloatArray = NDArray[np.float64]
Ids = Sequence[int] | NDArray[np.integer[Any]]


def require_matrix(name: str, weights: FloatArray, shape: tuple[int, ...]) -> None:
    """Refuse weights that are not double precision, not a matrix, or of another shape."""
    if weights.dtype != np.float64:
        raise DataError(f"{name} must be float64 (got {weights.dtype})")
    if weights.ndim != 2 or weights.size == 0:
        raise DataError(f"{name} must be a matrix with entries (got shape {weights.shape})")
    if weights.shape != shape:
        raise DataError(
            f"{name} must have shape {shape} to fit input_weights (got {weights.shape})"
        )


def checked_ids(name: str, ids: Ids, vocabulary_size: int) -> list[int]:
    """The ids as plain integers, if they are a row of words of the vocabulary."""
    array = np.asarray(ids)
    if array.ndim != 1 or array.size == 0:
        raise DataError(f"{name} must be a row of one word id or more (got shape {array.shape})")
    if not np.issubdtype(array.dtype, np.integer):
        raise DataError(f"{name} must be integers (got {array.dtype})")
    words: list[int] = array.tolist()
    for position, word in enumerate(words):
        if not 0 <= word < vocabulary_size:
            raise DataError(f"{name}[{position}] must be 0 to {vocabulary_size - 1} (got {word})")
    return words


def checked_targets(inputs: Ids, targets: Ids, vocabulary_size: int) -> list[int]:
    """The targets as plain integers, if there is one for each input."""
    if len(inputs) != len(targets):
        raise DataError(f"targets must be as many as inputs, {len(inputs)} (got {len(targets)})")
    return checked_ids("targets", targets, vocabulary_size)


def checked_depth(truncation_depth: int | None, steps: int) -> int:
    """How many steps back a sentence's gradients may walk."""
    if truncation_depth is None:
        return steps
    if truncation_depth < 0:
        raise ConfigError(
            f"truncation_depth must be 0 or more, or None for full depth (got {truncation_depth})"
        )
    return truncation_depth


def require_nothing_cut_off(truncation_depth: int | None, steps: int) -> None:
    """Refuse a truncation that a difference of the whole loss would not feel."""
    if checked_depth(truncation_depth, steps) < steps - 1:
        raise ConfigError(
            f"truncation_depth must be {steps - 1} or more, or None, to check a sentence of "
            f"{steps} words against its whole loss (got {truncation_depth})"
        )


def require_sentences(name: str, sentences: Sequence[object]) -> None:
    """Refuse to work on nothing."""
    if len(sentences) == 0:
        raise DataError(f"{name} needs one sentence or more (got 0)")


def require_at_least(name: str, value: int, minimum: int) -> None:
    """Refuse a number below its least."""
    if value < minimum:
        raise ConfigError(f"{name} must be {minimum} or more (got {value})")


def require_positive(name: str, value: float, below: float = math.inf) -> None:
    """Refuse a number that is not between zero and a bound."""
    if not 0 < value < below:  # so written, it refuses NaN
        raise ConfigError(f"{name} must be above 0 and below {below} (got {value})")
