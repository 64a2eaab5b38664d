"""A process that holds one contender and measures it whenever it is asked.

Called with a contender's name, a setting as JSON and, for faster-rnnlm, its binary. It reads a line
for each measurement and answers with one of JSON: `rate`, tokens a second, and `memory_mb`, the
most held beyond the imports. The contender `peak` is a product of square matrices; its rate is
operations a second.
"""

import json
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

import faster_rnnlm
from contenders import CONTENDERS
from settings import Setting

SQUARE = 1024
"""Size of the matrices whose product gives the peak."""

LEAST_SECONDS = 0.15
"""A measurement goes through the sentences again and again for so long: as long as the softmax
needs for them once. For what is fast, the clock and cold caches would rule otherwise.
"""


def peak(setting: Setting) -> Callable[[], float]:
    """Operations a second."""
    matrix = np.random.default_rng(1).random((SQUARE, SQUARE)).astype(setting.dtype)
    result = np.empty_like(matrix)

    def measure() -> float:
        began = time.perf_counter()
        for _ in range(3):
            np.matmul(matrix, matrix, out=result)
        return 3 * 2 * SQUARE**3 / (time.perf_counter() - began)

    return measure


def throughput(contender: str, setting: Setting) -> Callable[[], float]:
    """Tokens a second."""
    subject = CONTENDERS[contender](setting)
    sentences = setting.batches()
    batches = [subject.prepared(some) for some in sentences]
    tokens = sum(len(sentence) - 1 for some in sentences for sentence in some)
    subject.step(batches[0])

    def measure() -> float:
        began = time.perf_counter()
        seconds, passes = 0.0, 0
        while seconds < LEAST_SECONDS:
            for batch in batches:
                subject.step(batch)
            seconds, passes = time.perf_counter() - began, passes + 1
        return passes * tokens / seconds

    return measure


def memory_mb(who: int) -> float:
    """The most that this process, or one that it has called, has held so far."""
    return resource.getrusage(who).ru_maxrss / 1024


def main() -> None:
    contender, setting = sys.argv[1], Setting(**json.loads(sys.argv[2]))
    who = resource.RUSAGE_SELF
    if contender.startswith("torch"):
        # PyTorch imports much at its first step
        throughput(contender, replace(setting, hidden_size=2, vocabulary_size=10))
    if contender == faster_rnnlm.NAME:
        who = resource.RUSAGE_CHILDREN
    imports = memory_mb(who)
    if contender == "peak":
        measure = peak(setting)
    elif contender == faster_rnnlm.NAME:
        measure = faster_rnnlm.throughput(Path(sys.argv[3]), setting)
    else:
        measure = throughput(contender, setting)
    for _ in sys.stdin:
        answer = {"rate": measure(), "memory_mb": memory_mb(who) - imports}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
