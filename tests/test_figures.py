"""The pictures of the report."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgba
from matplotlib.container import BarContainer
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from report_material import FIGURES, PROFILE, SUMMARY, gradient_check, material, summary_row
from unrolled.report.drawing import BLUE, ORANGE, drawing_style, new_figure, svg_text, write_figure
from unrolled.report.figures import (
    activation_figure,
    arrival_figure,
    cosine_figure,
    gradient_figure,
    length_figure,
    loss_figure,
    perplexity_figure,
    singular_value_figure,
    spread_figure,
)
from unrolled.report.runs import by_setting, run_results

SETTINGS = by_setting(run_results(SUMMARY))
FLOWS = material().flows
HISTORY = [
    {
        "run": run,
        "epoch": str(epoch),
        "train_loss_nats_per_token": "" if epoch == 0 else str(2.2 - 0.3 * epoch),
        "validation_loss_nats_per_token": str(2.3 - 0.3 * epoch),
    }
    for run in ("a1", "a2", "b1", "b2")
    for epoch in range(3)
]
DRAWN: dict[str, Callable[[], Figure]] = {
    "loss": lambda: loss_figure(SETTINGS, HISTORY, {"unigram": 2.0}),
    "perplexity": lambda: perplexity_figure(SETTINGS),
    "spread": lambda: spread_figure(SETTINGS, {"bigram": 6.05, "uniform": 10_000.0}),
    "gradient_check": lambda: gradient_figure(
        [gradient_check(), gradient_check("gru", 2, trouble="wrong")]
    ),
    "lengths": lambda: length_figure(PROFILE),
    "arrival": lambda: arrival_figure(SETTINGS, FLOWS),
    "cosines": lambda: cosine_figure(SETTINGS, FLOWS),
    "singular_values": lambda: singular_value_figure(SETTINGS, FLOWS),
    "activations": lambda: activation_figure(SETTINGS, FLOWS),
}


def test_every_figure_of_the_page_is_drawn_here() -> None:
    assert sorted(DRAWN) == sorted(FIGURES)


@pytest.mark.parametrize("name", DRAWN)
def test_a_figure_gives_the_same_bytes_again(name: str) -> None:
    assert _svg(name) == _svg(name)


@pytest.mark.parametrize("name", DRAWN)
def test_a_figure_takes_the_text_colour_of_its_page(name: str) -> None:
    svg = _svg(name)

    assert "currentColor" in svg
    assert "#101418" not in svg


@pytest.mark.parametrize("name", DRAWN)
def test_a_figure_is_one_picture_with_a_name_to_a_screen_reader(name: str) -> None:
    root = ET.fromstring(_svg(name))

    assert root.get("role") == "img"
    assert len(root.get("aria-label", "")) > 20


def test_a_label_is_escaped() -> None:
    with drawing_style():
        svg = svg_text(new_figure(1, 1, 'a "b" <c> & d'), "x")

    assert ET.fromstring(svg).get("aria-label") == 'a "b" <c> & d'


def test_a_figure_is_written_under_the_name_of_its_file(tmp_path: Path) -> None:
    with drawing_style():
        write_figure(tmp_path / "mine.svg", DRAWN["lengths"]())

    svg = (tmp_path / "mine.svg").read_text(encoding="utf-8")
    assert {name.split("-")[0] for name in re.findall(r'\bid="([^"]+)"', svg)} == {"mine"}


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
        figure = perplexity_figure(SETTINGS, 3.1234)
        figure.canvas.draw()

    (told,) = (text for text in figure.texts if text.get_text() == "the least possible is 3.12")
    below = told.get_window_extent()
    maps = [axis.get_tightbbox() for axis in figure.axes if axis.get_visible()]
    assert 0 <= below.y0 < below.y1
    assert all(one is not None and below.y1 <= one.y0 for one in maps)


def test_the_spread_figure_has_a_row_for_each_setting_and_near_baselines_alone() -> None:
    words = _words("spread")

    assert {"Elman, 5 hidden units, depth 0", "Elman, 5 hidden units, full depth"} <= words
    assert "bigram 6.0" in words or "bigram 6.1" in words
    assert not any(word.startswith("uniform") for word in words)


def test_the_loss_figure_has_a_panel_for_each_setting() -> None:
    words = _words("loss")

    assert {setting.description for setting in SETTINGS} <= words
    assert {"training", "validation", "unigram", "diverged"} <= words


def test_the_loss_figure_tells_seeds_apart_by_dash_and_mark() -> None:
    rows = [summary_row(f"r{seed}", "5", "0", str(seed), "1.5", "5.0") for seed in range(20)]

    with drawing_style():
        figure = loss_figure(by_setting(run_results(rows)), [], {"unigram": 2.0})
    lines = figure.legends[0].get_lines()

    assert [line.get_label() for line in lines] == [f"seed {seed}" for seed in range(20)]
    # get_linestyle calls all own dash patterns "--"
    looks = {(repr(line._dash_pattern), line.get_marker()) for line in lines}  # type: ignore[attr-defined]
    assert len(looks) == 20


def test_one_seed_needs_no_legend() -> None:
    rows = [summary_row("a", "5", "0", "1", "1.5", "5.0")]

    with drawing_style():
        figure = loss_figure(by_setting(run_results(rows)), [], {"unigram": 2.0})

    assert not figure.legends


def test_a_heat_map_is_as_wide_as_its_fields_need() -> None:
    one = [summary_row("a", "5", "0", "1", "1.5", "5.0")]
    three = [summary_row(depth, "5", depth, "1", "1.5", "5.0") for depth in ("0", "1", "full")]

    widths = [
        perplexity_figure(by_setting(run_results(rows))).get_figwidth() for rows in (one, three)
    ]

    assert widths[0] < widths[1] < 5  # inches; the page is about eleven wide


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
    assert {"Elman, depth full: passed", "GRU, depth 2: FAILED"} <= _words("gradient_check")


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


@pytest.mark.parametrize(("count", "shape"), [(1, (1, 1)), (3, (1, 3)), (4, (1, 4)), (6, (2, 4))])
def test_each_gradient_check_has_a_panel_of_its_own(count: int, shape: tuple[int, int]) -> None:
    checks = [gradient_check("gru", depth) for depth in range(count)]
    checks[-1]["networks"][1]["parameters"] = []

    with drawing_style():
        figure = gradient_figure(checks)

    grid = figure.axes[0].get_gridspec()
    assert grid is not None
    assert grid.get_geometry() == shape
    seen = [axis for axis in figure.axes if axis.get_visible()]
    assert [axis.get_title(loc="left") for axis in seen] == [
        f"GRU, depth {depth}: passed" for depth in range(count)
    ]
    # the last one has no second network, with 50 entries
    totals = [sum(dict(_histograms(axis))[BLUE].values()) for axis in seen]
    assert totals == [116] * (count - 1) + [66]


@pytest.mark.parametrize("count", [1, 2, 7])
def test_any_number_of_settings_can_be_drawn(count: int) -> None:
    rows = [summary_row(f"r{k}", str(k + 1), "0", "1", "1.5", "5.0") for k in range(count)]
    settings = by_setting(run_results(rows))

    with drawing_style():
        loss = loss_figure(settings, [], {"unigram": 2.0})
        perplexity = perplexity_figure(settings)

    assert svg_text(loss, "loss")
    assert svg_text(perplexity, "perplexity")


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


def _svg(name: str) -> str:
    with drawing_style():
        return svg_text(DRAWN[name](), name)


def _words(name: str) -> set[str]:
    """The texts that a figure shows."""
    root = ET.fromstring(_svg(name))
    return {
        "".join(node.itertext()).strip() for node in root.iter("{http://www.w3.org/2000/svg}text")
    }
