"""The plain softmax in PyTorch as its users write it: nn.RNN, optim.Adam, clip_grad_norm_.

It learns from the same batches as this project does, states being carried from segment to segment
where the recipe says so, but begins with the weights that PyTorch gives. Adam is the fused one, its
fastest. It moves all rows of the embeddings at each step, in this project only those of words that
occur.
"""

import math

import numpy as np
import torch
from torch.nn.utils.rnn import PackedSequence

from corpora import Corpus
from learners import Clock, Look, Recipe, Report
from unrolled.errors import ConfigError
from unrolled.model.packing import PackedBatch, pack
from unrolled.text.dataset import Dataset
from unrolled.text.vocabulary import END, RESERVED, START, UNKNOWN
from unrolled.training.batches import (
    Batches,
    ordered_batches,
    shuffled_sentences,
    shuffled_streams,
)
from unrolled.training.schedules import SCHEDULES, warm_up

ROWS = 2048
"""Whose logits are held at once while the validation split is scored."""


class Network(torch.nn.Module):  # type: ignore[misc]
    """Embedding, recurrent layer, output layer, with the weights that PyTorch begins with."""

    def __init__(self, vocabulary_size: int, hidden_size: int, bias: bool) -> None:
        super().__init__()
        self.embedding = torch.nn.Embedding(vocabulary_size, hidden_size)
        self.layer = torch.nn.RNN(hidden_size, hidden_size, bias=bias)
        self.output = torch.nn.Linear(hidden_size, vocabulary_size, bias=bias)

    def hidden(self, batch: PackedBatch, before: torch.Tensor | None) -> torch.Tensor:
        """(positions, hidden), the states of a batch, from those of the batch before."""
        words = self.embedding(torch.from_numpy(batch.inputs.astype(np.int64)))
        packed = PackedSequence(words, torch.from_numpy(np.diff(batch.step_starts)))
        start = batch.start(None if before is None else before.numpy())
        first = None if start is None else torch.from_numpy(start)[None]
        states, _ = self.layer(packed, first)
        return states.data

    def loss(self, hidden: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """The mean loss of some positions."""
        return torch.nn.functional.cross_entropy(self.output(hidden), targets)


class Training:
    """A network, its optimiser, and how its learning rate changes."""

    def __init__(self, vocabulary_size: int, recipe: Recipe) -> None:
        self.config = recipe.training
        torch.manual_seed(self.config.seed)
        self.network = Network(vocabulary_size, recipe.model.hidden_size, recipe.model.bias)
        self.schedule = SCHEDULES[self.config.schedule](self.config)
        self.optimiser = torch.optim.Adam(self.network.parameters(), fused=True)

    def step(self, batch: PackedBatch, before: torch.Tensor | None, epoch: float) -> torch.Tensor:
        """Make a step of descent; the states of the batch."""
        rate = self.schedule.rate(epoch) * warm_up(epoch, self.config.warmup_epochs)
        self.optimiser.param_groups[0]["lr"] = rate
        self.optimiser.zero_grad()
        hidden = self.network.hidden(batch, before)
        targets = torch.from_numpy(batch.targets.astype(np.int64))
        self.network.loss(hidden, targets).backward()
        if self.config.gradient_norm_limit is not None:
            torch.nn.utils.clip_grad_norm_(
                self.network.parameters(), self.config.gradient_norm_limit
            )
        self.optimiser.step()
        return hidden.detach()

    def batches(self, dataset: Dataset, rng: np.random.Generator) -> Batches:
        """The training split in a new order, as this project's loop has it."""
        config = self.config
        if config.carry_state:
            return shuffled_streams(dataset, config.batch_size, config.segment_length, rng)
        return shuffled_sentences(dataset, config.batch_size, rng)


def trained(
    recipe: Recipe,
    corpus: Corpus,
    rng: np.random.Generator,
    clock: Clock,
    report: Report,
) -> str | None:
    """Train a network; why it diverged, None if it did not.

    Raises:
        ConfigError: the recipe asks for what is not built here.
    """
    require_supported(recipe)
    torch.set_num_threads(1)
    import_all(recipe)
    training, config = Training(corpus.vocabulary_size, recipe), recipe.training
    losses: list[float] = []

    def looked(epoch: float) -> bool:
        clock.stop()
        losses.append(mean_loss(training.network, corpus.validation, config.carry_state))
        if not math.isfinite(losses[-1]):
            return False
        if len(losses) > 1:
            training.schedule.evaluated(*losses[-2:])
        report(Look(epoch, clock.seconds, losses[-1]))
        clock.start()
        return True

    looked(0.0)
    for epoch in range(config.epochs):
        batches = training.batches(corpus.training, rng)
        count, looks = len(batches), config.evaluations_per_epoch
        stops = {math.ceil(part * count / looks) for part in range(1, looks + 1)}
        states = None
        for number, batch in enumerate(batches):
            states = training.step(batch, states, epoch + (number + 0.5) / count)
            if number + 1 in stops and not looked(epoch + (number + 1) / count):
                return f"validation loss {losses[-1]}"
    return None


def require_supported(recipe: Recipe) -> None:
    """Refuse what is not built here."""
    model, training = recipe.model, recipe.training
    found = {
        "model.cell": (model.cell, "elman"),
        "model.output": (model.output, "softmax"),
        "model.tied_weights": (model.tied_weights, False),
        "model.recurrent_initialisation": (model.recurrent_initialisation, "uniform"),
        "model.precision": (model.precision, "single"),
        "training.truncation_depth": (training.truncation_depth, "full"),
        "training.optimiser": (training.optimiser, "adam"),
        "training.input_dropout": (training.input_dropout, 0),
        "training.output_dropout": (training.output_dropout, 0),
        "training.patience": (training.patience, None),
    }
    for key, (value, supported) in found.items():
        if value != supported:
            raise ConfigError(f"in PyTorch {key} must be {supported!r} (got {value!r})")


def import_all(recipe: Recipe) -> None:
    """Make a step with a small network and three words: PyTorch imports much at its first one,
    which is not to be counted.
    """
    sentence = np.array([START, UNKNOWN, END], dtype=np.int32)
    Training(len(RESERVED), recipe).step(pack([sentence]), None, 0.0)


def mean_loss(network: Network, dataset: Dataset, carry_state: bool) -> float:
    """Nats per token."""
    total = 0.0
    states: torch.Tensor | None = None
    with torch.inference_mode():
        for batch in ordered_batches(dataset, carry_state):
            states = network.hidden(batch, states)
            targets = torch.from_numpy(batch.targets.astype(np.int64))
            for rows in range(0, len(targets), ROWS):
                part = slice(rows, rows + ROWS)
                total += float(network.loss(states[part], targets[part])) * len(targets[part])
    return total / dataset.prediction_count
