"""Training that was stopped after any step and goes on ends in the same bytes."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model_strategies import dataset_of, sentence, some_classes
from training_strategies import ALL_AT_ONCE, RECIPE, split_of
from unrolled.config.sections import TrainingConfig
from unrolled.model.cells import CELLS
from unrolled.model.initialisation import initialised
from unrolled.model.network import Network
from unrolled.training.checkpoint import Checkpoint, Checkpoints
from unrolled.training.loop import Outcome, train
from unrolled.training.optimisers import OPTIMISERS
from unrolled.training.schedules import SCHEDULES

DOCUMENTS = [
    [sentence(3, 4, 5), sentence(4, 6)],
    [sentence(5, 3, 4, 6, 3)],
    [sentence(6, 3), sentence(3, 5), sentence(4, 4, 6)],
    [sentence(6, 6, 5)],
]
TRAINING = split_of(DOCUMENTS)
VALIDATION = dataset_of([sentence(3, 4, 5, 3), sentence(4, 6)])

CELLS_AND_OPTIMISERS = [
    *((cell, "adam") for cell in CELLS),
    *(("lstm", optimiser) for optimiser in OPTIMISERS if optimiser != "adam"),
]


class StoppedError(Exception):
    """Training was stopped."""


class StopAfter:
    """Keeps one checkpoint, and stops there."""

    def __init__(self, checkpoints: Checkpoints, step: int) -> None:
        self.checkpoints, self.step = checkpoints, step

    def begin(self) -> Checkpoint | None:
        return self.checkpoints.newest(pytest.fail)

    def after_step(self, step: int, stand: Callable[[], Checkpoint]) -> None:
        if step == self.step:
            self.checkpoints.write(stand())
            raise StoppedError

    def at_end(self, step: int, stand: Callable[[], Checkpoint]) -> None:
        self.after_step(step, stand)


class KeepEnd:
    """Keeps where a run stands after its end alone, and lets it go on from there."""

    def __init__(self, checkpoints: Checkpoints) -> None:
        self.checkpoints = checkpoints

    def begin(self) -> Checkpoint | None:
        return self.checkpoints.newest(pytest.fail)

    def after_step(self, step: int, stand: Callable[[], Checkpoint]) -> None:
        """Nothing is kept."""

    def at_end(self, step: int, stand: Callable[[], Checkpoint]) -> None:
        self.checkpoints.write(stand())


def network_of(cell: str, optimiser: str, seed: int = 3) -> Network:
    classes = some_classes(7) if optimiser == "adam_and_sgd" else None
    rng = np.random.default_rng(seed)
    tied = classes is None
    return initialised(7, 5, rng, np.float32, cell, True, tied=tied, classes=classes)


def outcome_of(network: Network, config: TrainingConfig, **more: Any) -> Outcome:
    return train(network, TRAINING, VALIDATION, config, np.random.default_rng(config.seed), **more)


def untouched(batches: Any, numbers: range, epoch: int) -> Any:
    """Instead of a bar."""
    pytest.fail(f"epoch {epoch} is gone through again")


def everything_of(outcome: Outcome) -> tuple[Any, ...]:
    """All that an outcome holds, down to the last bit."""
    parameters = {name: array.tobytes() for name, array in outcome.network.parameters.items()}
    return parameters, outcome.best, outcome.history, outcome.state, outcome.reason


@pytest.mark.parametrize("carry_state", [False, True])
@pytest.mark.parametrize(("cell", "optimiser"), CELLS_AND_OPTIMISERS)
def test_the_outcome_is_the_same_wherever_training_was_stopped(
    cell: str, optimiser: Any, carry_state: bool, tmp_path: Path
) -> None:
    config = replace(ALL_AT_ONCE, optimiser=optimiser, carry_state=carry_state)
    config = replace(config, epochs=3, evaluations_per_epoch=2, patience=2)
    expected = outcome_of(network_of(cell, optimiser), config)
    steps = expected.history[-1].step

    assert steps > 6
    for step in range(1, steps):
        checkpoints = Checkpoints(tmp_path / str(step), {})
        with pytest.raises(StoppedError):
            outcome_of(network_of(cell, optimiser), config, keeper=StopAfter(checkpoints, step))

        other = network_of(cell, optimiser, seed=99)
        found = outcome_of(other, config, keeper=StopAfter(checkpoints, 0))

        assert everything_of(found) == everything_of(expected)


@pytest.mark.parametrize("patience", [None, 2])
def test_a_run_that_has_come_to_its_end_is_not_trained_again(
    patience: int | None, tmp_path: Path
) -> None:
    config = replace(ALL_AT_ONCE, epochs=9, evaluations_per_epoch=2, patience=patience)
    config = replace(config, learning_rate=0.5)  # with which the loss soon goes up and down
    expected = outcome_of(network_of("gru", "adam"), config)
    last = expected.history[-1]
    assert (last.epoch < config.epochs) == (patience is not None)
    keeper = KeepEnd(Checkpoints(tmp_path, {}))
    outcome_of(network_of("gru", "adam"), config, keeper=keeper)

    found = outcome_of(
        network_of("gru", "adam", seed=99), config, progress=untouched, keeper=keeper
    )

    assert everything_of(found) == everything_of(expected)


def test_a_run_that_has_diverged_stays_so_and_is_not_trained_again(tmp_path: Path) -> None:
    config = replace(ALL_AT_ONCE, optimiser="sgd", learning_rate=1e30, gradient_norm_limit=None)
    expected = outcome_of(network_of("elman", "sgd"), config)
    assert expected.state == "diverged"
    keeper = KeepEnd(Checkpoints(tmp_path, {}))
    outcome_of(network_of("elman", "sgd"), config, keeper=keeper)

    found = outcome_of(
        network_of("elman", "sgd", seed=99), config, progress=untouched, keeper=keeper
    )

    assert everything_of(found) == everything_of(expected)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_the_schedule_goes_on_where_it_was(
    schedule: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = replace(RECIPE, schedule=schedule, learning_rate=6.0, epochs=6)  # halved on the way
    expected = outcome_of(network_of("elman", "sgd"), config)
    checkpoints = Checkpoints(tmp_path, {})

    for step in (*range(1, expected.history[-1].step, 3), expected.history[-1].step):
        with pytest.raises(StoppedError):
            outcome_of(network_of("elman", "sgd"), config, keeper=StopAfter(checkpoints, step))
    found = outcome_of(network_of("elman", "sgd"), config, keeper=StopAfter(checkpoints, 0))

    rates = [evaluation.learning_rate for evaluation in found.history]
    assert (len(set(rates)) > 2) == (schedule != "constant")
    assert everything_of(found) == everything_of(expected)


def test_a_run_that_diverges_diverges_at_the_same_step(tmp_path: Path) -> None:
    config = replace(RECIPE, learning_rate=1e30, epochs=4)
    expected = outcome_of(network_of("elman", "sgd"), config)
    checkpoints = Checkpoints(tmp_path, {})

    with pytest.raises(StoppedError):
        outcome_of(network_of("elman", "sgd"), config, keeper=StopAfter(checkpoints, 1))
    found = outcome_of(network_of("elman", "sgd"), config, keeper=StopAfter(checkpoints, 0))

    assert expected.state == "diverged"
    assert everything_of(found) == everything_of(expected)


def test_what_training_goes_on_to_change_is_not_what_was_written(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path, {})
    with pytest.raises(StoppedError):
        outcome_of(network_of("gru", "adam"), ALL_AT_ONCE, keeper=StopAfter(checkpoints, 2))

    first = checkpoints.newest(pytest.fail)
    outcome_of(network_of("gru", "adam"), ALL_AT_ONCE, keeper=StopAfter(checkpoints, 0))
    second = checkpoints.newest(pytest.fail)

    assert first is not None
    assert second is not None
    assert first.values == second.values
    for name, array in first.arrays.items():
        assert array.tobytes() == second.arrays[name].tobytes()
