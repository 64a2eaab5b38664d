"""The page as HTML."""

import re
from typing import Any

import pytest

from report_material import (
    CLASSES,
    FLOW_TABLES,
    SUMMARY,
    gradient_check,
    initial_loss_check,
    material,
    overfitting_check,
    planted,
    summary_row,
)
from unrolled.report.drawing import BLUE
from unrolled.report.flow import Flow
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


@pytest.mark.parametrize(
    "place",
    [
        "sample",
        "word",
        "licence",
        "sentence",
        "class",
        "trouble",
        "fault",
        "network",
        "check",
        "about",
    ],
)
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
        "trouble": {"gradients": [gradient_check(trouble=HOSTILE)]},
        "fault": {
            "gradients": [
                {**gradient_check(), "planted_faults": [planted(HOSTILE, HOSTILE, 1, 1, 1.0)]}
            ]
        },
        "network": {
            "gradients": [
                {
                    **gradient_check(),
                    "networks": [{**gradient_check()["networks"][0], "title": HOSTILE}],
                }
            ]
        },
        "about": {"config": {**material().config, "about": HOSTILE}},
        "check": {"initial_losses": [{**initial_loss_check(), "title": HOSTILE}]},
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

    assert len(captions) == 10
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


# The proof


def _table(page: str, first_column: str) -> list[list[str]]:
    """The rows of the table whose first column has this name, as a reader sees them."""
    table = page[page.index(f'<th scope="col">{first_column}</th>') :]
    body = table[table.index("<tbody>") : table.index("</tbody>")]
    return [
        [re.sub("<[^>]+>", "", cell) for cell in re.findall("<td[^>]*>.*?</td>", row)]
        for row in body.split("<tr>")[1:]
    ]


def _bad(page: str) -> list[str]:
    """What is shown as bad, in the order of the page."""
    return re.findall(r'<(?:td|strong) class="[^"]*\bbad\b[^"]*"[^>]*>([^<]*)<', page)


def _proof(**more: Any) -> str:
    """The section of the proof, of a page whose runs have all finished."""
    page = render(material(**more))
    return page[page.index('<h2 id="proof">') : page.index('<h2 id="training">')]


CHECKS = {
    "gradients": (gradient_check(), gradient_check(trouble="wrong"), "steps nor rounding"),
    "initial_losses": (initial_loss_check(), initial_loss_check(loss=2.5), "0.1 nats per token"),
    "overfitting": (overfitting_check(), overfitting_check(loss=0.06), "0.05 nats per token left"),
}
"""Of each kind one that passed, one that failed, and the words before the verdict."""


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
    good, bad, words = CHECKS[kind]

    proof = _proof(**{kind: [bad] * failed + [good] * passed})

    assert f"{words}: {verdict}." in _text(f"<body>{proof}")
    assert f'<strong class="{"bad" if failed else "good"}">{verdict}</strong>' in proof


def test_what_passed_is_nowhere_shown_as_bad() -> None:
    page = _proof(gradients=[gradient_check("gru", 0), gradient_check("gru", "full")])

    assert _bad(page) == []
    assert page.count("every one was caught") == 1


def test_a_gradient_check_is_a_row_of_counts_and_of_the_largest_errors() -> None:
    page = _proof(gradients=[gradient_check("elman", 2), gradient_check("lstm", "full")])

    assert _table(page, "Cell, depth") == [
        ["Elman, 2", "3", "116", "8", "12", "4.0e-09", "3.0e-16"],
        ["LSTM, full", "3", "116", "8", "12", "4.0e-09", "3.0e-16"],
    ]
    text = _text(f"<body>{page}")
    assert "Allowed are 1e-07 by central differences, 1e-12 by complex step." in text
    assert "in 2 small networks, with softmax, and with states carried over" in text


def test_the_trouble_of_a_check_stands_below_its_row() -> None:
    trouble = "gru at depth 2: a gradient is wrong: bias[3] is nan by back-propagation"

    page = _proof(gradients=[gradient_check(), gradient_check("gru", 2, trouble)])

    sound, broken, told = _table(page, "Cell, depth")
    assert (sound[0], broken[0]) == ("Elman, full", "GRU, 2")
    assert told == [trouble]
    assert f'<td class="text bad" colspan="7">{trouble}</td>' in page  # as wide as the table
    assert _bad(page)[:2] == ["1 of 2 checks failed", "no number"]


def test_an_error_above_what_is_allowed_is_shown_as_bad_by_its_own_method() -> None:
    check = gradient_check(trouble="wrong")
    for network in check["networks"]:
        for parameter in network["parameters"]:
            parameter["methods"]["central differences"]["error"] = 1e-7  # as much as is allowed
            parameter["methods"]["complex step"]["error"] = 2e-12

    page = _proof(gradients=[check])

    assert '<td class="good">1.0e-07</td><td class="bad">2.0e-12</td>' in page


def test_every_parameter_is_listed_under_its_network() -> None:
    page = _proof(gradients=[gradient_check("gru", 2, "wrong")])

    details = page[page.index("<details>") : page.index("</details>")]
    assert _table(details, "Cell, depth") == [
        ["GRU, 2", "softmax", "input weights", "no number", "no number", "2.5e-01"],
        ["", "", "recurrent weights", "4.0e-09", "1.0e-16", "2.5e-01"],
        ["GRU, 2", "softmax, state carried over", "input weights", "5.0e-10", "2.0e-16", "2.5e-01"],
    ]
    assert _bad(details) == ["no number", "no number"]


def _faults(page: str) -> str:
    """The part on planted faults, its table beginning as those of the other parts do."""
    part = page[page.index("<h3>The check would have noticed") :]
    part = part[: part.index("<h3>Untrained networks")]
    return part.replace('<th scope="col" class="name">', '<th scope="col">')


def test_planted_faults_are_counted_by_cell() -> None:
    page = _faults(_proof(gradients=[gradient_check(), gradient_check("gru")]))

    assert "every one was caught" in page
    assert re.findall('<th scope="col">([^<]*)</th>', page) == [
        "Planted fault",
        "Where",
        "Elman: caught",
        "GRU: caught",
        "Smallest error",
    ]
    assert _table(page, "Planted fault") == [
        [
            "flipped sign",
            "way back through time; gradient of one parameter",
            "5 of 5",
            "5 of 5",
            "1.2e+00",
        ],
        ["NaN", "gradient of one parameter", "3 of 3", "3 of 3", "no number"],
    ]


def test_a_fault_that_was_not_caught_is_shown_as_bad() -> None:
    blind = gradient_check("gru", trouble="gru at depth full: the gradient check is blind")
    blind["planted_faults"][2]["caught"] = 2

    page = _faults(_proof(gradients=[gradient_check(), blind]))

    assert _bad(page) == ["not all were caught", "4 of 5"]
    assert "every one was caught" not in page


def test_a_fault_that_one_cell_cannot_have_leaves_its_column_empty() -> None:
    # at depth 0 a GRU has nothing to keep, whereas the slope of an Elman network may be forgotten
    gru, elman = gradient_check("gru", 0), gradient_check("elman", 0)
    elman["planted_faults"].append(planted("missing term", "the slope of tanh", 6, 6, 1.0))

    page = _faults(_proof(gradients=[gru, elman]))

    row = _table(page, "Planted fault")[-1]
    assert row[:2] == ["missing term", "the slope of tanh"]
    assert row[3:] == ["6 of 6", "1.0e+00"]
    assert "of" not in row[2]


def test_untrained_networks_are_held_against_guessing() -> None:
    checks = [initial_loss_check(), initial_loss_check("lstm", 2.5), initial_loss_check(loss="nan")]

    page = _proof(initial_losses=checks)
    part = page[page.index("<h3>Untrained networks") : page.index("<h3>Every cell")]

    # 2.25 - 2.3026 = -0.0526; 2.5 - 2.3026 = 0.1974
    assert _table(part, "Network") == [
        ["Elman", "5", "softmax", "2.2500", "2.3026", "−0.0526"],
        ["LSTM", "5", "softmax", "2.5000", "2.3026", "0.1974"],
        ["an untrained lstm network does not begin at guessing"],
        ["Elman", "5", "softmax", "no number", "2.3026", "no number"],
        ["an untrained elman network does not begin at guessing"],
    ]
    troubles = [
        f"an untrained {cell} network does not begin at guessing" for cell in ("lstm", "elman")
    ]
    assert _bad(part) == ["2 of 3 checks failed", "0.1974", troubles[0], "no number", troubles[1]]


def test_losses_on_what_was_learned_by_heart_stand_by_network_and_depth() -> None:
    checks = [
        overfitting_check("elman", 2, 0.05),
        overfitting_check("elman", "full", 0.0501),
        overfitting_check("lstm", 2, "nan"),
        overfitting_check("lstm", "full"),
    ]

    page = _proof(overfitting=checks)
    part = page[page.index("<h3>Every cell") :]

    assert re.findall('<th scope="col">([^<]*)</th>', part) == ["Network", "Depth 2", "Full depth"]
    assert _table(part, "Network") == [
        ["Elman, softmax", "0.050", "0.050"],
        ["Elman, softmax, tied weights", "0.025", "0.025"],
        ["LSTM, softmax", "no number", "0.030"],
        ["LSTM, softmax, tied weights", "0.025", "0.025"],
    ]
    assert _bad(part) == ["2 of 4 checks failed", "0.050", "no number"]
    text = _text(f"<body>{part}")
    assert "must be known after 300 steps, with at most 0.05 nats per token left" in text
    assert "The least possible is 0.021" in text


# How gradients travel


def test_the_way_back_is_told_of_the_best_run() -> None:
    text = _text(render(material()))

    # a quarter is left one step back, and a twentieth two
    assert "In b1, over 40 predictions in the validation split, less than a tenth of" in text
    assert "of what reaches the word just read is left 2 steps back." in text
    assert "truncated at depth 2, its cosine to the whole gradient would still be 0.995." in text
    assert "of the steepest slope left, are 12.5 % of all values." in text


@pytest.mark.parametrize(
    ("depth", "told"),
    [
        ("1", "truncated it at depth 1, which leaves a cosine of 0.950 between the truncated and"),
        ("3", "is left 2 steps back. Saturated"),  # not measured, so not told
    ],
)
def test_where_training_truncated_the_cosine_is_that_of_what_it_saw(depth: str, told: str) -> None:
    row = summary_row("a", "5", depth, "1", "1.5", "5.0")

    text = _text(render(material(summary=[row])))

    assert told in text
    assert "Training saw all of it" not in text


def test_where_no_truncation_comes_near_the_whole_gradient_it_says_so() -> None:
    far = Flow(**{**FLOW_TABLES, "cosines": FLOW_TABLES["cosines"][:2]})

    text = _text(render(material(flows={row["run"]: far for row in SUMMARY})))

    assert "Training saw all of it, and no truncation that was tried comes near its" in text


def test_where_more_than_a_tenth_is_left_throughout_it_says_how_far_it_was_followed() -> None:
    arrival = [dict(row) for row in FLOW_TABLES["arrival"]]
    arrival[2]["share"] = "0.2"
    flow = Flow(**{**FLOW_TABLES, "arrival": arrival})

    text = _text(render(material(flows={row["run"]: flow for row in SUMMARY})))

    # of the third step back there are too few predictions
    assert "more than a tenth of what reaches the word just read is left even 2 steps back" in text


def test_each_function_of_a_cell_says_how_much_of_it_is_saturated() -> None:
    rows = [{**FLOW_TABLES["saturation"][0], "activation": name} for name in ("reset", "update")]
    rows[1]["saturated_share"] = "0.5"
    flow = Flow(**{**FLOW_TABLES, "saturation": rows})

    text = _text(render(material(flows={row["run"]: flow for row in SUMMARY})))

    assert "are these shares of all values: reset 12.5 %, update 50.0 %." in text


def test_without_a_finished_run_no_gradient_was_followed() -> None:
    text = _text(render(material(summary=[SUMMARY[-1]], samples={"c1": []})))

    assert "No run finished, so no gradient was followed." in text
