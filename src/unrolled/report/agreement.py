"""The loss of agreeing words, put together over seeds, as the report draws and tells it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from unrolled.config.sweep import depth_order

Row = Mapping[str, str]

SETTINGS = ["cell", "hidden_size", "truncation_depth", "seed"]
LOSSES = ["distance", "words", "loss_nats", "standard_error", "floor_nats"]
COLUMNS = ["experiment", "run", *SETTINGS, "further", *LOSSES, "chance_nats"]
"""Of the table of all runs."""

LEAST_WORDS = 30
"""The mean of fewer words says more of these few than of the run."""

SETTING = ("experiment", "cell", "hidden_size", "further", "truncation_depth")
"""What the runs of a curve have in common."""


@dataclass(frozen=True)
class Curve:
    """The loss of agreeing words by distance, of runs that differ in nothing but their seed.

    Attributes:
        experiment: its name.
        cell: likewise.
        hidden_size: likewise.
        further: what else tells the runs from others, in words.
        depth: at which gradients were truncated.
        losses: in nats above the grammar's own, by distance, one for each seed.
        chance: what it costs to know no more than how frequent each agreeing word is.
    """

    experiment: str
    cell: str
    hidden_size: str
    further: str
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
            groups.setdefault(tuple(row[key] for key in SETTING), []).append(row)
    experiments = list(dict.fromkeys(row["experiment"] for row in rows))
    return sorted(
        map(_curve, groups.values()),
        key=lambda curve: (
            experiments.index(curve.experiment),
            curve.cell,
            int(curve.hidden_size),
            curve.further,
            depth_order(curve.depth),
        ),
    )


def _curve(rows: Sequence[Row]) -> Curve:
    first = rows[0]
    losses: dict[int, list[float]] = {}
    for row in sorted(rows, key=lambda row: int(row["distance"])):
        above = float(row["loss_nats"]) - float(row["floor_nats"])
        losses.setdefault(int(row["distance"]), []).append(above)
    experiment, cell, hidden_size, further, depth = (first[key] for key in SETTING)
    chance = float(first["chance_nats"])
    return Curve(experiment, cell, hidden_size, further, depth, losses, chance)
