"""What a prepared corpus is like, in figures."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from unrolled.text.dataset import Dataset
from unrolled.text.vocabulary import RESERVED, UNKNOWN, Vocabulary

RANKS = 60
"""So many at most have their count told, beside that of the last word kept."""


def profile(
    splits: Mapping[str, Sequence[Sequence[Sequence[str]]]],
    datasets: Mapping[str, Dataset],
    vocabulary: Vocabulary,
    rejected: Mapping[str, int],
) -> dict[str, Any]:
    """The figures of a corpus, ready for JSON.

    The frequencies are pairs of rank and count of words of the training split, whether or not the
    vocabulary keeps them.

    Args:
        splits: the words of each sentence of each document, by split; one is `train`.
        datasets: the same as ids.
        vocabulary: of the training split.
        rejected: how many sentences were put aside, by reason.
    """
    return {
        "splits": {name: _split_profile(splits[name], datasets[name]) for name in splits},
        "vocabulary_size": len(vocabulary),
        "rarest_kept": _rarest(vocabulary),
        "words_kept": len(vocabulary) - len(RESERVED),
        "word_frequencies": _frequencies(splits["train"], len(vocabulary) - len(RESERVED)),
        "rejected_sentences": dict(sorted(rejected.items())),
    }


def _split_profile(
    documents: Sequence[Sequence[Sequence[str]]], dataset: Dataset
) -> dict[str, Any]:
    types = _count_words(documents)
    tokens = types.total()
    unknown = int(np.count_nonzero(dataset.ids == UNKNOWN))
    lengths = np.diff(dataset.sentences) - 2  # without start and end
    return {
        "documents": len(documents),
        "sentences": len(dataset),
        "tokens": tokens,
        "types": len(types),
        "unknown_rate": unknown / tokens,
        "longest_token": max(types, key=lambda word: (len(word), word)),
        "length_histogram": {
            int(length): int(count)
            for length, count in zip(*np.unique(lengths, return_counts=True), strict=True)
        },
    }


def _rarest(vocabulary: Vocabulary) -> dict[str, Any] | None:
    """The last word that found a place, as the tutorial shows it."""
    if len(vocabulary) == len(RESERVED):
        return None
    return {"token": vocabulary.tokens[-1], "count": vocabulary.counts[-1]}


def _frequencies(documents: Sequence[Sequence[Sequence[str]]], kept: int) -> list[list[int]]:
    """Rank and count of words, the ranks evenly spaced on a logarithmic scale.

    The first, the last, and that of the last word kept are among them.
    """
    counts = sorted(_count_words(documents).values(), reverse=True)
    spaced = np.geomspace(1, len(counts), RANKS).round().astype(int).tolist()
    ranks = sorted({*spaced, kept or 1})  # a vocabulary may keep no word
    return [[rank, counts[rank - 1]] for rank in ranks]


def _count_words(documents: Sequence[Sequence[Sequence[str]]]) -> Counter[str]:
    return Counter(word for document in documents for sentence in document for word in sentence)
