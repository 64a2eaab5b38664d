"""The loss of agreeing words by distance: what truncation costs, and what gates bring back."""

import itertools
import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator
from numpy.typing import NDArray

from unrolled.report.agreement import COLUMNS, Curve, Row, curves
from unrolled.report.drawing import INK, WIDE, Picture, counted, new_figure, wrapped
from unrolled.report.figures.depth_lines import Look, looks_of
from unrolled.report.figures.panels import LINE, Grid, add_legend, columns_that_fit, words_alone
from unrolled.report.pictures import Table
from unrolled.report.runs import cell_title

Column = tuple[str, str, str]
"""Cell, hidden size, and what else varies."""

Panel = tuple[str, Column]
"""The experiment, and what of it."""

NO_DISTANCE = 0.5
"""Where, on a scale of powers of two, words stand that follow at once."""

CHANCE_STYLE: Any = {"color": INK, "linewidth": 0.9, "linestyle": ":"}

TICK = 0.25
"""Inches from one number at the axis to the next at least."""

NOTHING = "No run knows of agreeing words."


def agreement_picture(rows: Sequence[Row]) -> Picture:
    """The loss of agreeing words by distance; for the argument see `agreement_figure`."""
    return Picture(
        "agreement",
        agreement_takeaway(rows),
        agreement_table(rows),
        partial(agreement_figure, rows),
    )


def agreement_table(rows: Sequence[Row]) -> Table:
    """The rows of all experiments, those of few words too."""
    return Table(COLUMNS, rows)


def agreement_takeaway(rows: Sequence[Row]) -> str:
    """How far the first panel remembers at each depth, and what remembers farther than that."""
    found = curves(rows)
    if not found:
        return NOTHING
    columns = _columns(found)
    first = [curve for curve in found if _panel(curve) == _panel(found[0])]
    reaches = _listed([_told_reach(curve) for curve in first])
    told = f"{_name(first[0], columns)} remembers what a word agrees with {reaches}"
    farthest = max(found, key=_reach)
    if _reach(farthest) > max(map(_reach, first)):
        name = _name(farthest, columns)
        told = f"{told}; {name} remembers farthest, {_told_reach(farthest)}"
    return f"{told}."


def agreement_figure(rows: Sequence[Row], width: float = WIDE) -> Figure:
    """The loss of agreeing words by distance: a row for each experiment, or several where there is
    no room, a panel for each cell, a line for each depth, the mean over seeds with a bar from the
    least to the largest.

    Args:
        rows: of all experiments.
        width: in inches, at most.
    """
    found = curves(rows)
    label = f"Loss of agreeing words by distance, of {counted(len(found), 'setting')}"
    if not found:
        return words_alone(label, NOTHING, width)
    columns, places = _columns(found), list(dict.fromkeys(map(_panel, found)))
    lines = _lines(places, columns, columns_that_fit(width))
    beside = max(map(len, lines))
    grid = Grid(beside * len(lines), beside, width)
    titles = {place: wrapped(_title_of(place, columns), grid.panel_width) for place in places}
    height = 2.0 + LINE * max(title.count("\n") for title in titles.values())
    figure = new_figure(grid.width, 0.2 + height * grid.rows, label)
    looks = looks_of({curve.depth for curve in found})
    for place, axis in _axes(figure, lines, titles).items():
        shown = [curve for curve in found if _panel(curve) == place]
        _draw_panel(axis, shown, looks)
        distances = [distance for curve in shown for distance in curve.losses]
        _space_evenly(axis, min(distances), max(distances), grid.panel_width)
        axis.set_ylim(*_limits(found))
    add_legend(figure, _handles(looks))
    return figure


def _columns(found: Sequence[Curve]) -> list[Column]:
    """All there are, in order."""
    return sorted({_panel(curve)[1] for curve in found}, key=_place)


def _panel(curve: Curve) -> Panel:
    return curve.experiment, (curve.cell, curve.hidden_size, curve.further)


def _place(column: Column) -> tuple[str, int, str]:
    cell, hidden_size, further = column
    return cell, int(hidden_size), further


def _lines(places: Sequence[Panel], columns: Sequence[Column], room: int) -> list[list[Panel]]:
    """The panels side by side: those of an experiment, with gaps for what it lacks, or as many of
    them as there is room for.
    """
    lines: list[list[Panel]] = []
    for experiment in dict.fromkeys(experiment for experiment, _ in places):
        own = [(experiment, column) for column in columns]
        if len(own) > room:
            own = [place for place in own if place in places]
        lines += [own[first : first + room] for first in range(0, len(own), room)]
    return lines


def _axes(
    figure: Figure, lines: Sequence[Sequence[Panel]], titles: Mapping[Panel, str]
) -> dict[Panel, Axes]:
    """The panels under their titles, still empty; places without a title stay free."""
    axes = figure.subplots(len(lines), max(map(len, lines)), sharey=True, squeeze=False)
    panels: dict[Panel, Axes] = {}
    for line, of_line in zip(lines, axes, strict=True):
        for place, axis in itertools.zip_longest(line, of_line):
            axis.set_visible(place in titles)
            if place in titles:
                axis.set_title(titles[place], loc="left")
                panels[place] = axis
    _name_axes(axes)
    return panels


def _name_axes(axes: NDArray[Any]) -> None:
    """Names at the first panel of each row and the last of each column that are there."""
    for line in axes:
        first = next(axis for axis in line if axis.get_visible())
        first.set_ylabel("nats above\nthe least possible")
        first.tick_params(labelleft=True)
    for column in axes.T:
        last = [axis for axis in column if axis.get_visible()][-1]
        last.set_xlabel("words in between")


def _limits(found: Sequence[Curve]) -> tuple[float, float]:
    """Of y: from a little below zero, so that what lies there is seen whole, to above all else."""
    losses = [loss for curve in found for of_seeds in curve.losses.values() for loss in of_seeds]
    top = 1.05 * max(*losses, *(curve.chance for curve in found))
    return -0.04 * top, top


def _title_of(place: Panel, columns: Sequence[Column]) -> str:
    experiment, column = place
    return f"{experiment}: {_column_name(column, columns)}"


def _column_name(column: Column, columns: Sequence[Column]) -> str:
    """The cell, and what else tells the column from the others."""
    cell, hidden_size, further = column
    sizes = {size for _, size, _ in columns}
    hidden = f", {hidden_size} hidden units" if len(sizes) > 1 else ""
    return cell_title(cell) + hidden + (f", {further}" if further else "")


def _name(curve: Curve, columns: Sequence[Column]) -> str:
    experiment, column = _panel(curve)
    cell, *others = _column_name(column, columns).split(", ")
    told = f" ({', '.join(others)})" if others else ""
    return f"{cell}{told} in {experiment}"


def _reach(curve: Curve) -> int:
    """What curves are compared by: the distance remembered, below zero where nothing is."""
    return -1 if curve.reach is None else curve.reach


def _told_reach(curve: Curve) -> str:
    """How far a curve remembers, and at which depth."""
    reach, depth = _reach(curve), _title(curve.depth)
    if reach < 1:
        return f"{'only if it stands just before' if reach == 0 else 'not at all'} at {depth}"
    return f"across {counted(reach, 'word')} at {depth}"


def _listed(parts: Sequence[str]) -> str:
    """The parts of a sentence, the last after an `and`."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def _draw_panel(axis: Axes, found: Sequence[Curve], looks: dict[str, Look]) -> None:
    for place, curve in enumerate(found):
        look = looks[curve.depth]
        means = curve.means
        below = [max(0, means[distance] - min(curve.losses[distance])) for distance in means]
        above = [max(0, max(curve.losses[distance]) - means[distance]) for distance in means]
        aside = 1 + 0.03 * (place - (len(found) - 1) / 2)  # so that bars do not hide each other
        axis.errorbar(
            [max(distance, NO_DISTANCE) * aside for distance in means],
            list(means.values()),
            [below, above],
            color=look.colour,
            marker=look.marker,
            markersize=4,
            linewidth=1.3,
            elinewidth=1,
        )
    axis.axhline(found[0].chance, **CHANCE_STYLE)


def _space_evenly(axis: Axes, shortest: int, longest: int, width: float) -> None:
    """The same distance from each power of two to the next; no distance at all has a place before
    them. Of many on a narrow panel every second has a tick, or fewer.
    """
    axis.set_xscale("log", base=2)
    ticks = [2**power for power in range(longest.bit_length())]
    names = [str(tick) for tick in ticks]
    if shortest == 0:
        ticks, names = [NO_DISTANCE, *ticks], ["0", *names]
    step = math.ceil(TICK * len(ticks) / width)
    axis.set_xticks(ticks[::step], names[::step])
    axis.xaxis.set_minor_locator(NullLocator())


def _handles(looks: dict[str, Look]) -> list[Line2D]:
    depths = [
        Line2D([], [], color=look.colour, marker=look.marker, markersize=5, label=_title(depth))
        for depth, look in looks.items()
    ]
    return [*depths, Line2D([], [], label="nothing known", **CHANCE_STYLE)]


def _title(depth: str) -> str:
    return "full depth" if depth == "full" else f"depth {depth}"
