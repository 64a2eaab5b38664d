"""The output layer: from hidden states to the probability of every word, softmax(V s).

    L = log Σ_w exp(V_w · s) - V_y · s          the loss of one prediction, in nats
    dL/dlogits = softmax(V s) - onehot(y)

Rows are worked on in chunks that fit the processor's cache: the logits of a whole batch would not.
"""

from collections.abc import Iterator

import numpy as np

from unrolled.model.types import Array, RowGradient
from unrolled.model.workspace import Workspace
from unrolled.text.vocabulary import Ids

CHUNK_BYTES = 12_000_000
"""How much room the logits that are held at once may take: they stay in the processor's cache."""


def log_probabilities(
    hidden: Array, output_weights: Array, output_bias: Array | None = None
) -> Array:
    """Logarithms of the probabilities of all words, (rows, vocabulary).

    Args:
        hidden: (rows, hidden).
        output_weights: (vocabulary, hidden).
        output_bias: (vocabulary,), or None.
    """
    logits = _logits(hidden, output_weights, output_bias)
    logits -= logits.max(axis=1, keepdims=True)
    logits -= np.log(np.exp(logits).sum(axis=1, keepdims=True))
    return logits


def losses_and_hits(
    hidden: Array,
    targets: Ids,
    output_weights: Array,
    output_bias: Array | None = None,
    workspace: Workspace | None = None,
) -> tuple[Array, np.typing.NDArray[np.bool_]]:
    """The loss of every prediction in nats, and whether the first guess was right; (rows,) each.

    Args:
        hidden: (rows, hidden).
        targets: (rows,) ids.
        output_weights: (vocabulary, hidden).
        output_bias: (vocabulary,), or None.
        workspace: where the logits find room; None for new room.
    """
    workspace = workspace or Workspace()
    losses = np.empty(len(hidden), dtype=hidden.dtype)
    hits = np.empty(len(hidden), dtype=np.bool_)
    for rows in _chunks(hidden, output_weights):
        exponentials, row_sums, right = _exponentials(
            hidden[rows], targets[rows], output_weights, output_bias, workspace
        )
        losses[rows] = np.log(row_sums) - right
        hits[rows] = exponentials.argmax(axis=1) == targets[rows]
    return losses, hits


def loss_and_gradients(
    hidden: Array,
    targets: Ids,
    output_weights: Array,
    output_bias: Array | None = None,
    workspace: Workspace | None = None,
) -> tuple[float, Array, dict[str, Array | RowGradient]]:
    """The summed loss in nats, and its gradients for the hidden states and the parameters.

    Args:
        hidden: (rows, hidden).
        targets: (rows,) ids.
        output_weights: (vocabulary, hidden).
        output_bias: (vocabulary,), or None.
        workspace: where the logits find room; None for new room.

    Returns:
        The loss, (rows, hidden), and by name the gradients of output_weights and output_bias.
    """
    workspace = workspace or Workspace()
    loss = 0.0
    d_hidden = np.empty_like(hidden)
    d_output_weights = np.empty_like(output_weights)
    d_output_bias = np.zeros(len(output_weights), dtype=hidden.dtype)
    for rows in _chunks(hidden, output_weights):
        exponentials, row_sums, right = _exponentials(
            hidden[rows], targets[rows], output_weights, output_bias, workspace
        )
        loss += float((np.log(row_sums) - right).sum(dtype=np.float64))
        # softmax minus one-hot is (exponentials - one-hot * row sums) / row sums: the division is
        # left to the small arrays, which saves a pass over the large one
        exponentials[np.arange(len(right)), targets[rows]] -= row_sums
        if output_bias is not None:
            d_output_bias += (1 / row_sums) @ exponentials
        row_sums = row_sums[:, np.newaxis]
        np.matmul(exponentials, output_weights, out=d_hidden[rows])
        d_hidden[rows] /= row_sums
        weighted = hidden[rows] / row_sums
        if rows.start == 0:
            np.matmul(exponentials.T, weighted, out=d_output_weights)
        else:
            part = workspace.array("d_output_weights", output_weights.shape, output_weights.dtype)
            d_output_weights += np.matmul(exponentials.T, weighted, out=part)
    gradients: dict[str, Array | RowGradient] = {"output_weights": d_output_weights}
    if output_bias is not None:
        gradients["output_bias"] = d_output_bias
    return loss, d_hidden, gradients


def _exponentials(
    hidden: Array,
    targets: Ids,
    output_weights: Array,
    output_bias: Array | None,
    workspace: Workspace,
) -> tuple[Array, Array, Array]:
    """exp(logits), its row sums, and the logits of the targets, of each row less the same number.

    The number is zero as long as the row sums are far from where numbers overflow or lose digits,
    which saves two passes; elsewhere it is the row's largest logit.
    """
    room = workspace.array("logits", (len(hidden), len(output_weights)), hidden.dtype)
    logits = _logits(hidden, output_weights, output_bias, room)
    right = logits[np.arange(len(logits)), targets]
    with np.errstate(over="ignore"):
        exponentials = np.exp(logits, out=logits)
        row_sums = exponentials.sum(axis=1)
    smallest = np.finfo(row_sums.dtype).tiny / np.finfo(row_sums.dtype).eps
    if not ((row_sums > smallest) & (row_sums < 1 / smallest)).all():  # NaN is neither
        logits = _logits(hidden, output_weights, output_bias, room)
        largest = logits.max(axis=1)
        right = right - largest
        logits -= largest[:, np.newaxis]
        exponentials = np.exp(logits, out=logits)
        row_sums = exponentials.sum(axis=1)
    return exponentials, row_sums, right


def _logits(
    hidden: Array, output_weights: Array, output_bias: Array | None, room: Array | None = None
) -> Array:
    logits: Array = np.matmul(hidden, output_weights.T, out=room)
    if output_bias is not None:
        logits += output_bias
    return logits


def _chunks(hidden: Array, output_weights: Array) -> Iterator[slice]:
    """Rows to work on together."""
    rows = max(1, CHUNK_BYTES // (len(output_weights) * hidden.itemsize))
    for start in range(0, len(hidden), rows):
        yield slice(start, min(start + rows, len(hidden)))
