"""What every job has around it: how it ends, and what its log and the terminal say of it."""

import errno
import os
import re
from contextlib import suppress
from pathlib import Path
from typing import TextIO

import pytest

from unrolled.errors import ConfigError, StoppedError
from unrolled.stages.job import STOPPED, logged


def end_with(error: BaseException, log: Path) -> object:
    """Let a job end with an error, and give back what it ends with in turn."""
    with pytest.raises(SystemExit) as ended, logged(log):
        raise error
    return ended.value.code


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ConfigError("a.b must be 1 (got 2)"), "ConfigError: a.b must be 1 (got 2)"),
        (MemoryError(), "MemoryError: this machine has too little memory for the job"),
        (MemoryError("Unable to allocate 9 TiB"), "MemoryError: Unable to allocate 9 TiB"),
        (
            OSError(errno.ENOSPC, "No space left on device"),
            "OSError: the results cannot be written: No space left on device",
        ),
        (
            PermissionError(errno.EACCES, "Permission denied", "results/a"),
            "OSError: results/a cannot be written: Permission denied",
        ),
    ],
)
def test_what_a_user_can_mend_is_one_line(tmp_path: Path, error: Exception, line: str) -> None:
    assert end_with(error, tmp_path / "logs/a.log") == line  # which Python writes to the terminal

    assert (tmp_path / "logs/a.log").read_text() == f"{line}\n"


def write_on_a_full_disk(log: TextIO) -> None:
    """Write to a log for which there is no room."""
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, log.fileno())
    os.close(full)
    print("epoch 1", file=log)


def stop_on_a_full_disk(log: TextIO) -> None:
    """Stop as asked to, after a line for which the log had no room."""
    with suppress(OSError):
        write_on_a_full_disk(log)
    raise StoppedError("stopped after step 3")


def test_a_disk_too_full_for_the_log_is_told_at_the_terminal_all_the_same(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as ended, logged(tmp_path / "a.log") as log:
        write_on_a_full_disk(log)

    assert ended.value.code == "OSError: the results cannot be written: No space left on device"


def test_a_log_without_room_does_not_change_how_a_stopped_job_ends(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as ended, logged(tmp_path / "a.log") as log:
        stop_on_a_full_disk(log)

    assert ended.value.code == STOPPED


def test_a_fault_of_the_package_is_a_traceback(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), logged(tmp_path / "a.log"):
        1 / 0  # noqa: B018

    written = (tmp_path / "a.log").read_text()
    assert written.startswith("Traceback")
    assert "ZeroDivisionError" in written


def test_a_job_that_was_asked_to_stop_says_so_and_ends_with_a_code_of_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert end_with(StoppedError("stopped after step 3"), tmp_path / "a.log") == STOPPED == 75

    assert (tmp_path / "a.log").read_text() == capsys.readouterr().err == "stopped after step 3\n"


def test_any_other_error_of_the_system_is_a_fault_of_the_package(tmp_path: Path) -> None:
    with pytest.raises(BlockingIOError), logged(tmp_path / "a.log"):
        raise BlockingIOError(errno.EAGAIN, "Try again")

    assert (tmp_path / "a.log").read_text().startswith("Traceback")


def test_an_orphan_goes_on_in_a_log_of_its_own(tmp_path: Path) -> None:
    with logged(tmp_path / "a.log") as of_orphan:
        print("one", file=of_orphan)
        with logged(tmp_path / "a.log") as of_successor:
            print("two", file=of_orphan)
            print("three", file=of_successor)

    assert re.fullmatch("three\n", (tmp_path / "a.log").read_text())
