"""How much recurrent weights stretch and shrink, before and after training."""

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import chain

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from unrolled.report.drawing import (
    GREY,
    INK,
    VERMILION,
    WIDE,
    Picture,
    counted,
    label_outer_axes,
    new_figure,
)
from unrolled.report.figures.panels import (
    NO_GRADIENT,
    add_legend,
    by_cell,
    compact_grid,
    nothing_to_show,
    percent,
    titles_of_cell,
)
from unrolled.report.figures.scales import log_scale
from unrolled.report.flow import Flow
from unrolled.report.pictures import Table
from unrolled.report.runs import Setting, best_setting

LEAST_VALUE = 0.01
"""The lower edge: it does not matter how much less is left of a hundredth."""

COLOURS = {"before": GREY, "after": VERMILION}


COLUMNS = ["run", "gate", "rank", *COLOURS]
"""Of the table."""


def singular_value_picture(settings: Sequence[Setting], flows: Mapping[str, Flow]) -> Picture:
    """The picture of singular values, with what belongs to it.

    Args:
        settings: of all cells.
        flows: of each run, by its name.
    """
    return Picture(
        "singular_values",
        singular_value_takeaway(settings, flows),
        singular_value_table(settings, flows),
        partial(singular_value_figure, settings, flows),
    )


def singular_value_figure(
    settings: Sequence[Setting], flows: Mapping[str, Flow], width: float = WIDE
) -> Figure:
    """Those of the best setting of each cell, by validation loss: a panel for each of its gates.

    Args:
        settings: of all cells.
        flows: of each run, by its name.
        width: of the page, in inches.
    """
    label = "Singular values of the recurrent weights, before and after training"
    chosen = _chosen(settings)
    panels = [(setting, gate) for setting in chosen for gate in _gates(setting, flows)]
    if not panels:
        return nothing_to_show(label, width)
    grid = compact_grid(len(panels), width)
    titles = [title for setting in chosen for title in _titles(setting, flows, grid.panel_width)]
    height = 0.4 + (grid.panel_height + 0.25) * grid.rows + grid.titles_height(titles)
    figure = new_figure(grid.width, height, f"{label}, of {counted(len(panels), 'gate')}")
    axes = list(figure.subplots(grid.rows, grid.columns, sharey=True, squeeze=False).flat)
    for axis, title, (setting, gate) in zip(axes, titles, panels, strict=False):
        axis.set_title(title, loc="left")
        for run in setting.finished:
            _draw_values(axis, flows[run.name], gate)
    log_scale(axes, LEAST_VALUE)
    label_outer_axes(axes, len(panels), grid.columns, "rank", "singular value")
    add_legend(
        figure,
        [
            Line2D([], [], color=colour, label=f"{when} training")
            for when, colour in COLOURS.items()
        ],
    )
    return figure


def singular_value_table(settings: Sequence[Setting], flows: Mapping[str, Flow]) -> Table:
    """A row for each singular value that is drawn, of the columns of `COLUMNS`."""
    runs = [run.name for setting in _chosen(settings) for run in setting.finished]
    return Table(
        COLUMNS, [{"run": run, **row} for run in runs for row in flows[run].singular_values]
    )


def singular_value_takeaway(settings: Sequence[Setting], flows: Mapping[str, Flow]) -> str:
    """What training does to the singular values of the best setting, all gates and seeds put
    together.
    """
    best = best_setting(settings)
    before, after = (_values(best, flows, when) for when in COLOURS) if best else ([], [])
    if best is None or not before:
        return NO_GRADIENT
    shares = f"{_share_above_one(before)} to {_share_above_one(after)}"
    return (
        f"In the best setting ({best.description}) training takes the largest singular value of the"
        f" recurrent weights from {max(before):.2f} to {max(after):.2f}, and the share of those"
        f" above 1, along which a state is stretched, from {shares}."
    )


def _chosen(settings: Sequence[Setting]) -> list[Setting]:
    """The best setting of each cell."""
    return [best for group in by_cell(settings).values() if (best := best_setting(group))]


def _values(setting: Setting, flows: Mapping[str, Flow], when: str) -> list[float]:
    """All of them, before or after training."""
    gates = [flows[run.name].singular_values_by_gate.values() for run in setting.finished]
    return [value for gate in chain(*gates) for value in gate[when]]


def _share_above_one(values: Sequence[float]) -> str:
    return percent(sum(value > 1 for value in values) / len(values))


def _gates(setting: Setting, flows: Mapping[str, Flow]) -> list[str]:
    return list(flows[setting.finished[0].name].singular_values_by_gate)


def _titles(setting: Setting, flows: Mapping[str, Flow], width: float) -> list[str]:
    cell, gates = setting.settings["cell"], _gates(setting, flows)
    return titles_of_cell(cell, setting.description, gates, width)


def _draw_values(axis: Axes, flow: Flow, gate: str) -> None:
    axis.axhline(1, color=INK, linewidth=0.8)
    for when, values in flow.singular_values_by_gate[gate].items():
        ranks = range(1, len(values) + 1)
        marker = "o" if len(values) == 1 else None  # a line of one point is not seen
        axis.plot(ranks, values, color=COLOURS[when], linewidth=1.4, marker=marker)
        axis.set_xticks(sorted({1, (1 + len(values)) // 2, len(values)}))
