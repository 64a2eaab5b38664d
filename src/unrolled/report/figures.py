"""The pictures of a sweep. Each shows one table, which lies beside it; no corpus word is drawn
here.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from unrolled.config.sweep import depth_order
from unrolled.report.drawing import BLUE, GREEN, INK, ORANGE, PURPLE, SKY, VERMILION, new_figure
from unrolled.report.runs import Setting

Row = Mapping[str, str]

BASELINE_STYLES = {"uniform": ":", "unigram": "-.", "bigram": "--"}
SPLIT_NAMES = {"train": "training", "valid": "validation", "test": "test"}
PARAMETER_COLOURS = (BLUE, VERMILION, GREEN, ORANGE, PURPLE, SKY)


def loss_figure(
    settings: Sequence[Setting], history: Sequence[Row], baselines: Mapping[str, float]
) -> Figure:
    """Training and validation loss of every run, a panel for each setting, a line for each seed.

    Args:
        settings: the settings to show, in order.
        history: rows of run, epoch, train_loss_nats_per_token, validation_loss_nats_per_token.
        baselines: loss of each on the validation split.
    """
    columns = len({setting.settings["truncation_depth"] for setting in settings})
    rows = math.ceil(len(settings) / columns)
    figure = new_figure(10, 1.1 + 1.9 * rows)
    axes = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    top = _top(history, baselines)
    for axis, setting in zip(axes, settings, strict=False):
        _draw_losses(axis, setting, history)
        _draw_baselines(axis, {name: loss for name, loss in baselines.items() if loss <= top})
        axis.set_ylim(top=top)
    for axis in axes[len(settings) :]:
        axis.set_visible(False)
    for axis in axes[::columns]:
        axis.set_ylabel("nats per token")
    for axis in axes[-columns:]:
        axis.set_xlabel("epoch")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper left", ncols=5)
    return figure


def _top(history: Sequence[Row], baselines: Mapping[str, float]) -> float:
    """The upper edge: above word frequencies and all trained losses, not above the untrained."""
    column = "train_loss_nats_per_token"
    losses = [float(row[column]) for row in history if row[column]]
    trained = [float(row["validation_loss_nats_per_token"]) for row in history if row[column]]
    return 1.02 * max([*losses, *trained, baselines["unigram"]])


def _draw_losses(axis: Axes, setting: Setting, history: Sequence[Row]) -> None:
    axis.set_title(setting.description, loc="left")
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    for number, run in enumerate(setting.runs):
        rows = [row for row in history if row["run"] == run.name]
        for column, label, colour in (
            ("train_loss_nats_per_token", "training", ORANGE),
            ("validation_loss_nats_per_token", "validation", BLUE),
        ):
            points = [(float(row["epoch"]), float(row[column])) for row in rows if row[column]]
            axis.plot(
                *_columns(points),
                color=colour,
                linewidth=1.4,
                marker="o",
                markersize=2.5,
                label=label if number == 0 else None,
            )
    if not any(row["run"] == run.name for run in setting.runs for row in history):
        states = ", ".join(sorted({run.state for run in setting.runs}))
        axis.text(0.5, 0.5, states, transform=axis.transAxes, ha="center")


def _draw_baselines(axis: Axes, baselines: Mapping[str, float]) -> None:
    for name, loss in baselines.items():
        axis.axhline(loss, color=INK, linewidth=0.9, linestyle=BASELINE_STYLES[name], label=name)


def perplexity_figure(settings: Sequence[Setting]) -> Figure:
    """Test perplexity over hidden size and depth, a map for each cell and further setting.

    A field shows the mean over seeds and the range; one without a finished run is hatched.
    """
    maps: dict[str, list[Setting]] = {}
    for setting in settings:
        maps.setdefault(_map_title(setting, settings), []).append(setting)
    colours = _colours([setting.mean_perplexity for setting in settings if setting.finished])
    columns = _map_columns(settings)
    rows = math.ceil(len(maps) / columns)
    sizes = len({setting.settings["hidden_size"] for setting in settings})
    figure = new_figure(10, rows * (0.9 + 0.62 * sizes))
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for axis, (title, group) in zip(axes, maps.items(), strict=False):
        _draw_map(axis, group, colours)
        axis.set_title(title, loc="left")
    for axis in axes[len(maps) :]:
        axis.set_visible(False)
    return figure


def spread_figure(settings: Sequence[Setting], baselines: Mapping[str, float]) -> Figure:
    """Test perplexity of every finished run, a row for each setting, the best mean on top.

    Args:
        settings: the settings to show; those without a finished run are left out.
        baselines: perplexity of each on the test split; those far beyond the runs are left out.
    """
    finished = [setting for setting in settings if setting.finished]
    ranked = sorted(finished, key=lambda setting: setting.mean_perplexity, reverse=True)
    figure = new_figure(10, 1.2 + 0.26 * len(ranked))
    axis = figure.subplots()
    for row, setting in enumerate(ranked):
        values = setting.perplexities
        axis.plot([values[0], values[-1]], [row, row], color=BLUE, linewidth=1.2, alpha=0.5)
        axis.plot(values, [row] * len(values), "o", color=BLUE, markersize=5, alpha=0.75)
        axis.plot([setting.mean_perplexity], [row], "|", color=INK, markersize=13)
    _draw_limits(axis, baselines)
    axis.set_yticks(range(len(ranked)), [setting.description for setting in ranked])
    axis.set_xlabel("test perplexity: a dot for each seed, a bar for the mean")
    return figure


def _draw_limits(axis: Axes, baselines: Mapping[str, float]) -> None:
    """The baselines that lie near enough to be shown without crowding the runs together."""
    lowest, highest = axis.get_xlim()
    margin = max(highest - lowest, 0.1 * highest)
    for name, perplexity in baselines.items():
        if lowest - margin <= perplexity <= highest + margin:
            axis.axvline(perplexity, color=INK, linewidth=0.9, linestyle=BASELINE_STYLES[name])
            axis.annotate(
                f" {name} {perplexity:.1f}",
                (perplexity, 1),
                xycoords=("data", "axes fraction"),
                va="bottom",
                fontsize=8.5,
            )


def _map_columns(settings: Sequence[Setting]) -> int:
    """How many maps stand side by side, so that the figures in a field have room."""
    depths = len({setting.settings["truncation_depth"] for setting in settings})
    return max(1, min(3, 10 // depths))


def _colours(values: Sequence[float]) -> Normalize:
    """A scale of a tenth of the values at least, so that noise does not look like contrast."""
    if not values:
        return Normalize(0, 1)
    lowest, highest = min(values), max(values)
    missing = max(0.0, 0.1 * lowest - (highest - lowest))
    return Normalize(lowest - missing / 2, highest + missing / 2)


def _map_title(setting: Setting, settings: Sequence[Setting]) -> str:
    """The cell, and what else varies beside hidden size and depth."""
    varying = [
        f"{key} {value}"
        for key, value in setting.settings.items()
        if key not in {"cell", "hidden_size", "truncation_depth"}
        and len({other.settings[key] for other in settings}) > 1
    ]
    return ", ".join([setting.settings["cell"].capitalize(), *varying])


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
    axis.grid(False)
    axis.tick_params(length=0)
    axis.spines[:].set_visible(False)


def _draw_field(axis: Axes, column: int, row: int, setting: Setting, colours: Normalize) -> None:
    place = (column - 0.49, row - 0.49)
    if not setting.finished:
        axis.add_patch(Rectangle(place, 0.98, 0.98, facecolor="none", edgecolor=INK, hatch="//"))
        states = ", ".join(sorted({run.state for run in setting.runs}))
        axis.text(column, row, states, ha="center", va="center", backgroundcolor="#ffffff")
        return
    red, green, blue, _ = colour = mpl.colormaps["cividis_r"](colours(setting.mean_perplexity))
    dark = 0.299 * red + 0.587 * green + 0.114 * blue < 0.5
    text_colour = "#ffffff" if dark else "#000000"
    axis.add_patch(Rectangle(place, 0.98, 0.98, facecolor=colour, linewidth=0))
    axis.text(
        column,
        row + 0.08,
        f"{setting.mean_perplexity:.1f}",
        ha="center",
        va="bottom",
        fontsize=12,
        color=text_colour,
    )
    axis.text(
        column, row - 0.08, _spread(setting), ha="center", va="top", fontsize=8, color=text_colour
    )


def _spread(setting: Setting) -> str:
    lowest, highest = setting.perplexities[0], setting.perplexities[-1]
    if len(setting.perplexities) == 1:
        return "1 seed"
    return f"{lowest:.1f} to {highest:.1f}"


def gradient_figure(checks: Sequence[Mapping[str, Any]]) -> Figure:
    """How large the relative errors of the gradients are, a panel for each check."""
    columns = min(len(checks), 4)
    rows = math.ceil(len(checks) / columns)
    figure = new_figure(10, 0.9 + 1.9 * rows)
    axes = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    for axis, check in zip(axes, checks, strict=False):
        _draw_errors(axis, check)
    for axis in axes[len(checks) :]:
        axis.set_visible(False)
    for axis in axes[::columns]:
        axis.set_ylabel("entries")
    for axis in axes[-columns:]:
        axis.set_xlabel("relative error, power of ten")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper left", ncols=4)
    return figure


def _draw_errors(axis: Axes, check: Mapping[str, Any]) -> None:
    below = np.zeros(1)
    for parameter, colour in zip(check["parameters"], PARAMETER_COLOURS, strict=False):
        histogram = parameter["relative_error_histogram"]
        powers = [int(power.removeprefix("1e")) for power in histogram]
        counts = np.array(list(histogram.values()))
        axis.bar(
            [power + 0.5 for power in powers],
            counts,
            bottom=below,
            width=0.9,
            color=colour,
            label=parameter["parameter"].replace("_", " "),
        )
        below = below + counts
    verdict = "passed" if check["passed"] else "FAILED"
    axis.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
    axis.set_title(
        f"{check['cell'].capitalize()}, depth {check['truncation_depth']}: {verdict}", loc="left"
    )


def length_figure(profile: Mapping[str, Any]) -> Figure:
    """How long the sentences of each split are."""
    figure = new_figure(10, 2.6)
    axis = figure.subplots()
    for (split, figures), colour in zip(
        profile["splits"].items(), (BLUE, ORANGE, GREEN), strict=True
    ):
        histogram = {int(key): count for key, count in figures["length_histogram"].items()}
        lengths = range(min(histogram), max(histogram) + 1)
        shares = [100 * histogram.get(length, 0) / figures["sentences"] for length in lengths]
        name = SPLIT_NAMES[split]
        axis.step(lengths, shares, where="mid", color=colour, linewidth=1.3, label=name)
    axis.set_xlabel("words in a sentence")
    axis.set_ylabel("% of sentences")
    axis.legend(ncols=3, loc="upper right")
    return figure


def _columns(points: Sequence[tuple[float, float]]) -> tuple[list[float], list[float]]:
    return [x for x, _ in points], [y for _, y in points]
