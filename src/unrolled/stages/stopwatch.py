"""The time and the memory that training takes, all attempts together."""

import resource
import sys
import time
from collections.abc import Callable
from typing import Any

from unrolled.training.loop import Evaluation

_MAXRSS_PER_MB = 1024**2 if sys.platform == "darwin" else 1024
"""What getrusage counts in differs: bytes there, kilobytes elsewhere."""


class Stopwatch:
    """Runs from the start on, until it is stopped.

    Attributes:
        seconds: those of this attempt and of those it goes on from.
        peak_memory_mb: the most that one of them has held.
    """

    def __init__(self) -> None:
        self._before, self._peak_before = 0.0, 0.0
        self._began = time.perf_counter()
        self._stopped: dict[str, float] | None = None

    @property
    def seconds(self) -> float:
        """Up to now, or to when it was stopped."""
        return self.memory()["seconds"]

    @property
    def peak_memory_mb(self) -> float:
        """Likewise."""
        return self.memory()["peak_memory_mb"]

    def stop(self) -> None:
        """Let what comes from here on not count."""
        self._stopped = self.memory()

    def outside(self, call: Callable[[Evaluation], None]) -> Callable[[Evaluation], None]:
        """The same call, whose time does not count."""

        def called(evaluation: Evaluation) -> None:
            began = time.perf_counter()
            call(evaluation)
            self._began += time.perf_counter() - began

        return called

    def memory(self) -> dict[str, float]:
        """As `keeper.Part.memory`."""
        if self._stopped is not None:
            return self._stopped
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _MAXRSS_PER_MB
        return {
            "seconds": self._before + time.perf_counter() - self._began,
            "peak_memory_mb": max(self._peak_before, peak),
        }

    def remember(self, memory: dict[str, Any]) -> None:
        """As `keeper.Part.remember`."""
        self._before, self._peak_before = memory["seconds"], memory["peak_memory_mb"]
        self._began = time.perf_counter()
