"""The output layer that goes by word classes, against its formulas written with loops."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import DTypeLike

from class_strategies import (
    SIZES,
    TINY_STEP,
    all_kinds,
    classes_of,
    complex_loss,
    layer_of,
    layer_with,
    layers,
    layers_and_states,
    nudged,
    parameters_of,
    plain_factors,
    plain_gradients,
    plain_log_probabilities,
    plain_losses,
    states_of,
    targets_of,
    with_and_without_bias,
)
from model_strategies import ids, largest_error
from unrolled.model.output import softmax
from unrolled.model.output.classes import ClassSoftmax
from unrolled.model.output.softmax import Softmax, by_columns
from unrolled.model.types import Array
from unrolled.text.classes import WordClasses
from unrolled.text.vocabulary import Ids

ROWS = 11


def gradients_of(
    layer: ClassSoftmax, hidden: Array, targets: Ids
) -> tuple[float, dict[str, Array]]:
    """The loss and the gradients by name, that for the states among them."""
    loss, d_hidden, gradients = layer.loss_and_gradients(hidden, targets)
    assert set(gradients) == set(parameters_of(layer))
    return loss, {**gradients, "hidden": d_hidden}


def assert_equal_gradients(
    found: dict[str, Array], expected: dict[str, Array], tolerance: float
) -> None:
    """The same names and shapes, and each within the tolerance of `largest_error`."""
    assert set(found) == set(expected)
    for name, array in found.items():
        assert array.shape == expected[name].shape, name
        if array.size:  # there are no rows where every word stands alone
            assert largest_error(array, expected[name]) < tolerance, name


def largest_score(layer: ClassSoftmax, hidden: Array) -> float:
    """What scores are at most, by which their rounding goes."""
    weights = np.concatenate([array.ravel() for array in parameters_of(layer).values()])
    hidden_size: int = hidden.shape[1]
    return float(np.abs(weights).max()) * (1 + float(np.abs(hidden).max()) * hidden_size)


def two_classes(root_bias: Sequence[float], bias: Sequence[float]) -> ClassSoftmax:
    """Words 0 and 1 share class 0, word 2 is alone in class 1; states say nothing."""
    classes = WordClasses(ids(0, 0, 1), ids(0, 1, -1))
    zeros = np.zeros((2, 1))
    return ClassSoftmax(classes, zeros, zeros, np.array(root_bias), np.array(bias))


# Probabilities


def test_a_word_is_as_probable_as_its_class_times_its_share_of_it() -> None:
    layer = two_classes(np.log([0.6, 0.4]).tolist(), np.log([0.75, 0.25]).tolist())

    (found,) = np.exp(layer.log_probabilities(np.zeros((1, 1))))

    # 0.6 * 0.75, 0.6 * 0.25 and 0.4, which is not shared
    np.testing.assert_allclose(found, [0.45, 0.15, 0.4], rtol=1e-14)


@all_kinds
@with_and_without_bias
def test_log_probabilities_are_those_of_the_formula(sizes: list[int], bias: bool) -> None:
    layer = layer_of(classes_of(sizes), bias)
    hidden = states_of(layer)

    found = layer.log_probabilities(hidden)

    expected = plain_log_probabilities(layer, hidden)
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-14)


@given(layers_and_states(magnitude=1e4))
def test_probabilities_of_all_words_sum_to_one_for_any_state(
    example: tuple[ClassSoftmax, Array],
) -> None:
    layer, hidden = example

    found = layer.log_probabilities(hidden)

    np.testing.assert_allclose(np.exp(found).sum(axis=1), 1, rtol=0, atol=1e-12)


@given(layers_and_states(magnitude=1e4, dtype=np.float32))
def test_log_probabilities_and_losses_are_finite_in_single_precision_for_any_state(
    example: tuple[ClassSoftmax, Array],
) -> None:
    layer, hidden = example
    targets = targets_of(layer, len(hidden))

    found = layer.log_probabilities(hidden)
    with np.errstate(invalid="ignore"):  # a product of BLAS with infinities, done once more
        losses, _ = layer.losses_and_hits(hidden, targets)

    assert found.dtype == losses.dtype == np.float32
    assert np.isfinite(found).all()
    assert np.isfinite(losses).all()
    np.testing.assert_allclose(np.exp(found).sum(axis=1), 1, rtol=0, atol=1e-5)


@given(layers_and_states(magnitude=1e4))
def test_log_probabilities_of_any_state_are_those_of_the_formula(
    example: tuple[ClassSoftmax, Array],
) -> None:
    layer, hidden = example

    found = layer.log_probabilities(hidden)

    rounding = 1e-15 * (1 + largest_score(layer, hidden))
    expected = plain_log_probabilities(layer, hidden)
    np.testing.assert_allclose(found, expected, rtol=1e-13, atol=4 * rounding)


# Losses and first guesses


@all_kinds
@with_and_without_bias
def test_losses_are_those_of_the_formula(sizes: list[int], bias: bool) -> None:
    layer = layer_of(classes_of(sizes), bias)
    hidden, targets = states_of(layer), targets_of(layer)

    found = layer.losses(hidden, targets)

    np.testing.assert_allclose(found, plain_losses(layer, hidden, targets), rtol=0, atol=2e-14)


@given(layers_and_states(magnitude=1e4), st.integers(0, 1000))
def test_losses_are_the_negative_log_probabilities_of_the_targets(
    example: tuple[ClassSoftmax, Array], seed: int
) -> None:
    layer, hidden = example
    targets = targets_of(layer, len(hidden), seed)

    losses = layer.losses(hidden, targets)
    losses_beside_hits, _ = layer.losses_and_hits(hidden, targets)

    expected = -layer.log_probabilities(hidden)[np.arange(len(hidden)), targets]
    rounding = 1e-15 * (1 + largest_score(layer, hidden))
    np.testing.assert_allclose(losses, expected, rtol=1e-13, atol=4 * rounding)
    np.testing.assert_array_equal(losses_beside_hits, losses)


@given(layers_and_states(magnitude=4), st.integers(0, 1000))
def test_a_hit_is_a_target_that_was_the_most_probable_of_all_words(
    example: tuple[ClassSoftmax, Array], seed: int
) -> None:
    layer, hidden = example
    log_probabilities = plain_log_probabilities(layer, hidden)
    best = log_probabilities.argmax(axis=1).astype(np.int32)
    flips = np.random.default_rng(seed).random(len(hidden)) < 0.5
    targets = np.where(flips, best, targets_of(layer, len(hidden), seed))

    _, hits = layer.losses_and_hits(hidden, targets)

    ranked = np.sort(np.c_[log_probabilities, np.full(len(hidden), -np.inf)], axis=1)
    clear = ranked[:, -1] - ranked[:, -2] > 1e-12 * (1 + largest_score(layer, hidden))
    np.testing.assert_array_equal(hits[clear], (best == targets)[clear])


def test_the_first_guess_need_not_be_a_word_of_the_most_probable_class() -> None:
    # 0.6 shared by two words is less than 0.4 for one
    layer = two_classes(np.log([0.6, 0.4]).tolist(), np.log([0.5, 0.5]).tolist())

    _, hits = layer.losses_and_hits(np.zeros((3, 1)), ids(0, 1, 2))

    assert hits.tolist() == [False, False, True]


def test_the_first_guess_may_be_a_word_of_the_least_probable_class() -> None:
    # classes of 4, 3 and 1 words have 0.4, 0.33 and 0.27 to share; a word has 0.1, 0.11 or 0.27
    classes = WordClasses(ids(0, 0, 0, 0, 1, 1, 1, 2), ids(0, 1, 2, 3, 4, 5, 6, -1))
    root_bias = np.log([0.4, 0.33, 0.27])
    layer = ClassSoftmax(classes, np.zeros((3, 1)), np.zeros((7, 1)), root_bias, np.zeros(7))

    _, hits = layer.losses_and_hits(np.zeros((8, 1)), np.arange(8, dtype=np.int32))

    assert np.flatnonzero(hits).tolist() == [7]


@pytest.mark.parametrize("favourite", range(3))
def test_each_word_of_a_class_can_be_the_first_guess(favourite: int) -> None:
    classes = classes_of([1, 3])
    (word,) = np.flatnonzero(classes.position == favourite)
    bias = np.where(np.arange(3) == favourite, 1.0, 0.0)
    layer = ClassSoftmax(classes, np.zeros((2, 1)), np.zeros((3, 1)), np.array([0.0, 2.0]), bias)

    _, hits = layer.losses_and_hits(np.zeros((4, 1)), np.arange(4, dtype=np.int32))

    assert np.flatnonzero(hits).tolist() == [word]


def test_of_equally_probable_words_one_is_the_first_guess() -> None:
    layer = two_classes([0.0, -5.0], [0.0, 0.0])

    _, hits = layer.losses_and_hits(np.zeros((3, 1)), ids(0, 1, 2))

    assert hits[:2].sum() == 1
    assert not hits[2]


# Gradients


def complex_step(layer: ClassSoftmax, hidden: Array, targets: Ids) -> dict[str, Array]:
    """The derivatives of the loss with respect to everything, exact but for rounding."""
    arrays = {name: array.astype(complex) for name, array in parameters_of(layer).items()}
    arrays["hidden"] = hidden.astype(complex)
    found: dict[str, Array] = {}
    for name, array in arrays.items():
        found[name] = np.zeros(array.shape)
        for index in np.ndindex(array.shape):
            rows = [index[0]] if name == "hidden" else range(len(hidden))
            with nudged(array, index):
                found[name][index] = math.fsum(
                    complex_loss(layer.classes, arrays, arrays["hidden"][t], targets[t]).imag
                    for t in rows
                )
        found[name] /= TINY_STEP
    return found


@all_kinds
@with_and_without_bias
def test_gradients_agree_with_complex_steps(sizes: list[int], bias: bool) -> None:
    layer = layer_of(classes_of(sizes), bias)
    hidden, targets = states_of(layer), targets_of(layer)

    _, found = gradients_of(layer, hidden, targets)

    assert_equal_gradients(found, complex_step(layer, hidden, targets), 1e-13)


@with_and_without_bias
def test_gradients_agree_with_central_differences(bias: bool) -> None:
    layer = layer_of(classes_of(SIZES["mixed"]), bias)
    hidden, targets = states_of(layer), targets_of(layer)

    _, found = gradients_of(layer, hidden, targets)

    # of the loss with loops; at h = 1e-5 its own error is some h² + 1e-15 / h = 2e-10
    arrays = {**parameters_of(layer), "hidden": hidden}
    for name, array in arrays.items():
        numeric = np.empty_like(array)
        for index in np.ndindex(array.shape):
            losses = []
            for signed_step in (1e-5, -1e-5):
                moved = {**arrays, name: array.copy()}
                moved[name][index] += signed_step
                rows = [index[0]] if name == "hidden" else list(range(ROWS))
                other = layer_with(layer, moved)
                losses.append(
                    math.fsum(
                        -sum(plain_factors(other, moved["hidden"][t], int(targets[t])))
                        for t in rows
                    )
                )
            numeric[index] = (losses[0] - losses[1]) / 2e-5
        assert largest_error(found[name], numeric) < 1e-9, name


@given(layers_and_states(magnitude=4), st.integers(0, 1000))
def test_loss_and_gradients_of_any_layer_are_those_of_the_formula(
    example: tuple[ClassSoftmax, Array], seed: int
) -> None:
    layer, hidden = example
    targets = targets_of(layer, len(hidden), seed)

    loss, found = gradients_of(layer, hidden, targets)

    expected_loss = math.fsum(plain_losses(layer, hidden, targets))
    assert loss == pytest.approx(expected_loss, rel=1e-12, abs=1e-12)
    assert_equal_gradients(found, plain_gradients(layer, hidden, targets), 1e-10)


@all_kinds
@with_and_without_bias
def test_the_loss_that_is_trained_on_is_the_sum_of_the_losses_that_are_reported(
    sizes: list[int], bias: bool
) -> None:
    layer = layer_of(classes_of(sizes), bias)
    hidden, targets = states_of(layer), targets_of(layer)

    loss, _ = gradients_of(layer, hidden, targets)

    expected = math.fsum(layer.losses(hidden, targets))
    assert loss == pytest.approx(expected, rel=1e-14, abs=1e-15)


@with_and_without_bias
def test_words_of_classes_that_do_not_occur_have_gradients_of_zero(bias: bool) -> None:
    layer = layer_of(classes_of(SIZES["mixed"]), bias)
    words = np.flatnonzero(np.isin(layer.classes.class_of, [1, 2])).astype(np.int32)
    hidden = states_of(layer, len(words))

    _, found = gradients_of(layer, hidden, words)

    # three words of class 1 have the first three positions, those of the other classes the rest
    for name in ["output_weights", *(["output_bias"] if bias else [])]:
        assert found[name][:3].all()
        assert not found[name][3:].any()
    assert found["root_weights"].all()


@with_and_without_bias
def test_where_all_targets_stand_alone_only_the_classes_are_learned(bias: bool) -> None:
    layer = layer_of(classes_of(SIZES["mixed"]), bias)
    words = np.flatnonzero(layer.classes.position == -1).astype(np.int32)
    hidden = states_of(layer, len(words))

    loss, found = gradients_of(layer, hidden, words)
    losses, _ = layer.losses_and_hits(hidden, words)

    root = Softmax(layer.root_weights, layer.root_bias)
    expected_loss, d_hidden, expected = root.loss_and_gradients(
        hidden, layer.classes.class_of[words]
    )
    assert loss == expected_loss == pytest.approx(math.fsum(losses), rel=1e-14)
    np.testing.assert_array_equal(found["hidden"], d_hidden)
    for part in ["weights", *(["bias"] if bias else [])]:
        np.testing.assert_array_equal(found[f"root_{part}"], expected[f"output_{part}"])
        assert found[f"output_{part}"].shape == parameters_of(layer)[f"output_{part}"].shape
        assert not found[f"output_{part}"].any()


@all_kinds
@with_and_without_bias
def test_a_batch_is_its_rows_one_by_one(sizes: list[int], bias: bool) -> None:
    layer = layer_of(classes_of(sizes), bias)
    hidden, targets = states_of(layer), targets_of(layer)

    loss, found = gradients_of(layer, hidden, targets)
    losses, hits = layer.losses_and_hits(hidden, targets)

    each = [gradients_of(layer, hidden[[t]], targets[[t]]) for t in range(ROWS)]
    assert loss == pytest.approx(math.fsum(row[0] for row in each), rel=1e-14, abs=1e-15)
    rows = {name: [row[1][name] for row in each] for name in parameters_of(layer)}
    expected: dict[str, Array] = {name: np.sum(arrays, axis=0) for name, arrays in rows.items()}
    expected["hidden"] = np.concatenate([row[1]["hidden"] for row in each])
    assert_equal_gradients(found, expected, 1e-13)
    for t in range(ROWS):
        one_loss, one_hit = layer.losses_and_hits(hidden[[t]], targets[[t]])
        assert one_loss[0] == pytest.approx(losses[t], abs=1e-14)
        assert one_hit[0] == hits[t]


@all_kinds
@with_and_without_bias
def test_single_precision_comes_close_to_double(sizes: list[int], bias: bool) -> None:
    single = layer_of(classes_of(sizes), bias, dtype=np.float32)
    double = layer_with(single, {k: v.astype(float) for k, v in parameters_of(single).items()})
    hidden, targets = states_of(single), targets_of(single)

    loss, found = gradients_of(single, hidden, targets)
    losses, hits = single.losses_and_hits(hidden, targets)

    expected_loss, expected = gradients_of(double, hidden.astype(float), targets)
    expected_losses, expected_hits = double.losses_and_hits(hidden.astype(float), targets)
    assert {array.dtype for array in (losses, *found.values())} == {np.dtype(np.float32)}
    assert loss == pytest.approx(expected_loss, rel=1e-6, abs=1e-5)
    assert_equal_gradients(found, expected, 1e-5)
    np.testing.assert_allclose(losses, expected_losses, rtol=1e-6, atol=1e-5)
    np.testing.assert_array_equal(hits, expected_hits)


# Chunks, memory, and what is handed back


@all_kinds
@with_and_without_bias
@pytest.mark.parametrize("chunk_rows", [0, 1, 3, 10, 11, 12])  # one row is the least
def test_results_do_not_depend_on_the_size_of_a_chunk(
    sizes: list[int], bias: bool, chunk_rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    layer = layer_of(classes_of(sizes), bias)
    hidden, targets = states_of(layer), targets_of(layer)
    expected_loss, expected = gradients_of(layer, hidden, targets)
    expected_losses, expected_hits = layer.losses_and_hits(hidden, targets)

    monkeypatch.setattr(softmax, "CHUNK_BYTES", chunk_rows * max(sizes) * 8)  # double
    loss, found = gradients_of(layer, hidden, targets)
    losses, hits = layer.losses_and_hits(hidden, targets)

    assert loss == pytest.approx(expected_loss, rel=1e-14, abs=1e-15)
    assert_equal_gradients(found, expected, 1e-13)
    np.testing.assert_allclose(losses, expected_losses, rtol=0, atol=1e-14)
    np.testing.assert_allclose(layer.losses(hidden, targets), losses, rtol=0, atol=0)
    np.testing.assert_array_equal(hits, expected_hits)


@given(layers(), st.integers(1, 20), st.integers(0, 30))
def test_no_chunk_has_more_scores_than_there_is_room_for(
    layer: ClassSoftmax, row_count: int, chunk_rows: int
) -> None:
    largest = int(np.bincount(layer.classes.class_of).max())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(softmax, "CHUNK_BYTES", chunk_rows * largest * 8)
        chunks = list(layer._chunks(np.zeros((row_count, layer.weights.shape[1]))))

    covered = [row for chunk in chunks for row in range(row_count)[chunk]]
    assert covered == list(range(row_count))
    assert max(chunk.stop - chunk.start for chunk in chunks) <= max(1, chunk_rows)
    assert len(chunks) == math.ceil(row_count / max(1, chunk_rows))  # no more than need be


@with_and_without_bias
@pytest.mark.parametrize("chunk_rows", [4, 11])
def test_the_memory_order_of_the_classes_weights_changes_nothing_but_that_of_their_gradient(
    bias: bool, chunk_rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(softmax, "CHUNK_BYTES", chunk_rows * 4 * 8)
    rows = layer_of(classes_of(SIZES["mixed"]), bias)
    columns = replace(rows, root_weights=by_columns(rows.root_weights))
    hidden, targets = states_of(rows), targets_of(rows)

    loss, found = gradients_of(columns, hidden, targets)

    expected_loss, expected = gradients_of(rows, hidden, targets)
    assert loss == pytest.approx(expected_loss, rel=1e-14)
    assert_equal_gradients(found, expected, 1e-13)
    assert found["root_weights"].flags.f_contiguous
    assert expected["root_weights"].flags.c_contiguous


@with_and_without_bias
def test_what_was_handed_back_stays_as_it_is_when_the_layer_is_used_again(
    bias: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(softmax, "CHUNK_BYTES", 4 * 4 * 8)
    layer = layer_of(classes_of(SIZES["mixed"]), bias)
    hidden, targets = states_of(layer), targets_of(layer)
    _, found = gradients_of(layer, hidden, targets)
    losses, hits = layer.losses_and_hits(hidden, targets)
    kept = [layer.losses(hidden, targets), losses, hits, layer.log_probabilities(hidden)]
    kept += found.values()
    copies = [array.copy() for array in kept]

    gradients_of(layer, 2 * hidden, targets[::-1])
    layer.losses_and_hits(3 * hidden, targets[::-1])
    layer.losses(3 * hidden, targets[::-1])
    layer.log_probabilities(4 * hidden)

    for array, copy in zip(kept, copies, strict=True):
        np.testing.assert_array_equal(array, copy)


def test_what_is_handed_over_stays_as_it_is() -> None:
    layer = layer_of(classes_of(SIZES["mixed"]))
    hidden, targets = states_of(layer), targets_of(layer)
    given_arrays = [*parameters_of(layer).values(), hidden, targets]
    copies = [array.copy() for array in given_arrays]

    gradients_of(layer, hidden, targets)
    layer.losses_and_hits(hidden, targets)
    layer.log_probabilities(hidden)
    layer.draw(hidden[:1], [0], 0.5, [np.random.default_rng(1)])

    for array, copy in zip(given_arrays, copies, strict=True):
        np.testing.assert_array_equal(array, copy)


@pytest.mark.parametrize("count", [255, 256, 257])
def test_classes_may_be_so_many_that_their_numbers_need_two_bytes(count: int) -> None:
    layer = layer_of(classes_of([2] * count, seed=4))
    hidden, targets = states_of(layer, 300), targets_of(layer, 300)

    losses, hits = layer.losses_and_hits(hidden, targets)
    loss, _ = gradients_of(layer, hidden, targets)

    log_probabilities = layer.log_probabilities(hidden)
    expected = -log_probabilities[np.arange(300), targets]
    np.testing.assert_allclose(losses, expected, rtol=0, atol=1e-13)
    np.testing.assert_array_equal(hits, log_probabilities.argmax(axis=1) == targets)
    assert loss == pytest.approx(math.fsum(expected), rel=1e-13)


# Scores beyond what exponentials can hold


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_scores_of_ten_thousand_do_not_overflow(dtype: DTypeLike) -> None:
    # words 0 to 2 share class 0, word 3 is alone
    classes = WordClasses(ids(0, 0, 0, 1), ids(0, 1, 2, -1))
    weights = np.array([[1e4], [0], [-1e4]], dtype=dtype)
    layer = ClassSoftmax(classes, np.zeros((2, 1), dtype=dtype), weights)
    hidden = np.ones((1, 1), dtype=dtype)

    (log_probabilities,) = layer.log_probabilities(hidden)
    loss, found = gradients_of(layer, hidden, ids(1))
    _, hits = layer.losses_and_hits(np.ones((4, 1), dtype=dtype), ids(0, 1, 2, 3))

    # the classes are equally probable; within class 0 words have (1, exp(-1e4), exp(-2e4)), that is
    # (1, 0, 0) to any float; -1e4 less ln 2 is rounded
    half = -math.log(2)
    expected = [half, half - 1e4, half - 2e4, half]
    np.testing.assert_allclose(log_probabilities, expected, rtol=1e-7)
    assert loss == pytest.approx(1e4 - half, rel=1e-7)
    # slopes of the words are (1, -1, 0) and those of the classes (-0.5, 0.5)
    assert found["output_weights"].tolist() == [[1], [-1], [0]]
    assert found["hidden"].tolist() == [[1e4]]
    np.testing.assert_allclose(found["root_weights"], [[-0.5], [0.5]], rtol=1e-6)
    assert hits[1:3].tolist() == [False, False]


@all_kinds
@with_and_without_bias
@pytest.mark.parametrize("level", [-1e5, -800.0, 800.0, 1e5])
def test_a_common_shift_of_the_scores_of_a_class_changes_nothing(
    sizes: list[int], bias: bool, level: float
) -> None:
    plain = layer_of(classes_of(sizes), bias, hidden_size=4)
    hidden, targets = states_of(plain), targets_of(plain)
    hidden[:, 0] = 1.0
    # the first column adds to all scores of a class; those of the other classes stay
    shifted = layer_with(plain, {k: array.copy() for k, array in parameters_of(plain).items()})
    number = int(np.argmax(np.bincount(plain.classes.class_of)))
    shifted.weights[shifted.classes.starts[number] : shifted.classes.starts[number + 1], 0] += level
    shifted.root_weights[:, 0] -= level

    loss, found = gradients_of(shifted, hidden, targets)
    losses, hits = shifted.losses_and_hits(hidden, targets)

    # scores near 1e5 are rounded to steps of 1e-11
    expected_loss, expected = gradients_of(plain, hidden, targets)
    expected_losses, expected_hits = plain.losses_and_hits(hidden, targets)
    assert loss == pytest.approx(expected_loss, rel=1e-10, abs=1e-10)
    np.testing.assert_allclose(losses, expected_losses, rtol=0, atol=1e-10)
    np.testing.assert_array_equal(hits, expected_hits)
    for name in parameters_of(plain):
        np.testing.assert_allclose(found[name], expected[name], rtol=0, atol=1e-9)
    # the first number of the states has the level as a factor, which is lost in rounding
    np.testing.assert_allclose(found["hidden"][:, 1:], expected["hidden"][:, 1:], atol=1e-9)


@pytest.mark.parametrize("level", [-95.0, -80.0, 0.0, 80.0, 95.0])
def test_a_common_shift_costs_no_digits_in_single_precision(level: float) -> None:
    # exp(-95) has lost most of its digits in single precision, exp(95) is infinite there
    layer = layer_of(classes_of(SIZES["mixed"]), bias=False, spread=0.5)
    layer.weights[:, 0] = level
    hidden, targets = states_of(layer), targets_of(layer)
    hidden[:, 0] = 1.0
    single = layer_with(layer, {k: v.astype(np.float32) for k, v in parameters_of(layer).items()})

    loss, found = gradients_of(single, hidden.astype(np.float32), targets)

    # scores near 100 are rounded to steps of 8e-6
    expected_loss, expected = gradients_of(layer, hidden, targets)
    assert loss == pytest.approx(expected_loss, rel=1e-4)
    for name in parameters_of(layer):
        np.testing.assert_allclose(found[name], expected[name], rtol=0, atol=1e-4)


@given(layers_and_states(magnitude=1e4), st.integers(0, 1000))
def test_loss_and_gradients_are_sound_for_any_state(
    example: tuple[ClassSoftmax, Array], seed: int
) -> None:
    layer, hidden = example
    targets = targets_of(layer, len(hidden), seed)

    loss, found = gradients_of(layer, hidden, targets)

    # a score of 1e5 is rounded to steps of 1e-11, by which probabilities are off; states of 1e4
    # stand before them as a factor
    rounding = 1e-15 * (1 + largest_score(layer, hidden))
    expected_loss = math.fsum(plain_losses(layer, hidden, targets))
    assert loss == pytest.approx(expected_loss, rel=1e-12, abs=20 * rounding)
    expected = plain_gradients(layer, hidden, targets)
    factor = 1 + max(float(np.abs(hidden).max()), largest_score(layer, np.ones((1, 1))))
    for name, array in found.items():
        atol = 40 * factor * (rounding + 1e-15)
        np.testing.assert_allclose(array, expected[name], rtol=0, atol=atol, err_msg=name)


# Beside the plain softmax


@with_and_without_bias
def test_where_every_word_stands_alone_it_is_the_plain_softmax(bias: bool) -> None:
    layer = layer_of(classes_of(SIZES["words alone only"]), bias)
    class_of = layer.classes.class_of
    root_bias = None if layer.root_bias is None else layer.root_bias[class_of]
    plain = Softmax(layer.root_weights[class_of], root_bias)
    hidden, targets = states_of(layer), targets_of(layer)

    loss, found = gradients_of(layer, hidden, targets)
    losses, hits = layer.losses_and_hits(hidden, targets)

    expected_loss, d_hidden, expected = plain.loss_and_gradients(hidden, targets)
    expected_losses, expected_hits = plain.losses_and_hits(hidden, targets)
    assert loss == pytest.approx(expected_loss, rel=1e-14)
    assert largest_error(found["hidden"], d_hidden) < 1e-14
    for part in ["weights", *(["bias"] if bias else [])]:
        found_by_word = found[f"root_{part}"][class_of]
        assert largest_error(found_by_word, expected[f"output_{part}"]) < 1e-14
        assert found[f"output_{part}"].size == 0
    np.testing.assert_allclose(losses, expected_losses, rtol=1e-14)
    np.testing.assert_allclose(layer.losses(hidden, targets), expected_losses, rtol=1e-14)
    np.testing.assert_array_equal(hits, expected_hits)
    np.testing.assert_allclose(
        layer.log_probabilities(hidden), plain.log_probabilities(hidden), rtol=0, atol=1e-14
    )


@with_and_without_bias
def test_where_all_words_share_one_class_it_is_the_plain_softmax(bias: bool) -> None:
    layer = layer_of(classes_of(SIZES["one class"]), bias)
    position = layer.classes.position
    within_bias = None if layer.bias is None else layer.bias[position]
    plain = Softmax(layer.weights[position], within_bias)
    hidden, targets = states_of(layer), targets_of(layer)

    loss, found = gradients_of(layer, hidden, targets)
    losses, hits = layer.losses_and_hits(hidden, targets)

    expected_loss, d_hidden, expected = plain.loss_and_gradients(hidden, targets)
    expected_losses, expected_hits = plain.losses_and_hits(hidden, targets)
    assert loss == pytest.approx(expected_loss, rel=1e-14)
    assert largest_error(found["hidden"], d_hidden) < 1e-13
    for part in ["weights", *(["bias"] if bias else [])]:
        found_by_word = found[f"output_{part}"][position]
        assert largest_error(found_by_word, expected[f"output_{part}"]) < 1e-13
        assert not found[f"root_{part}"].any()  # there is nothing to choose from
    np.testing.assert_allclose(losses, expected_losses, rtol=0, atol=1e-14)
    np.testing.assert_array_equal(hits, expected_hits)
