"""Sentences side by side, laid out time step by time step, so that no padding is ever computed.

Longest sentence first, the rows of step t are those sentences that are longer than t. Four
sentences of lengths 3, 2, 2 and 1 take eight rows:

    step 0: rows 0 1 2 3      row 0 -> 4 -> 7 is the first sentence,
    step 1: rows 4 5 6        row 1 -> 5 the second, and so on
    step 2: row  7
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from unrolled.errors import DataError
from unrolled.model.types import Array
from unrolled.text.vocabulary import Ids


@dataclass(frozen=True)
class PackedBatch:
    """Inputs and targets of some sentences, packed time-major.

    Attributes:
        inputs: (positions,) ids; the word that is read.
        targets: (positions,) ids; the word that follows it.
        step_starts: (steps + 1,) row at which each step begins, the number of rows last.
        order: (sentences,) index, in the sentences as given, of each packed sentence.
        continues: (sentences,) the row of the batch before that each packed sentence goes on from,
            -1 for one that begins; None where all begin.
    """

    inputs: Ids
    targets: Ids
    step_starts: NDArray[np.int64]
    order: NDArray[np.int64]
    continues: NDArray[np.int64] | None = None

    @property
    def positions(self) -> int:
        """How many words are predicted."""
        return len(self.inputs)

    @property
    def steps(self) -> int:
        """The length of the longest sentence."""
        return len(self.step_starts) - 1

    def start(self, states_before: Array | None) -> Array | None:
        """The states that the sentences begin with: zeros, or where they go on, those before.

        Args:
            states_before: (positions, any), the states of the batch before; None at first.

        Returns:
            (sentences, any), or None for zeros.
        """
        if self.continues is None or states_before is None:
            return None
        start: Array = states_before[self.continues]
        start[self.continues < 0] = 0
        return start

    @cached_property
    def sentence_starts(self) -> NDArray[np.int64]:
        """(sentences + 1,) where each sentence begins in `by_sentence`, the number of rows last."""
        widths = np.diff(self.step_starts)
        lengths = np.searchsorted(-widths, -np.arange(len(self.order)), side="left")
        return np.concatenate([[0], np.cumsum(lengths)])

    @cached_property
    def by_sentence(self) -> NDArray[np.int64]:
        """(positions,) the rows of the first sentence, then those of the second, and so on."""
        return _rows_by_sentence(self.step_starts, np.diff(self.sentence_starts))

    def last_rows(self) -> NDArray[np.int64]:
        """(sentences,) the last row of each sentence, in the sentences as given."""
        rows = np.empty_like(self.order)
        rows[self.order] = self.by_sentence[self.sentence_starts[1:] - 1]
        return rows

    def require_ids_below(self, vocabulary_size: int) -> None:
        """Refuse a batch with words that are not in the vocabulary.

        Raises:
            DataError: an id is not one of 0 to vocabulary_size - 1.
        """
        for name, ids in (("inputs", self.inputs), ("targets", self.targets)):
            for found in (ids.min(), ids.max()):
                if not 0 <= found < vocabulary_size:
                    raise DataError(
                        f"{name} must be ids of 0 to {vocabulary_size - 1} (got {found})"
                    )

    def rows(self, step: int) -> slice:
        """The rows of one time step."""
        return slice(self._bounds[step], self._bounds[step + 1])

    def rows_before(self, step: int) -> slice:
        """The rows of the step before, of those sentences that go on; in the order of `rows`."""
        start = self._bounds[step - 1]
        return slice(start, start + self._bounds[step + 1] - self._bounds[step])

    @cached_property
    def _bounds(self) -> list[int]:
        """The starts of the steps as plain integers, by which loops over steps are faster."""
        bounds: list[int] = self.step_starts.tolist()
        return bounds

    @cached_property
    def previous(self) -> NDArray[np.int64]:
        """(positions,) the row one step earlier in the same sentence; meaningless for the rows of
        step 0.
        """
        widths = np.diff(self.step_starts)
        shift = np.concatenate([widths[:1], widths[:-1]])
        previous: NDArray[np.int64] = np.arange(self.positions) - np.repeat(shift, widths)
        return previous

    @cached_property
    def sentence(self) -> NDArray[np.int64]:
        """(positions,) index, in the sentences as given, of the sentence that a row belongs to."""
        starts = np.repeat(self.step_starts[:-1], np.diff(self.step_starts))
        sentence: NDArray[np.int64] = self.order[np.arange(self.positions) - starts]
        return sentence


def pack(sentences: Sequence[Ids]) -> PackedBatch:
    """Sentences packed time-major.

    Args:
        sentences: each (length + 1,) ids with its start and its end; all but the last id are
            inputs, all but the first are targets.

    Raises:
        DataError: no sentence, or one without a word to predict.
    """
    return pack_pairs([(sentence[:-1], sentence[1:]) for sentence in sentences])


def pack_pairs(
    pairs: Sequence[tuple[Ids, Ids]], continues: NDArray[np.int64] | None = None
) -> PackedBatch:
    """Stretches of text packed time-major.

    Args:
        pairs: of each stretch the words that are read and, for each, the word that follows it.
        continues: (pairs,) the row of the batch before that each goes on from, -1 for none.

    Raises:
        DataError: no stretch, one without a word to predict, or one with more or fewer words that
            are read than words that follow.
    """
    for inputs, targets in pairs:
        if len(inputs) != len(targets):
            raise DataError(
                f"there must be as many targets as inputs, {len(inputs)} (got {len(targets)})"
            )
    lengths = np.array([len(inputs) for inputs, _ in pairs], dtype=np.int64)
    if len(lengths) == 0 or lengths.min() < 1:
        raise DataError("a batch needs sentences of at least two ids, a start and an end")
    order = np.argsort(-lengths, kind="stable")
    lengths = lengths[order]
    widths = np.searchsorted(-lengths, -np.arange(lengths[0]), side="left")
    step_starts = np.concatenate([[0], np.cumsum(widths)])
    rows = _rows_by_sentence(step_starts, lengths)
    inputs, targets = (
        _placed(rows, np.concatenate([pairs[k][side] for k in order])) for side in (0, 1)
    )
    if continues is not None:
        continues = continues[order]
    return PackedBatch(inputs, targets, step_starts, order, continues)


def _rows_by_sentence(
    step_starts: NDArray[np.int64], lengths: NDArray[np.int64]
) -> NDArray[np.int64]:
    """(positions,) the rows of each sentence, one sentence after the other."""
    starts = np.cumsum(lengths) - lengths
    steps = np.arange(lengths.sum()) - np.repeat(starts, lengths)
    rows: NDArray[np.int64] = step_starts[steps] + np.repeat(np.arange(len(lengths)), lengths)
    return rows


def _placed(rows: NDArray[np.int64], ids: Ids) -> Ids:
    """The ids, each at its row."""
    placed = np.empty_like(ids)
    placed[rows] = ids
    return placed
