"""The loss of every run over the epochs."""

import itertools
import math
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from unrolled.report.drawing import (
    BASELINE_STYLES,
    BLUE,
    INK,
    VERMILION,
    counted,
    label_outer_axes,
    new_figure,
    wrapped,
)
from unrolled.report.runs import Setting

Row = Mapping[str, str]

LOSS_COLUMNS = {
    "train_loss_nats_per_token": "training",
    "validation_loss_nats_per_token": "validation",
}
LOSS_COLOURS = {"training": VERMILION, "validation": BLUE}
SEED_DASHES = ("-", (0, (4, 1.5)), (0, (1.5, 1.2)), (0, (6, 1.5, 1.5, 1.5)))
SEED_MARKERS = ("o", "s", "^", "D", "v")
"""One more than the dashes, so that twenty seeds look different."""

PANELS_WIDTH = 8.6
"""Inches that the panels have together, beside the names of lines and axes."""


def loss_figure(
    settings: Sequence[Setting], history: Sequence[Row], baselines: Mapping[str, float]
) -> Figure:
    """Training and validation loss of every run, a panel for each setting, a line for each seed.

    Args:
        settings: the settings to show, in order.
        history: rows of run, epoch, train_loss_nats_per_token, validation_loss_nats_per_token.
        baselines: loss of each on the validation split.
    """
    columns = len({setting.settings["truncation_depth"] for setting in settings})
    rows = math.ceil(len(settings) / columns)
    label = f"Loss over the epochs of training, in {counted(len(settings), 'panel')}"
    lines = wrapped(settings[0].description, PANELS_WIDTH / columns).count("\n")
    figure = new_figure(10, 0.9 + (1.9 + 0.15 * lines) * rows, label)
    axes = list(figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).flat)
    top = _top(history, baselines)
    shown = {name: loss for name, loss in baselines.items() if loss <= top}
    styles = _seed_styles(settings)
    ends = [
        _draw_losses(axis, setting, history, styles, PANELS_WIDTH / columns)
        for axis, setting in zip(axes, settings, strict=False)
    ]
    for axis in axes[: len(settings)]:
        _draw_baselines(axis, shown)
        axis.set_ylim(top=top)
    label_outer_axes(axes, len(settings), columns, "epoch", "nats per token")
    for first in range(0, len(settings), columns):
        _label_row(axes[first : first + columns], ends[first : first + columns], shown)
    if len(styles) > 1:
        figure.legend(
            handles=[
                Line2D([], [], color=INK, label=f"seed {seed}", **style)
                for seed, style in styles.items()
            ],
            loc="outside upper left",
            ncols=8,
            handlelength=3.5,
        )
    return figure


def _seed_styles(settings: Sequence[Setting]) -> dict[str, Any]:
    """How the lines of each seed are dashed and marked."""
    seeds = {run.settings["seed"]: None for setting in settings for run in setting.runs}
    looks = zip(itertools.cycle(SEED_DASHES), itertools.cycle(SEED_MARKERS), strict=False)
    return {
        seed: {"linestyle": dash, "marker": mark, "linewidth": 1.3, "markersize": 3.2}
        for seed, (dash, mark) in zip(seeds, looks, strict=False)
    }


def _label_row(
    axes: Sequence[Axes], ends: Sequence[Mapping[str, float]], baselines: Mapping[str, float]
) -> None:
    """The name of each line, beside where it ends in the last panel of a row that shows any."""
    place = max((place for place, losses in enumerate(ends) if losses), default=len(ends) - 1)
    bottom, top = axes[place].get_ylim()
    lines = {**baselines, **ends[place]}
    below = -math.inf
    for name, loss in sorted(lines.items(), key=lambda line: line[1]):
        below = max(loss, below + 0.11 * (top - bottom))  # a line of text is so high
        axes[place].annotate(
            name,
            (1, loss),
            (1.09, below),
            xycoords=("axes fraction", "data"),
            textcoords=("axes fraction", "data"),
            va="center",
            arrowprops={
                "arrowstyle": "-",
                "color": LOSS_COLOURS.get(name, INK),
                "linestyle": BASELINE_STYLES.get(name, "-"),
                "relpos": (0, 0.5),
                "shrinkB": 0,
            },
        )


def _top(history: Sequence[Row], baselines: Mapping[str, float]) -> float:
    """The upper edge: above word frequencies and all trained losses, not above the untrained."""
    column = "train_loss_nats_per_token"
    losses = [float(row[column]) for row in history if row[column]]
    trained = [float(row["validation_loss_nats_per_token"]) for row in history if row[column]]
    return 1.02 * max([*losses, *trained, baselines["unigram"]])


def _draw_losses(
    axis: Axes, setting: Setting, history: Sequence[Row], styles: Mapping[str, Any], width: float
) -> dict[str, float]:
    """The loss with which training and validation end, the mean over seeds; empty without runs."""
    axis.set_title(wrapped(setting.description, width), loc="left")
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    ends: dict[str, list[float]] = {}
    for run in setting.runs:
        rows = [row for row in history if row["run"] == run.name]
        for column, name in LOSS_COLUMNS.items():
            points = [(float(row["epoch"]), float(row[column])) for row in rows if row[column]]
            colour, style = LOSS_COLOURS[name], styles[run.settings["seed"]]
            axis.plot(*_columns(points), color=colour, **style)
            if points:
                ends.setdefault(name, []).append(points[-1][1])
    if not ends:
        axis.text(0.5, 0.5, setting.states, transform=axis.transAxes, ha="center")
    return {name: fmean(losses) for name, losses in ends.items()}


def _draw_baselines(axis: Axes, baselines: Mapping[str, float]) -> None:
    for name, loss in baselines.items():
        axis.axhline(loss, color=INK, linewidth=0.9, linestyle=BASELINE_STYLES[name])


def _columns(points: Sequence[tuple[float, float]]) -> tuple[list[float], list[float]]:
    return [x for x, _ in points], [y for _, y in points]
