"""Test perplexity as a map over hidden size and truncation depth."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import fmean
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from unrolled.config.sweep import depth_order
from unrolled.report.drawing import (
    INK,
    WIDE,
    Picture,
    counted,
    label_outer_axes,
    new_figure,
    wrapped,
)
from unrolled.report.figures.panels import LINE, add_legend
from unrolled.report.pictures import Table
from unrolled.report.runs import Setting, cell_title
from unrolled.storage import Cell

MEANS = ("finished_runs", "mean_test_perplexity", "lowest", "highest")

LEAST_FIELD, LARGEST_FIELD, FIELD_HEIGHT = 0.8, 1.2, 0.58
"""Inches: a field of the heat map is so wide where there is room, never wider, and so high."""

LEAST_MAP, SIZE_NAMES = 1.5, 0.65
"""Inches: a map with its title is so wide at least, and the hidden sizes beside it are."""

LETTER, MARK = 0.64, 0.32
"""Width of a letter or figure, and of what stands between them, over the size of type."""

LEAST_TYPE = 7
"""Points: what is smaller is not read on a phone."""

NO_CHANGE = 0.005
"""A smaller share is no half of a percent."""


@dataclass(frozen=True)
class Scale:
    """How fields look: from perplexity to colour, and the size of type in points.

    Attributes:
        colours: from the best perplexity on.
        mean: size of the means.
        spread: size of the ranges; None where there is no room for them.
        states: size of how runs have ended.
    """

    colours: Normalize
    mean: float
    spread: float | None
    states: float


def perplexity_picture(settings: Sequence[Setting], floor: float | None = None) -> Picture:
    """Test perplexity over hidden size and depth; for the arguments see `perplexity_figure`."""
    return Picture(
        "perplexity",
        perplexity_takeaway(settings),
        perplexity_table(settings),
        partial(perplexity_figure, settings, floor),
    )


def perplexity_table(settings: Sequence[Setting]) -> Table:
    """A row for each setting: its mean over the finished runs, and the range."""
    rows: list[dict[str, Cell]] = [
        {
            **setting.settings,
            "finished_runs": len(setting.finished),
            "mean_test_perplexity": setting.mean_perplexity if setting.finished else None,
            "lowest": min(setting.perplexities, default=None),
            "highest": max(setting.perplexities, default=None),
        }
        for setting in settings
    ]
    return Table([*settings[0].settings, *MEANS], rows)


def perplexity_takeaway(settings: Sequence[Setting]) -> str:
    """What the largest hidden size and the greatest depth change, on average over what else varies;
    where nothing can be compared so, the best setting.
    """
    finished = [setting for setting in settings if setting.finished]
    if not finished:
        return "No run finished, so there is no perplexity to show."
    told = []
    if sizes := _pairs(finished, "hidden_size", int):
        small, large = (setting.settings["hidden_size"] for setting in sizes[0])
        told.append(f"{_told_change(sizes)} from {small} to {large} hidden units")
    if depths := _pairs(finished, "truncation_depth", depth_order):
        shallow, deep = (setting.depth for setting in depths[0])
        told.append(f"{_told_change(depths)} from {shallow} to {deep}")
    if told:
        return f"On average, test perplexity (lower is better) {' and '.join(told)}."
    best = min(finished, key=_mean_perplexity)
    which = "" if len(finished) == 1 else ", the lowest of all"
    return f"{best.description}, reaches a test perplexity of {_mean(best)}{which}."


def perplexity_figure(
    settings: Sequence[Setting], floor: float | None = None, width: float = WIDE
) -> Figure:
    """Test perplexity over hidden size and depth, a map for each cell and further setting.

    A field shows the mean over seeds and, where there is room, the range; one without a finished
    run is hatched.

    Args:
        settings: what is shown.
        floor: the least possible perplexity, where it is known.
        width: in inches, at most.
    """
    maps = _maps(settings)
    sizes = sorted(_values(settings, "hidden_size"), key=int)
    depths = sorted(_values(settings, "truncation_depth"), key=depth_order)
    columns = _columns(len(maps), len(depths), width)
    field = min(LARGEST_FIELD, (width - SIZE_NAMES) / columns / len(depths))
    of_map = max(LEAST_MAP, field * len(depths))
    titles = [wrapped(title, of_map) for title in maps]
    rows = math.ceil(len(maps) / columns)
    lines = 1 + max(title.count("\n") for title in titles)
    height = 0.65 + rows * (0.2 + LINE * lines + FIELD_HEIGHT * len(sizes))
    figure = new_figure(SIZE_NAMES + columns * of_map, height, _label(settings))
    axes = list(figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).flat)
    scale = _scale(settings, field)
    for axis, title, group in zip(axes, titles, maps.values(), strict=False):
        axis.set_title(title, loc="left")
        _draw_map(axis, group, sizes, depths, scale)
    label_outer_axes(axes, len(maps), columns, "truncation depth", "hidden size")
    _name_colours(figure, settings, scale)
    if floor is not None:
        figure.supxlabel(f"the least possible is {floor:.2f}", fontsize=9.5)
    return figure


def _label(settings: Sequence[Setting]) -> str:
    many = counted(len(settings), "setting")
    return f"Mean test perplexity of {many} over hidden size and truncation depth"


def _pairs(
    settings: Sequence[Setting], key: str, order: Callable[[str], float]
) -> list[tuple[Setting, Setting]]:
    """The settings of the least and the greatest value that are alike in all else."""
    values = sorted(_values(settings, key), key=order)
    groups: dict[tuple[str, ...], dict[str, Setting]] = {}
    for setting in settings:
        rest = tuple(value for name, value in setting.settings.items() if name != key)
        groups.setdefault(rest, {})[setting.settings[key]] = setting
    least, greatest = values[0], values[-1]
    return [
        (group[least], group[greatest])
        for group in groups.values()
        if least != greatest and {least, greatest} <= set(group)
    ]


def _told_change(pairs: Sequence[tuple[Setting, Setting]]) -> str:
    """How the mean perplexity of the second ones differs from that of the first ones."""
    before, after = (fmean(map(_mean_perplexity, one)) for one in zip(*pairs, strict=True))
    change = after / before - 1
    if abs(change) < NO_CHANGE:
        return "hardly changes"
    return f"{'rises' if change > 0 else 'falls'} by {100 * abs(change):.0f} %"


def _values(settings: Sequence[Setting], key: str) -> set[str]:
    return {setting.settings[key] for setting in settings}


def _maps(settings: Sequence[Setting]) -> dict[str, list[Setting]]:
    """The settings of each map, by its title: the cell, and what else varies."""
    maps: dict[str, list[Setting]] = {}
    for setting in settings:
        title = ", ".join([cell_title(setting.settings["cell"]), *setting.further])
        maps.setdefault(title, []).append(setting)
    return maps


def _columns(maps: int, depths: int, width: float) -> int:
    """How many maps stand side by side, so that the figures in a field have room."""
    room = int((width - SIZE_NAMES) / max(LEAST_MAP, LEAST_FIELD * depths))
    return max(1, min(maps, room))


def _scale(settings: Sequence[Setting], field: float) -> Scale:
    """Colours and sizes of type for fields of a width in inches."""
    finished = [setting for setting in settings if setting.finished]
    states = [setting.states for setting in settings if not setting.finished]
    spread = _type_size(map(_spread, finished), field, 8)
    return Scale(
        _colours(list(map(_mean_perplexity, finished))),
        mean=_type_size(map(_mean, finished), field, 12),
        spread=spread if spread > LEAST_TYPE else None,
        states=_type_size((word for words in states for word in words.split(", ")), field, 9.5),
    )


def _type_size(texts: Iterable[str], field: float, largest: float) -> float:
    """In points, so that each text fits into a field of a width in inches if it can be read."""
    widths = (sum(LETTER if sign.isalnum() else MARK for sign in text) for text in texts)
    return max(LEAST_TYPE, min(largest, 72 * 0.92 * field / max(widths, default=1)))


def _colours(values: Sequence[float]) -> Normalize:
    """A scale from the best value up, by a tenth at least: noise does not look like contrast."""
    if not values:
        return Normalize(0, 1)
    lowest, highest = min(values), max(values)
    missing = max(0.0, 0.1 * lowest - (highest - lowest))
    return Normalize(lowest, highest + missing)


def _draw_map(
    axis: Axes,
    settings: Sequence[Setting],
    sizes: Sequence[str],
    depths: Sequence[str],
    scale: Scale,
) -> None:
    axis.set_xticks(range(len(depths)), depths)
    axis.set_yticks(range(len(sizes)), sizes)
    axis.set_xlim(-0.5, len(depths) - 0.5)
    axis.set_ylim(-0.5, len(sizes) - 0.5)
    axis.grid(False)
    axis.tick_params(length=0)
    axis.spines[:].set_visible(False)
    for setting in settings:
        column = depths.index(setting.settings["truncation_depth"])
        _draw_field(axis, column, sizes.index(setting.settings["hidden_size"]), setting, scale)


def _name_colours(figure: Figure, settings: Sequence[Setting], scale: Scale) -> None:
    """The best and the worst perplexity in their colours."""
    finished = sorted((one for one in settings if one.finished), key=_mean_perplexity)
    if len(set(map(_mean, finished))) > 1:
        handles = [
            Patch(color=_colour(setting, scale), label=f"{name}: {_mean(setting)}")
            for name, setting in (("best", finished[0]), ("worst", finished[-1]))
        ]
        add_legend(figure, handles)


def _draw_field(axis: Axes, column: int, row: int, setting: Setting, scale: Scale) -> None:
    place = (column - 0.49, row - 0.49)
    if not setting.finished:
        hatched = Rectangle(place, 0.98, 0.98, facecolor="none", edgecolor=INK, hatch="///")
        hatched.set_alpha(0.35)  # the words are read through it
        axis.add_patch(hatched)
        states = setting.states.replace(", ", "\n")
        axis.text(column, row, states, ha="center", va="center", fontsize=scale.states)
        return
    colour = _colour(setting, scale)
    words: Any = {"ha": "center", "color": _readable_on(colour)}
    axis.add_patch(Rectangle(place, 0.98, 0.98, facecolor=colour, linewidth=0))
    if scale.spread is None:
        axis.text(column, row, _mean(setting), va="center", fontsize=scale.mean, **words)
        return
    axis.text(column, row + 0.02, _mean(setting), va="bottom", fontsize=scale.mean, **words)
    axis.text(column, row - 0.12, _spread(setting), va="top", fontsize=scale.spread, **words)


def _colour(setting: Setting, scale: Scale) -> Any:
    """Red, green, blue and opacity."""
    return mpl.colormaps["cividis_r"](scale.colours(setting.mean_perplexity))


def _readable_on(colour: Sequence[float]) -> str:
    """Black or white, whichever has the greater contrast.

    Source: WCAG 2.2, relative luminance; of 0.18 both have the same.
    """
    red, green, blue = (part**2.2 for part in colour[:3])
    return "#ffffff" if 0.2126 * red + 0.7152 * green + 0.0722 * blue < 0.18 else "#000000"


def _mean_perplexity(setting: Setting) -> float:
    return setting.mean_perplexity


def _mean(setting: Setting) -> str:
    return f"{setting.mean_perplexity:.{_digits(setting)}f}"


def _spread(setting: Setting) -> str:
    lowest, highest = setting.perplexities[0], setting.perplexities[-1]
    if len(setting.perplexities) == 1:
        return "1 seed"
    digits = _digits(setting)
    return f"{lowest:.{digits}f} to {highest:.{digits}f}"


def _digits(setting: Setting) -> int:
    """How many decimals tell settings apart: more where perplexities are small."""
    return 1 if setting.mean_perplexity >= 10 else 2
