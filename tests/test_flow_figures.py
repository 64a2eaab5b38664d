"""The pictures of how gradients travel, and the tables behind them."""

import math
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from flow_material import GATES, flow_of, flows_of, sweep_of
from report_material import BASELINES, PROFILE, gradient_check, summary_row
from unrolled.report.drawing import BLUE, GREY, ORANGE, VERMILION, drawing_style, svg_text, wrapped
from unrolled.report.figures import (
    activation_figure,
    arrival_figure,
    cosine_figure,
    singular_value_figure,
)
from unrolled.report.figures.activations import saturated_from
from unrolled.report.figures.panels import compact_grid
from unrolled.report.flow import Flow, read_flow
from unrolled.report.runs import by_setting, run_results
from unrolled.stages import figures, gradient_flow
from unrolled.storage import read_tsv, write_json, write_tsv

Rows = Sequence[Mapping[str, str]]

FIGURES: dict[str, Callable[..., Figure]] = {
    "arrival": arrival_figure,
    "cosines": cosine_figure,
    "singular_values": singular_value_figure,
    "activations": activation_figure,
}
EVERY_CELL = ("elman", "gru", "lstm")
SWEEPS: dict[str, Rows] = {
    "one run": sweep_of(),
    "18 runs": sweep_of(sizes=(5, 9, 20), depths=("0", "4", "full"), seeds=2),
    "45 runs": sweep_of(EVERY_CELL, depths=("0", "1", "2", "8", "full"), seeds=3),
}

every_figure = pytest.mark.parametrize("name", FIGURES)
every_sweep = pytest.mark.parametrize("rows", SWEEPS.values(), ids=SWEEPS)


def drawn(name: str, rows: Rows, flows: Mapping[str, Flow]) -> Figure:
    with drawing_style():
        return FIGURES[name](by_setting(run_results(rows)), flows)


def diverged(row: Mapping[str, str]) -> dict[str, str]:
    return {
        **row,
        "state": "diverged",
        "validation_loss_nats_per_token": "",
        "test_perplexity": "",
    }


def panels(figure: Figure) -> dict[str, Axes]:
    """The panels that are seen, by title."""
    seen = [axis for axis in figure.axes if axis.get_visible()]
    return {axis.get_title(loc="left").replace("\n", " "): axis for axis in seen}


def points(line: Any) -> list[tuple[float, float]]:
    return list(zip(line.get_xdata(), line.get_ydata(), strict=True))


# All of them


@every_sweep
@every_figure
def test_a_sweep_of_any_size_gives_the_same_bytes_again_and_no_id_twice(
    name: str, rows: Rows
) -> None:
    flows = flows_of(rows)

    first, again = (_svg(name, rows, flows) for _ in range(2))

    ids = re.findall(r'\bid="([^"]+)"', first)
    assert first == again
    assert len(ids) == len(set(ids))
    assert len(ET.fromstring(first).get("aria-label", "")) > 40


@every_figure
def test_a_figure_is_as_wide_as_the_others_but_for_a_single_panel(name: str) -> None:
    alone, many = (drawn(name, SWEEPS[sweep], flows_of(SWEEPS[sweep])) for sweep in SWEEPS_OF_TWO)

    assert many.get_figwidth() == 10
    assert alone.get_figwidth() < 6


SWEEPS_OF_TWO = ("one run", "45 runs")


@every_figure
def test_runs_that_diverged_are_left_out(name: str) -> None:
    good, bad = sweep_of(seeds=2)
    rows = [good, diverged(bad)]
    flows = {good["run"]: flow_of(), bad["run"]: Flow([], [], [], [], [])}

    # the seed that diverged belongs to the setting, but has nothing to show
    assert _svg(name, rows, flows) == _svg(name, [good], flows)


@every_figure
def test_sweeps_of_which_no_run_finished_need_no_table(name: str) -> None:
    figure = drawn(name, [diverged(row) for row in SWEEPS["18 runs"]], {})

    assert [text.get_text() for text in figure.texts] == [
        "No run finished, so no gradient was followed."
    ]


def test_titles_are_broken_after_commas_where_that_is_possible() -> None:
    title = "GRU, 48 hidden units, full depth: reset"

    assert wrapped(title, 24 / 13) == "GRU, 48 hidden units,\nfull depth: reset"
    assert wrapped(title, 1.0) == "GRU, 48\nhidden units,\nfull depth:\nreset"


@pytest.mark.parametrize(
    ("count", "shape"),
    [(1, (1, 1)), (2, (1, 2)), (3, (1, 3)), (4, (1, 4)), (5, (2, 3)), (7, (2, 4)), (8, (2, 4))],
)
def test_few_places_of_a_grid_stay_empty(count: int, shape: tuple[int, int]) -> None:
    grid = compact_grid(count)

    assert (grid.rows, grid.columns) == shape


# What arrives


def test_the_shares_of_seeds_are_averaged_by_their_logarithm_and_their_range_is_shaded() -> None:
    rows = sweep_of(seeds=2)
    flows = {rows[0]["run"]: flow_of([1.0, 0.4, 0.1]), rows[1]["run"]: flow_of([1.0, 0.1, 0.001])}

    (axis,) = panels(drawn("arrival", rows, flows)).values()

    _, line = axis.lines
    # the roots of 1 * 1, of 0.4 * 0.1 = 0.04, and of 0.1 * 0.001 = 0.0001
    assert [height for _, height in points(line)] == pytest.approx([1, 0.2, 0.01])
    (shade,) = axis.collections
    corners = set(map(tuple, np.asarray(shade.get_paths()[0].vertices).tolist()))
    assert {(1.0, 0.4), (1.0, 0.1), (2.0, 0.1), (2.0, 0.001)} <= corners


def test_seeds_are_averaged_as_far_as_all_of_them_were_followed() -> None:
    rows = sweep_of(seeds=2)
    flows = {rows[0]["run"]: flow_of([1.0, 0.5, 0.1]), rows[1]["run"]: flow_of([1.0, 0.5])}

    (axis,) = panels(drawn("arrival", rows, flows)).values()

    assert points(axis.lines[1]) == [(0, 1.0), (1, 0.5)]


def test_a_gradient_that_training_saw_whole_has_neither_mark_nor_dashes() -> None:
    rows = sweep_of()

    figure = drawn("arrival", rows, {rows[0]["run"]: flow_of([1.0, 0.25, 0.1])})

    unseen, line = figure.axes[0].lines
    (legend,) = figure.legends
    assert len(points(unseen)) < 2
    assert points(line) == [(0, 1.0), (1, 0.25), (2, 0.1)]
    assert [text.get_text() for text in legend.get_texts()] == ["full depth"]


@pytest.mark.parametrize(("depth", "marked"), [("2", [(2, 0.1)]), ("3", [])])
def test_a_depth_is_marked_if_the_gradient_was_followed_so_far(
    depth: str, marked: list[tuple[int, float]]
) -> None:
    rows = sweep_of(depths=(depth,))

    (axis,) = drawn("arrival", rows, {rows[0]["run"]: flow_of([1.0, 0.25, 0.1])}).axes

    marks = [line for line in axis.lines if line.get_linestyle() == "None"]
    assert [point for mark in marks for point in points(mark)] == marked
    assert points(axis.lines[1]) == [(0, 1.0), (1, 0.25), (2, 0.1)]


@pytest.mark.parametrize(
    ("shares", "bottom"), [([1.0, 0.02], 0.01), ([1.0, 1e-20], 1e-7), ([1.0, 0.0], 1e-7)]
)
def test_shares_are_shown_down_to_what_single_precision_can_tell(
    shares: list[float], bottom: float
) -> None:
    rows = sweep_of(seeds=2)

    (axis,) = drawn("arrival", rows, {row["run"]: flow_of(shares) for row in rows}).axes

    assert axis.get_yscale() == "log"
    assert axis.get_ylim() == pytest.approx((bottom, 2))


def test_growing_gradients_are_in_the_panel_too() -> None:
    rows = sweep_of()

    (axis,) = drawn("arrival", rows, {rows[0]["run"]: flow_of([1.0, 30.0])}).axes

    assert axis.get_ylim() == pytest.approx((0.5, 60))


@pytest.mark.parametrize("name", ["arrival", "cosines"])
def test_where_nothing_was_measured_a_panel_stays_empty(name: str) -> None:
    rows = sweep_of(depths=("1",))

    figure = drawn(name, rows, {rows[0]["run"]: flow_of(shares=[], cosines={})})

    assert svg_text(figure, name)


# Panels by depth


@pytest.mark.parametrize("name", ["arrival", "cosines"])
def test_cells_stand_below_and_sizes_beside_each_other(name: str) -> None:
    rows = sweep_of(("elman", "lstm"), sizes=(5, 9, 20), depths=("1", "full"))

    figure = drawn(name, rows, flows_of(rows))

    grid = figure.axes[0].get_gridspec()
    assert grid is not None
    assert grid.get_geometry() == (2, 3)
    assert list(panels(figure)) == [
        f"{cell}, {size} hidden units" for cell in ("Elman", "LSTM") for size in (5, 9, 20)
    ]


@pytest.mark.parametrize("name", ["arrival", "cosines"])
def test_what_else_varies_has_a_panel_of_its_own(name: str) -> None:
    rows = [
        summary_row(f"r{rate}", "5", "1", "1", "1.5", "5.0", learning_rate=rate)
        for rate in ("0.5", "1.0")
    ]

    figure = drawn(name, rows, flows_of(rows))

    assert list(panels(figure)) == [
        f"Elman, 5 hidden units, learning rate {rate}" for rate in ("0.5", "1.0")
    ]


def test_a_depth_looks_the_same_in_every_panel_and_in_the_legend() -> None:
    rows = sweep_of(("elman", "gru"), depths=("0", "1", "full"))

    figure = drawn("cosines", rows, flows_of(rows))

    (legend,) = figure.legends
    looks = [(to_hex(line.get_color()), line.get_marker()) for line in legend.get_lines()]
    assert [text.get_text() for text in legend.get_texts()] == ["depth 0", "depth 1", "full depth"]
    assert looks == [(VERMILION, "o"), (ORANGE, "s"), (BLUE, "None")]
    for axis in figure.axes:
        colours = [to_hex(line.get_color()) for line in axis.lines if line.get_linestyle() == "-"]
        marks = [
            (to_hex(line.get_color()), line.get_marker())
            for line in axis.lines
            if line.get_linestyle() == "None"
        ]
        assert colours == [BLUE, ORANGE, VERMILION]  # the shortest last, on top of the others
        assert marks == [(ORANGE, "s"), (VERMILION, "o")]


def test_twenty_depths_look_different() -> None:
    rows = sweep_of(depths=[str(depth) for depth in range(20)])

    (legend,) = drawn("cosines", rows, flows_of(rows)).legends

    looks = {(to_hex(line.get_color()), line.get_marker()) for line in legend.get_lines()}
    assert len(looks) == 20


# Cosines


def test_depths_are_as_far_apart_as_their_powers_of_two() -> None:
    rows = sweep_of(depths=("3",))
    cosines = {0: 0.5, 1: 0.6, 2: 0.7, 3: 0.8, 4: 0.9, 8: 1.0}

    (axis,) = drawn("cosines", rows, {rows[0]["run"]: flow_of(cosines=cosines)}).axes

    places = axis.xaxis.get_transform().transform(np.array([0, 1, 2, 4, 8]))
    assert list(np.diff(places)) == pytest.approx([1, 1, 1, 1])
    assert [label.get_text() for label in axis.get_xticklabels()] == ["0", "1", "2", "4", "8"]
    assert points(axis.lines[1]) == [(3, 0.8)]


# Singular values


def test_every_gate_of_every_cell_has_a_panel() -> None:
    rows = SWEEPS["45 runs"]

    figure = drawn("singular_values", rows, flows_of(rows))

    assert list(panels(figure)) == [
        "Elman, 5 hidden units, depth 0: state",
        "GRU, 5 hidden units, depth 0: reset",
        "GRU: update",
        "GRU: candidate",
        "LSTM, 5 hidden units, depth 0: input",
        "LSTM: forget",
        "LSTM: candidate",
        "LSTM: output",
    ]


def test_singular_values_of_all_seeds_are_drawn_and_the_line_at_one() -> None:
    rows = sweep_of(depths=("0", "full"), seeds=2)
    flows = {row["run"]: flow_of(after=[2.0 + place, 0.5]) for place, row in enumerate(rows)}

    (axis,) = drawn("singular_values", rows, flows).axes

    curves = [(to_hex(line.get_color()), points(line)) for line in axis.lines]
    lines = [points_ for colour, points_ in curves if colour not in (GREY, VERMILION)]
    # of the first setting, whose two runs have the lowest validation losses
    assert [points_ for colour, points_ in curves if colour == VERMILION] == [
        [(1, 2.0), (2, 0.5)],
        [(1, 3.0), (2, 0.5)],
    ]
    assert [points_ for colour, points_ in curves if colour == GREY] == [[(1, 1.0), (2, 1.0)]] * 2
    assert {height for line in lines for _, height in line} == {1}


@pytest.mark.parametrize(("smallest", "bottom"), [(0.5, 0.25), (1e-5, 0.01), (0.0, 0.01)])
def test_singular_values_are_shown_down_to_a_hundredth(smallest: float, bottom: float) -> None:
    rows = sweep_of()

    (axis,) = drawn("singular_values", rows, {rows[0]["run"]: flow_of(after=[2, smallest])}).axes

    assert axis.get_yscale() == "log"
    assert axis.get_ylim()[0] == pytest.approx(bottom)


def test_a_single_singular_value_is_seen() -> None:
    rows = sweep_of(sizes=(1,))

    (axis,) = drawn("singular_values", rows, {rows[0]["run"]: flow_of(after=[2.0])}).axes

    assert [line.get_marker() for line in axis.lines if len(points(line)) == 1] == ["o", "o"]


# Activations


def test_every_function_of_every_cell_is_drawn_with_its_slope_and_its_arguments() -> None:
    rows = sweep_of(("elman", "gru"))
    sigmoid = {"reset": "sigmoid", "update": "sigmoid", "candidate": "tanh"}
    flows = {
        rows[0]["run"]: flow_of(),
        rows[1]["run"]: flow_of(gates=GATES["gru"], functions=sigmoid, bins=[0.5, 0.3, 0.2]),
    }

    figure = drawn("activations", rows, flows)

    above, below = figure.axes[:4], figure.axes[4:]
    assert [axis.get_title(loc="left").replace("\n", " ") for axis in above] == [
        "Elman, 5 hidden units, full depth, seed 1: state",
        "GRU, 5 hidden units, full depth, seed 1: reset",
        "GRU: update",
        "GRU: candidate",
    ]
    for axis, function in zip(above, ("tanh", "sigmoid", "sigmoid", "tanh"), strict=True):
        heights = [dict(points(line))[0.0] for line in axis.lines]
        # tanh is 0 at 0, with slope 1; the logistic function 1/2, with slope 1/4
        assert heights == pytest.approx([0, 1] if function == "tanh" else [0.5, 0.25])
    assert [len(axis.containers[0]) for axis in below] == [2, 3, 3, 3]
    assert [bar.get_height() for bar in below[1].containers[0]] == pytest.approx([50, 30, 20])


def test_slopes_are_those_of_the_functions() -> None:
    rows = sweep_of()
    functions = {"a": "tanh", "b": "sigmoid"}

    figure = drawn("activations", rows, {rows[0]["run"]: flow_of(functions=functions)})

    for axis in figure.axes[:2]:
        function, slope = (np.array(points(line)) for line in axis.lines)
        differences = np.diff(function[:, 1]) / np.diff(function[:, 0])
        between = (slope[1:, 1] + slope[:-1, 1]) / 2
        assert between == pytest.approx(differences, abs=2e-3)


@pytest.mark.parametrize(("function", "limit"), [("tanh", 1.8184), ("sigmoid", 3.6369)])
def test_a_function_is_saturated_where_a_tenth_of_its_steepest_slope_is_left(
    function: Any, limit: float
) -> None:
    assert saturated_from(function) == pytest.approx(limit, abs=1e-4)
    # cosh(x)^-2 is the slope of tanh
    assert math.cosh(limit / (1 if function == "tanh" else 2)) ** -2 == pytest.approx(0.1, abs=1e-4)


def test_what_is_saturated_is_shaded_and_said() -> None:
    rows = sweep_of()
    flow = flow_of(functions={"gate": "sigmoid"}, saturated_share=0.375)

    above, below = drawn("activations", rows, {rows[0]["run"]: flow}).axes

    assert [text.get_text() for text in above.texts] == ["37.5 %\nsaturated"]
    for axis in (above, below):
        bars = [bar for container in axis.containers for bar in container]
        spans = [patch for patch in axis.patches if patch not in bars]
        edges = {edge for span in spans for edge in _edges(span)}
        assert sorted(edges) == pytest.approx([-6, -3.6369, 3.6369, 6], abs=1e-4)


def test_the_outer_bins_are_said_to_be_open() -> None:
    rows = sweep_of()

    _, below = drawn("activations", rows, flows_of(rows)).axes

    labels = [label.get_text() for label in below.get_xticklabels()]
    assert labels == ["≤ −6", "−3", "0", "3", "≥ 6"]
    assert below.get_xlim() == (-6, 6)


def test_activations_are_those_of_the_best_run_wherever_it_stands() -> None:
    rows = sweep_of(depths=("0", "full"), seeds=2)
    rows[2] = {**rows[2], "validation_loss_nats_per_token": "0.5"}
    flows = {row["run"]: flow_of() for row in rows}
    flows[rows[2]["run"]] = replace(flows[rows[2]["run"]], **_tables(flow_of(saturated_share=0.5)))

    above, _ = drawn("activations", rows, flows).axes

    assert above.get_title(loc="left") == "Elman, 5 hidden units, full depth, seed 1: state"
    assert above.texts[0].get_text() == "50.0 %\nsaturated"


# The tables


def test_tables_are_read_by_the_names_under_which_they_are_written(tmp_path: Path) -> None:
    flow = flow_of()
    for name, rows in _tables(flow).items():
        write_tsv(tmp_path / f"{name}.tsv", list(rows[0]), rows)

    assert read_flow(tmp_path) == flow
    assert _tables(flow).keys() == gradient_flow.COLUMNS.keys()


def test_cells_without_a_cosine_are_left_out() -> None:
    flow = replace(flow_of(), cosines=[{"depth": "0", "cosine": ""}, {"depth": "1", "cosine": "1"}])

    assert flow.cosine_by_depth == {1: 1.0}


def test_the_stage_writes_the_rows_of_all_runs_with_their_names(tmp_path: Path) -> None:
    good, other, bad = sweep_of(seeds=3)
    rows = [good, other, diverged(bad)]
    flows = {
        good["run"]: flow_of(saturated_share=0.5),
        other["run"]: flow_of(shares=[1.0]),
        bad["run"]: Flow([], [], [], [], []),
    }

    folder = _drawn_by_the_stage(tmp_path, rows, flows)

    arrival, cosines, values, activations = (read_tsv(folder / f"{name}.tsv") for name in FIGURES)
    assert [(row["run"], row["lag"]) for row in arrival] == [
        (good["run"], "0"),
        (good["run"], "1"),
        (other["run"], "0"),
    ]
    assert next(iter(arrival[0])) == "run"
    assert [row["run"] for row in cosines] == [good["run"]] * 2 + [other["run"]] * 2
    assert [row["after"] for row in values] == ["2.0", "0.5"] * 2
    assert [(row["share"], row["saturated_share"]) for row in activations] == [
        ("0.25", "0.5"),
        ("0.75", "0.5"),
        ("0.25", "0.125"),
        ("0.75", "0.125"),
    ]
    assert all((folder / f"{name}.svg").exists() for name in FIGURES)


def test_the_stage_writes_tables_without_rows_where_all_runs_diverged(tmp_path: Path) -> None:
    rows = [diverged(row) for row in sweep_of(seeds=2)]
    flows = {row["run"]: Flow([], [], [], [], []) for row in rows}

    folder = _drawn_by_the_stage(tmp_path, rows, flows)

    for name in FIGURES:
        assert (folder / f"{name}.tsv").read_text("utf-8") == "run\n"
        assert "No run finished" in (folder / f"{name}.svg").read_text("utf-8")


def _drawn_by_the_stage(folder: Path, rows: Rows, flows: Mapping[str, Flow]) -> Path:
    write_tsv(folder / "summary.tsv", list(rows[0]), rows)
    write_tsv(folder / "baselines.tsv", list(BASELINES[0]), BASELINES)
    write_json(folder / "profile.json", PROFILE)
    write_json(folder / "check.json", gradient_check())
    for run, flow in flows.items():
        for name, columns in gradient_flow.COLUMNS.items():
            table = _tables(flow)[name]
            write_tsv(folder / run / f"{name}.tsv", list(table[0]) if table else columns, table)
    figures.run(
        folder / "summary.tsv",
        {},
        folder / "baselines.tsv",
        folder / "profile.json",
        [folder / "check.json"],
        {run: folder / run for run in flows},
        folder / "figures",
    )
    return folder / "figures"


def _svg(name: str, rows: Rows, flows: Mapping[str, Flow]) -> str:
    with drawing_style():
        return svg_text(drawn(name, rows, flows), name)


def _tables(flow: Flow) -> dict[str, Any]:
    """The fields of a flow, which `asdict` would copy."""
    return dict(vars(flow))


def _edges(span: Any) -> list[float]:
    """Where a shaded part begins and ends."""
    assert isinstance(span, Rectangle)
    return [span.get_x(), span.get_x() + span.get_width()]
