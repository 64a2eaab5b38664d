"""Checkpoints on disk: the newest sound one of the same run serves, and no other."""

import multiprocessing
import os
import signal
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from unrolled.training import checkpoint
from unrolled.training.checkpoint import Checkpoint, Checkpoints

RUN = {"training": {"learning_rate": 0.5, "seed": 1}, "data": "abc"}


def checkpoint_of(step: int) -> Checkpoint:
    rng = np.random.default_rng(step)
    arrays: dict[str, NDArray[Any]] = {
        "a.weights": rng.random((3, 2)),
        "by_columns": np.asfortranarray(rng.random((4, 3), dtype=np.float32)),
        "steps": np.array(step),
    }
    return Checkpoint(step, {"loss": 0.1 + step, "state": 2**127 + 1, "none": None}, arrays)


def written(folder: Path, *steps: int, run: Mapping[str, Any] = RUN) -> Checkpoints:
    """The folder after these steps, as a new process finds it."""
    checkpoints = Checkpoints(folder, run)
    for step in steps:
        checkpoints.write(checkpoint_of(step))
    return Checkpoints(folder, run)


def newest(checkpoints: Checkpoints) -> tuple[int | None, list[str]]:
    """The step of the newest, and what was told."""
    told: list[str] = []
    found = checkpoints.newest(told.append)
    return (found.step if found else None), told


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_where_there_is_none_there_is_none(tmp_path: Path) -> None:
    assert newest(Checkpoints(tmp_path / "nowhere", RUN)) == (None, [])


def test_what_was_written_is_read_to_the_last_bit_and_laid_out_alike(tmp_path: Path) -> None:
    expected = checkpoint_of(7)

    found = written(tmp_path, 7).newest(pytest.fail)

    assert found is not None
    assert (found.step, found.values) == (7, expected.values)
    assert found.arrays.keys() == expected.arrays.keys()
    for name, array in expected.arrays.items():
        assert found.arrays[name].dtype == array.dtype
        assert found.arrays[name].tobytes() == array.tobytes()
        assert found.arrays[name].flags.f_contiguous == array.flags.f_contiguous


def test_the_newest_is_that_of_the_most_steps_and_the_last_two_are_kept(tmp_path: Path) -> None:
    checkpoints = written(tmp_path, 9, 10, 11, 100, 1000000000)

    assert newest(checkpoints) == (1000000000, [])
    assert files(tmp_path) == [
        "step-000000100.json",
        "step-000000100.npz",
        "step-1000000000.json",
        "step-1000000000.npz",
    ]


def test_the_one_that_was_gone_on_from_is_kept_beside_the_next(tmp_path: Path) -> None:
    checkpoints = written(tmp_path, 1, 2)
    checkpoints.newest(pytest.fail)

    checkpoints.write(checkpoint_of(3))

    assert {name.partition(".")[0] for name in files(tmp_path)} == {
        "step-000000002",
        "step-000000003",
    }


def damages(content: bytes) -> Iterator[bytes]:
    """Every way to cut a file short or to flip a bit of it, some of each."""
    for place in {0, 1, len(content) // 3, len(content) // 2, len(content) - 1}:
        yield content[:place]
        yield content[:place] + bytes([content[place] ^ 4]) + content[place + 1 :]
    yield b""


@pytest.mark.parametrize("suffix", [".json", ".npz"])
def test_a_damaged_one_is_passed_over_for_the_one_before(tmp_path: Path, suffix: str) -> None:
    checkpoints = written(tmp_path, 1, 2)
    last = tmp_path / f"step-000000002{suffix}"
    whole = last.read_bytes().rstrip(b"\n")  # without which JSON says the same

    for damaged in damages(whole):
        last.write_bytes(damaged)
        step, told = newest(checkpoints)

        assert step == 1
        (line,) = told
        assert str(last) in line
        assert line.endswith("; it is passed over")


@pytest.mark.parametrize("suffix", [".json", ".npz"])
def test_half_of_one_is_passed_over_and_goes_with_the_next(tmp_path: Path, suffix: str) -> None:
    checkpoints = written(tmp_path, 1, 2)
    (tmp_path / f"step-000000002{suffix}").unlink()

    step, told = newest(checkpoints)
    checkpoints.write(checkpoint_of(3))

    assert step == 1
    assert len(told) == 1
    assert {name.partition(".")[0] for name in files(tmp_path)} == {
        "step-000000001",
        "step-000000003",
    }


def test_of_another_run_it_is_refused_and_what_differs_is_told(tmp_path: Path) -> None:
    written(tmp_path, 5)
    other = {"training": {"learning_rate": 0.25, "seed": 1, "epochs": 3}, "code": "f"}

    step, told = newest(Checkpoints(tmp_path, other))

    assert step is None
    assert told == [
        f"{tmp_path}/step-000000005.json is of another run: training.learning_rate was 0.5 and is"
        ' 0.25; training.epochs was "absent" and is 3; data was "abc" and is "absent"; code was'
        ' "absent" and is "f"; it is passed over'
    ]


def test_of_another_format_it_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, 5)

    monkeypatch.setattr(checkpoint, "FORMAT", 2)
    step, told = newest(Checkpoints(tmp_path, RUN))

    assert step is None
    assert told == [
        f"{tmp_path}/step-000000005.json is of another run: format was 1 and is 2; it is passed"
        " over"
    ]


def test_those_of_another_run_go_with_the_first_of_this_one(tmp_path: Path) -> None:
    written(tmp_path, 500, 600)
    checkpoints = Checkpoints(tmp_path, {"data": "other"})
    newest(checkpoints)

    checkpoints.write(checkpoint_of(3))

    assert files(tmp_path) == ["step-000000003.json", "step-000000003.npz"]
    assert newest(checkpoints) == (3, [])


def test_a_kill_while_one_is_written_leaves_those_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoints = written(tmp_path, 1, 2)
    checkpoints.newest(pytest.fail)

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(np, "savez", killed)
    with pytest.raises(KeyboardInterrupt):
        checkpoints.write(checkpoint_of(3))

    assert newest(checkpoints) == (2, [])


def killed_while_writing(folder: Path) -> None:
    """Be a process that dies in the middle of a checkpoint."""

    def killed(*_: object, **__: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(np, "savez", killed)
        Checkpoints(folder, RUN).write(checkpoint_of(3))


def test_what_a_kill_has_left_half_written_goes_with_the_next_attempt(tmp_path: Path) -> None:
    written(tmp_path, 1, 2)
    process = multiprocessing.get_context("fork").Process(
        target=killed_while_writing, args=(tmp_path,)
    )
    process.start()
    process.join()
    assert len(files(tmp_path)) == 5

    found = newest(Checkpoints(tmp_path, RUN))

    assert found == (2, [])
    assert len(files(tmp_path)) == 4


def test_files_of_others_in_the_folder_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")

    written(tmp_path, 1, 2, 3)

    assert (tmp_path / "notes.txt").read_text() == "mine"
