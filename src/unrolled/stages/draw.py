"""Sentences drawn from a grammar, in the place of text that is read."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from unrolled.config.sections import GrammarConfig
from unrolled.corpus.derivation import draw_sentences
from unrolled.corpus.grammar import read_grammar
from unrolled.stages.prepare import REJECTED
from unrolled.storage import write_tsv
from unrolled.text.sentence_file import write_sentences


def run(
    config: GrammarConfig,
    grammar: Path | str,
    splits: Mapping[str, Path | str],
    rejected: Path | str,
) -> None:
    """Write the sentences of each split, each a document of its own, none of them put aside.

    Args:
        config: how many sentences, and their seed.
        grammar: its file.
        splits: where the sentences of train, valid and test go.
        rejected: where the table of sentences put aside goes, which is empty.
    """
    rules = read_grammar(grammar)
    counts = {
        "train": config.training_sentences,
        "valid": config.validation_sentences,
        "test": config.test_sentences,
    }
    rngs = np.random.default_rng(config.seed).spawn(len(counts))
    for (split, count), rng in zip(counts.items(), rngs, strict=True):
        sentences = draw_sentences(rules, count, rng)
        write_sentences(splits[split], [[sentence] for sentence in sentences])
    write_tsv(rejected, REJECTED, [])
