"""The loss of agreeing words, put together over seeds, as the report draws and tells it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from unrolled.config.sweep import depth_order

Row = Mapping[str, str]

LEAST_WORDS = 30
"""The mean of fewer words says more of these few than of the run."""


@dataclass(frozen=True)
class Curve:
    """The loss of agreeing words by distance, of runs that differ in nothing but their seed.

    Attributes:
        experiment: its name.
        cell: likewise.
        hidden_size: likewise.
        depth: at which gradients were truncated.
        losses: in nats, by distance, one for each seed.
        chance: the loss if nothing is known but how frequent each agreeing word is.
    """

    experiment: str
    cell: str
    hidden_size: str
    depth: str
    losses: Mapping[int, Sequence[float]]
    chance: float

    @property
    def means(self) -> dict[int, float]:
        """Over the seeds, by distance."""
        return {distance: fmean(losses) for distance, losses in self.losses.items()}

    @property
    def reach(self) -> int | None:
        """The longest distance up to which less than half of the chance loss is left; None if there
        is none.
        """
        reached = None
        for distance, mean in self.means.items():
            if mean >= self.chance / 2:
                break
            reached = distance
        return reached


def curves(rows: Sequence[Row]) -> list[Curve]:
    """The curves of all experiments, in their order; by cell, hidden size, then depth."""
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        if int(row["words"]) >= LEAST_WORDS:
            key = (row["experiment"], row["cell"], row["hidden_size"], row["truncation_depth"])
            groups.setdefault(key, []).append(row)
    experiments = list(dict.fromkeys(row["experiment"] for row in rows))
    return sorted(
        map(_curve, groups.values()),
        key=lambda curve: (
            experiments.index(curve.experiment),
            curve.cell,
            int(curve.hidden_size),
            depth_order(curve.depth),
        ),
    )


def _curve(rows: Sequence[Row]) -> Curve:
    first = rows[0]
    losses: dict[int, list[float]] = {}
    for row in sorted(rows, key=lambda row: int(row["distance"])):
        losses.setdefault(int(row["distance"]), []).append(float(row["loss_nats"]))
    return Curve(
        first["experiment"],
        first["cell"],
        first["hidden_size"],
        first["truncation_depth"],
        losses,
        float(first["chance_nats"]),
    )
