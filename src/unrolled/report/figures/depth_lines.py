"""What figures share that hold truncation depths against each other: a line for each of them."""

import itertools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from unrolled.config.sweep import FULL, depth_limit, depth_order
from unrolled.report.drawing import (
    BLUE,
    GREEN,
    ORANGE,
    PURPLE,
    SKY,
    VERMILION,
    WIDE,
    counted,
    label_outer_axes,
    new_figure,
    wrapped,
)
from unrolled.report.figures.panels import (
    Grid,
    add_legend,
    columns_that_fit,
    compact_grid,
    nothing_to_show,
)
from unrolled.report.runs import Setting, best_setting

COLOURS = (VERMILION, ORANGE, GREEN, PURPLE, SKY)
MARKERS = ("o", "s", "^", "D")
"""One less than the colours, so that twenty depths look different."""

MOST_PANELS = 16
"""Four rows of a wide page, eight of a phone; more would be looked at by nobody."""


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

    @property
    def points(self) -> list[tuple[int, float, float, float]]:
        """Place, mean, lowest and highest of each."""
        return list(zip(self.places, self.mean, self.lowest, self.highest, strict=True))


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
    width: float = WIDE,
) -> Figure:
    """A panel for all settings that differ in depth alone, and in it a line for each of them.

    The range over seeds is shaded, and the depth at which training truncated is marked. Of many
    panels those of `panels_shown` are drawn.

    Args:
        settings: to show, in order; those without a finished run are not drawn.
        label: what the panels show, their number being added to it.
        axes_names: of x and y.
        line_of: that of a setting, if it has a finished run.
        draw: the mean of a line into a panel, given the depth at which training truncated.
        more_handles: of the legend, after those of the depths.
        width: of the page, in inches.
    """
    if not any(setting.finished for setting in settings):
        return nothing_to_show(label, width)
    panels = panels_shown(settings)
    grid = _grid(list(panels.values()), width)
    titles = [wrapped(title, grid.panel_width) for title in panels]
    height = 0.4 + (grid.panel_height + 0.1) * grid.rows + grid.titles_height(titles)
    figure = new_figure(grid.width, height, f"{label}, in {panels_told(settings)}")
    axes = list(
        figure.subplots(grid.rows, grid.columns, sharex=True, sharey=True, squeeze=False).flat
    )
    looks = depth_looks(list(itertools.chain(*panels.values())))
    for axis, title, group in zip(axes, titles, panels.values(), strict=False):
        axis.set_title(title, loc="left")
        axis.xaxis.set_major_locator(MaxNLocator("auto", integer=True, steps=[1, 2, 5, 10]))
        _draw_panel(axis, group, looks, line_of, draw)
    label_outer_axes(axes, len(panels), grid.columns, *axes_names)
    add_legend(figure, [*_handles(looks), *more_handles])
    return figure


def lines_shown(
    settings: Sequence[Setting], line_of: Callable[[Setting], Line]
) -> list[tuple[Setting, Line]]:
    """The finished settings that `depth_figure` draws, each with its line."""
    shown = itertools.chain(*panels_shown(settings).values())
    return [(setting, line_of(setting)) for setting in shown if setting.finished]


def panels_shown(settings: Sequence[Setting]) -> dict[str, list[Setting]]:
    """The settings of each panel by its title, in order; of many panels those of the best settings,
    by their mean validation loss.
    """
    panels = _panels(settings)
    chosen = sorted(panels, key=lambda title: _least_loss(panels[title]))[:MOST_PANELS]
    return {title: group for title, group in panels.items() if title in chosen}


def panels_told(settings: Sequence[Setting]) -> str:
    """How many panels are shown, and where some are left out, which ones."""
    count = len(_panels(settings))
    if count <= MOST_PANELS:
        return counted(count, "panel")
    return f"{MOST_PANELS} of {count} panels, those with the lowest validation losses"


def left_out_told(settings: Sequence[Setting]) -> str:
    """The end of a takeaway: which panels are shown, empty where it is all of them."""
    told = panels_told(settings)
    return f"; shown are {told}" if len(_panels(settings)) > MOST_PANELS else ""


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


def _panels(settings: Sequence[Setting]) -> dict[str, list[Setting]]:
    """The settings that differ in depth alone, by what they have in common."""
    panels: dict[str, list[Setting]] = {}
    for setting in settings:
        panels.setdefault(setting.all_but_depth, []).append(setting)
    return panels


def _least_loss(settings: Sequence[Setting]) -> float:
    """The lowest mean validation loss; infinite if no run finished."""
    best = best_setting(settings)
    return math.inf if best is None else best.mean_validation_loss


def _grid(panels: Sequence[Sequence[Setting]], page: float) -> Grid:
    """A column for each hidden size, where there are several, each row has all of them and they
    fit; otherwise as few empty places as can be.
    """
    sizes = [group[0].settings["hidden_size"] for group in panels]
    row = list(dict.fromkeys(sizes))
    if 1 < len(row) <= columns_that_fit(page) and sizes == row * (len(sizes) // len(row)):
        return Grid(len(panels), len(row), page)
    return compact_grid(len(panels), page)


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
