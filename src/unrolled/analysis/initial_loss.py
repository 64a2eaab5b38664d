"""Does an untrained network know nothing? Its loss must be near that of guessing.

Small random weights make all words about as likely: the softmax begins near ln V nats per token.
With word classes all classes are about as likely, and all words of one class:

    ln C + the mean over the predicted words of ln (the number of words in its class)

A loss far above means that weights are too large or scores have a fault, one far below that the
network sees what it is to predict.
"""

import math
from dataclasses import dataclass

import numpy as np

from unrolled.model.network import Network
from unrolled.text.classes import WordClasses
from unrolled.text.dataset import Dataset
from unrolled.text.pairs import BLOCK
from unrolled.training.loop import mean_loss


@dataclass(frozen=True)
class InitialLoss:
    """Of an untrained network, in nats per token.

    Attributes:
        loss_nats_per_token: its own.
        of_guessing: that of one to which everything is as likely.
    """

    loss_nats_per_token: float
    of_guessing: float

    def passes(self, largest_difference: float) -> bool:
        """Whether the two are numbers and differ by no more than that."""
        return abs(self.loss_nats_per_token - self.of_guessing) <= largest_difference


def initial_loss(network: Network, dataset: Dataset) -> InitialLoss:
    """The loss of an untrained network on a split."""
    with np.errstate(all="ignore"):  # what is not finite does not pass
        loss = mean_loss(network, dataset)
    return InitialLoss(loss, guessing_loss(network.vocabulary_size, network.classes, dataset))


def guessing_loss(
    vocabulary_size: int, classes: WordClasses | None, dataset: Dataset, tokens: int = BLOCK
) -> float:
    """The loss of a split when all choices are as likely, in nats per token.

    Args:
        vocabulary_size: how many words there are.
        classes: of the words; None where each is a choice of its own.
        dataset: the split.
        tokens: so many are looked at together; sums of such blocks are added up exactly.
    """
    if classes is None:
        return math.log(vocabulary_size)
    of_word = np.log(np.bincount(classes.class_of)[classes.class_of])
    sums = (float(of_word[block.neighbours[1]].sum()) for block in dataset.blocks(tokens))
    return math.log(classes.count) + math.fsum(sums) / dataset.prediction_count
