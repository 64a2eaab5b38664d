"""What every stage has around it: a log, and errors that a person can read."""

import errno
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

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
    Path(log).parent.mkdir(parents=True, exist_ok=True)
    Path(log).unlink(missing_ok=True)
    with open(log, "w", encoding="utf-8", buffering=1) as file:
        try:
            yield file
        except UnrolledError as error:
            line = f"{type(error).__name__}: {error}"
            print(line, file=file)
            sys.exit(line)
        except MemoryError as error:
            line = f"MemoryError: {str(error) or 'this machine has too little memory for the job'}"
            print(line, file=file)
            sys.exit(line)
        except OSError as error:
            if error.errno not in NO_PLACE:
                traceback.print_exc(file=file)
                raise
            line = f"OSError: {error.filename or 'the results'} cannot be written: {error.strerror}"
            print(line, file=file)
            sys.exit(line)
        except StoppedError as stopped:
            for stream in (sys.stderr, file):
                print(stopped, file=stream)
            sys.exit(STOPPED)
        except Exception:
            traceback.print_exc(file=file)
            raise
