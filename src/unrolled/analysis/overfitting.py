"""Can a network learn two sentences by heart? One that cannot will not learn more from many.

The sentences are random words, so that nothing but memory of what came before tells which word
comes next. Both begin alike, with the start: which of the two it is cannot be known before they
differ, and costs each ln 2. That is the least loss there is. With a fault in the network, the way
back or the optimiser it is hardly ever reached.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from unrolled.analysis.gradient_check import small_classes
from unrolled.config.sections import TrainingConfig
from unrolled.model.initialisation import initialised
from unrolled.text.dataset import Dataset
from unrolled.text.vocabulary import END, RESERVED, START, Ids
from unrolled.training.loop import train

Depth = int | Literal["full"]

LENGTHS = (28, 36)
"""Of the sentences, in words."""

VOCABULARY_SIZE = 12
HIDDEN_SIZE = 48


@dataclass(frozen=True)
class Overfitted:
    """How well the sentences were learned.

    Attributes:
        loss_nats_per_token: at the end; NaN if training did not come there.
        least_loss: in nats per token, which no network can pass.
    """

    loss_nats_per_token: float
    least_loss: float

    def passes(self, limit: float) -> bool:
        """Whether the loss is a number within the limit."""
        return self.loss_nats_per_token <= limit  # NaN <= x is False


def overfit(
    cell: str, output: str, tied: bool, truncation_depth: Depth, steps: int, seed: int
) -> Overfitted:
    """Train a network with biases on two sentences, both in every step.

    Args:
        cell: its name.
        output: softmax or classes.
        tied: whether input and output weights are tied.
        truncation_depth: as in the configuration.
        steps: of training.
        seed: of weights and words.
    """
    rng = np.random.default_rng(seed)
    dataset = _sentences(rng)
    classes = small_classes(VOCABULARY_SIZE) if output == "classes" else None
    network = initialised(
        VOCABULARY_SIZE, HIDDEN_SIZE, rng, cell_name=cell, bias=True, tied=tied, classes=classes
    )
    outcome = train(network, dataset, dataset, _recipe(truncation_depth, steps), rng)
    finished = outcome.state == "finished"
    return Overfitted(
        outcome.history[-1].validation_loss_nats_per_token if finished else math.nan,
        least_loss=len(LENGTHS) * math.log(len(LENGTHS)) / dataset.prediction_count,
    )


def _sentences(rng: np.random.Generator) -> Dataset:
    sentences = [_sentence(length, rng) for length in LENGTHS]
    return Dataset(
        ids=np.concatenate(sentences),
        sentences=np.cumsum([0, *map(len, sentences)]),
        documents=np.array([0, len(sentences)]),
    )


def _sentence(length: int, rng: np.random.Generator) -> Ids:
    words = rng.integers(len(RESERVED), VOCABULARY_SIZE, length)
    return np.concatenate([[START], words, [END]]).astype(np.int32)


def _recipe(truncation_depth: Depth, steps: int) -> TrainingConfig:
    """Found by trying: every cell and output layer learns by it, at every depth, with room left."""
    return TrainingConfig(
        truncation_depth=truncation_depth,
        seed=0,  # not used: weights and order come from a generator
        epochs=steps,
        evaluations_per_epoch=1,
        batch_size=len(LENGTHS),
        carry_state=False,
        segment_length=1,
        optimiser="adam",
        momentum=0,
        learning_rate=0.03,
        class_learning_rate=1,
        schedule="cosine",
        warmup_epochs=min(5, steps / 2),
        gradient_norm_limit=1,
        input_dropout=0,
        output_dropout=0,
        patience=None,
    )
