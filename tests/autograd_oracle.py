"""The loss of a network as plain formulas, one word after the other, differentiated by autograd.

Nothing here is taken from the code that it judges: the formulas are those of the cells' docstrings
once more, and the derivatives are autograd's. Truncation is written down as it is defined: the loss
of the output t is made from the steps t-d, ..., t alone, which begin with a state that is a number
like any other, whatever it was made from.

Source: Maclaurin, Duvenaud & Adams, Autograd: Effortless Gradients in Numpy (2015).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import autograd.numpy as np
from autograd import value_and_grad
from numpy.typing import NDArray

from unrolled.text.classes import WordClasses

Array = NDArray[Any]
Traced = Any
"""An array, or what autograd follows in its place."""
Parameters = Mapping[str, Traced]


class State(NamedTuple):
    """What a step leaves for the next one, (hidden,) both; only an LSTM has use for the memory."""

    hidden: Traced
    memory: Traced


@dataclass(frozen=True)
class Reading:
    """Words that are read one after the other.

    Attributes:
        inputs: (words,) ids.
        targets: (words,) ids, the word that follows each.
        start: the state before the first word, a constant; None for zeros.
        row_mask: (words, any), what the rows of words are multiplied by; None for ones.
        hidden_mask: (words, hidden), what the output layer's states are; None for ones.
    """

    inputs: Array
    targets: Array
    start: State | None = None
    row_mask: Array | None = None
    hidden_mask: Array | None = None


@dataclass(frozen=True)
class Formulas:
    """A network's loss.

    Attributes:
        cell_name: a key of `STEPS`.
        classes: of the words, None for one softmax over all of them.
    """

    cell_name: str
    classes: WordClasses | None = None

    def loss_and_gradients(
        self, parameters: Mapping[str, Array], readings: Sequence[Reading], depth: int | None
    ) -> tuple[float, dict[str, Array]]:
        """The summed loss of all words in nats, and what autograd derives from it.

        Args:
            parameters: the network's.
            readings: what is read.
            depth: how many steps back the loss of each output reaches; None for the start.
        """
        # made from plain arrays, so that no derivative goes into them
        constants = [self.states(parameters, reading) for reading in readings]

        def loss(weights: Parameters) -> Traced:
            return sum(
                self._loss_of_output(weights, reading, before, t, depth)
                for reading, before in zip(readings, constants, strict=True)
                for t in range(len(reading.inputs))
            )

        value, gradients = value_and_grad(loss)(dict(parameters))
        return float(value), gradients

    def states(self, parameters: Parameters, reading: Reading) -> list[State]:
        """The state before each word, and the one after the last."""
        zeros = np.zeros(parameters["recurrent_weights"].shape[1])
        states = [reading.start or State(zeros, zeros)]
        for t in range(len(reading.inputs)):
            states.append(self._step(parameters, reading, t, states[-1]))
        return states

    def _loss_of_output(
        self,
        parameters: Parameters,
        reading: Reading,
        constants: Sequence[State],
        t: int,
        depth: int | None,
    ) -> Traced:
        """The loss of one output as its last steps make it, the states before them being given."""
        first = 0 if depth is None else max(0, t - depth)
        state = constants[first]
        for step in range(first, t + 1):
            state = self._step(parameters, reading, step, state)
        shown = state.hidden
        if reading.hidden_mask is not None:
            shown = shown * reading.hidden_mask[t]
        return -self._log_probability(parameters, shown, int(reading.targets[t]))

    def _step(self, parameters: Parameters, reading: Reading, t: int, before: State) -> State:
        """The state after the word t."""
        tied = "input_projection" in parameters
        row = parameters["output_weights" if tied else "input_weights"][int(reading.inputs[t])]
        if reading.row_mask is not None:
            row = row * reading.row_mask[t]
        word = parameters["input_projection"] @ row if tied else row
        recurrent = parameters["recurrent_weights"] @ before.hidden
        return STEPS[self.cell_name](word + parameters.get("bias", 0), recurrent, before)

    def _log_probability(self, parameters: Parameters, shown: Traced, target: int) -> Traced:
        """The logarithm of P(target), of one softmax or as P(class) P(target | class)."""
        weights, bias = parameters["output_weights"], parameters.get("output_bias")
        if self.classes is None:
            return _log_softmax(weights, bias, shown)[target]
        class_of, position = self.classes.class_of, self.classes.position
        root = parameters["root_weights"], parameters.get("root_bias")
        of_class = _log_softmax(*root, shown)[int(class_of[target])]
        mates = [word for word in range(len(class_of)) if class_of[word] == class_of[target]]
        if len(mates) == 1:
            return of_class
        rows = [int(position[mate]) for mate in mates]
        of_mates = _log_softmax(weights[rows], None if bias is None else bias[rows], shown)
        return of_class + of_mates[mates.index(target)]


def elman(u: Traced, w: Traced, before: State) -> State:
    """s_t = tanh(U x_t + b + W s_{t-1})."""
    return State(np.tanh(u + w), before.memory)


def gru(u: Traced, w: Traced, before: State) -> State:
    """s_t = (1 - z) n + z s_{t-1}, the reset gate coming after the product with s_{t-1}."""
    (u_1, u_2, u_3), (w_1, w_2, w_3) = _parts(u, 3), _parts(w, 3)
    r = _sigmoid(u_1 + w_1)
    z = _sigmoid(u_2 + w_2)
    n = np.tanh(u_3 + r * w_3)
    return State((1 - z) * n + z * before.hidden, before.memory)


def lstm(u: Traced, w: Traced, before: State) -> State:
    """c_t = f c_{t-1} + i g and s_t = o tanh(c_t)."""
    a_1, a_2, a_3, a_4 = _parts(u + w, 4)
    i, f, o = _sigmoid(a_1), _sigmoid(a_2), _sigmoid(a_4)
    c = f * before.memory + i * np.tanh(a_3)
    return State(o * np.tanh(c), c)


STEPS: Mapping[str, Callable[[Traced, Traced, State], State]] = {
    "elman": elman,
    "gru": gru,
    "lstm": lstm,
}


def _sigmoid(x: Traced) -> Traced:
    return 1 / (1 + np.exp(-x))


def _log_softmax(weights: Traced, bias: Traced | None, shown: Traced) -> Traced:
    """The logarithm of each choice's probability, (choices,)."""
    scores = weights @ shown if bias is None else weights @ shown + bias
    return scores - np.log(np.sum(np.exp(scores)))


def _parts(values: Traced, count: int) -> list[Traced]:
    """The blocks of one vector, one behind the other."""
    size = len(values) // count
    return [values[block * size : (block + 1) * size] for block in range(count)]
