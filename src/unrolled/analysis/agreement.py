"""How well a network knows the words that agree with a word far before them, by distance."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class AgreementLoss:
    """The loss of agreeing words at one distance, in nats.

    Attributes:
        distance: how many words lie between the two.
        words: how many agreeing words there are.
        loss_nats: the network's mean loss of them.
        standard_error: of that mean; 0 for a single word.
        floor_nats: the grammar's mean loss of them.
    """

    distance: int
    words: int
    loss_nats: float
    standard_error: float
    floor_nats: float


def by_distance(
    distances: NDArray[np.int64], losses: NDArray[np.float64], floor: NDArray[np.float64]
) -> Sequence[AgreementLoss]:
    """The losses of agreeing words put together by distance, the shortest first.

    Args:
        distances: (words,) of each agreeing word from the one that it agrees with.
        losses: (words,) the network's.
        floor: (words,) the grammar's.
    """
    return [
        _mean(distance, losses[distances == distance], floor[distances == distance])
        for distance in np.unique(distances).tolist()
    ]


def _mean(distance: int, losses: NDArray[np.float64], floor: NDArray[np.float64]) -> AgreementLoss:
    spread = float(losses.std(ddof=1)) if len(losses) > 1 else 0.0
    return AgreementLoss(
        distance,
        len(losses),
        float(losses.mean()),
        spread / math.sqrt(len(losses)),
        float(floor.mean()),
    )
