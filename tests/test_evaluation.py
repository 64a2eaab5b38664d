"""Figures of a trained network: perplexity, accuracy, and the user's own sentences."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_strategies import (
    dataset_of,
    fixed_network,
    ids,
    network_of,
    reference_log_probability,
    reference_of,
    sentence,
    zero_network,
)
from training_strategies import KINDS, numbered, read_by_hand, split_of
from unrolled.analysis.evaluation import evaluate, score_sentence
from unrolled.analysis.measures import perplexity
from unrolled.model.cells import CELLS
from unrolled.text.dataset import Dataset
from unrolled.text.vocabulary import UNKNOWN, Ids, Vocabulary
from unrolled.training.batches import ordered_batches
from unrolled.training.loop import mean_loss

SENTENCES = [sentence(3, 4, 5), sentence(6, 3), sentence(4)]
DATASET = dataset_of(SENTENCES)
VOCABULARY = Vocabulary(
    ["SENTENCE_START", "SENTENCE_END", "UNKNOWN_TOKEN", "the", "cat", "sat", "."], [1] * 7
)


def sentences_of(count: int) -> list[Ids]:
    """Some sentences of one to five words."""
    rng = np.random.default_rng(1)
    return [sentence(*rng.integers(3, 7, 1 + k % 5)) for k in range(count)]


def large_split() -> Dataset:
    """More sentences than are held at once."""
    return dataset_of(sentences_of(150))


def documents() -> list[list[Ids]]:
    """More documents than are held at once, one of them longer than its states are."""
    sentences = sentences_of(150)
    return [sentences[:50], *([words] for words in sentences[50:100]), *([sentences[100:103]] * 20)]


# Perplexity


@pytest.mark.parametrize("vocabulary_size", [7, 100, 8000])
def test_perplexity_of_a_uniform_model_is_the_vocabulary_size(vocabulary_size: int) -> None:
    score = evaluate(zero_network(vocabulary_size), DATASET)

    assert score.perplexity == vocabulary_size
    assert score.loss_nats_per_token == pytest.approx(math.log(vocabulary_size), rel=1e-13)


@pytest.mark.parametrize(
    ("loss", "expected"), [(0.0, 1.0), (math.log(2), 2.0), (1e6, math.inf), (math.inf, math.inf)]
)
def test_perplexity_is_the_exponential_and_infinite_beyond_the_range_of_floats(
    loss: float, expected: float
) -> None:
    assert perplexity(loss) == pytest.approx(expected, rel=1e-15)


def test_perplexity_of_no_number_is_none() -> None:
    assert math.isnan(perplexity(math.nan))


@given(st.floats(0, 1e308))
def test_perplexity_never_raises(loss: float) -> None:
    assert perplexity(loss) >= 1


# Loss and accuracy


def test_loss_is_the_references_per_predicted_token() -> None:
    network = network_of(1)

    score = evaluate(network, DATASET)

    # 4 + 3 + 2 predictions, ends included
    expected = -sum(reference_log_probability(network, words) for words in SENTENCES) / 9
    assert score.loss_nats_per_token == pytest.approx(expected, rel=1e-13)
    assert score.perplexity == pytest.approx(math.exp(expected), abs=1e-9)


def test_accuracy_counts_first_guesses_ends_included() -> None:
    always_the_end = fixed_network([0, 9, 0, 0, 0, 0, 0])
    always_three = fixed_network([0, 0, 0, 9, 0, 0, 0])

    # of the targets 3 4 5 end, 6 3 end, 4 end: three are ends, two are 3
    assert evaluate(always_the_end, DATASET).next_word_accuracy == pytest.approx(3 / 9)
    assert evaluate(always_three, DATASET).next_word_accuracy == pytest.approx(2 / 9)


def test_accuracy_is_that_of_the_references_predictions() -> None:
    network = network_of(2)

    hits = [
        hit
        for words in SENTENCES
        for hit in (reference_of(network).predict(words[:-1]) == words[1:]).tolist()
    ]
    assert evaluate(network, DATASET).next_word_accuracy == pytest.approx(sum(hits) / 9)


def test_a_split_larger_than_a_batch_is_scored_whole() -> None:
    network, split = network_of(3), large_split()

    score = evaluate(network, split)

    total = -math.fsum(reference_log_probability(network, words) for words in split)
    assert score.loss_nats_per_token == pytest.approx(total / split.prediction_count, rel=1e-12)


def test_single_precision_scores_nearly_the_same() -> None:
    split = large_split()

    single = evaluate(network_of(4, dtype=np.float32), split)

    assert single.loss_nats_per_token == pytest.approx(
        evaluate(network_of(4), split).loss_nats_per_token, rel=1e-6
    )


def test_a_certain_mistake_has_a_finite_loss_and_an_infinite_perplexity() -> None:
    score = evaluate(fixed_network([0, 0, 0, 0, 0, 0, 1e6]), dataset_of([sentence(3)]))

    # ln(1 / softmax) is 1e6 for both the 3 and the end
    assert score.loss_nats_per_token == pytest.approx(1e6)
    assert score.perplexity == math.inf
    assert score.next_word_accuracy == 0


# A state that goes on from sentence to sentence


@pytest.mark.parametrize(("cell", "bias", "tied"), KINDS)
def test_with_carried_state_documents_are_scored_as_read_word_by_word(
    cell: str, bias: bool, tied: bool
) -> None:
    network = network_of(3, cell_name=cell, bias=bias, tied=tied)
    split = split_of(documents())
    by_hand = [word for document in documents() for word in read_by_hand(network, document)]

    score = evaluate(network, split, carry_state=True)

    expected = math.fsum(loss for loss, _ in by_hand) / len(by_hand)
    assert len(by_hand) == split.prediction_count
    assert score.loss_nats_per_token == pytest.approx(expected, rel=1e-11)
    assert score.next_word_accuracy == sum(right for _, right in by_hand) / len(by_hand)
    assert mean_loss(network, split, carry_state=True) == score.loss_nats_per_token


@pytest.mark.parametrize("cell", CELLS)
def test_every_single_prediction_of_a_document_is_that_of_reading_it_word_by_word(
    cell: str,
) -> None:
    split = numbered([[4, 2, 7], [1], [90, 40], *([[3, 5]] * 70)])
    network = network_of(11, vocabulary_size=len(split.ids), cell_name=cell)

    found = np.zeros(len(split.ids))
    for batch, forward in network.passes(ordered_batches(split, carry_state=True)):
        found[batch.targets], _ = network.losses_and_hits(batch, forward)

    expected = np.zeros(len(split.ids))
    for start, stop in itertools.pairwise(split.documents):
        document = [split[index] for index in range(start, stop)]
        targets = np.concatenate([words[1:] for words in document])
        expected[targets] = [loss for loss, _ in read_by_hand(network, document)]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("cell", CELLS)
def test_documents_of_one_sentence_are_scored_as_sentences(cell: str) -> None:
    network = network_of(10, cell_name=cell)

    carried = evaluate(network, split_of([[words] for words in SENTENCES]), carry_state=True)

    alone, joined = evaluate(network, DATASET), evaluate(network, DATASET, carry_state=True)
    assert carried.loss_nats_per_token == pytest.approx(alone.loss_nats_per_token, rel=1e-13)
    assert abs(joined.loss_nats_per_token - alone.loss_nats_per_token) > 1e-4


# One's own sentences


def test_a_sentences_words_sum_to_its_log_probability_by_the_reference() -> None:
    network = network_of(5)

    scored = score_sentence(network, VOCABULARY, ["the", "cat", "sat", "."])

    expected = reference_log_probability(network, ids(0, 3, 4, 5, 6, 1))
    assert scored.log_probability == pytest.approx(expected, rel=1e-13)
    assert math.fsum(scored.log_probabilities) == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("bias", [False, True], ids=["plain", "bias"])
def test_words_and_splits_are_scored_as_steps_one_by_one_say_in_every_cell(
    cell: str, bias: bool
) -> None:
    network = network_of(9, cell_name=cell, bias=bias)
    words = sentence(3, 4, 5, 6)
    expected, state = [], None
    for word, following in itertools.pairwise(words):
        state = network.step(ids(int(word)), state)
        log_probabilities = network.output.log_probabilities(state[:, : network.hidden_size])
        expected.append(float(log_probabilities[0, following]))

    scored = score_sentence(network, VOCABULARY, ["the", "cat", "sat", "."])
    score = evaluate(network, dataset_of([words]))

    np.testing.assert_allclose(scored.log_probabilities, expected, rtol=0, atol=1e-13)
    assert score.loss_nats_per_token == pytest.approx(-math.fsum(expected) / 5, rel=1e-13)


def test_every_word_has_the_logarithm_of_its_probability_after_the_words_before() -> None:
    network = network_of(6)
    _, probabilities = reference_of(network).forward([0, 4, 3])

    scored = score_sentence(network, VOCABULARY, ["cat", "the"])

    assert list(scored.tokens) == ["cat", "the", "SENTENCE_END"]
    expected = np.log(probabilities[[0, 1, 2], [4, 3, 1]])
    np.testing.assert_allclose(scored.log_probabilities, expected, rtol=1e-12)


def test_a_word_that_the_model_does_not_know_is_scored_as_the_unknown_token() -> None:
    network = network_of(7)

    scored = score_sentence(network, VOCABULARY, ["the", "dog", "sat"])

    assert list(scored.words) == ["the", "dog", "sat"]
    assert list(scored.tokens) == ["the", "UNKNOWN_TOKEN", "sat", "SENTENCE_END"]
    expected = reference_log_probability(network, ids(0, 3, UNKNOWN, 5, 1))
    assert scored.log_probability == pytest.approx(expected, rel=1e-13)


def test_a_word_spelled_like_a_reserved_token_is_an_unknown_word() -> None:
    scored = score_sentence(network_of(8), VOCABULARY, ["SENTENCE_END"])

    assert list(scored.tokens) == ["UNKNOWN_TOKEN", "SENTENCE_END"]


def test_which_tokens_stand_for_unknown_words_is_said() -> None:
    scored = score_sentence(network_of(7), VOCABULARY, ["the", "dog", "sat"])

    assert list(scored.unknown) == [False, True, False, False]


def test_a_word_spelled_like_the_unknown_token_is_known_if_the_vocabulary_has_it() -> None:
    vocabulary = Vocabulary([*VOCABULARY.tokens, "UNKNOWN_TOKEN"], [1] * 8)
    network = network_of(8, vocabulary_size=8)

    scored = score_sentence(network, vocabulary, ["UNKNOWN_TOKEN", "dog"])

    assert list(scored.tokens) == ["UNKNOWN_TOKEN", "UNKNOWN_TOKEN", "SENTENCE_END"]
    assert list(scored.unknown) == [False, True, False]
    expected = reference_log_probability(network, ids(0, 7, UNKNOWN, 1))
    assert scored.log_probability == pytest.approx(expected, rel=1e-13)


def test_a_sentence_without_words_has_the_probability_of_its_end() -> None:
    scored = score_sentence(fixed_network([0] * 7), VOCABULARY, [])

    assert list(scored.tokens) == ["SENTENCE_END"]
    assert scored.log_probability == pytest.approx(-math.log(7), rel=1e-14)
