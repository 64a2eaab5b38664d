"""What a loss amounts to."""

import math


def perplexity(loss_nats_per_token: float) -> float:
    """exp(loss): among how many equally likely words the model is as lost.

    Infinite where exp would overflow; to nine decimals, so that exp(ln V) is V again.
    """
    try:
        return round(math.exp(loss_nats_per_token), 9)
    except OverflowError:
        return math.inf
