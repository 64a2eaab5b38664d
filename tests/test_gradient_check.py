"""The gradient check lets sound gradients pass and stops every wrong one."""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pytest

from check_strategies import (
    CHECKS,
    CLASSES,
    DEPTHS,
    OF_OUTPUT,
    SOFTMAX,
    TIED,
    every_cell,
    every_depth,
    every_kind,
    every_pair,
    numeric,
    problem,
)
from model_strategies import BIASES, dense
from unrolled.analysis import gradient_check
from unrolled.analysis.gradient_check import (
    KINDS,
    Comparison,
    Kind,
    ParameterCheck,
    Problem,
    compare,
    numeric_of,
    plain_errors,
    problem_of,
    small_classes,
    tolerances,
)
from unrolled.analysis.numeric_gradients import CENTRAL, COMPLEX, METHODS
from unrolled.config.sections import ChecksConfig
from unrolled.model import bptt
from unrolled.model.cells import CELLS
from unrolled.model.cells.cell import StepGradients
from unrolled.model.packing import pack
from unrolled.model.types import Array, Gradients, Parameters, RowGradient

TOLERANCES = tolerances(CHECKS)
TIGHT = {CENTRAL: 1e-8, COMPLEX: 1e-13}
"""What sound code keeps to: below 5e-9, as far as central differences go, and below 5e-15."""

SMALLEST = replace(CHECKS, hidden_size=2, vocabulary_size=4, sentences=1)

Change = Callable[[Array], Array]


def checked(config: ChecksConfig, cell: str, kind: Kind, depth: int | None) -> list[ParameterCheck]:
    """The checks of a problem made anew."""
    made = problem_of(cell, kind, config, depth)
    return compare(made.network.parameters, made.back_propagated(), numeric_of(made, config))


def compared(
    gradients: Gradients, cell: str, kind: Kind = SOFTMAX, depth: int | None = 1
) -> dict[str, ParameterCheck]:
    """Gradients against the derivatives of a problem of the settings that tests share."""
    parameters = problem(cell, kind, depth).network.parameters
    checks = compare(parameters, gradients, numeric(cell, kind, depth))
    return {check.parameter: check for check in checks}


def sound_gradients(cell: str, kind: Kind = SOFTMAX, depth: int | None = 1) -> dict[str, Array]:
    """The gradients of such a problem."""
    return dense(problem(cell, kind, depth).back_propagated(), CHECKS.vocabulary_size)


def passed(checks: Mapping[str, ParameterCheck]) -> set[str]:
    return {name for name, check in checks.items() if check.passes(TOLERANCES)}


def names_of(cell: str, kind: Kind) -> set[str]:
    return set(problem(cell, kind).network.parameters)


# Sound gradients


@every_cell
@every_kind
@every_depth
def test_sound_code_passes_for_every_cell_and_kind_at_every_depth(
    cell: str, kind: Kind, depth: int | None
) -> None:
    gradients = problem(cell, kind, depth).back_propagated()

    checks = compared(gradients, cell, kind, depth)

    word_in = "input_projection" if kind.tied else "input_weights"
    names = {word_in, "recurrent_weights", "output_weights", *BIASES}
    if kind.output == "classes":
        names |= {"root_weights", "root_bias"}
    assert set(checks) == names
    for check in checks.values():
        assert tuple(check.comparisons) == METHODS
        assert check.passes(TIGHT), check


@every_cell
@every_kind
def test_sound_code_passes_with_another_seed(cell: str, kind: Kind) -> None:
    for check in checked(replace(CHECKS, seed=3), cell, kind, 1):
        assert check.passes(TIGHT), check


@every_cell
@every_kind
@pytest.mark.parametrize("depth", [0, 1, None])
def test_sound_code_passes_with_the_smallest_settings(
    cell: str, kind: Kind, depth: int | None
) -> None:
    for check in checked(SMALLEST, cell, kind, depth):
        # gradients of few words may be small, and the error of central differences is not
        assert check.passes({CENTRAL: CHECKS.central_tolerance, COMPLEX: 1e-13}), check


@every_cell
@every_kind
@pytest.mark.parametrize("depth", [0, 3])
def test_the_plain_derivative_disagrees_where_the_truncation_bites(
    cell: str, kind: Kind, depth: int
) -> None:
    made = problem(cell, kind, depth)

    errors = plain_errors(made, made.back_propagated(), numeric(cell, kind, depth))

    # what acts at the output alone is not cut; tied output weights act on the way in as well
    uncut = ({"output_bias"} if kind.tied else OF_OUTPUT) & set(errors)
    assert set(errors) == names_of(cell, kind)
    assert {name for name, error in errors.items() if error <= 1e-13} == uncut
    assert {name for name, error in errors.items() if error <= 1e-5} == uncut


@every_cell
@every_kind
def test_the_plain_derivative_agrees_at_full_depth(cell: str, kind: Kind) -> None:
    made = problem(cell, kind, None)

    errors = plain_errors(made, made.back_propagated(), numeric(cell, kind, None))

    assert set(errors) == names_of(cell, kind)
    assert max(errors.values()) <= 1e-13


def test_at_full_depth_nothing_is_differentiated_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    made, found = problem("elman", SOFTMAX, None), numeric("elman", SOFTMAX, None)
    gradients = made.back_propagated()
    asked: list[object] = []
    monkeypatch.setattr(gradient_check, "complex_step", lambda *arguments: asked.append(arguments))

    errors = plain_errors(made, gradients, found)

    assert asked == []
    assert set(errors) == set(found)


def test_a_plain_error_is_the_largest_difference_over_the_largest_value() -> None:
    gradients = sound_gradients("elman", SOFTMAX, None)
    largest = np.abs(gradients["bias"]).max()
    gradients["bias"][1] += 0.25 * largest

    made = problem("elman", SOFTMAX, None)
    errors = plain_errors(made, gradients, numeric("elman", SOFTMAX, None))

    assert errors["bias"] == pytest.approx(0.25, rel=1e-12)
    assert errors["recurrent_weights"] <= 1e-13


# What is checked


def test_kinds_are_all_output_layers_with_and_without_a_state_carried_over() -> None:
    assert [kind.title for kind in KINDS] == [
        "softmax",
        "softmax, state carried over",
        "softmax, tied weights",
        "softmax, tied weights, state carried over",
        "word classes",
        "word classes, state carried over",
    ]
    assert KINDS[3] == Kind("softmax", tied=True, carried=True)
    assert KINDS[4] == Kind("classes", tied=False, carried=False)


@every_pair
def test_a_problem_is_what_was_asked_for(cell: str, kind: Kind, depth: int | None) -> None:
    made = problem_of(cell, kind, CHECKS, depth)

    network = made.network
    assert network.cell_name == cell
    assert network.tied is kind.tied
    assert (network.classes is not None) is (kind.output == "classes")
    assert {"bias", "output_bias"} <= set(network.parameters)
    assert (network.vocabulary_size, network.hidden_size) == (5, 3)
    assert {array.dtype for array in network.parameters.values()} == {np.dtype(np.float64)}
    assert made.truncation_depth == depth
    assert (made.start is not None) is kind.carried
    if made.start is not None:
        assert made.start.shape == (CHECKS.sentences, 3 * CELLS[cell].PARTS)
        assert np.abs(made.start).max() <= 1
        assert np.abs(made.start).min() > 0
        assert len(np.unique(made.start)) == made.start.size


@pytest.mark.parametrize("depth", [*DEPTHS, 12])
@pytest.mark.parametrize("sentences", [1, 2, 5])
def test_sentences_are_longer_than_the_depth_and_two(depth: int | None, sentences: int) -> None:
    config = replace(CHECKS, sentences=sentences)

    batch = problem_of("elman", SOFTMAX, config, depth).batch

    lengths = np.diff(batch.sentence_starts)  # in predictions
    assert len(lengths) == len(set(lengths.tolist())) == sentences
    assert lengths.min() > (depth or 0) + 2
    assert batch.inputs.max() < 5


@pytest.mark.parametrize("vocabulary_size", [4, 5, 12])
def test_a_word_that_shares_its_class_is_predicted_whatever_the_seed(vocabulary_size: int) -> None:
    configs = [replace(SMALLEST, vocabulary_size=vocabulary_size, seed=seed) for seed in range(20)]

    made = [problem_of("elman", CLASSES, config, 0) for config in configs]

    class_of = small_classes(vocabulary_size).class_of
    sizes = np.bincount(class_of)
    assert min(sizes[class_of[one.batch.targets]].max() for one in made) > 1


@every_kind
def test_the_same_seed_makes_the_same_problem_and_another_one_another(kind: Kind) -> None:
    found, again = problem_of("gru", kind, CHECKS, 1), problem_of("gru", kind, CHECKS, 1)
    other = problem_of("gru", kind, replace(CHECKS, seed=CHECKS.seed + 1), 1)

    for name, array in found.network.parameters.items():
        np.testing.assert_array_equal(array, again.network.parameters[name])
        assert (array != other.network.parameters[name]).all()
    np.testing.assert_array_equal(found.batch.inputs, again.batch.inputs)
    assert found.batch.inputs.tolist() != other.batch.inputs.tolist()
    if kind.carried:
        np.testing.assert_array_equal(found.start, again.start)
        assert found.start is not None
        assert (found.start != other.start).all()


@pytest.mark.parametrize("vocabulary_size", [4, 5, 6, 9, 16])
def test_checked_classes_are_words_alone_and_classes_of_several(vocabulary_size: int) -> None:
    classes = small_classes(vocabulary_size)

    sizes = [len(members) for members in classes.members]
    assert sum(sizes) == len(classes) == vocabulary_size
    assert sizes.count(1) == vocabulary_size // 4
    assert max(sizes) > 2


def test_derivatives_are_of_every_entry_by_both_methods_at_the_problems_depth() -> None:
    made = problem("lstm", CLASSES, 2)

    found = numeric("lstm", CLASSES, 2)

    assert set(found) == set(made.network.parameters)
    for name, derivatives in found.items():
        assert tuple(derivatives) == METHODS
        shape = made.network.parameters[name].shape
        assert {values.shape for values in derivatives.values()} == {shape}
    of_full_depth = numeric_of(replace(made, truncation_depth=None), CHECKS)
    difference = found["recurrent_weights"][COMPLEX] - of_full_depth["recurrent_weights"][COMPLEX]
    assert np.abs(difference).max() > 1e-3


@pytest.mark.parametrize(("step", "least"), [(1e-2, 1e-6), (1e-3, 1e-8)])
def test_the_step_of_central_differences_is_the_configured_one(step: float, least: float) -> None:
    checks = checked(replace(CHECKS, central_step=step), "gru", SOFTMAX, 1)

    errors = [check.comparisons[CENTRAL].error for check in checks]
    assert least < max(errors) < 1000 * least  # h² L''' / 6, nothing else is as large
    assert max(check.comparisons[COMPLEX].error for check in checks) < 1e-14


def test_tolerances_are_the_configured_ones() -> None:
    config = replace(CHECKS, central_tolerance=0.25, complex_tolerance=0.125)

    assert tolerances(config) == {"central differences": 0.25, "complex step": 0.125}


# Planted faults

FAULTS: dict[str, Change] = {
    "flipped sign": lambda gradient: -gradient,
    "a thousandth too large": lambda gradient: gradient * 1.001,
    "a thousandth too small": lambda gradient: gradient * 0.999,
    "averaged rather than summed": lambda gradient: gradient / 9,
    "all zeros": np.zeros_like,
    "all NaN": lambda gradient: np.full_like(gradient, np.nan),
    "all infinite": lambda gradient: np.full_like(gradient, np.inf),
    "one NaN": lambda gradient: with_one(gradient, math.nan),
    "one infinity": lambda gradient: with_one(gradient, math.inf),
    "one negative infinity": lambda gradient: with_one(gradient, -math.inf),
    "one entry wrong": lambda gradient: with_one(gradient, 0.123),
    "rows in another order": lambda gradient: np.roll(gradient, 1, axis=0),
    "columns in another order": lambda gradient: np.roll(gradient, 1, axis=-1),
}

every_fault = pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)


def with_one(array: Array, value: float) -> Array:
    """The same array with its second entry replaced."""
    copy = array.copy()
    copy.flat[1] = value
    return copy


@every_fault
def test_a_planted_fault_fails_its_parameter_and_no_other(fault: Change) -> None:
    gradients = sound_gradients("elman", CLASSES)

    left = {
        name: passed(compared({**gradients, name: fault(gradients[name])}, "elman", CLASSES))
        for name in gradients
    }

    names = names_of("elman", CLASSES)
    assert len(names) == 7
    assert left == {name: names - {name} for name in names}


@every_cell
@every_kind
def test_a_planted_fault_is_caught_in_every_parameter(cell: str, kind: Kind) -> None:
    gradients = sound_gradients(cell, kind)

    missed = {
        fault: passed(
            compared({name: change(array) for name, array in gradients.items()}, cell, kind)
        )
        for fault, change in FAULTS.items()
    }

    assert missed == {fault: set() for fault in FAULTS}


@every_cell
@pytest.mark.parametrize("depth", [0, 1, None])
def test_tied_weights_that_learn_from_one_of_their_two_places_only_fail(
    cell: str, depth: int | None
) -> None:
    made, sound = problem(cell, TIED, depth), sound_gradients(cell, TIED, depth)
    hidden = made.network.forward(made.batch).hidden
    out = made.network.output.loss_and_gradients(hidden, made.batch.targets)
    of_output = dense(out.parameters, 5)["output_weights"]

    for faulty in (of_output, sound["output_weights"] - of_output):
        checks = compared({**sound, "output_weights": faulty}, cell, TIED, depth)

        assert passed(checks) == set(sound) - {"output_weights"}


@every_cell
@every_kind
@pytest.mark.parametrize(("depth", "used"), [(1, 0), (1, 2), (1, None), (None, 1), (0, 1)])
def test_a_truncation_off_by_one_or_more_fails(
    cell: str, kind: Kind, depth: int | None, used: int | None
) -> None:
    gradients = replace(problem(cell, kind, depth), truncation_depth=used).back_propagated()

    checks = compared(gradients, cell, kind, depth)

    uncut = {"output_bias"} if kind.tied else OF_OUTPUT
    assert passed(checks) == uncut & set(gradients)


@every_cell
@pytest.mark.parametrize("depth", [0, 1, None])
def test_a_state_before_the_sentences_that_is_forgotten_fails(cell: str, depth: int | None) -> None:
    carried = Kind(carried=True)
    forgetful = replace(problem(cell, carried, depth), start=None)

    assert passed(compared(forgetful.back_propagated(), cell, carried, depth)) == set()


def test_a_transposed_recurrent_gradient_fails() -> None:
    gradients = sound_gradients("elman")
    gradients["recurrent_weights"] = gradients["recurrent_weights"].T

    assert passed(compared(gradients, "elman")) == set(gradients) - {"recurrent_weights"}


def deltas_of(made: Problem) -> tuple[bptt.Trace, bptt.Deltas]:
    """The way forward of a problem, and its way back through time."""
    forward = made.network.forward(made.batch, made.start)
    _, d_hidden, _ = made.network.output.loss_and_gradients(forward.hidden, made.batch.targets)
    deltas = made.network.deltas(made.batch, forward.trace, d_hidden, made.truncation_depth)
    return forward.trace, deltas


@every_cell
@pytest.mark.parametrize("depth", [1, None])
def test_states_one_step_off_in_time_fail(cell: str, depth: int | None) -> None:
    trace, deltas = deltas_of(problem(cell, SOFTMAX, depth))
    gradients = sound_gradients(cell, SOFTMAX, depth)
    np.testing.assert_allclose(
        deltas.d_recurrent.T @ trace.previous_hidden,
        gradients["recurrent_weights"],
        rtol=0,
        atol=1e-12,
    )

    gradients["recurrent_weights"] = deltas.d_recurrent.T @ trace.hidden

    checks = compared(gradients, cell, SOFTMAX, depth)
    assert passed(checks) == set(gradients) - {"recurrent_weights"}


@every_cell
def test_words_one_step_off_in_time_fail(cell: str) -> None:
    made, gradients = problem(cell), sound_gradients(cell)
    _, deltas = deltas_of(made)

    shifted = np.zeros_like(gradients["input_weights"])
    for index in range(CHECKS.sentences):
        rows = np.flatnonzero(made.batch.sentence == index)
        np.add.at(shifted, np.roll(made.batch.inputs[rows], 1), deltas.d_word[rows])
    gradients["input_weights"] = shifted

    assert passed(compared(gradients, cell)) == set(gradients) - {"input_weights"}


StepChange = Callable[[StepGradients], StepGradients]
Slopes = Callable[[Array, Array, Array], Array]

STEP_FAULTS: dict[str, tuple[str, StepChange]] = {
    "gru with its gates in another order": (
        "gru",
        lambda found: found._replace(d_sums=np.roll(found.d_sums, 3, axis=1)),
    ),
    "gru without the way around its projections": (
        "gru",
        lambda found: found._replace(d_hidden=None),
    ),
    "lstm with its gates in another order": (
        "lstm",
        lambda found: found._replace(d_sums=np.roll(found.d_sums, 3, axis=1)),
    ),
    "lstm without its memory": (
        "lstm",
        lambda found: found._replace(d_rest=np.zeros_like(found.d_rest)),
    ),
}


@pytest.mark.parametrize(("cell", "fault"), STEP_FAULTS.values(), ids=STEP_FAULTS)
@pytest.mark.parametrize("depth", [1, None])
def test_a_fault_planted_in_a_cell_is_caught(
    cell: str, fault: StepChange, depth: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = CELLS[cell].step_backward
    monkeypatch.setattr(CELLS[cell], "step_backward", lambda *arguments: fault(sound(*arguments)))

    gradients = sound_gradients(cell, SOFTMAX, depth)

    assert "recurrent_weights" not in passed(compared(gradients, cell, SOFTMAX, depth))


@pytest.mark.parametrize(
    ("wrong", "right", "failed"),
    [
        ("recurrent_gradient", "word_gradient", {"recurrent_weights"}),
        ("word_gradient", "recurrent_gradient", {"input_weights", "bias"}),
    ],
)
@pytest.mark.parametrize("depth", [0, 1, None])
def test_a_gru_with_one_gradient_for_both_projections_fails(
    wrong: str, right: str, failed: set[str], depth: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    gru = CELLS["gru"]
    monkeypatch.setattr(gru, wrong, getattr(gru, right))

    gradients = sound_gradients("gru", SOFTMAX, depth)

    assert not failed & passed(compared(gradients, "gru", SOFTMAX, depth))


SLOPE_FAULTS: dict[str, Callable[[Slopes], Slopes]] = {
    "of the state before": lambda sound: (
        lambda previous, _, memory: sound(previous, previous, memory)
    ),
    "of the state after": lambda sound: lambda _, state, memory: sound(state, state, memory),
    "of another row": lambda sound: lambda *arrays: np.roll(sound(*arrays), 1, axis=0),
    "missing": lambda sound: lambda *arrays: np.ones_like(sound(*arrays)),
}


@pytest.mark.parametrize(
    ("cell", "fault"),
    [
        ("elman", "of the state before"),
        ("gru", "of the state after"),
        ("lstm", "of the state after"),
        *((cell, fault) for cell in CELLS for fault in ("of another row", "missing")),
    ],
)
@pytest.mark.parametrize("depth", [0, 1, None])
def test_wrong_slopes_fail(
    cell: str, fault: str, depth: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CELLS[cell], "slopes", SLOPE_FAULTS[fault](CELLS[cell].slopes))

    gradients = sound_gradients(cell, SOFTMAX, depth)

    assert "recurrent_weights" not in passed(compared(gradients, cell, SOFTMAX, depth))


def test_a_sentence_whose_gradient_is_missing_fails() -> None:
    made = problem("elman")
    batch = made.batch
    rows = batch.by_sentence[: batch.sentence_starts[1]]
    alone = pack([np.append(batch.inputs[rows], batch.targets[rows[-1:]])])

    gradients = replace(made, batch=alone).back_propagated()

    assert passed(compared(gradients, "elman")) == set()


def test_a_row_gradient_that_lacks_a_row_fails() -> None:
    gradients = problem("elman").back_propagated()
    whole = gradients["input_weights"]
    assert isinstance(whole, RowGradient)
    lacking = RowGradient(whole.rows[1:], whole.values[1:])

    checks = compared({**gradients, "input_weights": lacking}, "elman")

    assert passed(checks) == set(gradients) - {"input_weights"}
    for found in checks["input_weights"].comparisons.values():
        assert found.worst_index[0] == whole.rows[0]
        assert found.analytic == 0


# What a comparison says


def comparison(analytic: object, numeric_: object) -> Comparison:
    """How two arrays compare as gradient and derivative of one parameter."""
    a, n = np.array(analytic, dtype=np.float64), np.array(numeric_, dtype=np.float64)
    (check,) = compare({"w": np.zeros_like(a)}, {"w": a}, {"w": {COMPLEX: n}})
    assert check.parameter == "w"
    return check.comparisons[COMPLEX]


def test_each_parameter_is_compared_with_its_own_derivatives_by_method() -> None:
    parameters: Parameters = {"a": np.zeros(2), "b": np.zeros(1)}
    gradients = {"b": np.array([4.0]), "a": np.array([1.0, 2.0])}
    derivatives = {
        "b": {CENTRAL: np.array([5.0]), COMPLEX: np.array([4.0])},
        "a": {CENTRAL: np.array([1.0, 2.0]), COMPLEX: np.array([1.0, 4.0])},
    }

    first, second = compare(parameters, gradients, derivatives)

    assert (first.parameter, second.parameter) == ("a", "b")
    assert {method: found.error for method, found in first.comparisons.items()} == {
        CENTRAL: 0,
        COMPLEX: 0.5,  # 2 of 4
    }
    assert {method: found.error for method, found in second.comparisons.items()} == {
        CENTRAL: 0.2,  # 1 of 5
        COMPLEX: 0,
    }


def test_entries_are_compared_tiny_or_skipped_and_all_are_counted() -> None:
    found = comparison(
        [[1.0, 0.0, 0.9e-10], [2.0, 1e-11, 0.0]],
        [[1.0, 0.0, -0.9e-10], [2.5, 0.0, 1e-9]],
    )

    # the second is zero twice; the third and the fifth are below 1e-10 twice
    assert (found.skipped_count, found.tiny_count) == (1, 2)
    # 0 / 2, 0.5 / 4.5 and 1e-9 / 1e-9
    np.testing.assert_allclose(found.relative_errors, [0, 1 / 9, 1], rtol=1e-15)
    assert found.error == pytest.approx(0.2, rel=1e-15)  # 0.5 of 2.5
    assert (found.worst_index, found.analytic, found.numeric) == ((1, 0), 2.0, 2.5)


@pytest.mark.parametrize(
    ("analytic", "numeric_", "counts"),
    [
        (0.0, 0.0, (0, 0, 1)),
        (-0.0, 0.0, (0, 0, 1)),
        (5e-324, 0.0, (0, 1, 0)),  # the smallest number is not zero
        (0.99e-10, -0.99e-10, (0, 1, 0)),
        (1.01e-10, 1.01e-10, (1, 0, 0)),
        (0.99e-10, 1.01e-10, (1, 0, 0)),  # one of the two is not tiny
        (1.01e-10, 0.99e-10, (1, 0, 0)),
        (0.0, 1.01e-10, (1, 0, 0)),
        (-1.01e-10, 0.0, (1, 0, 0)),
        (0.0, 2.01e-10, (1, 0, 0)),
        (1.0, 0.0, (1, 0, 0)),
        (math.nan, 0.0, (1, 0, 0)),
        (0.0, math.nan, (1, 0, 0)),
        (-math.inf, 0.0, (1, 0, 0)),
    ],
)
def test_an_entry_is_compared_or_tiny_or_skipped(
    analytic: float, numeric_: float, counts: tuple[int, int, int]
) -> None:
    found = comparison([1.0, analytic], [1.0, numeric_])

    compared_count = len(found.relative_errors) - 1
    assert (compared_count, found.tiny_count, found.skipped_count) == counts


@every_pair
def test_all_entries_of_a_check_are_compared_or_counted(
    cell: str, kind: Kind, depth: int | None
) -> None:
    made = problem(cell, kind, depth)

    checks = compared(made.back_propagated(), cell, kind, depth)

    for name, check in checks.items():
        for found in check.comparisons.values():
            counts = len(found.relative_errors), found.tiny_count, found.skipped_count
            assert sum(counts) == made.network.parameters[name].size
            assert counts[0] > 0
            assert found.relative_errors.max() < 1e-4


def test_words_that_were_never_read_are_skipped() -> None:
    words = np.array([0, 3, 0, 3, 1], dtype=np.int32)
    made = replace(problem("elman"), batch=pack([words]))

    checks = compare(made.network.parameters, made.back_propagated(), numeric_of(made, CHECKS))

    found = checks[0].comparisons[COMPLEX]
    assert checks[0].parameter == "input_weights"
    assert found.skipped_count == 3 * 3  # three of five words, three hidden units
    assert len(found.relative_errors) == 2 * 3
    assert checks[0].passes(TIGHT)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 0.123])
def test_the_worst_entry_is_named_with_both_values(value: float) -> None:
    gradients = sound_gradients("elman")
    expected = gradients["recurrent_weights"][0, 1]
    gradients["recurrent_weights"] = with_one(gradients["recurrent_weights"], value)

    check = compared(gradients, "elman")["recurrent_weights"]

    for found in check.comparisons.values():
        assert found.worst_index == (0, 1)
        assert found.analytic == pytest.approx(value, nan_ok=True)
        assert found.numeric == pytest.approx(expected, rel=1e-6)


NOT_FINITE = [math.nan, math.inf, -math.inf]


@pytest.mark.parametrize("value", NOT_FINITE)
@pytest.mark.parametrize("both", [False, True], ids=["one entry", "all entries"])
def test_what_is_not_finite_fails_on_either_side(value: float, both: bool) -> None:
    right = [1.0, 2.0, 3.0]
    wrong = [value] * 3 if both else [1.0, value, 3.0]

    for found in (comparison(wrong, right), comparison(right, wrong)):
        assert math.isnan(found.error)
        assert found.worst_index == ((0,) if both else (1,))
        assert len(found.relative_errors) == 3
        assert not found.passes(math.inf)


@pytest.mark.parametrize("value", NOT_FINITE)
@pytest.mark.parametrize("other", NOT_FINITE)
def test_what_is_not_finite_fails_on_both_sides_at_once(value: float, other: float) -> None:
    found = comparison([1.0, value], [1.0, other])

    assert math.isnan(found.error)
    assert found.worst_index == (1,)
    assert len(found.relative_errors) == 2
    assert not found.passes(math.inf)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_difference_that_is_beyond_all_numbers_fails(sign: int) -> None:
    found = comparison([1.0, sign * 1.5e308], [1.0, -sign * 1.5e308])

    assert math.isnan(found.error)
    assert found.worst_index == (1,)
    assert not found.passes(math.inf)


@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0)])
def test_a_parameter_without_entries_fails(shape: tuple[int, ...]) -> None:
    found = comparison(np.empty(shape), np.empty(shape))

    assert math.isnan(found.error)
    assert found.worst_index == ()
    assert math.isnan(found.analytic)
    assert math.isnan(found.numeric)
    assert (len(found.relative_errors), found.tiny_count, found.skipped_count) == (0, 0, 0)
    assert not found.passes(math.inf)


def test_an_error_in_one_entry_is_named_though_another_is_not_finite_later() -> None:
    found = comparison([9.0, math.inf, math.nan], [1.0, 1.0, 1.0])

    assert found.worst_index == (2,)  # NaN is worse than anything
    assert not found.passes(math.inf)


def test_derivatives_that_are_all_zero_prove_nothing() -> None:
    for found in (comparison([0.0, 0.0], [0.0, 0.0]), comparison([0.0, 1.0], [0.0, 0.0])):
        assert math.isnan(found.error)
        assert not found.passes(math.inf)


def test_gradients_that_are_all_zero_fail() -> None:
    found = comparison([0.0, 0.0], [0.5, -0.25])

    assert found.error == 1
    assert not found.passes(0.999)


def test_tiny_entries_alone_prove_nothing() -> None:
    found = comparison([1e-11, 0.0], [1e-11, 0.0])

    assert (found.tiny_count, found.skipped_count) == (1, 1)
    assert found.error == 0
    assert not found.passes(1)


def test_recurrent_weights_that_never_act_do_not_pass() -> None:
    words = np.array([0, 3], dtype=np.int32)  # one prediction: no step has a state before it
    made = replace(problem("elman"), batch=pack([words]))

    checks = compare(made.network.parameters, made.back_propagated(), numeric_of(made, CHECKS))

    (check,) = (check for check in checks if check.parameter == "recurrent_weights")
    assert check.comparisons[COMPLEX].skipped_count == 9
    assert not check.passes(TOLERANCES)
    assert not check.passes(dict.fromkeys(METHODS, math.inf))


# What passes


def found_with(error: float, compared_count: int = 9) -> Comparison:
    return Comparison(error, (0, 0), 0.0, 0.0, np.zeros(compared_count), 0, 0)


def test_an_error_of_just_the_tolerance_passes() -> None:
    assert found_with(1e-7).passes(1e-7)
    assert not found_with(1e-7).passes(0.999e-7)


def test_an_error_that_is_no_number_does_not_pass() -> None:
    assert not found_with(math.nan).passes(math.inf)


def test_a_tolerance_that_is_no_number_lets_nothing_pass() -> None:
    check = ParameterCheck("a", {CENTRAL: found_with(0.0), COMPLEX: found_with(0.0)})

    assert not found_with(0.0).passes(math.nan)
    assert not check.passes({CENTRAL: math.nan, COMPLEX: 1.0})
    assert not check.passes({CENTRAL: 1.0, COMPLEX: math.nan})


def test_nothing_compared_is_nothing_proved() -> None:
    assert not found_with(0.0, compared_count=0).passes(1.0)


def test_a_parameter_passes_by_both_methods_or_not_at_all() -> None:
    check = ParameterCheck("a", {CENTRAL: found_with(1e-8), COMPLEX: found_with(1e-13)})

    assert check.passes({CENTRAL: 1e-8, COMPLEX: 1e-13})
    assert not check.passes({CENTRAL: 0.9e-8, COMPLEX: 1e-13})
    assert not check.passes({CENTRAL: 1e-8, COMPLEX: 0.9e-13})


def test_without_tolerances_nothing_passes() -> None:
    check = ParameterCheck("a", {CENTRAL: found_with(0.0), COMPLEX: found_with(0.0)})

    assert not check.passes({})


def test_a_method_that_was_not_used_cannot_pass() -> None:
    check = ParameterCheck("a", {CENTRAL: found_with(0.0)})

    with pytest.raises(KeyError, match="complex step"):
        check.passes({CENTRAL: 1.0, COMPLEX: 1.0})
