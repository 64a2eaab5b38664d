"""What every stage has around it: a log, and errors that a person can read."""

import errno
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn, TextIO

from unrolled.errors import StoppedError, UnrolledError

STOPPED = 75
"""How a job ends that was asked to stop and can go on: as sysexits.h says, try again later."""

NO_PLACE = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM}
"""What the system says of a disk that is full, and of a folder that may not be written to."""


@contextmanager
def logged(log: Path | str) -> Iterator[TextIO]:
    """The open log of a job.

    An error that the user can mend, and a lack of memory or disk, end the job with one line in the
    log and at the terminal; anything else is a fault of this package, and its traceback goes to the
    log. A job that was asked to stop ends with STOPPED.

    The log is a new file: an orphan, which the kill of another call has left, goes on in its own.
    """
    with _new_log(Path(log)) as file:
        try:
            yield file
        except UnrolledError as error:
            _end(file, f"{type(error).__name__}: {error}")
        except MemoryError as error:
            told = str(error) or "this machine has too little memory for the job"
            _end(file, f"MemoryError: {told}")
        except OSError as error:
            if error.errno not in NO_PLACE:
                traceback.print_exc(file=file)
                raise
            what = error.filename or "the results"
            _end(file, f"OSError: {what} cannot be written: {error.strerror}")
        except StoppedError as stopped:
            print(stopped, file=sys.stderr)
            _end(file, str(stopped), STOPPED)
        except Exception:
            traceback.print_exc(file=file)
            raise


def teller(name: str, log: TextIO) -> Callable[[str], None]:
    """What shows a line about a run at the terminal and in its log."""

    def told(line: str) -> None:
        for stream in (sys.stderr, log):
            print(f"{name}  {line}", file=stream, flush=True)

    return told


@contextmanager
def _new_log(path: Path) -> Iterator[TextIO]:
    """The open file, from which is left out what a full disk has no room for."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    file = path.open("w", encoding="utf-8", buffering=1)
    try:
        yield file
    finally:
        with suppress(OSError):
            file.close()


def _end(log: TextIO, line: str, code: int | None = None) -> NoReturn:
    """End the job with a line in the log, if the disk has room for it, and with a code; where none
    is given, with the line at the terminal, too.
    """
    with suppress(OSError):
        print(line, file=log)
    sys.exit(line if code is None else code)
