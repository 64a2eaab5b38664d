"""What Snakemake itself costs: to plan a large sweep, and to run the default one.

    python benchmarks/orchestration.py [--runs 1000 10000] [--rounds 3] [--experiment default]

A dry run of sweeps of so many runs is timed in turn with a dry run of as many jobs that a workflow
of two rules makes of one file each: what Snakemake cannot do without. Then the experiment is run to
its report, on one core and on two. The share of Snakemake is what is left of the cores' time once
the seconds of all jobs are taken away, which Snakemake measures from the start of a job's process
to its end; on two cores, what one of them waits for is in it, too.

Writes results/orchestration.tsv beside this file.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

from processes import HERE
from unrolled.storage import Cell, read_tsv, write_text, write_tsv

TABLE = "orchestration.tsv"
COLUMNS = ["what", "size", "jobs", "seconds", "plain_seconds", "share"]

ROOT = HERE.parent

LARGE = "experiment: large\nsweep: {{hidden_size: [25, 50], truncation_depth: [4], seed: [{}]}}\n"
"""Two networks with many seeds."""

PLAIN = """\
rule all:
    input:
        expand("made/{{number}}.txt", number=range({})),


rule one:
    output:
        "made/{{number}}.txt",
    shell:
        "touch {{output}}"
"""


def main() -> None:
    """Measure both and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, nargs="*", default=[1000, 10_000])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--experiment", default="default")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="orchestration.") as folder:
        project = Path(folder) / "project"
        for part in ("src", "workflow", "config"):
            shutil.copytree(ROOT / part, project / part)
        rows = [_planned(project, runs, options.rounds) for runs in options.runs]
        rows += _run(project, options.experiment)
    write_tsv(HERE / "results" / TABLE, COLUMNS, rows)


def _planned(project: Path, runs: int, rounds: int) -> dict[str, Cell]:
    """The dry run of a large sweep beside that of a plain workflow, medians of rounds in turn."""
    seeds = ", ".join(map(str, range(runs // 2)))
    write_text(project / "config/experiments/large.yaml", LARGE.format(seeds))
    write_text(project / "plain.smk", PLAIN.format(runs))
    large = ["--configfile", "config/experiments/large.yaml"]
    plain = ["--snakefile", "plain.smk", "--cores", "2", "--scheduler", "greedy"]
    pairs = [
        (_seconds(project, [*large, "--dry-run"]), _seconds(project, [*plain, "--dry-run"]))
        for _ in range(rounds)
    ]
    ours, others = (median(seconds) for seconds in zip(*pairs, strict=True))
    row: dict[str, Cell] = dict.fromkeys(COLUMNS)
    row |= {"what": "dry run", "size": runs, "jobs": runs}
    row |= {"seconds": round(ours, 1), "plain_seconds": round(others, 1)}
    print(row, flush=True)
    return row


def _run(project: Path, experiment: str) -> Iterator[dict[str, Cell]]:
    """The whole experiment on one core and on two, with what is left of their time."""
    settings = ["--configfile", f"config/experiments/{experiment}.yaml"]
    for cores in (1, 2):
        shutil.rmtree(project / "results", ignore_errors=True)
        shutil.rmtree(project / ".snakemake", ignore_errors=True)
        call = [*(settings if experiment != "default" else []), "--cores", str(cores)]
        wall = _seconds(project, call)
        jobs = [*_jobs(project / "results" / experiment / "benchmarks")]
        share = 1 - sum(jobs) / (cores * wall)
        row: dict[str, Cell] = dict.fromkeys(COLUMNS)
        row |= {"what": experiment, "size": cores, "jobs": len(jobs)}
        row |= {"seconds": round(wall, 1), "share": round(share, 3)}
        print(row, flush=True)
        yield row


def _jobs(folder: Path) -> Iterator[float]:
    """The seconds of each job that has been measured."""
    for path in sorted(folder.rglob("*.tsv")):
        yield from (float(row["s"]) for row in read_tsv(path))


def _seconds(project: Path, arguments: Sequence[str]) -> float:
    """The wall time of a call of Snakemake."""
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "snakemake", *arguments],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(project / "src"), "OPENBLAS_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
