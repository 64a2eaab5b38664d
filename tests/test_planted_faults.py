"""Every planted fault is what it claims to be, and the gradient check catches each of them."""

import itertools
import math
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from check_strategies import (
    CHECKS,
    OF_OUTPUT,
    SOFTMAX,
    TIED,
    every_cell,
    every_kind,
    every_pair,
    numeric,
    problem,
)
from model_strategies import Step, dense, start_of, stepped, walk_back, word_row
from unrolled.analysis import planted_faults as planted_faults_module
from unrolled.analysis.gradient_check import (
    Kind,
    Problem,
    compare,
    numeric_of,
    problem_of,
    tolerances,
)
from unrolled.analysis.numeric_gradients import CENTRAL, METHODS
from unrolled.analysis.planted_faults import (
    IN_CELL,
    IN_GRADIENT,
    IN_TIME,
    Call,
    Fault,
    FaultyNetwork,
    Planted,
    planted_faults,
)
from unrolled.model import bptt
from unrolled.model.cells import CELLS
from unrolled.model.network import Network
from unrolled.model.types import Array

TOLERANCES = tolerances(CHECKS)

TOO_EARLY = "truncation one step too early"
TOO_LATE = "truncation one step too late"

# Whatever reaches the recurrent weights or the words of a step is there at any depth; what goes
# back from step to step needs a depth of one.
AT_ANY_DEPTH = {"one step off in time", "0.1 % too large", "NaN", "zeros"}
BACK_IN_TIME = {
    "flipped sign",
    "transposed matrix",
    "missing term",
    TOO_EARLY,
}
IN_CELLS = {
    "elman": "the slope of tanh",
    "gru": "the state that is kept",
    "lstm": "the memory that is kept",
}
OF_GRADIENTS = {"flipped sign", "0.1 % too large", "NaN", "zeros"}

CARRIED = Kind(carried=True)

at_some_depths = pytest.mark.parametrize("depth", [0, 3, None])
at_some_depths_of_one_or_more = pytest.mark.parametrize("depth", [1, 3, None])


@cache
def planted(cell: str, kind: Kind = SOFTMAX, depth: int | None = 1) -> list[Planted]:
    return planted_faults(problem(cell, kind, depth), numeric(cell, kind, depth), TOLERANCES)


def faults_of(cell: str, depth: int | None) -> list[Fault]:
    """The faults of the way back that are to be planted."""
    return [
        fault
        for fault in [*IN_TIME, IN_CELL[cell]]
        if (depth != 0 or fault.least_reach == 0) and (depth is not None or fault.name != TOO_LATE)
    ]


def fault_called(name: str) -> Fault:
    (fault,) = (fault for fault in IN_TIME if fault.name == name)
    return fault


def gradients_of(made: Problem, fault: Fault | None = None) -> dict[str, Array]:
    """The gradients of a problem by the sound way back or by one with a fault."""
    network = made.network
    if fault is not None:
        network = FaultyNetwork(
            network.parameters, network.cell_name, network.classes, fault.way_back
        )
    return dense(made.back_propagated(network), network.vocabulary_size)


def changed(made: Problem, fault: Fault) -> set[str]:
    """The parameters whose gradient is not the sound one to the last bit."""
    sound, faulty = gradients_of(made), gradients_of(made, fault)
    assert set(sound) == set(faulty)
    return {name for name in sound if not np.array_equal(sound[name], faulty[name])}


def assert_close(found: dict[str, Array], expected: dict[str, Array]) -> None:
    for name in expected:
        np.testing.assert_allclose(found[name], expected[name], rtol=0, atol=1e-12, err_msg=name)


# Which faults are planted


@every_pair
def test_every_fault_that_makes_a_difference_is_planted_and_caught(
    cell: str, kind: Kind, depth: int | None
) -> None:
    found = planted(cell, kind, depth)

    in_time = AT_ANY_DEPTH | BACK_IN_TIME | {TOO_LATE}
    if depth == 0:
        in_time -= BACK_IN_TIME
    if depth is None:
        in_time -= {TOO_LATE}
    in_way_back = [fault for fault in found if fault.parameter is None]
    names = [fault.fault for fault in in_way_back if fault.place != IN_CELLS[cell]]
    assert sorted(names) == sorted(in_time)
    in_cell = [fault.fault for fault in in_way_back if fault.place == IN_CELLS[cell]]
    # a slope belongs to its own step, what is kept goes back from step to step
    assert in_cell == (["missing term"] if depth != 0 or cell == "elman" else [])
    assert all(fault.caught for fault in found)


@every_pair
def test_every_gradient_has_each_fault_of_gradients_and_each_is_caught(
    cell: str, kind: Kind, depth: int | None
) -> None:
    found = [fault for fault in planted(cell, kind, depth) if fault.parameter is not None]

    parameters = problem(cell, kind, depth).network.parameters
    expected = [(name, fault) for name in parameters for fault in OF_GRADIENTS]
    assert sorted((fault.parameter or "", fault.fault) for fault in found) == sorted(expected)
    assert {fault.place for fault in found} == {"gradient of one parameter"}
    assert all(fault.caught for fault in found)


@pytest.mark.parametrize(
    ("depth", "missing"),
    [(0, BACK_IN_TIME), (2, set()), (3, {TOO_LATE}), (9, {TOO_LATE}), (None, {TOO_LATE})],
)
def test_what_a_truncation_cuts_off_is_measured_by_the_longest_sentence(
    depth: int | None, missing: set[str]
) -> None:
    made = replace(problem("gru", SOFTMAX, 0), truncation_depth=depth)
    assert made.batch.steps == 4  # so that the last output has three steps before its own

    found = planted_faults(made, numeric_of(made, CHECKS), TOLERANCES)

    in_time = [fault for fault in found if fault.parameter is None]
    names = {fault.fault for fault in in_time if fault.place != IN_CELLS["gru"]}
    assert names == (AT_ANY_DEPTH | BACK_IN_TIME | {TOO_LATE}) - missing
    assert all(fault.caught for fault in found)


@pytest.mark.parametrize("cell", ["elman", "lstm"])
@pytest.mark.parametrize("kind", [TIED, CARRIED], ids=lambda kind: kind.title)
@pytest.mark.parametrize("depth", [12, 13])
def test_truncation_is_off_by_a_step_where_losses_reach_twelve_steps_back_at_most(
    cell: str, kind: Kind, depth: int
) -> None:
    found = planted(cell, kind, depth)

    of_truncation = [fault.fault for fault in found if "truncation" in fault.fault]
    assert of_truncation == ([TOO_EARLY, TOO_LATE] if depth == 12 else [])
    others = {fault.fault for fault in found if fault.parameter is None} - {TOO_EARLY, TOO_LATE}
    assert others == (AT_ANY_DEPTH | BACK_IN_TIME) - {TOO_EARLY}
    assert all(fault.caught for fault in found)


@pytest.mark.parametrize(("sentences", "is_planted"), [(10, True), (11, False)])
def test_at_full_depth_losses_reach_as_far_back_as_the_longest_sentence_does(
    sentences: int, is_planted: bool
) -> None:
    # predictions are 3, 4, ... 12 of ten sentences, and 13 of the eleventh
    config = replace(CHECKS, sentences=sentences + 1)
    made = problem_of("gru", SOFTMAX, config, None)
    assert made.batch.steps == sentences + 3

    found = planted_faults(made, numeric_of(made, config), TOLERANCES)

    assert (TOO_EARLY in {fault.fault for fault in found}) is is_planted
    assert all(fault.caught for fault in found)


@pytest.mark.parametrize(("cell", "depth"), [("elman", 30), ("lstm", 48)])
def test_sound_code_is_not_called_blind_where_gradients_have_vanished(
    cell: str, depth: int
) -> None:
    # so far back that a step more or less, if it were planted, would not be caught
    found = planted(cell, SOFTMAX, depth)

    assert [fault for fault in found if not fault.caught] == []
    sound = compare(
        problem(cell, SOFTMAX, depth).network.parameters,
        problem(cell, SOFTMAX, depth).back_propagated(),
        numeric(cell, SOFTMAX, depth),
    )
    assert all(check.passes(TOLERANCES) for check in sound)


@pytest.mark.parametrize(("depth", "reach"), [(0, 0), (1, 1), (3, 3), (4, 3), (99, 3), (None, 3)])
def test_a_loss_reaches_back_to_its_depth_or_to_the_start(depth: int | None, reach: int) -> None:
    made = problem("elman", SOFTMAX, 0)
    trace = made.network.forward(made.batch).trace
    weights = made.network.parameters["recurrent_weights"]

    call = Call(made.network.cell, made.batch, trace, trace.hidden, weights, depth)

    assert call.reach == reach  # of four predictions


def test_planting_changes_neither_the_problem_nor_its_derivatives() -> None:
    made = problem("lstm", TIED, 1)
    derivatives = numeric_of(made, CHECKS)
    parameters = {name: array.copy() for name, array in made.network.parameters.items()}
    gradients = gradients_of(made)

    planted_faults(made, derivatives, TOLERANCES)

    for name, array in made.network.parameters.items():
        np.testing.assert_array_equal(array, parameters[name])
        np.testing.assert_array_equal(gradients_of(made)[name], gradients[name])
        for method in METHODS:
            expected = numeric("lstm", TIED, 1)[name][method]
            np.testing.assert_array_equal(derivatives[name][method], expected)


# What is not caught


@every_pair
def test_a_copy_without_a_fault_has_the_very_gradients_and_passes(
    cell: str, kind: Kind, depth: int | None
) -> None:
    made = problem(cell, kind, depth)
    network = made.network
    copy = FaultyNetwork(network.parameters, network.cell_name, network.classes)

    gradients = made.back_propagated(copy)

    sound = gradients_of(made)
    for name, gradient in dense(gradients, CHECKS.vocabulary_size).items():
        np.testing.assert_array_equal(gradient, sound[name])
    for check in compare(network.parameters, gradients, numeric(cell, kind, depth)):
        assert check.passes(TOLERANCES)


@every_cell
@at_some_depths
def test_a_fault_that_changes_nothing_is_reported_as_not_caught(
    cell: str, depth: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = Fault("nothing", "nowhere", lambda call: bptt.deltas(*call), 0)
    monkeypatch.setattr(planted_faults_module, "IN_TIME", [*IN_TIME, nothing])
    of_gradients = {**IN_GRADIENT, "nothing": np.copy}
    monkeypatch.setattr(planted_faults_module, "IN_GRADIENT", of_gradients)

    found = planted_faults(problem(cell, SOFTMAX, depth), numeric(cell, SOFTMAX, depth), TOLERANCES)

    uncaught = [fault for fault in found if not fault.caught]
    names = list(problem(cell, SOFTMAX, depth).network.parameters)
    assert sorted(fault.parameter or "" for fault in uncaught) == sorted(["", *names])
    for fault in uncaught:
        assert fault.fault == "nothing"
        assert 0 < fault.error < 1e-13  # the noise of the complex step


@every_cell
@pytest.mark.parametrize("depth", [1, None])
def test_a_transposed_matrix_is_not_caught_where_all_matrices_are_symmetric(
    cell: str, depth: int | None
) -> None:
    made = problem(cell, SOFTMAX, depth)
    recurrent = made.network.parameters["recurrent_weights"].reshape(-1, 3, 3)
    symmetric = (recurrent + recurrent.swapaxes(1, 2)).reshape(-1, 3)
    parameters = {**made.network.parameters, "recurrent_weights": symmetric}
    made = replace(made, network=replace(made.network, parameters=parameters))

    found = planted_faults(made, numeric_of(made, CHECKS), TOLERANCES)

    assert [fault.fault for fault in found if not fault.caught] == ["transposed matrix"]


@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_a_state_that_is_not_kept_is_not_missed(cell: str) -> None:
    made = problem(cell, SOFTMAX, 2)
    bias = made.network.parameters["bias"].copy()
    bias[3:6] = -800  # the gate that keeps is the second block; σ(-800) is 0
    parameters = {**made.network.parameters, "bias": bias}
    made = replace(made, network=replace(made.network, parameters=parameters))

    found = planted_faults(made, numeric_of(made, CHECKS), TOLERANCES)

    uncaught = [fault.place for fault in found if not fault.caught]
    assert uncaught == [IN_CELLS[cell]]


def test_a_check_with_huge_tolerances_is_blind_to_all_but_nan() -> None:
    found = planted_faults(problem("gru"), numeric("gru"), dict.fromkeys(METHODS, 1e9))

    assert {fault.fault for fault in found if fault.caught} == {"NaN"}
    assert all(fault.caught == math.isnan(fault.error) for fault in found)


@pytest.mark.parametrize("blind", METHODS)
def test_one_method_is_enough_to_catch_a_fault(blind: str) -> None:
    found = planted_faults(problem("gru"), numeric("gru"), {**TOLERANCES, blind: 1e9})

    assert all(fault.caught for fault in found)


# How large an error is


def test_an_error_is_the_largest_over_all_parameters_and_that_of_nan_is_nan() -> None:
    errors = {
        (fault.fault, fault.place, fault.parameter): fault.error for fault in planted("elman")
    }

    for (fault, place, parameter), error in errors.items():
        if fault == "NaN":
            assert math.isnan(error)
        elif fault == "0.1 % too large":
            # the error of central differences, at most 1e-8, is all that others add
            assert error == pytest.approx(1e-3, abs=1e-8)
        elif fault == "zeros":
            assert error == pytest.approx(1, abs=1e-8)
        elif fault == "flipped sign" and parameter:
            assert error == pytest.approx(2, abs=1e-8)
        else:
            assert error > 1e-3, (fault, place)


def test_the_error_of_a_tiny_fault_is_its_own_and_not_that_of_central_differences(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    changes = {"a little": lambda values: (1 + 1e-10) * values}
    monkeypatch.setattr(planted_faults_module, "IN_GRADIENT", changes)
    made, derivatives = problem("gru"), numeric("gru")

    found = planted_faults(made, derivatives, TOLERANCES)

    sound = compare(made.network.parameters, made.back_propagated(), derivatives)
    assert max(check.comparisons[CENTRAL].error for check in sound) > 2e-10
    tiny = [fault for fault in found if fault.fault == "a little"]
    assert {fault.parameter for fault in tiny} == set(made.network.parameters)
    for fault in tiny:
        assert fault.error == pytest.approx(1e-10, rel=1e-3)
        assert fault.caught


# What the faults are


@every_cell
@every_kind
@at_some_depths
def test_a_fault_changes_gradients_where_it_is_and_nowhere_else(
    cell: str, kind: Kind, depth: int | None
) -> None:
    made = problem(cell, kind, depth)

    found = {(fault.name, fault.place): changed(made, fault) for fault in faults_of(cell, depth)}

    way_in = {"input_projection", "output_weights"} if kind.tied else {"input_weights"}
    of_words = way_in | {"bias"}
    for (name, place), parameters in found.items():
        if place == "what arrives at the recurrent weights":
            assert parameters == {"recurrent_weights"}
        elif name in {"NaN", "zeros"}:
            assert parameters == of_words
        else:
            assert parameters == of_words | {"recurrent_weights"}, name
        if not kind.tied:
            assert not parameters & OF_OUTPUT


@every_cell
@every_kind
@at_some_depths_of_one_or_more
def test_truncation_too_early_is_that_of_one_step_less(
    cell: str, kind: Kind, depth: int | None
) -> None:
    made = problem(cell, kind, depth)

    found = gradients_of(made, fault_called(TOO_EARLY))

    reach = made.batch.steps - 1 if depth is None else depth
    assert_close(found, gradients_of(replace(made, truncation_depth=reach - 1)))


@every_cell
@every_kind
@pytest.mark.parametrize("depth", [0, 1, 4])
def test_truncation_too_late_is_that_of_one_step_more(cell: str, kind: Kind, depth: int) -> None:
    made = problem(cell, kind, depth)

    found = gradients_of(made, fault_called(TOO_LATE))

    assert_close(found, gradients_of(replace(made, truncation_depth=depth + 1)))


@every_cell
@every_kind
@at_some_depths_of_one_or_more
def test_the_missing_term_is_what_goes_just_one_step_back(
    cell: str, kind: Kind, depth: int | None
) -> None:
    made = problem(cell, kind, depth)

    found = gradients_of(made, fault_called("missing term"))

    sound, to_one, to_none = (
        gradients_of(replace(made, truncation_depth=used)) for used in (depth, 1, 0)
    )
    assert_close(found, {name: sound[name] - (to_one[name] - to_none[name]) for name in sound})


@every_cell
@every_kind
@at_some_depths
def test_a_little_too_large_is_one_in_a_thousand_of_the_recurrent_gradient(
    cell: str, kind: Kind, depth: int | None
) -> None:
    made = problem(cell, kind, depth)

    found = gradients_of(made, fault_called("0.1 % too large"))

    expected = gradients_of(made)
    expected["recurrent_weights"] = 1.001 * expected["recurrent_weights"]
    assert_close(found, expected)


@every_cell
@every_kind
@at_some_depths
def test_one_step_off_in_time_pairs_each_state_with_the_step_before_its_own(
    cell: str, kind: Kind, depth: int | None
) -> None:
    made = problem(cell, kind, depth)

    found = gradients_of(made, fault_called("one step off in time"))

    forward = made.network.forward(made.batch, made.start)
    _, d_hidden, _ = made.network.output.loss_and_gradients(forward.hidden, made.batch.targets)
    deltas = made.network.deltas(made.batch, forward.trace, d_hidden, depth)
    expected = np.zeros_like(found["recurrent_weights"])
    for index in range(CHECKS.sentences):
        rows = np.flatnonzero(made.batch.sentence == index)
        for before, row in itertools.pairwise(rows):
            expected += np.outer(deltas.d_recurrent[before], forward.trace.previous_hidden[row])
    assert_close(found, {**gradients_of(made), "recurrent_weights": expected})


@every_cell
@every_kind
@at_some_depths
def test_zeros_leave_the_words_nothing(cell: str, kind: Kind, depth: int | None) -> None:
    made = problem(cell, kind, depth)

    found = gradients_of(made, fault_called("zeros"))

    hidden = made.network.forward(made.batch, made.start).hidden
    of_output = made.network.output.loss_and_gradients(hidden, made.batch.targets).parameters
    expected = dense(of_output, CHECKS.vocabulary_size)
    expected["recurrent_weights"] = gradients_of(made)["recurrent_weights"]
    for name in found.keys() - expected.keys():
        expected[name] = np.zeros_like(made.network.parameters[name])
    assert_close(found, expected)


@every_cell
@every_kind
@at_some_depths
def test_nan_is_one_number_of_one_word(cell: str, kind: Kind, depth: int | None) -> None:
    made = problem(cell, kind, depth)

    found = gradients_of(made, fault_called("NaN"))

    assert np.isnan(found["bias"]).tolist() == [False] * (len(found["bias"]) - 1) + [True]
    if not kind.tied:
        assert np.argwhere(np.isnan(found["input_weights"])).tolist() == [
            [made.batch.inputs[-1], len(found["bias"]) - 1]
        ]


def walked_back(made: Problem, recurrent_weights: Array) -> dict[str, Array]:
    """What every output's delta adds up to, carried back alone by other recurrent weights."""
    network, size = made.network, made.network.hidden_size
    parameters = {**network.parameters, "recurrent_weights": recurrent_weights}
    back = replace(network, parameters=parameters)
    total = {name: np.zeros_like(array) for name, array in network.parameters.items()}
    for index, end in enumerate(made.batch.sentence_starts[1:]):
        rows = made.batch.by_sentence[made.batch.sentence_starts[index] : end]
        state = start_of(network) if made.start is None else made.start[[index]]
        steps: list[Step] = []
        for t, row in enumerate(rows):
            word, before = int(made.batch.inputs[row]), state
            state, memory = stepped(network, word, before)
            steps.append(Step(word, np.ones(1), word_row(network, word), before, state, memory))
            target = made.batch.targets[[row]]
            _, d_hidden, _ = network.output.loss_and_gradients(state[:, :size].copy(), target)
            first = 0 if made.truncation_depth is None else max(0, t - made.truncation_depth)
            walk_back(back, steps[first:], d_hidden[0], total)
    return {name: total[name] for name in ("input_weights", "bias", "recurrent_weights")}


MATRICES: dict[str, Callable[[list[Array]], list[Array]]] = {
    "flipped sign": lambda blocks: [-block for block in blocks],
    "transposed matrix": lambda blocks: [block.T for block in blocks],
}


@every_cell
@pytest.mark.parametrize("kind", [SOFTMAX, CARRIED], ids=lambda kind: kind.title)
@at_some_depths_of_one_or_more
@pytest.mark.parametrize("name", MATRICES)
def test_a_wrong_matrix_is_wrong_on_the_way_back_alone(
    cell: str, kind: Kind, depth: int | None, name: str
) -> None:
    made = problem(cell, kind, depth)
    weights = made.network.parameters["recurrent_weights"]

    found = gradients_of(made, fault_called(name))

    assert_close(gradients_of(made), walked_back(made, weights))
    blocks = [weights[row : row + 3] for row in range(0, len(weights), 3)]
    assert_close(found, walked_back(made, np.concatenate(MATRICES[name](blocks))))


@every_cell
@every_kind
@at_some_depths_of_one_or_more
def test_the_term_that_is_missing_in_a_cell_is_the_named_one(
    cell: str, kind: Kind, depth: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, module = problem(cell, kind, depth), CELLS[cell]
    found = gradients_of(made, IN_CELL[cell])
    sound = gradients_of(made)

    back, slopes = module.step_backward, module.slopes
    if cell == "elman":
        monkeypatch.setattr(module, "slopes", lambda *arrays: 0 * slopes(*arrays) + 1)
    elif cell == "gru":
        monkeypatch.setattr(
            module, "step_backward", lambda *arrays: back(*arrays)._replace(d_hidden=None)
        )
    else:
        monkeypatch.setattr(
            module,
            "step_backward",
            lambda d_hidden, d_rest, slopes: back(d_hidden, d_rest, slopes)._replace(
                d_rest=0 * d_rest
            ),
        )

    expected = gradients_of(made)
    assert_close(found, expected)
    assert np.abs(expected["recurrent_weights"] - sound["recurrent_weights"]).max() > 1e-6


def test_a_copy_uses_the_way_back_that_it_was_given() -> None:
    made = problem("elman")
    calls: list[Call] = []

    def noted(call: Call) -> bptt.Deltas:
        calls.append(call)
        return bptt.deltas(*call)

    made.back_propagated(FaultyNetwork(made.network.parameters, "elman", None, noted))

    (call,) = calls
    assert call.cell is CELLS["elman"]
    assert call.batch is made.batch
    assert call.depth == 1
    np.testing.assert_array_equal(
        call.recurrent_weights, made.network.parameters["recurrent_weights"]
    )
    assert not isinstance(made.network, FaultyNetwork)
    assert isinstance(made.network, Network)
