"""The small networks that the tests of the gradient check share; each is differentiated once."""

from functools import cache

import pytest

from unrolled.analysis.gradient_check import KINDS, Kind, Problem, numeric_of, problem_of
from unrolled.analysis.numeric_gradients import Numeric
from unrolled.config.sections import ChecksConfig
from unrolled.model.cells import CELLS

CHECKS = ChecksConfig(
    hidden_size=3,
    vocabulary_size=5,
    sentences=2,
    central_step=1e-5,
    central_tolerance=1e-7,
    complex_tolerance=1e-12,
    overfit_steps=300,
    overfit_loss=0.05,
    initial_loss_difference=0.1,
    seed=2,
)

SOFTMAX, TIED, CLASSES = (kind for kind in KINDS if not kind.carried)

DEPTHS: list[int | None] = [0, 1, 3, None]

OF_OUTPUT = {"output_weights", "output_bias", "root_weights", "root_bias"}
"""Parameters that act at the output alone, where weights are not tied."""

every_cell = pytest.mark.parametrize("cell", CELLS)
every_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.title)
every_depth = pytest.mark.parametrize("depth", DEPTHS)

every_pair = pytest.mark.parametrize(
    ("cell", "kind", "depth"),
    [
        pytest.param(cell, kind, depth, id=f"{cell}-{kind.title}-{depth}")
        for row, cell in enumerate(CELLS)
        for column, kind in enumerate(KINDS)
        for place, depth in enumerate(DEPTHS)
        if (row + column + place) % 2 == 0
    ],
)
"""Half of all problems, among which every two of a cell, a kind and a depth meet: enough for what
is the work of one or two of them.
"""


@cache
def problem(cell: str, kind: Kind = SOFTMAX, depth: int | None = 1) -> Problem:
    """The network and sentences that are checked with the settings above."""
    return problem_of(cell, kind, CHECKS, depth)


@cache
def numeric(cell: str, kind: Kind = SOFTMAX, depth: int | None = 1) -> dict[str, Numeric]:
    """The derivatives of this problem: a fault in gradients does not change them."""
    return numeric_of(problem(cell, kind, depth), CHECKS)
