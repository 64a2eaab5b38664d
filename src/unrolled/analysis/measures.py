"""What a loss amounts to."""

import math


def perplexity(loss_nats_per_token: float) -> float:
    """exp(loss): among how many equally likely words the model is as lost; infinite where exp would
    overflow.
    """
    try:
        return math.exp(loss_nats_per_token)
    except OverflowError:
        return math.inf
