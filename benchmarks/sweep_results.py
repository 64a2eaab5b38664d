"""Where the results of a made-up sweep lie, as they are written and as they are read."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from unrolled.config.loading import section_part
from unrolled.config.sweep import Run, runs
from unrolled.storage import read_json

JOBS_OF_CORPUS = ["acquire", "provenance", "prepare", "vocabulary", "encode", "classes"]
JOBS_OF_CORPUS += ["baselines", "summarise"]


@dataclass(frozen=True)
class Results:
    """Where the results of an experiment lie.

    Attributes:
        folder: of all of them.
        config: its configuration.
    """

    folder: Path
    config: Mapping[str, Any]

    @classmethod
    def read(cls, folder: Path) -> "Results":
        """Those that `sweep_material.make` has left in a folder."""
        return cls(folder, read_json(folder / "config.json"))

    @cached_property
    def runs(self) -> list[Run]:
        """All of the sweep."""
        return runs(self.config)

    @property
    def first_runs(self) -> dict[str, Run]:
        """The first run of each network, by the network's name."""
        return {run.network: run for run in reversed(self.runs)}

    @property
    def run_folders(self) -> dict[str, Path]:
        """Of each run, by its name."""
        return {run.name: self.folder / "runs" / run.name for run in self.runs}

    @property
    def corpus(self) -> Path:
        """The folder of what was made of the text."""
        return self.folder / "corpus"

    @property
    def summary(self) -> Path:
        """The table of runs."""
        return self.folder / "summary.tsv"

    @property
    def portraits(self) -> Path:
        """The folder of what is shown of single runs."""
        return self.folder / "portraits"

    @property
    def figures(self) -> Path:
        """The folder of pictures."""
        return self.folder / "figures"

    @property
    def page(self) -> Path:
        """The report."""
        return self.folder / "report.html"

    def checks(self, kind: str) -> list[Path]:
        """The files of the checks of a kind, such as gradient."""
        return sorted((self.folder / "checks").glob(f"{kind}-*.json"))

    def section(self, name: str, record: type) -> Any:
        """A section of the configuration as its record."""
        return record(**section_part(self.config, name, record))


def jobs(results: Results) -> Iterator[tuple[str, Path]]:
    """The rule of each job that is measured, and the file of what Snakemake measures of it."""
    folder = results.folder / "benchmarks"
    for rule in JOBS_OF_CORPUS:
        yield rule, folder / f"{rule}.tsv"
    for kind in ("gradient", "overfitting", "initial_loss"):
        rule = {"gradient": "check_gradients"}.get(kind, f"check_{kind}")
        for check in results.checks(kind):
            yield rule, folder / rule / f"{check.stem.removeprefix(f'{kind}-')}.tsv"
