"""The network that is trained equals the reference network, which can be read like a formula."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from numpy.typing import DTypeLike

from model_strategies import (
    PARAMETERS,
    dense,
    depths,
    ids,
    largest_error,
    network_of,
    networks_and_sentences,
    reference_gradients,
    reference_log_probability,
    reference_of,
)
from unrolled.model.network import Network, initialised
from unrolled.model.packing import pack
from unrolled.model.types import RowGradient
from unrolled.text.vocabulary import Ids

WORDS = np.random.default_rng(1).integers(7, size=100).astype(np.int32)
FULL = [WORDS[:7], WORDS[7:14], WORDS[14:21]]
MIXED = [WORDS[:3], WORDS[3:12], WORDS[12:14], WORDS[14:20], WORDS[20:29]]


def loss_of(network: Network, sentences: list[Ids]) -> float:
    loss, _ = network.loss_and_gradients(pack(sentences), 0)
    return loss


def assert_equals_reference(network: Network, sentences: list[Ids], depth: int | None) -> None:
    """Loss and every parameter's gradient to 1e-10, largest difference over largest value."""
    loss, gradients = network.loss_and_gradients(pack(sentences), depth)

    expected_loss = -math.fsum(reference_log_probability(network, words) for words in sentences)
    expected = reference_gradients(network, sentences, depth)
    assert loss == pytest.approx(expected_loss, rel=1e-10)
    for name, gradient in dense(gradients, network.vocabulary_size).items():
        assert largest_error(gradient, expected[name]) < 1e-10, name


@pytest.mark.parametrize("sentences", [FULL, MIXED], ids=["full", "mixed"])
@pytest.mark.parametrize("depth", [0, 1, 4, None])
def test_loss_and_gradients_equal_the_reference(sentences: list[Ids], depth: int | None) -> None:
    assert_equals_reference(network_of(2), sentences, depth)


@given(networks_and_sentences(), depths())
@settings(deadline=None)
def test_loss_and_gradients_of_any_shape_depth_and_length_equal_the_reference(
    example: tuple[Network, list[Ids]], depth: int | None
) -> None:
    network, sentences = example

    assert_equals_reference(network, sentences, depth)


@given(networks_and_sentences())
@settings(deadline=None)
def test_hidden_states_equal_the_reference(example: tuple[Network, list[Ids]]) -> None:
    network, sentences = example
    batch = pack(sentences)

    hidden = network.hidden_states(batch)

    for index, words in enumerate(sentences):
        expected = reference_of(network).hidden_states(words[:-1])
        np.testing.assert_allclose(hidden[batch.sentence == index], expected, rtol=0, atol=1e-13)


def test_losses_and_hits_equal_the_reference() -> None:
    network = network_of(3)
    batch = pack(MIXED)

    losses, hits = network.losses_and_hits(batch)

    for index, words in enumerate(MIXED):
        _, probabilities = reference_of(network).forward(words[:-1])
        of_targets = probabilities[np.arange(len(words) - 1), words[1:]]
        rows = batch.sentence == index
        np.testing.assert_allclose(losses[rows], -np.log(of_targets), rtol=0, atol=1e-12)
        guesses = reference_of(network).predict(words[:-1])
        np.testing.assert_array_equal(hits[rows], guesses == words[1:])


@pytest.mark.parametrize("depth", [0, 4, None])
def test_single_precision_comes_close_to_double(depth: int | None) -> None:
    single = network_of(4, dtype=np.float32)
    double = Network({name: array.astype(np.float64) for name, array in single.parameters.items()})

    loss, gradients = single.loss_and_gradients(pack(MIXED), depth)

    expected_loss, expected = double.loss_and_gradients(pack(MIXED), depth)
    assert loss == pytest.approx(expected_loss, rel=1e-6)
    for name, gradient in dense(gradients, 7).items():
        assert gradient.dtype == np.float32
        assert largest_error(gradient, dense(expected, 7)[name]) < 1e-5, name


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_loss_of_an_initialised_network_is_near_the_logarithm_of_its_vocabulary_size(
    dtype: DTypeLike,
) -> None:
    network = initialised(8000, 100, np.random.default_rng(5), dtype)
    words = np.random.default_rng(6).integers(8000, size=201).astype(np.int32)

    losses, _ = network.losses_and_hits(pack([words]))

    assert float(losses.mean()) == pytest.approx(8.987197, rel=0.01)  # ln 8000


def test_initial_weights_fill_the_range_given_by_what_they_act_on() -> None:
    network = initialised(400, 25, np.random.default_rng(7))

    # 1/sqrt(400) = 0.05 and 1/sqrt(25) = 0.2; of 625 draws the largest is within 3 % of the bound
    for name, bound in zip(PARAMETERS, (0.05, 0.2, 0.2), strict=True):
        weights = network.parameters[name]
        assert 0.97 * bound < weights.max() <= bound
        assert -bound <= weights.min() < -0.97 * bound
        assert abs(weights.mean()) < 0.1 * bound


def test_shapes_and_precision_are_as_asked_for() -> None:
    network = initialised(11, 3, np.random.default_rng(8), np.float32)

    shapes = {name: array.shape for name, array in network.parameters.items()}
    assert shapes == dict(zip(PARAMETERS, [(11, 3), (3, 3), (11, 3)], strict=True))
    assert {array.dtype for array in network.parameters.values()} == {np.dtype(np.float32)}
    assert (network.vocabulary_size, network.hidden_size) == (11, 3)


def test_equal_seeds_give_equal_networks_and_other_seeds_others() -> None:
    first, again, other = (initialised(9, 4, np.random.default_rng(seed)) for seed in (1, 1, 2))

    for name in PARAMETERS:
        np.testing.assert_array_equal(first.parameters[name], again.parameters[name])
        assert (first.parameters[name] != other.parameters[name]).all()


def test_steps_one_by_one_go_through_the_hidden_states_of_the_whole_sentence() -> None:
    network = network_of(9)
    batch = pack([MIXED[1]])
    states, (losses, _) = network.hidden_states(batch), network.losses_and_hits(batch)

    hidden = None
    for t, word in enumerate(batch.inputs):
        hidden, log_probabilities = network.step(ids(int(word)), hidden)

        np.testing.assert_allclose(hidden, states[[t]], rtol=0, atol=1e-14)
        assert -log_probabilities[0, batch.targets[t]] == pytest.approx(losses[t], abs=1e-13)


def test_a_step_takes_many_rows_at_once() -> None:
    network = network_of(10)
    before = np.random.default_rng(10).uniform(-1, 1, (3, 4))

    hidden, log_probabilities = network.step(ids(5, 0, 5), before)

    assert log_probabilities.shape == (3, 7)
    for row, word in enumerate([5, 0, 5]):
        expected = reference_of(network).step(word, before[row])
        np.testing.assert_allclose(hidden[row], expected, rtol=0, atol=1e-14)


@given(networks_and_sentences())
@settings(deadline=None)
def test_a_batchs_loss_is_the_sum_of_its_sentences_losses_in_any_order(
    example: tuple[Network, list[Ids]],
) -> None:
    network, sentences = example

    alone = math.fsum(loss_of(network, [words]) for words in sentences)

    assert loss_of(network, sentences) == pytest.approx(alone, rel=1e-12)
    assert loss_of(network, sentences[::-1]) == pytest.approx(alone, rel=1e-12)


def test_the_input_gradient_lists_each_word_that_was_read_once() -> None:
    _, gradients = network_of(11).loss_and_gradients(pack([ids(0, 5, 3, 5, 1), ids(0, 3, 1)]), None)

    gradient = gradients["input_weights"]
    assert isinstance(gradient, RowGradient)
    assert gradient.rows.tolist() == [0, 3, 5]  # 1 is predicted, never read
    assert gradient.values.shape == (3, 4)


def test_a_row_gradient_becomes_dense_with_zeros_elsewhere() -> None:
    gradient = RowGradient(np.array([1, 3]), np.array([[1.0, 2.0], [3.0, 4.0]]))

    assert gradient.dense(5).tolist() == [[0, 0], [1, 2], [0, 0], [3, 4], [0, 0]]


def test_sentences_of_one_prediction_teach_the_recurrent_weights_nothing() -> None:
    _, gradients = network_of(12).loss_and_gradients(pack([ids(0, 3), ids(0, 4)]), None)

    recurrent = gradients["recurrent_weights"]
    assert isinstance(recurrent, np.ndarray)
    assert recurrent.tolist() == np.zeros((4, 4)).tolist()
