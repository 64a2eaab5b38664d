"""How much of a loss's gradient arrives so many steps back, and how much of it training saw."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from unrolled.config.sweep import FULL
from unrolled.report.drawing import INK
from unrolled.report.figures.depth_lines import Line, Look, depth_figure, over_seeds
from unrolled.report.figures.panels import log_scale
from unrolled.report.flow import Flow
from unrolled.report.runs import Setting

UNSEEN: Any = {"linestyle": (0, (2, 1.5)), "linewidth": 1.2, "alpha": 0.75}
"""How a line looks where training has not followed the gradient."""

LEAST_SHARE = 1e-7
"""The lower edge; in single precision, less is nothing beside what arrives at lag 0."""


def arrival_figure(settings: Sequence[Setting], flows: Mapping[str, Flow]) -> Figure:
    """The share of the gradient by the lag, the geometric mean over seeds with their range.

    Up to the depth at which training truncated it a line is solid, and marked there.

    Args:
        settings: the settings to show, in order.
        flows: of each run, by its name.
    """

    def line_of(setting: Setting) -> Line:
        return over_seeds([flows[run.name].shares for run in setting.finished], geometric_mean)

    whole = all(setting.settings["truncation_depth"] == FULL for setting in settings)
    figure = depth_figure(
        settings,
        "Share of the gradient that arrives by how many steps back",
        ("steps back", "share of the gradient"),
        line_of,
        _draw_line,
        [] if whole else [Line2D([], [], color=INK, label="not seen in training", **UNSEEN)],
    )
    log_scale(figure.axes, LEAST_SHARE)
    return figure


def geometric_mean(values: Sequence[float]) -> float:
    """Zero if one of them is."""
    return math.prod(values) ** (1 / len(values))


def _draw_line(axis: Axes, line: Line, depth: int | None, look: Look) -> None:
    places, shares = line.places, line.mean
    seen = len(places) if depth is None else depth + 1
    axis.plot(places[seen - 1 :], shares[seen - 1 :], color=look.colour, **UNSEEN)
    axis.plot(places[:seen], shares[:seen], color=look.colour, linewidth=1.8)
