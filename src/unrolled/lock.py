"""A lock on a folder, which the system lets go of when its holder dies, however it dies."""

import errno
import fcntl
import json
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

LOCK = "lock"
"""The name of the file in the folder. What stands in it is for people, and for `holder`."""

NO_LOCKS = {errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL}
"""What systems say of a file system that has no locks."""


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
        try:
            if not _is_taken_at_once(file):
                tell(f"waits for {holder(folder)}, which writes to {folder}")
                fcntl.flock(file, fcntl.LOCK_EX)
        except OSError as error:
            if error.errno not in NO_LOCKS:
                raise
            tell(f"{folder}: this file system has no locks; let no two calls write there at once")
        file.truncate(0)
        json.dump(_this_process(), file)
        file.flush()
        yield


def is_locked(folder: Path | str) -> bool:
    """Whether a living process holds the lock of a folder."""
    try:
        with (Path(folder) / LOCK).open("a+", encoding="utf-8") as file:
            return not _is_taken_at_once(file)
    except OSError:  # no such folder, or no locks
        return False


def holder(folder: Path | str) -> str:
    """Who holds the lock of a folder, or held it last, in words."""
    try:
        found = json.loads((Path(folder) / LOCK).read_text(encoding="utf-8"))
        return f"process {found['pid']} on {found['host']}, begun {found['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"


def _is_taken_at_once(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _this_process() -> dict[str, str | int]:
    since = datetime.now(UTC).isoformat(timespec="seconds")
    return {"pid": os.getpid(), "host": socket.gethostname(), "since": since}
