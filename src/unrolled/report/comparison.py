"""How sure a difference between two settings is, told from the spread between their seeds."""

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import mean, variance
from typing import Any

from mpmath import fp, mp

from unrolled.report.runs import Setting, best_setting

CONFIDENCE = 0.95
"""How often an interval holds the true difference."""

MANY = 300
"""Degrees of freedom from which on floats do not do."""

FEWEST_FOR_WELCH = 5
"""Finished seeds; from fewer, the spread of a setting by itself is known too badly."""

NAMED_AT_MOST = 3

METHOD = (
    "Settings are compared by the test losses of their finished seeds: a difference d of two mean"
    " losses, in nats per token, changes the perplexity by exp(d) − 1. Its 95 % interval is told"
    " from the spread between seeds: by Welch's method where both settings have at least five"
    " finished seeds; otherwise by Student's t, with one variance pooled over all settings that"
    " have two or more, as though seeds spread alike in all of them. Where no setting has two,"
    " there is no interval. A difference is clear if its interval is without 0. Each interval is"
    " by itself, not corrected for the number of comparisons: of twenty settings that are just as"
    " good, about one seems to differ. The best setting may owe a part of its lead to luck, as it"
    " was chosen by the same runs. An interval is about other seeds, not about other texts."
)
"""How differences are told, in words for the report."""


@dataclass(frozen=True)
class Interval:
    """From where to where a difference may lie, in nats per token."""

    lowest: float
    highest: float

    @property
    def clear(self) -> bool:
        """Whether it is without 0."""
        return not self.lowest <= 0 <= self.highest


@dataclass(frozen=True)
class Spread:
    """The variance of the loss between seeds, (nats per token)², and from how many it is told."""

    variance: float
    degrees_of_freedom: int


@dataclass(frozen=True)
class Difference:
    """How much higher the test loss of one setting is than that of another.

    Attributes:
        setting: the one.
        other: what it is held against.
        nats_per_token: its mean test loss less that of the other.
        interval: of 95 %; None where no setting has two finished seeds.
    """

    setting: Setting
    other: Setting
    nats_per_token: float
    interval: Interval | None

    @property
    def clear(self) -> bool:
        """Whether it can be told from chance; never without an interval."""
        return self.interval is not None and self.interval.clear

    @property
    def clearly_worse(self) -> bool:
        """Whether it is clear that the setting's loss is the higher one."""
        return self.clear and self.nats_per_token > 0


def differences(settings: Sequence[Setting]) -> list[Difference]:
    """Of every other setting with a finished run from the best, the least difference first.

    Empty if no run finished. A difference is below 0 where a setting does better on the test split
    than the one that is best by its validation loss.
    """
    best, spread = best_setting(settings), pooled_spread([losses(one) for one in settings])
    found = [
        _difference(setting, best, spread)
        for setting in settings
        if best is not None and setting is not best and setting.finished
    ]
    return sorted(found, key=lambda difference: difference.nats_per_token)


def along(settings: Sequence[Setting], key: str) -> list[Difference]:
    """What it changes to go from each value of a key to the next, all else being the same.

    Args:
        settings: in the order of `by_setting`, in which the values of each key ascend. Those
            without a finished run are passed over, so that their neighbours are held together.
        key: of the sweep, such as hidden_size.
    """
    spread = pooled_spread([losses(setting) for setting in settings])
    groups: dict[tuple[tuple[str, str], ...], list[Setting]] = {}
    for setting in settings:
        if setting.finished:
            rest = tuple(item for item in setting.settings.items() if item[0] != key)
            groups.setdefault(rest, []).append(setting)
    return [
        _difference(later, earlier, spread)
        for group in groups.values()
        for earlier, later in pairwise(group)
    ]


def noise_note(settings: Sequence[Setting]) -> str | None:
    """A sentence on the settings that are not clearly worse than the best; None without any."""
    found = differences(settings)
    unclear = [difference for difference in found if not difference.clearly_worse]
    if not unclear:
        return None
    if unclear[0].interval is None:  # then none of them has one
        return (
            "No setting has two finished seeds, so it is not known how much of a difference is"
            f" chance: {how_many_are_worse(found)}."
        )
    names = "; ".join(difference.setting.description for difference in unclear[:NAMED_AT_MOST])
    which = ", the best of them" if len(unclear) > NAMED_AT_MOST else ""
    return f"With these seeds {how_many_are_worse(found)}{which}: {names}."


def how_many_are_worse(found: Sequence[Difference]) -> str:
    """How many of the other settings are clearly worse than the best, or are not, in words.

    Args:
        found: of each of them from the best, one at least.
    """
    count, unclear = len(found), sum(not difference.clearly_worse for difference in found)
    if count == 1:
        return f"the other setting is {'not ' if unclear else ''}clearly worse"
    if unclear == 0:
        return f"all {count} other settings are clearly worse"
    if unclear == count:
        return f"none of the {count} other settings is clearly worse"
    verb = "is" if unclear == 1 else "are"
    return f"{unclear} of the {count} other settings {verb} not clearly worse"


def losses(setting: Setting) -> list[float]:
    """The test losses of its finished runs, in nats per token."""
    return [run.test_loss for run in setting.finished if run.test_loss is not None]


def perplexity_change(nats_per_token: float) -> float:
    """exp(d) - 1: the share by which perplexity is higher if the loss is d higher.

    Infinite where exp would overflow.
    """
    try:
        return math.expm1(nats_per_token)
    except OverflowError:
        return math.inf


def pooled_spread(groups: Sequence[Sequence[float]]) -> Spread | None:
    """The variance within groups, pooled over those of two values or more; None without any."""
    several = [values for values in groups if len(values) > 1]
    freedom = sum(len(values) - 1 for values in several)
    if not several:
        return None
    squares = math.fsum((len(values) - 1) * variance(values) for values in several)
    return Spread(squares / freedom, freedom)


def pooled_interval(values: Sequence[float], others: Sequence[float], spread: Spread) -> Interval:
    """Of the mean of `values` less that of `others`, both spreading alike.

    Source: Student's t with a common variance, s √(1/n + 1/m) being the error of the difference.
    """
    error = math.sqrt(spread.variance * (1 / len(values) + 1 / len(others)))
    return _interval(_mean_difference(values, others), error, spread.degrees_of_freedom)


def welch_interval(values: Sequence[float], others: Sequence[float]) -> Interval:
    """Of the mean of `values` less that of `others`, each with a variance of its own.

    Args:
        values: two or more.
        others: likewise.

    Source: Welch, The generalization of Student's problem (1947).
    """
    own, of_others = variance(values) / len(values), variance(others) / len(others)
    mean_difference, whole = _mean_difference(values, others), own + of_others
    if whole == 0:
        return Interval(mean_difference, mean_difference)
    share = own / whole
    freedom = 1 / (share**2 / (len(values) - 1) + (1 - share) ** 2 / (len(others) - 1))
    return _interval(mean_difference, math.sqrt(whole), freedom)


def _difference(setting: Setting, other: Setting, spread: Spread | None) -> Difference:
    values, others = losses(setting), losses(other)
    if min(len(values), len(others)) >= FEWEST_FOR_WELCH:
        interval: Interval | None = welch_interval(values, others)
    else:
        interval = pooled_interval(values, others, spread) if spread else None
    return Difference(setting, other, _mean_difference(values, others), interval)


def _mean_difference(values: Sequence[float], others: Sequence[float]) -> float:
    """Of equal values it is 0 exactly: `mean`, unlike `fmean`, rounds but once."""
    return mean(values) - mean(others)


def _interval(middle: float, error: float, freedom: float) -> Interval:
    reach = error * student_t(freedom)
    return Interval(middle - reach, middle + reach)


@functools.cache
def student_t(degrees_of_freedom: float) -> float:
    """The number that Student's t stays below, whatever its sign, with the probability CONFIDENCE.

    Args:
        degrees_of_freedom: 1 or more.

    Source: Abramowitz & Stegun, Handbook of Mathematical Functions (1964), 26.7.1: beyond t on
        either side lies the incomplete beta function I_x(ν/2, 1/2) at x = ν / (ν + t²).
    """
    # the gamma function of half of MANY is more than a float can hold
    numbers = fp if degrees_of_freedom < MANY else mp

    def too_much_beyond(t: float) -> Any:
        x = degrees_of_freedom / (degrees_of_freedom + t * t)
        beyond = numbers.betainc(degrees_of_freedom / 2, 0.5, 0, x, regularized=True)
        return beyond - (1 - CONFIDENCE)

    return float(numbers.findroot(too_much_beyond, (1, 20), solver="anderson"))
