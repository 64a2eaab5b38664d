"""How gradients travel, against complex steps along plain sentences and against known factors."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from model_strategies import (
    dense,
    ids,
    largest_error,
    network_of,
    networks_and_sentences,
    some_classes,
    word_row,
)
from unrolled.analysis.gradient_flow import (
    Cosine,
    arrival,
    in_double_precision,
    norms_by_lag,
    singular_values,
    truncation_cosines,
)
from unrolled.errors import ConfigError, DataError
from unrolled.model.cells import CELLS
from unrolled.model.initialisation import initialised
from unrolled.model.network import Network
from unrolled.model.packing import pack
from unrolled.model.types import Array
from unrolled.text.vocabulary import Ids

SENTENCES = [ids(0, 3, 1), ids(0, 3, 5, 2, 4, 4, 1), ids(0, 6, 1), ids(0, 2, 6, 3, 1)]
LONGEST = 6  # predictions
BIASED = {"bias": True}
TIED = {"bias": True, "tied": True}
CLASSES = {"bias": True, "classes": some_classes(7)}

every_cell = pytest.mark.parametrize("cell", CELLS)
every_kind = pytest.mark.parametrize(
    "kind", [{}, BIASED, TIED, CLASSES], ids=["plain", "bias", "tied", "classes"]
)


# The arrival, by moving the projections of words

Complex = NDArray[np.complex128]


def sigmoid(values: Complex) -> Complex:
    found: Complex = np.reciprocal(1 + np.exp(-values))
    return found


def elman(u: Complex, w: Complex, s: Complex, c: Complex) -> tuple[Complex, Complex]:
    return np.tanh(u + w), c


def gru(u: Complex, w: Complex, s: Complex, c: Complex) -> tuple[Complex, Complex]:
    (u1, u2, u3), (w1, w2, w3) = np.split(u, 3), np.split(w, 3)
    z, n = sigmoid(u2 + w2), np.tanh(u3 + sigmoid(u1 + w1) * w3)
    return (1 - z) * n + z * s, c


def lstm(u: Complex, w: Complex, s: Complex, c: Complex) -> tuple[Complex, Complex]:
    i, f, g, o = np.split(u + w, 4)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


STEPS: dict[str, Callable[[Complex, Complex, Complex, Complex], tuple[Complex, Complex]]] = {
    "elman": elman,
    "gru": gru,
    "lstm": lstm,
}


def projections_of(network: Network, words: Ids) -> Complex:
    """What each word of a sentence brings to its step, (words, blocks * hidden)."""
    rows = np.vstack([word_row(network, int(word)) for word in words])
    if network.tied:
        rows = rows @ network.parameters["input_projection"].T
    return (rows + network.parameters.get("bias", 0)).astype(np.complex128)


def losses_of(network: Network, projections: Complex, targets: Ids) -> Complex:
    """The loss of each word of a sentence, step by step."""
    s = c = np.zeros(network.hidden_size, dtype=np.complex128)
    losses = []
    for u, target in zip(projections, targets, strict=True):
        w = network.parameters["recurrent_weights"] @ s
        s, c = STEPS[network.cell_name](u, w, s, c)
        losses.append(loss_of(network, s, int(target)))
    return np.array(losses)


def loss_of(network: Network, hidden: Complex, target: int) -> complex:
    """A word's loss in nats by the plain softmax."""
    logits = network.parameters["output_weights"] @ hidden
    logits += network.parameters.get("output_bias", 0)
    return complex(np.log(np.exp(logits).sum()) - logits[target])


def moved_norms(network: Network, sentence: Ids) -> Array:
    """|dL_t / du_j| for each t and j, (words, words), each entry of each u_j moved on its own."""
    projections = projections_of(network, sentence[:-1])
    squares = np.zeros((len(projections), len(projections)))
    for j, entry in np.ndindex(projections.shape):
        moved = projections.copy()
        moved[j, entry] += 1e-30j  # so small that its square is lost beside any loss
        squares[:, j] += (losses_of(network, moved, sentence[1:]).imag / 1e-30) ** 2
    return np.sqrt(squares)


def expected_pairs(network: Network, sentences: Sequence[Ids], lag: int) -> Array:
    """(outputs, 2), the norms at the lag and at lag 0 of all outputs with words enough."""
    tables = [moved_norms(network, sentence) for sentence in sentences]
    pairs = [(table[t, t - lag], table[t, t]) for table in tables for t in range(lag, len(table))]
    return np.array(pairs)


@every_cell
@pytest.mark.parametrize("kind", [{}, BIASED, TIED], ids=["plain", "bias", "tied"])
def test_norms_are_the_derivatives_for_the_words_that_many_steps_back(
    cell: str, kind: dict[str, Any]
) -> None:
    network = network_of(1, hidden_size=3, cell_name=cell, **kind)
    sentence = SENTENCES[1]

    norms = norms_by_lag(network, pack([sentence]), LONGEST)

    table = moved_norms(network, sentence)
    assert [len(of_lag) for of_lag in norms] == [6, 5, 4, 3, 2, 1]
    for lag, of_lag in enumerate(norms):
        np.testing.assert_allclose(of_lag, np.diagonal(table, -lag), rtol=1e-12)


@every_cell
def test_share_and_quartiles_are_those_of_all_outputs_with_words_enough(cell: str) -> None:
    network = network_of(2, hidden_size=3, cell_name=cell, bias=True)

    found = arrival(network, pack(SENTENCES), 4)

    assert [of_lag.lag for of_lag in found.lags] == [0, 1, 2, 3, 4]
    assert [of_lag.outputs for of_lag in found.lags] == [14, 10, 6, 4, 2]  # of 2, 6, 2, 4 words
    for of_lag in found.lags:
        arrived, own = expected_pairs(network, SENTENCES, of_lag.lag).T
        quartiles = [of_lag.lower_quartile, of_lag.median, of_lag.upper_quartile]
        assert of_lag.share == pytest.approx(arrived.sum() / own.sum(), rel=1e-12)
        np.testing.assert_allclose(quartiles, np.percentile(arrived / own, [25, 50, 75]), 1e-12)


@given(networks_and_sentences(), st.integers(0, 9))
def test_norms_of_any_sentences_are_those_of_each_sentence_alone(
    given_network: tuple[Network, list[Ids]], deepest: int
) -> None:
    network, sentences = given_network

    together = norms_by_lag(network, pack(sentences), deepest)

    alone = [norms_by_lag(network, pack([sentence]), deepest) for sentence in sentences]
    for lag, found in enumerate(together):
        expected = np.concatenate([norms[lag] for norms in alone if lag < len(norms)])
        assert largest_error(np.sort(found), np.sort(expected)) < 1e-12


@every_cell
@every_kind
def test_the_norms_of_one_output_are_those_of_all_that_goes_back_from_it_alone(
    cell: str, kind: dict[str, Any]
) -> None:
    network = network_of(3, cell_name=cell, **kind)
    batch = pack([SENTENCES[1]])
    forward = network.forward(batch)
    d_hidden = network.output.loss_and_gradients(forward.hidden, batch.targets).d_hidden
    d_hidden[:-1] = 0  # all but the last output's loss

    norms = norms_by_lag(network, batch, LONGEST)

    total = network.deltas(batch, forward.trace, d_hidden, None).d_word
    last = [of_lag[-1] for of_lag in norms]
    np.testing.assert_allclose(last, np.linalg.norm(total, axis=1)[::-1], rtol=1e-12)


# The arrival, where it is known


@pytest.mark.parametrize("factor", [0.5, 1.0, 1.5])
def test_in_a_linear_network_each_step_back_is_one_factor(factor: float) -> None:
    weights = dict(network_of(1).parameters)
    weights["input_weights"] = 1e-9 * weights["input_weights"]  # tanh(x) is x to the last digit
    weights["recurrent_weights"] = factor * np.eye(4)

    found = arrival(Network(weights, "elman"), pack(SENTENCES), LONGEST)

    for of_lag in found.lags:
        quartiles = [of_lag.lower_quartile, of_lag.median, of_lag.upper_quartile]
        np.testing.assert_allclose([of_lag.share, *quartiles], factor**of_lag.lag, rtol=1e-12)


def test_in_a_network_without_memory_nothing_arrives_from_before() -> None:
    weights = {**network_of(1).parameters, "recurrent_weights": np.zeros((4, 4))}

    found = arrival(Network(weights, "elman"), pack(SENTENCES), LONGEST)

    assert [of_lag.share for of_lag in found.lags] == [1, 0, 0, 0, 0, 0]
    assert [of_lag.upper_quartile for of_lag in found.lags] == [1, 0, 0, 0, 0, 0]


@every_cell
def test_all_that_an_output_gets_from_its_own_word_is_one(cell: str) -> None:
    own = arrival(network_of(1, cell_name=cell), pack(SENTENCES), 0).lags[0]

    assert (own.share, own.lower_quartile, own.median, own.upper_quartile) == (1, 1, 1, 1)


def test_lags_end_with_the_longest_sentence() -> None:
    assert len(arrival(network_of(1), pack(SENTENCES), 100).lags) == LONGEST


def saturated_by(*words: int) -> Network:
    """An Elman network that some words drive to where tanh is flat to the last bit."""
    weights = dict(network_of(1).parameters)
    weights["input_weights"] = weights["input_weights"].copy()
    weights["input_weights"][list(words)] = 50
    return Network(weights, "elman")


def test_outputs_whose_own_word_gets_nothing_are_left_out_and_counted() -> None:
    found = arrival(saturated_by(4), pack(SENTENCES), LONGEST)

    # the word 4 stands last and next to last in the sentence of 6 and nowhere else
    assert found.left_out == 2
    assert [of_lag.outputs for of_lag in found.lags] == [12, 8, 4, 2]


def test_nothing_is_left_of_a_network_that_lets_nothing_through() -> None:
    network = saturated_by(*range(7))

    found = arrival(network, pack(SENTENCES), LONGEST)

    assert found.lags == []
    assert found.left_out == 14
    assert truncation_cosines(network, pack(SENTENCES), [1]) == [Cosine(1, None, None)]


def test_a_lag_below_zero_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"deepest must be 0 or more \(got -1\)"):
        arrival(network_of(1), pack(SENTENCES), -1)


def test_words_that_the_network_does_not_know_are_refused() -> None:
    with pytest.raises(DataError, match=r"ids of 0 to 6 \(got 7\)"):
        arrival(network_of(1), pack([ids(0, 7, 1)]), 1)


# What truncation does


def before_output(network: Network, sentences: Sequence[Ids], depth: int | None) -> Array:
    """The gradient for all that acts before the output layer alone, one number after the other."""
    _, gradients = network.loss_and_gradients(pack(sentences), depth)
    outside = {"output_weights", "output_bias", "root_weights", "root_bias"}
    parts = dense(gradients, network.vocabulary_size)
    return np.concatenate([parts[name].ravel() for name in sorted(parts.keys() - outside)])


@every_cell
@every_kind
@pytest.mark.parametrize("depth", [0, 1, 3])
def test_cosine_and_length_are_those_of_the_gradients_before_the_output(
    cell: str, kind: dict[str, Any], depth: int
) -> None:
    network = network_of(4, cell_name=cell, **kind)

    (found,) = truncation_cosines(network, pack(SENTENCES), [depth])

    truncated, full = (before_output(network, SENTENCES, limit) for limit in (depth, None))
    lengths = np.linalg.norm(truncated), np.linalg.norm(full)
    assert found.depth == depth
    assert found.cosine == pytest.approx(truncated @ full / (lengths[0] * lengths[1]), rel=1e-13)
    assert found.length_ratio != pytest.approx(1, abs=1e-6)  # something was cut off
    assert found.length_ratio == pytest.approx(lengths[0] / lengths[1], rel=1e-13)


def test_a_cosine_by_hand() -> None:
    # One hidden unit, two words, V = (1, -1): s_1 = tanh(u), s_2 = tanh(u + s_1), W = 1.
    # At depth 0 u gets d_1 f_1 + d_2 f_2, the recurrent weight d_2 f_2 s_1; the full gradient has
    # d_2 f_2 f_1 more for u, where f = 1 - s² and d_t = tanh(s_t) - 1 for the target 0.
    parts = {"input_weights": [[0.5], [9]], "output_weights": [[1], [-1]]}
    weights = {name: np.array(values, dtype=np.float64) for name, values in parts.items()}
    network = Network({**weights, "recurrent_weights": np.ones((1, 1))}, "elman")

    (found,) = truncation_cosines(network, pack([ids(0, 0, 0)]), [0])

    s1, s2 = np.tanh(0.5), np.tanh(0.5 + np.tanh(0.5))
    d1, d2 = np.tanh(s1) - 1, np.tanh(s2) - 1  # V_0 P_0 + V_1 P_1 - V_0, P_0 - P_1 = tanh(s)
    f1, f2 = 1 - s1 * s1, 1 - s2 * s2
    truncated = np.array([d1 * f1 + d2 * f2, d2 * f2 * s1])
    full = truncated + np.array([d2 * f2 * f1, 0])
    lengths = np.linalg.norm(truncated), np.linalg.norm(full)
    assert found.cosine == pytest.approx(truncated @ full / (lengths[0] * lengths[1]), rel=1e-14)
    assert found.length_ratio == pytest.approx(lengths[0] / lengths[1], rel=1e-14)


@every_cell
@every_kind
@pytest.mark.parametrize("depth", [LONGEST - 1, LONGEST, 100])
def test_where_nothing_is_cut_off_both_gradients_are_one(
    cell: str, kind: dict[str, Any], depth: int
) -> None:
    network = network_of(5, cell_name=cell, **kind)

    assert truncation_cosines(network, pack(SENTENCES), [depth]) == [Cosine(depth, 1.0, 1.0)]


@every_cell
def test_a_step_less_than_the_longest_sentence_is_felt(cell: str) -> None:
    (found,) = truncation_cosines(network_of(5, cell_name=cell), pack(SENTENCES), [LONGEST - 2])

    assert found.length_ratio != pytest.approx(1, abs=1e-9)


def test_in_a_network_without_memory_no_depth_makes_a_difference() -> None:
    weights = {**network_of(1).parameters, "recurrent_weights": np.zeros((4, 4))}

    found = truncation_cosines(Network(weights, "elman"), pack(SENTENCES), [0, 2])

    for of_depth in found:
        assert of_depth.cosine == pytest.approx(1, abs=1e-15)
        assert of_depth.length_ratio == pytest.approx(1, abs=1e-15)


def test_depths_are_answered_in_their_order() -> None:
    found = truncation_cosines(network_of(1), pack(SENTENCES), [3, 0, 3])

    assert [of_depth.depth for of_depth in found] == [3, 0, 3]
    assert found[0] == found[2] != found[1]


def test_a_depth_below_zero_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"truncation_depth must be 0 or more.*\(got -1\)"):
        truncation_cosines(network_of(1), pack(SENTENCES), [-1])


# Singular values


@every_cell
def test_each_block_has_the_singular_values_of_its_own_square(cell: str) -> None:
    weights = network_of(1, cell_name=cell).parameters["recurrent_weights"]
    count = CELLS[cell].BLOCKS

    found = singular_values(weights, count)

    assert found.shape == (count, 4)
    for values, block in zip(found, np.split(weights, count), strict=True):
        # the squares of singular values are the eigenvalues of W'W
        np.testing.assert_allclose(values**2, np.linalg.eigvalsh(block.T @ block)[::-1], atol=1e-13)


@every_cell
def test_orthogonal_blocks_neither_stretch_nor_shrink(cell: str) -> None:
    rng = np.random.default_rng(1)
    network = initialised(7, 5, rng, cell_name=cell, orthogonal=True)

    found = singular_values(network.parameters["recurrent_weights"], len(network.cell.GATES))

    np.testing.assert_allclose(found, 1, rtol=0, atol=1e-14)


def test_singular_values_of_a_block_stretched_by_hand_come_largest_first() -> None:
    weights = np.vstack([np.diag([1.0, -3.0]), np.diag([0.0, 2.0])])

    assert singular_values(weights, 2).tolist() == [[3, 1], [2, 0]]


# Precision and storage


@every_cell
def test_networks_of_single_precision_are_measured_in_double(cell: str) -> None:
    single = network_of(1, dtype=np.float32, cell_name=cell, bias=True)
    double = in_double_precision(single)
    batch = pack(SENTENCES)

    assert {array.dtype for array in double.parameters.values()} == {np.dtype(np.float64)}
    assert arrival(single, batch, LONGEST) == arrival(double, batch, LONGEST)
    assert truncation_cosines(single, batch, [0, 2]) == truncation_cosines(double, batch, [0, 2])
    weights = single.parameters["recurrent_weights"]
    assert singular_values(weights, CELLS[cell].BLOCKS).dtype == np.float64
    assert single.parameters["recurrent_weights"].dtype == np.float32


@every_cell
def test_what_has_vanished_in_single_precision_is_still_measured(cell: str) -> None:
    network = network_of(1, dtype=np.float32, cell_name=cell)
    weights = {**network.parameters, "bias": np.zeros(CELLS[cell].BLOCKS * 4, dtype=np.float32)}
    weights["recurrent_weights"] = np.float32(1e-12) * weights["recurrent_weights"]
    for block, gate in enumerate(CELLS[cell].GATES):
        if gate in ("update", "forget"):  # shut, nothing is kept around the recurrent weights
            weights["bias"][4 * block : 4 * (block + 1)] = -40

    found = arrival(replace(network, parameters=weights), pack([SENTENCES[1]]), 5)

    assert 0 < found.lags[-1].share < 1e-45  # single precision ends at 1.4e-45


@every_cell
def test_what_is_found_can_be_written_down(cell: str) -> None:
    network = network_of(1, cell_name=cell)

    found = arrival(network, pack(SENTENCES), 3)
    cosines = truncation_cosines(network, pack(SENTENCES), [0])

    for record in (asdict(found), *map(asdict, cosines)):
        assert json.loads(json.dumps(record, allow_nan=False)) == record
