"""Loss and gradients against autograd's derivatives of the same loss, written down word by word."""

import ast
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import autograd_oracle
from autograd_oracle import Formulas, Reading, State
from class_strategies import SIZES, class_network_of, class_networks_and_sentences, classes_of
from model_strategies import depths, ids, network_of, networks_and_sentences
from training_strategies import split_of
from unrolled.model.cells import CELLS
from unrolled.model.dropout import Dropout
from unrolled.model.network import TOGETHER, ForwardPass, Network
from unrolled.model.packing import PackedBatch, pack, pack_pairs
from unrolled.model.types import Array, Gradients, RowGradient
from unrolled.text.vocabulary import Ids
from unrolled.training.batches import shuffled_streams

TOLERANCE = 1e-10
"""What rounding may do; so far it was below a ten-thousandth of that."""

WORDS = np.random.default_rng(1).integers(7, size=40).astype(np.int32)
MIXED = [WORDS[:3], WORDS[3:12], WORDS[12:14], WORDS[14:20]]
"""Sentences of 2, 8, 1 and 5 predictions."""

Found = tuple[float, Gradients]
Expected = tuple[float, Mapping[str, Array]]

every_cell = pytest.mark.parametrize("cell", CELLS)
networks = networks_and_sentences(ties=[False, True]) | class_networks_and_sentences()
shares = st.sampled_from([0.0, 0.3, 0.8])
few = settings(max_examples=settings().max_examples // 2)  # since autograd takes its time


def by_autograd(network: Network, readings: Sequence[Reading], depth: int | None) -> Expected:
    formulas = Formulas(network.cell_name, network.classes)
    return formulas.loss_and_gradients(network.parameters, readings, depth)


def readings_of(sentences: Sequence[Ids]) -> list[Reading]:
    """Whole sentences, which begin with zeros."""
    return [Reading(words[:-1], words[1:]) for words in sentences]


def state_of(network: Network, row: Array) -> State:
    """A state as the network keeps it, the hidden state first."""
    return State(row[: network.hidden_size], row[network.hidden_size :])


def states_before(network: Network, count: int) -> Array:
    """Any states, (count, parts * hidden)."""
    width = network.cell.PARTS * network.hidden_size
    return np.random.default_rng(count).uniform(-1, 1, (count, width))


def masked(
    reading: Reading, batch: PackedBatch, forward: ForwardPass, sentence: int | np.int64
) -> Reading:
    """The same with what a sentence of a batch was multiplied by in dropout."""
    rows = batch.sentence == sentence
    masks = {"row_mask": forward.row_mask, "hidden_mask": forward.hidden_mask}
    return replace(
        reading, **{name: mask[rows] for name, mask in masks.items() if mask is not None}
    )


def disagreements(found: Gradients, expected: Mapping[str, Array]) -> dict[str, float]:
    """The largest difference of each parameter's gradients, over the largest entry if it is above
    one.
    """
    assert set(found) == set(expected)
    errors = {}
    for name, right in expected.items():
        gradient = found[name]
        full = gradient.dense(len(right)) if isinstance(gradient, RowGradient) else gradient
        assert full.shape == right.shape, name
        # there are no entries where all words stand alone
        scale = np.abs(right).max(initial=1)
        errors[name] = float(np.abs(full - right).max(initial=0) / scale)
    return errors


def assert_agree(found: Found, expected: Expected) -> None:
    assert found[0] == pytest.approx(expected[0], rel=TOLERANCE)
    errors = disagreements(found[1], expected[1])
    assert {name: error for name, error in errors.items() if not error <= TOLERANCE} == {}


# Cells, depths and lengths


@given(networks_and_sentences(), depths())
@example((network_of(1, 2, 1), [ids(0, 1)]), 0)
@example((network_of(2, 2, 1, cell_name="lstm", bias=True), [ids(1, 1), ids(0, 1)]), None)
@example((network_of(3, cell_name="gru", bias=True), MIXED), 6)  # the longest is cut off
@example((network_of(3, cell_name="gru", bias=True), MIXED), 7)  # just not
@example((network_of(4, cell_name="lstm"), MIXED), 1)
@example((network_of(4, cell_name="gru"), MIXED), 5)
@example((network_of(5, 3, 6, bias=True), [ids(*[2] * (TOGETHER + 3))] * 2), 2)
@settings(few)
def test_gradients_equal_autograd_for_any_cell_depth_and_length(
    case: tuple[Network, list[Ids]], depth: int | None
) -> None:
    network, sentences = case
    batch = pack(sentences)

    found = network.loss_and_gradients(batch, depth, network.forward(batch))

    assert_agree(found, by_autograd(network, readings_of(sentences), depth))


@given(networks_and_sentences(ties=[True]), depths())
@example((network_of(1, 2, 1, tied=True), [ids(0, 1)]), 0)
@example((network_of(2, cell_name="gru", bias=True, tied=True), MIXED), 6)
@example((network_of(3, cell_name="lstm", bias=True, tied=True), MIXED), None)
@example((network_of(4, 3, 6, tied=True), [ids(*[2] * (TOGETHER + 3))] * 2), 2)
@settings(few)
def test_gradients_equal_autograd_with_tied_weights(
    case: tuple[Network, list[Ids]], depth: int | None
) -> None:
    network, sentences = case
    batch = pack(sentences)

    found = network.loss_and_gradients(batch, depth, network.forward(batch))

    assert_agree(found, by_autograd(network, readings_of(sentences), depth))


def classed(kind: str, cell: str) -> tuple[Network, list[Ids]]:
    """A network of one kind of classes with biases, and sentences that it can read."""
    network = class_network_of(classes_of(SIZES[kind]), 2, 3, cell_name=cell, bias=True)
    return network, [words % network.vocabulary_size for words in MIXED]


@given(class_networks_and_sentences(), depths())
@example(classed("words alone only", "elman"), 0)
@example(classed("no word alone", "gru"), 6)
@example(classed("one class", "lstm"), None)
@example(classed("one word", "lstm"), 2)
@example(classed("very different sizes", "gru"), 2)
@settings(few)
def test_gradients_equal_autograd_with_word_classes(
    case: tuple[Network, list[Ids]], depth: int | None
) -> None:
    network, sentences = case
    batch = pack(sentences)

    found = network.loss_and_gradients(batch, depth, network.forward(batch))

    assert_agree(found, by_autograd(network, readings_of(sentences), depth))


# States that are carried over


@given(networks, depths())
@example((network_of(1, 2, 1), [ids(0, 1)]), 0)
@example((network_of(2, cell_name="gru", bias=True), MIXED), 3)
@example((network_of(3, cell_name="lstm", bias=True, tied=True), MIXED), 9)
@example(classed("mixed", "lstm"), 1)
@settings(few)
def test_gradients_equal_autograd_when_sentences_begin_with_given_states(
    case: tuple[Network, list[Ids]], depth: int | None
) -> None:
    network, sentences = case
    batch, starts = pack(sentences), states_before(network, len(sentences))

    found = network.loss_and_gradients(batch, depth, network.forward(batch, starts[batch.order]))

    readings = [
        replace(reading, start=state_of(network, row))
        for reading, row in zip(readings_of(sentences), starts, strict=True)
    ]
    assert_agree(found, by_autograd(network, readings, depth))


@every_cell
@pytest.mark.parametrize("depth", [0, 2, None])
def test_gradients_equal_autograd_when_the_state_is_carried_over(
    cell: str, depth: int | None
) -> None:
    network = network_of(4, cell_name=cell, bias=True)
    before = [(WORDS[:4], WORDS[1:5]), (WORDS[20:26], WORDS[21:27])]
    # one begins, and both of those before go on; the longest is packed first: 1, 2, 0
    pairs = [
        (WORDS[30:32], WORDS[31:33]),
        (WORDS[4:9], WORDS[5:10]),
        (WORDS[26:29], WORDS[27:30]),
    ]
    first = pack_pairs(before)
    second = pack_pairs(pairs, np.array([-1, *first.last_rows()]))

    _, (batch, forward) = network.passes([first, second])
    found = network.loss_and_gradients(batch, depth, forward)

    ends = [Formulas(cell).states(network.parameters, Reading(*pair))[-1] for pair in before]
    readings = [Reading(*pair, start) for pair, start in zip(pairs, [None, *ends], strict=True)]
    assert_agree(found, by_autograd(network, readings, depth))


@given(networks, depths(), st.integers(1, 3), st.integers(1, 9), shares)
@example((network_of(1, cell_name="lstm", bias=True), MIXED), 2, 2, 3, 0.3)
@settings(few)
def test_gradients_equal_autograd_when_streams_carry_their_states_over(
    case: tuple[Network, list[Ids]],
    depth: int | None,
    count: int,
    segment_length: int,
    share: float,
) -> None:
    network, sentences = case
    documents = [sentences[k : k + 2] for k in range(0, len(sentences), 2)]
    rng = np.random.default_rng(1)
    batches = shuffled_streams(split_of(documents), count, segment_length, rng)
    ends: dict[int, State | None] = {}

    for batch, forward in network.passes(batches, Dropout(share, share, rng)):
        found = network.loss_and_gradients(batch, depth, forward)

        readings = continued(batch, forward, {**ends, -1: None})
        assert_agree(found, by_autograd(network, readings, depth))
        ends = ends_of(network, batch, readings)


def continued(
    batch: PackedBatch, forward: ForwardPass, ends: Mapping[int, State | None]
) -> list[Reading]:
    """What a batch reads, in its own order, from the states at the rows that it goes on from.

    Which rows these are is taken from the batch; test_batches.py follows them through the text.
    """
    assert batch.continues is not None
    readings = []
    for row_before, sentence in zip(batch.continues.tolist(), batch.order, strict=True):
        rows = batch.sentence == sentence
        reading = Reading(batch.inputs[rows], batch.targets[rows], ends[row_before])
        readings.append(masked(reading, batch, forward, sentence))
    return readings


def ends_of(
    network: Network, batch: PackedBatch, readings: Sequence[Reading]
) -> dict[int, State | None]:
    """The last state of each reading by its row, as the formulas make it."""
    rows = batch.last_rows()[batch.order].tolist()
    formulas = Formulas(network.cell_name)
    return {
        row: formulas.states(network.parameters, reading)[-1]
        for row, reading in zip(rows, readings, strict=True)
    }


# Dropout


@given(networks, depths(), shares, shares)
@example((network_of(1, cell_name="lstm", bias=True, tied=True), MIXED), 2, 0.3, 0.3)
@example((network_of(2, cell_name="gru", tied=True), MIXED), None, 0.3, 0.0)
@example(classed("mixed", "elman"), 2, 0.0, 0.3)
@settings(few)
def test_gradients_equal_autograd_with_the_same_numbers_dropped(
    case: tuple[Network, list[Ids]], depth: int | None, inputs: float, outputs: float
) -> None:
    network, sentences = case
    batch = pack(sentences)

    forward = network.forward(batch, None, Dropout(inputs, outputs, np.random.default_rng(1)))
    found = network.loss_and_gradients(batch, depth, forward)

    readings = [
        masked(reading, batch, forward, sentence)
        for sentence, reading in enumerate(readings_of(sentences))
    ]
    assert_agree(found, by_autograd(network, readings, depth))


# Is the oracle one?


@every_cell
@pytest.mark.parametrize(("depth", "wrong_depth"), [(0, 1), (1, 2), (4, 5), (1, 0), (4, 3)])
def test_a_gradient_that_reaches_a_step_too_far_or_too_short_is_no_longer_autograds(
    cell: str, depth: int, wrong_depth: int
) -> None:
    network, words = network_of(3, cell_name=cell, bias=True), WORDS[:16]

    _, wrong = network.loss_and_gradients(pack([words]), wrong_depth)

    errors = disagreements(wrong, by_autograd(network, readings_of([words]), depth)[1])
    for name in ("input_weights", "recurrent_weights", "bias"):
        assert errors[name] > 1e-3, name  # ten million times the tolerance
    for name in ("output_weights", "output_bias"):
        assert errors[name] <= TOLERANCE, name  # which no depth cuts off


def test_the_oracle_cuts_off_what_the_definition_of_depth_cuts_off() -> None:
    (u_0, u_1), w, (v_0, v_1), start = (0.5, -0.3), 0.8, (1.0, -0.6), 0.4
    parameters = {
        "input_weights": np.array([[u_0], [u_1]]),
        "recurrent_weights": np.array([[w]]),
        "output_weights": np.array([[v_0], [v_1]]),
    }
    reading = Reading(ids(0, 1), ids(1, 0), State(np.array([start]), np.zeros(1)))

    (loss, none_back), (_, one_back) = (
        Formulas("elman").loss_and_gradients(parameters, [reading], depth) for depth in (0, 1)
    )

    # of two words, -log P(y) = log(1 + exp(x)) with x = (v_other - v_y) s, whose slope is 1 - P(y)
    s_1 = math.tanh(u_0 + w * start)
    s_2 = math.tanh(u_1 + w * s_1)
    x_1, x_2 = (v_0 - v_1) * s_1, (v_1 - v_0) * s_2
    assert loss == pytest.approx(math.log1p(math.exp(x_1)) + math.log1p(math.exp(x_2)), rel=1e-13)
    # what each loss sends to the sum u + w s of its own step, and the second one to the step before
    d_1 = (v_0 - v_1) / (1 + math.exp(-x_1)) * (1 - s_1**2)
    d_2 = (v_1 - v_0) / (1 + math.exp(-x_2)) * (1 - s_2**2)
    back = d_2 * w * (1 - s_1**2)
    for gradients, first in ((none_back, d_1), (one_back, d_1 + back)):
        found = [*gradients["input_weights"].ravel(), *gradients["recurrent_weights"].ravel()]
        assert found == pytest.approx([first, d_2, first * start + d_2 * s_1], rel=1e-13)


def test_the_oracle_takes_nothing_but_word_classes_from_the_project() -> None:
    tree = ast.parse(Path(autograd_oracle.__file__).read_bytes())

    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)} | {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    }

    assert imported == {
        "autograd",
        "autograd.numpy",
        "collections.abc",
        "dataclasses",
        "numpy.typing",
        "typing",
        "unrolled.text.classes",
    }
