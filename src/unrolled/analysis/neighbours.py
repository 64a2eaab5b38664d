"""Which words a network reads alike: nearest neighbours by what they bring to the step.

A word that is read adds its row u of the input weights to the sums of all gates; where input and
output weights are tied, its row of these by way of the projection. Words after which like things
follow may come to have like rows. What all frequent words have in common, their mean, tells none
from another and is taken off:

    cosine(v, w) = a · b / (|a| |b|)          a = u_v - ū, b = u_w - ū, ū the mean of their rows

Rare words are left out: rows that were seldom trained are still near to where they began.

Source: Mikolov, Yih & Zweig, Linguistic Regularities in Continuous Space Word Representations
(2013), for the input weights of a recurrent language model as vectors of words; Mu & Viswanath,
All-but-the-Top (2018), for taking the mean off.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unrolled.model.network import Network
from unrolled.model.types import Array
from unrolled.text.vocabulary import RESERVED, Ids, Vocabulary

NEIGHBOURS = 5

FREQUENT = 1000
"""So many words are compared. In the default corpus the last of them occurs 27 times; a least count
would leave a small corpus none.
"""

FIRST = 0.02
"""The first word that is shown stands so far down among them, of 1,000 as the 20th: before it are
words such as "the" and "of".
"""


@dataclass(frozen=True)
class Neighbours:
    """A word and those nearest to it.

    Attributes:
        word: its id.
        nearest: the ids of the others and their cosines, the nearest first.
    """

    word: int
    nearest: Sequence[tuple[int, float]]


def frequent_words(vocabulary: Vocabulary, most: int = FREQUENT) -> Ids:
    """(at most `most`,) the ids of the most frequent words with a letter in them, of any script,
    the most frequent first.
    """
    words = [
        index
        for index, token in enumerate(vocabulary.tokens)
        if index >= len(RESERVED) and any(map(str.isalpha, token))
    ]
    return np.array(words[:most], dtype=np.int32)


def spread_over(words: Ids, count: int) -> Ids:
    """(at most count,) words at ranks that are evenly spread on a logarithmic scale, from `FIRST`
    to the last; where that would take a word twice, the one after it instead.

    Args:
        words: (words,) each once, the most frequent first.
        count: how many; all where there are no more.
    """
    count = min(count, len(words))
    if count == 0:
        return words[:0]
    steps = np.arange(count)
    ranks = np.geomspace(max(1, FIRST * len(words)), len(words), count).round().astype(int)
    ranks = np.maximum.accumulate(ranks - steps) + steps  # each at least one after the other
    ranks = np.minimum(ranks, len(words) - count + 1 + steps)  # and none beyond the last
    shown: Ids = words[ranks - 1]
    return shown


def nearest_neighbours(
    network: Network, words: Ids, among: Ids, count: int = NEIGHBOURS
) -> list[Neighbours]:
    """Those that are nearest to each of some words, by all gates together; equals in their order.

    A word that brings nothing but the mean has a cosine of 0 with all others.

    Args:
        network: a trained one.
        words: (words,) ids, all of them in `among`.
        among: (candidates,) ids, each once; the mean is theirs.
        count: of neighbours; there are fewer where there are fewer other candidates.
    """
    if len(words) == 0:
        return []
    directions = _directions(_input_rows(network, among))
    places = {word: place for place, word in enumerate(among.tolist())}
    return [
        _neighbours(word, directions @ directions[places[word]], among, count)
        for word in words.tolist()
    ]


def _neighbours(word: int, cosines: NDArray[np.float64], among: Ids, count: int) -> Neighbours:
    """The nearest of the candidates, given the cosines with all, the word itself being one."""
    ranking = np.argsort(-cosines, kind="stable")
    nearest = ranking[among[ranking] != word][:count]
    return Neighbours(
        word, list(zip(among[nearest].tolist(), cosines[nearest].tolist(), strict=True))
    )


def _input_rows(network: Network, ids: Ids) -> Array:
    """(words, blocks * hidden), what words bring to the step, in double precision; without the
    bias, which is the same for all.
    """
    parameters = network.parameters
    if not network.tied:
        return parameters["input_weights"][ids].astype(np.float64)
    rows = parameters["output_weights"][ids].astype(np.float64)
    return rows @ parameters["input_projection"].T


def _directions(rows: Array) -> NDArray[np.float64]:
    """The rows less their mean, each of length 1; zeros for one that is the mean."""
    centred: NDArray[np.float64] = rows - rows.mean(axis=0)
    lengths = np.linalg.norm(centred, axis=1, keepdims=True)
    np.divide(centred, lengths, out=centred, where=lengths > 0)
    return centred
