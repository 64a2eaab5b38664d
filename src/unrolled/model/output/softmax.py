"""The plain output layer: a softmax over the whole vocabulary, P(w) = softmax(V s + b)_w.

    L = log Σ_w exp(V_w · s + b_w) - (V_y · s + b_y)    the loss of one prediction, in nats
    dL/dlogits = softmax(V s + b) - onehot(y)

Rows are worked on in chunks, since the logits of a large batch would not fit the memory.
"""

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from unrolled.model.output.draw import draw, tempered
from unrolled.model.output.layer import DrawnWords, OutputGradients
from unrolled.model.types import Array
from unrolled.model.workspace import Workspace
from unrolled.text.vocabulary import Ids

CHUNK_BYTES = 100_000_000
"""How much room the logits that are held at once may take; with fewer chunks, less is added up."""


def by_columns(weights: Array) -> Array:
    """Output weights as they are best kept in memory: each column contiguous.

    The three products are some 5 % faster so (hidden size 100, vocabulary 8,000).
    """
    return np.asfortranarray(weights)


def chunks(row_count: int, row_bytes: int) -> Iterator[slice]:
    """Rows to work on together, in chunks of about the same length.

    Args:
        row_count: of all rows.
        row_bytes: how much room one of them takes.
    """
    most = max(1, CHUNK_BYTES // row_bytes)
    count = math.ceil(row_count / most)
    for chunk in range(count):
        yield slice(chunk * row_count // count, (chunk + 1) * row_count // count)


def are_safe(sums: Array) -> bool:
    """Whether sums of exponentials are all far from where numbers overflow or lose digits."""
    smallest = np.finfo(sums.dtype).tiny / np.finfo(sums.dtype).eps
    return bool(((sums > smallest) & (sums < 1 / smallest)).all())  # NaN is neither


@dataclass(frozen=True)
class Softmax:
    """An output layer, as `layer.OutputLayer` describes it.

    Attributes:
        weights: (vocabulary, hidden), called output_weights among a network's parameters; best as
            `by_columns` keeps them.
        bias: (vocabulary,), called output_bias, or None.
        workspace: where the logits find room.
    """

    weights: Array
    bias: Array | None = None
    workspace: Workspace = field(default_factory=Workspace)

    def log_probabilities(self, hidden: Array) -> Array:
        """As `OutputLayer.log_probabilities`."""
        logits = self._logits(hidden, np.empty((len(hidden), len(self.weights)), hidden.dtype))
        logits -= logits.max(axis=1, keepdims=True)
        logits -= np.log(np.exp(logits).sum(axis=1, keepdims=True))
        return logits

    def losses(self, hidden: Array, targets: Ids) -> Array:
        """As `OutputLayer.losses`."""
        losses = np.empty(len(hidden), dtype=hidden.dtype)
        for rows in chunks(len(hidden), len(self.weights) * hidden.itemsize):
            _, row_sums, right = self._exponentials(hidden[rows], targets[rows])
            losses[rows] = np.log(row_sums) - right
        return losses

    def losses_and_hits(self, hidden: Array, targets: Ids) -> tuple[Array, NDArray[np.bool_]]:
        """As `OutputLayer.losses_and_hits`."""
        losses = np.empty(len(hidden), dtype=hidden.dtype)
        hits = np.empty(len(hidden), dtype=np.bool_)
        for rows in chunks(len(hidden), len(self.weights) * hidden.itemsize):
            exponentials, row_sums, right = self._exponentials(hidden[rows], targets[rows])
            losses[rows] = np.log(row_sums) - right
            hits[rows] = exponentials.argmax(axis=1) == targets[rows]
        return losses, hits

    def loss_and_gradients(self, hidden: Array, targets: Ids) -> OutputGradients:
        """As `OutputLayer.loss_and_gradients`."""
        loss = 0.0
        d_hidden = np.empty_like(hidden)
        d_weights = np.empty_like(self.weights)
        d_bias = np.zeros(len(self.weights), dtype=hidden.dtype)
        for rows in chunks(len(hidden), len(self.weights) * hidden.itemsize):
            exponentials, row_sums, right = self._exponentials(hidden[rows], targets[rows])
            loss += float((np.log(row_sums) - right).sum(dtype=np.float64))
            # softmax minus one-hot is (exponentials - one-hot * row sums) / row sums: the division
            # is left to the small arrays, which saves a pass over the large one
            exponentials[np.arange(len(right)), targets[rows]] -= row_sums
            if self.bias is not None:
                d_bias += (1 / row_sums) @ exponentials
            row_sums = row_sums[:, np.newaxis]
            np.matmul(exponentials, self.weights, out=d_hidden[rows])
            d_hidden[rows] /= row_sums
            weighted = hidden[rows] / row_sums
            # transposed, as the columns of the weights are contiguous
            if rows.start == 0:
                np.matmul(weighted.T, exponentials, out=d_weights.T)
            else:
                room = self.workspace.array("part", d_weights.T.shape, d_weights.dtype)
                d_weights.T[:] += np.matmul(weighted.T, exponentials, out=room)
        gradients = {"output_weights": d_weights}
        if self.bias is not None:
            gradients["output_bias"] = d_bias
        return OutputGradients(loss, d_hidden, gradients)

    def draw(
        self,
        hidden: Array,
        barred: Collection[int],
        temperature: float,
        rngs: Sequence[np.random.Generator],
    ) -> DrawnWords:
        """As `OutputLayer.draw`; the probabilities are raised to the power 1 / temperature."""
        ids = np.empty(len(hidden), dtype=np.int32)
        of_words = np.empty(len(hidden))
        for rows in chunks(len(hidden), len(self.weights) * 8):  # in double precision
            log_probabilities = self.log_probabilities(hidden[rows]).astype(np.float64)
            allowed = log_probabilities.copy()
            allowed[:, list(barred)] = -np.inf
            ids[rows] = draw(tempered(allowed, temperature), rngs[rows])
            of_words[rows] = log_probabilities[np.arange(len(allowed)), ids[rows]]
        return DrawnWords(ids, of_words)

    def _exponentials(self, hidden: Array, targets: Ids) -> tuple[Array, Array, Array]:
        """exp(logits), its row sums, and the logits of the targets, of each row less the same
        number.

        The number is zero as long as the row sums are safe, which saves two passes; elsewhere it is
        the row's largest logit.
        """
        room = self.workspace.array("logits", (len(hidden), len(self.weights)), hidden.dtype)
        logits = self._logits(hidden, room)
        right = logits[np.arange(len(logits)), targets]
        with np.errstate(over="ignore", invalid="ignore"):  # seen to, below
            exponentials = np.exp(logits, out=logits)
            # as a product the sums take a third of the time
            row_sums = exponentials @ np.ones(len(self.weights), dtype=hidden.dtype)
        if not are_safe(row_sums):
            logits = self._logits(hidden, room)
            largest = logits.max(axis=1)
            right = right - largest
            logits -= largest[:, np.newaxis]
            exponentials = np.exp(logits, out=logits)
            row_sums = exponentials.sum(axis=1)
        return exponentials, row_sums, right

    def _logits(self, hidden: Array, room: Array) -> Array:
        logits: Array = np.matmul(hidden, self.weights.T, out=room)
        if self.bias is not None:
            logits += self.bias
        return logits
