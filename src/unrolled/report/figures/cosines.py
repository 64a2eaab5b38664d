"""How much of a gradient's direction truncation keeps."""

import math
from collections.abc import Mapping, Sequence
from functools import partial
from statistics import fmean

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from unrolled.config.sweep import depth_limit
from unrolled.report.drawing import WIDE, Picture
from unrolled.report.figures.depth_lines import (
    Line,
    Look,
    depth_figure,
    left_out_told,
    lines_shown,
    over_seeds,
)
from unrolled.report.figures.panels import BESIDE, NO_GRADIENT
from unrolled.report.flow import Flow
from unrolled.report.pictures import Table
from unrolled.report.runs import Setting, best_setting

COLUMNS = ["setting", "finished_runs", "depth", "mean_cosine", "lowest", "highest"]
"""Of the table; the depth is that of the comparison, the setting tells that of training."""

NEARLY_WHOLE = 0.99
"""A cosine from which on a direction is hardly another: the angle is 8 degrees."""

TICK = 0.22
"""Inches from one number at the x axis to the next, so that two digits do not touch."""


def cosine_picture(settings: Sequence[Setting], flows: Mapping[str, Flow]) -> Picture:
    """The picture of cosines, with what belongs to it.

    Args:
        settings: the settings to show, in order.
        flows: of each run, by its name.
    """
    return Picture(
        "cosines",
        cosine_takeaway(settings, flows),
        cosine_table(settings, flows),
        partial(cosine_figure, settings, flows),
    )


def cosine_figure(
    settings: Sequence[Setting], flows: Mapping[str, Flow], width: float = WIDE
) -> Figure:
    """The cosine of truncated and full gradient by depth, the mean over seeds with their range.

    A mark is at the depth at which training truncated it.

    Args:
        settings: the settings to show, in order.
        flows: of each run, by its name.
        width: of the page, in inches.
    """
    figure = depth_figure(
        settings,
        "Cosine of the truncated and the full gradient by truncation depth",
        ("truncation depth", "cosine"),
        partial(_line_of, flows),
        _draw_line,
        width=width,
    )
    drawn = [axis for axis in figure.axes if axis.lines]
    deepest = max((axis.dataLim.xmax for axis in drawn), default=0)
    for axis in figure.axes:
        _space_evenly(axis, int(deepest))
    return figure


def cosine_table(settings: Sequence[Setting], flows: Mapping[str, Flow]) -> Table:
    """A row for each setting and depth that is drawn, of the columns of `COLUMNS`."""
    rows = [
        (setting.description, len(setting.finished), *point)
        for setting, line in lines_shown(settings, partial(_line_of, flows))
        for point in line.points
    ]
    return Table(COLUMNS, [dict(zip(COLUMNS, row, strict=True)) for row in rows])


def cosine_takeaway(settings: Sequence[Setting], flows: Mapping[str, Flow]) -> str:
    """The cosine at the least depth and at one that matters, in the best setting."""
    best = best_setting(settings)
    if best is None:
        return NO_GRADIENT
    return (
        f"In the best setting ({best.description}) {_told(best, flows)}{left_out_told(settings)}."
    )


def _line_of(flows: Mapping[str, Flow], setting: Setting) -> Line:
    return over_seeds([flows[run.name].cosine_by_depth for run in setting.finished], fmean)


def _told(setting: Setting, flows: Mapping[str, Flow]) -> str:
    line = _line_of(flows, setting)
    if not line.places:
        return "there is no gradient to compare with a truncated one"
    cosines = dict(zip(line.places, line.mean, strict=True))
    least, telling = line.places[0], _telling_depth(cosines, setting)
    more = f", at depth {telling} one of {cosines[telling]:.3f}" if telling != least else ""
    return (
        f"a gradient truncated at depth {least} keeps a cosine of {cosines[least]:.3f} to the whole"
        f" one{more}, where 1 is the same direction"
    )


def _telling_depth(cosines: Mapping[int, float], setting: Setting) -> int:
    """That at which training truncated, otherwise the first that is nearly whole, or the last."""
    own = depth_limit(setting.settings["truncation_depth"])
    if own is not None and own in cosines:
        return own
    return next((depth for depth in cosines if cosines[depth] >= NEARLY_WHOLE), max(cosines))


def _draw_line(axis: Axes, line: Line, _: int | None, look: Look) -> None:
    axis.plot(line.places, line.mean, color=look.colour, linewidth=1.5)


def _space_evenly(axis: Axes, deepest: int) -> None:
    """The same distance from 0 to 1 as from each power of two to the next; all have a line, and so
    many a number as have room.
    """
    ticks = [0, *(2**power for power in range(deepest.bit_length()))]
    every = math.ceil(len(ticks) * TICK / _inches(axis))
    names = [str(tick) if place % every == 0 else "" for place, tick in enumerate(ticks)]
    axis.set_xscale("symlog", base=2, linthresh=1, linscale=0.5)
    axis.set_xticks(ticks, names)
    axis.xaxis.set_minor_locator(NullLocator())


def _inches(axis: Axes) -> float:
    """How wide a panel will be, at most."""
    figure, grid = axis.get_figure(root=True), axis.get_gridspec()
    assert figure is not None  # as the panel stands in one
    assert grid is not None
    return (figure.get_figwidth() - BESIDE) / grid.ncols
