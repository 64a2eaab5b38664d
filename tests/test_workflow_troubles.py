"""What users give to the workflow: texts of their own, mistakes, and runs that fail."""

import functools
import hashlib
import html
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from unrolled.storage import read_json, read_tsv
from workshop import RUNS, SMOKE, Workshop, errors, jobs, side_by_side

STOPPED = {
    "that is blind": (
        "{central_tolerance: 0.9, complex_tolerance: 0.9}",
        "gradient-elman-depth1",
        r"elman at depth 1: the gradient check is blind to the fault '.+' in a copy",
    ),
    "of two sentences that are not learned by heart": (
        "{overfit_steps: 3}",
        "overfitting-elman-depth1",
        r"elman at depth 1: two sentences were not learned by heart: after 3 steps the loss is",
    ),
    "of an untrained network that is off": (
        "{initial_loss_difference: 1.0e-9}",
        "initial_loss-elman-hidden8",
        r"an untrained elman network of 8 hidden units does not begin at the loss of guessing",
    ),
}
"""Keys of the checks by which just one of them fails, its name, and what is said of it."""


class TestAFailure:
    def test_of_a_gradient_stops_the_runs_and_says_where(self, workshop: Workshop) -> None:
        workshop.edit(SMOKE, "truncation_depth: [1, full]", "truncation_depth: [1]")
        workshop.edit(
            "src/unrolled/model/cells/elman.py",
            "np.multiply(state, state)",
            "state.copy()",
        )
        shutil.rmtree(workshop.result("runs"))

        done = workshop.snakemake()

        assert done.returncode == 1
        (error,) = {line for line in errors(done.stdout) if "gradient" in line}
        assert "elman at depth 1: a gradient is wrong: " in error
        assert re.search(r"_weights\[.+\] is \S+ by back-propagation and \S+ by \S+ ", error)
        assert "Traceback" not in done.stdout
        check = read_json(workshop.result("checks/gradient-elman-depth1.json"))
        assert check["passed"] is False
        assert check["trouble"] in error
        assert not workshop.result("checks/gate-elman-hidden8-depth1.json").exists()
        assert not workshop.result("runs").exists()

    @pytest.mark.parametrize(("keys", "check", "message"), STOPPED.values(), ids=STOPPED)
    def test_of_a_check_stops_the_runs_and_its_evidence_stays(
        self, workshop: Workshop, keys: str, check: str, message: str
    ) -> None:
        workshop.edit(SMOKE, "truncation_depth: [1, full]", "truncation_depth: [1]")
        workshop.edit(SMOKE, "training:", f"checks: {keys}\n\ntraining:")
        shutil.rmtree(workshop.result("runs"))

        done = workshop.snakemake()

        assert done.returncode == 1
        (error,) = set(errors(done.stdout))
        assert re.search(message, error)
        assert error.endswith(f"; see results/smoke/checks/{check}.json")
        assert "Traceback" not in done.stdout
        evidence = read_json(workshop.result(f"checks/{check}.json"))
        assert evidence["passed"] is False
        assert evidence["trouble"] in error
        assert not workshop.result("checks/gate-elman-hidden8-depth1.json").exists()
        assert not workshop.result("runs").exists()

    def test_of_one_run_leaves_the_others_and_a_report_that_lists_it_with_its_reason(
        self, workshop: Workshop
    ) -> None:
        workshop.edit(
            "src/unrolled/stages/train.py",
            "    outcome = train(\n",
            "    if training.truncation_depth == 1:\n"
            "        __import__('os').kill(__import__('os').getpid(), 9)\n"
            "    outcome = train(\n",
        )

        first = workshop.snakemake()
        second = workshop.snakemake("--config", "missing_runs=allow")

        assert first.returncode != 0
        reason = "killed, likely out of memory"
        assert first.stdout.split("\n").count(f"{RUNS[0]}  failed: {reason}") == 1
        assert second.returncode == 0, second.stdout
        rows = read_tsv(workshop.result("summary.tsv"))
        assert [(row["run"], row["state"], row["reason"]) for row in rows] == [
            (RUNS[0], "missing", reason),
            (RUNS[1], "finished", ""),
        ]
        page = workshop.result("report.html").read_text(encoding="utf-8")
        assert f"missing: <bdi>{reason}</bdi>" in page

    def test_to_converge_of_one_run_leaves_the_other_and_the_report_shows_both(
        self, workshop: Workshop
    ) -> None:
        workshop.edit(SMOKE, "truncation_depth: [1, full]", "truncation_depth: [1]")
        workshop.edit(SMOKE, "seed: [1]", "seed: [1]\n  learning_rate: [0.02, 1.0e+9]")
        workshop.edit(SMOKE, "  learning_rate: 0.02  ", "  gradient_norm_limit: null  ")

        done = workshop.snakemake()

        assert done.returncode == 0, done.stdout
        good, bad = read_tsv(workshop.result("summary.tsv"))
        assert (good["state"], bad["state"]) == ("finished", "diverged")
        assert (good["learning_rate"], bad["test_perplexity"]) == ("0.02", "")
        page = html.unescape(workshop.result("report.html").read_text(encoding="utf-8"))
        assert f"diverged: <bdi>{bad['reason']}</bdi>" in page
        assert "No run finished" not in page

    def test_to_converge_is_a_result(self, workshop: Workshop) -> None:
        workshop.edit(
            SMOKE,
            "  learning_rate: 0.02",
            "  gradient_norm_limit: null\n  learning_rate: 1.0e+9",
        )

        done = workshop.snakemake()

        assert done.returncode == 0, done.stdout
        for row in read_tsv(workshop.result("summary.tsv")):
            assert row["state"] == "diverged"
            assert row["reason"]
            assert row["test_perplexity"] == ""
        assert read_tsv(workshop.result(f"runs/{RUNS[0]}/samples.tsv")) == []
        assert "No run finished" in workshop.result("report.html").read_text(encoding="utf-8")


def test_a_sweep_can_be_watched_while_it_runs(workshop: Workshop) -> None:
    workshop.edit(SMOKE, "learning_rate: 0.02", "learning_rate: 0.03")
    # what Snakemake leaves in the folder while it makes something there
    lock = workshop.folder / workshop.write(".snakemake/locks/0.output.lock", "metrics.json\n")
    before = workshop.hashes()

    done = workshop.snakemake("-q", "all", "--", "status", "preview")

    assert done.returncode == 0, done.stdout
    lines = done.stdout.split("\n")
    assert "smoke: 2 finished" in lines
    assert "smoke: 2 of 2 runs to do" in lines
    tables = [line.split() for line in lines if line.startswith(RUNS[0])]
    assert sorted(row[1] for row in tables) == ["finished", "train"]
    assert sum("train again: params changed" in line for line in lines) == 2
    assert any(line.startswith("Training alone is likely to take ") for line in lines)
    assert lock.exists()
    assert workshop.hashes() == before


TEXT = "\n\n".join(
    f"The cat number {n} sat on the mat. It did not like the dog at all! Was the dog to blame?"
    for n in range(40)
)
SMALL = (
    "text: {document: block, minimum_count: 1, vocabulary_size: 100, drop_repeated: false}\n"
    "sweep: {hidden_size: [4], truncation_depth: [2], seed: [1]}\n"
    "training: {epochs: 1}\n"
)


class TestTextOfTheUser:
    def test_can_be_a_folder_whose_name_has_spaces_and_signs_of_the_shell_and_hold_braces(
        self, workshop: Workshop
    ) -> None:
        folder = "my $(touch harm) `books` & 'é'; [1]*"
        workshop.write(f"{folder}/one.txt", TEXT.replace("the dog at", "the {unk} at"))
        workshop.write(f"{folder}/{{}} %s two.txt", TEXT.replace("cat", "horse"))
        experiment = workshop.write(
            "config/experiments/books.yaml",
            f'experiment: books\ncorpus: {{source: path, path: "{folder}"}}\n'
            + SMALL.replace("text: {", "text: {tokenizer: whitespace, unknown_token: '{unk}', "),
        )

        name = "results/books/corpus/profile.json"
        done = workshop.snakemake("--", name, configfile=experiment)

        assert done.returncode == 0, done.stdout
        profile = read_json(workshop.folder / name)
        assert sum(split["documents"] for split in profile["splits"].values()) == 80
        # every word of the training split is in the vocabulary, but for what stands for none
        assert profile["splits"]["train"]["unknown_rate"] > 0
        rows = read_tsv(workshop.folder / "results/books/corpus/vocabulary.tsv")
        assert "{unk}" not in {row["token"] for row in rows}
        assert not (workshop.folder / "harm").exists()

    def test_can_be_the_column_of_a_table_and_is_read_again_when_it_changes(
        self, workshop: Workshop
    ) -> None:
        rows = "".join(f'"{part}",me\n' for part in TEXT.split("\n\n"))
        workshop.write("comments.csv", f"body,author\n{rows}")
        experiment = workshop.write(
            "config/experiments/table.yaml",
            "experiment: table\n"
            "corpus: {source: path, path: comments.csv, form: csv, column: body}\n"
            + SMALL.replace("block", "row"),
        )

        name = "results/table/corpus/profile.json"
        done = workshop.snakemake("--", name, configfile=experiment)

        assert done.returncode == 0, done.stdout
        assert not workshop.planned("--", name, configfile=experiment)
        workshop.write("comments.csv", f"body,author\n{rows}{rows.replace('cat', 'horse')}")
        assert workshop.planned("--", name, configfile=experiment)["acquire"] == 1

    def test_can_be_downloaded_once_for_two_experiments_and_is_kept_by_its_checksum(
        self, workshop: Workshop, served_text: str
    ) -> None:
        done = {}
        for name in ("one", "two"):
            section = _address(served_text, TEXT)[:-1] + f", licence: {name}}}"
            experiment = workshop.write(
                f"config/experiments/{name}.yaml", f"experiment: {name}\ncorpus: {section}\n{SMALL}"
            )
            corpus = [f"results/{name}/corpus/{what}.json" for what in ("profile", "provenance")]
            done[name] = workshop.snakemake("--", *corpus, configfile=experiment)
            assert done[name].returncode == 0, done[name].stdout

        downloads = [jobs(call.stdout)["download"] for call in done.values()]
        assert downloads == [1, 0]
        one = "results/one/corpus/profile.json"
        assert not workshop.planned("--", one, configfile="config/experiments/one.yaml")
        sha256 = hashlib.sha256(TEXT.encode()).hexdigest()
        assert (workshop.folder / "results/downloads" / sha256).read_text() == TEXT
        for name in done:
            provenance = read_json(workshop.folder / f"results/{name}/corpus/provenance.json")
            assert provenance["urls"] == [served_text]
            assert provenance["downloaded_sha256"] == sha256
            assert provenance["licence"] == name

    def test_with_another_checksum_is_refused_and_earlier_results_stay(
        self, workshop: Workshop, served_text: str
    ) -> None:
        before = workshop.hashes()
        sha256 = "0" * 64
        section = f"{{source: url, url: '{served_text}', size: {len(TEXT)}, sha256: '{sha256}'}}"
        change = workshop.write("change.yaml", f"corpus: {section}\n")

        done = workshop.snakemake(change)

        assert done.returncode != 0
        error = next(line for line in done.stdout.split("\n") if line.startswith("DataError: "))
        assert served_text in error
        assert sha256 in error
        assert hashlib.sha256(TEXT.encode()).hexdigest() in error
        assert "Traceback" not in done.stdout
        assert workshop.hashes() == before


BAD = {
    "a key that stands twice": ("missing_runs: allow\nmissing_runs: refuse", "stands twice"),
    "an unknown key": ("training: {lerning_rate: 1}", "did you mean 'learning_rate'"),
    "classes that are tied": (
        "model: {output: classes, tied_weights: true}",
        "model.tied_weights must be false when model.output is 'classes'",
    ),
    "a negative depth": ("sweep: {truncation_depth: [0, -1]}", r"sweep.truncation_depth\[1\] must"),
    "a number as text": ("training: {learning_rate: 1e-3}", "as a number it is 1.0e-03"),
    "a package that is not there": ("corpus: {packages: [nunpy]}", "corpus.packages"),
    "a missing file": ("corpus: {source: path, path: nowhere.txt}", "nowhere.txt"),
    "an empty file": ("corpus: {source: path, path: empty.txt}", "empty.txt"),
    "a table taken for text": ("corpus: {source: path, path: t.csv}", "corpus.form must be"),
    "no such column": (
        "corpus: {source: path, path: t.csv, form: csv, column: body}",
        "corpus.column",
    ),
    "a checksum with no address": ("corpus: {source: url}", "corpus.url must be given"),
    "a placeholder in a path": (
        "evaluation: {sentences: 'my {run}.txt'}",
        r"evaluation.sentences must lead to .*'my \{run\}.txt'",
    ),
    "no sentences to score": ("evaluation: {sentences: empty.txt}", "empty.txt"),
    "a grammar with a symbol that has no rule": (
        "corpus: {source: grammar}\ngrammar: {language: file, path: no_rule.txt}",
        "no_rule.txt: 'X', which follows 'a' in a rule of 'S', must have a rule of its own",
    ),
    "probabilities that do not add up to 1": (
        "corpus: {source: grammar}\ngrammar: {language: file, path: sum.txt}",
        r"sum.txt: .*'S'.*1\b",
    ),
    "a grammar that does not end": (
        "corpus: {source: grammar}\ngrammar: {language: file, path: endless.txt}",
        "endless.txt: sentences must end",
    ),
    "a grammar that is not read from left to right": (
        "corpus: {source: grammar}\ngrammar: {language: file, path: symbol_first.txt}",
        "symbol_first.txt: every alternative of 'S' must begin with a word in quotes",
    ),
    "no experiment beside it": ("beside: [nobody]", "beside: 'nobody' must be an experiment with"),
}
"""What is laid over the smoke experiment, and what is said of it."""

FILES = {
    "empty.txt": "",
    "t.csv": "text\nhello\n",
    "no_rule.txt": "S -> 'a' X [1.0]\n",
    "sum.txt": "S -> 'a' [0.5] | 'b' [0.4]\n",
    "endless.txt": "S -> 'a' S S [0.6] | 'b' [0.4]\n",  # 1.2 times as many symbols each time
    "symbol_first.txt": "S -> X 'a' [1.0]\nX -> 'b' [1.0]\n",
}


@pytest.fixture(scope="module")
def misled(finished_smoke: Workshop, tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """A workshop in which nothing but the smoke experiment is sound."""
    workshop = finished_smoke.copy(tmp_path_factory.mktemp("bad") / "work shop")
    for name, text in FILES.items():
        workshop.write(name, text)
    for name, (text, _) in BAD.items():
        workshop.write(f"{name}.yaml", text)
    return workshop


@pytest.fixture(scope="module")
def refusals(misled: Workshop) -> dict[str, Future[subprocess.CompletedProcess[str]]]:
    """What comes of a call with each bad input."""
    return side_by_side({name: functools.partial(misled.snakemake, f"{name}.yaml") for name in BAD})


class TestBadInput:
    @pytest.mark.parametrize("name", BAD)
    def test_is_one_line_before_anything_runs(
        self, refusals: Mapping[str, Future[subprocess.CompletedProcess[str]]], name: str
    ) -> None:
        _, message = BAD[name]

        done = refusals[name].result()

        *_, last = done.stdout.strip().split("\n")
        assert done.returncode == 2
        assert last.startswith(("ConfigError: ", "DataError: "))
        assert re.search(message, last), last
        assert "Traceback" not in done.stdout

    @pytest.mark.usefixtures("refusals")
    def test_makes_nothing_and_costs_no_earlier_result(
        self, misled: Workshop, finished_smoke: Workshop
    ) -> None:
        assert misled.hashes() == finished_smoke.hashes()


@pytest.fixture
def served_text(tmp_path: Path) -> Iterator[str]:
    """The address of TEXT on this machine."""
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / "text.txt").write_text(TEXT)
    handler = functools.partial(_QuietHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/text.txt"
        server.shutdown()
        thread.join()


class _QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _address(url: str, text: str) -> str:
    """The corpus section for a download of a text."""
    content = text.encode()
    sha256 = hashlib.sha256(content).hexdigest()
    return f"{{source: url, url: '{url}', size: {len(content)}, sha256: '{sha256}'}}"


def test_an_experiment_without_its_own_name_is_refused(workshop: Workshop) -> None:
    nameless = workshop.write("config/experiments/nameless.yaml", "training: {epochs: 1}\n")

    done = workshop.snakemake("--dry-run", configfile=nameless)

    assert done.returncode == 2
    assert "experiment must be the name of its file, 'nameless' (got 'default')" in done.stdout


def test_a_run_that_is_none_of_the_sweep_is_refused_with_the_names_of_those_that_are(
    finished_smoke: Workshop,
) -> None:
    done = finished_smoke.snakemake("--dry-run", "--", "results/smoke/runs/nonsense")

    assert done.returncode == 1
    assert f"nonsense is no run of smoke; they are {', '.join(RUNS)}." in done.stdout
