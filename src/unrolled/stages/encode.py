"""From words to ids, and what the corpus is like."""

from collections.abc import Mapping
from pathlib import Path

from unrolled.errors import DataError
from unrolled.storage import new_folder, read_json, write_json
from unrolled.text.counting import WordCounts
from unrolled.text.dataset import encode_sentences
from unrolled.text.profile import Passing, SplitFigures, profile
from unrolled.text.sentence_file import iterate_sentences
from unrolled.text.vocabulary import RESERVED, Vocabulary, read_vocabulary


def run(
    splits: Mapping[str, Path | str],
    vocabulary: Path | str,
    accounts: Path | str,
    encoded: Path | str,
    corpus_profile: Path | str,
    closed: bool = False,
    unknown_token: str | None = None,
) -> None:
    """Write each split as arrays, and the profile of the corpus.

    Args:
        splits: the sentences of train, valid and test.
        vocabulary: of the training split.
        accounts: the JSON file of what became of all rows, documents and sentences.
        encoded: the folder where the arrays go, those of each split in a folder of their own.
        corpus_profile: where the profile goes.
        closed: whether every word of every split must be one of the vocabulary.
        unknown_token: what stands in the text for words that are unknown already.

    Raises:
        DataError: a word must be known and is not, or a file cannot be read.
    """
    words = read_vocabulary(vocabulary)
    if closed:
        for path in splits.values():
            _require_known(path, words)
    with new_folder(encoded) as folder:
        figures = {
            split: _encoded(path, folder / split, words, unknown_token)
            for split, path in splits.items()
        }
    write_json(corpus_profile, profile(figures, words, read_json(accounts)))


def _encoded(
    path: Path | str, folder: Path, vocabulary: Vocabulary, unknown_token: str | None
) -> SplitFigures:
    """Write the sentences of a file as arrays; gives back their figures."""
    with WordCounts(folder) as counts:
        passing = Passing(counts)
        encode_sentences(folder, passing.noted(iterate_sentences(path)), vocabulary)
        return passing.figures(vocabulary, unknown_token)


def _require_known(path: Path | str, vocabulary: Vocabulary) -> None:
    """Refuse sentences with a word that the models would not know."""
    words = (word for _, sentence in iterate_sentences(path) for word in sentence)
    unknown = next((word for word in words if word not in vocabulary), None)
    if unknown is not None:
        raise DataError(
            f"{path}: every word of a grammar must be known, and '{unknown}' is not one of the"
            f" {len(vocabulary) - len(RESERVED)} of the vocabulary; raise text.vocabulary_size or"
            " grammar.training_sentences, or lower text.minimum_count"
        )
