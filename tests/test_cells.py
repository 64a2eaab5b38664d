"""One table of checks for every cell; each cell against its formula, one number at a time."""

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import yaml
from numpy.typing import DTypeLike

from model_strategies import BackwardStep, backward_step, largest_error, step_of
from unrolled.model.cells import CELLS
from unrolled.model.cells.cell import Cell, StepGradients, blocks, sigmoid
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


def backward(cell: Cell, inputs: list[Array], d_state: Array) -> BackwardStep:
    """The gradients for the three inputs of a step."""
    return backward_step(cell, d_state, inputs[2], *step_of(cell, *inputs))


def slopes_of(cell: Cell, inputs: list[Array]) -> Array:
    """What a step leaves for the way back."""
    return cell.slopes(inputs[2], *step_of(cell, *inputs))


def parts_of(d_state: Array) -> tuple[Array, Array]:
    """The gradients for the hidden state, and for the rest of the state."""
    return d_state[:, :HIDDEN_SIZE], d_state[:, HIDDEN_SIZE:]


def arrays_in(found: StepGradients) -> list[Array]:
    """The gradients that there are."""
    return [array for array in found if array is not None]


# The laws of a cell


@every_cell
def test_states_projections_and_gradients_are_as_long_as_parts_and_blocks_say(cell: Cell) -> None:
    inputs = inputs_of(cell)

    slopes = slopes_of(cell, inputs)
    found = cell.step_backward(*parts_of(d_state_of(cell)), slopes)

    assert (slopes.ndim, len(slopes)) == (2, ROWS)
    assert (found.d_sums.ndim, len(found.d_sums)) == (2, ROWS)
    assert found.d_hidden is None or found.d_hidden.shape == (ROWS, HIDDEN_SIZE)
    assert found.d_rest.shape == (ROWS, (cell.PARTS - 1) * HIDDEN_SIZE)
    for gradient in (cell.word_gradient(found.d_sums), cell.recurrent_gradient(found.d_sums)):
        assert gradient.shape == (ROWS, cell.BLOCKS * HIDDEN_SIZE)


@every_cell
def test_a_step_fills_the_whole_of_state_and_memory(cell: Cell) -> None:
    inputs = inputs_of(cell)

    for left_over in (np.nan, 1e300):  # of whatever used the memory before
        state = np.full((ROWS, cell.PARTS * HIDDEN_SIZE), left_over)
        memory = np.full((ROWS, cell.MEMORY * HIDDEN_SIZE), left_over)
        cell.step(inputs[0], inputs[1].copy(), inputs[2], state, memory)

        for array, expected in zip((state, memory), step_of(cell, *inputs), strict=True):
            assert np.isfinite(array).all()
            np.testing.assert_array_equal(array, expected)


@every_cell
def test_a_step_can_write_into_some_rows_of_larger_arrays(cell: Cell) -> None:
    inputs = inputs_of(cell)
    widths = (cell.PARTS * HIDDEN_SIZE, cell.MEMORY * HIDDEN_SIZE)
    whole = [np.full((ROWS + 4, width), 0.5) for width in widths]

    cell.step(inputs[0], inputs[1].copy(), inputs[2], *(array[3 : ROWS + 3] for array in whole))

    for array, expected in zip(whole, step_of(cell, *inputs), strict=True):
        np.testing.assert_array_equal(array[3 : ROWS + 3], expected)
        assert (np.delete(array, np.s_[3 : ROWS + 3], axis=0) == 0.5).all()


@every_cell
def test_each_row_is_stepped_as_if_it_were_alone(cell: Cell) -> None:
    inputs = inputs_of(cell)

    state, memory = step_of(cell, *inputs)

    for row in range(ROWS):
        alone_state, alone_memory = step_of(cell, *(array[[row]] for array in inputs))
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
    state, _ = step_of(cell, *inputs)
    gradients = backward(cell, inputs, d_state)

    reordered = [array[order] for array in inputs]

    np.testing.assert_allclose(step_of(cell, *reordered)[0], state[order], rtol=0, atol=1e-15)
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
            losses.append(float((d_state * step_of(cell, *moved)[0]).sum()))
        numeric[index] = (losses[0] - losses[1]) / 2e-5
    assert largest_error(found, numeric) < 1e-9


@every_cell
def test_the_way_back_is_linear(cell: Cell) -> None:
    # so that what has arrived at a step from several losses may go back together
    slopes = slopes_of(cell, inputs_of(cell))
    one, other = parts_of(d_state_of(cell, 3)), parts_of(d_state_of(cell, 4))

    def back(d_hidden: Array, d_rest: Array) -> list[Array]:
        found = cell.step_backward(d_hidden, d_rest, slopes)
        projections = cell.word_gradient(found.d_sums), cell.recurrent_gradient(found.d_sums)
        return [*arrays_in(found), *projections]

    found = back(*(2 * first - 3 * second for first, second in zip(one, other, strict=True)))

    parts = zip(back(*one), back(*other), strict=True)
    for array, (of_one, of_other) in zip(found, parts, strict=True):
        np.testing.assert_allclose(array, 2 * of_one - 3 * of_other, rtol=0, atol=1e-14)


@every_cell
def test_no_gradient_gives_no_gradient(cell: Cell) -> None:
    nothing = parts_of(np.zeros((ROWS, cell.PARTS * HIDDEN_SIZE)))

    found = cell.step_backward(*nothing, slopes_of(cell, inputs_of(cell)))

    assert not any(array.any() for array in arrays_in(found))


@every_cell
def test_nothing_that_is_handed_over_is_changed_or_handed_back(cell: Cell) -> None:
    # callers change the gradients in place; the projections of hidden states alone are used up
    (word, recurrent, previous), parts = inputs_of(cell), parts_of(d_state_of(cell))
    state, memory = step_of(cell, word, recurrent, previous)
    slopes = cell.slopes(previous, state, memory)
    given = [word, previous, state, memory, slopes, *parts]
    copies = [array.copy() for array in given]

    cell.step(word, recurrent, previous, np.empty_like(state), np.empty_like(memory))
    again = cell.slopes(previous, state, memory)
    found = cell.step_backward(*parts, slopes)

    for array, copy in zip(given, copies, strict=True):
        np.testing.assert_array_equal(array, copy)
    assert not any(np.shares_memory(again, array) for array in given)
    for gradient in arrays_in(found):
        assert not any(np.shares_memory(gradient, array) for array in given)
    for one, other in itertools.combinations(arrays_in(found), 2):
        assert not np.shares_memory(one, other)
    sums = found.d_sums.copy()
    cell.word_gradient(found.d_sums)
    cell.recurrent_gradient(found.d_sums)
    np.testing.assert_array_equal(found.d_sums, sums)


@every_cell
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_precision_is_that_of_the_inputs(cell: Cell, dtype: DTypeLike) -> None:
    inputs = inputs_of(cell, dtype=dtype)

    slopes = slopes_of(cell, inputs)
    found = cell.step_backward(*parts_of(d_state_of(cell, dtype=dtype)), slopes)

    projections = cell.word_gradient(found.d_sums), cell.recurrent_gradient(found.d_sums)
    arrays = [slopes, *arrays_in(found), *projections]
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

    state, memory = step_of(cell, word, recurrent, previous)
    found = backward(cell, [word, recurrent, previous], d_state_of(cell, dtype=dtype))

    for array in (state, memory, *found):
        assert np.isfinite(array).all()


@every_cell
def test_hidden_states_stay_between_minus_one_and_one(cell: Cell) -> None:
    state: Array = np.zeros((200, cell.PARTS * HIDDEN_SIZE))
    rng = np.random.default_rng(5)

    for _ in range(20):
        word, recurrent = rng.normal(0, 5, (2, 200, cell.BLOCKS * HIDDEN_SIZE))
        state, _ = step_of(cell, word, recurrent, state)

    assert np.abs(state[:, :HIDDEN_SIZE]).max() <= 1


def test_the_sigmoid_is_the_logistic_function() -> None:
    values, large = np.linspace(-20, 20, 41), np.array([-1e4, 0, 1e4])
    expected = [1 / (1 + math.exp(-value)) for value in values]

    sigmoid(values)
    sigmoid(large)

    np.testing.assert_allclose(values, expected, rtol=0, atol=1e-15)
    assert large.tolist() == [0, 0.5, 1]


def test_blocks_are_the_columns_in_their_order_and_views() -> None:
    values = np.arange(24.0).reshape(2, 12)

    for count in (1, 2, 3, 4, 12):
        found = blocks(values, count)

        for block, expected in zip(found, np.split(values, count, axis=1), strict=True):
            np.testing.assert_array_equal(block, expected)
            assert np.shares_memory(block, values)


# What is within bounds in a step


@every_cell
def test_every_block_of_the_projections_has_a_name_of_its_own(cell: Cell) -> None:
    assert len(set(cell.GATES)) == len(cell.GATES) == cell.BLOCKS


@every_cell
def test_gates_and_candidates_come_first_among_activations(cell: Cell) -> None:
    assert tuple(cell.ACTIVATIONS)[: cell.BLOCKS] == cell.GATES


@every_cell
def test_each_gate_follows_its_own_block_to_the_bounds_of_its_function(cell: Cell) -> None:
    bounds = {"tanh": (-1, 1), "sigmoid": (0, 1)}

    for gate, name in enumerate(cell.GATES):
        for side, value in enumerate((-1e4, 1e4)):
            inputs = inputs_of(cell)
            inputs[0][:, gate * HIDDEN_SIZE : (gate + 1) * HIDDEN_SIZE] = value

            found = cell.activations(*step_of(cell, *inputs))

            expected = bounds[cell.ACTIVATIONS[name]][side]
            assert (blocks(found, len(cell.ACTIVATIONS))[gate] == expected).all()


@every_cell
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_activations_have_the_precision_of_the_step(cell: Cell, dtype: DTypeLike) -> None:
    found = cell.activations(*step_of(cell, *inputs_of(cell, dtype=dtype)))

    assert found.shape == (ROWS, len(cell.ACTIVATIONS) * HIDDEN_SIZE)
    assert found.dtype == dtype


@every_cell
def test_activations_are_read_without_a_change_to_the_step(cell: Cell) -> None:
    state, memory = step_of(cell, *inputs_of(cell))
    copies = state.copy(), memory.copy()

    cell.activations(state, memory)

    np.testing.assert_array_equal(state, copies[0])
    np.testing.assert_array_equal(memory, copies[1])


@pytest.mark.parametrize(("name", "gate"), [("gru", "update"), ("lstm", "forget")])
def test_the_gate_that_keeps_is_called_so(name: str, gate: str) -> None:
    cell = CELLS[name]

    assert cell.KEEP_BLOCK is not None
    assert cell.GATES[cell.KEEP_BLOCK] == gate


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

    state, _ = step_of(cell, *inputs)

    for row in range(ROWS):
        u, w, before = (array[row].tolist() for array in inputs)
        for k in range(HIDDEN_SIZE):
            found = state[row, k::HIDDEN_SIZE]  # hidden state and, if there is one, memory
            np.testing.assert_allclose(found, PLAIN[name](u, w, before, k), rtol=0, atol=1e-15)


Named = dict[str, float]
PlainActivations = Callable[[list[float], list[float], list[float], int], Named]


def elman_activations(u: list[float], w: list[float], before: list[float], k: int) -> Named:
    return {"state": math.tanh(u[k] + w[k])}


def gru_activations(u: list[float], w: list[float], before: list[float], k: int) -> Named:
    size = len(before)
    r, z = (plain_sigmoid(u[gate * size + k] + w[gate * size + k]) for gate in (0, 1))
    n = math.tanh(u[2 * size + k] + r * w[2 * size + k])
    return {"reset": r, "update": z, "candidate": n}


def lstm_activations(u: list[float], w: list[float], before: list[float], k: int) -> Named:
    size = len(before) // 2
    i, f, g, o = (u[block * size + k] + w[block * size + k] for block in range(4))
    return {
        "input": plain_sigmoid(i),
        "forget": plain_sigmoid(f),
        "candidate": math.tanh(g),
        "output": plain_sigmoid(o),
        "memory shown": math.tanh(plain_lstm(u, w, before, k)[1]),
    }


PLAIN_ACTIVATIONS: dict[str, PlainActivations] = {
    "elman": elman_activations,
    "gru": gru_activations,
    "lstm": lstm_activations,
}


@pytest.mark.parametrize("name", CELLS)
def test_activations_are_the_plain_formulas_one_number_at_a_time(name: str) -> None:
    cell, inputs = CELLS[name], inputs_of(CELLS[name])

    found = cell.activations(*step_of(cell, *inputs))

    for row in range(ROWS):
        u, w, before = (array[row].tolist() for array in inputs)
        for k in range(HIDDEN_SIZE):
            expected = PLAIN_ACTIVATIONS[name](u, w, before, k)
            assert list(cell.ACTIVATIONS) == list(expected)
            values = list(expected.values())
            np.testing.assert_allclose(found[row, k::HIDDEN_SIZE], values, rtol=0, atol=1e-15)


def test_a_gru_sums_all_that_goes_in_but_the_candidates_two_projections() -> None:
    # which go into it apart, as u_3 + r w_3
    cell, (word, recurrent, previous) = CELLS["gru"], inputs_of(CELLS["gru"])
    d_hidden, d_rest = parts_of(d_state_of(cell))

    d_sums = cell.step_backward(d_hidden, d_rest, slopes_of(cell, [word, recurrent, previous]))[0]

    # s = (1 - z) n + z s', so that d_n = d (1 - z), and z gets d (s' - n)
    u, w = (np.split(array, 3, axis=1) for array in (word, recurrent))
    r, z = (1 / (1 + np.exp(-u[gate] - w[gate])) for gate in (0, 1))
    n = np.tanh(u[2] + r * w[2])
    candidate = d_hidden * (1 - z) * (1 - n * n)
    reset = candidate * w[2] * r * (1 - r)
    update = d_hidden * (previous - n) * z * (1 - z)
    expected = {
        "sums": [candidate, reset, update, candidate * r],
        "word": [reset, update, candidate],
        "recurrent": [reset, update, candidate * r],
    }
    found = {
        "sums": d_sums,
        "word": cell.word_gradient(d_sums),
        "recurrent": cell.recurrent_gradient(d_sums),
    }
    for name, array in found.items():
        np.testing.assert_allclose(array, np.hstack(expected[name]), rtol=0, atol=1e-15)


@pytest.mark.parametrize("name", ["elman", "lstm"])
def test_elsewhere_both_projections_have_the_gradients_of_their_sum(name: str) -> None:
    cell = CELLS[name]
    d_sums = cell.step_backward(*parts_of(d_state_of(cell)), slopes_of(cell, inputs_of(cell)))[0]

    np.testing.assert_array_equal(cell.word_gradient(d_sums), d_sums)
    np.testing.assert_array_equal(cell.recurrent_gradient(d_sums), d_sums)


def keeping(cell: Cell) -> list[Array]:
    """Inputs of a step whose keeping gate is wide open."""
    assert cell.KEEP_BLOCK is not None
    inputs = inputs_of(cell)
    start = cell.KEEP_BLOCK * HIDDEN_SIZE
    inputs[0][:, start : start + HIDDEN_SIZE] = 1e4
    return inputs


def test_a_gru_with_an_open_update_gate_keeps_its_state() -> None:
    inputs = keeping(CELLS["gru"])

    state, _ = step_of(CELLS["gru"], *inputs)
    *projections, d_previous = backward(CELLS["gru"], inputs, d_state_of(CELLS["gru"]))

    np.testing.assert_allclose(state, inputs[2], rtol=0, atol=1e-15)
    np.testing.assert_array_equal(d_previous, d_state_of(CELLS["gru"]))
    assert not np.any(projections)


def test_a_gru_with_a_closed_update_gate_forgets_its_state() -> None:
    word, recurrent, previous = inputs_of(CELLS["gru"])
    word[:, HIDDEN_SIZE : 2 * HIDDEN_SIZE] = -1e4

    state, _ = step_of(CELLS["gru"], word, recurrent, previous)

    other, _ = step_of(CELLS["gru"], word, recurrent, -previous)
    np.testing.assert_array_equal(state, other)


def test_an_lstm_with_an_open_forget_gate_and_a_closed_input_gate_keeps_its_memory() -> None:
    inputs = keeping(CELLS["lstm"])
    inputs[0][:, :HIDDEN_SIZE] = -1e4  # the input gate
    d_state = d_state_of(CELLS["lstm"])
    d_state[:, :HIDDEN_SIZE] = 0  # nothing but the memory counts

    state, _ = step_of(CELLS["lstm"], *inputs)
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
