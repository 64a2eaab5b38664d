"""What stands between a network's hidden states and the probabilities of words."""

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from unrolled.model.types import Array, Gradients
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
    parameters: Gradients


class OutputLayer(Protocol):
    """A distribution over all words, given hidden states; one row for each prediction."""

    def log_probabilities(self, hidden: Array) -> Array:
        """Logarithms of the probabilities of all words, (rows, vocabulary).

        Args:
            hidden: (rows, hidden).
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
