"""The pictures of settings held against each other, and the tables behind them."""

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from report_material import summary_row
from unrolled.report.drawing import BLUE, GREY, INK, NARROW, WIDE, drawing_style, svg_text
from unrolled.report.figures.differences import (
    DIFFERENCES,
    difference_figure,
    difference_picture,
    difference_table,
    difference_takeaway,
)
from unrolled.report.figures.spread import (
    SPREADS,
    spread_figure,
    spread_picture,
    spread_table,
    spread_takeaway,
)
from unrolled.report.runs import Setting, by_setting, run_results

LONG = {"input_dropout": "0.25", "learning_rate": "0.125", "recurrent_initialisation": "orthogonal"}

each_width = pytest.mark.parametrize("width", [WIDE, NARROW])


def settings_of(seeds: Mapping[str, Sequence[float]], **more: str) -> list[Setting]:
    """Settings by depth, of these test perplexities; NaN for a diverged run."""
    rows = [
        summary_row(
            f"{depth} {seed}",
            "5",
            depth,
            str(seed),
            *(("", "") if math.isnan(value) else (str(math.log(value)), str(value))),
            test_loss_nats_per_token="" if math.isnan(value) else str(math.log(value)),
            **more,
        )
        for depth, values in seeds.items()
        for seed, value in enumerate(values)
    ]
    return by_setting(run_results(rows))


THREE = settings_of({"0": [5.0, 5.1], "2": [4.0, 4.1], "full": [4.05, 4.1], "9": [math.nan]})
"""The best is depth 2; full depth cannot be told from it, depth 0 can."""
MANY = settings_of({str(depth): [4 + depth / 50, 4.1 + depth / 50] for depth in range(100)})
NONE = settings_of({"0": [math.nan]})
ONE = settings_of({"0": [4.0]})
SINGLE_SEEDS = settings_of({"0": [4.0], "2": [5.0], "4": [6.0]})
LIMITS = {"unigram": 5.2, "bigram": 5.15, "uniform": 4000.0, "grammar": 3.9}


def long_named(count: int) -> list[Setting]:
    """Settings of which each has a name of several lines."""
    rows = [
        summary_row(
            f"{depth} {place}",
            "100",
            str(depth),
            "1",
            "1.5",
            str(4 + depth),
            test_loss_nats_per_token=str(math.log(4 + depth)),
            **further,
        )
        for depth in range(count)
        for place, further in enumerate((LONG, dict.fromkeys(LONG, "0")))
    ]
    return by_setting(run_results(rows))


SWEEPS: dict[str, Sequence[Setting]] = {
    "three": THREE,
    "many": MANY,
    "none": NONE,
    "one": ONE,
    "single seeds": SINGLE_SEEDS,
    "one long name": long_named(1),
    "nine long names": long_named(9),
}

FIGURES: dict[str, Callable[[Sequence[Setting], float], Figure]] = {
    "differences": difference_figure,
    "spread": lambda settings, width: spread_figure(settings, LIMITS, width),
}
each_figure = pytest.mark.parametrize("name", FIGURES)


def drawn(name: str, settings: Sequence[Setting], width: float = WIDE) -> Figure:
    with drawing_style():
        return FIGURES[name](settings, width)


@functools.cache
def drawn_once(name: str, sweep: str, width: float = WIDE) -> Figure:
    """The figure of a sweep, laid out, for tests that only read it."""
    figure = drawn(name, SWEEPS[sweep], width)
    with drawing_style():
        figure.draw_without_rendering()
    return figure


def lines(figure: Figure) -> list[Any]:
    return list(figure.axes[0].lines)


def marks(figure: Figure, marker: str) -> list[Any]:
    """The lines that are drawn by this mark, from the top."""
    found = [line for line in lines(figure) if line.get_marker() == marker]
    return sorted(found, key=lambda line: float(line.get_ydata()[0]))


def row_names(figure: Figure) -> list[str]:
    """Beside the rows, from the top."""
    return [text.get_text().replace("\n", " ") for text in figure.axes[0].get_yticklabels()]


def words(figure: Figure) -> list[str]:
    """Those written into the axes or above them."""
    return [text.get_text().replace("\n", " ") for text in figure.axes[0].texts]


# Both


@each_width
@each_figure
@pytest.mark.parametrize("sweep", SWEEPS)
def test_a_figure_is_drawn_at_its_width(sweep: str, name: str, width: float) -> None:
    assert drawn_once(name, sweep, width).get_figwidth() == width


@each_figure
@pytest.mark.parametrize(("sweep", "width"), [("many", WIDE), ("none", NARROW)])
def test_a_figure_gives_the_same_bytes_again(sweep: str, name: str, width: float) -> None:
    first, again = (svg_text(drawn(name, SWEEPS[sweep], width), name) for _ in range(2))

    assert first == again


@each_width
@each_figure
@pytest.mark.parametrize("sweep", ["three", "many", "one", "one long name", "nine long names"])
def test_all_words_are_inside_the_figure_and_none_lies_on_another(
    sweep: str, name: str, width: float
) -> None:
    figure = drawn_once(name, sweep, width)

    (axis,) = figure.axes
    left, right = axis.get_xlim()
    ticks = [text for text in axis.get_xticklabels() if left <= text.get_position()[0] <= right]
    texts = [*axis.texts, *axis.get_yticklabels(), *ticks, axis.xaxis.label]
    boxes = [text.get_window_extent() for text in texts if text.get_text()]
    outer = figure.bbox
    assert all(outer.x0 <= box.x0 and box.x1 <= outer.x1 for box in boxes)
    assert all(outer.y0 <= box.y0 and box.y1 <= outer.y1 for box in boxes)
    lying = [(k, j) for k, box in enumerate(boxes) for j in range(k) if box.overlaps(boxes[j])]
    assert lying == []


@each_figure
@pytest.mark.parametrize("sweep", ["three", "nine long names"])
def test_names_stand_beside_the_rows_of_a_wide_figure_and_above_those_of_a_narrow_one(
    sweep: str, name: str
) -> None:
    wide, narrow = (drawn_once(name, sweep, width) for width in (WIDE, NARROW))

    names = row_names(wide)
    assert set(row_names(narrow)) == {""}
    assert words(narrow)[-len(names) :] == names
    assert wide.axes[0].bbox.width > 0.45 * wide.bbox.width
    assert narrow.axes[0].bbox.width > 0.85 * narrow.bbox.width


@each_figure
@pytest.mark.parametrize("sweep", ["three", "nine long names"])
def test_a_name_above_its_row_lies_on_no_mark(sweep: str, name: str) -> None:
    figure = drawn_once(name, sweep, NARROW)

    (axis,) = figure.axes
    above = axis.texts[-len(axis.get_yticks()) :]
    for row, text in enumerate(above):
        box, height = text.get_window_extent(), axis.transData.transform((0, row))[1]
        before = axis.transData.transform((0, row - 1))[1]
        assert box.y0 > height + 4 / 72 * figure.dpi  # a dot is 6 points across
        assert box.y1 < before - 4 / 72 * figure.dpi


@each_figure
def test_settings_without_a_finished_run_are_left_out(name: str) -> None:
    assert not any("depth 9" in found for found in row_names(drawn_once(name, "three")))


@each_figure
def test_without_a_finished_run_the_figure_says_so(name: str) -> None:
    figure = drawn_once(name, "none")

    assert [text.get_text() for text in figure.texts] == ["No run finished."]


@each_width
@pytest.mark.parametrize(("name", "count"), [("differences", 30), ("spread", 40)])
def test_of_very_many_settings_the_best_are_shown_and_the_label_says_so(
    name: str, count: int, width: float
) -> None:
    figure = drawn_once(name, "many", width)

    names = row_names(figure) if width == WIDE else words(figure)[-count:]
    assert names == [f"Elman, 5 hidden units, depth {depth}" for depth in range(count)]
    told = f"the best {count} of 100 settings"
    assert told in str(figure.get_label())
    assert told in figure.axes[0].get_xlabel().replace("\n", " ")


@each_figure
def test_of_few_settings_all_are_shown(name: str) -> None:
    figure = drawn_once(name, "three")

    assert str(figure.get_label()).endswith("of 3 settings")
    assert "settings" not in figure.axes[0].get_xlabel()


# Differences


@each_width
def test_the_figure_of_differences_shows_its_table(width: float) -> None:
    rows = difference_table(THREE).rows

    figure = drawn_once("differences", "three", width)

    (best,), dots, ends = (marks(figure, marker) for marker in "Do|")
    assert (list(best.get_xdata()), list(best.get_ydata())) == ([0], [0])
    assert [list(dot.get_ydata()) for dot in dots] == [[1], [2]]
    assert [dot.get_xdata()[0] for dot in dots] == [
        row["perplexity_change_percent"] for row in rows[1:]
    ]
    assert [list(end.get_xdata()) for end in ends] == [
        [row["lowest_percent"], row["highest_percent"]] for row in rows[1:]
    ]


def test_the_table_of_differences_is_that_of_hand_arithmetic() -> None:
    settings = settings_of({"0": [4.0, 4.0], "2": [5.0, 5.0], "4": [math.nan]})

    table = difference_table(settings)

    # without any spread an interval is the difference itself: ln(5/4) = 0.223144, 25 %
    assert table.columns == DIFFERENCES
    best, other = ([row[column] for column in DIFFERENCES] for row in table.rows)
    assert best == ["Elman, 5 hidden units, depth 0", 2, 0, None, None, 0, None, None, None]
    assert other[:2] == ["Elman, 5 hidden units, depth 2", 2]
    assert other[2:8] == pytest.approx([0.223144] * 3 + [25] * 3, rel=1e-5)
    assert other[8] == "yes"


def test_the_table_of_differences_has_a_row_for_each_setting_however_many() -> None:
    assert len(difference_table(MANY).rows) == 100
    assert [row["clear"] for row in difference_table(THREE).rows] == [None, "no", "yes"]
    assert difference_table(NONE).rows == []


def test_a_table_without_intervals_has_empty_cells() -> None:
    rows = difference_table(SINGLE_SEEDS).rows

    cells = [row[column] for row in rows for column in DIFFERENCES if "est_" in column]
    assert cells == [None] * 12
    assert [row["clear"] for row in rows] == [None] * 3


def test_what_is_clear_is_blue_and_full_and_what_is_not_is_grey_and_hollow() -> None:
    figure = drawn_once("differences", "three")

    looks = [
        (to_hex(dot.get_color()), dot.get_markerfacecolor() == "none") for dot in marks(figure, "o")
    ]
    assert looks == [(GREY, True), (BLUE, False)]
    assert [to_hex(end.get_color()) for end in marks(figure, "|")] == [GREY, BLUE]


@each_width
def test_a_line_stands_at_0(width: float) -> None:
    figure = drawn_once("differences", "three", width)

    standing = [line for line in lines(figure) if list(line.get_ydata()) == [0, 1]]
    assert [list(line.get_xdata()) for line in standing] == [[0, 0]]
    assert [line.get_color() for line in standing] == [INK]


def test_an_interval_as_wide_as_no_difference_runs_over_the_edge() -> None:
    settings = settings_of({"0": [4.0, 4.0], "2": [4.0, 60.0]})

    figure = drawn("differences", settings)

    # √15 - 1 = 287 %, so 3 times this is the room beside it; the interval goes much further
    left, right = figure.axes[0].get_xlim()
    row = difference_table(settings).rows[1]
    assert float(str(row["highest_percent"])) > right
    assert 1140 < right < 1300
    (ends,) = marks(figure, "|")
    assert list(ends.get_xdata()) == [row["lowest_percent"]]
    (line,) = (line for line in lines(figure) if list(line.get_ydata()) == [1, 1])
    assert list(line.get_xdata()) == [row["lowest_percent"], right]
    assert left < -95


def test_an_interval_without_an_end_is_drawn() -> None:
    settings = settings_of({"0": [4.0], "2": [4.0, 1e200]})

    figure = drawn("differences", settings)

    assert svg_text(figure, "differences")
    assert difference_table(settings).rows[1]["highest_percent"] == math.inf
    assert all(math.isfinite(limit) for limit in figure.axes[0].get_xlim())


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (
            THREE,
            "Elman, 5 hidden units, depth 2 is best: with these seeds 1 of the 2 other settings is"
            " not clearly worse, and 1 is, by 24.7 % of perplexity.",
        ),
        (
            settings_of({"0": [4.0, 4.0], "2": [5.0, 5.0], "4": [6.0, 6.0]}),
            "Elman, 5 hidden units, depth 0 is best: with these seeds all 2 other settings are"
            " clearly worse, by 25.0 to 50.0 % of perplexity.",
        ),
        (
            settings_of({"0": [4.0, 4.0], "2": [5.0, 5.0]}),
            "Elman, 5 hidden units, depth 0 is best: with these seeds the other setting is clearly"
            " worse, by 25.0 % of perplexity.",
        ),
        (
            SINGLE_SEEDS,
            "Elman, 5 hidden units, depth 0 is best: with these seeds none of the 2 other settings"
            " is clearly worse.",
        ),
        (
            ONE,
            "Elman, 5 hidden units, depth 0 is the one setting with a finished run, so best of 1.",
        ),
        (NONE, "No run finished, so there is nothing to compare."),
    ],
)
def test_the_takeaway_of_differences_says_how_many_are_clearly_worse(
    settings: list[Setting], sentence: str
) -> None:
    # of THREE, √(5.0 * 5.1 / (4.0 * 4.1)) = 1.2470
    assert difference_takeaway(settings) == sentence


@pytest.mark.parametrize(
    ("sweep", "told"),
    [
        ("three", "a line for its 95 % interval, grey where that holds 0"),
        ("single seeds", "without an interval, as no setting has two finished seeds"),
        ("one", "a dot for the mean"),
    ],
)
def test_the_axis_of_differences_says_what_is_drawn(sweep: str, told: str) -> None:
    label = drawn_once("differences", sweep).axes[0].get_xlabel().replace("\n", " ")

    assert label.endswith(told)


def test_the_picture_of_differences_holds_figure_table_and_takeaway() -> None:
    picture = difference_picture(THREE)

    assert (picture.name, picture.takeaway) == ("differences", difference_takeaway(THREE))
    assert picture.table == difference_table(THREE)
    with drawing_style():
        figure, expected = picture.draw(NARROW), difference_figure(THREE, NARROW)
    assert svg_text(figure, "a") == svg_text(expected, "a")


# Spread


@each_width
def test_the_figure_of_the_spread_shows_its_table(width: float) -> None:
    table = spread_table(THREE)

    figure = drawn_once("spread", "three", width)

    assert table.columns == SPREADS
    shown = {
        setting.description: list(dots.get_xdata())
        for setting, dots in zip((THREE[1], THREE[3], THREE[0]), marks(figure, "o"), strict=True)
    }
    of_table: dict[str, list[float]] = {}
    for row in table.rows:
        of_table.setdefault(str(row["setting"]), []).append(float(str(row["test_perplexity"])))
    assert shown == of_table
    assert [bar.get_xdata()[0] for bar in marks(figure, "|")] == pytest.approx([4.05, 4.075, 5.05])


def test_the_table_of_the_spread_has_a_row_for_each_finished_run_however_many() -> None:
    assert len(spread_table(MANY).rows) == 200
    assert [row["run"] for row in spread_table(THREE).rows] == [
        f"{depth} {seed}" for depth in ("0", "2", "full") for seed in range(2)
    ]


@each_width
def test_only_baselines_near_the_runs_are_drawn_each_named_at_its_own_height(width: float) -> None:
    figure = drawn_once("spread", "three", width)

    named = figure.axes[0].texts[:3]
    assert [text.get_text() for text in named] == ["grammar 3.90", "bigram 5.15", "unigram 5.20"]
    heights = [text.get_window_extent().y0 for text in named]
    assert heights == sorted(set(heights))


@pytest.mark.parametrize(("perplexity", "count"), [(2.75, 0), (2.85, 1), (6.15, 1), (6.25, 0)])
def test_a_baseline_is_near_within_a_little_more_than_the_range_of_the_runs(
    perplexity: float, count: int
) -> None:
    settings = settings_of({"0": [4.0, 4.5], "2": [5.0]})

    with drawing_style():
        figure = spread_figure(settings, {"bigram": perplexity})

    # from 4 - 1.2 to 5 + 1.2
    assert len(words(figure)) == count


@pytest.mark.parametrize(("best", "told"), [(9.99, "bigram 10.50"), (10.0, "bigram 10.5")])
def test_perplexities_have_two_decimals_where_the_best_is_below_ten(best: float, told: str) -> None:
    settings = settings_of({"0": [best], "2": [11.0]})

    with drawing_style():
        figure = spread_figure(settings, {"bigram": 10.5})

    assert words(figure) == [told]


@pytest.mark.parametrize(
    ("settings", "limits", "sentence"),
    [
        (
            THREE,
            LIMITS,
            "Another seed changes test perplexity by up to 0.10, another setting by up to 1.00,"
            " from 4.05 to 5.05; all 3 settings are better than the bigram baseline's 5.15.",
        ),
        (
            settings_of({"0": [40.0, 42.0], "2": [51.0, 52.0]}),
            {"bigram": 50.0},
            "Another seed changes test perplexity by up to 2.0, another setting by up to 10.5,"
            " from 41.0 to 51.5; 1 of the 2 settings is better than the bigram baseline's 50.0.",
        ),
        (
            SINGLE_SEEDS,
            {"unigram": 5.5, "bigram": 6.5, "grammar": 2.0},
            "Another setting changes test perplexity by up to 2.00, from 4.00 to 6.00, and what"
            " another seed changes is not known, as each has one; 2 of the 3 settings are better"
            " than the unigram baseline's 5.50.",
        ),
        (
            SINGLE_SEEDS,
            {"bigram": 3.0},
            "Another setting changes test perplexity by up to 2.00, from 4.00 to 6.00, and what"
            " another seed changes is not known, as each has one; none of the 3 settings is better"
            " than the bigram baseline's 3.00.",
        ),
        (
            settings_of({"0": [4.0, 4.5]}),
            {},
            "Another seed changes test perplexity by up to 0.50, around a mean of 4.25.",
        ),
        (
            ONE,
            {"bigram": 5.0},
            "The one finished run reaches a test perplexity of 4.00; the setting is better than the"
            " bigram baseline's 5.00.",
        ),
        (
            ONE,
            {"bigram": 3.0},
            "The one finished run reaches a test perplexity of 4.00; the setting is not better than"
            " the bigram baseline's 3.00.",
        ),
        (NONE, LIMITS, "No run finished, so there is no perplexity to compare."),
    ],
)
def test_the_takeaway_of_the_spread_says_what_seeds_and_settings_change(
    settings: list[Setting], limits: Mapping[str, float], sentence: str
) -> None:
    assert spread_takeaway(settings, limits) == sentence


def test_the_picture_of_the_spread_holds_figure_table_and_takeaway() -> None:
    picture = spread_picture(THREE, LIMITS)

    assert (picture.name, picture.takeaway) == ("spread", spread_takeaway(THREE, LIMITS))
    assert picture.table == spread_table(THREE)
    with drawing_style():
        figure, expected = picture.draw(NARROW), spread_figure(THREE, LIMITS, NARROW)
    assert svg_text(figure, "a") == svg_text(expected, "a")
