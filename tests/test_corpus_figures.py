"""The pictures of the corpus: how often words occur, and how long sentences are."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from report_material import PROFILE
from unrolled.report.drawing import BLUE, GREY, NARROW, WIDE, drawing_style
from unrolled.report.figures.frequencies import (
    frequency_figure,
    frequency_table,
    frequency_takeaway,
)
from unrolled.report.figures.lengths import length_figure, length_table, length_takeaway

WIDTHS = pytest.mark.parametrize("width", [WIDE, NARROW])


def counted_profile(counts: Sequence[int], kept: int) -> dict[str, Any]:
    """A corpus whose words occur so often, the most frequent first, of which some are kept."""
    train = {
        **PROFILE["splits"]["train"],
        "types": len(counts),
        "tokens": sum(counts),
        "unknown_rate": sum(counts[kept:]) / sum(counts),
    }
    frequencies = [[rank, count] for rank, count in enumerate(counts, start=1)]
    return {
        **PROFILE,
        "splits": {**PROFILE["splits"], "train": train},
        "words_kept": kept,
        "word_frequencies": frequencies,
    }


def measured_profile(*histograms: Mapping[str, int]) -> dict[str, Any]:
    """A corpus whose splits have sentences of these lengths."""
    splits = {
        split: {"sentences": sum(histogram.values()), "length_histogram": histogram}
        for split, histogram in zip(("train", "valid", "test"), histograms, strict=True)
    }
    return {**PROFILE, "splits": splits}


def zipf(types: int) -> list[int]:
    """Counts by Zipf's law, rounded up."""
    return [-(-1000 // rank) for rank in range(1, types + 1)]


CUT = counted_profile([8, 4, 4, 2, 1, 1], kept=4)
WHOLE = counted_profile([8, 4, 4, 2, 1, 1], kept=6)


def test_the_table_of_frequencies_tells_which_words_are_kept() -> None:
    table = frequency_table(CUT)

    assert [tuple(row.values()) for row in table.rows] == [
        (1, 8, "yes"),
        (2, 4, "yes"),
        (3, 4, "yes"),
        (4, 2, "yes"),
        (5, 1, "no"),
        (6, 1, "no"),
    ]


def test_the_takeaway_of_frequencies_tells_what_the_vocabulary_leaves_out() -> None:
    # two of 20 words of the text are cut off
    assert frequency_takeaway(CUT) == (
        "The vocabulary keeps 4 of the 6 different words of the training sentences; the others"
        " together are 10.0 % of the text."
    )


def test_where_nothing_is_cut_off_the_takeaway_tells_of_the_most_frequent_word() -> None:
    # 8 of 20
    assert frequency_takeaway(WHOLE) == (
        "The vocabulary keeps all of the 6 different words of the training sentences; the most"
        " frequent of them is 40.0 % of the text."
    )


def test_what_is_cut_off_goes_on_in_grey_from_the_last_word_kept() -> None:
    lines = _lines(_axis(frequency_figure(CUT)))

    assert lines["kept"] == (BLUE, [[1, 8], [2, 4], [3, 4], [4, 2]])
    assert lines["cut off"] == (GREY, [[4, 2], [5, 1], [6, 1]])


def test_without_a_cut_there_is_one_curve_and_no_word_about_it() -> None:
    axis = _axis(frequency_figure(WHOLE))

    assert set(_lines(axis)) == {"kept", "Zipf's law"}
    assert not axis.texts


def test_the_law_goes_through_the_first_count_and_falls_as_the_rank_grows() -> None:
    lines = _lines(_axis(frequency_figure(CUT)))

    # 8 / 6 at the last rank; straight where both scales are logarithmic
    assert lines["Zipf's law"][1] == [[1, 8], [6, 8 / 6]]


def test_the_cut_is_marked_at_the_last_rank_kept() -> None:
    axis = _axis(frequency_figure(CUT))

    (text,) = axis.texts
    assert text.get_text() == "the vocabulary ends here: 4 of 6 words"
    assert [line.get_xdata() for line in axis.lines if line.get_label() not in _lines(axis)] == [
        [4, 4]
    ]


@pytest.mark.parametrize(("kept", "side"), [(20, "left"), (500, "right")])
def test_words_about_the_cut_stand_where_there_is_room(kept: int, side: str) -> None:
    (text,) = _axis(frequency_figure(counted_profile(zipf(1000), kept))).texts

    assert text.get_horizontalalignment() == side


@WIDTHS
@pytest.mark.parametrize(("types", "kept"), [(1, 1), (2, 1), (12, 12), (3000, 10), (3000, 1000)])
def test_any_vocabulary_is_drawn_within_the_figure(types: int, kept: int, width: float) -> None:
    with drawing_style():
        figure = frequency_figure(counted_profile(zipf(types), kept), width)

    _require_within(figure)
    _require_words_free(figure)


@pytest.mark.parametrize(
    ("counts", "numbers"),
    [
        ([20_000, *zipf(9_000)], {"1", "10", "100", "1,000", "10,000"}),
        ([50, 30, 20], {"20", "50"}),  # powers of ten alone would not be enough
    ],
)
def test_scales_have_numbers_as_they_are_read(counts: list[int], numbers: set[str]) -> None:
    figure = frequency_figure(counted_profile(counts, len(counts)))
    figure.draw_without_rendering()
    axis = _axis(figure)
    bottom, top = axis.get_ylim()

    shown = {
        label.get_text()
        for place, label in zip(axis.get_yticks(), axis.get_yticklabels(), strict=True)
        if bottom <= place <= top
    }
    assert shown == numbers


def test_the_table_of_lengths_has_a_row_for_each_length_of_a_split() -> None:
    profile = measured_profile({"9": 1, "10": 3}, {"4": 2}, {"5": 1})

    assert [tuple(row.values()) for row in length_table(profile).rows] == [
        ("train", 9, 1),
        ("train", 10, 3),
        ("valid", 4, 2),
        ("test", 5, 1),
    ]


@pytest.mark.parametrize(
    ("histogram", "told"),
    [
        # 3 of 8 sentences have up to 4 words, 5 of 8 up to 5
        ({"4": 3, "5": 2, "10": 3}, "have 5 words or fewer; the longest has 10."),
        ({"4": 1, "5": 1}, "have 4 words or fewer; the longest has 5."),
        ({"1": 1, "3": 1}, "have 1 word or fewer; the longest has 3."),
    ],
)
def test_the_takeaway_of_lengths_tells_the_median_and_the_longest(
    histogram: dict[str, int], told: str
) -> None:
    profile = measured_profile(histogram, {"90": 5}, {"90": 5})

    assert length_takeaway(profile) == f"Half of the training sentences {told}"


@given(st.lists(st.integers(1, 30), min_size=1, max_size=50))
def test_at_least_half_of_the_sentences_are_no_longer_than_the_median_told(
    lengths: list[int],
) -> None:
    histogram = {str(length): lengths.count(length) for length in set(lengths)}

    told = length_takeaway(measured_profile(histogram, {"1": 1}, {"1": 1}))

    half = sorted(lengths)[(len(lengths) - 1) // 2]  # the lower of two in the middle
    assert f" {half} word" in told


def test_the_longest_sentences_are_not_drawn_and_the_axis_says_so() -> None:
    # of 1000 sentences 4 have more than 20 words, 6 more than 10: 0.6 % would be too many
    profile = measured_profile({"10": 494, "20": 1, "80": 4}, {"10": 400, "20": 1}, {"10": 100})

    axis = _axis(length_figure(profile))

    assert axis.get_xlabel() == "words in a sentence, without the 0.4 % of more than 20"
    assert axis.get_xlim() == (9, 21)


def test_without_a_tail_every_length_is_drawn() -> None:
    axis = _axis(length_figure(measured_profile({"3": 50}, {"4": 49}, {"9": 1})))

    assert axis.get_xlabel() == "words in a sentence"
    assert axis.get_xlim() == (2, 10)


def test_the_shares_of_a_split_are_drawn_from_an_empty_length_to_an_empty_length() -> None:
    axis = _axis(length_figure(measured_profile({"3": 3, "5": 1}, {"4": 2}, {"7": 1})))

    lines = {name: points for name, (_, points) in _lines(axis).items()}
    assert lines == {
        "training": [[2, 0], [3, 75], [4, 0], [5, 25], [6, 0]],
        "validation": [[3, 0], [4, 100], [5, 0]],
        "test": [[6, 0], [7, 100], [8, 0]],
    }


@WIDTHS
def test_lengths_are_drawn_within_the_figure(width: float) -> None:
    histogram = {str(length): 1000 // length for length in range(1, 180)}

    with drawing_style():
        _require_within(length_figure(measured_profile(histogram, histogram, histogram), width))


def _axis(figure: Figure) -> Axes:
    (axis,) = figure.axes
    return axis


def _lines(axis: Axes) -> dict[str, tuple[str, list[list[float]]]]:
    """Colour and points of the lines that have a name."""
    return {
        str(line.get_label()): (to_hex(line.get_color()), np.asarray(line.get_xydata()).tolist())
        for line in axis.lines
        if not str(line.get_label()).startswith("_")
    }


def _require_within(figure: Figure) -> None:
    """Nothing is cut off: all that is drawn lies within the width and the height."""
    figure.draw_without_rendering()
    drawn = figure.get_tightbbox()
    width, height = figure.get_size_inches()
    assert 0 <= drawn.x0 < drawn.x1 <= width
    assert 0 <= drawn.y0 < drawn.y1 <= height


def _require_words_free(figure: Figure) -> None:
    """The words in a panel reach neither over its edges nor over a point of a curve."""
    axis = _axis(figure)
    panel = axis.get_window_extent()
    for text in axis.texts:
        words = text.get_window_extent()
        assert panel.x0 <= words.x0 < words.x1 <= panel.x1
        for _, points in _lines(axis).values():
            assert words.count_contains(axis.transData.transform(points)) == 0
