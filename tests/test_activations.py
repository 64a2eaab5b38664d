"""Where the arguments of a cell's functions lie, against those that go into plain formulas."""

import json
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from numpy.typing import NDArray

from model_strategies import (
    ids,
    network_of,
    networks_and_sentences,
    some_classes,
    start_of,
    stepped,
    word_row,
    zero_network,
)
from unrolled.analysis.activations import (
    EDGES,
    ActivationHistogram,
    activation_histograms,
    arguments,
    relative_slopes,
)
from unrolled.analysis.gradient_flow import in_double_precision
from unrolled.errors import DataError
from unrolled.model.cells import CELLS
from unrolled.model.cells.cell import Activation
from unrolled.model.network import Network
from unrolled.model.packing import pack
from unrolled.model.types import Array
from unrolled.text.vocabulary import Ids

SENTENCES = [ids(0, 3, 1), ids(0, 3, 5, 2, 4, 4, 1), ids(0, 6, 1), ids(0, 2, 6, 3, 1)]
WIDE = np.array([-0.5, 0.0, 0.5])
FUNCTIONS: list[Activation] = ["tanh", "sigmoid"]

every_cell = pytest.mark.parametrize("cell", CELLS)
every_function = pytest.mark.parametrize("function", FUNCTIONS)


def by_name(network: Network, edges: NDArray[np.float64] = EDGES) -> dict[str, ActivationHistogram]:
    found = activation_histograms(network, pack(SENTENCES), edges)
    return {histogram.name: histogram for histogram in found}


def scaled(network: Network, factor: float) -> Network:
    """The same network with larger or smaller weights."""
    weights = {name: factor * array for name, array in network.parameters.items()}
    return Network(weights, network.cell_name)


# Against what goes into the functions


def arguments_of(network: Network, word: int, before: Array, after: Array) -> dict[str, Array]:
    """What goes into each function at a step, (hidden,) each."""
    weights, size = network.parameters, network.hidden_size
    row = word_row(network, word)[0]
    u = weights["input_projection"] @ row if network.tied else row
    u = u + weights.get("bias", 0)
    w = weights["recurrent_weights"] @ before[0, :size]
    if network.cell_name == "elman":
        return {"state": u + w}
    if network.cell_name == "lstm":
        parts = [*np.split(u + w, 4), after[0, size:]]
        return dict(
            zip(("input", "forget", "candidate", "output", "memory shown"), parts, strict=True)
        )
    (u1, u2, u3), (w1, w2, w3) = np.split(u, 3), np.split(w, 3)
    r = 1 / (1 + np.exp(-u1 - w1))
    return {"reset": u1 + w1, "update": u2 + w2, "candidate": u3 + r * w3}


def all_arguments(network: Network, sentences: list[Ids]) -> dict[str, Array]:
    """What goes into each function in some sentences, each stepped alone."""
    found: dict[str, list[Array]] = {}
    for sentence in sentences:
        state = start_of(network)
        for word in sentence[:-1].tolist():
            before, (state, _) = state, stepped(network, word, state)
            for name, values in arguments_of(network, word, before, state).items():
                found.setdefault(name, []).append(values)
    return {name: np.concatenate(values) for name, values in found.items()}


@every_cell
@pytest.mark.parametrize(
    "kind",
    [{}, {"bias": True}, {"bias": True, "tied": True}, {"classes": some_classes(7)}],
    ids=["plain", "bias", "tied", "classes"],
)
def test_shares_are_those_of_what_goes_into_the_functions(cell: str, kind: dict[str, Any]) -> None:
    network = network_of(1, cell_name=cell, **kind)
    expected = all_arguments(network, SENTENCES)

    found = by_name(network)

    assert list(found) == list(expected)
    for name, histogram in found.items():
        counts, _ = np.histogram(expected[name], EDGES)  # none is beyond them
        assert counts.sum() == 14 * 4  # words and hidden units
        np.testing.assert_allclose(histogram.shares, counts / 56, rtol=1e-15)


@every_cell
def test_slopes_and_saturation_are_those_at_what_goes_into_the_functions(cell: str) -> None:
    network = scaled(network_of(2, cell_name=cell, bias=True), 3)
    expected = all_arguments(network, SENTENCES)

    for name, histogram in by_name(network).items():
        x = expected[name] if histogram.function == "tanh" else expected[name] / 2
        slopes = 1 / np.cosh(x) ** 2  # of tanh; of σ at 2x, as σ(2x) = (1 + tanh x) / 2
        assert histogram.mean_relative_slope == pytest.approx(slopes.mean(), rel=1e-12)
        assert histogram.saturated_share == pytest.approx((slopes < 0.1).mean(), rel=1e-15)
        assert 0 < histogram.saturated_share < 1


@given(networks_and_sentences(ties=(False, True)))
def test_shares_add_up_to_one(given_network: tuple[Network, list[Ids]]) -> None:
    network, sentences = given_network

    for histogram in activation_histograms(network, pack(sentences)):
        assert len(histogram.shares) == len(EDGES) - 1
        assert sum(histogram.shares) == pytest.approx(1, abs=1e-14)


# Where they are known


@every_cell
def test_large_weights_saturate_every_gate(cell: str) -> None:
    found = by_name(scaled(network_of(1, cell_name=cell), 1e4))

    for gate in CELLS[cell].GATES:
        assert found[gate].saturated_share > 0.95
        assert found[gate].mean_relative_slope < 0.05
        assert found[gate].shares[0] + found[gate].shares[-1] > 0.95


@every_cell
def test_tiny_weights_saturate_nothing(cell: str) -> None:
    for histogram in by_name(scaled(network_of(1, cell_name=cell), 1e-6)).values():
        assert histogram.saturated_share == 0
        assert histogram.mean_relative_slope == pytest.approx(1, abs=1e-9)


def test_what_is_beyond_the_outer_edges_is_in_the_outer_bins() -> None:
    weights = dict(zero_network(3, hidden_size=5).parameters)
    weights["input_weights"] = np.tile([-50.0, -0.75, 0.25, 0.75, 50.0], (3, 1))  # tanh(50) is 1

    (found,) = activation_histograms(Network(weights, "elman"), pack([ids(0, 1)]), WIDE)

    assert found.shares == [2 / 5, 3 / 5]


def test_what_is_on_an_edge_is_in_the_bin_above() -> None:
    (found,) = activation_histograms(zero_network(3), pack([ids(0, 1)]), WIDE)

    assert found.shares == [0, 1]  # all arguments are zero
    assert (found.saturated_share, found.mean_relative_slope) == (0, 1)


@pytest.mark.parametrize(("argument", "saturated"), [(1.818, 0), (1.819, 1)])
def test_tanh_is_saturated_from_where_a_tenth_of_its_slope_is_left(
    argument: float, saturated: int
) -> None:
    # 1 - tanh² = 0.1 at artanh(√0.9) = 1.8184
    weights = dict(zero_network(3).parameters)
    weights["input_weights"] = np.array([[argument, -argument]] * 3)

    (found,) = activation_histograms(Network(weights, "elman"), pack([ids(0, 1)]))

    assert found.saturated_share == saturated


@pytest.mark.parametrize(("argument", "saturated"), [(3.636, 0), (3.637, 1)])
def test_a_gate_is_saturated_from_twice_as_far_out(argument: float, saturated: int) -> None:
    network = network_of(1, cell_name="lstm", bias=True)
    weights = {name: 0 * array for name, array in network.parameters.items()}
    weights["bias"] = np.full(16, argument)

    found = by_name(Network(weights, "lstm"))

    assert found["forget"].saturated_share == saturated
    assert found["candidate"].saturated_share == 1  # a tanh of the same argument


# Arguments and slopes


@every_function
def test_arguments_are_found_again_far_into_saturation(function: Activation) -> None:
    given = np.linspace(-12, 12, 97)
    values = np.tanh(given) if function == "tanh" else 1 / (1 + np.exp(-given))

    # 1 - tanh(12) is 8e-11, of which rounding by 1e-16 leaves six digits
    np.testing.assert_allclose(arguments(values, function), given, rtol=0, atol=2e-6)


@every_function
def test_a_value_rounded_to_its_bound_has_an_infinite_argument(function: Activation) -> None:
    bounds = np.array([-1.0 if function == "tanh" else 0.0, 1.0])

    assert arguments(bounds, function).tolist() == [-np.inf, np.inf]
    assert relative_slopes(bounds, function).tolist() == [0, 0]


def test_slopes_are_relative_to_the_largest() -> None:
    # σ' = σ (1 - σ), 1/4 at most
    assert relative_slopes(np.array([0.5, 0.75]), "sigmoid").tolist() == [1, 0.75]
    assert relative_slopes(np.array([0.0, 0.5]), "tanh").tolist() == [1, 0.75]


# Precision and errors


@every_cell
def test_networks_of_single_precision_are_measured_in_double(cell: str) -> None:
    single = network_of(1, dtype=np.float32, cell_name=cell, bias=True)

    assert by_name(single) == by_name(in_double_precision(single))


@every_cell
def test_what_is_found_can_be_written_down(cell: str) -> None:
    for histogram in by_name(network_of(1, cell_name=cell)).values():
        record = asdict(histogram)

        assert json.loads(json.dumps(record, allow_nan=False)) == record


def test_words_that_the_network_does_not_know_are_refused() -> None:
    with pytest.raises(DataError, match=r"ids of 0 to 6 \(got 7\)"):
        activation_histograms(network_of(1), pack([ids(0, 7, 1)]))
