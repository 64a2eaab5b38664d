"""The recurrent language model in its plainest form: the place to begin reading.

A sentence is a row of word ids. From the words up to time t the network guesses the next one:

    s_t = tanh(U x_t + W s_{t-1})        the hidden state, what is remembered; s_{-1} = 0
    o_t = softmax(V s_t)                 the probability of each word of the vocabulary
    L   = -sum_t log o_t[y_t]            the loss, in nats, y_t being the word that did come next

Here U, W and V have names that say what they do, and this shape each:

    U   input_weights       (vocabulary, hidden)    one row per word, so it is U transposed
    W   recurrent_weights   (hidden, hidden)
    V   output_weights      (vocabulary, hidden)    one row per word

x_t is one-hot: all zeros but for a one at the word's id. A product with it picks a column of U, so
no product is computed, and U x_t is the row input_weights[x_t].

Everything below is double precision, one sentence and one time step at a time, and slow. The code
that is fast is tested against it.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from unrolled.errors import CheckError, ConfigError, DataError
from unrolled.model.arguments import (
    FloatArray,
    Ids,
    checked_depth,
    checked_ids,
    checked_targets,
    require_at_least,
    require_matrix,
    require_nothing_cut_off,
    require_positive,
    require_sentences,
)

Sentence = tuple[Ids, Ids]  # the words that are read, and for each the word that comes next

PARAMETERS = ("input_weights", "recurrent_weights", "output_weights")


def softmax(logits: FloatArray) -> FloatArray:
    """exp(z_i) / sum_j exp(z_j): positive numbers that sum to one, in the order of the logits."""
    exponentials = np.exp(logits - logits.max())  # the same quotient, and exp cannot overflow
    probabilities: FloatArray = exponentials / exponentials.sum()
    return probabilities


def log_softmax(logits: FloatArray) -> FloatArray:
    """Log softmax(z) = z - log sum_j exp(z_j): finite even where the softmax rounds to zero."""
    shifted = logits - logits.max()
    log_probabilities: FloatArray = shifted - np.log(np.exp(shifted).sum())
    return log_probabilities


@dataclass(frozen=True, eq=False)
class Gradients:
    """The derivatives of a sentence's loss, each of the shape of its weights."""

    d_input_weights: FloatArray
    d_recurrent_weights: FloatArray
    d_output_weights: FloatArray


@dataclass(frozen=True, eq=False)
class ReferenceNetwork:
    """A recurrent language model: three matrices, and what follows from them.

    Every method raises DataError for a sentence that is empty, for an id outside the vocabulary,
    and for targets that are more or fewer than the inputs.
    """

    input_weights: FloatArray  # (vocabulary, hidden)
    recurrent_weights: FloatArray  # (hidden, hidden)
    output_weights: FloatArray  # (vocabulary, hidden)

    def __post_init__(self) -> None:
        vocabulary_and_hidden = self.input_weights.shape
        shapes = (vocabulary_and_hidden, vocabulary_and_hidden[-1:] * 2, vocabulary_and_hidden)
        for name, shape in zip(PARAMETERS, shapes, strict=True):
            require_matrix(name, getattr(self, name), shape)

    @classmethod
    def initialised(cls, vocabulary_size: int, hidden_size: int, rng: np.random.Generator) -> Self:
        """A network that knows nothing yet, its weights uniform within ±1/sqrt(n).

        n is the size of what the weights multiply, so that sums of n terms stay moderate: the
        vocabulary for the input weights, the hidden state for the two others.
        """
        require_at_least("vocabulary_size", vocabulary_size, 1)
        require_at_least("hidden_size", hidden_size, 1)
        input_bound, hidden_bound = 1 / math.sqrt(vocabulary_size), 1 / math.sqrt(hidden_size)
        return cls(
            rng.uniform(-input_bound, input_bound, (vocabulary_size, hidden_size)),
            rng.uniform(-hidden_bound, hidden_bound, (hidden_size, hidden_size)),
            rng.uniform(-hidden_bound, hidden_bound, (vocabulary_size, hidden_size)),
        )

    @property
    def vocabulary_size(self) -> int:
        return len(self.output_weights)

    @property
    def hidden_size(self) -> int:
        return len(self.recurrent_weights)

    def step(self, word: int, previous_state: FloatArray) -> FloatArray:
        """s_t = tanh(U x_t + W s_{t-1}): the hidden state after one more word."""
        state: FloatArray = np.tanh(
            self.input_weights[word] + self.recurrent_weights @ previous_state
        )
        return state

    def logits(self, state: FloatArray) -> FloatArray:
        """V s_t: a score for each word of the vocabulary, the higher the likelier."""
        return self.output_weights @ state

    def hidden_states(self, inputs: Ids) -> FloatArray:
        """s_t for every word of a sentence: (steps, hidden)."""
        states = []
        state = np.zeros(self.hidden_size)
        for word in checked_ids("inputs", inputs, self.vocabulary_size):
            state = self.step(word, state)
            states.append(state)
        return np.array(states)

    def forward(self, inputs: Ids) -> tuple[FloatArray, FloatArray]:
        """s_t and o_t for every word of a sentence: (steps, hidden) and (steps, vocabulary)."""
        hidden_states = self.hidden_states(inputs)
        return hidden_states, np.array([softmax(self.logits(state)) for state in hidden_states])

    def predict(self, inputs: Ids) -> NDArray[np.int64]:
        """The most probable next word after each word of a sentence: (steps,)."""
        _, probabilities = self.forward(inputs)
        words: NDArray[np.int64] = probabilities.argmax(axis=1)
        return words

    def sentence_log_probability(self, inputs: Ids, targets: Ids) -> float:
        """Log P(y_0, y_1, ...) = sum_t log o_t[y_t], in nats."""
        targets = checked_targets(inputs, targets, self.vocabulary_size)
        return math.fsum(
            log_softmax(self.logits(state))[target]
            for state, target in zip(self.hidden_states(inputs), targets, strict=True)
        )

    def sentence_probability(self, inputs: Ids, targets: Ids) -> float:
        """P(y_0, y_1, ...); for a long sentence too small for a float, and then zero."""
        return math.exp(self.sentence_log_probability(inputs, targets))

    def total_loss(self, sentences: Sequence[Sentence]) -> float:
        """L summed over all sentences, in nats."""
        return math.fsum(-self.sentence_log_probability(*sentence) for sentence in sentences)

    def mean_loss(self, sentences: Sequence[Sentence]) -> float:
        """The cross-entropy: nats per predicted word. A network that guesses has ln(vocabulary)."""
        require_sentences("mean_loss", sentences)
        return self.total_loss(sentences) / sum(len(targets) for _, targets in sentences)

    def gradients(self, inputs: Ids, targets: Ids, truncation_depth: int | None) -> Gradients:
        """The derivatives of L, summed over the sentence, by truncated back-propagation.

        For each output t, delta = dL_t / d(U x_k + W s_{k-1}) walks back through time:

            at k = t         delta = V^T (o_t - y_t) * (1 - s_t^2)      y_t here being one-hot
            from k to k-1    delta = W^T delta * (1 - s_{k-1}^2)        1 - s^2: the slope of tanh

        Args:
            truncation_depth: d, how many steps back delta walks at most, so that it reaches the
                words t, t-1, ... t-d. None: back to the first word, which is the exact gradient.

        Raises:
            ConfigError: truncation_depth is negative.
        """
        depth = checked_depth(truncation_depth, len(inputs))
        targets = checked_targets(inputs, targets, self.vocabulary_size)
        hidden_states, probabilities = self.forward(inputs)
        previous_states = np.vstack([np.zeros(self.hidden_size), hidden_states[:-1]])

        d_input_weights = np.zeros_like(self.input_weights)
        d_recurrent_weights = np.zeros_like(self.recurrent_weights)
        d_output_weights = np.zeros_like(self.output_weights)
        for t, target in enumerate(targets):
            d_logits = probabilities[t].copy()
            d_logits[target] -= 1  # o_t - y_t
            d_output_weights += np.outer(d_logits, hidden_states[t])
            delta = self.output_weights.T @ d_logits * (1 - hidden_states[t] ** 2)
            for k in range(t, max(0, t - depth) - 1, -1):
                d_recurrent_weights += np.outer(delta, previous_states[k])
                d_input_weights[inputs[k]] += delta
                delta = self.recurrent_weights.T @ delta * (1 - previous_states[k] ** 2)
        return Gradients(d_input_weights, d_recurrent_weights, d_output_weights)


def sgd_step(
    network: ReferenceNetwork,
    inputs: Ids,
    targets: Ids,
    learning_rate: float,
    truncation_depth: int | None,
) -> ReferenceNetwork:
    """A new network, one step of stochastic gradient descent further; the old one is unchanged.

    weights - learning_rate * gradient, the gradient being that of the sentence's total loss.
    """
    require_positive("learning_rate", learning_rate)
    gradients = network.gradients(inputs, targets, truncation_depth)
    return ReferenceNetwork(
        network.input_weights - learning_rate * gradients.d_input_weights,
        network.recurrent_weights - learning_rate * gradients.d_recurrent_weights,
        network.output_weights - learning_rate * gradients.d_output_weights,
    )


class Evaluation(NamedTuple):
    """How good a network was at one moment of its training."""

    sentences_seen: int
    loss_nats_per_token: float


def train(
    network: ReferenceNetwork,
    sentences: Sequence[Sentence],
    learning_rate: float,
    epochs: int,
    truncation_depth: int | None,
    evaluate_every: int = 1,
    validation: Sequence[Sentence] | None = None,
) -> tuple[ReferenceNetwork, list[Evaluation]]:
    """The trained network, and its loss before, during and after training.

    One step per sentence, in the order given. When an evaluation finds the loss higher than the one
    before did, the learning rate is halved.

    Args:
        epochs: how many times to go through all sentences.
        evaluate_every: epochs from one evaluation to the next; the last epoch is always evaluated.
        validation: sentences to evaluate on, which ought not to be trained on; without any, the
            training sentences, whose loss cannot show over-fitting.
    """
    require_sentences("train", sentences)
    require_at_least("epochs", epochs, 0)
    require_at_least("evaluate_every", evaluate_every, 1)
    evaluated = sentences if validation is None else validation
    history = [Evaluation(0, network.mean_loss(evaluated))]
    for epoch in range(1, epochs + 1):
        for inputs, targets in sentences:
            network = sgd_step(network, inputs, targets, learning_rate, truncation_depth)
        if epoch % evaluate_every == 0 or epoch == epochs:
            history.append(Evaluation(epoch * len(sentences), network.mean_loss(evaluated)))
            if history[-1].loss_nats_per_token > history[-2].loss_nats_per_token:
                learning_rate /= 2
    return network, history


@dataclass(frozen=True)
class ComparedEntry:
    """One entry of one gradient, found in two ways."""

    parameter: str
    index: tuple[int, ...]
    analytic: float  # by back-propagation
    numerical: float  # by nudging the weight and looking at the loss
    error: float

    def __str__(self) -> str:
        place = f"d_{self.parameter}[{', '.join(map(str, self.index))}]"
        found = f"{self.analytic:.6g} by back-propagation, {self.numerical:.6g} by differences"
        return f"{place} is {found} (error {self.error:.3g})"


@dataclass(frozen=True)
class GradientCheck:
    """A gradient check that was passed."""

    compared_count: int
    worst: ComparedEntry


def check_gradients(
    network: ReferenceNetwork,
    inputs: Ids,
    targets: Ids,
    truncation_depth: int | None,
    step: float = 0.001,
    threshold: float = 0.01,
) -> GradientCheck:
    """What was compared, if back-propagation agrees with differences of the loss everywhere.

    Every entry a of every gradient is held against n = (L(w + step) - L(w - step)) / (2 step). The
    error is |a - n| / (|a| + |n|), in which the divisor is never below step^2 / threshold. Entries
    near zero may therefore differ by step^2, which is the order of the difference's own error, and
    two zeros are compared like any other pair.

    Raises:
        CheckError: an error is above the threshold, a value is not finite, or all are so near
            zero that any sign would do.
        ConfigError: the truncation cuts something off. A difference of the loss feels the whole
            sentence, so a gradient that is truncated is rightly another number.
    """
    require_positive("step", step)
    require_positive("threshold", threshold, below=1)  # opposite signs have an error of 1
    require_nothing_cut_off(truncation_depth, len(inputs))
    nearly_zero = step**2 / threshold
    with np.errstate(over="ignore", invalid="ignore"):  # not finite is an error below
        entries = list(_compare(network, inputs, targets, truncation_depth, step, nearly_zero))
    worst = max(entries, key=lambda entry: entry.error)
    if worst.error > threshold:
        raise CheckError(f"{worst}; the error must be at most {threshold}")
    if all(abs(entry.analytic) + abs(entry.numerical) <= step**2 for entry in entries):
        raise CheckError(
            f"all {len(entries)} gradients are within {step**2:g} of 0, which proves nothing; "
            "check a network with larger weights"
        )
    return GradientCheck(len(entries), worst)


def _compare(
    network: ReferenceNetwork,
    inputs: Ids,
    targets: Ids,
    truncation_depth: int | None,
    step: float,
    nearly_zero: float,
) -> Iterator[ComparedEntry]:
    gradients = network.gradients(inputs, targets, truncation_depth)
    for parameter in PARAMETERS:
        gradient = getattr(gradients, f"d_{parameter}")
        for index in np.ndindex(getattr(network, parameter).shape):
            higher = _nudged(network, parameter, index, step).total_loss([(inputs, targets)])
            lower = _nudged(network, parameter, index, -step).total_loss([(inputs, targets)])
            analytic, numerical = float(gradient[index]), (higher - lower) / (2 * step)
            error = _relative_error(analytic, numerical, nearly_zero)
            yield ComparedEntry(parameter, index, analytic, numerical, error)


def _nudged(
    network: ReferenceNetwork, parameter: str, index: tuple[int, ...], change: float
) -> ReferenceNetwork:
    """A copy of the network in which one entry of one parameter is changed."""
    weights = getattr(network, parameter).copy()
    weights[index] += change
    return replace(network, **{parameter: weights})


def _relative_error(analytic: float, numerical: float, nearly_zero: float) -> float:
    """|a - n| / (|a| + |n|) with a divisor of at least nearly_zero; infinite unless both finite."""
    if not (math.isfinite(analytic) and math.isfinite(numerical)):
        return math.inf
    return abs(analytic - numerical) / max(abs(analytic) + abs(numerical), nearly_zero)


def generate_sentence(
    network: ReferenceNetwork,
    rng: np.random.Generator,
    start_id: int,
    end_id: int,
    masked_ids: Sequence[int],
    minimum_length: int,
    maximum_length: int,
    temperature: float = 1.0,
) -> list[int]:
    """The words of a sentence drawn from the network, without the start and end tokens.

    Args:
        masked_ids: words that must not appear, such as that of unknown words; the start token
            never does. Their probability is shared out among the others in proportion.
        minimum_length: the end token is masked as well until there are so many words.
        maximum_length: the sentence is cut off here if the end token has not come.
        temperature: divides the logits: below 1 bolder, above 1 more even.

    Raises:
        ConfigError: a length or the temperature is out of range, or no word is left unmasked.
        DataError: an id is outside the vocabulary, or a weight is not finite.
    """
    masked = [start_id, *masked_ids]
    _require_can_generate(network, [*masked, end_id], minimum_length, maximum_length)
    require_positive("temperature", temperature)
    sentence: list[int] = []
    word, state = start_id, np.zeros(network.hidden_size)
    while len(sentence) < maximum_length:
        state = network.step(word, state)
        forbidden = masked if len(sentence) >= minimum_length else [*masked, end_id]
        probabilities = _sampling_probabilities(network.logits(state), forbidden, temperature)
        word = int(rng.choice(network.vocabulary_size, p=probabilities))
        if word == end_id:
            break
        sentence.append(word)
    return sentence


def _sampling_probabilities(
    logits: FloatArray, forbidden: Sequence[int], temperature: float
) -> FloatArray:
    """softmax(logits / temperature) over the words that are not forbidden, zero for the others.

    The mask comes before the softmax, so that what is left sums to one however small it was.
    """
    allowed = logits.copy()
    allowed[forbidden] = -np.inf
    with np.errstate(over="ignore"):  # a distance beyond the range of floats has probability zero
        return softmax((allowed - allowed.max()) / temperature)


def _require_can_generate(
    network: ReferenceNetwork, special_ids: list[int], minimum_length: int, maximum_length: int
) -> None:
    checked_ids("(start_id, *masked_ids, end_id)", special_ids, network.vocabulary_size)
    require_at_least("minimum_length", minimum_length, 0)
    require_at_least("maximum_length", maximum_length, max(1, minimum_length))
    if len(set(special_ids)) == network.vocabulary_size:
        raise ConfigError(f"masked_ids must leave a word (got all {network.vocabulary_size} ids)")
    for name in PARAMETERS:
        if not np.isfinite(getattr(network, name)).all():
            raise DataError(f"{name} must be finite to generate from (got NaN or infinity)")
