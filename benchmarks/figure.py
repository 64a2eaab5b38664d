"""Draws throughput.svg and classes.svg from throughput.tsv, and time_to_perplexity.svg from its
table, where there is one; all in results/. It takes no arguments.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from unrolled.storage import read_tsv

RESULTS = Path(__file__).parent / "results"
BLUE, ORANGE, GREEN, PINK = "#0072b2", "#e69f00", "#009e73", "#cc79a7"
COLOURS = {
    "unrolled": BLUE,
    "torch-truncated": "#d55e00",
    "torch-tuned": ORANGE,
    "torch": "#c9b99a",
}
"""Told apart by colour-blind eyes as well."""

COLOURS_BESIDE_CLASSES = {
    "torch-tuned": ORANGE,
    "unrolled": BLUE,
    "unrolled-classes": GREEN,
    "faster-rnnlm": "#555555",
}
COLOURS_OF_LEARNERS = {
    "softmax": BLUE,
    "torch-softmax": ORANGE,
    "classes-frequency": GREEN,
    "classes-brown": PINK,
}
MARKERS = dict(zip([*COLOURS_BESIDE_CLASSES, *COLOURS_OF_LEARNERS], "sovDosv^", strict=True))
"""For those who print in grey."""

CORPORA = {"wikitext-2": "WikiText-2", "default": "the default experiment's corpus"}

Row = Mapping[str, str]


def label(row: Row) -> str:
    """A setting in words; batch and precision where they are not the usual ones."""
    cell = {"elman": "Elman", "gru": "GRU", "lstm": "LSTM"}[row["cell"]]
    words = int(row["vocabulary_size"])
    text = f"{cell}, hidden {row['hidden_size']}, {words:,} words"
    if row["batch_size"] not in ("32", "128"):
        text += f", batch {row['batch_size']}"
    return text + (", double" if row["dtype"] == "float64" else "")


def grouped(rows: Iterable[Row]) -> list[list[Row]]:
    """The rows of contenders that took turns."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row["group"], []).append(row)
    return list(groups.values())


def throughput(groups: Sequence[Sequence[Row]]) -> Figure:
    """Speeds of the softmax, PyTorch's being 1."""
    settings: dict[str, dict[str, float]] = {}
    for row in (row for group in groups for row in group if row["contender"] in COLOURS):
        # one depth of each setting; depths are in the table
        ratios = settings.setdefault(label(row), {})
        ratios.setdefault(row["contender"], float(row["ratio_to_tuned_torch"]))
    figure = Figure(figsize=(8, 0.62 * len(settings) + 1.1), layout="constrained")
    axis = figure.add_subplot()
    for place, ratios in enumerate(settings.values()):
        height = 0.8 / len(ratios)
        for number, contender in enumerate(name for name in COLOURS if name in ratios):
            ratio = ratios[contender]
            y = place + (number - (len(ratios) - 1) / 2) * height
            axis.barh(y, ratio, height * 0.9, color=COLOURS[contender])
            axis.text(ratio + 0.01, y, f"{ratio:.2f}", va="center", fontsize=7)
    axis.set_yticks(range(len(settings)), list(settings))
    axis.invert_yaxis()
    axis.axvline(1, color="#808080", linewidth=0.8, zorder=0)
    axis.set_xlabel("training speed, PyTorch's own layer with a tuned allocator being 1")
    axis.spines[["top", "right"]].set_visible(False)
    shown = [name for name in COLOURS if any(name in ratios for ratios in settings.values())]
    handles = [Patch(color=COLOURS[name], label=name) for name in shown]
    figure.legend(handles=handles, loc="outside upper center", ncols=len(shown), frameon=False)
    return figure


def beside_classes(groups: Sequence[Sequence[Row]]) -> Figure:
    """Speeds of output layers, on a logarithmic axis."""
    figure = Figure(figsize=(8, 0.42 * len(groups) + 1.2), layout="constrained")
    axis = figure.add_subplot()
    for place, group in enumerate(groups):
        speeds = {row["contender"]: int(row["median_tokens_per_second"]) for row in group}
        axis.hlines(place, min(speeds.values()), max(speeds.values()), color="#d0d0d0", zorder=0)
        for contender in (name for name in COLOURS_BESIDE_CLASSES if name in speeds):
            speed = speeds[contender]
            colour, marker = COLOURS_BESIDE_CLASSES[contender], MARKERS[contender]
            axis.plot(speed, place, marker, color=colour, label=contender if place == 0 else None)
            # what is close to its left neighbour has its number above
            above = contender == "unrolled"
            axis.annotate(
                _short(speed),
                (speed, place),
                xytext=(0, 5) if above else (0, -13),
                textcoords="offset points",
                ha="center",
                fontsize=7,
            )
    axis.set_yticks(
        range(len(groups)), [f"{label(group[0])}, {_depth(group[0])}" for group in groups]
    )
    axis.set_ylim(len(groups) - 0.4, -0.6)
    axis.set_xscale("log")
    axis.set_xlabel("training speed, tokens per second, on one thread")
    _plain_numbers(axis.xaxis, (1, 2, 5))
    axis.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside upper center", ncols=4, frameon=False)
    return figure


def perplexities(rows: Sequence[Row]) -> Figure:
    """Perplexity over time, a panel for each corpus; the mean of all seeds, and their range."""
    corpora = [corpus for corpus in CORPORA if any(row["corpus"] == corpus for row in rows)]
    figure = Figure(figsize=(4.2 * len(corpora) + 0.4, 3.8), layout="constrained")
    axes = figure.subplots(1, len(corpora), squeeze=False)[0]
    for axis, corpus in zip(axes, corpora, strict=True):
        of_corpus = [row for row in rows if row["corpus"] == corpus and float(row["epoch"]) > 0]
        for contender in COLOURS_OF_LEARNERS:
            looks = [row for row in of_corpus if row["contender"] == contender]
            if looks:
                _line(axis, contender, looks)
        axis.set_title(CORPORA[corpus], fontsize=9)
        axis.set_xscale("log")
        axis.set_yscale("log")
        _plain_numbers(axis.xaxis, (1, 2, 5))
        _plain_numbers(axis.yaxis, (1, 1.5, 2, 3, 5, 7))
        axis.set_xlabel("CPU seconds of training")
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].set_ylabel("perplexity of the validation split")
    handles = {line.get_label(): line for axis in axes for line in axis.get_lines()}
    named = {name: handles[name] for name in COLOURS_OF_LEARNERS if name in handles}
    columns = 2 * len(corpora)  # as many as find room
    figure.legend(
        named.values(), named.keys(), loc="outside upper center", ncols=columns, frameon=False
    )
    return figure


def _line(axis: Any, contender: str, looks: Sequence[Row]) -> None:
    """The line of a contender; where the softmax ends, another one across."""
    by_epoch: dict[float, list[Row]] = {}
    for look in looks:
        by_epoch.setdefault(float(look["epoch"]), []).append(look)
    seconds, middles, lowest, highest = [], [], [], []
    for epoch in sorted(by_epoch):
        losses = [float(look["validation_loss_nats_per_token"]) for look in by_epoch[epoch]]
        seconds.append(_mean([float(look["cpu_seconds"]) for look in by_epoch[epoch]]))
        middles.append(math.exp(_mean(losses)))
        lowest.append(math.exp(min(losses)))
        highest.append(math.exp(max(losses)))
    colour, marker = COLOURS_OF_LEARNERS[contender], MARKERS[contender]
    axis.plot(
        seconds, middles, color=colour, marker=marker, markersize=3, linewidth=1.4, label=contender
    )
    axis.fill_between(seconds, lowest, highest, color=colour, alpha=0.25, linewidth=0)
    if contender == "softmax":
        axis.axhline(middles[-1], color=colour, linewidth=0.7, linestyle=(0, (5, 4)), zorder=0)
        axis.text(
            0.01,
            middles[-1],
            "where the softmax ends",
            transform=axis.get_yaxis_transform(),
            va="bottom",
            fontsize=7,
            color=colour,
        )


def _mean(numbers: Sequence[float]) -> float:
    return sum(numbers) / len(numbers)


def _depth(row: Row) -> str:
    """The truncation depth in words."""
    depth = row["truncation_depth"]
    return "full depth" if depth == "full" else f"depth {depth}"


def _plain_numbers(axis: Any, factors: Sequence[float]) -> None:
    """Ticks at some multiples of powers of ten, as plain numbers."""
    axis.set_major_locator(LogLocator(subs=factors))
    axis.set_major_formatter(
        FuncFormatter(lambda value, _: f"{value:,.0f}" if value >= 1 else f"{value:g}")
    )
    axis.set_minor_formatter(NullFormatter())


def _short(speed: int) -> str:
    """A speed in thousands."""
    return f"{speed / 1000:.0f} k" if speed >= 20_000 else f"{speed / 1000:.1f} k"


def draw(results: Path = RESULTS) -> dict[str, Figure]:
    """The pictures for which there are tables, by file name."""
    mpl.rcParams |= {"svg.hashsalt": "unrolled", "svg.fonttype": "none", "font.size": 9}
    figures: dict[str, Figure] = {}
    if (results / "throughput.tsv").exists():
        groups = grouped(read_tsv(results / "throughput.tsv"))
        classes = [group for group in groups if group[0]["contender"] == "unrolled-classes"]
        figures["throughput.svg"] = throughput([group for group in groups if group not in classes])
        figures["classes.svg"] = beside_classes(classes)
    if (results / "time_to_perplexity.tsv").exists():
        looks = read_tsv(results / "time_to_perplexity.tsv")
        figures["time_to_perplexity.svg"] = perplexities(looks)
    return figures


def main() -> None:
    for name, figure in draw().items():
        figure.savefig(RESULTS / name, metadata={"Date": None})


if __name__ == "__main__":
    main()
