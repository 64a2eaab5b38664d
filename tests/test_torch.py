"""Loss and gradients against PyTorch's own layers, where PyTorch happens to be installed."""

from typing import Any

import numpy as np
import pytest

from model_strategies import dense, largest_error, network_of
from unrolled.model.cells import CELLS
from unrolled.model.network import Network
from unrolled.model.packing import pack
from unrolled.model.types import Array
from unrolled.text.vocabulary import Ids

torch = pytest.importorskip("torch")

WORDS = np.random.default_rng(1).integers(7, size=40).astype(np.int32)
SENTENCES = [WORDS[:3], WORDS[3:12], WORDS[12:14], WORDS[14:20], WORDS[20:40]]
LAYERS = {"elman": "RNN", "gru": "GRU", "lstm": "LSTM"}
"""Gates stand in the same order there: r, z, n and i, f, g, o."""


def by_torch(network: Network, sentences: list[Ids]) -> tuple[float, dict[str, Array]]:
    """The summed loss and the gradients of a network with the same weights, at full depth."""
    weights = {
        name: torch.tensor(array, requires_grad=True) for name, array in network.parameters.items()
    }
    words_in, blocks = weights["input_weights"].shape
    layer = getattr(torch.nn, LAYERS[network.cell_name])(words_in, network.hidden_size).double()
    given = {
        "weight_ih_l0": weights["input_weights"].T,
        "weight_hh_l0": weights["recurrent_weights"],
        "bias_ih_l0": weights.get("bias", torch.zeros(blocks, dtype=torch.float64)),
        "bias_hh_l0": torch.zeros(blocks, dtype=torch.float64),
    }
    total = torch.zeros((), dtype=torch.float64)
    for words in sentences:
        ids = torch.tensor(words.astype(np.int64))
        inputs = torch.eye(words_in, dtype=torch.float64)[ids[:-1]]  # one-hot
        states, _ = torch.func.functional_call(layer, given, (inputs,))
        logits = states @ weights["output_weights"].T
        if "output_bias" in weights:
            logits = logits + weights["output_bias"]
        total = total + torch.nn.functional.cross_entropy(logits, ids[1:], reduction="sum")
    total.backward()
    return float(total.detach()), {name: array.grad.numpy() for name, array in weights.items()}


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("bias", [False, True], ids=["plain", "bias"])
@pytest.mark.parametrize("seed", [1, 2])
def test_loss_and_gradients_are_those_of_pytorch(cell: str, bias: bool, seed: int) -> None:
    network = network_of(seed, cell_name=cell, bias=bias)

    loss, gradients = network.loss_and_gradients(pack(SENTENCES), None)

    expected_loss, expected = by_torch(network, SENTENCES)
    found: dict[str, Any] = dense(gradients, 7)
    assert loss == pytest.approx(expected_loss, rel=1e-10)
    assert set(found) == set(expected)
    for name, gradient in expected.items():
        assert largest_error(found[name], gradient) < 1e-10, name
