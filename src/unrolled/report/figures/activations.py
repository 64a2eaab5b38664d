"""Where the functions of cells are driven, and how little slope is left there."""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from unrolled.analysis.activations import SATURATED, arguments, relative_slopes
from unrolled.model.cells.cell import Activation
from unrolled.model.types import Array
from unrolled.report.drawing import BLUE, INK, VERMILION, counted, label_outer_axes, new_figure
from unrolled.report.figures.panels import (
    by_cell,
    compact_grid,
    nothing_to_show,
    titles_of_cell,
)
from unrolled.report.flow import Flow, Histogram
from unrolled.report.runs import RunResult, Setting, best_run

STEEPEST: Mapping[Activation, float] = {"tanh": 1.0, "sigmoid": 0.25}
"""The largest slope of each function, that at zero."""

SHADE = 0.1
"""How much ink is in the saturated parts."""


def activation_figure(settings: Sequence[Setting], flows: Mapping[str, Flow]) -> Figure:
    """Each function of the best run of each cell, its slope, and below them its arguments.

    Args:
        settings: of all cells.
        flows: of each run, by its name.
    """
    label = "Functions of the cells, their slopes, and histograms of what they are given"
    chosen = [_best(group) for group in by_cell(settings).values()]
    panels = [found for _, run in chosen for found in flows[run.name].histograms.values()]
    if not panels:
        return nothing_to_show(label)
    grid = compact_grid(len(panels))
    titles = [
        title for setting, run in chosen for title in _titles(setting, run, flows, grid.panel_width)
    ]
    height = 1.2 + (2.2 + 0.15 * max(title.count("\n") for title in titles)) * grid.rows
    figure = new_figure(grid.width, height, f"{label}, of {counted(len(panels), 'function')}")
    axes = figure.subplots(
        2 * grid.rows, grid.columns, sharex=True, squeeze=False, height_ratios=[1, 1.2] * grid.rows
    )
    pairs = list(zip(axes[::2].flat, axes[1::2].flat, strict=True))
    for (above, below), title, histogram in zip(pairs, titles, panels, strict=False):
        above.set_title(title, loc="left")
        _draw_function(above, histogram)
        _draw_arguments(below, histogram)
    _tidy(pairs, len(panels), grid.columns)
    _add_legend(figure, 4 if grid.columns > 1 else 2)
    return figure


def _best(settings: Sequence[Setting]) -> tuple[Setting, RunResult]:
    """The best run of these settings, and which one it is of."""
    run = best_run([run for setting in settings for run in setting.finished])
    assert run is not None  # as each of them has a finished run
    return next(setting for setting in settings if run in setting.runs), run


def _titles(setting: Setting, run: RunResult, flows: Mapping[str, Flow], width: float) -> list[str]:
    whole = f"{setting.description}, seed {run.settings['seed']}"
    return titles_of_cell(setting.settings["cell"], whole, list(flows[run.name].histograms), width)


def _draw_function(axis: Axes, histogram: Histogram) -> None:
    """A function and its slope, and in words how much of it is saturated."""
    function = histogram.function
    places = np.linspace(histogram.edges[0], histogram.edges[-1], 241)
    values = np.tanh(places) if function == "tanh" else (1 + np.tanh(places / 2)) / 2
    axis.plot(places, values, color=INK, linewidth=1.4)
    slopes = STEEPEST[function] * relative_slopes(values, function)
    axis.plot(places, slopes, color=VERMILION, linewidth=1.4, linestyle="--")
    axis.set_yticks([-1, 0, 1] if function == "tanh" else [0, 1])
    _shade(axis, histogram)
    words = f"{100 * histogram.saturated_share:.1f} %\nsaturated"
    axis.text(0.02, 0.95, words, transform=axis.transAxes, va="top", fontsize=8.5)


def _draw_arguments(axis: Axes, histogram: Histogram) -> None:
    shares = [100 * share for share in histogram.shares]
    axis.set_xlim(histogram.edges[0], histogram.edges[-1])
    widths = [right - left for left, right in pairwise(histogram.edges)]
    axis.bar(histogram.edges[:-1], shares, widths, align="edge", color=BLUE)
    axis.yaxis.set_major_locator(MaxNLocator(3, integer=True))
    _shade(axis, histogram)


def _shade(axis: Axes, histogram: Histogram) -> None:
    """Mark where values are saturated."""
    limit, outermost = saturated_from(histogram.function), histogram.edges[-1]
    for side in (-1, 1):
        axis.axvspan(side * limit, side * outermost, color=INK, alpha=SHADE, linewidth=0, zorder=0)


def saturated_from(function: Activation) -> float:
    """The argument beyond which a function is saturated, on either side."""
    as_tanh = math.sqrt(1 - SATURATED)
    value: Array = np.array(as_tanh if function == "tanh" else (1 + as_tanh) / 2)
    return float(arguments(value, function))


def _tidy(pairs: Sequence[tuple[Axes, Axes]], count: int, columns: int) -> None:
    """Names at the outer edges; the outer bins are said to be open."""
    label_outer_axes([below for _, below in pairs], count, columns, "argument", "% of arguments")
    for above, _ in pairs[count:]:
        above.set_visible(False)
    _, last = pairs[0][1].get_xlim()
    places = [-last, -last / 2, 0, last / 2, last]
    words = [f"{place:g}".replace("-", "−") for place in places]
    pairs[0][1].set_xticks(places, [f"≤ {words[0]}", *words[1:-1], f"≥ {words[-1]}"])


def _add_legend(figure: Figure, columns: int) -> None:
    handles = [
        Line2D([], [], color=INK, label="function"),
        Line2D([], [], color=VERMILION, linestyle="--", label="its slope"),
        Patch(color=BLUE, label="its arguments"),
        Patch(color=INK, alpha=SHADE, label="saturated: slope below a tenth of the steepest"),
    ]
    figure.legend(handles=handles, loc="outside upper left", ncols=columns)
