"""A run that is killed, stopped or refused keeps what it has, and ends in the same files."""

import errno
import io
import multiprocessing
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any, TextIO

import numpy as np
import pytest

from model_strategies import write_corpus
from training_strategies import ALL_AT_ONCE, SMALL_MODEL
from unrolled.config.sections import CheckpointsConfig, TrainingConfig
from unrolled.errors import DataError, StoppedError
from unrolled.lock import is_locked, locked
from unrolled.stages import keeping, train
from unrolled.stages.job import teller
from unrolled.stages.keeping import Failure, Keeping, failure, fingerprint, held, state_folder
from unrolled.storage import read_json, write_text
from unrolled.training.checkpoint import Checkpoint, Checkpoints
from unrolled.training.keeper import TimedKeeper

MODEL = replace(SMALL_MODEL, cell="gru", bias=True)
TRAINING = replace(ALL_AT_ONCE, epochs=3, evaluations_per_epoch=2, patience=None)
EACH_STEP = CheckpointsConfig(seconds=1e9, steps=1)
AT_TIMES = CheckpointsConfig(seconds=1e9, steps=15)
NEVER = CheckpointsConfig(seconds=1e9, steps=None)
NOTES = {"unit": "word"}
KILLED = "killed, likely out of memory"
OTHERWISE_EACH_TIME = {"timing.tsv", "provenance.json"}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    write_corpus(folder)
    return folder


def run(
    corpus: Path,
    folder: Path,
    config: CheckpointsConfig = AT_TIMES,
    code: str = "abc",
    training: TrainingConfig = TRAINING,
) -> str:
    """Train a run and give back its log."""
    log = io.StringIO()
    run_logged(log, corpus, folder, Keeping(config, code), training)
    return log.getvalue()


def run_logged(
    log: TextIO,
    corpus: Path,
    folder: Path,
    keeping: Keeping,
    training: TrainingConfig = TRAINING,
) -> None:
    with held(keeping, state_folder(folder), teller("a", log)) as state:
        train.run("a", MODEL, training, NOTES, corpus, folder, log, state)


def files(folder: Path) -> dict[str, bytes]:
    """What a run has written that must be the same each time."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name not in OTHERWISE_EACH_TIME
    }


def interrupt_at(monkeypatch: pytest.MonkeyPatch, step: int, act: Callable[[], None]) -> None:
    """Let something happen after a step."""
    after_step = TimedKeeper.after_step

    def interrupted(keeper: TimedKeeper, number: int, stand: Callable[[], Checkpoint]) -> None:
        if number == step:
            act()
        after_step(keeper, number, stand)

    monkeypatch.setattr(TimedKeeper, "after_step", interrupted)


@pytest.fixture(scope="module")
def undisturbed(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, bytes]:
    folder = tmp_path_factory.mktemp("undisturbed") / "runs/a"
    run(corpus, folder, NEVER)
    return files(folder)


@pytest.fixture
def unheard_signals_fail() -> Iterator[None]:
    """Let a signal that nobody listens to fail its test, and not end all of them."""

    def fail(number: int, frame: FrameType | None) -> None:
        pytest.fail(f"nobody listened to {signal.Signals(number).name}")

    before = {number: signal.signal(number, fail) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("unheard_signals_fail")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("step", [1, 20, 41])
def test_a_signal_ends_a_run_with_a_checkpoint_and_the_next_ends_in_the_same_files(
    corpus: Path,
    undisturbed: Mapping[str, bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: signal.Signals,
    step: int,
) -> None:
    folder = tmp_path / "runs/a"
    interrupt_at(monkeypatch, step, lambda: signal.raise_signal(number))
    with pytest.raises(StoppedError, match=f"stopped after step {step}; the next call goes on"):
        run(corpus, folder, NEVER)
    monkeypatch.undo()

    assert not folder.exists()
    words = f"stopped after step {step}; the next call goes on from there"
    noted = read_json(tmp_path / "state/a/failure.json")
    assert noted == {"state": "stopped", "reason": words}
    assert failure(tmp_path / "state/a") == Failure("stopped", words)
    log = run(corpus, folder, NEVER)

    assert f"a  goes on after step {step}\n" in log
    assert files(folder) == undisturbed
    assert not (tmp_path / "state/a/failure.json").exists()


def killed_at(step: int, corpus: Path, folder: Path) -> None:
    """Be a process that dies at a step."""
    with pytest.MonkeyPatch.context() as patch:
        interrupt_at(patch, step, lambda: os.kill(os.getpid(), signal.SIGKILL))
        run(corpus, folder, EACH_STEP)


def test_a_killed_run_goes_on_from_its_last_checkpoint_and_is_said_to_have_been_killed(
    corpus: Path, undisturbed: Mapping[str, bytes], tmp_path: Path
) -> None:
    folder = tmp_path / "runs/a"
    for step in (3, 30):
        process = multiprocessing.get_context("fork").Process(
            target=killed_at, args=(step, corpus, folder)
        )
        process.start()
        process.join()
        assert process.exitcode == -signal.SIGKILL
        assert failure(tmp_path / "state/a") == Failure("failed", KILLED)

    log = run(corpus, folder)

    assert "goes on after step 29" in log
    assert files(folder) == undisturbed
    assert failure(tmp_path / "nowhere") is None


def test_a_run_has_not_failed_while_it_is_under_way_nor_once_it_has_ended(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    during: list[Failure | None] = []
    interrupt_at(monkeypatch, 7, lambda: during.append(failure(tmp_path / "state/a")))
    run(corpus, tmp_path / "runs/a")

    shutil.rmtree(tmp_path / "runs/a")  # as one does who wants it made again

    assert during == [None]
    assert failure(tmp_path / "state/a") is None


def killed_at_its_metrics(corpus: Path, folder: Path) -> None:
    """Be a process that has trained, and dies while it writes what came of it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train, "write_json", lambda *_: os.kill(os.getpid(), signal.SIGKILL))
        run(corpus, folder, EACH_STEP)


def test_a_run_killed_between_its_last_checkpoint_and_its_metrics_is_not_trained_again(
    corpus: Path, undisturbed: Mapping[str, bytes], tmp_path: Path
) -> None:
    folder = tmp_path / "runs/a"
    process = multiprocessing.get_context("fork").Process(
        target=killed_at_its_metrics, args=(corpus, folder)
    )
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert not (folder / "metrics.json").exists()

    log = run(corpus, folder, EACH_STEP)

    # 61 batches in each of three epochs
    assert "goes on after step 183\n" in log
    assert "epoch 3/3" not in log
    assert files(folder) == undisturbed


@pytest.mark.usefixtures("unheard_signals_fail")
def test_a_second_sigterm_leaves_time_for_the_checkpoint(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def twice() -> None:
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)

    interrupt_at(monkeypatch, 7, twice)
    with pytest.raises(StoppedError):
        run(corpus, tmp_path / "runs/a", NEVER)
    monkeypatch.undo()

    assert "goes on after step 7\n" in run(corpus, tmp_path / "runs/a", NEVER)


@pytest.mark.usefixtures("unheard_signals_fail")
def test_a_second_ctrl_c_ends_a_run_at_once(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def twice() -> None:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    interrupt_at(monkeypatch, 7, twice)
    with pytest.raises(KeyboardInterrupt):
        run(corpus, tmp_path / "runs/a", NEVER)

    assert Checkpoints(tmp_path / "state/a", {}).newest(lambda line: None) is None
    assert failure(tmp_path / "state/a") == Failure("failed", "KeyboardInterrupt")


def test_an_error_is_noted_with_its_name_in_one_line(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise DataError("a.tsv, row 2:\n  3 cells under 4 columns")

    interrupt_at(monkeypatch, 7, fail)
    with pytest.raises(DataError):
        run(corpus, tmp_path / "runs/a", NEVER)

    assert failure(tmp_path / "state/a") == Failure(
        "failed", "DataError: a.tsv, row 2: 3 cells under 4 columns"
    )


@pytest.mark.usefixtures("unheard_signals_fail")
def test_a_disk_too_full_for_the_reason_does_not_become_the_reason(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    interrupt_at(monkeypatch, 7, lambda: signal.raise_signal(signal.SIGTERM))
    monkeypatch.setattr(keeping, "write_json", full)

    with pytest.raises(StoppedError, match="stopped after step 7"):
        run(corpus, tmp_path / "runs/a", NEVER)


def test_signals_are_those_of_others_again_after_a_run(corpus: Path, tmp_path: Path) -> None:
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]

    run(corpus, tmp_path / "runs/a")

    after = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    assert after == before


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"code": "def"}, 'code was "abc" and is "def"'),
        (
            {"training": replace(TRAINING, learning_rate=0.01)},
            "training.learning_rate was 0.02 and is 0.01",
        ),
    ],
)
def test_another_configuration_begins_anew_and_the_difference_is_told(
    corpus: Path, tmp_path: Path, change: Mapping[str, Any], told: str
) -> None:
    run(corpus, tmp_path / "runs/a")

    log = run(corpus, tmp_path / "runs/a", **change)

    assert told in log
    assert "goes on" not in log
    run(corpus, tmp_path / "anew/runs/a", **change)
    assert files(tmp_path / "runs/a") == files(tmp_path / "anew/runs/a")


def test_other_data_begin_anew(corpus: Path, tmp_path: Path) -> None:
    write_corpus(tmp_path / "corpus")
    run(tmp_path / "corpus", tmp_path / "runs/a")
    content = bytearray((tmp_path / "corpus/encoded/valid/ids.npy").read_bytes())
    content[-4:] = content[-8:-4]  # which repeats the last word in the place of the end
    (tmp_path / "corpus/encoded/valid/ids.npy").write_bytes(content)

    log = run(tmp_path / "corpus", tmp_path / "runs/a")

    assert "is of another run: data.encoded/valid/ids.npy was" in log
    assert "goes on" not in log


BY_CLASSES = replace(MODEL, output="classes")
ARRAYS = [
    f"encoded/{split}/{name}.npy"
    for split in ("train", "valid")
    for name in ("ids", "sentences", "documents")
]


def told_of_another(folder: Path, before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """What is told of a checkpoint of one fingerprint where it is another one now."""
    told: list[str] = []
    Checkpoints(folder, before).write(Checkpoint(1, {}, {}))
    assert Checkpoints(folder, now).newest(told.append) is None
    (line,) = told
    return line.partition(" is of another run: ")[2]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"model": replace(MODEL, hidden_size=6)}, "model.hidden_size was 5 and is 6"),
        ({"training": replace(TRAINING, seed=2)}, "training.seed was 1 and is 2"),
        ({"notes": {"unit": "character"}}, 'tokens.unit was "word" and is "character"'),
    ],
    ids=["model", "training", "tokens"],
)
def test_other_settings_are_another_run(
    corpus: Path, tmp_path: Path, change: Mapping[str, Any], told: str
) -> None:
    settings: dict[str, Any] = {"model": MODEL, "training": TRAINING, "notes": NOTES}

    before = fingerprint(**settings, corpus=corpus)
    now = fingerprint(**{**settings, **change}, corpus=corpus)

    assert told_of_another(tmp_path, before, now) == f"{told}; it is passed over"


@pytest.mark.parametrize("name", ["vocabulary.tsv", "classes.tsv", *ARRAYS])
def test_one_byte_more_in_a_file_of_the_data_is_another_run(
    corpus: Path, tmp_path: Path, name: str
) -> None:
    data = shutil.copytree(corpus, tmp_path / "corpus")
    write_text(data / "classes.tsv", "word\tclass\n")
    before = fingerprint(BY_CLASSES, TRAINING, NOTES, data)

    with (data / name).open("ab") as file:
        file.write(b"\n")
    now = fingerprint(BY_CLASSES, TRAINING, NOTES, data)

    hashes = f'"{before["data"][name]}" and is "{now["data"][name]}"'
    told = told_of_another(tmp_path / "state", before, now)
    assert told == f"data.{name} was {hashes}; it is passed over"


def test_another_numpy_is_another_run(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, installed = fingerprint(MODEL, TRAINING, NOTES, corpus), np.__version__

    monkeypatch.setattr(np, "__version__", "9.9")
    now = fingerprint(MODEL, TRAINING, NOTES, corpus)

    told = told_of_another(tmp_path, before, now)
    assert told == f'numpy was "{installed}" and is "9.9"; it is passed over'


def test_checkpoints_come_after_so_many_steps_or_seconds(tmp_path: Path) -> None:
    now = [100.0]
    written: list[int] = []

    class Noted(Checkpoints):
        def write(self, checkpoint: Checkpoint) -> None:
            written.append(checkpoint.step)
            super().write(checkpoint)

    keeper = TimedKeeper(
        Noted(tmp_path, {}),
        CheckpointsConfig(seconds=10, steps=4),
        {},
        lambda: False,
        pytest.fail,
        lambda: now[0],
    )
    assert keeper.begin() is None
    for step in range(1, 16):
        now[0] += 3 if step < 9 else 0.1
        keeper.after_step(step, lambda step=step: Checkpoint(step, {}, {}))  # type: ignore[misc]

    # 3 seconds a step are 10 after the 4th; and from the 9th on four steps come first
    assert written == [4, 8, 12]


def test_checkpoints_that_take_long_to_write_come_less_often(tmp_path: Path) -> None:
    now = [0.0]
    written: list[float] = []

    class Slow(Checkpoints):
        def write(self, checkpoint: Checkpoint) -> None:
            written.append(now[0])
            now[0] += 3

    keeper = TimedKeeper(
        Slow(tmp_path, {}),
        CheckpointsConfig(seconds=10, steps=None),
        {},
        lambda: False,
        pytest.fail,
        lambda: now[0],
    )
    keeper.begin()
    for step in range(1, 400):
        now[0] += 1
        keeper.after_step(step, lambda step=step: Checkpoint(step, {}, {}))  # type: ignore[misc]

    # what takes 3 seconds is written 3 / 0.02 seconds after the end of the one before
    assert written == [10, 163, 316]


def holding(folder: Path, ready: Any, let_go: Any) -> None:
    with locked(folder, pytest.fail):
        ready.set()
        let_go.wait()


def run_with_log(log: Path, corpus: Path, folder: Path) -> None:
    """Train a run with a log that others can read meanwhile."""
    with log.open("w", encoding="utf-8", buffering=1) as file:
        run_logged(file, corpus, folder, Keeping(NEVER, "abc"))


def test_a_run_waits_for_the_process_that_holds_its_folder_and_says_which(
    corpus: Path, tmp_path: Path
) -> None:
    processes = multiprocessing.get_context("fork")
    ready, let_go = processes.Event(), processes.Event()
    folder, log = state_folder(tmp_path / "runs/a"), tmp_path / "log"
    other = processes.Process(target=holding, args=(folder, ready, let_go), daemon=True)
    other.start()
    ready.wait()
    assert is_locked(folder)
    log.touch()
    arguments = (log, corpus, tmp_path / "runs/a")
    waiting = processes.Process(target=run_with_log, args=arguments, daemon=True)
    waiting.start()
    while waiting.is_alive() and "\n" not in log.read_text():
        time.sleep(0.01)

    assert log.read_text().startswith(f"a  waits for process {other.pid} on ")
    assert not (tmp_path / "runs/a").exists()
    let_go.set()
    waiting.join()

    assert waiting.exitcode == 0
    assert (tmp_path / "runs/a/metrics.json").exists()
    other.join()


def test_who_holds_a_folder_is_told(tmp_path: Path) -> None:
    processes = multiprocessing.get_context("fork")
    ready, let_go = processes.Event(), processes.Event()
    other = processes.Process(target=holding, args=(tmp_path, ready, let_go), daemon=True)
    other.start()
    ready.wait()
    told: list[str] = []

    def tell(line: str) -> None:
        told.append(line)
        let_go.set()

    with locked(tmp_path, tell):
        assert read_json(tmp_path / "lock")["pid"] == os.getpid()

    (line,) = told
    assert line.startswith(f"waits for process {other.pid} on ")
    assert line.endswith(f", which writes to {tmp_path}")
    assert not is_locked(tmp_path)
    assert (tmp_path / "lock").read_text() == ""  # for nobody holds it, nor has died with it
    other.join()


def test_at_the_end_one_is_written_unless_the_last_step_has_one(tmp_path: Path) -> None:
    written: list[int] = []

    class Noted(Checkpoints):
        def write(self, checkpoint: Checkpoint) -> None:
            written.append(checkpoint.step)

    config = CheckpointsConfig(seconds=1e9, steps=2)
    keeper = TimedKeeper(Noted(tmp_path, {}), config, {}, lambda: False, pytest.fail)
    keeper.begin()

    keeper.after_step(3, lambda: Checkpoint(3, {}, {}))
    keeper.at_end(3, lambda: pytest.fail("it is there already"))
    assert written == [3]
    keeper.after_step(4, lambda: pytest.fail("it is not yet due"))
    keeper.at_end(4, lambda: Checkpoint(4, {}, {}))
    assert written == [3, 4]
