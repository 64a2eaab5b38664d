"""What is the least loss that sentences of a grammar allow?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from unrolled.config.sections import GrammarConfig
from unrolled.corpus.derivation import (
    entropy_nats_per_sentence,
    entropy_nats_per_token,
    log_probabilities,
    mean_length,
)
from unrolled.corpus.grammar import Grammar, read_grammar
from unrolled.corpus.languages import agreement_of, agreements
from unrolled.storage import Cell, write_json, write_tsv
from unrolled.text.sentence_file import read_sentences

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
    parsed = {split: _parsed(rules, path) for split, path in splits.items()}
    write_tsv(floor, FLOOR, _floor(parsed))
    write_tsv(agreement, AGREEMENT, _agreement(parsed["test"], agreement_of(config)))
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


def _parsed(grammar: Grammar, path: Path | str) -> list[Parsed]:
    return [
        Parsed(words, log_probabilities(grammar, words))
        for document in read_sentences(path)
        for words in document
    ]


def _floor(parsed: Mapping[str, Sequence[Parsed]]) -> list[dict[str, Cell]]:
    return [
        {
            "split": split,
            "sentence": number,
            "tokens": len(sentence.log_probabilities),
            "log_probability": sum(sentence.log_probabilities),
        }
        for split, sentences in parsed.items()
        for number, sentence in enumerate(sentences, start=1)
    ]


def _agreement(sentences: Sequence[Parsed], opening_of: Mapping[str, str]) -> list[dict[str, Cell]]:
    return [
        {
            "sentence": number,
            "position": found.position + 1,
            "word": sentence.words[found.position],
            "distance": found.distance,
            "log_probability": sentence.log_probabilities[found.position],
        }
        for number, sentence in enumerate(sentences, start=1)
        for found in agreements(sentence.words, opening_of)
    ]
