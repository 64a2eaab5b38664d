"""How long a gradient is, and what brings it down to a limit."""

import math

import numpy as np
import pytest

from model_strategies import dense, ids, network_of
from unrolled.model.packing import pack
from unrolled.model.types import Gradients, Parameters, RowGradient
from unrolled.training.clipping import clip_factor, gradient_norm
from unrolled.training.optimisers import Sgd


def test_norm_is_the_length_of_all_gradients_as_one_vector() -> None:
    gradients: Gradients = {
        "a": np.array([[3.0], [0.0]]),
        "b": RowGradient(np.array([1, 4]), np.array([[-4.0], [12.0]])),
    }

    assert gradient_norm(gradients) == 13  # 9 + 16 + 144 = 169


def test_norm_of_a_networks_gradients_is_that_of_their_dense_form() -> None:
    batch = pack([ids(0, 3, 5, 3, 1), ids(0, 4, 1)])
    _, gradients = network_of(1).loss_and_gradients(batch, None)

    squares = [float(entry) ** 2 for array in dense(gradients, 7).values() for entry in array.flat]
    assert gradient_norm(gradients) == pytest.approx(math.sqrt(math.fsum(squares)), rel=1e-13)


def test_norm_does_not_depend_on_how_an_array_lies_in_memory() -> None:
    array = np.arange(24.0).reshape(4, 6)

    # 0² + 1² + ... + 23² = 23 * 24 * 47 / 6 = 4324; every other row and column: 0 2 4 12 14 16
    for laid_out in (array, np.asfortranarray(array), array[::-1], array.T):
        assert gradient_norm({"a": laid_out}) == math.sqrt(4324)
    assert gradient_norm({"a": array[::2, ::2]}) == math.sqrt(616)


@pytest.mark.parametrize(
    ("norm", "limit", "factor"),
    [
        (3.0, 3.0, 1.0),
        (0.0, 3.0, 1.0),
        (1e300, None, 1.0),
        (12.0, 3.0, 0.25),
        (math.nextafter(3.0, 4.0), 3.0, math.nextafter(1.0, 0.0)),
    ],
)
def test_only_a_gradient_beyond_the_limit_is_shortened_and_just_to_it(
    norm: float, limit: float | None, factor: float
) -> None:
    assert clip_factor(norm, limit) == pytest.approx(factor, rel=1e-15)


def test_clipping_keeps_the_direction() -> None:
    parameters: Parameters = {"a": np.zeros(2), "b": np.zeros((1, 1))}
    gradients: Gradients = {"a": np.array([3.0, -4.0]), "b": np.array([[12.0]])}

    Sgd().step(parameters, gradients, clip_factor(gradient_norm(gradients), limit=1.0), 2.0)

    # 13 long, so that the step is 2 * 1 long: -2/13 of (3, -4, 12)
    np.testing.assert_allclose(parameters["a"], [-6 / 13, 8 / 13], rtol=1e-15)
    np.testing.assert_allclose(parameters["b"], [[-24 / 13]], rtol=1e-15)
