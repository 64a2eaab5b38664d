"""Word classes by what stands before and after the words.

The exchange algorithm: words start in some classes; each in turn is taken out of its class and put
where a bigram model of classes,

    P(w|v) = P(class of w | class of v) · P(w | class of w),

gives the training split the highest probability. With N(c,d) for how often a word of class d
follows one of class c, and N(c·) and N(·d) for the sums, all that the classes change of the
log-probability is

    Σ N(c,d) ln N(c,d) - Σ N(c·) ln N(c·) - Σ N(·d) ln N(·d),

which is the mutual information between the classes of neighbours, in nats, times the tokens.

Alone it makes a few classes huge, for which an output layer pays each time it predicts one of their
words. So a penalty counts how many words there are in the class of each predicted token.

Source: Brown et al., Class-Based n-gram Models of Natural Language (1992), for the objective;
Kneser & Ney, Improved Clustering Techniques for Class-Based Statistical Language Modelling (1993),
and Martin, Liermann & Ney, Algorithms for Bigram and Trigram Word Clustering (1998), for the
exchange.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unrolled.text.classes import WordClasses, classes_of_labels, falling, resolved
from unrolled.text.dataset import Dataset
from unrolled.text.pairs import Pairs, count_pairs
from unrolled.text.vocabulary import START

Numbers = NDArray[np.float64]
"""How often something was seen, as a float: exact up to 2**53, and ready for the logarithm."""

Progress = Callable[[Iterable[int], int, int], Iterable[int]]
"""Shows the words of a sweep going by: (words, their number, sweep)."""

LEAST_GAIN = 1e-6
"""Nats over the whole split that make a word move: above the rounding of sums whose terms are the
size of the split, so that equal classes are equal and the exchange ends.
"""


@dataclass(frozen=True)
class ClassInformation:
    """What the classes of predicted tokens say.

    Attributes:
        share: (count,) of the predicted tokens that is in each class.
        nats: (count,) what it says about the class of the word before that the word is in this one:
            the divergence of P(class before | this class) from P(class before). The start of
            sentences is a class of its own there. 0 for a class that is never predicted.
    """

    share: Numbers
    nats: Numbers


def brown_classes(
    dataset: Dataset,
    vocabulary_size: int,
    words_alone: int,
    count: int | None,
    sweeps: int,
    size_penalty: float,
    progress: Progress = lambda words, count, sweep: words,
) -> WordClasses:
    """Classes of words that have similar neighbours in a split.

    Args:
        dataset: the training split.
        vocabulary_size: how many words there are.
        words_alone: how many of the most frequent words stand alone.
        count: how many other classes, or None for `resolved` to choose. The counts of pairs take
            32 bytes for each of these classes and each of all.
        sweeps: how often each word is visited, at most; the exchange ends when none moves.
        size_penalty: 0 or more; how many nats per token the classes may be worth less for making
            the class of a predicted token one word smaller on average.
        progress: called for every sweep, to show it.

    Raises:
        DataError: more classes than pairs of words.
    """
    words_alone, count = resolved(vocabulary_size, words_alone, count)
    pairs = count_pairs(dataset, vocabulary_size)
    predicted = pairs.totals(1)
    ranked = falling(predicted)
    labels = np.empty(vocabulary_size, dtype=np.int64)
    labels[ranked[:words_alone]] = count + np.arange(words_alone)
    movable = ranked[words_alone:]
    if count:
        labels[movable] = np.arange(len(movable)) % count  # of equal size, and frequent words apart
        exchange = Exchange(pairs, labels, count, size_penalty)
        exchange.run(movable[movable != START].tolist(), sweeps, progress)
        labels = exchange.labels
    return classes_of_labels(labels, predicted)


def class_information(classes: WordClasses, dataset: Dataset) -> ClassInformation:
    """What the classes of the predicted tokens of a split say about the classes before them.

    Source: Cover & Thomas, Elements of Information Theory, sections 2.3 and 2.4: weighted with the
        shares, the divergences add up to the mutual information of neighbours.
    """
    count = classes.count
    before = classes.class_of.copy()
    before[START] = count
    pairs = count_pairs(dataset, len(classes)).grouped(
        (before, classes.class_of), (count + 1, count)
    )
    totals = pairs.totals(0), pairs.totals(1)
    total = totals[1].sum()
    share_before, share = (side / total for side in totals)
    nats = np.zeros(count)
    for previous, following, counts in pairs.parts():
        both = counts / total
        ratio = both / (share_before[previous] * share[following])
        np.add.at(nats, following, both / share[following] * np.log(ratio))
    return ClassInformation(share, nats)


class Exchange:
    """Words that move between classes, and the counts by which they do.

    A neighbour of a word has a row among the counts: that of its class where it comes before the
    word, and another, `contexts` further on, where it comes after. The start of sentences has a row
    that no word shares; as a word it stays where it is, since it is never predicted.

    Attributes:
        labels: (vocabulary,) the class of each id: 0 to count - 1 for words that move, then one for
            each word that stands alone.
        gained: nats over the whole split by which moves have raised the objective, penalty
            included.
    """

    def __init__(
        self, pairs: Pairs, labels: NDArray[np.int64], count: int, size_penalty: float
    ) -> None:
        self.labels = labels.copy()
        self.gained = 0.0
        self._count = count
        self._size_penalty = size_penalty
        self._contexts = int(labels.max()) + 2
        self._row_of = np.concatenate([labels, labels + self._contexts])
        self._row_of[START] = self._contexts - 1
        self._after, self._before = pairs, pairs.turned()
        words = np.arange(len(labels))
        self._itself = pairs.counts_of(words, words).astype(np.float64)
        self._pairs = self._counted(pairs)  # (2 * contexts, count)
        self._terms = _x_log_x(self._pairs)
        self._totals = np.add.reduceat(self._pairs, [0, self._contexts])  # predicted, followed
        self._sizes = np.bincount(labels)[:count].astype(np.float64)

    def run(self, words: list[int], sweeps: int, progress: Progress) -> None:
        """Visit the words in their order, as often as told or until none moves."""
        for sweep in range(1, sweeps + 1):
            moves = [self.visit(word) for word in progress(words, len(words), sweep)]
            if not any(moves):
                break

    def visit(self, word: int) -> bool:
        """Whether a word has moved; it goes where the objective is highest and stays in a tie."""
        home = int(self.labels[word])
        if self._sizes[home] <= 2:
            return False  # the other one would stand alone
        seen = self._seen(word)
        self._put(seen, home, -1)
        worth = self._worth(seen)
        best = int(np.argmax(worth))
        gain = float(worth[best] - worth[home])
        moves = gain > LEAST_GAIN
        self._put(seen, best if moves else home, 1)
        if moves:
            self.gained += gain
            self.labels[word] = best
            self._row_of[[word, word + len(self.labels)]] = best, best + self._contexts
        return moves

    def _counted(self, pairs: Pairs) -> Numbers:
        """(2 * contexts, count) how often each row stands beside each class."""
        found = np.zeros(2 * self._contexts * self._count)
        for previous, following, counts in pairs.parts():
            # the class of the second beside the row of the first, and the other way round
            ways = [
                (self._row_of[previous], self.labels[following]),
                (self._row_of[following + len(self.labels)], self._row_of[previous]),
            ]
            for rows, beside in ways:
                moving = beside < self._count
                np.add.at(found, rows[moving] * self._count + beside[moving], counts[moving])
        return found.reshape(-1, self._count)

    def _seen(self, word: int) -> "_Seen":
        """What stands beside a word."""
        before, counts_before = self._before.beside(word)
        after, counts_after = self._after.beside(word)
        rows = self._row_of[np.concatenate([before, after + len(self.labels)])]
        counts = np.concatenate([counts_before, counts_after])
        beside = _sums(rows, counts, 2 * self._contexts)
        itself = self._itself[word]
        beside[self._row_of[[word, word + len(self.labels)]]] -= itself
        totals = np.add.reduceat(beside, [0, self._contexts])[:, np.newaxis] + itself
        return _Seen(beside, itself, totals)

    def _put(self, seen: "_Seen", place: int, sign: int) -> None:
        """Add a word to the counts of a class, or take it out with the sign -1."""
        after = self._contexts + place
        beside = sign * seen.beside
        self._pairs[:, place] += beside
        self._pairs[place] += beside[self._contexts : self._contexts + self._count]
        self._pairs[after] += beside[: self._count]
        self._pairs[[place, after], place] += sign * seen.itself
        for changed in (np.s_[:, place], np.s_[place], np.s_[after]):
            self._terms[changed] = _x_log_x(self._pairs[changed])
        self._totals[:, [place]] += sign * seen.totals
        self._sizes[place] += sign

    def _worth(self, seen: "_Seen") -> Numbers:
        """(count,) by how many nats the objective rises when a word goes into each class."""
        before, after = (seen.beside[first:][: self._count] for first in (0, self._contexts))
        rows = np.flatnonzero(seen.beside)
        joined = self._pairs[rows] + seen.beside[rows, np.newaxis]  # (rows, count)
        worth = (joined * np.log(joined) - self._terms[rows]).sum(axis=0)
        # A pair inside a class is in two rows, but counts once, with the word on either side.
        inside = np.diagonal(self._pairs)
        worth += _x_log_x(inside + before + after + seen.itself) + _x_log_x(inside)
        worth -= _x_log_x(inside + before) + _x_log_x(inside + after)
        worth -= (_x_log_x(self._totals + seen.totals) - _x_log_x(self._totals)).sum(axis=0)
        predicted = self._totals[0] + seen.totals[0] * (self._sizes + 1)
        result: Numbers = worth - self._size_penalty * predicted
        return result


class _Seen(NamedTuple):
    """What stands beside one word."""

    beside: Numbers  # (2 * contexts,) how often, by the row of the neighbour
    itself: float  # how often it follows itself, which no row counts
    totals: Numbers  # (2, 1) how often it is predicted, and followed


def _x_log_x(counts: Numbers) -> Numbers:
    """Each whole number times its logarithm; 0 for 0."""
    result: Numbers = counts * np.log(np.maximum(counts, 1))
    return result


def _sums(places: NDArray[Any], numbers: NDArray[Any], size: int) -> Numbers:
    """(size,) the sum of the numbers at each place."""
    sums: NDArray[Any] = np.bincount(places, numbers, size)
    return sums.astype(np.float64, copy=False)  # of no number at all the sums are integers
