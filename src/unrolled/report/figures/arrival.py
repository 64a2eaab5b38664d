"""How much of a loss's gradient arrives so many steps back, and how much of it training saw."""

import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from unrolled.config.sweep import FULL, depth_limit
from unrolled.report.drawing import INK, WIDE, Picture, counted
from unrolled.report.figures.depth_lines import (
    Line,
    Look,
    depth_figure,
    left_out_told,
    lines_shown,
    over_seeds,
)
from unrolled.report.figures.panels import NO_GRADIENT, percent
from unrolled.report.figures.scales import log_scale
from unrolled.report.flow import Flow
from unrolled.report.pictures import Table
from unrolled.report.runs import Setting, best_setting

UNSEEN: Any = {"linestyle": (0, (2, 1.5)), "linewidth": 1.2, "alpha": 0.75}
"""How a line looks where training has not followed the gradient."""

LEAST_SHARE = 1e-7
"""The lower edge; in single precision, less is nothing beside what arrives at lag 0."""

COLUMNS = ["setting", "finished_runs", "lag", "mean_share", "lowest", "highest", "seen_in_training"]
"""Of the table; the mean is the geometric one."""


def arrival_picture(settings: Sequence[Setting], flows: Mapping[str, Flow]) -> Picture:
    """The picture of what arrives, with what belongs to it.

    Args:
        settings: the settings to show, in order.
        flows: of each run, by its name.
    """
    return Picture(
        "arrival",
        arrival_takeaway(settings, flows),
        arrival_table(settings, flows),
        partial(arrival_figure, settings, flows),
    )


def arrival_figure(
    settings: Sequence[Setting], flows: Mapping[str, Flow], width: float = WIDE
) -> Figure:
    """The share of the gradient by the lag, the geometric mean over seeds with their range.

    Up to the depth at which training truncated it a line is solid, and marked there.

    Args:
        settings: the settings to show, in order.
        flows: of each run, by its name.
        width: of the page, in inches.
    """
    whole = all(setting.settings["truncation_depth"] == FULL for setting in settings)
    figure = depth_figure(
        settings,
        "Share of the gradient that arrives by how many steps back",
        ("steps back", "share left"),
        partial(_line_of, flows),
        _draw_line,
        [] if whole else [Line2D([], [], color=INK, label="not seen in training", **UNSEEN)],
        width,
    )
    log_scale(figure.axes, LEAST_SHARE)
    return figure


def arrival_table(settings: Sequence[Setting], flows: Mapping[str, Flow]) -> Table:
    """A row for each setting and lag that is drawn, of the columns of `COLUMNS`."""
    rows = [
        (setting.description, len(setting.finished), *point, _seen(setting, point[0]))
        for setting, line in lines_shown(settings, partial(_line_of, flows))
        for point in line.points
    ]
    return Table(COLUMNS, [dict(zip(COLUMNS, row, strict=True)) for row in rows])


def arrival_takeaway(settings: Sequence[Setting], flows: Mapping[str, Flow]) -> str:
    """How far the gradient gets in the best setting, and what training cut off there."""
    best = best_setting(settings)
    if best is None:
        return NO_GRADIENT
    peers = [setting for setting in settings if setting.all_but_depth == best.all_but_depth]
    told = _told(_line_of(flows, best)) + _cut_told(peers, flows)
    return f"In the best setting ({best.description}) {told}{left_out_told(settings)}."


def geometric_mean(values: Sequence[float]) -> float:
    """Zero if one of them is."""
    return math.prod(values) ** (1 / len(values))


def _line_of(flows: Mapping[str, Flow], setting: Setting) -> Line:
    return over_seeds([flows[run.name].shares for run in setting.finished], geometric_mean)


def _seen(setting: Setting, lag: int) -> str:
    depth = depth_limit(setting.settings["truncation_depth"])
    return "yes" if depth is None or lag <= depth else "no"


def _told(line: Line) -> str:
    """How far back gradients get."""
    furthest = line.places[-1] if line.places else 0
    if furthest == 0:
        return "too few predictions have words before them to say how far the gradient gets"
    gone = next((point for point in line.points if point[1] < 0.1), None)
    if gone is not None:
        return f"less than a tenth of the gradient is left {_steps(gone[0])} back"
    if line.mean[-1] > 1:
        grown = f"{line.mean[-1]:.3g} times what reaches the word just read"
        return f"the gradient grows: {_steps(furthest)} back it is {grown}"
    return f"{percent(line.mean[-1])} of the gradient is left even {_steps(furthest)} back"


def _cut_told(settings: Sequence[Setting], flows: Mapping[str, Flow]) -> str:
    """What arrives just beyond the depth at which the best truncated setting was trained."""
    best = best_setting(
        [setting for setting in settings if setting.settings["truncation_depth"] != FULL]
    )
    if best is None:
        return ""
    beyond = 1 + int(best.settings["truncation_depth"])
    line = _line_of(flows, best)
    if beyond not in line.places:
        return ""
    share = percent(line.mean[line.places.index(beyond)])
    return f"; training at {best.depth} does not see what is left {_steps(beyond)} back, {share}"


def _steps(count: int) -> str:
    return counted(count, "step")


def _draw_line(axis: Axes, line: Line, depth: int | None, look: Look) -> None:
    places, shares = line.places, line.mean
    seen = len(places) if depth is None else depth + 1
    axis.plot(places[seen - 1 :], shares[seen - 1 :], color=look.colour, **UNSEEN)
    axis.plot(places[:seen], shares[:seen], color=look.colour, linewidth=1.8)
