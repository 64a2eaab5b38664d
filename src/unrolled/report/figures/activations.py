"""Where the functions of cells are driven, and how little slope is left there."""

import math
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import pairwise

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from unrolled.analysis.activations import SATURATED, arguments, relative_slopes
from unrolled.model.cells.cell import Activation
from unrolled.model.types import Array
from unrolled.report.drawing import (
    BLUE,
    INK,
    VERMILION,
    WIDE,
    Picture,
    counted,
    label_outer_axes,
    new_figure,
)
from unrolled.report.figures.panels import (
    NO_GRADIENT,
    Grid,
    add_legend,
    by_cell,
    compact_grid,
    nothing_to_show,
    percent,
    titles_of_cell,
)
from unrolled.report.flow import Flow, Histogram
from unrolled.report.pictures import Table
from unrolled.report.runs import RunResult, Setting, best_run
from unrolled.storage import Cell

STEEPEST: Mapping[Activation, float] = {"tanh": 1.0, "sigmoid": 0.25}
"""The largest slope of each function, that at zero."""

SHADE = 0.1
"""How much ink is in the saturated parts."""

FIVE_TICKS = 1.8
"""Inches of a panel from which on five numbers stand below it without touching."""

OWN_NUMBERS = 0.1
"""Inches by which a title is narrower than a panel, whose own y axis has numbers."""

COLUMNS = ["run", "activation", "function", "from", "to", "share", "saturated_share"]
"""Of the table; the last one is that of the whole function, not of the bin."""


def activation_picture(settings: Sequence[Setting], flows: Mapping[str, Flow]) -> Picture:
    """The picture of the cells' functions, with what belongs to it.

    Args:
        settings: of all cells.
        flows: of each run, by its name.
    """
    return Picture(
        "activations",
        activation_takeaway(settings, flows),
        activation_table(settings, flows),
        partial(activation_figure, settings, flows),
    )


def activation_figure(
    settings: Sequence[Setting], flows: Mapping[str, Flow], width: float = WIDE
) -> Figure:
    """Each function of the best run of each cell, its slope, and below them its arguments.

    Args:
        settings: of all cells.
        flows: of each run, by its name.
        width: of the page, in inches.
    """
    label = "Functions of the cells, their slopes, and histograms of what they are given"
    chosen = _chosen(settings)
    panels = [found for _, run in chosen for found in flows[run.name].histograms.values()]
    if not panels:
        return nothing_to_show(label, width)
    grid = compact_grid(len(panels), width)
    titles = [
        title for setting, run in chosen for title in _titles(setting, run, flows, grid.panel_width)
    ]
    height = 0.5 + (grid.panel_height + 1) * grid.rows + grid.titles_height(titles)
    figure = new_figure(grid.width, height, f"{label}, of {counted(len(panels), 'function')}")
    axes = figure.subplots(
        2 * grid.rows, grid.columns, sharex=True, squeeze=False, height_ratios=[1, 1.2] * grid.rows
    )
    pairs = list(zip(axes[::2].flat, axes[1::2].flat, strict=True))
    for (above, below), title, histogram in zip(pairs, titles, panels, strict=False):
        above.set_title(title, loc="left")
        _draw_function(above, histogram)
        _draw_arguments(below, histogram)
    _tidy(pairs, grid)
    add_legend(figure, _handles())
    return figure


def activation_table(settings: Sequence[Setting], flows: Mapping[str, Flow]) -> Table:
    """A row for each bin that is drawn, of the columns of `COLUMNS`."""
    found = [(run.name, flows[run.name]) for _, run in _chosen(settings)]
    rows: list[dict[str, Cell]] = [
        {"run": run, **row, "saturated_share": flow.saturated_shares[row["activation"]]}
        for run, flow in found
        for row in flow.activations
    ]
    return Table(COLUMNS, rows)


def activation_takeaway(settings: Sequence[Setting], flows: Mapping[str, Flow]) -> str:
    """Which function of the best run is saturated most, and which least."""
    finished = [setting for setting in settings if setting.finished]
    if not finished:
        return NO_GRADIENT
    setting, run = _best(finished)
    shares = flows[run.name].saturated_shares
    return (
        f"In the best run ({_description(setting, run)}) {_saturated_told(shares)} saturated:"
        " there, less than a tenth of the steepest slope is left to a gradient."
    )


def _saturated_told(shares: Mapping[str, float]) -> str:
    """The share of a function alone, and of several the highest and the lowest."""
    most, least = (choose(shares, key=shares.__getitem__) for choose in (max, min))
    told = f"{percent(shares[most])} of the values of {most}"
    if len(shares) == 1:
        return f"{told} are"
    if shares[most] == shares[least]:
        return f"{percent(shares[most])} of the values of each function are"
    others = f"{percent(shares[least])} of those of {least}, the least"
    return f"{told}, the most of its {len(shares)} functions, and {others}, are"


def _chosen(settings: Sequence[Setting]) -> list[tuple[Setting, RunResult]]:
    """The best run of each cell, and which setting it is of."""
    return [_best(group) for group in by_cell(settings).values()]


def _best(settings: Sequence[Setting]) -> tuple[Setting, RunResult]:
    """The best run of these settings, and which one it is of."""
    run = best_run([run for setting in settings for run in setting.finished])
    assert run is not None  # as each of them has a finished run
    return next(setting for setting in settings if run in setting.runs), run


def _titles(setting: Setting, run: RunResult, flows: Mapping[str, Flow], width: float) -> list[str]:
    names = list(flows[run.name].histograms)
    cell, whole = setting.settings["cell"], _description(setting, run)
    return titles_of_cell(cell, whole, names, width - OWN_NUMBERS)


def _description(setting: Setting, run: RunResult) -> str:
    """A run in words."""
    return f"{setting.description}, seed {run.settings['seed']}"


def _draw_function(axis: Axes, histogram: Histogram) -> None:
    """A function and its slope, and as a number how much of it is saturated."""
    function = histogram.function
    places = np.linspace(histogram.edges[0], histogram.edges[-1], 241)
    values = np.tanh(places) if function == "tanh" else (1 + np.tanh(places / 2)) / 2
    axis.plot(places, values, color=INK, linewidth=1.4)
    slopes = STEEPEST[function] * relative_slopes(values, function)
    axis.plot(places, slopes, color=VERMILION, linewidth=1.4, linestyle="--")
    axis.set_yticks([-1, 0, 1] if function == "tanh" else [0, 1])
    _shade(axis, histogram)
    share = percent(histogram.saturated_share)
    axis.text(0.02, 0.95, share, transform=axis.transAxes, va="top", fontsize=8.5)


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


def _tidy(pairs: Sequence[tuple[Axes, Axes]], grid: Grid) -> None:
    """Names at the outer edges; the outer bins are said to be open."""
    below = [axis for _, axis in pairs]
    label_outer_axes(below, grid.panels, grid.columns, "argument", "% of arguments")
    for above, _ in pairs[grid.panels :]:
        above.set_visible(False)
    _, last = below[0].get_xlim()
    between = [last / 2] if grid.panel_width >= FIVE_TICKS else []
    inner = [-place for place in between] + [0] + between
    words = [_signed(place) for place in (-last, *inner, last)]
    below[0].set_xticks([-last, *inner, last], [f"≤ {words[0]}", *words[1:-1], f"≥ {words[-1]}"])


def _signed(number: float) -> str:
    return f"{number:g}".replace("-", "−")


def _handles() -> list[Artist]:
    return [
        Line2D([], [], color=INK, label="function"),
        Line2D([], [], color=VERMILION, linestyle="--", label="its slope"),
        Patch(color=BLUE, label="its arguments"),
        Patch(color=INK, alpha=SHADE, label="saturated, in %"),
    ]
