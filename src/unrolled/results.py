"""The folder of results as a call finds it: one that can be written to, and not of the future."""

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from unrolled.errors import DataError

MADE = ".snakemake_timestamp"
"""What Snakemake leaves in a folder that a job has made: the time of the whole."""

APART = 1000
"""Nanoseconds: a number of seconds in double precision, as Snakemake has it, tells them apart."""


def require_writable(folder: Path | str) -> None:
    """Refuse a folder in which nothing can be made, whether it is there or not.

    Raises:
        DataError: the part of its path that is there is no folder or may not be written to.
    """
    path = Path(folder).absolute()
    there = next(place for place in (path, *path.parents) if os.path.lexists(place))
    if not os.path.exists(there):
        found = "a link that leads nowhere"
    elif not os.path.isdir(there):
        found = "a file"
    elif not os.access(there, os.W_OK | os.X_OK):
        found = "one that may not"
    else:
        return
    raise DataError(f"{there} must be a folder that may be written to (found {found})")


def brought_to_now(*folders: Path | str) -> int:
    """How many files and folders below some folders were of the future, and now are of this moment,
    in the order in which they were.

    A clock that went back leaves such files, and Snakemake refuses what is made from them, as older
    than they are. What is written by others while the folders are looked through is not touched.
    """
    times = [*_times(folders)]
    now = time.time_ns()  # after the last look, so that no file that was written before it is late
    late = {path: when for path, when in times if when > now}
    in_order = {when: number for number, when in enumerate(sorted(set(late.values())))}
    return sum(_set_to(now + in_order[when] * APART, path, when) for path, when in late.items())


def _times(folders: Iterable[Path | str]) -> Iterator[tuple[str, int]]:
    """What lies below some folders, each with the nanosecond of its last change; but for what is in
    the folder of a job's, of which Snakemake knows no more than when it was made.
    """
    for folder in folders:
        for place, below, files in os.walk(folder):
            if MADE in files:
                below[:], files = [], [MADE]
            for path in (os.path.join(place, name) for name in (*below, *files)):
                with suppress(OSError):  # it has just been removed
                    yield path, os.lstat(path).st_mtime_ns


def _set_to(when: int, path: str, before: int) -> bool:
    """Whether a file could be made one of a certain nanosecond, which is still that of before."""
    try:
        if os.lstat(path).st_mtime_ns != before:  # it has just been written
            return False
        os.utime(path, ns=(when, when), follow_symlinks=False)
    except OSError:  # it has just been removed, or belongs to another user
        return False
    return True
