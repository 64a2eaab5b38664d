"""What single hidden units do: which go with the place in a sentence, which with a class of words.

Over the hidden states h after each word of many sentences, every unit has

    a variance       of its value, which lies in (-1, 1)
    correlations     r = cov(h, x) / (σ(h) σ(x)), Pearson's, with features x of the word: its place
                     in the sentence, x = 1, 2, ..., and for a class of words x = 1 where the word
                     is one of it, else 0

All of them come of sums over the words: Σh, Σh², Σx, Σx², Σxh. From the values of a unit its first
one is taken off, which changes none of its measures: so a unit that never moves has sums of zero,
and of one that hardly moves the digits do not cancel.

Source: Karpathy, Johnson & Fei-Fei, Visualizing and Understanding Recurrent Networks (2016), who
find units that count the characters of a line and units that are on inside quotes; Chan, Golub &
LeVeque, Algorithms for Computing the Sample Variance (1983), for the shift.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unrolled.errors import DataError
from unrolled.model.network import Network
from unrolled.model.packing import PackedBatch, pack
from unrolled.model.types import Array
from unrolled.text.vocabulary import Ids
from unrolled.training.batches import Batches

UNITS_PER_RULE = 2

VARIANCE = "largest variance"
PLACE = "most tied to the place in the sentence"
WORD_CLASS = "most tied to a word class"

LEAST_SHARE = 0.01
"""Of the words: with a rarer class few words decide, and a high correlation may be chance."""

CLASS_WORDS = 3
"""So many of its words tell which class is meant."""

Values = NDArray[np.float64]


@dataclass(frozen=True)
class UnitStatistics:
    """The measures of every hidden unit.

    A correlation is 0 where there is none, as the unit or the feature is the same for all words.

    Attributes:
        variance: (hidden,) of each one's value.
        place: (hidden,) its correlation with the place in the sentence.
        classes: (classes, hidden) its correlation with each frequent class.
        class_words: of each frequent class, the ids of its most frequent words, at most
            `CLASS_WORDS`.
    """

    variance: Values
    place: Values
    classes: Values
    class_words: Sequence[Sequence[int]]


@dataclass(frozen=True)
class PickedUnit:
    """A hidden unit and why it is shown.

    Attributes:
        unit: which, from 0.
        rule: `VARIANCE`, `PLACE` or `WORD_CLASS`.
        measure: its variance, or the correlation that the rule goes by.
        class_words: the ids that tell which class it is tied to; none by the other rules.
    """

    unit: int
    rule: str
    measure: float
    class_words: Sequence[int] = ()


def unit_statistics(network: Network, batches: Batches) -> UnitStatistics:
    """The measures of every hidden unit, over the states after each word.

    What a sentence begins with is no word. Classes are those of the network; where it does not go
    by any, each word is one by itself. Those count that make up `LEAST_SHARE` of the words, a
    hundred at most, so that the sums take little memory however many words there are.

    Args:
        network: a trained one.
        batches: of sentences, each begun with a state of zeros. They are gone through twice: for
            the counts of words, and for the states.

    Raises:
        DataError: there is no word, or an id is not one of the vocabulary.
    """
    counts = _word_counts(network, batches)
    class_of = _class_of(network)
    frequent = _frequent(counts, class_of)
    moments = reduce(_added, _moments(network, batches, class_of, frequent))
    correlations = moments.correlations
    return UnitStatistics(
        moments.variance,
        correlations[0],
        correlations[1:],
        [_most_frequent(np.where(class_of == number, counts, 0)) for number in frequent],
    )


def picked(statistics: UnitStatistics, count: int = UNITS_PER_RULE) -> list[PickedUnit]:
    """The units whose measures are largest by each rule, whatever their signs; ties by number.

    By `WORD_CLASS` a unit counts by the class that it is most tied to. A unit is picked by one rule
    only, the first. One whose measure is zero is never picked.

    Args:
        statistics: of all units.
        count: how many units by each rule; there may be fewer.
    """
    by_class, words = _strongest(statistics)
    nothing: list[Sequence[int]] = [()] * len(statistics.variance)
    found: dict[int, PickedUnit] = {}
    for rule, measures, class_words in (
        (VARIANCE, statistics.variance, nothing),
        (PLACE, statistics.place, nothing),
        (WORD_CLASS, by_class, words),
    ):
        ranking = np.argsort(-np.abs(measures), kind="stable").tolist()
        free = [unit for unit in ranking if unit not in found and measures[unit] != 0]
        for unit in free[:count]:
            found[unit] = PickedUnit(unit, rule, float(measures[unit]), class_words[unit])
    return list(found.values())


def values(network: Network, ids: Ids, units: Sequence[int]) -> Array:
    """(words, units), the values of some hidden units after each word of a sentence.

    Args:
        network: whose units they are.
        ids: (words + 2,) of the sentence, with its start and its end.
        units: which.

    Raises:
        DataError: an id is not one of the vocabulary.
    """
    after_words: Array = network.forward(pack([ids])).hidden[1:]
    return after_words[:, list(units)]


class _Moments(NamedTuple):
    """Sums over words of the values h, the first one of each unit taken off, and of the features x.

    Attributes:
        words: how many there are.
        h: (hidden,)
        hh: (hidden,)
        x: (features,)
        xx: (features,)
        xh: (features, hidden)
    """

    words: int
    h: Values
    hh: Values
    x: Values
    xx: Values
    xh: Values

    @property
    def variance(self) -> Values:
        """(hidden,) of the values."""
        return _variance(self.words, self.h, self.hh)

    @property
    def correlations(self) -> Values:
        """(features, hidden), 0 where one of the two is the same for all words."""
        covariance = self.xh / self.words - np.outer(self.x, self.h) / self.words**2
        scale = np.sqrt(np.outer(_variance(self.words, self.x, self.xx), self.variance))
        found = np.divide(covariance, scale, out=np.zeros_like(covariance), where=scale > 0)
        return np.clip(found, -1, 1)  # rounding may lead beyond


def _variance(words: int, sums: Values, squares: Values) -> Values:
    """Of values, from the sums of them and of their squares."""
    return np.maximum(squares / words - (sums / words) ** 2, 0)  # rounding may lead below


def _moments(
    network: Network, batches: Batches, class_of: NDArray[Any], frequent: NDArray[Any]
) -> Iterator[_Moments]:
    """The sums of each batch; the features are the place and the frequent classes."""
    first = None
    for hidden, x in _words(network, batches, class_of, frequent):
        first = hidden[0] if first is None else first
        h = hidden - first
        yield _Moments(
            len(h), h.sum(axis=0), (h**2).sum(axis=0), x.sum(axis=0), (x**2).sum(axis=0), x.T @ h
        )


def _added(one: _Moments, other: _Moments) -> _Moments:
    return _Moments(*map(add, one, other))


def _words(
    network: Network, batches: Batches, class_of: NDArray[Any], frequent: NDArray[Any]
) -> Iterator[tuple[Values, Values]]:
    """Hidden states (words, hidden) and features (words, features) of each batch with words."""
    for batch in batches:
        words = _after_start(batch)
        hidden = network.forward(batch).hidden[words].astype(np.float64)
        places = np.repeat(np.arange(batch.steps), np.diff(batch.step_starts))[words]
        belongs = class_of[batch.inputs[words], np.newaxis] == frequent
        if len(hidden) > 0:
            yield hidden, np.column_stack([places, belongs]).astype(np.float64)


def _after_start(batch: PackedBatch) -> slice:
    """The rows of words; those of the first step are what sentences begin with."""
    return slice(batch.rows(0).stop, None)


def _word_counts(network: Network, batches: Batches) -> NDArray[np.int64]:
    """(vocabulary,) how often each word is read."""
    counts = np.zeros(network.vocabulary_size, dtype=np.int64)
    for batch in batches:
        batch.require_ids_below(len(counts))
        counts += np.bincount(batch.inputs[_after_start(batch)], minlength=len(counts))
    if not counts.any():
        raise DataError("hidden units are looked at after words, and the sentences have none")
    return counts


def _class_of(network: Network) -> NDArray[Any]:
    """(vocabulary,) the class of each word."""
    if network.classes is None:
        return np.arange(network.vocabulary_size)
    return network.classes.class_of


def _frequent(counts: NDArray[np.int64], class_of: NDArray[Any]) -> NDArray[np.intp]:
    """The classes that make up enough of the words, ascending."""
    of_classes = np.bincount(class_of, weights=counts)
    return np.flatnonzero(of_classes >= LEAST_SHARE * counts.sum())


def _most_frequent(counts: NDArray[np.int64]) -> list[int]:
    """The ids of the highest counts, the highest first, ties by id; none that has no count."""
    ranking = np.argsort(-counts, kind="stable")[:CLASS_WORDS]
    found: list[int] = ranking[counts[ranking] > 0].tolist()
    return found


def _strongest(statistics: UnitStatistics) -> tuple[Values, list[Sequence[int]]]:
    """(hidden,) the correlation of each unit with the class that it is most tied to, and of each
    the words of that class.
    """
    count = len(statistics.variance)
    if len(statistics.classes) == 0:
        return np.zeros(count), [()] * count
    best = np.abs(statistics.classes).argmax(axis=0)
    words = [statistics.class_words[number] for number in best.tolist()]
    return statistics.classes[best, np.arange(count)], words
