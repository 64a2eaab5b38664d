"""What a recurrent cell must offer."""

from typing import NamedTuple, Protocol

import numpy as np

from unrolled.model.types import Array


class StepGradients(NamedTuple):
    """The gradients for what has gone into a step.

    Attributes:
        d_word: (rows, BLOCKS * hidden), for the projection of the word.
        d_recurrent: (rows, BLOCKS * hidden), for the projection of the hidden state before; the
            same array as `d_word` where the two projections are simply added.
        d_previous: (rows, PARTS * hidden), for the state before, on ways that do not lead through
            its projection; None if there are none.
    """

    d_word: Array
    d_recurrent: Array
    d_previous: Array | None


class Cell(Protocol):
    """A recurrent cell: a module with these names.

    Its functions act on rows: any number of states at once, whichever time steps they belong to. A
    state is one row of PARTS * hidden numbers, of which the first part is the hidden state, the one
    that predicts. The matrix products, which project words and hidden states to BLOCKS * hidden
    numbers, are not the cell's: all cells share them.
    """

    @property
    def BLOCKS(self) -> int:  # noqa: N802
        """How many hidden sizes long the projections are: one for each gate and candidate."""

    @property
    def PARTS(self) -> int:  # noqa: N802
        """How many hidden sizes long a state is."""

    @property
    def KEEP_BLOCK(self) -> int | None:  # noqa: N802
        """The block whose bias starts at one, so that states are kept at first; None without."""

    @property
    def FORMULA(self) -> str:  # noqa: N802
        """The step in the names of the parameters, for readers of a model's files."""

    def step(self, word: Array, recurrent: Array, previous: Array) -> tuple[Array, Array]:
        """The next states, and what the way back needs to remember of the step.

        Args:
            word: (rows, BLOCKS * hidden), the projections of the words, biases included.
            recurrent: (rows, BLOCKS * hidden), the projections of the hidden states before.
            previous: (rows, PARTS * hidden), the states before.
        """

    def step_backward(
        self, d_state: Array, previous: Array, state: Array, memory: Array
    ) -> StepGradients:
        """The gradients for what went into a step, given those for the states that came out.

        All of them are fresh arrays, which the caller may change.

        Args:
            d_state: (rows, PARTS * hidden).
            previous: (rows, PARTS * hidden), the states before the step.
            state: (rows, PARTS * hidden), the states after it.
            memory: (rows, any), what the step has remembered.
        """


def sigmoid(values: Array) -> Array:
    """1 / (1 + exp(-x)), by way of tanh, which cannot overflow."""
    result: Array = 0.5 + 0.5 * np.tanh(0.5 * values)
    return result
