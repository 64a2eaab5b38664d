"""The page as HTML."""

import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import yaml

from page_reading import Page, marked, section, table, text
from report_material import (
    BASELINES,
    CLASSES,
    FIGURES,
    NEIGHBOURS,
    SUMMARY,
    SURPRISAL,
    TIME_FIGURES,
    UNITS,
    WALL,
    drawn_picture,
    gradient_check,
    initial_loss_check,
    material,
    overfitting_check,
    planted,
    summary_row,
    surprisal_row,
)
from unrolled.report.drawing import BLUE, write_picture
from unrolled.report.figures import perplexity_picture, spread_picture
from unrolled.report.page import PICTURES_OF_WORDS, Material, render, render_section
from unrolled.report.pictures import read_picture
from unrolled.report.runs import by_setting, run_results

RUNS = [row["run"] for row in SUMMARY]
PICTURES = [*FIGURES, *TIME_FIGURES, "agreement"]

OWN_SENTENCE = {
    "sentence": "1",
    "text": "A cat purrs.",
    "unknown_words": "1",
    "log_probability": "-9",
    "log_probability_per_token": "-2.25",
}
OWN_WORDS = [
    {"sentence": "1", "word": word, "known": known, "log_probability": log_probability}
    for word, known, log_probability in (
        ("a", "yes", "-1"),
        ("cat", "yes", "-2"),
        ("purrs", "no", "-5.5"),
        ("", "yes", "-0.5"),
    )
]
AGREEMENT = {
    "experiment": "trial",
    "run": "a1",
    "cell": "elman",
    "hidden_size": "5",
    "truncation_depth": "0",
    "seed": "1",
    "further": "",
    "distance": "1",
    "words": "100",
    "loss_nats": "0.5",
    "standard_error": "0.01",
    "floor_nats": "0.0",
    "chance_nats": "2.0",
}
CONFIG = material().config
OWN_CONFIG = {**CONFIG, "evaluation": {"sentences": "own.txt"}}
FLOOR = [
    {"model": "grammar", "split": split, "loss_nats_per_token": "1.2", "perplexity": "3.2789"}
    for split in ("valid", "test")
]
NOTHING_FINISHED: Mapping[str, Any] = {
    "summary": [SUMMARY[-1]],
    "samples": {"c1": []},
    "surprisal": [],
    "wall": [],
    "units": [],
    "neighbours": [],
}


def full(**more: Any) -> Material:
    """Material that has something for every section, some of it replaced."""
    parts: dict[str, Any] = {
        "config": OWN_CONFIG,
        "classes": CLASSES,
        "agreement": [AGREEMENT],
        "own_sentences": {run: [OWN_SENTENCE] for run in RUNS},
        "own_words": dict.fromkeys(RUNS, OWN_WORDS),
        "beside": {"far": "A longer distance.", "2nd": None},
    }
    return material(**{**parts, **more})


# The answer


def _answer(**more: Any) -> str:
    """What is said first."""
    (found,) = re.findall(r'<p class="answer">(.*?)</p>', render(material(**more)), re.DOTALL)
    return text(found)


def test_the_answer_is_three_sentences_the_best_what_it_is_held_against_and_what_was_run() -> None:
    # (4.8 + 5.6) / 2 = 5.2
    assert _answer() == (
        "The best of 3 settings, Elman, 5 hidden units, full depth, reaches a test perplexity of"
        " 5.20 (4.80 to 5.60 over 2 seeds): before each word it is as uncertain as between 5"
        " equally likely ones."
        " Pairs of words alone reach 6.05, single words 7.39, and guessing 10."
        " 4 of 5 runs finished, trained on 4 sentences, 20 words."
    )


def test_the_answer_of_a_single_run_has_no_range() -> None:
    assert _answer(summary=SUMMARY[:1]) == (
        "The one setting, Elman, 5 hidden units, depth 0, reaches a test perplexity of 5.00:"
        " before each word it is as uncertain as between 5 equally likely ones."
        " Pairs of words alone reach 6.05, single words 7.39, and guessing 10."
        " 1 of 1 run finished, trained on 4 sentences, 20 words."
    )


def test_the_answer_on_a_text_from_a_grammar_tells_the_least_possible() -> None:
    answer = _answer(baselines=[*BASELINES, *FLOOR])

    assert (
        " and guessing 10, while the grammar that the text was drawn from, which nothing can pass,"
        " reaches 3.28. 4 of 5 runs"
    ) in answer


@pytest.mark.parametrize(
    ("perplexities", "told"),
    [
        (("5.001", "5.004"), "of 5.00 (with each of 2 seeds):"),
        (("5.001", "5.006"), "of 5.00 (5.00 to 5.01 over 2 seeds):"),
        (("9.99", "9.97"), "of 9.98 (9.97 to 9.99 over 2 seeds):"),
        (("9.99", "10.01"), "of 10.0 (with each of 2 seeds):"),
        (("10.24", "10.26"), "of 10.2 (10.2 to 10.3 over 2 seeds):"),
    ],
)
def test_two_decimals_are_told_below_ten_and_no_range_whose_ends_look_alike(
    perplexities: tuple[str, str], told: str
) -> None:
    rows = [
        summary_row(f"a{seed}", "5", "0", str(seed), "1.5", perplexity)
        for seed, perplexity in enumerate(perplexities)
    ]

    assert f"test perplexity {told}" in _answer(summary=rows)


def test_the_figures_of_the_answer_stand_on_cards() -> None:
    page = render(material(baselines=[*BASELINES, *FLOOR]))

    assert re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", page) == [
        ("test perplexity, best setting", "5.20"),
        ("the least possible (grammar)", "3.28"),
        ("pairs of words (bigram)", "6.05"),
        ("single words (unigram)", "7.39"),
        ("guessing (uniform)", "10"),
    ]


def test_below_the_answer_it_is_said_which_settings_may_be_as_good() -> None:
    # all test losses are 1.5
    page = render(material())

    assert (
        '<p class="note">With these seeds the other setting is not clearly worse: Elman, 5 hidden'
        " units, depth 0.</p>"
    ) in page


def test_nothing_is_said_of_chance_where_all_others_are_clearly_worse() -> None:
    losses = {"a1": "2.0", "a2": "2.001", "b1": "1.0", "b2": "1.001", "c1": ""}
    rows = [{**row, "test_loss_nats_per_token": losses[row["run"]]} for row in SUMMARY]

    header = render(material(summary=rows)).partition("</header>")[0]

    assert 'class="note"' not in header
    assert "seeds):" in header


def test_without_any_finished_run_it_still_stands_and_says_so() -> None:
    missing = summary_row("d1", "9", "1", "1", "", "", state="missing", reason="no results")
    rows = [SUMMARY[-1], missing, {**missing, "run": "d2"}]

    page = render(material(**{**NOTHING_FINISHED, "summary": rows}))

    assert "No run finished: 1 diverged, 2 missing. The table of runs says why." in text(page)
    assert 'class="card best"' not in page


# The frame


def test_the_contents_are_the_sections_in_the_order_of_the_datas_way() -> None:
    page = render(full())

    contents = re.findall(r'<li><a href="#(.*?)">(.*?)</a></li>', page)
    assert [title for _, title in contents] == [
        "Text",
        "Word classes",
        "Network",
        "Proof",
        "Training",
        "Gradients",
        "Results",
        "Agreement",
        "Surprise",
        "Inside",
        "Samples",
        "Your sentences",
        "Beside it",
        "Time",
        "What was run",
    ]
    assert [name for name, _ in contents] == re.findall('<h2 id="(.*?)">', page)


def test_sections_without_something_to_show_are_not_there() -> None:
    page = render(full(**NOTHING_FINISHED, classes=None, agreement=[], beside={}))

    contents = re.findall('<li><a href="#(.*?)">', page)
    assert contents == re.findall('<h2 id="(.*?)">', page)
    assert contents == [
        "text",
        "network",
        "proof",
        "training",
        "gradients",
        "results",
        "time",
        "made",
    ]


@pytest.mark.parametrize(
    ("without", "names"),
    [
        ({"classes": None}, {"classes"}),
        ({"agreement": []}, {"agreement"}),
        ({"agreement": [{**AGREEMENT, "words": "1"}]}, {"agreement"}),
        ({"surprisal": []}, {"surprise"}),
        ({"units": []}, {"inside"}),
        ({"own_sentences": {}}, {"sentences"}),
        ({"beside": {}}, {"beside"}),
    ],
    ids=str,
)
def test_each_section_goes_with_what_it_shows(without: dict[str, Any], names: set[str]) -> None:
    all_of_them, fewer = (
        re.findall('<h2 id="(.*?)">', render(one)) for one in (full(), full(**without))
    )

    assert set(all_of_them) - set(fewer) == names


ALL_PAGES: dict[str, Callable[[], str]] = {
    "whole": lambda: render(full()),
    "nothing finished": lambda: render(material(**NOTHING_FINISHED)),
    **{
        name: lambda section=section: render_section(full(), section)  # type: ignore[misc]
        for name, section in PICTURES_OF_WORDS.items()
    },
}


@pytest.mark.parametrize("name", ALL_PAGES)
def test_a_page_loads_nothing_and_runs_no_script_but_its_own(name: str) -> None:
    page = ALL_PAGES[name]()

    (policy,) = re.findall('"Content-Security-Policy" content="([^"]*)"', page)
    digest = b64encode(sha256(Page(page).script.encode()).digest()).decode()
    assert policy == (
        f"default-src 'none'; script-src 'sha256-{digest}';"
        " style-src 'unsafe-inline'; img-src data:"
    )
    assert page.count("<script") == 1


@pytest.mark.parametrize("name", ALL_PAGES)
def test_no_id_stands_twice_and_what_refers_to_one_finds_it(name: str) -> None:
    read = Page(ALL_PAGES[name]())

    leading = [address[1:] for address in read.addresses if address.startswith("#")]
    assert len(read.ids) == len(set(read.ids))
    assert {*leading, *read.references} <= set(read.ids)


def test_ids_of_drawings_meet_neither_each_other_nor_those_of_the_page(tmp_path: Path) -> None:
    settings = by_setting(run_results(SUMMARY))
    pictures = dict(material().pictures)
    for picture in (perplexity_picture(settings), spread_picture(settings, {"bigram": 6.05})):
        write_picture(tmp_path, picture)
        pictures[picture.name] = read_picture(tmp_path, picture.name)

    read = Page(render(full(pictures=pictures)))

    leading = [address[1:] for address in read.addresses if address.startswith("#")]
    drawings = {"perplexity-", "perplexity-narrow-", "spread-", "spread-narrow-"}
    assert {f"{start}figure_1" for start in drawings} <= set(read.ids)
    assert len(read.ids) == len(set(read.ids))
    assert set(leading) <= set(read.ids)


def test_a_page_leads_nowhere_but_to_the_experiments_beside_it() -> None:
    away = [address for address in Page(render(full())).addresses if address[0] != "#"]

    assert away == ["side_by_side.html", "../far/report.html", "../2nd/report.html"]


def test_what_a_section_shows_alone_is_what_it_shows_on_the_page() -> None:
    page = render(full())

    for name, one in PICTURES_OF_WORDS.items():
        alone = render_section(full(), one)

        assert section(page, name) in alone
        assert f'<h1>Trial</h1>\n<h2 id="{name}">{one.heading}</h2>' in alone
        assert "There is nothing to show." not in alone


@pytest.mark.parametrize("name", sorted({*PICTURES_OF_WORDS} - {"proof"}))
def test_a_section_alone_says_so_where_there_is_nothing_to_show(name: str) -> None:
    alone = render_section(material(**NOTHING_FINISHED), PICTURES_OF_WORDS[name])

    assert text(alone) == f"Trial {PICTURES_OF_WORDS[name].heading} There is nothing to show."


def test_equal_material_gives_equal_bytes() -> None:
    assert render(full()) == render(full())


def test_colours_that_the_page_replaces_in_the_dark_are_those_of_the_figures() -> None:
    replaced = re.findall(r'\[style\*="\w+: (#\w+)"\]', render(material()))

    assert set(replaced) == {BLUE}


# Figures and the numbers behind them


def _figures(page: str) -> list[str]:
    return re.findall(r"<figure>(.*?)</figure>", page, re.DOTALL)


def test_every_figure_has_a_takeaway_and_a_caption() -> None:
    figures = _figures(render(full()))

    # beside the pictures: the network, surprise, units, neighbours and the sentences
    assert len(figures) == len(PICTURES) + 5
    for figure in figures:
        (takeaway,) = re.findall(r'<p class="takeaway">(.*?)</p>', figure)
        (caption,) = re.findall(r"<figcaption>(.*?)</figcaption>", figure, re.DOTALL)
        assert re.fullmatch(r"[A-Z].*\.", text(takeaway))
        assert re.fullmatch(r"[A-Z].*\.", text(caption))


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_drawn_for_wide_and_narrow_pages_its_rows_one_click_away(name: str) -> None:
    drawn = drawn_picture(name)

    (figure,) = [one for one in _figures(render(full())) if drawn.takeaway in one]

    assert f'<div class="wide">{drawn.wide}</div>' in figure
    assert f'<div class="narrow">{drawn.narrow}</div>' in figure
    numbers = figure[figure.index('<details class="numbers">') : figure.index("</details>")]
    assert "<summary>The numbers: 1 row</summary>" in numbers
    assert table(numbers, "run") == [["run", "some value"], ["a1", "0.1235"]]
    assert f"Also in <code>figures/{name}.tsv</code>." in numbers


@pytest.mark.parametrize(
    ("name", "rows"),
    [("surprisal", SURPRISAL), ("wall", WALL), ("units", UNITS), ("neighbours", NEIGHBOURS)],
)
def test_the_rows_of_pictures_of_words_are_one_click_away_too(
    name: str, rows: list[dict[str, str]]
) -> None:
    file = f"<code>portraits/{name}.tsv</code>"

    (figure,) = [one for one in _figures(render(full())) if file in one]

    numbers = figure[figure.index('<details class="numbers">') : figure.index("</details>")]
    assert f"<summary>The numbers: {len(rows)} rows</summary>" in numbers
    head, *shown = table(numbers, "run")
    assert head == [column.replace("_", " ") for column in rows[0]]
    assert len(shown) == len(rows)


@pytest.mark.parametrize(
    ("count", "shown", "summary", "note"),
    [
        (0, 0, "0 rows", "Also in figures/loss.tsv."),
        (1, 1, "1 row", "Also in figures/loss.tsv."),
        (200, 200, "200 rows", "Also in figures/loss.tsv."),
        (201, 200, "201 rows", "The first 200 of 201 rows; all in figures/loss.tsv."),
        (1201, 200, "1,201 rows", "The first 200 of 1,201 rows; all in figures/loss.tsv."),
    ],
)
def test_of_a_long_table_the_first_rows_are_shown_with_a_note(
    count: int, shown: int, summary: str, note: str
) -> None:
    picture = drawn_picture("loss")
    rows = [{"step": str(step)} for step in range(count)]
    pictures = {**material().pictures, "loss": type(picture)("loss", "", "", "It falls.", rows)}

    part = section(render(material(pictures=pictures)), "training")

    assert f"<summary>The numbers: {summary}</summary>" in part
    assert re.findall(r"<td>(\d+)</td>", part) == list(map(str, range(shown)))
    assert note in text(part)


def test_words_that_look_like_numbers_are_not_rounded() -> None:
    rows = [
        surprisal_row("best", 1, place, word, 0.123456)
        for place, word in enumerate(["pi", "3.14159265", ""], start=1)
    ]

    numbers = section(render(material(surprisal=rows)), "surprise").partition("<details")[2]

    assert "<td><bdi>3.14159265</bdi></td>" in numbers
    assert "<td>0.1235</td>" in numbers


# What a corpus or a user wrote

HOSTILE = "<script>{{7*7}}&amp;\u202e\x07"
"""Markup, a template, an entity, a mark that turns the direction of writing, and a bell."""

FOREIGN = "東京😀\u200fשלום\u202e"
"""Chinese, an emoji beyond the basic plane, Hebrew, and marks of the direction."""

LONG = "x" * 10_000


def _check(check: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    """A list of one check, its first network changed."""
    first, *others = check["networks"]
    return [{**check, "networks": [{**first, **more}, *others]}]


def _sample(words: str) -> dict[str, Any]:
    row = {**material().samples["a1"][0], "text": words, "tokens": words, "ended": "cut"}
    return {"samples": {run: [row] for run in RUNS}}


def _own(**more: str) -> dict[str, Any]:
    """Sentences of a user's, changed."""
    return {
        "own_sentences": {run: [{**OWN_SENTENCE, **more}] for run in RUNS},
        "own_words": {run: [{**OWN_WORDS[0], **more}] for run in RUNS},
    }


def _faults(fault: str, place: str) -> dict[str, Any]:
    return {
        "gradients": [{**gradient_check(), "planted_faults": [planted(fault, place, 1, 1, 1.0)]}]
    }


PLACES: dict[str, Callable[[str], dict[str, Any]]] = {
    "about": lambda words: {"config": {**OWN_CONFIG, "about": words}},
    "about of another": lambda words: {"beside": {"far": words}},
    "path": lambda words: {"provenance": {**material().provenance, "path": words}},
    "url": lambda words: {"provenance": {**material().provenance, "path": None, "urls": [words]}},
    "citation": lambda words: {"provenance": {**material().provenance, "citation": words}},
    "licence": lambda words: {"provenance": {**material().provenance, "licence": words}},
    "rarest word": lambda words: {
        "profile": {**material().profile, "rarest_kept": {"token": words, "count": 1}}
    },
    "word class": lambda words: {
        "classes": {**CLASSES, "telling": [{**CLASSES["telling"][0], "words": words}]}
    },
    "trouble with gradients": lambda words: {"gradients": [gradient_check(trouble=words)]},
    "title of gradients": lambda words: {"gradients": _check(gradient_check(), title=words)},
    "fault": lambda words: _faults(words, "somewhere"),
    "place of a fault": lambda words: _faults("flipped sign", words),
    "trouble of the untrained": lambda words: {
        "initial_losses": [{**initial_loss_check(loss=9), "trouble": words}]
    },
    "title of the untrained": lambda words: {
        "initial_losses": [{**initial_loss_check(), "title": words}]
    },
    "trouble by heart": lambda words: {
        "overfitting": [{**overfitting_check(loss=9), "trouble": words}]
    },
    "reason": lambda words: {"summary": [*SUMMARY[:-1], {**SUMMARY[-1], "reason": words}]},
    "surprising word": lambda words: {"surprisal": [surprisal_row("best", 1, 1, words, 1.0)]},
    "guess": lambda words: {"surprisal": [{**SURPRISAL[0], "guess_5": words}]},
    "word read": lambda words: {"units": [{**UNITS[0], "word": words}]},
    "detail of a unit": lambda words: {"units": [{**UNITS[0], "detail": words}]},
    "word with neighbours": lambda words: {"neighbours": [{**NEIGHBOURS[0], "word": words}]},
    "neighbour": lambda words: {"neighbours": [{**NEIGHBOURS[0], "neighbour_5": words}]},
    "wall": lambda words: {"wall": [{**WALL[0], "tokens": words}]},
    "sample": _sample,
    "own file": lambda words: {"config": {**CONFIG, "evaluation": {"sentences": words}}},
    "own sentence": lambda words: _own(text=words),
    "own word": lambda words: _own(word=words),
}

LONGEST = {
    "word class": 40,
    "surprising word": 60,
    "guess": 30,
    "word read": 24,
    "detail of a unit": 12,
    "word with neighbours": 24,
    "neighbour": 30,
}
"""Letters of a word, where there is less room than elsewhere."""


def _without_numbers(page: str) -> str:
    """The page without the rows behind its pictures, in which words stand a second time."""
    return re.sub(r'<details class="numbers">.*?</details>', "", page, flags=re.DOTALL)


@pytest.mark.parametrize("place", PLACES)
def test_what_was_written_elsewhere_is_text_that_reaches_nothing_around_it(place: str) -> None:
    page = render(full(**PLACES[place](HOSTILE)))

    longest = LONGEST.get(place, 300)
    shown = HOSTILE.replace("\x07", "␇")
    expected = shown if len(shown) <= longest else f"{shown[:longest]}…"
    assert page.count("<script") == 1
    assert "\x07" not in page
    assert expected in Page(_without_numbers(page)).isolated
    loose = Page(page).loose
    for sign in ("<script>", "{{7", "\u202e", "␇"):
        assert sign not in loose


@pytest.mark.parametrize("place", PLACES)
def test_what_was_written_in_any_script_stands_as_it_is(place: str) -> None:
    page = render(full(**PLACES[place](FOREIGN)))

    assert FOREIGN in Page(_without_numbers(page)).isolated


@pytest.mark.parametrize("place", PLACES)
def test_a_word_without_end_is_cut(place: str) -> None:
    longest = LONGEST.get(place, 300)

    page = render(full(**PLACES[place](LONG)))

    assert f"{'x' * longest}…" in Page(_without_numbers(page)).isolated
    assert "x" * 301 not in page


def test_words_in_the_drawn_network_are_text_and_cut() -> None:
    page = render(material(**_sample(f"{HOSTILE} {LONG} {FOREIGN}")))

    words = re.findall(r'<text class="word"[^>]*>([^<]*)</text>', page)
    # 15 letters and what says that there were more
    assert {"&lt;script&gt;{{7*7}}…", "x" * 15 + "…", FOREIGN} <= set(words)


def test_the_configuration_is_text() -> None:
    config = {**CONFIG, "corpus": {"source": "path", "path": HOSTILE, "title": FOREIGN}}

    page = render(material(config=config))

    *_, shown = Page(page).isolated
    assert page.count("<script") == 1
    assert FOREIGN in shown
    assert yaml.safe_load(shown) == config


# The text


@pytest.mark.parametrize(
    ("provenance", "told"),
    [
        ({}, "Source: dogs.txt."),
        (
            {"path": None, "urls": ["https://a.example/dogs", "https://b.example/dogs"]},
            "Source: https://a.example/dogs, https://b.example/dogs.",
        ),
        ({"citation": "Dodgson, Dogs (1865)"}, "Dodgson, Dogs (1865)."),
        (
            {"packages": {"numpy": "2.3.1", "nltk": "3.9"}, "path": None},
            "English sentences from the documentation strings of numpy 2.3.1, nltk 3.9.",
        ),
        ({"licence": "CC0"}, "Source: dogs.txt. Licence: CC0."),
    ],
)
def test_where_the_text_is_from(provenance: dict[str, Any], told: str) -> None:
    page = render(material(provenance={**material().provenance, **provenance}))

    assert f"{told} The models know 10 words, three of them reserved;" in text(page)


@pytest.mark.parametrize(
    ("rarest", "told"),
    [
        (
            {"token": "rare", "count": 2},
            "reserved; the rarest, “rare”, occurs 2 times in training.",
        ),
        ({"token": "rare", "count": 1}, "reserved; the rarest, “rare”, occurs 1 time in training."),
        (None, "three of them reserved. All others are one unknown word."),
    ],
)
def test_the_rarest_word_is_told_where_there_is_one(rarest: dict[str, Any], told: str) -> None:
    page = render(material(profile={**material().profile, "rarest_kept": rarest}))

    assert told in text(page)


def test_the_splits_are_counted() -> None:
    assert table(render(material()), "Split") == [
        ["Split", "Documents", "Sentences", "Words", "Different words", "Unknown"],
        ["training", "3", "4", "20", "9", "5.0 %"],
        ["validation", "3", "4", "20", "9", "5.0 %"],
        ["test", "3", "4", "20", "9", "5.0 %"],
    ]


def test_what_became_of_rows_documents_and_sentences_is_counted() -> None:
    page = render(material())

    assert table(page, "Of the") == [
        ["Of the", "Read", "Kept", "Share kept", "Left out"],
        ["rows", "31", "30", "96.8 %", "1 encoding"],
        ["documents", "9", "9", "100.0 %", "none"],
        ["sentences", "14", "12", "85.7 %", "2 short"],
    ]
    told = text(section(page, "text"))
    assert "Cleaning has changed 5 × control characters. Sentences were found by Punkt" in told
    assert "words were cut by NLTK's word tokenizer (NLTK 3.10.4)." in told


def test_a_page_about_characters_says_so_and_tells_bits() -> None:
    config = {**material().config, "text": {"unit": "character"}}

    page = render(material(config=config))

    assert "wherever this page says word, it means a single one" in text(page)
    assert "Different characters" in text(section(page, "text"))
    assert "bits per character" in text(page)
    assert "bits per character" not in text(render(material()))


# The network


@pytest.mark.parametrize(
    ("depth", "takeaway"),
    [
        ("0", "no earlier step."),
        ("1", "1 step back and no further."),
        ("2", "2 steps back and no further."),
        ("full", "back to the start of the sentence."),
    ],
)
def test_it_is_told_how_far_the_gradient_reaches(depth: str, takeaway: str) -> None:
    page = render(material(summary=[summary_row("a", "5", depth, "1", "1.5", "5.0")]))

    part = text(section(page, "network"))
    assert f"The gradient of the last loss reaches {takeaway}" in part
    assert ("along the dashed ones the gradient" in part) == (depth != "0")


@pytest.mark.parametrize(
    ("depth", "reached", "backward"),
    [
        ("0", 1 + 1, 0),
        ("1", 2 + 2, 1 + 1),
        ("2", 3 + 3, 2 + 2),
        ("3", 4 + 3, 3 + 2),
        ("full", 5 + 3, 4 + 2),
    ],
)
def test_the_drawings_mark_the_states_that_the_gradient_reaches(
    depth: str, reached: int, backward: int
) -> None:
    # five steps are drawn on wide pages and three on narrow ones
    page = render(
        material(
            summary=[summary_row("a", "5", depth, "1", "1.5", "5.0")],
            samples={"a": [{**material().samples["a1"][0], "tokens": "a b c d e f"}]},
        )
    )

    assert page.count('class="reached"') == reached
    assert page.count('class="backward"') == backward


@pytest.mark.parametrize(("cell", "blocks"), [("elman", 1), ("gru", 3), ("lstm", 4)])
def test_the_network_is_drawn_with_the_sizes_of_its_cell(cell: str, blocks: int) -> None:
    row = summary_row("a", "5", "2", "1", "1.5", "5.0", cell=cell)

    shown = text(render(material(summary=[row])))

    assert f"W: {5 * blocks} × 5" in shown
    assert f"U: {5 * blocks} × 10" in shown
    assert "V: 10 × 5" in shown
    assert bool(re.search(rf"through the gates of an? {cell.upper()},", shown)) == (cell != "elman")
    assert ("tanh(U x" in shown) == (cell == "elman")


def test_a_sample_that_is_short_is_drawn_to_its_end() -> None:
    sample = {**material().samples["a1"][0], "tokens": "a dog ."}
    page = render(material(samples={run: [sample] for run in RUNS}))

    words = re.findall(r'<text class="word"[^>]*>([^<]*)</text>', page)

    # what is read and what is predicted, by steps: all four of them, then the three of narrow pages
    pairs = list(zip(words[::2], words[1::2], strict=True))
    steps = [
        ("SENTENCE_START", "a"),
        ("a", "dog"),
        ("dog", "."),
        (".", "SENTENCE_END"),
    ]
    assert pairs == steps + steps[:3]


@pytest.mark.parametrize("bias", ["true", "false"])
def test_the_formula_has_biases_where_the_network_has(bias: str) -> None:
    row = summary_row("a", "5", "2", "1", "1.5", "5.0", bias=bias)

    shown = text(render(material(summary=[row])))

    assert ("W st−1 + b)" in shown) == (bias == "true")
    assert ("softmax(V st + c)" in shown) == (bias == "true")


def test_tied_weights_and_carried_states_are_explained_where_a_run_has_them() -> None:
    rows = [{**row, "tied_weights": "true", "carry_state": "true"} for row in SUMMARY]

    plain, told = text(render(material())), text(render(material(summary=rows)))

    for words in (
        "U = P Vᵀ. The state goes on from sentence to sentence",
        "segments of it. The same parameters",
        "start of the segment",
    ):
        assert words in told
        assert words not in plain


# Word classes


def test_without_word_classes_nothing_is_said_of_them() -> None:
    page = render(material(units=[]))

    assert "word class" not in text(page).lower()
    assert "#classes" not in page


def test_word_classes_are_shown_with_what_the_most_telling_have_in_common() -> None:
    part = section(render(material(classes=CLASSES)), "classes")

    told = text(part)
    assert "3 words stand alone, each of them a class of its own; the others are in" in told
    assert "in 2 classes of 2 to 5 words, put together by what stands before and after" in told
    # the first class has five words, of which two are shown
    assert table(part, "Most frequent words of the class")[1:] == [
        ["cat dog …", "5", "12.5 %", "1.38"],
        ["barks sleeps", "2", "4.0 %", "0.50"],
    ]
    # 0.5 / 1.375 = 0.3636
    assert re.findall(r"--share: ([\d.]+)", part) == ["1.0000", "0.3636"]


def test_word_classes_by_frequency_are_said_to_be_so() -> None:
    config = {**CONFIG, "classes": {"method": "frequency"}}

    told = text(render(material(classes=CLASSES, config=config)))

    assert "to 5 words, put together by how frequent they are." in told


def test_one_word_class_is_not_called_classes() -> None:
    told = text(render(material(classes={**CLASSES, "sizes": [7]})))

    assert "the others are in 1 class of 7 words" in told


def test_where_every_word_stands_alone_there_is_nothing_to_tell() -> None:
    alone = {"words_alone": 10, "sizes": [], "telling": []}

    told = text(render(material(classes=alone)))

    assert "10 words stand alone, each of them a class of its own. No class tells" in told


@pytest.mark.parametrize("bias", ["true", "false"])
def test_the_formula_of_word_classes_is_a_product(bias: str) -> None:
    row = summary_row("a", "5", "2", "1", "1.5", "5.0", output="classes", bias=bias)

    told = text(render(material(summary=[row], classes=CLASSES)))

    expected = {
        "true": "softmax(R st + r) softmax(Vclass st + c).",
        "false": "softmax(R st) softmax(Vclass st).",
    }
    assert expected[bias] in told
    assert "softmax(V st" not in told


# The proof


def _proof(**more: Any) -> str:
    """The section of the proof."""
    return section(render(material(**more)), "proof")


def _after(part: str, words: str) -> str:
    """What follows these words."""
    return part[part.index(words) :]


CHECKS = {
    "gradients": (1, gradient_check(), gradient_check(trouble="wrong")),
    "initial_losses": (3, initial_loss_check(), initial_loss_check(loss=2.5)),
    "overfitting": (4, overfitting_check(), overfitting_check(loss=0.06)),
}
"""Of each kind the row of its verdict, one that passed and one that failed."""


@pytest.mark.parametrize("kind", CHECKS)
@pytest.mark.parametrize(
    ("passed", "failed", "verdict"),
    [
        (1, 0, "the one check passed"),
        (2, 0, "both checks passed"),
        (3, 0, "all 3 checks passed"),
        (0, 1, "1 of 1 checks failed"),
        (2, 1, "1 of 3 checks failed"),
        (1, 2, "2 of 3 checks failed"),
    ],
)
def test_the_verdict_on_each_kind_of_check_is_in_words(
    kind: str, passed: int, failed: int, verdict: str
) -> None:
    row, good, bad = CHECKS[kind]

    proof = _proof(**{kind: [bad] * failed + [good] * passed})

    assert table(proof, "Proof")[row][1] == verdict
    assert f'<strong class="{"bad" if failed else "good"}">{verdict}</strong>' in proof


def test_beside_each_verdict_stands_what_is_allowed() -> None:
    assert [row[-1] for row in table(_proof(), "Proof")] == [
        "What is allowed",
        "1e-7 by central differences, 1e-12 by complex step",
        "no fault unnoticed",
        "0.1 nats per token from guessing",
        "0.05 nats per token left after 300 steps",
    ]


def test_what_passed_is_nowhere_shown_as_bad() -> None:
    proof = _proof(gradients=[gradient_check("gru", 0), gradient_check("gru", "full")])

    assert marked(proof, "bad") == []
    assert proof.count("every planted fault was caught") == 1


def test_a_gradient_check_is_a_row_of_counts_and_of_the_largest_errors() -> None:
    proof = _proof(gradients=[gradient_check("elman", 2), gradient_check("lstm", "full")])

    assert table(proof, "Cell, depth")[1:] == [
        ["Elman, 2", "3", "116", "8", "12", "4.0e-09", "3.0e-16"],
        ["LSTM, full", "3", "116", "8", "12", "4.0e-09", "3.0e-16"],
    ]
    assert "in 2 small networks, with softmax; and each with states carried over" in text(proof)


def test_the_trouble_of_each_kind_of_check_stands_in_words() -> None:
    trouble = "gru at depth 2: a gradient is wrong: bias[3] is nan by back-propagation"

    proof = _proof(
        gradients=[gradient_check(), gradient_check("gru", 2, trouble)],
        initial_losses=[initial_loss_check(loss=2.5), initial_loss_check()],
        overfitting=[overfitting_check("gru", 2, 0.06)],
    )

    assert re.findall('<p class="bad">(.*?)</p>', proof) == [
        f"<bdi>{trouble}</bdi>",
        "<bdi>an untrained elman network does not begin at guessing</bdi>",
        "<bdi>gru at depth 2: not learned by heart</bdi>",
    ]


def test_an_error_above_what_is_allowed_is_shown_as_bad_by_its_own_method() -> None:
    check = gradient_check(trouble="wrong")
    for network in check["networks"]:
        for parameter in network["parameters"]:
            parameter["methods"]["central differences"]["error"] = 1e-7  # as much as is allowed
            parameter["methods"]["complex step"]["error"] = 2e-12

    proof = _proof(gradients=[check])

    # in the row of the check, and in those of its three parameters
    assert proof.count('<td class="good">1.0e-07</td><td class="bad">2.0e-12</td>') == 1 + 3


def test_every_parameter_is_listed_under_its_network() -> None:
    part = _after(_proof(gradients=[gradient_check("gru", 2, "wrong")]), "Every parameter<")

    assert table(part, "Cell, depth")[1:] == [
        ["GRU, 2", "softmax", "input weights", "no number", "no number", "2.5e-01"],
        ["GRU, 2", "softmax", "recurrent weights", "4.0e-09", "1.0e-16", "2.5e-01"],
        ["GRU, 2", "softmax, state carried over", "input weights", "5.0e-10", "2.0e-16", "2.5e-01"],
    ]
    assert marked(part, "bad") == ["no number", "no number"]


def test_planted_faults_are_counted_by_cell() -> None:
    proof = _proof(gradients=[gradient_check(), gradient_check("gru")])

    assert table(proof, "Planted fault") == [
        ["Planted fault", "Elman: caught", "GRU: caught", "Smallest error", "Where"],
        [
            "flipped sign",
            "5 of 5",
            "5 of 5",
            "1.2e+00",
            "way back through time; gradient of one parameter",
        ],
        ["NaN", "3 of 3", "3 of 3", "no number", "gradient of one parameter"],
    ]


def test_a_fault_that_was_not_caught_is_shown_as_bad() -> None:
    blind = gradient_check("gru")
    blind["planted_faults"][2]["caught"] = 2

    proof = _proof(gradients=[gradient_check(), blind])

    assert marked(proof, "bad") == ["not all planted faults were caught", "4 of 5"]
    assert "every planted fault was caught" not in proof


def test_a_fault_that_one_cell_cannot_have_leaves_its_column_empty() -> None:
    # at depth 0 a GRU has nothing to keep, whereas the slope of an Elman network may be forgotten
    gru, elman = gradient_check("gru", 0), gradient_check("elman", 0)
    elman["planted_faults"].append(planted("missing term", "the slope of tanh", 6, 6, 1.0))

    *_, row = table(_proof(gradients=[gru, elman]), "Planted fault")

    assert row == ["missing term", "–", "6 of 6", "1.0e+00", "the slope of tanh"]


def test_untrained_networks_are_held_against_guessing() -> None:
    checks = [initial_loss_check(), initial_loss_check("lstm", 2.5), initial_loss_check(loss="nan")]

    part = _after(_proof(initial_losses=checks), "The loss of untrained networks<")

    # 2.25 - 2.3026 = -0.0526; 2.5 - 2.3026 = 0.1974
    assert table(part, "Network")[1:] == [
        ["Elman", "5", "softmax", "2.2500", "2.3026", "−0.0526"],
        ["LSTM", "5", "softmax", "2.5000", "2.3026", "0.1974"],
        ["Elman", "5", "softmax", "no number", "2.3026", "no number"],
    ]
    assert marked(part, "bad") == ["0.1974", "no number"]


def test_losses_on_what_was_learned_by_heart_stand_by_network_and_depth() -> None:
    checks = [
        overfitting_check("elman", 2, 0.05),
        overfitting_check("elman", "full", 0.0501),
        overfitting_check("lstm", 2, "nan"),
        overfitting_check("lstm", "full"),
    ]

    part = _after(_proof(overfitting=checks), "The loss of two sentences learned by heart<")

    assert table(part, "Network") == [
        ["Network", "Depth 2", "Full depth"],
        ["Elman, softmax", "0.050", "0.050"],
        ["Elman, softmax, tied weights", "0.025", "0.025"],
        ["LSTM, softmax", "no number", "0.030"],
        ["LSTM, softmax, tied weights", "0.025", "0.025"],
    ]
    assert marked(part, "bad") == ["0.050", "no number"]
    assert "The least possible is 0.021" in text(part)


# Gradients


def test_gradients_were_followed_where_a_run_finished() -> None:
    assert "over 100 sentences of the validation split." in text(render(material()))

    part = section(render(material(**NOTHING_FINISHED)), "gradients")
    assert text(part) == "No run finished, so no gradient was followed."


# Every run


def _runs(page: str) -> dict[str, str]:
    """The rows of the table of runs as HTML, by the run's name."""
    rows = page[page.index('id="runs-table"') :].partition("<tbody>")[2].partition("</tbody>")[0]
    found = [row for row in rows.split("<tr") if "</th>" in row]
    return {re.findall(r'scope="row">(\S+?)(?:<| )', row)[0]: row for row in found}


def test_every_run_is_a_row_with_its_state_and_what_it_reached() -> None:
    missing = summary_row("d1", "9", "1", "1", "", "", state="missing", best_epoch="")

    head, *rows = table(render(material(summary=[*SUMMARY, missing])), "Run")

    assert head == [
        "Run",
        "State",
        "Best epoch",
        "Validation loss",
        "Test loss",
        "Test perplexity",
        "Next word right",
    ]
    assert rows[0] == ["a1", "finished", "2.0", "1.600", "1.500", "5.00", "25.0 %"]
    assert [row[0] for row in rows] == ["a1", "a2", "b1 best", "b2", "c1", "d1"]
    assert rows[4] == ["c1", "diverged: loss nan at step 7", "2.0", "–", "–", "–", "–"]
    assert rows[5] == ["d1", "missing", "–", "–", "–", "–", "–"]


def test_numbers_of_runs_are_sorted_by_their_values_and_what_is_none_by_nothing() -> None:
    runs = _runs(render(material()))

    values = {name: re.findall('data-value="(.*?)"', row) for name, row in runs.items()}
    assert values == {
        "a1": ["2.0", "1.6", "1.5", "5.0", "0.25"],
        "a2": ["2.0", "1.8", "1.5", "5.4", "0.25"],
        "b1": ["2.0", "1.5", "1.5", "4.8", "0.25"],
        "b2": ["2.0", "1.7", "1.5", "5.6", "0.25"],
        "c1": ["2.0", "", "", "", ""],
    }


def test_what_is_above_the_least_possible_is_sorted_by_its_value_too() -> None:
    excess = {"excess_nats_per_token": "0.25", "excess_standard_error": "0.125"}
    row = summary_row("a", "5", "0", "1", "1.5", "5.0", **excess)

    page = render(material(summary=[row], baselines=[*BASELINES, *FLOOR]))

    assert '<td data-value="0.25">0.2500 ± 0.1250</td>' in _runs(page)["a"]


def test_the_best_run_alone_is_marked_and_what_did_not_finish_is_bad() -> None:
    runs = _runs(render(material()))

    assert [name for name, row in runs.items() if row.startswith(' class="best"')] == ["b1"]
    assert [name for name, row in runs.items() if 'class="name bad"' in row] == ["c1"]
    assert sum('class="name good"' in row for row in runs.values()) == 4


# Words


def test_the_runs_that_are_surprised_are_named() -> None:
    told = text(section(render(material()), "surprise"))

    assert "The best run is b1, the worst run is a2, by validation loss." in told


def test_each_word_has_the_colour_of_its_surprisal_and_what_was_expected() -> None:
    part = section(render(material()), "surprise")

    # 0.2 is below the first step, 1.5 above the second one, 9.5 above all seven
    first, second, third = part.split("<button")[1:4]
    assert [re.findall(r'class="(s\d)"', word) for word in (first, second, third)] == [
        ["s0"],
        ["s7"],
        ["s2"],
    ]
    assert "<bdi>a</bdi>" in first
    assert "<i>end</i>" in third
    # 0.3, 0.3 / 2, ... 0.3 / 5
    assert text(f"<button{second.partition('</button>')[0]}") == (
        "dog9.50 nats30.0 % guess115.0 % guess210.0 % guess37.5 % guess46.0 % guess5"
    )


def test_an_unknown_word_is_said_to_be_unknown() -> None:
    rows = [{**row, "known": "no" if row["word"] == "dog" else "yes"} for row in SURPRISAL]

    part = text(section(render(material(surprisal=rows)), "surprise"))

    # two sentences under two runs
    assert part.count("9.50 nats, unknown word") == 4
    assert part.count("unknown word") == 4


def test_units_stand_in_columns_under_their_rules() -> None:
    part = section(render(material()), "inside")

    assert table(part, "unit") == [
        ["", "varies most", "word class"],
        ["unit", "3", "4 ."],
        ["measure", "0.25", "0.25"],
        ["a", "−1.0", "−1.0"],
        ["dog", "0.0", "0.0"],
        [".", "1.0", "1.0"],
    ]
    assert re.findall(r'class="v(\d)"', part) == ["0", "0", "4", "4", "8", "8"]


def test_neighbours_stand_with_their_cosines_and_are_left_out_where_there_are_none() -> None:
    page = render(material())

    # 0.9, 0.9 / 2, ...
    assert table(page, "Word")[1] == [
        "dog",
        "near1 0.90 near2 0.45 near3 0.30 near4 0.23 near5 0.18",
    ]
    assert "Words that go in alike" not in render(material(neighbours=[]))


def test_sentences_grow_from_look_to_look_what_was_copied_underlined() -> None:
    part = section(render(material()), "samples")

    assert re.findall("<h3>(.*?)</h3>", part) == [
        "Before training",
        "Epoch 1.0",
        "Epoch 2.0, the best parameters",
        "More sentences",
    ]
    first, *_, last = re.findall("<p>(<bdi>.*?)</p>", part)
    assert first == "<bdi>the dog barks at the cat.</bdi>"
    assert last == '<bdi>the <span class="copied">dog barks at the cat</span>.</bdi>'


def test_a_sentence_that_was_cut_goes_on() -> None:
    page = render(material(wall=[{**WALL[0], "ended": "cut"}], **_sample("A dog")))

    part = section(page, "samples")
    assert "<bdi>the dog barks at the cat.</bdi> …" in part
    assert '<li><bdi>A dog</bdi> … <span class="aside">−7.5</span></li>' in part


def test_the_sentences_of_other_finished_runs_are_a_click_away() -> None:
    part = section(render(material()), "samples")

    best, others = part.partition("<details><summary>Those of 3 other runs</summary>")[::2]
    assert "<h4>" not in best
    assert re.findall("<h4>(.*?)</h4>", others) == ["a1", "a2", "b2"]
    assert best.count("<bdi>A dog barks.</bdi>") == 1
    assert others.count("<bdi>A dog barks.</bdi>") == 3


def test_without_looks_there_are_sentences_all_the_same() -> None:
    part = section(render(material(wall=[])), "samples")

    assert "<figure>" not in part
    assert "A dog barks." in part


def test_own_sentences_stand_with_the_log_probability_of_each_word() -> None:
    part = section(render(full()), "sentences")

    told = text(part)
    assert "How probable b1 holds the sentences of own.txt:" in told
    assert "A cat purrs. −9.0 in all, −2.25 per token, 1 unknown." in told
    cells = [re.findall("<td>(.*?)</td>", row) for row in part.split("<tr>")[1:]]
    assert [text(cell) for cell in cells[0]] == ["a", "cat", "purrs (unknown)", "end"]
    assert cells[1] == ["−1.00", "−2.00", "−5.50", "−0.50"]


# What was run


def test_the_time_of_each_run_is_told() -> None:
    row = {"seconds": "12.34", "tokens_per_second": "4567.8", "peak_memory_mb": "89.6"}

    page = render(material(timing={"a1": row}))

    assert table(_after(page, 'id="time"'), "Run")[1:] == [["a1", "12.3", "4,568", "90"]]


def test_what_was_used_is_told() -> None:
    page = render(material(versions={"unrolled": "1.2", "python": "3.11", "commit": None}))

    part = text(section(page, "made"))
    assert "Corpus of 100 bytes in 1 file, sha256 0000000000000000…." in part
    assert "Trained with unrolled 1.2, python 3.11" in part
    assert "commit" not in part
