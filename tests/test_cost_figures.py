"""The pictures of time: what perplexity costs, and where the workflow's time went."""

import random
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from report_material import SUMMARY, summary_row
from unrolled.report.cost import by_step, costs, duration, frontier
from unrolled.report.drawing import BLUE, NARROW, VERMILION, WIDE, drawing_style, svg_text
from unrolled.report.figures.cost import cost_figure, cost_picture, cost_table, cost_takeaway
from unrolled.report.figures.stages import stage_figure, stage_table, stage_takeaway
from unrolled.report.runs import Setting, by_setting, run_results

SETTINGS = by_setting(run_results(SUMMARY))
"""Test perplexities: a1 5.0, a2 5.4, b1 4.8, b2 5.6; c1 diverged."""

SECONDS = {"a1": 10.0, "a2": 10.0, "b1": 25.0, "b2": 30.0, "c1": 1.0}

TIMED = [("train", 30.0), ("sample", 2.0), ("train", 45.0), ("encode", 2.0), ("evaluate", 21.0)]
"""A hundred seconds."""

WIDTHS = pytest.mark.parametrize("width", [WIDE, NARROW])


def many_runs(count: int) -> tuple[list[Setting], dict[str, float]]:
    """Runs of three cells, five sizes and four depths, with their seconds."""
    rng = random.Random(1)
    rows = [
        summary_row(
            f"r{k}",
            rng.choice(["10", "20", "50", "100", "200"]),
            rng.choice(["0", "2", "16", "full"]),
            str(k),
            "1.5",
            str(100 + 100 * rng.random()),
            cell=rng.choice(["elman", "gru", "lstm"]),
        )
        for k in range(count)
    ]
    return by_setting(run_results(rows)), {row["run"]: 1000 ** rng.random() for row in rows}


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6))))
def test_the_frontier_is_what_comparing_every_pair_finds(points: list[tuple[int, int]]) -> None:
    def beaten(point: tuple[int, int]) -> bool:
        return any(
            other != point and other[0] <= point[0] and other[1] <= point[1] for other in points
        )

    assert frontier(points) == [not beaten(point) for point in points]


def test_equal_runs_are_on_the_frontier_together() -> None:
    assert frontier([(1.0, 5.0), (1.0, 5.0), (1.0, 6.0), (2.0, 5.0)]) == [True, True, False, False]


def test_runs_without_a_time_or_without_figures_cost_nothing() -> None:
    found = costs(SETTINGS, {"a2": 3.0, "b1": 2.0, "c1": 1.0})

    assert [(cost.run.name, cost.seconds, cost.perplexity) for cost in found] == [
        ("b1", 2.0, 4.8),
        ("a2", 3.0, 5.4),
    ]


def test_the_table_of_costs_begins_with_the_fastest_and_marks_the_frontier() -> None:
    table = cost_table(SETTINGS, SECONDS)

    # a2 is beaten by a1 in the same time, b2 by all others
    assert [[row[key] for key in ("run", "seconds", "on_frontier")] for row in table.rows] == [
        ["a1", 10.0, "yes"],
        ["a2", 10.0, "no"],
        ["b1", 25.0, "yes"],
        ["b2", 30.0, "no"],
    ]
    assert set(table.columns) == set(table.rows[0])


def test_the_takeaway_of_costs_names_the_fastest_and_the_best() -> None:
    assert cost_takeaway(SETTINGS, SECONDS) == (
        "The fastest of 4 runs (Elman, 5 hidden units, depth 0) trained for 10.0 seconds and"
        " reached a test perplexity of 5.00; that of the lowest perplexity (Elman, 5 hidden units,"
        " full depth) trained for 25.0 seconds and reached a test perplexity of 4.80."
    )


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        ({"a1": 10.0}, "The one run that finished (Elman, 5 hidden units, depth 0) trained for"),
        (
            {"a1": 10.0, "b1": 5.0},
            "The fastest of 2 runs, which also has the lowest perplexity, (Elman, 5",
        ),
        ({}, "No run finished"),
    ],
)
def test_the_takeaway_of_costs_is_a_sentence_for_few_runs_too(
    seconds: dict[str, float], told: str
) -> None:
    assert cost_takeaway(SETTINGS, seconds).startswith(told)


def test_a_perplexity_of_ten_or_more_is_told_with_one_decimal() -> None:
    settings = by_setting(run_results([summary_row("a", "5", "0", "1", "1.5", "61.25")]))

    assert cost_takeaway(settings, {"a": 1.0}).endswith("test perplexity of 61.2.")


def test_every_run_has_a_mark_and_the_frontier_is_a_line_of_steps() -> None:
    axis = _axis(cost_figure(SETTINGS, SECONDS))

    assert sorted(_marks(axis)) == [(10.0, 5.0), (10.0, 5.4), (25.0, 4.8), (30.0, 5.6)]
    (line,) = axis.lines
    assert np.asarray(line.get_xydata()).tolist() == [[10.0, 5.0], [25.0, 4.8]]
    assert line.get_drawstyle() == "steps-post"


def test_marks_tell_depth_by_colour_and_hidden_size_by_area() -> None:
    rows = [
        summary_row("a", "5", "0", "1", "1.5", "6.0"),
        summary_row("b", "9", "full", "1", "1.5", "5.0"),
    ]

    axis = _axis(cost_figure(by_setting(run_results(rows)), {"a": 1.0, "b": 2.0}))

    large, small = axis.collections  # the small ones are drawn last, on top
    assert (_marks(axis), _colour(large), _colour(small)) == (
        [(2.0, 5.0), (1.0, 6.0)],
        BLUE,
        VERMILION,
    )
    assert _areas(large) > _areas(small)


def test_the_legend_tells_only_what_differs() -> None:
    few, many = cost_figure(SETTINGS, SECONDS), cost_figure(*many_runs(300))

    assert _legend(few) == ["best for their time", "depth 0", "full depth"]
    assert _legend(many) == [
        "best for their time",
        *("depth 0", "depth 2", "depth 16", "full depth"),
        *("Elman", "GRU", "LSTM"),
        *("10 hidden units", "200 hidden units"),  # five sizes are too many for all of them
    ]


def test_one_run_needs_no_legend() -> None:
    assert not cost_figure(SETTINGS, {"a1": 10.0}).legends


@pytest.mark.parametrize(("slowest", "scale"), [(49.0, "linear"), (51.0, "log")])
def test_times_that_differ_by_more_than_a_factor_of_five_have_a_logarithmic_scale(
    slowest: float, scale: str
) -> None:
    axis = _axis(cost_figure(SETTINGS, {"a1": 10.0, "b1": slowest}))

    assert (axis.get_xscale(), axis.get_yscale()) == (scale, "linear")


def test_a_time_of_zero_has_a_place() -> None:
    axis = _axis(cost_figure(SETTINGS, {"a1": 0.0, "b1": 20.0}))

    assert axis.get_xscale() == "linear"


@WIDTHS
@pytest.mark.parametrize("count", [1, 2, 300])
def test_the_cost_of_any_number_of_runs_is_drawn_within_the_figure(
    count: int, width: float
) -> None:
    with drawing_style():
        figure = cost_figure(*many_runs(count), width)

    assert len(_marks(figure.axes[0])) == count
    _require_within(figure)


@WIDTHS
def test_without_a_run_the_figure_of_costs_says_so(width: float) -> None:
    with drawing_style():
        figure = cost_figure(SETTINGS, {}, width)

    (text,) = figure.texts
    assert text.get_text().replace("\n", " ").startswith("No run finished")
    _require_within(figure)


@given(st.permutations(TIMED))
def test_the_order_of_steps_does_not_matter(timed: Sequence[tuple[str, float]]) -> None:
    assert by_step(timed) == by_step(TIMED)


@given(st.lists(st.tuples(st.sampled_from("abcde"), st.integers(1, 1000)), min_size=1))
def test_steps_add_up_to_all_times_and_shares_to_one(timed: list[tuple[str, int]]) -> None:
    times = by_step(timed)

    assert sum(time.times for time in times) == len(timed)
    assert sum(time.seconds for time in times) == sum(taken for _, taken in timed)
    assert sum(time.share for time in times) == pytest.approx(1, abs=1e-12)
    assert [time.seconds for time in times] == sorted(
        (time.seconds for time in times), reverse=True
    )


def test_the_table_of_stages_has_a_row_for_each_step_the_longest_first() -> None:
    rows = [list(row.values()) for row in stage_table(TIMED).rows]

    # 30 + 45 = 75 of 100 seconds; of equal steps the first in the order of the alphabet
    assert rows == [
        ["train", 2, 75.0, 0.75],
        ["evaluate", 1, 21.0, 0.21],
        ["encode", 1, 2.0, 0.02],
        ["sample", 1, 2.0, 0.02],
    ]


@pytest.mark.parametrize(
    ("timed", "told"),
    [
        (TIMED, "Training took 75 % of the 100.0 seconds of all steps together."),
        ([("encode", 600.0)], "The step encode took 100 % of the 10.0 minutes of all steps"),
        ([("encode", 0.0)], "The step encode took 0 % of the 0.0 seconds of all steps"),
        ([], "No step was timed."),
    ],
)
def test_the_takeaway_of_stages_names_the_longest_step(
    timed: list[tuple[str, float]], told: str
) -> None:
    assert stage_takeaway(timed).startswith(told)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.04, "0.0 seconds"),
        (119.9, "119.9 seconds"),
        (120, "2.0 minutes"),
        (7199, "120.0 minutes"),
        (9000, "2.5 hours"),
    ],
)
def test_a_time_is_told_in_the_unit_that_makes_it_short(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_steps_beyond_the_twelfth_are_put_together() -> None:
    # 15, 14, ... 1 seconds, twice each: the last three together take 2 * (3 + 2 + 1) = 12
    timed = [(f"step_{k:02}", float(15 - k)) for k in range(15)] * 2

    axis = _axis(stage_figure(timed))

    names = [label.get_text() for label in axis.get_yticklabels()]
    assert names == [*(f"step {k:02}" for k in range(12)), "others"]
    assert [bar.get_width() for bar in axis.patches] == [  # type: ignore[attr-defined]
        *(2 * (15 - k) for k in range(12)),
        12,
    ]
    # 12 of 2 * (15 + 14 + ... + 1) = 240 seconds
    assert axis.texts[-1].get_text().strip() == "5.0 %, 6 times"


def test_words_stand_beside_their_bars_in_the_colour_of_text() -> None:
    axis = _axis(stage_figure([("a", 10.0), ("b", 6.0), ("c", 4.0)]))

    assert [text.get_position()[0] for text in axis.texts] == [10.0, 6.0, 4.0]
    assert {text.get_horizontalalignment() for text in axis.texts} == {"left"}
    assert len({text.get_color() for text in axis.texts}) == 1


@WIDTHS
@pytest.mark.parametrize("count", [0, 1, 12, 300])
def test_any_number_of_steps_is_drawn_within_the_figure(count: int, width: float) -> None:
    timed = [(f"check_initial_loss_{k}", 100.0 + k) for k in range(count)]

    with drawing_style():
        _require_within(stage_figure(timed, width))


def test_a_picture_of_many_runs_gives_the_same_bytes_again() -> None:
    picture = cost_picture(*many_runs(40))

    with drawing_style():
        first, second = (svg_text(picture.draw(NARROW), picture.name) for _ in range(2))

    assert first == second


def _axis(figure: Figure) -> Axes:
    (axis,) = figure.axes
    return axis


def _marks(axis: Axes) -> list[tuple[float, float]]:
    """Places of the marks, in the order in which they are drawn."""
    return [
        (float(x), float(y))
        for group in axis.collections
        for x, y in np.asarray(group.get_offsets())
    ]


def _colour(group: Any) -> str:
    (colour,) = group.get_facecolors()
    return to_hex(colour)


def _areas(group: Any) -> float:
    (area,) = group.get_sizes()
    return float(area)


def _legend(figure: Figure) -> list[str]:
    (legend,) = figure.legends
    return [text.get_text() for text in legend.get_texts()]


def _require_within(figure: Figure) -> None:
    """Nothing is cut off: all that is drawn lies within the width and the height."""
    figure.draw_without_rendering()
    drawn = figure.get_tightbbox()
    width, height = figure.get_size_inches()
    assert 0 <= drawn.x0 < drawn.x1 <= width
    assert 0 <= drawn.y0 < drawn.y1 <= height
