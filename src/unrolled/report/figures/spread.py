"""Test perplexity of every run, so that settings can be held against the spread of seeds."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from unrolled.report.drawing import BASELINE_STYLES, BLUE, INK, counted, new_figure
from unrolled.report.runs import Setting


def spread_figure(settings: Sequence[Setting], baselines: Mapping[str, float]) -> Figure:
    """Test perplexity of every finished run, a row for each setting, the best mean on top.

    Args:
        settings: the settings to show; those without a finished run are left out.
        baselines: perplexity of each on the test split; those far beyond the runs are left out.
    """
    finished = [setting for setting in settings if setting.finished]
    ranked = sorted(finished, key=lambda setting: setting.mean_perplexity, reverse=True)
    label = f"Test perplexity of the seeds of {counted(len(ranked), 'setting')}"
    figure = new_figure(10, 1.2 + 0.26 * len(ranked), label)
    axis = figure.subplots()
    for row, setting in enumerate(ranked):
        values = setting.perplexities
        axis.plot([values[0], values[-1]], [row, row], color=BLUE, linewidth=1.2, alpha=0.5)
        axis.plot(values, [row] * len(values), "o", color=BLUE, markersize=5, alpha=0.75)
        axis.plot([setting.mean_perplexity], [row], "|", color=INK, markersize=13)
    _draw_limits(axis, baselines)
    axis.set_yticks(range(len(ranked)), [setting.description for setting in ranked])
    axis.set_ylim(-0.6, max(len(ranked), 1) - 0.4)  # room for the whole bar of the outer rows
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
