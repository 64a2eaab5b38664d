"""A lock on a folder, which the system lets go of when its holder dies, however it dies.

Where a file system has no locks, a folder counts as locked while the process that is named in it
lives; one on another host is taken to live as long as it writes to the folder.
"""

import errno
import fcntl
import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

LOCK = "lock"
"""The name of the file in the folder. What stands in it says who holds the lock, or has died with
it: whoever lets go of it empties the file.
"""

NO_LOCKS = {errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL}
"""What systems say of a file system that has no locks."""

FRESH_SECONDS = 300
"""So long a holder on another host may write nothing: training notes its progress every few
seconds, but not while it evaluates, and clocks differ.
"""


@dataclass(frozen=True)
class Holder:
    """A process that holds a lock.

    Attributes:
        pid: its number.
        host: where it runs.
        since: when it took the lock, as ISO 8601 has it.
    """

    pid: int
    host: str
    since: str


@contextmanager
def locked(folder: Path | str, tell: Callable[[str], None]) -> Iterator[None]:
    """Hold the lock of a folder, once whoever holds it has let go of it.

    Args:
        folder: made where it is missing.
        tell: is called with a line where there is something to wait for, or nothing to hold.
    """
    path = Path(folder) / LOCK
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as file:  # which leaves there who holds it
        _take_in_time(file, folder, tell)
        file.truncate(0)
        json.dump(asdict(_this_process()), file)
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)  # nothing else tells that this process has not died with it


def is_locked(folder: Path | str) -> bool:
    """Whether a living process holds the lock of a folder; without locks, as far as is known."""
    try:
        with (Path(folder) / LOCK).open("a+", encoding="utf-8") as file:
            return not _is_taken_at_once(file)
    except OSError as error:  # no such folder, or no locks
        return error.errno in NO_LOCKS and _seems_to_be_held(Path(folder))


def has_died(folder: Path | str) -> bool:
    """Whether the last holder of the lock of a folder has died with it, as far as is known."""
    path = Path(folder) / LOCK
    return path.exists() and not is_locked(folder) and path.stat().st_size > 0


def holder(folder: Path | str) -> str:
    """Who holds the lock of a folder, or has died with it, in words."""
    found = _named(Path(folder))
    if found is None:
        return "another process"
    return f"process {found.pid} on {found.host}, begun {found.since}"


def _take_in_time(file: IO[str], folder: Path | str, tell: Callable[[str], None]) -> None:
    """Take the lock once whoever holds it has let go of it, if there are locks."""
    try:
        if not _is_taken_at_once(file):
            tell(f"waits for {holder(folder)}, which writes to {folder}")
            fcntl.flock(file, fcntl.LOCK_EX)
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
        tell(f"{folder}: this file system has no locks; let no two calls write there at once")


def _is_taken_at_once(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _this_process() -> Holder:
    since = datetime.now(UTC).isoformat(timespec="seconds")
    return Holder(os.getpid(), socket.gethostname(), since)


def _named(folder: Path) -> Holder | None:
    """Whom the lock of a folder names; None if nobody."""
    try:
        found = json.loads((folder / LOCK).read_text(encoding="utf-8"))
        return Holder(int(found["pid"]), found["host"], found["since"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _seems_to_be_held(folder: Path) -> bool:
    """Whether the process that the lock of a folder names seems to live."""
    found = _named(folder)
    if found is None:
        return False
    if found.host == socket.gethostname():
        return _lives(found.pid)
    return time.time() - _last_written(folder) < FRESH_SECONDS


def _lives(pid: int) -> bool:
    """Whether there is a process of this number on this host."""
    try:
        os.kill(pid, 0)  # which does nothing to it
    except OSError as error:
        return isinstance(error, PermissionError)  # then it is another user's
    return True


def _last_written(folder: Path) -> float:
    """When a file of a folder was written last, in seconds since 1970."""
    times = [0.0]
    for path in folder.iterdir():
        with suppress(FileNotFoundError):  # a temporary one may be gone by now
            times.append(path.stat().st_mtime)
    return max(times)
