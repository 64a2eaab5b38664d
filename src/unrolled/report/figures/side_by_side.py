"""Experiments held against each other, each by what pairs of words reach on its own text."""

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from unrolled.report.drawing import BLUE, INK, WIDE, Picture, counted, new_figure
from unrolled.report.figures.panels import words_alone
from unrolled.report.figures.rows import LINE_HEIGHT, NARROW_BELOW, Rows, figure_height, x_name
from unrolled.report.pictures import Table
from unrolled.report.runs import Setting, best_setting

COLUMNS = ("experiment", "setting", "mean_test_perplexity", "share_of_bigram")

Settings = Mapping[str, Sequence[Setting]]
"""By experiment."""


def side_by_side_picture(settings: Settings, bigrams: Mapping[str, float]) -> Picture:
    """Every setting of every experiment, with its table and what it says.

    Args:
        settings: by experiment.
        bigrams: the perplexity of pairs of words on each test split, by experiment.
    """
    return Picture(
        "side_by_side",
        side_by_side_takeaway(settings, bigrams),
        side_by_side_table(settings, bigrams),
        lambda width: side_by_side_figure(settings, bigrams, width),
    )


def side_by_side_figure(
    settings: Settings, bigrams: Mapping[str, float], width: float = WIDE
) -> Figure:
    """A row for each experiment, a dot for each setting; perplexities of different texts cannot be
    compared, what they are of the baseline's can.
    """
    label = (
        f"Test perplexity over that of pairs of words, of {counted(len(settings), 'experiment')}"
    )
    if not any(setting.finished for group in settings.values() for setting in group):
        return words_alone(label, "No run finished.", width)
    rows = Rows(list(settings), narrow=width < NARROW_BELOW)
    told = x_name("test perplexity in % of what pairs of words reach on the same text", width)
    figure = new_figure(width, figure_height(rows, told) + LINE_HEIGHT, label)
    axis = figure.subplots()
    for row, (experiment, group) in enumerate(settings.items()):
        shares = _shares(group, bigrams[experiment])
        axis.plot(shares, [row] * len(shares), "o", color=BLUE, markersize=5, alpha=0.6)
        if best := best_setting(group):
            axis.plot(_shares([best], bigrams[experiment]), [row], "|", color=INK, markersize=14)
    pale = 0.4 if rows.narrow else 1  # names are read through a pale line
    axis.axvline(100, color=INK, linewidth=0.9, linestyle="--", alpha=pale)
    rows.write_on(axis)
    axis.set_xlabel(told)
    return figure


def side_by_side_table(settings: Settings, bigrams: Mapping[str, float]) -> Table:
    """A row for each setting with a finished run."""
    return Table(
        COLUMNS,
        [
            {
                "experiment": experiment,
                "setting": setting.description,
                "mean_test_perplexity": setting.mean_perplexity,
                "share_of_bigram": setting.mean_perplexity / bigrams[experiment],
            }
            for experiment, group in settings.items()
            for setting in group
            if setting.finished
        ],
    )


def side_by_side_takeaway(settings: Settings, bigrams: Mapping[str, float]) -> str:
    """What the best setting of each experiment reaches."""
    told = [
        f"{100 * best.mean_perplexity / bigrams[experiment]:.0f} % in {experiment}"
        for experiment, group in settings.items()
        if (best := best_setting(group))
    ]
    if not told:
        return "No run finished in any of the experiments."
    return (
        "Where pairs of words alone are 100 % on the same text, the test perplexity of the best"
        f" setting is {', '.join(told)}."
    )


def _shares(settings: Sequence[Setting], bigram: float) -> list[float]:
    """In percent."""
    return [100 * setting.mean_perplexity / bigram for setting in settings if setting.finished]
