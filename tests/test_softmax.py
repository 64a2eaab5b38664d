"""The output layer against the softmax as it stands in a textbook, written with loops."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import DTypeLike

from model_strategies import (
    PARAMETERS,
    assert_gradients_equal,
    dense,
    ids,
    largest_error,
    reference_gradients,
    reference_log_probability,
)
from unrolled.model.initialisation import initialised
from unrolled.model.network import Network
from unrolled.model.output import softmax
from unrolled.model.output.layer import DrawnWords
from unrolled.model.output.softmax import Softmax, are_safe, by_columns, chunks
from unrolled.model.packing import pack
from unrolled.model.types import Array
from unrolled.text.vocabulary import Ids

RNG = np.random.default_rng(1)
HIDDEN = RNG.uniform(-1, 1, (11, 3))
WEIGHTS = RNG.normal(0, 1.5, (5, 3))
TARGETS = RNG.integers(5, size=11).astype(np.int32)
BIAS = RNG.normal(0, 1.5, 5)

with_and_without_bias = pytest.mark.parametrize("bias", [None, BIAS], ids=["plain", "bias"])


def plain_softmax(state: Array, weights: Array, bias: Array | None = None) -> list[float]:
    """exp(z_i) / Σ exp(z_j), number by number."""
    offsets = [0.0] * len(weights) if bias is None else bias.tolist()
    exponentials = [
        math.exp(offset + sum(float(v) * float(s) for v, s in zip(row, state, strict=True)))
        for row, offset in zip(weights, offsets, strict=True)
    ]
    return [exponential / math.fsum(exponentials) for exponential in exponentials]


def plain_loss(hidden: Array, targets: Ids, weights: Array, bias: Array | None = None) -> float:
    return math.fsum(
        -math.log(plain_softmax(state, weights, bias)[target])
        for state, target in zip(hidden, targets, strict=True)
    )


def gradients_of(
    hidden: Array, targets: Ids, weights: Array, bias: Array | None = None
) -> tuple[float, list[Array]]:
    """The loss and the gradients for hidden states, weights and, if there is one, bias."""
    loss, d_hidden, gradients = Softmax(weights, bias).loss_and_gradients(hidden, targets)
    names = ["output_weights"] if bias is None else ["output_weights", "output_bias"]
    assert list(gradients) == names
    return loss, [d_hidden, *(np.asarray(gradients[name]) for name in names)]


def generators(seed: int = 1, count: int = 11) -> list[np.random.Generator]:
    """One for each row."""
    return np.random.default_rng(seed).spawn(count)


def drawn(layer: Softmax, barred: Sequence[int] = (), temperature: float = 1.0) -> DrawnWords:
    """A word for each hidden state."""
    return layer.draw(HIDDEN, barred, temperature, generators())


@with_and_without_bias
def test_log_probabilities_are_the_logarithms_of_the_plain_softmax(bias: Array | None) -> None:
    expected = np.log([plain_softmax(state, WEIGHTS, bias) for state in HIDDEN])

    found = Softmax(WEIGHTS, bias).log_probabilities(HIDDEN)

    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-13)


@with_and_without_bias
def test_probabilities_of_every_row_sum_to_one(bias: Array | None) -> None:
    found = Softmax(WEIGHTS, bias).log_probabilities(HIDDEN)

    np.testing.assert_allclose(np.exp(found).sum(axis=1), 1, rtol=0, atol=1e-14)


@with_and_without_bias
def test_losses_are_the_negative_logarithms_of_the_targets_probabilities(
    bias: Array | None,
) -> None:
    losses = Softmax(WEIGHTS, bias).losses(HIDDEN, TARGETS)

    expected = [plain_loss(HIDDEN[[k]], TARGETS[[k]], WEIGHTS, bias) for k in range(11)]
    np.testing.assert_allclose(losses, expected, rtol=0, atol=1e-13)


@with_and_without_bias
@pytest.mark.parametrize("scale", [1.0, 1e4])  # of the hidden states, so that exponentials overflow
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_losses_are_those_that_come_with_hits(
    dtype: DTypeLike, scale: float, bias: Array | None
) -> None:
    hidden, weights = (HIDDEN * scale).astype(dtype), WEIGHTS.astype(dtype)
    layer = Softmax(weights, None if bias is None else bias.astype(dtype))

    losses = layer.losses(hidden, TARGETS)

    expected, _ = layer.losses_and_hits(hidden, TARGETS)
    assert losses.dtype == dtype
    np.testing.assert_array_equal(losses, expected)


def test_a_hit_is_a_target_that_was_the_most_probable_word() -> None:
    weights = np.array([[1.0], [3.0], [-2.0]])  # a positive state guesses 1, a negative one 2

    _, hits = Softmax(weights).losses_and_hits(
        np.array([[1.0], [1.0], [-1.0], [-1.0]]), ids(1, 0, 2, 1)
    )

    assert hits.tolist() == [True, False, True, False]


def test_a_bias_alone_can_make_a_word_the_most_probable() -> None:
    weights, bias = np.array([[1.0], [3.0], [-2.0]]), np.array([9.0, 0.0, 0.0])

    _, hits = Softmax(weights, bias).losses_and_hits(np.array([[1.0], [-1.0]]), ids(0, 0))

    assert hits.tolist() == [True, True]


@with_and_without_bias
def test_the_loss_that_is_trained_on_is_the_sum_of_the_losses_that_are_reported(
    bias: Array | None,
) -> None:
    losses, _ = Softmax(WEIGHTS, bias).losses_and_hits(HIDDEN, TARGETS)

    loss, _ = gradients_of(HIDDEN, TARGETS, WEIGHTS, bias)

    assert loss == pytest.approx(math.fsum(losses), rel=1e-14)
    assert loss == pytest.approx(plain_loss(HIDDEN, TARGETS, WEIGHTS, bias), rel=1e-13)


@with_and_without_bias
def test_gradients_agree_with_central_differences(bias: Array | None) -> None:
    _, analytic = gradients_of(HIDDEN, TARGETS, WEIGHTS, bias)

    # of the loss with loops; at h = 1e-5 its own error is some h² + 1e-16 / h = 1e-10
    arrays = [HIDDEN, WEIGHTS] if bias is None else [HIDDEN, WEIGHTS, bias]
    for which, array in enumerate(arrays):
        numeric = np.empty_like(array)
        for index in np.ndindex(array.shape):
            losses = []
            for signed_step in (1e-5, -1e-5):
                moved = [array.copy() for array in arrays]
                moved[which][index] += signed_step
                losses.append(plain_loss(moved[0], TARGETS, *moved[1:]))
            numeric[index] = (losses[0] - losses[1]) / 2e-5
        assert largest_error(analytic[which], numeric) < 1e-9


def test_a_bias_learns_how_often_its_word_came_and_how_often_it_was_expected() -> None:
    _, (*_, d_bias) = gradients_of(HIDDEN, TARGETS, WEIGHTS, BIAS)

    expected = np.sum([plain_softmax(state, WEIGHTS, BIAS) for state in HIDDEN], axis=0)
    np.testing.assert_allclose(d_bias, expected - np.bincount(TARGETS, minlength=5), atol=1e-13)


@with_and_without_bias
@pytest.mark.parametrize("chunk_rows", [0, 1, 3, 10, 11, 12])  # one row is the least
def test_results_do_not_depend_on_the_size_of_a_chunk(
    chunk_rows: int, bias: Array | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected_loss, expected = gradients_of(HIDDEN, TARGETS, WEIGHTS, bias)
    expected_losses, expected_hits = Softmax(WEIGHTS, bias).losses_and_hits(HIDDEN, TARGETS)
    expected_words, _ = drawn(Softmax(WEIGHTS, bias), barred=[2])

    monkeypatch.setattr(softmax, "CHUNK_BYTES", chunk_rows * 5 * 8)  # five words, double
    loss, found = gradients_of(HIDDEN, TARGETS, WEIGHTS, bias)
    losses, hits = Softmax(WEIGHTS, bias).losses_and_hits(HIDDEN, TARGETS)
    losses_alone = Softmax(WEIGHTS, bias).losses(HIDDEN, TARGETS)
    words, _ = drawn(Softmax(WEIGHTS, bias), barred=[2])

    assert loss == pytest.approx(expected_loss, rel=1e-14)
    for array, expected_array in zip(found, expected, strict=True):
        np.testing.assert_allclose(array, expected_array, rtol=0, atol=1e-13)
    np.testing.assert_allclose(losses, expected_losses, rtol=0, atol=1e-14)
    np.testing.assert_array_equal(losses_alone, losses)
    np.testing.assert_array_equal(hits, expected_hits)
    np.testing.assert_array_equal(words, expected_words)


@given(st.integers(1, 60), st.integers(0, 70))
def test_chunks_cover_every_row_once_and_are_of_about_the_same_length(
    row_count: int, chunk_rows: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(softmax, "CHUNK_BYTES", chunk_rows * 5 * 8)
        found = list(chunks(row_count, row_bytes=5 * 8))

    covered = [row for chunk in found for row in range(row_count)[chunk]]
    lengths = [chunk.stop - chunk.start for chunk in found]
    assert covered == list(range(row_count))
    assert max(lengths) <= max(1, chunk_rows)
    assert max(lengths) - min(lengths) <= 1
    assert len(found) == math.ceil(row_count / max(1, chunk_rows))  # no more than need be


def test_sums_are_safe_far_from_where_numbers_end_and_from_where_they_lose_digits() -> None:
    # the smallest float32 with all its digits is 1.2e-38, the last of 24 binary digits is 1.2e-7 of
    # a number: from 1e-31 on even a last digit is such a number, and so is the inverse
    for safe, values in (
        (True, [1.0, 1e-30, 1e30]),
        (False, [1.0, 1e-32]),
        (False, [1.0, 1e32]),
        (False, [1.0, 0.0]),
        (False, [math.inf, 1.0]),
        (False, [1.0, math.nan]),
    ):
        assert are_safe(np.array(values, dtype=np.float32)) is safe, values
    assert are_safe(np.array([1e-32, 1e32]))  # in double precision


# Words drawn by chance

barred_words = st.sets(st.integers(0, 4), max_size=4)  # one of five is left


@with_and_without_bias
@given(barred_words, st.sampled_from([0.1, 0.5, 1.0, 3.0, 1e300]), st.integers(0, 10_000))
def test_a_word_is_where_a_number_falls_among_the_powers_of_the_allowed_words_probabilities(
    bias: Array | None, barred: set[int], temperature: float, seed: int
) -> None:
    found, _ = Softmax(WEIGHTS, bias).draw(HIDDEN, barred, temperature, generators(seed))

    for state, rng, word in zip(HIDDEN, generators(seed), found, strict=True):
        shares = [
            0.0 if index in barred else probability ** (1 / temperature)
            for index, probability in enumerate(plain_softmax(state, WEIGHTS, bias))
        ]
        number = rng.random() * math.fsum(shares)
        below = [math.fsum(shares[:index]) for index in range(6)]
        assert below[word] - 1e-12 <= number < below[word + 1] + 1e-12
        assert word not in barred


@with_and_without_bias
@pytest.mark.parametrize("temperature", [1e-300, 0.5, 1.0, 1e300])
@pytest.mark.parametrize("barred", [[], [0, 3]])
def test_a_drawn_words_log_probability_is_the_networks_own(
    bias: Array | None, temperature: float, barred: list[int]
) -> None:
    words, log_probabilities = drawn(Softmax(WEIGHTS, bias), barred, temperature)

    expected = [
        math.log(plain_softmax(state, WEIGHTS, bias)[word])
        for state, word in zip(HIDDEN, words, strict=True)
    ]
    np.testing.assert_allclose(log_probabilities, expected, rtol=0, atol=1e-13)


@pytest.mark.parametrize("temperature", [1e-300, 1e-3, 1.0, 1e300])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_words_that_are_barred_or_impossible_are_never_drawn(
    temperature: float, dtype: DTypeLike
) -> None:
    # to a float all probability is the first word's; those of the others are exp(-1e4)
    weights = np.array([[1e4], [0.0], [0.0], [0.0]], dtype=dtype)
    hidden = np.ones((200, 1), dtype=dtype)

    words, log_probabilities = Softmax(weights).draw(
        hidden, [0, 2], temperature, generators(count=200)
    )

    assert set(words.tolist()) == {1, 3}
    assert set(log_probabilities.tolist()) == {-1e4}


@with_and_without_bias
@pytest.mark.parametrize("chunk_rows", [4, 11])
def test_the_memory_order_of_the_weights_is_that_of_their_gradient_and_changes_nothing_else(
    chunk_rows: int, bias: Array | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(softmax, "CHUNK_BYTES", chunk_rows * 5 * 8)
    rows, columns = np.ascontiguousarray(WEIGHTS), by_columns(WEIGHTS)
    assert columns.flags.f_contiguous

    loss, found = gradients_of(HIDDEN, TARGETS, columns, bias)

    expected_loss, expected = gradients_of(HIDDEN, TARGETS, rows, bias)
    assert loss == pytest.approx(expected_loss, rel=1e-14)
    for array, expected_array in zip(found, expected, strict=True):
        np.testing.assert_allclose(array, expected_array, rtol=0, atol=1e-13)
    assert found[1].flags.f_contiguous
    assert expected[1].flags.c_contiguous
    np.testing.assert_allclose(
        Softmax(columns, bias).log_probabilities(HIDDEN),
        Softmax(rows, bias).log_probabilities(HIDDEN),
        rtol=0,
        atol=1e-14,
    )


@with_and_without_bias
def test_what_was_handed_back_stays_as_it_is_when_the_layer_is_used_again(
    bias: Array | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(softmax, "CHUNK_BYTES", 4 * 5 * 8)
    layer = Softmax(WEIGHTS, bias)
    _, d_hidden, gradients = layer.loss_and_gradients(HIDDEN, TARGETS)
    losses, hits = layer.losses_and_hits(HIDDEN, TARGETS)
    kept = [d_hidden, losses, hits, layer.log_probabilities(HIDDEN), *dense(gradients, 5).values()]
    kept += [layer.losses(HIDDEN, TARGETS), *drawn(layer)]
    copies = [array.copy() for array in kept]

    layer.loss_and_gradients(2 * HIDDEN, TARGETS[::-1])
    layer.losses_and_hits(3 * HIDDEN, TARGETS[::-1])
    layer.losses(3 * HIDDEN, TARGETS[::-1])
    layer.log_probabilities(4 * HIDDEN)
    layer.draw(4 * HIDDEN, [0], 0.5, generators(99))

    for array, copy in zip(kept, copies, strict=True):
        np.testing.assert_array_equal(array, copy)


@pytest.mark.parametrize("depth", [0, 4, None])
def test_a_network_of_realistic_size_is_as_exact_as_its_precision(depth: int | None) -> None:
    rng = np.random.default_rng(11)
    sentences = [rng.integers(200, size=n).astype(np.int32) for n in (9, 24, 2, 16, 24, 12, 5, 31)]
    single = initialised(200, 20, rng, np.float32)
    double = Network({name: single.parameters[name].astype(float) for name in PARAMETERS}, "elman")

    loss, gradients = double.loss_and_gradients(pack(sentences), depth)
    single_loss, single_gradients = single.loss_and_gradients(pack(sentences), depth)

    expected_loss = -math.fsum(reference_log_probability(double, words) for words in sentences)
    expected = reference_gradients(double, sentences, depth)
    assert loss == pytest.approx(expected_loss, rel=1e-12)
    assert_gradients_equal(gradients, expected, 1e-12)
    assert single_loss == pytest.approx(expected_loss, rel=1e-6)
    assert {array.dtype for array in dense(single_gradients, 200).values()} == {np.dtype("f4")}
    assert_gradients_equal(single_gradients, expected, 1e-5)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_logits_of_ten_thousand_do_not_overflow(dtype: DTypeLike) -> None:
    hidden = np.ones((1, 1), dtype=dtype)
    weights = np.array([[1e4], [0], [-1e4]], dtype=dtype)

    log_probabilities = Softmax(weights).log_probabilities(hidden)
    loss, (d_hidden, d_weights) = gradients_of(hidden, ids(1), weights)

    # the softmax is (1, exp(-1e4), exp(-2e4)), that is (1, 0, 0) to any float
    assert log_probabilities.tolist() == [[0, -1e4, -2e4]]
    assert loss == 1e4
    # d_logits = (1, -1, 0), so d_hidden = 1e4 - 0 and d_weights = d_logits * 1
    assert d_hidden.tolist() == [[1e4]]
    assert d_weights.tolist() == [[1], [-1], [0]]


def test_precision_is_that_of_the_hidden_states_and_no_input_is_changed() -> None:
    given = [array.astype(np.float32) for array in (HIDDEN, WEIGHTS, BIAS)]
    hidden, weights, bias = (array.copy() for array in given)

    losses, _ = Softmax(weights, bias).losses_and_hits(hidden, TARGETS)
    losses_alone = Softmax(weights, bias).losses(hidden, TARGETS)
    _, gradients = gradients_of(hidden, TARGETS, weights, bias)
    Softmax(weights, bias).draw(hidden, [1], 0.5, generators())

    assert {array.dtype for array in (losses, losses_alone, *gradients)} == {np.dtype(np.float32)}
    for array, copy in zip((hidden, weights, bias), given, strict=True):
        np.testing.assert_array_equal(array, copy)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_biases_of_ten_thousand_do_not_overflow(dtype: DTypeLike) -> None:
    hidden, weights = np.ones((1, 1), dtype=dtype), np.zeros((3, 1), dtype=dtype)
    bias = np.array([1e4, 0, -1e4], dtype=dtype)

    log_probabilities = Softmax(weights, bias).log_probabilities(hidden)
    loss, (d_hidden, d_weights, d_bias) = gradients_of(hidden, ids(1), weights, bias)

    assert log_probabilities.tolist() == [[0, -1e4, -2e4]]
    assert loss == 1e4
    assert d_hidden.tolist() == [[0]]
    assert d_weights[:, 0].tolist() == d_bias.tolist() == [1, -1, 0]


@pytest.mark.parametrize("level", [-95.0, -80.0, 0.0, 80.0, 95.0])
def test_a_common_shift_of_all_logits_costs_no_digits_in_single_precision(level: float) -> None:
    # exp(-95) has lost most of its digits in single precision, exp(95) is infinite there
    rng = np.random.default_rng(3)
    weights = rng.uniform(-1, 1, (6, 4))
    hidden = rng.uniform(-1, 1, (5, 4))
    weights[:, 0], hidden[:, 0] = level, 1.0  # adds the level to every logit
    targets = np.array([0, 5, 2, 2, 1], dtype=np.int32)
    expected = gradients_of(hidden, targets, weights)

    found = gradients_of(hidden.astype(np.float32), targets, weights.astype(np.float32))

    # logits near 100 are rounded to steps of 8e-6
    assert found[0] == pytest.approx(expected[0], rel=1e-4)
    np.testing.assert_allclose(found[1][1], expected[1][1], atol=1e-4)


@pytest.mark.parametrize("largest", [80.0, 84.0, 86.0, 88.0, 88.7])
def test_gradients_are_sound_where_exponentials_are_finite_and_their_products_are_not(
    largest: float,
) -> None:
    # exp(88.7) is just below the largest number of single precision, 88 times that is infinite
    weights = np.array([[largest - gap, 0.5 - gap] for gap in (4.0, 0.0, 3.0, 8.7)])
    hidden = np.array([[1.0, 0.0], [1.0, -0.001]])
    targets = ids(0, 3)
    expected = gradients_of(hidden, targets, weights)

    found = gradients_of(hidden.astype(np.float32), targets, weights.astype(np.float32))

    # logits near 88 are rounded to steps of 8e-6; d_hidden has them as factors
    assert found[0] == pytest.approx(expected[0], abs=1e-4)
    np.testing.assert_allclose(found[1][0], expected[1][0], rtol=0, atol=2e-3)
    np.testing.assert_allclose(found[1][1], expected[1][1], rtol=0, atol=5e-5)
