"""How every figure is drawn: one style, light and dark alike, the same bytes each time."""

import html
import io
import re
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from unrolled.report.pictures import Table
from unrolled.storage import write_text

WIDE, NARROW = 8.4, 3.6
"""Inches across a page with room and across a phone: at their natural size, 806 and 346 pixels."""

INK = "#101418"
"""Text, axes and lines; turned into the reader's own text colour when a figure is written."""

BLUE, VERMILION, GREEN, ORANGE, SKY, PURPLE, YELLOW, GREY = (
    "#0072b2",
    "#d55e00",
    "#009e73",
    "#e69f00",
    "#56b4e9",
    "#cc79a7",
    "#f0e442",
    "#999999",
)
"""Told apart by all common forms of colour vision.

Source: Okabe & Ito, Color Universal Design (2008).
"""

BASELINE_STYLES: Mapping[str, Any] = {
    "uniform": ":",
    "unigram": "-.",
    "bigram": "--",
    "grammar": (0, (1, 1)),  # the floor, where it is known
}

TITLE_LETTERS_PER_INCH = 13

NO_BREAK = "\u00a0"
"""The space at which no line is broken."""

STYLE: Any = {
    "svg.fonttype": "none",  # text stays text: searchable, in the reader's font, any script
    "font.size": 9.5,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.titlesize": 9.5,
    "axes.titlecolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "axes.grid": True,
    "axes.axisbelow": True,  # bars hide the grid, not the grid the bars
    "grid.color": INK,
    "grid.alpha": 0.12,
    "grid.linewidth": 0.6,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "legend.frameon": False,
    "hatch.linewidth": 0.6,
    "hatch.color": INK,
}


@dataclass(frozen=True)
class Picture:
    """A figure with all that belongs to it.

    Attributes:
        name: of its files.
        takeaway: what it says, in one sentence made from its numbers.
        table: the numbers that are drawn.
        draw: draws it at a width in inches.
    """

    name: str
    takeaway: str
    table: Table
    draw: Callable[[float], Figure]


def write_picture(folder: Path, picture: Picture) -> None:
    """Write a picture for wide and for narrow pages, its table, and what it says.

    The ids in both drawings begin with the picture's name and differ from each other.
    """
    with drawing_style():
        for suffix, width in (("", WIDE), (".narrow", NARROW)):
            drawn = svg_text(picture.draw(width), f"{picture.name}{suffix.replace('.', '-')}")
            write_text(folder / f"{picture.name}{suffix}.svg", drawn)
    picture.table.write(folder / f"{picture.name}.tsv")
    write_text(folder / f"{picture.name}.txt", f"{picture.takeaway}\n")


def new_figure(width: float, height: float, label: str) -> Figure:
    """An empty figure, laid out without overlaps; see `drawing_style`.

    Args:
        width: in inches.
        height: in inches.
        label: what it shows, for those who do not see it.
    """
    figure = Figure(figsize=(width, height), layout="constrained")
    figure.set_label(label)
    return figure


def drawing_style() -> Any:
    """A context in which matplotlib draws in this project's style."""
    return mpl.rc_context(STYLE)


def svg_text(figure: Figure, name: str) -> str:
    """The figure as SVG: no date, ids that begin with the figure's name, ink in the text's colour.

    It is one picture to a screen reader, named by the figure's label.

    Args:
        figure: what was drawn.
        name: unique in a page, so that ids stay unique when figures share one.
    """
    buffer = io.StringIO()
    with mpl.rc_context({**STYLE, "svg.hashsalt": name}):
        _lay_out(figure)
        canvas: Any = FigureCanvasSVG(figure)  # no earlier: layouts are told text sizes by another
        # not savefig, which draws what was laid out twice, first without output
        canvas.print_svg(buffer, metadata={"Date": None, "Creator": None})
    svg = buffer.getvalue().replace(INK, "currentColor")
    label = html.escape(str(figure.get_label()))
    svg = svg.replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1)
    svg = re.sub(r'\bid="', f'id="{name}-', svg)
    svg = re.sub(r"url\(#", f"url(#{name}-", svg)
    return re.sub(r'xlink:href="#', f'xlink:href="#{name}-', svg)


def _lay_out(figure: Figure) -> None:
    """Lay a figure out for good, positions rounded.

    The solver of layouts comes to other last bits from time to time, and ids are made from them.
    """
    engine = figure.get_layout_engine()
    if engine is not None and figure.axes:
        engine.execute(figure)  # not draw_without_rendering, which takes a seventh of all drawing
    figure.set_layout_engine("none")
    for axis in figure.axes:
        left, bottom, width, height = axis.get_position(original=True).bounds
        axis.set_position((round(left, 9), round(bottom, 9), round(width, 9), round(height, 9)))


def label_outer_axes(axes: Sequence[Axes], count: int, columns: int, x: str, y: str) -> None:
    """Names at the left and lower edges of the panels in use; the other panels are taken away."""
    for axis in axes[count:]:
        axis.set_visible(False)
    for axis in axes[::columns]:
        axis.set_ylabel(y)
    for axis in axes[max(0, count - columns) : count]:
        axis.set_xlabel(x)
        axis.tick_params(labelbottom=True)


def wrapped(text: str, inches: float) -> str:
    """A title broken into lines that are at most so wide, after commas where that is possible."""
    letters = max(12, int(inches * TITLE_LETTERS_PER_INCH))
    parts = text.split(", ")
    held = [part.replace(" ", NO_BREAK) if len(part) < letters else part for part in parts]
    return textwrap.fill(", ".join(held), letters).replace(NO_BREAK, " ")


def counted(count: int, thing: str) -> str:
    """The thing with its number: 1 panel, 2 panels."""
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"
