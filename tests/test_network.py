"""The network that is trained equals the reference network, which can be read like a formula; with
other cells and with biases it equals a walk from word to word.
"""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from numpy.typing import DTypeLike

from model_strategies import (
    BIASES,
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
    start_of,
    stepped,
)
from unrolled.model.cells import CELLS
from unrolled.model.network import Network, initialised, parameter_shapes
from unrolled.model.packing import pack
from unrolled.model.types import Array, Parameters, RowGradient
from unrolled.text.vocabulary import Ids

WORDS = np.random.default_rng(1).integers(7, size=100).astype(np.int32)
FULL = [WORDS[:7], WORDS[7:14], WORDS[14:21]]
MIXED = [WORDS[:3], WORDS[3:12], WORDS[12:14], WORDS[14:20], WORDS[20:29]]

ELMAN = networks_and_sentences(["elman"], [False])

every_cell = pytest.mark.parametrize("cell", CELLS)
with_and_without_bias = pytest.mark.parametrize("bias", [False, True], ids=["plain", "bias"])


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


@given(ELMAN, depths())
@settings(deadline=None)
def test_loss_and_gradients_of_any_shape_depth_and_length_equal_the_reference(
    example: tuple[Network, list[Ids]], depth: int | None
) -> None:
    network, sentences = example

    assert_equals_reference(network, sentences, depth)


@given(ELMAN)
@settings(deadline=None)
def test_hidden_states_equal_the_reference(example: tuple[Network, list[Ids]]) -> None:
    network, sentences = example
    batch = pack(sentences)

    hidden = network.trace(batch).hidden

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


def walked(
    network: Network, sentences: list[Ids], depth: int | None
) -> tuple[float, dict[str, Array]]:
    """Loss and gradients with every output's delta carried back alone, step by step."""
    weights, size = network.parameters, network.hidden_size
    loss = 0.0
    total = {name: np.zeros_like(array) for name, array in weights.items()}
    total |= {name: total.get(name, np.zeros(1)) for name in BIASES}  # thrown away without biases
    for words in sentences:
        states, memories = [start_of(network)], []
        for t, target in enumerate(words[1:]):
            state, memory = stepped(network, int(words[t]), states[t])
            states.append(state)
            memories.append(memory)
            logits = weights["output_weights"] @ state[0, :size] + weights.get("output_bias", 0)
            d_logits = np.exp(logits) / np.exp(logits).sum()
            loss -= math.log(d_logits[target])
            d_logits[target] -= 1
            total["output_weights"] += np.outer(d_logits, state[0, :size])
            total["output_bias"] = total["output_bias"] + d_logits
            d_state = np.zeros_like(state)
            d_state[0, :size] = d_logits @ weights["output_weights"]
            for k in range(t, -1 if depth is None else max(-1, t - depth - 1), -1):
                found = network.cell.step_backward(d_state, states[k], states[k + 1], memories[k])
                total["input_weights"][words[k]] += found.d_word[0]
                total["bias"] = total["bias"] + found.d_word[0]
                total["recurrent_weights"] += np.outer(found.d_recurrent[0], states[k][0, :size])
                d_state = np.zeros_like(state) if found.d_previous is None else found.d_previous
                d_state[0, :size] += found.d_recurrent[0] @ weights["recurrent_weights"]
    return loss, {name: total[name] for name in weights}


def assert_equals_walk(network: Network, sentences: list[Ids], depth: int | None) -> None:
    """Loss and every parameter's gradient to 1e-10, largest difference over largest value."""
    loss, gradients = network.loss_and_gradients(pack(sentences), depth)

    expected_loss, expected = walked(network, sentences, depth)
    assert loss == pytest.approx(expected_loss, rel=1e-10)
    assert set(gradients) == set(network.parameters)
    for name, gradient in dense(gradients, network.vocabulary_size).items():
        assert largest_error(gradient, expected[name]) < 1e-10, name


@every_cell
@with_and_without_bias
@pytest.mark.parametrize("sentences", [FULL, MIXED], ids=["full", "mixed"])
@pytest.mark.parametrize("depth", [0, 1, 2, 4, None])
def test_loss_and_gradients_equal_a_walk_from_word_to_word(
    cell: str, bias: bool, sentences: list[Ids], depth: int | None
) -> None:
    assert_equals_walk(network_of(2, cell_name=cell, bias=bias), sentences, depth)


@given(networks_and_sentences(), depths())
@settings(deadline=None)
def test_loss_and_gradients_of_any_cell_shape_depth_and_length_equal_a_walk(
    example: tuple[Network, list[Ids]], depth: int | None
) -> None:
    network, sentences = example

    assert_equals_walk(network, sentences, depth)


@every_cell
@pytest.mark.parametrize("depth", [0, 2, None])
def test_biases_of_zero_change_nothing(cell: str, depth: int | None) -> None:
    network = network_of(5, cell_name=cell, bias=True)
    for name in BIASES:
        network.parameters[name][:] = 0
    plain = Network({name: network.parameters[name] for name in PARAMETERS}, cell)

    loss, gradients = network.loss_and_gradients(pack(MIXED), depth)

    expected_loss, expected = plain.loss_and_gradients(pack(MIXED), depth)
    assert loss == expected_loss
    for name, gradient in dense(expected, 7).items():
        np.testing.assert_array_equal(dense(gradients, 7)[name], gradient)


@every_cell
@pytest.mark.parametrize("depth", [0, 2, None])
def test_a_bias_is_what_all_words_bring_alike(cell: str, depth: int | None) -> None:
    network = network_of(6, cell_name=cell, bias=True)
    weights = dict(network.parameters)
    weights["input_weights"] = weights["input_weights"] + weights["bias"]
    weights["bias"] = np.zeros_like(weights["bias"])

    loss, gradients = network.loss_and_gradients(pack(MIXED), depth)

    expected_loss, expected = Network(weights, cell).loss_and_gradients(pack(MIXED), depth)
    assert loss == pytest.approx(expected_loss, rel=1e-14)
    found = dense(gradients, 7)
    for name, gradient in dense(expected, 7).items():
        assert largest_error(found[name], gradient) < 1e-13, name
    # so a move of the bias is a move of every word's row
    assert largest_error(found["bias"], found["input_weights"].sum(axis=0)) < 1e-13


@every_cell
@with_and_without_bias
@pytest.mark.parametrize("depth", [0, 4, None])
def test_single_precision_comes_close_to_double(cell: str, bias: bool, depth: int | None) -> None:
    single = network_of(4, dtype=np.float32, cell_name=cell, bias=bias)
    weights: Parameters = {
        name: array.astype(np.float64) for name, array in single.parameters.items()
    }
    double = Network(weights, cell)

    loss, gradients = single.loss_and_gradients(pack(MIXED), depth)

    expected_loss, expected = double.loss_and_gradients(pack(MIXED), depth)
    assert loss == pytest.approx(expected_loss, rel=1e-6)
    for name, gradient in dense(gradients, 7).items():
        assert gradient.dtype == np.float32
        assert largest_error(gradient, dense(expected, 7)[name]) < 1e-5, name


@every_cell
@with_and_without_bias
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_loss_of_an_initialised_network_is_near_the_logarithm_of_its_vocabulary_size(
    cell: str, bias: bool, dtype: DTypeLike
) -> None:
    network = initialised(8000, 100, np.random.default_rng(5), dtype, cell, bias)
    words = np.random.default_rng(6).integers(8000, size=201).astype(np.int32)

    losses, _ = network.losses_and_hits(pack([words]))

    assert float(losses.mean()) == pytest.approx(8.987197, rel=0.01)  # ln 8000


@every_cell
def test_initial_weights_fill_the_range_given_by_what_they_act_on(cell: str) -> None:
    network = initialised(400, 25, np.random.default_rng(7), cell_name=cell)

    # 1/sqrt(400) = 0.05 and 1/sqrt(25) = 0.2; of 625 draws or more the largest is within
    # 3 % of the bound
    for name, bound in zip(PARAMETERS, (0.05, 0.2, 0.2), strict=True):
        weights = network.parameters[name]
        assert 0.97 * bound < weights.max() <= bound
        assert -bound <= weights.min() < -0.97 * bound
        assert abs(weights.mean()) < 0.1 * bound


@pytest.mark.parametrize(("cell", "blocks"), [("elman", 1), ("gru", 3), ("lstm", 4)])
@with_and_without_bias
def test_shapes_and_precision_are_as_asked_for(cell: str, blocks: int, bias: bool) -> None:
    network = initialised(11, 3, np.random.default_rng(8), np.float32, cell, bias)

    shapes = {name: array.shape for name, array in network.parameters.items()}
    expected = dict(zip(PARAMETERS, [(11, blocks * 3), (blocks * 3, 3), (11, 3)], strict=True))
    of_biases = dict(zip(BIASES, [(blocks * 3,), (11,)], strict=True))
    assert shapes == ({**expected, **of_biases} if bias else expected)
    assert shapes == parameter_shapes(cell, 11, 3, bias)
    assert {array.dtype for array in network.parameters.values()} == {np.dtype(np.float32)}
    assert (network.vocabulary_size, network.hidden_size) == (11, 3)


@every_cell
def test_weights_are_the_same_with_and_without_biases(cell: str) -> None:
    plain, biased = (
        initialised(9, 4, np.random.default_rng(1), cell_name=cell, bias=bias)
        for bias in (False, True)
    )

    for name in PARAMETERS:
        np.testing.assert_array_equal(plain.parameters[name], biased.parameters[name])


def test_equal_seeds_give_equal_networks_and_other_seeds_others() -> None:
    first, again, other = (initialised(9, 4, np.random.default_rng(seed)) for seed in (1, 1, 2))

    for name in PARAMETERS:
        np.testing.assert_array_equal(first.parameters[name], again.parameters[name])
        assert (first.parameters[name] != other.parameters[name]).all()


@every_cell
@with_and_without_bias
def test_steps_one_by_one_go_through_the_states_of_the_whole_sentence(
    cell: str, bias: bool
) -> None:
    network = network_of(9, cell_name=cell, bias=bias)
    batch = pack([MIXED[1]])
    states, (losses, _) = network.trace(batch).states, network.losses_and_hits(batch)

    state = None
    for t, word in enumerate(batch.inputs):
        state, log_probabilities = network.step(ids(int(word)), state)

        np.testing.assert_allclose(state, states[[t]], rtol=0, atol=1e-14)
        assert -log_probabilities[0, batch.targets[t]] == pytest.approx(losses[t], abs=1e-13)


@every_cell
@with_and_without_bias
def test_a_step_takes_many_rows_at_once(cell: str, bias: bool) -> None:
    network = network_of(10, cell_name=cell, bias=bias)
    before = np.random.default_rng(10).uniform(-1, 1, (3, network.cell.PARTS * 4))
    copy = before.copy()

    states, log_probabilities = network.step(ids(5, 0, 5), before)

    assert log_probabilities.shape == (3, 7)
    for row, word in enumerate([5, 0, 5]):
        expected, _ = stepped(network, word, before[[row]])
        np.testing.assert_allclose(states[[row]], expected, rtol=0, atol=1e-14)
    np.testing.assert_array_equal(before, copy)


def test_a_step_of_an_elman_network_is_the_references() -> None:
    network = network_of(10)
    before = np.random.default_rng(10).uniform(-1, 1, (1, 4))

    hidden, _ = network.step(ids(5), before)

    expected = reference_of(network).step(5, before[0])
    np.testing.assert_allclose(hidden[0], expected, rtol=0, atol=1e-14)


@every_cell
def test_weights_stay_as_they_are(cell: str) -> None:
    network = network_of(13, cell_name=cell, bias=True)
    copies = {name: array.copy() for name, array in network.parameters.items()}

    network.loss_and_gradients(pack(MIXED), 2)
    network.losses_and_hits(pack(MIXED))
    network.step(ids(3, 4), None)

    for name, copy in copies.items():
        np.testing.assert_array_equal(network.parameters[name], copy)


@given(networks_and_sentences())
@settings(deadline=None)
def test_a_batchs_loss_is_the_sum_of_its_sentences_losses_in_any_order(
    example: tuple[Network, list[Ids]],
) -> None:
    network, sentences = example

    alone = math.fsum(loss_of(network, [words]) for words in sentences)

    assert loss_of(network, sentences) == pytest.approx(alone, rel=1e-12)
    assert loss_of(network, sentences[::-1]) == pytest.approx(alone, rel=1e-12)


@every_cell
def test_the_input_gradient_lists_each_word_that_was_read_once(cell: str) -> None:
    network = network_of(11, cell_name=cell)

    _, gradients = network.loss_and_gradients(pack([ids(0, 5, 3, 5, 1), ids(0, 3, 1)]), None)

    gradient = gradients["input_weights"]
    assert isinstance(gradient, RowGradient)
    assert gradient.rows.tolist() == [0, 3, 5]  # 1 is predicted, never read
    assert gradient.values.shape == (3, network.cell.BLOCKS * 4)


def test_a_row_gradient_becomes_dense_with_zeros_elsewhere() -> None:
    gradient = RowGradient(np.array([1, 3]), np.array([[1.0, 2.0], [3.0, 4.0]]))

    assert gradient.dense(5).tolist() == [[0, 0], [1, 2], [0, 0], [3, 4], [0, 0]]


@every_cell
@pytest.mark.parametrize("depth", [0, 3, None])
def test_sentences_of_one_prediction_teach_the_recurrent_weights_nothing(
    cell: str, depth: int | None
) -> None:
    network = network_of(12, cell_name=cell)

    _, gradients = network.loss_and_gradients(pack([ids(0, 3), ids(0, 4)]), depth)

    recurrent = gradients["recurrent_weights"]
    assert isinstance(recurrent, np.ndarray)
    assert recurrent.shape == network.parameters["recurrent_weights"].shape
    assert not recurrent.any()
