"""Nearest neighbours by input weights, against cosines one by one."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import DTypeLike

from class_strategies import classes_of
from model_strategies import ids, network_of, word_row, zero_network
from unrolled.analysis.neighbours import (
    FREQUENT,
    frequent_words,
    nearest_neighbours,
    spread_over,
)
from unrolled.model.cells import CELLS
from unrolled.model.network import Network
from unrolled.text.vocabulary import RESERVED, Ids, Vocabulary

AMONG = ids(8, 3, 5, 4, 7)

every_cell = pytest.mark.parametrize("cell", CELLS)


def rows_network(rows: Sequence[Sequence[float]]) -> Network:
    """An Elman network with these input weights of its words."""
    network = zero_network(len(rows), hidden_size=len(rows[0]))
    network.parameters["input_weights"] = np.array(rows, dtype=np.float64)
    return network


# Which words are compared


def vocabulary_of(*words: str) -> Vocabulary:
    tokens = [*RESERVED, *words]
    return Vocabulary(tokens, list(range(len(tokens), 0, -1)))


def test_frequent_words_are_those_with_a_letter_of_any_script() -> None:
    vocabulary = vocabulary_of("the", ".", "的", "2", "n't", "٣", "ё", "(", "x2", "—", "<b>")

    found = frequent_words(vocabulary)

    assert vocabulary.decode(found.tolist()) == ["the", "的", "n't", "ё", "x2", "<b>"]


def test_no_reserved_id_is_a_word_but_a_word_of_its_spelling_is() -> None:
    found = frequent_words(vocabulary_of("UNKNOWN_TOKEN", "cat"))

    assert found.tolist() == [3, 4]


def test_no_more_words_are_compared_than_the_most_frequent_thousand() -> None:
    words = [f"w{number}" if number % 2 else str(number) for number in range(2 * FREQUENT + 9)]

    found = frequent_words(vocabulary_of(*words))

    # the words w1, w3, ... have the ids 4, 6, ...
    assert found.tolist() == list(range(4, 4 + 2 * 1000, 2))


def test_a_vocabulary_without_letters_has_no_word_to_compare() -> None:
    assert len(frequent_words(vocabulary_of("1", ","))) == 0


# Which are shown


@pytest.mark.parametrize(
    ("words", "count", "ranks"),
    [
        (1000, 3, [20, 141, 1000]),  # √(20 · 1000) = 141.4
        (1000, 1, [20]),
        (100, 3, [2, 14, 100]),  # √200 = 14.1
        (8, 4, [1, 2, 4, 8]),
        (8, 6, [1, 2, 3, 4, 5, 8]),  # 8^(k/5) is 1, 1.5, 2.3, 3.5, 5.3, 8: 1, 2, 2 is one too few
        (5, 5, [1, 2, 3, 4, 5]),
        (3, 12, [1, 2, 3]),
        (1, 12, [1]),
        (0, 12, []),
    ],
)
def test_shown_words_are_spread_evenly_over_the_logarithms_of_ranks(
    words: int, count: int, ranks: list[int]
) -> None:
    by_rank = np.arange(100, 100 + words, dtype=np.int32)

    found = spread_over(by_rank, count)

    assert (found - 99).tolist() == ranks


@given(st.integers(0, 1200), st.integers(1, 110))
def test_so_many_different_words_are_shown_as_are_asked_for(words: int, count: int) -> None:
    by_rank = np.arange(words, dtype=np.int32)

    found = spread_over(by_rank, count)

    assert len(found) == min(words, count)
    assert (np.diff(found) > 0).all()
    assert set(found.tolist()) <= set(by_rank.tolist())


# The neighbours


def brought(network: Network, word: int) -> list[float]:
    """What a word adds to the sums of all gates."""
    row = word_row(network, word)[0]
    if network.tied:
        row = network.parameters["input_projection"] @ row
    return [float(number) for number in row + network.parameters.get("bias", 0)]


def by_brute_force(network: Network, word: int, among: Ids) -> list[tuple[int, float]]:
    """All other words and their cosines, one by one, the nearest first."""
    rows = {other: brought(network, other) for other in among.tolist()}
    mean = [math.fsum(column) / len(rows) for column in zip(*rows.values(), strict=True)]
    centred = {
        other: [a - m for a, m in zip(row, mean, strict=True)] for other, row in rows.items()
    }
    cosines = {
        other: math.fsum(a * b for a, b in zip(centred[word], row, strict=True))
        / (math.hypot(*centred[word]) * math.hypot(*row))
        for other, row in centred.items()
        if other != word
    }
    return sorted(cosines.items(), key=lambda pair: -pair[1])


@every_cell
@pytest.mark.parametrize(
    "kind",
    [{}, {"bias": True}, {"bias": True, "tied": True}, {"classes": classes_of([4, 1, 3, 1])}],
    ids=["plain", "bias", "tied", "classes"],
)
@pytest.mark.parametrize(("dtype", "error"), [(np.float64, 1e-12), (np.float32, 1e-5)])
def test_neighbours_are_those_of_the_cosines_one_by_one(
    cell: str, kind: dict[str, Any], dtype: DTypeLike, error: float
) -> None:
    network = network_of(5, vocabulary_size=9, cell_name=cell, dtype=dtype, **kind)

    found = nearest_neighbours(network, ids(5, 8), AMONG, count=3)

    assert [of_word.word for of_word in found] == [5, 8]
    for of_word in found:
        expected = by_brute_force(network, of_word.word, AMONG)[:3]
        assert [word for word, _ in of_word.nearest] == [word for word, _ in expected]
        assert [cosine for _, cosine in of_word.nearest] == pytest.approx(
            [cosine for _, cosine in expected], abs=error
        )


def test_what_all_words_have_in_common_does_not_make_them_alike() -> None:
    network = rows_network([[101, 1], [101, -1], [99, -1], [99, 1]])

    (found,) = nearest_neighbours(network, ids(0), ids(0, 1, 2, 3))

    # the mean is (100, 0): left are the corners of a square
    assert dict(found.nearest) == pytest.approx({1: 0, 3: 0, 2: -1})
    assert found.nearest[-1][0] == 2


def test_words_that_are_not_compared_bear_on_nothing() -> None:
    network, changed = network_of(1, vocabulary_size=9), network_of(1, vocabulary_size=9)
    changed.parameters["input_weights"][[0, 1, 2, 6]] = 1e6

    assert nearest_neighbours(changed, AMONG, AMONG) == nearest_neighbours(network, AMONG, AMONG)


def test_equals_stand_in_the_order_of_the_candidates() -> None:
    network = rows_network([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 0.0]])

    (found,) = nearest_neighbours(network, ids(2), ids(3, 2, 1, 0))

    assert [word for word, _ in found.nearest] == [3, 0, 1]


def test_a_word_that_brings_the_mean_is_as_far_from_all() -> None:
    network = rows_network([[1.0, 0.0], [3.0, 0.0], [2.0, 0.0]])

    middle, one = nearest_neighbours(network, ids(2, 0), ids(0, 1, 2))

    assert middle.nearest == [(0, 0), (1, 0)]
    assert one.nearest == [(2, 0), (1, -1)]


def test_a_small_vocabulary_has_as_many_neighbours_as_other_words() -> None:
    (pair,) = nearest_neighbours(network_of(1), ids(3), ids(3, 4))
    (alone,) = nearest_neighbours(network_of(1), ids(3), ids(3))

    # the mean of two lies between them
    assert dict(pair.nearest) == pytest.approx({4: -1})
    assert alone.nearest == []


def test_no_words_have_no_neighbours() -> None:
    assert nearest_neighbours(network_of(1), ids(), ids()) == []
