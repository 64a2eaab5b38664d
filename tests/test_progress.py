"""What is noted of a run's progress while it is trained, told by a clock of the tests' own."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from model_strategies import write_corpus
from test_keeping import MODEL, TRAINING
from unrolled.config.sections import CheckpointsConfig
from unrolled.model.packing import PackedBatch
from unrolled.stages import train
from unrolled.stages.keeping import Keeping, RunState
from unrolled.stages.progress import ProgressNote
from unrolled.training.loop import Evaluation

BATCH = cast(PackedBatch, SimpleNamespace(positions=100))


class Clock:
    """A clock that goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def noted(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


def epoch(note: ProgressNote, clock: Clock, seconds: float, numbers: range, number: int) -> int:
    """Train the batches of an epoch in some seconds each; how many these were."""
    trained = 0
    for _ in note.batches([BATCH] * len(numbers), numbers, number):
        clock.now += seconds
        trained += 1
    return trained


def test_a_note_is_written_at_the_first_batch_and_then_every_five_seconds(tmp_path: Path) -> None:
    clock, path = Clock(), tmp_path / "progress.json"
    note = ProgressNote(path, 2, clock)
    steps = []

    for _ in note.batches([BATCH] * 10, range(10), 1):
        steps.append(noted(path)["step"])
        clock.now += 2

    # 0, 2, 4 seconds; the note of the 3rd batch comes after 6, that of the 6th after 12
    assert steps == [0, 0, 0, 3, 3, 3, 6, 6, 6, 9]


def test_what_is_noted_is_where_training_is_how_fast_it_goes_and_what_is_left(
    tmp_path: Path,
) -> None:
    clock, path = Clock(), tmp_path / "progress.json"
    note = ProgressNote(path, 4, clock)

    epoch(note, clock, 5, range(10), 1)
    note.evaluated(Evaluation(1.0, 10, 0.1, 3.5, 3.25))
    clock.now += 10
    epoch(note, clock, 5, range(10), 2)

    found = noted(path)
    del found["written"]
    # The last note comes before the last batch: 1.9 of 4 epochs are done, a share of 0.475, in
    # 10 * 5 + 10 + 9 * 5 = 105 seconds. The other 0.525 take 105 * 525 / 475 = 116.05 seconds.
    # Trained were 19 batches of 100 tokens: 1900 / 105 = 18.1.
    assert found == {
        "epoch": pytest.approx(1.9),
        "epochs": 4,
        "step": 19,
        "share": pytest.approx(0.475),
        "train_loss_nats_per_token": 3.5,
        "validation_loss_nats_per_token": 3.25,
        "tokens_per_second": 18,
        "seconds_left": 116,
    }


def test_the_speed_of_a_run_that_goes_on_is_that_of_this_attempt(tmp_path: Path) -> None:
    clock, path = Clock(), tmp_path / "progress.json"
    note = ProgressNote(path, 1, clock)
    note.remember({"train_loss_nats_per_token": 2.0, "validation_loss_nats_per_token": 2.5})

    assert epoch(note, clock, 5, range(60, 81), 1) == 21

    found = noted(path)
    # from the 60th to the 80th of 81 steps it took 100 seconds, and 2000 tokens: the last takes 5
    assert (found["step"], found["seconds_left"], found["tokens_per_second"]) == (80, 5, 20)
    assert found["train_loss_nats_per_token"] == 2.0
    assert note.memory() == {
        "train_loss_nats_per_token": 2.0,
        "validation_loss_nats_per_token": 2.5,
    }


def test_no_speed_is_known_before_a_batch_is_done(tmp_path: Path) -> None:
    note = ProgressNote(tmp_path / "progress.json", 1, Clock())

    next(note.batches([BATCH], range(1), 1))

    found = noted(tmp_path / "progress.json")
    assert (found["tokens_per_second"], found["seconds_left"]) == (None, None)


def test_a_note_that_cannot_be_written_stops_no_training(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    clock = Clock()
    note = ProgressNote(tmp_path / "file/progress.json", 1, clock)

    assert epoch(note, clock, 5, range(3), 1) == 3


def test_batches_go_by_one_at_a_time(tmp_path: Path) -> None:
    asked = []

    def batches() -> Iterator[PackedBatch]:
        for number in range(3):
            asked.append(number)
            yield BATCH

    note = ProgressNote(tmp_path / "progress.json", 1, Clock())

    next(note.batches(batches(), range(3), 1))

    assert asked == [0]


def test_a_run_leaves_its_progress_beside_its_checkpoints_and_one_that_keeps_nothing_leaves_none(
    tmp_path: Path,
) -> None:
    write_corpus(tmp_path / "corpus")
    keeping = Keeping(CheckpointsConfig(seconds=1e9, steps=None), "abc")
    kept = RunState(tmp_path / "kept/state/a", keeping, lambda: False, lambda line: None)

    for name, state in (("kept/runs/a", kept), ("not/runs/a", None)):
        train.run(
            "a", MODEL, TRAINING, {"unit": "word"}, tmp_path / "corpus", tmp_path / name,
            io.StringIO(), state,
        )  # fmt: skip

    found = noted(tmp_path / "kept/state/a/progress.json")
    assert found["epochs"] == found["epoch"] == TRAINING.epochs
    assert (found["share"], found["seconds_left"]) == (1, 0)
    assert not (tmp_path / "not/state").exists()
