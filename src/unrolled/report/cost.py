"""What was paid in time: by each run for its perplexity, and by each step of the workflow."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from unrolled.report.runs import RunResult, Setting


@dataclass(frozen=True)
class Cost:
    """What a finished run took and what it reached.

    Attributes:
        run: which.
        setting: that it is of.
        seconds: of training.
        perplexity: on the test split.
        on_frontier: whether no other run beats it; see `frontier`.
    """

    run: RunResult
    setting: Setting
    seconds: float
    perplexity: float
    on_frontier: bool


@dataclass(frozen=True)
class StepTime:
    """What a step of the workflow took: all jobs of a rule, or what they do in turn for each run.

    Attributes:
        step: its name.
        times: so often it was timed.
        seconds: all of them together.
        share: of the seconds of all steps, 0 to 1.
    """

    step: str
    times: int
    seconds: float
    share: float


def costs(settings: Sequence[Setting], seconds: Mapping[str, float]) -> list[Cost]:
    """Of every finished run that was timed, the fastest first.

    Args:
        settings: of all runs.
        seconds: of training, by the run's name.
    """
    runs = [
        (seconds[run.name], run.test_perplexity, run, setting)
        for setting in settings
        for run in setting.finished
        if run.name in seconds and run.test_perplexity is not None
    ]
    marks = frontier([(taken, perplexity) for taken, perplexity, _, _ in runs])
    found = [
        Cost(run, setting, taken, perplexity, mark)
        for (taken, perplexity, run, setting), mark in zip(runs, marks, strict=True)
    ]
    return sorted(found, key=lambda cost: (cost.seconds, cost.perplexity, cost.run.name))


def frontier(points: Sequence[tuple[float, float]]) -> list[bool]:
    """Which points no other beats: none is as low in both parts and lower in one.

    Source: Pareto, Manuale di economia politica (1906), chapter 6.
    """
    unbeaten: set[tuple[float, float]] = set()
    lowest = math.inf
    for point in sorted(set(points)):  # what could beat a point stands before it
        if point[1] < lowest:
            unbeaten.add(point)
            lowest = point[1]
    return [point in unbeaten for point in points]


def by_step(timed: Sequence[tuple[str, float]]) -> list[StepTime]:
    """The time of each step, the longest first.

    Args:
        timed: each step that was timed, and its seconds.
    """
    steps: dict[str, list[float]] = {}
    for step, taken in timed:
        steps.setdefault(step, []).append(taken)
    # fsum is exact, so that their order does not matter
    total = math.fsum(taken for _, taken in timed)
    found = [
        StepTime(step, len(parts), math.fsum(parts), math.fsum(parts) / total if total else 0.0)
        for step, parts in steps.items()
    ]
    return sorted(found, key=lambda time: (-time.seconds, time.step))


def duration(seconds: float) -> str:
    """A time in words, in the unit that makes its number short."""
    if seconds < 120:
        return f"{seconds:.1f} seconds"
    if seconds < 7200:
        return f"{seconds / 60:.1f} minutes"
    return f"{seconds / 3600:.1f} hours"
