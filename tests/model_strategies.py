"""Small networks, sentences and datasets for the tests of model, training and analysis."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st
from numpy.typing import DTypeLike, NDArray

from unrolled.model.cells import CELLS
from unrolled.model.cells.cell import Cell
from unrolled.model.initialisation import parameter_shapes
from unrolled.model.network import Network
from unrolled.model.reference import ReferenceNetwork
from unrolled.model.types import Array, Gradients, Parameters, RowGradient
from unrolled.text.classes import WordClasses, frequency_classes
from unrolled.text.dataset import Dataset, encode_documents, write_dataset
from unrolled.text.vocabulary import END, START, Ids, Vocabulary, write_vocabulary

PARAMETERS = ("input_weights", "recurrent_weights", "output_weights")
BIASES = ("bias", "output_bias")


def ids(*words: int) -> Ids:
    """Exactly these ids."""
    return np.array(words, dtype=np.int32)


def sentence(*words: int) -> Ids:
    """The ids of a sentence of these words, with its start and its end."""
    return ids(START, *words, END)


def network_of(
    seed: int,
    vocabulary_size: int = 7,
    hidden_size: int = 4,
    dtype: DTypeLike = np.float64,
    cell_name: str = "elman",
    bias: bool = False,
    tied: bool = False,
    classes: WordClasses | None = None,
) -> Network:
    """A network whose weights are large enough for the tanh to bend."""
    rng = np.random.default_rng(seed)
    shapes = parameter_shapes(cell_name, vocabulary_size, hidden_size, bias, tied, classes)
    weights = {name: rng.normal(0, 0.6, shape).astype(dtype) for name, shape in shapes.items()}
    return Network(weights, cell_name, classes)


def some_classes(vocabulary_size: int, seed: int = 1) -> WordClasses:
    """Two words alone, the others in classes of two or three; which is a matter of chance."""
    counts = np.random.default_rng(seed).permutation(vocabulary_size)
    return frequency_classes(counts, 2, max(1, (vocabulary_size - 2) // 2))


def stepped(network: Network, word: int, state: Array) -> tuple[Array, Array]:
    """The state after one word, and what the cell remembers of the step; (1, any) both."""
    return stepped_with_row(network, word_row(network, word), state)


def word_row(network: Network, word: int) -> Array:
    """What goes in for a word before any projection, (1, any)."""
    row: Array = network.parameters["output_weights" if network.tied else "input_weights"][[word]]
    return row


def stepped_with_row(network: Network, row: Array, state: Array) -> tuple[Array, Array]:
    """As `stepped`, given the word's row instead of the word."""
    weights = network.parameters
    projected = row @ weights["input_projection"].T if network.tied else row
    recurrent = state[:, : network.hidden_size] @ weights["recurrent_weights"].T
    return step_of(network.cell, projected + weights.get("bias", 0), recurrent, state)


def step_of(cell: Cell, word: Array, recurrent: Array, previous: Array) -> tuple[Array, Array]:
    """The states after a step and what the cell remembers of it; nothing given is used up.

    What the cell leaves unfilled is NaN.
    """
    hidden_size = previous.shape[1] // cell.PARTS
    state = np.full_like(previous, np.nan)
    memory = np.full((len(previous), cell.MEMORY * hidden_size), np.nan, dtype=previous.dtype)
    cell.step(word, recurrent.copy(), previous, state, memory)
    return state, memory


class BackwardStep(NamedTuple):
    """The gradients for both projections and the states before a step, (rows, any)."""

    d_word: Array
    d_recurrent: Array
    d_previous: Array


def backward_step(
    cell: Cell, d_state: Array, previous: Array, state: Array, memory: Array
) -> BackwardStep:
    """What a step hands back for whole states, zeros where it has no way back."""
    hidden_size = previous.shape[1] // cell.PARTS
    d_hidden, d_rest = d_state[:, :hidden_size], d_state[:, hidden_size:]
    found = cell.step_backward(d_hidden, d_rest, cell.slopes(previous, state, memory))
    around = np.zeros_like(d_hidden) if found.d_hidden is None else found.d_hidden
    return BackwardStep(
        cell.word_gradient(found.d_sums),
        cell.recurrent_gradient(found.d_sums),
        np.hstack([around, found.d_rest]),
    )


def start_of(network: Network) -> Array:
    """The state before the first word, (1, parts * hidden)."""
    return np.zeros((1, network.cell.PARTS * network.hidden_size))


@dataclass(frozen=True)
class Stretch:
    """Words to be read with all that may bear on them; None is a state of zeros, masks of ones."""

    inputs: Ids
    targets: Ids
    start: Array | None = None  # (1, parts * hidden)
    row_mask: Array | None = None  # (words, any)
    hidden_mask: Array | None = None  # (words, hidden)


def stretches_of(sentences: Sequence[Ids]) -> list[Stretch]:
    """Whole sentences, each given with its start and its end."""
    return [Stretch(words[:-1], words[1:]) for words in sentences]


def walked(
    network: Network, stretches: Sequence[Stretch], depth: int | None
) -> tuple[float, dict[str, Array], list[Array]]:
    """Loss, gradients and last states, every output's delta carried back alone, step by step."""
    weights, size = network.parameters, network.hidden_size
    loss, ends = 0.0, []
    total = {name: np.zeros_like(array) for name, array in weights.items()}
    total |= {name: total.get(name, np.zeros(1)) for name in BIASES}  # thrown away without biases
    for stretch in stretches:
        state = start_of(network) if stretch.start is None else stretch.start
        steps: list[Step] = []
        for t, (word, target) in enumerate(zip(stretch.inputs, stretch.targets, strict=True)):
            mask = np.ones(1) if stretch.row_mask is None else stretch.row_mask[t]
            share = np.ones(1) if stretch.hidden_mask is None else stretch.hidden_mask[t]
            row, before = word_row(network, int(word)) * mask, state
            state, memory = stepped_with_row(network, row, before)
            steps.append(Step(int(word), mask, row, before, state, memory))
            shown = state[0, :size] * share
            logits = weights["output_weights"] @ shown + weights.get("output_bias", 0)
            d_logits = np.exp(logits) / np.exp(logits).sum()
            loss -= math.log(d_logits[target])
            d_logits[target] -= 1
            total["output_weights"] += np.outer(d_logits, shown)
            total["output_bias"] = total["output_bias"] + d_logits
            d_hidden = (d_logits @ weights["output_weights"]) * share
            first = 0 if depth is None else max(0, t - depth)
            walk_back(network, steps[first:], d_hidden, total)
        ends.append(state)
    return loss, {name: total[name] for name in weights}, ends


class Step(NamedTuple):
    """A step of a walk: the word, what its row was multiplied by, and all before and after it."""

    word: int
    mask: Array
    row: Array
    before: Array
    after: Array
    memory: Array


def walk_back(
    network: Network, steps: Sequence[Step], d_hidden: Array, total: dict[str, Array]
) -> None:
    """Add to the total what a gradient for the last hidden state gives, back to the first step."""
    weights, size = network.parameters, network.hidden_size
    d_state = np.zeros_like(steps[-1].after)
    d_state[0, :size] = d_hidden
    for step in reversed(steps):
        found = backward_step(network.cell, d_state, step.before, step.after, step.memory)
        d_row = found.d_word[0]
        if network.tied:
            total["input_projection"] += np.outer(d_row, step.row[0])
            d_row = d_row @ weights["input_projection"]
        total["output_weights" if network.tied else "input_weights"][step.word] += d_row * step.mask
        total["bias"] = total["bias"] + found.d_word[0]
        total["recurrent_weights"] += np.outer(found.d_recurrent[0], step.before[0, :size])
        d_state = found.d_previous
        d_state[0, :size] += found.d_recurrent[0] @ weights["recurrent_weights"]


def central_differences(
    loss: Callable[[Network], float], network: Network, step: float = 1e-5
) -> dict[str, Array]:
    """The derivatives of a loss for every entry of every parameter of a network."""
    differences = {}
    for name, array in network.parameters.items():
        differences[name] = np.empty_like(array)
        for index in np.ndindex(array.shape):
            losses = []
            for signed_step in (step, -step):
                moved = array.copy()
                moved[index] += signed_step
                parameters = {**network.parameters, name: moved}
                losses.append(loss(replace(network, parameters=parameters)))
            differences[name][index] = (losses[0] - losses[1]) / (2 * step)
    return differences


def assert_gradients_equal(found: Gradients, expected: dict[str, Array], tolerance: float) -> None:
    """The same parameters, and each gradient within the tolerance of `largest_error`."""
    assert set(found) == set(expected)
    for name, gradient in found.items():
        full = (
            gradient.dense(len(expected[name])) if isinstance(gradient, RowGradient) else gradient
        )
        assert full.shape == expected[name].shape, name
        assert largest_error(full, expected[name]) < tolerance, name


def zero_network(vocabulary_size: int, hidden_size: int = 2) -> Network:
    """A network to which all words are alike."""
    shapes = [(vocabulary_size, hidden_size), (hidden_size,) * 2, (vocabulary_size, hidden_size)]
    zeros: Parameters = {
        name: np.zeros(shape) for name, shape in zip(PARAMETERS, shapes, strict=True)
    }
    return Network(zeros, "elman")


def fixed_network(logits: Sequence[float]) -> Network:
    """A network whose logits are always these, whatever it has read."""
    vocabulary_size = len(logits)
    return Network(
        {
            "input_weights": np.full((vocabulary_size, 1), 50.0),  # tanh(50) is 1 to the last bit
            "recurrent_weights": np.zeros((1, 1)),
            "output_weights": np.array(logits, dtype=np.float64)[:, np.newaxis],
        },
        "elman",
    )


def reference_of(network: Network) -> ReferenceNetwork:
    """The reference network with the same weights, in double precision."""
    return ReferenceNetwork(*(network.parameters[name].astype(np.float64) for name in PARAMETERS))


def reference_log_probability(network: Network, words: Ids) -> float:
    """Log-probability of a sentence, given with its start and end, by the reference network."""
    return reference_of(network).sentence_log_probability(words[:-1], words[1:])


def reference_gradients(
    network: Network, sentences: Sequence[Ids], depth: int | None
) -> dict[str, Array]:
    """The gradients of some sentences by the reference network, summed."""
    reference = reference_of(network)
    each = [reference.gradients(words[:-1], words[1:], depth) for words in sentences]
    return {name: sum(getattr(found, f"d_{name}") for found in each) for name in PARAMETERS}


def dense(gradients: Gradients, vocabulary_size: int) -> dict[str, Array]:
    """The gradients as arrays of the shapes of their parameters."""
    return {
        name: gradient.dense(vocabulary_size) if isinstance(gradient, RowGradient) else gradient
        for name, gradient in gradients.items()
    }


def largest_error(found: NDArray[Any], expected: NDArray[Any]) -> float:
    """The largest difference over the largest value.

    The sums compared here have terms of the size of one. Where they cancel out to less than a
    thousandth, a thousandth stands in, so that the rounding of the terms does not count as error.
    """
    difference = float(np.abs(np.asarray(found, dtype=np.float64) - expected).max())
    return difference / max(float(np.abs(expected).max()), 1e-3)


def dataset_of(sentences: Sequence[Ids]) -> Dataset:
    """A split of these sentences, one document."""
    offsets = np.cumsum([0, *(len(words) for words in sentences)], dtype=np.int64)
    return Dataset(np.concatenate(sentences), offsets, np.array([0, len(sentences)]))


VOCABULARY = Vocabulary(
    ["SENTENCE_START", "SENTENCE_END", "UNKNOWN_TOKEN", "the", "cat", "dog", "saw", "slept", "."],
    [60, 60, 5, 90, 50, 40, 30, 30, 60],
)


def write_corpus(folder: Path, seed: int = 1) -> None:
    """A vocabulary and encoded splits of short sentences: the dog saw the cat ."""
    rng = np.random.default_rng(seed)
    write_vocabulary(folder / "vocabulary.tsv", VOCABULARY)
    for split, count in (("train", 60), ("valid", 20), ("test", 20)):
        document = [_short_sentence(rng) for _ in range(count)]
        write_dataset(folder / "encoded" / split, encode_documents([document], VOCABULARY))


def _short_sentence(rng: np.random.Generator) -> list[str]:
    subject, verb, thing = (rng.choice(pair) for pair in (NOUNS, ["saw", "slept"], NOUNS))
    return ["the", str(subject), str(verb), *(["the", str(thing)] if verb == "saw" else []), "."]


NOUNS = ["cat", "dog", "axolotl"]
"""The last of them is not in the vocabulary."""


def sentences_of(vocabulary_size: int, largest: int = 5) -> st.SearchStrategy[list[Ids]]:
    """One to `largest` sentences of one to seven predictions, of any ids."""
    word = st.integers(0, vocabulary_size - 1)
    one = st.lists(word, min_size=2, max_size=8).map(lambda words: ids(*words))
    return st.lists(one, min_size=1, max_size=largest)


def depths() -> st.SearchStrategy[int | None]:
    """Truncation depths from none at all to beyond every sentence, and full depth."""
    return st.none() | st.integers(0, 9)


@st.composite
def networks_and_sentences(
    draw: st.DrawFn,
    cell_names: Sequence[str] = tuple(CELLS),
    biases: Sequence[bool] = (False, True),
    ties: Sequence[bool] = (False,),
) -> tuple[Network, list[Ids]]:
    """A network of random cell and shape, and sentences that it can read."""
    vocabulary_size, hidden_size = draw(st.integers(2, 9)), draw(st.integers(1, 6))
    network = network_of(
        draw(st.integers(0, 10_000)),
        vocabulary_size,
        hidden_size,
        cell_name=draw(st.sampled_from(cell_names)),
        bias=draw(st.sampled_from(biases)),
        tied=draw(st.sampled_from(ties)),
    )
    return network, draw(sentences_of(vocabulary_size))
