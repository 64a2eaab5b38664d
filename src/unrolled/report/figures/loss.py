"""The loss of every run over the epochs."""

import itertools
import math
from collections.abc import Mapping, Sequence
from functools import partial
from statistics import fmean
from typing import Any

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from unrolled.report.drawing import (
    BASELINE_STYLES,
    BLUE,
    GREY,
    INK,
    VERMILION,
    WIDE,
    Picture,
    counted,
    label_outer_axes,
    new_figure,
    wrapped,
)
from unrolled.report.figures.panels import BESIDE, LEAST_PANEL, Grid, add_legend, compact_grid
from unrolled.report.pictures import Table
from unrolled.report.runs import RunResult, Setting

Row = Mapping[str, str]
History = Mapping[str, Sequence[Row]]
"""The rows of each run, by its name."""

Points = Sequence[tuple[float, float]]
"""Epochs, and a value at each."""

TRAINING, VALIDATION = "train_loss_nats_per_token", "validation_loss_nats_per_token"
LOSSES = {TRAINING: ("training", VERMILION), VALIDATION: ("validation", BLUE)}
SEED_DASHES = ("-", (0, (4, 1.5)), (0, (1.5, 1.2)), (0, (6, 1.5, 1.5, 1.5)))
SEED_MARKERS = ("o", "s", "^", "D", "v")
"""One more than the dashes, so that twenty seeds look different."""

MOST_PANELS = 24
"""More are not looked through."""

MOST_ROWS = 6
"""With a column for each depth; more are less easily looked through than columns are compared."""

RATE_SHARE, MARGIN = 0.18, 0.05
"""Of a panel's height: for the learning rate below the losses, and free above it."""

RATE_STYLE: Any = {"facecolor": GREY, "linewidth": 0}


def loss_picture(
    settings: Sequence[Setting], history: Sequence[Row], baselines: Mapping[str, float]
) -> Picture:
    """Training and validation loss over the epochs; for the arguments see `loss_figure`."""
    return Picture(
        "loss",
        loss_takeaway(settings, history),
        loss_table(history),
        partial(loss_figure, settings, history, baselines),
    )


def loss_table(history: Sequence[Row]) -> Table:
    """The history of every run, whether it is drawn or not."""
    return Table(list(history[0]) if history else ["run"], history)


def loss_takeaway(settings: Sequence[Setting], history: Sequence[Row]) -> str:
    """When validation loss was lowest, and where it is farthest above that of training."""
    by_run = _by_run(history)
    gaps: dict[str, list[float]] = {}
    lowest_last: list[bool] = []
    for setting in settings:
        for run in setting.finished:
            rows = [row for row in by_run.get(run.name, []) if row[TRAINING]]
            if rows:
                losses = [float(row[VALIDATION]) for row in rows]
                lowest_last.append(losses[-1] == min(losses))
                gap = losses[-1] - float(rows[-1][TRAINING])
                gaps.setdefault(setting.description, []).append(gap)
    if not gaps:
        return "No finished run has a loss to show."
    told = [_told_lowest(lowest_last), _told_gap({name: fmean(of) for name, of in gaps.items()})]
    if len(settings) > MOST_PANELS:
        told.append(f"the picture shows {_best_of(settings)}")
    return f"{'; '.join(told)}."


def loss_figure(
    settings: Sequence[Setting],
    history: Sequence[Row],
    baselines: Mapping[str, float],
    width: float = WIDE,
) -> Figure:
    """Training and validation loss of every run, a panel for each setting, a line for each seed.

    The learning rate is shaded at the bottom, from zero to the largest of all panels.

    Args:
        settings: the settings to show, in order; of many the best alone, the best first.
        history: rows of run, epoch, learning_rate and both losses.
        baselines: loss of each on the validation split.
        width: in inches.
    """
    shown, by_run = _shown(settings), _by_run(history)
    seeds, rates = _seed_styles(shown), _changing_rates(shown, by_run)
    bottom, top = _limits(shown, by_run, baselines, RATE_SHARE if rates else 0)
    near = {name: loss for name, loss in baselines.items() if loss <= top}
    handles = [*_line_handles(near), *_rate_handles(rates, by_run), *_seed_handles(seeds)]
    figure, axes = _panels(shown, width, _label(settings))
    largest_rate = _largest(rates)
    for axis, setting in zip(axes, shown, strict=False):
        _draw_losses(axis, setting, by_run, seeds)
        for name, loss in near.items():
            axis.axhline(loss, color=INK, linewidth=0.9, linestyle=BASELINE_STYLES[name])
        for points in [rates[run.name] for run in setting.runs if run.name in rates]:
            _draw_rate(axis, points, largest_rate, 0.5 / len(setting.runs))
    axes[0].set_ylim(bottom, top)
    end = max((float(row["epoch"]) for row in history), default=1.0)
    axes[0].set_xlim(-0.03 * end, 1.03 * end)  # marks at both ends are seen whole
    add_legend(figure, handles)
    return figure


def _by_run(history: Sequence[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in history:
        found.setdefault(row["run"], []).append(row)
    return found


def _told_lowest(lowest_last: Sequence[bool]) -> str:
    """In how many runs validation loss was lowest at the end."""
    count, of = sum(lowest_last), len(lowest_last)
    when = "at the end" if count else "before the end"
    if of == 1:
        return f"Validation loss was lowest {when} in the only finished run"
    share = f"{count} of {of}" if 0 < count < of else f"all {of}"
    return f"Validation loss was lowest {when} in {share} finished runs"


def _told_gap(gaps: Mapping[str, float]) -> str:
    """How far training loss is below that of validation, where that is farthest."""
    name, gap = max(gaps.items(), key=lambda item: item[1])
    if gap <= 0:
        return "training loss nowhere ended below it"
    return f"training loss ended at most {gap:.2f} nats per token below it ({name})"


def _shown(settings: Sequence[Setting]) -> Sequence[Setting]:
    """All of them, or of many the best ones, the best first."""
    if len(settings) <= MOST_PANELS:
        return settings
    return sorted(settings, key=_rank)[:MOST_PANELS]


def _rank(setting: Setting) -> float:
    return setting.mean_validation_loss if setting.finished else math.inf


def _best_of(settings: Sequence[Setting]) -> str:
    return f"the best {MOST_PANELS} of {len(settings)} settings by validation loss"


def _label(settings: Sequence[Setting]) -> str:
    many = len(settings) > MOST_PANELS
    panels = _best_of(settings) if many else counted(len(settings), "setting")
    return f"Training and validation loss over the epochs, a panel for each of {panels}"


def _grid(settings: Sequence[Setting], width: float) -> Grid:
    """A column for each depth where they fit, otherwise as few empty places as can be."""
    depths = len({setting.settings["truncation_depth"] for setting in settings})
    rows = math.ceil(len(settings) / depths)
    if 1 < depths <= (width - BESIDE) / LEAST_PANEL and rows <= MOST_ROWS:
        return Grid(len(settings), depths, width)
    return compact_grid(len(settings), width)


def _panels(settings: Sequence[Setting], width: float, label: str) -> tuple[Figure, list[Axes]]:
    """A figure with an empty panel for each setting."""
    grid = _grid(settings, width)
    titles = [_title(setting, grid.panel_width) for setting in settings]
    height = 0.4 + (grid.panel_height + 0.1) * grid.rows + grid.titles_height(titles)
    figure = new_figure(grid.width, height, label)
    axes = list(
        figure.subplots(grid.rows, grid.columns, sharex=True, sharey=True, squeeze=False).flat
    )
    for axis, title in zip(axes, titles, strict=False):
        axis.set_title(title, loc="left")
    ticks = max(3, int(2 * grid.panel_width))
    axes[0].xaxis.set_major_locator(MaxNLocator(integer=True, nbins=ticks))
    label_outer_axes(axes, len(settings), grid.columns, "epoch", "nats per token")
    return figure, axes


def _title(setting: Setting, width: float) -> str:
    """The setting in words, and below it how its runs have ended where none has finished."""
    title = wrapped(setting.description, width)
    return title if setting.finished else f"{title}\n{wrapped(setting.states, width)}"


def _limits(
    settings: Sequence[Setting], history: History, baselines: Mapping[str, float], room: float
) -> tuple[float, float]:
    """Of y: from below all that was trained, leaving room, to above word frequencies and what
    finished; what diverged or is untrained may lie beyond.

    Args:
        settings: what is shown.
        history: of their runs.
        baselines: loss of each.
        room: at the bottom, a share of the height.
    """
    runs = [run for setting in settings for run in setting.runs]
    finished = [loss for run in runs if run.finished for loss in _trained(history, run)]
    top = 1.02 * max([*finished, baselines["unigram"]])
    trained = [loss for run in runs for loss in _trained(history, run)]
    lowest = min([*trained, *baselines.values()])
    return top - (top - lowest) / (1 - room - MARGIN), top


def _trained(history: History, run: RunResult) -> list[float]:
    """Both losses of a run, but for those before training."""
    rows = [row for row in history.get(run.name, []) if row[TRAINING]]
    return [float(row[column]) for row in rows for column in LOSSES]


def _changing_rates(settings: Sequence[Setting], history: History) -> dict[str, Points]:
    """The learning rate of each run in training; nothing if it changes in none."""
    names = [run.name for setting in settings for run in setting.runs]
    trained = {name: [row for row in history.get(name, []) if row[TRAINING]] for name in names}
    rates = {name: _points(rows, "learning_rate") for name, rows in trained.items()}
    changes = any(len({rate for _, rate in points}) > 1 for points in rates.values())
    return rates if changes else {}


def _largest(rates: Mapping[str, Points]) -> float:
    return max((rate for points in rates.values() for _, rate in points), default=0)


def _points(rows: Sequence[Row], column: str) -> Points:
    """Those rows that have a value."""
    return [(float(row["epoch"]), float(row[column])) for row in rows if row.get(column)]


def _seed_styles(settings: Sequence[Setting]) -> dict[str, Any]:
    """How the lines of each seed are dashed and marked."""
    seeds = {run.settings["seed"]: None for setting in settings for run in setting.runs}
    looks = zip(itertools.cycle(SEED_DASHES), itertools.cycle(SEED_MARKERS), strict=False)
    return {
        seed: {"linestyle": dash, "marker": mark, "linewidth": 1.3, "markersize": 3}
        for seed, (dash, mark) in zip(seeds, looks, strict=False)
    }


def _draw_losses(axis: Axes, setting: Setting, history: History, styles: Mapping[str, Any]) -> None:
    """Both losses of every run."""
    for run in setting.runs:
        for column, (_, colour) in LOSSES.items():
            points = _points(history.get(run.name, []), column)
            axis.plot(*_apart(points), color=colour, **styles[run.settings["seed"]])


def _draw_rate(axis: Axes, points: Points, largest: float, alpha: float) -> None:
    """The learning rate as an area, so high as its share of the largest one."""
    epochs, rates = _apart(points)
    heights = [RATE_SHARE * rate / largest for rate in rates]
    below = axis.get_xaxis_transform()  # epochs from left to right, shares of the panel upwards
    axis.fill_between(epochs, heights, transform=below, alpha=alpha, zorder=0, **RATE_STYLE)


def _apart(points: Points) -> tuple[list[float], list[float]]:
    return [x for x, _ in points], [y for _, y in points]


def _line_handles(baselines: Mapping[str, float]) -> list[Artist]:
    losses = [Line2D([], [], color=colour, label=name) for name, colour in LOSSES.values()]
    return [
        *losses,
        *(
            Line2D([], [], color=INK, linewidth=0.9, linestyle=BASELINE_STYLES[name], label=name)
            for name in baselines
        ),
    ]


def _rate_handles(rates: Mapping[str, Points], history: History) -> list[Artist]:
    """The learning rate with its scale, or a word where it does not change."""
    if rates:
        label = f"rate ≤ {_largest(rates):.2g}"
        return [Patch(alpha=0.5, label=label, **RATE_STYLE)]
    known = any(row.get("learning_rate") for rows in history.values() for row in rows)
    return [Line2D([], [], linestyle="", label="constant learning rate")] if known else []


def _seed_handles(styles: Mapping[str, Any]) -> list[Artist]:
    """A seed alone needs no name."""
    found = styles.items() if len(styles) > 1 else []
    return [Line2D([], [], color=INK, label=f"seed {seed}", **style) for seed, style in found]
