"""The learning rate over time."""

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training_strategies import RECIPE
from unrolled.training.schedules import SCHEDULES, Schedule, warm_up


def schedule_of(name: str, warmup_epochs: float = 0) -> Schedule:
    """A schedule of six epochs from the learning rate 0.8."""
    config = replace(RECIPE, epochs=6, learning_rate=0.8, warmup_epochs=warmup_epochs)
    return SCHEDULES[name](config)


@pytest.mark.parametrize("name", SCHEDULES)
def test_every_schedule_begins_with_the_learning_rate(name: str) -> None:
    assert schedule_of(name).rate(0) == 0.8


@pytest.mark.parametrize("name", ["constant", "cosine"])
def test_only_halving_goes_by_the_validation_loss(name: str) -> None:
    schedule = schedule_of(name)
    rates = [schedule.rate(epoch) for epoch in range(7)]

    schedule.evaluated(2.0, 3.0)

    assert [schedule.rate(epoch) for epoch in range(7)] == rates


def test_constant_stays() -> None:
    assert {schedule_of("constant").rate(epoch / 4) for epoch in range(25)} == {0.8}


def test_halving_halves_when_the_loss_is_higher_than_before_and_only_then() -> None:
    schedule = schedule_of("halving")

    rates = []
    for before, after in itertools.pairwise([3.0, 2.5, 2.6, 2.6, 2.4, 2.7]):
        schedule.evaluated(before, after)
        rates.append(schedule.rate(0))

    assert rates == [0.8, 0.4, 0.4, 0.4, 0.2]


@pytest.mark.parametrize("warmup_epochs", [0, 1.5])
def test_cosine_goes_down_half_a_wave_to_zero_from_where_the_warm_up_ends(
    warmup_epochs: float,
) -> None:
    schedule = schedule_of("cosine", warmup_epochs)
    length = 6 - warmup_epochs

    # cos 0, 60, 90, 120 and 180 degrees are 1, 1/2, 0, -1/2 and -1; the rate is 0.4 (1 + cos)
    for share, rate in ((0, 0.8), (1 / 3, 0.6), (1 / 2, 0.4), (2 / 3, 0.2), (1, 0)):
        found = schedule.rate(warmup_epochs + share * length)
        assert found == pytest.approx(rate, abs=1e-15)


@given(warmup_epochs=st.floats(0, 5.9), epochs=st.lists(st.floats(0, 6), min_size=2, max_size=9))
def test_cosine_never_rises_and_waits_for_the_end_of_the_warm_up(
    warmup_epochs: float, epochs: list[float]
) -> None:
    schedule = schedule_of("cosine", warmup_epochs)

    rates = [schedule.rate(epoch) for epoch in sorted(epochs)]

    assert all(0 <= later <= earlier for earlier, later in itertools.pairwise(rates))
    assert all(schedule.rate(epoch) == 0.8 for epoch in epochs if epoch <= warmup_epochs)


def test_warm_up_grows_evenly_to_all_of_the_learning_rate_and_stays_there() -> None:
    shares = [warm_up(epoch, warmup_epochs=2) for epoch in (0, 0.25, 0.5, 1, 1.5, 2, 2.5, 6)]

    assert shares == [0, 0.125, 0.25, 0.5, 0.75, 1, 1, 1]


def test_without_a_warm_up_all_of_the_learning_rate_is_used_from_the_start() -> None:
    assert [warm_up(epoch, warmup_epochs=0) for epoch in (0, 0.1, 5)] == [1, 1, 1]
