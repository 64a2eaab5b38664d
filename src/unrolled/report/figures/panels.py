"""What figures of several panels share: how these stand, and what is seen without any."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.figure import Figure

from unrolled.report.drawing import TITLE_LETTERS_PER_INCH, new_figure, wrapped
from unrolled.report.runs import Setting, cell_title

NO_GRADIENT = "No run finished, so no gradient was followed."

ALONE = 5.5
"""Inches: a panel alone would be too flat if it were wider."""

BESIDE = 0.7
"""Inches beside the panels, for the name of the y axis and its numbers."""

LEAST_PANEL = 1.4
"""Inches that a panel needs for its title and ticks; two of them stand side by side on a phone."""

MOST_COLUMNS = 4

HANDLE = 0.55
"""Inches before and after a name in a legend, the line it names among them."""

LINE = 0.15
"""Inches from one line of text to the next."""


@dataclass(frozen=True)
class Grid:
    """How panels stand side by side.

    Attributes:
        panels: how many there are.
        columns: in how many columns; places in the last row may stay empty.
        page: how wide a figure may be, in inches.
    """

    panels: int
    columns: int
    page: float

    @property
    def rows(self) -> int:
        """So many as are needed."""
        return math.ceil(self.panels / self.columns)

    @property
    def width(self) -> float:
        """Of the figure in inches."""
        return self.page if self.columns > 1 else min(self.page, ALONE)

    @property
    def panel_width(self) -> float:
        """Of one panel in inches, after the names of axes."""
        return (self.width - BESIDE) / self.columns

    @property
    def panel_height(self) -> float:
        """Of one panel in inches, below its title: somewhat less than its width."""
        return min(2.4, max(1.4, 0.7 * self.panel_width))

    def titles_height(self, titles: Sequence[str]) -> float:
        """Of the titles of all rows in inches, each row being as high as its longest title."""
        firsts = range(0, len(titles), self.columns)
        rows = [titles[first : first + self.columns] for first in firsts]
        return sum(LINE * (1 + max(title.count("\n") for title in row)) for row in rows)


def columns_that_fit(page: float) -> int:
    """How many panels stand side by side on a page, whose width is in inches."""
    return max(1, min(MOST_COLUMNS, int((page - BESIDE) / LEAST_PANEL)))


def compact_grid(panels: int, page: float) -> Grid:
    """All panels side by side, or in the number of columns that leaves fewer places empty: as many
    as fit, or one less.
    """
    most = columns_that_fit(page)
    fewer = max(min(2, most), most - 1)
    columns = panels if panels <= most else min(most, fewer, key=lambda columns: -panels % columns)
    return Grid(panels, columns, page)


def words_alone(label: str, words: str, width: float) -> Figure:
    """The figure that says in words why there is nothing to show."""
    figure = new_figure(width, 1, label)
    figure.text(0.5, 0.5, wrapped(words, width - 0.4), ha="center", va="center")
    return figure


def nothing_to_show(label: str, page: float) -> Figure:
    """The figure of a sweep in which no run finished."""
    return words_alone(f"{label}: nothing, as no run finished", NO_GRADIENT, page)


def add_legend(figure: Figure, handles: Sequence[Any]) -> None:
    """Name what is drawn, above all panels, in as many columns as fit; the figure grows by that.

    Args:
        figure: whose panels are drawn.
        handles: of the legend, each with its name, which is broken where it is too long.
    """
    width = figure.get_figwidth()
    names = [wrapped(_name_of(handle), width - HANDLE) for handle in handles]
    columns = _legend_columns(names, width)
    lines = max(sum(name.count("\n") + 1 for name in part) for part in _split(names, columns))
    figure.set_figheight(figure.get_figheight() + 0.1 + 1.2 * LINE * lines)
    figure.legend(
        handles, names, loc="outside upper left", ncols=columns, handlelength=1.8, columnspacing=1.2
    )


def by_cell(settings: Sequence[Setting]) -> dict[str, list[Setting]]:
    """The settings of each cell of which a run finished."""
    cells: dict[str, list[Setting]] = {}
    for setting in settings:
        if setting.finished:
            cells.setdefault(setting.settings["cell"], []).append(setting)
    return cells


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


def percent(share: float) -> str:
    """A share as takeaways and panels tell it; what is not nothing is not called so."""
    return "less than 0.1 %" if 0 < share < 0.0005 else f"{100 * share:.1f} %"


def _name_of(handle: Artist) -> str:
    return str(handle.get_label())


def _legend_columns(names: Sequence[str], width: float) -> int:
    """The most columns of a legend that are together not wider than this, in inches."""
    return next(
        (n for n in range(len(names), 1, -1) if _legend_width(_split(names, n)) <= width), 1
    )


def _legend_width(columns: Sequence[Sequence[str]]) -> float:
    longest = [max(map(_letters, column)) for column in columns]
    return sum(HANDLE + letters / TITLE_LETTERS_PER_INCH for letters in longest)


def _letters(name: str) -> int:
    """Of the longest line."""
    return max(map(len, name.split("\n")))


def _split(names: Sequence[str], columns: int) -> list[list[str]]:
    """The names of each column, as matplotlib places them: the first columns may hold one more."""
    return [part.tolist() for part in np.array_split(np.array(names, dtype=object), columns)]
