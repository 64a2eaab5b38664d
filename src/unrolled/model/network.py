"""The network that is trained: an Elman network over packed batches of sentences.

The same mathematics as `unrolled.model.reference`, for many sentences at once.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike, NDArray

from unrolled.model import bptt, elman, output
from unrolled.model.packing import PackedBatch
from unrolled.model.types import Array, Gradients, Parameters, RowGradient
from unrolled.text.vocabulary import Ids


@dataclass(frozen=True)
class Network:
    """A recurrent language model.

    Attributes:
        parameters: input_weights (vocabulary, hidden), recurrent_weights (hidden, hidden) and
            output_weights (vocabulary, hidden), all of one precision.
    """

    parameters: Parameters

    @property
    def vocabulary_size(self) -> int:
        """How many words have a probability."""
        return len(self.parameters["output_weights"])

    @property
    def hidden_size(self) -> int:
        """The length of the hidden state."""
        return len(self.parameters["recurrent_weights"])

    def hidden_states(self, batch: PackedBatch) -> Array:
        """The state after each word, (positions, hidden); each sentence starts from zeros."""
        projected = self.parameters["input_weights"][batch.inputs]
        hidden = np.empty_like(projected)
        for step in range(batch.steps):
            rows = batch.rows(step)
            previous = hidden[batch.previous[rows]] if step > 0 else None
            hidden[rows] = elman.step(
                projected[rows], previous, self.parameters["recurrent_weights"]
            )
        return hidden

    def losses_and_hits(self, batch: PackedBatch) -> tuple[Array, NDArray[np.bool_]]:
        """The loss of every prediction in nats, and whether the most probable word was right;
        (positions,) each.
        """
        hidden = self.hidden_states(batch)
        return output.losses_and_hits(hidden, batch.targets, self.parameters["output_weights"])

    def loss_and_gradients(
        self, batch: PackedBatch, truncation_depth: int | None
    ) -> tuple[float, Gradients]:
        """The loss in nats summed over all predictions, and its truncated gradient.

        Args:
            batch: the sentences.
            truncation_depth: how many steps back each prediction's loss reaches; None for the
                sentence's start.
        """
        hidden = self.hidden_states(batch)
        loss, d_hidden, d_output_weights = output.loss_and_gradients(
            hidden, batch.targets, self.parameters["output_weights"]
        )
        deltas = bptt.deltas(
            batch, hidden, d_hidden, self.parameters["recurrent_weights"], truncation_depth
        )
        # before the first step there is no state that the recurrent weights could learn from
        later = slice(batch.step_starts[1], None)
        return loss, {
            "input_weights": _summed_by_row(batch.inputs, deltas),
            "recurrent_weights": deltas[later].T @ hidden[batch.previous[later]],
            "output_weights": d_output_weights,
        }

    def step(self, ids: Ids, hidden: Array | None) -> tuple[Array, Array]:
        """The next hidden states (rows, hidden) and the log-probabilities of the next words (rows,
        vocabulary).
        """
        projected = self.parameters["input_weights"][ids]
        hidden = elman.step(projected, hidden, self.parameters["recurrent_weights"])
        return hidden, output.log_probabilities(hidden, self.parameters["output_weights"])


def initialised(
    vocabulary_size: int, hidden_size: int, rng: np.random.Generator, dtype: DTypeLike = np.float64
) -> Network:
    """A network with weights uniform in ±1/sqrt(n), n being the length of what the weights act on.

    Source: Glorot & Bengio, Understanding the Difficulty of Training Deep Feedforward Neural
    Networks (2010), equation 1.
    """
    shapes = {
        "input_weights": ((vocabulary_size, hidden_size), vocabulary_size),
        "recurrent_weights": ((hidden_size, hidden_size), hidden_size),
        "output_weights": ((vocabulary_size, hidden_size), hidden_size),
    }
    return Network(
        {
            name: rng.uniform(-(n**-0.5), n**-0.5, size=shape).astype(dtype)
            for name, (shape, n) in shapes.items()
        }
    )


def _summed_by_row(ids: Ids, values: Array) -> RowGradient:
    """The values of equal ids added up."""
    order = np.argsort(ids, kind="stable")
    rows, starts = np.unique(ids[order], return_index=True)
    return RowGradient(rows, np.add.reduceat(values[order], starts, axis=0))
