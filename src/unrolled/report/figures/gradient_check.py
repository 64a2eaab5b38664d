"""How the errors of the checked gradients are distributed."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from unrolled.report.drawing import BLUE, ORANGE, counted, label_outer_axes, new_figure
from unrolled.report.runs import cell_title

METHOD_COLOURS = {"central differences": ORANGE, "complex step": BLUE}


def gradient_figure(checks: Sequence[Mapping[str, Any]]) -> Figure:
    """How large the relative errors of all entries are by either method, a panel for each check."""
    columns = min(len(checks), 4)
    rows = math.ceil(len(checks) / columns)
    label = f"Histograms of relative errors, of {counted(len(checks), 'gradient check')}"
    figure = new_figure(10, 0.9 + 1.9 * rows, label)
    axes = list(figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).flat)
    for axis, check in zip(axes, checks, strict=False):
        _draw_errors(axis, check)
    label_outer_axes(axes, len(checks), columns, "relative error, power of ten", "entries")
    handles = [Patch(color=colour, label=name) for name, colour in METHOD_COLOURS.items()]
    figure.legend(handles=handles, loc="outside upper left", ncols=2)
    return figure


def _draw_errors(axis: Axes, check: Mapping[str, Any]) -> None:
    for method, colour in METHOD_COLOURS.items():
        counts = _counts(check, method)
        places = [power + 0.5 for power in counts]
        axis.bar(places, list(counts.values()), width=0.9, color=colour, alpha=0.8)
    verdict = "passed" if check["passed"] else "FAILED"
    axis.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
    title = f"{cell_title(check['cell'])}, depth {check['truncation_depth']}: {verdict}"
    axis.set_title(title, loc="left")


def _counts(check: Mapping[str, Any], method: str) -> dict[int, int]:
    """How many entries of all networks have an error of each power of ten."""
    counts: dict[int, int] = {}
    for network in check["networks"]:
        for parameter in network["parameters"]:
            histogram = parameter["methods"][method]["relative_error_histogram"]
            for power, count in histogram.items():
                exponent = int(power.removeprefix("1e"))
                counts[exponent] = counts.get(exponent, 0) + count
    return counts
