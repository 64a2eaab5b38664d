"""An untrained network is as good as guessing, and one with a fault is not."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from check_strategies import CHECKS, CLASSES, SOFTMAX, TIED, every_cell
from class_strategies import SIZES, classes_of
from model_strategies import dataset_of, fixed_network, sentence, zero_network
from training_strategies import split_of
from unrolled.analysis.gradient_check import Kind, small_classes
from unrolled.analysis.initial_loss import InitialLoss, guessing_loss, initial_loss
from unrolled.model.initialisation import initialised
from unrolled.model.network import Network
from unrolled.text.classes import WordClasses
from unrolled.text.dataset import Dataset

LIMIT = CHECKS.initial_loss_difference
VOCABULARY_SIZE = 40

every_output = pytest.mark.parametrize(
    "kind", [SOFTMAX, TIED, CLASSES], ids=lambda kind: kind.title
)


def some_sentences(vocabulary_size: int = VOCABULARY_SIZE, seed: int = 1) -> Dataset:
    """A split of sentences of all lengths, some words being far more frequent than others."""
    rng = np.random.default_rng(seed)
    share = 1 / np.arange(1, vocabulary_size - 2)
    words = np.arange(3, vocabulary_size)
    return dataset_of(
        [sentence(*rng.choice(words, length, p=share / share.sum())) for length in range(1, 30)]
    )


def untrained(
    cell: str, kind: Kind, bias: bool = True, hidden_size: int = 20, orthogonal: bool = False
) -> Network:
    """A network as training begins with it."""
    return initialised(
        VOCABULARY_SIZE,
        hidden_size,
        np.random.default_rng(1),
        cell_name=cell,
        bias=bias,
        tied=kind.tied,
        orthogonal=orthogonal,
        classes=small_classes(VOCABULARY_SIZE) if kind.output == "classes" else None,
    )


def scaled(network: Network, factor: float) -> Network:
    """The network with larger weights; larger biases would keep a gated cell from moving at all."""
    parameters = {
        name: array if "bias" in name else factor * array
        for name, array in network.parameters.items()
    }
    return replace(network, parameters=parameters)


# Sound code


@every_cell
@every_output
@pytest.mark.parametrize("bias", [False, True], ids=["plain", "bias"])
@pytest.mark.parametrize("hidden_size", [1, 20, 100])
def test_an_untrained_network_is_as_good_as_guessing(
    cell: str, kind: Kind, bias: bool, hidden_size: int
) -> None:
    found = initial_loss(untrained(cell, kind, bias, hidden_size), some_sentences())

    assert found.passes(LIMIT)
    assert found.loss_nats_per_token != found.of_guessing
    if kind.output == "softmax":
        assert found.of_guessing == math.log(40)


@every_cell
def test_orthogonal_recurrent_weights_are_as_good_as_guessing(cell: str) -> None:
    network = untrained(cell, SOFTMAX, orthogonal=True)

    assert initial_loss(network, some_sentences()).passes(LIMIT)


def test_the_loss_of_a_network_is_the_mean_over_all_predictions() -> None:
    # the end is always predicted with a probability of 1/2, other words with 1/4 or 1/8
    logits = np.log([1 / 8, 1 / 2, 1 / 4, 1 / 8])
    dataset = dataset_of([sentence(2, 3), sentence(), sentence(3)])

    found = initial_loss(fixed_network(logits.tolist()), dataset)

    # -ln of 1/4 · 1/8 · 1/2, of 1/2, and of 1/8 · 1/2: 6 + 1 + 4 times ln 2 for 6 predictions
    assert found.loss_nats_per_token == pytest.approx(11 / 6 * math.log(2), rel=1e-12)
    assert found.of_guessing == pytest.approx(2 * math.log(2), rel=1e-15)


def test_a_network_to_which_all_words_are_alike_guesses() -> None:
    found = initial_loss(zero_network(VOCABULARY_SIZE), some_sentences())

    assert found.loss_nats_per_token == pytest.approx(found.of_guessing, rel=1e-14)
    assert found.passes(1e-12)


@pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES)
def test_a_network_to_which_all_classes_and_their_words_are_alike_guesses(
    sizes: Sequence[int],
) -> None:
    classes, rng = classes_of(sizes), np.random.default_rng(1)
    network = scaled(initialised(len(classes), 3, rng, bias=True, classes=classes), 0)
    sentences = [rng.integers(len(classes), size=n).astype(np.int32) for n in range(2, 20)]

    found = initial_loss(network, dataset_of(sentences))

    assert found.loss_nats_per_token == pytest.approx(found.of_guessing, rel=1e-13, abs=1e-13)


# What guessing costs


def looped_loss(classes: WordClasses, dataset: Dataset) -> float:
    """The loss of guessing a class and then one of its words, prediction by prediction."""
    losses = []
    for words in dataset:
        for word in words[1:].tolist():
            mates = [
                w for w in range(len(classes)) if classes.class_of[w] == classes.class_of[word]
            ]
            losses.append(-math.log(1 / len(set(classes.class_of.tolist())) / len(mates)))
    return math.fsum(losses) / len(losses)


@pytest.mark.parametrize("tokens", [1, 10, 2**20])
@pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES)
def test_guessing_with_classes_costs_what_a_plain_loop_adds_up(
    sizes: Sequence[int], tokens: int
) -> None:
    classes, rng = classes_of(sizes, seed=2), np.random.default_rng(3)
    sentences = [rng.integers(len(classes), size=n).astype(np.int32) for n in range(2, 12)]
    dataset = split_of([sentences[:4], sentences[4:]])

    loss = guessing_loss(len(classes), classes, dataset, tokens)

    assert loss == pytest.approx(looped_loss(classes, dataset), rel=1e-13, abs=1e-13)


def test_guessing_in_one_block_costs_a_mean_over_the_whole_split_to_the_last_bit() -> None:
    classes, dataset = classes_of([9, 1, 27, 3]), some_sentences()

    loss = guessing_loss(VOCABULARY_SIZE, classes, dataset)

    _, predicted = dataset.neighbours
    words = np.array([9, 1, 27, 3])[classes.class_of[predicted]]
    assert loss == math.log(4) + float(np.log(words).mean())


def test_guessing_with_classes_by_hand() -> None:
    classes = classes_of([1, 4])
    (alone,) = np.flatnonzero(classes.class_of == 0)
    other = int(alone == 0)  # one of the four
    dataset = dataset_of([np.array([other, alone, alone, other], dtype=np.int32)])

    # two classes: ln 2 each time; and for one prediction of three, ln 4; the first is not predicted
    expected = math.log(2) + math.log(4) / 3
    assert guessing_loss(5, classes, dataset) == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize("vocabulary_size", [1, 2, 8000])
def test_guessing_without_classes_costs_the_logarithm_of_the_vocabulary_size(
    vocabulary_size: int,
) -> None:
    dataset = dataset_of([np.zeros(3, dtype=np.int32)])

    assert guessing_loss(vocabulary_size, None, dataset) == math.log(vocabulary_size)


def test_classes_of_one_word_each_cost_what_a_softmax_costs() -> None:
    dataset = some_sentences(6)

    loss = guessing_loss(6, classes_of([1] * 6), dataset)

    assert loss == pytest.approx(guessing_loss(6, None, dataset), rel=1e-14)


# Networks with a fault


@every_cell
@every_output
@pytest.mark.parametrize("factor", [30, 1e4, 1e200])
def test_weights_that_are_far_too_large_do_not_pass(cell: str, kind: Kind, factor: float) -> None:
    found = initial_loss(scaled(untrained(cell, kind), factor), some_sentences())

    assert not found.passes(LIMIT)


@every_cell
@every_output
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_weight_that_is_not_finite_does_not_pass(cell: str, kind: Kind, value: float) -> None:
    network = untrained(cell, kind)
    network.parameters["output_weights"][-1, 0] = value

    found = initial_loss(network, some_sentences())

    assert not math.isfinite(found.loss_nats_per_token)
    assert math.isfinite(found.of_guessing)
    assert not found.passes(LIMIT)


def test_a_network_that_sees_what_it_is_to_predict_does_not_pass(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def seeing(network: Network, batch: Any, *_: Any) -> Any:
        return np.full(batch.positions, 0.5)  # nats

    monkeypatch.setattr(Network, "losses", seeing)

    found = initial_loss(untrained("elman", SOFTMAX), some_sentences())

    assert found.loss_nats_per_token == 0.5
    assert not found.passes(LIMIT)


def test_a_difference_of_just_the_limit_passes_to_either_side() -> None:
    assert InitialLoss(4.25, 4.0).passes(0.25)
    assert InitialLoss(3.75, 4.0).passes(0.25)
    assert not InitialLoss(4.2501, 4.0).passes(0.25)
    assert not InitialLoss(3.7499, 4.0).passes(0.25)


@pytest.mark.parametrize("loss", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_never_passes(loss: float) -> None:
    assert not InitialLoss(loss, 4.0).passes(1e300)
    assert not InitialLoss(4.0, loss).passes(1e300)
    assert not InitialLoss(4.0, 4.0).passes(math.nan)
