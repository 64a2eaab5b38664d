"""Sound code learns two sentences by heart; code with a fault does not."""

import itertools
import math
from typing import Any

import numpy as np
import pytest

from check_strategies import CHECKS, CLASSES, SOFTMAX, TIED, every_cell
from unrolled.analysis import overfitting
from unrolled.analysis.gradient_check import Kind
from unrolled.analysis.overfitting import Depth, Overfitted, overfit
from unrolled.config.sections import TrainingConfig
from unrolled.model import bptt
from unrolled.model.cells import CELLS
from unrolled.model.initialisation import initialised
from unrolled.model.network import Network
from unrolled.model.types import Array
from unrolled.text.dataset import Dataset
from unrolled.text.vocabulary import END, RESERVED, START
from unrolled.training.loop import Evaluation, Outcome, train
from unrolled.training.optimisers import Adam

LIMIT = CHECKS.overfit_loss
STEPS = CHECKS.overfit_steps
ENOUGH = STEPS // 3
"""Steps for tied weights, which learn fastest; as many for sound code as for code with a fault."""

# 28 words and an end, 36 words and an end: 66 predictions, two of which cost ln 2
LEAST_LOSS = 2 * math.log(2) / 66

every_output = pytest.mark.parametrize(
    "kind", [SOFTMAX, TIED, CLASSES], ids=lambda kind: kind.title
)


def overfitted(
    cell: str, kind: Kind = SOFTMAX, depth: Depth = "full", steps: int = STEPS, seed: int = 1
) -> Overfitted:
    return overfit(cell, kind.output, kind.tied, depth, steps, seed)


class Trained:
    """What `train` was called with, in its place."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(overfitting, "train", self)
        self.networks: list[Network] = []
        self.datasets: list[Dataset] = []
        self.recipes: list[TrainingConfig] = []

    def __call__(
        self,
        network: Network,
        training: Dataset,
        validation: Dataset,
        recipe: TrainingConfig,
        rng: np.random.Generator,
    ) -> Outcome:
        """No training at all, so that nothing is the best."""
        assert validation is training
        self.networks.append(network)
        self.datasets.append(training)
        self.recipes.append(recipe)
        return Outcome(network, None, [], "diverged", "not trained")


# Sound code


# every cell and every output layer at both ends of depths; tied weights at full depth are below
@pytest.mark.parametrize(
    ("cell", "kind", "depth"),
    [
        ("elman", TIED, 0),
        ("elman", CLASSES, "full"),
        ("gru", CLASSES, 0),
        ("gru", SOFTMAX, "full"),
        ("lstm", SOFTMAX, 0),
        ("lstm", CLASSES, "full"),
    ],
)
def test_two_sentences_are_learned_by_heart(cell: str, kind: Kind, depth: Depth) -> None:
    found = overfitted(cell, kind, depth)

    assert found.least_loss <= found.loss_nats_per_token <= LIMIT
    assert found.passes(LIMIT)


@pytest.mark.parametrize(
    ("kind", "depth", "seed"), [(SOFTMAX, 1, 2), (TIED, 4, 3), (CLASSES, 1, 3)]
)
def test_two_sentences_are_learned_by_heart_at_other_depths_and_with_other_seeds(
    kind: Kind, depth: Depth, seed: int
) -> None:
    found = overfitted("elman", kind, depth, seed=seed)

    assert found.least_loss <= found.loss_nats_per_token <= LIMIT


@pytest.mark.parametrize("seed", [2, 3])
def test_the_hardest_of_all_is_learned_with_other_seeds(seed: int) -> None:
    # an Elman network that sees its last step alone
    assert overfitted("elman", SOFTMAX, 0, seed=seed).passes(LIMIT)


def test_more_steps_make_a_lower_loss_and_few_do_not_pass() -> None:
    losses = [overfitted("elman", steps=steps).loss_nats_per_token for steps in (1, 10, 30)]

    assert losses == sorted(losses, reverse=True)
    assert losses[0] > 2
    assert min(losses) > LIMIT


def test_the_same_seed_has_the_same_outcome_and_another_one_another() -> None:
    losses = [overfitted("gru", steps=3, seed=seed).loss_nats_per_token for seed in (1, 1, 2)]

    assert losses[0] == losses[1] != losses[2]


# What is learned


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_sentences_are_random_words_between_start_and_end(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained = Trained(monkeypatch)

    overfitted("elman", seed=seed)

    (dataset,) = trained.datasets
    assert [len(words) for words in dataset] == [1 + 28 + 1, 1 + 36 + 1]
    for words in dataset:
        assert (words[0], words[-1]) == (START, END)
        assert words[1:-1].min() >= len(RESERVED)
        assert words[1:-1].max() < 12
        assert len(set(words[1:-1].tolist())) > 5
    assert dataset.documents.tolist() == [0, 2]
    assert dataset.ids.dtype == np.int32


def test_sentences_differ_from_seed_to_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    trained = Trained(monkeypatch)

    for seed in (1, 2):
        overfitted("elman", seed=seed)

    first, second = (dataset.ids.tolist() for dataset in trained.datasets)
    assert first != second


@every_cell
@every_output
def test_the_network_is_the_one_that_was_asked_for(
    cell: str, kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained = Trained(monkeypatch)

    overfitted(cell, kind)

    (network,) = trained.networks
    assert network.cell_name == cell
    assert network.tied is kind.tied
    assert (network.classes is not None) is (kind.output == "classes")
    assert {"bias", "output_bias"} <= set(network.parameters)
    assert (network.vocabulary_size, network.hidden_size) == (12, 48)


@pytest.mark.parametrize("depth", [0, 4, "full"])
@pytest.mark.parametrize("steps", [1, 300])
def test_all_sentences_are_in_each_of_the_steps_at_the_depth(
    depth: Depth, steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained = Trained(monkeypatch)

    overfitted("elman", SOFTMAX, depth, steps)

    (recipe,) = trained.recipes
    assert recipe.truncation_depth == depth
    assert (recipe.epochs, recipe.batch_size, recipe.carry_state) == (steps, 2, False)
    assert recipe.patience is None


def test_the_least_loss_is_twice_the_logarithm_of_two_over_all_predictions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    trained = Trained(monkeypatch)

    found = overfitted("elman")

    (dataset,) = trained.datasets
    predictions = sum(len(words) - 1 for words in dataset)
    # the best of all models: every word is certain, but for the one in which the sentences differ
    first, second = (words.tolist() for words in dataset)
    differing = next(t for t in range(len(first)) if first[t] != second[t])
    losses = [
        math.log(2) if t == differing else 0.0
        for words in (first, second)
        for t in range(1, len(words))
    ]
    assert len(losses) == predictions == 66
    assert found.least_loss == pytest.approx(math.fsum(losses) / predictions, rel=1e-14)
    assert found.least_loss == pytest.approx(LEAST_LOSS, rel=1e-14)
    assert LEAST_LOSS < LIMIT / 2


# Code with a fault


def zeros(*arguments: Any) -> bptt.Deltas:
    """A way back on which nothing comes back."""
    return bptt.Deltas(*(np.zeros_like(found) for found in DELTAS(*arguments)))


def flipped(*arguments: Any) -> bptt.Deltas:
    """A way back that leads uphill."""
    return bptt.Deltas(*(-found for found in DELTAS(*arguments)))


def no_numbers(*arguments: Any) -> bptt.Deltas:
    """A way back on which all numbers are lost."""
    return bptt.Deltas(*(found * np.nan for found in DELTAS(*arguments)))


DELTAS = bptt.deltas


@pytest.mark.parametrize(
    ("cell", "way_back"), [("elman", zeros), ("elman", flipped), ("gru", flipped), ("lstm", zeros)]
)
def test_a_broken_way_back_does_not_pass(
    cell: str, way_back: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bptt, "deltas", way_back)

    found = overfitted(cell, TIED, steps=ENOUGH)

    assert not found.passes(4 * LIMIT)  # not even nearly


@every_cell
def test_training_that_diverges_has_no_loss(cell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bptt, "deltas", no_numbers)

    found = overfitted(cell, TIED, steps=ENOUGH)

    assert math.isnan(found.loss_nats_per_token)
    assert not found.passes(4 * LIMIT)


def test_what_was_learned_does_not_count_if_training_diverges_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    steps = itertools.count(1)
    outcomes: list[Outcome] = []

    def lost_at_90(*arguments: Any) -> bptt.Deltas:
        return (DELTAS if next(steps) < 90 else no_numbers)(*arguments)

    def noted(*arguments: Any) -> Outcome:
        outcomes.append(train(*arguments))
        return outcomes[-1]

    monkeypatch.setattr(bptt, "deltas", lost_at_90)
    monkeypatch.setattr(overfitting, "train", noted)

    found = overfitted("elman", TIED, steps=ENOUGH)

    (outcome,) = outcomes
    assert outcome.history[-1].step == 89
    assert outcome.history[-1].validation_loss_nats_per_token <= LIMIT
    assert math.isnan(found.loss_nats_per_token)
    assert not found.passes(LIMIT)


@pytest.mark.parametrize(("state", "loss"), [("finished", 0.5), ("diverged", math.nan)])
def test_the_loss_is_that_at_the_end_and_not_the_best(
    state: Any, loss: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = [
        Evaluation(float(step), step, 0.03, None, reached)
        for step, reached in enumerate((2.5, 0.03, 0.5))
    ]

    def ended(network: Network, *arguments: Any) -> Outcome:
        return Outcome(network, history[1], history, state, None)

    monkeypatch.setattr(overfitting, "train", ended)

    found = overfitted("elman", steps=2)

    assert found.loss_nats_per_token == pytest.approx(loss, nan_ok=True)
    assert not found.passes(LIMIT)


@every_cell
def test_a_third_of_the_steps_is_enough_for_a_sound_way_back(cell: str) -> None:
    assert overfitted(cell, TIED, steps=ENOUGH).passes(LIMIT)


def test_an_optimiser_that_does_not_step_does_not_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Adam, "step", lambda *arguments: None)

    found = overfitted("elman", TIED, steps=ENOUGH)

    assert not found.passes(LIMIT)
    assert found.loss_nats_per_token > 2


def test_an_optimiser_that_steps_uphill_does_not_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    step = Adam.step
    monkeypatch.setattr(
        Adam,
        "step",
        lambda optimiser, parameters, gradients, scale, rate: step(
            optimiser, parameters, gradients, scale, -rate
        ),
    )

    found = overfitted("elman", TIED, steps=ENOUGH)

    assert math.isnan(found.loss_nats_per_token)  # it ends worse than it began
    assert not found.passes(LIMIT)


def test_a_network_that_never_sees_the_state_before_does_not_pass(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    step = CELLS["elman"].step

    def forgetful(
        word: Array, recurrent: Array, previous: Array, state: Array, memory: Array
    ) -> None:
        step(word, np.zeros_like(recurrent), previous, state, memory)

    monkeypatch.setattr(CELLS["elman"], "step", forgetful)

    assert not overfitted("elman", TIED, steps=ENOUGH).passes(LIMIT)


def test_a_network_without_finite_loss_does_not_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: Any, **options: Any) -> Network:
        network = initialised(*arguments, **options)
        network.parameters["output_bias"][3] = math.nan
        return network

    monkeypatch.setattr(overfitting, "initialised", broken)

    found = overfitted("elman")

    assert math.isnan(found.loss_nats_per_token)
    assert found.least_loss == pytest.approx(LEAST_LOSS, rel=1e-14)
    assert not found.passes(LIMIT)


def test_a_loss_within_the_limit_passes_and_nan_does_not() -> None:
    assert Overfitted(0.05, 0.02).passes(0.05)
    assert not Overfitted(0.0501, 0.02).passes(0.05)
    assert not Overfitted(math.nan, 0.02).passes(math.inf)
    assert not Overfitted(math.inf, 0.02).passes(1e300)
