"""Where the time of the workflow went: a bar for each rule."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from unrolled.report.cost import RuleTime, by_rule, duration
from unrolled.report.drawing import BLUE, WIDE, Picture, counted, new_figure
from unrolled.report.figures.panels import words_alone
from unrolled.report.pictures import Table
from unrolled.storage import Cell

Job = tuple[str, float]
"""The rule that a job is of, and its seconds."""

COLUMNS = ["rule", "jobs", "seconds", "share"]

MOST_BARS = 12
"""So many rules have a bar of their own; more of them took next to nothing."""

OTHERS = "others"

NAMES, WORDS = 1.4, 1.15
"""Inches of the names of rules, and of the words beside the longest bar."""

NOTHING = "No job was timed."


def stage_picture(jobs: Sequence[Job]) -> Picture:
    """The seconds of each rule, summed over its jobs.

    Args:
        jobs: all that were timed, in any order.
    """
    return Picture(
        "stages",
        stage_takeaway(jobs),
        stage_table(jobs),
        lambda width: stage_figure(jobs, width),
    )


def stage_table(jobs: Sequence[Job]) -> Table:
    """A row for each rule, the longest first; the share is of all seconds, 0 to 1."""
    rows: list[dict[str, Cell]] = [
        {"rule": time.rule, "jobs": time.jobs, "seconds": time.seconds, "share": time.share}
        for time in by_rule(jobs)
    ]
    return Table(COLUMNS, rows)


def stage_takeaway(jobs: Sequence[Job]) -> str:
    """What the longest rule took of the whole."""
    times = by_rule(jobs)
    if not times:
        return NOTHING
    longest, total = times[0], sum(time.seconds for time in times)
    name = "Training" if longest.rule == "train" else f"The rule {longest.rule}"
    return f"{name} took {100 * longest.share:.0f} % of the {duration(total)} of all jobs together."


def stage_figure(jobs: Sequence[Job], width: float = WIDE) -> Figure:
    """A bar for each rule, the longest on top, with its share of all seconds and its jobs.

    Args:
        jobs: all that were timed.
        width: in inches.
    """
    times = by_rule(jobs)
    label = f"Seconds of {counted(len(times), 'rule')} of the workflow"
    if not times:
        return words_alone(label, NOTHING, width)
    bars = _bars(times)
    figure = new_figure(width, 0.7 + 0.24 * len(bars), label)
    axis = figure.subplots()
    longest = max(time.seconds for time in bars)
    for row, time in enumerate(bars):
        axis.barh(row, time.seconds, color=BLUE)
        words = f" {100 * time.share:.1f} %, {counted(time.jobs, 'job')}"
        axis.text(time.seconds, row, words, va="center", fontsize=8.5)
    axis.set_xlim(0, longest * (width - NAMES) / (width - NAMES - WORDS) or 1)
    _tidy(axis, bars)
    return figure


def _bars(times: Sequence[RuleTime]) -> list[RuleTime]:
    """What is drawn: the rules that took longest, and the others put together."""
    rest = times[MOST_BARS:]
    if not rest:
        return list(times)
    jobs, seconds, share = (
        sum(time.jobs for time in rest),
        sum(time.seconds for time in rest),
        sum(time.share for time in rest),
    )
    return [*times[:MOST_BARS], RuleTime(OTHERS, jobs, seconds, share)]


def _tidy(axis: Axes, bars: Sequence[RuleTime]) -> None:
    """Names of the rules, the first one on top, and few numbers."""
    names = [time.rule.replace("_", " ") for time in bars]
    axis.set_yticks(range(len(bars)), names)
    axis.set_ylim(len(bars) - 0.4, -0.6)
    axis.locator_params(axis="x", nbins=5)
    axis.tick_params(axis="y", length=0)
    axis.grid(visible=False, axis="y")
    axis.set_xlabel("seconds, all jobs together")
