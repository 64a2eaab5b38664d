"""When checkpoints are written, and what stands beside training in them."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Protocol

from unrolled.config.sections import CheckpointsConfig
from unrolled.errors import StoppedError
from unrolled.training.checkpoint import Checkpoint, Checkpoints

MOST_TIME = 0.02
"""The share of the time that may go into checkpoints: large ones come less often than asked for."""


class Part(Protocol):
    """What belongs to a run beside its training, and goes on with it."""

    def memory(self) -> Any:
        """All that it remembers, as JSON can hold it."""

    def remember(self, memory: Any) -> None:
        """Go on from there."""


class TimedKeeper:
    """Writes a checkpoint every so many seconds or steps, at the end, and when asked to stop.

    Those that come after some seconds take a fiftieth of the time at most.

    Attributes:
        begun_after: the steps that had been made when this attempt began.
    """

    def __init__(
        self,
        checkpoints: Checkpoints,
        config: CheckpointsConfig,
        parts: Mapping[str, Part],
        is_asked_to_stop: Callable[[], bool],
        tell: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """No step yet.

        Args:
            checkpoints: where to.
            config: how often.
            parts: what else goes on, by name.
            is_asked_to_stop: whether training is to stop after this step.
            tell: is called with a line about what was found and what is done.
            clock: the time in seconds, from anywhere.
        """
        self.begun_after = 0
        self._checkpoints, self._config, self._parts = checkpoints, config, parts
        self._is_asked_to_stop, self._tell, self._clock = is_asked_to_stop, tell, clock
        self._last_step, self._last_time, self._cost = 0, clock(), 0.0

    def begin(self) -> Checkpoint | None:
        """As `loop.Keeper.begin`."""
        checkpoint = self._checkpoints.newest(self._tell)
        if checkpoint is not None:
            for name, part in self._parts.items():
                part.remember(checkpoint.values["parts"][name])
            self.begun_after = self._last_step = checkpoint.step
            self._tell(f"goes on after step {checkpoint.step}")
        self._last_time = self._clock()
        return checkpoint

    def after_step(self, step: int, stand: Callable[[], Checkpoint]) -> None:
        """As `loop.Keeper.after_step`.

        Raises:
            StoppedError: training was asked to stop; its checkpoint is written.
        """
        stops = self._is_asked_to_stop()
        if stops or self._is_due(step):
            self._write(stand())
        if stops:
            raise StoppedError(f"stopped after step {step}; the next call goes on from there")

    def at_end(self, step: int, stand: Callable[[], Checkpoint]) -> None:
        """As `loop.Keeper.at_end`: what is made of the run can be made anew without training it."""
        if step != self._last_step:
            self._write(stand())

    def _is_due(self, step: int) -> bool:
        seconds, steps = self._config.seconds, self._config.steps
        by_steps = steps is not None and step - self._last_step >= steps
        return by_steps or self._clock() - self._last_time >= max(seconds, self._cost / MOST_TIME)

    def _write(self, checkpoint: Checkpoint) -> None:
        began = self._clock()
        parts = {name: part.memory() for name, part in self._parts.items()}
        values = {**checkpoint.values, "parts": parts}
        self._checkpoints.write(replace(checkpoint, values=values))
        self._last_step, self._last_time = checkpoint.step, self._clock()
        self._cost = self._last_time - began
