"""How long sentences are."""

from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure

from unrolled.report.drawing import BLUE, GREEN, VERMILION, new_figure

SPLIT_NAMES = {"train": "training", "valid": "validation", "test": "test"}


def length_figure(profile: Mapping[str, Any]) -> Figure:
    """How long the sentences of each split are."""
    figure = new_figure(10, 2.9, "Share of the sentences of each split by their length in words")
    axis = figure.subplots()
    for (split, figures), colour in zip(
        profile["splits"].items(), (BLUE, VERMILION, GREEN), strict=True
    ):
        histogram = {int(key): count for key, count in figures["length_histogram"].items()}
        lengths = range(min(histogram), max(histogram) + 1)
        shares = [100 * histogram.get(length, 0) / figures["sentences"] for length in lengths]
        name = SPLIT_NAMES[split]
        axis.step(lengths, shares, where="mid", color=colour, linewidth=1.3, label=name)
    axis.set_xlabel("words in a sentence")
    axis.set_ylabel("% of sentences")
    figure.legend(ncols=3, loc="outside upper left")
    return figure
