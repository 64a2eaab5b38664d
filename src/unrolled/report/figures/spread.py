"""Test perplexity of every run, so that settings can be held against the spread of seeds."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from unrolled.report.drawing import (
    BASELINE_STYLES,
    BLUE,
    INK,
    WIDE,
    Picture,
    new_figure,
)
from unrolled.report.figures.panels import words_alone
from unrolled.report.figures.rows import LINE_HEIGHT, figure_height, rows_of, shown_of, x_name
from unrolled.report.pictures import Table
from unrolled.report.runs import Setting

SPREADS = ("setting", "run", "test_perplexity")

ROWS_AT_MOST = 40
"""More would be a figure longer than any page; the table has all."""


def spread_picture(settings: Sequence[Setting], baselines: Mapping[str, float]) -> Picture:
    """Test perplexity of every finished run, with its table and what it says."""
    return Picture(
        "spread",
        spread_takeaway(settings, baselines),
        spread_table(settings),
        lambda width: spread_figure(settings, baselines, width),
    )


def spread_figure(
    settings: Sequence[Setting], baselines: Mapping[str, float], width: float = WIDE
) -> Figure:
    """Test perplexity of every finished run, a row for each setting, the best mean on top.

    Args:
        settings: the settings to show; those without a finished run are left out, and of very many
            all but the best.
        baselines: perplexity of each on the test split; those far beyond the runs are left out.
        width: in inches.
    """
    ranked = _ranked(settings)
    shown = ranked[:ROWS_AT_MOST]
    which = shown_of(len(shown), len(ranked))
    label = f"Test perplexity of the seeds of {which}"
    if not shown:
        return words_alone(label, "No run finished.", width)
    told = "test perplexity: a dot for each seed, a bar for the mean"
    told = x_name(told if shown == ranked else f"{told}, of {which}", width)
    rows = rows_of(shown, width)
    near = _near(shown, baselines)
    figure = new_figure(width, figure_height(rows, told) + LINE_HEIGHT * len(near), label)
    axis = figure.subplots()
    for row, setting in enumerate(shown):
        _draw_runs(axis, row, setting)
    _draw_limits(axis, near, _digits(ranked), rows.narrow)
    rows.write_on(axis)
    axis.set_xlabel(told)
    return figure


def spread_table(settings: Sequence[Setting]) -> Table:
    """A row for each finished run."""
    return Table(
        SPREADS,
        [
            {
                "setting": setting.description,
                "run": run.name,
                "test_perplexity": run.test_perplexity,
            }
            for setting in settings
            for run in setting.finished
        ],
    )


def spread_takeaway(settings: Sequence[Setting], baselines: Mapping[str, float]) -> str:
    """How much another seed changes, how much another setting, and what baseline they pass."""
    ranked = _ranked(settings)
    if not ranked:
        return "No run finished, so there is no perplexity to compare."
    passed = _baseline_passed(ranked, baselines)
    return "; ".join([_changes(ranked), *passed]) + "."


def _ranked(settings: Sequence[Setting]) -> list[Setting]:
    """Those with a finished run, the best mean first."""
    finished = [setting for setting in settings if setting.finished]
    return sorted(finished, key=lambda setting: setting.mean_perplexity)


def _digits(ranked: Sequence[Setting]) -> int:
    """How many decimals tell settings apart: more where perplexities are small."""
    return 2 if ranked and ranked[0].mean_perplexity < 10 else 1


def _changes(ranked: Sequence[Setting]) -> str:
    """What another seed and another setting change, in words, as far as there is another."""
    digits = _digits(ranked)
    if max(len(setting.perplexities) for setting in ranked) == 1:
        return _changes_of_settings(ranked)
    widest = max(setting.perplexities[-1] - setting.perplexities[0] for setting in ranked)
    said = f"Another seed changes test perplexity by up to {widest:.{digits}f}"
    if len(ranked) == 1:
        return f"{said}, around a mean of {ranked[0].mean_perplexity:.{digits}f}"
    return f"{said}, another setting by up to {_reach(ranked)}"


def _changes_of_settings(ranked: Sequence[Setting]) -> str:
    """What another setting changes where each has but one seed."""
    if len(ranked) == 1:
        reached = f"{ranked[0].mean_perplexity:.{_digits(ranked)}f}"
        return f"The one finished run reaches a test perplexity of {reached}"
    return (
        f"Another setting changes test perplexity by up to {_reach(ranked)}, and what another"
        " seed changes is not known, as each has one"
    )


def _reach(ranked: Sequence[Setting]) -> str:
    digits = _digits(ranked)
    lowest, highest = ranked[0].mean_perplexity, ranked[-1].mean_perplexity
    return f"{highest - lowest:.{digits}f}, from {lowest:.{digits}f} to {highest:.{digits}f}"


def _baseline_passed(ranked: Sequence[Setting], baselines: Mapping[str, float]) -> list[str]:
    """How many settings are better than the best baseline, in words; nothing without any.

    The grammar is none, as it cannot be passed.
    """
    passable = {name: value for name, value in baselines.items() if name != "grammar"}
    if not passable:
        return []
    name = min(passable, key=lambda name: passable[name])
    passing = sum(setting.mean_perplexity < passable[name] for setting in ranked)
    value = f"{passable[name]:.{_digits(ranked)}f}"
    return [f"{_so_many(passing, len(ranked))} better than the {name} baseline's {value}"]


def _so_many(some: int, count: int) -> str:
    """Some of so many settings, with their verb."""
    if count == 1:
        return "the setting is" if some else "the setting is not"
    if some == count:
        return f"all {count} settings are"
    return f"{some or 'none'} of the {count} settings {'are' if some > 1 else 'is'}"


def _draw_runs(axis: Axes, row: int, setting: Setting) -> None:
    values = setting.perplexities
    axis.plot([values[0], values[-1]], [row, row], color=BLUE, linewidth=1.2, alpha=0.5)
    axis.plot(values, [row] * len(values), "o", color=BLUE, markersize=5, alpha=0.75)
    axis.plot([setting.mean_perplexity], [row], "|", color=INK, markersize=13)


def _near(shown: Sequence[Setting], baselines: Mapping[str, float]) -> dict[str, float]:
    """The baselines that can be shown without crowding the runs together, the lowest first."""
    values = [perplexity for setting in shown for perplexity in setting.perplexities]
    lowest, highest = min(values), max(values)
    margin = max(1.2 * (highest - lowest), 0.1 * highest)
    near = [item for item in baselines.items() if lowest - margin <= item[1] <= highest + margin]
    return {name: value for value, name in sorted((value, name) for name, value in near)}


def _draw_limits(axis: Axes, limits: Mapping[str, float], digits: int, narrow: bool) -> None:
    for name, value in limits.items():
        style = {"linestyle": BASELINE_STYLES[name], "alpha": 0.4 if narrow else 1}
        axis.axvline(value, color=INK, linewidth=0.9, **style)  # names are read through a pale one
    for place, (name, value) in enumerate(limits.items()):  # once the axis goes as far as it will
        _name_limit(axis, value, f"{name} {value:.{digits}f}", place)


def _name_limit(axis: Axes, value: float, name: str, place: int) -> None:
    """Above its line, on the side that has more room, and higher than the one before it."""
    left, right = axis.get_xlim()
    beyond_middle = value > (left + right) / 2
    axis.annotate(
        name,
        (value, 1),
        xycoords=("data", "axes fraction"),
        xytext=(-2 if beyond_middle else 2, 2 + 11 * place),
        textcoords="offset points",
        ha="right" if beyond_middle else "left",
        va="bottom",
        fontsize=8.5,
    )
