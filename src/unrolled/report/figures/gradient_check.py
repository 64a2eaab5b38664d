"""How the errors of the checked gradients are distributed."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from unrolled.report.drawing import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    SKY,
    VERMILION,
    YELLOW,
    counted,
    label_outer_axes,
    new_figure,
)
from unrolled.report.runs import check_title

PARAMETER_COLOURS = {
    "input_weights": BLUE,
    "input_projection": SKY,
    "recurrent_weights": VERMILION,
    "output_weights": GREEN,
    "bias": ORANGE,
    "output_bias": PURPLE,
    "root_weights": YELLOW,
    "root_bias": GREY,
}


def gradient_figure(checks: Sequence[Mapping[str, Any]]) -> Figure:
    """How large the relative errors of the gradients are, a panel for each check."""
    columns = min(len(checks), 4)
    rows = math.ceil(len(checks) / columns)
    label = f"Histograms of relative errors, of {counted(len(checks), 'gradient check')}"
    figure = new_figure(10, 0.9 + 1.9 * rows, label)
    axes = list(figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).flat)
    for axis, check in zip(axes, checks, strict=False):
        _draw_errors(axis, check)
    label_outer_axes(axes, len(checks), columns, "relative error, power of ten", "entries")
    present = {parameter["parameter"] for check in checks for parameter in check["parameters"]}
    handles = [
        Patch(color=colour, label=name.replace("_", " "))
        for name, colour in PARAMETER_COLOURS.items()
        if name in present
    ]
    figure.legend(handles=handles, loc="outside upper left", ncols=6 if len(handles) <= 6 else 4)
    return figure


def _draw_errors(axis: Axes, check: Mapping[str, Any]) -> None:
    below = np.zeros(1)
    for parameter in check["parameters"]:
        histogram = parameter["relative_error_histogram"]
        powers = [int(power.removeprefix("1e")) for power in histogram]
        counts = np.array(list(histogram.values()))
        axis.bar(
            [power + 0.5 for power in powers],
            counts,
            bottom=below,
            width=0.9,
            color=PARAMETER_COLOURS[parameter["parameter"]],
            label=parameter["parameter"].replace("_", " "),
        )
        below = below + counts
    verdict = "passed" if check["passed"] else "FAILED"
    axis.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
    axis.set_title(
        f"{check_title(check)}, depth {check['truncation_depth']}: {verdict}",
        loc="left",
    )
