"""What figures share that hold truncation depths against each other: a line for each of them."""

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from unrolled.config.sweep import FULL, depth_limit, depth_order
from unrolled.report.drawing import (
    BLUE,
    GREEN,
    ORANGE,
    PURPLE,
    SKY,
    VERMILION,
    counted,
    label_outer_axes,
    new_figure,
    wrapped,
)
from unrolled.report.figures.panels import Grid, nothing_to_show
from unrolled.report.runs import Setting

COLOURS = (VERMILION, ORANGE, GREEN, PURPLE, SKY)
MARKERS = ("o", "s", "^", "D")
"""One less than the colours, so that twenty depths look different."""


@dataclass(frozen=True)
class Look:
    """How the line of a truncation depth looks, and the mark on it; `full` has no mark."""

    colour: str
    marker: str


@dataclass(frozen=True)
class Line:
    """One curve in place of those of several seeds, as far as all of them go.

    Attributes:
        places: on the x axis, ascending.
        mean: at each of them.
        lowest: likewise.
        highest: likewise.
    """

    places: Sequence[int]
    mean: Sequence[float]
    lowest: Sequence[float]
    highest: Sequence[float]


def over_seeds(
    curves: Sequence[Mapping[int, float]], mean: Callable[[Sequence[float]], float]
) -> Line:
    """The mean of curves and their range, each of them a mapping from place to height."""
    places = sorted(set.intersection(*map(set, curves)))
    heights = [[curve[place] for curve in curves] for place in places]
    return Line(places, list(map(mean, heights)), list(map(min, heights)), list(map(max, heights)))


def depth_figure(
    settings: Sequence[Setting],
    label: str,
    axes_names: tuple[str, str],
    line_of: Callable[[Setting], Line],
    draw: Callable[[Axes, Line, int | None, Look], None],
    more_handles: Sequence[Line2D] = (),
) -> Figure:
    """A panel for all settings that differ in depth alone, and in it a line for each of them.

    The range over seeds is shaded, and the depth at which training truncated is marked.

    Args:
        settings: to show, in order; those without a finished run are not drawn.
        label: what the panels show, their number being added to it.
        axes_names: of x and y.
        line_of: that of a setting, if it has a finished run.
        draw: the mean of a line into a panel, given the depth at which training truncated.
        more_handles: of the legend, after those of the depths.
    """
    if not any(setting.finished for setting in settings):
        return nothing_to_show(label)
    panels: dict[str, list[Setting]] = {}
    for setting in settings:
        panels.setdefault(setting.all_but_depth, []).append(setting)
    grid = _grid(settings, len(panels))
    titles = [wrapped(title, grid.panel_width) for title in panels]
    height = 0.9 + (1.9 + 0.15 * max(title.count("\n") for title in titles)) * grid.rows
    figure = new_figure(grid.width, height, f"{label}, in {counted(len(panels), 'panel')}")
    axes = list(
        figure.subplots(grid.rows, grid.columns, sharex=True, sharey=True, squeeze=False).flat
    )
    looks = depth_looks(settings)
    for axis, title, group in zip(axes, titles, panels.values(), strict=False):
        axis.set_title(title, loc="left")
        _draw_panel(axis, group, looks, line_of, draw)
    label_outer_axes(axes, len(panels), grid.columns, *axes_names)
    handles = [*_handles(looks), *more_handles]
    figure.legend(handles=handles, loc="outside upper left", ncols=7 if grid.columns > 1 else 4)
    return figure


def depth_looks(settings: Sequence[Setting]) -> dict[str, Look]:
    """How each depth in words looks, the least first."""
    words = {setting.settings["truncation_depth"]: setting.depth for setting in settings}
    return {words[depth]: look for depth, look in looks_of(words).items()}


def looks_of(depths: Iterable[str]) -> dict[str, Look]:
    """How each depth looks, the least first; `full` always looks the same."""
    cycle = zip(itertools.cycle(COLOURS), itertools.cycle(MARKERS), strict=False)
    return {
        depth: Look(BLUE, "None") if depth == FULL else Look(*next(cycle))
        for depth in sorted(depths, key=depth_order)
    }


def _grid(settings: Sequence[Setting], panels: int) -> Grid:
    """A column for each hidden size, or panels one after the other where there is but one size."""
    sizes = len({setting.settings["hidden_size"] for setting in settings})
    return Grid(panels, min(sizes if sizes > 1 else panels, 4))


def _draw_panel(
    axis: Axes,
    settings: Sequence[Setting],
    looks: Mapping[str, Look],
    line_of: Callable[[Setting], Line],
    draw: Callable[[Axes, Line, int | None, Look], None],
) -> None:
    finished = [setting for setting in settings if setting.finished]
    for setting in reversed(finished):  # the shortest solid lines on top
        line, look = line_of(setting), looks[setting.depth]
        depth = depth_limit(setting.settings["truncation_depth"])
        if line.places:
            _draw_range(axis, line, look)
            draw(axis, line, depth, look)
            _draw_mark(axis, line, depth, look)
    if not finished:
        states = ", ".join(sorted({setting.states for setting in settings}))
        axis.text(0.5, 0.5, states, transform=axis.transAxes, ha="center")


def _draw_range(axis: Axes, line: Line, look: Look) -> None:
    range_of_seeds = (line.places, line.lowest, line.highest)
    axis.fill_between(*range_of_seeds, color=look.colour, alpha=0.15, linewidth=0)


def _draw_mark(axis: Axes, line: Line, depth: int | None, look: Look) -> None:
    if depth is not None and depth in line.places:
        height = line.mean[line.places.index(depth)]
        axis.plot(depth, height, look.marker, color=look.colour, markersize=6)


def _handles(looks: Mapping[str, Look]) -> list[Line2D]:
    return [
        Line2D([], [], color=look.colour, marker=look.marker, markersize=5, label=depth)
        for depth, look in looks.items()
    ]
