"""What jobs ask a cluster for, worked out from the configuration: memory and time.

No result depends on it, and nothing on one's own machine is limited by it. A job that was ended for
want of memory or time asks for as much again at its next attempt, and training then goes on where
it was. The estimates are therefore to be enough mostly, not always.

What no configuration says is how long the text is, and jobs ask before it is there. Training is
taken to have TOKENS to learn from, and what goes through the whole text TEXT_MINUTES to do it.
"""

import math
from collections.abc import Mapping
from typing import Any

from unrolled.config.sections import ClassesConfig
from unrolled.config.sweep import Run
from unrolled.model.initialisation import parameter_shapes
from unrolled.model.output.softmax import CHUNK_BYTES

TOKENS = 2_000_000
"""In the training split: as many as WikiText-2 has."""

SMALL_MB = 700
"""What a job needs before it does anything: Snakemake twice, to start the job on its node and to
run it, and Python with what is imported; each of the three takes some 140 MB.
"""

TEXT_MB = 2000
"""For what goes through the text, in bounded memory, or counts in arrays of its length."""

SHORT_MINUTES = 10
"""For what takes seconds: a shared file system may be slow to import from."""

TEXT_MINUTES = 30
"""For what goes through the text, from bytes to ids."""

RUN_MB = 0.2
"""What the pictures of a sweep hold of each run, at most: those of 2,000 held 432 MB in all."""

RUN_SECONDS = 0.1
"""What they take for each on a slow core: three times what was measured of 2,000."""

TOKENS_PER_SECOND = 20_000
"""Of the smallest network on a slow core, where nothing but Python's own work counts."""

OPERATIONS_PER_SECOND = 5e9
"""Of products on a slow core in single precision: a sixth or less of what fast ones make."""

OPERATIONS_PER_WEIGHT = 6
"""A multiplication and an addition on the way forward, and twice as many on the way back."""

NUMBER_BYTES = {"single": 4, "double": 8}

AVERAGES = {"sgd": 0, "momentum": 1, "adam": 2, "adam_and_sgd": 2}
"""How many numbers an optimiser keeps for each weight, at most."""


def training_mb(run: Run, vocabulary_size: int) -> int:
    """Memory to train a run, in MB, and to measure it, for which fewer copies do."""
    copies = copies_in_training(run.training["optimiser"])
    return _with_weights_mb(run.model, vocabulary_size, copies)


def copies_in_training(optimiser: str) -> int:
    """How often memory holds as many numbers as there are weights, at most: the weights, the best
    of them so far and what the optimiser keeps, all of it twice while a checkpoint is read; and the
    gradient.
    """
    return 2 * (2 + AVERAGES[optimiser]) + 1


def model_mb(model: Mapping[str, Any], vocabulary_size: int) -> int:
    """Memory to use a network in any other way, in MB: for its weights, a gradient, and a copy."""
    return _with_weights_mb(model, vocabulary_size, 3)


def sweep_mb(runs: int) -> int:
    """Memory to go through the results of so many runs, in MB."""
    return SMALL_MB + math.ceil(RUN_MB * runs)


def sweep_minutes(runs: int) -> int:
    """Time to go through the results of so many runs, in minutes."""
    return SHORT_MINUTES + math.ceil(RUN_SECONDS * runs / 60)


def training_minutes(run: Run, vocabulary_size: int, classes: ClassesConfig) -> int:
    """Time to train a run on TOKENS tokens and to measure it, in minutes; all that is no
    training is taken to be done within SHORT_MINUTES.
    """
    weights = _weights_per_token(run.model, vocabulary_size, classes)
    in_single = NUMBER_BYTES[run.model["precision"]] / NUMBER_BYTES["single"]
    seconds = 1 / TOKENS_PER_SECOND
    seconds += in_single * OPERATIONS_PER_WEIGHT * weights / OPERATIONS_PER_SECOND
    tokens = int(run.training["epochs"]) * TOKENS
    return SHORT_MINUTES + math.ceil(tokens * seconds / 60)


def _with_weights_mb(model: Mapping[str, Any], vocabulary_size: int, copies: int) -> int:
    # logits, what the softmax makes of them, and what is left over of one before
    working = 3 * CHUNK_BYTES
    weights = sum(map(math.prod, _shapes(model, vocabulary_size).values()))
    room = copies * weights * NUMBER_BYTES[model["precision"]] + working
    return SMALL_MB + math.ceil(room / 1e6)


def _weights_per_token(
    model: Mapping[str, Any], vocabulary_size: int, classes: ClassesConfig
) -> int:
    """How many weights take part in the prediction of one word."""
    rows = vocabulary_size
    if model["output"] == "classes":
        count = classes.count or math.isqrt(vocabulary_size)
        # all classes, and the words of one
        rows = classes.words_alone + count + math.ceil(vocabulary_size / count)
    recurrent = math.prod(_shapes(model, vocabulary_size)["recurrent_weights"])
    return recurrent + rows * int(model["hidden_size"])


def _shapes(model: Mapping[str, Any], vocabulary_size: int) -> Mapping[str, tuple[int, ...]]:
    """Those of a plain softmax; classes add weights for their number, which is small."""
    return parameter_shapes(
        model["cell"],
        vocabulary_size,
        model["hidden_size"],
        model["bias"],
        model["tied_weights"],
    )
