"""The network that is trained: any cell between words and a softmax, over packed batches.

With the Elman cell and without biases it is the same mathematics as `unrolled.model.reference`, for
many sentences at once.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import cast

import numpy as np
from numpy.typing import NDArray

from unrolled.model import bptt
from unrolled.model.cells import CELLS
from unrolled.model.cells.cell import Cell
from unrolled.model.dropout import Dropout
from unrolled.model.output.layer import OutputLayer
from unrolled.model.output.softmax import Softmax
from unrolled.model.packing import PackedBatch
from unrolled.model.types import Array, Gradients, Parameters, RowGradient
from unrolled.model.workspace import Workspace
from unrolled.text.vocabulary import Ids


@dataclass(frozen=True)
class ForwardPass:
    """What the way forward leaves for the way back, a row for each position.

    Attributes:
        rows: (positions, any), the rows of the words as they went in.
        row_mask: what they were multiplied by in dropout; None without.
        trace: the states.
        hidden: (positions, hidden), the hidden states as the output layer sees them.
        hidden_mask: what they were multiplied by in dropout; None without.
    """

    rows: Array
    row_mask: Array | None
    trace: bptt.Trace
    hidden: Array
    hidden_mask: Array | None


@dataclass(frozen=True)
class Network:
    """A recurrent language model.

    Attributes:
        parameters: arrays of one precision, by the names and shapes of
            `initialisation.parameter_shapes`; with biases or without, tied or not.
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

    @property
    def tied(self) -> bool:
        """Whether words go in by the same rows by which they come out."""
        return "input_projection" in self.parameters

    @property
    def output(self) -> OutputLayer:
        """What makes probabilities of a hidden state."""
        parameters = self.parameters
        return Softmax(parameters["output_weights"], parameters.get("output_bias"), self._workspace)

    def forward(
        self, batch: PackedBatch, start: Array | None = None, dropout: Dropout | None = None
    ) -> ForwardPass:
        """The states of a batch.

        Args:
            batch: the sentences.
            start: (sentences, parts * hidden), the states before the first words, in the order of
                the batch's rows; None for zeros.
            dropout: what is dropped; None for nothing.

        Raises:
            DataError: an id is not one of the vocabulary.
        """
        batch.require_ids_below(self.vocabulary_size)
        rows = self._word_rows[batch.inputs]
        row_mask = dropout.drop_inputs(rows) if dropout else None
        weights = self.parameters["recurrent_weights"]
        trace = bptt.forward(self.cell, batch, self._projected(rows), weights, start)
        hidden = np.array(trace.hidden, order="C")
        hidden_mask = dropout.drop_outputs(hidden) if dropout else None
        return ForwardPass(rows, row_mask, trace, hidden, hidden_mask)

    def passes(
        self, batches: Iterable[PackedBatch], dropout: Dropout | None = None
    ) -> Iterator[tuple[PackedBatch, ForwardPass]]:
        """Each batch with its way forward; sentences that go on from the batch before take its
        states over.
        """
        states = None
        for batch in batches:
            forward = self.forward(batch, batch.start(states), dropout)
            yield batch, forward
            states = forward.trace.states

    def losses_and_hits(
        self, batch: PackedBatch, forward: ForwardPass | None = None
    ) -> tuple[Array, NDArray[np.bool_]]:
        """The loss of every prediction in nats, and whether the first guess was right.

        Both are (positions,). Without the way forward, it begins with zeros.
        """
        forward = forward or self.forward(batch)
        return self.output.losses_and_hits(forward.hidden, batch.targets)

    def loss_and_gradients(
        self,
        batch: PackedBatch,
        truncation_depth: int | None,
        forward: ForwardPass | None = None,
    ) -> tuple[float, Gradients]:
        """The loss in nats summed over all predictions, and its truncated gradient.

        Args:
            batch: the sentences.
            truncation_depth: how many steps back each prediction's loss reaches, at least 0; None
                for the sentence's start.
            forward: the way forward; None for one that begins with zeros and drops nothing.
        """
        forward = forward or self.forward(batch)
        loss, d_hidden, output_gradients = self.output.loss_and_gradients(
            forward.hidden, batch.targets
        )
        if forward.hidden_mask is not None:
            d_hidden *= forward.hidden_mask
        d_word, d_recurrent = bptt.deltas(
            self.cell,
            batch,
            forward.trace,
            d_hidden,
            self.parameters["recurrent_weights"],
            truncation_depth,
        )
        gradients = {
            **output_gradients,
            "recurrent_weights": d_recurrent.T @ forward.trace.previous_hidden,
        }
        if "bias" in self.parameters:
            gradients["bias"] = d_word.sum(axis=0)
        self._add_gradients_of_words(gradients, batch.inputs, forward, d_word)
        return loss, gradients

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
        state, _ = self.cell.step(self._projected(self._word_rows[ids]), recurrent, state)
        return state, self.output.log_probabilities(state[:, : self.hidden_size])

    def _add_gradients_of_words(
        self,
        gradients: dict[str, Array | RowGradient],
        ids: Ids,
        forward: ForwardPass,
        d_word: Array,
    ) -> None:
        """Add the gradients of the words' rows, and of their projection where they are tied."""
        d_rows = d_word
        if self.tied:
            gradients["input_projection"] = d_word.T @ forward.rows
            d_rows = d_word @ self.parameters["input_projection"]
        if forward.row_mask is not None:
            d_rows *= forward.row_mask
        of_words = _summed_by_row(ids, d_rows)
        if self.tied:
            of_words.add_to(cast(Array, gradients["output_weights"]))  # it has all rows
        else:
            gradients["input_weights"] = of_words

    @cached_property
    def _workspace(self) -> Workspace:
        return Workspace()

    @property
    def _word_rows(self) -> Array:
        """(vocabulary, any), what goes in for each word."""
        return self.parameters["output_weights" if self.tied else "input_weights"]

    def _projected(self, rows: Array) -> Array:
        """(positions, blocks * hidden), what rows of words bring to the step."""
        word = rows @ self.parameters["input_projection"].T if self.tied else rows
        return word + self.parameters["bias"] if "bias" in self.parameters else word


def _summed_by_row(ids: Ids, values: Array) -> RowGradient:
    """The values of equal ids added up."""
    order = np.argsort(ids, kind="stable")
    rows, starts = np.unique(ids[order], return_index=True)
    return RowGradient(rows, np.add.reduceat(values[order], starts, axis=0))
