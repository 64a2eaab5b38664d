"""How long sentences are."""

from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from unrolled.report.drawing import (
    BLUE,
    GREEN,
    VERMILION,
    WIDE,
    Picture,
    counted,
    new_figure,
    wrapped,
)
from unrolled.report.pictures import Table

SPLIT_NAMES = {"train": "training", "valid": "validation", "test": "test"}

COLUMNS = ["split", "words", "sentences"]

TAIL = 0.005
"""The share of the longest sentences that is not drawn: it would take more room than the rest."""


def length_picture(profile: Mapping[str, Any]) -> Picture:
    """Lengths of the sentences of each split.

    Args:
        profile: of the corpus.
    """
    return Picture(
        "lengths",
        length_takeaway(profile),
        length_table(profile),
        lambda width: length_figure(profile, width),
    )


def length_table(profile: Mapping[str, Any]) -> Table:
    """A row for each length that occurs in a split, those that are not drawn too."""
    rows = [
        {"split": split, "words": words, "sentences": sentences}
        for split in profile["splits"]
        for words, sentences in _histogram(profile, split).items()
    ]
    return Table(COLUMNS, rows)


def length_takeaway(profile: Mapping[str, Any]) -> str:
    """The median length of training sentences, and the largest."""
    histogram = _histogram(profile, "train")
    longest, half = max(histogram), _least_length(histogram, 0.5)
    return (
        f"Half of the training sentences have {counted(half, 'word')} or fewer;"
        f" the longest has {longest}."
    )


def length_figure(profile: Mapping[str, Any], width: float = WIDE) -> Figure:
    """The share of sentences of each length, a line for each split, up to where the last of all
    sentences begin; see `TAIL`.

    Args:
        profile: of the corpus.
        width: in inches.
    """
    figure = new_figure(width, 2.9, "Share of the sentences of each split by their length in words")
    axis = figure.subplots()
    for split, colour in zip(profile["splits"], (BLUE, VERMILION, GREEN), strict=True):
        histogram = _histogram(profile, split)
        sentences = sum(histogram.values())
        # with an empty length at either end, so that a single length is seen as well
        lengths = range(min(histogram) - 1, max(histogram) + 2)
        shares = [100 * histogram.get(length, 0) / sentences for length in lengths]
        name = SPLIT_NAMES[split]
        axis.step(lengths, shares, where="mid", color=colour, linewidth=1.3, label=name)
    first, last, name = _shown(profile)
    axis.set_xlim(first - 1, last + 1)
    axis.xaxis.set_major_locator(MaxNLocator(10, integer=True, steps=[1, 2, 5, 10]))
    axis.set_xlabel(wrapped(name, width - 0.9))
    axis.set_ylabel("% of sentences")
    figure.legend(ncols=3, loc="outside upper left", columnspacing=1, handlelength=1.5)
    return figure


def _shown(profile: Mapping[str, Any]) -> tuple[int, int, str]:
    """The least and the largest length that is drawn, and the name of the axis, which tells what
    is not.
    """
    lengths: dict[int, int] = {}
    for split in profile["splits"]:
        for length, count in _histogram(profile, split).items():
            lengths[length] = lengths.get(length, 0) + count
    first, last = min(lengths), _least_length(lengths, 1 - TAIL)
    beyond = sum(count for length, count in lengths.items() if length > last)
    if beyond == 0:
        return first, last, "words in a sentence"
    share = 100 * beyond / sum(lengths.values())
    return first, last, f"words in a sentence, without the {share:.1g} % of more than {last}"


def _histogram(profile: Mapping[str, Any], split: str) -> dict[int, int]:
    """How many sentences of a split have each length, the shortest first."""
    found = profile["splits"][split]["length_histogram"]
    return {int(length): found[length] for length in sorted(found, key=int)}


def _least_length(histogram: Mapping[int, int], share: float) -> int:
    """The least length that is not exceeded by this share of sentences."""
    needed, reached = share * sum(histogram.values()), 0
    for length in sorted(histogram):
        reached += histogram[length]
        if reached >= needed:
            return length
    return max(histogram)
