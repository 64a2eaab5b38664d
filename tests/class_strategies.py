"""Word classes and output layers that go by them, and the same once more as plain formulas.

The formulas know a word's class from `WordClasses.class_of` and the row of its weights from
`WordClasses.position`, and look the other words of a class up among all words each time.
"""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st
from numpy.typing import DTypeLike, NDArray

from model_strategies import ids, sentences_of
from unrolled.model.cells import CELLS
from unrolled.model.initialisation import parameter_shapes
from unrolled.model.network import Network
from unrolled.model.output import classes as output_classes
from unrolled.model.output import softmax
from unrolled.model.output.classes import ClassSoftmax
from unrolled.model.output.draw import Scores
from unrolled.model.output.layer import OutputLayer
from unrolled.model.types import Array, Gradients, RowGradient
from unrolled.text.classes import NO_POSITION, WordClasses
from unrolled.text.vocabulary import Ids

SIZES: dict[str, list[int]] = {
    "mixed": [1, 3, 1, 2, 4, 1],
    "words alone only": [1] * 6,
    "no word alone": [3, 2, 4],
    "one class": [6],
    "one word": [1],
    "very different sizes": [2, 1, 30, 1, 3],
}
"""How many words the classes have, of which each word is put into a random one."""

all_kinds = pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES)
with_and_without_bias = pytest.mark.parametrize("bias", [False, True], ids=["plain", "bias"])


def classes_of(sizes: Sequence[int], seed: int = 1) -> WordClasses:
    """Classes of these sizes in this order, whose words and their positions are random."""
    rng = np.random.default_rng(seed)
    class_of = rng.permutation(np.repeat(np.arange(len(sizes)), sizes)).astype(np.int32)
    position = np.full(len(class_of), NO_POSITION, dtype=np.int32)
    place = 0
    for number, size in enumerate(sizes):
        if size > 1:
            words = rng.permutation(np.flatnonzero(class_of == number))
            position[words] = np.arange(place, place + size)
            place += size
    return WordClasses(class_of, position)


def word_classes(most_classes: int = 5, largest: int = 5) -> st.SearchStrategy[WordClasses]:
    """Any classes of a small vocabulary."""
    sizes = st.lists(st.integers(1, largest), min_size=1, max_size=most_classes)
    return st.builds(classes_of, sizes, st.integers(0, 1000))


def layer_of(
    classes: WordClasses,
    bias: bool = True,
    seed: int = 1,
    hidden_size: int = 3,
    spread: float = 1.5,
    dtype: DTypeLike = np.float64,
) -> ClassSoftmax:
    """A layer of random weights."""
    rng = np.random.default_rng(seed)
    rows = (classes.count, int(np.count_nonzero(classes.position >= 0)))
    root, within = (rng.normal(0, spread, (count, hidden_size)).astype(dtype) for count in rows)
    if not bias:
        return ClassSoftmax(classes, root, within)
    root_bias, within_bias = (rng.normal(0, spread, count).astype(dtype) for count in rows)
    return ClassSoftmax(classes, root, within, root_bias, within_bias)


@st.composite
def layers(draw: st.DrawFn, dtype: DTypeLike = np.float64) -> ClassSoftmax:
    """A layer of any classes and sizes, with biases or without."""
    return layer_of(
        draw(word_classes()),
        draw(st.booleans()),
        draw(st.integers(0, 1000)),
        draw(st.integers(1, 4)),
        draw(st.sampled_from([0.1, 1.5, 5.0])),
        dtype,
    )


@st.composite
def layers_and_states(
    draw: st.DrawFn, magnitude: float = 1.0, dtype: DTypeLike = np.float64
) -> tuple[ClassSoftmax, Array]:
    """A layer and one to five states for it, of numbers up to a magnitude."""
    layer = draw(layers(dtype))
    number = st.floats(-magnitude, magnitude, width=32)
    row = st.lists(number, min_size=layer.weights.shape[1], max_size=layer.weights.shape[1])
    return layer, np.array(draw(st.lists(row, min_size=1, max_size=5)), dtype=dtype)


def parameters_of(layer: ClassSoftmax) -> dict[str, Array]:
    """The arrays of a layer, called as a network calls them."""
    found = {"root_weights": layer.root_weights, "output_weights": layer.weights}
    biases = {"root_bias": layer.root_bias, "output_bias": layer.bias}
    return {**found, **{name: array for name, array in biases.items() if array is not None}}


def layer_with(layer: ClassSoftmax, parameters: Mapping[str, Array]) -> ClassSoftmax:
    """A layer of the same classes with other arrays."""
    root, within = parameters["root_weights"], parameters["output_weights"]
    biases = (parameters.get("root_bias"), parameters.get("output_bias"))
    return ClassSoftmax(layer.classes, root, within, *biases)


def states_of(layer: ClassSoftmax, count: int = 11, seed: int = 2) -> Array:
    """States as a network makes them, between -1 and 1."""
    hidden_size = layer.weights.shape[1]
    states: Array = np.random.default_rng(seed).uniform(-1, 1, (count, hidden_size))
    return states.astype(layer.weights.dtype)


def targets_of(layer: ClassSoftmax, count: int = 11, seed: int = 3) -> Ids:
    """Any words."""
    return np.random.default_rng(seed).integers(len(layer.classes), size=count).astype(np.int32)


# The formulas, number by number


def class_mates(classes: WordClasses, word: int) -> list[int]:
    """All words of a word's class, by id."""
    return [v for v in range(len(classes)) if classes.class_of[v] == classes.class_of[word]]


def score(weights: Array, bias: Array | None, row: int, state: Array) -> float:
    """The product of a row with a state, and its bias."""
    offset = 0.0 if bias is None else float(bias[row])
    return offset + math.fsum(float(v) * float(s) for v, s in zip(weights[row], state, strict=True))


def log_sum_exp(scores: Sequence[float]) -> float:
    """The logarithm of Σ exp, without overflow."""
    largest = max(scores)
    return largest + math.log(math.fsum(math.exp(each - largest) for each in scores))


def class_scores(layer: ClassSoftmax, state: Array) -> list[float]:
    """R_c · s of each class."""
    rows = range(len(layer.root_weights))
    return [score(layer.root_weights, layer.root_bias, row, state) for row in rows]


def plain_factors(layer: ClassSoftmax, state: Array, word: int) -> tuple[float, float]:
    """Logarithms of P(c(w) | s) and P(w | c(w), s)."""
    of_classes = class_scores(layer, state)
    root = of_classes[layer.classes.class_of[word]] - log_sum_exp(of_classes)
    mates = class_mates(layer.classes, word)
    if len(mates) == 1:
        return root, 0.0
    of_words = {
        mate: score(layer.weights, layer.bias, int(layer.classes.position[mate]), state)
        for mate in mates
    }
    return root, of_words[word] - log_sum_exp(list(of_words.values()))


def plain_log_probabilities(layer: ClassSoftmax, hidden: Array) -> NDArray[np.float64]:
    """The logarithm of P(c(w) | s) · P(w | c(w), s) of each word, a row for each state."""
    words = range(len(layer.classes))
    return np.array([[sum(plain_factors(layer, state, w)) for w in words] for state in hidden])


def plain_losses(layer: ClassSoftmax, hidden: Array, targets: Ids) -> NDArray[np.float64]:
    """Minus the logarithm of P(y | s) of each prediction."""
    pairs = zip(hidden, targets.tolist(), strict=True)
    return np.array([-sum(plain_factors(layer, state, word)) for state, word in pairs])


def plain_gradients(layer: ClassSoftmax, hidden: Array, targets: Ids) -> dict[str, Array]:
    """The gradients of the summed loss, probability less one-hot, one prediction at a time."""
    found: dict[str, Array] = {
        name: np.zeros(array.shape) for name, array in parameters_of(layer).items()
    }
    found["hidden"] = np.zeros(hidden.shape)
    for t, (state, target) in enumerate(zip(hidden, targets.tolist(), strict=True)):
        right_class, mates = layer.classes.class_of[target], class_mates(layer.classes, target)
        of_classes = class_scores(layer, state)
        for number, each in enumerate(of_classes):
            slope = math.exp(each - log_sum_exp(of_classes)) - (number == right_class)
            _add(found, "root", number, slope, state)
            found["hidden"][t] += slope * layer.root_weights[number]
        for mate in mates if len(mates) > 1 else []:
            slope = math.exp(plain_factors(layer, state, mate)[1]) - (mate == target)
            row = int(layer.classes.position[mate])
            _add(found, "output", row, slope, state)
            found["hidden"][t] += slope * layer.weights[row]
    return found


def _add(found: dict[str, Array], part: str, row: int, slope: float, state: Array) -> None:
    """Add what one score's slope gives for its row of weights and its bias."""
    found[f"{part}_weights"][row] += slope * state
    if f"{part}_bias" in found:
        found[f"{part}_bias"][row] += slope


# The loss on complex numbers, whose imaginary part holds a derivative without any cancellation

TINY_STEP = 1e-30


def complex_loss(
    classes: WordClasses,
    parameters: Mapping[str, NDArray[Any]],
    state: NDArray[Any],
    target: int,
) -> complex:
    """Minus the logarithm of P(y | s) of one prediction, for real or complex arrays."""
    of_classes = parameters["root_weights"] @ state + parameters.get("root_bias", 0)
    loss = _complex_log_sum_exp(of_classes) - of_classes[classes.class_of[target]]
    mates = np.flatnonzero(classes.class_of == classes.class_of[target])
    if len(mates) > 1:
        rows = classes.position[mates]
        bias = parameters["output_bias"][rows] if "output_bias" in parameters else 0
        of_words = parameters["output_weights"][rows] @ state + bias
        loss += _complex_log_sum_exp(of_words) - of_words[mates == target][0]
    return complex(loss)


def _complex_log_sum_exp(scores: NDArray[Any]) -> Any:
    largest = scores.real.max()
    return np.log(np.exp(scores - largest).sum()) + largest


@contextmanager
def nudged(array: NDArray[Any], index: tuple[int, ...]) -> Iterator[None]:
    """A complex array with a tiny imaginary part in one entry."""
    array[index] += 1j * TINY_STEP
    yield
    array[index] = array[index].real


# How a layer draws, without chance


class Choices:
    """Stands in for `draw`: takes what it is told to take, and notes how probable that was."""

    def __init__(self, told: Sequence[int]) -> None:
        self.told = list(told)
        self.taken: list[int] = []
        self.probability = 1.0
        self.untaken: list[list[int]] = []

    def __call__(self, scores: Scores, rngs: Sequence[np.random.Generator]) -> NDArray[np.intp]:
        """The choice in the one row there is."""
        assert scores.shape[0] == len(rngs) == 1
        shares = np.exp(scores[0] - scores[0].max())
        if self.told:
            choice = self.told.pop(0)
        else:
            choice, *others = np.flatnonzero(shares).tolist()
            self.untaken += [[*self.taken, other] for other in others]
        self.taken.append(choice)
        self.probability *= float(shares[choice] / shares.sum())
        return np.array([choice])


def drawn_distribution(
    layer: OutputLayer, state: Array, barred: Sequence[int], temperature: float
) -> dict[int, float]:
    """How probable each word is to be drawn that can be, by going through all choices."""
    found: dict[int, float] = {}
    untaken: list[list[int]] = [[]]
    while untaken:
        choices = Choices(untaken.pop())
        with pytest.MonkeyPatch.context() as patch:
            for module in (output_classes, softmax):
                patch.setattr(module, "draw", choices)
            (word,), _ = layer.draw(state, barred, temperature, [np.random.default_rng(1)])
        assert int(word) not in found
        found[int(word)] = choices.probability
        untaken += choices.untaken
    return found


# Networks


def class_network_of(
    classes: WordClasses,
    seed: int = 1,
    hidden_size: int = 4,
    dtype: DTypeLike = np.float64,
    cell_name: str = "elman",
    bias: bool = False,
) -> Network:
    """A network of random weights that goes by classes."""
    rng = np.random.default_rng(seed)
    shapes = parameter_shapes(cell_name, len(classes), hidden_size, bias, False, classes)
    weights = {name: rng.normal(0, 0.6, shape).astype(dtype) for name, shape in shapes.items()}
    return Network(weights, cell_name, classes)


def dense_gradients(network: Network, gradients: Gradients) -> dict[str, Array]:
    """The gradients as arrays of the shapes of their parameters."""
    return {
        name: gradient.dense(len(network.parameters[name]))
        if isinstance(gradient, RowGradient)
        else gradient
        for name, gradient in gradients.items()
    }


def scored(network: Network, words: Sequence[int]) -> list[float]:
    """The log-probability of each word but the first, those before it read one by one."""
    state, found = None, []
    for word, following in itertools.pairwise(words):
        state = network.step(ids(word), state)
        hidden = state[:, : network.hidden_size]
        found.append(float(network.output.log_probabilities(hidden)[0, following]))
    return found


@st.composite
def class_networks_and_sentences(draw: st.DrawFn) -> tuple[Network, list[Ids]]:
    """A network of any cell that goes by any classes, and sentences that it can read."""
    classes = draw(word_classes())
    network = class_network_of(
        classes,
        draw(st.integers(0, 1000)),
        draw(st.integers(1, 4)),
        cell_name=draw(st.sampled_from(tuple(CELLS))),
        bias=draw(st.booleans()),
    )
    return network, draw(sentences_of(len(classes), largest=3))
