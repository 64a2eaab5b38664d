"""The arrays that models are made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]
"""Single or double precision, the same throughout one network."""

Parameters = dict[str, Array]
"""The arrays of a network by name."""


def copied_as(parameters: Parameters, arrays: Mapping[str, Array]) -> Parameters:
    """Copies of arrays, each laid out in memory as the parameter of its name is."""
    copies = {name: np.empty_like(parameters[name]) for name in arrays}
    for name, copy in copies.items():
        copy[...] = arrays[name]
    return copies


@dataclass(frozen=True)
class RowGradient:
    """A gradient that touches few rows of its parameter; every other row is zero.

    Attributes:
        rows: (touched,) indices, each once, ascending.
        values: (touched, columns).
    """

    rows: NDArray[np.integer[Any]]
    values: Array

    def add_to(self, gradient: Array) -> None:
        """Add it to a gradient of all rows, (row_count, columns), in place."""
        gradient[self.rows] += self.values

    def dense(self, row_count: int) -> Array:
        """The same gradient with its zeros, (row_count, columns)."""
        full = np.zeros((row_count, self.values.shape[1]), dtype=self.values.dtype)
        full[self.rows] = self.values
        return full


Gradients = Mapping[str, Array | RowGradient]
"""The gradient of each parameter by the parameter's name."""
