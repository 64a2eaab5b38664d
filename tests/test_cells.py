"""One table of checks for every cell; each cell against its formula, one number at a time."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import yaml
from numpy.typing import DTypeLike

from model_strategies import largest_error
from unrolled.model.cells import CELLS
from unrolled.model.cells.cell import Cell, sigmoid
from unrolled.model.initialisation import initialised
from unrolled.model.types import Array
from workshop import ROOT

HIDDEN_SIZE = 3
ROWS = 5

every_cell = pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)


def inputs_of(cell: Cell, rows: int = ROWS, dtype: DTypeLike = np.float64) -> list[Array]:
    """Projections of words and of hidden states, and states; large enough for curves to bend."""
    rng = np.random.default_rng(1)
    projections = (rows, cell.BLOCKS * HIDDEN_SIZE)
    states = (rows, cell.PARTS * HIDDEN_SIZE)
    return [rng.normal(0, 1, shape).astype(dtype) for shape in (projections, projections, states)]


def d_state_of(cell: Cell, seed: int = 2, dtype: DTypeLike = np.float64) -> Array:
    shape = (ROWS, cell.PARTS * HIDDEN_SIZE)
    return np.random.default_rng(seed).normal(0, 1, shape).astype(dtype)


def backward(cell: Cell, inputs: list[Array], d_state: Array) -> list[Array]:
    """The gradients for the three inputs of a step, zeros where the cell has none."""
    state, memory = cell.step(*inputs)
    found = cell.step_backward(d_state, inputs[2], state, memory)
    d_previous = np.zeros_like(d_state) if found.d_previous is None else found.d_previous
    return [found.d_word, found.d_recurrent, d_previous]


# The laws of a cell


@every_cell
def test_states_projections_and_gradients_are_as_long_as_parts_and_blocks_say(cell: Cell) -> None:
    inputs = inputs_of(cell)

    state, memory = cell.step(*inputs)
    found = cell.step_backward(d_state_of(cell), inputs[2], state, memory)

    assert state.shape == (ROWS, cell.PARTS * HIDDEN_SIZE)
    assert (memory.ndim, len(memory)) == (2, ROWS)
    assert found.d_word.shape == found.d_recurrent.shape == (ROWS, cell.BLOCKS * HIDDEN_SIZE)
    assert found.d_previous is None or found.d_previous.shape == state.shape


@every_cell
def test_each_row_is_stepped_as_if_it_were_alone(cell: Cell) -> None:
    inputs = inputs_of(cell)

    state, memory = cell.step(*inputs)

    for row in range(ROWS):
        alone_state, alone_memory = cell.step(*(array[[row]] for array in inputs))
        np.testing.assert_allclose(alone_state, state[[row]], rtol=0, atol=1e-15)
        np.testing.assert_allclose(alone_memory, memory[[row]], rtol=0, atol=1e-15)


@every_cell
def test_each_row_goes_back_as_if_it_were_alone(cell: Cell) -> None:
    inputs, d_state = inputs_of(cell), d_state_of(cell)

    found = backward(cell, inputs, d_state)

    for row in range(ROWS):
        alone = backward(cell, [array[[row]] for array in inputs], d_state[[row]])
        for array, whole in zip(alone, found, strict=True):
            np.testing.assert_allclose(array, whole[[row]], rtol=0, atol=1e-15)


@every_cell
def test_rows_may_stand_in_any_order(cell: Cell) -> None:
    inputs, d_state = inputs_of(cell), d_state_of(cell)
    order = np.array([3, 0, 4, 4, 1])  # one of them twice
    state, _ = cell.step(*inputs)
    gradients = backward(cell, inputs, d_state)

    reordered = [array[order] for array in inputs]

    np.testing.assert_allclose(cell.step(*reordered)[0], state[order], rtol=0, atol=1e-15)
    found = backward(cell, reordered, d_state[order])
    for array, whole in zip(found, gradients, strict=True):
        np.testing.assert_allclose(array, whole[order], rtol=0, atol=1e-15)


@every_cell
@pytest.mark.parametrize("which", [0, 1, 2], ids=["word", "recurrent", "previous"])
def test_the_way_back_is_the_derivative_of_the_step(cell: Cell, which: int) -> None:
    inputs, d_state = inputs_of(cell), d_state_of(cell)

    found = backward(cell, inputs, d_state)[which]

    # at h = 1e-5 the central difference's own error is some h² + 1e-16 / h = 1e-10
    numeric = np.empty_like(inputs[which])
    for index in np.ndindex(numeric.shape):
        losses = []
        for signed_step in (1e-5, -1e-5):
            moved = [array.copy() for array in inputs]
            moved[which][index] += signed_step
            losses.append(float((d_state * cell.step(*moved)[0]).sum()))
        numeric[index] = (losses[0] - losses[1]) / 2e-5
    assert largest_error(found, numeric) < 1e-9


@every_cell
def test_the_way_back_is_linear(cell: Cell) -> None:
    inputs = inputs_of(cell)
    one, other = d_state_of(cell, 3), d_state_of(cell, 4)

    found = backward(cell, inputs, 2 * one - 3 * other)

    parts = zip(backward(cell, inputs, one), backward(cell, inputs, other), strict=True)
    for array, (of_one, of_other) in zip(found, parts, strict=True):
        np.testing.assert_allclose(array, 2 * of_one - 3 * of_other, rtol=0, atol=1e-14)


@every_cell
def test_nothing_that_is_handed_over_is_changed_or_handed_back(cell: Cell) -> None:
    # callers add to the gradients in place
    inputs, d_state = inputs_of(cell), d_state_of(cell)
    state, memory = cell.step(*inputs)
    given = [*inputs, d_state, state, memory]
    copies = [array.copy() for array in given]

    cell.step(*inputs)
    found = cell.step_backward(d_state, inputs[2], state, memory)

    for array, copy in zip(given, copies, strict=True):
        np.testing.assert_array_equal(array, copy)
    for gradient in found:
        if gradient is not None:
            assert not any(np.shares_memory(gradient, array) for array in given)
    assert found.d_recurrent is found.d_word or not np.shares_memory(*found[:2])


@every_cell
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_precision_is_that_of_the_inputs(cell: Cell, dtype: DTypeLike) -> None:
    inputs = inputs_of(cell, dtype=dtype)

    state, memory = cell.step(*inputs)
    found = cell.step_backward(d_state_of(cell, dtype=dtype), inputs[2], state, memory)

    arrays = [state, memory, *(array for array in found if array is not None)]
    assert {array.dtype for array in arrays} == {np.dtype(dtype)}


@every_cell
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("recurrent_value", [-1e4, 0.0, 1e4])
@pytest.mark.parametrize("word_value", [-1e4, 1e4])
def test_saturated_steps_give_finite_values_without_warnings(
    cell: Cell, word_value: float, recurrent_value: float, dtype: DTypeLike
) -> None:
    word, recurrent, previous = inputs_of(cell, dtype=dtype)
    word[:], recurrent[:] = word_value, recurrent_value

    state, memory = cell.step(word, recurrent, previous)
    found = backward(cell, [word, recurrent, previous], d_state_of(cell, dtype=dtype))

    for array in (state, memory, *found):
        assert np.isfinite(array).all()


@every_cell
def test_hidden_states_stay_between_minus_one_and_one(cell: Cell) -> None:
    state: Array = np.zeros((200, cell.PARTS * HIDDEN_SIZE))
    rng = np.random.default_rng(5)

    for _ in range(20):
        word, recurrent = rng.normal(0, 5, (2, 200, cell.BLOCKS * HIDDEN_SIZE))
        state, _ = cell.step(word, recurrent, state)

    assert np.abs(state[:, :HIDDEN_SIZE]).max() <= 1


def test_the_sigmoid_is_the_logistic_function() -> None:
    values = np.linspace(-20, 20, 41)

    expected = [1 / (1 + math.exp(-value)) for value in values]
    np.testing.assert_allclose(sigmoid(values), expected, rtol=0, atol=1e-15)
    assert sigmoid(np.array([-1e4, 0, 1e4])).tolist() == [0, 0.5, 1]


# Each against its formula


def plain_sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value))


def plain_elman(u: list[float], w: list[float], before: list[float], k: int) -> list[float]:
    return [math.tanh(u[k] + w[k])]


def plain_gru(u: list[float], w: list[float], before: list[float], k: int) -> list[float]:
    """Reset gate, update gate and candidate stand in this order."""
    size = len(before)
    r = plain_sigmoid(u[k] + w[k])
    z = plain_sigmoid(u[size + k] + w[size + k])
    n = math.tanh(u[2 * size + k] + r * w[2 * size + k])
    return [(1 - z) * n + z * before[k]]


def plain_lstm(u: list[float], w: list[float], before: list[float], k: int) -> list[float]:
    """Input gate, forget gate, candidate and output gate stand in this order."""
    size = len(before) // 2
    i, f, g, o = (u[block * size + k] + w[block * size + k] for block in range(4))
    c = plain_sigmoid(f) * before[size + k] + plain_sigmoid(i) * math.tanh(g)
    return [plain_sigmoid(o) * math.tanh(c), c]


Plain = Callable[[list[float], list[float], list[float], int], list[float]]
PLAIN: dict[str, Plain] = {"elman": plain_elman, "gru": plain_gru, "lstm": plain_lstm}


@pytest.mark.parametrize("name", CELLS)
def test_a_step_is_the_plain_formula_one_number_at_a_time(name: str) -> None:
    cell, inputs = CELLS[name], inputs_of(CELLS[name])

    state, _ = cell.step(*inputs)

    for row in range(ROWS):
        u, w, before = (array[row].tolist() for array in inputs)
        for k in range(HIDDEN_SIZE):
            found = state[row, k::HIDDEN_SIZE]  # hidden state and, if there is one, memory
            np.testing.assert_allclose(found, PLAIN[name](u, w, before, k), rtol=0, atol=1e-15)


def keeping(cell: Cell) -> list[Array]:
    """Inputs of a step whose keeping gate is wide open."""
    assert cell.KEEP_BLOCK is not None
    inputs = inputs_of(cell)
    start = cell.KEEP_BLOCK * HIDDEN_SIZE
    inputs[0][:, start : start + HIDDEN_SIZE] = 1e4
    return inputs


def test_a_gru_with_an_open_update_gate_keeps_its_state() -> None:
    inputs = keeping(CELLS["gru"])

    state, _ = CELLS["gru"].step(*inputs)
    *projections, d_previous = backward(CELLS["gru"], inputs, d_state_of(CELLS["gru"]))

    np.testing.assert_allclose(state, inputs[2], rtol=0, atol=1e-15)
    np.testing.assert_array_equal(d_previous, d_state_of(CELLS["gru"]))
    assert not np.any(projections)


def test_a_gru_with_a_closed_update_gate_forgets_its_state() -> None:
    word, recurrent, previous = inputs_of(CELLS["gru"])
    word[:, HIDDEN_SIZE : 2 * HIDDEN_SIZE] = -1e4

    state, _ = CELLS["gru"].step(word, recurrent, previous)

    other, _ = CELLS["gru"].step(word, recurrent, -previous)
    np.testing.assert_array_equal(state, other)


def test_an_lstm_with_an_open_forget_gate_and_a_closed_input_gate_keeps_its_memory() -> None:
    inputs = keeping(CELLS["lstm"])
    inputs[0][:, :HIDDEN_SIZE] = -1e4  # the input gate
    d_state = d_state_of(CELLS["lstm"])
    d_state[:, :HIDDEN_SIZE] = 0  # nothing but the memory counts

    state, _ = CELLS["lstm"].step(*inputs)
    *projections, d_previous = backward(CELLS["lstm"], inputs, d_state)

    np.testing.assert_array_equal(state[:, HIDDEN_SIZE:], inputs[2][:, HIDDEN_SIZE:])
    np.testing.assert_array_equal(d_previous, d_state)
    assert not np.any(projections)


def test_an_lstm_passes_no_gradient_around_the_projection_of_its_hidden_state() -> None:
    *_, d_previous = backward(CELLS["lstm"], inputs_of(CELLS["lstm"]), d_state_of(CELLS["lstm"]))

    assert not d_previous[:, :HIDDEN_SIZE].any()
    assert d_previous[:, HIDDEN_SIZE:].all()


# What the rest of the project takes from a cell


@pytest.mark.parametrize("name", CELLS)
def test_biases_start_at_one_in_the_gate_that_keeps_and_at_zero_elsewhere(name: str) -> None:
    network = initialised(7, HIDDEN_SIZE, np.random.default_rng(1), cell_name=name, bias=True)

    expected = {"elman": [0], "gru": [0, 1, 0], "lstm": [0, 1, 0, 0]}[name]
    assert network.parameters["bias"].tolist() == np.repeat(expected, HIDDEN_SIZE).tolist()
    assert network.parameters["output_bias"].tolist() == [0] * 7


@every_cell
def test_a_formula_speaks_of_the_parameters_by_name(cell: Cell) -> None:
    for name in ("input_weights[x_t] + bias", "recurrent_weights @ s_{t-1}", "s_t = "):
        assert name in cell.FORMULA


def test_a_sweep_may_ask_for_every_cell_and_no_other() -> None:
    schema = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text("utf-8"))

    enums = [found for found in _enums(schema) if "elman" in found]

    assert enums == [list(CELLS)]


def _enums(schema: Any) -> list[Any]:
    """The lists of allowed values anywhere in a schema."""
    if isinstance(schema, list):
        return [found for part in schema for found in _enums(part)]
    if not isinstance(schema, dict):
        return []
    return [
        found
        for key, part in schema.items()
        for found in ([part] if key == "enum" else _enums(part))
    ]
