"""Which words of the vocabulary belong together, for output layers that go by classes."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

import numpy as np
from tqdm import tqdm

from unrolled.config.sections import ClassesConfig
from unrolled.storage import Cell, write_tsv
from unrolled.text.brown import brown_classes, class_information
from unrolled.text.classes import WordClasses, frequency_classes, write_classes
from unrolled.text.dataset import Dataset, read_dataset
from unrolled.text.vocabulary import Vocabulary, read_vocabulary

TELLING = ["class", "share_of_tokens", "information_nats", "word_count", "words"]
TELLING_COUNT = 10
SHOWN_WORDS = 24
"""Of a class, the most frequent ones; enough to see what they have in common."""


def run(
    config: ClassesConfig,
    corpus: Path | str,
    classes: Path | str,
    telling: Path | str,
    log: TextIO,
) -> None:
    """Write the classes, and those that say most about the word before.

    Args:
        config: how classes are made.
        corpus: the folder of vocabulary.tsv and the encoded training split.
        classes: the table of words to write.
        telling: the table of a few classes to write.
        log: shows a bar, and what came of it; the latter goes to the terminal as well.

    Raises:
        DataError: the vocabulary has too few words for so many classes.
    """
    corpus = Path(corpus)
    vocabulary = read_vocabulary(corpus / "vocabulary.tsv")
    training = read_dataset(corpus / "encoded/train", len(vocabulary))
    found = _made(config, training, len(vocabulary), log)
    for stream in (sys.stderr, log):
        print(_summary(found), file=stream, flush=True)
    write_classes(classes, found, vocabulary)
    write_tsv(telling, TELLING, _telling(found, training, vocabulary))


def _made(
    config: ClassesConfig, training: Dataset, vocabulary_size: int, log: TextIO
) -> WordClasses:
    def shown(words: Iterable[int], count: int, sweep: int) -> Iterable[int]:
        return tqdm(words, desc=f"sweep {sweep}", total=count, unit="word", file=log, mininterval=5)

    if config.method == "brown":
        return brown_classes(
            training,
            vocabulary_size,
            config.words_alone,
            config.count,
            config.sweeps,
            config.size_penalty,
            shown,
        )
    counts = np.zeros(vocabulary_size, dtype=np.int64)
    for block in training.blocks():
        counts += np.bincount(block.neighbours[1], minlength=vocabulary_size)
    return frequency_classes(counts, config.words_alone, config.count)


def _summary(classes: WordClasses) -> str:
    """What the classes are like, in a line."""
    if classes.words_alone == len(classes):
        return (
            f"word classes: {len(classes)} words are too few for classes, every word stands alone,"
            " as in the plain softmax"
        )
    sizes = np.diff(classes.starts)
    shared = sizes[sizes > 0]
    noun = "class" if len(shared) == 1 else "classes"
    return (
        f"word classes: {classes.words_alone} words alone, {len(shared)} {noun} of {shared.min()}"
        f" to {shared.max()} words"
    )


def _telling(
    classes: WordClasses, training: Dataset, vocabulary: Vocabulary
) -> list[dict[str, Cell]]:
    """A row for each of the classes that add most to what neighbours say about each other."""
    information = class_information(classes, training)
    worth = information.share * information.nats * (np.diff(classes.starts) > 0)
    ranking = np.argsort(-worth, kind="stable")[:TELLING_COUNT]
    return [
        {
            "class": number,
            "share_of_tokens": float(information.share[number]),
            "information_nats": float(information.nats[number]),
            "word_count": len(classes.members[number]),
            "words": " ".join(vocabulary.decode(classes.members[number][:SHOWN_WORDS])),
        }
        for number in ranking.tolist()
        if worth[number] > 0
    ]
