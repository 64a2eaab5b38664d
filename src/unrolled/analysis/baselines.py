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

Probabilities = NDArray[np.float64]


@dataclass(frozen=True)
class Baselines:
    """The three models, fitted to a training split.

    Attributes:
        unigram: (vocabulary,) probability of each word.
        pairs: (pairs,) the pairs seen, v * vocabulary + w, ascending.
        pair_counts: (pairs,) how often each was seen.
        followed: (vocabulary,) how often each word was followed by any.
        followers: (vocabulary,) how many different words followed each.
    """

    unigram: Probabilities
    pairs: NDArray[np.int64]
    pair_counts: NDArray[np.int64]
    followed: NDArray[np.int64]
    followers: NDArray[np.int64]

    def bigram(self, previous: NDArray[Any], following: NDArray[Any]) -> Probabilities:
        """The bigram probability of each pair of ids; shapes as those of the two arrays, which are
        equal.
        """
        keys = previous.astype(np.int64) * len(self.unigram) + following
        found = np.minimum(np.searchsorted(self.pairs, keys), len(self.pairs) - 1)
        counts = np.where(self.pairs[found] == keys, self.pair_counts[found], 0)
        followers = np.maximum(self.followers[previous], 1)  # after an unseen word: the unigram
        probability: Probabilities = (counts + followers * self.unigram[following]) / (
            self.followed[previous] + followers
        )
        return probability

    def losses(self, dataset: Dataset) -> dict[str, float]:
        """The cross-entropy of each model on a split, in nats per predicted token."""
        previous, following = dataset.neighbours
        return {
            "uniform": math.log(len(self.unigram)),
            "unigram": -float(np.log(self.unigram[following]).mean()),
            "bigram": -float(np.log(self.bigram(previous, following)).mean()),
        }


def fit_baselines(dataset: Dataset, vocabulary_size: int) -> Baselines:
    """The three models of a training split; the start is never predicted, ends are."""
    previous, following = dataset.neighbours
    counts = np.bincount(following, minlength=vocabulary_size)
    pairs, pair_counts = np.unique(
        previous.astype(np.int64) * vocabulary_size + following, return_counts=True
    )
    return Baselines(
        unigram=(counts + 1) / (counts.sum() + vocabulary_size),
        pairs=pairs,
        pair_counts=pair_counts,
        followed=np.bincount(previous, minlength=vocabulary_size),
        followers=np.bincount(pairs // vocabulary_size, minlength=vocabulary_size),
    )
