"""Draws results/throughput.svg from results/throughput.tsv; it takes no arguments."""

from collections.abc import Mapping
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from unrolled.storage import read_tsv

RESULTS = Path(__file__).parent / "results"
COLOURS = {
    "unrolled": "#0072b2",
    "torch-truncated": "#d55e00",
    "torch-tuned": "#e69f00",
    "torch": "#c9b99a",
}
"""Told apart by colour-blind eyes as well."""


def label(row: Mapping[str, str]) -> str:
    """A setting in words; batch and precision where they are not the usual ones."""
    cell = {"elman": "Elman", "gru": "GRU", "lstm": "LSTM"}[row["cell"]]
    words = int(row["vocabulary_size"])
    text = f"{cell}, hidden {row['hidden_size']}, {words:,} words"
    if row["batch_size"] != "32":
        text += f", batch {row['batch_size']}"
    return text + (", double" if row["dtype"] == "float64" else "")


def main() -> None:
    mpl.rcParams |= {"svg.hashsalt": "unrolled", "svg.fonttype": "none", "font.size": 9}
    groups: dict[str, dict[str, float]] = {}
    for row in read_tsv(RESULTS / "throughput.tsv"):
        if row["contender"] == "tutorial":
            continue
        # one depth of each setting; depths are in the table
        groups.setdefault(label(row), {}).setdefault(
            row["contender"], float(row["ratio_to_tuned_torch"])
        )
    figure = Figure(figsize=(8, 0.62 * len(groups) + 1.1), layout="constrained")
    axis = figure.add_subplot()
    for place, ratios in enumerate(groups.values()):
        height = 0.8 / len(ratios)
        for number, contender in enumerate(name for name in COLOURS if name in ratios):
            ratio = ratios[contender]
            y = place + (number - (len(ratios) - 1) / 2) * height
            axis.barh(y, ratio, height * 0.9, color=COLOURS[contender])
            axis.text(ratio + 0.01, y, f"{ratio:.2f}", va="center", fontsize=7)
    axis.set_yticks(range(len(groups)), list(groups))
    axis.invert_yaxis()
    axis.axvline(1, color="#808080", linewidth=0.8, zorder=0)
    axis.set_xlabel("training speed, PyTorch's own layer with a tuned allocator being 1")
    axis.spines[["top", "right"]].set_visible(False)
    shown = [name for name in COLOURS if any(name in ratios for ratios in groups.values())]
    handles = [Patch(color=COLOURS[name], label=name) for name in shown]
    figure.legend(handles=handles, loc="outside upper center", ncols=len(shown), frameon=False)
    figure.savefig(RESULTS / "throughput.svg", metadata={"Date": None})


if __name__ == "__main__":
    main()
