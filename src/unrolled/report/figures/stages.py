"""Where the time of the workflow went: a bar for each step. That is a rule, or of runs what their
job does in turn: train, evaluate, sample and so on.
"""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from unrolled.report.cost import StepTime, by_step, duration
from unrolled.report.drawing import BLUE, WIDE, Picture, counted, new_figure
from unrolled.report.figures.panels import words_alone
from unrolled.report.pictures import Table
from unrolled.storage import Cell

Timed = tuple[str, float]
"""A step and its seconds, once."""

COLUMNS = ["step", "times", "seconds", "share"]

MOST_BARS = 12
"""So many steps have a bar of their own; more of them took next to nothing."""

OTHERS = "others"

NAMES, WORDS = 1.4, 1.15
"""Inches of the names of steps, and of the words beside the longest bar."""

NOTHING = "No step was timed."


def stage_picture(timed: Sequence[Timed]) -> Picture:
    """The seconds of each step, summed over all times that it was done.

    Args:
        timed: all steps that were timed, in any order.
    """
    return Picture(
        "stages",
        stage_takeaway(timed),
        stage_table(timed),
        lambda width: stage_figure(timed, width),
    )


def stage_table(timed: Sequence[Timed]) -> Table:
    """A row for each step, the longest first; the share is of all seconds, 0 to 1."""
    rows: list[dict[str, Cell]] = [
        {"step": time.step, "times": time.times, "seconds": time.seconds, "share": time.share}
        for time in by_step(timed)
    ]
    return Table(COLUMNS, rows)


def stage_takeaway(timed: Sequence[Timed]) -> str:
    """What the longest step took of the whole."""
    times = by_step(timed)
    if not times:
        return NOTHING
    longest, total = times[0], sum(time.seconds for time in times)
    name = "Training" if longest.step == "train" else f"The step {longest.step}"
    share = f"{100 * longest.share:.0f} %"
    return f"{name} took {share} of the {duration(total)} of all steps together."


def stage_figure(timed: Sequence[Timed], width: float = WIDE) -> Figure:
    """A bar for each step, the longest on top, with its share of all seconds and how often it was
    done.

    Args:
        timed: all steps that were timed.
        width: in inches.
    """
    times = by_step(timed)
    label = f"Seconds of {counted(len(times), 'step')} of the workflow"
    if not times:
        return words_alone(label, NOTHING, width)
    bars = _bars(times)
    figure = new_figure(width, 0.7 + 0.24 * len(bars), label)
    axis = figure.subplots()
    longest = max(time.seconds for time in bars)
    for row, time in enumerate(bars):
        axis.barh(row, time.seconds, color=BLUE)
        words = f" {100 * time.share:.1f} %, {counted(time.times, 'time')}"
        axis.text(time.seconds, row, words, va="center", fontsize=8.5)
    axis.set_xlim(0, longest * (width - NAMES) / (width - NAMES - WORDS) or 1)
    _tidy(axis, bars)
    return figure


def _bars(times: Sequence[StepTime]) -> list[StepTime]:
    """What is drawn: the steps that took longest, and the others put together."""
    rest = times[MOST_BARS:]
    if not rest:
        return list(times)
    often, seconds, share = (
        sum(time.times for time in rest),
        sum(time.seconds for time in rest),
        sum(time.share for time in rest),
    )
    return [*times[:MOST_BARS], StepTime(OTHERS, often, seconds, share)]


def _tidy(axis: Axes, bars: Sequence[StepTime]) -> None:
    """Names of the steps, the first one on top, and few numbers."""
    names = [time.step.replace("_", " ") for time in bars]
    axis.set_yticks(range(len(bars)), names)
    axis.set_ylim(len(bars) - 0.4, -0.6)
    axis.locator_params(axis="x", nbins=5)
    axis.tick_params(axis="y", length=0)
    axis.grid(visible=False, axis="y")
    axis.set_xlabel("seconds, all steps together")
