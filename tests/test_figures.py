"""The pictures of the report."""

import functools
import itertools
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgba
from matplotlib.container import BarContainer
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patches import Rectangle
from matplotlib.text import Text

from report_material import (
    FIGURES,
    FLOW,
    NO_FLOW,
    PROFILE,
    SUMMARY,
    TIME_FIGURES,
    gradient_check,
    summary_row,
)
from unrolled.report.drawing import (
    BLUE,
    NARROW,
    ORANGE,
    WIDE,
    drawing_style,
    new_figure,
    svg_text,
)
from unrolled.report.figures import (
    activation_figure,
    arrival_figure,
    cosine_figure,
    cost_figure,
    difference_figure,
    frequency_figure,
    gradient_figure,
    length_figure,
    loss_figure,
    perplexity_figure,
    side_by_side_figure,
    singular_value_figure,
    spread_figure,
    stage_figure,
)
from unrolled.report.runs import by_setting, run_results

SETTINGS = by_setting(run_results(SUMMARY))
FLOWS = {row["run"]: FLOW if row["state"] == "finished" else NO_FLOW for row in SUMMARY}
HISTORY = [
    {
        "run": run,
        "epoch": str(epoch),
        "learning_rate": str(1.0 - 0.25 * epoch),
        "train_loss_nats_per_token": "" if epoch == 0 else str(2.2 - 0.3 * epoch),
        "validation_loss_nats_per_token": str(2.3 - 0.3 * epoch),
    }
    for run in ("a1", "a2", "b1", "b2")
    for epoch in range(3)
]
JOBS = [("train", 30.5), ("train", 31.5), ("evaluate", 2.0), ("summarise", 0.25)]
SECONDS = {"a1": 20.0, "a2": 21.0, "b1": 42.0, "b2": 40.0}
DRAWN: dict[str, Callable[[float], Figure]] = {
    "frequencies": lambda width: frequency_figure(PROFILE, width),
    "lengths": lambda width: length_figure(PROFILE, width),
    "gradient_check": lambda width: gradient_figure(
        [gradient_check(), gradient_check("gru", 2, trouble="wrong")], width
    ),
    "loss": lambda width: loss_figure(SETTINGS, HISTORY, {"unigram": 2.0}, width),
    "arrival": lambda width: arrival_figure(SETTINGS, FLOWS, width),
    "cosines": lambda width: cosine_figure(SETTINGS, FLOWS, width),
    "singular_values": lambda width: singular_value_figure(SETTINGS, FLOWS, width),
    "activations": lambda width: activation_figure(SETTINGS, FLOWS, width),
    "perplexity": lambda width: perplexity_figure(SETTINGS, None, width),
    "differences": lambda width: difference_figure(SETTINGS, width),
    "spread": lambda width: spread_figure(SETTINGS, {"bigram": 6.05, "uniform": 1e4}, width),
    "cost": lambda width: cost_figure(SETTINGS, SECONDS, width),
    "stages": lambda width: stage_figure(JOBS, width),
    "side_by_side": lambda width: side_by_side_figure(
        {"one": SETTINGS, "other": SETTINGS[:1]}, {"one": 6.05, "other": 5.5}, width
    ),
}

every_width = pytest.mark.parametrize("width", [WIDE, NARROW], ids=["wide", "narrow"])


def test_every_figure_of_the_page_is_drawn_here() -> None:
    assert sorted(DRAWN) == sorted([*FIGURES, *TIME_FIGURES, "side_by_side"])


@pytest.mark.parametrize("name", DRAWN)
def test_a_figure_gives_the_same_bytes_again_whatever_the_last_bits_of_its_layout(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    undisturbed = _svg(name)
    lay_out = ConstrainedLayoutEngine.execute
    disturbed: list[Figure] = []

    def disturb(engine: ConstrainedLayoutEngine, figure: Figure) -> None:
        lay_out(engine, figure)
        for axis in figure.axes:
            left, bottom, width, height = axis.get_position(original=True).bounds
            axis.set_position((left + 1e-14, bottom - 1e-14, width, height + 1e-14))
        disturbed.append(figure)

    monkeypatch.setattr(ConstrainedLayoutEngine, "execute", disturb)

    assert _drawn(name) == undisturbed
    assert len(disturbed) == 1  # which is how often a figure is laid out


@every_width
@pytest.mark.parametrize("name", DRAWN)
def test_a_figure_takes_the_text_colour_of_its_page(name: str, width: float) -> None:
    svg = _svg(name, width)

    assert "currentColor" in svg
    assert "#101418" not in svg


@every_width
@pytest.mark.parametrize("name", DRAWN)
def test_a_figure_is_one_picture_with_a_name_to_a_screen_reader(name: str, width: float) -> None:
    root = ET.fromstring(_svg(name, width))

    assert root.get("role") == "img"
    assert len(root.get("aria-label", "")) > 20


@every_width
@pytest.mark.parametrize("name", DRAWN)
def test_a_figure_is_no_wider_than_its_page(name: str, width: float) -> None:
    root = ET.fromstring(_svg(name, width))

    # 72 points an inch
    _, _, points, _ = map(float, root.get("viewBox", "").split())
    assert points <= 72 * width


def test_a_label_is_escaped() -> None:
    with drawing_style():
        svg = svg_text(new_figure(1, 1, 'a "b" <c> & d'), "x")

    assert ET.fromstring(svg).get("aria-label") == 'a "b" <c> & d'


def test_ids_of_different_figures_never_meet_and_references_find_theirs() -> None:
    ids: list[str] = []
    for name in DRAWN:
        svg = _svg(name)
        own = re.findall(r'\bid="([^"]+)"', svg)
        ids += own

        references = re.findall(r'(?:url\(#|href="#)([^)"]+)', svg)
        assert set(references) <= set(own)

    assert len(ids) == len(set(ids))


def test_the_heat_map_shows_mean_and_range_and_the_state_of_what_did_not_finish() -> None:
    words = _words("perplexity")

    # (5.0 + 5.4) / 2 = 5.2
    assert {"5.20", "5.00 to 5.40", "4.80 to 5.60", "diverged"} <= words


def test_the_heat_map_shows_one_decimal_where_perplexities_are_ten_or_more() -> None:
    rows = [
        summary_row(f"{size} {seed}", size, "0", seed, "1.5", perplexity)
        for size, seed, perplexity in (
            ("5", "1", "9.98"),
            ("5", "2", "10.02"),
            ("9", "1", "9.97"),
            ("9", "2", "10.01"),
        )
    ]

    with drawing_style():
        figure = perplexity_figure(by_setting(run_results(rows)))

    # means of 10 and of 9.99
    words = {text.get_text() for text in figure.axes[0].texts}
    assert words == {"10.0", "10.0 to 10.0", "9.99", "9.97 to 10.01"}


@pytest.mark.parametrize(("floor", "told"), [(None, ""), (2.345, "the least possible is 2.35")])
def test_the_heat_map_tells_the_least_possible_perplexity_where_it_is_known(
    floor: float | None, told: str
) -> None:
    with drawing_style():
        figure = perplexity_figure(SETTINGS, floor)

    assert figure.get_supxlabel() == told


def test_the_least_possible_perplexity_stands_below_the_maps() -> None:
    with drawing_style():
        figure = _laid_out(perplexity_figure(SETTINGS, 3.1234))

    (told,) = (text for text in figure.texts if text.get_text() == "the least possible is 3.12")
    below = told.get_window_extent()
    maps = [axis.get_tightbbox() for axis in figure.axes if axis.get_visible()]
    assert 0 <= below.y0 < below.y1
    assert all(one is not None and below.y1 <= one.y0 for one in maps)


def test_the_spread_figure_has_a_row_for_each_setting_and_near_baselines_alone() -> None:
    words = _words("spread")

    assert {"Elman, 5 hidden units, depth 0", "Elman, 5 hidden units, full depth"} <= words
    assert "bigram 6.05" in words
    assert not any(word.startswith("uniform") for word in words)


def test_the_loss_figure_has_a_panel_for_each_setting() -> None:
    words = _words("loss")

    assert {setting.description for setting in SETTINGS} <= words
    assert {"training", "validation", "unigram", "diverged"} <= words


def test_the_loss_figure_tells_seeds_apart_by_dash_and_mark() -> None:
    rows = [summary_row(f"r{seed}", "5", "0", str(seed), "1.5", "5.0") for seed in range(20)]

    with drawing_style():
        figure = loss_figure(by_setting(run_results(rows)), [], {"unigram": 2.0})
    lines = [
        line for line in figure.legends[0].get_lines() if str(line.get_label()).startswith("seed")
    ]

    assert [line.get_label() for line in lines] == [f"seed {seed}" for seed in range(20)]
    # get_linestyle calls all own dash patterns "--"
    looks = {(repr(line._dash_pattern), line.get_marker()) for line in lines}  # type: ignore[attr-defined]
    assert len(looks) == 20


def test_one_seed_is_not_named() -> None:
    rows = [summary_row("a", "5", "0", "1", "1.5", "5.0")]

    with drawing_style():
        figure = loss_figure(by_setting(run_results(rows)), [], {"unigram": 2.0})

    assert _names(figure) == ["training", "validation", "unigram"]


def test_a_setting_of_which_no_run_finished_says_so_below_its_title() -> None:
    with drawing_style():
        axes = loss_figure(SETTINGS, HISTORY, {"unigram": 2.0}).axes

    titles = [axis.get_title(loc="left").split("\n")[-1] for axis in axes if axis.get_visible()]
    assert [title.endswith("diverged") for title in titles] == [False, False, True]


def test_the_learning_rate_is_an_area_at_the_bottom_as_high_as_its_share_of_the_largest() -> None:
    rows = [
        summary_row(run, "5", depth, "1", "1.5", "5.0") for run, depth in (("a", "0"), ("b", "1"))
    ]
    rates = {"a": ("8.0", "4.0", "2.0", "0.0"), "b": ("8.0", "1.0", "1.0", "1.0")}
    history = [
        {**row, "run": run, "epoch": str(epoch), "learning_rate": rate}
        for run, of_run in rates.items()
        for epoch, (row, rate) in enumerate(
            zip([HISTORY[0], *[HISTORY[1]] * 3], of_run, strict=True)
        )
    ]

    with drawing_style():
        figure = loss_figure(by_setting(run_results(rows)), history, {"unigram": 2.0})

    # the largest is 4, as the 8 of epoch 0 is that before training
    areas = [_upper_edge(axis) for axis in figure.axes]
    highest = areas[0][1]
    assert areas[0] == pytest.approx({1: highest, 2: highest / 2, 3: 0})
    assert areas[1] == pytest.approx({1: highest / 4, 2: highest / 4, 3: highest / 4})
    assert "rate ≤ 4" in _names(figure)
    # below all lines: the lowest loss is 1.9 at epoch 1
    bottom, top = figure.axes[0].get_ylim()
    assert bottom + highest * (top - bottom) < 1.9


def test_a_constant_learning_rate_is_told_in_words_alone() -> None:
    history = [{**row, "learning_rate": "0.5"} for row in HISTORY]

    with drawing_style():
        figure = loss_figure(SETTINGS, history, {"unigram": 2.0})

    assert "constant learning rate" in _names(figure)
    assert all(not axis.collections for axis in figure.axes)


def test_a_loss_beyond_all_finished_runs_does_not_press_the_others_together() -> None:
    diverged = [{**row, "run": "c1", "validation_loss_nats_per_token": "90"} for row in HISTORY[:3]]

    with drawing_style():
        figure = loss_figure(SETTINGS, [*HISTORY, *diverged], {"unigram": 2.0})

    # the highest trained loss of a run that finished is 2.0, that of validation at epoch 1
    assert figure.axes[0].get_ylim()[1] == pytest.approx(1.02 * 2.0)


@pytest.mark.parametrize("count", [24, 25])
def test_of_many_settings_the_best_have_panels_the_best_of_all_first(count: int) -> None:
    # the first did not finish, the others are the better the later they stand
    rows = [summary_row("r0", "1", "0", "1", "", "")]
    rows += [
        summary_row(f"r{k}", str(k + 1), "0", "1", str(2 - 0.01 * k), "5.0")
        for k in range(1, count)
    ]

    with drawing_style():
        figure = loss_figure(by_setting(run_results(rows)), [], {"unigram": 2.0})

    titles = [axis.get_title(loc="left") for axis in figure.axes if axis.get_visible()]
    sizes = [int(title.replace("\n", " ").split(" ")[1]) for title in titles]
    assert sizes == (list(range(1, 25)) if count == 24 else list(range(25, 1, -1)))
    told = "the best 24 of 25 settings by validation loss" in str(figure.get_label())
    assert told == (count == 25)


def test_a_heat_map_is_as_wide_as_its_fields_need() -> None:
    one = [summary_row("a", "5", "0", "1", "1.5", "5.0")]
    three = [summary_row(depth, "5", depth, "1", "1.5", "5.0") for depth in ("0", "1", "full")]

    widths = [
        perplexity_figure(by_setting(run_results(rows))).get_figwidth() for rows in (one, three)
    ]

    assert widths[0] < widths[1] < 5  # inches; the page is about eleven wide


def test_where_a_range_has_no_room_the_mean_stands_alone() -> None:
    depths = ("0", "1", "2", "4", "8", "full")
    rows = [
        summary_row(f"{depth} {seed}", "5", depth, seed, "1.5", perplexity)
        for depth in depths
        for seed, perplexity in (("1", "50.0"), ("2", "52.0"))
    ]
    settings = by_setting(run_results(rows))

    with drawing_style():
        wide, narrow = (perplexity_figure(settings, width=width) for width in (WIDE, NARROW))

    assert [text.get_text() for text in wide.axes[0].texts] == ["51.0", "50.0 to 52.0"] * 6
    assert [text.get_text() for text in narrow.axes[0].texts] == ["51.0"] * 6


def test_the_best_and_the_worst_perplexity_are_named_beside_their_colours() -> None:
    rows = [
        summary_row("a", "5", "0", "1", "1.5", "70.0"),
        summary_row("b", "5", "1", "1", "1.5", "50.0"),
        summary_row("c", "5", "2", "1", "1.5", "60.0"),
    ]

    with drawing_style():
        figure = perplexity_figure(by_setting(run_results(rows)))
        alone = perplexity_figure(by_setting(run_results(rows[:1])))

    fields = [to_hex(patch.get_facecolor()) for patch in figure.axes[0].patches]
    named = [to_hex(patch.get_facecolor()) for patch in figure.legends[0].get_patches()]
    assert _names(figure) == ["best: 50.0", "worst: 70.0"]
    assert named == [fields[1], fields[0]]
    assert alone.legends == []


def test_nearly_equal_settings_have_nearly_the_colour_of_the_best() -> None:
    # the scale goes from 50 up by a tenth at least, to 55; cividis_r begins with yellow
    rows = [
        summary_row("a", "5", "0", "1", "1.5", "50.0"),
        summary_row("b", "5", "1", "1", "1.5", "50.1"),
    ]

    with drawing_style():
        figure = perplexity_figure(by_setting(run_results(rows)))
    best, next_best = (to_rgba(patch.get_facecolor()) for patch in figure.axes[0].patches)

    assert best[0] > 0.9
    assert best[2] < 0.4
    assert next_best == pytest.approx(best, abs=0.05)


def test_the_gradient_figure_says_what_passed() -> None:
    assert {"Elman, full depth: passed", "GRU, depth 2: FAILED"} <= _words("gradient_check")


def test_the_gradient_figure_has_a_histogram_for_each_method_in_its_colour() -> None:
    with drawing_style():
        figure = gradient_figure([gradient_check()])

    (axis,) = figure.axes
    (legend,) = figure.legends
    patches = zip(legend.get_texts(), legend.get_patches(), strict=True)
    colours = {text.get_text(): to_hex(patch.get_facecolor()) for text, patch in patches}
    assert colours == {"central differences": ORANGE, "complex step": BLUE}
    # summed over 3 parameters of two networks: 30 + 10, 20 + 50, 6; 45, 5 + 16 + 50
    assert _histograms(axis) == [
        (ORANGE, {-10: 40, -9: 70, -8: 6}),
        (BLUE, {-17: 45, -16: 71}),
    ]


def test_an_error_is_drawn_between_its_power_of_ten_and_the_next() -> None:
    with drawing_style():
        figure = gradient_figure([gradient_check()])

    for container in figure.axes[0].containers:
        for bar in _bars(container):
            left, right = bar.get_x(), bar.get_x() + bar.get_width()
            assert int(left // 1) == int(right // 1)  # both ends between the same whole numbers
            assert (left + right) / 2 % 1 == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("count", "width", "shape"),
    [
        (1, WIDE, (1, 1)),
        (3, WIDE, (1, 3)),
        (4, WIDE, (1, 4)),
        (6, WIDE, (2, 3)),
        (20, WIDE, (5, 4)),
        (1, NARROW, (1, 1)),
        (6, NARROW, (3, 2)),
    ],
)
def test_each_gradient_check_has_a_panel_of_its_own(
    count: int, width: float, shape: tuple[int, int]
) -> None:
    checks = [gradient_check("gru", depth) for depth in range(count)]
    checks[-1]["networks"][1]["parameters"] = []

    with drawing_style():
        figure = gradient_figure(checks, width)

    grid = figure.axes[0].get_gridspec()
    assert grid is not None
    assert grid.get_geometry() == shape
    seen = [axis for axis in figure.axes if axis.get_visible()]
    assert [axis.get_title(loc="left").replace("\n", " ") for axis in seen] == [
        f"GRU, depth {depth}: passed" for depth in range(count)
    ]
    # the last one has no second network, with 50 entries
    totals = [sum(dict(_histograms(axis))[BLUE].values()) for axis in seen]
    assert totals == [116] * (count - 1) + [66]


MANY = by_setting(
    run_results(
        [
            summary_row(f"{cell} {size} {depth}", size, depth, "1", "1.5", "105.25", cell=cell)
            for cell in ("elman", "gru", "lstm")
            for size in ("100", "1000")
            for depth in ("0", "2", "4", "8", "full")
        ]
    )
)
ONE = by_setting(run_results(SUMMARY[:1]))
CHECKS = [gradient_check("elman", depth) for depth in (0, 2, 16, "full")]
SIZED: dict[str, Callable[[float], Figure]] = {
    "loss of some": lambda width: loss_figure(SETTINGS, HISTORY, {"unigram": 2.0}, width),
    "loss of one": lambda width: loss_figure(ONE, HISTORY, {"unigram": 2.0}, width),
    "loss of many": lambda width: loss_figure(MANY, [], {"unigram": 2.0, "bigram": 1.8}, width),
    "perplexity of some": lambda width: perplexity_figure(SETTINGS, 3.1234, width),
    "perplexity of one": lambda width: perplexity_figure(ONE, 3.1234, width),
    "perplexity of many": lambda width: perplexity_figure(MANY, 3.1234, width),
    "one check": lambda width: gradient_figure(CHECKS[:1], width),
    "many checks": lambda width: gradient_figure(CHECKS, width),
}


@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize("name", SIZED)
def test_what_is_written_stays_in_the_figure_and_free_of_other_words(
    name: str, width: float
) -> None:
    with drawing_style():
        figure = _laid_out(SIZED[name](width))

    assert figure.get_figwidth() <= width
    boxes = {text: text.get_window_extent() for text in _written(figure)}
    for text, box in boxes.items():
        assert figure.bbox.x0 <= box.x0 < box.x1 <= figure.bbox.x1, text
        assert figure.bbox.y0 <= box.y0 < box.y1 <= figure.bbox.y1, text
    for (one, of_one), (other, of_other) in itertools.combinations(boxes.items(), 2):
        assert not of_one.overlaps(of_other), (one, other)


def _laid_out(figure: Figure) -> Figure:
    """The figure laid out once and all its words put in their places, as when it is written."""
    figure.draw_without_rendering()
    return figure


def _written(figure: Figure) -> list[Text]:
    """Titles, names and words of a figure, but for the numbers of its axes."""
    found = list(figure.texts)
    for legend in figure.legends:
        found += legend.get_texts()
    for axis in figure.axes:
        if axis.get_visible():
            title = axis._left_title  # type: ignore[attr-defined]
            found += [title, axis.xaxis.label, axis.yaxis.label, *axis.texts]
    return [text for text in found if text.get_text()]


def _names(figure: Figure) -> list[str]:
    """Those of the legend."""
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]


def _upper_edge(axis: Axes) -> dict[float, float]:
    """How high an area from the bottom of a panel is, as a share of it, at each place."""
    (area,) = axis.collections
    (path,) = area.get_paths()
    edge: dict[float, float] = {}
    for x, y in np.asarray(path.vertices, dtype=float):
        edge[float(x)] = max(float(y), edge.get(float(x), 0.0))
    return edge


def _bars(container: object) -> list[Rectangle]:
    assert isinstance(container, BarContainer)
    return list(container.patches)


def _histograms(axis: Axes) -> list[tuple[str, dict[int, int]]]:
    """Colour of each histogram in a panel, and its counts by the power of ten, without zeros."""
    return [
        (
            to_hex(bars[0].get_facecolor()),
            {int(bar.get_x() // 1): int(bar.get_height()) for bar in bars if bar.get_height()},
        )
        for bars in map(_bars, axis.containers)
    ]


def _drawn(name: str, width: float = WIDE) -> str:
    with drawing_style():
        return svg_text(DRAWN[name](width), name)


_svg = functools.cache(_drawn)
"""Drawn once, for tests that only read it."""


def _words(name: str) -> set[str]:
    """The texts that a figure shows."""
    root = ET.fromstring(_svg(name))
    return {
        "".join(node.itertext()).strip() for node in root.iter("{http://www.w3.org/2000/svg}text")
    }
