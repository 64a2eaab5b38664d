"""What a run keeps in a folder beside its outputs, so that no kill costs more than a minute.

checkpoints   where training goes on (see training.checkpoint)
lock          who writes here (see lock)
.results-*    what is to be the folder of the run, while it is being filled
progress.json how far training has come, for `status`
failure.json  whether the last attempt stopped or failed, and why; gone once another one begins
"""

import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType
from typing import Any, Literal

import numpy as np

from unrolled.config.sections import CheckpointsConfig, ModelConfig, TrainingConfig
from unrolled.errors import DataError, StoppedError
from unrolled.lock import has_died, locked
from unrolled.storage import read_json, sha256_of, write_json
from unrolled.text.dataset import FILES as ARRAYS
from unrolled.training.checkpoint import Checkpoints
from unrolled.training.keeper import Part, TimedKeeper

FAILURE = "failure.json"

KILLED = "killed, likely out of memory"
"""What is said of an attempt that has ended without a word."""

EARLIER_STOP = "StoppedError: "
"""What the reason of a run that was asked to stop began with, before its state was noted."""


@dataclass(frozen=True)
class Keeping:
    """How often, and what checkpoints depend on beside settings and data.

    Attributes:
        config: how often a checkpoint is written.
        code: the hash of the code that trains.
    """

    config: CheckpointsConfig
    code: str


@dataclass(frozen=True)
class Failure:
    """How an attempt has ended before its end.

    Attributes:
        state: stopped if it was asked to, else failed.
        reason: in words.
    """

    state: Literal["stopped", "failed"]
    reason: str


def state_folder(run: Path) -> Path:
    """The folder of a run's state, by that of its outputs, which Snakemake may delete."""
    return run.parents[1] / "state" / run.name


@dataclass(frozen=True)
class RunState:
    """The state of a run whose folder no other process writes to.

    Attributes:
        folder: where it lies.
        keeping: how often, and what checkpoints depend on.
        is_asked_to_stop: whether a signal has asked this process to stop.
        tell: is called with a line about what was found and what is done.
    """

    folder: Path
    keeping: Keeping
    is_asked_to_stop: Callable[[], bool]
    tell: Callable[[str], None]

    def keeper(self, fingerprint: Mapping[str, Any], parts: Mapping[str, Part]) -> TimedKeeper:
        """The keeper of the run's training.

        Args:
            fingerprint: what the run depends on, beside the code.
            parts: what else goes on, by name.
        """
        checkpoints = Checkpoints(self.folder, {**fingerprint, "code": self.keeping.code})
        config = self.keeping.config
        return TimedKeeper(checkpoints, config, parts, self.is_asked_to_stop, self.tell)


@contextmanager
def held(keeping: Keeping, folder: Path, tell: Callable[[str], None]) -> Iterator[RunState]:
    """The state of a run, once no other process writes to its folder, and until the block ends.

    Args:
        keeping: how often, and what checkpoints depend on.
        folder: that of the run's state.
        tell: is called with a line about what was found and what is done.
    """
    with locked(folder, tell), _failure_noted(folder), _signals() as asked_to_stop:
        yield RunState(folder, keeping, asked_to_stop, tell)


def fingerprint(
    model: ModelConfig, training: TrainingConfig, notes: Mapping[str, Any], corpus: Path
) -> dict[str, Any]:
    """What the bytes of a run depend on: its settings, its data, and what it is computed with.

    Args:
        model: the network's shape.
        training: the recipe.
        notes: what tokens are.
        corpus: the folder of the data.
    """
    arrays = [f"encoded/{split}/{file}" for split in ("train", "valid") for file in ARRAYS]
    classes = ["classes.tsv"] if model.output == "classes" else []
    return {
        "model": asdict(model),
        "training": asdict(training),
        "tokens": dict(notes),
        "numpy": np.__version__,
        "data": {name: sha256_of(corpus / name) for name in ("vocabulary.tsv", *classes, *arrays)},
    }


def failure(folder: Path | str) -> Failure | None:
    """How the last attempt at a run ended before its end, by what it has left in its folder; None
    if there was none, or it is under way.

    An attempt that came to its end leaves no note and an empty lock, also if its outputs are gone.
    """
    with suppress(DataError, KeyError, TypeError):
        return _noted(read_json(Path(folder) / FAILURE))
    return Failure("failed", KILLED) if has_died(folder) else None


def _noted(note: Mapping[str, str]) -> Failure:
    """What a note says, also an earlier one without a state."""
    reason = str(note["reason"])
    stopped = note.get("state") == "stopped" or reason.startswith(EARLIER_STOP)
    return Failure("stopped" if stopped else "failed", reason.removeprefix(EARLIER_STOP))


@contextmanager
def _failure_noted(folder: Path) -> Iterator[None]:
    """Note the error that ends the block, if one does."""
    (folder / FAILURE).unlink(missing_ok=True)
    try:
        yield
    except BaseException as error:
        with suppress(OSError):  # a disk too full for the note is not why the job ends
            write_json(folder / FAILURE, asdict(_failure_by(error)))
        raise


def _failure_by(error: BaseException) -> Failure:
    """What is noted of an attempt that an error has ended, in one line."""
    name, words = type(error).__name__, " ".join(str(error).split())
    if isinstance(error, StoppedError):  # which is none
        return Failure("stopped", words)
    return Failure("failed", f"{name}: {words}" if words else name)


@contextmanager
def _signals() -> Iterator[Callable[[], bool]]:
    """Whether SIGTERM or Ctrl-C has asked this process to stop; after that Ctrl-C ends it at once.

    SIGTERM does not: at its time limit Slurm sends it twice within an instant, and kills later.
    """
    asked: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        if asked and number == signal.SIGINT:
            raise KeyboardInterrupt
        asked.append(number)

    before = {number: signal.signal(number, note) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield lambda: bool(asked)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
