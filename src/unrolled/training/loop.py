"""The training loop: minibatch gradient descent, watched by the validation split."""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Literal, Protocol

import numpy as np

from unrolled.arrays import taken_from, under
from unrolled.config.sections import TrainingConfig
from unrolled.model.dropout import Dropout
from unrolled.model.network import ForwardPass, Network
from unrolled.model.packing import PackedBatch
from unrolled.model.types import copied_as
from unrolled.text.dataset import Dataset
from unrolled.training.batches import (
    Batches,
    ordered_batches,
    shuffled_sentences,
    shuffled_streams,
)
from unrolled.training.checkpoint import Checkpoint
from unrolled.training.clipping import clip_factor, gradient_norm
from unrolled.training.optimisers import OPTIMISERS
from unrolled.training.place import Place
from unrolled.training.schedules import SCHEDULES, warm_up

Progress = Callable[[Iterable[PackedBatch], range, int], Iterable[PackedBatch]]
"""Shows the batches of an epoch going by: (batches, their numbers in the epoch, epoch)."""


class Keeper(Protocol):
    """Keeps what is needed to go on after a kill."""

    def begin(self) -> Checkpoint | None:
        """Where training is to go on; None at its start."""

    def after_step(self, step: int, stand: Callable[[], Checkpoint]) -> None:
        """Take note that a step was made.

        Args:
            step: its number.
            stand: where training stands; its arrays are the very ones that are trained.
        """

    def at_end(self, step: int, stand: Callable[[], Checkpoint]) -> None:
        """Take note that training has come to its end; the arguments are those of `after_step`."""


class NoKeeper:
    """Keeps nothing."""

    def begin(self) -> Checkpoint | None:
        """As `Keeper.begin`."""
        return None

    def after_step(self, step: int, stand: Callable[[], Checkpoint]) -> None:
        """As `Keeper.after_step`."""

    def at_end(self, step: int, stand: Callable[[], Checkpoint]) -> None:
        """As `Keeper.at_end`."""


@dataclass(frozen=True)
class Evaluation:
    """Where a run stood at some time; epoch 0 is the untrained network."""

    epoch: float
    """Passes over the training split so far."""
    step: int
    learning_rate: float
    """Of the step before; the configured one before training."""
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
    progress: Progress = lambda batches, numbers, epoch: batches,
    on_evaluation: Callable[[Evaluation], None] = lambda evaluation: None,
    keeper: Keeper | None = None,
) -> Outcome:
    """Train a network; the given one is changed.

    A run has diverged when a loss or gradient is not finite, or when it ends worse than the
    untrained network began.

    Args:
        network: where training starts.
        training: the sentences to learn from.
        validation: the sentences that the learning rate and the choice of parameters go by.
        config: the recipe.
        rng: gives the order of sentences or documents, and what is dropped.
        progress: called for every epoch, to show it.
        on_evaluation: called at every evaluation.
        keeper: says where to go on, and is told of every step once all that follows it is done; the
            outcome is the same, bit for bit, wherever training was stopped.
    """
    run = _Run(network, training, validation, config, rng, progress, keeper or NoKeeper())
    with np.errstate(all="ignore"):  # what is not finite is found and named
        for evaluation in run.evaluations():
            on_evaluation(evaluation)
    reason = run.diverged or _ended_worse(run.history)
    return Outcome(
        replace(network, parameters=run.best_parameters),
        run.best,
        run.history,
        "diverged" if reason else "finished",
        reason,
    )


def mean_loss(network: Network, dataset: Dataset, carry_state: bool = False) -> float:
    """The loss of a split in nats per predicted token.

    Args:
        network: what is scored.
        dataset: the split.
        carry_state: whether the state goes on from sentence to sentence of a document.
    """
    total = 0.0
    for batch, forward in network.passes(ordered_batches(dataset, carry_state)):
        losses = network.losses(batch, forward)
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
        keeper: Keeper,
    ) -> None:
        self.network = network
        self.training = training
        self.validation = validation
        self.config = config
        self.rng = rng
        self.progress = progress
        self.keeper = keeper
        self.optimiser = OPTIMISERS[config.optimiser](config)
        self.schedule = SCHEDULES[config.schedule](config)
        self.dropout = _dropout(config, rng)
        self.step = 0
        self.learning_rate = config.learning_rate
        self.history: list[Evaluation] = []
        self.best: Evaluation | None = None
        self.best_parameters = network.parameters
        self.place = Place()
        self.diverged: str | None = None  # why

    def evaluations(self) -> Iterator[Evaluation]:
        """Train, and yield where it stands: at the start, and several times in each epoch."""
        try:
            yield from self._evaluations()
        except _DivergedError as diverged:
            self.diverged = str(diverged)
        self.keeper.at_end(self.step, self._stand)

    def _evaluations(self) -> Iterator[Evaluation]:
        checkpoint = self.keeper.begin()
        if checkpoint is None:
            yield self._evaluated(0.0, None)
        else:
            self._go_on_from(checkpoint)
        while not self._is_at_end():
            for evaluation in self._epoch(self.place):
                yield evaluation
                if self._is_out_of_patience():
                    break
            else:
                self.place = Place(self.place.epoch + 1, order=self.rng.bit_generator.state)

    def _epoch(self, place: Place) -> Iterator[Evaluation]:
        """Train on the rest of the split; its order is let go before the next one is drawn."""
        place.order = self.rng.bit_generator.state
        batches = self._batches()
        stops = self._stops(len(batches))
        numbers = range(place.batches, len(batches))
        rest = islice(batches, place.batches, None)
        shown = self.progress(rest, numbers, place.epoch + 1)
        for batch, forward in self.network.passes(shown, self.dropout, place.states):
            # the middle of the step stands for the whole
            middle = place.epoch + (place.batches + 0.5) / len(batches)
            place.add(self._trained_batch(batch, forward, middle), batch.positions)
            if self.config.carry_state:
                place.states = forward.trace.states
            if place.batches in stops:
                epoch = place.epoch + place.batches / len(batches)
                yield self._evaluated(epoch, place.mean_loss_since_last_look())
            self.keeper.after_step(self.step, self._stand)

    def _batches(self) -> Batches:
        """The training split in a new order."""
        config = self.config
        if config.carry_state:
            return shuffled_streams(
                self.training, config.batch_size, config.segment_length, self.rng
            )
        return shuffled_sentences(self.training, config.batch_size, self.rng)

    def _stops(self, batch_count: int) -> set[int]:
        """After how many batches of an epoch the validation loss is looked at."""
        looks = self.config.evaluations_per_epoch
        return {math.ceil(part * batch_count / looks) for part in range(1, looks + 1)}

    def _trained_batch(self, batch: PackedBatch, forward: ForwardPass, epoch: float) -> float:
        """The summed loss of a batch, after one step of descent on its mean."""
        self.step += 1
        loss, gradients = self.network.loss_and_gradients(batch, self.config.depth_limit, forward)
        norm = gradient_norm(gradients) / batch.positions
        if not (math.isfinite(loss) and math.isfinite(norm)):
            raise _DivergedError(f"loss {loss} and gradient norm {norm} at step {self.step}")
        self.learning_rate = self.schedule.rate(epoch) * warm_up(epoch, self.config.warmup_epochs)
        scale = clip_factor(norm, self.config.gradient_norm_limit) / batch.positions
        self.optimiser.step(self.network.parameters, gradients, scale, self.learning_rate)
        return loss

    def _evaluated(self, epoch: float, train_loss: float | None) -> Evaluation:
        loss = mean_loss(self.network, self.validation, self.config.carry_state)
        if not math.isfinite(loss):
            raise _DivergedError(f"validation loss {loss} after step {self.step}")
        if self.history:
            self.schedule.evaluated(self.history[-1].validation_loss_nats_per_token, loss)
        evaluation = Evaluation(epoch, self.step, self.learning_rate, train_loss, loss)
        if self.best is None or loss < self.best.validation_loss_nats_per_token:
            self.best = evaluation
            self.best_parameters = {
                name: parameter.copy(order="K")
                for name, parameter in self.network.parameters.items()
            }
        self.history.append(evaluation)
        return evaluation

    def _stand(self) -> Checkpoint:
        """All that training has changed."""
        values = {
            "place": self.place.values(),
            "learning_rate": self.learning_rate,
            "schedule": self.schedule.learning_rate,
            "dropout": self.dropout and self.dropout.rng.bit_generator.state,
            "best": self.best and self.history.index(self.best),
            "diverged": self.diverged,
            "history": [vars(evaluation) for evaluation in self.history],
        }
        arrays = {
            **under("parameters", self.network.parameters),
            **under("best", self.best_parameters),
            **under("optimiser", self.optimiser.memory()),
        }
        if self.place.states is not None:
            arrays["states"] = self.place.states
        return Checkpoint(self.step, values, arrays)

    def _go_on_from(self, checkpoint: Checkpoint) -> None:
        values, arrays = checkpoint.values, checkpoint.arrays
        self.step = checkpoint.step
        self.place = Place(**values["place"], states=arrays.get("states"))
        self.rng.bit_generator.state = self.place.order
        self.learning_rate, self.diverged = values["learning_rate"], values["diverged"]
        self.schedule.learning_rate = values["schedule"]
        if self.dropout is not None:
            self.dropout.rng.bit_generator.state = values["dropout"]
        self.history = [Evaluation(**evaluation) for evaluation in values["history"]]
        self.best = None if values["best"] is None else self.history[values["best"]]
        parameters = self.network.parameters
        self.best_parameters = copied_as(parameters, taken_from("best", arrays))
        for name, values_of in taken_from("parameters", arrays).items():
            parameters[name][...] = values_of
        self.optimiser.remember(taken_from("optimiser", arrays), parameters)

    def _is_at_end(self) -> bool:
        """Whether there is nothing left to be trained."""
        at_last = self.place.epoch >= self.config.epochs
        return at_last or self.diverged is not None or self._is_out_of_patience()

    def _is_out_of_patience(self) -> bool:
        """Whether the last evaluations, as many as patience allows, have brought nothing new."""
        patience = self.config.patience
        return patience is not None and self.best not in self.history[-patience:]


def _dropout(config: TrainingConfig, rng: np.random.Generator) -> Dropout | None:
    if config.input_dropout == config.output_dropout == 0:
        return None
    return Dropout(config.input_dropout, config.output_dropout, rng.spawn(1)[0])


def _ended_worse(history: list[Evaluation]) -> str | None:
    first, last = (history[end].validation_loss_nats_per_token for end in (0, -1))
    if last <= first:
        return None
    return f"validation loss {last:.4g} at the end, above the untrained network's {first:.4g}"
