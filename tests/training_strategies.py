"""Recipes, splits of several documents, and losses by hand, for the tests of training."""

import itertools
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from unrolled.config.sections import ModelConfig, TrainingConfig
from unrolled.model.cells import CELLS
from unrolled.model.network import Network
from unrolled.text.dataset import Dataset
from unrolled.text.vocabulary import Ids

RECIPE = TrainingConfig(
    truncation_depth="full",
    seed=1,
    epochs=5,
    evaluations_per_epoch=1,
    batch_size=2,
    carry_state=False,
    segment_length=3,
    optimiser="sgd",
    momentum=0.9,
    learning_rate=0.5,
    class_learning_rate=5.0,
    schedule="halving",
    warmup_epochs=0,
    gradient_norm_limit=None,
    input_dropout=0,
    output_dropout=0,
    patience=None,
)
"""Gradient descent without anything else."""

SMALL_MODEL = ModelConfig(
    cell="elman",
    hidden_size=5,
    bias=False,
    tied_weights=False,
    output="softmax",
    recurrent_initialisation="uniform",
    precision="single",
)
"""A plain network of five hidden units."""

ALL_AT_ONCE = replace(
    RECIPE,
    carry_state=True,
    optimiser="adam",
    learning_rate=0.02,
    schedule="cosine",
    warmup_epochs=0.5,
    gradient_norm_limit=1.0,
    input_dropout=0.2,
    output_dropout=0.3,
    patience=3,
)
"""Every option of a recipe in use."""

KINDS = [
    *((cell, bias, False) for cell in CELLS for bias in (False, True)),
    *((cell, True, True) for cell in CELLS),
]
"""Cell, biases and tied weights of the networks that laws are tried on."""


def split_of(documents: Sequence[Sequence[Ids]]) -> Dataset:
    """A split of these documents of sentences."""
    sentences = [words for document in documents for words in document]
    return Dataset(
        np.concatenate(sentences),
        np.cumsum([0, *map(len, sentences)], dtype=np.int64),
        np.cumsum([0, *map(len, documents)], dtype=np.int64),
    )


def numbered(lengths: Sequence[Sequence[int]]) -> Dataset:
    """A split of documents of sentences of so many predictions, whose ids are 0, 1, 2, ...: every
    target occurs once.
    """
    place = itertools.count()
    return split_of(
        [
            [np.array([next(place) for _ in range(length + 1)]) for length in document]
            for document in lengths
        ]
    )


def read_by_hand(network: Network, document: Sequence[Ids]) -> list[tuple[float, bool]]:
    """The loss of every prediction and whether it was right, word by word; the state goes on
    through the whole document: after an end was predicted, a start is read.
    """
    found = []
    state = None
    for sentence in document:
        for word, following in itertools.pairwise(sentence.tolist()):
            state = network.step(np.array([word]), state)
            hidden = state[:, : network.hidden_size]
            (log_probabilities,) = network.output.log_probabilities(hidden)
            right = bool(log_probabilities.argmax() == following)
            found.append((-float(log_probabilities[following]), right))
    return found
