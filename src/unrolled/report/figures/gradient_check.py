"""How the errors of the checked gradients are distributed."""

from collections.abc import Sequence
from functools import partial

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator

from unrolled.config.sweep import FULL
from unrolled.report.drawing import (
    BLUE,
    ORANGE,
    WIDE,
    Picture,
    counted,
    label_outer_axes,
    new_figure,
    wrapped,
)
from unrolled.report.figures.panels import add_legend, compact_grid
from unrolled.report.pictures import Table
from unrolled.report.proofs import Check, gradient_rows
from unrolled.report.runs import cell_title
from unrolled.storage import Cell

METHOD_COLOURS = {"central differences": ORANGE, "complex step": BLUE}

ERRORS = (
    "cell",
    "truncation_depth",
    "network",
    "parameter",
    "method",
    "relative_error_from",
    "entries",
)


def gradient_picture(checks: Sequence[Check]) -> Picture:
    """The relative errors of all entries of the checked gradients."""
    return Picture(
        "gradient_check",
        gradient_takeaway(checks),
        gradient_table(checks),
        partial(gradient_figure, checks),
    )


def gradient_table(checks: Sequence[Check]) -> Table:
    """A row for each bar of the histograms, parameter by parameter."""
    rows: list[dict[str, Cell]] = [
        {
            "cell": check["cell"],
            "truncation_depth": check["truncation_depth"],
            "network": network["title"],
            "parameter": parameter["parameter"],
            "method": method,
            "relative_error_from": power,
            "entries": count,
        }
        for check in checks
        for network in check["networks"]
        for parameter in network["parameters"]
        for method, comparison in parameter["methods"].items()
        for power, count in comparison["relative_error_histogram"].items()
    ]
    return Table(ERRORS, rows)


def gradient_takeaway(checks: Sequence[Check]) -> str:
    """Which checks failed, or how large the largest errors are beside what is allowed."""
    failed = [_title(check) for check in checks if not check["passed"]]
    if failed:
        share = f"{len(failed)} of {counted(len(checks), 'gradient check')}"
        return f"{share} failed: {'; '.join(failed)}."
    rows = gradient_rows(checks)
    errors = [
        f"{_short(max(row.largest[method] for row in rows), 1)}"
        f" ({method}, {_short(allowed, 0)} allowed)"
        for method, allowed in checks[0]["tolerances"].items()
    ]
    return (
        f"All {sum(row.compared for row in rows):,} compared entries of the gradients agree with"
        f" numeric derivatives: the largest error of a parameter is {' and '.join(errors)}."
    )


def gradient_figure(checks: Sequence[Check], width: float = WIDE) -> Figure:
    """How large the relative errors of all entries are by either method, a panel for each check.

    Args:
        checks: one or more.
        width: in inches.
    """
    grid = compact_grid(len(checks), width)
    told = [f"{_title(check)}: {'passed' if check['passed'] else 'FAILED'}" for check in checks]
    titles = [wrapped(title, grid.panel_width) for title in told]
    label = f"Histograms of relative errors, of {counted(len(checks), 'gradient check')}"
    figure = new_figure(grid.width, 0.4 + 1.4 * grid.rows + grid.titles_height(titles), label)
    axes = list(
        figure.subplots(grid.rows, grid.columns, sharex=True, sharey=True, squeeze=False).flat
    )
    for axis, check, title in zip(axes, checks, titles, strict=False):
        axis.set_title(title, loc="left")
        _draw_errors(axis, check)
    ticks = max(3, int(2.2 * grid.panel_width))
    axes[0].xaxis.set_major_locator(MaxNLocator(integer=True, nbins=ticks))
    axes[0].xaxis.set_major_formatter(FuncFormatter(_power))
    label_outer_axes(axes, len(checks), grid.columns, "relative error", "entries")
    add_legend(figure, [Patch(color=colour, label=name) for name, colour in METHOD_COLOURS.items()])
    return figure


def _draw_errors(axis: Axes, check: Check) -> None:
    for method, colour in METHOD_COLOURS.items():
        counts = _counts(check, method)
        places = [power + 0.5 for power in counts]
        axis.bar(places, list(counts.values()), width=0.9, color=colour, alpha=0.8)


def _counts(check: Check, method: str) -> dict[int, int]:
    """How many entries of all networks have an error of each power of ten."""
    counts: dict[int, int] = {}
    for network in check["networks"]:
        for parameter in network["parameters"]:
            histogram = parameter["methods"][method]["relative_error_histogram"]
            for power, count in histogram.items():
                exponent = int(power.removeprefix("1e"))
                counts[exponent] = counts.get(exponent, 0) + count
    return counts


def _title(check: Check) -> str:
    depth = check["truncation_depth"]
    return f"{cell_title(check['cell'])}, {'full depth' if depth == FULL else f'depth {depth}'}"


def _power(exponent: float, place: int | None) -> str:
    """The name of a tick."""
    return f"1e{exponent:.0f}"


def _short(number: float, digits: int) -> str:
    """A small number as it is said: 1e-7 and not 1e-07."""
    return f"{number:.{digits}e}".replace("e-0", "e-")
