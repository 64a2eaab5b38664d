"""Sentences drawn from a trained network."""

from dataclasses import dataclass, field

import numpy as np

from unrolled.config.sections import SamplingConfig
from unrolled.model.network import Network
from unrolled.text.vocabulary import END, START, UNKNOWN

NEVER_DRAWN = [START, UNKNOWN]


@dataclass
class Sample:
    """One sentence as drawn."""

    ids: list[int] = field(default_factory=list)
    """Without start and end."""
    log_probability: float = 0.0
    """The network's own, in nats: unmasked and at temperature 1, the end included where it came."""
    ended: bool = False
    """Whether the end was drawn; if not, the sentence was cut at its greatest length."""

    def append(self, word: int, log_probability: float) -> None:
        """Go on by a word that was drawn, or end."""
        self.log_probability += log_probability
        if word == END:
            self.ended = True
        else:
            self.ids.append(word)


def draw_sentences(
    network: Network, config: SamplingConfig, rng: np.random.Generator
) -> list[Sample]:
    """Sentences drawn word by word, all of them side by side, each by a generator of its own: more
    sentences leave the first ones as they are.

    The unknown word and the start are never drawn, the end not before `minimum_words`; the others'
    probabilities are scaled up.
    """
    rngs = rng.spawn(config.sentences)
    samples = [Sample() for _ in rngs]
    growing = list(range(len(samples)))
    words = np.full(len(samples), START, dtype=np.int32)
    state = None
    for length in range(config.maximum_words):
        state = network.step(words, state)
        barred = NEVER_DRAWN if length >= config.minimum_words else [*NEVER_DRAWN, END]
        hidden = state[:, : network.hidden_size]
        words, log_probabilities = network.output.draw(
            hidden, barred, config.temperature, [rngs[number] for number in growing]
        )
        for number, word, log_probability in zip(
            growing, words.tolist(), log_probabilities.tolist(), strict=True
        ):
            samples[number].append(word, log_probability)
        going_on = np.flatnonzero(words != END)
        if len(going_on) == 0:
            break
        growing = [growing[row] for row in going_on]
        words, state = words[going_on], state[going_on]
    return samples
