"""The network that is trained: any cell and any output layer, over packed batches.

With the Elman cell, the plain softmax and no biases it is the same mathematics as
`unrolled.model.reference`, for many sentences at once.
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
from unrolled.model.output.classes import ClassSoftmax
from unrolled.model.output.layer import OutputLayer
from unrolled.model.output.softmax import Softmax, by_columns
from unrolled.model.packing import PackedBatch
from unrolled.model.types import Array, Gradients, Parameters, RowGradient
from unrolled.model.workspace import Workspace
from unrolled.text.classes import WordClasses
from unrolled.text.vocabulary import Ids

TOGETHER = 6
"""How many occurrences of a word in a batch are added up together with those of others."""


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
        classes: of the words, for an output layer that goes by them; None for the plain softmax.
    """

    parameters: Parameters
    cell_name: str
    classes: WordClasses | None = None

    @property
    def cell(self) -> Cell:
        """What makes a state from a word and the state before."""
        return CELLS[self.cell_name]

    @property
    def vocabulary_size(self) -> int:
        """How many words have a probability."""
        return len(self.classes or self.parameters["output_weights"])

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
        weights, bias = parameters["output_weights"], parameters.get("output_bias")
        if self.classes is None:
            return Softmax(weights, bias, self._workspace)
        root_weights, root_bias = parameters["root_weights"], parameters.get("root_bias")
        return ClassSoftmax(self.classes, root_weights, weights, root_bias, bias, self._workspace)

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
        hidden, hidden_mask = np.ascontiguousarray(trace.hidden), None
        if dropout:
            hidden = hidden.copy()  # what is dropped for the output layer stays in the state
            hidden_mask = dropout.drop_outputs(hidden)
        return ForwardPass(rows, row_mask, trace, hidden, hidden_mask)

    def passes(
        self,
        batches: Iterable[PackedBatch],
        dropout: Dropout | None = None,
        states: Array | None = None,
    ) -> Iterator[tuple[PackedBatch, ForwardPass]]:
        """Each batch with its way forward; sentences that go on from the batch before take its
        states over.

        Args:
            batches: one after the other.
            dropout: what is dropped on the way; None for nothing.
            states: (positions, any), those of the batch before the first; None for zeros.
        """
        for batch in batches:
            forward = self.forward(batch, batch.start(states), dropout)
            yield batch, forward
            states = forward.trace.states

    def losses(self, batch: PackedBatch, forward: ForwardPass | None = None) -> Array:
        """(positions,) the loss of every prediction in nats.

        Without the way forward, it begins with zeros.
        """
        forward = forward or self.forward(batch)
        return self.output.losses(forward.hidden, batch.targets)

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
        d_word, d_recurrent = self.deltas(batch, forward.trace, d_hidden, truncation_depth)
        gradients: dict[str, Array | RowGradient] = {
            **output_gradients,
            "recurrent_weights": d_recurrent.T @ forward.trace.previous_hidden,
        }
        if "bias" in self.parameters:
            gradients["bias"] = d_word.sum(axis=0)
        self._add_gradients_of_words(gradients, batch.inputs, forward, d_word)
        return loss, gradients

    def deltas(
        self, batch: PackedBatch, trace: bptt.Trace, d_hidden: Array, truncation_depth: int | None
    ) -> bptt.Deltas:
        """The way back through time, as `bptt.deltas`."""
        weights = self.parameters["recurrent_weights"]
        return bptt.deltas(self.cell, batch, trace, d_hidden, weights, truncation_depth)

    def step(self, ids: Ids, state: Array | None) -> Array:
        """The next states, (rows, parts * hidden), of which the first part predicts.

        Args:
            ids: (rows,) the words that are read.
            state: (rows, parts * hidden), or None at the start of a sentence.
        """
        weights = self.parameters["recurrent_weights"]
        if state is None:
            state = np.zeros((len(ids), self.cell.PARTS * self.hidden_size), dtype=weights.dtype)
        word, recurrent = (
            self._projected(self._word_rows[ids]),
            state[:, : self.hidden_size] @ weights.T,
        )
        memory = np.empty((len(ids), self.cell.MEMORY * self.hidden_size), dtype=weights.dtype)
        following = np.empty_like(state)
        self.cell.step(word, recurrent, state, following, memory)
        return following

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


def laid_out(parameters: Parameters) -> Parameters:
    """The parameters as they are best kept in memory: the rows of a large softmax by columns."""
    name = "root_weights" if "root_weights" in parameters else "output_weights"
    return {**parameters, name: by_columns(parameters[name])}


def _summed_by_row(ids: Ids, values: Array) -> RowGradient:
    """The values of equal ids added up.

    Most words of a batch occur once or a few times: these are added up together, their second
    occurrences, their third ones, and so on; what is left of the frequent ones word by word. Sums
    over stretches of rows by `numpy.add.reduceat` take two to five times as long.
    """
    order = np.argsort(ids, kind="stable")
    ranked = ids[order]
    starts = np.flatnonzero(np.concatenate([[True], ranked[1:] != ranked[:-1]]))
    counts = np.diff(starts, append=len(ids))
    sums = values[order[starts]]
    for occurrence in range(1, TOGETHER):
        more = np.flatnonzero(counts > occurrence)
        sums[more] += values[order[starts[more] + occurrence]]
    for row in np.flatnonzero(counts > TOGETHER).tolist():
        rest = order[starts[row] + TOGETHER : starts[row] + counts[row]]
        sums[row] += values[rest].sum(axis=0)
    return RowGradient(ranked[starts], sums)
