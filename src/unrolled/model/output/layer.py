"""What stands between a network's hidden states and the probabilities of words."""

from collections.abc import Collection, Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from unrolled.model.types import Array
from unrolled.text.vocabulary import Ids


class OutputGradients(NamedTuple):
    """What an output layer hands back.

    Attributes:
        loss: in nats, summed over all rows.
        d_hidden: (rows, hidden), its gradient for the hidden states.
        parameters: its gradients for the layer's own parameters, by name.
    """

    loss: float
    d_hidden: Array
    parameters: dict[str, Array]


class DrawnWords(NamedTuple):
    """Words that were drawn.

    Attributes:
        ids: (rows,) theirs.
        log_probabilities: (rows,) the network's own, in nats, whatever was barred and whatever the
            temperature.
    """

    ids: Ids
    log_probabilities: NDArray[np.float64]


class OutputLayer(Protocol):
    """A distribution over all words, given hidden states; one row for each prediction."""

    def log_probabilities(self, hidden: Array) -> Array:
        """Logarithms of the probabilities of all words, (rows, vocabulary).

        Args:
            hidden: (rows, hidden).
        """

    def losses(self, hidden: Array, targets: Ids) -> Array:
        """The loss of each prediction in nats, (rows,).

        Args:
            hidden: (rows, hidden).
            targets: (rows,) ids.
        """

    def losses_and_hits(self, hidden: Array, targets: Ids) -> tuple[Array, NDArray[np.bool_]]:
        """The loss of each prediction in nats, and whether the first guess was right; (rows,) both.

        Args:
            hidden: (rows, hidden).
            targets: (rows,) ids.
        """

    def loss_and_gradients(self, hidden: Array, targets: Ids) -> OutputGradients:
        """The summed loss, and its gradients for the hidden states and the layer's parameters.

        Args:
            hidden: (rows, hidden).
            targets: (rows,) ids.
        """

    def draw(
        self,
        hidden: Array,
        barred: Collection[int],
        temperature: float,
        rngs: Sequence[np.random.Generator],
    ) -> DrawnWords:
        """A word for each row, by chance.

        Args:
            hidden: (rows, hidden).
            barred: ids that are never drawn, at least one word being left; the probabilities of the
                others are scaled up.
            temperature: above 0; below 1 prefers likely words, above 1 evens them out.
            rngs: for each row one, by which it draws.
        """
