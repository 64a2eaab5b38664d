"""What a recurrent cell must offer."""

from collections.abc import Mapping
from typing import Literal, NamedTuple, Protocol

import numpy as np

from unrolled.model.types import Array

Activation = Literal["tanh", "sigmoid"]
"""A function that keeps what a cell makes of its sums within bounds."""


class StepGradients(NamedTuple):
    """The gradients for what has gone into a step.

    Attributes:
        d_sums: (rows, SUMS * hidden), for the sums that the cell makes of its projections.
        d_hidden: (rows, hidden), for the hidden state before, on ways that do not lead through its
            projection; None if there are none.
        d_rest: (rows, (PARTS - 1) * hidden), for the rest of the state before.
    """

    d_sums: Array
    d_hidden: Array | None
    d_rest: Array


class Cell(Protocol):
    """A recurrent cell: a module with these names.

    Its functions act on rows: any number of states at once, whichever time steps they belong to. A
    state is one row of PARTS * hidden numbers, of which the first part is the hidden state, the one
    that predicts. The matrix products, which project words and hidden states to BLOCKS * hidden
    numbers, are not the cell's: all cells share them.

    The way back is taken many times from each step, once for every lag. So all that it needs of the
    step, its slopes, is worked out once; a step back is then nothing but multiplications with them.
    """

    @property
    def BLOCKS(self) -> int:  # noqa: N802
        """How many hidden sizes long the projections are: one for each gate and candidate."""

    @property
    def GATES(self) -> tuple[str, ...]:  # noqa: N802
        """What each block of the projections goes into, a gate or a candidate, by name."""

    @property
    def PARTS(self) -> int:  # noqa: N802
        """How many hidden sizes long a state is."""

    @property
    def MEMORY(self) -> int:  # noqa: N802
        """How many hidden sizes long that is which a step remembers for the way back."""

    @property
    def SUMS(self) -> int:  # noqa: N802
        """How many hidden sizes long the sums are that a step makes of its projections."""

    @property
    def KEEP_BLOCK(self) -> int | None:  # noqa: N802
        """The block whose bias starts at one, so that states are kept at first; None without."""

    @property
    def ACTIVATIONS(self) -> Mapping[str, Activation]:  # noqa: N802
        """The function of each value that a step keeps within bounds; those of `GATES` first."""

    @property
    def FORMULA(self) -> str:  # noqa: N802
        """The step in the names of the parameters, for readers of a model's files."""

    def step(
        self, word: Array, recurrent: Array, previous: Array, state: Array, memory: Array
    ) -> None:
        """Fill in the next states, and what the way back needs to remember of the step.

        Args:
            word: (rows, BLOCKS * hidden), the projections of the words, biases included.
            recurrent: (rows, BLOCKS * hidden), the projections of the hidden states before; used
                up.
            previous: (rows, PARTS * hidden), the states before.
            state: (rows, PARTS * hidden), to be filled.
            memory: (rows, MEMORY * hidden), to be filled.
        """

    def slopes(self, previous: Array, state: Array, memory: Array) -> Array:
        """What `step_backward` multiplies by, (rows, any).

        Args:
            previous: (rows, PARTS * hidden), the states before the step.
            state: (rows, PARTS * hidden), the states after it.
            memory: (rows, MEMORY * hidden), what the step has remembered.
        """

    def step_backward(self, d_hidden: Array, d_rest: Array, slopes: Array) -> StepGradients:
        """The gradients for what went into a step, given those for the states that came out.

        They are linear in what is given. All of them are fresh arrays, which the caller may change.

        Args:
            d_hidden: (rows, hidden), for the hidden states.
            d_rest: (rows, (PARTS - 1) * hidden), for the rest of the states.
            slopes: (rows, any), of the step.
        """

    def word_gradient(self, d_sums: Array) -> Array:
        """(rows, BLOCKS * hidden), the part of the sums' gradients that is the words' projections'.

        Args:
            d_sums: (rows, SUMS * hidden).
        """

    def recurrent_gradient(self, d_sums: Array) -> Array:
        """(rows, BLOCKS * hidden), likewise for the projections of the hidden states."""

    def activations(self, state: Array, memory: Array) -> Array:
        """(rows, len(ACTIVATIONS) * hidden), the values of `ACTIVATIONS` in their order, not to be
        changed.

        Args:
            state: (rows, PARTS * hidden), the states after the step.
            memory: (rows, MEMORY * hidden), what the step has remembered.
        """


def blocks(values: Array, count: int) -> list[Array]:
    """The columns of an array in parts of the same size, as views; `numpy.split` is far slower."""
    size = values.shape[1] // count
    return [values[:, block * size : (block + 1) * size] for block in range(count)]


def sigmoid(values: Array) -> None:
    """1 / (1 + exp(-x)) in place, by way of tanh(x / 2), which cannot overflow."""
    values *= 0.5
    np.tanh(values, out=values)
    values *= 0.5
    values += 0.5
