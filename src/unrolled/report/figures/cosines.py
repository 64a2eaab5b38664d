"""How much of a gradient's direction truncation keeps."""

from collections.abc import Mapping, Sequence
from statistics import fmean

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from unrolled.report.figures.depth_lines import Line, Look, depth_figure, over_seeds
from unrolled.report.flow import Flow
from unrolled.report.runs import Setting


def cosine_figure(settings: Sequence[Setting], flows: Mapping[str, Flow]) -> Figure:
    """The cosine of truncated and full gradient by depth, the mean over seeds with their range.

    A mark is at the depth at which training truncated it.

    Args:
        settings: the settings to show, in order.
        flows: of each run, by its name.
    """

    def line_of(setting: Setting) -> Line:
        return over_seeds([flows[run.name].cosine_by_depth for run in setting.finished], fmean)

    figure = depth_figure(
        settings,
        "Cosine of the truncated and the full gradient by truncation depth",
        ("truncation depth", "cosine"),
        line_of,
        _draw_line,
    )
    deepest = max((axis.dataLim.xmax for axis in figure.axes if axis.lines), default=0)
    for axis in figure.axes:
        _space_evenly(axis, deepest)
    return figure


def _draw_line(axis: Axes, line: Line, _: int | None, look: Look) -> None:
    axis.plot(line.places, line.mean, color=look.colour, linewidth=1.5)


def _space_evenly(axis: Axes, deepest: float) -> None:
    """The same distance from 0 to 1 as from each power of two to the next."""
    ticks = [0, *(2**power for power in range(int(deepest).bit_length()))]
    axis.set_xscale("symlog", base=2, linthresh=1, linscale=0.5)
    axis.set_xticks(ticks, [str(tick) for tick in ticks])
    axis.xaxis.set_minor_locator(NullLocator())
