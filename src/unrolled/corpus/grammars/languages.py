"""Languages in which the last word agrees with the first, over a distance that is known.

In both a sentence is one of some opening words, fillers, and the closing word that belongs to the
opening one. Fillers follow Zipf's law: the r-th is 1/r times as frequent as the first.

countdown: how many fillers there are is decided after the opening word, and each position before
the end has fillers of its own. Nothing needs to be counted: but for the agreement, each word says
all about the next. What must be carried over the fillers is the opening word alone, and nothing on
the way asks for it.

geometric: after each filler the closing word comes with the same probability. It is possible at
every step, so at every step something is to be gained by knowing the opening word. With a cue a
word that does nothing else comes before the closing one: only there is the opening word asked for.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from unrolled.config.corpus_sections import GrammarConfig
from unrolled.corpus.grammars.grammar import (
    MOST_SYMBOLS,
    Alternative,
    Grammar,
    check_grammar,
    read_grammar,
)
from unrolled.errors import ConfigError

START = "S"
CUE = "cue"


@dataclass(frozen=True)
class Agreement:
    """A word that agrees with an earlier one.

    Attributes:
        position: its index in the sentence.
        distance: how many words lie between the two.
    """

    position: int
    distance: int


def language(config: GrammarConfig) -> Grammar:
    """The grammar that the configuration asks for, which is sound.

    Raises:
        ConfigError: it is not, or a word that is to agree is not one of its words.
        DataError: the file of rules cannot be read.
    """
    if config.language == "countdown":
        return countdown(config.markers, config.distances, config.fillers)
    if config.language == "geometric":
        return geometric(config.markers, config.fillers, config.stop_probability, config.cue)
    grammar = read_grammar(Path(config.path or ""))
    _check_agreement(grammar, config)
    return grammar


def agreement_of(config: GrammarConfig) -> Mapping[str, str]:
    """The closing words of the language, and the opening word that each agrees with."""
    if config.language == "file":
        return config.agreement or {}
    return {_closing(number): _opening(number) for number in _numbers(config.markers)}


def agreements(words: Sequence[str], opening_of: Mapping[str, str]) -> list[Agreement]:
    """The agreeing words of a sentence: those that close and whose opening word stands before, the
    nearest one if it stands there twice.
    """
    last_seen: dict[str, int] = {}
    found = []
    for position, word in enumerate(words):
        opened = last_seen.get(opening_of.get(word, ""))
        if opened is not None:
            found.append(Agreement(position, position - opened - 1))
        last_seen[word] = position
    return found


def countdown(markers: int, distances: Sequence[int], fillers: int) -> Grammar:
    """S -> aᵢ Kᵢ, all i being as likely; Kᵢ -> w Xᵢ,ₖ₋₁ for w in class Fₖ, all distances k being as
    likely; Xᵢ,ⱼ -> w Xᵢ,ⱼ₋₁ for w in class Fⱼ; Xᵢ,₀ -> bᵢ.

    Args:
        markers: pairs of opening and closing words.
        distances: how many fillers there may be, 1 or more, each once.
        fillers: words a class.
    """
    _require_room(1 + markers * (max(distances) + 1))
    rules = {START: _openings(markers)}
    shares = _zipf(fillers)

    def class_of(marker: int, left: int, probability: float) -> list[Alternative]:
        """A filler of the class for so many fillers left, itself included."""
        following = (f"X{marker}_{left - 1}",)
        return [
            Alternative(f"f{left}.{rank}", following, probability * share)
            for rank, share in enumerate(shares, start=1)
        ]

    for marker in _numbers(markers):
        rules[f"K{marker}"] = [
            alternative
            for distance in sorted(distances)
            for alternative in class_of(marker, distance, 1 / len(distances))
        ]
        for left in range(max(distances) - 1, 0, -1):
            rules[f"X{marker}_{left}"] = class_of(marker, left, 1.0)
        rules[f"X{marker}_0"] = [Alternative(_closing(marker), (), 1.0)]
    return _checked(Grammar(START, rules), "countdown")


def geometric(markers: int, fillers: int, stop_probability: float, cue: bool) -> Grammar:
    """S -> aᵢ Kᵢ, all i being as likely; Kᵢ -> w Kᵢ, or bᵢ with the probability to stop; with a cue
    Kᵢ -> c Cᵢ instead, and Cᵢ -> bᵢ.

    Args:
        markers: pairs of opening and closing words.
        fillers: how many words may stand between.
        stop_probability: between 0 and 1.
        cue: whether a word announces the closing one.
    """
    rules = {START: _openings(markers)}
    for marker in _numbers(markers):
        closing = _closing(marker)
        word, following = (CUE, (f"C{marker}",)) if cue else (closing, ())
        rules[f"K{marker}"] = [
            Alternative(f"f{rank}", (f"K{marker}",), (1 - stop_probability) * share)
            for rank, share in enumerate(_zipf(fillers), start=1)
        ]
        rules[f"K{marker}"].append(Alternative(word, following, stop_probability))
        if cue:
            rules[f"C{marker}"] = [Alternative(closing, (), 1.0)]
    return _checked(Grammar(START, rules), "geometric")


def _require_room(symbols: int) -> None:
    """Refuse a language that has too many symbols, before they are made."""
    if symbols > MOST_SYMBOLS:
        raise ConfigError(
            f"grammar.markers and grammar.distances must make at most {MOST_SYMBOLS} symbols, one"
            f" for each marker and position (got {symbols})"
        )


def _openings(markers: int) -> list[Alternative]:
    return [
        Alternative(_opening(number), (f"K{number}",), 1 / markers) for number in _numbers(markers)
    ]


def _numbers(markers: int) -> range:
    return range(1, markers + 1)


def _opening(number: int) -> str:
    return f"open{number}"


def _closing(number: int) -> str:
    return f"close{number}"


def _zipf(count: int) -> list[float]:
    """Probabilities in proportion to 1, 1/2, 1/3, ..."""
    weights = [1 / rank for rank in range(1, count + 1)]
    total = math.fsum(weights)  # exact, so that no machine draws other sentences
    return [weight / total for weight in weights]


def _checked(grammar: Grammar, name: str) -> Grammar:
    check_grammar(grammar, name)
    return grammar


def _check_agreement(grammar: Grammar, config: GrammarConfig) -> None:
    """Refuse agreement of words that the user's grammar does not have."""
    words = {found.word for alternatives in grammar.rules.values() for found in alternatives}
    for closing, opening in (config.agreement or {}).items():
        for word in (closing, opening):
            if word not in words:
                raise ConfigError(
                    f"grammar.agreement must name words of {config.path} (found no '{word}' there)"
                )
