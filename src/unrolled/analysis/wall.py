"""What a network writes at some stage of its training, to be set beside other stages.

At each look, and at each temperature, the same generator draws: only what the network has learned
and the temperature make the sentences differ.
"""

import math
from collections.abc import Mapping

import numpy as np

from unrolled.analysis.sampling import Sample, draw_sentences
from unrolled.config.sections import SamplingConfig, Unit
from unrolled.model.network import Network

TEMPERATURES = (0.5, 0.8, 1.1)
"""A cautious one, the usual one, and one that evens out what the network has learned."""

SENTENCES = 2
"""At each temperature."""

LENGTHS: Mapping[Unit, tuple[int, int]] = {"word": (5, 24), "character": (25, 120)}
"""Least and most tokens of a sentence; the most is about a line of the page."""

SEED = 1


def looks(evaluations: int) -> set[int]:
    """At which evaluations of a run sentences are drawn: of the untrained network, at the first one
    in training and at the geometric middle, as most is learned early. The last is never one of
    them: at the end sentences are drawn from the best parameters.

    Args:
        evaluations: how many are planned, that of the untrained network, number 0, not counted.
    """
    return {look for look in (0, 1, round(math.sqrt(evaluations))) if look < evaluations}


def wall_sentences(network: Network, unit: Unit) -> dict[float, list[Sample]]:
    """By temperature, the sentences of such units that the network writes; it stays as it is.

    A network that is about to diverge may have parameters that are no numbers for words outside the
    validation split. A sentence whose probability is no number is left out.
    """
    with np.errstate(all="ignore"):
        drawn = {
            temperature: draw_sentences(
                network,
                SamplingConfig(SENTENCES, temperature, *LENGTHS[unit], SEED),
                np.random.default_rng(SEED),
            )
            for temperature in TEMPERATURES
        }
    return {
        temperature: [sample for sample in samples if math.isfinite(sample.log_probability)]
        for temperature, samples in drawn.items()
    }
