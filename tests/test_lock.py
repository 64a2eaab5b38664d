"""What is known of who writes to a folder where the file system has no locks."""

import errno
import fcntl
import multiprocessing
import os
import socket
import time
from pathlib import Path
from typing import Any

import pytest

from unrolled.lock import FRESH_SECONDS, LOCK, has_died, is_locked, locked
from unrolled.storage import write_json

pytestmark = pytest.mark.usefixtures("no_locks")


@pytest.fixture(params=[errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS])
def no_locks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a file system that has none, by what systems say of those."""

    def flock(*_: object) -> None:
        raise OSError(request.param, os.strerror(request.param))

    monkeypatch.setattr(fcntl, "flock", flock)


def write_all(folder: Path, age: float, **holder: Any) -> None:
    """Write a lock that someone holds, and progress, all of it so many seconds old."""
    write_json(folder / LOCK, {"since": "2026-01-01T00:00:00+00:00", **holder})
    write_json(folder / "progress.json", {})
    then = time.time() - age
    for path in (folder, *folder.iterdir()):
        os.utime(path, (then, then))


def test_it_is_said_and_the_work_is_done(tmp_path: Path) -> None:
    told: list[str] = []
    done = False

    with locked(tmp_path, told.append):
        done = True

    assert done
    assert told == [
        f"{tmp_path}: this file system has no locks; let no two calls write there at once"
    ]


def test_a_folder_is_locked_while_its_holder_works_and_no_longer(tmp_path: Path) -> None:
    with locked(tmp_path, lambda line: None):
        assert is_locked(tmp_path)
        assert not has_died(tmp_path)
    assert not is_locked(tmp_path)
    assert not has_died(tmp_path)

    with pytest.raises(ZeroDivisionError), locked(tmp_path, lambda line: None):
        1 / 0  # noqa: B018
    assert not is_locked(tmp_path)
    assert not has_died(tmp_path)


def holding(folder: Path, ready: Any) -> None:
    with locked(folder, lambda line: None):
        ready.set()
        time.sleep(600)


def test_a_folder_is_not_locked_once_its_holder_is_killed(tmp_path: Path) -> None:
    processes = multiprocessing.get_context("fork")
    ready = processes.Event()
    other = processes.Process(target=holding, args=(tmp_path, ready))
    other.start()
    ready.wait()
    assert is_locked(tmp_path)

    other.kill()
    other.join()

    assert not is_locked(tmp_path)
    assert has_died(tmp_path)


def test_a_process_of_another_user_lives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def kill(pid: int, number: int) -> None:
        assert (pid, number) == (4321, 0)  # which asks and does nothing
        raise PermissionError

    monkeypatch.setattr(os, "kill", kill)
    write_all(tmp_path, age=0, host=socket.gethostname(), pid=4321)

    assert is_locked(tmp_path)


def test_a_holder_here_lives_however_old_its_files_are(tmp_path: Path) -> None:
    write_all(tmp_path, age=10 * FRESH_SECONDS, host=socket.gethostname(), pid=os.getpid())

    assert is_locked(tmp_path)


def test_a_holder_elsewhere_lives_as_long_as_it_writes(tmp_path: Path) -> None:
    write_all(tmp_path, age=FRESH_SECONDS + 60, host="elsewhere", pid=os.getpid())
    assert not is_locked(tmp_path)

    write_json(tmp_path / "progress.json", {})
    assert is_locked(tmp_path)

    write_all(tmp_path, age=FRESH_SECONDS - 60, host="elsewhere", pid=os.getpid())
    assert is_locked(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"host": "elsewhere"}', '{"pid": "a"}'])
def test_a_lock_that_names_nobody_is_held_by_nobody(text: str, tmp_path: Path) -> None:
    (tmp_path / LOCK).write_text(text)

    assert not is_locked(tmp_path)


def test_a_folder_that_is_not_there_is_not_locked(tmp_path: Path) -> None:
    assert not is_locked(tmp_path / "nowhere")


def test_nobody_has_died_where_nobody_has_held_a_lock_and_none_is_made_to_find_out(
    tmp_path: Path,
) -> None:
    assert not has_died(tmp_path)
    assert not has_died(tmp_path / "nowhere")
    assert list(tmp_path.iterdir()) == []
