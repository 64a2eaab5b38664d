"""The contenders of the benchmarks do the same work: one step from the same weights."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import contenders
from model_strategies import largest_error
from settings import Setting
from throughput import TABLE, Measured, quartiles, ratio_rows, throughput_rows

SMALL = {"hidden_size": 6, "vocabulary_size": 40, "dtype": "float64"}


def assert_same_step(first: str, second: str, setting: Setting) -> None:
    """Both lose the same and end with the same weights, after each of some batches."""
    one, other = contenders.CONTENDERS[first](setting), contenders.CONTENDERS[second](setting)
    for sentences in setting.batches():
        losses = [subject.step(subject.prepared(sentences)) for subject in (one, other)]
        assert losses[0] == pytest.approx(losses[1], rel=1e-12)
    found, expected = one.weights(), other.weights()
    assert set(found) == set(expected)
    for name, weights in expected.items():
        assert largest_error(np.asarray(found[name]), np.asarray(weights)) < 1e-12, name


@pytest.mark.parametrize("depth", [0, 4, None])
def test_the_tutorials_code_makes_the_same_steps(depth: int | None) -> None:
    setting = Setting(truncation_depth=depth, batch_size=1, **SMALL)  # type: ignore[arg-type]

    assert_same_step("unrolled", "tutorial", setting)


@pytest.mark.parametrize("depth", [0, 4])
def test_the_truncated_gradient_in_pytorch_makes_the_same_steps(depth: int) -> None:
    pytest.importorskip("torch")
    setting = Setting(truncation_depth=depth, batch_size=8, **SMALL)  # type: ignore[arg-type]

    assert_same_step("unrolled", "torch-truncated", setting)


def test_every_setting_has_the_contender_that_ratios_are_taken_to() -> None:
    for group in TABLE:
        names = [name for name, _ in group]
        assert (names[0], names.count("torch-tuned")) == ("unrolled", 1)


def test_every_contender_of_the_table_is_known() -> None:
    assert {name for group in TABLE for name, _ in group} <= set(contenders.CONTENDERS)


def test_sentences_of_a_setting_are_the_same_for_every_contender() -> None:
    def flat(setting: Setting) -> list[Any]:
        return [ids.tolist() for batch in setting.batches() for ids in batch]

    assert flat(Setting()) == flat(Setting())
    lengths = [len(ids) - 1 for ids in flat(Setting())]
    assert 15 < np.mean(lengths) < 26


@pytest.mark.parametrize("depth", [4, None])
def test_pytorchs_own_layer_begins_with_the_same_loss(depth: int | None) -> None:
    pytest.importorskip("torch")
    setting = Setting(truncation_depth=depth, batch_size=8, **SMALL)  # type: ignore[arg-type]
    sentences = setting.batches()[0]

    losses = []
    for name in ("unrolled", "torch"):
        subject = contenders.CONTENDERS[name](setting)
        losses.append(subject.step(subject.prepared(sentences)))

    assert losses[0] == pytest.approx(losses[1], rel=1e-12)


def test_ratios_are_those_of_one_round_and_not_of_medians() -> None:
    # the machine slows down by half between rounds; the ratios stay 2, 2, 2 and 3
    one = Measured("unrolled", Setting(), [200, 100, 50, 75], 0)
    other = Measured("torch-tuned", Setting(), [100, 50, 25, 25], 0)

    lower, middle, upper = quartiles(one, other)

    assert (lower, middle, upper) == (2, 2, 2.25)


def test_rows_of_the_table_say_what_was_measured() -> None:
    setting = Setting(hidden_size=2, vocabulary_size=10, truncation_depth=1)
    # 6 * 2 * 10 with the output weights, (1 + 2) * 2 * 4 with the recurrent ones: 144 a token
    peak = Measured("peak", setting, [28800, 14400], 0)
    group = [
        Measured("unrolled", setting, [100, 50], 3),
        Measured("torch-tuned", replace(setting, truncation_depth=None), [50, 25], 9),
    ]

    own, other = throughput_rows(peak, group)

    assert own == {
        "contender": "unrolled",
        "cell": "elman",
        "hidden_size": 2,
        "vocabulary_size": 10,
        "truncation_depth": "1",
        "batch_size": 32,
        "dtype": "float32",
        "threads": 1,
        "median_tokens_per_second": 75,
        "lowest": 50,
        "highest": 100,
        "ratio_to_tuned_torch": 2,
        "fraction_of_peak": 0.5,
    }
    assert (other["truncation_depth"], other["ratio_to_tuned_torch"]) == ("full", 1)
    (ratio,) = ratio_rows(group)
    assert (ratio["against"], ratio["ratio"], ratio["pairs"]) == ("torch-tuned", 2, 2)
