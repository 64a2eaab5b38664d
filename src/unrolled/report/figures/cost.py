"""What perplexity costs in time: each run by its seconds of training, the unbeaten ones joined."""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from unrolled.report.cost import Cost, costs, duration
from unrolled.report.drawing import GREY, INK, WIDE, Picture, counted, new_figure
from unrolled.report.figures.depth_lines import MARKERS, Look, depth_looks
from unrolled.report.figures.panels import words_alone
from unrolled.report.figures.scales import plain_log_scale
from unrolled.report.pictures import Table
from unrolled.report.runs import Setting, cell_title

COLUMNS = [
    "run",
    "cell",
    "hidden_size",
    "truncation_depth",
    "seconds",
    "test_perplexity",
    "on_frontier",
]

LARGE_RANGE = 5
"""The quotient of the largest and the least value from which a scale is logarithmic."""

LEAST_AREA, MIDDLE_AREA, LARGEST_AREA = 12.0, 36.0, 72.0
"""Of the marks of the smallest and of the largest network, and of one size alone; square points."""

MOST_SIZES = 4
"""So many hidden sizes are told in the legend; of more, the least and the largest."""

LINE = 0.9
"""Points of the line that joins runs."""

FEWEST_INCHES_FOR_A_SIDE = 6.0
"""The width from which the legend stands beside the panel, not above it."""

NOTHING = "No run finished, so no time can be held against a perplexity."


def cost_picture(settings: Sequence[Setting], seconds: Mapping[str, float]) -> Picture:
    """Time of training against test perplexity.

    Args:
        settings: of all runs; those that did not finish are left out.
        seconds: of training, by the run's name; runs that are not in it are left out.
    """
    return Picture(
        "cost",
        cost_takeaway(settings, seconds),
        cost_table(settings, seconds),
        lambda width: cost_figure(settings, seconds, width),
    )


def cost_table(settings: Sequence[Setting], seconds: Mapping[str, float]) -> Table:
    """A row for each run that is drawn, the fastest first."""
    rows = [
        {
            "run": cost.run.name,
            **{key: cost.setting.settings[key] for key in COLUMNS[1:4]},
            "seconds": cost.seconds,
            "test_perplexity": cost.perplexity,
            "on_frontier": "yes" if cost.on_frontier else "no",
        }
        for cost in costs(settings, seconds)
    ]
    return Table(COLUMNS, rows)


def cost_takeaway(settings: Sequence[Setting], seconds: Mapping[str, float]) -> str:
    """What the fastest run and the best one took and reached."""
    found = [cost for cost in costs(settings, seconds) if cost.on_frontier]
    if not found:
        return NOTHING
    fastest, best = found[0], found[-1]
    count = len(costs(settings, seconds))
    if count == 1:
        return f"The one run that finished {_result(fastest)}."
    told = f"The fastest of {count} runs"
    if fastest.perplexity == best.perplexity:
        return f"{told}, which also has the lowest perplexity, {_result(fastest)}."
    return f"{told} {_result(fastest)}; that of the lowest perplexity {_result(best)}."


def _result(cost: Cost) -> str:
    """A run with its time and its perplexity, in words."""
    digits = 1 if cost.perplexity >= 10 else 2
    return (
        f"({cost.setting.description}) trained for {duration(cost.seconds)} and reached a test"
        f" perplexity of {cost.perplexity:.{digits}f}"
    )


def cost_figure(
    settings: Sequence[Setting], seconds: Mapping[str, float], width: float = WIDE
) -> Figure:
    """A mark for each finished run: its colour tells the depth, its area the hidden size, its form
    the cell; a line of steps joins the runs that no other beats.

    Args:
        settings: of all runs.
        seconds: of training, by the run's name.
        width: in inches.
    """
    found = costs(settings, seconds)
    label = f"Test perplexity by seconds of training, of {counted(len(found), 'run')}"
    if not found:
        return words_alone(label, NOTHING, width)
    key = _key(found)
    handles = _handles(key) if len(found) > 1 else []  # one run needs no key
    beside = width >= FEWEST_INCHES_FOR_A_SIDE
    figure = new_figure(width, 3.4 if beside else 2.7 + 0.1 * len(handles), label)
    axis = figure.subplots()
    _draw_runs(axis, found, key)
    axis.set_xlabel("seconds of training")
    axis.set_ylabel("test perplexity")
    if handles and beside:
        figure.legend(handles=handles, loc="outside right upper")
    elif handles:
        figure.legend(handles=handles, loc="outside upper left", ncols=2, columnspacing=1)
    return figure


@dataclass(frozen=True)
class _Key:
    """What the looks of the marks mean.

    Attributes:
        depths: their looks, by the depth in words.
        cells: the marker of each.
        areas: of the marks of each hidden size, in square points.
    """

    depths: Mapping[str, Look]
    cells: Mapping[str, str]
    areas: Mapping[int, float]


def _key(found: Sequence[Cost]) -> _Key:
    cells = sorted({_cell(cost) for cost in found})
    sizes = sorted({_hidden_size(cost) for cost in found})
    several = np.linspace(LEAST_AREA, LARGEST_AREA, len(sizes))
    areas = several if len(sizes) > 1 else [MIDDLE_AREA]
    return _Key(
        depth_looks([cost.setting for cost in found]),
        dict(zip(cells, itertools.cycle(MARKERS), strict=False)),
        {size: float(area) for size, area in zip(sizes, areas, strict=True)},
    )


def _cell(cost: Cost) -> str:
    return cost.setting.settings["cell"]


def _hidden_size(cost: Cost) -> int:
    return int(cost.setting.settings["hidden_size"])


def _draw_runs(axis: Axes, found: Sequence[Cost], key: _Key) -> None:
    """A mark for each run, and above them the line of the unbeaten ones."""
    for size, area in reversed(list(key.areas.items())):  # the smallest on top
        for cell, marker in key.cells.items():
            group = [cost for cost in found if (_cell(cost), _hidden_size(cost)) == (cell, size)]
            colours = [key.depths[cost.setting.depth].colour for cost in group]
            # a little transparent, so that marks which cover each other are seen
            style: Any = {"s": area, "marker": marker, "alpha": 0.8, "linewidths": 0}
            axis.scatter(*_places(group), color=colours, **style)
    # until the next run ends, the last perplexity is the best that was to be had
    unbeaten = [cost for cost in found if cost.on_frontier]
    axis.plot(*_places(unbeaten), color=INK, linewidth=LINE, drawstyle="steps-post")
    seconds, perplexities = _places(found)
    _choose_scale(axis, "x", seconds)
    _choose_scale(axis, "y", perplexities)


def _places(found: Sequence[Cost]) -> tuple[list[float], list[float]]:
    return [cost.seconds for cost in found], [cost.perplexity for cost in found]


def _choose_scale(axis: Axes, which: Literal["x", "y"], values: Sequence[float]) -> None:
    """A logarithmic scale where values are of different orders; otherwise a few round numbers."""
    if 0 < LARGE_RANGE * min(values) < max(values):
        plain_log_scale(axis, which)
    else:
        axis.locator_params(axis=which, nbins=6, steps=[1, 2, 5, 10])


def _handles(key: _Key) -> list[Line2D]:
    """Of the legend: what differs between the runs, and the line."""
    depths = [_mark(depth, look.colour) for depth, look in key.depths.items()]
    cells = [_mark(cell_title(cell), GREY, marker) for cell, marker in key.cells.items()]
    sizes = [
        _mark(counted(size, "hidden unit"), GREY, area=key.areas[size])
        for size in _few(list(key.areas))
    ]
    varied = [group for group in (depths, cells, sizes) if len(group) > 1]
    line = Line2D([], [], color=INK, linewidth=LINE, label="best for their time")
    return [line, *itertools.chain(*varied)]


def _few(sizes: Sequence[int]) -> Sequence[int]:
    """All of them, or the ends where they are many."""
    return sizes if len(sizes) <= MOST_SIZES else [sizes[0], sizes[-1]]


def _mark(label: str, colour: str, marker: str = "o", area: float = 36.0) -> Line2D:
    return Line2D(
        [],
        [],
        label=label,
        color=colour,
        marker=marker,
        markersize=math.sqrt(area),
        markeredgewidth=0,
        linestyle="none",
    )
