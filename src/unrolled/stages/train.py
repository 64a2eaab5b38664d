"""Train one run and write what came of it."""

import importlib.metadata
import os
import platform
import resource
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from tqdm import tqdm

from unrolled.analysis.wall import looks
from unrolled.config.sections import ModelConfig, TrainingConfig
from unrolled.model.files import write_model
from unrolled.model.packing import PackedBatch
from unrolled.stages.growing_wall import COLUMNS as WALL
from unrolled.stages.growing_wall import GrowingWall
from unrolled.stages.keeping import Keeping, fingerprint, kept, state_folder
from unrolled.stages.progress import PROGRESS, ProgressNote
from unrolled.stages.stopwatch import Stopwatch
from unrolled.stages.untrained import generators, untrained_network
from unrolled.storage import Cell, write_json, write_tsv
from unrolled.text.dataset import read_dataset
from unrolled.text.vocabulary import read_vocabulary
from unrolled.training.keeper import Part
from unrolled.training.loop import Evaluation, Outcome, Progress, train

HISTORY = [
    "epoch",
    "step",
    "learning_rate",
    "train_loss_nats_per_token",
    "validation_loss_nats_per_token",
]
PROGRESS_SECONDS = 5
"""How often the bar in the log moves at most."""

_MAXRSS_PER_MB = 1024**2 if sys.platform == "darwin" else 1024
"""What getrusage counts in differs: bytes there, kilobytes elsewhere."""


def run(
    name: str,
    model: ModelConfig,
    training: TrainingConfig,
    notes: Mapping[str, Any],
    corpus: Path | str,
    folder: Path | str,
    log: TextIO,
    keeping: Keeping | None = None,
) -> None:
    """Train a run and write its model, history.tsv, metrics.json, wall.tsv, timing.tsv and
    provenance.json.

    The wall has sentences drawn at some evaluations and, if the run finished, last those of the
    best parameters; each epoch is in it once. Drawing them is no part of the time measured, which
    that of earlier attempts is.

    Args:
        name: the run's name, shown with its progress.
        model: the network's shape.
        training: the recipe.
        notes: what else a reader of the model must know, for its config.json; among it the `unit`
            of its tokens.
        corpus: the folder of vocabulary.tsv, the encoded splits and, where the model goes by them,
            classes.tsv.
        folder: where the run's files go.
        log: shows a bar; a line per epoch goes to the terminal as well.
        keeping: what is kept so that a run can go on after a kill; None for nothing.

    Raises:
        StoppedError: a signal has asked to stop; the run goes on from there at the next call.
    """
    corpus, folder = Path(corpus), Path(folder)
    vocabulary = read_vocabulary(corpus / "vocabulary.tsv")
    dataset, validation = (
        read_dataset(corpus / split, len(vocabulary)) for split in ("train", "valid")
    )
    network = untrained_network(model, corpus, vocabulary, training.seed)
    planned = training.epochs * training.evaluations_per_epoch
    wall = GrowingWall(network, vocabulary, notes["unit"], looks(planned))
    stopwatch = Stopwatch()
    state = state_folder(folder)
    note = ProgressNote(state / PROGRESS if keeping else None, training.epochs)
    parts: dict[str, Part] = {"wall": wall, "stopwatch": stopwatch, "note": note}
    depends_on = partial(fingerprint, model, training, notes, corpus)
    with kept(keeping, state, depends_on, parts, _teller(name, log)) as keeper:
        outcome = train(
            network,
            dataset,
            validation,
            training,
            generators(training.seed)[1],
            _bar(name, log, note),
            _each(_line(name, training.epochs, log), note.evaluated, stopwatch.outside(wall.look)),
            keeper,
        )
        seconds = stopwatch.seconds
        if outcome.best and outcome.state == "finished":
            wall.draw(outcome.network, outcome.best.epoch)
        epochs = outcome.history[-1].epoch if outcome.history else 0.0
        notes = {"run": name, **notes}
        write_model(folder / "model", outcome.network, vocabulary, notes, training.carry_state)
        write_tsv(folder / "history.tsv", HISTORY, map(vars, outcome.history))
        write_json(folder / "metrics.json", _metrics(outcome))
        write_tsv(folder / "wall.tsv", WALL, wall.rows)
        write_tsv(*_timing(folder, seconds, round(epochs * dataset.prediction_count)))
        write_json(folder / "provenance.json", _provenance())


def _bar(name: str, log: TextIO, note: ProgressNote) -> Progress:
    """A progress bar for each epoch, in the log, and the note of it."""

    def shown(batches: Iterable[PackedBatch], numbers: range, epoch: int) -> Iterable[PackedBatch]:
        return tqdm(
            note.batches(batches, numbers, epoch),
            desc=f"{name} epoch {epoch}",
            initial=numbers.start,
            total=numbers.stop,
            unit="batch",
            file=log,
            mininterval=PROGRESS_SECONDS,
        )

    return shown


def _teller(name: str, log: TextIO) -> Callable[[str], None]:
    """A line about the run, at the terminal and in the log."""

    def told(line: str) -> None:
        for stream in (sys.stderr, log):
            print(f"{name}  {line}", file=stream, flush=True)

    return told


def _line(name: str, epochs: int, log: TextIO) -> Callable[[Evaluation], None]:
    """A line for each epoch, at the terminal and in the log."""
    tell = _teller(name, log)

    def shown(evaluation: Evaluation) -> None:
        if evaluation.epoch % 1 != 0:
            return
        train_loss = evaluation.train_loss_nats_per_token
        seen = "untrained   " if train_loss is None else f"train {train_loss:.3f}"
        tell(
            f"epoch {evaluation.epoch:.0f}/{epochs}  {seen}"
            f"  validation {evaluation.validation_loss_nats_per_token:.3f} nats/token"
        )

    return shown


def _each(*calls: Callable[[Evaluation], None]) -> Callable[[Evaluation], None]:
    """All calls, one after the other."""

    def called(evaluation: Evaluation) -> None:
        for call in calls:
            call(evaluation)

    return called


def _metrics(outcome: Outcome) -> dict[str, Any]:
    return {
        "state": outcome.state,
        "reason": outcome.reason,
        "parameters": sum(array.size for array in outcome.network.parameters.values()),
        "steps": outcome.history[-1].step if outcome.history else 0,
        "best_epoch": outcome.best and outcome.best.epoch,
        "validation_loss_nats_per_token": outcome.best
        and outcome.best.validation_loss_nats_per_token,
    }


def _timing(
    folder: Path, seconds: float, tokens: int
) -> tuple[Path, Sequence[str], list[dict[str, Cell]]]:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    row: dict[str, Cell] = {
        "seconds": round(seconds, 3),
        "tokens_per_second": round(tokens / seconds),
        "peak_memory_mb": round(peak / _MAXRSS_PER_MB),
    }
    return folder / "timing.tsv", list(row), [row]


def _provenance() -> dict[str, Any]:
    """What the run was made with."""
    return {
        "commit": _commit(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "unrolled": importlib.metadata.version("unrolled"),
        "machine": platform.machine(),
        "system": platform.platform(),
        "blas_threads": os.environ.get("OPENBLAS_NUM_THREADS"),
    }


def _commit() -> str | None:
    """The commit of the code, marked where files differ from it; None outside a checkout."""
    checkout = Path(__file__).parents[3]
    if not (checkout / ".git").exists():
        return None
    commit, changes = (_git(checkout, *call) for call in (["rev-parse", "HEAD"], ["status", "-s"]))
    return f"{commit} with changes" if commit and changes else commit


def _git(checkout: Path, *arguments: str) -> str | None:
    """What git prints; None where it is missing or fails."""
    try:
        done = subprocess.run(
            ["git", "-C", str(checkout), *arguments], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
