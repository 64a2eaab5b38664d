"""Choices by chance: those of one list, and the words that both output layers draw."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from class_strategies import (
    SIZES,
    all_kinds,
    class_network_of,
    classes_of,
    drawn_distribution,
    layer_of,
    layers_and_states,
    plain_factors,
    plain_log_probabilities,
    scored,
    states_of,
    with_and_without_bias,
)
from model_strategies import ids
from unrolled.analysis.sampling import draw_sentences
from unrolled.config.sections import SamplingConfig
from unrolled.model.cells import CELLS
from unrolled.model.output.classes import ClassSoftmax
from unrolled.model.output.draw import draw, tempered, tempered_share
from unrolled.model.output.layer import OutputLayer
from unrolled.model.output.softmax import Softmax
from unrolled.model.packing import pack
from unrolled.model.types import Array
from unrolled.text.classes import WordClasses
from unrolled.text.vocabulary import END, START, UNKNOWN

ALMOST_ONE = float(np.nextafter(1, 0))
"""The largest number that a generator gives."""

TEMPERATURES = [0.3, 0.8, 1.0, 2.5]


class Told:
    """Stands in for a generator: its numbers are those that it is told."""

    def __init__(self, numbers: Sequence[float]) -> None:
        self.numbers: Iterator[float] = iter(numbers)

    def random(self) -> float:
        """The next of them."""
        return next(self.numbers)


def told(*numbers: float) -> np.random.Generator:
    """A generator that gives these numbers and no more."""
    return cast(np.random.Generator, Told(numbers))


def evenly(count: int) -> NDArray[np.float64]:
    """Numbers from 0 to 1, each in the middle of its share."""
    numbers: NDArray[np.float64] = (np.arange(count) + 0.5) / count
    return numbers


def repeated(state: Array, count: int) -> Array:
    """A state once for each draw."""
    return np.repeat(state, count, axis=0)


# One list of scores


@pytest.mark.parametrize("shift", [0.0, -1e5, 1e5])
def test_choices_are_drawn_in_proportion_to_the_exponentials_of_their_scores(shift: float) -> None:
    scores = np.log([0.5, 0.2, 0.05, 0.25]) + shift
    numbers = evenly(1000)

    found = draw(np.tile(scores, (1000, 1)), [told(number) for number in numbers])

    # in the order of the choices; log and shift are rounded to 1e-11, so that none is off its place
    assert np.bincount(found, minlength=4).tolist() == [500, 200, 50, 250]
    assert (np.diff(found) >= 0).all()


def test_each_row_is_drawn_by_its_own_scores_and_its_own_generator() -> None:
    scores = np.log([[0.5, 0.5], [0.9, 0.1], [0.1, 0.9]])

    found = [
        draw(scores, [told(number) for number in numbers]).tolist()
        for numbers in ([0.3, 0.3, 0.3], [0.7, 0.3, 0.05], [0.3, 0.95, 0.05])
    ]

    assert found == [[0, 0, 1], [1, 0, 0], [0, 1, 0]]


def test_a_draw_takes_one_number_from_each_generator() -> None:
    rngs = [np.random.default_rng(seed) for seed in (1, 2)]
    following = [np.random.default_rng(seed).random(2)[1] for seed in (1, 2)]

    draw(np.zeros((2, 5)), rngs)

    assert [rng.random() for rng in rngs] == following


finite_scores = st.floats(-1e300, 1e300) | st.floats(-3, 3)


@given(
    st.lists(st.just(-math.inf) | finite_scores, min_size=1, max_size=12),
    finite_scores,
    st.integers(0, 12),
    st.sampled_from([0.0, ALMOST_ONE, 5e-324, 0.5]) | st.floats(0, ALMOST_ONE),
)
def test_a_choice_that_is_never_drawn_is_not_drawn_whatever_the_number(
    others: list[float], score: float, place: int, number: float
) -> None:
    scores = np.array([[*others[:place], score, *others[place:]]])

    with np.errstate(over="ignore"):  # of scores 2e300 apart
        (found,) = draw(scores, [told(number)])

    assert np.isfinite(scores[0, found])
    assert scores[0, found] >= scores.max() - 800  # exp(-800) is zero to a float


@pytest.mark.parametrize("number", [0.0, 0.5, ALMOST_ONE])
@pytest.mark.parametrize("count", [1, 2, 3, 10, 1000, 99_999])
def test_the_ends_of_a_long_list_can_be_barred(number: float, count: int) -> None:
    # a sum of thousands of thirds is rounded
    scores = np.log(np.full(count + 2, 1 / 3))
    scores[[0, -1]] = -math.inf

    (found,) = draw(scores[np.newaxis], [told(number)])

    assert found == {0.0: 1, ALMOST_ONE: count}.get(number, found)
    assert 1 <= found <= count


def test_at_temperature_one_scores_keep_their_distances() -> None:
    log_probabilities = np.log([[0.5, 0.2, 0.3], [0.1, 0.8, 0.1]])

    found = tempered(log_probabilities, 1.0)

    expected = log_probabilities - np.log([[0.5], [0.8]])
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-15)


@pytest.mark.parametrize("temperature", [0.1, 0.5, 3.0])
def test_a_temperature_raises_probabilities_to_its_inverse_as_a_power(temperature: float) -> None:
    probabilities = np.array([[0.5, 0.2, 0.3]])

    found = np.exp(tempered(np.log(probabilities), temperature))

    powers = probabilities ** (1 / temperature)
    np.testing.assert_allclose(found / found.sum(), powers / powers.sum(), rtol=1e-13)


def test_a_tiny_temperature_leaves_the_best_alone_and_a_huge_one_evens_all_out() -> None:
    log_probabilities = np.array([[-2.0, -0.5, -9.0, -math.inf], [-1.0, -2.0, -math.inf, -1.0]])

    tiny, smallest, huge = (tempered(log_probabilities, t) for t in (1e-9, 5e-324, 1e300))

    best = [[False, True, False, False], [True, False, False, True]]
    for found in (tiny, smallest):
        np.testing.assert_array_equal(found == 0, best)
        np.testing.assert_array_equal(np.exp(found), np.array(best, dtype=float))
    np.testing.assert_allclose(np.exp(huge), np.isfinite(log_probabilities), rtol=1e-15)


@pytest.mark.parametrize("temperature", [0.1, 1.0, 3.0])
def test_the_share_of_some_choices_is_the_sum_of_their_powers(temperature: float) -> None:
    probabilities = np.array([[0.2, 0.05, 0.3], [0.0, 0.4, 0.0]])
    with np.errstate(divide="ignore"):
        log_probabilities = np.log(probabilities)

    found = tempered_share(log_probabilities, temperature)

    sums = (probabilities ** (1 / temperature)).sum(axis=1)
    np.testing.assert_allclose(np.exp(found / temperature), sums, rtol=1e-12)


@pytest.mark.parametrize("temperature", [5e-324, 1e-300, 1e-9, 1.0, 1e300])
def test_no_choice_at_all_has_no_share_and_a_single_one_its_own(temperature: float) -> None:
    none = -math.inf
    log_probabilities = np.array([[none, none], [none, -2.5], [-900.0, none]])

    found = tempered_share(log_probabilities, temperature)

    assert found.tolist() == [none, -2.5, -900.0]


@pytest.mark.parametrize("temperature", [5e-324, 1e-300, 1e-9])
def test_the_share_at_a_tiny_temperature_is_that_of_the_best(temperature: float) -> None:
    log_probabilities = np.array([[-3.0, -9.0, -3.5], [-2000.0, -1000.0, -math.inf]])

    found = tempered_share(log_probabilities, temperature)

    assert found.tolist() == [-3.0, -1000.0]


# Words of a layer that goes by classes


def documented(
    layer: ClassSoftmax, state: Array, barred: Sequence[int], temperature: float
) -> dict[int, float]:
    """P(c)^(1/T) times the share of P(w|c)^(1/T) in its class, of the words that are not barred."""
    shares: dict[int, float] = {}
    factors = {word: plain_factors(layer, state[0], word) for word in range(len(layer.classes))}
    for word, (of_class, of_word) in factors.items():
        class_of = layer.classes.class_of
        mates = [mate for mate in factors if class_of[mate] == class_of[word]]
        whole = math.fsum(math.exp(factors[mate][1] / temperature) for mate in mates)
        share = math.exp(of_word / temperature) / whole
        shares[word] = math.exp(of_class / temperature) * share * (word not in barred)
    return {word: share / math.fsum(shares.values()) for word, share in shares.items() if share}


def assert_equal_distributions(found: dict[int, float], expected: dict[int, float]) -> None:
    """The same words, each as probable."""
    assert set(found) == set(expected)
    for word, probability in expected.items():
        assert found[word] == pytest.approx(probability, rel=1e-10, abs=1e-300), word


def barred_of(layer: ClassSoftmax) -> dict[str, list[int]]:
    """Words to be barred: none, some of several classes, a whole class."""
    class_of = layer.classes.class_of
    last = np.flatnonzero(class_of == class_of[-1]).tolist()
    some = list(range(0, len(class_of), 3))
    lists = {"none": [], "some": some, "a whole class": last, "both": sorted({*some, *last})}
    return {name: words for name, words in lists.items() if len(words) < len(class_of)}


@all_kinds
@with_and_without_bias
def test_at_temperature_one_words_are_drawn_by_the_probabilities_of_those_not_barred(
    sizes: list[int], bias: bool
) -> None:
    layer = layer_of(classes_of(sizes), bias)
    state = states_of(layer, 1)
    (probabilities,) = np.exp(plain_log_probabilities(layer, state))

    for barred in barred_of(layer).values():
        found = drawn_distribution(layer, state, barred, 1.0)

        left = np.where(np.isin(np.arange(len(probabilities)), barred), 0, probabilities)
        shares = left / left.sum()
        assert_equal_distributions(found, {w: p for w, p in enumerate(shares.tolist()) if p > 0})


@all_kinds
@pytest.mark.parametrize("temperature", TEMPERATURES)
def test_at_a_temperature_both_choices_are_made_at_it(sizes: list[int], temperature: float) -> None:
    layer = layer_of(classes_of(sizes))
    state = states_of(layer, 1)

    for barred in barred_of(layer).values():
        found = drawn_distribution(layer, state, barred, temperature)

        assert_equal_distributions(found, documented(layer, state, barred, temperature))


@given(layers_and_states(magnitude=2), st.sampled_from(TEMPERATURES), st.data())
def test_words_of_any_layer_are_drawn_as_documented(
    example: tuple[ClassSoftmax, Array], temperature: float, data: st.DataObject
) -> None:
    layer, hidden = example
    words = st.sets(st.sampled_from(range(len(layer.classes))), max_size=len(layer.classes) - 1)
    barred = sorted(data.draw(words))
    # beyond this the sums of what is left have lost digits
    probable = plain_log_probabilities(layer, hidden[:1])[0] > -10 * temperature
    allowed = np.setdiff1d(np.flatnonzero(probable), barred)
    expected = documented(layer, hidden[:1], barred, temperature)

    found = drawn_distribution(layer, hidden[:1], barred, temperature)

    assert not set(found) & set(barred)
    if len(allowed):
        for word, probability in expected.items():
            assert found.get(word, 0.0) == pytest.approx(probability, rel=1e-8, abs=1e-12)


def test_twenty_thousand_draws_are_as_frequent_as_they_should_be() -> None:
    layer = layer_of(classes_of(SIZES["mixed"]))
    state = states_of(layer, 1)
    barred = barred_of(layer)["some"]
    expected = documented(layer, state, barred, 1.5)
    rng = np.random.default_rng(5)

    found, _ = layer.draw(repeated(state, 20_000), barred, 1.5, [rng] * 20_000)

    counts = np.bincount(found, minlength=12)
    assert set(np.flatnonzero(counts)) <= set(expected)
    squares = [(counts[w] - 20_000 * p) ** 2 / (20_000 * p) for w, p in expected.items()]
    # chi-square of 7 degrees of freedom is above 40 once in a million times
    assert len(expected) == 8
    assert math.fsum(squares) < 40


def plain_layer(layer: ClassSoftmax) -> Softmax:
    """The same distribution for one state, where every word stands alone."""
    class_of = layer.classes.class_of
    bias = None if layer.root_bias is None else layer.root_bias[class_of]
    return Softmax(layer.root_weights[class_of], bias)


@with_and_without_bias
@pytest.mark.parametrize("temperature", [1e-300, *TEMPERATURES, 1e300])
def test_where_every_word_stands_alone_words_are_drawn_as_by_the_plain_softmax(
    bias: bool, temperature: float
) -> None:
    layer = layer_of(classes_of(SIZES["words alone only"]), bias)
    state = states_of(layer, 1)

    for barred in ([], [0], [1, 4]):
        found = drawn_distribution(layer, state, barred, temperature)

        expected = drawn_distribution(plain_layer(layer), state, barred, temperature)
        assert_equal_distributions(found, expected)


Layers = Callable[[], OutputLayer]
BOTH: dict[str, Layers] = {
    "classes": lambda: layer_of(classes_of(SIZES["mixed"])),
    "softmax": lambda: plain_layer(layer_of(classes_of([1] * 12))),
}
both_outputs = pytest.mark.parametrize("make", BOTH.values(), ids=BOTH)


@both_outputs
@pytest.mark.parametrize("temperature", [1e-300, 0.5, 1.0, 3.0])
def test_the_log_probability_reported_is_the_networks_own(make: Layers, temperature: float) -> None:
    layer = make()
    hidden = np.random.default_rng(1).uniform(-1, 1, (300, 3))
    rng = np.random.default_rng(2)

    words, log_probabilities = layer.draw(hidden, [2, 5], temperature, [rng] * 300)

    expected = layer.log_probabilities(hidden)[np.arange(300), words]
    np.testing.assert_allclose(log_probabilities, expected, rtol=0, atol=1e-13)
    assert words.dtype == np.int32
    assert log_probabilities.dtype == np.float64
    assert not {2, 5} & set(words.tolist())


@both_outputs
@pytest.mark.parametrize("temperature", [0.7, 1.0])
def test_rows_drawn_together_are_what_they_are_drawn_alone(
    make: Layers, temperature: float
) -> None:
    layer = make()
    hidden = np.random.default_rng(1).uniform(-1, 1, (40, 3))

    words, log_probabilities = layer.draw(
        hidden, [1, 7], temperature, [np.random.default_rng(seed) for seed in range(40)]
    )

    for row in range(40):
        (word,), (log_probability,) = layer.draw(
            hidden[[row]], [1, 7], temperature, [np.random.default_rng(row)]
        )
        assert word == words[row]
        assert log_probability == pytest.approx(log_probabilities[row], abs=1e-13)


@pytest.mark.parametrize("numbers", [(0.0, 0.0), (0.0, ALMOST_ONE), (ALMOST_ONE, 0.0), (0.5, 0.5)])
@all_kinds
def test_barred_words_never_come_whatever_the_numbers(
    sizes: list[int], numbers: tuple[float, float]
) -> None:
    layer = layer_of(classes_of(sizes))
    hidden = states_of(layer, 5)

    for barred in barred_of(layer).values():
        words, _ = layer.draw(hidden, barred, 1.0, [told(*numbers) for _ in range(5)])

        assert not set(barred) & set(words.tolist())


def test_words_are_drawn_although_a_barred_one_has_nearly_all_the_probability() -> None:
    # word 0 shares class 0 with word 1; to a float it has probability 1, and 2 and 3 have 0
    classes = WordClasses(ids(0, 0, 1, 2), ids(0, 1, -1, -1))
    root, within = np.array([[800.0], [0.0], [0.0]]), np.array([[30.0], [0.0]])
    layer = ClassSoftmax(classes, root, within)

    found = drawn_distribution(layer, np.ones((1, 1)), [0], 1.0)
    elsewhere = drawn_distribution(layer, np.ones((1, 1)), [0, 1], 1.0)

    # exp(-30) of what exp(800) brings is far above what the others have
    assert_equal_distributions(found, {1: 1.0})
    assert_equal_distributions(elsewhere, {2: 0.5, 3: 0.5})


FOREMOST = WordClasses(ids(0, 0, 0, 1, 1, 2), ids(0, 1, 2, 3, 4, -1))
"""Classes of words 0, 1 and 2, of 3 and 4, and of 5 alone."""


def foremost_layer(of_classes: Sequence[float], of_words: Sequence[float]) -> ClassSoftmax:
    """A layer of these log-probabilities, but for constants."""
    zeros = np.zeros((3, 1)), np.zeros((5, 1))
    return ClassSoftmax(FOREMOST, *zeros, np.array(of_classes), np.array(of_words))


LOW = [1e-300, 1e-9, 1e-2]
"""Temperatures at which the second best is never drawn."""


def only_word(layer: ClassSoftmax, barred: Sequence[int], temperature: float) -> int:
    """The word that is drawn whatever the numbers."""
    found = {
        int(word)
        for number in (1e-9, 0.5, ALMOST_ONE)
        for word in layer.draw(np.ones((1, 1)), barred, temperature, [told(number, number)]).ids
    }
    (word,) = found
    return word


@pytest.mark.parametrize("temperature", LOW)
def test_a_low_temperature_takes_the_best_word_of_the_best_class(temperature: float) -> None:
    # of 0.6 three words have 0.27 at most; word 5 has 0.3 for itself
    layer = foremost_layer(np.log([0.6, 0.1, 0.3]).tolist(), [0.0, 0.5, 0.0, 0.0, 0.0])

    assert only_word(layer, [], temperature) == 1


@pytest.mark.parametrize("temperature", LOW)
@pytest.mark.parametrize(
    ("barred", "best"),
    [
        ([0, 1, 2], 5),  # the best class is no more
        ([0, 1, 2, 5], 4),
        ([3], 1),  # it is of no importance
        ([5, 0], 1),
    ],
)
def test_a_low_temperature_takes_the_best_of_what_is_left(
    barred: list[int], best: int, temperature: float
) -> None:
    layer = foremost_layer([5.0, -15.0, 0.0], [-1.0, 0.0, -2.0, -1.0, 0.0])

    assert only_word(layer, barred, temperature) == best


@pytest.mark.parametrize("temperature", [1e-300, 1e-9, 1e-3, 1e-2])
def test_a_class_loses_no_more_than_its_barred_word_at_a_low_temperature(
    temperature: float,
) -> None:
    layer = foremost_layer([5.0, -15.0, 0.0], [-1.0, 0.0, -2.0, -1.0, 0.0])

    # ln P(c) less the distance of word 0 from word 1 is 5 - 1 to a constant, that of word 5 is 0
    assert only_word(layer, [1], temperature) == 0


@pytest.mark.parametrize("temperature", [0.1, 1e-2, 1e-300])
def test_words_are_drawn_at_a_low_temperature_although_a_barred_one_is_the_best_by_far(
    temperature: float,
) -> None:
    classes = WordClasses(ids(0, 0, 0), ids(0, 1, 2))
    layer = ClassSoftmax(classes, np.zeros((1, 1)), np.array([[8.0], [0.0], [-9.0]]))

    # exp(-8 / 0.01) is zero to a float
    assert only_word(layer, [0], temperature) == 1


@pytest.mark.parametrize("sizes", [[1, 1, 1], [3]], ids=str)
def test_the_smallest_temperature_of_all_takes_the_best_of_what_is_left(sizes: list[int]) -> None:
    layer = layer_of(classes_of(sizes), hidden_size=1)
    ranked = np.argsort(-layer.log_probabilities(np.ones((1, 1)))[0])

    assert only_word(layer, [], 5e-324) == ranked[0]
    assert only_word(layer, ranked[:1].tolist(), 5e-324) == ranked[1]


def test_a_huge_temperature_draws_all_classes_alike_and_all_words_of_a_class() -> None:
    layer = foremost_layer([50.0, -50.0, 0.0], [50.0, 0.0, -50.0, 30.0, 0.0])

    found = drawn_distribution(layer, np.zeros((1, 1)), [1], 1e300)

    # thirds of classes; a barred word takes a third of a third away, which leaves 8 ninths
    expected = {0: 1 / 8, 2: 1 / 8, 3: 3 / 16, 4: 3 / 16, 5: 3 / 8}
    assert_equal_distributions(found, expected)


# Sentences of a network that goes by classes

CONFIG = SamplingConfig(sentences=30, temperature=1.0, minimum_words=0, maximum_words=9, seed=1)
MIXED = classes_of(SIZES["mixed"])


@pytest.mark.parametrize("cell", CELLS)
@with_and_without_bias
@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_the_log_probability_of_a_sentence_is_that_of_its_words_one_by_one(
    cell: str, bias: bool, temperature: float
) -> None:
    network = class_network_of(MIXED, 3, cell_name=cell, bias=bias)
    config = replace(CONFIG, temperature=temperature, minimum_words=2)

    samples = draw_sentences(network, config, np.random.default_rng(1))

    assert len(samples) == 30
    for sample in samples:
        read = np.array([START, *sample.ids, *([END] if sample.ended else [])], dtype=np.int32)
        expected = math.fsum(-network.losses(pack([read])))
        walk = math.fsum(scored(network, read.tolist()))
        assert sample.log_probability == pytest.approx(expected, rel=1e-12)
        assert sample.log_probability == pytest.approx(walk, rel=1e-12)


@pytest.mark.parametrize("sizes", [[1] * 12, [12], [3, 5, 4], [2, 1, 9]], ids=str)
@pytest.mark.parametrize("temperature", [0.2, 1.0, 1e300])
def test_a_sentence_has_no_start_no_unknown_word_and_no_end_before_its_time(
    sizes: list[int], temperature: float
) -> None:
    network = class_network_of(classes_of(sizes), 3, bias=True)
    config = replace(CONFIG, temperature=temperature, minimum_words=4, maximum_words=6)

    samples = draw_sentences(network, config, np.random.default_rng(1))

    for sample in samples:
        assert not {START, END, UNKNOWN} & set(sample.ids)
        assert 4 <= len(sample.ids) <= 6
        assert sample.ended or len(sample.ids) == 6
