"""Dropout: while training, some numbers are zero at random, so that none can be relied on.

What remains is scaled up, so that sums keep their mean and nothing changes where nothing is
dropped. Zeros are put into the rows of words on their way into the step, and into hidden states on
their way to the output layer; states on their way to the next step stay whole.

Source: Srivastava et al., Dropout (2014); the places as in Zaremba, Sutskever & Vinyals, Recurrent
Neural Network Regularization (2014), but that the row of a word is projected already unless weights
are tied.
"""

from dataclasses import dataclass

import numpy as np

from unrolled.model.types import Array


@dataclass(frozen=True)
class Dropout:
    """What is dropped.

    Attributes:
        inputs: share of the numbers in the rows of words, at least 0, below 1.
        outputs: share of the numbers in the states that the output layer sees.
        rng: draws them, anew for each batch.
    """

    inputs: float
    outputs: float
    rng: np.random.Generator

    def drop_inputs(self, rows: Array) -> Array | None:
        """Drop some of the numbers of the rows of words, in place.

        Args:
            rows: (positions, any).

        Returns:
            What each number was multiplied by, (positions, any); None where nothing is dropped.
        """
        return self._drop(rows, self.inputs)

    def drop_outputs(self, hidden: Array) -> Array | None:
        """As `drop_inputs`, for hidden states."""
        return self._drop(hidden, self.outputs)

    def _drop(self, values: Array, share: float) -> Array | None:
        if share == 0:
            return None
        kept = self.rng.random(values.shape, dtype=np.float32) >= share
        mask: Array = kept / values.dtype.type(1 - share)
        values *= mask
        return mask
