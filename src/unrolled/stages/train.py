"""Train one run and write what came of it."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TextIO

from tqdm import tqdm

from unrolled.analysis.wall import looks
from unrolled.config.sections import ModelConfig, TrainingConfig
from unrolled.model.files import write_model
from unrolled.model.packing import PackedBatch
from unrolled.stages.growing_wall import COLUMNS as WALL
from unrolled.stages.growing_wall import GrowingWall
from unrolled.stages.job import teller
from unrolled.stages.keeping import RunState, fingerprint
from unrolled.stages.made_with import MadeWith
from unrolled.stages.progress import PROGRESS, ProgressNote
from unrolled.stages.stopwatch import Stopwatch
from unrolled.stages.untrained import generators, untrained_network
from unrolled.storage import Cell, write_json, write_tsv
from unrolled.text.dataset import read_dataset
from unrolled.text.vocabulary import Vocabulary, read_vocabulary
from unrolled.training.keeper import Part
from unrolled.training.loop import Evaluation, NoKeeper, Outcome, Progress, train

HISTORY = [
    "epoch",
    "step",
    "learning_rate",
    "train_loss_nats_per_token",
    "validation_loss_nats_per_token",
]
PROGRESS_SECONDS = 5
"""How often the bar in the log moves at most."""


def run(
    name: str,
    model: ModelConfig,
    training: TrainingConfig,
    notes: Mapping[str, Any],
    corpus: Path | str,
    folder: Path | str,
    log: TextIO,
    state: RunState | None = None,
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
        state: that of the run, so that it can go on after a kill; None to keep nothing.

    Raises:
        StoppedError: a signal has asked to stop; the run goes on from there at the next call.
    """
    corpus, folder = Path(corpus), Path(folder)
    vocabulary = read_vocabulary(corpus / "vocabulary.tsv")
    dataset, validation = (
        read_dataset(corpus / "encoded" / split, len(vocabulary)) for split in ("train", "valid")
    )
    network = untrained_network(model, corpus, vocabulary, training.seed)
    planned = training.epochs * training.evaluations_per_epoch
    wall = GrowingWall(network, vocabulary, notes["unit"], looks(planned))
    stopwatch = Stopwatch()
    note = ProgressNote(state.folder / PROGRESS if state else None, training.epochs)
    made = MadeWith()
    parts: dict[str, Part] = {"wall": wall, "stopwatch": stopwatch, "note": note, "made": made}
    depends_on = fingerprint(model, training, notes, corpus) if state else {}
    outcome = train(
        network,
        dataset,
        validation,
        training,
        generators(training.seed)[1],
        _bar(name, log, note),
        _each(_line(name, training.epochs, log), note.evaluated, stopwatch.outside(wall.look)),
        state.keeper(depends_on, parts) if state else NoKeeper(),
    )
    stopwatch.stop()
    note.ended(outcome.history[-1].epoch if outcome.history else 0.0)
    if outcome.best and outcome.state == "finished":
        wall.draw(outcome.network, outcome.best.epoch)
    _write(folder, {"run": name, **notes}, training.carry_state, vocabulary, outcome)
    write_tsv(folder / "wall.tsv", WALL, wall.rows)
    timing = _timing(stopwatch, outcome, dataset.prediction_count)
    write_tsv(folder / "timing.tsv", list(timing), [timing])
    write_json(folder / "provenance.json", made.memory())


def _write(
    folder: Path,
    notes: dict[str, Any],
    carry_state: bool,
    vocabulary: Vocabulary,
    outcome: Outcome,
) -> None:
    """Write what training ended in."""
    write_model(folder / "model", outcome.network, vocabulary, notes, carry_state)
    write_tsv(folder / "history.tsv", HISTORY, map(vars, outcome.history))
    write_json(folder / "metrics.json", _metrics(outcome))


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


def _line(name: str, epochs: int, log: TextIO) -> Callable[[Evaluation], None]:
    """A line for each epoch, at the terminal and in the log."""
    tell = teller(name, log)

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


def _timing(stopwatch: Stopwatch, outcome: Outcome, predictions: int) -> dict[str, Cell]:
    epochs = outcome.history[-1].epoch if outcome.history else 0.0
    return {
        "seconds": round(stopwatch.seconds, 3),
        "tokens_per_second": round(epochs * predictions / stopwatch.seconds),
        "peak_memory_mb": round(stopwatch.peak_memory_mb),
    }
