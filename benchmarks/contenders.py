"""What is measured: a training step of the same network by different means.

Each contender makes one step of plain gradient descent with each batch, on the mean loss of its
tokens. All begin with the same weights, have no biases and do not clip gradients. With word classes
the output layer is another model: its weights are others, those before it the same.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from settings import Setting
from unrolled.model.cells import CELLS
from unrolled.model.initialisation import initialised
from unrolled.model.network import Network
from unrolled.model.packing import pack
from unrolled.text.classes import WordClasses, frequency_classes
from unrolled.training.optimisers import Sgd

LEARNING_RATE = 0.1
WORDS_ALONE = 32
"""Classes of one word each; the default configuration has as many."""

Sentences = Sequence[NDArray[np.int64]]
Weights = dict[str, NDArray[Any]]


class Contender(Protocol):
    """Something that can be trained."""

    def prepared(self, sentences: Sentences) -> Any:
        """A batch in the form that `step` wants, made before the clock runs."""

    def step(self, batch: Any) -> float:
        """One step; the mean loss before it, in nats."""

    def weights(self) -> Weights:
        """The weights by the names of this project: input, recurrent and output."""


def start(setting: Setting, classes: WordClasses | None = None) -> Network:
    """The network that all contenders begin with; with classes its output layer is another."""
    return initialised(
        setting.vocabulary_size,
        setting.hidden_size,
        np.random.default_rng(2),
        setting.dtype,
        setting.cell,
        classes=classes,
    )


class Unrolled:
    """This project."""

    def __init__(self, setting: Setting, classes: WordClasses | None = None) -> None:
        self.network = start(setting, classes)
        self.depth = setting.truncation_depth
        self.optimiser = Sgd()

    def prepared(self, sentences: Sentences) -> Any:
        return [sentence.astype(np.int32) for sentence in sentences]

    def step(self, batch: Any) -> float:
        packed = pack(batch)
        loss, gradients = self.network.loss_and_gradients(packed, self.depth)
        self.optimiser.step(self.network.parameters, gradients, 1 / packed.positions, LEARNING_RATE)
        return loss / packed.positions

    def weights(self) -> Weights:
        return self.network.parameters


class UnrolledClasses(Unrolled):
    """This project, with word classes by frequency in place of the one softmax."""

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting, frequency_classes(setting.prediction_counts, WORDS_ALONE, None))


class Tutorial:
    """The algorithm of the tutorial, as it is written there: a loop over outputs around a loop over
    steps back, one sentence at a time, dense gradients.
    """

    def __init__(self, setting: Setting) -> None:
        weights = start(setting).parameters
        self.u = np.ascontiguousarray(weights["input_weights"].T)  # (hidden, vocabulary)
        self.w = weights["recurrent_weights"]
        self.v = np.ascontiguousarray(weights["output_weights"])
        self.depth = setting.truncation_depth

    def prepared(self, sentences: Sentences) -> Any:
        (sentence,) = sentences
        return sentence[:-1].tolist(), sentence[1:].tolist()

    def step(self, batch: Any) -> float:
        words, targets = batch
        states, probabilities = self._forward(words)
        positions = np.arange(len(words))
        loss = -float(np.log(probabilities[positions, targets]).mean())
        d_logits = probabilities
        d_logits[positions, targets] -= 1
        d_u, d_w, d_v = np.zeros_like(self.u), np.zeros_like(self.w), np.zeros_like(self.v)
        for t in reversed(range(len(words))):
            d_v += np.outer(d_logits[t], states[t])
            delta = self.v.T.dot(d_logits[t]) * (1 - states[t] ** 2)
            first = 0 if self.depth is None else max(0, t - self.depth)
            for k in range(t, first - 1, -1):
                d_w += np.outer(delta, states[k - 1])  # the last row is the state before the first
                d_u[:, words[k]] += delta
                delta = self.w.T.dot(delta) * (1 - states[k - 1] ** 2)
        rate = LEARNING_RATE / len(words)
        self.u -= rate * d_u
        self.w -= rate * d_w
        self.v -= rate * d_v
        return loss

    def _forward(self, words: Sequence[int]) -> tuple[NDArray[Any], NDArray[Any]]:
        states = np.zeros((len(words) + 1, len(self.w)), self.w.dtype)
        probabilities = np.zeros((len(words), len(self.v)), self.w.dtype)
        for t, word in enumerate(words):
            states[t] = np.tanh(self.u[:, word] + self.w.dot(states[t - 1]))
            logits = self.v.dot(states[t])
            exponentials = np.exp(logits - logits.max())
            probabilities[t] = exponentials / exponentials.sum()
        return states, probabilities

    def weights(self) -> Weights:
        return {"input_weights": self.u.T, "recurrent_weights": self.w, "output_weights": self.v}


class Torch:
    """PyTorch's own layers and its optimiser, at full depth.

    Packed sequences, so that no padding is computed, and sparse gradients for the embeddings: both
    are faster than what one gets without asking. The layer projects each embedding with one more
    matrix, which is the identity at first.
    """

    def __init__(self, setting: Setting) -> None:
        import torch

        self.torch = torch
        torch.set_num_threads(1)
        torch.set_default_dtype(getattr(torch, setting.dtype))
        weights = start(setting).parameters
        blocks = CELLS[setting.cell].BLOCKS * setting.hidden_size
        layer = {"elman": torch.nn.RNN, "gru": torch.nn.GRU, "lstm": torch.nn.LSTM}[setting.cell]
        self.embedding = torch.nn.Embedding(
            setting.vocabulary_size, setting.hidden_size, sparse=True
        )
        self.layer = layer(setting.hidden_size, setting.hidden_size, bias=False)
        self.output = torch.nn.Linear(setting.hidden_size, setting.vocabulary_size, bias=False)
        with torch.no_grad():
            self.layer.weight_hh_l0.copy_(torch.from_numpy(weights["recurrent_weights"]))
            self.output.weight.copy_(torch.from_numpy(weights["output_weights"].copy("C")))
            if blocks == setting.hidden_size:
                self.embedding.weight.copy_(torch.from_numpy(weights["input_weights"]))
                self.layer.weight_ih_l0.copy_(torch.eye(setting.hidden_size))
        modules = (self.embedding, self.layer, self.output)
        parameters = [parameter for module in modules for parameter in module.parameters()]
        self.optimiser = torch.optim.SGD(parameters, lr=LEARNING_RATE)

    def prepared(self, sentences: Sentences) -> Any:
        return [self.torch.from_numpy(sentence) for sentence in sentences]

    def step(self, batch: Any) -> float:
        pack_sequence = self.torch.nn.utils.rnn.pack_sequence
        inputs = pack_sequence([sentence[:-1] for sentence in batch], enforce_sorted=False)
        targets = pack_sequence([sentence[1:] for sentence in batch], enforce_sorted=False)
        self.optimiser.zero_grad()
        hidden, _ = self.layer(inputs._replace(data=self.embedding(inputs.data)))
        logits = self.output(hidden.data)
        loss = self.torch.nn.functional.cross_entropy(logits, targets.data)
        loss.backward()
        self.optimiser.step()
        return float(loss.detach())

    def weights(self) -> Weights:
        projected = self.embedding.weight @ self.layer.weight_ih_l0.T
        found = {
            "input_weights": projected,
            "recurrent_weights": self.layer.weight_hh_l0,
            "output_weights": self.output.weight,
        }
        return {name: weight.detach().numpy() for name, weight in found.items()}


class TorchTruncated:
    """The truncated gradient of an Elman network by hand, over lags as in this project, in PyTorch.

    Everything else is PyTorch's as well: its softmax, its products, its indexing.
    """

    def __init__(self, setting: Setting) -> None:
        import torch

        self.torch = torch
        torch.set_num_threads(1)
        if setting.cell != "elman" or setting.truncation_depth is None:
            raise ValueError("made for Elman networks and a truncation depth")
        weights = start(setting).parameters
        self.u, self.w, self.v = (
            torch.from_numpy(weights[name].copy("C"))
            for name in ("input_weights", "recurrent_weights", "output_weights")
        )
        self.depth = setting.truncation_depth

    def prepared(self, sentences: Sentences) -> Any:
        return [sentence.astype(np.int32) for sentence in sentences]

    def step(self, batch: Any) -> float:
        torch = self.torch
        packed = pack(batch)
        words, targets = (
            torch.from_numpy(ids.astype(np.int64)) for ids in (packed.inputs, packed.targets)
        )
        with torch.inference_mode():
            states, before = self._states(packed, self.u[words])
            positions = torch.arange(len(words))
            d_logits = torch.softmax(torch.mm(states, self.v.T), dim=1)
            loss = -float(d_logits[positions, targets].log().mean())
            d_logits[positions, targets] -= 1
            delta = torch.mm(d_logits, self.v)
            d_v = torch.mm(d_logits.T, states)
            slope = 1 - states * states
            delta *= slope
            total = delta.clone()
            place = torch.arange(len(words))
            previous = torch.from_numpy(packed.previous)
            for lag in range(1, min(self.depth, packed.steps - 1) + 1):
                gone = int(packed.step_starts[lag] - packed.step_starts[lag - 1])
                place = previous[place[gone:]]
                delta = torch.mm(delta[gone:], self.w)
                delta *= slope[place]
                total.index_add_(0, place, delta)
            rate = LEARNING_RATE / len(words)
            self.w.addmm_(total.T, before, alpha=-rate)
            self.u.index_add_(0, words, total, alpha=-rate)
            self.v.add_(d_v, alpha=-rate)
        return loss

    def _states(self, packed: Any, projected: Any) -> tuple[Any, Any]:
        before = self.torch.zeros_like(projected)
        states = self.torch.empty_like(projected)
        for step in range(packed.steps):
            rows = packed.rows(step)
            if step > 0:
                before[rows] = states[packed.rows_before(step)]
            states[rows] = self.torch.tanh(
                self.torch.addmm(projected[rows], before[rows], self.w.T)
            )
        return states, before

    def weights(self) -> Weights:
        named = {"input_weights": self.u, "recurrent_weights": self.w, "output_weights": self.v}
        return {name: weight.numpy() for name, weight in named.items()}


CONTENDERS: Mapping[str, Callable[[Setting], Contender]] = {
    "unrolled": Unrolled,
    "unrolled-classes": UnrolledClasses,
    "tutorial": Tutorial,
    "torch": Torch,
    "torch-tuned": Torch,
    "torch-truncated": TorchTruncated,
}
