"""Word classes: groups of words that a model chooses between before it chooses the word.

With them, P(word | before) = P(class | before) · P(word | class, before): an output layer looks at
all classes and at the words of one, instead of at all words. A word that is so frequent that its
class would cost more than it saves is a class of its own; it "stands alone".

Source: Goodman, Classes for Fast Maximum Entropy Training (2001).
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrolled.errors import DataError
from unrolled.storage import Cell, read_tsv, write_tsv
from unrolled.text.vocabulary import Ids, Vocabulary

COLUMNS = ["token", "class", "position"]

NO_POSITION = -1
"""The position of a word that stands alone; an empty cell in a file."""

_NUMBER = re.compile(r"[0-9]{1,9}")
"""A whole number that int32 can hold; `int` would also read "1_0" and digits of other scripts."""


@dataclass(frozen=True)
class WordClasses:
    """Which class each word belongs to, and its place there.

    Attributes:
        class_of: (vocabulary,) the class of each id, 0 to count - 1.
        position: (vocabulary,) each id's place among the words of all classes of two words or
            more, class after class; -1 for a word that is alone in its class.

    Raises:
        DataError: a class between the first and the last has no word, or the positions do not
            count the words that share a class, class after class.
    """

    class_of: NDArray[np.int32]
    position: NDArray[np.int32]

    def __post_init__(self) -> None:
        _require_words(self.class_of, self.position)
        _require_all_classes(self.class_of)
        _require_positions(self.class_of, self.position)

    def __len__(self) -> int:
        return len(self.class_of)

    @property
    def count(self) -> int:
        """How many classes there are, those of one word included."""
        return int(self.class_of.max()) + 1

    @property
    def words_alone(self) -> int:
        """How many words stand alone."""
        return int(np.count_nonzero(self.position == NO_POSITION))

    @cached_property
    def starts(self) -> NDArray[np.int64]:
        """(count + 1,) where each class begins among the positions, how many there are last; a
        class of one word takes no place.
        """
        sizes = np.bincount(self.class_of)
        return np.concatenate([[0], np.cumsum(np.where(sizes > 1, sizes, 0))]).astype(np.int64)

    @cached_property
    def order(self) -> Ids:
        """(words that share a class,) the id at each position."""
        sharing = np.flatnonzero(self.position != NO_POSITION).astype(np.int32)
        return sharing[np.argsort(self.position[sharing])]

    @cached_property
    def members(self) -> list[Ids]:
        """The ids of each class, by position."""
        by_class = np.lexsort((self.position, self.class_of)).astype(np.int32)
        return np.split(by_class, np.cumsum(np.bincount(self.class_of))[:-1])

    @cached_property
    def first(self) -> Ids:
        """(count,) the first word of each class."""
        return np.array([members[0] for members in self.members], dtype=np.int32)


def classes_of_labels(labels: NDArray[Any], counts: NDArray[Any]) -> WordClasses:
    """The classes of words that bear the same label, in the one order that all classes have.

    Words that stand alone come first, the most frequent first, then the other classes, the one
    with most tokens first. Within a class the most frequent word is first. Ties go by id.

    Args:
        labels: (vocabulary,) of each id, any integers.
        counts: (vocabulary,) how often each id is predicted.
    """
    _, first_id, group, sizes = np.unique(
        labels, return_index=True, return_inverse=True, return_counts=True
    )
    mass = np.bincount(group, weights=counts)
    class_of = _places(np.lexsort((first_id, -mass, sizes > 1)))[group]
    order = np.lexsort((-counts, class_of))  # stable, so that ties stay in the order of ids
    order = order[sizes[group[order]] > 1]
    position = np.full(len(labels), NO_POSITION, dtype=np.int32)
    position[order] = np.arange(len(order))
    return WordClasses(class_of.astype(np.int32), position)


def frequency_classes(counts: NDArray[Any], words_alone: int, count: int | None) -> WordClasses:
    """Classes of words that are about as frequent as each other.

    The words that do not stand alone are cut, by falling count, into bins of about equal sums of
    the square roots of their counts, but of two words at least. The root makes the bins of frequent
    words larger and those of rare words smaller than equal shares of tokens would.

    Args:
        counts: (vocabulary,) how often each id is predicted in the training split.
        words_alone: how many of the most frequent words stand alone.
        count: how many bins, or None for `resolved` to choose.

    Raises:
        DataError: more classes than pairs of words.

    Source: Mikolov et al., Extensions of Recurrent Neural Network Language Model (2011), bins them
        by share of tokens; the square root is that of Mikolov's later RNNLM toolkit.
    """
    words_alone, count = resolved(len(counts), words_alone, count)
    ranked = falling(counts)
    labels = np.empty(len(counts), dtype=np.int64)
    labels[ranked[:words_alone]] = count + np.arange(words_alone)
    labels[ranked[words_alone:]] = _bins(counts[ranked[words_alone:]], count)
    return classes_of_labels(labels, counts)


def falling(counts: NDArray[Any]) -> NDArray[np.intp]:
    """(vocabulary,) the ids, most frequent first, ties by id."""
    return np.argsort(-counts, kind="stable")


def resolved(vocabulary_size: int, words_alone: int, count: int | None) -> tuple[int, int]:
    """How many words stand alone, and how many classes of two words or more the others have.

    Args:
        vocabulary_size: how many words there are.
        words_alone: how many are to stand alone; a word that is left over does so, too.
        count: how many classes the others are to have; None for the square root of the vocabulary
            size, which balances looking at the classes with looking at the words of one, or for
            half of the words where there are fewer.

    Raises:
        DataError: so many classes do not have two words each, or none is left for some words.
    """
    left = max(0, vocabulary_size - words_alone)
    most = left // 2
    if count is None:
        count = min(round(math.sqrt(vocabulary_size)), most)
    if count > most:
        raise DataError(
            f"classes.count must be at most {most}, half of the {left} words that do not stand"
            f" alone (got {count})"
        )
    if most and count < 1:
        raise DataError(
            f"classes.count must be 1 or more, since {left} words do not stand alone (got {count})"
        )
    return (words_alone if most else vocabulary_size), count


def write_classes(path: Path | str, classes: WordClasses, vocabulary: Vocabulary) -> None:
    """Write the table of token, class and position, ids by order."""
    rows: list[Mapping[str, Cell]] = [
        {"token": token, "class": word_class, "position": None if place < 0 else place}
        for token, word_class, place in zip(
            vocabulary.tokens, classes.class_of.tolist(), classes.position.tolist(), strict=True
        )
    ]
    write_tsv(path, COLUMNS, rows)


def read_classes(path: Path | str, vocabulary: Vocabulary) -> WordClasses:
    """The classes of a table.

    Raises:
        DataError: the file is missing, is no table of token, class and position, is one of other
            words than the vocabulary's, or its classes and positions do not fit together.
    """
    rows = read_tsv(path)
    _require_tokens(path, rows, vocabulary)
    places = [
        (_number(path, row, "class", cells["class"]), _position(path, row, cells["position"]))
        for row, cells in enumerate(rows, start=2)
    ]
    class_of, position = np.array(places, dtype=np.int32).T
    try:
        return WordClasses(np.ascontiguousarray(class_of), np.ascontiguousarray(position))
    except DataError as error:
        raise DataError(f"{path}: {error}") from None


def _places(ranked: NDArray[np.intp]) -> NDArray[np.intp]:
    """The place of each element in a ranking of all."""
    places = np.empty_like(ranked)
    places[ranked] = np.arange(len(ranked))
    return places


def _bins(counts: NDArray[Any], count: int) -> NDArray[np.intp]:
    """(words,) the bin of each word, for falling counts and two words or more for each bin."""
    roots = np.sqrt(np.maximum(counts, 1))  # a word that is never predicted takes some space, too
    middles = np.cumsum(roots) - roots / 2
    inner = np.arange(1, count)
    cuts = np.searchsorted(middles, roots.sum() * inner / max(count, 1))
    # Since the counts fall, no bin has fewer words than one before it: only the first ones can lack
    # a second word, and what they take the others can spare.
    cuts = np.maximum(cuts, 2 * inner)
    return np.searchsorted(cuts, np.arange(len(counts)), side="right")


def _require_words(class_of: NDArray[Any], position: NDArray[Any]) -> None:
    """Refuse arrays that are not a class and a position for each word."""
    if class_of.ndim != 1 or class_of.shape != position.shape or not class_of.size:
        raise DataError(
            "classes must have a class and a position for each word, one word or more (got"
            f" {class_of.shape} classes and {position.shape} positions)"
        )


def _require_all_classes(class_of: NDArray[Any]) -> None:
    """Refuse classes that are not 0 to the last one."""
    found = np.unique(class_of)
    if found[0] < 0:
        word = int(np.argmin(class_of))
        raise DataError(f"word {word}: its class must be 0 or more (got {class_of[word]})")
    wrong = np.flatnonzero(found != np.arange(len(found)))
    if wrong.size:
        raise DataError(
            f"class {wrong[0]} has no word, though there is a class {found[-1]}; every class from 0"
            " to the last must have one"
        )


def _require_positions(class_of: NDArray[Any], position: NDArray[Any]) -> None:
    """Refuse positions that do not count the words that share a class, class after class."""
    shares = np.bincount(class_of)[class_of] > 1
    for word in np.flatnonzero(~shares & (position != NO_POSITION))[:1]:
        raise DataError(
            f"word {word}: alone in class {class_of[word]}, it must have no position"
            f" ({NO_POSITION}; got {position[word]})"
        )
    sharing = np.flatnonzero(shares)
    order = sharing[np.argsort(position[sharing], kind="stable")]
    for place in np.flatnonzero(position[order] != np.arange(len(order)))[:1]:
        word = order[place]
        raise DataError(
            f"word {word}: one of several in class {class_of[word]}, it must have a position of 0"
            f" to {len(order) - 1} that no other word has (got {position[word]})"
        )
    for place in np.flatnonzero(np.diff(class_of[order]) < 0)[:1]:
        word, before = order[place + 1], order[place]
        raise DataError(
            f"word {word}: of class {class_of[word]}, it must have a position before those of class"
            f" {class_of[before]} (got {position[word]}, after word {before})"
        )


def _require_tokens(
    path: Path | str, rows: Sequence[Mapping[str, str]], vocabulary: Vocabulary
) -> None:
    """Refuse a table of other columns, or of other words than the vocabulary's."""
    if rows and list(rows[0]) != COLUMNS:
        raise DataError(
            f"{path}, row 1: the columns must be {', '.join(COLUMNS)} (got {', '.join(rows[0])})"
        )
    for row, (cells, token) in enumerate(zip(rows, vocabulary.tokens, strict=False), start=2):
        if cells["token"] != token:
            raise DataError(
                f"{path}, row {row}: made for another vocabulary; the word must be {token!r}"
                f" (got {cells['token']!r})"
            )
    if len(rows) < len(vocabulary):
        raise DataError(
            f"{path} lacks the word {vocabulary.tokens[len(rows)]!r}, to be in row {len(rows) + 2}"
        )
    if len(rows) > len(vocabulary):
        raise DataError(
            f"{path}, row {len(vocabulary) + 2}: made for another vocabulary; the table must end"
            f" before it (got the word {rows[len(vocabulary)]['token']!r})"
        )


def _position(path: Path | str, row: int, text: str) -> int:
    """The position in a cell, an empty one for a word that stands alone."""
    return NO_POSITION if text == "" else _number(path, row, "position", text)


def _number(path: Path | str, row: int, column: str, text: str) -> int:
    """The number in a cell."""
    if not _NUMBER.fullmatch(text):
        raise DataError(
            f"{path}, row {row}: the {column} must be a whole number of 0 or more (got {text!r})"
        )
    return int(text)
