"""One step of descent: how long it is, where it goes and what it leaves alone."""

import math

import numpy as np
import pytest
from numpy.typing import DTypeLike

from model_strategies import dense, ids, network_of
from unrolled.model.packing import pack
from unrolled.model.types import Gradients, Parameters, RowGradient
from unrolled.training.descent import clipped, descend, gradient_norm


def rows(*indices: int, values: list[list[float]]) -> RowGradient:
    return RowGradient(np.array(indices), np.array(values))


def test_norm_is_the_length_of_all_gradients_as_one_vector() -> None:
    gradients: Gradients = {"a": np.array([[3.0], [0.0]]), "b": rows(1, 4, values=[[-4.0], [12.0]])}

    assert gradient_norm(gradients) == 13  # 9 + 16 + 144 = 169


def test_norm_of_a_networks_gradients_is_that_of_their_dense_form() -> None:
    batch = pack([ids(0, 3, 5, 3, 1), ids(0, 4, 1)])
    _, gradients = network_of(1).loss_and_gradients(batch, None)

    squares = [float(entry) ** 2 for array in dense(gradients, 7).values() for entry in array.flat]
    assert gradient_norm(gradients) == pytest.approx(math.sqrt(math.fsum(squares)), rel=1e-13)


def test_a_gradient_within_the_limit_keeps_its_learning_rate() -> None:
    assert clipped(0.5, norm=3.0, limit=3.0) == 0.5
    assert clipped(0.5, norm=0.0, limit=3.0) == 0.5


def test_without_a_limit_the_learning_rate_stays() -> None:
    assert clipped(0.5, norm=1e300, limit=None) == 0.5


def test_a_gradient_beyond_the_limit_is_scaled_down_to_it() -> None:
    rate = clipped(0.5, norm=12.0, limit=3.0)

    assert rate == 0.125  # 0.5 * 3 / 12; the step is 0.125 * 12 = 0.5 * 3 long


def test_clipping_keeps_the_direction() -> None:
    parameters: Parameters = {"a": np.zeros(2), "b": np.zeros((1, 1))}
    gradients: Gradients = {"a": np.array([3.0, -4.0]), "b": np.array([[12.0]])}

    descend(parameters, gradients, clipped(2.0, gradient_norm(gradients), limit=1.0))

    # 13 long, so that the step is 2 * 1 long: -2/13 of (3, -4, 12)
    np.testing.assert_allclose(parameters["a"], [-6 / 13, 8 / 13], rtol=1e-15)
    np.testing.assert_allclose(parameters["b"], [[-24 / 13]], rtol=1e-15)


def test_descent_takes_the_rate_times_the_gradient_off_in_place() -> None:
    parameter = np.array([[1.0, 2.0]])

    descend({"a": parameter}, {"a": np.array([[4.0, -8.0]])}, 0.25)

    assert parameter.tolist() == [[0, 4]]


def test_a_row_gradient_touches_only_its_rows() -> None:
    parameter = np.arange(10.0).reshape(5, 2)

    descend({"a": parameter}, {"a": rows(1, 3, values=[[2.0, 4.0], [6.0, 8.0]])}, 0.5)

    # rows were (2, 3) and (6, 7), less half the gradient
    assert parameter.tolist() == [[0, 1], [1, 1], [4, 5], [3, 3], [8, 9]]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_precision_stays_that_of_the_parameter(dtype: DTypeLike) -> None:
    parameters = {"a": np.ones((2, 1), dtype=dtype), "b": np.ones((2, 1), dtype=dtype)}
    gradient = np.ones((1, 1), dtype=dtype)

    descend(parameters, {"a": RowGradient(np.array([0]), gradient), "b": gradient}, 0.1)

    assert {array.dtype for array in parameters.values()} == {np.dtype(dtype)}
    assert parameters["a"][0, 0] == dtype(1) - dtype(0.1)  # type: ignore[operator,misc]
