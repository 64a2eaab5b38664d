"""What the figures of gradients share: how their panels stand, and what is seen without any."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from unrolled.report.drawing import new_figure, wrapped
from unrolled.report.runs import Setting, cell_title


@dataclass(frozen=True)
class Grid:
    """How panels stand side by side.

    Attributes:
        panels: how many there are.
        columns: in how many columns; places in the last row may stay empty.
    """

    panels: int
    columns: int

    @property
    def rows(self) -> int:
        """So many as are needed."""
        return math.ceil(self.panels / self.columns)

    @property
    def width(self) -> float:
        """Of the figure in inches; a panel alone would be too flat at full width."""
        return 10 if self.columns > 1 else 5.5

    @property
    def panel_width(self) -> float:
        """Of one panel in inches, after the names of axes."""
        return (self.width - 0.8) / self.columns


def compact_grid(panels: int) -> Grid:
    """Three or four side by side, as fewer places stay empty; all of them where they are fewer."""
    columns = panels if panels < 3 else min(3, 4, key=lambda columns: -panels % columns)
    return Grid(panels, columns)


def nothing_to_show(label: str) -> Figure:
    """The figure of a sweep in which no run finished."""
    figure = new_figure(10, 1, label)
    figure.text(0.5, 0.5, "No run finished, so no gradient was followed.", ha="center", va="center")
    return figure


def by_cell(settings: Sequence[Setting]) -> dict[str, list[Setting]]:
    """The settings of each cell of which a run finished."""
    cells: dict[str, list[Setting]] = {}
    for setting in settings:
        if setting.finished:
            cells.setdefault(setting.settings["cell"], []).append(setting)
    return cells


def log_scale(axes: Sequence[Axes], least: float) -> None:
    """A logarithmic scale of y, the same in all panels that show anything.

    Args:
        axes: the panels.
        least: what smaller values are cut off at.
    """
    drawn = [axis for axis in axes if axis.lines]
    lowest = min((axis.dataLim.ymin for axis in drawn), default=1)
    highest = max((axis.dataLim.ymax for axis in drawn), default=1)
    for axis in drawn:
        axis.set_yscale("log")
        axis.set_ylim(max(least, lowest / 2), 2 * highest)


def titles_of_cell(cell: str, whole: str, names: Sequence[str], width: float) -> list[str]:
    """The titles of a cell's panels: the first says what is shown, the others the cell alone.

    Args:
        cell: which.
        whole: what all of them show.
        names: of what each panel shows of it.
        width: of a panel, in inches.
    """
    heads = [whole, *[cell_title(cell)] * (len(names) - 1)]
    return [wrapped(f"{head}: {name}", width) for head, name in zip(heads, names, strict=True)]
