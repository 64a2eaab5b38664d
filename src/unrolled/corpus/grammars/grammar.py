"""Probabilistic grammars whose every sentence has one derivation and one probability.

A rule of a symbol has alternatives; each is one word, followed by symbols or by nothing. The
alternatives of a symbol begin with different words. So a sentence is read from left to right
without ever looking ahead: the word that stands there says which alternative was taken. Such
grammars are called simple deterministic.

Source: Korenjak & Hopcroft, Simple Deterministic Languages (1966).
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unrolled.errors import ConfigError
from unrolled.storage import read_text

GRAMMAR_FILE = "grammar.txt"
"""The name of a grammar among the files of a corpus."""

SUM_TOLERANCE = 1e-9
"""How far the probabilities of a symbol's alternatives may add up to something else than 1."""

MOST_WORDS = 1_000_000
"""How long sentences may be on average."""

MOST_SYMBOLS = 2_000
"""How many symbols there may be, since their matrix must find room."""


@dataclass(frozen=True)
class Alternative:
    """One of the ways to go on from a symbol."""

    word: str
    symbols: tuple[str, ...]
    """What follows the word."""
    probability: float


@dataclass(frozen=True)
class Grammar:
    """Rules from which sentences are derived.

    Attributes:
        start: the symbol that a sentence is derived from.
        rules: the alternatives of each symbol.
    """

    start: str
    rules: Mapping[str, Sequence[Alternative]]


def expected_totals(grammar: Grammar, amounts: Sequence[float]) -> NDArray[np.float64]:
    """(symbols,) what a whole derivation from each symbol amounts to, on average.

    With M the expected number of symbols that one of each brings, it is (I - M)⁻¹ a.

    Args:
        grammar: its rules.
        amounts: a, (symbols,) what each symbol itself adds, in the order of the rules.

    Raises:
        numpy.linalg.LinAlgError: there is no such amount, as derivations do not end.
    """
    own = np.array(amounts, dtype=np.float64)
    solved = np.linalg.solve(np.eye(len(own)) - _expected_symbols(grammar), own)
    return solved.astype(np.float64)  # as it is already


def read_grammar(path: Path | str) -> Grammar:
    """The grammar of a file, which is sound.

    Raises:
        ConfigError: it is not; the message names the symbol.
        DataError: the file is missing or not UTF-8.
    """
    return parse_grammar(read_text(path).removeprefix("\ufeff"), str(path))


def parse_grammar(text: str, name: str) -> Grammar:
    """The grammar of a text in NLTK's notation, which is sound; the first rule's symbol is the
    start, where no `%start` names another.

        S -> 'a' X [0.5] | 'b' [0.5]

    Args:
        text: rules, one a line.
        name: of the grammar, for messages.

    Raises:
        ConfigError: as `check_grammar`, or the text is not in the notation.
    """
    # Loading NLTK is a tenth of what a call of snakemake takes, and few have rules to read.
    from nltk import grammar as notation

    try:
        start, productions = notation.read_grammar(
            text, notation.standard_nonterm_parser, probabilistic=True
        )
    except ValueError as error:
        raise ConfigError(f"{name}: {' '.join(str(error).split())}") from None
    rules: dict[str, list[Alternative]] = {}
    for production in productions:
        symbol, right = str(production.lhs()), production.rhs()
        alternatives = rules.setdefault(symbol, [])
        alternatives.append(_alternative(symbol, right, production.prob(), name))
    grammar = Grammar(str(start), rules)
    check_grammar(grammar, name)
    return grammar


def grammar_text(grammar: Grammar) -> str:
    """The grammar in NLTK's notation, which `parse_grammar` reads back as it was."""
    others = (symbol for symbol in grammar.rules if symbol != grammar.start)
    return "".join(
        f"{symbol} -> {' | '.join(map(_shown, grammar.rules[symbol]))}\n"
        for symbol in (grammar.start, *others)
    )


def check_grammar(grammar: Grammar, name: str) -> None:
    """Return only if every sentence ends, and has one derivation of a probability that is known.

    Args:
        grammar: any rules.
        name: of the grammar, for messages.

    Raises:
        ConfigError: a symbol has no rules or is never reached, alternatives of one begin alike,
            probabilities are none or do not add up, or sentences do not end.
    """
    for symbol, alternatives in grammar.rules.items():
        _check_alternatives(symbol, alternatives, name)
    _check_symbols(grammar, name)
    if len(grammar.rules) > MOST_SYMBOLS:
        raise ConfigError(
            f"{name}: there may be at most {MOST_SYMBOLS} symbols (got {len(grammar.rules)})"
        )
    _check_ends(grammar, name)


def _alternative(
    symbol: str, right: Sequence[object], probability: float, name: str
) -> Alternative:
    if not right or not isinstance(right[0], str):
        found = f"'{right[0]}'" if right else "nothing"
        raise ConfigError(
            f"{name}: every alternative of '{symbol}' must begin with a word in quotes"
            f" (got one that begins with {found})"
        )
    word, *following = right
    for part in following:
        if isinstance(part, str):
            raise ConfigError(
                f"{name}: after its first word an alternative of '{symbol}' must hold symbols"
                f" (got the word '{part}'; give it a symbol of its own)"
            )
    return Alternative(str(word), tuple(map(str, following)), probability)


def _check_alternatives(symbol: str, alternatives: Sequence[Alternative], name: str) -> None:
    if not alternatives:
        raise ConfigError(f"{name}: '{symbol}' must have an alternative (found none)")
    for alternative in alternatives:
        word, probability = alternative.word, alternative.probability
        if not word or word.split() != [word]:
            raise ConfigError(
                f"{name}: a word of '{symbol}' must hold letters and no white space (got {word!r})"
            )
        if not (math.isfinite(probability) and probability > 0):
            raise ConfigError(
                f"{name}: the probability of '{word}' after '{symbol}' must be above 0"
                f" (got {probability})"
            )
    word, count = Counter(alternative.word for alternative in alternatives).most_common(1)[0]
    if count > 1:
        raise ConfigError(
            f"{name}: the alternatives of '{symbol}' must begin with different words"
            f" ('{word}' begins {count} of them)"
        )
    total = math.fsum(alternative.probability for alternative in alternatives)
    if abs(total - 1) > SUM_TOLERANCE:
        raise ConfigError(
            f"{name}: the probabilities of '{symbol}' must add up to 1 (got {total:.12g})"
        )


def _check_symbols(grammar: Grammar, name: str) -> None:
    """Refuse symbols that are used and not explained, or explained and not used."""
    if grammar.start not in grammar.rules:
        raise ConfigError(f"{name}: the start '{grammar.start}' must have a rule (found none)")
    reached, waiting = {grammar.start}, [grammar.start]
    while waiting:
        symbol = waiting.pop()
        for alternative in grammar.rules[symbol]:
            for following in alternative.symbols:
                if following not in grammar.rules:
                    raise ConfigError(
                        f"{name}: '{following}', which follows '{alternative.word}' in a rule of"
                        f" '{symbol}', must have a rule of its own (found none)"
                    )
                if following not in reached:
                    reached.add(following)
                    waiting.append(following)
    for symbol in grammar.rules:
        if symbol not in reached:
            raise ConfigError(
                f"{name}: '{symbol}' must be reached from '{grammar.start}' (no rule leads to it)"
            )


def _check_ends(grammar: Grammar, name: str) -> None:
    """Refuse rules by which symbols multiply as fast as they are used up, or faster.

    Derivations are finite on average if and only if the expected numbers of words solve their
    equations and none of them is below the one word that a symbol brings by itself.

    Source: Booth & Thompson, Applying Probability Measures to Abstract Languages (1973).
    """
    try:
        words = expected_totals(grammar, [1.0] * len(grammar.rules))
    except np.linalg.LinAlgError:
        words = np.array([math.inf])
    if not (words.min() >= 1 - SUM_TOLERANCE and words.max() <= MOST_WORDS):
        growth = float(np.abs(np.linalg.eigvals(_expected_symbols(grammar))).max())
        raise ConfigError(
            f"{name}: sentences must end, after at most {MOST_WORDS:,} words on average; here each"
            f" round of rules leaves {growth:.9g} times as many symbols (raise the probability of"
            " alternatives with fewer symbols)"
        )


def _expected_symbols(grammar: Grammar) -> NDArray[np.float64]:
    """(symbols, symbols) how many of each symbol an alternative of each brings on average."""
    place = {symbol: number for number, symbol in enumerate(grammar.rules)}
    expected = np.zeros((len(place), len(place)))
    for symbol, alternatives in grammar.rules.items():
        for alternative in alternatives:
            for following in alternative.symbols:
                expected[place[symbol], place[following]] += alternative.probability
    return expected


def _shown(alternative: Alternative) -> str:
    quote = '"' if "'" in alternative.word else "'"
    # positional, since NLTK reads no exponents; with as many digits as tell it from all others
    probability = np.format_float_positional(alternative.probability)
    parts = [f"{quote}{alternative.word}{quote}", *alternative.symbols, f"[{probability}]"]
    return " ".join(parts)
