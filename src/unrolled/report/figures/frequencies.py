"""How often the words of the training split occur, and where the vocabulary ends."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from unrolled.report.drawing import BLUE, GREY, INK, WIDE, Picture, new_figure, wrapped
from unrolled.report.figures.scales import plain_log_scale
from unrolled.report.pictures import Table

COLUMNS = ["rank", "count", "kept"]

Points = Sequence[tuple[int, int]]
"""Rank and count of words, by rank."""

LEAST = 0.7
"""The lower edge of both scales: no rank and no count is below one."""


def frequency_picture(profile: Mapping[str, Any]) -> Picture:
    """Counts of words by rank.

    Args:
        profile: of the corpus.
    """
    return Picture(
        "frequencies",
        frequency_takeaway(profile),
        frequency_table(profile),
        lambda width: frequency_figure(profile, width),
    )


def frequency_table(profile: Mapping[str, Any]) -> Table:
    """A row for each point: a rank, its count, and whether that word is in the vocabulary."""
    kept = profile["words_kept"]
    rows = [
        {"rank": rank, "count": count, "kept": "yes" if rank <= kept else "no"}
        for rank, count in profile["word_frequencies"]
    ]
    return Table(COLUMNS, rows)


def frequency_takeaway(profile: Mapping[str, Any]) -> str:
    """How many words the vocabulary keeps, and what share of the text the others are."""
    train, kept = profile["splits"]["train"], profile["words_kept"]
    if kept == train["types"]:
        share = profile["word_frequencies"][0][1] / train["tokens"]
        return (
            f"The vocabulary keeps all of the {kept:,} different words of the training sentences;"
            f" the most frequent of them is {100 * share:.1f} % of the text."
        )
    return (
        f"The vocabulary keeps {kept:,} of the {train['types']:,} different words of the training"
        f" sentences; the others together are {100 * train['unknown_rate']:.1f} % of the text."
    )


def frequency_figure(profile: Mapping[str, Any], width: float = WIDE) -> Figure:
    """Count by rank, both logarithmic: the words of the vocabulary, those cut off, and a line as
    Zipf's law would have it, a count in inverse proportion to the rank.

    Args:
        profile: of the corpus.
        width: in inches.

    Source: Zipf, Human Behavior and the Principle of Least Effort (1949).
    """
    points = [(rank, count) for rank, count in profile["word_frequencies"]]
    kept, types = profile["words_kept"], profile["splits"]["train"]["types"]
    label = f"Counts of the {types:,} words of the training split by rank"
    figure = new_figure(width, 3.2 if width < WIDE else 3.6, label)
    axis = figure.subplots()
    _draw_counts(axis, points, kept)
    _draw_law(axis, points)
    axis.set(xscale="log", yscale="log")
    axis.set_xlim(left=max(LEAST, axis.get_xlim()[0]))
    axis.set_ylim(bottom=max(LEAST, axis.get_ylim()[0]))
    plain_log_scale(axis, "x")
    plain_log_scale(axis, "y")
    if kept < types:
        _draw_cut(axis, kept, types, width)
    axis.set_xlabel("rank of the word")
    axis.set_ylabel("occurrences")
    figure.legend(loc="outside upper left", ncols=3, columnspacing=1, handlelength=1.5)
    return figure


def _draw_law(axis: Axes, points: Points) -> None:
    (_, most), (last, _) = points[0], points[-1]
    style: Any = {"color": INK, "linewidth": 0.9, "linestyle": "--"}
    axis.plot([1, last], [most, most / last], label="Zipf's law", **style)


def _draw_counts(axis: Axes, points: Points, kept: int) -> None:
    """Both parts; what is cut off goes on from the last word kept, whose mark is on top."""
    inside = [point for point in points if point[0] <= kept]
    outside = [*inside[-1:], *(point for point in points if point[0] > kept)]
    cut = [("cut off", outside, GREY)] if len(outside) > 1 else []
    for name, part, colour in [*cut, ("kept", inside, BLUE)]:
        places = [rank for rank, _ in part], [count for _, count in part]
        axis.plot(*places, color=colour, marker="o", markersize=3, linewidth=1.4, label=name)


def _draw_cut(axis: Axes, kept: int, types: int, width: float) -> None:
    """Where the vocabulary ends, in words at the side that has more room above the curve."""
    axis.axvline(kept, color=INK, linewidth=0.9)
    late = kept > types**0.6  # the curve takes a part of the left side
    words = f"the vocabulary ends here: {kept:,} of {types:,} words"
    axis.annotate(
        wrapped(words, 1.1 if width < WIDE else width / 2),
        (kept, 0.97),
        (-5 if late else 5, 0),
        xycoords=("data", "axes fraction"),
        textcoords="offset points",
        ha="right" if late else "left",
        va="top",
        fontsize=8.5,
    )
