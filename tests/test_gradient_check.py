"""The gradient check lets sound gradients pass and stops every planted fault."""

import itertools
import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest

from model_strategies import (
    BIASES,
    PARAMETERS,
    dense,
    network_of,
    reference_log_probability,
    some_classes,
    start_of,
    stepped,
)
from unrolled.analysis import gradient_check
from unrolled.analysis.gradient_check import (
    Checked,
    ParameterCheck,
    check_gradients,
    compare,
    windowed_loss,
)
from unrolled.config.sections import ChecksConfig
from unrolled.model import bptt
from unrolled.model.cells import CELLS
from unrolled.model.cells.cell import StepGradients
from unrolled.model.network import Network
from unrolled.model.packing import pack
from unrolled.model.types import Array, Gradients, RowGradient
from unrolled.text.vocabulary import Ids

TOLERANCE = 1e-7
CONFIG = ChecksConfig(
    hidden_size=3, vocabulary_size=5, sentences=2, step=1e-5, tolerance=TOLERANCE, seed=1
)
NETWORKS = {
    cell: network_of(1, vocabulary_size=5, hidden_size=3, cell_name=cell, bias=True)
    for cell in CELLS
}
TIED = {
    cell: network_of(1, vocabulary_size=5, hidden_size=3, cell_name=cell, bias=True, tied=True)
    for cell in CELLS
}
WITH_CLASSES = {
    cell: network_of(
        1, vocabulary_size=5, hidden_size=3, cell_name=cell, bias=True, classes=some_classes(5)
    )
    for cell in CELLS
}
NETWORK = network_of(1, vocabulary_size=5, hidden_size=3)  # an Elman network without biases
WORDS = np.random.default_rng(1).integers(5, size=11).astype(np.int32)
SENTENCES = [WORDS[:5], WORDS[5:]]  # of 4 and 5 predictions
DEPTH = 1

Change = Callable[[Array], Array]


every_cell = pytest.mark.parametrize("cell", CELLS)
with_and_without_bias = pytest.mark.parametrize("bias", [False, True], ids=["plain", "bias"])
untied_and_tied = pytest.mark.parametrize("tied", [False, True], ids=["untied", "tied"])
every_output = pytest.mark.parametrize(
    ("output", "tied"),
    [("softmax", False), ("softmax", True), ("classes", False)],
    ids=["untied", "tied", "classes"],
)

OF_OUTPUT = {"output_weights", "output_bias", "root_weights", "root_bias"}
"""Parameters that act at the output alone, where weights are not tied."""


def sound_gradients(depth: int | None = DEPTH, network: Network = NETWORK) -> dict[str, Array]:
    _, gradients = network.loss_and_gradients(pack(SENTENCES), depth)
    return dense(gradients, 5)


def checked(
    gradients: Gradients, depth: int | None = DEPTH, network: Network = NETWORK
) -> dict[str, ParameterCheck]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gradient_check, "_differences", kept_differences)
        checks = compare(network, SENTENCES, gradients, depth, step=1e-5)
    return {check.parameter: check for check in checks}


def kept_differences(
    network: Network, sentences: list[Ids], name: str, depth: int | None, step: float
) -> Array:
    """The differences that one of the networks above has in any case: a fault is in gradients."""
    key = (id(network), name, depth)
    if key not in KEPT:
        KEPT[key] = differences(network, sentences, name, depth, step)
    return KEPT[key]


KEPT: dict[tuple[int, str, int | None], Array] = {}
differences = gradient_check._differences


@cache
def sound_checks(kind: Checked, depth: int | None) -> list[ParameterCheck]:
    return check_gradients(kind, CONFIG, depth)


def passed(checks: dict[str, ParameterCheck]) -> set[str]:
    return {name for name, check in checks.items() if check.passes(TOLERANCE)}


def with_first(value: float) -> Change:
    """The same array with one entry replaced."""

    def changed(array: Array) -> Array:
        copy = array.copy()
        copy.flat[1] = value
        return copy

    return changed


# Sound gradients


@every_cell
@with_and_without_bias
@every_output
@pytest.mark.parametrize("depth", [0, 1, 4, None])
def test_sound_code_passes_for_every_cell_at_every_depth(
    cell: str, bias: bool, output: str, tied: bool, depth: int | None
) -> None:
    checks = sound_checks(Checked(cell, output, bias, tied), depth)

    word_in = "input_projection" if tied else "input_weights"
    names = {word_in, "recurrent_weights", "output_weights", *(BIASES if bias else ())}
    if output == "classes":
        names |= {"root_weights", "root_bias"} if bias else {"root_weights"}
    assert {check.parameter for check in checks} == names
    for check in checks:
        assert check.passes(TOLERANCE)
        assert check.error < 1e-8, check.parameter


@every_cell
@every_output
@pytest.mark.parametrize("seed", [2, 3])
def test_sound_code_passes_with_other_seeds(cell: str, output: str, tied: bool, seed: int) -> None:
    config = ChecksConfig(3, 5, sentences=2, step=1e-5, tolerance=TOLERANCE, seed=seed)

    for check in check_gradients(Checked(cell, output, True, tied), config, 1):
        assert check.error < 1e-8, check.parameter


@pytest.mark.parametrize("vocabulary_size", [4, 5, 6, 9, 16])
def test_checked_classes_are_words_alone_and_classes_of_several(vocabulary_size: int) -> None:
    classes = gradient_check._small_classes(vocabulary_size)

    sizes = [len(members) for members in classes.members]
    assert sum(sizes) == len(classes) == vocabulary_size
    assert sizes.count(1) == vocabulary_size // 4
    assert max(sizes) > 2


KINDS = [Checked("gru"), Checked("lstm", "classes", bias=True), Checked("elman", tied=True)]


def test_what_is_checked_is_what_was_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[Network] = []

    def noted(network: Network, *_: object) -> list[ParameterCheck]:
        found.append(network)
        return []

    monkeypatch.setattr(gradient_check, "compare", noted)
    for kind in KINDS:
        check_gradients(kind, CONFIG, 1)

    assert [network.cell_name for network in found] == ["gru", "lstm", "elman"]
    assert [network.tied for network in found] == [False, False, True]
    assert ["bias" in network.parameters for network in found] == [False, True, False]
    assert [network.classes is not None for network in found] == [False, True, False]


@every_cell
@every_output
@pytest.mark.parametrize("depth", [0, 1, 4])
def test_the_plain_difference_disagrees_where_the_truncation_bites(
    cell: str, output: str, tied: bool, depth: int
) -> None:
    checks = sound_checks(Checked(cell, output, True, tied), depth)
    plain_errors = {check.parameter: check.plain_error for check in checks}

    # what acts at the output alone is not cut; tied output weights act on the way in as well
    uncut = ({"output_bias"} if tied else OF_OUTPUT) & plain_errors.keys()
    assert {name for name, error in plain_errors.items() if error < 1e-8} == uncut
    assert {name for name, error in plain_errors.items() if error <= 1e-3} == uncut


@every_cell
@every_output
def test_the_plain_difference_agrees_at_full_depth(cell: str, output: str, tied: bool) -> None:
    for check in sound_checks(Checked(cell, output, True, tied), None):
        assert check.plain_error < 1e-8, check.parameter


def test_a_truncated_gradient_is_no_gradient_of_the_total_loss() -> None:
    checks = checked(sound_gradients(DEPTH), depth=None)

    assert not checks["input_weights"].passes(TOLERANCE)
    assert not checks["recurrent_weights"].passes(TOLERANCE)


# What the gradients are compared with


@pytest.mark.parametrize("depth", [0, 2, None])
def test_windowed_loss_of_unmoved_weights_is_the_reference_loss(depth: int | None) -> None:
    loss = windowed_loss(NETWORK, NETWORK.parameters, SENTENCES, depth)

    expected = -sum(reference_log_probability(NETWORK, words) for words in SENTENCES)
    assert loss == pytest.approx(expected, rel=1e-13)


def test_windowed_loss_moves_weights_inside_each_outputs_window_only() -> None:
    moved = network_of(2, vocabulary_size=5, hidden_size=3).parameters
    words = WORDS[:4]

    loss = windowed_loss(NETWORK, moved, [words], 0)

    # at depth 0 every output sees one moved step, which starts from an unmoved state
    expected, state = 0.0, np.zeros(3)
    for word, target in itertools.pairwise(words):
        local = np.tanh(moved["input_weights"][word] + moved["recurrent_weights"] @ state)
        logits = moved["output_weights"] @ local
        expected += math.log(np.exp(logits).sum()) - logits[target]
        state = np.tanh(
            NETWORK.parameters["input_weights"][word]
            + NETWORK.parameters["recurrent_weights"] @ state
        )
    assert loss == pytest.approx(expected, rel=1e-13)


@every_cell
@untied_and_tied
@pytest.mark.parametrize("depth", [0, 1, 2, 3, 4, 7, None])
def test_windowed_loss_is_that_of_a_plain_loop_over_outputs(
    cell: str, tied: bool, depth: int | None
) -> None:
    network = (TIED if tied else NETWORKS)[cell]
    moved = network_of(2, vocabulary_size=5, hidden_size=3, cell_name=cell, bias=True, tied=tied)

    loss = windowed_loss(network, moved.parameters, SENTENCES, depth)

    expected = 0.0
    for words in SENTENCES:
        for t in range(len(words) - 1):
            first = 0 if depth is None else max(0, t - depth)  # of the steps that are moved
            state = start_of(network)
            for step in range(t + 1):
                state, _ = stepped(moved if step >= first else network, int(words[step]), state)
            weights = moved.parameters
            logits = weights["output_weights"] @ state[0, :3] + weights["output_bias"]
            expected += math.log(np.exp(logits).sum()) - logits[words[t + 1]]
    assert loss == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize(("depth", "differences"), [(1, 2), (None, 1)])
def test_at_full_depth_nothing_is_differentiated_twice(
    depth: int | None, differences: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    gradients = sound_gradients(depth)
    calls: list[int | None] = []

    def noted(*arguments: Any) -> float:
        calls.append(arguments[3])
        return windowed_loss(*arguments)

    monkeypatch.setattr(gradient_check, "windowed_loss", noted)
    compare(NETWORK, SENTENCES, gradients, depth, step=1e-5)

    entries = 5 * 3 + 3 * 3 + 5 * 3  # each of them moved up and down
    assert len(calls) == differences * 2 * entries
    assert set(calls) == {depth, None}


@pytest.mark.parametrize("depth", [0, 1, 4, 9])
def test_sentences_are_longer_than_the_depth_and_two(
    depth: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    lengths: list[int] = []

    def noted(_: object, sentences: list[Ids], *__: object) -> list[ParameterCheck]:
        lengths.extend(len(words) - 1 for words in sentences)  # predictions
        return []

    monkeypatch.setattr(gradient_check, "compare", noted)
    check_gradients(Checked("elman"), CONFIG, depth)

    assert len(set(lengths)) == CONFIG.sentences
    assert min(lengths) > depth + 2


# Planted faults

FAULTS: dict[str, Change] = {
    "flipped sign": lambda gradient: -gradient,
    "a thousandth too large": lambda gradient: gradient * 1.001,
    "a thousandth too small": lambda gradient: gradient * 0.999,
    "averaged rather than summed": lambda gradient: gradient / 9,
    "all zeros": np.zeros_like,
    "all NaN": lambda gradient: np.full_like(gradient, np.nan),
    "all infinite": lambda gradient: np.full_like(gradient, np.inf),
    "one NaN": with_first(math.nan),
    "one infinity": with_first(math.inf),
    "one negative infinity": with_first(-math.inf),
    "one entry wrong": with_first(0.123),
    "rows in another order": lambda gradient: np.roll(gradient, 1, axis=0),
    "columns in another order": lambda gradient: np.roll(gradient, 1, axis=-1),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize("name", [*PARAMETERS, *BIASES])
def test_a_planted_fault_fails_its_parameter_and_no_other(name: str, fault: Change) -> None:
    network = NETWORKS["elman"]
    gradients = sound_gradients(network=network)
    gradients[name] = fault(gradients[name])

    checks = checked(gradients, network=network)

    assert passed(checks) == {*PARAMETERS, *BIASES} - {name}


@every_cell
@pytest.mark.parametrize("networks", [NETWORKS, WITH_CLASSES], ids=["softmax", "classes"])
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_planted_fault_is_caught_in_every_parameter_of_every_cell(
    cell: str, networks: dict[str, Network], fault: Change
) -> None:
    gradients = sound_gradients(network=networks[cell])
    faulty = {name: fault(gradient) for name, gradient in gradients.items()}

    assert passed(checked(faulty, network=networks[cell])) == set()


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize("name", sorted(OF_OUTPUT))
def test_a_fault_in_one_factor_of_the_probabilities_fails_that_factor_and_no_other(
    name: str, fault: Change
) -> None:
    network = WITH_CLASSES["elman"]
    gradients = sound_gradients(network=network)
    gradients[name] = fault(gradients[name])

    checks = checked(gradients, network=network)

    assert passed(checks) == set(network.parameters) - {name}


@every_cell
@pytest.mark.parametrize("depth", [0, 1, None])
def test_tied_weights_that_learn_from_one_of_their_two_places_only_fail(
    cell: str, depth: int | None
) -> None:
    network = TIED[cell]
    batch, sound = pack(SENTENCES), sound_gradients(depth, network)
    out = network.output.loss_and_gradients(network.forward(batch).hidden, batch.targets)
    of_output = dense(out.parameters, 5)["output_weights"]

    for faulty in (of_output, sound["output_weights"] - of_output):
        checks = checked({**sound, "output_weights": faulty}, depth, network)

        assert passed(checks) == set(network.parameters) - {"output_weights"}


@every_cell
@pytest.mark.parametrize("used", [0, 2, 3, None])
def test_a_truncation_off_by_one_or_more_fails(cell: str, used: int | None) -> None:
    network = NETWORKS[cell]

    checks = checked(sound_gradients(used, network), depth=1, network=network)

    assert passed(checks) == {"output_weights", "output_bias"}


def test_a_transposed_recurrent_gradient_fails() -> None:
    gradients = sound_gradients()
    gradients["recurrent_weights"] = gradients["recurrent_weights"].T

    assert not checked(gradients)["recurrent_weights"].passes(TOLERANCE)


def deltas_of(network: Network, depth: int | None) -> tuple[bptt.Trace, bptt.Deltas]:
    batch, weights = pack(SENTENCES), network.parameters
    forward = network.forward(batch)
    _, d_hidden, _ = network.output.loss_and_gradients(forward.hidden, batch.targets)
    return forward.trace, bptt.deltas(
        network.cell, batch, forward.trace, d_hidden, weights["recurrent_weights"], depth
    )


@every_cell
@pytest.mark.parametrize("depth", [1, None])
def test_states_one_step_off_in_time_fail(cell: str, depth: int | None) -> None:
    network = NETWORKS[cell]
    trace, deltas = deltas_of(network, depth)
    gradients = sound_gradients(depth, network)

    sound = deltas.d_recurrent.T @ trace.previous_hidden
    np.testing.assert_allclose(sound, gradients["recurrent_weights"], rtol=0, atol=1e-12)
    gradients["recurrent_weights"] = deltas.d_recurrent.T @ trace.hidden

    checks = checked(gradients, depth, network)
    assert passed(checks) == {*PARAMETERS, *BIASES} - {"recurrent_weights"}


@every_cell
def test_words_one_step_off_in_time_fail(cell: str) -> None:
    network = NETWORKS[cell]
    _, deltas = deltas_of(network, DEPTH)
    gradients = sound_gradients(network=network)

    shifted = np.zeros_like(gradients["input_weights"])
    for index, words in enumerate(SENTENCES):
        of_sentence = deltas.d_word[pack(SENTENCES).sentence == index]
        np.add.at(shifted, np.roll(words[:-1], 1), of_sentence)
    gradients["input_weights"] = shifted

    checks = checked(gradients, network=network)
    assert passed(checks) == {*PARAMETERS, *BIASES} - {"input_weights"}


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
    network, sound = NETWORKS[cell], CELLS[cell].step_backward
    monkeypatch.setattr(CELLS[cell], "step_backward", lambda *arguments: fault(sound(*arguments)))
    gradients = sound_gradients(depth, network)
    monkeypatch.undo()

    assert "recurrent_weights" not in passed(checked(gradients, depth, network))


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
    network, gru = NETWORKS["gru"], CELLS["gru"]
    monkeypatch.setattr(gru, wrong, getattr(gru, right))
    gradients = sound_gradients(depth, network)
    monkeypatch.undo()

    assert not failed & passed(checked(gradients, depth, network))


SLOPE_FAULTS: dict[str, Callable[[Slopes], Slopes]] = {
    "of the state before": lambda sound: (
        lambda previous, _, memory: sound(previous, previous, memory)
    ),
    "of the state after": lambda sound: lambda _, state, memory: sound(state, state, memory),
    "of another row": lambda sound: lambda *arrays: np.roll(sound(*arrays), 1, axis=0),
}


@pytest.mark.parametrize(
    ("cell", "fault"),
    [
        ("elman", "of the state before"),
        ("gru", "of the state after"),
        ("lstm", "of the state after"),
        *((cell, "of another row") for cell in CELLS),
    ],
)
@pytest.mark.parametrize("depth", [0, 1, None])
def test_slopes_of_another_state_fail(
    cell: str, fault: str, depth: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    slopes = SLOPE_FAULTS[fault](CELLS[cell].slopes)
    monkeypatch.setattr(CELLS[cell], "slopes", slopes)
    gradients = sound_gradients(depth, NETWORKS[cell])
    monkeypatch.undo()

    assert "recurrent_weights" not in passed(checked(gradients, depth, NETWORKS[cell]))


@every_cell
@pytest.mark.parametrize("depth", [0, 1, None])
def test_missing_slopes_fail(cell: str, depth: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    sound = CELLS[cell].slopes
    monkeypatch.setattr(CELLS[cell], "slopes", lambda *arrays: np.ones_like(sound(*arrays)))
    gradients = sound_gradients(depth, NETWORKS[cell])
    monkeypatch.undo()

    checks = checked(gradients, depth, NETWORKS[cell])

    assert passed(checks) == {"output_weights", "output_bias"}


def test_a_sentence_whose_gradient_is_missing_fails() -> None:
    _, gradients = NETWORK.loss_and_gradients(pack(SENTENCES[:1]), DEPTH)

    assert passed(checked(gradients)) == set()


def test_a_row_gradient_that_lacks_a_row_fails() -> None:
    _, gradients = NETWORK.loss_and_gradients(pack(SENTENCES), DEPTH)
    whole = gradients["input_weights"]
    assert isinstance(whole, RowGradient)

    checks = checked({**gradients, "input_weights": RowGradient(whole.rows[1:], whole.values[1:])})

    assert not checks["input_weights"].passes(TOLERANCE)
    assert checks["input_weights"].worst_index[0] == whole.rows[0]


# What a check says


@pytest.mark.parametrize("value", [0.123, math.nan, math.inf])
def test_the_worst_entry_is_named_with_both_values(value: float) -> None:
    gradients = sound_gradients()
    expected = gradients["recurrent_weights"][0, 1]
    gradients["recurrent_weights"] = with_first(value)(gradients["recurrent_weights"])

    check = checked(gradients)["recurrent_weights"]

    assert check.worst_index == (0, 1)
    assert check.analytic == pytest.approx(value, nan_ok=True)
    assert check.numeric == pytest.approx(expected, rel=1e-6)


def test_error_is_the_largest_difference_over_the_largest_value() -> None:
    gradients = sound_gradients()
    largest = np.abs(gradients["output_weights"]).max()
    gradients["output_weights"] = gradients["output_weights"] + 0.5 * largest

    assert checked(gradients)["output_weights"].error == pytest.approx(0.5, rel=1e-6)


def test_relative_errors_are_of_every_entry_that_is_not_tiny() -> None:
    gradients = sound_gradients()
    sound = checked(gradients)["recurrent_weights"]

    wrong = checked({**gradients, "recurrent_weights": -gradients["recurrent_weights"]})

    assert len(sound.relative_errors) + sound.tiny_count == 9
    assert sound.relative_errors.max() < 1e-6
    # |-g - g| / (|-g| + |g|) = 1
    np.testing.assert_allclose(wrong["recurrent_weights"].relative_errors, 1, atol=1e-6)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_an_entry_that_is_not_finite_is_compared_and_is_not_tiny(value: float) -> None:
    gradients = sound_gradients()
    sound = checked(gradients)["recurrent_weights"]

    gradients["recurrent_weights"] = with_first(value)(gradients["recurrent_weights"])
    check = checked(gradients)["recurrent_weights"]

    assert len(check.relative_errors) == len(sound.relative_errors)
    assert np.isnan(check.relative_errors).sum() == 1  # infinity over infinity is none either


def test_words_that_were_never_read_are_counted_as_tiny() -> None:
    words = np.array([0, 3, 0, 3, 1], dtype=np.int32)
    _, gradients = NETWORK.loss_and_gradients(pack([words]), None)

    check = compare(NETWORK, [words], gradients, None, step=1e-5)[0]

    assert check.tiny_count == 3 * 3  # three of five words, three hidden units
    assert len(check.relative_errors) == 2 * 3
    assert check.passes(TOLERANCE)


def test_nothing_compared_is_nothing_proved() -> None:
    check = ParameterCheck("a", 0.0, (0, 0), 0.0, 0.0, np.empty(0), 9, 0.0)

    assert not check.passes(TOLERANCE)


def test_gradients_that_are_all_zero_on_both_sides_do_not_pass() -> None:
    words = np.array([0, 3], dtype=np.int32)  # one prediction: no step has a state before it
    _, gradients = NETWORK.loss_and_gradients(pack([words]), None)

    check = compare(NETWORK, [words], gradients, None, step=1e-5)[1]

    assert check.parameter == "recurrent_weights"
    assert math.isnan(check.error)
    assert not check.passes(TOLERANCE)


def test_an_error_that_is_no_number_does_not_pass() -> None:
    check = ParameterCheck("a", math.nan, (0, 0), 0.0, 0.0, np.ones(9), 0, 0.0)

    assert not check.passes(math.inf)


def test_an_error_of_just_the_tolerance_passes() -> None:
    check = ParameterCheck("a", 1e-7, (0, 0), 0.0, 0.0, np.ones(9), 0, 0.0)

    assert check.passes(1e-7)
    assert not check.passes(0.999e-7)
