"""The pictures of the report."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure

from report_material import PROFILE, SUMMARY, check, summary_row
from unrolled.config.sections import ChecksConfig
from unrolled.report.drawing import drawing_style, new_figure, svg_text, write_figure
from unrolled.report.figures import (
    gradient_figure,
    length_figure,
    loss_figure,
    perplexity_figure,
    spread_figure,
)
from unrolled.report.runs import by_setting, run_results
from unrolled.stages import check_gradients
from unrolled.storage import read_json

SETTINGS = by_setting(run_results(SUMMARY))
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
        [check(), check(passed=False), check(tied=True), check(output="classes")]
    ),
    "lengths": lambda: length_figure(PROFILE),
}


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

    assert {"5.2", "5.0 to 5.4", "4.8 to 5.6", "diverged"} <= words  # (5.0 + 5.4) / 2 = 5.2


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
    assert {
        "Elman, depth full: passed",
        "Elman, depth full: FAILED",
        "Elman, tied weights, depth full: passed",
        "Elman, word classes, depth full: passed",
    } <= _words("gradient_check")


def test_a_parameter_has_one_colour_in_all_panels_and_that_of_the_legend(tmp_path: Path) -> None:
    small = ChecksConfig(
        hidden_size=2, vocabulary_size=4, sentences=1, step=1e-5, tolerance=1e-7, seed=1
    )
    checks = []
    for output, tied in (("softmax", False), ("softmax", True), ("classes", False)):
        check_gradients.run(small, "elman", output, tied, 0, tmp_path / "check.json")
        checks.append(read_json(tmp_path / "check.json"))

    with drawing_style():
        figure = gradient_figure(checks)

    (legend,) = figure.legends
    shown = {
        text.get_text(): to_rgba(handle.get_facecolor())
        for text, handle in zip(legend.get_texts(), legend.get_patches(), strict=True)
    }
    assert len(shown) == len(set(shown.values())) == 8  # all parameters that there can be
    for axis in figure.axes:
        for bars in axis.containers:
            assert to_rgba(bars[0].get_facecolor()) == shown[str(bars.get_label())]


@pytest.mark.parametrize("count", [1, 2, 7])
def test_any_number_of_settings_can_be_drawn(count: int) -> None:
    rows = [summary_row(f"r{k}", str(k + 1), "0", "1", "1.5", "5.0") for k in range(count)]
    settings = by_setting(run_results(rows))

    with drawing_style():
        loss = loss_figure(settings, [], {"unigram": 2.0})
        perplexity = perplexity_figure(settings)

    assert svg_text(loss, "loss")
    assert svg_text(perplexity, "perplexity")


def _svg(name: str) -> str:
    with drawing_style():
        return svg_text(DRAWN[name](), name)


def _words(name: str) -> set[str]:
    """The texts that a figure shows."""
    root = ET.fromstring(_svg(name))
    return {
        "".join(node.itertext()).strip() for node in root.iter("{http://www.w3.org/2000/svg}text")
    }
