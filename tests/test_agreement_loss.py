"""The loss of agreeing words by their distance."""

import math
import statistics
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.analysis.agreement import AgreementLoss, by_distance

Word = tuple[int, float, float]
"""Distance, the network's loss and the grammar's."""

words_of_any_distance = st.lists(
    st.tuples(st.integers(0, 5), st.floats(0, 10), st.floats(0, 10)), min_size=1, max_size=40
)


def put_together(words: list[Word]) -> list[AgreementLoss]:
    """The losses by distance."""
    distances, losses, floor = zip(*words, strict=True)
    return list(by_distance(np.array(distances), np.array(losses), np.array(floor)))


def test_losses_are_averaged_by_distance_the_shortest_first() -> None:
    found = put_together([(4, 1.0, 0.5), (1, 3.0, 0.25), (4, 3.0, 1.0), (0, 8.0, 0.0)])

    assert [(one.distance, one.words, one.loss_nats, one.floor_nats) for one in found] == [
        (0, 1, 8.0, 0.0),
        (1, 1, 3.0, 0.25),
        (4, 2, 2.0, 0.75),
    ]


def test_the_standard_error_is_that_of_the_mean() -> None:
    (found,) = put_together([(2, 1.0, 0.0), (2, 2.0, 0.0), (2, 6.0, 0.0)])

    # mean 3, deviations -2, -1 and 3; (4 + 1 + 9) / 2 = 7, over 3 words
    assert found.loss_nats == pytest.approx(3, rel=1e-15)
    assert found.standard_error == pytest.approx(math.sqrt(7 / 3), rel=1e-14)


def test_a_single_word_has_no_error() -> None:
    assert put_together([(7, 1.5, 0.5)]) == [AgreementLoss(7, 1, 1.5, 0.0, 0.5)]


@given(words_of_any_distance)
def test_every_distance_is_that_of_a_plain_computation(words: list[Word]) -> None:
    found = put_together(words)

    assert [one.distance for one in found] == sorted({distance for distance, _, _ in words})
    for one in found:
        losses = [loss for distance, loss, _ in words if distance == one.distance]
        floor = [least for distance, _, least in words if distance == one.distance]
        error = statistics.stdev(losses) / math.sqrt(len(losses)) if len(losses) > 1 else 0
        assert one.words == len(losses)
        assert one.loss_nats == pytest.approx(statistics.fmean(losses), rel=1e-12, abs=1e-12)
        assert one.standard_error == pytest.approx(error, rel=1e-9, abs=1e-12)
        assert one.floor_nats == pytest.approx(statistics.fmean(floor), rel=1e-12, abs=1e-12)


@given(words_of_any_distance, st.randoms(use_true_random=False))
def test_the_order_of_words_does_not_matter(words: list[Word], random: Random) -> None:
    mixed = list(words)
    random.shuffle(mixed)

    for one, other in zip(put_together(words), put_together(mixed), strict=True):
        assert (one.distance, one.words) == (other.distance, other.words)
        assert one.loss_nats == pytest.approx(other.loss_nats, rel=1e-12, abs=1e-12)


def test_no_words_have_no_distances() -> None:
    empty = np.array([])

    assert list(by_distance(empty.astype(np.int64), empty, empty)) == []


def test_what_comes_back_is_ready_to_be_written() -> None:
    (found,) = put_together([(2, 1.0, 0.0), (2, 2.0, 0.0)])

    assert type(found.distance) is int
    assert {type(value) for value in (found.loss_nats, found.standard_error, found.floor_nats)} == {
        float
    }
