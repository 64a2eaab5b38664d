"""How much recurrent weights stretch and shrink, before and after training."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from unrolled.report.drawing import GREY, INK, VERMILION, counted, label_outer_axes, new_figure
from unrolled.report.figures.panels import (
    by_cell,
    compact_grid,
    log_scale,
    nothing_to_show,
    titles_of_cell,
)
from unrolled.report.flow import Flow
from unrolled.report.runs import Setting, best_setting

LEAST_VALUE = 0.01
"""The lower edge: it does not matter how much less is left of a hundredth."""

COLOURS = {"before": GREY, "after": VERMILION}


def singular_value_figure(settings: Sequence[Setting], flows: Mapping[str, Flow]) -> Figure:
    """Those of the best setting of each cell, by validation loss: a panel for each of its gates.

    Args:
        settings: of all cells.
        flows: of each run, by its name.
    """
    label = "Singular values of the recurrent weights, before and after training"
    chosen = [best for group in by_cell(settings).values() if (best := best_setting(group))]
    panels = [(setting, gate) for setting in chosen for gate in _gates(setting, flows)]
    if not panels:
        return nothing_to_show(label)
    grid = compact_grid(len(panels))
    titles = [title for setting in chosen for title in _titles(setting, flows, grid.panel_width)]
    height = 0.9 + (1.7 + 0.15 * max(title.count("\n") for title in titles)) * grid.rows
    figure = new_figure(grid.width, height, f"{label}, of {counted(len(panels), 'gate')}")
    axes = list(figure.subplots(grid.rows, grid.columns, sharey=True, squeeze=False).flat)
    for axis, title, (setting, gate) in zip(axes, titles, panels, strict=False):
        axis.set_title(title, loc="left")
        for run in setting.finished:
            _draw_values(axis, flows[run.name], gate)
    log_scale(axes, LEAST_VALUE)
    label_outer_axes(axes, len(panels), grid.columns, "rank", "singular value")
    handles = [
        Line2D([], [], color=colour, label=f"{when} training") for when, colour in COLOURS.items()
    ]
    figure.legend(handles=handles, loc="outside upper left", ncols=2)
    return figure


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
