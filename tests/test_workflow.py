"""The workflow as its users call it, on the smoke experiment."""

import functools
import hashlib
import re
import sysconfig
import threading
import venv
from collections.abc import Iterator
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from unrolled.storage import read_json, read_tsv
from workshop import ROOT, SMOKE, Workshop

RUNS = ["elman-hidden8-depth1-seed1", "elman-hidden8-depthfull-seed1"]

ASKED = ["own_", "classes.tsv"]
"""In names of files that are made only when asked for, which the smoke experiment does not."""

NOT_THE_SAME_EACH_TIME = {"timing.tsv", "provenance.json", "report.html"}
"""Files that hold times; report.html shows them."""


class TestTheWholeChain:
    def test_makes_every_product_that_the_readme_of_results_lists(
        self, finished_smoke: Workshop
    ) -> None:
        table = (ROOT / "results/README.md").read_text(encoding="utf-8")
        cells = [line.split("|")[1] for line in table.split("\n") if line.startswith("| `")]
        patterns = [pattern for cell in cells for pattern in _paths(cell)]
        patterns = [pattern for pattern in patterns if not any(part in pattern for part in ASKED)]

        missing = [
            pattern for pattern in patterns if not any(finished_smoke.result("").glob(pattern))
        ]

        assert len(patterns) > 25
        assert missing == []

    def test_makes_nothing_that_the_readme_of_results_does_not_list(
        self, finished_smoke: Workshop
    ) -> None:
        table = (ROOT / "results/README.md").read_text(encoding="utf-8")
        cells = [line.split("|")[1] for line in table.split("\n") if line.startswith("| `")]
        listed: set[Path] = set()
        for pattern in (pattern for cell in cells for pattern in _paths(cell)):
            listed |= set(finished_smoke.result("").glob(pattern))

        made = {path for path in finished_smoke.result("").rglob("*") if path.is_file()}

        unlisted = {path for path in made if not {path, *path.parents} & listed}
        assert unlisted == set()

    def test_finishes_all_runs_better_than_single_words(self, finished_smoke: Workshop) -> None:
        rows = read_tsv(finished_smoke.result("summary.tsv"))

        assert [row["run"] for row in rows] == RUNS
        for row in rows:
            assert row["state"] == "finished"
            assert float(row["test_perplexity"]) < float(row["unigram_perplexity"])

    def test_leaves_nothing_to_be_done(self, finished_smoke: Workshop) -> None:
        assert not finished_smoke.planned()

    def test_gives_the_same_bytes_again(self, finished_smoke: Workshop, tmp_path: Path) -> None:
        again = Workshop.new(tmp_path / "again")

        done = again.snakemake("--cores", "1", PYTHONHASHSEED="7", LC_ALL="C")

        assert done.returncode == 0, done.stdout
        assert _hashes(again) == _hashes(finished_smoke)

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

        gate = "results/smoke/checks/gate-elman-depth1.json"
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

    def test_has_no_id_twice(self, finished_smoke: Workshop) -> None:
        links = _Links()

        links.feed(finished_smoke.result("report.html").read_text(encoding="utf-8"))

        assert len(links.ids) == len(set(links.ids))

    def test_shows_every_run_and_every_sample(self, finished_smoke: Workshop) -> None:
        text = _Links()
        text.feed(finished_smoke.result("report.html").read_text(encoding="utf-8"))

        for run in RUNS:
            assert run in text.shown
            for sample in read_tsv(finished_smoke.result(f"runs/{run}/samples.tsv")):
                assert sample["text"] in text.shown

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
            "sweep: {hidden_size: [4], truncation_depth: [0], seed: [1]}\n",
        )

        done = workshop.snakemake(configfile="config/experiments/evil.yaml")

        assert done.returncode == 0, done.stdout
        page = (workshop.folder / "results/evil/report.html").read_text(encoding="utf-8")
        assert "<script" not in page
        assert "<img" not in page
        assert "<b>none" not in page
        assert "{{ 7*7 }}" in page

    def test_can_be_made_by_snakemake_itself(self, workshop: Workshop) -> None:
        done = workshop.snakemake("--report", "snakemake.html")

        assert done.returncode == 0, done.stdout
        page = (workshop.folder / "snakemake.html").read_text(encoding="utf-8")
        for caption in ("Training and validation loss of every run", "Mean test perplexity"):
            assert caption in page


class TestAnotherCall:
    def test_after_a_change_of_sampling_draws_again_and_reports(self, workshop: Workshop) -> None:
        workshop.edit(SMOKE, "training:", "sampling: {temperature: 0.7}\n\ntraining:")

        assert workshop.planned() == {"sample": 2, "report": 1}

    def test_after_a_hidden_size_was_added_trains_the_new_runs_only(
        self, workshop: Workshop
    ) -> None:
        workshop.edit(SMOKE, "hidden_size: [8]", "hidden_size: [8, 9]")

        planned = workshop.planned()

        assert planned["train"] == planned["evaluate"] == planned["sample"] == 2
        assert planned["check_gradients"] == planned["gate"] == planned["encode"] == 0

    def test_after_a_depth_was_added_checks_and_trains_that_depth_only(
        self, workshop: Workshop
    ) -> None:
        workshop.edit(SMOKE, "truncation_depth: [1, full]", "truncation_depth: [1, 3, full]")

        planned = workshop.planned()

        assert planned["train"] == planned["check_gradients"] == 1

    def test_after_a_depth_was_taken_away_shows_the_others_and_runs_none(
        self, workshop: Workshop
    ) -> None:
        workshop.edit(SMOKE, "truncation_depth: [1, full]", "truncation_depth: [1]")

        assert workshop.planned() == {"summarise": 1, "figures": 1, "report": 1}

    def test_after_a_change_of_the_checks_and_of_sampling_does_both(
        self, workshop: Workshop
    ) -> None:
        both = "checks: {tolerance: 1.0e-6}\nsampling: {temperature: 0.7}\n\ntraining:"
        workshop.edit(SMOKE, "training:", both)

        planned = workshop.planned()

        assert planned["check_gradients"] == planned["sample"] == 2

    def test_after_a_note_of_the_licence_runs_nothing_that_is_counted(
        self, workshop: Workshop
    ) -> None:
        workshop.edit(SMOKE, "corpus:\n", "corpus:\n  licence: CC0\n")

        assert workshop.planned() == {"provenance": 1, "report": 1}

    def test_in_another_order_of_keys_runs_nothing(self, workshop: Workshop) -> None:
        old, new = "epochs: 2\n  batch_size: 16", "batch_size: 16\n  epochs: 2"
        workshop.edit(SMOKE, old, new)

        assert not workshop.planned()

    def test_after_an_edit_of_the_model_checks_and_trains_again(self, workshop: Workshop) -> None:
        workshop.edit(
            "src/unrolled/model/cells/elman.py", "np.multiply(state, state)", "np.square(state)"
        )

        planned = workshop.planned()

        assert planned["check_gradients"] == planned["train"] == 2

    def test_after_an_edit_of_code_runs_what_uses_it_and_what_follows(
        self, workshop: Workshop
    ) -> None:
        workshop.edit(
            "src/unrolled/analysis/sampling.py",
            "growing = list(range(len(samples)))",
            "growing = [*range(len(samples))]",
        )

        assert workshop.planned() == {"sample": 2, "report": 1}

    def test_after_an_edit_of_the_page_writes_the_report_only(self, workshop: Workshop) -> None:
        workshop.edit("src/unrolled/report/page.html", '<h2 id="samples">', "<h2 id='samples'>")

        assert workshop.planned() == {"report": 1}

    def test_after_a_comment_or_a_docstring_runs_nothing(self, workshop: Workshop) -> None:
        name = "src/unrolled/model/network.py"
        workshop.edit(name, "import numpy as np\n", "import numpy as np  # a comment\n")
        workshop.edit(name, '"""A recurrent language model.\n', '"""Another docstring.\n')

        assert not workshop.planned()


class TestWordClasses:
    def test_are_made_and_checked_and_trained_with_where_runs_go_by_them(
        self, workshop: Workshop
    ) -> None:
        workshop.edit(SMOKE, "seed: [1]", "seed: [1]\n  output: [softmax, classes]")

        planned = workshop.planned()
        done = workshop.snakemake()

        # the checks of the softmax are there already; the names of all runs are new
        assert planned["classes"] == 1
        assert planned["check_gradients"] == planned["gate"] == 2
        assert planned["train"] == 4
        assert done.returncode == 0, done.stdout
        for depth in ("1", "full"):
            check = read_json(workshop.result(f"checks/gradient-elman-classes-depth{depth}.json"))
            assert (check["output"], check["passed"]) == ("classes", True)
        rows = read_tsv(workshop.result("summary.tsv"))
        assert [(row["output"], row["state"]) for row in rows] == [
            ("softmax", "finished"),
            ("classes", "finished"),
        ] * 2
        assert read_tsv(workshop.result("corpus/classes.tsv"))
        assert read_tsv(workshop.result("corpus/telling_classes.tsv"))
        page = workshop.result("report.html").read_text(encoding="utf-8")
        assert "words stand alone, each of them a class of its own" in page
        assert not workshop.planned()

    def test_are_not_made_where_no_run_goes_by_them(self, workshop: Workshop) -> None:
        assert not workshop.result("corpus/classes.tsv").exists()
        workshop.edit(SMOKE, "training:", "classes: {words_alone: 9}\n\ntraining:")

        assert workshop.planned() == {"report": 1}  # which shows the whole configuration


class TestAFailure:
    def test_of_a_gradient_stops_the_cell_and_says_where(self, tmp_path: Path) -> None:
        workshop = Workshop.new(tmp_path / "wrong")
        workshop.edit(
            "src/unrolled/model/cells/elman.py",
            "np.multiply(state, state)",
            "state.copy()",
        )

        done = workshop.snakemake()

        assert done.returncode != 0
        assert "CheckError: the gradient of elman at depth" in done.stdout
        assert "by back-propagation and" in done.stdout
        assert "Traceback" not in done.stdout
        assert not workshop.result("runs").exists() or not any(workshop.result("runs").iterdir())
        assert read_json(workshop.result("checks/gradient-elman-depth1.json"))["passed"] is False

    def test_of_one_run_leaves_the_others_and_a_report_that_lists_it(
        self, workshop: Workshop
    ) -> None:
        workshop.edit(
            "src/unrolled/stages/train.py",
            "    corpus, folder = Path(corpus), Path(folder)\n",
            "    corpus, folder = Path(corpus), Path(folder)\n"
            "    if training.truncation_depth == 1:\n"
            "        raise OSError('the disk fell off')\n",
        )

        first = workshop.snakemake()
        second = workshop.snakemake("--config", "missing_runs=allow")

        assert first.returncode != 0
        assert second.returncode == 0, second.stdout
        states = {row["run"]: row["state"] for row in read_tsv(workshop.result("summary.tsv"))}
        assert states == {RUNS[0]: "missing", RUNS[1]: "finished"}
        page = workshop.result("report.html").read_text(encoding="utf-8")
        assert "missing" in page

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


BAD = {
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
    "a table without a column": ("corpus: {source: path, path: t.csv}", "corpus.column must name"),
    "no such column": ("corpus: {source: path, path: t.csv, column: body}", "corpus.column"),
    "a checksum with no address": ("corpus: {source: url}", "corpus.url must be given"),
    "no sentences to score": ("evaluation: {sentences: empty.txt}", "empty.txt"),
}


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
    def test_can_be_a_folder_whose_name_has_a_space(self, workshop: Workshop) -> None:
        workshop.write("my books/one.txt", TEXT)
        workshop.write("my books/two.txt", TEXT.replace("cat", "horse"))
        experiment = workshop.write(
            "config/experiments/books.yaml",
            f"experiment: books\ncorpus: {{source: path, path: my books}}\n{SMALL}",
        )

        done = workshop.snakemake(configfile=experiment)

        assert done.returncode == 0, done.stdout
        profile = read_json(workshop.folder / "results/books/corpus/profile.json")
        assert sum(split["documents"] for split in profile["splits"].values()) == 80

    def test_can_be_the_column_of_a_table_and_is_read_again_when_it_changes(
        self, workshop: Workshop
    ) -> None:
        rows = "".join(f'"{part}",me\n' for part in TEXT.split("\n\n"))
        workshop.write("comments.csv", f"body,author\n{rows}")
        experiment = workshop.write(
            "config/experiments/table.yaml",
            "experiment: table\ncorpus: {source: path, path: comments.csv, column: body}\n"
            + SMALL.replace("block", "row"),
        )

        done = workshop.snakemake(configfile=experiment)

        assert done.returncode == 0, done.stdout
        assert not workshop.planned(configfile=experiment)
        workshop.write("comments.csv", f"body,author\n{rows}{rows.replace('cat', 'horse')}")
        assert workshop.planned(configfile=experiment)["acquire"] == 1

    def test_can_be_downloaded_and_is_kept_by_its_checksum(
        self, workshop: Workshop, served_text: str
    ) -> None:
        experiment = workshop.write(
            "config/experiments/web.yaml",
            f"experiment: web\ncorpus: {_address(served_text, TEXT)}\n{SMALL}",
        )

        done = workshop.snakemake(configfile=experiment)

        assert done.returncode == 0, done.stdout
        sha256 = hashlib.sha256(TEXT.encode()).hexdigest()
        assert (workshop.folder / "results/downloads" / sha256).read_text() == TEXT
        provenance = read_json(workshop.folder / "results/web/corpus/provenance.json")
        assert provenance["url"] == served_text

    def test_can_be_shared_by_two_experiments(self, workshop: Workshop, served_text: str) -> None:
        for name in ("one", "two"):
            section = _address(served_text, TEXT)[:-1] + f", licence: {name}}}"
            experiment = workshop.write(
                f"config/experiments/{name}.yaml", f"experiment: {name}\ncorpus: {section}\n{SMALL}"
            )
            done = workshop.snakemake(configfile=experiment)
            assert done.returncode == 0, done.stdout

        for name in ("one", "two"):
            assert not workshop.planned(configfile=f"config/experiments/{name}.yaml")

    def test_with_another_checksum_is_refused_and_earlier_results_stay(
        self, workshop: Workshop, served_text: str
    ) -> None:
        before = _hashes(workshop)
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
        assert _hashes(workshop) == before


class TestBadInput:
    @pytest.mark.parametrize(("text", "message"), BAD.values(), ids=BAD)
    def test_is_one_line_before_anything_runs(
        self, finished_smoke: Workshop, tmp_path: Path, text: str, message: str
    ) -> None:
        workshop = finished_smoke
        before = _hashes(workshop)
        workshop.write("empty.txt", "")
        workshop.write("t.csv", "text\nhello\n")
        bad = tmp_path / "bad.yaml"
        bad.write_text(text)

        done = workshop.snakemake(str(bad))

        *_, last = done.stdout.strip().split("\n")
        assert done.returncode == 2
        assert last.startswith(("ConfigError: ", "DataError: "))
        assert re.search(message, last), last
        assert "Traceback" not in done.stdout
        assert _hashes(workshop) == before


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

    done = workshop.snakemake(configfile=nameless)

    assert done.returncode == 2
    assert "experiment must be the name of its file, 'nameless' (got 'default')" in done.stdout


def test_a_sweep_over_a_further_key_tells_its_runs_apart(workshop: Workshop) -> None:
    further = "seed: [1]\n  gradient_norm_limit: [null, 0.5]"
    workshop.edit(SMOKE, "seed: [1]", further)

    done = workshop.snakemake()

    assert done.returncode == 0, done.stdout
    rows = read_tsv(workshop.result("summary.tsv"))
    assert [row["gradient_norm_limit"] for row in rows] == ["none", "0.5"] * 2
    assert rows[0]["run"] == f"{RUNS[0]}-gradient_norm_limitnone"
    assert "gradient norm limit 0.5" in workshop.result("figures/spread.svg").read_text()


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


def _hashes(workshop: Workshop) -> dict[str, str]:
    """The content of every result that must be the same each time."""
    results = workshop.folder / "results"
    return {
        str(path.relative_to(results)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(results.rglob("*"))
        if path.is_file()
        and path.name not in NOT_THE_SAME_EACH_TIME
        and not {"logs", "benchmarks"} & set(path.relative_to(results).parts)
    }
