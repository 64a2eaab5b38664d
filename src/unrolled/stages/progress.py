"""How far training has come, in a small file for whoever watches it."""

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from unrolled.model.packing import PackedBatch
from unrolled.storage import write_json
from unrolled.training.loop import Evaluation

PROGRESS = "progress.json"
"""The name of the file in the folder of a run's state."""

NOTE_SECONDS = 5
"""From one note to the next, at least: a note is forced to disk, which may take a tenth of one."""

LOSSES = ("train_loss_nats_per_token", "validation_loss_nats_per_token")


class ProgressNote:
    """Notes every few seconds how far a run has come, and how fast this attempt goes."""

    def __init__(
        self, path: Path | None, epochs: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Nothing noted yet.

        Args:
            path: the file; None to write none.
            epochs: so many are planned.
            clock: the time in seconds, from anywhere.
        """
        self._path, self._epochs, self._clock = path, epochs, clock
        self._losses: dict[str, float | None] = dict.fromkeys(LOSSES)
        self._tokens = 0
        self._began: tuple[float, float] | None = None  # when this attempt did, and at which share
        self._due = -math.inf

    def batches(
        self, batches: Iterable[PackedBatch], numbers: range, epoch: int
    ) -> Iterator[PackedBatch]:
        """The same batches, as `loop.Progress`: one is done with once the next is asked for."""
        for done, batch in enumerate(batches, start=numbers.start):
            self._look(epoch, done, numbers.stop)
            yield batch
            self._tokens += batch.positions

    def evaluated(self, evaluation: Evaluation) -> None:
        """Remember the losses, to be noted with the next batch."""
        self._losses = {name: getattr(evaluation, name) for name in LOSSES}

    def ended(self, epoch: float) -> None:
        """Note that nothing is left to be trained, after so many epochs."""
        self._write({"epoch": epoch, "share": 1.0, "tokens_per_second": None, "seconds_left": 0})

    def memory(self) -> dict[str, Any]:
        """As `keeper.Part.memory`."""
        return self._losses

    def remember(self, memory: dict[str, Any]) -> None:
        """As `keeper.Part.remember`."""
        self._losses = memory

    def _look(self, epoch: int, done: int, batch_count: int) -> None:
        now, share = self._clock(), (epoch - 1 + done / batch_count) / self._epochs
        self._began = self._began or (now, share)
        if self._path is None or now < self._due:
            return
        self._due = now + NOTE_SECONDS
        position = {
            "epoch": epoch - 1 + done / batch_count,
            "step": (epoch - 1) * batch_count + done,
            "share": share,
        }
        self._write(position | self._speed(*self._began, now, share))

    def _write(self, position: Mapping[str, Any]) -> None:
        """Write how far it has come, unless none is to be written."""
        if self._path is None:
            return
        written = datetime.now(UTC).isoformat(timespec="seconds")
        note = {"epochs": self._epochs, **position, **self._losses, "written": written}
        with suppress(OSError):  # a full disk is no reason to end a run before its checkpoint is
            write_json(self._path, note)

    def _speed(self, began: float, first: float, now: float, share: float) -> dict[str, Any]:
        """Of this attempt on the whole, validation included; None before a batch is done."""
        seconds, gained = now - began, share - first
        known = seconds > 0 and gained > 0
        return {
            "tokens_per_second": round(self._tokens / seconds) if known else None,
            "seconds_left": round((1 - share) * seconds / gained) if known else None,
        }
