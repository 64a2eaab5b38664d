"""The training loop: minibatch gradient descent, watched by the validation split."""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from unrolled.config.sections import TrainingConfig
from unrolled.model.network import Network
from unrolled.model.packing import PackedBatch
from unrolled.text.dataset import Dataset
from unrolled.training.batches import ordered_batches, shuffled_batches
from unrolled.training.descent import clipped, descend, gradient_norm

Progress = Callable[[Iterable[PackedBatch], int, int], Iterable[PackedBatch]]
"""Shows the batches of an epoch going by: (batches, their number, epoch)."""


@dataclass(frozen=True)
class Evaluation:
    """Where a run stood at some time; epoch 0 is the untrained network."""

    epoch: float
    """Passes over the training split so far."""
    step: int
    learning_rate: float
    """The one since the evaluation before."""
    train_loss_nats_per_token: float | None
    """Mean since the evaluation before, while the parameters moved; None before training."""
    validation_loss_nats_per_token: float


@dataclass(frozen=True)
class Outcome:
    """What training ends in."""

    network: Network
    """With the parameters of the lowest validation loss."""
    best: Evaluation | None
    """When that was; None if not even the untrained network has a finite loss."""
    history: list[Evaluation]
    state: Literal["finished", "diverged"]
    reason: str | None
    """Why it diverged."""


class _DivergedError(Exception):
    """The loss or the gradient is no longer a finite number."""


def train(
    network: Network,
    training: Dataset,
    validation: Dataset,
    config: TrainingConfig,
    rng: np.random.Generator,
    progress: Progress = lambda batches, count, epoch: batches,
    on_evaluation: Callable[[Evaluation], None] = lambda evaluation: None,
) -> Outcome:
    """Train a network; the given one is changed.

    The learning rate is halved whenever the validation loss is higher than at the evaluation
    before. A run has diverged when a loss or gradient is not finite, or when it ends worse than
    the untrained network began.

    Args:
        network: where training starts.
        training: the sentences to learn from.
        validation: the sentences that the learning rate and the choice of parameters go by.
        config: the recipe.
        rng: gives the order of the sentences.
        progress: called for every epoch, to show it.
        on_evaluation: called at every evaluation.
    """
    run = _Run(network, training, validation, config, rng, progress)
    reason = None
    with np.errstate(all="ignore"):  # what is not finite is found and named below
        try:
            for evaluation in run.evaluations():
                on_evaluation(evaluation)
        except _DivergedError as diverged:
            reason = str(diverged)
    reason = reason or _ended_worse(run.history)
    return Outcome(
        Network(run.best_parameters, network.cell_name),
        run.best,
        run.history,
        "diverged" if reason else "finished",
        reason,
    )


def mean_loss(network: Network, dataset: Dataset) -> float:
    """The loss of a split in nats per predicted token."""
    total = 0.0
    for batch in ordered_batches(dataset):
        losses, _ = network.losses_and_hits(batch)
        total += float(losses.sum(dtype=np.float64))
    return total / dataset.prediction_count


class _Run:
    """One run under way."""

    def __init__(
        self,
        network: Network,
        training: Dataset,
        validation: Dataset,
        config: TrainingConfig,
        rng: np.random.Generator,
        progress: Progress,
    ) -> None:
        self.network = network
        self.training = training
        self.validation = validation
        self.config = config
        self.rng = rng
        self.progress = progress
        self.step = 0
        self.batch_count = math.ceil(len(training) / config.batch_size)
        self.stops = {
            math.ceil(part * self.batch_count / config.evaluations_per_epoch)
            for part in range(1, config.evaluations_per_epoch + 1)
        }
        self.learning_rate = config.learning_rate
        self.history: list[Evaluation] = []
        self.best: Evaluation | None = None
        self.best_parameters = network.parameters

    def evaluations(self) -> Iterator[Evaluation]:
        """Train, and yield where it stands: at the start, and several times in each epoch."""
        yield self._evaluated(None)
        for epoch in range(1, self.config.epochs + 1):
            batches = shuffled_batches(self.training, self.config.batch_size, self.rng)
            loss, tokens = 0.0, 0
            shown = self.progress(batches, self.batch_count, epoch)
            for number, batch in enumerate(shown, start=1):
                loss += self._trained_batch(batch)
                tokens += batch.positions
                if number in self.stops:
                    yield self._evaluated(loss / tokens)
                    self._halve_if_worse()
                    loss, tokens = 0.0, 0

    def _trained_batch(self, batch: PackedBatch) -> float:
        """The summed loss of a batch, after one step of descent on its mean."""
        self.step += 1
        loss, gradients = self.network.loss_and_gradients(batch, self.config.depth_limit)
        norm = gradient_norm(gradients) / batch.positions
        if not (math.isfinite(loss) and math.isfinite(norm)):
            raise _DivergedError(f"loss {loss} and gradient norm {norm} at step {self.step}")
        rate = clipped(self.learning_rate, norm, self.config.gradient_norm_limit)
        descend(self.network.parameters, gradients, rate / batch.positions)
        return loss

    def _evaluated(self, train_loss: float | None) -> Evaluation:
        loss = mean_loss(self.network, self.validation)
        if not math.isfinite(loss):
            raise _DivergedError(f"validation loss {loss} after step {self.step}")
        evaluation = Evaluation(
            self.step / self.batch_count, self.step, self.learning_rate, train_loss, loss
        )
        if self.best is None or loss < self.best.validation_loss_nats_per_token:
            self.best = evaluation
            self.best_parameters = {
                name: parameter.copy() for name, parameter in self.network.parameters.items()
            }
        self.history.append(evaluation)
        return evaluation

    def _halve_if_worse(self) -> None:
        before, now = self.history[-2:]
        if now.validation_loss_nats_per_token > before.validation_loss_nats_per_token:
            self.learning_rate /= 2


def _ended_worse(history: list[Evaluation]) -> str | None:
    first, last = (history[end].validation_loss_nats_per_token for end in (0, -1))
    if last <= first:
        return None
    return f"validation loss {last:.4g} at the end, above the untrained network's {first:.4g}"
