"""The output layer against the softmax as it stands in a textbook, written with loops."""

import math

import numpy as np
import pytest
from numpy.typing import DTypeLike

from model_strategies import ids, largest_error
from unrolled.model import output
from unrolled.model.types import Array
from unrolled.text.vocabulary import Ids

RNG = np.random.default_rng(1)
HIDDEN = RNG.uniform(-1, 1, (11, 3))
WEIGHTS = RNG.normal(0, 1.5, (5, 3))
TARGETS = RNG.integers(5, size=11).astype(np.int32)


def plain_softmax(state: Array, weights: Array) -> list[float]:
    """exp(z_i) / Σ exp(z_j), number by number."""
    exponentials = [
        math.exp(sum(float(v) * float(s) for v, s in zip(row, state, strict=True)))
        for row in weights
    ]
    return [exponential / math.fsum(exponentials) for exponential in exponentials]


def plain_loss(hidden: Array, targets: Ids, weights: Array) -> float:
    return math.fsum(
        -math.log(plain_softmax(state, weights)[target])
        for state, target in zip(hidden, targets, strict=True)
    )


def test_log_probabilities_are_the_logarithms_of_the_plain_softmax() -> None:
    expected = np.log([plain_softmax(state, WEIGHTS) for state in HIDDEN])

    found = output.log_probabilities(HIDDEN, WEIGHTS)

    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-13)


def test_probabilities_of_every_row_sum_to_one() -> None:
    found = output.log_probabilities(HIDDEN, WEIGHTS)

    np.testing.assert_allclose(np.exp(found).sum(axis=1), 1, rtol=0, atol=1e-14)


def test_losses_are_the_negative_logarithms_of_the_targets_probabilities() -> None:
    losses, _ = output.losses_and_hits(HIDDEN, TARGETS, WEIGHTS)

    expected = [plain_loss(HIDDEN[[k]], TARGETS[[k]], WEIGHTS) for k in range(11)]
    np.testing.assert_allclose(losses, expected, rtol=0, atol=1e-13)


def test_a_hit_is_a_target_that_was_the_most_probable_word() -> None:
    weights = np.array([[1.0], [3.0], [-2.0]])  # a positive state guesses 1, a negative one 2

    _, hits = output.losses_and_hits(
        np.array([[1.0], [1.0], [-1.0], [-1.0]]), ids(1, 0, 2, 1), weights
    )

    assert hits.tolist() == [True, False, True, False]


def test_the_loss_that_is_trained_on_is_the_sum_of_the_losses_that_are_reported() -> None:
    losses, _ = output.losses_and_hits(HIDDEN, TARGETS, WEIGHTS)

    loss, _, _ = output.loss_and_gradients(HIDDEN, TARGETS, WEIGHTS)

    assert loss == pytest.approx(math.fsum(losses), rel=1e-14)
    assert loss == pytest.approx(plain_loss(HIDDEN, TARGETS, WEIGHTS), rel=1e-13)


def test_gradients_agree_with_central_differences() -> None:
    _, d_hidden, d_weights = output.loss_and_gradients(HIDDEN, TARGETS, WEIGHTS)

    # of the loss with loops; at h = 1e-5 its own error is some h² + 1e-16 / h = 1e-10
    for analytic, array in ((d_hidden, HIDDEN), (d_weights, WEIGHTS)):
        numeric = np.empty_like(array)
        for index in np.ndindex(array.shape):
            nudge = np.zeros_like(array)
            nudge[index] = 1e-5
            higher, lower = (
                plain_loss(HIDDEN + sign * nudge, TARGETS, WEIGHTS)
                if array is HIDDEN
                else plain_loss(HIDDEN, TARGETS, WEIGHTS + sign * nudge)
                for sign in (1, -1)
            )
            numeric[index] = (higher - lower) / 2e-5
        assert largest_error(analytic, numeric) < 1e-9


@pytest.mark.parametrize("chunk_rows", [0, 1, 3, 10, 11, 12])  # one row is the least
def test_results_do_not_depend_on_the_size_of_a_chunk(
    chunk_rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected_loss, *expected = output.loss_and_gradients(HIDDEN, TARGETS, WEIGHTS)
    expected_losses, expected_hits = output.losses_and_hits(HIDDEN, TARGETS, WEIGHTS)

    monkeypatch.setattr(output, "CHUNK_BYTES", chunk_rows * 5 * 8)  # five words, double
    loss, *found = output.loss_and_gradients(HIDDEN, TARGETS, WEIGHTS)
    losses, hits = output.losses_and_hits(HIDDEN, TARGETS, WEIGHTS)

    assert loss == pytest.approx(expected_loss, rel=1e-14)
    for array, expected_array in zip(found, expected, strict=True):
        np.testing.assert_allclose(array, expected_array, rtol=0, atol=1e-13)
    np.testing.assert_allclose(losses, expected_losses, rtol=0, atol=1e-14)
    np.testing.assert_array_equal(hits, expected_hits)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_logits_of_ten_thousand_do_not_overflow(dtype: DTypeLike) -> None:
    hidden = np.ones((1, 1), dtype=dtype)
    weights = np.array([[1e4], [0], [-1e4]], dtype=dtype)

    log_probabilities = output.log_probabilities(hidden, weights)
    loss, d_hidden, d_weights = output.loss_and_gradients(hidden, ids(1), weights)

    # the softmax is (1, exp(-1e4), exp(-2e4)), that is (1, 0, 0) to any float
    assert log_probabilities.tolist() == [[0, -1e4, -2e4]]
    assert loss == 1e4
    # d_logits = (1, -1, 0), so d_hidden = 1e4 - 0 and d_weights = d_logits * 1
    assert d_hidden.tolist() == [[1e4]]
    assert d_weights.tolist() == [[1], [-1], [0]]


def test_precision_is_that_of_the_hidden_states_and_no_input_is_changed() -> None:
    hidden, weights = HIDDEN.astype(np.float32), WEIGHTS.astype(np.float32)

    losses, _ = output.losses_and_hits(hidden, TARGETS, weights)
    _, d_hidden, d_weights = output.loss_and_gradients(hidden, TARGETS, weights)

    assert losses.dtype == d_hidden.dtype == d_weights.dtype == np.float32
    np.testing.assert_array_equal(hidden, HIDDEN.astype(np.float32))
    np.testing.assert_array_equal(weights, WEIGHTS.astype(np.float32))


@pytest.mark.parametrize("level", [-95.0, -80.0, 0.0, 80.0, 95.0])
def test_a_common_shift_of_all_logits_costs_no_digits_in_single_precision(level: float) -> None:
    # exp(-95) has lost most of its digits in single precision, exp(95) is infinite there
    rng = np.random.default_rng(3)
    weights = rng.uniform(-1, 1, (6, 4))
    hidden = rng.uniform(-1, 1, (5, 4))
    weights[:, 0], hidden[:, 0] = level, 1.0  # adds the level to every logit
    targets = np.array([0, 5, 2, 2, 1], dtype=np.int32)
    expected = output.loss_and_gradients(hidden, targets, weights)

    found = output.loss_and_gradients(
        hidden.astype(np.float32), targets, weights.astype(np.float32)
    )

    # logits near 100 are rounded to steps of 8e-6
    assert found[0] == pytest.approx(expected[0], rel=1e-4)
    np.testing.assert_allclose(found[2], expected[2], atol=1e-4)


@pytest.mark.parametrize("largest", [80.0, 84.0, 86.0, 88.0, 88.7])
def test_gradients_are_sound_where_exponentials_are_finite_and_their_products_are_not(
    largest: float,
) -> None:
    # exp(88.7) is just below the largest number of single precision, 88 times that is infinite
    weights = np.array([[largest - gap, 0.5 - gap] for gap in (4.0, 0.0, 3.0, 8.7)])
    hidden = np.array([[1.0, 0.0], [1.0, -0.001]])
    targets = ids(0, 3)
    expected = output.loss_and_gradients(hidden, targets, weights)

    found = output.loss_and_gradients(
        hidden.astype(np.float32), targets, weights.astype(np.float32)
    )

    # logits near 88 are rounded to steps of 8e-6; d_hidden has them as factors
    assert found[0] == pytest.approx(expected[0], abs=1e-4)
    np.testing.assert_allclose(found[1], expected[1], rtol=0, atol=2e-3)
    np.testing.assert_allclose(found[2], expected[2], rtol=0, atol=5e-5)
