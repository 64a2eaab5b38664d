"""Would the gradient check notice? Faults planted in copies of the way back, each of which it must.

A check that lets everything pass looks like one that finds nothing wrong. So a network is checked
once more for every fault of a list: with a way back through time that has this one fault, or with
the gradient of one parameter that has it. All else stays sound, and so do the numeric derivatives.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import NamedTuple, cast

import numpy as np

from unrolled.analysis.gradient_check import ParameterCheck, Problem, compare
from unrolled.analysis.numeric_gradients import Numeric
from unrolled.model import bptt
from unrolled.model.bptt import Deltas, Trace
from unrolled.model.cells.cell import Cell, StepGradients
from unrolled.model.network import Network
from unrolled.model.packing import PackedBatch
from unrolled.model.types import Array, Gradients, RowGradient


@dataclass(frozen=True)
class Planted:
    """A fault in a copy, and whether the check has noticed.

    Attributes:
        fault: what is wrong.
        place: where.
        parameter: whose gradient it is in; None where it is in the way back.
        error: the largest one over all parameters, by the method of the least tolerance; NaN where
            one is.
        caught: whether the check has failed.
    """

    fault: str
    place: str
    parameter: str | None
    error: float
    caught: bool


class Call(NamedTuple):
    """What `bptt.deltas` is called with."""

    cell: Cell
    batch: PackedBatch
    trace: Trace
    d_hidden: Array
    recurrent_weights: Array
    depth: int | None

    @property
    def reach(self) -> int:
        """How many steps back the loss of the last output reaches."""
        last = self.batch.steps - 1
        return last if self.depth is None else min(self.depth, last)


WayBack = Callable[[Call], Deltas]


@dataclass(frozen=True)
class Fault:
    """A way back through time with a fault.

    Attributes:
        name: what is wrong.
        place: where.
        way_back: takes the place of `bptt.deltas`.
        least_reach: how many steps losses must reach back for it to make a difference.
        most_reach: how many they may; farther back the gradients of so small networks may have
            vanished below what any check in double precision can see. None for any number.
    """

    name: str
    place: str
    way_back: WayBack
    least_reach: int = 1
    most_reach: int | None = None


@dataclass(frozen=True)
class FaultyNetwork(Network):
    """A copy of a network with another way back through time.

    Attributes:
        way_back: takes the place of `bptt.deltas`.
    """

    way_back: WayBack = lambda call: bptt.deltas(*call)

    def deltas(
        self, batch: PackedBatch, trace: Trace, d_hidden: Array, truncation_depth: int | None
    ) -> Deltas:
        """As `Network.deltas`, but for the fault."""
        weights = self.parameters["recurrent_weights"]
        return self.way_back(Call(self.cell, batch, trace, d_hidden, weights, truncation_depth))


def planted_faults(
    problem: Problem, numeric: Mapping[str, Numeric], tolerances: Mapping[str, float]
) -> list[Planted]:
    """Every fault that can be made at the problem's depth, one at a time.

    Args:
        problem: the network, sound.
        numeric: its derivatives.
        tolerances: the largest error allowed, by method.
    """

    def judged(
        fault: str, place: str, gradients: Gradients, parameter: str | None = None
    ) -> Planted:
        checks = compare(problem.network.parameters, gradients, numeric)
        caught = not all(check.passes(tolerances) for check in checks)
        return Planted(fault, place, parameter, _largest_error(checks, most_exact), caught)

    most_exact = min(tolerances, key=lambda method: tolerances[method])
    sound = problem.back_propagated()
    return [
        *(
            judged(fault.name, fault.place, problem.back_propagated(_copy(problem.network, fault)))
            for fault in _faults_of(problem)
        ),
        *(
            judged(fault, "gradient of one parameter", _with(sound, name, change), name)
            for name in sound
            for fault, change in IN_GRADIENT.items()
        ),
    ]


def _largest_error(checks: Sequence[ParameterCheck], method: str) -> float:
    """Over all parameters by one method; NaN where one is."""
    return float(np.max([check.comparisons[method].error for check in checks]))


def _faults_of(problem: Problem) -> Iterator[Fault]:
    """The faults of the way back that make a difference at the problem's depth."""
    last = problem.batch.steps - 1
    reach = last if problem.truncation_depth is None else min(problem.truncation_depth, last)
    for fault in [*IN_TIME, IN_CELL[problem.network.cell_name]]:
        beyond = fault is TOO_LATE and reach == last  # no step comes before the first
        vanished = fault.most_reach is not None and reach > fault.most_reach
        if fault.least_reach <= reach and not beyond and not vanished:
            yield fault


def _copy(network: Network, fault: Fault) -> FaultyNetwork:
    return FaultyNetwork(network.parameters, network.cell_name, network.classes, fault.way_back)


# Faults in the way back through time


def _subtracted(call: Call) -> Deltas:
    return bptt.deltas(*call._replace(recurrent_weights=-call.recurrent_weights))


def _transposed(call: Call) -> Deltas:
    size = call.recurrent_weights.shape[1]
    blocks = call.recurrent_weights.reshape(-1, size, size)
    return bptt.deltas(*call._replace(recurrent_weights=np.concatenate(blocks.swapaxes(1, 2))))


def _a_step_late(call: Call) -> Deltas:
    """Each step takes what belongs to the step before."""
    d_word, d_recurrent = bptt.deltas(*call)
    late = np.zeros_like(d_recurrent)
    for step in range(1, call.batch.steps):
        late[call.batch.rows(step)] = d_recurrent[call.batch.rows_before(step)]
    return Deltas(d_word, late)


def _a_little_too_large(call: Call) -> Deltas:
    d_word, d_recurrent = bptt.deltas(*call)
    return Deltas(d_word, 1.001 * d_recurrent)


def _without_one_step(call: Call) -> Deltas:
    """All but what the losses send one step back."""
    found, to_one, to_none = (
        bptt.deltas(*call._replace(depth=depth)) for depth in (call.depth, 1, 0)
    )
    return Deltas(*(a - (b - c) for a, b, c in zip(found, to_one, to_none, strict=True)))


def _too_early(call: Call) -> Deltas:
    return bptt.deltas(*call._replace(depth=call.reach - 1))


def _too_late(call: Call) -> Deltas:
    return bptt.deltas(*call._replace(depth=call.reach + 1))


def _one_nan(call: Call) -> Deltas:
    d_word, d_recurrent = bptt.deltas(*call)
    return Deltas(_with_nan(d_word), d_recurrent)  # a copy: the two may be one array


def _zeros(call: Call) -> Deltas:
    d_word, d_recurrent = bptt.deltas(*call)
    return Deltas(np.zeros_like(d_word), d_recurrent)


FELT = 12
"""How many steps back a step more or less is felt for sure."""

TOO_EARLY = Fault(
    "truncation one step too early", "way back through time", _too_early, most_reach=FELT
)
TOO_LATE = Fault(
    "truncation one step too late", "way back through time", _too_late, 0, most_reach=FELT
)
IN_TIME = [
    Fault("flipped sign", "what goes back through the recurrent weights", _subtracted),
    Fault("one step off in time", "what arrives at the recurrent weights", _a_step_late, 0),
    Fault("transposed matrix", "what goes back through the recurrent weights", _transposed),
    Fault("0.1 % too large", "what arrives at the recurrent weights", _a_little_too_large, 0),
    Fault("missing term", "the losses one step on", _without_one_step),
    TOO_EARLY,
    TOO_LATE,
    Fault("NaN", "one number of what arrives at the words", _one_nan, 0),
    Fault("zeros", "what arrives at the words", _zeros, 0),
]


# Faults in a cell's step back


def _with_cell(call: Call, **changed: object) -> Deltas:
    cell = cast(Cell, SimpleNamespace(**{**vars(call.cell), **changed}))
    return bptt.deltas(*call._replace(cell=cell))


def _without_slope(call: Call) -> Deltas:
    def slopes(previous: Array, state: Array, memory: Array) -> Array:
        return np.ones_like(state)

    return _with_cell(call, slopes=slopes)


def _without_kept_state(call: Call) -> Deltas:
    def step_backward(d_hidden: Array, d_rest: Array, slopes: Array) -> StepGradients:
        found = call.cell.step_backward(d_hidden, d_rest, slopes)
        return found._replace(d_hidden=None, d_rest=np.zeros_like(d_rest))

    return _with_cell(call, step_backward=step_backward)


IN_CELL = {
    "elman": Fault("missing term", "the slope of tanh", _without_slope, 0),
    "gru": Fault("missing term", "the state that is kept", _without_kept_state),
    "lstm": Fault("missing term", "the memory that is kept", _without_kept_state),
}


# Faults in the gradient of one parameter


def _with_nan(values: Array) -> Array:
    changed = values.copy()
    changed.flat[-1] = np.nan
    return changed


IN_GRADIENT: Mapping[str, Callable[[Array], Array]] = {
    "flipped sign": np.negative,
    "0.1 % too large": lambda values: 1.001 * values,
    "NaN": _with_nan,
    "zeros": np.zeros_like,
}


def _with(sound: Gradients, name: str, change: Callable[[Array], Array]) -> Gradients:
    """The gradients, one of them changed."""
    gradient = sound[name]
    if isinstance(gradient, RowGradient):
        return {**sound, name: RowGradient(gradient.rows, change(gradient.values))}
    return {**sound, name: change(gradient)}
