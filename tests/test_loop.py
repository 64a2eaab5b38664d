"""The training loop: what it watches, what it keeps, and when it gives a run up."""

import itertools
import math
import re
import weakref
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pytest

from model_strategies import (
    PARAMETERS,
    dataset_of,
    network_of,
    reference_log_probability,
    sentence,
    some_classes,
)
from training_strategies import (
    ALL_AT_ONCE,
    KINDS,
    RECIPE,
    read_by_hand,
    split_of,
)
from unrolled.config.sections import TrainingConfig
from unrolled.model.cells import CELLS
from unrolled.model.initialisation import initialised
from unrolled.model.network import Network
from unrolled.model.packing import PackedBatch
from unrolled.model.types import Parameters
from unrolled.text.classes import WordClasses
from unrolled.text.dataset import Dataset
from unrolled.training import loop
from unrolled.training.loop import Evaluation, Outcome, mean_loss, train
from unrolled.training.optimisers import OPTIMISERS
from unrolled.training.schedules import SCHEDULES

SENTENCES = [sentence(3, 4, 5), sentence(4, 5, 6, 3), sentence(5, 3), sentence(3, 4, 6)]
TRAINING = dataset_of(SENTENCES)
VALIDATION = dataset_of([sentence(3, 4, 5, 3), sentence(4, 6)])


def new_network(seed: int = 1) -> Network:
    return initialised(7, 5, np.random.default_rng(seed))


def trained(config: TrainingConfig = RECIPE, network: Network | None = None) -> Outcome:
    rng = np.random.default_rng(config.seed)
    return train(network or new_network(), TRAINING, VALIDATION, config, rng)


def copies(parameters: Parameters) -> Parameters:
    return {name: array.copy() for name, array in parameters.items()}


def assert_equal_parameters(found: Parameters, expected: Parameters, tolerance: float = 0) -> None:
    for name in PARAMETERS:
        np.testing.assert_allclose(
            found[name], expected[name], rtol=0, atol=tolerance, err_msg=name
        )


def script_validation_losses(monkeypatch: pytest.MonkeyPatch, *losses: float) -> TrainingConfig:
    """Let validation find these losses, one after the other; a recipe of as many epochs."""
    remaining: Iterator[float] = iter(losses)
    monkeypatch.setattr(loop, "mean_loss", lambda *arguments: next(remaining))
    return replace(RECIPE, epochs=len(losses) - 1, learning_rate=1.0)


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
    outcome = trained(replace(RECIPE, epochs=2, batch_size=1, evaluations_per_epoch=2))

    # four sentences, one a step, two looks an epoch
    assert [evaluation.epoch for evaluation in outcome.history] == [0, 0.5, 1, 1.5, 2]
    assert [evaluation.step for evaluation in outcome.history] == [0, 2, 4, 6, 8]


@pytest.mark.parametrize("recipe", [RECIPE, ALL_AT_ONCE], ids=["sentences", "streams"])
def test_the_order_of_an_epoch_is_let_go_before_the_next_one_is_drawn(
    monkeypatch: pytest.MonkeyPatch, recipe: TrainingConfig
) -> None:
    drawn: list[weakref.ref[Any]] = []
    held: list[int] = []
    draw = loop._Run._batches

    def draw_and_note(run: Any) -> Any:
        held.append(sum(order() is not None for order in drawn))
        batches = draw(run)
        drawn.append(weakref.ref(batches))
        return batches

    monkeypatch.setattr(loop._Run, "_batches", draw_and_note)

    trained(replace(recipe, epochs=3, patience=None))

    assert held == [0, 0, 0]


def test_epochs_are_counted_in_parts_that_are_not_rounded() -> None:
    config = replace(RECIPE, epochs=2, batch_size=1, evaluations_per_epoch=3)
    rng = np.random.default_rng(1)

    outcome = train(new_network(), dataset_of(SENTENCES[:3]), VALIDATION, config, rng)

    # three sentences, one a step, a look after each
    epochs = [evaluation.epoch for evaluation in outcome.history]
    assert epochs == pytest.approx([k / 3 for k in range(7)], rel=1e-15)


def test_more_looks_than_batches_are_one_a_batch() -> None:
    outcome = trained(replace(RECIPE, epochs=1, evaluations_per_epoch=10))

    assert [evaluation.step for evaluation in outcome.history] == [0, 1, 2]


def test_training_loss_is_the_mean_since_the_evaluation_before() -> None:
    config = replace(RECIPE, epochs=2, batch_size=1, evaluations_per_epoch=4)
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
    outcome = trained(replace(RECIPE, epochs=1, batch_size=4))

    # with one batch an epoch, the loss before the only step: that of the untrained network
    expected = mean_loss(new_network(), TRAINING)
    assert outcome.history[1].train_loss_nats_per_token == pytest.approx(expected, rel=1e-12)


def test_mean_loss_is_the_references_per_predicted_token() -> None:
    network = new_network(2)

    # 4 + 5 + 3 + 4 predictions, ends included
    expected = -sum(reference_log_probability(network, words) for words in SENTENCES) / 16
    assert mean_loss(network, TRAINING) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("cell", "bias", "tied"), KINDS)
def test_every_cell_learns_and_stays_what_it_is(cell: str, bias: bool, tied: bool) -> None:
    network = initialised(7, 5, np.random.default_rng(1), cell_name=cell, bias=bias, tied=tied)
    before = copies(network.parameters)

    outcome = trained(network=network)

    assert outcome.network.cell_name == cell
    assert set(outcome.network.parameters) == set(before)
    for name, array in outcome.network.parameters.items():
        assert (array != before[name]).any(), name
    assert outcome.best is not None
    assert outcome.best.validation_loss_nats_per_token == mean_loss(outcome.network, VALIDATION)
    assert mean_loss(outcome.network, TRAINING) < mean_loss(Network(before, cell), TRAINING)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("bias", [False, True], ids=["plain", "bias"])
def test_a_network_with_word_classes_learns_and_keeps_them(cell: str, bias: bool) -> None:
    classes = some_classes(7)
    network = initialised(
        7, 5, np.random.default_rng(1), cell_name=cell, bias=bias, classes=classes
    )
    before = replace(network, parameters=copies(network.parameters))

    outcome = trained(network=network)

    assert outcome.network.cell_name == cell
    assert outcome.network.classes is classes
    assert set(outcome.network.parameters) == set(before.parameters)
    for name, array in outcome.network.parameters.items():
        assert (array != before.parameters[name]).any(), name
    assert outcome.best is not None
    assert outcome.best.validation_loss_nats_per_token == mean_loss(outcome.network, VALIDATION)
    assert mean_loss(outcome.network, TRAINING) < mean_loss(before, TRAINING)


def test_every_evaluation_and_every_batch_is_shown_as_it_comes() -> None:
    evaluations: list[Evaluation] = []
    epochs: list[tuple[int, range, int]] = []

    def progress(
        batches: Iterable[PackedBatch], numbers: range, epoch: int
    ) -> Iterable[PackedBatch]:
        shown = list(batches)
        epochs.append((epoch, numbers, len(shown)))
        return shown

    config = replace(RECIPE, epochs=2, batch_size=3)
    rng = np.random.default_rng(1)
    outcome = train(new_network(), TRAINING, VALIDATION, config, rng, progress, evaluations.append)

    assert evaluations == outcome.history
    assert epochs == [
        (1, range(2), 2),
        (2, range(2), 2),
    ]  # 4 sentences are a batch of 3 and one of 1


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
    outcome = trained(replace(RECIPE, learning_rate=8.0, epochs=12))

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


def test_warm_up_and_schedule_are_read_in_the_middle_of_each_step() -> None:
    config = replace(
        RECIPE, epochs=4, learning_rate=1.0, schedule="cosine", warmup_epochs=2, batch_size=2
    )

    outcome = trained(config)

    # two steps an epoch, the last of each at 0.75, 1.75, 2.75 and 3.75 epochs; the first two are
    # among the two epochs of warm-up, the others 3/8 and 7/8 of the way down
    rates = [evaluation.learning_rate for evaluation in outcome.history]
    down = [(1 + math.cos(math.pi * share)) / 2 for share in (3 / 8, 7 / 8)]
    assert rates == pytest.approx([1.0, 0.75 / 2, 1.75 / 2, *down], rel=1e-14)


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize(
    ("optimiser", "rate"), [("sgd", 0.5), ("momentum", 0.1), ("adam", 0.02), ("adam_and_sgd", 0.02)]
)
@pytest.mark.parametrize("classes", [None, some_classes(7)], ids=["softmax", "classes"])
def test_every_optimiser_learns_on_every_schedule(
    classes: WordClasses | None, optimiser: Any, rate: float, schedule: Any
) -> None:
    config = replace(
        RECIPE,
        optimiser=optimiser,
        learning_rate=rate,
        class_learning_rate=0.5,
        schedule=schedule,
    )

    outcome = trained(config, initialised(7, 5, np.random.default_rng(1), classes=classes))

    losses = [evaluation.validation_loss_nats_per_token for evaluation in outcome.history]
    assert outcome.state == "finished"
    assert losses[-1] < losses[0] - 0.05


# When training ends early


@pytest.mark.parametrize(
    ("losses", "patience", "looks"),
    [
        # a new lowest loss at look 1 (3.0 is look 0), then none
        ((3.0, 2.0, 2.1, 1.9, 1.8), 1, 2),
        ((3.0, 2.0, 2.1, 2.0, 1.8), 2, 3),  # an equal loss is not a new lowest
        ((3.0, 2.0, 2.1, 1.9, 2.5, 2.4, 1.8), 2, 5),
        ((3.0, 3.1, 3.2, 3.3, 1.0), 3, 3),
        ((3.0, 2.0, 2.1, 2.2), 3, 3),
        ((3.0, 2.0, 1.9, 1.8), 1, 3),
        ((3.0, 2.0, 2.1, 2.2), None, 3),
    ],
)
def test_training_ends_after_as_many_looks_without_a_new_lowest_loss_as_patience_says(
    losses: tuple[float, ...],
    patience: int | None,
    looks: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = replace(script_validation_losses(monkeypatch, *losses), patience=patience)

    outcome = trained(config)

    assert outcome.history[-1].epoch == len(outcome.history) - 1 == looks
    assert best_epoch(outcome) == losses.index(min(losses[: looks + 1]))


def test_patience_counts_looks_and_keeps_the_parameters_of_the_lowest_loss(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scripted = script_validation_losses(monkeypatch, 3.0, 2.0, 2.5, 2.5, 2.5, 1.0, 1.0)
    config = replace(scripted, batch_size=1, evaluations_per_epoch=4, patience=2)
    network, seen = new_network(), list[Parameters]()

    outcome = train(
        network,
        TRAINING,
        VALIDATION,
        config,
        np.random.default_rng(1),
        on_evaluation=lambda _: seen.append(copies(network.parameters)),
    )

    # four sentences, one a step, a look after each: the end is within the first epoch
    assert [evaluation.step for evaluation in outcome.history] == [0, 1, 2, 3]
    assert_equal_parameters(outcome.network.parameters, seen[1])


# A state that goes on from sentence to sentence

DOCUMENTS = [SENTENCES[:2], SENTENCES[2:3], [*SENTENCES[3:], *SENTENCES]]


@pytest.mark.parametrize("batch_size", [4, 9])
def test_documents_of_one_sentence_in_long_segments_are_sentences(batch_size: int) -> None:
    split = split_of([[words] for words in SENTENCES])

    carried, plain = (
        train(new_network(), split, VALIDATION, config, np.random.default_rng(1))
        for config in (
            replace(RECIPE, carry_state=True, batch_size=batch_size, segment_length=99),
            replace(RECIPE, batch_size=4),
        )
    )

    # one step an epoch, on all of the split, whatever the order
    assert carried.history[-1].step == plain.history[-1].step == 5
    assert_equal_parameters(carried.network.parameters, plain.network.parameters, 1e-12)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("segment_length", [1, 2, 5])
def test_in_training_the_state_goes_on_from_segment_to_segment_of_a_document(
    cell: str, segment_length: int
) -> None:
    network, split = network_of(1, cell_name=cell), split_of(DOCUMENTS)
    config = replace(
        RECIPE,
        epochs=1,
        batch_size=1,
        learning_rate=1e-13,  # so that the network stays what it is
        carry_state=True,
        segment_length=segment_length,
    )

    outcome = train(network, split, VALIDATION, config, np.random.default_rng(1))

    by_hand = [loss for document in DOCUMENTS for loss, _ in read_by_hand(network, document)]
    expected = math.fsum(by_hand) / len(by_hand)
    assert outcome.history[1].train_loss_nats_per_token == pytest.approx(expected, rel=1e-10)
    assert abs(expected - mean_loss(network, split)) > 1e-4


def test_no_gradient_travels_beyond_a_segment() -> None:
    recipes: list[tuple[int, int | Literal["full"]]] = [(1, "full"), (1, 0), (9, "full")]

    short_full, short_none, long_full = (
        train(
            new_network(),
            split_of(DOCUMENTS),
            VALIDATION,
            replace(
                RECIPE,
                epochs=1,
                carry_state=True,
                segment_length=segment_length,
                truncation_depth=depth,
                learning_rate=1e-3,
            ),
            np.random.default_rng(1),
        ).network.parameters["recurrent_weights"]
        for segment_length, depth in recipes
    )

    np.testing.assert_array_equal(short_full, short_none)
    assert not np.allclose(short_full, long_full, rtol=0, atol=1e-9)


def test_with_carried_state_validation_carries_it_too() -> None:
    validation = split_of(DOCUMENTS)

    outcome = train(
        new_network(),
        TRAINING,
        validation,
        replace(RECIPE, carry_state=True, epochs=1),
        np.random.default_rng(1),
    )

    found = outcome.history[0].validation_loss_nats_per_token
    assert found == mean_loss(new_network(), validation, carry_state=True)
    assert found != mean_loss(new_network(), validation)


# Dropout


@pytest.mark.parametrize("place", ["input_dropout", "output_dropout"])
def test_dropout_acts_in_training_only(place: str) -> None:
    dropping: TrainingConfig = replace(RECIPE, **{place: 0.5})  # type: ignore[arg-type]

    with_it, without = trained(dropping), trained()

    # the validation loss of the untrained network, and that of the kept one, drop nothing
    assert with_it.history[0] == without.history[0]
    assert with_it.best is not None
    assert with_it.best.validation_loss_nats_per_token == mean_loss(with_it.network, VALIDATION)
    assert with_it.history[1].train_loss_nats_per_token != pytest.approx(
        without.history[1].train_loss_nats_per_token, rel=1e-3
    )


@pytest.mark.parametrize("place", ["input_dropout", "output_dropout"])
def test_each_step_drops_anew_so_that_losses_differ_where_nothing_else_does(place: str) -> None:
    config = replace(
        RECIPE,
        batch_size=4,
        learning_rate=1e-13,
        **{place: 0.5},  # type: ignore[arg-type]
    )

    outcome = trained(config)

    losses = [evaluation.train_loss_nats_per_token for evaluation in outcome.history[1:]]
    assert len({round(float(loss or 0), 9) for loss in losses}) == 5


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
    outcome = trained(replace(RECIPE, learning_rate=8.0, epochs=12))

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

    outcome = trained(replace(RECIPE, learning_rate=learning_rate), network)

    assert outcome.state == "diverged"
    assert re.fullmatch(
        "(loss (nan|inf) and gradient norm .* at|validation loss (nan|inf) after) step [23]",
        str(outcome.reason),
    )
    assert [evaluation.epoch for evaluation in outcome.history] == [0]


def test_a_diverged_run_hands_over_the_best_finite_parameters() -> None:
    expected = copies(new_network().parameters)

    outcome = trained(replace(RECIPE, learning_rate=1e308))

    assert best_epoch(outcome) == 0
    assert_equal_parameters(outcome.network.parameters, expected)


def test_weights_that_are_no_numbers_diverge_before_the_first_step() -> None:
    network = new_network()
    network.parameters["recurrent_weights"][0, 0] = np.nan

    outcome = trained(RECIPE, network)

    assert (outcome.state, outcome.history) == ("diverged", [])
    assert outcome.reason == "validation loss nan after step 0"


@pytest.mark.parametrize(
    ("loss", "norm"), [(math.nan, 1.0), (math.inf, 1.0), (8.0, math.nan), (8.0, math.inf)]
)
def test_a_loss_or_gradient_that_is_not_finite_moves_no_parameter(
    loss: float, norm: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = new_network()
    before = copies(network.parameters)
    monkeypatch.setattr(Network, "loss_and_gradients", lambda *_: (loss, before))
    monkeypatch.setattr(loop, "gradient_norm", lambda gradients: norm)

    outcome = trained(RECIPE, network)

    assert outcome.state == "diverged"
    assert re.fullmatch(f"loss {loss} and gradient norm .+ at step 1", str(outcome.reason))
    assert_equal_parameters(network.parameters, before)


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


@pytest.mark.parametrize("limit", [None, 1.0])
@pytest.mark.parametrize("optimiser", OPTIMISERS)
@pytest.mark.parametrize(("cell", "bias", "tied"), KINDS)
def test_every_optimiser_of_every_cell_diverges_at_a_named_step_without_a_warning(
    cell: str, bias: bool, tied: bool, optimiser: Any, limit: float | None
) -> None:
    network = initialised(7, 5, np.random.default_rng(1), np.float32, cell, bias, tied)
    config = replace(RECIPE, optimiser=optimiser, learning_rate=1e39, gradient_norm_limit=limit)

    outcome = trained(config, network)

    assert outcome.state == "diverged"
    assert re.search("step [23]$", str(outcome.reason)), outcome.reason
    assert all(np.isfinite(array).all() for array in outcome.network.parameters.values())


# Repeated and carried through


@pytest.mark.parametrize("optimiser", OPTIMISERS)
@pytest.mark.parametrize("cell", CELLS)
def test_equal_seeds_give_equal_bytes_with_every_option_of_the_recipe(
    cell: str, optimiser: Any
) -> None:
    first, again, other = (
        train(
            initialised(
                7, 5, np.random.default_rng(3), np.float32, cell, True, tied=True, orthogonal=True
            ),
            split_of(DOCUMENTS),
            VALIDATION,
            replace(ALL_AT_ONCE, optimiser=optimiser),
            np.random.default_rng(seed),
        )
        for seed in (1, 1, 2)
    )

    assert first.history == again.history
    assert first.history != other.history
    for name, array in first.network.parameters.items():
        assert array.tobytes() == again.network.parameters[name].tobytes()
        assert array.dtype == np.float32


@pytest.mark.parametrize("precision", ["single", "double"])
def test_equal_seeds_give_equal_bytes_and_other_seeds_others(precision: str) -> None:
    dtype = np.float32 if precision == "single" else np.float64
    outcomes = [
        trained(replace(RECIPE, seed=seed), initialised(7, 5, np.random.default_rng(3), dtype))
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
        depth: trained(replace(RECIPE, truncation_depth=depth)).network.parameters
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

    trained(replace(RECIPE, epochs=1, batch_size=4, learning_rate=1e-5), network)

    # to first order the mean loss falls by rate * |gradient|² = |step|² / rate
    squares = sum(
        float(np.sum((network.parameters[name] - before[name]) ** 2)) for name in PARAMETERS
    )
    fallen = mean_loss(Network(before, "elman"), TRAINING) - mean_loss(network, TRAINING)
    assert fallen == pytest.approx(squares / 1e-5, rel=1e-3)


def test_a_tiny_set_is_learned_by_heart() -> None:
    tiny: Dataset = dataset_of([sentence(3, 4, 5, 6), sentence(6, 5, 4, 3)])
    config = replace(RECIPE, epochs=300, learning_rate=1.0, gradient_norm_limit=1.0)

    outcome = train(
        initialised(7, 10, np.random.default_rng(1)), tiny, tiny, config, np.random.default_rng(1)
    )

    # only the first word cannot be known: ln 2 for each of two sentences of five predictions
    floor = math.log(2) / 5
    assert outcome.state == "finished"
    assert floor < mean_loss(outcome.network, tiny) < floor + 0.01
