"""Networks that go by word classes, of every cell: shapes, losses and gradients."""

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from numpy.typing import DTypeLike, NDArray

from class_strategies import (
    SIZES,
    TINY_STEP,
    all_kinds,
    class_network_of,
    class_networks_and_sentences,
    classes_of,
    complex_loss,
    dense_gradients,
    nudged,
    scored,
    with_and_without_bias,
)
from model_strategies import Stretch, assert_gradients_equal, ids, stretches_of
from training_strategies import read_by_hand, split_of
from unrolled.analysis.evaluation import evaluate
from unrolled.analysis.gradient_check import Problem, compare
from unrolled.analysis.numeric_gradients import CENTRAL, COMPLEX, Numeric, numeric_gradients
from unrolled.errors import DataError
from unrolled.model.cells import CELLS
from unrolled.model.dropout import Dropout
from unrolled.model.initialisation import initialised, parameter_shapes
from unrolled.model.network import Network, laid_out
from unrolled.model.packing import pack, pack_pairs
from unrolled.model.types import Array, Gradients, Parameters, RowGradient
from unrolled.text.classes import WordClasses
from unrolled.text.vocabulary import Ids
from unrolled.training.loop import mean_loss

CLASSES = classes_of([1, 3, 1, 2])
WORDS = np.random.default_rng(1).integers(7, size=100).astype(np.int32)
SENTENCES = [WORDS[:3], WORDS[3:10], WORDS[10:12], WORDS[12:17]]

every_cell = pytest.mark.parametrize("cell", CELLS)


# Every cell as a formula that takes complex numbers

Values = NDArray[Any]
States = tuple[Values, Values]


def sigmoid(values: Values) -> Values:
    result: Values = 1 / (1 + np.exp(-values))
    return result


def elman(u: Values, w: Values, s: Values, c: Values) -> States:
    return np.tanh(u + w), c


def gru(u: Values, w: Values, s: Values, c: Values) -> States:
    (u1, u2, u3), (w1, w2, w3) = np.split(u, 3), np.split(w, 3)
    r, z = sigmoid(u1 + w1), sigmoid(u2 + w2)
    n = np.tanh(u3 + r * w3)
    return (1 - z) * n + z * s, c


def lstm(u: Values, w: Values, s: Values, c: Values) -> States:
    i, f, g, o = np.split(u + w, 4)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


STEPS: dict[str, Callable[[Values, Values, Values, Values], States]] = {
    "elman": elman,
    "gru": gru,
    "lstm": lstm,
}


def total_loss(
    network: Network, parameters: Mapping[str, Values], stretches: Sequence[Stretch]
) -> complex:
    """The loss of all words, for real or complex arrays in the place of the network's."""
    assert network.classes is not None
    size = network.hidden_size
    loss = 0j
    for stretch in stretches:
        s, c = np.zeros((2, size), dtype=complex)
        if stretch.start is not None:
            s, c = stretch.start[0, :size], stretch.start[0, size:]
        for t, word in enumerate(stretch.inputs):
            row = parameters["input_weights"][word]
            row = row if stretch.row_mask is None else row * stretch.row_mask[t]
            u = row + parameters.get("bias", 0)
            s, c = STEPS[network.cell_name](u, parameters["recurrent_weights"] @ s, s, c)
            shown = s if stretch.hidden_mask is None else s * stretch.hidden_mask[t]
            loss += complex_loss(network.classes, parameters, shown, int(stretch.targets[t]))
    return loss


def complex_step(network: Network, stretches: Sequence[Stretch]) -> dict[str, Array]:
    """The derivatives of the loss with respect to every parameter, exact but for rounding."""
    arrays = {name: array.astype(complex) for name, array in network.parameters.items()}
    found: dict[str, Array] = {}
    for name, array in arrays.items():
        found[name] = np.zeros(array.shape)
        for index in np.ndindex(array.shape):
            with nudged(array, index):
                found[name][index] = total_loss(network, arrays, stretches).imag / TINY_STEP
    return found


# Loss and gradients


@given(class_networks_and_sentences())
def test_the_loss_of_a_batch_is_that_of_its_words_one_by_one(
    example: tuple[Network, list[Ids]],
) -> None:
    network, sentences = example
    batch = pack(sentences)

    losses, hits = network.losses_and_hits(batch)
    loss, _ = network.loss_and_gradients(batch, None)

    for index, words in enumerate(sentences):
        expected = scored(network, words.tolist())
        found = losses[batch.sentence == index]
        np.testing.assert_allclose(found, np.negative(expected), rtol=0, atol=1e-12)
    np.testing.assert_array_equal(network.losses(batch), losses)
    assert hits.shape == losses.shape
    expected_loss = total_loss(network, network.parameters, stretches_of(sentences)).real
    assert loss == pytest.approx(math.fsum(losses), rel=1e-13, abs=1e-13)
    assert loss == pytest.approx(expected_loss, rel=1e-12, abs=1e-12)


@every_cell
@with_and_without_bias
def test_gradients_at_full_depth_agree_with_complex_steps(cell: str, bias: bool) -> None:
    network = class_network_of(CLASSES, 2, 3, cell_name=cell, bias=bias)

    _, gradients = network.loss_and_gradients(pack(SENTENCES), None)

    assert set(gradients) == set(network.parameters)
    expected = complex_step(network, stretches_of(SENTENCES))
    assert_gradients_equal(gradients, expected, 1e-13)


@pytest.mark.parametrize("name", ["no word alone", "one class", "words alone only"])
def test_gradients_of_extreme_classes_agree_with_complex_steps(name: str) -> None:
    network = class_network_of(classes_of(SIZES[name]), 2, 3, cell_name="gru", bias=True)
    sentences = [words % network.vocabulary_size for words in SENTENCES]

    _, gradients = network.loss_and_gradients(pack(sentences), None)

    expected = complex_step(network, stretches_of(sentences))
    if name == "words alone only":  # no rows are no gradient
        for part in ("output_weights", "output_bias"):
            assert dense_gradients(network, gradients)[part].shape == expected.pop(part).shape
        gradients = {name: gradients[name] for name in expected}
    assert_gradients_equal(gradients, expected, 1e-13)


@functools.cache
def small_network(cell: str, bias: bool) -> Network:
    """The network whose gradients are checked."""
    return class_network_of(CLASSES, 2, 3, cell_name=cell, bias=bias)


@functools.cache
def numeric(cell: str, bias: bool, depth: int | None) -> dict[str, Numeric]:
    """The derivatives of its loss, once: no fault in gradients changes them."""
    network = small_network(cell, bias)
    loss = Problem(network, pack(SENTENCES), None, depth).loss(depth)
    return numeric_gradients(loss, network.parameters, 1e-5)


def passed(network: Network, gradients: Gradients, depth: int | None) -> set[str]:
    """The parameters whose gradients pass the check."""
    expected = numeric(network.cell_name, "bias" in network.parameters, depth)
    checks = compare(network.parameters, gradients, expected)
    return {check.parameter for check in checks if check.passes({CENTRAL: 1e-7, COMPLEX: 1e-13})}


@every_cell
@pytest.mark.parametrize(
    ("bias", "depth"), [(True, 0), (False, 1), (True, 3), (True, None), (False, None)]
)
def test_gradients_of_every_depth_pass_the_check(cell: str, bias: bool, depth: int | None) -> None:
    network = small_network(cell, bias)

    _, gradients = network.loss_and_gradients(pack(SENTENCES), depth)

    assert passed(network, gradients, depth) == set(network.parameters)
    of_output = {"root_weights", "output_weights", "root_bias", "output_bias"}
    cut = set() if depth is None else set(network.parameters) - of_output
    assert passed(network, gradients, None) == set(network.parameters) - cut


@pytest.mark.parametrize("name", ["root_weights", "output_weights", "root_bias", "output_bias"])
def test_the_check_rejects_a_gradient_off_by_one_in_a_thousand(name: str) -> None:
    network = small_network("elman", True)
    _, gradients = network.loss_and_gradients(pack(SENTENCES), 1)
    wrong = {**gradients, name: 1.001 * dense_gradients(network, gradients)[name]}

    assert passed(network, wrong, 1) == set(network.parameters) - {name}


@every_cell
@with_and_without_bias
@pytest.mark.parametrize("depth", [0, 4, None])
def test_single_precision_comes_close_to_double(cell: str, bias: bool, depth: int | None) -> None:
    single = class_network_of(CLASSES, 4, dtype=np.float32, cell_name=cell, bias=bias)
    doubled: Parameters = {
        name: array.astype(np.float64) for name, array in single.parameters.items()
    }
    double = replace(single, parameters=doubled)

    loss, gradients = single.loss_and_gradients(pack(SENTENCES), depth)

    expected_loss, expected = double.loss_and_gradients(pack(SENTENCES), depth)
    assert loss == pytest.approx(expected_loss, rel=1e-6)
    dtypes = {array.dtype for array in dense_gradients(single, gradients).values()}
    assert dtypes == {np.dtype(np.float32)}
    assert_gradients_equal(gradients, dense_gradients(double, expected), 1e-5)


def test_only_rows_of_words_that_are_read_have_gradients() -> None:
    network = class_network_of(CLASSES)

    _, gradients = network.loss_and_gradients(pack([ids(5, 1, 5, 3)]), None)

    found = gradients["input_weights"]
    assert isinstance(found, RowGradient)
    assert found.rows.tolist() == [1, 5]


# Dropout, and states that are carried on


@every_cell
@pytest.mark.parametrize(
    ("inputs", "outputs", "bias"), [(0.4, 0.0, True), (0.0, 0.4, False), (0.3, 0.5, True)]
)
def test_gradients_with_dropout_agree_with_complex_steps_through_the_same_masks(
    cell: str, inputs: float, outputs: float, bias: bool
) -> None:
    network, batch = class_network_of(CLASSES, 3, 2, cell_name=cell, bias=bias), pack(SENTENCES)

    forward = network.forward(batch, dropout=Dropout(inputs, outputs, np.random.default_rng(1)))
    loss, gradients = network.loss_and_gradients(batch, None, forward)

    stretches = []
    for index, stretch in enumerate(stretches_of(SENTENCES)):
        row_mask, hidden_mask = (
            None if mask is None else mask[batch.sentence == index]
            for mask in (forward.row_mask, forward.hidden_mask)
        )
        stretches.append(replace(stretch, row_mask=row_mask, hidden_mask=hidden_mask))
    expected_loss = total_loss(network, network.parameters, stretches).real
    assert loss == pytest.approx(expected_loss, rel=1e-13)
    assert math.fsum(network.losses(batch, forward)) == pytest.approx(expected_loss, rel=1e-13)
    assert_gradients_equal(gradients, complex_step(network, stretches), 1e-12)


@every_cell
def test_states_are_carried_from_batch_to_batch_and_their_gradients_end_there(cell: str) -> None:
    network = class_network_of(CLASSES, 4, 3, cell_name=cell, bias=True)
    first = pack_pairs([(WORDS[:4], WORDS[1:5]), (WORDS[20:26], WORDS[21:27])])
    ends = first.last_rows()
    # the first stretch goes on after the other one, which begins anew
    second = pack_pairs(
        [(WORDS[40:43], WORDS[41:44]), (WORDS[4:9], WORDS[5:10])], np.array([-1, ends[0]])
    )

    _, (batch, forward) = network.passes([first, second])
    loss, gradients = network.loss_and_gradients(batch, None, forward)

    before = network.forward(first).trace.states[[ends[0]]]
    stretches = [
        Stretch(WORDS[40:43], WORDS[41:44]),
        Stretch(WORDS[4:9], WORDS[5:10], start=before),
    ]
    expected_loss = total_loss(network, network.parameters, stretches).real
    assert loss == pytest.approx(expected_loss, rel=1e-13)
    assert_gradients_equal(gradients, complex_step(network, stretches), 1e-12)
    assert math.fsum(network.losses(batch, forward)) == pytest.approx(loss, rel=1e-13)
    whole = scored(network, WORDS[:10].tolist())
    rows = batch.sentence == 1
    np.testing.assert_allclose(network.losses(batch, forward)[rows], np.negative(whole[4:]))


@pytest.mark.parametrize("carry_state", [False, True])
def test_a_split_is_scored_as_it_is_read_word_by_word(carry_state: bool) -> None:
    network = class_network_of(CLASSES, 5, cell_name="lstm", bias=True)
    documents = [SENTENCES[:2], SENTENCES[2:], SENTENCES[1:3]]

    loss = mean_loss(network, split_of(documents), carry_state)
    evaluation = evaluate(network, split_of(documents), carry_state)

    read = documents if carry_state else [[words] for document in documents for words in document]
    found = [pair for document in read for pair in read_by_hand(network, document)]
    expected = math.fsum(loss for loss, _ in found) / len(found)
    assert loss == pytest.approx(expected, rel=1e-13)
    assert evaluation.loss_nats_per_token == pytest.approx(expected, rel=1e-13)
    assert evaluation.next_word_accuracy == sum(right for _, right in found) / len(found)


@pytest.mark.parametrize("name", ["root_weights", "output_weights"])
def test_weights_so_large_that_nothing_is_finite_are_refused(name: str) -> None:
    network = class_network_of(CLASSES)
    network.parameters[name][:] = math.inf  # so that all scores are NaN

    with pytest.raises(DataError, match="the network's loss is nan, its weights being too large"):
        evaluate(network, split_of([SENTENCES]))


# Before training


@pytest.mark.parametrize(("cell", "blocks"), [("elman", 1), ("gru", 3), ("lstm", 4)])
@with_and_without_bias
def test_shapes_and_precision_are_as_asked_for(cell: str, blocks: int, bias: bool) -> None:
    # of 12 words 3 stand alone
    classes = classes_of([1, 2, 1, 3, 4, 1])
    rng = np.random.default_rng(8)
    network = initialised(12, 3, rng, np.float32, cell, bias, classes=classes)

    shapes = {name: array.shape for name, array in network.parameters.items()}
    of_biases = {"bias": (blocks * 3,), "root_bias": (6,), "output_bias": (9,)} if bias else {}
    assert shapes == {
        "input_weights": (12, blocks * 3),
        "recurrent_weights": (blocks * 3, 3),
        "root_weights": (6, 3),
        "output_weights": (9, 3),
        **of_biases,
    }
    assert shapes == parameter_shapes(cell, 12, 3, bias, False, classes)
    assert {array.dtype for array in network.parameters.values()} == {np.dtype(np.float32)}
    assert (network.vocabulary_size, network.hidden_size, network.tied) == (12, 3, False)
    assert network.classes is classes


def test_initial_weights_of_classes_and_words_fill_the_range_of_the_hidden_size() -> None:
    classes = classes_of([1] * 50 + [9] * 50)

    network = initialised(500, 25, np.random.default_rng(7), bias=True, classes=classes)

    # 1/sqrt(25) = 0.2; of 2,500 draws the largest is within 3 % of the bound
    for name in ("root_weights", "output_weights"):
        weights = network.parameters[name]
        assert 0.97 * 0.2 < weights.max() <= 0.2
        assert -0.2 <= weights.min() < -0.97 * 0.2
        assert abs(weights.mean()) < 0.02
    for name in ("root_bias", "output_bias"):
        assert not network.parameters[name].any()


def test_the_same_seed_gives_the_same_weights_with_and_without_biases() -> None:
    plain, again, biased, other = (
        initialised(7, 4, np.random.default_rng(seed), bias=bias, classes=CLASSES).parameters
        for seed, bias in ((1, False), (1, False), (1, True), (2, False))
    )

    assert len(plain) == 4
    for name, array in plain.items():
        np.testing.assert_array_equal(array, again[name])
        np.testing.assert_array_equal(array, biased[name])
        assert (array != other[name]).all()


def test_of_large_arrays_the_classes_weights_are_kept_by_columns() -> None:
    network = initialised(7, 4, np.random.default_rng(1), classes=CLASSES)
    turned = {name: np.ascontiguousarray(array) for name, array in network.parameters.items()}

    again = laid_out(turned)

    assert network.parameters["root_weights"].flags.f_contiguous
    assert network.parameters["output_weights"].flags.c_contiguous
    for name, array in network.parameters.items():
        assert again[name].strides == array.strides
        np.testing.assert_array_equal(again[name], array)


@every_cell
@with_and_without_bias
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_an_initialised_network_chooses_by_chance_among_classes_and_among_their_words(
    cell: str, bias: bool, dtype: DTypeLike
) -> None:
    classes = classes_of([1] * 40 + [5] * 30 + [80])
    rng = np.random.default_rng(5)
    network = initialised(270, 50, rng, dtype, cell, bias, classes=classes)
    words = rng.integers(270, size=400).astype(np.int32)

    losses = network.losses(pack([words]))

    # ln of 71 classes, and of the words of a class
    sizes = np.bincount(classes.class_of)[classes.class_of[words[1:]]]
    np.testing.assert_allclose(losses, np.log(71) + np.log(sizes), rtol=0, atol=1.5)
    expected = math.log(71) + np.log(sizes).mean()
    assert float(losses.mean()) == pytest.approx(expected, rel=0.02)


# Words that there are not


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (ids(0, 7, 1), r"inputs must be ids of 0 to 6 \(got 7\)"),
        (ids(0, 3, 7), r"targets must be ids of 0 to 6 \(got 7\)"),
        (ids(0, -1, 3), r"inputs must be ids of 0 to 6 \(got -1\)"),
    ],
)
def test_an_id_that_is_not_in_the_vocabulary_is_refused(words: Ids, message: str) -> None:
    with pytest.raises(DataError, match=message):
        class_network_of(CLASSES).loss_and_gradients(pack([words]), None)


@all_kinds
def test_every_word_of_the_vocabulary_can_be_read_and_predicted(sizes: list[int]) -> None:
    classes: WordClasses = classes_of(sizes)
    network = class_network_of(classes, bias=True)
    words = np.arange(len(classes), dtype=np.int32)
    sentence = np.concatenate([words, words])

    losses = network.losses(pack([sentence]))

    np.testing.assert_allclose(losses, np.negative(scored(network, sentence.tolist())), atol=1e-12)
