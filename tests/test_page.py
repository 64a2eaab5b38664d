"""The page as HTML."""

import re
from typing import Any

import pytest

from report_material import CLASSES, SUMMARY, check, material, summary_row
from unrolled.report.drawing import BLUE
from unrolled.report.page import render

HOSTILE = "<script>alert('x')</script>{{ 7 * 7 }}\u202e&amp;"


def test_it_opens_with_the_best_setting_and_what_it_is_held_against() -> None:
    text = _text(render(material()))

    assert "The best setting, Elman, 5 hidden units, full depth" in text
    assert "test perplexity of 5.2 (4.8 to 5.6 over 2 seeds)" in text
    assert "Pairs of words alone reach 6.0, single words 7.4, and guessing 10" in text
    assert "4 of 5 runs finished" in text


def test_it_says_how_far_seeds_differ() -> None:
    # a: 5.4 - 5.0 = 0.4; b: 5.6 - 4.8 = 0.8
    assert "differs by up to 0.8" in _text(render(material()))


def test_a_diverged_run_is_listed_with_its_reason() -> None:
    text = _text(render(material()))

    assert "diverged" in text
    assert "loss nan at step 7" in text


def test_a_missing_run_is_listed() -> None:
    missing = summary_row("d1", "9", "1", "1", "", "", state="missing", reason="no results")
    page = render(material(summary=[*SUMMARY, missing]))

    assert "missing" in _text(page)


def test_without_any_finished_run_it_still_stands_and_says_so() -> None:
    page = render(material(summary=[SUMMARY[-1]], samples={"c1": []}))

    assert "No run finished: 1 diverged" in _text(page)


def test_a_single_run_has_no_spread() -> None:
    text = _text(render(material(summary=[SUMMARY[0]])))

    assert "test perplexity of 5.0:" in text
    assert "differs by up to" not in text
    assert "1 run over 1 setting" in text


def test_a_failed_check_is_shown_as_failed() -> None:
    text = _text(render(material(checks=[check(), check(passed=False)])))

    assert "1 of 2 checks failed" in text


def test_a_check_of_tied_weights_or_of_word_classes_says_so() -> None:
    text = _text(render(material(checks=[check(), check(tied=True), check(output="classes")])))

    assert "Elman, full" in text
    assert "Elman, tied weights, full" in text
    assert "Elman, word classes, full" in text


@pytest.mark.parametrize("place", ["sample", "word", "licence", "sentence", "class"])
def test_corpus_text_is_shown_as_text(place: str) -> None:
    row = {
        "text": HOSTILE,
        "tokens": HOSTILE,
        "log_probability": "-1",
        "ended": "cut",
        "temperature": "1",
    }
    parts: dict[str, dict[str, Any]] = {
        "sample": {"samples": {run["run"]: [row] for run in SUMMARY}},
        "word": {
            "profile": {
                **material().profile,
                "rarest_kept": {"token": HOSTILE, "count": 1},
            }
        },
        "licence": {"provenance": {**material().provenance, "licence": HOSTILE}},
        "sentence": {
            "config": {**material().config, "evaluation": {"sentences": "own.txt"}},
            "own_sentences": {
                run["run"]: [
                    {
                        "sentence": "1",
                        "text": HOSTILE,
                        "unknown_words": "1",
                        "log_probability": "-9",
                        "log_probability_per_token": "-3",
                    }
                ]
                for run in SUMMARY
            },
            "own_words": {run["run"]: [] for run in SUMMARY},
        },
        "class": {"classes": {**CLASSES, "telling": [{**CLASSES["telling"][0], "words": HOSTILE}]}},
    }

    page = render(material(**parts[place]))

    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "{{ 7 * 7 }}" in page or "…" in page
    assert "49" not in _text(page)


def test_the_drawing_marks_the_states_that_the_gradient_reaches() -> None:
    # five steps are drawn; at depth 2 the last loss reaches the states 5, 4 and 3
    page = render(material(summary=[summary_row("a", "5", "2", "1", "1.5", "5.0")]))

    assert page.count('class="reached"') == 3
    assert page.count('class="backward"') == 2


@pytest.mark.parametrize(("cell", "blocks"), [("elman", 1), ("gru", 3), ("lstm", 4)])
def test_the_network_is_drawn_with_the_sizes_of_its_cell(cell: str, blocks: int) -> None:
    row = summary_row("a", "5", "2", "1", "1.5", "5.0", cell=cell)

    text = _text(render(material(summary=[row])))

    assert f"W: {5 * blocks} × 5" in text
    assert f"U: {5 * blocks} × 10" in text
    assert "V: 10 × 5" in text
    assert bool(re.search(rf"through the gates of an? {cell.upper()},", text)) == (cell != "elman")
    assert ("tanh(U x" in text) == (cell == "elman")


def test_a_sample_that_is_short_is_drawn_to_its_end() -> None:
    sample = {**material().samples["a1"][0], "tokens": "a dog ."}
    page = render(material(samples={row["run"]: [sample] for row in SUMMARY}))

    words = re.findall(r'<text class="word"[^>]*>([^<]*)</text>', page)

    # what is read and what is predicted, by steps
    pairs = list(zip(words[::2], words[1::2], strict=True))
    assert pairs[:4] == [
        ("SENTENCE_START", "a"),
        ("a", "dog"),
        ("dog", "."),
        (".", "SENTENCE_END"),
    ]


def test_where_the_gradient_reaches_no_earlier_state_it_says_so() -> None:
    page = render(material(summary=[summary_row("a", "5", "0", "1", "1.5", "5.0")]))

    assert "the gradient of the last loss reaches no earlier step" in _text(page)
    assert "dashed" not in _text(page)


def test_every_figure_has_a_caption_of_one_sentence() -> None:
    captions = re.findall(r"<figcaption>(.*?)</figcaption>", render(material()))

    assert len(captions) == 6
    assert all(re.fullmatch(r"[A-Z][^.]+\.", caption) for caption in captions)


def test_colours_that_the_page_replaces_in_the_dark_are_those_of_the_figures() -> None:
    replaced = re.findall(r'\[style\*="\w+: (#\w+)"\]', render(material()))

    assert set(replaced) == {BLUE}


def test_equal_material_gives_equal_bytes() -> None:
    assert render(material()) == render(material())


def _text(page: str) -> str:
    """What a reader sees, white space evened out."""
    body = page[page.index("<body>") :]
    return " ".join(re.sub(r"<[^>]+>", "", body).split())


@pytest.mark.parametrize("bias", ["true", "false"])
def test_the_formula_has_biases_where_the_network_has(bias: str) -> None:
    row = summary_row("a", "5", "2", "1", "1.5", "5.0", bias=bias)

    text = _text(render(material(summary=[row])))

    assert ("W st−1 + b)" in text) == (bias == "true")
    assert ("softmax(V st + c)" in text) == (bias == "true")


def test_tied_weights_and_carried_states_are_explained_where_a_run_has_them() -> None:
    rows = [{**row, "tied_weights": "true", "carry_state": "true"} for row in SUMMARY]

    plain, told = _text(render(material())), _text(render(material(summary=rows)))

    for words in (
        "U = P Vᵀ. The state goes on from sentence to sentence",
        "segments of it. The same parameters",
        "start of the segment",
    ):
        assert words in told
        assert words not in plain


# Word classes


def test_without_word_classes_nothing_is_said_of_them() -> None:
    page = render(material())

    assert "word class" not in _text(page).lower()
    assert 'href="#classes"' not in page


def test_word_classes_are_shown_with_what_the_most_telling_have_in_common() -> None:
    page = render(material(classes=CLASSES))

    text = _text(page)
    assert 'href="#classes"' in page
    assert 'id="classes"' in page
    assert "3 words stand alone, each of them a class of its own; the others are in" in text
    assert "in 2 classes of 2 to 5 words, put together by what stands before and after" in text
    section = page[page.index('<h2 id="classes">') : page.index('<h2 id="network">')]
    rows = [re.findall("<td[^>]*>([^<]*)</td>", row) for row in section.split("<tr>")[2:]]
    # the first class has five words, of which two are shown
    assert rows == [
        ["cat dog …", "5", "12.5 %", "1.38"],
        ["barks sleeps", "2", "4.0 %", "0.50"],
    ]


def test_word_classes_by_frequency_are_said_to_be_so() -> None:
    config = {**material().config, "classes": {"method": "frequency"}}

    text = _text(render(material(classes=CLASSES, config=config)))

    assert "to 5 words, put together by how frequent they are." in text


def test_one_word_class_is_not_called_classes() -> None:
    text = _text(render(material(classes={**CLASSES, "sizes": [7]})))

    assert "the others are in 1 class of 7 words" in text


def test_where_every_word_stands_alone_there_is_nothing_to_tell() -> None:
    alone = {"words_alone": 10, "sizes": [], "telling": []}

    text = _text(render(material(classes=alone)))

    assert "10 words stand alone, each of them a class of its own. No class tells" in text


@pytest.mark.parametrize("bias", ["true", "false"])
def test_the_formula_of_word_classes_is_a_product(bias: str) -> None:
    row = summary_row("a", "5", "2", "1", "1.5", "5.0", output="classes", bias=bias)

    text = _text(render(material(summary=[row], classes=CLASSES)))

    expected = {
        "true": "softmax(R st + r) softmax(Vclass st + c).",
        "false": "softmax(R st) softmax(Vclass st).",
    }
    assert expected[bias] in text
    assert "softmax(V st" not in text
