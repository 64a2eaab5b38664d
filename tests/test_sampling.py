"""Drawn sentences: what may be drawn, how often, and how probable it was."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_strategies import (
    fixed_network,
    ids,
    network_of,
    reference_log_probability,
    reference_of,
    sentence,
    some_classes,
)
from unrolled.analysis.sampling import Sample, draw_sentences
from unrolled.config.sections import SamplingConfig
from unrolled.model.cells import CELLS
from unrolled.model.network import Network
from unrolled.model.packing import pack
from unrolled.model.types import Array
from unrolled.text.classes import WordClasses
from unrolled.text.vocabulary import END, START, UNKNOWN, Ids

CONFIG = SamplingConfig(sentences=1, temperature=1.0, minimum_words=0, maximum_words=12, seed=1)
TEMPERATURES = [1e-300, 0.1, 0.5, 1.0, 3.0, 1e300]


def drawn(network: Network, config: SamplingConfig = CONFIG, count: int = 40) -> list[Sample]:
    rng = np.random.default_rng(config.seed)
    return draw_sentences(network, replace(config, sentences=count), rng)


# What may be drawn


def test_equal_seeds_draw_equal_sentences_and_other_seeds_others() -> None:
    network = network_of(1)

    first, again, other = (drawn(network, replace(CONFIG, seed=seed)) for seed in (1, 1, 2))

    assert first == again
    assert first != other


@pytest.mark.parametrize("temperature", TEMPERATURES)
def test_unknown_word_start_and_end_are_no_words_of_a_sentence(temperature: float) -> None:
    # unmasked, these three would be nearly all that is drawn
    network = fixed_network([9.0, 5.0, 9.0, 0.0, 0.0, 0.0, 0.0])

    words = {
        word
        for sample in drawn(network, replace(CONFIG, temperature=temperature, minimum_words=5))
        for word in sample.ids
    }

    assert not {START, END, UNKNOWN} & words
    assert words <= {3, 4, 5, 6}


@given(st.integers(0, 8), st.integers(0, 8), st.integers(0, 1000), st.sampled_from(TEMPERATURES))
def test_the_end_comes_not_before_the_minimum_and_no_sentence_is_longer_than_the_maximum(
    minimum: int, more: int, seed: int, temperature: float
) -> None:
    config = SamplingConfig(1, temperature, minimum, max(1, minimum + more), seed)

    for sample in drawn(network_of(seed), config, count=3):
        assert minimum <= len(sample.ids) <= config.maximum_words
        if not sample.ended:
            assert len(sample.ids) == config.maximum_words


def test_an_end_that_is_certain_comes_as_soon_as_it_may() -> None:
    network = fixed_network([0.0, 1e3, 0.0, 0.0, 0.0])

    for minimum in (0, 1, 4):
        for sample in drawn(network, replace(CONFIG, minimum_words=minimum), count=5):
            assert (len(sample.ids), sample.ended) == (minimum, True)


def test_a_sentence_that_does_not_end_is_cut_and_says_so() -> None:
    network = fixed_network([0.0, -1e3, 0.0, 0.0, 0.0])

    for sample in drawn(network, count=5):
        assert (len(sample.ids), sample.ended) == (12, False)


def test_all_probability_on_the_unknown_word_still_draws_from_the_others() -> None:
    # to a float the others have probability 0: exp(-1e6)
    network = fixed_network([0.0, 0.0, 1e6, 0.0, 0.0])

    words = [word for sample in drawn(network) for word in sample.ids]

    assert set(words) == {3, 4}


# How often


def test_frequencies_of_the_first_word_are_its_renormalised_probabilities() -> None:
    network = fixed_network(np.log([0.2, 0.1, 0.3, 0.24, 0.12, 0.04]).tolist())
    config = replace(CONFIG, minimum_words=1, maximum_words=1)

    firsts = [sample.ids[0] for sample in drawn(network, config, count=4000)]

    # 0.24, 0.12 and 0.04 of 0.4; five standard deviations are at most 5 sqrt(0.25 / 4000) = 0.04
    frequencies = np.bincount(firsts, minlength=6) / 4000
    np.testing.assert_allclose(frequencies, [0, 0, 0, 0.6, 0.3, 0.1], rtol=0, atol=0.04)


def test_frequencies_at_temperature_two_are_those_of_the_square_roots() -> None:
    network = fixed_network(np.log([0.2, 0.1, 0.2, 0.32, 0.16, 0.02]).tolist())
    config = replace(CONFIG, minimum_words=1, maximum_words=1, temperature=2.0)

    firsts = [sample.ids[0] for sample in drawn(network, config, count=4000)]

    # square roots of 16 : 8 : 1 are 4 : 2.8284 : 1, of 7.8284
    frequencies = np.bincount(firsts, minlength=6) / 4000
    np.testing.assert_allclose(frequencies, [0, 0, 0, 0.5110, 0.3613, 0.1277], rtol=0, atol=0.04)


def test_sentences_of_two_words_are_as_frequent_as_the_reference_says() -> None:
    network = network_of(2)
    config = replace(CONFIG, minimum_words=2, maximum_words=2)
    _, after_start = reference_of(network).forward([START])
    allowed = [3, 4, 5, 6]
    expected = {}
    for first in allowed:
        _, after_first = reference_of(network).forward([START, first])
        for second in allowed:
            expected[first, second] = (after_start[0, first] / after_start[0, allowed].sum()) * (
                after_first[1, second] / after_first[1, allowed].sum()
            )

    pairs = [tuple(sample.ids) for sample in drawn(network, config, count=4000)]

    for pair, probability in expected.items():
        assert pairs.count(pair) / 4000 == pytest.approx(probability, abs=0.04), pair


@pytest.mark.parametrize("temperature", [1e-300, 1e-6])
def test_a_low_temperature_takes_the_most_probable_word_each_time(temperature: float) -> None:
    network = network_of(3)
    config = replace(CONFIG, temperature=temperature, minimum_words=6, maximum_words=6)

    expected: list[int] = []
    for _ in range(6):
        _, probabilities = reference_of(network).forward([START, *expected])
        probabilities[-1, [START, END, UNKNOWN]] = -1
        expected.append(int(probabilities[-1].argmax()))

    assert {tuple(sample.ids) for sample in drawn(network, config, count=5)} == {tuple(expected)}


def test_a_huge_temperature_draws_all_words_alike() -> None:
    network = fixed_network([0.0, 0.0, 0.0, 50.0, 0.0, -50.0])
    config = replace(CONFIG, temperature=1e300, minimum_words=1, maximum_words=1)

    firsts = [sample.ids[0] for sample in drawn(network, config, count=3000)]

    frequencies = np.bincount(firsts, minlength=6) / 3000
    np.testing.assert_allclose(frequencies[3:], 1 / 3, rtol=0, atol=0.05)


@pytest.mark.parametrize("temperature", TEMPERATURES)
@pytest.mark.parametrize("size", [1.0, 1e4])
def test_no_temperature_crashes_in_either_precision(temperature: float, size: float) -> None:
    network = network_of(4, dtype=np.float32)
    network.parameters["output_weights"] *= np.float32(size)

    for sample in drawn(network, replace(CONFIG, temperature=temperature), count=5):
        assert math.isfinite(sample.log_probability)


# How probable


@pytest.mark.parametrize("temperature", TEMPERATURES)
@pytest.mark.parametrize("minimum", [0, 4])
def test_log_probability_is_the_references_whatever_the_mask_and_the_temperature(
    temperature: float, minimum: int
) -> None:
    network = network_of(5)
    config = replace(CONFIG, temperature=temperature, minimum_words=minimum, maximum_words=5)

    for sample in drawn(network, config, count=20):
        words: Ids = sentence(*sample.ids) if sample.ended else ids(START, *sample.ids)
        expected = reference_log_probability(network, words)
        assert sample.log_probability == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("bias", [False, True], ids=["plain", "bias"])
def test_log_probability_is_what_the_whole_sentence_is_scored_with_in_every_cell(
    cell: str, bias: bool
) -> None:
    network = network_of(7, cell_name=cell, bias=bias)

    for sample in drawn(network, replace(CONFIG, temperature=2.0), count=20):
        words: Ids = sentence(*sample.ids) if sample.ended else ids(START, *sample.ids)
        losses = network.losses(pack([words]))
        assert sample.log_probability == pytest.approx(-math.fsum(losses), rel=1e-12)


def test_log_probability_counts_the_end_only_where_it_came() -> None:
    network = fixed_network([0.0] * 5)

    ended = drawn(network, replace(CONFIG, maximum_words=1000), count=1)[0]
    cut = drawn(network, replace(CONFIG, minimum_words=3, maximum_words=3), count=1)[0]

    # every token has probability 1/5
    assert ended.log_probability == pytest.approx(-(len(ended.ids) + 1) * math.log(5), rel=1e-13)
    assert cut.log_probability == pytest.approx(-3 * math.log(5), rel=1e-13)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("count", [1, 5])
def test_the_network_takes_one_step_for_each_token_drawn(
    count: int, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[list[int]] = []
    step = Network.step

    def counted(network: Network, words: Ids, state: Array | None) -> Array:
        read.append(words.tolist())
        return step(network, words, state)

    monkeypatch.setattr(Network, "step", counted)
    samples = drawn(network_of(6), replace(CONFIG, seed=seed, maximum_words=6), count)

    # of each sentence the start, then every word but the last one of a sentence that was cut; in
    # the first step the first word that is read of all of them, in the second the second, ...
    expected = [[START, *sample.ids][: len(sample.ids) + sample.ended] for sample in samples]
    assert read == [
        [words[length] for words in expected if length < len(words)]
        for length in range(max(map(len, expected)))
    ]


# Side by side


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("minimum", [0, 3])
@pytest.mark.parametrize("classes", [None, some_classes(7)], ids=["softmax", "classes"])
def test_more_sentences_leave_the_first_ones_as_they_are(
    cell: str, minimum: int, classes: WordClasses | None
) -> None:
    network = network_of(8, cell_name=cell, bias=True, classes=classes)
    config = replace(CONFIG, minimum_words=minimum)

    many = drawn(network, config, count=30)

    assert len({len(sample.ids) for sample in many}) > 2  # they do not end all at once
    for count in (1, 2, 7):
        few = drawn(network, config, count)
        for sample, same in zip(few, many, strict=False):
            assert (sample.ids, sample.ended) == (same.ids, same.ended)
            assert sample.log_probability == pytest.approx(same.log_probability, rel=1e-12)


def test_sentences_are_drawn_independently_of_each_other() -> None:
    network = fixed_network(np.log([0.2, 0.1, 0.2, 0.25, 0.25]).tolist())

    samples = drawn(network, replace(CONFIG, minimum_words=1, maximum_words=1), count=4000)

    # of neighbours one and the same word in half of all; five standard deviations are
    # 5 sqrt(0.25 / 4000) = 0.04
    firsts = np.array([sample.ids[0] for sample in samples])
    assert np.mean(firsts[1:] == firsts[:-1]) == pytest.approx(0.5, abs=0.04)
