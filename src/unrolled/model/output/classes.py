"""An output layer in two steps: which class of words comes next, and which word of the class.

A softmax over a vocabulary of V words takes three products with a matrix of V rows for each token:
one for the scores, two for the gradients. Nearly all of a step's time goes there. But a probability
may be taken apart. Let every word belong to exactly one class, c(w); then

    P(w | s) = P(c(w) | s) · P(w | c(w), s)

holds for any classes whatever, as the chain rule of probability: a word cannot come without its
class. Each factor is a softmax of its own,

    P(c | s)    = exp(R_c · s) / Σ_d exp(R_d · s)               over all classes
    P(w | c, s) = exp(V_w · s) / Σ_{v in c} exp(V_v · s)        over the words of one class

so that what comes out is no approximation: the probabilities of all words are positive and sum to
one. It is another model than the one softmax, with as many rows of weights and a few more, but
whatever one can say of the other's probabilities can be said of these.

What is gained is that training on a token looks at the classes and at the words of one class. With
√V classes of √V words that is 2√V rows instead of V: 180 instead of 8,000. The classes need not be
equal. A class is looked into as often as its words occur, so that the mean cost is Σ_c P(c) · size,
and frequent words belong into small classes; the most frequent ones stand alone, as classes of one
word, for which there is nothing to look into.

    L = -log P(c(y) | s) - log P(y | c(y), s)                the loss of one prediction, in nats
    dL/dR = (P(. | s) - onehot(c(y))) sᵀ                     each factor has a softmax's gradient,
    dL/dV = (P(. | c(y), s) - onehot(y)) sᵀ                  the second for the words of c(y) only
    dL/ds = Rᵀ (P(. | s) - onehot(c(y))) + V_cᵀ (P(. | c(y), s) - onehot(y))

Which words share a class matters twice. For speed, by the sizes. And for what is learned: if a
class holds words that occur in like places, the first factor is easily learned from all of them,
and says much of what is to come; a class of words that have nothing in common but their frequency
must be learned word by word. `unrolled.text.classes` has such classes by frequency,
`unrolled.text.brown` finds alike words.

Here the tokens of a batch are sorted by class, so that each class is three small products of the
states whose next word it holds with its own rows of weights, which lie one after the other. All
scores of words inside classes lie in one array, one state after the other, each as long as its
class; exponentials and sums are made over the whole of it.

Source: Goodman, Classes for Fast Maximum Entropy Training (2001); Mikolov et al., Extensions of
Recurrent Neural Network Language Model (2011), section 4, in a network like this one; Brown et al.,
Class-Based n-gram Models of Natural Language (1992), for classes of words that occur in like
places.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unrolled.model.output.draw import Scores, draw, tempered, tempered_share
from unrolled.model.output.layer import DrawnWords, OutputGradients
from unrolled.model.output.softmax import Softmax, are_safe, chunks
from unrolled.model.types import Array
from unrolled.model.workspace import Workspace
from unrolled.text.classes import WordClasses
from unrolled.text.vocabulary import Ids

Indices = NDArray[np.integer[Any]]


class _Block(NamedTuple):
    """All states that look into one class: which pairs, the class's words, where its scores lie."""

    pairs: slice
    words: slice
    scores: slice


@dataclass(frozen=True)
class _Pairs:
    """States, and the class that each of them looks into, class after class.

    Attributes:
        rows: (pairs,) which states.
        lengths: (pairs,) how many words each one's class has.
        starts: (pairs,) where the scores of each begin.
        blocks: one for each class that occurs.
    """

    rows: Indices
    lengths: Indices
    starts: Indices
    blocks: list[_Block]

    @property
    def score_count(self) -> int:
        """How many words are looked at in all."""
        return self.blocks[-1].scores.stop if self.blocks else 0


@dataclass(frozen=True)
class ClassSoftmax:
    """An output layer, as `layer.OutputLayer` describes it.

    Attributes:
        classes: which class each word belongs to, and its place there.
        root_weights: (classes, hidden), a row for each class; best as `softmax.by_columns` keeps
            it.
        weights: (words in classes, hidden), called output_weights among a network's parameters: a
            row for each word that does not stand alone, class after class.
        root_bias: (classes,), or None.
        bias: (words in classes,), called output_bias, or None.
        workspace: where the scores find room.
    """

    classes: WordClasses
    root_weights: Array
    weights: Array
    root_bias: Array | None = None
    bias: Array | None = None
    workspace: Workspace = field(default_factory=Workspace)

    def log_probabilities(self, hidden: Array) -> Array:
        """As `OutputLayer.log_probabilities`."""
        result: Array = self._root.log_probabilities(hidden)[:, self.classes.class_of]
        for number in np.flatnonzero(self._sizes).tolist():
            words = self.classes.order[self._words(number)]
            result[:, words] += self._within(number).log_probabilities(hidden)
        return result

    def losses(self, hidden: Array, targets: Ids) -> Array:
        """As `OutputLayer.losses`."""
        losses = self._root.losses(hidden, self.classes.class_of[targets])
        for rows in self._chunks(hidden):
            pairs, places = self._target_pairs(targets[rows])
            _, sums, right = self._exponentials(hidden[rows][pairs.rows], pairs, places)
            losses[rows][pairs.rows] += np.log(sums) - right
        return losses

    def losses_and_hits(self, hidden: Array, targets: Ids) -> tuple[Array, NDArray[np.bool_]]:
        """As `OutputLayer.losses_and_hits`."""
        hits = np.empty(len(hidden), dtype=np.bool_)
        for rows in self._chunks(hidden):
            hits[rows] = self._first_guesses(hidden[rows]) == targets[rows]
        return self.losses(hidden, targets), hits

    def loss_and_gradients(self, hidden: Array, targets: Ids) -> OutputGradients:
        """As `OutputLayer.loss_and_gradients`."""
        loss, d_hidden, of_root = self._root.loss_and_gradients(
            hidden, self.classes.class_of[targets]
        )
        gradients = {name.replace("output", "root"): found for name, found in of_root.items()}
        for rows in self._chunks(hidden):
            loss_within, of_words = self._gradients_within(
                hidden[rows], targets[rows], d_hidden[rows]
            )
            loss += loss_within
            for name, gradient in of_words.items():
                gradients[name] = gradients[name] + gradient if rows.start else gradient
        return OutputGradients(loss, d_hidden, gradients)

    def draw(
        self,
        hidden: Array,
        barred: Collection[int],
        temperature: float,
        rngs: Sequence[np.random.Generator],
    ) -> DrawnWords:
        """As `OutputLayer.draw`: a class first, then one of its words, both at the temperature.

        So few words need to be looked at: those of the class that is drawn, and of classes with
        barred words, whose share shrinks by what is barred.
        """
        of_classes = self._root.log_probabilities(hidden).astype(np.float64)
        left = of_classes.copy()
        for number in {int(self.classes.class_of[word]) for word in barred}:
            found, allowed = self._choices_within(number, hidden, barred)
            left[:, number] += tempered_share(allowed, temperature)
            left[:, number] -= tempered_share(found, temperature)
        classes = draw(tempered(left, temperature), rngs)
        ids = self.classes.first[classes]
        of_words = of_classes[np.arange(len(classes)), classes]
        for number in np.unique(classes[self._sizes[classes] > 0]).tolist():
            rows = np.flatnonzero(classes == number)
            found, allowed = self._choices_within(number, hidden[rows], barred)
            places = draw(tempered(allowed, temperature), [rngs[row] for row in rows.tolist()])
            ids[rows] = self.classes.members[number][places]
            of_words[rows] += found[np.arange(len(rows)), places]
        return DrawnWords(ids, of_words)

    @property
    def _sizes(self) -> Indices:
        """(classes,) how many words must be told apart in each; 0 where one stands alone."""
        return np.diff(self.classes.starts)

    @property
    def _root(self) -> Softmax:
        return Softmax(self.root_weights, self.root_bias, self.workspace)

    def _words(self, number: int) -> slice:
        """The rows of one class's words."""
        return slice(self.classes.starts[number], self.classes.starts[number + 1])

    def _within(self, number: int) -> Softmax:
        """The softmax over the words of one class."""
        words = self._words(number)
        bias = None if self.bias is None else self.bias[words]
        return Softmax(self.weights[words], bias, self.workspace)

    def _choices_within(
        self, number: int, hidden: Array, barred: Collection[int]
    ) -> tuple[Scores, Scores]:
        """Log-probabilities of a class's words, (rows, words) both: as they are, and with -inf for
        barred words.
        """
        members = self.classes.members[number]
        if len(members) == 1:
            log_probabilities = np.zeros((len(hidden), 1))
        else:
            log_probabilities = self._within(number).log_probabilities(hidden).astype(np.float64)
        allowed = log_probabilities.copy()
        allowed[:, np.isin(members, list(barred))] = -np.inf
        return log_probabilities, allowed

    def _first_guesses(self, hidden: Array) -> Ids:
        """(rows,) the most probable word of each state.

        Classes are looked into one after the other, the most probable ones first, until what is
        left as a whole is less probable than the best word so far.
        """
        of_classes = self._root.log_probabilities(hidden)
        ranking = np.argsort(-of_classes, axis=1)
        guesses = np.zeros(len(hidden), dtype=np.int32)
        best = np.full(len(hidden), -np.inf, dtype=hidden.dtype)
        rows = np.arange(len(hidden))
        for rank in range(self.classes.count):
            open_ = of_classes[rows, ranking[rows, rank]] > best[rows]
            rows = rows[open_]
            if len(rows) == 0:
                break
            classes = ranking[rows, rank]
            found, words = self._best_within(hidden, rows, classes)
            found += of_classes[rows, classes]
            better = found > best[rows]
            best[rows[better]] = found[better]
            guesses[rows[better]] = words[better]
        return guesses

    def _best_within(self, hidden: Array, rows: Indices, classes: Indices) -> tuple[Array, Ids]:
        """The most probable word of one class for each of some states, and its log-probability
        there.
        """
        log_probabilities = np.zeros(len(rows), dtype=hidden.dtype)
        words = self.classes.first[classes]
        pairs = self._pairs(classes)
        states = hidden[rows[pairs.rows]]
        exponentials, sums, _ = self._exponentials(states, pairs, pairs.starts)
        if len(sums) > 0:
            largest = np.maximum.reduceat(exponentials, pairs.starts)
            log_probabilities[pairs.rows] = np.log(largest / sums)
            places = np.flatnonzero(~(exponentials < np.repeat(largest, pairs.lengths)))
            places = places[np.searchsorted(places, pairs.starts)]  # the first of equals
            words[pairs.rows] = self.classes.order[
                self.classes.starts[classes[pairs.rows]] + places - pairs.starts
            ]
        return log_probabilities, words

    def _gradients_within(
        self, hidden: Array, targets: Ids, d_hidden: Array
    ) -> tuple[float, dict[str, Array]]:
        """The loss and the gradients of the words within their classes; that for the hidden states
        is added to `d_hidden`.
        """
        pairs, places = self._target_pairs(targets)
        states = hidden[pairs.rows]
        exponentials, sums, right = self._exponentials(states, pairs, places)
        # as in the plain softmax, the division by the sums is left to the small arrays
        exponentials[places] -= sums
        shares = 1 / sums
        weighted = states * shares[:, np.newaxis]
        d_states = np.empty_like(states)
        gradients = {"output_weights": np.zeros_like(self.weights)}
        if self.bias is not None:
            gradients["output_bias"] = np.zeros_like(self.bias)
        for rows, words, scores in pairs.blocks:
            block = exponentials[scores].reshape(rows.stop - rows.start, -1)
            np.matmul(block, self.weights[words], out=d_states[rows])
            np.matmul(block.T, weighted[rows], out=gradients["output_weights"][words])
            if self.bias is not None:
                np.matmul(shares[rows], block, out=gradients["output_bias"][words])
        d_states *= shares[:, np.newaxis]
        d_hidden[pairs.rows] += d_states
        return float((np.log(sums) - right).sum(dtype=np.float64)), gradients

    def _exponentials(
        self, states: Array, pairs: _Pairs, places: Indices
    ) -> tuple[Array, Array, Array]:
        """exp(scores), their sums for each pair, and the scores at some places, one for each pair;
        all of them of each pair less the same number.

        The number is zero as long as the sums are safe, elsewhere it is the pair's largest score.
        """
        scores = self._scores(states, pairs)
        right = scores[places]
        with np.errstate(over="ignore"):
            exponentials = np.exp(scores, out=scores)
            sums = np.add.reduceat(exponentials, pairs.starts)
        if not are_safe(sums):
            scores = self._scores(states, pairs)
            largest = np.maximum.reduceat(scores, pairs.starts)
            right -= largest
            scores -= np.repeat(largest, pairs.lengths)
            exponentials = np.exp(scores, out=scores)
            sums = np.add.reduceat(exponentials, pairs.starts)
        return exponentials, sums, right

    def _scores(self, states: Array, pairs: _Pairs) -> Array:
        """The scores of all words that the pairs look at, one pair after the other."""
        scores = self.workspace.array("scores", (pairs.score_count,), states.dtype)
        for rows, words, places in pairs.blocks:
            block = scores[places].reshape(rows.stop - rows.start, -1)
            np.matmul(states[rows], self.weights[words].T, out=block)
            if self.bias is not None:
                block += self.bias[words]
        return scores

    def _target_pairs(self, targets: Ids) -> tuple[_Pairs, Indices]:
        """The pairs of those states whose next word does not stand alone, and the places of these
        words among the scores.
        """
        classes = self.classes.class_of[targets]
        pairs = self._pairs(classes)
        inside = self.classes.position[targets[pairs.rows]]
        return pairs, pairs.starts + inside - self.classes.starts[classes[pairs.rows]]

    def _pairs(self, classes: Indices) -> _Pairs:
        """The states' pairs, those left out whose class is a word alone.

        Args:
            classes: (rows,) the class that each state looks into.
        """
        sizes = self._sizes
        # NumPy sorts small integers in linear time
        rows = np.argsort(classes.astype(np.min_scalar_type(self.classes.count)), kind="stable")
        rows = rows[sizes[classes[rows]] > 0]
        lengths = sizes[classes[rows]]
        counts = np.bincount(classes[rows], minlength=self.classes.count)
        bounds = [
            np.concatenate([[0], np.cumsum(each)]).tolist()
            for each in (counts, sizes, counts * sizes)
        ]
        blocks = [
            _Block(*(slice(bound[number], bound[number + 1]) for bound in bounds))
            for number in np.flatnonzero(counts).tolist()
        ]
        return _Pairs(rows, lengths, np.cumsum(lengths) - lengths, blocks)

    def _chunks(self, hidden: Array) -> Iterator[slice]:
        """Rows to work on together, as many as find room whatever classes they look into."""
        largest = int(self._sizes.max(initial=1))
        return chunks(len(hidden), largest * hidden.itemsize)
