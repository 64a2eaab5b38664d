"""How much each word of a sentence surprises a network, and what it had expected instead.

The surprisal of a word is -log P(word | the words before it), here in nats: what the word adds to
the loss. The mean over all words and ends of a split is its cross-entropy.

Source: Hale, A Probabilistic Earley Parser as a Psycholinguistic Model (2001), for the measure.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unrolled.model.network import Network
from unrolled.model.packing import pack
from unrolled.text.vocabulary import Ids

GUESSES = 5
"""How many words are told that a network holds likeliest."""


@dataclass(frozen=True)
class Prediction:
    """What a network expected at one place, and what came."""

    token: int
    """Id of what came."""
    surprisal: float
    """-log P(token | all before it), in nats."""
    guesses: Sequence[tuple[int, float]]
    """Ids and their probabilities, the likeliest first, equals by id."""


def predictions(network: Network, ids: Ids, guesses: int = GUESSES) -> list[Prediction]:
    """A prediction for each word of a sentence and for its end; the state begins with zeros.

    No id is left out of the guesses. A start never follows, but the network gives it a probability
    like any other, and where that is among the largest, it is told.

    Args:
        network: of any cell and any output layer.
        ids: (length + 2,) of the sentence, with its start and its end.
        guesses: how many, 0 or more; of a smaller vocabulary, all words.

    Raises:
        DataError: an id is not one of the vocabulary, or there are fewer than two.
    """
    forward = network.forward(pack([ids]))
    log_probabilities = network.output.log_probabilities(forward.hidden).astype(np.float64)
    # (length + 1, guesses); stable, so that equals stay in the order of their ids
    likeliest = np.argsort(-log_probabilities, axis=1, kind="stable")[:, :guesses]
    return [
        _prediction(int(token), row, places)
        for token, row, places in zip(ids[1:], log_probabilities, likeliest, strict=True)
    ]


def _prediction(
    token: int, log_probabilities: NDArray[np.float64], likeliest: NDArray[np.int64]
) -> Prediction:
    return Prediction(
        token,
        surprisal=float(0 - log_probabilities[token]),  # a mere minus would make -0.0 of certainty
        guesses=list(
            zip(likeliest.tolist(), np.exp(log_probabilities[likeliest]).tolist(), strict=True)
        ),
    )


def chosen_sentences(
    lengths: Sequence[int], count: int, least: int = 6, most: int = 24
) -> list[int]:
    """Indices of so many sentences, ascending, evenly spread over those of a readable length.

    Where fewer than `count` have such a length, they are spread over all sentences; where there are
    fewer than `count` at all, every one is chosen.

    Args:
        lengths: of each sentence of a split, in words.
        count: how many are wanted.
        least: in shorter ones a network has little to go by.
        most: longer ones are tiring to read word by word.
    """
    readable = [index for index, length in enumerate(lengths) if least <= length <= most]
    choice = readable if len(readable) >= count else range(len(lengths))
    # steps of one or more, so that no two places are rounded to the same
    places = np.linspace(0, len(choice) - 1, min(count, len(choice))).round().astype(int)
    return [choice[place] for place in places.tolist()]
