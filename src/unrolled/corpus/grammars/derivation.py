"""What a grammar says: the sentences that are drawn from it, their probabilities, their entropy."""

import bisect
import itertools
import math
from collections.abc import Iterator, Sequence

import numpy as np

from unrolled.corpus.grammars.grammar import Alternative, Grammar, expected_totals
from unrolled.errors import DataError

BLOCK = 4096
"""How many random numbers are drawn at once; which they are does not depend on it."""


def entropy_nats_per_sentence(grammar: Grammar) -> float:
    """The mean of -log P of a sentence, exactly.

    Each symbol adds the entropy of its choice as often as it is expected to occur:
    H = (I - M)⁻¹ h at the start, M being the expected symbols and h the entropies.

    Source: Grenander, Syntax-Controlled Probabilities (1967).
    """
    choices = [
        math.fsum(-found.probability * math.log(found.probability) for found in alternatives)
        for alternatives in grammar.rules.values()
    ]
    return _expected(grammar, choices)


def mean_length(grammar: Grammar) -> float:
    """The mean number of words in a sentence, its end not counted; exactly, as each symbol brings
    one word.
    """
    return _expected(grammar, [1.0] * len(grammar.rules))


def entropy_nats_per_token(grammar: Grammar) -> float:
    """The least loss that is possible in the long run; a sentence's end is a token."""
    return entropy_nats_per_sentence(grammar) / (mean_length(grammar) + 1)


def log_probabilities(grammar: Grammar, words: Sequence[str]) -> list[float]:
    """The logarithm of each word's probability, given those before it, in nats; the end last.

    The end is certain where no symbol waits, and impossible elsewhere.

    Raises:
        DataError: the sentence is not one of the grammar; the message names the word.
    """
    waiting = [grammar.start]
    found = []
    for number, word in enumerate(words, start=1):
        symbol = waiting.pop() if waiting else None
        alternative = _alternative(grammar, symbol, word)
        if alternative is None:
            raise DataError(_misfit(grammar, words, number, symbol))
        found.append(math.log(alternative.probability))
        waiting += reversed(alternative.symbols)
    if waiting:
        raise DataError(
            f"the sentence '{' '.join(words)}' ends too early: the grammar goes on with"
            f" '{waiting[-1]}'"
        )
    return [*found, 0.0]


def draw_sentences(grammar: Grammar, count: int, rng: np.random.Generator) -> Iterator[list[str]]:
    """Sentences, each word drawn by one random number: the first ones are the same however many are
    drawn.
    """
    numbers = _random_numbers(rng)
    limits = {
        symbol: list(itertools.accumulate(found.probability for found in alternatives))[:-1]
        for symbol, alternatives in grammar.rules.items()
    }
    for _ in range(count):
        words: list[str] = []
        waiting = [grammar.start]
        while waiting:
            symbol = waiting.pop()
            # the last alternative takes all that is left, whatever rounding makes of the sum
            chosen = grammar.rules[symbol][bisect.bisect(limits[symbol], next(numbers))]
            words.append(chosen.word)
            waiting += reversed(chosen.symbols)
        yield words


def _expected(grammar: Grammar, amounts: Sequence[float]) -> float:
    """What a whole sentence amounts to on average, each symbol adding so much."""
    totals = expected_totals(grammar, amounts)
    return float(totals[list(grammar.rules).index(grammar.start)])


def _alternative(grammar: Grammar, symbol: str | None, word: str) -> Alternative | None:
    alternatives = grammar.rules[symbol] if symbol is not None else ()
    return next((found for found in alternatives if found.word == word), None)


def _misfit(grammar: Grammar, words: Sequence[str], number: int, symbol: str | None) -> str:
    sentence = f"the sentence '{' '.join(words)}' is not one of the grammar: word {number},"
    if symbol is None:
        return f"{sentence} '{words[number - 1]}', comes after its end"
    allowed = [found.word for found in grammar.rules[symbol]]
    shown = ", ".join(allowed[:8]) + (", ..." if len(allowed) > 8 else "")
    return f"{sentence} '{words[number - 1]}', is none of those of '{symbol}': {shown}"


def _random_numbers(rng: np.random.Generator) -> Iterator[float]:
    while True:
        yield from rng.random(BLOCK).tolist()
