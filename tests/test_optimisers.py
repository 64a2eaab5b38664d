"""Each optimiser against its formula, entry by entry; and what it leaves alone."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import DTypeLike, NDArray

from training_strategies import RECIPE
from unrolled.model.types import Array, Parameters, RowGradient
from unrolled.training.optimisers import OPTIMISERS, Adam, Optimiser, Sgd

SHAPE = (6, 3)
STEPS = 12
MOMENTUM = 0.7

Followed = Sequence[tuple[int, float, float]]
"""What one number is moved by: (number of the step, from 1; gradient; learning rate)."""


def sgd(weight: float, followed: Followed) -> float:
    for _, gradient, rate in followed:
        weight -= rate * gradient
    return weight


def momentum(weight: float, followed: Followed) -> float:
    velocity = 0.0
    for _, gradient, rate in followed:
        velocity = MOMENTUM * velocity + gradient
        weight -= rate * velocity
    return weight


def adam(weight: float, followed: Followed) -> float:
    mean = square = 0.0
    for step, gradient, rate in followed:
        mean = 0.9 * mean + 0.1 * gradient
        square = 0.999 * square + 0.001 * gradient**2
        corrected_mean = mean / (1 - 0.9**step)
        corrected_square = square / (1 - 0.999**step)
        weight -= rate * corrected_mean / (corrected_square**0.5 + 1e-8)
    return weight


FORMULAS: dict[str, Callable[[float, Followed], float]] = {
    "sgd": sgd,
    "momentum": momentum,
    "adam": adam,
    "adam_and_sgd": adam,  # but of the words inside classes
}
TOUCHED = [np.flatnonzero(row) for row in np.random.default_rng(5).random((STEPS, 5)) < 0.4]
"""The rows that a gradient touches, step by step; the last of the six is never touched."""


def optimiser_of(name: str) -> Optimiser:
    return OPTIMISERS[name](replace(RECIPE, momentum=MOMENTUM))


def start(dtype: DTypeLike = np.float64) -> NDArray[Any]:
    return np.random.default_rng(1).normal(size=SHAPE).astype(dtype)


def summed_gradients() -> NDArray[np.float64]:
    """(steps, rows, columns), of a summed loss."""
    return np.random.default_rng(2).normal(0, 3, (STEPS, *SHAPE))


SCALES = np.random.default_rng(3).uniform(0.1, 2, STEPS)
RATES = np.random.default_rng(4).uniform(0.01, 0.2, STEPS)


def by_formula(
    name: str, touched: Sequence[NDArray[np.int64]], rate_factor: float = 1.0
) -> NDArray[np.float64]:
    """The parameter after all steps, each number for itself."""
    expected = start()
    gradients = summed_gradients()
    for row, column in np.ndindex(SHAPE):
        followed = [
            (k + 1, float(SCALES[k] * gradients[k, row, column]), float(RATES[k]) * rate_factor)
            for k in range(STEPS)
            if row in touched[k]
        ]
        expected[row, column] = FORMULAS[name](float(expected[row, column]), followed)
    return expected


def moved(name: str, parameter: Array, order: Any = "C") -> Array:
    """The parameter after all steps along whole gradients, which lie in memory as it does."""
    optimiser = optimiser_of(name)
    for gradient, scale, rate in zip(summed_gradients(), SCALES, RATES, strict=True):
        array = np.array(gradient, dtype=parameter.dtype, order=order)
        optimiser.step({"a": parameter}, {"a": array}, float(scale), float(rate))
    return parameter


def averages_of(optimiser: Optimiser) -> list[Array]:
    """All that an optimiser keeps from step to step, or those that it is made of."""
    found: list[Array] = []
    for kept in vars(optimiser).values():
        if isinstance(kept, dict):
            found += kept.values()
        elif isinstance(kept, Adam | Sgd):
            found += averages_of(kept)
    return found


@pytest.mark.parametrize("name", OPTIMISERS)
def test_a_parameter_goes_where_the_formula_says(name: str) -> None:
    found = moved(name, start())

    everywhere = [np.arange(SHAPE[0])] * STEPS
    np.testing.assert_allclose(found, by_formula(name, everywhere), rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", OPTIMISERS)
def test_a_row_goes_by_the_steps_that_touch_it_and_rests_in_all_others(name: str) -> None:
    parameter, optimiser = start(), optimiser_of(name)

    for k, rows in enumerate(TOUCHED):
        before = parameter.copy()
        gradient = RowGradient(rows, summed_gradients()[k][rows])
        optimiser.step({"a": parameter}, {"a": gradient}, float(SCALES[k]), float(RATES[k]))
        resting = np.setdiff1d(np.arange(SHAPE[0]), rows)
        np.testing.assert_array_equal(parameter[resting], before[resting])

    # some rows pause and go on: their averages are what they were before the pause
    np.testing.assert_allclose(parameter, by_formula(name, TOUCHED), rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", OPTIMISERS)
def test_parameters_do_not_disturb_each_other(name: str) -> None:
    together, optimiser = {"a": start(), "b": 2 * start()}, optimiser_of(name)

    for k in range(STEPS):
        gradient = summed_gradients()[k]
        gradients = {"b": gradient[::-1].copy(), "a": gradient.copy()}
        optimiser.step(together, gradients, float(SCALES[k]), float(RATES[k]))

    np.testing.assert_array_equal(together["a"], moved(name, start()))


@pytest.mark.parametrize("name", OPTIMISERS)
def test_arrays_whose_columns_are_contiguous_are_moved_in_place_and_alike(name: str) -> None:
    rows, columns = start(), np.asfortranarray(start())
    view = columns[1:, :2]

    found = moved(name, columns, order="F")

    assert found.flags.f_contiguous
    np.testing.assert_array_equal(found, moved(name, rows))
    np.testing.assert_array_equal(view, rows[1:, :2])


@pytest.mark.parametrize("name", OPTIMISERS)
def test_single_precision_stays_single_and_close_to_the_formula(name: str) -> None:
    dense, optimiser = moved(name, start(np.float32)), optimiser_of(name)
    sparse = start(np.float32)
    for k, rows in enumerate(TOUCHED):
        gradient = RowGradient(rows, summed_gradients()[k][rows].astype(np.float32))
        optimiser.step({"a": sparse}, {"a": gradient}, float(SCALES[k]), float(RATES[k]))

    everywhere = [np.arange(SHAPE[0])] * STEPS
    for found, touched in ((dense, everywhere), (sparse, TOUCHED)):
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, by_formula(name, touched), rtol=1e-5, atol=1e-5)
    assert all(array.dtype == np.float32 for array in averages_of(optimiser))


@pytest.mark.parametrize("name", OPTIMISERS)
def test_scale_and_gradient_matter_by_their_product(name: str) -> None:
    found: list[Parameters] = []
    for factor in (1.0, 1024.0):  # a power of two, so that nothing is rounded
        parameters, optimiser = {"a": start()}, optimiser_of(name)
        for gradient in summed_gradients():
            optimiser.step(parameters, {"a": factor * gradient}, 1 / factor, 0.1)
        found.append(parameters)

    np.testing.assert_allclose(found[1]["a"], found[0]["a"], rtol=1e-13)


def test_the_first_step_of_adam_is_the_learning_rate_against_the_sign_of_the_gradient() -> None:
    parameter, gradient = start(), summed_gradients()[0]

    optimiser_of("adam").step({"a": parameter}, {"a": gradient.copy()}, 0.25, 0.03)

    # m̂ / √v̂ is g / |g|
    np.testing.assert_allclose(parameter - start(), -0.03 * np.sign(gradient), rtol=1e-5)


WITHIN = ["output_weights", "output_bias"]
OTHERS = ["root_weights", "root_bias", "input_weights", "recurrent_weights", "bias"]


def test_words_inside_classes_go_down_their_gradient_at_a_rate_of_their_own() -> None:
    recipe = replace(RECIPE, learning_rate=0.2, class_learning_rate=0.5)
    optimiser = OPTIMISERS["adam_and_sgd"](recipe)
    parameters: Parameters = {name: start() for name in [*OTHERS, *WITHIN]}

    for gradient, scale, rate in zip(summed_gradients(), SCALES, RATES, strict=True):
        gradients = {name: gradient.copy() for name in parameters}
        optimiser.step(parameters, gradients, float(scale), float(rate))

    # wherever the schedule takes Adam's rate, theirs is 0.5 / 0.2 of it
    everywhere = [np.arange(SHAPE[0])] * STEPS
    expected = by_formula("sgd", everywhere, rate_factor=2.5)
    for name in WITHIN:
        np.testing.assert_allclose(parameters[name], expected, rtol=0, atol=1e-12, err_msg=name)
    for name in OTHERS:
        np.testing.assert_array_equal(parameters[name], moved("adam", start()), err_msg=name)
    assert len(averages_of(optimiser)) == 2 * len(OTHERS)  # none for the words inside classes


def test_without_momentum_it_is_gradient_descent() -> None:
    plain, heavy = {"a": start()}, {"a": start()}
    optimisers = (OPTIMISERS[name](replace(RECIPE, momentum=0)) for name in ("sgd", "momentum"))

    for parameters, optimiser in zip((plain, heavy), optimisers, strict=True):
        for gradient in summed_gradients():
            optimiser.step(parameters, {"a": gradient}, 0.5, 0.1)

    np.testing.assert_allclose(heavy["a"], plain["a"], rtol=1e-14)
