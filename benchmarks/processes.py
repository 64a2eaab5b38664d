"""Processes that take turns: each has one thread, and works only when it is asked."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent

ONE_THREAD = {
    f"{library}_NUM_THREADS": "1" for library in ("OPENBLAS", "OMP", "MKL", "VECLIB_MAXIMUM")
}
LARGE = str(2**31)
TUNED_ALLOCATOR = dict.fromkeys(
    ("MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_", "MALLOC_TOP_PAD_"), LARGE
)
"""glibc then keeps large arrays, instead of asking the system for new pages at every step."""


class Process:
    """A script of this folder that answers each line it is sent with one of JSON.

    Args:
        script: its file name.
        arguments: what it is called with; the first one names it in messages.
        environment: variables beyond those that hold it to one thread.
    """

    def __init__(
        self, script: str, arguments: Sequence[str], environment: Mapping[str, str]
    ) -> None:
        self.name = arguments[0]
        self._process = subprocess.Popen(
            [sys.executable, HERE / script, *arguments],
            env={**os.environ, **ONE_THREAD, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self) -> dict[str, Any]:
        """Let it work; what it answers."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print("your turn", file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        if not line:
            sys.exit(f"{self.name} ended, see above")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        """End it."""
        self._process.communicate()
