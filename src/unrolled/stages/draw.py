"""Sentences drawn from a grammar, in the place of text that is read."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from unrolled.config.corpus_sections import GrammarConfig
from unrolled.corpus.grammars.derivation import draw_sentences
from unrolled.corpus.grammars.grammar import read_grammar
from unrolled.corpus.splits import Split
from unrolled.storage import write_json
from unrolled.text.accounts import Accounts
from unrolled.text.sentence_file import write_sentences


def run(
    config: GrammarConfig,
    grammar: Path | str,
    splits: Mapping[str, Path | str],
    accounts: Path | str,
) -> None:
    """Write the sentences of each split, each a document of its own, none of them put aside.

    Args:
        config: how many sentences, and their seed.
        grammar: its file.
        splits: where the sentences of train, valid and test go.
        accounts: where the JSON file goes of how many there are; each counts as a row as well.
    """
    rules = read_grammar(grammar)
    counts: Counter[Split] = Counter(
        {
            "train": config.training_sentences,
            "valid": config.validation_sentences,
            "test": config.test_sentences,
        }
    )
    rngs = np.random.default_rng(config.seed).spawn(len(counts))
    for (split, count), rng in zip(counts.items(), rngs, strict=True):
        drawn = draw_sentences(rules, count, rng)
        write_sentences(splits[split], ((True, words) for words in drawn))
    total = counts.total()
    write_json(accounts, Accounts(total, documents=counts, sentences_read=total).as_json())
