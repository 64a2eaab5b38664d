"""What a call would train or measure, and what training is likely to take, by what earlier runs
have taken.
"""

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from unrolled.errors import DataError
from unrolled.report.numbers import whole
from unrolled.stages.estimates import Corpus, Measured, expected_memory_mb, expected_seconds
from unrolled.stages.keeping import state_folder
from unrolled.stages.progress import PROGRESS
from unrolled.stages.status import Standing, Sweeps, aligned, duration, standings
from unrolled.storage import read_json, read_tsv
from unrolled.training.checkpoint import newest_fingerprint

HEADS = ["run", "to do", "state", "time", "memory, MB"]

WHY = {"ok": "what it reads changes"}
"""Why a run is to be made again, by what Snakemake says of its files; else that is the reason."""

MEASURE = "measure again"
"""What is to be done of a run that goes on from its last checkpoint."""


@dataclass(frozen=True)
class Plan:
    """What is to be done of a run.

    Attributes:
        standing: where it stands.
        to_do: what, in words; None for nothing.
        seconds: how long it is likely to take; None if it is not known.
        memory_mb: likewise.
    """

    standing: Standing
    to_do: str | None
    seconds: float | None = None
    memory_mb: float | None = None

    @property
    def trains(self) -> bool:
        """Whether it is to be trained, and not only measured."""
        return self.to_do is not None and not self.to_do.startswith(MEASURE)


def run(
    sweeps: Sweeps,
    results: Path | str,
    command: Sequence[str],
    cores: int,
    code: str,
    called_in: Path | str | None = None,
) -> str:
    """For each experiment a table of its runs and what the rest takes, as text.

    Args:
        sweeps: the experiments.
        results: the folder of all results.
        command: prints a table of all files with the columns output_file, status and plan.
        cores: so many runs are trained at once.
        code: the hash of the code that trains.
        called_in: the folder in which the command is called; None for this one.

    Raises:
        DataError: the command fails.
    """
    changed = pending(command, called_in)
    return "\n\n".join(
        _text(name, plans(Path(results) / name, runs, changed, code), cores)
        for name, runs in sweeps.items()
    )


def pending(command: Sequence[str], called_in: Path | str | None = None) -> dict[str, str]:
    """The files that are to be made, and why, by what a command prints that is called in a folder,
    in this one by default.

    Raises:
        DataError: it fails.
    """
    done = subprocess.run(command, cwd=called_in, capture_output=True, text=True, check=False)
    lines = done.stdout.splitlines()
    starts = [number for number, line in enumerate(lines) if line.startswith("output_file\t")]
    if done.returncode or not starts:
        *_, last = ["no table", *done.stderr.splitlines()]
        raise DataError(f"{' '.join(command)} must print a table of files (got: {last})")
    columns, *rows = [line.split("\t") for line in lines[starts[0] :]]
    files = [dict(zip(columns, row, strict=False)) for row in rows]
    return {
        file["output_file"]: file["status"]
        for file in files
        if file.get("plan", "no update") != "no update"
    }


def plans(
    experiment: Path,
    runs: Mapping[str, Mapping[str, Any]],
    changed: Mapping[str, str],
    code: str,
) -> list[Plan]:
    """What is to be done of each run of an experiment.

    Args:
        experiment: the folder of its results.
        runs: the settings of each.
        changed: the files that are to be made, and why.
        code: the hash of the code that trains.
    """
    corpus, found = _corpus(experiment), standings(experiment, runs)
    measured = [one for stand in found for one in _measured(experiment, stand, runs[stand.run])]
    planned = []
    for stand in found:
        settings, folder = runs[stand.run], experiment / "runs" / stand.run
        goes_on = _same_text(experiment, settings, changed)
        goes_on = goes_on and _goes_on(state_folder(folder), settings, code)
        to_do = _to_do(stand, changed.get(str(folder)), goes_on)
        seconds = stand.seconds_left
        if seconds is None:
            share = _share_left(state_folder(folder)) if goes_on else 1.0
            seconds = expected_seconds(settings, corpus, measured, share)
        memory_mb = expected_memory_mb(settings, corpus, measured)
        planned.append(Plan(stand, to_do, seconds, memory_mb))
    return planned


def _measured(experiment: Path, stand: Standing, settings: Mapping[str, Any]) -> list[Measured]:
    """What a run has taken; nothing if it has not come as far."""
    if not stand.tokens_per_second:
        return []
    peak = None
    if stand.state in {"finished", "diverged"}:
        (timing,) = read_tsv(experiment / "runs" / stand.run / "timing.tsv")
        peak = float(timing["peak_memory_mb"])
    return [Measured(settings, stand.tokens_per_second, peak)]


def _corpus(experiment: Path) -> Corpus | None:
    """The corpus as it was made last; None if it was not."""
    try:
        profile = read_json(experiment / "corpus/profile.json")
    except DataError:
        return None
    split = profile["splits"]["train"]
    sentences = split["sentences"]
    return Corpus(split["tokens"] + sentences, sentences, profile["vocabulary_size"])


def _same_text(experiment: Path, settings: Mapping[str, Any], changed: Mapping[str, str]) -> bool:
    """Whether nothing that training reads of the text is to be made, and then may be another."""
    classes = ["classes.tsv"] if settings["output"] == "classes" else []
    read = ["encoded", "vocabulary.tsv", *classes]
    return not any(str(experiment / "corpus" / name) in changed for name in read)


def _goes_on(state: Path, settings: Mapping[str, Any], code: str) -> bool:
    """Whether a run would go on from its last checkpoint, unless the text is another."""
    found = newest_fingerprint(state)
    if found is None:
        return False
    same_settings = {**found["model"], **found["training"]} == settings
    return same_settings and (found["code"], found["numpy"]) == (code, np.__version__)


def _share_left(state: Path) -> float:
    """What a run has still to go from its checkpoint, which is a minute behind its progress."""
    try:
        return 1.0 - float(read_json(state / PROGRESS)["share"])
    except DataError:
        return 1.0


def _to_do(standing: Standing, why: str | None, goes_on: bool) -> str | None:
    """What is to be done of a run, in words, by why its files are to be made; None for nothing."""
    if standing.state == "running":
        return "is being trained"
    if why is None or why == "missing":
        return why and "train"
    return f"{MEASURE if goes_on else 'train again'}: {WHY.get(why, why)}"


def _text(name: str, found: Sequence[Plan], cores: int) -> str:
    """The table of an experiment's runs, and what the rest takes."""
    rows = [
        [
            plan.standing.run,
            plan.to_do or "–",
            plan.standing.state,
            duration(plan.seconds) if plan.to_do else "",
            whole(plan.memory_mb) if plan.to_do else "",
        ]
        for plan in found
    ]
    rest = [plan for plan in found if plan.to_do]
    head = f"{name}: {len(rest)} of {len(found)} runs to do"
    return "\n".join([head, "", *aligned(HEADS, rows), "", _total(rest, cores)])


def _total(rest: Sequence[Plan], cores: int) -> str:
    """What all of it takes, in a sentence."""
    seconds = [plan.seconds for plan in rest if plan.seconds is not None]
    if not rest:
        return "Nothing is to be trained."
    if not any(plan.trains for plan in rest):
        return "Nothing is to be trained, only measured."
    if len(seconds) < len(rest):
        return "How long that takes is not known before a first run has trained for some seconds."
    at_once = sorted((plan.memory_mb or 0 for plan in rest), reverse=True)[:cores]
    together = max(sum(seconds) / cores, *seconds)
    return (
        f"Training alone is likely to take {duration(together)} on {cores}"
        f" core{'' if cores == 1 else 's'} ({duration(sum(seconds))} on one), and"
        f" {whole(sum(at_once))} MB of memory for {len(at_once)} at once."
    )
