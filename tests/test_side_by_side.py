"""Several experiments on one page, and the picture of all of them."""

import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from page_reading import Page, section, table, text
from report_material import BASELINES, PROFILE, SUMMARY, WALL, drawn_picture, summary_row
from unrolled.report.drawing import NARROW, WIDE, drawing_style, svg_text, write_picture
from unrolled.report.figures import perplexity_picture
from unrolled.report.figures.side_by_side import (
    side_by_side_figure,
    side_by_side_picture,
    side_by_side_table,
    side_by_side_takeaway,
)
from unrolled.report.page.side_by_side import Experiment, differing_keys, render_side_by_side
from unrolled.report.pictures import read_picture
from unrolled.report.runs import Setting, by_setting, run_results

HOSTILE = "<script>{{7*7}}&amp;\u202e\x07"
FLOOR = {"model": "grammar", "split": "test", "loss_nats_per_token": "1.2", "perplexity": "3.2789"}
UNFINISHED = [SUMMARY[-1]]


def experiment(name: str, config: Mapping[str, Any] | None = None, **more: Any) -> Experiment:
    """An experiment whose results are those of the material, some of them replaced."""
    parts: dict[str, Any] = {
        "profile": PROFILE,
        "summary": SUMMARY,
        "baselines": BASELINES,
        "wall": WALL,
        "perplexity": drawn_picture("perplexity"),
    }
    settings: dict[str, Any] = {
        "experiment": name,
        "about": None,
        "beside": [],
        "text": {"unit": "word"},
    }
    settings |= config or {}
    return Experiment(config=settings, **{**parts, **more})


def page_of(*experiments: Experiment) -> str:
    """The page of these experiments."""
    return render_side_by_side(experiments, drawn_picture("side_by_side"))


def test_each_experiment_is_a_row_of_what_it_read_and_reached() -> None:
    profile = {**PROFILE, "vocabulary_size": 4000}
    profile["splits"] = {"train": {**PROFILE["splits"]["train"], "sentences": 17348}}
    large = [{**row, "perplexity": f"{10 * float(row['perplexity']):g}"} for row in BASELINES]
    rows = [summary_row("a", "5", "0", "1", "1.5", "51.26")]

    page = page_of(
        experiment("small", baselines=[*BASELINES, FLOOR]),
        experiment("large", profile=profile, baselines=large, summary=rows),
        experiment("none", summary=UNFINISHED, wall=[]),
    )

    assert table(page, "Experiment")[1:] == [
        # (4.8 + 5.6) / 2 = 5.2
        [
            "small Elman, 5 hidden units, full depth",
            "4 of 5",
            "4",
            "10",
            "7.39",
            "6.05",
            "5.20",
            "3.28",
        ],
        [
            "large Elman, 5 hidden units, depth 0",
            "1 of 1",
            "17,348",
            "4,000",
            "73.9",
            "60.5",
            "51.3",
            "–",
        ],
        ["none no run finished", "0 of 1", "4", "10", "7.39", "6.05", "–", "–"],
    ]


def test_the_contents_lead_to_the_sections_in_their_order() -> None:
    page = page_of(experiment("one"), experiment("two"))

    contents = re.findall(r'<li><a href="#(.*?)">(.*?)</a></li>', page)
    assert [name for name, _ in contents] == re.findall('<h2 id="(.*?)">', page)
    assert [title for _, title in contents] == ["Results", "What differs", "one", "two"]


def test_the_picture_of_all_stands_with_its_rows() -> None:
    part = section(page_of(experiment("one")), "results")

    drawn = drawn_picture("side_by_side")
    assert f'<p class="takeaway">{drawn.takeaway}</p>' in part
    assert f'<div class="wide">{drawn.wide}</div>' in part
    assert f'<div class="narrow">{drawn.narrow}</div>' in part
    assert "<code>figures/side_by_side.tsv</code>" in part


def test_each_experiment_has_a_section_with_its_picture_what_it_is_for_and_its_report() -> None:
    part = section(page_of(experiment("one", {"about": "It is a trial."})), "experiment-one")

    assert '<p class="about"><bdi>It is a trial.</bdi></p>' in part
    assert '<p class="takeaway">What perplexity says.</p>' in part
    assert '<a href="../one/report.html">' in part


def test_what_says_nothing_of_itself_has_no_such_line() -> None:
    assert 'class="about"' not in page_of(experiment("one"))


def test_the_best_run_writes_sentences_of_the_middle_temperature_as_people_write_them() -> None:
    rows = [
        {
            **WALL[0],
            "epoch": epoch,
            "temperature": temperature,
            "tokens": f"{word} , it ({epoch} ) at {temperature} .",
            "ended": ended,
        }
        for epoch in ("0.0", "2.0")
        for temperature in ("0.5", "0.8", "1.1")
        for word, ended in (("no", "yes"), ("yes", "cut"))
    ]

    part = section(page_of(experiment("one", wall=rows)), "experiment-one")

    # of the last look alone
    assert "<p>At temperature 0.8 b1 writes:</p>" in part
    assert re.findall("<li>(.*?)</li>", part) == [
        "<bdi>no, it (2.0) at 0.8.</bdi>",
        "<bdi>yes, it (2.0) at 0.8.</bdi> …",
    ]


def test_without_a_finished_run_nothing_is_written() -> None:
    part = section(page_of(experiment("one", summary=UNFINISHED, wall=[])), "experiment-one")

    assert "writes:" not in part
    assert "<li>" not in part


# What differs


def test_keys_differ_by_their_values_in_each_configuration() -> None:
    configs = [
        {
            "sweep": {"cell": ["elman"], "hidden_size": [5, 9]},
            "model": {"bias": True, "dropout": 0.0},
        },
        {
            "sweep": {"cell": ["elman"], "hidden_size": [5]},
            "model": {"bias": False, "dropout": 0.0},
        },
    ]

    assert differing_keys(configs) == {
        "sweep.hidden_size": ["5, 9", "5"],
        "model.bias": ["yes", "no"],
    }


@pytest.mark.parametrize(
    ("value", "told"),
    [(1, "1"), (0, "0"), (1.0, "1.0"), (0.0, "0.0"), (True, "yes"), (False, "no"), (None, "none")],
)
def test_a_number_is_not_told_as_yes_or_no(value: object, told: str) -> None:
    assert differing_keys([{"a": value}, {"a": "other"}]) == {"a": [told, "other"]}


def test_a_key_that_one_configuration_has_not_is_empty_there() -> None:
    assert differing_keys([{"a": {"b": 2}}, {"a": {}}]) == {"a.b": ["2", ""]}


def test_what_every_experiment_has_of_its_own_is_no_difference() -> None:
    configs = [
        {"experiment": name, "about": name, "beside": [name], "missing_runs": name, "a": {"b": 1}}
        for name in ("one", "two")
    ]

    assert differing_keys(configs) == {}


def test_what_differs_is_a_table_with_a_column_for_each_experiment() -> None:
    page = page_of(
        experiment("one", {"model": {"bias": True}}), experiment("two", {"model": {"bias": False}})
    )

    assert table(page, "Key") == [["Key", "one", "two"], ["model.bias", "yes", "no"]]


def test_where_nothing_differs_it_says_so() -> None:
    part = section(page_of(experiment("one"), experiment("two")), "differences")

    assert text(part) == "Their configurations are the same."


# The frame


def test_the_page_loads_nothing_and_leads_to_the_reports_alone() -> None:
    page = page_of(experiment("one"), experiment("2nd"))

    read = Page(page)
    digest = b64encode(sha256(read.script.encode()).digest()).decode()
    assert f"content=\"default-src 'none'; script-src 'sha256-{digest}';" in page
    assert [address for address in read.addresses if address[0] != "#"] == [
        "../one/report.html",
        "../2nd/report.html",
    ]


def test_no_id_stands_twice_however_experiments_are_named(tmp_path: Path) -> None:
    # each has a drawing of the same name, and some are named as parts of the page are
    settings = by_setting(run_results(SUMMARY))
    write_picture(tmp_path, perplexity_picture(settings))
    perplexity = read_picture(tmp_path, "perplexity")
    names = ["results", "differences", "perplexity", "side_by_side", "24", "2"]
    picture = side_by_side_picture(dict.fromkeys(names, settings), dict.fromkeys(names, 6.05))
    write_picture(tmp_path, picture)

    page = render_side_by_side(
        [experiment(name, perplexity=perplexity) for name in names],
        read_picture(tmp_path, "side_by_side"),
    )

    read = Page(page)
    leading = {address[1:] for address in read.addresses if address.startswith("#")}
    assert len(read.ids) == len(set(read.ids))
    assert leading | set(read.references) <= set(read.ids)
    assert {f"{name}-perplexity-narrow-figure_1" for name in names} <= set(read.ids)


@pytest.mark.parametrize(
    "parts",
    [
        {"config": {"about": HOSTILE}},
        {"config": {"corpus": {"path": HOSTILE}}},
        {"wall": [{**WALL[-1], "temperature": "0.8", "tokens": HOSTILE}]},
    ],
    ids=["about", "configuration", "wall"],
)
def test_what_was_written_elsewhere_is_text_that_reaches_nothing_around_it(
    parts: dict[str, Any],
) -> None:
    page = page_of(experiment("one", **parts), experiment("two"))

    read = Page(page)
    assert page.count("<script") == 1
    assert HOSTILE.replace("\x07", "␇") in read.isolated
    for sign in ("<script>", "{{7", "\u202e", "␇"):
        assert sign not in read.loose


def test_equal_experiments_give_equal_bytes() -> None:
    assert page_of(experiment("one")) == page_of(experiment("one"))


# The picture of all


def settings_of(*perplexities: str) -> list[Setting]:
    """A setting for each perplexity, at depths 0, 1, ...; empty for a run that diverged.

    The later one is better by its validation loss.
    """
    rows = [
        summary_row(f"d{depth}", "5", str(depth), "1", str(9 - depth) if one else "", one)
        for depth, one in enumerate(perplexities)
    ]
    return by_setting(run_results(rows))


SETTINGS = {
    "near": settings_of("6.0", "", "5.0"),
    "far": settings_of("4.0", "4.5"),
    "lost": settings_of(""),
}
BIGRAMS = {"near": 8.0, "far": 5.0, "lost": 7.0}
NONE = {"lost": SETTINGS["lost"]}


def drawn(settings: Mapping[str, Sequence[Setting]], width: float = WIDE) -> Figure:
    with drawing_style():
        figure = side_by_side_figure(settings, dict.fromkeys(settings, 8.0) | BIGRAMS, width)
        figure.draw_without_rendering()
    return figure


def marks(figure: Figure, marker: str) -> dict[int, list[float]]:
    """Where these marks stand, by the row."""
    (axis,) = figure.axes
    found: dict[int, list[float]] = {}
    for line in axis.lines:
        if line.get_marker() == marker:
            for x, y in line.get_xydata().tolist():  # type: ignore[union-attr]
                found.setdefault(int(y), []).append(x)
    return found


def test_the_table_has_every_setting_that_finished_with_its_share_of_pairs_of_words() -> None:
    made = side_by_side_table(SETTINGS, BIGRAMS)

    assert [tuple(row.values()) for row in made.rows] == [
        ("near", "Elman, 5 hidden units, depth 0", 6.0, 0.75),  # 6 / 8
        ("near", "Elman, 5 hidden units, depth 2", 5.0, 0.625),  # 5 / 8
        ("far", "Elman, 5 hidden units, depth 0", 4.0, 0.8),  # 4 / 5
        ("far", "Elman, 5 hidden units, depth 1", 4.5, 0.9),  # 4.5 / 5
    ]
    assert all(list(row) == list(made.columns) for row in made.rows)


def test_the_takeaway_tells_the_best_by_validation_of_each_experiment_that_has_one() -> None:
    # 5 / 8 = 62.5 %, a half that goes to the even digit; the second of far is best by validation
    assert side_by_side_takeaway(SETTINGS, BIGRAMS) == (
        "Where pairs of words alone are 100 % on the same text, the test perplexity of the best"
        " setting is 62 % in near, 90 % in far."
    )


def test_without_a_finished_run_takeaway_and_figure_say_so() -> None:
    figure = drawn(NONE)

    assert side_by_side_takeaway(NONE, BIGRAMS) == "No run finished in any of the experiments."
    assert side_by_side_table(NONE, BIGRAMS).rows == []
    assert [one.get_text() for one in figure.texts] == ["No run finished."]


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_every_setting_is_a_dot_in_the_row_of_its_experiment_and_the_best_has_a_bar(
    width: float,
) -> None:
    figure = drawn(SETTINGS, width)

    assert marks(figure, "o") == {0: [75.0, 62.5], 1: [80.0, 90.0]}
    assert marks(figure, "|") == {0: [62.5], 1: [90.0]}


def test_rows_go_down_in_the_order_of_the_experiments_named_beside_them_or_above() -> None:
    wide, narrow = drawn(SETTINGS, WIDE), drawn(SETTINGS, NARROW)

    bottom, top = wide.axes[0].get_ylim()
    assert bottom > top
    assert [one.get_text() for one in wide.axes[0].get_yticklabels()] == list(SETTINGS)
    assert [one.get_text() for one in narrow.axes[0].texts] == list(SETTINGS)


def test_a_line_stands_where_pairs_of_words_are() -> None:
    lines = [line for line in drawn(SETTINGS).axes[0].lines if line.get_linestyle() == "--"]

    assert [set(line.get_xdata()) for line in lines] == [{100}]  # type: ignore[arg-type]


@pytest.mark.parametrize(("count", "label"), [(1, "1 experiment"), (3, "3 experiments")])
def test_the_label_counts_the_experiments(count: int, label: str) -> None:
    figure = drawn(dict(list(SETTINGS.items())[:count]))

    assert figure.get_label() == f"Test perplexity over that of pairs of words, of {label}"


@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize("count", [1, 2, 12])
def test_all_words_are_inside_the_figure_and_none_lies_on_another(count: int, width: float) -> None:
    names = [f"an_experiment_{number}" for number in range(count)]

    figure = drawn(dict.fromkeys(names, SETTINGS["far"]), width)

    (axis,) = figure.axes
    left, right = axis.get_xlim()
    ticks = [one for one in axis.get_xticklabels() if left <= one.get_position()[0] <= right]
    texts: list[Text] = [*axis.texts, *axis.get_yticklabels(), *ticks, axis.xaxis.label]
    boxes = [one.get_window_extent() for one in texts if one.get_text()]
    outer = figure.bbox
    assert len(boxes) > count
    assert all(outer.x0 <= box.x0 and box.x1 <= outer.x1 for box in boxes)
    assert all(outer.y0 <= box.y0 and box.y1 <= outer.y1 for box in boxes)
    lying = [(k, j) for k, box in enumerate(boxes) for j in range(k) if box.overlaps(boxes[j])]
    assert lying == []


def test_the_picture_holds_figure_table_and_takeaway() -> None:
    picture = side_by_side_picture(SETTINGS, BIGRAMS)

    assert (picture.name, picture.takeaway) == (
        "side_by_side",
        side_by_side_takeaway(SETTINGS, BIGRAMS),
    )
    assert picture.table == side_by_side_table(SETTINGS, BIGRAMS)
    with drawing_style():
        made, again = picture.draw(NARROW), side_by_side_figure(SETTINGS, BIGRAMS, NARROW)
    assert made.get_figwidth() == NARROW
    assert svg_text(made, "a") == svg_text(again, "a")
