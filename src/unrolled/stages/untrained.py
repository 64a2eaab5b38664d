"""A run's network as it is before training, and the generators that make it and train it."""

from pathlib import Path

import numpy as np

from unrolled.config.sections import ModelConfig
from unrolled.model.initialisation import initialised
from unrolled.model.network import Network
from unrolled.text.classes import WordClasses, read_classes
from unrolled.text.vocabulary import Vocabulary

DTYPES = {"single": np.float32, "double": np.float64}


def generators(seed: int) -> tuple[np.random.Generator, np.random.Generator]:
    """What a run's weights are drawn by, and what its order of sentences and its dropout are."""
    weights, training = np.random.SeedSequence(seed).spawn(2)
    return np.random.default_rng(weights), np.random.default_rng(training)


def untrained_network(
    model: ModelConfig, corpus: Path, vocabulary: Vocabulary, seed: int
) -> Network:
    """The network that a run begins with.

    Args:
        model: its shape.
        corpus: the folder of classes.tsv, which is read where the model goes by classes.
        vocabulary: what it knows.
        seed: of the run.
    """
    classes = None
    if model.output == "classes":
        classes = read_classes(corpus / "classes.tsv", vocabulary)
    return network_of(model, len(vocabulary), classes, generators(seed)[0])


def network_of(
    model: ModelConfig,
    vocabulary_size: int,
    classes: WordClasses | None,
    rng: np.random.Generator,
) -> Network:
    """An untrained network of a shape.

    Args:
        model: the shape.
        vocabulary_size: how many words it knows.
        classes: of the words, where the model goes by them.
        rng: of its weights.
    """
    return initialised(
        vocabulary_size,
        model.hidden_size,
        rng,
        DTYPES[model.precision],
        model.cell,
        model.bias,
        model.tied_weights,
        orthogonal=model.recurrent_initialisation == "orthogonal",
        classes=classes,
    )
