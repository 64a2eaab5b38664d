"""The network that is trained: any cell between words and a softmax, over packed batches.

With the Elman cell and without biases it is the same mathematics as `unrolled.model.reference`, for
many sentences at once.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import DTypeLike, NDArray

from unrolled.model import bptt, output
from unrolled.model.cells import CELLS
from unrolled.model.cells.cell import Cell
from unrolled.model.packing import PackedBatch
from unrolled.model.types import Array, Gradients, Parameters, RowGradient
from unrolled.model.workspace import Workspace
from unrolled.text.vocabulary import Ids


@dataclass(frozen=True)
class Network:
    """A recurrent language model.

    Attributes:
        parameters: arrays of one precision, by the names and shapes of `parameter_shapes`; with
            biases or without.
        cell_name: a key of `CELLS`.
    """

    parameters: Parameters
    cell_name: str

    @property
    def cell(self) -> Cell:
        """What makes a state from a word and the state before."""
        return CELLS[self.cell_name]

    @property
    def vocabulary_size(self) -> int:
        """How many words have a probability."""
        return len(self.parameters["output_weights"])

    @property
    def hidden_size(self) -> int:
        """The length of the hidden state."""
        return int(self.parameters["recurrent_weights"].shape[1])

    def trace(self, batch: PackedBatch) -> bptt.Trace:
        """The states of a batch, and what the way back needs; each sentence starts from zeros."""
        word = self._projected(batch.inputs)
        return bptt.forward(self.cell, batch, word, self.parameters["recurrent_weights"])

    def losses_and_hits(self, batch: PackedBatch) -> tuple[Array, NDArray[np.bool_]]:
        """The loss of every prediction in nats, and whether the first guess was right.

        Both are (positions,).
        """
        hidden = np.ascontiguousarray(self.trace(batch).hidden)
        return output.losses_and_hits(
            hidden,
            batch.targets,
            self.parameters["output_weights"],
            self._output_bias,
            self._workspace,
        )

    def loss_and_gradients(
        self, batch: PackedBatch, truncation_depth: int | None
    ) -> tuple[float, Gradients]:
        """The loss in nats summed over all predictions, and its truncated gradient.

        Args:
            batch: the sentences.
            truncation_depth: how many steps back each prediction's loss reaches; None for the
                sentence's start.
        """
        trace = self.trace(batch)
        hidden = np.ascontiguousarray(trace.hidden)
        loss, d_hidden, gradients = output.loss_and_gradients(
            hidden,
            batch.targets,
            self.parameters["output_weights"],
            self._output_bias,
            self._workspace,
        )
        recurrent_weights = self.parameters["recurrent_weights"]
        d_word, d_recurrent = bptt.deltas(
            self.cell, batch, trace, d_hidden, recurrent_weights, truncation_depth
        )
        if "bias" in self.parameters:
            gradients["bias"] = d_word.sum(axis=0)
        # before the first step there is no state that the recurrent weights could learn from
        later = slice(batch.step_starts[1], None)
        return loss, {
            **gradients,
            "input_weights": _summed_by_row(batch.inputs, d_word),
            "recurrent_weights": d_recurrent[later].T @ trace.previous_hidden[later],
        }

    def step(self, ids: Ids, state: Array | None) -> tuple[Array, Array]:
        """The next states, and the log-probabilities of the next words.

        Args:
            ids: (rows,) the words that are read.
            state: (rows, parts * hidden), or None at the start of a sentence.

        Returns:
            (rows, parts * hidden) and (rows, vocabulary).
        """
        weights = self.parameters["recurrent_weights"]
        if state is None:
            state = np.zeros((len(ids), self.cell.PARTS * self.hidden_size), dtype=weights.dtype)
        recurrent = state[:, : self.hidden_size] @ weights.T
        state, _ = self.cell.step(self._projected(ids), recurrent, state)
        return state, output.log_probabilities(
            state[:, : self.hidden_size], self.parameters["output_weights"], self._output_bias
        )

    @cached_property
    def _workspace(self) -> Workspace:
        return Workspace()

    @property
    def _output_bias(self) -> Array | None:
        return self.parameters.get("output_bias")

    def _projected(self, ids: Ids) -> Array:
        """(rows, blocks * hidden), what the words bring to the step."""
        word = self.parameters["input_weights"][ids]
        if "bias" in self.parameters:
            word += self.parameters["bias"]
        return word


def parameter_shapes(
    cell_name: str, vocabulary_size: int, hidden_size: int, bias: bool
) -> dict[str, tuple[int, ...]]:
    """The arrays that a network is made of.

    The input weights have a row for each word: what it brings to the cell's blocks, one hidden size
    after the other. The recurrent weights act on hidden states, the output weights have a row for
    each word again.
    """
    blocks = CELLS[cell_name].BLOCKS * hidden_size
    shapes: dict[str, tuple[int, ...]] = {
        "input_weights": (vocabulary_size, blocks),
        "recurrent_weights": (blocks, hidden_size),
        "output_weights": (vocabulary_size, hidden_size),
    }
    if bias:
        shapes |= {"bias": (blocks,), "output_bias": (vocabulary_size,)}
    return shapes


def initialised(
    vocabulary_size: int,
    hidden_size: int,
    rng: np.random.Generator,
    dtype: DTypeLike = np.float64,
    cell_name: str = "elman",
    bias: bool = False,
) -> Network:
    """A network with weights uniform in ±1/sqrt(n), n being the length of what the weights act on.

    Biases are zero, but that of the gate that keeps the state is one, so that a gated cell
    remembers before it has learned what.

    Source: Glorot & Bengio, Understanding the Difficulty of Training Deep Feedforward Neural
    Networks (2010), equation 1; Jozefowicz et al., An Empirical Exploration of Recurrent Network
    Architectures (2015), for the bias.
    """
    acts_on = {
        "input_weights": vocabulary_size,
        "recurrent_weights": hidden_size,
        "output_weights": hidden_size,
    }
    parameters: Parameters = {}
    for name, shape in parameter_shapes(cell_name, vocabulary_size, hidden_size, bias).items():
        limit = acts_on[name] ** -0.5 if name in acts_on else 0.0
        parameters[name] = rng.uniform(-limit, limit, size=shape).astype(dtype)
    keep = CELLS[cell_name].KEEP_BLOCK
    if bias and keep is not None:
        parameters["bias"][keep * hidden_size : (keep + 1) * hidden_size] = 1
    return Network(parameters, cell_name)


def _summed_by_row(ids: Ids, values: Array) -> RowGradient:
    """The values of equal ids added up."""
    order = np.argsort(ids, kind="stable")
    rows, starts = np.unique(ids[order], return_index=True)
    return RowGradient(rows, np.add.reduceat(values[order], starts, axis=0))
