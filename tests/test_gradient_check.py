"""The gradient check lets sound gradients pass and stops every planted fault."""

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from model_strategies import PARAMETERS, dense, network_of, reference_log_probability
from unrolled.analysis import gradient_check
from unrolled.analysis.gradient_check import (
    ParameterCheck,
    check_gradients,
    compare,
    windowed_loss,
)
from unrolled.config.sections import ChecksConfig
from unrolled.model import bptt, elman, output
from unrolled.model.packing import pack
from unrolled.model.types import Array, Gradients, RowGradient
from unrolled.text.vocabulary import Ids

TOLERANCE = 1e-7
CONFIG = ChecksConfig(
    hidden_size=4, vocabulary_size=6, sentences=2, step=1e-5, tolerance=TOLERANCE, seed=1
)
NETWORK = network_of(1, vocabulary_size=5, hidden_size=3)
WORDS = np.random.default_rng(1).integers(5, size=11).astype(np.int32)
SENTENCES = [WORDS[:5], WORDS[5:]]  # of 4 and 5 predictions
DEPTH = 1

Change = Callable[[Array], Array]


def sound_gradients(depth: int | None = DEPTH) -> dict[str, Array]:
    _, gradients = NETWORK.loss_and_gradients(pack(SENTENCES), depth)
    return dense(gradients, 5)


def checked(gradients: Gradients, depth: int | None = DEPTH) -> dict[str, ParameterCheck]:
    checks = compare(NETWORK, SENTENCES, gradients, depth, step=1e-5)
    return {check.parameter: check for check in checks}


def with_first(value: float) -> Change:
    """The same array with one entry replaced."""

    def changed(array: Array) -> Array:
        copy = array.copy()
        copy[0, 1] = value
        return copy

    return changed


# Sound gradients


@pytest.mark.parametrize("depth", [0, 1, 2, 4, None])
def test_sound_code_passes_at_every_depth(depth: int | None) -> None:
    checks = check_gradients(CONFIG, depth)

    assert [check.parameter for check in checks] == list(PARAMETERS)
    for check in checks:
        assert check.passes(TOLERANCE)
        assert check.error < 1e-9, check.parameter


@pytest.mark.parametrize("seed", range(2, 6))
def test_sound_code_passes_with_other_seeds(seed: int) -> None:
    config = ChecksConfig(3, 5, sentences=2, step=1e-5, tolerance=TOLERANCE, seed=seed)

    for check in check_gradients(config, 1):
        assert check.error < 1e-9, check.parameter


@pytest.mark.parametrize("depth", [0, 1, 2, 4])
def test_the_plain_difference_disagrees_where_the_truncation_bites(depth: int) -> None:
    plain_errors = {check.parameter: check.plain_error for check in check_gradients(CONFIG, depth)}

    assert plain_errors["input_weights"] > 1e-3
    assert plain_errors["recurrent_weights"] > 1e-3
    assert plain_errors["output_weights"] < 1e-9  # they act at the output alone: nothing is cut


def test_the_plain_difference_agrees_at_full_depth() -> None:
    for check in check_gradients(CONFIG, None):
        assert check.plain_error < 1e-9, check.parameter


def test_a_truncated_gradient_is_no_gradient_of_the_total_loss() -> None:
    checks = checked(sound_gradients(DEPTH), depth=None)

    assert not checks["input_weights"].passes(TOLERANCE)
    assert not checks["recurrent_weights"].passes(TOLERANCE)


# What the gradients are compared with


@pytest.mark.parametrize("depth", [0, 2, None])
def test_windowed_loss_of_unmoved_weights_is_the_reference_loss(depth: int | None) -> None:
    loss = windowed_loss(NETWORK, NETWORK.parameters, SENTENCES, depth)

    expected = -sum(reference_log_probability(NETWORK, words) for words in SENTENCES)
    assert loss == pytest.approx(expected, rel=1e-13)


def test_windowed_loss_moves_weights_inside_each_outputs_window_only() -> None:
    moved = network_of(2, vocabulary_size=5, hidden_size=3).parameters
    words = WORDS[:4]

    loss = windowed_loss(NETWORK, moved, [words], 0)

    # at depth 0 every output sees one moved step, which starts from an unmoved state
    expected, state = 0.0, np.zeros(3)
    for word, target in itertools.pairwise(words):
        local = np.tanh(moved["input_weights"][word] + moved["recurrent_weights"] @ state)
        logits = moved["output_weights"] @ local
        expected += math.log(np.exp(logits).sum()) - logits[target]
        state = np.tanh(
            NETWORK.parameters["input_weights"][word]
            + NETWORK.parameters["recurrent_weights"] @ state
        )
    assert loss == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize("depth", [0, 1, 2, 3, 4, 7, None])
def test_windowed_loss_is_that_of_a_plain_loop_over_outputs(depth: int | None) -> None:
    moved = network_of(2, vocabulary_size=5, hidden_size=3).parameters

    loss = windowed_loss(NETWORK, moved, SENTENCES, depth)

    expected = 0.0
    for words in SENTENCES:
        for t in range(len(words) - 1):
            first = 0 if depth is None else max(0, t - depth)  # of the steps that are moved
            state = np.zeros(3)
            for step in range(t + 1):
                weights = moved if step >= first else NETWORK.parameters
                state = np.tanh(
                    weights["input_weights"][words[step]] + weights["recurrent_weights"] @ state
                )
            logits = moved["output_weights"] @ state
            expected += math.log(np.exp(logits).sum()) - logits[words[t + 1]]
    assert loss == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize(("depth", "differences"), [(1, 2), (None, 1)])
def test_at_full_depth_nothing_is_differentiated_twice(
    depth: int | None, differences: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    gradients = sound_gradients(depth)
    calls: list[int | None] = []

    def noted(*arguments: Any) -> float:
        calls.append(arguments[3])
        return windowed_loss(*arguments)

    monkeypatch.setattr(gradient_check, "windowed_loss", noted)
    checked(gradients, depth)

    entries = 5 * 3 + 3 * 3 + 5 * 3  # each of them moved up and down
    assert len(calls) == differences * 2 * entries
    assert set(calls) == {depth, None}


@pytest.mark.parametrize("depth", [0, 1, 4, 9])
def test_sentences_are_longer_than_the_depth_and_two(
    depth: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    lengths: list[int] = []

    def noted(_: object, sentences: list[Ids], *__: object) -> list[ParameterCheck]:
        lengths.extend(len(words) - 1 for words in sentences)  # predictions
        return []

    monkeypatch.setattr(gradient_check, "compare", noted)
    check_gradients(CONFIG, depth)

    assert len(set(lengths)) == CONFIG.sentences
    assert min(lengths) > depth + 2


# Planted faults

FAULTS: dict[str, Change] = {
    "flipped sign": lambda gradient: -gradient,
    "a thousandth too large": lambda gradient: gradient * 1.001,
    "a thousandth too small": lambda gradient: gradient * 0.999,
    "averaged rather than summed": lambda gradient: gradient / 9,
    "all zeros": np.zeros_like,
    "all NaN": lambda gradient: np.full_like(gradient, np.nan),
    "all infinite": lambda gradient: np.full_like(gradient, np.inf),
    "one NaN": with_first(math.nan),
    "one infinity": with_first(math.inf),
    "one negative infinity": with_first(-math.inf),
    "one entry wrong": with_first(0.123),
    "rows in another order": lambda gradient: np.roll(gradient, 1, axis=0),
    "columns in another order": lambda gradient: np.roll(gradient, 1, axis=1),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize("name", PARAMETERS)
def test_a_planted_fault_fails_its_parameter_and_no_other(name: str, fault: Change) -> None:
    gradients = sound_gradients()
    gradients[name] = fault(gradients[name])

    checks = checked(gradients)

    assert {key: check.passes(TOLERANCE) for key, check in checks.items()} == {
        key: key != name for key in PARAMETERS
    }


@pytest.mark.parametrize("name", ["input_weights", "recurrent_weights"])
@pytest.mark.parametrize("used", [0, 2, 3, None])
def test_a_truncation_off_by_one_or_more_fails(name: str, used: int | None) -> None:
    checks = checked(sound_gradients(used), depth=1)

    assert not checks[name].passes(TOLERANCE)
    assert checks["output_weights"].passes(TOLERANCE)


def test_a_transposed_recurrent_gradient_fails() -> None:
    gradients = sound_gradients()
    gradients["recurrent_weights"] = gradients["recurrent_weights"].T

    assert not checked(gradients)["recurrent_weights"].passes(TOLERANCE)


@pytest.mark.parametrize("depth", [1, None])
def test_states_one_step_off_in_time_fail(depth: int | None) -> None:
    batch, weights = pack(SENTENCES), NETWORK.parameters
    hidden = NETWORK.hidden_states(batch)
    _, d_hidden, _ = output.loss_and_gradients(hidden, batch.targets, weights["output_weights"])
    deltas = bptt.deltas(batch, hidden, d_hidden, weights["recurrent_weights"], depth)
    gradients = sound_gradients(depth)

    gradients["recurrent_weights"] = deltas.T @ hidden  # should be the states before

    assert not checked(gradients, depth)["recurrent_weights"].passes(TOLERANCE)


def test_words_one_step_off_in_time_fail() -> None:
    gradients = sound_gradients()
    shifted = [np.roll(words[:-1], 1) for words in SENTENCES]

    reference_shifted = np.zeros((5, 3))
    batch, weights = pack(SENTENCES), NETWORK.parameters
    hidden = NETWORK.hidden_states(batch)
    _, d_hidden, _ = output.loss_and_gradients(hidden, batch.targets, weights["output_weights"])
    deltas = bptt.deltas(batch, hidden, d_hidden, weights["recurrent_weights"], DEPTH)
    for index, words in enumerate(shifted):
        np.add.at(reference_shifted, words, deltas[batch.sentence == index])
    gradients["input_weights"] = reference_shifted

    assert not checked(gradients)["input_weights"].passes(TOLERANCE)


@pytest.mark.parametrize("depth", [0, 1, None])
def test_a_missing_slope_of_the_tanh_fails(
    depth: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(elman, "step_backward", lambda d_hidden, hidden: d_hidden)
    gradients = sound_gradients(depth)
    monkeypatch.undo()

    checks = checked(gradients, depth)

    assert not checks["input_weights"].passes(TOLERANCE)
    assert not checks["recurrent_weights"].passes(TOLERANCE)


def test_a_sentence_whose_gradient_is_missing_fails() -> None:
    _, gradients = NETWORK.loss_and_gradients(pack(SENTENCES[:1]), DEPTH)

    for check in checked(gradients).values():
        assert not check.passes(TOLERANCE)


def test_a_row_gradient_that_lacks_a_row_fails() -> None:
    _, gradients = NETWORK.loss_and_gradients(pack(SENTENCES), DEPTH)
    whole = gradients["input_weights"]
    assert isinstance(whole, RowGradient)

    checks = checked({**gradients, "input_weights": RowGradient(whole.rows[1:], whole.values[1:])})

    assert not checks["input_weights"].passes(TOLERANCE)
    assert checks["input_weights"].worst_index[0] == whole.rows[0]


# What a check says


@pytest.mark.parametrize("value", [0.123, math.nan, math.inf])
def test_the_worst_entry_is_named_with_both_values(value: float) -> None:
    gradients = sound_gradients()
    expected = gradients["recurrent_weights"][0, 1]
    gradients["recurrent_weights"] = with_first(value)(gradients["recurrent_weights"])

    check = checked(gradients)["recurrent_weights"]

    assert check.worst_index == (0, 1)
    assert check.analytic == pytest.approx(value, nan_ok=True)
    assert check.numeric == pytest.approx(expected, rel=1e-6)


def test_error_is_the_largest_difference_over_the_largest_value() -> None:
    gradients = sound_gradients()
    largest = np.abs(gradients["output_weights"]).max()
    gradients["output_weights"] = gradients["output_weights"] + 0.5 * largest

    assert checked(gradients)["output_weights"].error == pytest.approx(0.5, rel=1e-6)


def test_relative_errors_are_of_every_entry_that_is_not_tiny() -> None:
    gradients = sound_gradients()
    sound = checked(gradients)["recurrent_weights"]

    wrong = checked({**gradients, "recurrent_weights": -gradients["recurrent_weights"]})

    assert len(sound.relative_errors) + sound.tiny_count == 9
    assert sound.relative_errors.max() < 1e-6
    # |-g - g| / (|-g| + |g|) = 1
    np.testing.assert_allclose(wrong["recurrent_weights"].relative_errors, 1, atol=1e-6)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_an_entry_that_is_not_finite_is_compared_and_is_not_tiny(value: float) -> None:
    gradients = sound_gradients()
    sound = checked(gradients)["recurrent_weights"]

    gradients["recurrent_weights"] = with_first(value)(gradients["recurrent_weights"])
    check = checked(gradients)["recurrent_weights"]

    assert len(check.relative_errors) == len(sound.relative_errors)
    assert np.isnan(check.relative_errors).sum() == 1  # infinity over infinity is none either


def test_words_that_were_never_read_are_counted_as_tiny() -> None:
    words = np.array([0, 3, 0, 3, 1], dtype=np.int32)
    _, gradients = NETWORK.loss_and_gradients(pack([words]), None)

    check = compare(NETWORK, [words], gradients, None, step=1e-5)[0]

    assert check.tiny_count == 3 * 3  # three of five words, three hidden units
    assert len(check.relative_errors) == 2 * 3
    assert check.passes(TOLERANCE)


def test_nothing_compared_is_nothing_proved() -> None:
    check = ParameterCheck("a", 0.0, (0, 0), 0.0, 0.0, np.empty(0), 9, 0.0)

    assert not check.passes(TOLERANCE)


def test_gradients_that_are_all_zero_on_both_sides_do_not_pass() -> None:
    words = np.array([0, 3], dtype=np.int32)  # one prediction: no step has a state before it
    _, gradients = NETWORK.loss_and_gradients(pack([words]), None)

    check = compare(NETWORK, [words], gradients, None, step=1e-5)[1]

    assert check.parameter == "recurrent_weights"
    assert math.isnan(check.error)
    assert not check.passes(TOLERANCE)


def test_an_error_that_is_no_number_does_not_pass() -> None:
    check = ParameterCheck("a", math.nan, (0, 0), 0.0, 0.0, np.ones(9), 0, 0.0)

    assert not check.passes(math.inf)


def test_an_error_of_just_the_tolerance_passes() -> None:
    check = ParameterCheck("a", 1e-7, (0, 0), 0.0, 0.0, np.ones(9), 0, 0.0)

    assert check.passes(1e-7)
    assert not check.passes(0.999e-7)
