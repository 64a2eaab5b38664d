"""Which words of the training split the models know."""

from pathlib import Path

from unrolled.config.sections import VocabularyConfig
from unrolled.text.counting import WordCounts
from unrolled.text.sentence_file import iterate_sentences
from unrolled.text.vocabulary import build_vocabulary, write_vocabulary


def run(config: VocabularyConfig, train: Path | str, vocabulary: Path | str) -> None:
    """Write the vocabulary of the training split's sentences.

    Raises:
        DataError: no word is frequent enough.
    """
    sentence_count = 0
    with WordCounts(Path(vocabulary).parent) as counts:
        for _, words in iterate_sentences(train):
            counts.add(words)
            sentence_count += 1
        built = build_vocabulary(
            counts.merged(),
            sentence_count,
            config.vocabulary_size,
            config.minimum_count,
            config.unknown_token,
        )
    write_vocabulary(vocabulary, built)
