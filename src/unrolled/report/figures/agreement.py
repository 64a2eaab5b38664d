"""The loss of agreeing words by distance: what truncation costs, and what gates bring back."""

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator
from numpy.typing import NDArray

from unrolled.report.agreement import Curve, Row, curves
from unrolled.report.drawing import INK, counted, new_figure, wrapped
from unrolled.report.figures.depth_lines import Look, looks_of
from unrolled.report.runs import cell_title

Column = tuple[str, str, str]
"""Cell, hidden size, and what else varies."""

NO_DISTANCE = 0.5
"""Where, on a scale of powers of two, words stand that follow at once."""

CHANCE_STYLE: Any = {"color": INK, "linewidth": 0.9, "linestyle": ":"}


def agreement_figure(rows: Sequence[Row]) -> Figure:
    """The loss of agreeing words by distance: a row for each experiment, a panel for each cell, a
    line for each depth, the mean over seeds with a bar from the least to the largest.

    Args:
        rows: of all experiments.
    """
    found = curves(rows)
    label = f"Loss of agreeing words by distance, of {counted(len(found), 'setting')}"
    if not found:
        figure = new_figure(10, 1, label)
        figure.text(0.5, 0.5, "No run knows of agreeing words.", ha="center", va="center")
        return figure
    panels = _panels(found)
    columns = sorted({place for row in panels.values() for place in row}, key=_place)
    width = 10 if len(columns) > 1 else 5.5
    figure = new_figure(width, 0.9 + 2.3 * len(panels), label)
    axes = figure.subplots(len(panels), len(columns), sharey=True, squeeze=False)
    looks = looks_of({curve.depth for curve in found})
    for line, (experiment, row) in zip(axes, panels.items(), strict=True):
        for axis, place in zip(line, columns, strict=True):
            axis.set_visible(place in row)
            title = f"{experiment}: {_title_of(place, columns)}"
            axis.set_title(wrapped(title, (width - 1.2) / len(columns) - 0.2), loc="left")
            _draw_panel(axis, row.get(place, []), looks)
    _name_axes(axes)
    axes[0, 0].set_ylim(*_limits(found))
    figure.legend(handles=_handles(looks), loc="outside upper left", ncols=len(looks) + 1)
    return figure


def _panels(found: Sequence[Curve]) -> dict[str, dict[Column, list[Curve]]]:
    """The curves of each panel: by experiment, then by column."""
    panels: dict[str, dict[Column, list[Curve]]] = {}
    for curve in found:
        row = panels.setdefault(curve.experiment, {})
        row.setdefault((curve.cell, curve.hidden_size, curve.further), []).append(curve)
    return panels


def _name_axes(axes: NDArray[Any]) -> None:
    """Names at the first panel of each row and the last of each column that are there."""
    for line in axes:
        first = next(axis for axis in line if axis.get_visible())
        first.set_ylabel("nats above the least possible")
        first.tick_params(labelleft=True)
    for column in axes.T:
        last = [axis for axis in column if axis.get_visible()][-1]
        last.set_xlabel("words between the two")


def _limits(found: Sequence[Curve]) -> tuple[float, float]:
    """Of y: from a little below zero, so that what lies there is seen whole, to above all else."""
    losses = [loss for curve in found for of_seeds in curve.losses.values() for loss in of_seeds]
    top = 1.05 * max(*losses, *(curve.chance for curve in found))
    return -0.04 * top, top


def _place(column: Column) -> tuple[str, int, str]:
    cell, hidden_size, further = column
    return cell, int(hidden_size), further


def _title_of(place: Column, columns: Sequence[Column]) -> str:
    """The cell, and what else tells the column from the others."""
    cell, hidden_size, further = place
    sizes = {size for _, size, _ in columns}
    hidden = f", {hidden_size} hidden units" if len(sizes) > 1 else ""
    return cell_title(cell) + hidden + (f", {further}" if further else "")


def _draw_panel(axis: Axes, found: Sequence[Curve], looks: dict[str, Look]) -> None:
    for place, curve in enumerate(found):
        look = looks[curve.depth]
        means = curve.means
        below = [means[distance] - min(curve.losses[distance]) for distance in means]
        above = [max(curve.losses[distance]) - means[distance] for distance in means]
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
    if found:
        axis.axhline(found[0].chance, **CHANCE_STYLE)
        distances = [distance for curve in found for distance in curve.losses]
        _space_evenly(axis, min(distances), max(distances))


def _space_evenly(axis: Axes, shortest: int, longest: int) -> None:
    """The same distance from each power of two to the next; no distance at all has a place before
    them.
    """
    axis.set_xscale("log", base=2)
    ticks = [2**power for power in range(longest.bit_length())]
    names = [str(tick) for tick in ticks]
    if shortest == 0:
        ticks, names = [NO_DISTANCE, *ticks], ["0", *names]
    axis.set_xticks(ticks, names)
    axis.xaxis.set_minor_locator(NullLocator())


def _handles(looks: dict[str, Look]) -> list[Line2D]:
    depths = [
        Line2D([], [], color=look.colour, marker=look.marker, markersize=5, label=_title(depth))
        for depth, look in looks.items()
    ]
    return [*depths, Line2D([], [], label="nothing known", **CHANCE_STYLE)]


def _title(depth: str) -> str:
    return "full depth" if depth == "full" else f"depth {depth}"
