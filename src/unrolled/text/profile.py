"""What a prepared corpus is like, in figures."""

import bisect
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

import numpy as np

from unrolled.text.counting import WordCounts
from unrolled.text.vocabulary import RESERVED, Vocabulary

RANKS = 60
"""So many at most have their count told, beside that of the last word kept."""


@dataclass(frozen=True)
class SplitFigures:
    """What there is to tell of a split, in memory that does not grow with it.

    Attributes:
        documents: how many there are.
        sentences_by_length: how many sentences have so many words.
        tokens: how many words there are, those that are unknown included.
        types_by_count: how many different words occur so often; what stands in the text for unknown
            words is none of them.
        unknown: how many of all words have no id of their own.
        longest_token: the word of most characters, of equals the last in the order of code points;
            empty if there is none.
    """

    documents: int
    sentences_by_length: Mapping[int, int]
    tokens: int
    types_by_count: Mapping[int, int]
    unknown: int
    longest_token: str


@dataclass
class Passing:
    """What is counted of a split's sentences while they pass by.

    Attributes:
        words: how often each word has occurred.
        documents: how many have begun.
        sentences_by_length: how many sentences have so many words.
    """

    words: WordCounts
    documents: int = 0
    sentences_by_length: Counter[int] = field(default_factory=Counter)

    def noted(
        self, sentences: Iterable[tuple[bool, Sequence[str]]]
    ) -> Iterator[tuple[bool, Sequence[str]]]:
        """The same sentences, each counted: whether it begins a document, and its words."""
        for begins, words in sentences:
            self.documents += begins
            self.sentences_by_length[len(words)] += 1
            self.words.add(words)
            yield begins, words

    def figures(self, vocabulary: Vocabulary, unknown_token: str | None = None) -> SplitFigures:
        """What there is to tell of all that has passed.

        Args:
            vocabulary: of the training split.
            unknown_token: what stands in the text for words that are unknown already; it is no
                word.
        """
        tokens = unknown = 0
        longest = ""
        types_by_count: Counter[int] = Counter()
        for word, count in self.words.merged():
            tokens += count
            unknown += 0 if word in vocabulary else count
            if word != unknown_token:
                types_by_count[count] += 1
                longest = word if len(word) >= len(longest) else longest
        return SplitFigures(
            self.documents, self.sentences_by_length, tokens, types_by_count, unknown, longest
        )


def profile(
    splits: Mapping[str, SplitFigures], vocabulary: Vocabulary, accounts: Mapping[str, Any]
) -> dict[str, Any]:
    """The figures of a corpus, ready for JSON.

    The frequencies are pairs of rank and count of words of the training split, whether or not the
    vocabulary keeps them.

    Args:
        splits: the figures of each; one is `train`.
        vocabulary: of the training split.
        accounts: what became of all rows, documents and sentences that were read.
    """
    kept = len(vocabulary) - len(RESERVED)
    return {
        "splits": {name: _split_profile(figures) for name, figures in splits.items()},
        "vocabulary_size": len(vocabulary),
        "rarest_kept": _rarest(vocabulary),
        "words_kept": kept,
        "word_frequencies": _frequencies(splits["train"].types_by_count, kept),
        "accounts": accounts,
    }


def _split_profile(figures: SplitFigures) -> dict[str, Any]:
    return {
        "documents": figures.documents,
        "sentences": sum(figures.sentences_by_length.values()),
        "tokens": figures.tokens,
        "types": sum(figures.types_by_count.values()),
        "unknown_rate": figures.unknown / figures.tokens,
        "longest_token": figures.longest_token,
        "length_histogram": dict(sorted(figures.sentences_by_length.items())),
    }


def _rarest(vocabulary: Vocabulary) -> dict[str, Any] | None:
    """The last word that found a place, as the tutorial shows it."""
    if len(vocabulary) == len(RESERVED):
        return None
    return {"token": vocabulary.tokens[-1], "count": vocabulary.counts[-1]}


def _frequencies(types_by_count: Mapping[int, int], kept: int) -> list[list[int]]:
    """Rank and count of words, the ranks evenly spaced on a logarithmic scale.

    The first, the last, and that of the last word kept are among them.
    """
    counts = sorted(types_by_count, reverse=True)
    last_ranks = list(accumulate(types_by_count[count] for count in counts))  # of so frequent words
    spaced = np.geomspace(1, last_ranks[-1], RANKS).round().astype(int).tolist()
    ranks = sorted({*spaced, kept or 1})  # a vocabulary may keep no word
    return [[rank, counts[bisect.bisect_left(last_ranks, rank)]] for rank in ranks]
