"""The loss in which each output sees moved weights in its own window, and its derivatives."""

import itertools
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from check_strategies import CLASSES, SOFTMAX, TIED, every_cell
from class_strategies import complex_loss
from model_strategies import network_of, reference_log_probability, some_classes, stepped
from unrolled.analysis.gradient_check import Kind
from unrolled.analysis.numeric_gradients import (
    CENTRAL,
    COMPLEX,
    METHODS,
    WindowedLoss,
    central_differences,
    complex_step,
    numeric_gradients,
)
from unrolled.model.network import Network
from unrolled.model.packing import pack
from unrolled.model.types import Array, Parameters

Values = NDArray[Any]

WORDS = np.random.default_rng(1).integers(5, size=16).astype(np.int32)
SENTENCES = [WORDS[:4], WORDS[4:10], WORDS[10:12], WORDS[12:]]  # of 3, 5, 1 and 3 predictions
ELMAN = network_of(1, vocabulary_size=5, hidden_size=3)  # without biases, as the reference network

every_window = pytest.mark.parametrize("depth", [0, 1, 2, 3, 4, 5, 7, None])
with_and_without_start = pytest.mark.parametrize("carried", [False, True], ids=["zeros", "carried"])
every_output = pytest.mark.parametrize(
    "kind", [SOFTMAX, TIED, CLASSES], ids=["untied", "tied", "classes"]
)


def network_like(seed: int, cell: str, kind: Kind) -> Network:
    """A network with biases; of another seed, one of the same shape with other weights."""
    classes = some_classes(5) if kind.output == "classes" else None
    return network_of(seed, 5, 3, cell_name=cell, bias=True, tied=kind.tied, classes=classes)


def starts_of(network: Network) -> list[Array]:
    """The state before each sentence, (1, parts * hidden) each."""
    rng = np.random.default_rng(3)
    return [rng.uniform(-1, 1, (1, network.cell.PARTS * 3)) for _ in SENTENCES]


def complex_network(network: Network) -> Network:
    """The network with an imaginary part in each of its weights."""
    rng = np.random.default_rng(4)
    parameters: dict[str, Values] = {
        name: array + 0.1j * rng.normal(size=array.shape)
        for name, array in network.parameters.items()
    }
    return replace(network, parameters=parameters)


def output_loss(network: Network, state: Values, target: int) -> complex:
    """Minus the logarithm of the probability of a word after a state, (1, parts * hidden)."""
    hidden, weights = state[0, : network.hidden_size], network.parameters
    if network.classes is not None:
        return complex_loss(network.classes, weights, hidden, target)
    logits = weights["output_weights"] @ hidden + weights.get("output_bias", 0)
    return complex(np.log(np.exp(logits).sum()) - logits[target])


def looped_loss(
    network: Network, moved: Network, starts: list[Array] | None, depth: int | None
) -> complex:
    """The windowed loss, each output reading its sentence anew, word by word."""
    total = 0j
    for index, words in enumerate(SENTENCES):
        for t in range(len(words) - 1):
            first = 0 if depth is None else max(0, t - depth)  # of the steps that are moved
            state: Values = (
                np.zeros((1, network.cell.PARTS * 3)) if starts is None else starts[index]
            )
            for step in range(t + 1):
                if step == first:
                    state = state.astype(moved.parameters["recurrent_weights"].dtype)
                state, _ = stepped(moved if step >= first else network, int(words[step]), state)
            total += output_loss(moved, state, int(words[t + 1]))
    return total


def loss_of(network: Network, starts: list[Array] | None, depth: int | None) -> WindowedLoss:
    """The windowed loss of the sentences, which the batch has in an order of its own."""
    batch = pack(SENTENCES)
    start = None if starts is None else np.concatenate([starts[index] for index in batch.order])
    return WindowedLoss(network, batch, start, depth)


# The loss


@pytest.mark.parametrize("depth", [0, 2, None])
def test_windowed_loss_of_unmoved_weights_is_the_reference_loss(depth: int | None) -> None:
    loss = loss_of(ELMAN, None, depth)(ELMAN.parameters)

    expected = -sum(reference_log_probability(ELMAN, words) for words in SENTENCES)
    assert loss == pytest.approx(expected, rel=1e-13)


def test_windowed_loss_moves_weights_inside_each_outputs_window_only() -> None:
    moved = network_of(2, vocabulary_size=5, hidden_size=3).parameters
    words = WORDS[:4]

    loss = WindowedLoss(ELMAN, pack([words]), None, 0)(moved)

    # at depth 0 every output sees one moved step, which starts from an unmoved state
    expected, state = 0.0, np.zeros(3)
    for word, target in itertools.pairwise(words):
        local = np.tanh(moved["input_weights"][word] + moved["recurrent_weights"] @ state)
        logits = moved["output_weights"] @ local
        expected += math.log(np.exp(logits).sum()) - logits[target]
        state = np.tanh(
            ELMAN.parameters["input_weights"][word] + ELMAN.parameters["recurrent_weights"] @ state
        )
    assert loss == pytest.approx(expected, rel=1e-13)


@every_cell
@every_output
@every_window
@with_and_without_start
def test_windowed_loss_is_that_of_a_plain_loop_over_outputs_and_steps(
    cell: str, kind: Kind, depth: int | None, carried: bool
) -> None:
    network, moved = network_like(1, cell, kind), network_like(2, cell, kind)
    starts = starts_of(network) if carried else None

    loss = loss_of(network, starts, depth)(moved.parameters)

    expected = looped_loss(network, moved, starts, depth).real
    assert isinstance(loss, float)  # real weights have a real loss
    assert loss == pytest.approx(expected, rel=1e-13)


@every_cell
@every_output
@pytest.mark.parametrize("depth", [0, 2, None])
@with_and_without_start
def test_windowed_loss_of_complex_weights_is_complex_and_that_of_a_plain_loop(
    cell: str, kind: Kind, depth: int | None, carried: bool
) -> None:
    network, moved = network_like(1, cell, kind), complex_network(network_like(2, cell, kind))
    starts = starts_of(network) if carried else None

    loss = loss_of(network, starts, depth)(moved.parameters)

    expected = looped_loss(network, moved, starts, depth)
    assert abs(expected.imag) > 1e-3
    assert isinstance(loss, complex)
    assert loss.real == pytest.approx(expected.real, rel=1e-13)
    assert loss.imag == pytest.approx(expected.imag, rel=1e-12)


@every_cell
@pytest.mark.parametrize("carried", [False, True], ids=["zeros", "carried"])
def test_windows_as_long_as_the_longest_sentence_are_those_of_full_depth(
    cell: str, carried: bool
) -> None:
    network, moved = network_like(1, cell, SOFTMAX), network_like(2, cell, SOFTMAX)
    starts = starts_of(network) if carried else None

    losses = [loss_of(network, starts, depth)(moved.parameters) for depth in (3, 4, 5, 9, None)]

    # the longest sentence has 5 predictions, the last of which has 4 steps before its own
    assert losses[1:] == [losses[-1]] * 4
    assert losses[0] != pytest.approx(losses[-1], rel=1e-6)


def test_a_windowed_loss_forgets_the_weights_that_it_was_asked_for_before() -> None:
    network, moved = network_like(1, "lstm", CLASSES), network_like(2, "lstm", CLASSES)
    loss = loss_of(network, starts_of(network), 1)

    first = loss(network.parameters)
    between = [loss(moved.parameters), loss(complex_network(moved).parameters)]

    assert loss(network.parameters) == first
    assert [loss(moved.parameters), loss(complex_network(moved).parameters)] == between
    assert first != between[0]


# Its derivatives

POINT: Parameters = {"a": np.array([[0.5, -1.0, 2.0], [0.25, 3.0, -0.75]]), "b": np.array([1.5])}


def cubes(moved: Mapping[str, Values]) -> complex:
    """Σ a³ + 7 Σ b, whose derivatives are 3 a² and 7."""
    total: complex = (moved["a"] ** 3).sum() + 7 * moved["b"].sum()
    return total


def exponentials(moved: Mapping[str, Values]) -> complex:
    """Σ exp(a) Σ sin(b)."""
    total: complex = np.exp(moved["a"]).sum() * np.sin(moved["b"]).sum()
    return total


def test_derivatives_are_those_of_a_known_function_by_both_methods() -> None:
    found = numeric_gradients(exponentials, POINT, 1e-5)

    expected = {
        "a": np.exp(POINT["a"]) * np.sin(1.5),
        "b": np.exp(POINT["a"]).sum() * np.cos(POINT["b"]),
    }
    assert list(found) == ["a", "b"]
    for name, derivatives in found.items():
        assert tuple(derivatives) == METHODS == (CENTRAL, COMPLEX)
        # ε L / h is about 1e-10 of the largest value, h² L''' / 6 less
        np.testing.assert_allclose(derivatives[CENTRAL], expected[name], rtol=0, atol=1e-9)
        np.testing.assert_allclose(derivatives[COMPLEX], expected[name], rtol=4e-16, atol=0)


@pytest.mark.parametrize("step", [0.25, 0.125])
def test_central_differences_are_off_by_a_sixth_of_the_third_derivative_times_the_squared_step(
    step: float,
) -> None:
    found = numeric_gradients(cubes, POINT, step)

    # ((a + h)³ - (a - h)³) / 2h = 3 a² + h², and the third derivative is 6
    np.testing.assert_allclose(found["a"][CENTRAL] - 3 * POINT["a"] ** 2, step**2, rtol=1e-12)
    np.testing.assert_allclose(found["b"][CENTRAL], [7], rtol=1e-15)  # a line has none


def test_the_complex_step_has_no_such_error_and_loses_no_digit() -> None:
    found = complex_step(cubes, POINT, "a")

    np.testing.assert_allclose(found, 3 * POINT["a"] ** 2, rtol=4e-16, atol=0)


@pytest.mark.parametrize("value", [1e-12, 1.0, 1e12])
def test_the_complex_step_is_as_exact_for_tiny_and_for_huge_entries(value: float) -> None:
    found = complex_step(cubes, {"a": np.array([value]), "b": np.ones(1)}, "a")

    np.testing.assert_allclose(found, [3 * value**2], rtol=4e-16, atol=0)


@pytest.mark.parametrize("order", ["C", "F"])
def test_each_derivative_stands_where_its_entry_stands(order: Any) -> None:
    slopes = np.arange(1.0, 7.0).reshape(2, 3)
    parameters = {"a": np.array(POINT["a"], order=order), "b": POINT["b"]}

    found = numeric_gradients(
        lambda moved: complex((slopes * moved["a"]).sum()), parameters, central_step=0.5
    )

    np.testing.assert_allclose(found["a"][CENTRAL], slopes, rtol=1e-14)
    np.testing.assert_allclose(found["a"][COMPLEX], slopes, rtol=1e-14)
    np.testing.assert_array_equal([*found["b"].values()], np.zeros((2, 1)))


def test_one_entry_is_moved_at_a_time_by_just_the_step() -> None:
    seen: list[Values] = []

    def noted(moved: Mapping[str, Values]) -> complex:
        seen.append(np.concatenate([moved["a"].ravel(), moved["b"]]))
        return 0j

    central_differences(noted, POINT, "a", 0.25)
    complex_step(noted, POINT, "a")

    at_rest = np.concatenate([POINT["a"].ravel(), POINT["b"]])
    moves = np.array(seen) - at_rest
    unit = np.eye(6, 7)
    np.testing.assert_array_equal(moves, np.concatenate([0.25 * unit, -0.25 * unit, 1e-30j * unit]))


def test_parameters_are_as_before_afterwards() -> None:
    parameters = {name: array.copy() for name, array in POINT.items()}

    numeric_gradients(exponentials, parameters, 0.1)

    assert list(parameters) == list(POINT)
    for name, array in parameters.items():
        np.testing.assert_array_equal(array, POINT[name])
        assert array.dtype == np.float64


def test_a_network_is_as_before_after_its_loss_was_differentiated() -> None:
    network, pristine = network_like(1, "gru", TIED), network_like(1, "gru", TIED)
    starts = starts_of(network)

    numeric_gradients(loss_of(network, starts, 1), network.parameters, 1e-5)

    for name, array in network.parameters.items():
        np.testing.assert_array_equal(array, pristine.parameters[name])
    for start, expected in zip(starts, starts_of(network), strict=True):
        np.testing.assert_array_equal(start, expected)
