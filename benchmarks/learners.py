"""Learners of which the time to perplexity is measured, and the clock.

The clock shows the CPU time of training and, for word classes, of making them. It stands still
while the validation split is scored and while the best parameters are put aside.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from corpora import Corpus
from unrolled.config.files import read_config_file
from unrolled.config.sections import ClassesConfig, ModelConfig, TrainingConfig
from unrolled.errors import ConfigError
from unrolled.model.network import Network
from unrolled.stages.untrained import generators, network_of
from unrolled.text.brown import brown_classes
from unrolled.text.classes import WordClasses, frequency_classes
from unrolled.text.dataset import Dataset
from unrolled.training import loop

DEFAULTS = Path(__file__).parent.parent / "config/config.yaml"

IN_PYTORCH = "torch-"
"""How the names of contenders begin that are not this project's."""


class Clock:
    """CPU seconds of this process while it ran; it stands at first."""

    def __init__(self) -> None:
        self._gone = 0.0
        self._began: float | None = None

    @property
    def seconds(self) -> float:
        """How long it has run so far."""
        running = 0.0 if self._began is None else time.process_time() - self._began
        return self._gone + running

    def start(self) -> None:
        """Let it run."""
        self._began = time.process_time()

    def stop(self) -> None:
        """Stop it, if it runs."""
        self._gone, self._began = self.seconds, None


@dataclass(frozen=True)
class Look:
    """Where a learner stood at some time."""

    epoch: float
    cpu_seconds: float
    validation_loss_nats_per_token: float


Report = Callable[[Look], None]
"""Called at every look at the validation loss, at the one before training first."""


@dataclass(frozen=True)
class Recipe:
    """How a contender learns from a corpus."""

    model: ModelConfig
    training: TrainingConfig
    classes: ClassesConfig


def read_recipes(path: Path) -> dict[str, dict[str, Any]]:
    """The recipes of a file, by corpus and contender; each is a piece of configuration."""
    recipes: dict[str, dict[str, Any]] = read_config_file(path)
    return recipes


def recipe_of(given: Mapping[str, Mapping[str, Any]], seed: int) -> Recipe:
    """What a recipe says, laid over the project's defaults, with a seed.

    Raises:
        ConfigError: it has an unknown section or key, or lacks one that has no default.
    """
    for section in given:
        if section not in ("model", "training", "classes"):
            raise ConfigError(f"a recipe has no section {section!r}")
    defaults = read_config_file(DEFAULTS)
    seeded = {**given, "training": {**given.get("training", {}), "seed": seed}}
    model, training, classes = (
        _merged(section, record, defaults[section], seeded.get(section, {}))
        for section, record in (
            ("model", ModelConfig),
            ("training", TrainingConfig),
            ("classes", ClassesConfig),
        )
    )
    return Recipe(ModelConfig(**model), TrainingConfig(**training), ClassesConfig(**classes))


def learn(contender: str, recipe: Recipe, corpus: Corpus, report: Report) -> str | None:
    """Train a contender; why it diverged, None if it did not."""
    weights, rng = generators(recipe.training.seed)
    clock = Clock()
    if contender.startswith(IN_PYTORCH):
        import torch_learner

        return torch_learner.trained(recipe, corpus, rng, clock, report)
    clock.start()
    classes = made_classes(recipe, corpus)
    clock.stop()
    network = network_of(recipe.model, corpus.vocabulary_size, classes, weights)
    return _trained(network, recipe, corpus, rng, clock, report)


def made_classes(recipe: Recipe, corpus: Corpus) -> WordClasses | None:
    """The word classes that a recipe asks for."""
    if recipe.model.output == "softmax":
        return None
    config, training, size = recipe.classes, corpus.training, corpus.vocabulary_size
    if config.method == "brown":
        return brown_classes(
            training, size, config.words_alone, config.count, config.sweeps, config.size_penalty
        )
    _, predicted = training.neighbours
    counts = np.bincount(predicted, minlength=size)
    return frequency_classes(counts, config.words_alone, config.count)


def _trained(
    network: Network,
    recipe: Recipe,
    corpus: Corpus,
    rng: np.random.Generator,
    clock: Clock,
    report: Report,
) -> str | None:
    """Train by the project's own loop."""

    def stopped_loss(network: Network, dataset: Dataset, carry_state: bool) -> float:
        clock.stop()
        return mean_loss(network, dataset, carry_state)

    def on_evaluation(evaluation: loop.Evaluation) -> None:
        loss = evaluation.validation_loss_nats_per_token
        report(Look(evaluation.epoch, clock.seconds, loss))
        clock.start()

    mean_loss = loop.mean_loss
    with patch.object(loop, "mean_loss", stopped_loss):
        outcome = loop.train(
            network,
            corpus.training,
            corpus.validation,
            recipe.training,
            rng,
            on_evaluation=on_evaluation,
        )
    return outcome.reason


def _merged(
    section: str, record: type, defaults: Mapping[str, Any], given: Mapping[str, Any]
) -> dict[str, Any]:
    """The values of a record: those that are given, defaults for the others."""
    names: Sequence[str] = [field.name for field in fields(record)]
    for key in given:
        if key not in names:
            raise ConfigError(f"a recipe has no key {section}.{key}")
    merged = {**defaults, **given}
    for name in names:
        if name not in merged:
            raise ConfigError(f"a recipe must say {section}.{name}")
    return {name: merged[name] for name in names}
