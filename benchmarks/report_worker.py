"""A stage that makes the report, in a process of its own.

    python benchmarks/report_worker.py STAGE FOLDER

FOLDER is what `sweep_material.make` has left. A stage is called with the same files as by the
workflow's script of its name.
"""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from sweep_results import Results, jobs
from unrolled.report.pictures import SUFFIXES
from unrolled.stages import report

NARROW = SUFFIXES[1]


def draw(results: Results) -> None:
    """Draw the pictures that show no times."""
    from unrolled.stages import figures

    figures.run(
        results.summary,
        results.run_folders,
        results.corpus / "baselines.tsv",
        results.corpus / "profile.json",
        results.checks("gradient"),
        results.figures,
    )


def draw_times(results: Results) -> None:
    """Draw the pictures that show times."""
    from unrolled.stages import time_figures

    time_figures.run(
        results.summary,
        results.run_folders,
        list(jobs(results)),
        results.figures,
    )


def write_page(results: Results) -> None:
    """Put the page together of what was drawn before."""
    report.run(
        results.config,
        results.corpus,
        results.summary,
        results.checks("gradient"),
        results.checks("overfitting"),
        results.checks("initial_loss"),
        True,
        results.run_folders,
        [path for path in sorted(results.figures.glob("*.svg")) if NARROW not in path.name],
        results.portraits,
        {},
        results.page,
        results.folder / "run.json",
        results.figures,
    )


STAGES: Mapping[str, Callable[[Results], None]] = {
    "figures": draw,
    "time_figures": draw_times,
    "report": write_page,
}


def main() -> None:
    stage, folder = sys.argv[1:]
    STAGES[stage](Results.read(Path(folder)))


if __name__ == "__main__":
    main()
