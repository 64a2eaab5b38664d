"""Which words of the training split the models know."""

from pathlib import Path

from unrolled.config.sections import VocabularyConfig
from unrolled.text.sentence_file import read_sentences
from unrolled.text.vocabulary import build_vocabulary, write_vocabulary


def run(config: VocabularyConfig, train: Path | str, vocabulary: Path | str) -> None:
    """Write the vocabulary of the training split's sentences.

    Raises:
        DataError: no word is frequent enough.
    """
    sentences = (sentence for document in read_sentences(train) for sentence in document)
    write_vocabulary(
        vocabulary, build_vocabulary(sentences, config.vocabulary_size, config.minimum_count)
    )
