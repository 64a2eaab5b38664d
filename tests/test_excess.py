"""How far a network is from the least possible loss, and how sure that is."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from model_strategies import dataset_of, fixed_network, ids, network_of, sentence, some_classes
from training_strategies import KINDS, numbered, read_by_hand, split_of
from unrolled.analysis.evaluation import evaluate
from unrolled.analysis.excess import Losses, excess, sentence_losses, token_losses
from unrolled.model.cells import CELLS
from unrolled.text.dataset import Dataset
from unrolled.training.batches import EVALUATION_BATCH

SENTENCE_COUNT = 2 * EVALUATION_BATCH + 9


def mixed_split(count: int = SENTENCE_COUNT) -> Dataset:
    """Sentences of no word to eleven, in no order, in documents of three."""
    rng = np.random.default_rng(1)
    sentences = [sentence(*rng.integers(3, 7, length)) for length in rng.integers(0, 12, count)]
    return split_of([sentences[start : start + 3] for start in range(0, count, 3)])


# Tokens and sentences


@pytest.mark.parametrize(("cell", "bias", "tied"), KINDS)
def test_losses_of_tokens_are_those_of_reading_each_sentence_alone_word_by_word(
    cell: str, bias: bool, tied: bool
) -> None:
    network, split = network_of(3, cell_name=cell, bias=bias, tied=tied), mixed_split()

    losses = token_losses(network, split)

    expected = [loss for words in split for loss, _ in read_by_hand(network, [words])]
    assert losses.dtype == np.float64
    np.testing.assert_allclose(losses, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    "lengths",
    [
        [1],
        [1, 2, 3, 4],
        [4, 3, 2, 1],
        [2, 5, 2, 5, 2],
        [*[1] * EVALUATION_BATCH, 9],
        [*range(1, EVALUATION_BATCH + 1), *range(EVALUATION_BATCH, 0, -1)],
    ],
    ids=["one", "rising", "falling", "mixed", "more than a batch", "up and down"],
)
def test_every_token_has_its_own_loss_wherever_its_sentence_stands(lengths: list[int]) -> None:
    split = numbered([[length] for length in lengths])
    network = network_of(4, vocabulary_size=len(split.ids))

    losses = token_losses(network, split)

    # every id occurs once, so that no two tokens have the same loss
    expected = [loss for words in split for loss, _ in read_by_hand(network, [words])]
    assert len(np.unique(losses)) == sum(lengths)
    np.testing.assert_allclose(losses, expected, rtol=0, atol=1e-11)


def test_losses_of_word_classes_are_those_of_reading_word_by_word() -> None:
    network, split = network_of(5, classes=some_classes(7)), mixed_split()

    losses = token_losses(network, split)

    expected = [loss for words in split for loss, _ in read_by_hand(network, [words])]
    np.testing.assert_allclose(losses, expected, rtol=0, atol=1e-12)


def test_losses_in_single_precision_are_added_up_in_double() -> None:
    split = mixed_split()

    single = token_losses(network_of(6, dtype=np.float32), split)

    assert single.dtype == np.float64
    np.testing.assert_allclose(single, token_losses(network_of(6), split), rtol=0, atol=1e-5)


@pytest.mark.parametrize("cell", CELLS)
def test_losses_of_tokens_have_the_mean_that_the_evaluation_finds(cell: str) -> None:
    network, split = network_of(7, cell_name=cell), mixed_split()

    mean = token_losses(network, split).mean()

    assert mean == pytest.approx(evaluate(network, split).loss_nats_per_token, rel=1e-13)


def test_losses_of_a_sentence_are_those_of_its_words_and_its_end_added_up() -> None:
    # the end always has a probability of 1/2, the words 2 and 3 have 1/4 and 1/8
    network = fixed_network(np.log([1 / 8, 1 / 2, 1 / 4, 1 / 8]).tolist())
    split = dataset_of([sentence(2, 3), sentence(), sentence(3)])

    found = sentence_losses(network, split)

    # -ln of 1/4 · 1/8 · 1/2, of 1/2, and of 1/8 · 1/2
    assert found == pytest.approx(math.log(2) * np.array([2 + 3 + 1, 1, 3 + 1]), rel=1e-12)


def test_losses_of_sentences_add_up_to_those_of_tokens() -> None:
    network, split = network_of(8), mixed_split()
    losses = token_losses(network, split)

    found = sentence_losses(network, split)

    assert len(found) == len(split)
    # each sentence's in the order of its words, to the last bit
    whole = np.add.reduceat(losses, split.sentences[:-1] - np.arange(len(split)))
    assert found.tolist() == whole.tolist()
    assert math.fsum(found) == pytest.approx(math.fsum(losses), rel=1e-13)
    for number, words in enumerate(split):
        expected = math.fsum(loss for loss, _ in read_by_hand(network, [words]))
        assert found[number] == pytest.approx(expected, rel=1e-12)


# Excess


def losses_of(count: int, rng: np.random.Generator) -> tuple[Losses, Losses, NDArray[np.int64]]:
    """Losses of a network and of a grammar in sentences of many lengths, and these lengths.

    The longer a sentence, the more is lost over the floor, and the more uncertainly.
    """
    tokens = 2 + rng.geometric(0.2, count)
    floor = tokens * rng.gamma(2.0, 0.5, count)
    return floor + tokens**1.5 * rng.normal(0.05, 0.2, count), floor, tokens


def plain_excess(losses: Losses, floor: Losses, tokens: NDArray[np.int64]) -> tuple[float, float]:
    """The ratio of two means and its standard error, as Cochran writes them: the mean number of
    tokens in the denominator, and the sum of squares of y - R x over n - 1.
    """
    count = len(losses)
    over = [loss - least for loss, least in zip(losses, floor, strict=True)]
    ratio = math.fsum(over) / math.fsum(tokens)
    squares = math.fsum((y - ratio * x) ** 2 for y, x in zip(over, tokens, strict=True))
    mean_tokens = math.fsum(tokens) / count
    return ratio, math.sqrt(squares / (count - 1) / count) / mean_tokens


def test_the_excess_is_a_mean_over_tokens_not_over_sentences() -> None:
    losses, floor = np.array([5.0, 2.0]), np.array([2.0, 1.0])

    found = excess(losses, floor, ids(6, 2).astype(np.int64))

    # (3 + 1) / 8 = 1/2; residuals 3 - 6/2 = 0 and 1 - 2/2 = 0
    assert found.excess_nats_per_token == pytest.approx(0.5, rel=1e-15)
    assert found.excess_standard_error == pytest.approx(0, abs=1e-15)


def test_the_standard_error_is_that_of_a_ratio() -> None:
    losses, floor = np.array([4.0, 1.0, 1.0]), np.array([1.0, 1.0, 1.0])

    found = excess(losses, floor, np.array([2, 2, 2]))

    # 3 / 6 = 1/2; residuals 2, -1 and -1, squares 6; 6 * 3 / 2 = 9, and its root over 6 tokens
    assert found.excess_nats_per_token == pytest.approx(0.5, rel=1e-15)
    assert found.excess_standard_error == pytest.approx(3 / 6, rel=1e-15)


@given(st.integers(2, 40), st.integers(0, 10_000))
def test_excess_and_error_are_those_of_a_plain_computation(count: int, seed: int) -> None:
    parts = losses_of(count, np.random.default_rng(seed))

    found = excess(*parts)

    expected, error = plain_excess(*parts)
    assert found.excess_nats_per_token == pytest.approx(expected, rel=1e-9, abs=1e-12)
    assert found.excess_standard_error == pytest.approx(error, rel=1e-9, abs=1e-12)


def test_the_standard_error_is_how_much_the_excess_differs_between_tests() -> None:
    rng = np.random.default_rng(1)

    found = [excess(*losses_of(300, rng)) for _ in range(2000)]

    spread = np.std([one.excess_nats_per_token for one in found])
    mean_error = np.mean([one.excess_standard_error for one in found])
    # a spread from 2000 tests is itself uncertain by 1/sqrt(4000) = 1.6 %
    assert mean_error == pytest.approx(spread, rel=0.1)


def test_the_standard_error_is_that_of_a_bootstrap() -> None:
    rng = np.random.default_rng(2)
    losses, floor, tokens = losses_of(500, rng)

    found = excess(losses, floor, tokens)

    again = [rng.integers(0, 500, 500) for _ in range(2000)]
    ratios = [(losses[k] - floor[k]).sum() / tokens[k].sum() for k in again]
    assert found.excess_standard_error == pytest.approx(np.std(ratios), rel=0.1)


def test_a_difference_of_paired_losses_is_surer_than_the_losses_are() -> None:
    rng = np.random.default_rng(3)
    _, floor, tokens = losses_of(500, rng)
    losses = floor + rng.normal(0.1, 0.01, 500) * tokens

    paired = excess(losses, floor, tokens)
    alone = excess(losses, np.zeros(500), tokens)

    assert paired.excess_standard_error < alone.excess_standard_error / 20


def test_the_grammar_itself_has_no_excess_and_no_error() -> None:
    _, floor, tokens = losses_of(50, np.random.default_rng(4))

    found = excess(floor, floor, tokens)

    assert (found.excess_nats_per_token, found.excess_standard_error) == (0, 0)


def test_the_same_excess_at_every_token_is_certain() -> None:
    _, floor, tokens = losses_of(50, np.random.default_rng(5))

    found = excess(floor + 0.125 * tokens, floor, tokens)

    assert found.excess_nats_per_token == pytest.approx(0.125, rel=1e-12)
    assert found.excess_standard_error == pytest.approx(0, abs=1e-14)


def test_a_test_of_one_sentence_has_an_excess() -> None:
    found = excess(np.array([3.0]), np.array([1.0]), np.array([4]))

    assert found.excess_nats_per_token == pytest.approx(0.5, rel=1e-15)
    assert found.excess_standard_error == 0


def test_an_excess_may_be_below_zero() -> None:
    found = excess(np.array([1.0, 2.0]), np.array([2.0, 2.0]), np.array([1, 3]))

    assert found.excess_nats_per_token == pytest.approx(-0.25, rel=1e-15)
