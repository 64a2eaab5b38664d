"""What a run is expected to take, by hand from what others have taken."""

from collections.abc import Mapping
from typing import Any

import pytest

from unrolled.stages.estimates import (
    EMPTY_MB,
    Corpus,
    Measured,
    expected_memory_mb,
    expected_seconds,
)

SETTINGS: Mapping[str, Any] = {
    "cell": "elman",
    "hidden_size": 100,
    "truncation_depth": 4,
    "output": "softmax",
    "bias": False,
    "tied_weights": False,
    "precision": "single",
    "optimiser": "sgd",
    "epochs": 3,
    "batch_size": 16,
    "carry_state": False,
    "segment_length": 20,
}
CORPUS = Corpus(predictions=1_000_000, sentences=50_000, vocabulary_size=4000)
MEASURED = Measured(SETTINGS, tokens_per_second=50_000, peak_memory_mb=200)


def like(**settings: Any) -> dict[str, Any]:
    return {**SETTINGS, **settings}


# Time


def test_an_equal_run_takes_as_long_for_each_token() -> None:
    # 3 epochs of a million tokens at 50,000 a second
    assert expected_seconds(SETTINGS, CORPUS, [MEASURED]) == pytest.approx(60)
    assert expected_seconds(like(epochs=1), CORPUS, [MEASURED]) == pytest.approx(20)


@pytest.mark.parametrize(
    ("settings", "slower"),
    [
        ({"hidden_size": 300}, 3),
        ({"cell": "lstm"}, 4),  # four blocks
        ({"cell": "gru", "hidden_size": 200}, 6),
        ({"hidden_size": 10}, 1),  # small networks do not gain as much as they have less to do
    ],
)
def test_a_run_with_more_work_takes_as_much_longer_and_one_with_less_no_shorter(
    settings: Mapping[str, Any], slower: float
) -> None:
    assert expected_seconds(like(**settings), CORPUS, [MEASURED]) == pytest.approx(60 * slower)


def test_of_several_runs_that_counts_which_is_nearest_in_work_and_then_in_other_settings() -> None:
    measured = [
        MEASURED,
        Measured(like(hidden_size=400, truncation_depth="full"), 10_000),
        Measured(like(hidden_size=400), 20_000),
        Measured(like(hidden_size=1600), 1_000),
    ]

    # 300 is nearer to 400 than to 100, in that 4 / 3 is less than 3: 3 million at 20,000
    assert expected_seconds(like(hidden_size=300), CORPUS, measured) == pytest.approx(150)
    full = like(hidden_size=300, truncation_depth="full")
    assert expected_seconds(full, CORPUS, measured) == pytest.approx(300)


def test_nothing_is_known_before_there_is_a_measurement_and_a_corpus() -> None:
    assert expected_seconds(SETTINGS, CORPUS, []) is None
    assert expected_seconds(SETTINGS, None, [MEASURED]) is None
    assert expected_memory_mb(SETTINGS, None, [MEASURED]) is None


# Memory


def test_a_run_with_more_parameters_takes_what_the_measured_one_took_and_the_difference() -> None:
    # 4000 * 100 * 2 + 100 * 100 = 810,000 numbers, with 200 units 1,640,000. Plain descent has them
    # 5 times: twice the weights and the best ones, and the gradient. 830,000 * 5 * 4 bytes are
    # 16.6 million, 15.83 MB.
    found = expected_memory_mb(like(hidden_size=200), CORPUS, [MEASURED])

    assert found == pytest.approx(200 + 16.6e6 / 2**20)
    assert expected_memory_mb(like(hidden_size=50), CORPUS, [MEASURED]) == 200


def test_without_a_run_that_has_ended_memory_follows_from_the_sizes() -> None:
    under_way = Measured(SETTINGS, 50_000)

    # Beside 810,000 * 5 numbers there are three times the logits of a batch: 16 sentences of
    # 1,000,000 / 50,000 = 20 predictions, each with 4000 words.
    expected = EMPTY_MB + (810_000 * 5 + 3 * 16 * 20 * 4000) * 4 / 2**20
    assert expected_memory_mb(SETTINGS, CORPUS, [under_way]) == pytest.approx(expected)
    doubled = expected_memory_mb(like(precision="double"), CORPUS, [])
    assert doubled == pytest.approx(2 * expected - EMPTY_MB)
    longer = like(carry_state=True, segment_length=40)  # words of a stream in place of sentences
    assert expected_memory_mb(longer, CORPUS, []) == pytest.approx(
        expected + 3 * 16 * 20 * 4000 * 4 / 2**20
    )
