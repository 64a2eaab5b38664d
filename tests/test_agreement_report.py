"""How the report shows agreement over distances, and the least possible loss."""

import itertools
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text

from report_material import BASELINES, SUMMARY, material, summary_row
from unrolled.report.agreement import COLUMNS, LEAST_WORDS, Curve, curves
from unrolled.report.drawing import BLUE, INK, NARROW, VERMILION, WIDE, drawing_style, svg_text
from unrolled.report.figures.agreement import (
    agreement_figure,
    agreement_picture,
    agreement_table,
    agreement_takeaway,
)
from unrolled.report.page import render

NATS = "nats above\nthe least possible"
WORDS = "words in between"

HOSTILE = "<script>alert('x')</script>{{ 7 * 7 }}"

Row = dict[str, str]


def test_seeds_that_lose_the_same_can_be_drawn() -> None:
    # the mean of three times 0.1 is a last bit above it, that of three times 0.7 one below
    rows = [row for seed in ("1", "2", "3") for row in rows_of({1: 0.1, 2: 0.7}, seed=seed)]

    with drawing_style():
        (axis, *_) = agreement_figure(rows).axes

    assert len(axis.containers) == 1


def rows_of(
    losses: Mapping[int, float],
    experiment: str = "near",
    cell: str = "elman",
    hidden_size: str = "5",
    depth: str = "2",
    seed: str = "1",
    words: int = 100,
    chance: float = 2.0,
    further: str = "",
    floor: float = 0.0,
) -> list[Row]:
    """The rows of a run as they are read, its losses given by distance."""
    return [
        {
            "experiment": experiment,
            "run": f"{cell}-{hidden_size}-{depth}-{seed}",
            "cell": cell,
            "hidden_size": hidden_size,
            "truncation_depth": depth,
            "seed": seed,
            "further": further,
            "distance": str(distance),
            "words": str(words),
            "loss_nats": str(loss),
            "standard_error": "0.01",
            "floor_nats": str(floor),
            "chance_nats": str(chance),
        }
        for distance, loss in losses.items()
    ]


def curve_of(losses: Mapping[int, Sequence[float]], chance: float = 2.0) -> Curve:
    """The curve of a setting."""
    return Curve("near", "elman", "5", "", "2", losses, chance)


def test_rows_are_those_of_the_table() -> None:
    assert list(rows_of({1: 0.5})[0]) == COLUMNS


# Curves


def test_runs_that_differ_in_their_seed_are_one_curve() -> None:
    rows = [*rows_of({1: 0.5, 4: 1.0}), *rows_of({1: 1.0, 4: 2.0}, seed="2")]

    (curve,) = curves(rows)

    assert (curve.experiment, curve.cell, curve.hidden_size) == ("near", "elman", "5")
    assert (curve.further, curve.depth) == ("", "2")
    assert curve.losses == {1: [0.5, 1.0], 4: [1.0, 2.0]}
    assert curve.means == {1: 0.75, 4: 1.5}
    assert curve.chance == 2.0


@pytest.mark.parametrize(
    "change",
    [
        {"experiment": "far"},
        {"cell": "gru"},
        {"hidden_size": "9"},
        {"depth": "full"},
        {"further": "learning rate 0.1"},
    ],
    ids=str,
)
def test_runs_that_differ_in_anything_else_are_two(change: dict[str, Any]) -> None:
    found = curves([*rows_of({1: 0.5}), *rows_of({1: 1.5}, **change)])

    assert sorted(curve.means[1] for curve in found) == [0.5, 1.5]


def test_curves_stand_by_experiment_as_given_then_by_cell_size_what_else_varies_and_depth() -> None:
    wanted = [
        ("near", "elman", "9", "learning rate 0.1", "2"),
        ("near", "elman", "9", "learning rate 0.1", "16"),
        ("near", "elman", "9", "learning rate 0.1", "full"),
        ("near", "elman", "9", "learning rate 0.2", "0"),
        ("near", "elman", "100", "learning rate 0.1", "0"),
        ("near", "gru", "5", "learning rate 0.1", "0"),
        ("far", "elman", "5", "", "0"),
    ]
    first, *others = [
        rows_of({1: 0.5}, experiment, cell, size, depth, further=further)
        for experiment, cell, size, further, depth in wanted
    ]
    mixed = [*first, *(row for rows in reversed(others) for row in rows)]
    mixed.sort(key=lambda row: row["experiment"], reverse=True)  # near, then far

    found = [
        (one.experiment, one.cell, one.hidden_size, one.further, one.depth) for one in curves(mixed)
    ]

    assert found == wanted


def test_losses_are_those_above_the_grammars_own() -> None:
    rows = [
        *rows_of({1: 1.5, 4: 1.75}, floor=1.25),
        *rows_of({1: 0.75, 4: 2.5}, seed="2", floor=0.5),
    ]

    (curve,) = curves(rows)

    # less 1.25 of the first run and 0.5 of the second
    assert curve.losses == {1: [0.25, 0.25], 4: [0.5, 2.0]}
    assert curve.reach == 1  # means 0.25 and 1.25; half of chance is 1


def test_distances_are_ascending_in_whatever_order_they_come() -> None:
    (curve,) = curves(rows_of({16: 3.0, 2: 1.0, 0: 0.5, 8: 2.0}))

    assert list(curve.losses) == [0, 2, 8, 16]
    assert list(curve.means) == [0, 2, 8, 16]


def test_distances_with_too_few_words_are_left_out() -> None:
    enough, few = rows_of({1: 0.5}, words=LEAST_WORDS), rows_of({2: 1.0}, words=LEAST_WORDS - 1)

    (curve,) = curves([*few, *enough])

    assert curve.means == {1: 0.5}
    assert curves(few) == []


def test_no_rows_have_no_curves() -> None:
    assert curves([]) == []


@pytest.mark.parametrize(
    ("losses", "reach"),
    [
        ({1: [0.0]}, 1),
        ({1: [1.0]}, None),  # half of the loss of chance is not less than half
        ({1: [0.999], 2: [0.5], 4: [1.001], 8: [0.1]}, 2),  # 8 is known, but not all before it
        ({1: [2.0], 2: [0.0]}, None),
        ({0: [0.5], 1: [2.0]}, 0),
        ({1: [0.1, 1.7], 2: [0.1, 1.9]}, 1),  # means 0.9 and 1.0
        ({}, None),
    ],
    ids=str,
)
def test_a_word_is_remembered_up_to_where_half_of_chance_is_left(
    losses: Mapping[int, Sequence[float]], reach: int | None
) -> None:
    assert curve_of(losses).reach == reach


# The figure


def drawn(rows: Sequence[Row], width: float = WIDE) -> Figure:
    """The figure in the style of the project."""
    with drawing_style():
        return agreement_figure(rows, width)


def laid_out(figure: Figure) -> Figure:
    """The figure with all its words in their places, as when it is written."""
    with drawing_style():
        figure.draw_without_rendering()
    return figure


def grid(figure: Figure) -> tuple[int, int]:
    """Rows and columns of panels."""
    spec = figure.axes[0].get_gridspec()
    assert spec is not None
    found: tuple[int, int] = spec.get_geometry()
    return found


def lines(axis: Axes) -> list[Line2D]:
    """The line of each depth, that of chance left aside."""
    containers = [one for one in axis.containers if isinstance(one, ErrorbarContainer)]
    return [container.lines[0] for container in containers]


def places(line: Line2D) -> list[float]:
    """Where the points of a line stand from left to right."""
    return [float(place) for place in np.asarray(line.get_xdata())]


def heights(line: Line2D) -> list[float]:
    """How high they stand."""
    return [float(height) for height in np.asarray(line.get_ydata())]


def bars(axis: Axes) -> list[list[tuple[float, float]]]:
    """Lower and upper end of each bar, for each depth."""
    containers = [one for one in axis.containers if isinstance(one, ErrorbarContainer)]
    return [
        [(segment[0][1], segment[1][1]) for segment in container.lines[2][0].get_segments()]
        for container in containers
    ]


def chance_of(axis: Axes) -> float:
    """The height of the line that is straight through."""
    (line,) = (one for one in axis.lines if one not in lines(axis) and one.get_linestyle() == ":")
    low, high = heights(line)
    assert low == high
    return low


def written(figure: Figure) -> list[Text]:
    """Titles, names and the numbers of x; those of y that are in sight are as many as fit."""
    found = [text for legend in figure.legends for text in legend.get_texts()]
    for axis in figure.axes:
        if axis.get_visible():
            title = axis._left_title  # type: ignore[attr-defined]
            found += [title, axis.xaxis.label, axis.yaxis.label, *axis.get_xticklabels()]
    return [text for text in found if text.get_text()]


def test_a_panel_shows_means_and_bars_from_the_least_to_the_largest_seed() -> None:
    rows = [
        *rows_of({1: 0.5, 4: 1.5}),
        *rows_of({1: 0.25, 4: 2.0}, seed="2"),
        *rows_of({1: 1.5, 4: 1.0}, seed="3"),
    ]

    (axis,) = drawn(rows).axes

    (line,) = lines(axis)
    assert places(line) == pytest.approx([1, 4])
    assert heights(line) == pytest.approx([0.75, 1.5])
    assert bars(axis) == [[pytest.approx((0.25, 1.5)), pytest.approx((1.0, 2.0))]]


def test_a_single_seed_has_a_bar_of_no_length() -> None:
    (axis,) = drawn(rows_of({1: 0.5})).axes

    assert bars(axis) == [[pytest.approx((0.5, 0.5))]]


def test_the_loss_of_knowing_nothing_is_dotted_in_each_panel() -> None:
    rows = [*rows_of({1: 0.5}, chance=2.0), *rows_of({1: 0.5}, "far", chance=1.25)]

    near, far = drawn(rows).axes

    assert (chance_of(near), chance_of(far)) == (2.0, 1.25)
    assert to_hex(near.lines[-1].get_color()) == INK


def test_every_depth_has_a_line_of_its_look_and_a_name_in_the_legend() -> None:
    rows = [
        row
        for cell in ("elman", "lstm")
        for depth in ("0", "full")
        for row in rows_of({1: 0.5 if depth == "0" else 0.25}, cell=cell, depth=depth)
    ]

    figure = drawn(rows)

    for axis in figure.axes:
        found = [(to_hex(line.get_color()), heights(line)[0]) for line in lines(axis)]
        assert found == [(VERMILION, 0.5), (BLUE, 0.25)]
    (legend,) = figure.legends
    names = [text.get_text() for text in legend.get_texts()]
    assert names == ["depth 0", "full depth", "nothing known"]
    colours = [to_hex(line.get_color()) for line in legend.get_lines()]
    assert colours == [VERMILION, BLUE, INK]


def test_bars_of_different_depths_stand_a_little_aside_of_each_other() -> None:
    rows = [row for depth in ("0", "4", "full") for row in rows_of({8: 1.0}, depth=depth)]

    (axis,) = drawn(rows).axes

    assert [places(line)[0] for line in lines(axis)] == pytest.approx([8 * 0.97, 8, 8 * 1.03])


def test_experiments_stand_below_and_cells_beside_each_other() -> None:
    rows = [
        row
        for experiment in ("near", "far")
        for cell in ("elman", "gru", "lstm")
        for row in rows_of({1: 0.5}, experiment, cell)
    ]

    figure = drawn(rows)

    assert grid(figure) == (2, 3)
    assert [axis.get_title(loc="left") for axis in figure.axes] == [
        f"{experiment}: {cell}"
        for experiment in ("near", "far")
        for cell in ("Elman", "GRU", "LSTM")
    ]
    assert all(axis.get_visible() for axis in figure.axes)
    assert figure.get_figwidth() == WIDE


def test_on_a_phone_the_cells_of_an_experiment_go_on_in_the_next_row() -> None:
    rows = [
        row
        for experiment, cells in (("near", ("elman", "gru", "lstm")), ("far", ("gru", "lstm")))
        for cell in cells
        for row in rows_of({1: 0.5}, experiment, cell)
    ]

    figure = laid_out(drawn(rows, NARROW))

    assert figure.get_figwidth() == NARROW
    assert grid(figure) == (3, 2)
    titles = [axis.get_title(loc="left") for axis in figure.axes if axis.get_visible()]
    assert titles == ["near: Elman", "near: GRU", "near: LSTM", "far: GRU", "far: LSTM"]
    assert [axis.get_visible() for axis in figure.axes] == [True, True, True, False, True, True]


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_what_is_written_stays_in_the_figure_and_free_of_other_words(width: float) -> None:
    rows = [
        row
        for experiment in ("near", "a_longer_name")
        for cell in ("elman", "gru", "lstm")
        for depth in ("0", "2", "16", "full")
        for row in rows_of(dict.fromkeys((0, 1, 2, 64), 1.0), experiment, cell, depth=depth)
    ]

    figure = laid_out(drawn(rows, width))

    boxes = {text: text.get_window_extent() for text in written(figure)}
    for text, box in boxes.items():
        assert figure.bbox.x0 <= box.x0 < box.x1 <= figure.bbox.x1, text
        assert figure.bbox.y0 <= box.y0 < box.y1 <= figure.bbox.y1, text
    for (one, of_one), (other, of_other) in itertools.combinations(boxes.items(), 2):
        assert not of_one.overlaps(of_other), (one, other)


def test_where_ticks_would_crowd_every_second_one_is_left_out() -> None:
    losses = dict.fromkeys((0, 1, 2, 4, 8, 16, 32, 64), 1.0)
    rows = [*rows_of(losses), *rows_of(losses, cell="gru")]

    wide, narrow = (drawn(rows, width).axes[0] for width in (WIDE, NARROW))

    names = ["0", "1", "2", "4", "8", "16", "32", "64"]
    assert [label.get_text() for label in wide.get_xticklabels()] == names
    assert [label.get_text() for label in narrow.get_xticklabels()] == names[::2]


def test_sizes_are_named_where_there_are_several() -> None:
    rows = [*rows_of({1: 0.5}), *rows_of({1: 0.5}, hidden_size="9")]

    figure = drawn(rows)

    assert grid(figure) == (1, 2)
    assert [axis.get_title(loc="left") for axis in figure.axes] == [
        "near: Elman, 5 hidden units",
        "near: Elman, 9 hidden units",
    ]


def test_what_else_varies_is_named_in_titles_that_stay_in_their_columns() -> None:
    rates = ["learning rate 0.1", "learning rate 0.25"]
    rows = [
        row
        for cell in ("elman", "lstm")
        for further in rates
        for row in rows_of({1: 0.5}, "a_longer_name", cell, further=further)
    ]

    figure = laid_out(drawn(rows))

    assert grid(figure) == (1, 4)
    titles = [axis.get_title(loc="left") for axis in figure.axes]
    assert [title.replace("\n", " ") for title in titles] == [
        f"a_longer_name: {cell}, {further}" for cell in ("Elman", "LSTM") for further in rates
    ]
    spans = [axis._left_title.get_window_extent() for axis in figure.axes]  # type: ignore[attr-defined]
    for span, after in itertools.pairwise(spans):
        assert span.x1 < after.x0
    assert spans[-1].x1 <= figure.bbox.x1
    assert max(span.y1 for span in spans) <= figure.bbox.y1


def test_a_single_panel_is_not_as_wide_as_a_page() -> None:
    assert drawn(rows_of({1: 0.5})).get_figwidth() < 6


def test_a_panel_of_which_an_experiment_has_nothing_is_hidden() -> None:
    rows = [
        *rows_of({1: 0.5}),
        *rows_of({1: 0.5}, cell="lstm"),
        *rows_of({1: 0.5}, "far", cell="lstm"),
    ]

    axes = laid_out(drawn(rows)).axes

    assert [axis.get_visible() for axis in axes] == [True, True, False, True]
    assert [len(lines(axis)) for axis in axes] == [1, 1, 0, 1]
    assert axes[3].get_title(loc="left") == "far: LSTM"


@pytest.mark.parametrize(
    ("losses", "chance", "top"), [(1.0, 2.0, 2.1), (4.0, 2.0, 4.2), (0.001, 0.01, 0.0105)]
)
def test_all_panels_reach_from_a_little_below_zero_to_above_all_that_they_show(
    losses: float, chance: float, top: float
) -> None:
    rows = [
        *rows_of({1: 0.0}, chance=chance),
        *rows_of({1: 0.0}, cell="gru", chance=chance),
        *rows_of({1: losses}, cell="gru", seed="2", chance=chance),
    ]

    figure = drawn(rows)

    # a 25th of what is above zero is below it, so that marks on zero are seen whole
    assert [axis.get_ylim() for axis in figure.axes] == [pytest.approx((-top / 25, top))] * 2


def test_the_highest_line_of_chance_is_seen_whichever_panel_has_it() -> None:
    rows = [*rows_of({1: 0.5}, chance=1.0), *rows_of({1: 0.5}, "far", chance=3.0)]

    assert drawn(rows).axes[0].get_ylim()[1] == pytest.approx(3.15)


@pytest.mark.parametrize(
    ("distances", "ticks"),
    [
        ([1, 2, 4, 8, 16], ["1", "2", "4", "8", "16"]),
        ([0, 1, 5], ["0", "1", "2", "4"]),
        ([7], ["1", "2", "4"]),
        ([1], ["1"]),
        ([0], ["0"]),
    ],
    ids=str,
)
def test_powers_of_two_are_equally_far_apart(distances: list[int], ticks: list[str]) -> None:
    (axis,) = laid_out(drawn(rows_of(dict.fromkeys(distances, 1.0)))).axes

    assert [label.get_text() for label in axis.get_xticklabels()] == ticks
    drawn_at = axis.transData.transform([(2**power, 1.0) for power in range(4)])[:, 0]
    first, second, third = np.diff(drawn_at)
    assert first == pytest.approx(second)
    assert second == pytest.approx(third)


def test_no_distance_at_all_has_a_place_as_far_before_one_as_two_is_after() -> None:
    (axis,) = drawn(rows_of({0: 1.0, 1: 1.0, 2: 1.0})).axes

    (line,) = lines(axis)
    assert places(line) == [0.5, 1, 2]
    assert axis.get_xticks().tolist() == [0.5, 1, 2]


def has_heights(axis: Axes) -> bool:
    """Whether numbers stand beside the ticks of y."""
    (shown,) = {tick.label1.get_visible() for tick in axis.yaxis.get_major_ticks()}
    return bool(shown)


def test_the_axes_are_named() -> None:
    rows = [*rows_of({1: 0.5}), *rows_of({1: 0.5}, "far")]

    near, far = drawn(rows).axes

    assert (near.get_ylabel(), far.get_ylabel()) == (NATS, NATS)
    assert (near.get_xlabel(), far.get_xlabel()) == ("", WORDS)


def test_the_axes_of_what_is_seen_are_named_though_other_panels_are_hidden() -> None:
    # seen are the first two of the upper row and the last two of the lower one
    rows = [
        *rows_of({1: 0.5}, cell="elman"),
        *rows_of({1: 0.5}, cell="gru"),
        *rows_of({1: 0.5}, "far", cell="gru"),
        *rows_of({1: 0.5}, "far", cell="lstm"),
    ]

    axes = drawn(rows).axes

    seen = [axis for axis in axes if axis.get_visible()]
    assert [axis.get_title(loc="left") for axis in seen] == [
        "near: Elman",
        "near: GRU",
        "far: GRU",
        "far: LSTM",
    ]
    assert [axis.get_ylabel() for axis in seen] == [NATS, "", NATS, ""]
    assert [has_heights(axis) for axis in seen] == [True, False, True, False]
    assert [axis.get_xlabel() for axis in seen] == [WORDS, "", WORDS, WORDS]


def test_the_figure_is_one_picture_the_same_bytes_again_and_no_id_twice() -> None:
    rows = [*rows_of({1: 0.5, 2: 1.0}), *rows_of({1: 0.25}, cell="gru", depth="full")]

    with drawing_style():
        first, again = (svg_text(agreement_figure(rows), "agreement") for _ in range(2))

    ids = re.findall(r'\bid="([^"]+)"', first)
    root = ET.fromstring(first)
    assert first == again
    assert len(ids) == len(set(ids))
    assert root.get("aria-label") == "Loss of agreeing words by distance, of 2 settings"


@pytest.mark.parametrize("rows", [[], rows_of({1: 0.5}, words=LEAST_WORDS - 1)], ids=["no", "few"])
def test_without_a_curve_the_figure_says_so(rows: list[Row]) -> None:
    figure = laid_out(drawn(rows))

    assert [text.get_text() for text in figure.texts] == ["No run knows of agreeing words."]
    assert figure.axes == []


# What it says


def remembering(reach: int | None, *, depth: str = "2", **more: Any) -> list[Row]:
    """The rows of a run that knows agreeing words up to a distance, of those up to 8."""
    known = -1 if reach is None else reach
    return rows_of(
        {distance: 0.5 if distance <= known else 1.75 for distance in (0, 1, 2, 4, 8)},
        depth=depth,
        **more,
    )


def test_the_takeaway_says_how_far_each_depth_of_the_first_panel_remembers() -> None:
    rows = [
        *remembering(None, depth="0"),
        *remembering(0, depth="1"),
        *remembering(1, depth="2"),
        *remembering(8, depth="full"),
        *remembering(2, cell="gru", depth="0"),
    ]

    assert agreement_takeaway(rows) == (
        "Elman in near remembers what a word agrees with not at all at depth 0, only if it stands"
        " just before at depth 1, across 1 word at depth 2 and across 8 words at full depth."
    )


def test_the_takeaway_of_one_setting_is_one_depth() -> None:
    assert agreement_takeaway(remembering(2)) == (
        "Elman in near remembers what a word agrees with across 2 words at depth 2."
    )


@pytest.mark.parametrize(
    ("reach", "told"),
    [(4, "; GRU in far remembers farthest, across 4 words at full depth"), (2, "")],
)
def test_the_takeaway_names_what_remembers_farther_than_the_first_panel(
    reach: int, told: str
) -> None:
    rows = [*remembering(2), *remembering(reach, experiment="far", cell="gru", depth="full")]

    assert agreement_takeaway(rows) == (
        f"Elman in near remembers what a word agrees with across 2 words at depth 2{told}."
    )


def test_the_takeaway_tells_settings_apart_as_the_titles_do() -> None:
    rows = [
        *remembering(1, further="learning rate 0.1"),
        *remembering(2, hidden_size="9", further="learning rate 0.2"),
    ]

    assert agreement_takeaway(rows) == (
        "Elman (5 hidden units, learning rate 0.1) in near remembers what a word agrees with across"
        " 1 word at depth 2; Elman (9 hidden units, learning rate 0.2) in near remembers farthest,"
        " across 2 words at depth 2."
    )


@pytest.mark.parametrize("rows", [[], rows_of({1: 0.5}, words=LEAST_WORDS - 1)], ids=["no", "few"])
def test_the_takeaway_without_a_curve_is_what_the_figure_says(rows: list[Row]) -> None:
    assert agreement_takeaway(rows) == "No run knows of agreeing words."


def test_the_picture_has_the_rows_of_all_experiments_and_is_drawn_at_a_width() -> None:
    rows = [*remembering(2), *rows_of({3: 1.0}, "far", words=1)]

    picture = agreement_picture(rows)

    assert picture.name == "agreement"
    assert picture.takeaway == agreement_takeaway(rows)
    assert list(picture.table.columns) == COLUMNS
    assert picture.table.rows == rows
    assert agreement_table([]).columns == picture.table.columns
    with drawing_style():
        assert picture.draw(NARROW).get_figwidth() == NARROW


# The page


ENTROPY = {
    "symbols": 1041,
    "words": 80,
    "mean_words_per_sentence": 8.2,
    "entropy_nats_per_sentence": 11.0,
    "entropy_nats_per_token": 1.19876,
}
FLOOR = [
    {"model": "grammar", "split": split, "loss_nats_per_token": loss, "perplexity": perplexity}
    for split, loss, perplexity in (("valid", "1.20123", "3.324"), ("test", "1.1874", "3.279"))
]
KNOWN = {"excess_nats_per_token": "0.012345", "excess_standard_error": "0.00067"}
UNKNOWN = dict.fromkeys(KNOWN, "")


def _grammar_page(**more: Any) -> str:
    """The page of a text from a grammar."""
    parts: dict[str, Any] = {
        "entropy": ENTROPY,
        "baselines": [*BASELINES, *FLOOR],
        "summary": [
            {**row, **(KNOWN if row["state"] == "finished" else UNKNOWN)} for row in SUMMARY
        ],
        "agreement": [*rows_of({1: 0.5, 2: 1.75}), *rows_of({1: 0.25, 2: 0.5}, depth="full")],
    }
    return render(material(**{**parts, **more}))


def _text(page: str) -> str:
    """What a reader sees, white space evened out."""
    body = page[page.index("<body>") :]
    return " ".join(re.sub(r"<[^>]+>", "", body).split())


def _section(page: str, name: str) -> str:
    """A section of the page."""
    start = page.index(f'<section aria-labelledby="{name}">')
    return page[start : page.index("</section>", start)]


def _cells(section: str) -> list[list[str]]:
    """The rows of a section's last table, head first."""
    rows = section[section.rindex("<table") :].split("<tr")[1:]
    found = [re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row) for row in rows]
    return [[re.sub("<[^>]+>", "", cell) for cell in row] for row in found]


def test_what_an_experiment_is_for_is_told_below_its_name() -> None:
    page = _grammar_page(config={**material().config, "about": "What does truncation cost?"})

    assert '<p class="about"><bdi>What does truncation cost?</bdi></p>' in page
    assert 'class="about"' not in render(material(config={**material().config, "about": None}))


@pytest.mark.parametrize(
    "place",
    [
        lambda: {"config": {**material().config, "about": HOSTILE}},
        lambda: {"beside": {"far": HOSTILE}},
        lambda: {"agreement": rows_of({1: 0.5}, experiment=HOSTILE)},
    ],
    ids=["about", "beside", "agreement"],
)
def test_what_users_write_is_shown_as_text(place: Callable[[], dict[str, Any]]) -> None:
    page = _grammar_page(**place())

    assert page.count("<script") == 1  # its own
    assert "&lt;script&gt;" in page
    assert "{{ 7 * 7 }}" in page


def test_the_grammar_is_told_with_the_least_possible_loss() -> None:
    text = _text(_grammar_page())

    assert "drawn from a grammar of 1,041 symbols and 80 words, in which every sentence" in text
    assert "on average 1.1988 nats per token exactly, and on these very sentences 1.2012" in text
    assert "1.2012 in validation and 1.1874 in the test." in text
    assert "All others are one unknown word." not in text


def test_the_best_setting_is_held_against_the_grammar() -> None:
    page = _grammar_page()

    text = _text(page)
    assert (
        "and guessing 10, while the grammar that the text was drawn from, which nothing can pass,"
        " reaches 3.28."
    ) in text
    assert '<div class="card"><dt>the least possible (grammar)</dt><dd>3.28</dd></div>' in page
    # so near to the least possible that one decimal would not do
    assert "test perplexity of 5.20 (4.80 to 5.60 over 2 seeds)" in text
    assert "<dt>test perplexity, best setting</dt><dd>5.20</dd>" in page


def test_of_a_text_that_is_no_grammars_no_least_possible_loss_is_told() -> None:
    text = _text(render(material()))

    for words in ("grammar", "least possible (", "Above the least possible", "Agreement"):
        assert words not in text
    assert "All others are one unknown word." in text


def test_the_table_of_runs_says_how_far_each_is_above_the_least_possible_loss() -> None:
    head, *rows = _cells(_section(_grammar_page(), "results"))

    column = head.index("Above the least possible")
    assert head[column - 1 : column + 2] == [
        "Test perplexity",
        "Above the least possible",
        "Next word right",
    ]
    *finished, diverged = rows
    assert {row[column] for row in finished} == {"0.0123 ± 0.0007"}
    assert [row[column - 1] for row in finished] == ["5.00", "5.40", "4.80", "5.60"]
    assert (diverged[1], diverged[column]) == ("diverged: loss nan at step 7", "–")


def test_a_run_below_the_least_possible_loss_has_a_minus() -> None:
    row = summary_row(
        "a", "5", "0", "1", "1.6", "5.0", **{**KNOWN, "excess_nats_per_token": "-2e-4"}
    )

    _, found = _cells(_section(_grammar_page(summary=[row]), "results"))

    assert "−0.0002 ± 0.0007" in found


def test_agreement_is_a_section_with_its_picture_and_in_the_contents() -> None:
    page = _grammar_page()

    assert '<a href="#agreement">Agreement</a>' in page
    assert '<h2 id="agreement">Agreement over distances</h2>' in page
    assert "What agreement says." in _section(page, "agreement")


@pytest.mark.parametrize("agreement", [[], rows_of({1: 0.5}, words=LEAST_WORDS - 1)])
def test_without_curves_there_is_no_such_section(agreement: list[Row]) -> None:
    page = _grammar_page(agreement=agreement)

    assert "#agreement" not in page
    assert 'id="agreement"' not in page


def test_each_curve_is_a_row_of_means_by_distance() -> None:
    agreement = [
        *rows_of({0: 0.125, 1: 0.5, 3: 0.75, 4: 1.75}),
        *rows_of({0: 0.375, 1: 1.0, 3: 0.75, 4: 2.25}, seed="2"),
        *rows_of({1: 1.5}, "far", "lstm", "9", "full"),
    ]

    head, *rows = _cells(_section(_grammar_page(agreement=agreement), "agreement"))

    # no distance and the powers of two
    assert head[:5] == ["Experiment", "Cell", "Hidden units", "Depth", "Remembered up to"]
    assert head[5:] == ["0", "1", "4"]
    # half of chance is 1: means 0.25, 0.75, 0.75, 2
    assert rows == [
        ["near", "Elman", "5", "2", "3", "0.25", "0.75", "2.00"],
        ["far", "LSTM", "9", "full", "–", "–", "1.50", "–"],
    ]


def test_what_else_varies_stands_with_the_cell() -> None:
    agreement = [
        *rows_of({1: 0.5}, further="learning rate 0.1"),
        *rows_of({1: 1.5}, further="learning rate 0.2"),
    ]

    _, *rows = _cells(_section(_grammar_page(agreement=agreement), "agreement"))

    assert rows == [
        ["near", "Elman, learning rate 0.1", "5", "2", "1", "0.50"],
        ["near", "Elman, learning rate 0.2", "5", "2", "–", "1.50"],
    ]


def test_a_distance_of_too_few_words_has_no_column() -> None:
    agreement = [
        *rows_of({1: 0.5, 4: 0.75}),
        *rows_of({2: 0.5, 8: 0.75}, words=LEAST_WORDS - 1),
    ]

    head, row = _cells(_section(_grammar_page(agreement=agreement), "agreement"))

    assert head[5:] == ["1", "4"]
    assert row[5:] == ["0.50", "0.75"]


@pytest.mark.parametrize("agreement", [[], rows_of({1: 0.5})], ids=["no curves", "a curve"])
def test_experiments_beside_are_linked_with_what_they_are_for(agreement: list[Row]) -> None:
    page = _grammar_page(
        beside={"memory_far": "A longer distance.", "other": None}, agreement=agreement
    )

    assert '<li><a href="#beside">Beside it</a></li>' in page
    section = _section(page, "beside")
    assert '<h2 id="beside">Beside this experiment</h2>' in section
    assert (
        '<h3><a href="../memory_far/report.html">memory_far</a></h3>\n'
        "<p><bdi>A longer distance.</bdi></p>\n"
        '<h3><a href="../other/report.html">other</a></h3>\n</section>'
    ) in f"{section}</section>".replace("\n\n", "\n")


def test_an_experiment_with_nothing_beside_it_has_no_such_section() -> None:
    page = _grammar_page()

    assert "#beside" not in page
    assert 'id="beside"' not in page
