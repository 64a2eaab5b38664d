"""What is the least loss that sentences of a grammar allow?"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from unrolled.config.corpus_sections import GrammarConfig
from unrolled.corpus.grammars.derivation import (
    entropy_nats_per_sentence,
    entropy_nats_per_token,
    log_probabilities,
    mean_length,
)
from unrolled.corpus.grammars.grammar import Grammar, read_grammar
from unrolled.corpus.grammars.languages import agreement_of, agreements
from unrolled.storage import Cell, new_table, write_json
from unrolled.text.sentence_file import iterate_sentences

FLOOR = ["split", "sentence", "tokens", "log_probability"]
AGREEMENT = ["sentence", "position", "word", "distance", "log_probability"]


@dataclass(frozen=True)
class Parsed:
    """A sentence, and the logarithm of each word's probability under the grammar, the end last."""

    words: Sequence[str]
    log_probabilities: Sequence[float]


def run(
    config: GrammarConfig,
    grammar: Path | str,
    splits: Mapping[str, Path | str],
    floor: Path | str,
    agreement: Path | str,
    entropy: Path | str,
) -> None:
    """Write what the grammar itself gives each sentence, and what it must lose on average.

    Args:
        config: which words agree.
        grammar: its file.
        splits: the sentences of valid and test.
        floor: the table of sentences to write.
        agreement: the table of the test's agreeing words to write.
        entropy: the JSON file of the grammar's exact figures to write.

    Raises:
        DataError: a sentence is not one of the grammar.
    """
    rules = read_grammar(grammar)
    opening_of = agreement_of(config)
    with new_table(floor, FLOOR) as write_floor, new_table(agreement, AGREEMENT) as write_agreement:
        for split, path in splits.items():
            for number, sentence in enumerate(_parsed(rules, path), start=1):
                write_floor({"split": split, "sentence": number, **_floor(sentence)})
                for row in _agreement(sentence, opening_of) if split == "test" else ():
                    write_agreement({"sentence": number, **row})
    write_json(
        entropy,
        {
            "symbols": len(rules.rules),
            "words": len({found.word for rule in rules.rules.values() for found in rule}),
            "mean_words_per_sentence": mean_length(rules),
            "entropy_nats_per_sentence": entropy_nats_per_sentence(rules),
            "entropy_nats_per_token": entropy_nats_per_token(rules),
        },
    )


def _parsed(grammar: Grammar, path: Path | str) -> Iterator[Parsed]:
    return (
        Parsed(words, log_probabilities(grammar, words)) for _, words in iterate_sentences(path)
    )


def _floor(sentence: Parsed) -> dict[str, Cell]:
    return {
        "tokens": len(sentence.log_probabilities),
        "log_probability": sum(sentence.log_probabilities),
    }


def _agreement(sentence: Parsed, opening_of: Mapping[str, str]) -> Iterator[dict[str, Cell]]:
    """A row for each word of a sentence that agrees with another, without the sentence's number."""
    for found in agreements(sentence.words, opening_of):
        yield {
            "position": found.position + 1,
            "word": sentence.words[found.position],
            "distance": found.distance,
            "log_probability": sentence.log_probabilities[found.position],
        }
