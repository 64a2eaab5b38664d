"""What a model must beat: guessing, word frequencies, and pairs of words.

    uniform    P(w) = 1 / V
    unigram    P(w) = (c(w) + 1) / (N + V)
    bigram     P(w|v) = (c(v,w) + T(v) P(w)) / (c(v) + T(v))

c counts words and pairs, N is the sum of all c(w), T(v) is how many different words follow v. The
bigram is interpolated with the unigram: the more different words follow v, the less is known
about the next.

Source: Witten & Bell, The Zero-Frequency Problem (1991), method C; interpolated as in Chen &
Goodman, An Empirical Study of Smoothing Techniques for Language Modeling (1999), section 2.4.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrolled.text.dataset import Dataset
from unrolled.text.pairs import BLOCK, Pairs, count_pairs

Probabilities = NDArray[np.float64]


@dataclass(frozen=True)
class Baselines:
    """The three models, fitted to a training split.

    Attributes:
        unigram: (vocabulary,) probability of each word.
        pairs: how often each word followed each other one.
        followed: (vocabulary,) how often each word was followed by any.
        followers: (vocabulary,) how many different words followed each.
    """

    unigram: Probabilities
    pairs: Pairs
    followed: NDArray[np.int64]
    followers: NDArray[np.int64]

    def bigram(self, previous: NDArray[Any], following: NDArray[Any]) -> Probabilities:
        """The bigram probability of each pair of ids; shapes as those of the two arrays, which are
        equal.
        """
        counts = self.pairs.counts_of(previous, following)
        followers = np.maximum(self.followers[previous], 1)  # after an unseen word: the unigram
        probability: Probabilities = (counts + followers * self.unigram[following]) / (
            self.followed[previous] + followers
        )
        return probability

    def losses(self, dataset: Dataset, tokens: int = BLOCK) -> dict[str, float]:
        """The cross-entropy of each model on a split, in nats per predicted token.

        Args:
            dataset: the split.
            tokens: so many are looked at together; sums of such blocks are added up exactly.
        """
        blocks = [self._log_probabilities(block) for block in dataset.blocks(tokens)]
        unigram, bigram = map(math.fsum, zip(*blocks, strict=True))
        return {
            "uniform": math.log(len(self.unigram)),
            "unigram": -unigram / dataset.prediction_count,
            "bigram": -bigram / dataset.prediction_count,
        }

    def _log_probabilities(self, block: Dataset) -> tuple[float, float]:
        """Of all predicted tokens together, by unigram and bigram."""
        previous, following = block.neighbours
        return (
            float(np.log(self.unigram[following]).sum()),
            float(np.log(self.bigram(previous, following)).sum()),
        )


def fit_baselines(dataset: Dataset, vocabulary_size: int, tokens: int = BLOCK) -> Baselines:
    """The three models of a training split; the start is never predicted, ends are.

    Args:
        dataset: the split.
        vocabulary_size: how many words there are.
        tokens: so many of the split are looked at together.
    """
    pairs = count_pairs(dataset, vocabulary_size, tokens)
    counts = pairs.totals(1)
    return Baselines(
        unigram=(counts + 1) / (counts.sum() + vocabulary_size),
        pairs=pairs,
        followed=pairs.totals(0),
        followers=np.diff(pairs.starts),
    )
