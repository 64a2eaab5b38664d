"""A whole sweep, and the cost of each stage of the chain.

    python benchmarks/sweep.py [--rounds 3]

The sweep of sweep.yaml is trained by Snakemake, two single-thread jobs at once, and its runs by
PyTorch: one after another, and in two processes at once, one thread each. (One process of two
threads was slower than one of one.) They take turns, round after round. Then the rest of the chain
is run, and what Snakemake has measured of each job is added up by rule.

Writes results/sweep.tsv and results/stages.tsv beside this file.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from snakemake.utils import update_config

from processes import TUNED_ALLOCATOR
from unrolled.config.sweep import runs
from unrolled.storage import Cell, read_tsv, write_json, write_tsv

HERE = Path(__file__).parent
ROOT = HERE.parent
RESULTS = HERE / "results"
PREPARED = ("encode", "gate")
"""What must be there before the clock runs."""


def snakemake(folder: Path, *arguments: str) -> None:
    """Call Snakemake with the sweep, the results going to a folder."""
    subprocess.run(
        [
            *(sys.executable, "-m", "snakemake", "--snakefile", ROOT / "workflow/Snakefile"),
            *("--configfile", HERE / "sweep.yaml", "--directory", folder),
            *("--cores", "2", *arguments),
        ],
        check=True,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )


def settings() -> list[dict[str, Any]]:
    """The settings of each run of the sweep."""
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))
    update_config(config, yaml.safe_load((HERE / "sweep.yaml").read_text(encoding="utf-8")))
    return [run.settings for run in runs(config)]


def by_snakemake(folder: Path) -> float:
    """The validation loss over all runs, trained by the workflow, which measures them too."""
    trained = folder / "results/sweep/runs"
    for left in (trained, folder / "results/sweep/state"):
        shutil.rmtree(left, ignore_errors=True)
    snakemake(folder, "--until", "train_and_measure")
    histories = [read_tsv(path) for path in sorted(trained.glob("*/history.tsv"))]
    return float(np.mean([float(rows[-1]["validation_loss_nats_per_token"]) for rows in histories]))


def by_torch(folder: Path, jobs: int = 1) -> float:
    """The validation loss over all runs, trained by PyTorch in some processes at once."""
    parts = [settings()[job::jobs] for job in range(jobs)]
    processes = []
    for job, part in enumerate(parts):
        write_json(folder / f"runs{job}.json", part)
        command: list[str | Path] = [
            *(sys.executable, HERE / "torch_sweep.py", folder / "results/sweep/corpus"),
            folder / f"runs{job}.json",
        ]
        environment = {**os.environ, **TUNED_ALLOCATOR}
        processes.append(
            subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        )
    answers = [process.communicate()[0] for process in processes]
    return float(np.average([float(answer) for answer in answers], weights=list(map(len, parts))))


def stage_rows(folder: Path) -> Iterator[dict[str, Cell]]:
    """What each rule has cost, dearest first."""
    jobs: dict[str, list[dict[str, str]]] = defaultdict(list)
    benchmarks = folder / "results/sweep/benchmarks"
    for path in benchmarks.rglob("*.tsv"):
        jobs[path.relative_to(benchmarks).parts[0].removesuffix(".tsv")] += read_tsv(path)
    seconds = {stage: sum(float(job["s"]) for job in rows) for stage, rows in jobs.items()}
    for stage in sorted(seconds, key=lambda stage: -seconds[stage]):
        memory = [float(job["max_rss"]) for job in jobs[stage] if job["max_rss"] not in ("-", "NA")]
        yield {
            "stage": stage,
            "jobs": len(jobs[stage]),
            "seconds": round(seconds[stage], 1),
            "share": round(seconds[stage] / sum(seconds.values()), 3),
            "largest_memory_mb": round(max(memory)) if memory else None,
        }


def main() -> None:
    parser = argparse.ArgumentParser(description="A whole sweep, and the cost of each stage.")
    parser.add_argument("--rounds", type=int, default=3, help="how often each way is taken")
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        snakemake(folder, "--until", *PREPARED)
        ways: dict[tuple[str, int], Callable[[], float]] = {
            ("unrolled", 2): lambda: by_snakemake(folder),
            ("torch-tuned", 1): lambda: by_torch(folder),
            ("torch-tuned", 2): lambda: by_torch(folder, jobs=2),
        }
        seconds: dict[tuple[str, int], list[float]] = {way: [] for way in ways}
        losses: dict[tuple[str, int], float] = {}
        for _ in range(rounds):
            for way, train in ways.items():
                began = time.perf_counter()
                losses[way] = train()
                seconds[way].append(time.perf_counter() - began)
                print(way, round(seconds[way][-1], 1), "seconds", flush=True)
        snakemake(folder)
        stages = list(stage_rows(folder))
    own = np.array(seconds["unrolled", 2])
    rows: list[dict[str, Cell]] = [
        {
            "contender": contender,
            "threads": 1,
            "jobs_at_once": jobs,
            "runs": len(settings()),
            "median_seconds": round(float(np.median(found)), 1),
            "lowest": round(min(found), 1),
            "highest": round(max(found), 1),
            "unrolled_is_faster_by": round(float(np.median(np.array(found) / own)), 2),
            "mean_validation_loss": round(losses[contender, jobs], 3),
        }
        for (contender, jobs), found in seconds.items()
    ]
    write_tsv(RESULTS / "sweep.tsv", list(rows[0]), rows)
    write_tsv(RESULTS / "stages.tsv", list(stages[0]), stages)
    for row in [*rows, *stages]:
        print("  ".join(f"{key} {value}" for key, value in row.items()))


if __name__ == "__main__":
    main()
