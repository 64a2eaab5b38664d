"""How long each output layer takes to reach a perplexity, side by side.

    python benchmarks/time_to_perplexity.py [--wikitext ZIP] [--corpus FOLDER] [--seeds 1 2 3]
        [--contenders NAME ...] [--recipes FILE] [--results FOLDER]

Each contender of a corpus and a seed learns in a process of its own, of one thread. They take
turns: each learns until its next look at the validation loss, then the others do. Time is CPU time
of training alone, and of making word classes.

Writes time_to_perplexity.tsv after every look, and time_to_softmax.tsv after all contenders of a
corpus and a seed. What was measured before of other contenders, corpora and seeds stays.
"""

import argparse
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from learners import IN_PYTORCH, read_recipes
from perplexity_worker import Job
from processes import HERE, TUNED_ALLOCATOR, Process
from unrolled.storage import Cell, read_tsv, write_tsv

LOOKS = "time_to_perplexity.tsv"
COLUMNS = [
    "corpus",
    "contender",
    "seed",
    "epoch",
    "cpu_seconds",
    "validation_perplexity",
    "validation_loss_nats_per_token",
]
TIMES = "time_to_softmax.tsv"
TIMES_COLUMNS = [
    "corpus",
    "contender",
    "seed",
    "softmax_epochs",
    "softmax_perplexity",
    "softmax_cpu_seconds",
    "cpu_seconds",
    "times_faster",
]
COMPARED_WITH = "softmax"

Row = dict[str, Any]
Run = tuple[str, str, int]
"""Corpus, contender, seed."""


def measure(jobs: Sequence[tuple[str, Job]], runs: dict[Run, list[Row]], results: Path) -> None:
    """Let contenders learn in turns; their looks replace those of earlier runs.

    Args:
        jobs: contenders, and what they learn.
        runs: the looks of all runs, to be added to.
        results: the folder of the table.
    """
    workers = {
        (job.corpus, contender, job.seed): Process(
            "perplexity_worker.py",
            [contender, json.dumps(asdict(job))],
            TUNED_ALLOCATOR if contender.startswith(IN_PYTORCH) else {},
        )
        for contender, job in jobs
    }
    runs |= {run: [] for run in workers}
    while workers:
        for run, worker in list(workers.items()):
            answer = worker.ask()
            if "ended" in answer:
                if answer["ended"] is not None:
                    print(*run, "diverged:", answer["ended"], flush=True)
                workers.pop(run).close()
                continue
            runs[run].append(look_row(run, answer))
            write_tsv(results / LOOKS, COLUMNS, [row for key in sorted(runs) for row in runs[key]])
            show(runs[run][-1])


def look_row(run: Run, look: Mapping[str, float]) -> Row:
    """A row of the table of looks."""
    loss = look["validation_loss_nats_per_token"]
    return {
        **dict(zip(("corpus", "contender", "seed"), run, strict=True)),
        "epoch": round(look["epoch"], 4),
        "cpu_seconds": round(look["cpu_seconds"], 3),
        "validation_perplexity": round(math.exp(loss), 3),
        "validation_loss_nats_per_token": round(loss, 6),
    }


def show(row: Row) -> None:
    """A look, for reading along."""
    print(
        f"{row['corpus']:12} {row['contender']:18} seed {row['seed']}  epoch {row['epoch']:6.3f}"
        f" {row['cpu_seconds']:9.1f} s  perplexity {row['validation_perplexity']:9.1f}",
        flush=True,
    )


def read_looks(path: Path) -> dict[Run, list[Row]]:
    """The looks of earlier runs; none if there is no table."""
    runs: dict[Run, list[Row]] = {}
    for cells in read_tsv(path) if path.exists() else []:
        row: Row = {"corpus": cells["corpus"], "contender": cells["contender"]}
        row |= {"seed": int(cells["seed"])}
        row |= {column: float(cells[column]) for column in COLUMNS[3:]}
        runs.setdefault((row["corpus"], row["contender"], row["seed"]), []).append(row)
    return runs


def first_reached(seconds: Sequence[float], losses: Sequence[float], target: float) -> float | None:
    """When a loss first is the target or less; None if it never is.

    Between two looks the loss, the logarithm of the perplexity, is taken to fall along a straight
    line.
    """
    before: tuple[float, float] | None = None
    for now, loss in zip(seconds, losses, strict=True):
        if loss <= target:
            if before is None:
                return now
            then, higher = before
            return then + (now - then) * (higher - target) / (higher - loss)
        before = now, loss
    return None


def time_rows(runs: Mapping[Run, Sequence[Row]]) -> list[dict[str, Cell]]:
    """When each contender first was as good as the softmax of the same seed at its end."""
    rows: list[dict[str, Cell]] = []
    for (corpus, contender, seed), looks in sorted(runs.items()):
        compared = runs.get((corpus, COMPARED_WITH, seed))
        if contender == COMPARED_WITH or not compared or not looks:
            continue
        last = compared[-1]
        seconds, losses = (
            [look[column] for look in looks]
            for column in ("cpu_seconds", "validation_loss_nats_per_token")
        )
        reached = first_reached(seconds, losses, last["validation_loss_nats_per_token"])
        rows.append(
            {
                **dict(
                    zip(("corpus", "contender", "seed"), (corpus, contender, seed), strict=True)
                ),
                "softmax_epochs": last["epoch"],
                "softmax_perplexity": last["validation_perplexity"],
                "softmax_cpu_seconds": last["cpu_seconds"],
                "cpu_seconds": reached and round(reached, 3),
                "times_faster": reached and round(last["cpu_seconds"] / reached, 2),
            }
        )
    return rows


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(description="Time to perplexity, side by side.")
    parser.add_argument("--wikitext", type=Path, help="WikiText-2: a zip of wiki.train.tokens etc.")
    parser.add_argument("--corpus", type=Path, help="an experiment's: results/default/corpus")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1], help="a run for each")
    parser.add_argument("--contenders", nargs="+", help="these only")
    parser.add_argument("--recipes", type=Path, default=HERE / "time_to_perplexity.yaml")
    parser.add_argument("--results", type=Path, default=HERE / "results")
    found = parser.parse_args(arguments)
    if found.wikitext is None and found.corpus is None:
        parser.error("give --wikitext, --corpus or both")
    for path in (found.wikitext, found.corpus, found.recipes):
        if path is not None and not path.exists():
            parser.error(f"{path} does not exist")
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what the command line says."""
    given = parsed(arguments)
    paths = {"wikitext-2": given.wikitext, "default": given.corpus}
    recipes = read_recipes(given.recipes)
    runs = read_looks(given.results / LOOKS)
    for seed in given.seeds:
        for corpus, path in paths.items():
            if path is None:
                continue
            job = Job(corpus, str(path), str(given.recipes), seed)
            names = [name for name in recipes[corpus] if name in (given.contenders or [name])]
            measure([(name, job) for name in names], runs, given.results)
            rows = time_rows(runs)
            write_tsv(given.results / TIMES, TIMES_COLUMNS, rows)
    for row in rows:
        print("  ".join(f"{key} {value}" for key, value in row.items()))


if __name__ == "__main__":
    main()
