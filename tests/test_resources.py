"""What jobs ask a cluster for: by hand, against what training keeps, and for every experiment."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from training_strategies import RECIPE
from unrolled.config.sections import ClassesConfig
from unrolled.config.sweep import Run
from unrolled.model.initialisation import initialised
from unrolled.model.types import Gradients
from unrolled.stages.resources import (
    AVERAGES,
    SHORT_MINUTES,
    SMALL_MB,
    model_mb,
    sweep_mb,
    sweep_minutes,
    training_mb,
    training_minutes,
)
from unrolled.training.optimisers import OPTIMISERS

MODEL = {
    "cell": "elman",
    "hidden_size": 100,
    "bias": False,
    "tied_weights": False,
    "output": "softmax",
    "precision": "single",
}
TRAINING = {"optimiser": "adam", "epochs": 3}
CLASSES = ClassesConfig("brown", None, 32, 6, 0.002)


def run_of(**settings: Any) -> Run:
    """An Elman network of 100 units, learned with Adam, some settings replaced."""
    model = {key: settings.get(key, value) for key, value in MODEL.items()}
    training = {key: settings.get(key, value) for key, value in TRAINING.items()}
    return Run("run", "network", model, training)


class TestSweeps:
    def test_grow_with_their_runs(self) -> None:
        # 0.2 MB and 0.1 seconds a run, beside what any job takes
        assert sweep_mb(10_000) - SMALL_MB == 2_000
        assert sweep_minutes(10_000) - SHORT_MINUTES == 17  # 1,000 seconds
        assert sweep_mb(18) - SMALL_MB == 4


class TestMemory:
    def test_training_holds_nine_copies_of_the_weights_with_adam(self) -> None:
        # 10,000 words: 1,000,000 weights in, as many out, and 10,000 between states, of 4 bytes:
        # 8.04 MB. Weights, best ones and two averages, twice, and the gradient: 9 of them, 72.36.
        # The softmax works on 3 × 100 MB.
        assert training_mb(run_of(), 10_000) == SMALL_MB + 373

    def test_plain_descent_keeps_no_averages(self) -> None:
        # 2 × 2 + 1 copies: 40.2 MB
        assert training_mb(run_of(optimiser="sgd"), 10_000) == SMALL_MB + 341

    def test_using_a_network_takes_three_copies(self) -> None:
        # 24.12 MB
        assert model_mb(MODEL, 10_000) == SMALL_MB + 325

    def test_numbers_of_double_precision_take_twice_the_room(self) -> None:
        # 9 × 16.08 = 144.72 MB
        assert training_mb(run_of(precision="double"), 10_000) == SMALL_MB + 445

    def test_a_word_brings_four_hidden_sizes_to_an_lstm(self) -> None:
        # 10,000 × 400 + 400 × 100 + 10,000 × 100 = 5,040,000 weights of 4 bytes, 9 times: 181.44 MB
        assert training_mb(run_of(cell="lstm"), 10_000) == SMALL_MB + 482

    @pytest.mark.parametrize("optimiser", OPTIMISERS)
    def test_no_optimiser_keeps_more_than_is_reckoned_with(self, optimiser: Any) -> None:
        network = initialised(7, 5, np.random.default_rng(1))
        gradients: Gradients = {
            name: np.ones_like(array) for name, array in network.parameters.items()
        }
        stepper = OPTIMISERS[optimiser](replace(RECIPE, optimiser=optimiser))
        stepper.step(network.parameters, gradients, 1.0, 0.1)

        kept = sum(array.size for array in stepper.memory().values() if array.ndim)

        weights = sum(array.size for array in network.parameters.values())
        assert kept <= AVERAGES[optimiser] * weights


class TestTime:
    def test_the_softmax_takes_six_operations_for_every_weight(self) -> None:
        # 10,000 × 100 + 100 × 100 = 1,010,000 weights, 6,060,000 operations, at 5e9 a second:
        # 1.212 ms and 0.05 ms for what Python does. 6,000,000 tokens: 7,572 s, 126.2 minutes.
        assert training_minutes(run_of(), 10_000, CLASSES) == SHORT_MINUTES + 127

    def test_double_precision_takes_twice_as_long_for_the_weights(self) -> None:
        # 6,000,000 × (2.424 + 0.05) ms = 14,844 s, 247.4 minutes
        assert training_minutes(run_of(precision="double"), 10_000, CLASSES) == SHORT_MINUTES + 248

    def test_with_classes_a_word_costs_those_and_the_words_of_one(self) -> None:
        # 32 words alone, 100 classes and 100 words in each: 232 × 100 + 100 × 100 = 33,200 weights,
        # 0.03984 ms; 6,000,000 × 0.08984 ms = 539.04 s, 8.98 minutes.
        assert training_minutes(run_of(output="classes"), 10_000, CLASSES) == SHORT_MINUTES + 9

    def test_as_many_classes_as_are_asked_for_are_reckoned_with(self) -> None:
        # 32, 1,000 classes and 10 words in each: 1,042 × 100 + 10,000 = 114,200 weights,
        # 0.13704 ms; 6,000,000 × 0.18704 ms = 1,122.24 s, 18.7 minutes
        thousand = replace(CLASSES, count=1000)

        minutes = training_minutes(run_of(output="classes"), 10_000, thousand)

        assert minutes == SHORT_MINUTES + 19

    def test_every_epoch_takes_as_long_as_the_others(self) -> None:
        # 12,000,000 tokens: 15,144 s, 252.4 minutes
        assert training_minutes(run_of(epochs=6), 10_000, CLASSES) == SHORT_MINUTES + 253
