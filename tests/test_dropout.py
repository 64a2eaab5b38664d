"""Dropout is what it multiplies by: random masks, and gradients of the network that has them."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import DTypeLike

from model_strategies import (
    Stretch,
    assert_gradients_equal,
    central_differences,
    dense,
    depths,
    network_of,
    networks_and_sentences,
    walked,
)
from unrolled.model.cells import CELLS
from unrolled.model.dropout import Dropout
from unrolled.model.network import Network
from unrolled.model.packing import PackedBatch, pack, pack_pairs
from unrolled.model.types import Array, Parameters
from unrolled.text.vocabulary import Ids

WORDS = np.random.default_rng(1).integers(5, size=100).astype(np.int32)
SENTENCES = [WORDS[:3], WORDS[3:10], WORDS[10:12], WORDS[12:17]]

every_cell = pytest.mark.parametrize("cell", CELLS)
with_and_without_bias = pytest.mark.parametrize("bias", [False, True], ids=["plain", "bias"])
untied_and_tied = pytest.mark.parametrize("tied", [False, True], ids=["untied", "tied"])
shares = st.floats(0, 0.9)


def dropout_of(inputs: float, outputs: float, seed: int = 1) -> Dropout:
    return Dropout(inputs, outputs, np.random.default_rng(seed))


def mask_of(share: float, seed: int, shape: tuple[int, ...], dtype: DTypeLike = float) -> Array:
    """What ones become."""
    values = np.ones(shape, dtype=dtype)
    dropout_of(share, 0, seed).drop_inputs(values)
    return values


# Masks


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.75])
def test_numbers_are_dropped_or_kept_and_scaled_so_that_their_mean_stays(
    share: float, dtype: DTypeLike
) -> None:
    values = np.random.default_rng(2).uniform(1, 2, (400, 500)).astype(dtype)
    before = values.copy()

    mask = dropout_of(share, 0).drop_inputs(values)

    assert mask is not None
    assert mask.dtype == values.dtype == dtype
    kept = mask > 0
    np.testing.assert_allclose(mask[kept], 1 / (1 - share), rtol=1e-6)
    np.testing.assert_array_equal(values, before * mask)
    # of 200,000 draws the share deviates by up to 0.0011 and the mean by up to 0.004, and these
    # are five times as much
    assert kept.mean() == pytest.approx(1 - share, abs=0.006)
    assert values.mean() == pytest.approx(before.mean(), abs=0.03)


def test_a_mask_has_no_pattern_by_row_or_column() -> None:
    kept = mask_of(0.5, 1, (400, 500)) > 0

    # five times the deviation of 500 and of 400 draws
    np.testing.assert_allclose(kept.mean(axis=1), 0.5, atol=0.12)
    np.testing.assert_allclose(kept.mean(axis=0), 0.5, atol=0.13)


def test_masks_follow_from_the_generator_and_are_drawn_anew_each_time() -> None:
    first, again, other = (mask_of(0.5, seed, (20, 30)) for seed in (1, 1, 2))
    dropout = dropout_of(0.5, 0.5)
    drawn = [dropout.drop_inputs(np.ones((20, 30))), dropout.drop_outputs(np.ones((20, 30)))]

    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(first, mask_of(0.5, 1, (20, 30), np.float32))
    assert (first != other).any()
    np.testing.assert_array_equal(drawn[0], first)
    assert not np.array_equal(np.asarray(drawn[1]), first)


def test_inputs_and_outputs_have_shares_of_their_own() -> None:
    dropout, shape = dropout_of(0.2, 0.7), (300, 300)
    inputs, outputs = dropout.drop_inputs(np.ones(shape)), dropout.drop_outputs(np.ones(shape))

    assert inputs is not None
    assert outputs is not None
    assert np.mean(inputs == 0) == pytest.approx(0.2, abs=0.01)
    assert np.mean(outputs == 0) == pytest.approx(0.7, abs=0.01)


# In a network


@given(networks_and_sentences(ties=[False, True]), depths())
def test_shares_of_zero_change_nothing(
    example: tuple[Network, list[Ids]], depth: int | None
) -> None:
    network, sentences = example
    batch = pack(sentences)

    forward = network.forward(batch, dropout=dropout_of(0, 0))
    loss, gradients = network.loss_and_gradients(batch, depth, forward)

    expected_loss, expected = network.loss_and_gradients(batch, depth)
    assert forward.row_mask is forward.hidden_mask is None
    assert loss == expected_loss
    for name, gradient in dense(expected, network.vocabulary_size).items():
        np.testing.assert_array_equal(dense(gradients, network.vocabulary_size)[name], gradient)


@every_cell
@untied_and_tied
def test_states_on_their_way_to_the_next_step_stay_whole(cell: str, tied: bool) -> None:
    network, batch = network_of(1, 5, 4, cell_name=cell, tied=tied), pack(SENTENCES)

    forward = network.forward(batch, dropout=dropout_of(0, 0.5))

    whole = network.forward(batch).trace
    assert forward.hidden_mask is not None
    assert not forward.hidden_mask.all()
    np.testing.assert_array_equal(forward.trace.states, whole.states)
    np.testing.assert_array_equal(forward.trace.previous, whole.previous)
    np.testing.assert_array_equal(forward.hidden, whole.hidden * forward.hidden_mask)
    losses, _ = network.losses_and_hits(batch, forward)
    assert (losses != network.losses_and_hits(batch)[0]).any()


@every_cell
@with_and_without_bias
@untied_and_tied
@pytest.mark.parametrize(("inputs", "outputs"), [(0.4, 0), (0, 0.4), (0.3, 0.5)])
def test_gradients_are_differences_of_the_loss_with_the_same_masks(
    cell: str, bias: bool, tied: bool, inputs: float, outputs: float
) -> None:
    network = network_of(2, 5, 3, cell_name=cell, bias=bias, tied=tied)
    batch = pack(SENTENCES)

    forward = network.forward(batch, dropout=dropout_of(inputs, outputs))
    _, gradients = network.loss_and_gradients(batch, None, forward)

    def loss(moved: Network) -> float:
        dropped = moved.forward(batch, dropout=dropout_of(inputs, outputs))
        return math.fsum(moved.losses_and_hits(batch, dropped)[0])

    # at h = 1e-5 the difference's own error is some h² + 1e-15 / h = 2e-10
    assert_gradients_equal(gradients, central_differences(loss, network), 1e-8)


def with_words_for_positions(network: Network, rows: Array) -> Network:
    """An untied network that has these rows for words, of which it predicts the old ones only."""
    weights, size = network.parameters, network.vocabulary_size
    blocks, hidden_size = weights["recurrent_weights"].shape
    extra = len(rows) - size
    parameters: Parameters = {
        "input_weights": rows @ weights["input_projection"].T if network.tied else rows,
        "recurrent_weights": weights["recurrent_weights"],
        "output_weights": np.vstack([weights["output_weights"], np.zeros((extra, hidden_size))]),
        "bias": weights.get("bias", np.zeros(blocks)),
        # exp(-1e4) is zero to any float
        "output_bias": np.append(weights.get("output_bias", np.zeros(size)), np.full(extra, -1e4)),
    }
    return Network(parameters, network.cell_name)


@every_cell
@with_and_without_bias
@untied_and_tied
@pytest.mark.parametrize("depth", [0, 1, 3, None])
def test_a_dropped_input_is_a_word_of_its_own_with_its_row_masked(
    cell: str, bias: bool, tied: bool, depth: int | None
) -> None:
    network, batch = network_of(3, 5, 3, cell_name=cell, bias=bias, tied=tied), pack(SENTENCES)
    words_in = "output_weights" if tied else "input_weights"
    forward = network.forward(batch, dropout=dropout_of(0.4, 0))
    assert forward.row_mask is not None

    loss, gradients = network.loss_and_gradients(batch, depth, forward)

    rows = network.parameters[words_in][batch.inputs] * forward.row_mask
    wide = with_words_for_positions(network, rows)
    positions = np.arange(batch.positions, dtype=np.int32)
    read = PackedBatch(positions, batch.targets, batch.step_starts, batch.order)
    expected_loss, found = wide.loss_and_gradients(read, depth)
    of_wide = dense(found, len(rows))
    d_rows = of_wide.pop("input_weights")
    expected = {"recurrent_weights": of_wide["recurrent_weights"]}
    expected["output_weights"] = of_wide["output_weights"][:5]
    if bias:
        expected |= {"bias": of_wide["bias"], "output_bias": of_wide["output_bias"][:5]}
    if tied:
        expected["input_projection"] = d_rows.T @ rows
        d_rows = d_rows @ network.parameters["input_projection"]
    # a word gets what its positions get, as far as they were let through
    of_words = np.zeros_like(network.parameters[words_in])
    np.add.at(of_words, batch.inputs, d_rows * forward.row_mask)
    expected[words_in] = expected.get(words_in, np.zeros(1)) + of_words
    assert loss == pytest.approx(expected_loss, rel=1e-13)
    assert_gradients_equal(gradients, expected, 1e-12)


@given(networks_and_sentences(ties=[False, True]), depths(), shares, shares)
def test_truncated_gradients_are_those_of_a_walk_with_the_same_masks_and_starts(
    example: tuple[Network, list[Ids]], depth: int | None, inputs: float, outputs: float
) -> None:
    network, sentences = example
    batch, width = pack(sentences), network.cell.PARTS * network.hidden_size
    starts = np.random.default_rng(4).uniform(-1, 1, (len(sentences), 1, width))

    forward = network.forward(batch, starts[batch.order, 0], dropout_of(inputs, outputs))
    loss, gradients = network.loss_and_gradients(batch, depth, forward)

    stretches = []
    for index, words in enumerate(sentences):
        row_mask, hidden_mask = (
            None if mask is None else mask[batch.sentence == index]
            for mask in (forward.row_mask, forward.hidden_mask)
        )
        stretches.append(Stretch(words[:-1], words[1:], starts[index], row_mask, hidden_mask))
    expected_loss, expected, _ = walked(network, stretches, depth)
    assert loss == pytest.approx(expected_loss, rel=1e-10)
    assert_gradients_equal(gradients, expected, 1e-10)


@every_cell
def test_every_batch_of_a_pass_has_masks_of_its_own_and_whole_states_are_carried(cell: str) -> None:
    network = network_of(5, 5, 4, cell_name=cell)
    first = pack_pairs([(WORDS[:6], WORDS[1:7])])
    second = pack_pairs([(WORDS[:6], WORDS[1:7])], np.array([5]))  # its last row

    (_, one), (_, other) = network.passes([first, second], dropout_of(0.5, 0.5))

    dropout = dropout_of(0.5, 0.5)
    again = network.forward(first, dropout=dropout)
    goes_on = network.forward(second, again.trace.states[[5]], dropout)
    for found, expected in ((one, again), (other, goes_on)):
        np.testing.assert_array_equal(found.row_mask, expected.row_mask)
        np.testing.assert_array_equal(found.hidden, expected.hidden)
    assert not np.array_equal(np.asarray(one.row_mask), np.asarray(other.row_mask))
    assert not np.array_equal(np.asarray(one.hidden_mask), np.asarray(other.hidden_mask))


@every_cell
@untied_and_tied
def test_dropout_in_single_precision_comes_close_to_double(cell: str, tied: bool) -> None:
    single, batch = network_of(6, 5, 4, np.float32, cell, True, tied), pack(SENTENCES)
    weights: Parameters = {k: array.astype(np.float64) for k, array in single.parameters.items()}
    double = Network(weights, cell)

    (loss, gradients), (expected_loss, expected) = (
        network.loss_and_gradients(batch, 2, network.forward(batch, None, dropout_of(0.3, 0.3)))
        for network in (single, double)
    )

    assert loss == pytest.approx(expected_loss, rel=1e-6)
    assert {array.dtype for array in dense(gradients, 5).values()} == {np.dtype(np.float32)}
    assert_gradients_equal(gradients, dense(expected, 5), 1e-5)
