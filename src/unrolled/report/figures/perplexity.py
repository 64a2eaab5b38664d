"""Test perplexity as a map over hidden size and truncation depth."""

import math
from collections.abc import Sequence

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from unrolled.config.sweep import depth_order
from unrolled.report.drawing import INK, counted, new_figure, wrapped
from unrolled.report.runs import Setting, cell_title

FIELD_HEIGHT = 0.58
"""Of a field of the heat map, over its width, which is about an inch."""


def perplexity_figure(settings: Sequence[Setting], floor: float | None = None) -> Figure:
    """Test perplexity over hidden size and depth, a map for each cell and further setting.

    A field shows the mean over seeds and the range; one without a finished run is hatched.

    Args:
        settings: what is shown.
        floor: the least possible perplexity, where it is known.
    """
    maps: dict[str, list[Setting]] = {}
    for setting in settings:
        maps.setdefault(_map_title(setting), []).append(setting)
    colours = _colours([setting.mean_perplexity for setting in settings if setting.finished])
    columns = min(len(maps), _map_columns(settings))
    rows = math.ceil(len(maps) / columns)
    sizes, depths = (
        len({setting.settings[key] for setting in settings})
        for key in ("hidden_size", "truncation_depth")
    )
    label = f"Mean test perplexity of {counted(len(settings), 'setting')}"
    width = max(2.6, 0.8 + 0.95 * depths)
    titles = [wrapped(title, width - 0.6) for title in maps]
    lines = max(title.count("\n") for title in titles)
    height = 0.9 + 0.15 * lines + FIELD_HEIGHT * sizes
    figure = new_figure(columns * width, rows * height, label)
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for axis, title, group in zip(axes, titles, maps.values(), strict=False):
        _draw_map(axis, group, colours)
        axis.set_title(title, loc="left")
    for axis in axes[len(maps) :]:
        axis.set_visible(False)
    if floor is not None:
        figure.supxlabel(f"the least possible is {floor:.2f}", fontsize=9.5)
    return figure


def _map_columns(settings: Sequence[Setting]) -> int:
    """How many maps stand side by side, so that the figures in a field have room."""
    depths = len({setting.settings["truncation_depth"] for setting in settings})
    return max(1, min(3, 10 // depths))


def _colours(values: Sequence[float]) -> Normalize:
    """A scale from the best value up, by a tenth at least: noise does not look like contrast."""
    if not values:
        return Normalize(0, 1)
    lowest, highest = min(values), max(values)
    missing = max(0.0, 0.1 * lowest - (highest - lowest))
    return Normalize(lowest, highest + missing)


def _map_title(setting: Setting) -> str:
    """The cell, and what else varies beside hidden size and depth."""
    return ", ".join([cell_title(setting.settings["cell"]), *setting.further])


def _draw_map(axis: Axes, settings: Sequence[Setting], colours: Normalize) -> None:
    hidden_sizes = sorted({int(setting.settings["hidden_size"]) for setting in settings})
    depths = sorted({setting.settings["truncation_depth"] for setting in settings}, key=depth_order)
    for setting in settings:
        _draw_field(
            axis,
            depths.index(setting.settings["truncation_depth"]),
            hidden_sizes.index(int(setting.settings["hidden_size"])),
            setting,
            colours,
        )
    axis.set_xticks(range(len(depths)), depths)
    axis.set_yticks(range(len(hidden_sizes)), [str(size) for size in hidden_sizes])
    axis.set_xlim(-0.5, len(depths) - 0.5)
    axis.set_ylim(-0.5, len(hidden_sizes) - 0.5)
    axis.set_xlabel("truncation depth")
    axis.set_ylabel("hidden size")
    axis.set_aspect(FIELD_HEIGHT, anchor="NW")
    axis.grid(False)
    axis.tick_params(length=0)
    axis.spines[:].set_visible(False)


def _draw_field(axis: Axes, column: int, row: int, setting: Setting, colours: Normalize) -> None:
    place = (column - 0.49, row - 0.49)
    if not setting.finished:
        hatched = Rectangle(place, 0.98, 0.98, facecolor="none", edgecolor=INK, hatch="///")
        hatched.set_alpha(0.35)  # the words are read through it
        axis.add_patch(hatched)
        axis.text(column, row, setting.states, ha="center", va="center")
        return
    colour = mpl.colormaps["cividis_r"](colours(setting.mean_perplexity))
    text_colour = _readable_on(colour)
    axis.add_patch(Rectangle(place, 0.98, 0.98, facecolor=colour, linewidth=0))
    axis.text(
        column,
        row + 0.08,
        f"{setting.mean_perplexity:.{_digits(setting)}f}",
        ha="center",
        va="bottom",
        fontsize=12,
        color=text_colour,
    )
    axis.text(
        column, row - 0.08, _spread(setting), ha="center", va="top", fontsize=8, color=text_colour
    )


def _readable_on(colour: Sequence[float]) -> str:
    """Black or white, whichever has the greater contrast.

    Source: WCAG 2.2, relative luminance; of 0.18 both have the same.
    """
    red, green, blue = (part**2.2 for part in colour[:3])
    return "#ffffff" if 0.2126 * red + 0.7152 * green + 0.0722 * blue < 0.18 else "#000000"


def _spread(setting: Setting) -> str:
    lowest, highest = setting.perplexities[0], setting.perplexities[-1]
    if len(setting.perplexities) == 1:
        return "1 seed"
    digits = _digits(setting)
    return f"{lowest:.{digits}f} to {highest:.{digits}f}"


def _digits(setting: Setting) -> int:
    """How many decimals tell settings apart: more where perplexities are small."""
    return 1 if setting.mean_perplexity >= 10 else 2
