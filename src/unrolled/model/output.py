"""The output layer: from hidden states to the probability of every word, softmax(V s).

    L = log Σ_w exp(V_w · s) - V_y · s          the loss of one prediction, in nats
    dL/dlogits = softmax(V s) - onehot(y)

Rows are worked on in chunks that fit the processor's cache: the logits of a whole batch would not.
"""

from collections.abc import Iterator

import numpy as np

from unrolled.model.types import Array
from unrolled.text.vocabulary import Ids

CHUNK_BYTES = 8_000_000
"""How much room the logits that are held at once may take: they stay in the processor's cache."""


def log_probabilities(hidden: Array, output_weights: Array) -> Array:
    """Logarithms of the probabilities of all words, (rows, vocabulary).

    Args:
        hidden: (rows, hidden).
        output_weights: (vocabulary, hidden).
    """
    logits = hidden @ output_weights.T
    logits -= logits.max(axis=1, keepdims=True)
    logits -= np.log(np.exp(logits).sum(axis=1, keepdims=True))
    return logits


def losses_and_hits(
    hidden: Array, targets: Ids, output_weights: Array
) -> tuple[Array, np.typing.NDArray[np.bool_]]:
    """The loss of every prediction in nats, and whether the first guess was right; (rows,) each.

    Args:
        hidden: (rows, hidden).
        targets: (rows,) ids.
        output_weights: (vocabulary, hidden).
    """
    losses = np.empty(len(hidden), dtype=hidden.dtype)
    hits = np.empty(len(hidden), dtype=np.bool_)
    for rows in _chunks(hidden, output_weights):
        exponentials, row_sums, right = _exponentials(hidden[rows], targets[rows], output_weights)
        losses[rows] = np.log(row_sums) - right
        hits[rows] = exponentials.argmax(axis=1) == targets[rows]
    return losses, hits


def loss_and_gradients(
    hidden: Array, targets: Ids, output_weights: Array
) -> tuple[float, Array, Array]:
    """The summed loss in nats, and its gradients for the hidden states and the output weights.

    Args:
        hidden: (rows, hidden).
        targets: (rows,) ids.
        output_weights: (vocabulary, hidden).

    Returns:
        The loss, (rows, hidden) and (vocabulary, hidden).
    """
    loss = 0.0
    d_hidden = np.empty_like(hidden)
    d_output_weights = np.zeros_like(output_weights)
    for rows in _chunks(hidden, output_weights):
        exponentials, row_sums, right = _exponentials(hidden[rows], targets[rows], output_weights)
        loss += float((np.log(row_sums) - right).sum(dtype=np.float64))
        # softmax minus one-hot is (exponentials - one-hot * row sums) / row sums: the division is
        # left to the small arrays, which saves a pass over the large one
        exponentials[np.arange(len(right)), targets[rows]] -= row_sums
        row_sums = row_sums[:, np.newaxis]
        d_hidden[rows] = (exponentials @ output_weights) / row_sums
        d_output_weights += exponentials.T @ (hidden[rows] / row_sums)
    return loss, d_hidden, d_output_weights


def _exponentials(hidden: Array, targets: Ids, output_weights: Array) -> tuple[Array, Array, Array]:
    """exp(logits), its row sums, and the logits of the targets, of each row less the same number.

    The number is zero as long as the row sums are far from where numbers overflow or lose digits,
    which saves two passes; elsewhere it is the row's largest logit.
    """
    logits = hidden @ output_weights.T
    right = logits[np.arange(len(logits)), targets]
    with np.errstate(over="ignore"):
        exponentials = np.exp(logits, out=logits)
        row_sums = exponentials.sum(axis=1)
    smallest = np.finfo(row_sums.dtype).tiny / np.finfo(row_sums.dtype).eps
    if not ((row_sums > smallest) & (row_sums < 1 / smallest)).all():  # NaN is neither
        logits = hidden @ output_weights.T
        largest = logits.max(axis=1)
        right = right - largest
        exponentials = np.exp(logits - largest[:, np.newaxis], out=logits)
        row_sums = exponentials.sum(axis=1)
    return exponentials, row_sums, right


def _chunks(hidden: Array, output_weights: Array) -> Iterator[slice]:
    """Rows to work on together."""
    rows = max(1, CHUNK_BYTES // (len(output_weights) * hidden.itemsize))
    for start in range(0, len(hidden), rows):
        yield slice(start, min(start + rows, len(hidden)))
