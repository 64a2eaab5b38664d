"""The reference network against its mathematics, written a second time and differently here."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from unrolled.errors import CheckError, ConfigError, DataError
from unrolled.model import reference
from unrolled.model.arguments import Ids
from unrolled.model.reference import (
    PARAMETERS,
    Gradients,
    ReferenceNetwork,
    check_gradients,
    generate_sentence,
    log_softmax,
    sgd_step,
    softmax,
    train,
)

START, END, UNKNOWN = 0, 1, 2
INPUTS, TARGETS = [0, 3, 5, 3, 2, 4], [3, 5, 3, 2, 4, 1]
CORPUS = [([0, 3, 4], [3, 4, 1]), ([0, 3, 5, 4], [3, 5, 4, 1]), ([0, 4], [4, 1])]


Fault = Callable[[NDArray[np.float64]], NDArray[np.float64]]


def network_of(seed: int, vocabulary_size: int = 6, hidden_size: int = 4) -> ReferenceNetwork:
    return ReferenceNetwork.initialised(vocabulary_size, hidden_size, np.random.default_rng(seed))


def with_all_mass_on(word: int, vocabulary_size: int = 6) -> ReferenceNetwork:
    """A network that is certain, beyond what a float can express, of one next word."""
    output_weights = np.zeros((vocabulary_size, 1))
    output_weights[word] = 1e6
    return ReferenceNetwork(np.ones((vocabulary_size, 1)), np.ones((1, 1)), output_weights)


def arrays_of(gradients: Gradients) -> list[NDArray[np.float64]]:
    return [getattr(gradients, f"d_{name}") for name in PARAMETERS]


def assert_equal_gradients(found: Gradients, expected: Sequence[NDArray[np.float64]]) -> None:
    for array, expected_array in zip(arrays_of(found), expected, strict=True):
        np.testing.assert_allclose(array, expected_array, rtol=1e-10, atol=1e-14)


@st.composite
def networks_and_sentences(
    draw: st.DrawFn, smallest_vocabulary: int = 1
) -> tuple[ReferenceNetwork, list[int], list[int]]:
    vocabulary_size, hidden_size = (
        draw(st.integers(smallest_vocabulary, 7)),
        draw(st.integers(1, 5)),
    )
    network = network_of(draw(st.integers(0, 10_000)), vocabulary_size, hidden_size)
    word = st.integers(0, vocabulary_size - 1)
    pairs = draw(st.lists(st.tuples(word, word), min_size=1, max_size=7))
    return network, [pair[0] for pair in pairs], [pair[1] for pair in pairs]


# The forward pass


def test_a_row_of_the_input_weights_is_their_product_with_a_one_hot_vector() -> None:
    network = network_of(1)

    for word, one_hot in enumerate(np.eye(6)):
        expected = np.tanh(network.input_weights.T @ one_hot)
        np.testing.assert_array_equal(network.step(word, np.zeros(4)), expected)


def test_forward_gives_the_values_worked_out_by_hand() -> None:
    network = ReferenceNetwork(
        input_weights=np.array([[0.5], [-1.0]]),
        recurrent_weights=np.array([[2.0]]),
        output_weights=np.array([[1.0], [0.0]]),
    )

    hidden_states, probabilities = network.forward([0, 1])

    # s_0 = tanh(0.5) = 0.4621; s_1 = tanh(-1 + 2 * 0.4621) = tanh(-0.0758) = -0.0756
    np.testing.assert_allclose(hidden_states, [[0.4621172], [-0.0756211]], atol=1e-7)
    # with logits (s, 0) the softmax is (1 / (1 + exp(-s)), the rest)
    np.testing.assert_allclose(probabilities[:, 0], [0.6135164, 0.4811037], atol=1e-7)


@given(networks_and_sentences())
def test_probabilities_are_positive_and_every_row_sums_to_one(
    example: tuple[ReferenceNetwork, list[int], list[int]],
) -> None:
    network, inputs, _ = example

    hidden_states, probabilities = network.forward(inputs)

    assert hidden_states.shape == (len(inputs), network.hidden_size)
    assert probabilities.shape == (len(inputs), network.vocabulary_size)
    assert (probabilities > 0).all()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-14)


@given(st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=6))
def test_softmax_never_overflows_and_its_logarithm_is_never_infinite(logits: list[float]) -> None:
    array = np.array(logits)

    assert softmax(array).sum() == pytest.approx(1, abs=1e-14)
    assert np.isfinite(log_softmax(array)).all()
    np.testing.assert_allclose(np.exp(log_softmax(array)), softmax(array), atol=1e-14)


def test_an_output_does_not_depend_on_later_words() -> None:
    network = network_of(2)

    _, probabilities = network.forward(INPUTS)
    _, of_beginning = network.forward(INPUTS[:3])

    np.testing.assert_array_equal(probabilities[:3], of_beginning)


def test_prediction_is_the_most_probable_word_of_each_step() -> None:
    network = network_of(3)

    _, probabilities = network.forward(INPUTS)

    assert network.predict(INPUTS).tolist() == [
        row.tolist().index(max(row)) for row in probabilities
    ]


# The loss


def test_probability_of_a_sentence_is_the_product_of_its_words_probabilities() -> None:
    network = network_of(4)
    _, probabilities = network.forward(INPUTS)

    expected = math.prod(probabilities[t][target] for t, target in enumerate(TARGETS))

    assert network.sentence_probability(INPUTS, TARGETS) == pytest.approx(expected, rel=1e-12)
    assert network.sentence_log_probability(INPUTS, TARGETS) == pytest.approx(math.log(expected))


def test_probabilities_of_all_sentences_of_one_length_sum_to_one() -> None:
    network = network_of(5, vocabulary_size=4)

    total = sum(
        network.sentence_probability([START, first, second], [first, second, third])
        for first in range(4)
        for second in range(4)
        for third in range(4)
    )

    assert total == pytest.approx(1, abs=1e-12)


def test_an_impossible_word_has_a_finite_loss() -> None:
    network = with_all_mass_on(3)

    # s_0 = tanh(1), and the logits are 1e6 s_0 for word 3 and 0 for all others
    assert network.forward([START])[1][0, 4] == 0
    assert network.total_loss([([START], [4])]) == pytest.approx(1e6 * math.tanh(1))


def test_mean_loss_is_the_total_over_the_number_of_predicted_words() -> None:
    network = network_of(6)

    # 3 + 4 + 2 words are predicted in the corpus
    assert network.mean_loss(CORPUS) == pytest.approx(network.total_loss(CORPUS) / 9, rel=1e-14)
    by_sentence = [network.total_loss([sentence]) for sentence in CORPUS]
    assert network.total_loss(CORPUS) == pytest.approx(sum(by_sentence), rel=1e-14)


def test_loss_of_a_network_with_zero_weights_is_the_logarithm_of_the_vocabulary_size() -> None:
    network = ReferenceNetwork(np.zeros((6, 4)), np.zeros((4, 4)), np.zeros((6, 4)))

    assert network.mean_loss(CORPUS) == pytest.approx(math.log(6), rel=1e-14)


def test_loss_of_an_untrained_network_is_near_the_logarithm_of_its_vocabulary_size() -> None:
    network = network_of(7, vocabulary_size=8000, hidden_size=100)
    words = np.random.default_rng(8).integers(0, 8000, 201)

    loss = network.mean_loss([(words[:-1], words[1:])])

    assert loss == pytest.approx(8.987197, rel=0.01)  # ln 8000


def test_initial_weights_fill_the_range_given_by_what_they_multiply() -> None:
    network = network_of(9, vocabulary_size=400, hidden_size=25)

    # 1/sqrt(400) = 0.05 and 1/sqrt(25) = 0.2; of 625 draws the largest is within 3 % of the bound
    for weights, bound in zip(
        (network.input_weights, network.recurrent_weights, network.output_weights),
        (0.05, 0.2, 0.2),
        strict=True,
    ):
        assert 0.97 * bound < weights.max() <= bound
        assert -bound <= weights.min() < -0.97 * bound


# Gradients


def central_differences(
    network: ReferenceNetwork, inputs: list[int], targets: list[int], step: float = 1e-5
) -> list[NDArray[np.float64]]:
    """The gradients from the loss alone, which here is -log of the product of probabilities."""

    def loss(weights: NDArray[np.float64]) -> float:
        state, result, start = np.zeros(hidden), 0.0, vocabulary * hidden
        input_weights = weights[:start].reshape(vocabulary, hidden)
        recurrent_weights = weights[start : start + hidden**2].reshape(hidden, hidden)
        output_weights = weights[start + hidden**2 :].reshape(vocabulary, hidden)
        for word, target in zip(inputs, targets, strict=True):
            state = np.tanh(input_weights[word] + recurrent_weights @ state)
            scores = np.exp(output_weights @ state)
            result -= math.log(scores[target] / scores.sum())
        return result

    vocabulary, hidden = network.input_weights.shape
    arrays = [getattr(network, name) for name in PARAMETERS]
    weights = np.concatenate([array.ravel() for array in arrays])
    nudges = step * np.eye(weights.size)
    slopes = np.array([(loss(weights + n) - loss(weights - n)) / (2 * step) for n in nudges])
    pieces = np.split(slopes, np.cumsum([array.size for array in arrays])[:-1])
    return [piece.reshape(array.shape) for piece, array in zip(pieces, arrays, strict=True)]


@given(networks_and_sentences())
def test_gradients_at_full_depth_equal_central_differences(
    example: tuple[ReferenceNetwork, list[int], list[int]],
) -> None:
    network, inputs, targets = example

    found = network.gradients(inputs, targets, truncation_depth=None)

    # differences err by step^2 = 1e-10 and by rounding, 1e-15 / step = 1e-10, times a few
    for array, expected in zip(
        arrays_of(found), central_differences(network, inputs, targets), strict=True
    ):
        np.testing.assert_allclose(array, expected, rtol=1e-6, atol=1e-8)


def jacobian_gradients(
    network: ReferenceNetwork, inputs: list[int], targets: list[int], depth: int
) -> list[NDArray[np.float64]]:
    """Truncated gradients from whole Jacobians: dL_t/ds_t times ds_t/ds_k times ds_k/d(weights).

    No delta is carried from step to step: each pair t, k has its own product of matrices.
    """
    states, probabilities = network.forward(inputs)
    hidden, one_hot = np.eye(network.hidden_size), np.eye(network.vocabulary_size)
    slopes = [np.diag(1 - state**2) for state in states]
    d_input, d_recurrent, d_output = (np.zeros_like(getattr(network, p)) for p in PARAMETERS)
    for t, target in enumerate(targets):
        d_logits = probabilities[t] - one_hot[target]
        d_output += np.einsum("v,h->vh", d_logits, states[t])
        for k in range(max(0, t - depth), t + 1):
            state_by_state = hidden  # ds_t/ds_k
            for j in range(k + 1, t + 1):
                state_by_state = slopes[j] @ network.recurrent_weights @ state_by_state
            d_activation = d_logits @ network.output_weights @ state_by_state @ slopes[k]
            previous = states[k - 1] if k > 0 else np.zeros(network.hidden_size)
            d_input += np.einsum("v,h->vh", one_hot[inputs[k]], d_activation)
            d_recurrent += np.einsum("g,h->gh", d_activation, previous)
    return [d_input, d_recurrent, d_output]


@pytest.mark.parametrize("depth", [0, 1, 4])
def test_truncated_gradients_equal_the_sum_of_jacobian_products_within_the_depth(
    depth: int,
) -> None:
    network = network_of(10)

    found = network.gradients(INPUTS, TARGETS, depth)

    assert_equal_gradients(found, jacobian_gradients(network, INPUTS, TARGETS, depth))


@given(networks_and_sentences(), st.integers(0, 8))
def test_gradients_of_any_network_at_any_depth_equal_the_jacobian_products(
    example: tuple[ReferenceNetwork, list[int], list[int]], depth: int
) -> None:
    network, inputs, targets = example

    found = network.gradients(inputs, targets, depth)

    assert_equal_gradients(found, jacobian_gradients(network, inputs, targets, depth))


@given(networks_and_sentences(), st.integers(0, 3))
def test_a_depth_that_reaches_the_first_word_is_full_depth(
    example: tuple[ReferenceNetwork, list[int], list[int]], more: int
) -> None:
    network, inputs, targets = example

    reaching = network.gradients(inputs, targets, len(inputs) - 1 + more)
    full = network.gradients(inputs, targets, truncation_depth=None)

    for array, expected in zip(arrays_of(reaching), arrays_of(full), strict=True):
        np.testing.assert_array_equal(array, expected)


def test_depth_zero_reaches_one_recurrent_product_and_no_further() -> None:
    network = network_of(11)
    changed = replace(network, recurrent_weights=-network.recurrent_weights)

    # with one word no product with the recurrent weights is made, and depth cannot matter
    one_word = network.gradients([3], [4], 0)
    assert_equal_gradients(changed.gradients([3], [4], None), arrays_of(one_word))

    # the second word's loss reaches s_1, whose row is that of word 5, but not s_0 of word 3
    second = network.gradients([3, 5], [4, 4], 0)
    np.testing.assert_array_equal(second.d_input_weights[3], one_word.d_input_weights[3])
    assert (second.d_recurrent_weights != 0).all()


def test_a_difference_of_the_whole_loss_is_not_the_gradient_of_a_truncated_sentence() -> None:
    network = network_of(12)
    of_the_loss = central_differences(network, INPUTS, TARGETS)

    def difference(depth: int) -> list[float]:
        arrays = arrays_of(network.gradients(INPUTS, TARGETS, depth))
        return [np.abs(a - b).max() for a, b in zip(arrays, of_the_loss, strict=True)]

    # 6 words: depth 5 reaches from the last to the first, depth 4 lacks the first word's row, and
    # depth 3 the second recurrent product as well (the first is with s_{-1} = 0)
    assert max(difference(5)) < 1e-8
    assert difference(4)[0] > 1e-4
    assert difference(4)[1] < 1e-8
    assert min(difference(3)[:2]) > 1e-4
    assert difference(0)[2] < 1e-8  # the output weights are not reached through time


# Training


def test_a_network_with_zero_weights_never_learns() -> None:
    network = ReferenceNetwork(np.zeros((6, 4)), np.zeros((4, 4)), np.zeros((6, 4)))

    for array in arrays_of(network.gradients(INPUTS, TARGETS, None)):
        assert not array.any()
    trained, history = train(network, CORPUS, learning_rate=1.0, epochs=5, truncation_depth=None)

    assert not trained.hidden_states(INPUTS).any()
    assert all(not getattr(trained, name).any() for name in PARAMETERS)
    assert [loss for _, loss in history] == [pytest.approx(math.log(6))] * 6


def test_a_network_with_zero_output_weights_does_learn() -> None:
    network = replace(network_of(13), output_weights=np.zeros((6, 4)))

    trained, _ = train(network, CORPUS, learning_rate=0.1, epochs=5, truncation_depth=None)

    assert trained.mean_loss(CORPUS) < network.mean_loss(CORPUS)


def test_a_step_goes_down_the_summed_gradient_and_leaves_the_old_network_alone() -> None:
    network, untouched = network_of(14), network_of(14)
    gradients = network.gradients(INPUTS, TARGETS, 2)

    stepped = sgd_step(network, INPUTS, TARGETS, learning_rate=0.5, truncation_depth=2)

    for name, gradient in zip(PARAMETERS, arrays_of(gradients), strict=True):
        np.testing.assert_array_equal(getattr(network, name), getattr(untouched, name))
        expected = getattr(network, name) - 0.5 * gradient
        np.testing.assert_array_equal(getattr(stepped, name), expected)


def test_training_lowers_the_loss_and_returns_its_history() -> None:
    network = network_of(15)

    trained, history = train(
        network, CORPUS, learning_rate=0.1, epochs=25, truncation_depth=4, evaluate_every=10
    )

    # 3 sentences an epoch; evaluated at the start, at every tenth epoch, and at the end
    assert [evaluation.sentences_seen for evaluation in history] == [0, 30, 60, 75]
    losses = [evaluation.loss_nats_per_token for evaluation in history]
    assert losses[0] == network.mean_loss(CORPUS)
    assert losses[-1] == trained.mean_loss(CORPUS)
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < 0.75 * losses[0]


def test_no_epochs_leave_the_network_as_it_was_and_evaluate_it_once() -> None:
    network = network_of(15)

    trained, history = train(network, CORPUS, learning_rate=0.1, epochs=0, truncation_depth=4)

    assert trained is network
    assert history == [(0, network.mean_loss(CORPUS))]


def learning_rates_of_a_training(
    monkeypatch: pytest.MonkeyPatch, losses: Sequence[float]
) -> list[float]:
    """The learning rate of each epoch, from 1.0 on, when evaluations find these losses."""
    rates: list[float] = []
    found = iter(losses)

    def step(
        network: ReferenceNetwork, inputs: object, targets: object, rate: float, depth: object
    ) -> ReferenceNetwork:
        rates.append(rate)
        return network

    monkeypatch.setattr(reference, "sgd_step", step)
    monkeypatch.setattr(ReferenceNetwork, "mean_loss", lambda network, sentences: next(found))
    train(network_of(16), CORPUS[:1], 1.0, epochs=len(losses) - 1, truncation_depth=0)
    return rates


def test_learning_rate_is_halved_each_time_the_loss_has_risen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rates = learning_rates_of_a_training(monkeypatch, [3.0, 2.0, 2.5, 2.5, 2.6, 1.0])

    # risen after the second and the fourth epoch; an equal loss has not risen
    assert rates == [1.0, 1.0, 0.5, 0.5, 0.25]


# The tutorial's faults: the gradient check


def test_gradient_check_compares_every_entry_and_skips_none() -> None:
    network = network_of(17, vocabulary_size=20, hidden_size=3)

    check = check_gradients(network, [0, 1, 2, 3], [1, 2, 3, 4], truncation_depth=1000)

    # 20 x 3 + 3 x 3 + 20 x 3, though the 16 words that are not read have gradients of 0
    assert check.compared_count == 129
    assert check.worst.error < 1e-3


def plant(monkeypatch: pytest.MonkeyPatch, parameter: str, fault: Fault) -> None:
    """Make gradients wrong in one parameter, by a function of the right array."""
    right = ReferenceNetwork.gradients

    def wrong(
        network: ReferenceNetwork, inputs: Ids, targets: Ids, truncation_depth: int | None
    ) -> Gradients:
        gradients = right(network, inputs, targets, truncation_depth)
        name = f"d_{parameter}"
        return replace(gradients, **{name: fault(getattr(gradients, name))})

    monkeypatch.setattr(ReferenceNetwork, "gradients", wrong)


def with_entry(value: float) -> Fault:
    def change(array: NDArray[np.float64]) -> NDArray[np.float64]:
        changed = array.copy()
        changed[1, 2] = value
        return changed

    return change


FAULTS: dict[str, Fault] = {
    "sign flipped": lambda array: -array,
    "a tenth too large": lambda array: 1.1 * array,
    "one entry off by 0.1": lambda array: (
        array + 0.1 * (np.arange(array.size) == 5).reshape(array.shape)
    ),
    "one entry nan": with_entry(math.nan),
    "one entry infinite": with_entry(math.inf),
    "all entries nan": lambda array: array * math.nan,
    "all entries zero": lambda array: 0 * array,
}


@pytest.mark.parametrize("parameter", PARAMETERS)
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
def test_gradient_check_rejects_a_planted_fault(
    monkeypatch: pytest.MonkeyPatch, parameter: str, fault: Fault
) -> None:
    network = network_of(18)
    check_gradients(network, INPUTS, TARGETS, truncation_depth=None)

    plant(monkeypatch, parameter, fault)

    with pytest.raises(CheckError, match=rf"d_{parameter}\[\d+, \d+\] is .* the error must be at"):
        check_gradients(network, INPUTS, TARGETS, truncation_depth=None)


def test_gradient_check_names_the_parameter_the_index_and_both_values(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plant(monkeypatch, "recurrent_weights", with_entry(7.5))

    with pytest.raises(
        CheckError,
        match=r"^d_recurrent_weights\[1, 2\] is 7\.5 by back-propagation, -?0\.\d+ by differences",
    ):
        check_gradients(network_of(18), INPUTS, TARGETS, truncation_depth=None)


def test_gradient_check_rejects_a_gradient_where_there_is_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # word 1 is never read, so its row has gradient 0; a check that skips 0/0 may not see the 0.001
    plant(monkeypatch, "input_weights", with_entry(0.001))

    with pytest.raises(CheckError, match=r"d_input_weights\[1, 2\] is 0\.001 .*, 0 by differences"):
        check_gradients(network_of(18), INPUTS, TARGETS, truncation_depth=None)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_gradient_check_rejects_weights_that_are_not_finite(value: float) -> None:
    network = network_of(18)
    network.output_weights[3, 1] = value

    with pytest.raises(CheckError, match="nan by differences"):
        check_gradients(network, INPUTS, TARGETS, truncation_depth=None)


def test_gradient_check_does_not_pass_where_every_gradient_is_zero() -> None:
    network = ReferenceNetwork(np.zeros((6, 4)), np.zeros((4, 4)), np.zeros((6, 4)))

    # 6 x 4 + 4 x 4 + 6 x 4
    with pytest.raises(CheckError, match="all 64 gradients are within 1e-06 of 0"):
        check_gradients(network, INPUTS, TARGETS, truncation_depth=None)


def test_gradient_check_is_of_the_network_it_is_given() -> None:
    sound, broken = network_of(18), network_of(18)
    broken.recurrent_weights[0, 0] = math.nan

    with pytest.raises(CheckError):
        check_gradients(broken, INPUTS, TARGETS, truncation_depth=None)
    check_gradients(sound, INPUTS, TARGETS, truncation_depth=None)
    with pytest.raises(CheckError):
        check_gradients(broken, INPUTS, TARGETS, truncation_depth=None)


def test_gradient_check_leaves_the_network_as_it_was() -> None:
    network, untouched = network_of(18), network_of(18)

    check_gradients(network, INPUTS, TARGETS, truncation_depth=None)

    for name in PARAMETERS:
        np.testing.assert_array_equal(getattr(network, name), getattr(untouched, name))


def test_gradient_check_refuses_a_sentence_that_the_truncation_cuts() -> None:
    network = network_of(18)

    check_gradients(network, INPUTS, TARGETS, truncation_depth=5)
    with pytest.raises(ConfigError, match=r"must be 5 or more, or None, .* 6 words .*\(got 4\)"):
        check_gradients(network, INPUTS, TARGETS, truncation_depth=4)


@given(networks_and_sentences(smallest_vocabulary=2))
def test_gradient_check_raises_no_false_alarm(
    example: tuple[ReferenceNetwork, list[int], list[int]],
) -> None:
    network, inputs, targets = example

    check = check_gradients(network, inputs, targets, truncation_depth=None)

    assert check.worst.error < 0.01


def test_gradient_check_proves_nothing_with_one_word_whose_probability_is_always_one() -> None:
    with pytest.raises(CheckError, match="which proves nothing"):
        check_gradients(network_of(18, vocabulary_size=1), [0, 0], [0, 0], truncation_depth=None)


# The tutorial's faults: generated sentences


def generate(
    network: ReferenceNetwork,
    seed: int,
    minimum_length: int = 2,
    maximum_length: int = 5,
    temperature: float = 1.0,
) -> list[int]:
    rng = np.random.default_rng(seed)
    return generate_sentence(
        network, rng, START, END, [UNKNOWN], minimum_length, maximum_length, temperature
    )


def test_the_same_seed_generates_the_same_sentence_and_others_do_not() -> None:
    network = network_of(19, vocabulary_size=50)

    sentences = [tuple(generate(network, seed, maximum_length=20)) for seed in range(10)]

    assert sentences == [tuple(generate(network, seed, maximum_length=20)) for seed in range(10)]
    assert len(set(sentences)) == 10


@given(networks_and_sentences(), st.integers(0, 6), st.integers(0, 6), st.integers(0, 10_000))
def test_sentences_keep_to_their_lengths_and_masked_words_never_appear(
    example: tuple[ReferenceNetwork, list[int], list[int]], least: int, more: int, seed: int
) -> None:
    vocabulary_size = example[0].vocabulary_size + 3  # the three tokens, and a word or more
    network = network_of(seed, vocabulary_size)

    sentence = generate(network, seed, least, maximum_length=max(1, least + more))

    assert least <= len(sentence) <= max(1, least + more)
    assert all(3 <= word < vocabulary_size for word in sentence)


def test_a_sentence_that_would_never_end_is_cut_off() -> None:
    assert generate(with_all_mass_on(4), 1, maximum_length=30) == [4] * 30


def test_a_sentence_that_would_end_at_once_goes_on_to_its_least_length_and_ends() -> None:
    sentence = generate(with_all_mass_on(END), 1, minimum_length=3, maximum_length=30)

    assert len(sentence) == 3
    assert generate(with_all_mass_on(END), 1, minimum_length=0) == []


def test_a_network_that_is_certain_of_the_unknown_word_still_generates_all_others_evenly() -> None:
    words = [generate(with_all_mass_on(UNKNOWN), seed, 1, 1)[0] for seed in range(600)]

    # words 3, 4, 5 have equal logits: 200 each, with a standard deviation of sqrt(600 * 2/9) = 11.5
    assert all(150 < words.count(word) < 250 for word in (3, 4, 5))


def test_each_word_takes_one_step_and_the_state_is_carried_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    words_read: list[int] = []
    states: list[NDArray[np.float64]] = []
    step = ReferenceNetwork.step

    def recorded(
        network: ReferenceNetwork, word: int, previous_state: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        words_read.append(word)
        states.append(step(network, word, previous_state))
        return states[-1]

    network = network_of(20)
    monkeypatch.setattr(ReferenceNetwork, "step", recorded)
    sentence = generate(network, 1, minimum_length=12, maximum_length=12)
    monkeypatch.undo()

    assert words_read == [START, *sentence[:-1]]
    np.testing.assert_array_equal(states, network.hidden_states(words_read))


@pytest.mark.parametrize("temperature", [1.0, 0.5, 3.0])
def test_first_words_are_drawn_from_the_output_and_not_from_the_hidden_state(
    temperature: float,
) -> None:
    network = network_of(21, vocabulary_size=8, hidden_size=8)
    scaled = replace(network, output_weights=4 * network.output_weights)
    hidden_states, probabilities = scaled.forward([START])
    rng = np.random.default_rng(22)
    draws = 4000

    words = [
        generate_sentence(scaled, rng, START, END, [UNKNOWN], 1, 1, temperature)[0]
        for _ in range(draws)
    ]

    frequencies = np.bincount(words, minlength=8) / draws
    expected = probabilities[0] ** (1 / temperature) * ([0] * 3 + [1] * 5)
    expected /= expected.sum()
    # the standard deviation of a frequency is below sqrt(0.25 / 4000) = 0.008; four of them
    np.testing.assert_allclose(frequencies, expected, atol=0.032)
    from_hidden_state = softmax(hidden_states[0]) * ([0] * 3 + [1] * 5)
    from_hidden_state /= from_hidden_state.sum()
    assert np.abs(frequencies - from_hidden_state).max() > 0.064


@pytest.mark.parametrize("temperature", [1e-3, 1e-320])
def test_the_coldest_sentence_is_of_the_most_probable_words(temperature: float) -> None:
    network = network_of(23)
    first = int(network.forward([START])[1][0, 3:].argmax()) + 3

    assert generate(network, 1, 1, 1, temperature) == [first]


def test_probabilities_that_float32_sums_above_one_are_no_trouble() -> None:
    network = network_of(24, vocabulary_size=8000, hidden_size=10)
    network.input_weights[:, 0] = 5  # so s[0] is near 1, and the last word has a logit near -40;
    network.output_weights[-1] = [-40] + [0] * 9  # multinomial adds up all words but the last

    def single_precision(word: int) -> NDArray[np.float32]:
        exponentials = np.exp(network.logits(network.step(word, np.zeros(10))).astype(np.float32))
        probabilities: NDArray[np.float32] = exponentials / exponentials.sum()
        return probabilities

    above_one = [word for word in range(50) if single_precision(word).sum(dtype=float) > 1 + 1e-9]

    with pytest.raises(ValueError, match="pvals"):
        np.random.default_rng(25).multinomial(1, single_precision(above_one[0]))
    for start in above_one:
        rng = np.random.default_rng(25)
        assert len(generate_sentence(network, rng, start, END, [UNKNOWN], 5, 5)) == 5
    with pytest.raises(DataError, match=r"input_weights must be float64 \(got float32\)"):
        replace(network, input_weights=network.input_weights.astype(np.float32))


# The tutorial's faults: the rest


def test_sentences_of_unequal_lengths_have_one_loss_in_whatever_form_they_come() -> None:
    network = network_of(26)
    arrays = [(np.array(inputs), np.array(targets)) for inputs, targets in CORPUS]
    small = [(inputs.astype(np.uint8), targets.astype(np.int32)) for inputs, targets in arrays]

    assert isinstance(network.total_loss(CORPUS), float)
    assert network.total_loss(CORPUS) == network.total_loss(arrays) == network.total_loss(small)
    trained, _ = train(network, CORPUS, 0.1, epochs=2, truncation_depth=4)
    from_arrays, _ = train(network, small, 0.1, epochs=2, truncation_depth=4)
    np.testing.assert_array_equal(trained.input_weights, from_arrays.input_weights)


def test_learning_rate_follows_the_validation_loss_where_there_is_one() -> None:
    network = network_of(27)
    never_seen = [([0, 4, 3], [2, 2, 2])]  # gets worse all the time that the corpus is learnt

    trained, history = train(network, CORPUS, 0.1, 30, truncation_depth=4, validation=never_seen)
    without, _ = train(network, CORPUS, 0.1, 30, truncation_depth=4)

    assert history[0].loss_nats_per_token == network.mean_loss(never_seen)
    assert history[-1].loss_nats_per_token == trained.mean_loss(never_seen)
    # halved after every epoch, the rates sum to 1 + 1/2 + 1/4 ... < 2 epochs at the full rate
    three_epochs, _ = train(network, CORPUS, 0.1, 3, truncation_depth=4)
    assert without.mean_loss(CORPUS) < three_epochs.mean_loss(CORPUS) < trained.mean_loss(CORPUS)


# What a caller may get wrong


@pytest.mark.parametrize(
    ("inputs", "targets", "message"),
    [
        ([], [], r"targets must be a row of one word id or more \(got shape \(0,\)\)"),
        ([0, 3], [3], r"targets must be as many as inputs, 2 \(got 1\)"),
        ([0, 6], [3, 4], r"inputs\[1\] must be 0 to 5 \(got 6\)"),
        ([0, -1], [3, 4], r"inputs\[1\] must be 0 to 5 \(got -1\)"),
        ([0, 3], [6, 4], r"targets\[0\] must be 0 to 5 \(got 6\)"),
        ([0.0, 3.0], [3, 4], r"inputs must be integers \(got float64\)"),
        (
            [[0, 3]],
            [[3, 4]],
            r"targets must be a row of one word id or more \(got shape \(1, 2\)\)",
        ),
    ],
)
def test_a_sentence_that_does_not_fit_the_network_is_refused(
    inputs: list[int], targets: list[int], message: str
) -> None:
    network = network_of(28)

    for use in (
        lambda: network.sentence_log_probability(inputs, targets),
        lambda: network.mean_loss([(inputs, targets)]),
        lambda: network.gradients(inputs, targets, 4),
        lambda: sgd_step(network, inputs, targets, 0.1, 4),
        lambda: train(network, [(inputs, targets)], 0.1, 1, 4),
        lambda: check_gradients(network, inputs, targets, None),
    ):
        with pytest.raises(DataError, match=message):
            use()


def test_a_forward_pass_over_no_words_is_refused() -> None:
    with pytest.raises(DataError, match=r"inputs must be a row of one word id or more"):
        network_of(28).forward([])
    with pytest.raises(DataError, match=r"inputs\[0\] must be 0 to 5 \(got 6\)"):
        network_of(28).predict([6])


def test_no_sentences_have_no_mean_loss_and_train_nothing() -> None:
    network = network_of(28)

    assert network.total_loss([]) == 0
    with pytest.raises(DataError, match=r"mean_loss needs one sentence or more \(got 0\)"):
        network.mean_loss([])
    with pytest.raises(DataError, match=r"train needs one sentence or more \(got 0\)"):
        train(network, [], 0.1, 1, truncation_depth=4, validation=CORPUS)


def test_settings_out_of_range_are_refused() -> None:
    network, rng = network_of(28), np.random.default_rng(1)

    cases: list[tuple[Callable[[], object], str]] = [
        (lambda: ReferenceNetwork.initialised(6, 0, rng), r"hidden_size must be 1 .*\(got 0\)"),
        (lambda: ReferenceNetwork.initialised(0, 4, rng), r"vocabulary_size must be 1 .*\(got 0\)"),
        (
            lambda: network.gradients(INPUTS, TARGETS, -1),
            r"truncation_depth must be 0 .*\(got -1\)",
        ),
        (lambda: sgd_step(network, [0], [1], 0, 4), r"learning_rate must be above 0 .*\(got 0\)"),
        (lambda: sgd_step(network, [0], [1], math.nan, 4), r"learning_rate .*\(got nan\)"),
        (lambda: train(network, CORPUS, 0.1, -1, 4), r"epochs must be 0 or more \(got -1\)"),
        (lambda: train(network, CORPUS, 0.1, 1, 4, 0), r"evaluate_every must be 1 .*\(got 0\)"),
        (lambda: check_gradients(network, [0], [1], None, step=0), r"step must be above 0"),
        (lambda: check_gradients(network, [0], [1], None, threshold=1), r"threshold .* below 1 "),
        (lambda: generate(network, 1, minimum_length=-1), r"minimum_length must be 0 .*\(got -1\)"),
        (lambda: generate(network, 1, 3, 2), r"maximum_length must be 3 or more \(got 2\)"),
        (lambda: generate(network, 1, 0, 0), r"maximum_length must be 1 or more \(got 0\)"),
        (lambda: generate(network, 1, temperature=0), r"temperature must be above 0 .*\(got 0\)"),
        (lambda: generate(network_of(1, 3), 1), r"masked_ids must leave a word \(got all 3 ids\)"),
    ]
    for use, message in cases:
        with pytest.raises(ConfigError, match=message):
            use()


def test_a_sentence_cannot_be_generated_from_unknown_ids_or_broken_weights() -> None:
    rng = np.random.default_rng(1)
    broken = network_of(28)
    broken.recurrent_weights[0, 0] = math.inf

    with pytest.raises(DataError, match=r"\[1\] must be 0 to 5 \(got 9\)"):
        generate_sentence(network_of(28), rng, START, END, [9], 1, 5)
    with pytest.raises(DataError, match="recurrent_weights must be finite to generate from"):
        generate(broken, 1)


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        ([(6,), (4, 4), (6, 4)], r"input_weights must be a matrix .*\(got shape \(6,\)\)"),
        ([(6, 0), (0, 0), (6, 0)], r"input_weights must be a matrix .*\(got shape \(6, 0\)\)"),
        (
            [(6, 4), (4, 3), (6, 4)],
            r"recurrent_weights must have shape \(4, 4\) .*\(got \(4, 3\)\)",
        ),
        ([(6, 4), (4, 4), (4, 6)], r"output_weights must have shape \(6, 4\) .*\(got \(4, 6\)\)"),
    ],
)
def test_matrices_that_do_not_fit_each_other_are_refused(
    shapes: list[tuple[int, ...]], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        ReferenceNetwork(*(np.zeros(shape) for shape in shapes))
