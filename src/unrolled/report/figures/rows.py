"""Figures of rows, each with a name: how they stand on wide pages and on phones."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes

from unrolled.report.drawing import counted, wrapped
from unrolled.report.runs import Setting

NARROW_BELOW = 5.0
"""Inches; where a figure is narrower, names beside its rows would leave no room for them."""

ROW_HEIGHT, LINE_HEIGHT = 0.26, 0.16
"""Inches of a row, and of each further line of words."""


@dataclass(frozen=True)
class Rows:
    """The rows of a figure, each with a name: beside it, or above it where the figure is narrow.

    Attributes:
        names: from the top, broken into lines.
        narrow: whether the figure is.
    """

    names: Sequence[str]
    narrow: bool

    @property
    def row_height(self) -> float:
        """In inches; the same for all, so that the longest name has room."""
        return ROW_HEIGHT + LINE_HEIGHT * (self._lines - (not self.narrow))

    @property
    def height(self) -> float:
        """Of all of them in inches, the margins included."""
        return self.row_height * (self._bottom - self._top)

    @property
    def _top(self) -> float:
        """The upper edge in rows, the first being at 0; its name may stand above it."""
        return -self._margin - (LINE_HEIGHT * self._lines / self.row_height if self.narrow else 0)

    @property
    def _bottom(self) -> float:
        return len(self.names) - 1 + self._margin

    @property
    def _margin(self) -> float:
        """In rows, so that the marks of the outer ones have room."""
        return 0.6 * (ROW_HEIGHT / self.row_height if self.narrow else 1)

    @property
    def _lines(self) -> int:
        """Of the longest name."""
        return max(name.count("\n") for name in self.names) + 1

    def write_on(self, axis: Axes) -> None:
        """Name the heights 0, 1, ... of an axis, which then go down from its upper edge."""
        beside = [""] * len(self.names) if self.narrow else self.names
        axis.set_yticks(range(len(self.names)), beside)
        axis.set_ylim(self._bottom, self._top)
        if self.narrow:
            axis.tick_params(axis="y", length=0)
            axis.spines["left"].set_visible(False)
            for row, name in enumerate(self.names):
                _write_above(axis, row, name)


def rows_of(settings: Sequence[Setting], width: float) -> Rows:
    """A row for each of these settings, of which there is one at least, by its description."""
    narrow = width < NARROW_BELOW
    inches = width if narrow else 0.4 * width  # names above rows are written smaller
    return Rows([wrapped(setting.description, inches) for setting in settings], narrow)


def x_name(told: str, width: float) -> str:
    """What an x axis shows, broken into lines that fit below it."""
    return wrapped(told, width - 0.3 if width < NARROW_BELOW else 0.6 * width)


def figure_height(rows: Rows, told: str) -> float:
    """Inches of a figure of these rows, above an x axis of this name."""
    return 0.7 + rows.height + LINE_HEIGHT * told.count("\n")


def shown_of(shown: int, count: int) -> str:
    """Which settings a figure shows, in words."""
    return counted(count, "setting") if shown == count else f"the best {shown} of {count} settings"


def _write_above(axis: Axes, row: int, name: str) -> None:
    axis.annotate(
        name,
        (0, row),
        xycoords=axis.get_yaxis_transform(),
        xytext=(0, 7),
        textcoords="offset points",
        va="bottom",
        fontsize=8.5,
    )
