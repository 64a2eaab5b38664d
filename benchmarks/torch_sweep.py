"""The runs of a sweep in PyTorch, one after another, as a user of PyTorch would write them.

    python benchmarks/torch_sweep.py CORPUS RUNS

CORPUS is the folder of the encoded splits, RUNS a JSON file with the settings of each run. The
batches, clipping, looks at the validation loss and halvings are those of the workflow. Gradients go
back to the start of the sentence in all runs. Prints the mean of the runs' last validation losses.
"""

import json
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn.utils.rnn import PackedSequence, pack_sequence

from unrolled.text.dataset import Dataset, read_dataset
from unrolled.text.vocabulary import read_vocabulary
from unrolled.training.batches import EVALUATION_BATCH


class Network(torch.nn.Module):  # type: ignore[misc]
    """Embedding, recurrent layer, output layer."""

    def __init__(self, vocabulary_size: int, hidden_size: int) -> None:
        super().__init__()
        self.embedding = torch.nn.Embedding(vocabulary_size, hidden_size, sparse=True)
        self.layer = torch.nn.RNN(hidden_size, hidden_size, bias=False)
        self.output = torch.nn.Linear(hidden_size, vocabulary_size, bias=False)

    def loss(self, inputs: PackedSequence, targets: PackedSequence) -> Any:
        """The mean loss of a batch."""
        hidden, _ = self.layer(inputs._replace(data=self.embedding(inputs.data)))
        return torch.nn.functional.cross_entropy(self.output(hidden.data), targets.data)


def batches(
    dataset: Dataset, size: int, order: Any
) -> Iterator[tuple[PackedSequence, PackedSequence]]:
    """Inputs and targets of sentences in an order."""
    for start in range(0, len(order), size):
        sentences = [
            torch.from_numpy(dataset[int(k)].astype(np.int64)) for k in order[start : start + size]
        ]
        yield (
            pack_sequence([ids[:-1] for ids in sentences], enforce_sorted=False),
            pack_sequence([ids[1:] for ids in sentences], enforce_sorted=False),
        )


def validation_loss(network: Network, dataset: Dataset) -> float:
    """Nats per token."""
    total = 0.0
    with torch.inference_mode():
        for inputs, targets in batches(dataset, EVALUATION_BATCH, np.arange(len(dataset))):
            total += float(network.loss(inputs, targets)) * len(targets.data)
    return total / dataset.prediction_count


def clip(network: Network, limit: float) -> None:
    """Scale long gradients down; PyTorch's own function refuses sparse ones."""
    gradients = []
    for parameter in network.parameters():
        assert parameter.grad is not None
        if parameter.grad.is_sparse:
            parameter.grad = parameter.grad.coalesce()
            gradients.append(parameter.grad.values())
        else:
            gradients.append(parameter.grad)
    norm = torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(g) for g in gradients]))
    if norm > limit:
        torch._foreach_mul_(gradients, limit / norm)


def trained(corpus: Path, vocabulary_size: int, run: dict[str, Any]) -> float:
    """Train one run; its last validation loss."""
    torch.manual_seed(run["seed"])
    rng = np.random.default_rng(run["seed"])
    training, validation = (
        read_dataset(corpus / "encoded" / split, vocabulary_size) for split in ("train", "valid")
    )
    network = Network(vocabulary_size, run["hidden_size"])
    optimiser = torch.optim.SGD(network.parameters(), lr=run["learning_rate"])
    count = math.ceil(len(training) / run["batch_size"])
    looks = run["evaluations_per_epoch"]
    stops = {math.ceil(part * count / looks) for part in range(1, looks + 1)}
    before = validation_loss(network, validation)
    for _ in range(run["epochs"]):
        shuffled = batches(training, run["batch_size"], rng.permutation(len(training)))
        for number, (inputs, targets) in enumerate(shuffled, start=1):
            optimiser.zero_grad()
            network.loss(inputs, targets).backward()
            clip(network, run["gradient_norm_limit"])
            optimiser.step()
            if number in stops:
                now = validation_loss(network, validation)
                if now > before:
                    optimiser.param_groups[0]["lr"] /= 2
                before = now
    return before


def main() -> None:
    corpus, runs = Path(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text())
    torch.set_num_threads(1)
    vocabulary_size = len(read_vocabulary(corpus / "vocabulary.tsv"))
    print(np.mean([trained(corpus, vocabulary_size, run) for run in runs]))


if __name__ == "__main__":
    main()
