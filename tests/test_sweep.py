"""From the lists of a sweep to runs: how many, in which order, under which names."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.config.sweep import Run, depth_limit, depth_order, run_name, runs, shown

MODEL = {"bias": False, "precision": "single"}
TRAINING = {"epochs": 3, "learning_rate": 0.5}
SWEEP: dict[str, list[Any]] = {
    "cell": ["elman"],
    "hidden_size": [100],
    "truncation_depth": [4],
    "seed": [1],
}


def runs_of(**sweep: list[Any]) -> list[Run]:
    """The runs of the sweep above, some of its lists replaced or added."""
    return runs({"model": MODEL, "training": TRAINING, "sweep": {**SWEEP, **sweep}})


def names_of(**sweep: list[Any]) -> list[str]:
    return [run.name for run in runs_of(**sweep)]


class TestNames:
    def test_lists_of_one_value_are_one_run_whose_name_says_the_four_settings(self) -> None:
        assert runs_of() == [
            Run(
                "elman-hidden100-depth4-seed1",
                "elman-hidden100",
                {**MODEL, "cell": "elman", "hidden_size": 100},
                {**TRAINING, "truncation_depth": 4, "seed": 1},
            )
        ]

    def test_further_settings_follow_by_their_keys(self) -> None:
        assert names_of(learning_rate=[0.1, 1.0e-5], epochs=[2]) == [
            "elman-hidden100-depth4-seed1-learning_rate0.1-epochs2",
            "elman-hidden100-depth4-seed1-learning_rate1e-05-epochs2",
        ]

    def test_a_setting_without_a_value_is_none(self) -> None:
        assert names_of(gradient_norm_limit=[None, 1.0]) == [
            "elman-hidden100-depth4-seed1-gradient_norm_limitnone",
            "elman-hidden100-depth4-seed1-gradient_norm_limit1.0",
        ]

    @pytest.mark.parametrize(
        ("value", "text"), [(None, "none"), (0, "0"), (1.0e-5, "1e-05"), ("full", "full")]
    )
    def test_a_value_is_shown_in_small_letters_without_quotes(
        self, value: object, text: str
    ) -> None:
        assert shown(value) == text

    def test_a_name_is_made_of_the_settings_that_it_is_given(self) -> None:
        assert run_name({"cell": "gru", "truncation_depth": 0, "batch_size": 8}) == (
            "gru-depth0-batch_size8"
        )

    @given(
        hidden_size=st.lists(st.integers(1, 500), min_size=1, max_size=3, unique=True),
        truncation_depth=st.lists(
            st.just("full") | st.integers(0, 50), min_size=1, max_size=3, unique=True
        ),
        seed=st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=3, unique=True),
        learning_rate=st.lists(
            st.floats(min_value=1e-6, max_value=10), min_size=1, max_size=3, unique=True
        ),
    )
    def test_every_combination_is_one_run_of_a_name_of_its_own(
        self, **sweep: list[int | float | str]
    ) -> None:
        found = runs_of(**sweep)

        points = {tuple(run.settings[key] for key in sweep) for run in found}
        count = 1
        for values in sweep.values():
            count *= len(values)
        assert len(found) == len(points) == len({run.name for run in found}) == count


class TestNetworks:
    def test_a_network_is_named_by_what_the_sweep_says_of_the_model(self) -> None:
        (run,) = runs_of(learning_rate=[0.1], precision=["double"], bias=[True], epochs=[2])

        assert run.name == (
            "elman-hidden100-depth4-seed1-learning_rate0.1-precisiondouble-biastrue-epochs2"
        )
        assert run.network == "elman-hidden100-precisiondouble-biastrue"

    def test_runs_that_are_trained_differently_begin_with_the_same_network(self) -> None:
        found = runs_of(truncation_depth=[0, "full"], seed=[1, 2], learning_rate=[0.1, 1.0])

        assert len(found) == 8
        assert {run.network for run in found} == {"elman-hidden100"}

    @given(
        cell=st.lists(st.sampled_from(["elman", "gru"]), min_size=1, unique=True),
        hidden_size=st.lists(st.integers(1, 500), min_size=1, max_size=3, unique=True),
        seed=st.lists(st.integers(0, 9), min_size=1, max_size=2, unique=True),
        bias=st.lists(st.booleans(), min_size=1, unique=True),
    )
    def test_two_networks_have_the_same_name_exactly_if_they_are_the_same(
        self, **sweep: list[int | str]
    ) -> None:
        found = runs_of(**sweep)

        for one in found:
            for other in found:
                assert (one.network == other.network) == (one.model == other.model)


class TestOrder:
    def test_the_last_of_the_named_settings_moves_fastest(self) -> None:
        assert names_of(hidden_size=[8, 4], truncation_depth=[0, 1], seed=[2, 1]) == [
            "elman-hidden8-depth0-seed2",
            "elman-hidden8-depth0-seed1",
            "elman-hidden8-depth1-seed2",
            "elman-hidden8-depth1-seed1",
            "elman-hidden4-depth0-seed2",
            "elman-hidden4-depth0-seed1",
            "elman-hidden4-depth1-seed2",
            "elman-hidden4-depth1-seed1",
        ]

    def test_depths_go_up_and_full_comes_last(self) -> None:
        found = runs_of(truncation_depth=["full", 10, 0, 4])

        assert [run.training["truncation_depth"] for run in found] == [0, 4, 10, "full"]

    def test_the_configuration_is_left_as_it_is(self) -> None:
        depths = ["full", 0]

        runs_of(truncation_depth=depths)

        assert depths == ["full", 0]


class TestSettings:
    def test_a_value_of_the_sweep_goes_to_the_section_that_has_its_key(self) -> None:
        (run,) = runs_of(hidden_size=[8], epochs=[9], bias=[True], precision=["double"])

        assert run.model == {
            "cell": "elman",
            "hidden_size": 8,
            "bias": True,
            "precision": "double",
        }
        assert run.training == {
            "truncation_depth": 4,
            "seed": 1,
            "epochs": 9,
            "learning_rate": 0.5,
        }

    def test_where_the_sweep_is_silent_the_base_speaks(self) -> None:
        found = runs_of(seed=[1, 2])

        assert [run.settings for run in found] == [
            {
                "cell": "elman",
                "hidden_size": 100,
                "truncation_depth": 4,
                "seed": seed,
                **MODEL,
                **TRAINING,
            }
            for seed in (1, 2)
        ]

    def test_settings_begin_with_the_four_that_name_a_run(self) -> None:
        (run,) = runs_of()

        assert list(run.settings) == [
            "cell",
            "hidden_size",
            "truncation_depth",
            "seed",
            "bias",
            "precision",
            "epochs",
            "learning_rate",
        ]

    def test_runs_do_not_share_their_settings(self) -> None:
        one, two = runs_of(seed=[1, 2])

        assert one.training is not two.training
        assert one.training is not TRAINING


class TestDepth:
    @pytest.mark.parametrize(("depth", "limit"), [(0, 0), (4, 4), ("full", None)])
    def test_a_depth_is_a_number_of_steps_or_no_limit(
        self, depth: int | str, limit: int | None
    ) -> None:
        assert depth_limit(depth) == limit

    def test_another_word_is_no_depth(self) -> None:
        with pytest.raises(ValueError, match="all"):
            depth_limit("all")

    @given(depth=st.integers(min_value=0))
    def test_full_is_beyond_every_number(self, depth: int) -> None:
        assert depth_order("full") > depth_order(depth)


def test_a_switch_is_shown_as_it_is_written_in_yaml() -> None:
    assert (shown(True), shown(False)) == ("true", "false")
