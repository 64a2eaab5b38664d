"""Model cards, and the examples in them run as they stand."""

import ast
import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_strategies import network_of, some_classes
from report_material import BASELINES
from report_material import PROFILE as EVEN_PROFILE
from training_strategies import KINDS
from unrolled.config.files import read_config_file
from unrolled.config.sweep import runs, shown
from unrolled.model.files import write_model
from unrolled.report.model_card import CardMaterial, Trained, escaped, render_card
from unrolled.report.runs import run_results
from unrolled.stages import model_cards
from unrolled.storage import Cell, read_text, write_json, write_tsv
from unrolled.text.vocabulary import RESERVED, Vocabulary
from workshop import ROOT

WORDS = ["the", "cat", "'s", "\\n", "SENTENCE_END", "straße", "."]
VOCABULARY = Vocabulary([*RESERVED, *WORDS], [1] * 10)
SENTENCE = ["the", "straße", "'s", "\\n", "axolotl", "SENTENCE_END", "SENTENCE_START", "."]
"""Unknown are the axolotl and, as a word, the start of a sentence."""

HOSTILE = "x\n\n# <script>alert(1)</script> [a](javascript:b) ](javascript:c) `d` *e* \u202e&lt;"

DEFAULTS = read_config_file(ROOT / "config/config.yaml")
NOTES = {"unit": "word", "tokenizer": "nltk_word", "lowercase": True}
CONFIG: dict[str, Any] = {
    **DEFAULTS,
    "experiment": "trial",
    "sweep": {
        "cell": ["elman", "gru"],
        "hidden_size": [4],
        "truncation_depth": [2],
        "seed": [1, 2],
    },
}
NAMES = ["elman-hidden4-depth2-seed1", "elman-hidden4-depth2-seed2"]

PROFILE = {
    **EVEN_PROFILE,
    "splits": {
        split: {**figures, "unknown_rate": {"train": 0.05, "valid": 0.0625, "test": 0.125}[split]}
        for split, figures in EVEN_PROFILE["splits"].items()
    },
}
PROVENANCE: dict[str, Any] = {
    "source": "path",
    "packages": {},
    "path": "dogs.txt",
    "urls": [],
    "citation": None,
    "licence": "CC0-1.0",
    "sha256": "0123456789abcdef" * 4,
}
ENTROPY = {"symbols": 1234, "words": 56, "entropy_nats_per_token": 1.25}
MADE_WITH = {"commit": "c0ffee with changes", "python": "3.11.7", "numpy": "2.4.6"}
MADE_WITH["unrolled"] = "0.1.0"
MODEL = {
    "formula": "s_t = tanh(input_weights[x_t] + recurrent_weights @ s_{t-1}); all states are 0"
    " before the first word of a sentence; P(x_{t+1}) = softmax(output_weights @ s_t)",
    "output": "softmax",
    "bias": False,
    "tied": False,
    "carry_state": False,
    "hidden_size": 4,
    "unit": "word",
    "tokenizer": "nltk_word",
    "lowercase": True,
}
FOUND = {
    NAMES[0]: ("1.75", "5.0"),
    NAMES[1]: ("1.5", "6.0"),
    "gru-hidden4-depth2-seed1": ("1.25", "4.0"),
    "gru-hidden4-depth2-seed2": ("", ""),
}
"""Validation loss and test perplexity by run; the last diverged."""


def rows(config: Mapping[str, Any] = CONFIG, **more: str) -> list[dict[str, str]]:
    """summary.tsv as it is read; what is given stands in every row."""
    return [
        {
            "run": run.name,
            **{key: shown(value) for key, value in run.settings.items()},
            "state": "finished" if perplexity else "diverged",
            "reason": "",
            "parameters": "1120",
            "best_epoch": "2.5" if perplexity else "",
            "validation_loss_nats_per_token": validation,
            "test_loss_nats_per_token": "1.625" if perplexity else "",
            "test_perplexity": perplexity,
            "next_word_accuracy": "0.25" if perplexity else "",
            **more,
        }
        for run in runs(config)
        for validation, perplexity in [FOUND.get(run.name, ("1.0", "3.0"))]
    ]


def card(
    summary: Sequence[Mapping[str, str]] | None = None,
    trained: Mapping[str, Any] | None = None,
    **more: Any,
) -> str:
    """The card of the Elman cell, some of its material replaced."""
    found = run_results(summary or rows(more.get("config", CONFIG)))
    material = CardMaterial(
        cell="elman",
        config=CONFIG,
        provenance=PROVENANCE,
        profile=PROFILE,
        baselines=BASELINES,
        runs=[run for run in found if run.settings["cell"] == "elman"],
        trained=replace(Trained(MODEL, MADE_WITH, SENTENCE), **(trained or {})),
    )
    return render_card(replace(material, **more))


def configured(**training: Any) -> dict[str, Any]:
    """The configuration with another recipe."""
    return {**CONFIG, "training": {**CONFIG["training"], **training}}


def examples(text: str) -> list[str]:
    """The Python in a card."""
    return re.findall(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def prose(text: str) -> str:
    """All else in it."""
    return re.sub(r"^```python\n.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)


def executed(code: str) -> dict[str, Any]:
    """The names that an example has left behind."""
    names: dict[str, Any] = {}
    exec(compile(code, "example", "exec"), names)
    return names


def write_results(folder: Path, config: Mapping[str, Any], entropy: Any = None) -> None:
    """What the stage reads, but for models."""
    summary = rows(config)
    write_tsv(folder / "summary.tsv", list(summary[0]), summary)
    write_tsv(folder / "corpus/baselines.tsv", list(BASELINES[0]), BASELINES)
    write_json(folder / "corpus/provenance.json", PROVENANCE)
    write_json(folder / "corpus/profile.json", PROFILE)
    if entropy is not None:
        write_json(folder / "corpus/entropy.json", entropy)


def write_run(folder: Path, samples: Sequence[tuple[str, str]], model: bool = True) -> None:
    """A run's provenance, its samples as tokens and how they ended, and some model."""
    sampled: list[dict[str, Cell]] = [{"tokens": text, "ended": ended} for text, ended in samples]
    write_json(folder / "provenance.json", MADE_WITH)
    write_tsv(folder / "samples.tsv", ["tokens", "ended"], sampled)
    if model:
        write_json(folder / "model/config.json", MODEL)


class TestExamples:
    @pytest.mark.parametrize(
        ("cell", "bias", "tied", "with_classes"),
        [
            *((cell, bias, tied, False) for cell, bias, tied in KINDS),
            *((cell, bias, False, True) for cell, bias, tied in KINDS if not tied),
        ],
    )
    def test_both_run_as_they_stand_and_give_the_same_log_probabilities(
        self,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        cell: str,
        bias: bool,
        tied: bool,
        with_classes: bool,
    ) -> None:
        classes = some_classes(len(VOCABULARY)) if with_classes else None
        network = network_of(3, len(VOCABULARY), 4, np.float32, cell, bias, tied, classes)
        config = {**CONFIG, "sweep": {**CONFIG["sweep"], "cell": [cell], "seed": [1]}}
        run = f"{cell}-hidden4-depth2-seed1"
        results = tmp_path / "results/trial"
        write_results(results, config)
        write_run(results / "runs" / run, [(" ".join(SENTENCE), "yes")], model=False)
        write_model(results / "runs" / run / "model", network, VOCABULARY, NOTES)
        monkeypatch.chdir(tmp_path)

        model_cards.run(
            config,
            results / "corpus",
            results / "summary.tsv",
            {run: results / "runs" / run},
            {cell: results / f"model_cards/{cell}.md"},
        )
        with_library, without = examples(read_text(results / f"model_cards/{cell}.md"))
        first, second = executed(with_library), executed(without)

        assert first["sentence"] == second["sentence"] == SENTENCE
        np.testing.assert_allclose(
            second["log_probabilities"], first["scored"].log_probabilities, rtol=0, atol=1e-5
        )
        assert first["sample"].ids

    def test_the_second_needs_nothing_of_this_project(self) -> None:
        code = examples(card())[1]

        imported = {
            node.module if isinstance(node, ast.ImportFrom) else node.names[0].name
            for node in ast.walk(ast.parse(code))
            if isinstance(node, ast.Import | ast.ImportFrom)
        }
        assert imported == {"pathlib", "numpy", "safetensors.numpy"}

    def test_words_of_the_corpus_stay_words(self) -> None:
        sentence = ["```", "'", '"', '")\\', "#", "\u202e", "</code>", "{{", "7*7", "}}"]

        for code in examples(card(trained={"sentence": sentence})):
            literals = [
                node.value for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Constant)
            ]
            assert set(sentence) <= set(literals)
            assert "\u202e" not in code

    def test_they_draw_as_the_experiment_draws(self) -> None:
        sampling = {**CONFIG["sampling"], "temperature": 0.625, "maximum_words": 17}

        code = examples(card(config={**CONFIG, "sampling": sampling}))[0]

        assert "temperature=0.625," in code
        assert "maximum_words=17," in code


class TestEscaped:
    @given(st.text(st.characters(exclude_categories=["Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"])))
    def test_what_is_read_is_what_was_written_but_for_white_space(self, text: str) -> None:
        # a backslash before punctuation goes, then entities are put back, as CommonMark has it
        read = html.unescape(re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", escaped(text)))

        assert read == re.sub(r"\s+", " ", text)

    @given(st.text(st.sampled_from("\\`*_[]<>&;~|#!()\n\r\t\u2028 a:/")))
    def test_nothing_is_left_that_could_be_markup(self, text: str) -> None:
        found = escaped(text)

        bare = re.sub(r"\\.|&(amp|lt|gt);", "a", found)  # a letter in the place of each
        assert set(bare) <= set("; ()a:/")
        assert "://" not in bare

    def test_common_licences_read_as_they_are(self) -> None:
        licence = "numpy: BSD-3-Clause AND 0BSD; nltk: Apache License, Version 2.0 (2004)"

        assert escaped(licence) == licence

    def test_addresses_become_no_links(self) -> None:
        assert escaped("http://a www.b c@d") == r"http\://a www\.b c\@d"

    def test_what_turns_the_direction_of_writing_is_replaced(self) -> None:
        assert escaped("a\u202eb\x1bc") == "a\ufffdb\ufffdc"


@pytest.mark.parametrize(
    "place", ["licence", "citation", "path", "url", "packages", "version", "about"]
)
def test_texts_from_outside_are_shown_as_texts(place: str) -> None:
    changes: dict[str, dict[str, Any]] = {
        "licence": {"provenance": {**PROVENANCE, "licence": HOSTILE}},
        "path": {"provenance": {**PROVENANCE, "path": HOSTILE}},
        "citation": {"provenance": {**PROVENANCE, "citation": HOSTILE}},
        "url": {"provenance": {**PROVENANCE, "path": None, "urls": [HOSTILE]}},
        "packages": {"provenance": {**PROVENANCE, "packages": {HOSTILE: "1"}}},
        "version": {"provenance": {**PROVENANCE, "packages": {"p": HOSTILE}}},
        "about": {"config": {**CONFIG, "about": HOSTILE}},
    }

    text = card(**changes[place])

    assert (
        r"x \# &lt;script&gt;alert(1)&lt;/script&gt; \[a\](javascript:b) \](javascript:c)"
        " \\`d\\` \\*e\\* \ufffd&amp;lt;" in text
    )
    assert "<" not in prose(text)
    assert text.count("\n#") == card().count("\n#")


def test_it_is_about_the_run_of_the_lowest_validation_loss_of_its_cell() -> None:
    text = card()

    assert text.startswith(f"# {NAMES[1]}\n")
    assert "The best of the 2 finished runs with the cell Elman in the experiment trial." in text
    assert "The test split takes no part in the choice" in text
    assert f"results/trial/runs/{NAMES[1]}/model" in text
    assert NAMES[0] not in text


def test_it_says_what_the_model_is() -> None:
    text = card()

    assert (
        "the cell Elman, 4 hidden units and, as its output layer, a softmax over all words" in text
    )
    assert "1,120 parameters in single precision, without biases." in text
    assert "truncated at depth 2: the loss of a prediction reaches 2 steps back and no" in text


@pytest.mark.parametrize(
    ("depth", "carried", "said"),
    [
        (0, False, "truncated at depth 0: the loss of a prediction reaches no step back."),
        (1, False, "truncated at depth 1: the loss of a prediction reaches 1 step back and no"),
        ("full", False, "over the full depth: the loss of a prediction reaches back to the start"),
        ("full", True, "reaches back to the start of its segment."),
    ],
)
def test_it_says_how_far_back_training_reached(depth: int | str, carried: bool, said: str) -> None:
    config = {**CONFIG, "sweep": {**CONFIG["sweep"], "truncation_depth": [depth]}}

    text = card(config=config, trained={"model": {**MODEL, "carry_state": carried}})

    assert said in text
    assert ("training never saw how" in text) == (depth != "full")


def test_it_says_what_the_model_was_trained_on() -> None:
    text = card()

    assert "Source: dogs.txt." in text
    assert "Licence of the text: CC0-1.0." in text
    assert f"sha256 `{'0123456789abcdef' * 4}`" in text
    assert "knows 10 words, three of them reserved; all others are one unknown word." in text
    assert "| training | 4 | 20 | 9 | 5.0 % |\n| validation |" in text


def test_packages_are_named_with_their_versions() -> None:
    text = card(provenance={**PROVENANCE, "packages": {"numpy": "2.4.6", "nltk": "3.10"}})

    assert "from the documentation strings of numpy 2.4.6, nltk 3.10." in text


def test_a_licence_that_nobody_has_stated_is_said_to_be_missing() -> None:
    text = card(provenance={**PROVENANCE, "licence": None})

    assert "Licence of the text: not stated. Nobody has said" in text


def test_the_recipe_is_a_table() -> None:
    text = card()

    assert "| epochs | 3 |\n| best epoch, whose parameters these are | 2.5, with a" in text
    assert "validation loss of 1.500 nats per token |\n| optimiser | adam |\n" in text
    assert "| learning rate | 0.008 |\n| schedule | cosine, warming up for 0.2 epochs |\n" in text
    assert "| batch | 32 sentences |\n| dropout | none |\n" in text
    assert "| gradient clipping | to a norm of 1.0 |\n" in text
    assert "| seed | 2 |\n" in text


def test_a_recipe_with_everything_in_it_is_told_in_full() -> None:
    config = configured(
        optimiser="adam_and_sgd",
        patience=3,
        warmup_epochs=0,
        carry_state=True,
        gradient_norm_limit=None,
        input_dropout=0.1,
        output_dropout=0.2,
    )

    text = card(config=config, trained={"model": {**MODEL, "carry_state": True}})

    assert "| 3 at most; 3 looks without a new lowest validation loss end the training |" in text
    assert "| optimiser | adam and sgd |" in text
    assert "| 0.008, and 5.0 for the words inside classes |\n| schedule | cosine |" in text
    assert "| batch | 32 streams of documents, 35 tokens of each |" in text
    assert "| dropout | 0.1 of what goes in, 0.2 of what goes out |" in text
    assert "| gradient clipping | none |" in text


def test_figures_stand_beside_the_baselines_the_best_first() -> None:
    assert (
        "| **this one** | **1.625** | **6.0** | **25.0 %** |\n"
        "| pairs of words (bigram) | 1.800 | 6.0 | – |\n"
        "| single words (unigram) | 2.000 | 7.4 | – |\n"
        "| guessing (uniform) | 2.303 | 10.0 | – |\n"
    ) in card()


def test_for_a_grammar_the_floor_stands_among_the_figures() -> None:
    floor = {"model": "grammar", "split": "test", "loss_nats_per_token": "1.25"}
    summary = rows(excess_nats_per_token="0.375", excess_standard_error="0.0125")

    text = card(
        summary, entropy=ENTROPY, baselines=[*BASELINES, {**floor, "perplexity": "3.490343"}]
    )

    assert (
        "**6.00** | **25.0 %** |\n| the grammar itself, the least possible | 1.250 | 3.49" in text
    )
    assert "0.3750 ± 0.0125 nats per token (standard error) above that of the grammar" in text
    assert "a grammar of 1,234 symbols and 56 words" in text
    assert "on average 1.2500 nats per token." in text


def test_it_says_how_far_the_seeds_of_its_setting_differ() -> None:
    # 5.0 and 6.0, of which the mean is 5.5
    assert (
        "Its setting, Elman, 4 hidden units, depth 2, finished with 2 seeds, whose test perplexity"
        " goes from 5.0 to 6.0, with a mean of 5.5:"
    ) in card()


def test_with_one_finished_seed_chance_is_not_known() -> None:
    text = card(rows()[1:])

    assert "The only finished run with the cell Elman" in text
    assert (
        "finished with one seed alone, so how much of these figures is chance is not known" in text
    )


def test_the_files_of_its_proofs_are_named() -> None:
    text = card()

    for name in ("gradient-elman-depth2", "overfitting-elman-depth2", "initial_loss-elman-hidden4"):
        assert f"- `results/trial/checks/{name}.json`: " in text


def test_limits_are_written_from_the_figures() -> None:
    text = card()

    assert "trained on 20 words in 4 sentences of this text and on nothing else" in text
    # 10 - 3 reserved = 7
    assert "It knows 7 words, all in small letters. All others are one unknown word" in text
    assert "12.5 % of the words of the test split" in text
    assert "wrong 75.0 % of the time" in text  # as 25 % were right
    assert "its context ends at the start of the sentence" in text
    assert "Words more than 2 steps before the last one" in text
    assert "Do not train such a model on private text" in text
    assert "No decision of any kind" in text


def test_with_its_state_carried_over_the_context_is_the_document() -> None:
    text = card(trained={"model": {**MODEL, "carry_state": True}})

    assert "sentence by sentence and carries its state on" in text
    assert "its context ends" not in text


def test_a_grammar_is_no_language_and_holds_nothing_private() -> None:
    text = card(entropy=ENTROPY)

    assert "says nothing of a language" in text
    assert "private" not in text


def test_it_says_what_it_was_made_with() -> None:
    assert card().endswith(
        "unrolled 0.1.0, Python 3.11.7, NumPy 2.4.6; commit `c0ffee with changes`.\n"
    )
    unknown = {"made_with": {**MADE_WITH, "commit": None}}
    assert card(trained=unknown).endswith("no commit is known, as the code was no checkout.\n")


class TestStage:
    def test_a_cell_without_a_finished_run_has_a_card_that_says_so(self, tmp_path: Path) -> None:
        config = {**CONFIG, "sweep": {**CONFIG["sweep"], "cell": ["gru"], "seed": [2]}}
        write_results(tmp_path, config)

        model_cards.run(
            config, tmp_path / "corpus", tmp_path / "summary.tsv", {}, {"gru": tmp_path / "gru.md"}
        )

        assert read_text(tmp_path / "gru.md") == (
            "# GRU in trial\n\nNo run of this cell finished (1 diverged), so there is no model to"
            " describe; `results/trial/summary.tsv` says why.\n"
        )

    def test_each_cell_has_a_card_of_its_own(self, tmp_path: Path) -> None:
        write_results(tmp_path, CONFIG)
        best = {"elman": NAMES[1], "gru": "gru-hidden4-depth2-seed1"}
        for run in best.values():
            write_run(tmp_path / run, [("the cat .", "yes")])

        model_cards.run(
            CONFIG,
            tmp_path / "corpus",
            tmp_path / "summary.tsv",
            {run: tmp_path / run for run in best.values()},
            {cell: tmp_path / f"{cell}.md" for cell in best},
        )

        heads = {cell: read_text(tmp_path / f"{cell}.md").splitlines()[0] for cell in best}
        assert heads == {cell: f"# {run}" for cell, run in best.items()}

    @pytest.mark.parametrize(
        ("samples", "chosen"),
        [
            ([("a b c", "yes"), ("a b", "yes"), ("a", "cut"), ("", "yes")], ["a", "b"]),
            ([("a b c", "cut"), ("a b", "cut")], ["a", "b"]),
            ([("", "yes")], []),
        ],
    )
    def test_the_example_is_the_shortest_sentence_that_ended(
        self, tmp_path: Path, samples: list[tuple[str, str]], chosen: list[str]
    ) -> None:
        write_results(tmp_path, CONFIG)
        write_run(tmp_path / NAMES[1], samples)

        model_cards.run(
            CONFIG,
            tmp_path / "corpus",
            tmp_path / "summary.tsv",
            {NAMES[1]: tmp_path / NAMES[1]},
            {"elman": tmp_path / "elman.md"},
        )

        assert read_text(tmp_path / "elman.md").count(f"sentence = {chosen}\n") == 2

    def test_what_is_known_of_a_grammar_is_read(self, tmp_path: Path) -> None:
        config = {**CONFIG, "corpus": {**CONFIG["corpus"], "source": "grammar"}}
        write_results(tmp_path, config, ENTROPY)
        write_run(tmp_path / NAMES[1], [("a b", "yes")])

        model_cards.run(
            config,
            tmp_path / "corpus",
            tmp_path / "summary.tsv",
            {NAMES[1]: tmp_path / NAMES[1]},
            {"elman": tmp_path / "elman.md"},
        )

        assert "a grammar of 1,234 symbols and 56 words" in read_text(tmp_path / "elman.md")
