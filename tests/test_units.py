"""Which hidden units are picked, against planted ones and against NumPy's own correlations."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import DTypeLike, NDArray

from class_strategies import classes_of
from model_strategies import (
    dataset_of,
    ids,
    network_of,
    sentence,
    some_classes,
    start_of,
    stepped,
    zero_network,
)
from unrolled.analysis.units import (
    LEAST_SHARE,
    PLACE,
    VARIANCE,
    WORD_CLASS,
    PickedUnit,
    UnitStatistics,
    picked,
    unit_statistics,
    values,
)
from unrolled.errors import DataError
from unrolled.model.cells import CELLS
from unrolled.model.network import Network
from unrolled.model.types import Array
from unrolled.text.classes import WordClasses
from unrolled.text.vocabulary import Ids
from unrolled.training.batches import SentenceBatches

SENTENCES = [
    sentence(3, 5, 4, 6, 6, 3),
    sentence(4),
    sentence(),
    sentence(6, 3, 3, 2, 5),
    sentence(5, 5),
    sentence(3, 4, 6, 5, 2, 3, 3, 4, 6),
]

every_cell = pytest.mark.parametrize("cell", CELLS)


def batches_of(sentences: Sequence[Ids], batch_size: int = 2) -> SentenceBatches:
    return SentenceBatches(dataset_of(sentences), np.arange(len(sentences)), batch_size)


def statistics_of(
    network: Network, sentences: Sequence[Ids] = SENTENCES, batch_size: int = 2
) -> UnitStatistics:
    return unit_statistics(network, batches_of(sentences, batch_size))


def after_words(network: Network, words: Ids) -> Array:
    """(words, hidden), the hidden states of a sentence, word by word; not that after its start."""
    state, found = start_of(network), []
    for word in words[:-1].tolist():
        state, _ = stepped(network, word, state)
        found.append(state[0, : network.hidden_size])
    return np.array(found)[1:]


# Planted units


def planted(classes: WordClasses | None = None, tied_to: Sequence[int] = (3,)) -> Network:
    """An Elman network of ten units and seven words, of which nothing but three units moves.

    Unit 8 goes to and fro between tanh(±3), by words 3 and 4 against words 5 and 6.
    Unit 5 counts, in steps so small that the tanh is straight: tanh(x) ≈ x.
    Unit 2 is off where a word of some has just been read, otherwise on.
    """
    weights = dict(zero_network(7, hidden_size=10).parameters)
    weights["input_weights"] = np.zeros((7, 10))
    weights["recurrent_weights"] = np.zeros((10, 10))
    weights["input_weights"][[3, 4], 8], weights["input_weights"][[5, 6], 8] = 3, -3
    weights["input_weights"][:, 5], weights["recurrent_weights"][5, 5] = -1e-4, 1
    weights["input_weights"][:, 2] = 0.5
    weights["input_weights"][list(tied_to), 2] = -0.5
    return Network(weights, "elman", classes)


def test_planted_units_are_found_each_by_its_rule() -> None:
    found = picked(statistics_of(planted()), count=1)

    assert [(unit.unit, unit.rule) for unit in found] == [
        (8, VARIANCE),
        (5, PLACE),
        (2, WORD_CLASS),
    ]
    assert [unit.measure for unit in found[1:]] == pytest.approx([-1, -1], abs=1e-6)
    assert [list(unit.class_words) for unit in found] == [[], [], [3]]


def test_units_that_never_move_have_measures_of_zero_and_are_not_picked() -> None:
    network = planted()
    network.parameters["input_weights"][:, 0] = 0.3  # tanh(0.3) after every word

    statistics = statistics_of(network)

    still = [0, 1, 3, 4, 6, 7, 9]
    assert not statistics.variance[still].any()
    assert not statistics.place[still].any()
    assert not statistics.classes[:, still].any()
    assert sorted(unit.unit for unit in picked(statistics)) == [2, 5, 8]


def test_where_the_network_goes_by_classes_a_unit_tied_to_one_of_them_is_found() -> None:
    # classes {0, 1}, {2, 4}, {3, 5} and {6}
    classes = WordClasses(
        np.array([0, 0, 1, 2, 1, 2, 3], np.int32), np.array([0, 1, 2, 4, 3, 5, -1], np.int32)
    )

    found = picked(statistics_of(planted(classes, tied_to=(3, 5))), count=1)

    assert (found[2].unit, found[2].rule, list(found[2].class_words)) == (2, WORD_CLASS, [3, 5])
    assert found[2].measure == pytest.approx(-1, abs=1e-12)


def test_class_words_are_the_three_read_most_often_equals_by_id() -> None:
    classes = WordClasses(np.zeros(9, np.int32), np.arange(9, dtype=np.int32)[::-1].copy())
    network = network_of(1, vocabulary_size=9, classes=classes)

    # 8 is read three times, 4 and 6 twice, 3 once, 5 and 7 never
    (words,) = statistics_of(network, [sentence(8, 6, 8, 4, 3), sentence(6, 4, 8)]).class_words

    assert list(words) == [8, 4, 6]


def test_words_that_are_never_read_are_no_class_words() -> None:
    classes = WordClasses(np.zeros(7, np.int32), np.arange(7, dtype=np.int32))
    network = network_of(1, classes=classes)

    (words,) = statistics_of(network, [sentence(5, 3, 5)]).class_words

    assert list(words) == [5, 3]  # and neither start nor end


@pytest.mark.parametrize(("others", "counts"), [(99, [[3], [4]]), (100, [[3]])])
def test_classes_of_less_than_a_hundredth_of_the_words_do_not_count(
    others: int, counts: list[list[int]]
) -> None:
    # 1 of 100 words is enough, 1 of 101 is not
    sentences = [sentence(4), *[sentence(3)] * others]

    statistics = statistics_of(network_of(1), sentences, batch_size=7)

    assert LEAST_SHARE == 0.01
    assert [list(words) for words in statistics.class_words] == counts
    assert len(statistics.classes) == len(counts)


# Against the states word by word


def correlation(one: NDArray[Any], other: NDArray[Any]) -> float:
    return float(np.corrcoef(one, other)[0, 1])


@every_cell
@pytest.mark.parametrize(
    "kind",
    [{}, {"bias": True, "tied": True}, {"classes": some_classes(7)}],
    ids=["plain", "tied", "classes"],
)
@pytest.mark.parametrize(("dtype", "error"), [(np.float64, 1e-12), (np.float32, 1e-5)])
def test_measures_are_those_of_the_stacked_states(
    cell: str, kind: dict[str, Any], dtype: DTypeLike, error: float
) -> None:
    network = network_of(3, cell_name=cell, dtype=dtype, **kind)
    states = np.concatenate([after_words(network, s) for s in SENTENCES if len(s) > 2])
    words = np.concatenate([s[1:-1] for s in SENTENCES])
    places = np.concatenate([np.arange(1, len(s) - 1) for s in SENTENCES])
    class_of = network.classes.class_of if network.classes else np.arange(7)
    read = np.unique(class_of[words]).tolist()

    found = statistics_of(network)

    assert found.classes.shape == (len(read), 4)
    np.testing.assert_allclose(found.variance, states.var(axis=0), atol=error)
    for unit, of_unit in enumerate(states.T):
        assert found.place[unit] == pytest.approx(correlation(of_unit, places), abs=error)
        for row, number in enumerate(read):
            expected = correlation(of_unit, class_of[words] == number)
            assert found.classes[row, unit] == pytest.approx(expected, abs=error)


def test_the_measures_do_not_depend_on_how_sentences_are_put_together() -> None:
    one, together = (statistics_of(network_of(2), batch_size=size) for size in (1, 6))

    np.testing.assert_allclose(one.variance, together.variance, rtol=1e-12)
    np.testing.assert_allclose(one.place, together.place, rtol=1e-10)
    np.testing.assert_allclose(one.classes, together.classes, rtol=1e-10)


def test_a_unit_that_hardly_moves_is_measured_to_many_digits() -> None:
    network = zero_network(7)
    network.parameters["input_weights"][:, 0] = 1.4 + 1e-9 * np.arange(7)

    found = statistics_of(network)

    # tanh is straight over so little: the value goes with the id, its slope is 1 - tanh(1.4)²
    words = np.concatenate([s[1:-1] for s in SENTENCES])
    slope = 1e-9 * (1 - np.tanh(1.4) ** 2)
    assert found.variance[0] == pytest.approx(slope**2 * words.var(), rel=1e-5)
    assert found.classes[-1, 0] == pytest.approx(correlation(words, words == 6), rel=1e-5)


def test_where_all_words_stand_in_the_same_place_no_unit_is_tied_to_it() -> None:
    statistics = statistics_of(network_of(1), [sentence(3), sentence(4), sentence(5)])

    assert not statistics.place.any()
    assert PLACE not in {unit.rule for unit in picked(statistics)}


def test_where_all_words_are_of_one_class_no_unit_is_tied_to_it() -> None:
    statistics = statistics_of(network_of(1), [sentence(3, 3, 3), sentence(3)])

    assert not statistics.classes.any()
    assert WORD_CLASS not in {unit.rule for unit in picked(statistics)}


def test_sentences_without_any_word_are_refused() -> None:
    with pytest.raises(DataError, match="the sentences have none"):
        statistics_of(network_of(1), [sentence(), sentence()])


@pytest.mark.parametrize("word", [-1, 7])
def test_an_id_that_is_not_in_the_vocabulary_is_refused(word: int) -> None:
    with pytest.raises(DataError, match=f"inputs must be ids of 0 to 6 \\(got {word}\\)"):
        statistics_of(network_of(1), [ids(0, 3, word, 1)])


# The choice


def made(
    variance: Sequence[float],
    place: Sequence[float],
    classes: Sequence[Sequence[float]],
    class_words: Sequence[Sequence[int]] = ((7,), (9, 8)),
) -> UnitStatistics:
    of_classes = np.array(classes, dtype=np.float64).reshape(-1, len(variance))
    return UnitStatistics(np.array(variance), np.array(place), of_classes, class_words)


def test_a_unit_is_shown_by_the_first_rule_that_picks_it_and_the_next_best_by_the_later_one() -> (
    None
):
    statistics = made(
        variance=[0.9, 0.1, 0.8, 0.2, 0.3, 0.4],
        place=[0.99, -0.3, 0.0, 0.2, -0.1, 0.1],
        classes=[[0.9, 0.9, 0.0, 0.0, 0.5, -0.6], [0.0, 0.0, 0.0, 0.0, -0.7, 0.1]],
    )

    found = picked(statistics, 2)

    assert found == [
        PickedUnit(0, VARIANCE, 0.9),
        PickedUnit(2, VARIANCE, 0.8),
        PickedUnit(1, PLACE, -0.3),  # 0 is taken, though it is tied more
        PickedUnit(3, PLACE, 0.2),
        PickedUnit(4, WORD_CLASS, -0.7, (9, 8)),  # 0 and 1 are taken
        PickedUnit(5, WORD_CLASS, -0.6, (7,)),
    ]


def test_of_equal_units_the_first_is_picked() -> None:
    found = picked(made([0.5, 0.5, 0.5], [0.2, -0.2, 0.2], [[0.1] * 3, [-0.1] * 3]), 1)

    assert [(unit.unit, unit.measure) for unit in found] == [(0, 0.5), (1, -0.2), (2, 0.1)]
    assert found[2].class_words == (7,)


def test_of_few_units_each_is_picked_once() -> None:
    found = picked(made([0.5, 0.1, 0.2], [0.2, 0.3, 0.1], [[0.1, 0.2, 0.3]], [(7,)]), 2)

    assert [(unit.unit, unit.rule) for unit in found] == [
        (0, VARIANCE),
        (2, VARIANCE),
        (1, PLACE),
    ]


def test_where_no_class_is_frequent_the_other_rules_pick() -> None:
    found = picked(made([0.5, 0.1], [0.2, 0.3], [], []), 1)

    assert [(unit.unit, unit.rule) for unit in found] == [(0, VARIANCE), (1, PLACE)]


# The values over a sentence


@every_cell
@pytest.mark.parametrize("classes", [None, classes_of([2, 1, 3, 1])], ids=["plain", "classes"])
def test_values_are_those_after_each_word(cell: str, classes: WordClasses | None) -> None:
    network = network_of(4, cell_name=cell, bias=True, classes=classes)
    words = SENTENCES[-1]

    found = values(network, words, [3, 0])

    np.testing.assert_allclose(found, after_words(network, words)[:, [3, 0]], rtol=1e-12)
    assert found.shape == (9, 2)


def test_a_sentence_without_words_has_no_values() -> None:
    assert values(network_of(1), sentence(), [0, 1]).shape == (0, 2)
