"""How far each setting is from the best, and which of them chance alone may have put there."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from unrolled.report.comparison import (
    Difference,
    differences,
    how_many_are_worse,
    perplexity_change,
)
from unrolled.report.drawing import BLUE, GREY, INK, WIDE, Picture, new_figure
from unrolled.report.figures.panels import words_alone
from unrolled.report.figures.rows import figure_height, rows_of, shown_of, x_name
from unrolled.report.pictures import Table
from unrolled.report.runs import Setting, best_setting
from unrolled.storage import Cell

DIFFERENCES = (
    "setting",
    "finished_runs",
    "difference_nats_per_token",
    "lowest_nats_per_token",
    "highest_nats_per_token",
    "perplexity_change_percent",
    "lowest_percent",
    "highest_percent",
    "clear",
)

ROWS_AT_MOST = 30
"""More would be a figure longer than any page; the table has all."""

WIDEST_PERCENT, WIDEST_SPANS = 20.0, 3.0
"""How far beyond the dots intervals are shown: so many %, or so many times the range of the dots.

What is wider runs over the edge, as it would otherwise press all dots into one.
"""


def difference_picture(settings: Sequence[Setting]) -> Picture:
    """Each setting's difference from the best, with its table and what it says."""
    return Picture(
        "differences",
        difference_takeaway(settings),
        difference_table(settings),
        lambda width: difference_figure(settings, width),
    )


def difference_figure(settings: Sequence[Setting], width: float = WIDE) -> Figure:
    """How much higher the perplexity of each setting is than that of the best, with its interval.

    The best is on top. A difference that is not clear is grey and hollow.

    Args:
        settings: the settings to show; those without a finished run are left out, and of very many
            all but the best.
        width: in inches.
    """
    best, found = best_setting(settings), differences(settings)
    drawn = found[: ROWS_AT_MOST - 1]
    which = shown_of(len(drawn) + 1, len(found) + 1)
    label = "Test perplexity above that of the best setting, with 95 % intervals"
    if best is None:
        return words_alone(label, "No run finished.", width)
    told = x_name(_told(found, which if drawn != found else ""), width)
    rows = rows_of([best, *(difference.setting for difference in drawn)], width)
    figure = new_figure(width, figure_height(rows, told), f"{label}, of {which}")
    axis = figure.subplots()
    axis.set_xlim(*_limits(drawn))
    axis.axvline(0, color=INK, linewidth=0.9, alpha=0.4 if rows.narrow else 1)
    axis.plot([0], [0], "D", color=INK, markersize=6)
    for row, difference in enumerate(drawn, start=1):
        _draw(axis, row, difference)
    rows.write_on(axis)
    axis.set_xlabel(told)
    return figure


def difference_table(settings: Sequence[Setting]) -> Table:
    """A row for each setting with a finished run, the best first."""
    best = best_setting(settings)
    top = [] if best is None else [_row(Difference(best, best, 0.0, None))]
    return Table(DIFFERENCES, [*top, *map(_row, differences(settings))])


def difference_takeaway(settings: Sequence[Setting]) -> str:
    """Which setting is best, and how many others are not clearly worse."""
    best, found = best_setting(settings), differences(settings)
    if best is None:
        return "No run finished, so there is nothing to compare."
    if not found:
        return f"{best.description} is the one setting with a finished run, so best of 1."
    return f"{best.description} is best: with these seeds {how_many_are_worse(found)}{_by(found)}."


def percent(nats_per_token: float) -> float:
    """By how many percent perplexity is higher if the loss is so much higher."""
    return 100 * perplexity_change(nats_per_token)


def _by(found: Sequence[Difference]) -> str:
    """By how much those are worse that clearly are, in words; nothing without any."""
    worse = [percent(one.nats_per_token) for one in found if one.clearly_worse]
    if not worse:
        return ""
    lowest, highest = f"{worse[0]:.1f}", f"{worse[-1]:.1f}"  # they ascend
    reach = lowest if lowest == highest else f"{lowest} to {highest}"
    if len(worse) == len(found):
        return f", by {reach} % of perplexity"
    return f", and {len(worse)} {'is' if len(worse) == 1 else 'are'}, by {reach} % of perplexity"


def _row(difference: Difference) -> dict[str, Cell]:
    interval = difference.interval
    nats = [
        difference.nats_per_token,
        *((interval.lowest, interval.highest) if interval else (None, None)),
    ]
    clear = ("yes" if difference.clear else "no") if interval else None
    percents = [None if value is None else percent(value) for value in nats]
    setting = difference.setting
    cells = (setting.description, len(setting.finished), *nats, *percents, clear)
    return dict(zip(DIFFERENCES, cells, strict=True))


def _told(found: Sequence[Difference], which: str) -> str:
    """What the x axis shows, in words."""
    told = "% above the best setting's test perplexity: a dot for the mean"
    if any(difference.interval for difference in found):
        told += ", a line for its 95 % interval, grey where that holds 0"
    elif found:
        told += ", without an interval, as no setting has two finished seeds"
    return f"{told}, of {which}" if which else told


def _limits(found: Sequence[Difference]) -> tuple[float, float]:
    """From where to where the x axis goes, in %: all dots, and of intervals what has room."""
    dots = [0.0, *(percent(difference.nats_per_token) for difference in found)]
    room = max(WIDEST_PERCENT, WIDEST_SPANS * (max(dots) - min(dots)))
    ends = [end for difference in found for end in _ends(difference)]
    lowest = max(min([*dots, *ends]), min(dots) - room)
    highest = min(max([*dots, *ends]), max(dots) + room)
    margin = 0.04 * (highest - lowest) or 1.0  # without any other setting there is no range
    return lowest - margin, highest + margin


def _draw(axis: Axes, row: int, difference: Difference) -> None:
    colour = BLUE if difference.clear else GREY
    fill = BLUE if difference.clear else "none"
    left, right = axis.get_xlim()
    ends = _ends(difference)
    held = [min(max(end, left), right) for end in ends]  # an end may be infinite
    axis.plot(held, [row] * len(held), color=colour, linewidth=1.6)
    seen = [end for end in ends if left < end < right]
    axis.plot(seen, [row] * len(seen), "|", color=colour, markersize=7)
    dot = percent(difference.nats_per_token)
    axis.plot([dot], [row], "o", color=colour, markerfacecolor=fill, markersize=6)


def _ends(difference: Difference) -> list[float]:
    """Of its interval, in %; none where there is no interval."""
    interval = difference.interval
    return [percent(interval.lowest), percent(interval.highest)] if interval else []
