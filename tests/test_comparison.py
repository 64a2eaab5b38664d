"""Differences between settings, and how sure they are."""

import math
from collections.abc import Callable, Mapping, Sequence
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from report_material import summary_row
from unrolled.report.comparison import (
    CONFIDENCE,
    FEWEST_FOR_WELCH,
    METHOD,
    Interval,
    along,
    differences,
    losses,
    noise_note,
    perplexity_change,
    pooled_interval,
    pooled_spread,
    student_t,
    welch_interval,
)
from unrolled.report.runs import Setting, by_setting, run_results

Groups = Sequence[Sequence[float]]

NONE = [math.nan]

SIZES = st.lists(st.integers(2, 9), min_size=2, max_size=6)


def settings_of(seeds: Mapping[tuple[str, str], Sequence[float]], **more: str) -> list[Setting]:
    """Settings by hidden size and depth, their losses on both splits; NaN for a diverged run."""
    rows = [
        summary_row(
            f"{size} {depth} {seed}",
            size,
            depth,
            str(seed),
            *(("", "") if math.isnan(loss) else (str(loss), str(math.exp(loss)))),
            test_loss_nats_per_token="" if math.isnan(loss) else str(loss),
            **more,
        )
        for (size, depth), values in seeds.items()
        for seed, loss in enumerate(values)
    ]
    return by_setting(run_results(rows))


def groups_of(sizes: Sequence[int], seed: int) -> list[list[float]]:
    """Losses of so many seeds for each group, with means and variances of their own."""
    rng = np.random.default_rng(seed)
    places, scales = rng.normal(4, 0.1, len(sizes)), rng.gamma(2, 0.01, len(sizes))
    return [
        rng.normal(place, scale, size).tolist()
        for place, scale, size in zip(places, scales, sizes, strict=True)
    ]


def pooled(groups: Groups) -> Interval:
    """Of the first two groups, the variance being that of all."""
    spread = pooled_spread(groups)
    assert spread is not None
    return pooled_interval(groups[0], groups[1], spread)


def welch(groups: Groups) -> Interval:
    """Of the first two groups, by their own variances."""
    return welch_interval(groups[0], groups[1])


def agrees(interval: Interval, lowest: float, highest: float, tolerance: float = 1e-12) -> bool:
    found = (interval.lowest, interval.highest)
    return found == pytest.approx((lowest, highest), rel=1e-9, abs=tolerance)


each_method = pytest.mark.parametrize("interval_of", [pooled, welch])


# Intervals


def test_a_pooled_interval_is_that_of_hand_arithmetic() -> None:
    interval = pooled([[1.0, 3.0], [5.0, 5.0], [0.0, 4.0]])

    # squares 2, 0 and 8, 10 together, over 1 + 1 + 1 degrees of freedom; the variance is 10/3
    # the mean difference 2 - 5 = -3, its error √(10/3 (1/2 + 1/2)) = 1.825742
    # Student's t for 3 degrees of freedom is 3.182446 in the tables; 3.182446 * 1.825742 = 5.810325
    assert agrees(interval, -8.810325, 2.810325, tolerance=2e-6)


@given(st.integers(2, 9), st.integers(2, 9), st.integers(0, 10_000))
def test_welch_s_interval_is_that_of_his_formula(count: int, others: int, seed: int) -> None:
    values, other_values = groups_of([count, others], seed)

    interval = welch_interval(values, other_values)

    own, of_others = np.var(values, ddof=1) / count, np.var(other_values, ddof=1) / others
    freedom = (own + of_others) ** 2 / (own**2 / (count - 1) + of_others**2 / (others - 1))
    reach = t_by_integration(float(freedom)) * np.sqrt(own + of_others)
    middle = np.mean(values) - np.mean(other_values)
    assert agrees(interval, middle - reach, middle + reach, tolerance=1e-6)


@given(st.integers(2, 9), st.integers(2, 9), st.integers(0, 10_000))
def test_a_pooled_interval_of_two_groups_is_that_of_student(
    count: int, others: int, seed: int
) -> None:
    groups = groups_of([count, others], seed)

    interval = pooled(groups)

    squares = sum((len(group) - 1) * np.var(group, ddof=1) for group in groups)
    freedom = count + others - 2
    reach = t_by_integration(freedom) * np.sqrt(squares / freedom * (1 / count + 1 / others))
    middle = np.mean(groups[0]) - np.mean(groups[1])
    assert agrees(interval, middle - reach, middle + reach, tolerance=1e-6)


@given(SIZES, st.integers(0, 10_000))
def test_a_pooled_interval_is_told_from_the_residuals_of_all_groups(
    sizes: list[int], seed: int
) -> None:
    groups = groups_of(sizes, seed)

    interval = pooled(groups)

    residuals = np.concatenate([np.array(group) - np.mean(group) for group in groups])
    freedom = len(residuals) - len(groups)
    error = np.sqrt(residuals @ residuals / freedom) * math.hypot(
        len(groups[0]) ** -0.5, len(groups[1]) ** -0.5
    )
    middle = np.mean(groups[0]) - np.mean(groups[1])
    reach = t_by_integration(freedom) * error
    assert agrees(interval, middle - reach, middle + reach, tolerance=1e-6)


@pytest.mark.parametrize("freedom", [299.5, 300.0, 1000.0, 1e6])
def test_student_s_t_of_many_runs_comes_to_that_of_the_normal_distribution(freedom: float) -> None:
    normal = NormalDist().inv_cdf(0.975)

    # Abramowitz & Stegun, 26.7.5: t = z + (z^3 + z) / 4n + (5z^5 + 16z^3 + 3z) / 96n^2 + ...
    second = (5 * normal**5 + 16 * normal**3 + 3 * normal) / (96 * freedom**2)
    expected = normal + (normal**3 + normal) / (4 * freedom) + second
    assert student_t(freedom) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("freedom", "t"),
    [(1, 12.706205), (2, 4.302653), (3, 3.182446), (9, 2.262157), (30, 2.042272), (120, 1.979930)],
)
def test_student_s_t_is_that_of_the_tables(freedom: int, t: float) -> None:
    assert student_t(freedom) == pytest.approx(t, abs=5e-7)
    assert t_by_integration(freedom) == pytest.approx(t, abs=1e-6)


def t_by_integration(freedom: float) -> float:
    """Where 0.475 of Student's density lie between 0 and it, by summing the density up."""
    places = np.linspace(0, 20, 40_001)
    largest = math.exp(math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2))
    density = (
        largest / math.sqrt(freedom * math.pi) * (1 + places**2 / freedom) ** (-(freedom + 1) / 2)
    )
    steps = (density[1:] + density[:-1]) / 2 * np.diff(places)
    return float(np.interp(0.475, np.concatenate([[0], np.cumsum(steps)]), places))


def test_groups_of_one_say_nothing_of_the_spread() -> None:
    groups = groups_of([3, 2, 4], 1)

    assert pooled_spread([*groups, [9.0], [-9.0]]) == pooled_spread(groups)
    assert pooled_spread([[9.0], [], [-9.0]]) is None


def test_pooled_intervals_hold_the_true_difference_as_often_as_they_say() -> None:
    rng = np.random.default_rng(1)
    draws = rng.normal(0, 1, (2000, 5, 2)) + np.array([[0.3], [0], [1], [2], [3]])

    intervals = [pooled(draw.tolist()) for draw in draws]

    held = np.mean([one.lowest <= 0.3 <= one.highest for one in intervals])
    # 2,000 draws of 0.95 are uncertain by √(0.95 * 0.05 / 2000) = 0.5 %
    assert 0.93 < held < 0.97


def test_welch_s_intervals_hold_the_true_difference_though_seeds_spread_unlike() -> None:
    rng = np.random.default_rng(2)
    draws = [(rng.normal(0.3, 1, 20).tolist(), rng.normal(0, 4, 5).tolist()) for _ in range(500)]

    intervals = [welch_interval(*draw) for draw in draws]
    alike = [pooled(draw) for draw in draws]

    held = np.mean([one.lowest <= 0.3 <= one.highest for one in intervals])
    # 500 draws of 0.95 are uncertain by √(0.95 * 0.05 / 500) = 1 %
    assert 0.93 < held < 0.97
    # which is why one variance for both is not used where each can be told
    assert np.mean([one.lowest <= 0.3 <= one.highest for one in alike]) < 0.85


@each_method
@given(sizes=SIZES, seed=st.integers(0, 10_000))
def test_an_interval_is_mirrored_when_the_two_change_places(
    interval_of: Callable[[Groups], Interval], sizes: list[int], seed: int
) -> None:
    first, second, *rest = groups_of(sizes, seed)

    one, other = interval_of([first, second, *rest]), interval_of([second, first, *rest])

    assert agrees(one, -other.highest, -other.lowest)


@each_method
@given(sizes=SIZES, seed=st.integers(0, 10_000), shift=st.floats(-10, 10))
def test_an_interval_stays_where_all_losses_are_shifted_alike(
    interval_of: Callable[[Groups], Interval], sizes: list[int], seed: int, shift: float
) -> None:
    groups = groups_of(sizes, seed)

    shifted = interval_of([[value + shift for value in group] for group in groups])

    still = interval_of(groups)
    assert agrees(shifted, still.lowest, still.highest, tolerance=1e-10)


@each_method
@given(sizes=SIZES, seed=st.integers(0, 10_000))
def test_an_interval_does_not_depend_on_the_order_of_seeds(
    interval_of: Callable[[Groups], Interval], sizes: list[int], seed: int
) -> None:
    groups = groups_of(sizes, seed)

    assert interval_of([group[::-1] for group in groups]) == interval_of(groups)


@each_method
def test_without_any_spread_an_interval_is_the_difference_itself(
    interval_of: Callable[[Groups], Interval],
) -> None:
    # 0.1 is not held exactly, and three times it is not 0.3
    same, apart = interval_of([[0.1] * 2, [0.1] * 3]), interval_of([[0.5] * 2, [0.25] * 3])

    assert (same, same.clear) == (Interval(0, 0), False)
    assert (apart, apart.clear) == (Interval(0.25, 0.25), True)


def test_welch_s_interval_where_only_one_of_the_two_spreads_is_told_from_that_one() -> None:
    interval = welch([[1.0, 2.0, 3.0], [0.0, 0.0, 0.0, 0.0]])

    # variance 1, error √(1/3); 2 degrees of freedom, for which t is 4.302653, over √3 2.484138
    assert agrees(interval, 2 - 2.484138, 2 + 2.484138, tolerance=1e-6)


@pytest.mark.parametrize(
    ("lowest", "highest", "clear"),
    [(-1, 1, False), (0, 1, False), (-1, 0, False), (0.1, 1, True), (-1, -0.1, True)],
)
def test_a_difference_is_clear_where_its_interval_is_without_0(
    lowest: float, highest: float, clear: bool
) -> None:
    assert Interval(lowest, highest).clear is clear


# Settings


def test_differences_are_those_of_mean_losses_from_the_best_the_least_first() -> None:
    settings = settings_of(
        {
            ("5", "0"): [1.5, 1.7],
            ("5", "2"): [1.2, 1.4],
            ("5", "full"): [1.3, 1.5],
            ("9", "0"): NONE,
        }
    )

    found = differences(settings)

    # means 1.6, 1.3, 1.4; the last has diverged
    assert [one.setting.depth for one in found] == ["full depth", "depth 0"]
    assert [one.nats_per_token for one in found] == pytest.approx([0.1, 0.3], rel=1e-12)
    assert {one.other.depth for one in found} == {"depth 2"}
    # each variance is 0.02, so is the pooled one; its error √0.02 = 0.141421, t for 3 is 3.182446
    for one in found:
        assert one.interval is not None
        expected = (one.nats_per_token - 0.450066, one.nats_per_token + 0.450066)
        assert agrees(one.interval, *expected, tolerance=1e-6)


def test_a_setting_that_does_better_than_the_best_on_the_test_split_has_a_difference_below_0() -> (
    None
):
    settings = by_setting(
        run_results(
            [
                summary_row("a", "5", "0", "1", "1.5", "9.0", test_loss_nats_per_token="2.25"),
                summary_row("b", "6", "0", "1", "1.6", "2.0", test_loss_nats_per_token="0.75"),
            ]
        )
    )

    (difference,) = differences(settings)

    assert difference.setting.runs[0].name == "b"
    assert difference.nats_per_token == -1.5


@pytest.mark.parametrize("count", [FEWEST_FOR_WELCH - 1, FEWEST_FOR_WELCH])
def test_a_setting_s_own_spread_counts_from_five_seeds_of_both(count: int) -> None:
    one, two, three = groups_of([count, 7, 3], 3)
    settings = settings_of({("5", "0"): one, ("6", "0"): two, ("7", "0"): three})

    found = {
        frozenset((each.setting.settings["hidden_size"], each.other.settings["hidden_size"])): each
        for each in along(settings, "hidden_size")
    }

    expected = {4: pooled([two, one, three]), 5: welch([two, one])}[count]
    assert found[frozenset("56")].interval == expected
    assert found[frozenset("67")].interval == pooled([three, two, one])


def test_a_clearly_better_setting_is_clear_but_not_clearly_worse() -> None:
    settings = settings_of({("5", "0"): [2.0, 2.01], ("9", "0"): [1.0, 1.01]})

    (better,) = along(settings, "hidden_size")
    (worse,) = differences(settings)

    assert (better.clear, better.clearly_worse) == (True, False)
    assert (worse.clear, worse.clearly_worse) == (True, True)


def test_one_seed_each_gives_differences_without_an_interval_and_none_is_clear() -> None:
    settings = settings_of({("5", "0"): [1.0], ("5", "2"): [3.0]})

    (difference,) = differences(settings)

    assert difference.nats_per_token == 2
    assert difference.interval is None
    assert not difference.clear


def test_one_seed_is_held_against_the_spread_of_the_others() -> None:
    settings = settings_of(
        {("5", "0"): [1.0], ("5", "2"): [1.5, 2.0], ("5", "4"): [1.5, 1.75, 2.0]}
    )

    found = differences(settings)

    expected = [
        pooled([[1.5, 2.0], [1.0], [1.5, 1.75, 2.0]]),
        pooled([[1.5, 1.75, 2.0], [1.0], [1.5, 2.0]]),
    ]
    assert [one.interval for one in found] == expected


@pytest.mark.parametrize("seeds", [{}, {("5", "0"): [1.0, 1.1]}, {("5", "0"): NONE}])
def test_without_two_settings_that_finished_there_is_no_difference(
    seeds: dict[tuple[str, str], list[float]],
) -> None:
    settings = settings_of({**seeds, ("9", "0"): NONE})

    assert differences(settings) == []
    assert along(settings, "hidden_size") == []
    assert noise_note(settings) is None


def test_runs_that_did_not_finish_take_no_part() -> None:
    (setting,) = settings_of({("5", "0"): [1.0, math.nan, 2.0]})

    assert losses(setting) == [1, 2]


def test_along_a_key_are_neighbours_that_differ_in_it_alone() -> None:
    settings = settings_of(
        {
            ("10", "0"): [1.5],
            ("5", "full"): [1.25],
            ("5", "2"): NONE,
            ("5", "10"): [1.75],
            ("5", "0"): [2.0],
        }
    )

    by_depth = [
        (one.other.description, one.setting.description, one.nats_per_token)
        for one in along(settings, "truncation_depth")
    ]
    by_size = [
        (one.other.description, one.setting.description, one.nats_per_token)
        for one in along(settings, "hidden_size")
    ]

    # depth 2 has not finished, and size 10 has no other depth
    assert by_depth == [
        ("Elman, 5 hidden units, depth 0", "Elman, 5 hidden units, depth 10", -0.25),
        ("Elman, 5 hidden units, depth 10", "Elman, 5 hidden units, full depth", -0.5),
    ]
    assert by_size == [("Elman, 5 hidden units, depth 0", "Elman, 10 hidden units, depth 0", -0.5)]
    assert along(settings, "cell") == []


@given(st.floats(-5, 5))
def test_a_difference_of_losses_is_a_ratio_of_perplexities(nats: float) -> None:
    assert 1 + perplexity_change(nats) == pytest.approx(math.exp(4 + nats) / math.exp(4), rel=1e-12)


def test_a_change_beyond_all_numbers_is_infinite() -> None:
    assert perplexity_change(1e4) == math.inf
    assert perplexity_change(-1e4) == -1


# Words


def test_the_note_names_the_settings_that_are_not_clearly_worse() -> None:
    settings = settings_of(
        {("5", "0"): [1.0, 1.02], ("5", "2"): [1.01, 1.03], ("5", "full"): [2.0, 2.02]}
    )

    assert noise_note(settings) == (
        "With these seeds 1 of the 2 other settings is not clearly worse:"
        " Elman, 5 hidden units, depth 2."
    )


def test_the_note_names_no_more_than_the_three_best() -> None:
    seeds = {("5", str(depth)): [1 + depth / 1000, 1.1 + depth / 1000] for depth in range(5)}

    note = noise_note(settings_of({**seeds, ("9", "0"): [3.0, 3.1]}))

    assert note == (
        "With these seeds 4 of the 5 other settings are not clearly worse, the best of them:"
        " Elman, 5 hidden units, depth 1; Elman, 5 hidden units, depth 2;"
        " Elman, 5 hidden units, depth 3."
    )


def test_the_note_says_where_nothing_is_known_of_the_spread() -> None:
    note = noise_note(settings_of({("5", "0"): [1.0], ("5", "2"): [3.0], ("5", "4"): [4.0]}))

    assert note == (
        "No setting has two finished seeds, so it is not known how much of a difference is chance:"
        " none of the 2 other settings is clearly worse."
    )


def test_there_is_no_note_where_all_others_are_clearly_worse() -> None:
    settings = settings_of({("5", "0"): [1.0, 1.01], ("5", "2"): [3.0, 3.01]})

    assert noise_note(settings) is None


def test_one_other_setting_is_not_counted_but_named() -> None:
    note = noise_note(settings_of({("5", "0"): [1.0, 1.2], ("5", "2"): [1.1, 1.3]}))

    assert note == (
        "With these seeds the other setting is not clearly worse: Elman, 5 hidden units, depth 2."
    )


def test_the_method_tells_the_numbers_that_are_used() -> None:
    assert (CONFIDENCE, FEWEST_FOR_WELCH) == (0.95, 5)
    assert "95 % interval" in METHOD
    assert "at least five finished seeds" in METHOD
    assert "not corrected for the number of comparisons" in METHOD
