"""How gradients travel in a run, as the report reads and tells it."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from unrolled.model.cells.cell import Activation
from unrolled.storage import read_tsv

Rows = Sequence[dict[str, str]]

LEAST_OUTPUTS = 30
"""The share of fewer outputs says more of these few than of the run."""


@dataclass(frozen=True)
class Histogram:
    """What one function was given.

    Attributes:
        function: which.
        edges: of the bins, ascending, one more than there are bins; the outer bins are open.
        shares: of the arguments, in each bin.
        saturated_share: of the values.
    """

    function: Activation
    edges: Sequence[float]
    shares: Sequence[float]
    saturated_share: float


@dataclass(frozen=True)
class Flow:
    """The tables of one run, without rows if it diverged.

    Their columns are those of `unrolled.stages.gradient_flow`.
    """

    arrival: Rows
    cosines: Rows
    singular_values: Rows
    activations: Rows
    saturation: Rows

    @property
    def shares(self) -> dict[int, float]:
        """How much of the gradient arrives, by the lag, as far back as there are outputs enough."""
        return {
            int(row["lag"]): float(row["share"])
            for row in self.arrival
            if int(row["outputs"]) >= LEAST_OUTPUTS
        }

    @property
    def cosine_by_depth(self) -> dict[int, float]:
        """The cosine of truncated and full gradient; depths where there is none are left out."""
        return {int(row["depth"]): float(row["cosine"]) for row in self.cosines if row["cosine"]}

    @property
    def singular_values_by_gate(self) -> dict[str, dict[str, list[float]]]:
        """Those `before` and `after` training of each gate, the largest first."""
        found: dict[str, dict[str, list[float]]] = {}
        for row in self.singular_values:
            gate = found.setdefault(row["gate"], {"before": [], "after": []})
            for when, values in gate.items():
                values.append(float(row[when]))
        return found

    @property
    def histograms(self) -> dict[str, Histogram]:
        """What each of the cell's functions was given."""
        saturated = self.saturated_shares
        rows: dict[str, list[dict[str, str]]] = {name: [] for name in saturated}
        for row in self.activations:
            rows[row["activation"]].append(row)
        return {name: _histogram(rows[name], saturated[name]) for name in saturated}

    @property
    def saturated_shares(self) -> dict[str, float]:
        """The share of saturated values, by the activation."""
        return {row["activation"]: float(row["saturated_share"]) for row in self.saturation}


def read_flow(folder: Path) -> Flow:
    """The tables in a run's folder of them.

    Raises:
        DataError: one of them is missing, or not a table.
    """
    return Flow(**{field.name: read_tsv(folder / f"{field.name}.tsv") for field in fields(Flow)})


def _histogram(bins: Rows, saturated_share: float) -> Histogram:
    return Histogram(
        "tanh" if bins[0]["function"] == "tanh" else "sigmoid",
        [float(row["from"]) for row in bins] + [float(bins[-1]["to"])],
        [float(row["share"]) for row in bins],
        saturated_share,
    )
