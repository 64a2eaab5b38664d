"""Loss, gradients and optimisers against PyTorch's own, where PyTorch happens to be installed."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from model_strategies import assert_gradients_equal, network_of
from unrolled.model.cells import CELLS
from unrolled.model.network import Network
from unrolled.model.packing import pack
from unrolled.model.types import Array, Parameters
from unrolled.text.vocabulary import Ids
from unrolled.training.optimisers import Adam, Momentum, Optimiser, Sgd

torch = pytest.importorskip("torch")

WORDS = np.random.default_rng(1).integers(7, size=40).astype(np.int32)
SENTENCES = [WORDS[:3], WORDS[3:12], WORDS[12:14], WORDS[14:20], WORDS[20:40]]
LAYERS = {"elman": "RNN", "gru": "GRU", "lstm": "LSTM"}
"""Gates stand in the same order there: r, z, n and i, f, g, o."""


def by_torch(
    network: Network, sentences: list[Ids], starts: Array | None = None
) -> tuple[float, dict[str, Array]]:
    """The summed loss and the gradients of a network with the same weights, at full depth.

    Args:
        network: whose weights.
        sentences: what is read.
        starts: (sentences, parts * hidden), the states before the first words; None for zeros.
    """
    weights = {
        name: torch.tensor(array, requires_grad=True) for name, array in network.parameters.items()
    }
    blocks = len(weights["recurrent_weights"])
    # one-hot vectors go in, or where weights are tied the rows that words come out by
    table = weights["output_weights"] if network.tied else torch.eye(7, dtype=torch.float64)
    layer = getattr(torch.nn, LAYERS[network.cell_name])(table.shape[1], network.hidden_size)
    given = {
        "weight_ih_l0": (
            weights["input_projection"] if network.tied else weights["input_weights"].T
        ),
        "weight_hh_l0": weights["recurrent_weights"],
        "bias_ih_l0": weights.get("bias", torch.zeros(blocks, dtype=torch.float64)),
        "bias_hh_l0": torch.zeros(blocks, dtype=torch.float64),
    }
    total = torch.zeros((), dtype=torch.float64)
    for number, words in enumerate(sentences):
        ids = torch.tensor(words.astype(np.int64))
        start = None if starts is None else parts_of(network, starts[number])
        states, _ = torch.func.functional_call(layer.double(), given, (table[ids[:-1]], start))
        logits = states @ weights["output_weights"].T
        if "output_bias" in weights:
            logits = logits + weights["output_bias"]
        total = total + torch.nn.functional.cross_entropy(logits, ids[1:], reduction="sum")
    total.backward()
    return float(total.detach()), {name: array.grad.numpy() for name, array in weights.items()}


def parts_of(network: Network, state: Array) -> Any:
    """A state as PyTorch takes it: (1, hidden), and where there are two parts a pair of these."""
    parts = torch.tensor(state).reshape(-1, 1, network.hidden_size)
    return tuple(parts) if len(parts) > 1 else parts[0]


every_cell = pytest.mark.parametrize("cell", CELLS)
with_and_without_bias = pytest.mark.parametrize("bias", [False, True], ids=["plain", "bias"])
untied_and_tied = pytest.mark.parametrize("tied", [False, True], ids=["untied", "tied"])


@every_cell
@with_and_without_bias
@untied_and_tied
@pytest.mark.parametrize("seed", [1, 2])
def test_loss_and_gradients_are_those_of_pytorch(
    cell: str, bias: bool, tied: bool, seed: int
) -> None:
    network = network_of(seed, cell_name=cell, bias=bias, tied=tied)

    loss, gradients = network.loss_and_gradients(pack(SENTENCES), None)

    expected_loss, expected = by_torch(network, SENTENCES)
    assert loss == pytest.approx(expected_loss, rel=1e-10)
    assert_gradients_equal(gradients, expected, 1e-10)


@every_cell
@with_and_without_bias
@untied_and_tied
def test_loss_and_gradients_after_given_states_are_those_of_pytorch(
    cell: str, bias: bool, tied: bool
) -> None:
    network, batch = network_of(3, cell_name=cell, bias=bias, tied=tied), pack(SENTENCES)
    width = network.cell.PARTS * network.hidden_size
    starts = np.random.default_rng(3).uniform(-1, 1, (len(SENTENCES), width))

    forward = network.forward(batch, starts[batch.order])
    loss, gradients = network.loss_and_gradients(batch, None, forward)

    expected_loss, expected = by_torch(network, SENTENCES, starts)
    assert loss == pytest.approx(expected_loss, rel=1e-10)
    assert_gradients_equal(gradients, expected, 1e-10)


OPTIMISERS: dict[str, tuple[Callable[[], Optimiser], Callable[..., Any]]] = {
    "sgd": (Sgd, torch.optim.SGD),
    "momentum": (lambda: Momentum(0.9), partial(torch.optim.SGD, momentum=0.9)),
    "adam": (Adam, torch.optim.Adam),
}


@pytest.mark.parametrize(("optimiser", "torchs"), OPTIMISERS.values(), ids=OPTIMISERS)
def test_optimisers_follow_dense_gradients_as_pytorchs_do(
    optimiser: Callable[[], Optimiser], torchs: Callable[..., Any]
) -> None:
    rng = np.random.default_rng(1)
    parameters: Parameters = {"weights": rng.normal(0, 1, (5, 3)), "bias": rng.normal(0, 1, 5)}
    copies = {name: torch.tensor(array) for name, array in parameters.items()}
    ours, theirs = optimiser(), torchs(copies.values(), lr=0.1)

    for step in range(20):
        rate, scale = 0.1 / (1 + step), 1 / (2 + step)  # both change while training
        gradients: Parameters = {
            name: rng.normal(0, 10.0 ** -(step % 5), array.shape)
            for name, array in parameters.items()
        }
        for name, copy in copies.items():
            copy.grad = torch.tensor(gradients[name] * scale)
        theirs.param_groups[0]["lr"] = rate
        theirs.step()
        ours.step(parameters, gradients, scale, rate)

        for name, copy in copies.items():
            np.testing.assert_allclose(parameters[name], copy.numpy(), rtol=0, atol=1e-12)
