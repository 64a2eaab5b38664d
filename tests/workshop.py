"""A copy of the project in which the workflow is run, and edited, by the tests."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

ROOT = Path(__file__).resolve().parent.parent
SMOKE = "config/experiments/smoke.yaml"
GRAMMAR = "config/experiments/grammar.yaml"

RUNS = ["elman-hidden8-depth1-seed1", "elman-hidden8-depthfull-seed1"]
"""Those of the smoke experiment."""

GRAMMAR_TEXT = """\
experiment: grammar
corpus: {source: grammar}
grammar:
  markers: 2
  distances: [1, 2]
  fillers: 2
  training_sentences: 300
  validation_sentences: 50
  test_sentences: 100
text: {minimum_count: 1}
sweep: {hidden_size: [8], truncation_depth: [0, full], seed: [1]}
model: {output: softmax}
training: {epochs: 1}
checks: {overfit_steps: 1, overfit_loss: 9.0}  # which passes at once; smoke learns by heart
"""
"""The smallest experiment on sentences from a grammar of eight words."""

NOT_THE_SAME_EACH_TIME = {
    "timing.tsv",
    "steps.tsv",
    "provenance.json",
    "checksums.tsv",
    "inventory.tsv",
}
"""Files that hold times."""

TIME_PICTURES = {"cost", "stages"}
"""Pictures that show them."""

SHOWN_TIMES = re.compile(rb'<section aria-labelledby="time">.*?</section>', re.DOTALL)
"""The part of the report that shows them."""

T = TypeVar("T")


def side_by_side(calls: Mapping[str, Callable[[], T]]) -> dict[str, Future[T]]:
    """What each call comes to, or how it fails; a call uses one core, so some run at a time."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return {name: pool.submit(call) for name, call in calls.items()}


class Workshop:
    """A checkout of its own, whose library is the one that its Snakemake imports."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def new(cls, folder: Path) -> "Workshop":
        """A copy of the project as it stands, without results."""
        for part in ("src", "workflow", "config"):
            shutil.copytree(
                ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__")
            )
        return cls(folder)

    def copy(self, folder: Path) -> "Workshop":
        """This workshop once more, with its results and their times."""
        shutil.copytree(self.folder, folder)
        return Workshop(folder)

    def snakemake(
        self,
        *arguments: str,
        configfile: str | None = SMOKE,
        python: str = sys.executable,
        **environment: str,
    ) -> subprocess.CompletedProcess[str]:
        """Call snakemake as a user would; standard output and error come back together."""
        files = ["--configfile", configfile] if configfile else []
        return subprocess.run(
            [python, "-m", "snakemake", *files, *arguments],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(self.folder / "src"), **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    def planned(self, *arguments: str, configfile: str = SMOKE) -> Counter[str]:
        """How many jobs of each rule a call would run."""
        done = self.snakemake("--dry-run", *arguments, configfile=configfile)
        assert done.returncode == 0, done.stdout
        return jobs(done.stdout)

    def write(self, name: str, text: str) -> str:
        """Write a file of the workshop and give its name back."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return name

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace a text that stands in a file exactly once."""
        path = self.folder / name
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {name}"
        path.write_text(text.replace(old, new), encoding="utf-8")

    def result(self, name: str) -> Path:
        """A product of the smoke experiment."""
        return self.folder / "results/smoke" / name

    def hashes(self) -> dict[str, str]:
        """The content of every result that must be the same each time, by its name."""
        results = self.folder / "results"
        return {
            path.relative_to(results).as_posix(): _hash(path)
            for path in sorted(results.rglob("*"))
            if path.is_file()
            and path.name not in NOT_THE_SAME_EACH_TIME
            and not {"logs", "benchmarks", "state"} & set(path.relative_to(results).parts)
            and not (path.parent.name == "figures" and path.name.split(".")[0] in TIME_PICTURES)
        }


def jobs(output: str) -> Counter[str]:
    """How many jobs of each rule Snakemake says that it runs, `all` and `total` left out."""
    table = re.search(r"^Job stats:\n(.*?)\n\n", output, re.DOTALL | re.MULTILINE)
    if table is None:
        assert "Nothing to be done" in output, output
        return Counter()
    rows = re.findall(r"^([\w-]+) +(\d+)$", table[1], re.MULTILINE)
    return Counter({rule: int(n) for rule, n in rows if rule not in {"all", "total"}})


def errors(output: str) -> list[str]:
    """The lines in which a job says what was wrong."""
    return re.findall(r"^[A-Z][A-Za-z]+Error: .*$", output, re.MULTILINE)


def _hash(path: Path) -> str:
    content = path.read_bytes()
    if path.name == "report.html":
        content, taken_out = SHOWN_TIMES.subn(b"", content)
        assert taken_out == 1, f"times stand {taken_out} times in {path}"
    return hashlib.sha256(content).hexdigest()
