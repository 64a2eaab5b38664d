"""The workflow as its users call it, on the smoke experiment and on a small grammar."""

import functools
import math
import re
import sysconfig
import venv
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from html.parser import HTMLParser
from pathlib import Path

import pytest

from unrolled.report.proofs import learned_rows
from unrolled.storage import read_json, read_tsv
from workshop import (
    GRAMMAR,
    GRAMMAR_TEXT,
    ROOT,
    RUNS,
    SMOKE,
    Workshop,
    errors,
    jobs,
    side_by_side,
)

GRAMMAR_RUNS = ["elman-hidden8-depth0-seed1", "elman-hidden8-depthfull-seed1"]

OTHER_TEXT = """\
experiment: other
about: What stands beside it.
corpus: {source: grammar}
grammar:
  markers: 3
  distances: [1]
  fillers: 1
  training_sentences: 200
  validation_sentences: 40
  test_sentences: 90
  seed: 7
text: {minimum_count: 1}
sweep: {hidden_size: [4], truncation_depth: [0], seed: [3]}
model: {output: classes, bias: true}
training: {epochs: 1, batch_size: 8}
checks: {overfit_steps: 1, overfit_loss: 9.0}
"""
"""An experiment beside the grammar, of which nothing is the same."""

OTHER_RUN = "elman-hidden4-depth0-seed3"


@pytest.fixture(scope="module")
def finished_grammar(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """A workshop in which the grammar has run with another experiment beside it, by one call."""
    workshop = Workshop.new(tmp_path_factory.mktemp("grammar") / "work shop")
    own = "beside: [other]\nevaluation: {sentences: own.txt}\n"
    workshop.write(GRAMMAR, own + GRAMMAR_TEXT)
    workshop.write("config/experiments/other.yaml", OTHER_TEXT)
    workshop.write("own.txt", "open1 f1.1 close1\n")
    done = workshop.snakemake(configfile=GRAMMAR)
    assert done.returncode == 0, done.stdout
    return workshop


class TestTheWholeChain:
    def test_makes_all_that_the_readme_of_results_lists_and_nothing_else(
        self, finished_smoke: Workshop, finished_grammar: Workshop
    ) -> None:
        table = (ROOT / "results/README.md").read_text(encoding="utf-8")
        cells = [line.split("|")[1] for line in table.split("\n") if line.startswith("| `")]
        patterns = [pattern for cell in cells for pattern in _paths(cell)]
        folders = [
            finished_smoke.folder / "results/smoke",
            finished_grammar.folder / "results/grammar",
            finished_grammar.folder / "results/other",
        ]

        found = {
            pattern: {path for folder in folders for path in folder.glob(pattern)}
            for pattern in patterns
        }
        notes = ".snakemake_timestamp"  # of folders that are a job's output
        made = {path for folder in folders for path in folder.rglob("*") if path.is_file()}
        made = {path for path in made if path.name != notes}

        assert len(patterns) > 35
        assert [pattern for pattern in patterns if not found[pattern]] == []
        listed = set().union(*found.values())
        assert {path for path in made if not {path, *path.parents} & listed} == set()

    def test_finishes_all_runs_better_than_single_words(self, finished_smoke: Workshop) -> None:
        rows = read_tsv(finished_smoke.result("summary.tsv"))

        assert [row["run"] for row in rows] == RUNS
        for row in rows:
            assert row["state"] == "finished"
            assert float(row["test_perplexity"]) < float(row["unigram_perplexity"])

    def test_draws_at_least_ten_sentences_of_seven_words_from_each_run(
        self, finished_smoke: Workshop
    ) -> None:
        for run in RUNS:
            samples = read_tsv(finished_smoke.result(f"runs/{run}/samples.tsv"))

            assert len(samples) >= 10
            assert all(len(sample["tokens"].split(" ")) >= 7 for sample in samples)
            assert all("UNKNOWN_TOKEN" not in sample["tokens"] for sample in samples)

    def test_runs_in_an_environment_below_a_folder_with_a_space(self, tmp_path: Path) -> None:
        workshop = Workshop.new(tmp_path / "new")
        environment = tmp_path / "my environments" / "venv"
        venv.create(environment, symlinks=True)
        (packages,) = environment.glob("lib/python*/site-packages")
        (packages / "parent.pth").write_text(f"{sysconfig.get_path('purelib')}\n")

        gate = "results/smoke/checks/gate-elman-hidden8-depth1.json"
        done = workshop.snakemake("--", gate, python=str(environment / "bin/python"))

        assert done.returncode == 0, done.stdout


class TestTheReport:
    def test_is_one_file_that_fetches_nothing(self, finished_smoke: Workshop) -> None:
        page = finished_smoke.result("report.html").read_text(encoding="utf-8")

        links = _Links()
        links.feed(page)

        assert links.addresses
        assert [address for address in links.addresses if not address.startswith("#")] == []
        assert "default-src 'none'" in page
        assert page.count("<script") == 1

    def test_has_no_id_twice(self, finished_smoke: Workshop) -> None:
        links = _Links()

        links.feed(finished_smoke.result("report.html").read_text(encoding="utf-8"))

        assert len(links.ids) == len(set(links.ids))

    def test_shows_every_run_and_every_sample(self, finished_smoke: Workshop) -> None:
        shown = _text(finished_smoke.result("report.html"))

        for run in RUNS:
            assert run in shown
            for sample in read_tsv(finished_smoke.result(f"runs/{run}/samples.tsv")):
                assert sample["text"] in shown

    def test_shows_hostile_text_as_text(self, workshop: Workshop) -> None:
        evil = "<script>alert(1)</script> <img src=x onerror=alert(1)> {{ 7*7 }} says hello again ."
        workshop.write("evil.txt", "\n\n".join(f"{evil.capitalize()}{n}" for n in range(60)))
        workshop.write("own.txt", f"{evil}\n")
        workshop.write(
            "config/experiments/evil.yaml",
            "experiment: evil\n"
            "corpus: {source: path, path: evil.txt, licence: '<b>none</b>'}\n"
            "text: {document: block, minimum_count: 1}\n"
            "evaluation: {sentences: own.txt}\n"
            "sweep: {hidden_size: [4], truncation_depth: [0], seed: [1]}\n"
            "checks: {overfit_steps: 1, overfit_loss: 9.0}\n",
        )

        done = workshop.snakemake(configfile="config/experiments/evil.yaml")

        assert done.returncode == 0, done.stdout
        page = (workshop.folder / "results/evil/report.html").read_text(encoding="utf-8")
        assert page.count("<script") == 1
        assert "<script>alert" not in page
        assert "<img" not in page
        assert "<b>none" not in page
        assert "{{ 7*7 }}" in page

    def test_can_be_made_by_snakemake_itself(self, workshop: Workshop) -> None:
        done = workshop.snakemake("--report", "snakemake.html")

        assert done.returncode == 0, done.stdout
        page = (workshop.folder / "snakemake.html").read_text(encoding="utf-8")
        captions = [path.read_text(encoding="utf-8") for path in ROOT.glob("workflow/report/*.rst")]
        only_elsewhere = ("by how many words lie between the two", "Experiments side by side")
        for caption in captions:
            other = any(words in caption for words in only_elsewhere)
            assert (caption.strip() in page) != other


PORTRAITS = dict.fromkeys(["surprisal", "wall", "units", "neighbours"], 1)
TOLD = {"time_figures": 1, "model_cards": 1, "report": 1}
REPORTED = {"summarise": 1, "figures": 1, **PORTRAITS, **TOLD}
TWO_RUNS = {"train_and_measure": 2, **REPORTED}
ALL_CHECKS = {"check_gradients": 2, "check_overfitting": 2, "check_initial_loss": 1, "gate": 2}

PREPARED = dict.fromkeys(["vocabulary", "encode", "baselines"], 1)
ALL_CHECKS_OF_TEXT = {"check_initial_loss": 1, "gate": 2}

CHANGES: Mapping[str, tuple[Sequence[tuple[str, str, str]], Mapping[str, int]]] = {
    "another order of keys, a comment and a docstring": (
        [
            (SMOKE, "epochs: 2\n  batch_size: 16", "batch_size: 16\n  epochs: 2"),
            (
                "src/unrolled/model/network.py",
                "import numpy as np\n",
                "import numpy as np  # a comment\n",
            ),
            (
                "src/unrolled/model/network.py",
                '"""A recurrent language model.\n',
                '"""Another docstring.\n',
            ),
        ],
        {},
    ),
    "a note of the licence": (
        [(SMOKE, "corpus:\n", "corpus:\n  licence: CC0\n")],
        {"provenance": 1, **TOLD},
    ),
    "another cleaning of documents, and other rows that are rejected": (
        [
            (SMOKE, "training:", "cleaning: {links: true}\n\ntraining:"),
            (SMOKE, "corpus:\n", "corpus:\n  rejected_share: 0.5\n"),
        ],
        {"prepare": 1, **PREPARED, **ALL_CHECKS_OF_TEXT, **TWO_RUNS},
    ),
    "a rare word more": (
        [(SMOKE, "vocabulary_size: 500", "vocabulary_size: 501")],
        {**PREPARED, **ALL_CHECKS_OF_TEXT, **TWO_RUNS},
    ),
    "another temperature of samples": (
        [(SMOKE, "training:", "sampling: {temperature: 0.7}\n\ntraining:")],
        TWO_RUNS,  # which are measured again, and not trained
    ),
    "fewer sentences for the travel of gradients": (
        [(SMOKE, "training:", "gradient_flow: {sentences: 9}\n\ntraining:")],
        TWO_RUNS,
    ),
    "fewer sentences and words for portraits": (
        [(SMOKE, "training:", "portraits: {sentences: 2, words: 3}\n\ntraining:")],
        {"surprisal": 1, "units": 1, "neighbours": 1, "model_cards": 1, "report": 1},
    ),
    "another key of word classes, by which no run goes": (
        [(SMOKE, "training:", "classes: {words_alone: 9}\n\ntraining:")],
        {"model_cards": 1, "report": 1},  # which know the whole configuration
    ),
    "another tolerance of the checks": (
        [(SMOKE, "training:", "checks: {complex_tolerance: 1.0e-11}\n\ntraining:")],
        {**ALL_CHECKS, **TWO_RUNS},
    ),
    "a seed more": ([(SMOKE, "seed: [1]", "seed: [1, 2]")], TWO_RUNS),
    "a hidden size more": (
        [(SMOKE, "hidden_size: [8]", "hidden_size: [8, 9]")],
        {"check_initial_loss": 1, "gate": 2, **TWO_RUNS},
    ),
    "a depth more": (
        [(SMOKE, "truncation_depth: [1, full]", "truncation_depth: [1, 3, full]")],
        {
            "check_gradients": 1,
            "check_overfitting": 1,
            "gate": 1,
            "train_and_measure": 1,
            **REPORTED,
        },
    ),
    "a depth less": (
        [(SMOKE, "truncation_depth: [1, full]", "truncation_depth: [1]")],
        REPORTED,
    ),
    "an edit of the model": (
        [
            (
                "src/unrolled/model/cells/elman.py",
                "np.multiply(state, state)",
                "np.square(state)",
            )
        ],
        {**ALL_CHECKS, **TWO_RUNS},
    ),
    "an edit of the sampling": (
        [
            (
                "src/unrolled/analysis/sampling.py",
                "growing = list(range(len(samples)))",
                "growing = [*range(len(samples))]",
            )
        ],
        TWO_RUNS,  # sentences are drawn while a run is trained
    ),
    "an edit of the page": (
        [("src/unrolled/report/page/sections/samples.html", "More sentences", "More of them")],
        {"report": 1},
    ),
    "an edit of a model card": (
        [("src/unrolled/report/model_card.md.jinja", "## Limits", "## Its limits")],
        {"model_cards": 1},
    ),
}
"""What is changed after a run, and what another call then runs, all else left as it is."""


@pytest.fixture(scope="module")
def plans(
    finished_smoke: Workshop, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Future[Counter[str]]]:
    """What another call would run after each change, each in a workshop of its own."""

    def plan(folder: Path, edits: Sequence[tuple[str, str, str]]) -> Counter[str]:
        workshop = finished_smoke.copy(folder / "work shop")
        for edit in edits:
            workshop.edit(*edit)
        return workshop.planned()

    return side_by_side(
        {
            change: functools.partial(plan, tmp_path_factory.mktemp("change"), edits)
            for change, (edits, _) in CHANGES.items()
        }
    )


class TestAnotherCall:
    @pytest.mark.parametrize("change", CHANGES)
    def test_runs_what_is_new_and_what_follows_and_nothing_else_after(
        self, plans: Mapping[str, Future[Counter[str]]], change: str
    ) -> None:
        _, expected = CHANGES[change]

        planned = plans[change].result()

        assert planned == expected


class TestWordClasses:
    def test_are_made_and_checked_and_trained_with_where_runs_go_by_them(
        self, workshop: Workshop
    ) -> None:
        workshop.edit(SMOKE, "truncation_depth: [1, full]", "truncation_depth: [1]")
        workshop.edit(SMOKE, "seed: [1]", "seed: [1]\n  output: [softmax, classes]")

        done = workshop.snakemake()

        # a cell at a depth is checked with every output layer, which has been done; the names of
        # all runs and networks are new
        assert done.returncode == 0, done.stdout
        run = jobs(done.stdout)
        assert run["check_gradients"] == run["check_overfitting"] == 0
        assert run["classes"] == 1
        assert run["check_initial_loss"] == run["gate"] == run["train_and_measure"] == 2
        for output, title in (("softmax", "softmax"), ("classes", "word classes")):
            name = f"checks/initial_loss-elman-hidden8-output{output}.json"
            check = read_json(workshop.result(name))
            assert (check["title"], check["passed"]) == (title, True)
        rows = read_tsv(workshop.result("summary.tsv"))
        assert [(row["run"], row["output"], row["state"]) for row in rows] == [
            (f"{RUNS[0]}-outputsoftmax", "softmax", "finished"),
            (f"{RUNS[0]}-outputclasses", "classes", "finished"),
        ]
        spread = workshop.result("figures/spread.svg").read_text(encoding="utf-8")
        assert "output classes" in spread
        assert read_tsv(workshop.result("corpus/classes.tsv"))
        assert read_tsv(workshop.result("corpus/telling_classes.tsv"))
        page = workshop.result("report.html").read_text(encoding="utf-8")
        assert "words stand alone, each of them a class of its own" in page
        assert not workshop.planned()

    def test_are_not_made_where_no_run_goes_by_them(self, finished_smoke: Workshop) -> None:
        assert not finished_smoke.result("corpus/classes.tsv").exists()


class TestTheChecks:
    @pytest.mark.parametrize("depth", ["1", "full"])
    def test_leave_for_each_cell_at_each_depth_what_they_have_found(
        self, finished_smoke: Workshop, depth: str
    ) -> None:
        gradients = read_json(finished_smoke.result(f"checks/gradient-elman-depth{depth}.json"))
        learned = read_json(finished_smoke.result(f"checks/overfitting-elman-depth{depth}.json"))

        assert gradients["passed"] is learned["passed"] is True
        assert str(gradients["truncation_depth"]) == str(learned["truncation_depth"]) == depth
        assert {network["output"] for network in gradients["networks"]} == {"softmax", "classes"}
        assert gradients["planted_faults"]
        for fault in gradients["planted_faults"]:
            assert fault["caught"] == fault["planted"] > 0
        assert len(learned_rows([learned])) == 3
        for network in learned["networks"]:
            assert network["least_loss"] < network["loss_nats_per_token"] < 0.05

    def test_of_untrained_networks_leave_their_loss_beside_that_of_guessing(
        self, finished_smoke: Workshop
    ) -> None:
        check = read_json(finished_smoke.result("checks/initial_loss-elman-hidden8.json"))

        assert check["passed"] is True
        assert check["of_guessing"] == pytest.approx(math.log(500))  # words in the vocabulary
        assert check["loss_nats_per_token"] == pytest.approx(check["of_guessing"], abs=0.1)


class TestAGrammar:
    def test_is_shown_with_the_least_loss_that_it_allows(self, finished_grammar: Workshop) -> None:
        corpus = finished_grammar.folder / "results/grammar/corpus"
        (test,) = (
            row
            for row in read_tsv(corpus / "baselines.tsv")
            if (row["model"], row["split"]) == ("grammar", "test")
        )
        floor = [row for row in read_tsv(corpus / "floor.tsv") if row["split"] == "test"]
        page = finished_grammar.folder / "results/grammar/report.html"

        shown = _text(page)

        nats = -sum(float(row["log_probability"]) for row in floor)
        tokens = sum(int(row["tokens"]) for row in floor)
        assert float(test["loss_nats_per_token"]) == pytest.approx(nats / tokens, rel=1e-12)
        entropy = read_json(corpus / "entropy.json")["entropy_nats_per_token"]
        assert f"{entropy:.4f} nats per token exactly" in shown
        assert f"{nats / tokens:.4f} in the test" in shown
        least = float(test["perplexity"])
        assert f"which nothing can pass, reaches {least:.2f}." in shown

    def test_is_never_passed_and_the_summary_says_by_how_much_it_is_missed(
        self, finished_grammar: Workshop
    ) -> None:
        rows = read_tsv(finished_grammar.folder / "results/grammar/summary.tsv")

        assert [row["run"] for row in rows] == GRAMMAR_RUNS
        for row in rows:
            assert row["state"] == "finished"
            excess = float(row["excess_nats_per_token"])
            floor = math.log(float(row["grammar_perplexity"]))
            assert excess > 2 * float(row["excess_standard_error"]) > 0
            assert excess == pytest.approx(float(row["test_loss_nats_per_token"]) - floor, abs=1e-6)

    def test_has_its_agreement_drawn_for_each_run_and_distance(
        self, finished_grammar: Workshop
    ) -> None:
        figures = finished_grammar.folder / "results/grammar/figures"

        rows = read_tsv(figures / "agreement.tsv")

        own = [(row["run"], row["distance"]) for row in rows if row["experiment"] == "grammar"]
        assert own == [(run, distance) for run in GRAMMAR_RUNS for distance in ("1", "2")]
        svg = (figures / "agreement.svg").read_text(encoding="utf-8")
        page = (figures.parent / "report.html").read_text(encoding="utf-8")
        assert svg[svg.index("<svg") :] in page

    def test_brings_as_many_sentences_as_were_asked_for_repeated_ones_too(
        self, finished_grammar: Workshop
    ) -> None:
        corpus = finished_grammar.folder / "results/grammar/corpus"

        train = (corpus / "train.txt").read_text(encoding="utf-8").split("\n")

        sentences = [line for line in train if line]
        assert len(sentences) == 300
        # two openings, then a filler of two at one distance, or two of them at the other
        assert len(set(sentences)) == 2 * (2 + 2 * 2)
        assert not (corpus / "rejected.tsv").exists()
        profile = read_json(corpus / "profile.json")
        assert profile["accounts"]["rows"] == {"read": 450, "accepted": 450, "rejected": {}}
        splits = profile["splits"]
        counts = {split: figures["sentences"] for split, figures in splits.items()}
        assert counts == {"train": 300, "valid": 50, "test": 100}

    def test_with_a_word_that_models_would_not_know_is_an_error_that_names_it(
        self, finished_grammar: Workshop, tmp_path: Path
    ) -> None:
        workshop = finished_grammar.copy(tmp_path / "work shop")
        rarest = read_tsv(workshop.folder / "results/grammar/corpus/vocabulary.tsv")[-1]["token"]
        workshop.edit(
            GRAMMAR,
            "text: {minimum_count: 1}",
            "text: {minimum_count: 1, vocabulary_size: 10}",  # of 3 reserved words and 8
        )

        name = "results/grammar/corpus/profile.json"
        done = workshop.snakemake("--", name, configfile=GRAMMAR)

        assert done.returncode == 1
        (error,) = set(errors(done.stdout))
        assert f"'{rarest}' is not one of the 7 of the vocabulary" in error
        assert "raise text.vocabulary_size" in error
        assert "Traceback" not in done.stdout

    def test_is_drawn_from_again_after_a_change_of_the_seed_alone(
        self, finished_grammar: Workshop, tmp_path: Path
    ) -> None:
        workshop = finished_grammar.copy(tmp_path / "work shop")
        before = workshop.planned(configfile=GRAMMAR)
        workshop.edit(GRAMMAR, "  fillers: 2\n", "  fillers: 2\n  seed: 2\n")

        after = workshop.planned(configfile=GRAMMAR)

        assert before == {}
        assert after["draw"] == after["measure_grammar"] == after["encode"] == 1
        assert after["acquire"] == after["check_gradients"] == after["check_overfitting"] == 0
        assert {rule for rule in after if rule.startswith("other_")} == set()


class TestAnExperimentBesideAnother:
    def test_is_run_by_the_same_call_and_shown_on_the_page_of_the_other(
        self, finished_grammar: Workshop
    ) -> None:
        page = finished_grammar.folder / "results/grammar/report.html"

        links = _Links()
        links.feed(page.read_text(encoding="utf-8"))

        assert (page.parent / "../other/report.html").exists()
        assert {"../other/report.html", "side_by_side.html"} <= set(links.addresses)
        assert "What stands beside it." in links.shown
        rows = read_tsv(page.parent / "figures/agreement.tsv")
        assert {row["experiment"] for row in rows} == {"grammar", "other"}

    def test_stands_with_it_on_one_page(self, finished_grammar: Workshop) -> None:
        page = finished_grammar.folder / "results/grammar/side_by_side.html"

        links = _Links()
        links.feed(page.read_text(encoding="utf-8"))

        assert "2 experiments side by side" in " ".join(links.shown.split())
        assert {
            "#experiment-grammar",
            "#experiment-other",
            "../grammar/report.html",
            "../other/report.html",
        } <= set(links.addresses)
        assert len(links.ids) == len(set(links.ids))
        rows = read_tsv(page.parent / "figures/side_by_side.tsv")
        assert [row["experiment"] for row in rows] == ["grammar", "grammar", "other"]
        for row in rows:
            (bigram,) = {
                float(run["bigram_perplexity"])
                for run in read_tsv(page.parent.parent / row["experiment"] / "summary.tsv")
            }
            share = float(row["mean_test_perplexity"]) / bigram
            assert float(row["share_of_bigram"]) == pytest.approx(share, rel=1e-12)

    def test_may_be_named_on_the_command_line(self, finished_grammar: Workshop) -> None:
        planned = finished_grammar.planned(
            "--config", "beside=[smoke]", configfile="config/experiments/other.yaml"
        )

        assert planned["side_by_side"] == 1
        assert planned["smoke_train_and_measure"] == 2
        assert planned["train_and_measure"] == 0

    def test_has_its_own_settings_and_a_page_of_its_own(self, finished_grammar: Workshop) -> None:
        other = finished_grammar.folder / "results/other"

        (row,) = read_tsv(other / "summary.tsv")

        assert [path.name for path in (other / "runs").iterdir()] == [OTHER_RUN]
        assert row["run"] == OTHER_RUN
        assert (row["bias"], row["output"], row["batch_size"]) == ("true", "classes", "8")
        settings = read_json(other / "run.json")
        assert settings["grammar"]["markers"] == 3
        assert settings["beside"] == []
        assert {path.stem for path in (other / "checks").glob("gradient-*")} == {
            "gradient-elman-depth0"
        }
        vocabulary = read_tsv(other / "corpus/vocabulary.tsv")
        assert len(vocabulary) == 3 + 3 * 2 + 1  # reserved, open and close, a filler
        shown = _text(other / "report.html")
        assert "What stands beside it." in shown
        assert GRAMMAR_RUNS[0] not in shown

    def test_leaves_the_settings_of_the_other_as_they_are(self, finished_grammar: Workshop) -> None:
        grammar = finished_grammar.folder / "results/grammar"

        rows = read_tsv(grammar / "summary.tsv")

        assert sorted(path.name for path in (grammar / "runs").iterdir()) == GRAMMAR_RUNS
        assert {row["output"] for row in rows} == {"softmax"}
        assert {row["batch_size"] for row in rows} == {"32"}
        assert read_json(grammar / "run.json")["grammar"]["markers"] == 2
        assert OTHER_RUN not in {path.name for path in grammar.rglob("*")}

    def test_may_have_any_name_and_share_a_download(self, tmp_path: Path) -> None:
        shop = Workshop.new(tmp_path / "work shop")
        address = (
            "corpus: {source: url, url: 'http://a.invalid/b', size: 1, sha256: " + "a" * 64 + "}"
        )
        names = ["config", "workflow", "a-b", "a_b"]  # what rules know, what looks alike
        for name in names:
            shop.write(f"config/experiments/{name}.yaml", f"experiment: {name}\n{address}\n")
        shop.write("main.yaml", f"experiment: main\nbeside: [{', '.join(names)}]\n{address}\n")

        planned = shop.planned(configfile="main.yaml")

        assert planned["download"] == 1
        assert all(planned[f"{name}_acquire"] == 1 for name in names)

    def test_with_an_unsound_setting_is_named_in_the_error(self, tmp_path: Path) -> None:
        shop = Workshop.new(tmp_path / "work shop")
        shop.write("config/experiments/near.yaml", "experiment: near\ntraining: {epochs: 0}\n")
        shop.write("main.yaml", "experiment: main\nbeside: [near]\n")

        done = shop.snakemake("--dry-run", configfile="main.yaml")

        assert done.returncode == 2
        assert "ConfigError: experiment near: training.epochs must be" in done.stdout


OUTER = """\
module unrolled:
    snakefile:
        "workflow/Snakefile"
    prefix:
        "inner/"
    config:
        config["language_model"]


use rule * from unrolled as unrolled_*


rule outer:
    default_target: True
    input:
        "inner/results/grammar/runs/elman-hidden8-depth0-seed1",
    output:
        "outer.json",
    shell:
        "cp {input}/metrics.json {output}"
"""
"""A workflow that trains a run of this one and takes its measures away."""


class TestAnotherWorkflow:
    def test_uses_this_one_below_a_prefix_and_with_settings_of_its_own(
        self, tmp_path: Path
    ) -> None:
        shop = Workshop.new(tmp_path / "work shop")
        shop.write("outer.smk", OUTER)
        indented = GRAMMAR_TEXT.replace("\n", "\n  ").rstrip()
        shop.write("outer.yaml", f"experiment: no key of this one\nlanguage_model:\n  {indented}\n")

        done = shop.snakemake("--cores", "1", "-s", "outer.smk", configfile="outer.yaml")

        assert done.returncode == 0, done.stdout
        assert jobs(done.stdout)["unrolled_train_and_measure"] == 1
        results = shop.folder / "inner/results/grammar"
        assert read_json(shop.folder / "outer.json")["state"] == "finished"
        assert [path.name for path in (results / "state").iterdir()] == [GRAMMAR_RUNS[0]]
        assert len([*(results / "checks").glob("gate-*.json")]) == 1
        assert not (shop.folder / "results").exists()


class _Links(HTMLParser):
    """Addresses, ids and shown text of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.ids: list[str] = []
        self.shown = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in {"href", "src", "xlink:href", "action", "data"} and value is not None:
                self.addresses.append(value)
            if name == "id" and value is not None:
                self.ids.append(value)

    def handle_data(self, data: str) -> None:
        self.shown += data


def _text(page: Path) -> str:
    """What a page shows, in one line."""
    links = _Links()
    links.feed(page.read_text(encoding="utf-8"))
    return " ".join(links.shown.split())


def _paths(cell: str) -> list[str]:
    """The patterns that a cell of the table stands for: in backticks, braces spelled out."""
    patterns = [pattern.replace("RUN", "*") for pattern in re.findall("`([^`]+)`", cell)]
    folder = patterns[0].rpartition("/")[0]
    full = [
        pattern if "/" in pattern or not folder else f"{folder}/{pattern}" for pattern in patterns
    ]
    return [path.rstrip("/") for pattern in full for path in _spelled_out(pattern)]


def _spelled_out(pattern: str) -> list[str]:
    braces = re.search("{([^}]*)}", pattern)
    if braces is None:
        return [pattern]
    return [pattern.replace(braces[0], choice, 1) for choice in braces[1].split(",")]
