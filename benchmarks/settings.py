"""What is measured: sizes, and the sentences that every contender is given."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrolled.model.cells import CELLS
from unrolled.text.vocabulary import END, RESERVED, START

SENTENCES = 128
"""How many a measurement goes through, in batches."""

MEAN_WORDS = 20
"""Words of a sentence, in the mean."""

CORPUS_SENTENCES = 50_000
"""Of an imagined corpus, some million words, in which words are counted."""


@dataclass(frozen=True)
class Setting:
    """One row of the table, the contender aside."""

    cell: str = "elman"
    hidden_size: int = 100
    vocabulary_size: int = 8000
    truncation_depth: int | None = 4
    batch_size: int = 32
    dtype: str = "float32"

    @property
    def depth(self) -> str:
        """The truncation depth as tables show it."""
        return "full" if self.truncation_depth is None else str(self.truncation_depth)

    @property
    def operations_per_token(self) -> int:
        """Multiplications and additions in the products that the exact softmax cannot do without.

        Three products with the output weights; with the recurrent weights one forward, one for
        their gradient, and one for each step back (at full depth one in all; at the start of
        sentences a little less).
        """
        steps_back = 1 if self.truncation_depth is None else self.truncation_depth
        output = 6 * self.hidden_size * self.vocabulary_size
        return output + (2 + steps_back) * 2 * CELLS[self.cell].BLOCKS * self.hidden_size**2

    @property
    def word_frequencies(self) -> NDArray[np.float64]:
        """(vocabulary - reserved,) the share of each word among all words, as in Zipf's law."""
        ranks = np.arange(1, self.vocabulary_size + 1 - len(RESERVED))
        frequencies: NDArray[np.float64] = 1 / ranks / (1 / ranks).sum()
        return frequencies

    @property
    def prediction_counts(self) -> NDArray[np.float64]:
        """(vocabulary,) how often each id would be predicted in a corpus of such sentences.

        The end is, once a sentence; neither the start nor an unknown word ever is.
        """
        counts = np.zeros(self.vocabulary_size)
        counts[END] = CORPUS_SENTENCES
        counts[len(RESERVED) :] = CORPUS_SENTENCES * MEAN_WORDS * self.word_frequencies
        return counts

    def batches(self) -> list[list[NDArray[np.int64]]]:
        """Sentences with start and end, their lengths log-normal."""
        rng = np.random.default_rng(1)
        frequencies = self.word_frequencies
        return [
            [self._sentence(rng, frequencies) for _ in range(self.batch_size)]
            for _ in range(SENTENCES // self.batch_size)
        ]

    @staticmethod
    def _sentence(rng: np.random.Generator, frequencies: NDArray[Any]) -> NDArray[np.int64]:
        spread = 0.6
        middle = np.log(MEAN_WORDS) - spread**2 / 2  # so that the mean is that
        length = int(np.clip(rng.lognormal(middle, spread), 2, 99))
        words = rng.choice(len(frequencies), size=length, p=frequencies) + len(RESERVED)
        return np.array([START, *words, END])
