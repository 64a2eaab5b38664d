"""The runs of a sweep as the report sees them: put together by setting, and the best one chosen."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from unrolled.config.sweep import NAMED, depth_order

RESULTS = [
    "state",
    "reason",
    "parameters",
    "best_epoch",
    "validation_loss_nats_per_token",
    "test_loss_nats_per_token",
    "test_perplexity",
    "next_word_accuracy",
]
"""Columns of the summary that are not settings, beside the run's name and the baselines."""

EXCESS = ["excess_nats_per_token", "excess_standard_error"]
"""Further ones, where the least possible loss is known."""


@dataclass(frozen=True)
class RunResult:
    """One row of the summary."""

    name: str
    settings: Mapping[str, str]
    state: str
    reason: str
    parameters: int | None
    best_epoch: float | None
    validation_loss: float | None
    test_loss: float | None
    test_perplexity: float | None
    accuracy: float | None
    excess: float | None
    excess_error: float | None

    @property
    def finished(self) -> bool:
        """Whether the run has figures that can be compared."""
        return self.state == "finished" and self.test_perplexity is not None


@dataclass(frozen=True)
class Setting:
    """Runs that differ in nothing but their seed."""

    settings: Mapping[str, str]
    runs: Sequence[RunResult]
    varied: Sequence[str] = ()
    """Keys that tell it from the others, beside cell, hidden size and depth."""

    @property
    def finished(self) -> list[RunResult]:
        """Those runs that have figures."""
        return [run for run in self.runs if run.finished]

    @property
    def perplexities(self) -> list[float]:
        """Of the finished runs, ascending."""
        found = (run.test_perplexity for run in self.finished)
        return sorted(perplexity for perplexity in found if perplexity is not None)

    @property
    def mean_perplexity(self) -> float:
        """Over the finished runs."""
        return fmean(self.perplexities)

    @property
    def mean_validation_loss(self) -> float:
        """Over the finished runs, in nats per token."""
        return fmean(
            run.validation_loss for run in self.finished if run.validation_loss is not None
        )

    @property
    def description(self) -> str:
        """The setting in words."""
        return ", ".join([self._size, self.depth, *self.further])

    @property
    def all_but_depth(self) -> str:
        """The setting in words, without its depth."""
        return ", ".join([self._size, *self.further])

    @property
    def depth(self) -> str:
        """Its truncation depth in words."""
        depth = self.settings["truncation_depth"]
        return "full depth" if depth == "full" else f"depth {depth}"

    @property
    def _size(self) -> str:
        cell, hidden = self.settings["cell"], self.settings["hidden_size"]
        return f"{cell_title(cell)}, {hidden} hidden unit{'' if hidden == '1' else 's'}"

    @property
    def further(self) -> list[str]:
        """What else tells it from the others, in words."""
        return [f"{key.replace('_', ' ')} {self.settings[key]}" for key in self.varied]

    @property
    def states(self) -> str:
        """How its runs have ended."""
        return ", ".join(sorted({run.state for run in self.runs}))


def cell_title(cell: str) -> str:
    """A cell's name as it is written: Elman is a person, the others are initials."""
    return cell.capitalize() if cell == "elman" else cell.upper()


def run_results(summary: Sequence[Mapping[str, str]]) -> list[RunResult]:
    """The rows of summary.tsv, in their order."""
    return [_run_result(row) for row in summary]


def by_setting(runs: Sequence[RunResult]) -> list[Setting]:
    """The runs put together over their seeds: by cell, what else varies, size, and depth."""
    groups: dict[tuple[str, ...], list[RunResult]] = {}
    for run in runs:
        key = tuple(value for name, value in run.settings.items() if name != "seed")
        groups.setdefault(key, []).append(run)
    varied = [
        key
        for key in runs[0].settings
        if key not in NAMED and len({run.settings[key] for run in runs}) > 1
    ]
    settings = [
        Setting(
            {key: value for key, value in group[0].settings.items() if key != "seed"}, group, varied
        )
        for group in groups.values()
    ]
    return sorted(settings, key=_place)


def _place(setting: Setting) -> tuple[str, list[tuple[float, str]], int, float]:
    settings = setting.settings
    further = [(_numeric(settings[key]), settings[key]) for key in setting.varied]
    size, depth = int(settings["hidden_size"]), depth_order(settings["truncation_depth"])
    return settings["cell"], further, size, depth


BEST = (
    "The best setting is the one of the lowest validation loss, the mean over its finished seeds,"
    " and the best run the one of the lowest validation loss. Of equals it is the one with fewer"
    " parameters, then the one that stands first in the sweep. The test split takes no part in the"
    " choice, so that its figures stay a fair estimate."
)
"""The rule of the choice, in words for the report."""


def best_setting(settings: Sequence[Setting]) -> Setting | None:
    """The best setting by the rule of `BEST`; None if no run finished."""
    finished = [setting for setting in settings if setting.finished]
    return min(
        finished,
        key=lambda setting: (setting.mean_validation_loss, setting.finished[0].parameters or 0),
        default=None,
    )


def best_run(runs: Sequence[RunResult]) -> RunResult | None:
    """The best run by the rule of `BEST`; None if no run finished."""
    return min(_compared(runs), key=_rank, default=None)


def worst_run(runs: Sequence[RunResult]) -> RunResult | None:
    """The finished run that the rule of `BEST` puts last; None if no run finished."""
    return max(_compared(runs), key=_rank, default=None)


def count_states(runs: Sequence[RunResult]) -> dict[str, int]:
    """How many runs ended in each state."""
    states = [run.state for run in runs]
    return {state: states.count(state) for state in dict.fromkeys(states)}


def _compared(runs: Sequence[RunResult]) -> list[RunResult]:
    return [run for run in runs if run.finished and run.validation_loss is not None]


def _rank(run: RunResult) -> tuple[float, int]:
    assert run.validation_loss is not None  # as the run is compared
    return run.validation_loss, run.parameters or 0


def _numeric(value: str) -> float:
    """What values are sorted by: numbers by size, before what is none."""
    try:
        return float(value)
    except ValueError:
        return math.inf


def _run_result(row: Mapping[str, str]) -> RunResult:
    settings = {
        key: value
        for key, value in row.items()
        if key not in {*RESULTS, *EXCESS} and key != "run" and not key.endswith("_perplexity")
    }
    return RunResult(
        name=row["run"],
        settings=settings,
        state=row["state"],
        reason=row["reason"],
        parameters=_whole(row["parameters"]),
        best_epoch=_number(row["best_epoch"]),
        validation_loss=_number(row["validation_loss_nats_per_token"]),
        test_loss=_number(row["test_loss_nats_per_token"]),
        test_perplexity=_number(row["test_perplexity"]),
        accuracy=_number(row["next_word_accuracy"]),
        excess=_number(row.get(EXCESS[0], "")),
        excess_error=_number(row.get(EXCESS[1], "")),
    )


def _number(cell: str) -> float | None:
    return float(cell) if cell else None


def _whole(cell: str) -> int | None:
    return int(cell) if cell else None
