"""The time that training takes, all attempts together."""

import time
from collections.abc import Callable
from typing import Any

from unrolled.training.loop import Evaluation


class Stopwatch:
    """Runs from the start on."""

    def __init__(self) -> None:
        self._before = 0.0
        self._began = time.perf_counter()

    @property
    def seconds(self) -> float:
        """Up to now, in this attempt and in those it goes on from."""
        return self._before + time.perf_counter() - self._began

    def outside(self, call: Callable[[Evaluation], None]) -> Callable[[Evaluation], None]:
        """The same call, whose time does not count."""

        def called(evaluation: Evaluation) -> None:
            began = time.perf_counter()
            call(evaluation)
            self._began += time.perf_counter() - began

        return called

    def memory(self) -> dict[str, Any]:
        """As `keeper.Part.memory`."""
        return {"seconds": self.seconds}

    def remember(self, memory: dict[str, Any]) -> None:
        """As `keeper.Part.remember`."""
        self._before = memory["seconds"]
        self._began = time.perf_counter()
