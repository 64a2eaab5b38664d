"""Where each run of a sweep stands, by the files that it has written; nothing is computed."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unrolled.errors import DataError
from unrolled.lock import LOCK, is_locked
from unrolled.report.numbers import number, whole
from unrolled.stages.keeping import failure, state_folder
from unrolled.stages.progress import PROGRESS
from unrolled.storage import read_json, read_tsv

STATES = ["finished", "diverged", "running", "failed", "stopped", "waiting"]

NO_REASON = "no results; see its log"
"""What is said of a run that is missing, and whose training has not failed."""

NO_CHECKS = "its checks have not passed"
"""What is said of a run that is missing, and has its results."""

HEADS = ["run", "state", "epoch", "train", "validation", "tokens/s", "left", "reason"]

Sweeps = Mapping[str, Mapping[str, Mapping[str, Any]]]
"""By experiment and run: the run's settings."""


@dataclass(frozen=True)
class Standing:
    """Where a run stands.

    Attributes:
        run: its name.
        state: one of STATES.
        reason: why it has diverged, failed or stopped.
        epoch: passes over the training split so far.
        train_loss: the last one, in nats per token.
        validation_loss: likewise.
        tokens_per_second: trained, the time of validation included.
        seconds_left: of a run under way.
    """

    run: str
    state: str
    reason: str | None = None
    epoch: float | None = None
    train_loss: float | None = None
    validation_loss: float | None = None
    tokens_per_second: float | None = None
    seconds_left: float | None = None


def run(sweeps: Sweeps, results: Path | str) -> str:
    """A table of the runs of each experiment, as text.

    Args:
        sweeps: the experiments.
        results: the folder of all results.
    """
    tables = [_table(name, runs, Path(results) / name) for name, runs in sweeps.items()]
    return "\n\n".join([*tables, "Losses are the last ones, in nats per token."])


def standings(experiment: Path, names: Iterable[str]) -> list[Standing]:
    """Where the runs of an experiment stand, by the folder of its results."""
    return [standing(experiment / "runs" / name) for name in names]


def standing(folder: Path) -> Standing:
    """Where a run stands, by the folder of its outputs."""
    state = state_folder(folder)
    if under_way(state):
        return _so_far(folder.name, state, "running", None)
    if (folder / "metrics.json").exists():
        return _ended(folder)
    ended = failure(state)
    if ended is None:
        return Standing(folder.name, "waiting")
    return _so_far(folder.name, state, ended.state, ended.reason)


def under_way(state: Path) -> bool:
    """Whether a process writes to the folder of a run's state; no lock is made to find out."""
    return (state / LOCK).exists() and is_locked(state)


def failures(experiment: Path | str, names: Iterable[str]) -> list[str]:
    """A line for each run that has no results since its training failed or stopped."""
    heads = {"failed": "failed: ", "stopped": ""}  # whose reason says that it has stopped
    return [
        f"{stand.run}  {heads[stand.state]}{stand.reason}"
        for stand in standings(Path(experiment), names)
        if stand.state in heads
    ]


def why_missing(folder: Path) -> str:
    """Why a run has not all of its results, as far as is known, by the folder of its outputs."""
    if (folder / "metrics.json").exists():
        return NO_CHECKS
    ended = failure(state_folder(folder))
    return ended.reason if ended else NO_REASON


def aligned(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """The lines of a table, its columns two spaces apart, without those that are all empty."""
    columns = [
        column
        for column in zip(heads, *rows, strict=True)
        if any(column[1:]) or column[0] == heads[0]
    ]
    widths = [max(map(len, column)) for column in columns]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in zip(*columns, strict=True)
    ]


def duration(seconds: float | None) -> str:
    """A time in words, to a second, minute or, from an hour on, both; a dash for none."""
    if seconds is None:
        return "–"
    if round(seconds) < 60:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min"


def _ended(folder: Path) -> Standing:
    metrics, history = read_json(folder / "metrics.json"), read_tsv(folder / "history.tsv")
    last = history[-1] if history else {}
    (timing,) = read_tsv(folder / "timing.tsv")
    return Standing(
        run=folder.name,
        state=metrics["state"],
        reason=metrics["reason"],
        epoch=_float(last.get("epoch")),
        train_loss=_float(last.get("train_loss_nats_per_token")),
        validation_loss=_float(last.get("validation_loss_nats_per_token")),
        tokens_per_second=_float(timing["tokens_per_second"]),
    )


def _so_far(name: str, folder: Path, state: str, reason: str | None) -> Standing:
    """As the run itself has noted last, if it has come as far as that."""
    noted: dict[str, Any] = {}
    with suppress(DataError):
        noted = read_json(folder / PROGRESS)
    return Standing(
        name,
        state,
        reason,
        noted.get("epoch"),
        noted.get("train_loss_nats_per_token"),
        noted.get("validation_loss_nats_per_token"),
        noted.get("tokens_per_second"),
        noted.get("seconds_left") if state == "running" else None,
    )


def _table(name: str, runs: Mapping[str, Mapping[str, Any]], experiment: Path) -> str:
    """The runs of an experiment, and how many are in each state."""
    found = standings(experiment, runs)
    rows = [_row(stand, runs[stand.run]["epochs"]) for stand in found]
    return "\n".join([f"{name}: {_counted(found)}", "", *aligned(HEADS, rows)])


def _row(stand: Standing, epochs: int) -> list[str]:
    """The cells of a run, empty for what is not known."""

    def told(value: float | None, show: Callable[[float], str]) -> str:
        return "" if value is None else show(value)

    return [
        stand.run,
        stand.state,
        told(stand.epoch, lambda epoch: f"{epoch:.2f}/{epochs}"),
        told(stand.train_loss, _loss),
        told(stand.validation_loss, _loss),
        told(stand.tokens_per_second, whole),
        told(stand.seconds_left, duration),
        stand.reason or "",
    ]


def _loss(value: float) -> str:
    return number(value, 3)


def _counted(stand: Sequence[Standing]) -> str:
    """How many runs are in each state, in words."""
    found = [one.state for one in stand]
    return ", ".join(f"{found.count(state)} {state}" for state in STATES if state in found)


def _float(cell: str | None) -> float | None:
    return float(cell) if cell else None
