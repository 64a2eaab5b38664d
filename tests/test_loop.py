"""The training loop: what it watches, what it keeps, and when it gives a run up."""

import itertools
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np
import pytest

from model_strategies import (
    PARAMETERS,
    dataset_of,
    reference_log_probability,
    sentence,
)
from unrolled.config.sections import TrainingConfig
from unrolled.model.cells import CELLS
from unrolled.model.network import Network, initialised
from unrolled.model.packing import PackedBatch
from unrolled.model.types import Parameters
from unrolled.text.dataset import Dataset
from unrolled.training import loop
from unrolled.training.loop import Evaluation, Outcome, mean_loss, train

SENTENCES = [sentence(3, 4, 5), sentence(4, 5, 6, 3), sentence(5, 3), sentence(3, 4, 6)]
TRAINING = dataset_of(SENTENCES)
VALIDATION = dataset_of([sentence(3, 4, 5, 3), sentence(4, 6)])
CONFIG = TrainingConfig(
    truncation_depth="full",
    seed=1,
    epochs=5,
    evaluations_per_epoch=1,
    batch_size=2,
    learning_rate=0.5,
    gradient_norm_limit=None,
)


def new_network(seed: int = 1) -> Network:
    return initialised(7, 5, np.random.default_rng(seed))


def trained(config: TrainingConfig = CONFIG, network: Network | None = None) -> Outcome:
    rng = np.random.default_rng(config.seed)
    return train(network or new_network(), TRAINING, VALIDATION, config, rng)


def copies(parameters: Parameters) -> Parameters:
    return {name: array.copy() for name, array in parameters.items()}


def assert_equal_parameters(found: Parameters, expected: Parameters) -> None:
    for name in PARAMETERS:
        np.testing.assert_array_equal(found[name], expected[name], err_msg=name)


def script_validation_losses(monkeypatch: pytest.MonkeyPatch, *losses: float) -> TrainingConfig:
    """Let validation find these losses, one after the other; a recipe of as many epochs."""
    remaining: Iterator[float] = iter(losses)
    monkeypatch.setattr(loop, "mean_loss", lambda network, dataset: next(remaining))
    return replace(CONFIG, epochs=len(losses) - 1, learning_rate=1.0)


def best_epoch(outcome: Outcome) -> float:
    assert outcome.best is not None
    return outcome.best.epoch


# The history


def test_history_begins_with_the_untrained_network_as_epoch_zero() -> None:
    expected = mean_loss(new_network(), VALIDATION)

    outcome = trained()

    assert outcome.history[0] == Evaluation(0, 0, 0.5, None, expected)


def test_history_has_a_row_for_every_epoch_and_counts_steps() -> None:
    outcome = trained()

    assert [evaluation.epoch for evaluation in outcome.history] == [0, 1, 2, 3, 4, 5]
    assert [evaluation.step for evaluation in outcome.history] == [0, 2, 4, 6, 8, 10]
    assert (outcome.state, outcome.reason) == ("finished", None)


def test_the_validation_loss_is_looked_at_as_often_as_the_configuration_says() -> None:
    outcome = trained(replace(CONFIG, epochs=2, batch_size=1, evaluations_per_epoch=2))

    # four sentences, one a step, two looks an epoch
    assert [evaluation.epoch for evaluation in outcome.history] == [0, 0.5, 1, 1.5, 2]
    assert [evaluation.step for evaluation in outcome.history] == [0, 2, 4, 6, 8]


def test_epochs_are_counted_in_parts_that_are_not_rounded() -> None:
    config = replace(CONFIG, epochs=2, batch_size=1, evaluations_per_epoch=3)
    rng = np.random.default_rng(1)

    outcome = train(new_network(), dataset_of(SENTENCES[:3]), VALIDATION, config, rng)

    # three sentences, one a step, a look after each
    assert [evaluation.epoch for evaluation in outcome.history] == [k / 3 for k in range(7)]


def test_more_looks_than_batches_are_one_a_batch() -> None:
    outcome = trained(replace(CONFIG, epochs=1, evaluations_per_epoch=10))

    assert [evaluation.step for evaluation in outcome.history] == [0, 1, 2]


def test_training_loss_is_the_mean_since_the_evaluation_before() -> None:
    config = replace(CONFIG, epochs=2, batch_size=1, evaluations_per_epoch=4)
    network, seen = new_network(), list[Parameters]()

    outcome = train(
        network,
        TRAINING,
        VALIDATION,
        config,
        np.random.default_rng(1),
        on_evaluation=lambda _: seen.append(copies(network.parameters)),
    )

    # with one step between evaluations, the loss of the next sentence before that step
    rng = np.random.default_rng(1)
    order = [int(index) for _ in range(2) for index in rng.permutation(4)]
    for index, before, evaluation in zip(order, seen, outcome.history[1:], strict=False):
        expected = mean_loss(Network(before, "elman"), dataset_of([SENTENCES[index]]))
        assert evaluation.train_loss_nats_per_token == pytest.approx(expected, rel=1e-12)
    assert len(outcome.history) == 9


def test_training_loss_is_the_mean_over_the_epoch_while_the_parameters_move() -> None:
    outcome = trained(replace(CONFIG, epochs=1, batch_size=4))

    # with one batch an epoch, the loss before the only step: that of the untrained network
    expected = mean_loss(new_network(), TRAINING)
    assert outcome.history[1].train_loss_nats_per_token == pytest.approx(expected, rel=1e-12)


def test_mean_loss_is_the_references_per_predicted_token() -> None:
    network = new_network(2)

    # 4 + 5 + 3 + 4 predictions, ends included
    expected = -sum(reference_log_probability(network, words) for words in SENTENCES) / 16
    assert mean_loss(network, TRAINING) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("bias", [False, True], ids=["plain", "bias"])
def test_every_cell_learns_and_stays_what_it_is(cell: str, bias: bool) -> None:
    network = initialised(7, 5, np.random.default_rng(1), cell_name=cell, bias=bias)
    before = copies(network.parameters)

    outcome = trained(network=network)

    assert outcome.network.cell_name == cell
    assert set(outcome.network.parameters) == set(before)
    for name, array in outcome.network.parameters.items():
        assert (array != before[name]).any(), name
    assert outcome.best is not None
    assert outcome.best.validation_loss_nats_per_token == mean_loss(outcome.network, VALIDATION)
    assert mean_loss(outcome.network, TRAINING) < mean_loss(Network(before, cell), TRAINING)


def test_no_epochs_leave_the_network_as_it_was() -> None:
    outcome = trained(replace(CONFIG, epochs=0))

    assert len(outcome.history) == 1
    assert outcome.state == "finished"
    assert_equal_parameters(outcome.network.parameters, new_network().parameters)


def test_every_evaluation_and_every_batch_is_shown_as_it_comes() -> None:
    evaluations: list[Evaluation] = []
    epochs: list[tuple[int, int, int]] = []

    def progress(batches: Iterable[PackedBatch], count: int, epoch: int) -> Iterable[PackedBatch]:
        shown = list(batches)
        epochs.append((epoch, count, len(shown)))
        return shown

    config = replace(CONFIG, epochs=2, batch_size=3)
    rng = np.random.default_rng(1)
    outcome = train(new_network(), TRAINING, VALIDATION, config, rng, progress, evaluations.append)

    assert evaluations == outcome.history
    assert epochs == [(1, 2, 2), (2, 2, 2)]  # 4 sentences are a batch of 3 and one of 1


# The learning rate


def test_learning_rate_halves_exactly_after_an_epoch_whose_validation_loss_rose(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = script_validation_losses(monkeypatch, 3.0, 2.5, 2.6, 2.6, 2.4, 2.7, 2.9)

    outcome = trained(config)

    # rises after epoch 2 (an equal loss is no rise) and after 5
    rates = [evaluation.learning_rate for evaluation in outcome.history]
    assert rates == [1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.25]


def test_learning_rate_follows_the_validation_loss_of_a_real_run() -> None:
    outcome = trained(replace(CONFIG, learning_rate=8.0, epochs=12))

    history = outcome.history
    rises = [
        later.validation_loss_nats_per_token > earlier.validation_loss_nats_per_token
        for earlier, later in itertools.pairwise(history[:-1])
    ]
    assert {True, False} <= set(rises)
    for rise, before, after in zip(rises, history[1:], history[2:], strict=False):
        assert after.learning_rate == before.learning_rate / (2 if rise else 1)


def test_a_learning_rate_that_was_halved_is_the_one_that_steps_are_taken_with(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = replace(
        script_validation_losses(monkeypatch, 3.0, 3.5, 3.0, 2.0),
        batch_size=4,
        gradient_norm_limit=1e-3,
    )
    network = new_network()
    moved: list[float] = []
    last = copies(network.parameters)

    def measure(_: Evaluation) -> None:
        squares = (np.sum((network.parameters[name] - last[name]) ** 2) for name in PARAMETERS)
        moved.append(math.sqrt(sum(squares)))
        last.update(copies(network.parameters))

    rng = np.random.default_rng(1)
    train(network, TRAINING, VALIDATION, config, rng, on_evaluation=measure)

    # one step an epoch, each of the limit's length times the learning rate
    assert moved == pytest.approx([0, 1e-3, 0.5e-3, 0.5e-3], rel=1e-9)


# Which parameters are kept


def test_parameters_of_the_lowest_validation_loss_are_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = script_validation_losses(monkeypatch, 3.0, 2.5, 2.0, 2.0, 2.2)
    network = new_network()
    seen: list[Parameters] = []

    rng = np.random.default_rng(1)
    outcome = train(
        network,
        TRAINING,
        VALIDATION,
        config,
        rng,
        on_evaluation=lambda _: seen.append(copies(network.parameters)),
    )

    assert best_epoch(outcome) == 2  # the first of equals
    assert_equal_parameters(outcome.network.parameters, seen[2])
    assert not np.array_equal(seen[2]["output_weights"], seen[4]["output_weights"])


@pytest.mark.parametrize("losses", [(3.0, 2.0, 2.5), (3.0, 2.5, 2.0)])
def test_kept_parameters_are_copies(
    losses: tuple[float, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    config, network = script_validation_losses(monkeypatch, *losses), new_network()

    outcome = trained(config, network)

    for name in PARAMETERS:
        assert not np.shares_memory(outcome.network.parameters[name], network.parameters[name])


def test_kept_parameters_have_the_validation_loss_that_the_history_says() -> None:
    outcome = trained(replace(CONFIG, learning_rate=8.0, epochs=12))

    losses = [evaluation.validation_loss_nats_per_token for evaluation in outcome.history]
    assert losses[int(best_epoch(outcome))] == min(losses)
    assert best_epoch(outcome) not in (0, 12)
    assert mean_loss(outcome.network, VALIDATION) == min(losses)


# When a run has diverged


@pytest.mark.parametrize(
    ("precision", "learning_rate"), [("single", 1e39), ("single", 1e300), ("double", 1e308)]
)
def test_a_huge_learning_rate_without_a_gradient_limit_diverges_at_a_named_step(
    precision: str, learning_rate: float
) -> None:
    dtype = np.float32 if precision == "single" else np.float64
    network = initialised(7, 5, np.random.default_rng(1), dtype)

    outcome = trained(replace(CONFIG, learning_rate=learning_rate), network)

    assert outcome.state == "diverged"
    assert re.fullmatch(
        "(loss (nan|inf) and gradient norm .* at|validation loss (nan|inf) after) step [23]",
        str(outcome.reason),
    )
    assert [evaluation.epoch for evaluation in outcome.history] == [0]


def test_a_diverged_run_hands_over_the_best_finite_parameters() -> None:
    expected = copies(new_network().parameters)

    outcome = trained(replace(CONFIG, learning_rate=1e308))

    assert best_epoch(outcome) == 0
    assert_equal_parameters(outcome.network.parameters, expected)


def test_weights_that_are_no_numbers_diverge_before_the_first_step() -> None:
    network = new_network()
    network.parameters["recurrent_weights"][0, 0] = np.nan

    outcome = trained(CONFIG, network)

    assert (outcome.state, outcome.history) == ("diverged", [])
    assert outcome.reason == "validation loss nan after step 0"


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_a_validation_loss_that_is_not_finite_diverges(
    loss: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = script_validation_losses(monkeypatch, 3.0, 2.0, loss, 1.0)

    outcome = trained(config)

    assert (outcome.state, best_epoch(outcome)) == ("diverged", 1)
    assert outcome.reason == f"validation loss {loss} after step 4"
    assert len(outcome.history) == 2


def test_a_run_that_ends_worse_than_it_began_has_diverged(monkeypatch: pytest.MonkeyPatch) -> None:
    config = script_validation_losses(monkeypatch, 2.0, 1.5, 2.25)

    outcome = trained(config)

    assert outcome.state == "diverged"
    assert outcome.reason == "validation loss 2.25 at the end, above the untrained network's 2"
    assert best_epoch(outcome) == 1


@pytest.mark.parametrize("losses", [(2.0, 3.0, 1.9), (2.0, 2.0), (2.0, 1.0, 2.0)])
def test_a_run_that_ends_no_worse_than_it_began_has_finished(
    losses: tuple[float, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome = trained(script_validation_losses(monkeypatch, *losses))

    assert (outcome.state, outcome.reason) == ("finished", None)


# Repeated and carried through


@pytest.mark.parametrize("precision", ["single", "double"])
def test_equal_seeds_give_equal_bytes_and_other_seeds_others(precision: str) -> None:
    dtype = np.float32 if precision == "single" else np.float64
    outcomes = [
        trained(replace(CONFIG, seed=seed), initialised(7, 5, np.random.default_rng(3), dtype))
        for seed in (1, 1, 2)
    ]

    first, again, other = (
        b"".join(outcome.network.parameters[name].tobytes() for name in PARAMETERS)
        for outcome in outcomes
    )
    assert first == again
    assert outcomes[0].history == outcomes[1].history
    assert first != other


def test_the_truncation_depth_is_the_configured_one() -> None:
    by_depth = {
        depth: trained(replace(CONFIG, truncation_depth=depth)).network.parameters
        for depth in (0, 1, 4, "full")
    }

    # the longest sentence has five predictions, so that depth 4 cuts nothing off
    assert_equal_parameters(by_depth[4], by_depth["full"])
    for first, second in ((0, 1), (1, 4)):
        assert not np.array_equal(
            by_depth[first]["recurrent_weights"], by_depth[second]["recurrent_weights"]
        )


def test_a_step_goes_down_the_mean_of_its_batch() -> None:
    network = new_network()
    before = copies(network.parameters)

    trained(replace(CONFIG, epochs=1, batch_size=4, learning_rate=1e-5), network)

    # to first order the mean loss falls by rate * |gradient|² = |step|² / rate
    squares = sum(
        float(np.sum((network.parameters[name] - before[name]) ** 2)) for name in PARAMETERS
    )
    fallen = mean_loss(Network(before, "elman"), TRAINING) - mean_loss(network, TRAINING)
    assert fallen == pytest.approx(squares / 1e-5, rel=1e-3)


def test_a_tiny_set_is_learned_by_heart() -> None:
    tiny: Dataset = dataset_of([sentence(3, 4, 5, 6), sentence(6, 5, 4, 3)])
    config = replace(CONFIG, epochs=300, learning_rate=1.0, gradient_norm_limit=1.0)

    outcome = train(
        initialised(7, 10, np.random.default_rng(1)), tiny, tiny, config, np.random.default_rng(1)
    )

    # only the first word cannot be known: ln 2 for each of two sentences of five predictions
    floor = math.log(2) / 5
    assert outcome.state == "finished"
    assert floor < mean_loss(outcome.network, tiny) < floor + 0.01
