"""Minibatches: each sentence once, in an order that only the seed decides."""

import numpy as np
import pytest

from model_strategies import dataset_of, sentence
from unrolled.model.packing import PackedBatch
from unrolled.training.batches import ordered_batches, shuffled_batches

SENTENCES = [sentence(*range(first, first + 1 + first % 3)) for first in range(10, 33)]
DATASET = dataset_of(SENTENCES)


def words_of(batch: PackedBatch) -> list[list[int]]:
    """The sentences of a batch in the order in which it was given them."""
    return [
        [*batch.inputs[rows].tolist(), int(batch.targets[rows][-1])]
        for rows in (batch.sentence == index for index in range(len(batch.order)))
    ]


def epoch(batch_size: int, rng: np.random.Generator) -> list[list[int]]:
    batches = shuffled_batches(DATASET, batch_size, rng)
    return [words for batch in batches for words in words_of(batch)]


@pytest.mark.parametrize("batch_size", [1, 2, 5, 23, 100])
def test_an_epoch_shows_every_sentence_once(batch_size: int) -> None:
    shown = epoch(batch_size, np.random.default_rng(1))

    assert sorted(shown) == sorted(words.tolist() for words in SENTENCES)


def test_batches_are_of_the_size_asked_for_and_the_last_holds_the_rest() -> None:
    batches = shuffled_batches(DATASET, 5, np.random.default_rng(1))

    assert [len(batch.order) for batch in batches] == [5, 5, 5, 5, 3]  # 23 sentences


def test_equal_seeds_give_equal_orders_and_other_seeds_others() -> None:
    first, again, other = (epoch(4, np.random.default_rng(seed)) for seed in (1, 1, 2))

    assert first == again
    assert first != other


def test_the_order_does_not_depend_on_the_size_of_a_batch() -> None:
    assert epoch(4, np.random.default_rng(3)) == epoch(7, np.random.default_rng(3))


def test_each_epoch_has_a_new_order() -> None:
    rng = np.random.default_rng(4)

    assert epoch(4, rng) != epoch(4, rng)


@pytest.mark.parametrize("batch_size", [1, 5, 23, 100])
def test_ordered_batches_show_every_sentence_in_its_place(batch_size: int) -> None:
    batches = ordered_batches(DATASET, batch_size)

    shown = [words for batch in batches for words in words_of(batch)]
    assert shown == [words.tolist() for words in SENTENCES]
