"""The network that is trained equals the reference network, which can be read like a formula; with
other cells, with biases, tied, or begun with states of other batches, it equals a walk from word to
word.
"""

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import DTypeLike

from model_strategies import (
    BIASES,
    PARAMETERS,
    Stretch,
    assert_gradients_equal,
    central_differences,
    dense,
    depths,
    ids,
    largest_error,
    network_of,
    networks_and_sentences,
    reference_gradients,
    reference_log_probability,
    reference_of,
    some_classes,
    stepped,
    stretches_of,
    walked,
)
from unrolled.errors import ConfigError, DataError
from unrolled.model.cells import CELLS
from unrolled.model.dropout import Dropout
from unrolled.model.initialisation import initialised, parameter_shapes
from unrolled.model.network import TOGETHER, Network, _summed_by_row, laid_out
from unrolled.model.packing import PackedBatch, pack, pack_pairs
from unrolled.model.types import Array, Parameters, RowGradient
from unrolled.text.classes import WordClasses
from unrolled.text.vocabulary import Ids

WORDS = np.random.default_rng(1).integers(7, size=100).astype(np.int32)
FULL = [WORDS[:7], WORDS[7:14], WORDS[14:21]]
MIXED = [WORDS[:3], WORDS[3:12], WORDS[12:14], WORDS[14:20], WORDS[20:29]]

ELMAN = networks_and_sentences(["elman"], [False])
ANY = networks_and_sentences(ties=[False, True])

every_cell = pytest.mark.parametrize("cell", CELLS)
with_and_without_bias = pytest.mark.parametrize("bias", [False, True], ids=["plain", "bias"])
untied_and_tied = pytest.mark.parametrize("tied", [False, True], ids=["untied", "tied"])


def loss_of(network: Network, sentences: list[Ids]) -> float:
    loss, _ = network.loss_and_gradients(pack(sentences), 0)
    return loss


def assert_equals_reference(network: Network, sentences: list[Ids], depth: int | None) -> None:
    """Loss and every parameter's gradient to 1e-10, largest difference over largest value."""
    loss, gradients = network.loss_and_gradients(pack(sentences), depth)

    expected_loss = -math.fsum(reference_log_probability(network, words) for words in sentences)
    expected = reference_gradients(network, sentences, depth)
    assert loss == pytest.approx(expected_loss, rel=1e-10)
    assert_gradients_equal(gradients, expected, 1e-10)


@pytest.mark.parametrize("sentences", [FULL, MIXED], ids=["full", "mixed"])
@pytest.mark.parametrize("depth", [0, 1, 4, None])
def test_loss_and_gradients_equal_the_reference(sentences: list[Ids], depth: int | None) -> None:
    assert_equals_reference(network_of(2), sentences, depth)


@given(ELMAN, depths())
def test_loss_and_gradients_of_any_shape_depth_and_length_equal_the_reference(
    example: tuple[Network, list[Ids]], depth: int | None
) -> None:
    network, sentences = example

    assert_equals_reference(network, sentences, depth)


@given(ELMAN)
def test_hidden_states_equal_the_reference(example: tuple[Network, list[Ids]]) -> None:
    network, sentences = example
    batch = pack(sentences)

    hidden = network.forward(batch).hidden

    for index, words in enumerate(sentences):
        expected = reference_of(network).hidden_states(words[:-1])
        np.testing.assert_allclose(hidden[batch.sentence == index], expected, rtol=0, atol=1e-13)


def assert_losses_are_those_beside_hits(network: Network, batch: PackedBatch) -> None:
    """With and without the way forward; whatever was dropped on it counts for both."""
    dropped = network.forward(batch, None, Dropout(0.3, 0.3, np.random.default_rng(1)))
    for forward in (None, network.forward(batch), dropped):
        expected, _ = network.losses_and_hits(batch, forward)

        found = network.losses(batch, forward)

        assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
        np.testing.assert_array_equal(found, expected)


@every_cell
@with_and_without_bias
@untied_and_tied
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_losses_are_those_that_come_with_hits(
    cell: str, bias: bool, tied: bool, dtype: DTypeLike
) -> None:
    network = network_of(3, dtype=dtype, cell_name=cell, bias=bias, tied=tied)

    assert_losses_are_those_beside_hits(network, pack(MIXED))


@every_cell
@with_and_without_bias
def test_losses_of_word_classes_are_those_that_come_with_hits(cell: str, bias: bool) -> None:
    network = network_of(3, cell_name=cell, bias=bias, classes=some_classes(7))

    assert_losses_are_those_beside_hits(network, pack(MIXED))


@given(ANY)
def test_losses_sum_to_the_loss_that_is_trained_on(example: tuple[Network, list[Ids]]) -> None:
    network, sentences = example
    batch = pack(sentences)

    losses = network.losses(batch)

    loss, _ = network.loss_and_gradients(batch, None)
    assert math.fsum(losses) == pytest.approx(loss, rel=1e-13)


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


def assert_equals_walk(network: Network, sentences: list[Ids], depth: int | None) -> None:
    """Loss and every parameter's gradient to 1e-10, largest difference over largest value."""
    loss, gradients = network.loss_and_gradients(pack(sentences), depth)

    expected_loss, expected, _ = walked(network, stretches_of(sentences), depth)
    assert loss == pytest.approx(expected_loss, rel=1e-10)
    assert_gradients_equal(gradients, expected, 1e-10)


@every_cell
@with_and_without_bias
@untied_and_tied
@pytest.mark.parametrize("sentences", [FULL, MIXED], ids=["full", "mixed"])
@pytest.mark.parametrize("depth", [0, 1, 2, 4, None])
def test_loss_and_gradients_equal_a_walk_from_word_to_word(
    cell: str, bias: bool, tied: bool, sentences: list[Ids], depth: int | None
) -> None:
    assert_equals_walk(network_of(2, cell_name=cell, bias=bias, tied=tied), sentences, depth)


@given(ANY, depths())
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
@untied_and_tied
@pytest.mark.parametrize("depth", [0, 4, None])
def test_single_precision_comes_close_to_double(
    cell: str, bias: bool, tied: bool, depth: int | None
) -> None:
    single = network_of(4, dtype=np.float32, cell_name=cell, bias=bias, tied=tied)
    weights: Parameters = {
        name: array.astype(np.float64) for name, array in single.parameters.items()
    }
    double = Network(weights, cell)

    loss, gradients = single.loss_and_gradients(pack(MIXED), depth)

    expected_loss, expected = double.loss_and_gradients(pack(MIXED), depth)
    assert loss == pytest.approx(expected_loss, rel=1e-6)
    assert {array.dtype for array in dense(gradients, 7).values()} == {np.dtype(np.float32)}
    assert_gradients_equal(gradients, dense(expected, 7), 1e-5)


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
    rng = np.random.default_rng(7)
    untied, tied = (initialised(400, 25, rng, cell_name=cell, tied=tied) for tied in (False, True))

    # 1/sqrt(400) = 0.05 and 1/sqrt(25) = 0.2; of 625 draws or more the largest is within
    # 3 % of the bound
    bounds = {"input_weights": 0.05} | dict.fromkeys(
        ("recurrent_weights", "output_weights", "input_projection"), 0.2
    )
    for name, weights in [*untied.parameters.items(), *tied.parameters.items()]:
        bound = bounds[name]
        assert 0.97 * bound < weights.max() <= bound
        assert -bound <= weights.min() < -0.97 * bound
        assert abs(weights.mean()) < 0.1 * bound


@pytest.mark.parametrize(("cell", "blocks"), [("elman", 1), ("gru", 3), ("lstm", 4)])
@with_and_without_bias
@untied_and_tied
def test_shapes_and_precision_are_as_asked_for(
    cell: str, blocks: int, bias: bool, tied: bool
) -> None:
    network = initialised(11, 3, np.random.default_rng(8), np.float32, cell, bias, tied)

    shapes = {name: array.shape for name, array in network.parameters.items()}
    of_words = (
        {"input_projection": (blocks * 3, 3)} if tied else {"input_weights": (11, blocks * 3)}
    )
    of_biases = {"bias": (blocks * 3,), "output_bias": (11,)} if bias else {}
    others = {"recurrent_weights": (blocks * 3, 3), "output_weights": (11, 3)}
    assert shapes == {**others, **of_words, **of_biases}
    assert shapes == parameter_shapes(cell, 11, 3, bias, tied)
    assert network.tied == tied
    assert {array.dtype for array in network.parameters.values()} == {np.dtype(np.float32)}
    assert (network.vocabulary_size, network.hidden_size) == (11, 3)


def test_only_the_rows_of_a_large_softmax_are_kept_by_columns() -> None:
    rng = np.random.default_rng(1)
    for classes, large in ((None, "output_weights"), (some_classes(7), "root_weights")):
        in_rows = network_of(1, bias=True, classes=classes).parameters
        given_arrays = dict(in_rows)

        for parameters in (
            laid_out(in_rows),
            initialised(7, 4, rng, bias=True, classes=classes).parameters,
        ):
            for name, array in parameters.items():
                assert array.flags.f_contiguous == (name == large or array.ndim == 1), name

        assert list(laid_out(in_rows)) == list(in_rows)
        for name, array in laid_out(in_rows).items():
            np.testing.assert_array_equal(array, in_rows[name])
            assert in_rows[name] is given_arrays[name]
            assert in_rows[name].flags.c_contiguous


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
@untied_and_tied
def test_steps_one_by_one_go_through_the_states_of_the_whole_sentence(
    cell: str, bias: bool, tied: bool
) -> None:
    network = network_of(9, cell_name=cell, bias=bias, tied=tied)
    batch = pack([MIXED[1]])
    states, (losses, _) = network.forward(batch).trace.states, network.losses_and_hits(batch)

    state = None
    for t, word in enumerate(batch.inputs):
        state = network.step(ids(int(word)), state)
        log_probabilities = network.output.log_probabilities(state[:, : network.hidden_size])

        np.testing.assert_allclose(state, states[[t]], rtol=0, atol=1e-14)
        assert -log_probabilities[0, batch.targets[t]] == pytest.approx(losses[t], abs=1e-13)


@every_cell
@with_and_without_bias
@untied_and_tied
def test_a_step_takes_many_rows_at_once(cell: str, bias: bool, tied: bool) -> None:
    network = network_of(10, cell_name=cell, bias=bias, tied=tied)
    before = np.random.default_rng(10).uniform(-1, 1, (3, network.cell.PARTS * 4))
    copy = before.copy()

    states = network.step(ids(5, 0, 5), before)

    assert states.shape == before.shape
    assert network.output.log_probabilities(states[:, : network.hidden_size]).shape == (3, 7)
    for row, word in enumerate([5, 0, 5]):
        expected, _ = stepped(network, word, before[[row]])
        np.testing.assert_allclose(states[[row]], expected, rtol=0, atol=1e-14)
    np.testing.assert_array_equal(before, copy)


def test_a_step_of_an_elman_network_is_the_references() -> None:
    network = network_of(10)
    before = np.random.default_rng(10).uniform(-1, 1, (1, 4))

    hidden = network.step(ids(5), before)

    expected = reference_of(network).step(5, before[0])
    np.testing.assert_allclose(hidden[0], expected, rtol=0, atol=1e-14)


@every_cell
@untied_and_tied
def test_weights_and_what_is_handed_over_stay_as_they_are(cell: str, tied: bool) -> None:
    network, batch = network_of(13, cell_name=cell, bias=True, tied=tied), pack(MIXED)
    start = np.random.default_rng(13).uniform(-1, 1, (len(MIXED), network.cell.PARTS * 4))
    forward = network.forward(batch, start, Dropout(0.3, 0.3, np.random.default_rng(1)))
    given_arrays = [*network.parameters.values(), start, batch.inputs, batch.targets, forward.rows]
    given_arrays += [forward.trace.states, forward.trace.previous, forward.hidden]
    copies = [array.copy() for array in given_arrays]

    network.loss_and_gradients(batch, 2, forward)
    network.loss_and_gradients(batch, None, forward)
    network.losses_and_hits(batch, forward)
    network.losses(batch, forward)
    network.forward(batch, start, Dropout(0.3, 0.3, np.random.default_rng(2)))
    network.step(ids(3, 4), start[:2])

    for array, copy in zip(given_arrays, copies, strict=True):
        np.testing.assert_array_equal(array, copy)


@given(ANY)
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


@st.composite
def ids_and_values(draw: st.DrawFn) -> tuple[Ids, Array]:
    """Ids of which some occur once, some as often as are added up together and some more often, in
    any order, with a row of whole numbers for each.
    """
    counts = draw(
        st.dictionaries(
            st.integers(0, 50),
            st.integers(1, 3) | st.integers(TOGETHER - 1, TOGETHER + 1) | st.integers(1, 40),
            min_size=1,
            max_size=8,
        )
    )
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    words = rng.permutation(np.repeat(ids(*counts), list(counts.values())))
    return words, rng.integers(-9, 10, (len(words), 2)).astype(np.float64)


@given(ids_and_values())
def test_values_of_equal_ids_are_added_up_as_by_a_plain_loop(example: tuple[Ids, Array]) -> None:
    words, values = example
    copies = words.copy(), values.copy()

    found = _summed_by_row(words, values)

    expected: dict[int, Array] = {}
    for word, row in zip(words.tolist(), values, strict=True):
        expected[word] = expected.get(word, 0) + row
    assert found.rows.tolist() == sorted(expected)
    # whole numbers add up to the same in any order
    assert found.values.tolist() == [expected[word].tolist() for word in sorted(expected)]
    np.testing.assert_array_equal(words, copies[0])
    np.testing.assert_array_equal(values, copies[1])


@pytest.mark.parametrize("count", [1, 2, TOGETHER - 1, TOGETHER, TOGETHER + 1, 3 * TOGETHER])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_occurrence_of_a_word_counts_once(count: int, dtype: DTypeLike) -> None:
    # of three words the one in the middle; powers of two tell which of its rows were added up
    words = np.array([*([4] * count), 2, 9], dtype=np.int32)
    values = np.array([*(2.0**row for row in range(count)), 0.25, 0.5], dtype=dtype)[:, np.newaxis]
    order = np.random.default_rng(count).permutation(len(words))

    found = _summed_by_row(words[order], values[order])

    assert found.rows.tolist() == [2, 4, 9]
    assert found.values.tolist() == [[0.25], [2.0**count - 1], [0.5]]
    assert found.values.dtype == dtype


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


# Gradients against differences


OUTPUTS = {
    "untied": (False, None),
    "tied": (True, None),
    "word classes": (False, some_classes(5)),
}
"""Whether weights are tied, and the classes of five words."""


@every_cell
@pytest.mark.parametrize(("tied", "classes"), OUTPUTS.values(), ids=OUTPUTS)
@pytest.mark.parametrize(
    ("bias", "carried"),
    [(True, False), (False, True)],
    ids=["bias-from zeros", "plain-from a state"],
)
def test_full_gradients_are_differences_of_the_loss_with_the_start_held_constant(
    cell: str, tied: bool, classes: WordClasses | None, bias: bool, carried: bool
) -> None:
    network = network_of(14, 5, 3, cell_name=cell, bias=bias, tied=tied, classes=classes)
    batch = pack([words % 5 for words in MIXED[:3]])
    states = np.random.default_rng(14).uniform(-1, 1, (3, network.cell.PARTS * 3))
    start = states if carried else None

    _, gradients = network.loss_and_gradients(batch, None, network.forward(batch, start))

    def loss(moved: Network) -> float:
        return math.fsum(moved.losses(batch, moved.forward(batch, start)))

    # at h = 1e-5 the difference's own error is some h² + 1e-15 / h = 2e-10
    assert_gradients_equal(gradients, central_differences(loss, network), 1e-8)


# Tied weights


@given(networks_and_sentences(ties=[True]), depths())
def test_a_tied_network_is_an_untied_one_whose_input_weights_are_its_projected_output_weights(
    example: tuple[Network, list[Ids]], depth: int | None
) -> None:
    network, sentences = example
    weights = dict(network.parameters)
    projection, rows = weights.pop("input_projection"), weights["output_weights"]
    untied = Network({**weights, "input_weights": rows @ projection.T}, network.cell_name)

    loss, gradients = network.loss_and_gradients(pack(sentences), depth)

    expected_loss, of_untied = untied.loss_and_gradients(pack(sentences), depth)
    # U = V P', so that dP = dU' V, and V gets dU P on top of what it gets as output weights
    expected = dense(of_untied, len(rows))
    d_input = expected.pop("input_weights")
    expected["input_projection"] = d_input.T @ rows
    expected["output_weights"] = expected["output_weights"] + d_input @ projection
    assert loss == pytest.approx(expected_loss, rel=1e-12)
    assert_gradients_equal(gradients, expected, 1e-11)


# States that are carried from batch to batch

Piece = tuple[int, slice]
"""A sentence's number, and which of its predictions."""


def batches_of(sentences: Sequence[Ids], plan: list[list[Piece]]) -> Iterator[PackedBatch]:
    """A batch for each list of pieces; a piece that is not its sentence's first goes on."""
    last_rows: dict[int, int] = {}
    for pieces in plan:
        pairs = [(sentences[k][:-1][part], sentences[k][1:][part]) for k, part in pieces]
        continues = [last_rows[k] if part.start > 0 else -1 for k, part in pieces]
        batch = pack_pairs(pairs, np.array(continues))
        yield batch
        found = batch.last_rows().tolist()
        last_rows = {k: row for (k, _), row in zip(pieces, found, strict=True)}


@st.composite
def cut_up(draw: st.DrawFn) -> tuple[Network, list[Ids], list[list[Piece]]]:
    """A network, and sentences in pieces of any length, which begin in any batch and stand in any
    order.
    """
    network, sentences = draw(ANY)
    plan: list[list[Piece]] = [[] for _ in range(12)]
    for number, words in enumerate(sentences):
        inner = st.sets(st.integers(1, len(words) - 2)) if len(words) > 2 else st.just(set())
        cuts = [0, *sorted(draw(inner)), len(words) - 1]
        first_batch = draw(st.integers(0, 3))
        for position, (start, stop) in enumerate(itertools.pairwise(cuts)):
            plan[first_batch + position].append((number, slice(start, stop)))
    return network, sentences, [draw(st.permutations(pieces)) for pieces in plan if pieces]


@given(cut_up())
def test_sentences_read_in_pieces_have_the_losses_of_sentences_read_at_once(
    example: tuple[Network, list[Ids], list[list[Piece]]],
) -> None:
    network, sentences, plan = example

    found = [np.full(len(words) - 1, np.nan) for words in sentences]
    passes = network.passes(batches_of(sentences, plan))
    for pieces, (batch, forward) in zip(plan, passes, strict=True):
        losses, _ = network.losses_and_hits(batch, forward)
        for index, (number, part) in enumerate(pieces):
            found[number][part] = losses[batch.sentence == index]

    for words, losses in zip(sentences, found, strict=True):
        expected, _ = network.losses_and_hits(pack([words]))
        np.testing.assert_allclose(losses, expected, rtol=0, atol=1e-12)


@given(cut_up(), depths())
def test_gradients_of_pieces_are_those_of_a_walk_that_ends_where_the_piece_begins(
    example: tuple[Network, list[Ids], list[list[Piece]]], depth: int | None
) -> None:
    network, sentences, plan = example
    starts: dict[int, Array] = {}

    passes = network.passes(batches_of(sentences, plan))
    for pieces, (batch, forward) in zip(plan, passes, strict=True):
        loss, gradients = network.loss_and_gradients(batch, depth, forward)

        stretches = [
            Stretch(sentences[k][:-1][part], sentences[k][1:][part], starts.get(k))
            for k, part in pieces
        ]
        expected_loss, expected, ends = walked(network, stretches, depth)
        assert loss == pytest.approx(expected_loss, rel=1e-10)
        assert_gradients_equal(gradients, expected, 1e-10)
        starts.update(zip((k for k, _ in pieces), ends, strict=True))


@given(ANY, depths(), st.data())
def test_the_order_of_pieces_in_a_batch_does_not_matter(
    example: tuple[Network, list[Ids]], depth: int | None, data: st.DataObject
) -> None:
    network, sentences = example
    width = network.cell.PARTS * network.hidden_size
    before = np.random.default_rng(1).uniform(-1, 1, (4, width))
    pairs = [(words[:-1], words[1:]) for words in sentences]
    continues = np.array([data.draw(st.integers(-1, 3)) for _ in pairs])
    order = data.draw(st.permutations(range(len(pairs))))

    results = []
    for numbers in (list(range(len(pairs))), order):
        batch = pack_pairs([pairs[k] for k in numbers], continues[numbers])
        forward = network.forward(batch, batch.start(before))
        results.append(network.loss_and_gradients(batch, depth, forward))

    (expected_loss, expected), (loss, gradients) = results
    assert loss == pytest.approx(expected_loss, rel=1e-12)
    assert_gradients_equal(gradients, dense(expected, network.vocabulary_size), 1e-12)


@every_cell
def test_states_of_a_batch_that_none_goes_on_from_are_forgotten(cell: str) -> None:
    network = network_of(15, cell_name=cell)
    batches = [pack(MIXED), pack_pairs([(MIXED[1][:-1], MIXED[1][1:])], np.array([-1])), pack(FULL)]

    for batch, forward in network.passes(batches):
        np.testing.assert_array_equal(forward.trace.states, network.forward(batch).trace.states)


# Orthogonal recurrent weights


@every_cell
@untied_and_tied
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-12), (np.float32, 1e-6)])
def test_orthogonal_weights_keep_lengths_block_by_block_and_leave_the_others_as_they_would_be(
    cell: str, tied: bool, dtype: DTypeLike, tolerance: float
) -> None:
    def drawn(orthogonal: bool, seed: int = 1) -> Parameters:
        rng = np.random.default_rng(seed)
        return initialised(9, 20, rng, dtype, cell, True, tied, orthogonal).parameters

    parameters, again, uniform = drawn(True), drawn(True), drawn(False)

    blocks = parameters["recurrent_weights"].astype(np.float64).reshape(-1, 20, 20)
    assert len(blocks) == CELLS[cell].BLOCKS
    for block in blocks:
        np.testing.assert_allclose(block.T @ block, np.eye(20), rtol=0, atol=tolerance)
    assert len({block.tobytes() for block in blocks}) == len(blocks)  # each is another
    assert parameters["recurrent_weights"].dtype == dtype
    for name, array in parameters.items():
        np.testing.assert_array_equal(array, again[name])
        if name != "recurrent_weights":
            np.testing.assert_array_equal(array, uniform[name])  # whose limits are tested above
    other = drawn(True, seed=2)["recurrent_weights"]
    assert (parameters["recurrent_weights"] != other).all()


def test_orthogonal_weights_favour_no_direction() -> None:
    rng = np.random.default_rng(1)

    drawn = [
        initialised(1, 3, rng, orthogonal=True).parameters["recurrent_weights"] for _ in range(900)
    ]

    # an entry's deviation is 1/sqrt(3), that of the mean of 900 is 0.02, and this is five times it;
    # without a choice of signs the first entry's mean would be -1/2
    np.testing.assert_allclose(np.mean(drawn, axis=0), np.zeros((3, 3)), rtol=0, atol=0.1)


# Bad input, and very long input

OUTSIDE = {
    "input too large": (ids(0, 7, 1), r"inputs must be ids of 0 to 6 \(got 7\)"),
    "input negative": (ids(-1, 3, 1), r"inputs must be ids of 0 to 6 \(got -1\)"),
    "target too large": (ids(0, 3, 99), r"targets must be ids of 0 to 6 \(got 99\)"),
    "target negative": (ids(0, 3, -2), r"targets must be ids of 0 to 6 \(got -2\)"),
}
CALLS: dict[str, Callable[[Network, PackedBatch], object]] = {
    "forward": Network.forward,
    "losses": Network.losses,
    "losses and hits": Network.losses_and_hits,
    "loss and gradients": partial(Network.loss_and_gradients, truncation_depth=2),
    "passes": lambda network, batch: list(network.passes([batch])),
}


@untied_and_tied
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize(("words", "message"), OUTSIDE.values(), ids=OUTSIDE)
def test_an_id_that_is_not_in_the_vocabulary_is_refused(
    words: Ids, message: str, call: Callable[[Network, PackedBatch], object], tied: bool
) -> None:
    with pytest.raises(DataError, match=message):
        call(network_of(1, tied=tied), pack([MIXED[0], words]))


def test_the_largest_and_the_smallest_id_are_in_the_vocabulary() -> None:
    assert loss_of(network_of(1), [ids(0, 6, 0), ids(6, 0, 6)]) > 0


@every_cell
@pytest.mark.parametrize("depth", [-1, -7])
def test_a_negative_truncation_depth_is_refused(cell: str, depth: int) -> None:
    with pytest.raises(ConfigError, match=rf"truncation_depth must be 0 or more.*\(got {depth}\)"):
        network_of(1, cell_name=cell).loss_and_gradients(pack(MIXED), depth)


@pytest.mark.parametrize("size", [0, -3])
@pytest.mark.parametrize("name", ["vocabulary_size", "hidden_size"])
def test_a_network_of_a_size_below_one_is_refused(name: str, size: int) -> None:
    sizes = {"vocabulary_size": 5, "hidden_size": 5, name: size}
    rng = np.random.default_rng(1)

    with pytest.raises(ConfigError, match=rf"{name} must be 1 or more \(got {size}\)"):
        initialised(sizes["vocabulary_size"], sizes["hidden_size"], rng)


@every_cell
@pytest.mark.parametrize(("tied", "depth"), [(True, 4), (False, None)])
def test_a_sentence_of_five_thousand_words_gives_finite_gradients(
    cell: str, tied: bool, depth: int | None
) -> None:
    network = network_of(1, dtype=np.float32, cell_name=cell, bias=True, tied=tied)
    words = np.random.default_rng(1).integers(7, size=5001).astype(np.int32)

    loss, gradients = network.loss_and_gradients(pack([words]), depth)

    assert math.isfinite(loss)
    for name, gradient in dense(gradients, 7).items():
        assert np.isfinite(gradient).all(), name
        assert gradient.any(), name
