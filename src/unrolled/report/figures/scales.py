"""Logarithmic scales with numbers as they are read."""

import math
from collections.abc import Sequence
from typing import Literal

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
"""The letters of exponents."""


def log_scale(axes: Sequence[Axes], least: float) -> None:
    """A logarithmic scale of y, the same in all panels that show anything.

    Args:
        axes: the panels.
        least: what smaller values are cut off at.
    """
    drawn = [axis for axis in axes if axis.lines]
    bottom = max(least, min((axis.dataLim.ymin for axis in drawn), default=1) / 2)
    top = 2 * max((axis.dataLim.ymax for axis in drawn), default=1)
    for axis in drawn:
        axis.set_yscale("log")
        axis.set_ylim(bottom, top)
        _number_powers(axis, between=top < 50 * bottom)


def _number_powers(axis: Axes, between: bool) -> None:
    """Plain numbers at the powers of ten, and where these are few also between them."""
    axis.yaxis.set_major_formatter(FuncFormatter(_plain))
    axis.yaxis.set_minor_formatter(FuncFormatter(_plain) if between else NullFormatter())
    if between:
        axis.yaxis.set_minor_locator(LogLocator(subs=(2, 5)))


def plain_log_scale(axes: Axes, which: Literal["x", "y"]) -> None:
    """A logarithmic scale with numbers as they are read: 5, 100, 2,000.

    Args:
        axes: all that stands in it is drawn already.
        which: of its two scales.
    """
    axes.set(**{f"{which}scale": "log"})
    scale = axes.xaxis if which == "x" else axes.yaxis
    least, largest = sorted(scale.get_view_interval())
    # powers of ten alone would leave a short scale without numbers
    digits = (1,) if largest > 300 * least else (1, 2, 5)
    scale.set_major_locator(LogLocator(subs=digits))
    scale.set_major_formatter(FuncFormatter(_as_read))
    scale.set_minor_formatter(NullFormatter())


def _as_read(number: float, _: int | None) -> str:
    """A number of a scale; the place on the scale does not matter."""
    return f"{number:,.12g}"


def _plain(number: float, _: int | None) -> str:
    """A number of one digit as it is read, those below a thousandth by their power of ten."""
    if number >= 0.0009:
        return f"{number:g}"
    return f"10{str(round(math.log10(number))).translate(RAISED)}"
