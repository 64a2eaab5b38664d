"""The pictures of how gradients travel, and the tables behind them."""

import functools
import itertools
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
from matplotlib.axis import Axis
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.text import Text

from flow_material import FUNCTIONS, GATES, flow_of, flows_of, sweep_of
from report_material import summary_row
from unrolled.report.drawing import (
    BLUE,
    GREY,
    NARROW,
    ORANGE,
    VERMILION,
    WIDE,
    drawing_style,
    svg_text,
    wrapped,
)
from unrolled.report.figures.activations import activation_figure, saturated_from
from unrolled.report.figures.arrival import arrival_figure
from unrolled.report.figures.cosines import cosine_figure
from unrolled.report.figures.panels import columns_that_fit, compact_grid
from unrolled.report.figures.singular_values import singular_value_figure
from unrolled.report.flow import Flow, read_flow
from unrolled.report.runs import by_setting, run_results
from unrolled.stages import gradient_flow
from unrolled.storage import write_tsv

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
TWO_CELLS = sweep_of(("elman", "gru"), sizes=(5, 9), depths=("0", "full"), seeds=2)
"""Four panels in each figure: of depths, of 1 + 3 gates and of 1 + 3 functions."""

MANY_PANELS = sweep_of(sizes=range(1, 21), depths=("0", "full"))

every_figure = pytest.mark.parametrize("name", FIGURES)
every_sweep = pytest.mark.parametrize("sweep", SWEEPS)


def drawn(name: str, rows: Rows, flows: Mapping[str, Flow], width: float = WIDE) -> Figure:
    with drawing_style():
        return FIGURES[name](by_setting(run_results(rows)), flows, width)


@functools.cache
def drawn_once(name: str, sweep: str, width: float) -> Figure:
    """The figure of a sweep in which much is to be shown, laid out, for tests that only read it."""
    rows = SWEEPS[sweep]
    figure = drawn(name, rows, _eventful(rows), width)
    with drawing_style():
        figure.draw_without_rendering()
    return figure


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


@every_figure
def test_a_sweep_gives_the_same_bytes_again_and_no_id_twice(name: str) -> None:
    flows = flows_of(TWO_CELLS)

    first, again = (_svg(name, TWO_CELLS, flows) for _ in range(2))

    ids = re.findall(r'\bid="([^"]+)"', first)
    assert first == again
    assert len(ids) == len(set(ids))
    assert len(ET.fromstring(first).get("aria-label", "")) > 40


@every_figure
def test_a_figure_is_as_wide_as_the_others_but_for_a_single_panel(name: str) -> None:
    alone, many = (drawn_once(name, sweep, WIDE) for sweep in ("one run", "45 runs"))

    assert many.get_figwidth() == WIDE
    assert 0.6 * WIDE < alone.get_figwidth() < 0.7 * WIDE


@every_sweep
@every_figure
def test_on_a_phone_a_figure_is_as_wide_as_the_phone(name: str, sweep: str) -> None:
    assert drawn_once(name, sweep, NARROW).get_figwidth() == NARROW


@pytest.mark.parametrize("width", [WIDE, NARROW])
@every_sweep
@every_figure
def test_all_that_is_written_is_inside_the_figure_and_apart(
    name: str, sweep: str, width: float
) -> None:
    figure = drawn_once(name, sweep, width)

    words = _words_and_places(figure)

    for word, place in words:
        assert 0 <= place.x0 < place.x1 <= figure.bbox.x1, word
        assert 0 <= place.y0 < place.y1 <= figure.bbox.y1, word
    for (word, place), (other, its_place) in itertools.combinations(words, 2):
        assert not _overlap(place, its_place), f"{word!r} and {other!r}"


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
    assert str(figure.get_label()).endswith("nothing, as no run finished")


@every_figure
def test_on_a_phone_it_is_said_in_two_lines_that_no_run_finished(name: str) -> None:
    figure = drawn(name, [diverged(row) for row in sweep_of()], {}, NARROW)
    figure.draw_without_rendering()

    ((word, place),) = _words_and_places(figure)

    assert word == "No run finished,\nso no gradient was followed."
    assert 0 < place.x0 < place.x1 < figure.bbox.x1


def test_titles_are_broken_after_commas_where_that_is_possible() -> None:
    title = "GRU, 48 hidden units, full depth: reset"

    assert wrapped(title, 24 / 13) == "GRU, 48 hidden units,\nfull depth: reset"
    assert wrapped(title, 1.0) == "GRU, 48\nhidden units,\nfull depth:\nreset"


@pytest.mark.parametrize(
    ("count", "width", "shape"),
    [
        (1, WIDE, (1, 1)),
        (2, WIDE, (1, 2)),
        (3, WIDE, (1, 3)),
        (4, WIDE, (1, 4)),
        (5, WIDE, (2, 3)),
        (7, WIDE, (2, 4)),
        (8, WIDE, (2, 4)),
        (12, WIDE, (3, 4)),
        (1, NARROW, (1, 1)),
        (2, NARROW, (1, 2)),
        (3, NARROW, (2, 2)),
        (9, NARROW, (5, 2)),
    ],
)
def test_few_places_of_a_grid_stay_empty(count: int, width: float, shape: tuple[int, int]) -> None:
    grid = compact_grid(count, width)

    assert (grid.rows, grid.columns) == shape


@pytest.mark.parametrize(("width", "columns"), [(1.0, 1), (NARROW, 2), (5.0, 3), (WIDE, 4)])
def test_panels_stand_side_by_side_where_each_has_room(width: float, columns: int) -> None:
    # (width - 0.7) / 1.4, at most 4: a panel has 1.4 inches, the names of axes 0.7
    assert columns_that_fit(width) == columns


def test_a_row_is_as_high_as_its_longest_title() -> None:
    grid = compact_grid(3, NARROW)

    # two lines above the first row of two panels, one above the last: 3 of 0.15 inches
    assert grid.titles_height(["a\nb", "c", "d"]) == pytest.approx(0.45)


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


def test_shares_are_numbered_plainly_down_to_a_thousandth() -> None:
    rows = sweep_of()

    (axis,) = drawn("arrival", rows, {rows[0]["run"]: flow_of([1.0, 1e-5])}).axes

    number = axis.yaxis.get_major_formatter()
    assert [number(10.0**power) for power in (1, 0, -2, -3, -4, -12)] == [
        "10",
        "1",
        "0.01",
        "0.001",
        "10⁻⁴",
        "10⁻¹²",
    ]
    assert axis.yaxis.get_minor_formatter()(2e-3) == ""


def test_where_one_power_of_ten_is_seen_there_are_numbers_between() -> None:
    rows = sweep_of()

    (axis,) = drawn("singular_values", rows, {rows[0]["run"]: flow_of(after=[2.0, 0.8])}).axes

    low, high = axis.get_ylim()
    seen = [tick for tick in axis.yaxis.get_minorticklocs() if low < tick < high]
    # from half of 0.8 to twice 2
    assert [axis.yaxis.get_minor_formatter()(tick) for tick in seen] == ["0.5", "2"]


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


def test_of_many_panels_those_of_the_best_settings_are_shown_in_order() -> None:
    rows = [
        {**row, "validation_loss_nats_per_token": str(9 - 0.01 * place)}
        for place, row in enumerate(MANY_PANELS)
    ]

    figure = drawn("arrival", rows, flows_of(rows))

    # the later in the sweep the lower the loss, so that 5 to 20 are the best 16 of 20 sizes
    assert list(panels(figure)) == [f"Elman, {size} hidden units" for size in range(5, 21)]
    assert str(figure.get_label()).endswith(
        "in 16 of 20 panels, those with the lowest validation losses"
    )


@pytest.mark.parametrize("name", ["arrival", "cosines"])
def test_panels_without_a_finished_run_are_the_first_to_be_left_out(name: str) -> None:
    rows = [diverged(row) if int(row["hidden_size"]) < 5 else row for row in MANY_PANELS]

    figure = drawn(name, rows, flows_of(rows))

    assert list(panels(figure)) == [f"Elman, {size} hidden units" for size in range(5, 21)]


def test_on_a_phone_sizes_that_do_not_fit_side_by_side_fill_the_rows() -> None:
    rows = SWEEPS["18 runs"]

    wide, narrow = (
        drawn("arrival", rows, flows_of(rows), width).axes[0].get_gridspec()
        for width in (WIDE, NARROW)
    )

    assert wide is not None
    assert narrow is not None
    assert wide.get_geometry() == (1, 3)
    assert narrow.get_geometry() == (2, 2)


# Cosines


def test_where_panels_are_narrow_every_other_depth_has_its_number() -> None:
    rows = sweep_of(sizes=(5, 9), depths=("0",))
    cosines = {0: 0.5} | {2**power: 1.0 for power in range(6)}
    flows = {row["run"]: flow_of(cosines=cosines) for row in rows}

    _, axis = drawn("cosines", rows, flows, NARROW).axes

    labels = [label.get_text() for label in axis.get_xticklabels()]
    assert labels == ["0", "", "2", "", "8", "", "32"]
    assert list(axis.get_xticks()) == [0, 1, 2, 4, 8, 16, 32]


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

    assert [text.get_text() for text in above.texts] == ["37.5 %"]
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
    assert above.texts[0].get_text() == "50.0 %"


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


def _eventful(rows: Rows) -> dict[str, Flow]:
    """Flows with long curves, several powers of ten, and all that a cell has functions for."""
    shares = [0.6**lag for lag in range(30)]
    cosines = {depth: 1 - 0.3 * 0.5**depth for depth in (0, 1, 2, 4, 8, 16, 32)}
    values = [3 - 0.0299 * rank for rank in range(100)]
    bins = [1 / 48] * 48
    return {
        row["run"]: flow_of(
            shares, cosines, GATES[row["cell"]], values, FUNCTIONS[row["cell"]], bins, 1.0
        )
        for row in rows
    }


def _words_and_places(figure: Figure) -> list[tuple[str, Any]]:
    """All that is written in a figure that is laid out, with the rectangles that it takes up in
    pixels.
    """
    texts = [*figure.texts, *(text for legend in figure.legends for text in legend.get_texts())]
    for panel in (axis for axis in figure.axes if axis.get_visible()):
        titles = [panel.title, panel._left_title]  # type: ignore[attr-defined]
        texts += [*titles, panel.xaxis.label, panel.yaxis.label, *panel.texts]
        texts += [*_numbers(panel.xaxis), *_numbers(panel.yaxis)]
    seen = [text for text in texts if text.get_visible() and text.get_text()]
    return [(text.get_text(), text.get_window_extent()) for text in seen]


def _numbers(axis: Axis) -> list[Text]:
    """Those at the ticks that are seen, which are not all that matplotlib holds."""
    low, high = sorted(axis.get_view_interval())
    ticks = [*axis.get_major_ticks(), *axis.get_minor_ticks()]
    return [tick.label1 for tick in ticks if low <= tick.get_loc() <= high]


def _overlap(one: Any, other: Any) -> bool:
    """Whether two rectangles share more than a pixel's breadth."""
    across = min(one.x1, other.x1) - max(one.x0, other.x0)
    along = min(one.y1, other.y1) - max(one.y0, other.y0)
    return bool(across > 1 and along > 1)


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
