"""From words to ids, and what the corpus is like."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from unrolled.errors import DataError
from unrolled.storage import read_tsv, write_json
from unrolled.text.dataset import encode_documents, write_dataset
from unrolled.text.profile import profile
from unrolled.text.sentence_file import read_sentences
from unrolled.text.vocabulary import RESERVED, Vocabulary, read_vocabulary


def run(
    splits: Mapping[str, Path | str],
    vocabulary: Path | str,
    rejected: Path | str,
    folders: Mapping[str, Path | str],
    corpus_profile: Path | str,
    closed: bool = False,
) -> None:
    """Write each split as arrays, and the profile of the corpus.

    Args:
        splits: the sentences of train, valid and test.
        vocabulary: of the training split.
        rejected: the table of sentences put aside.
        folders: where the arrays of each split go.
        corpus_profile: where the profile goes.
        closed: whether every word of every split must be one of the vocabulary.

    Raises:
        DataError: it must, and one is not.
    """
    words = read_vocabulary(vocabulary)
    documents = {split: read_sentences(path) for split, path in splits.items()}
    if closed:
        for split, path in splits.items():
            _require_known(documents[split], words, path)
    datasets = {split: encode_documents(documents[split], words) for split in splits}
    for split, dataset in datasets.items():
        write_dataset(folders[split], dataset)
    reasons = Counter(row["reason"] for row in read_tsv(rejected))
    write_json(corpus_profile, profile(documents, datasets, words, reasons))


def _require_known(
    documents: Sequence[Sequence[Sequence[str]]], vocabulary: Vocabulary, path: Path | str
) -> None:
    """Refuse sentences with a word that the models would not know."""
    known = frozenset(vocabulary.tokens[len(RESERVED) :])
    words = (word for document in documents for sentence in document for word in sentence)
    unknown = next((word for word in words if word not in known), None)
    if unknown is not None:
        raise DataError(
            f"{path}: every word of a grammar must be known, and '{unknown}' is not one of the"
            f" {len(known)} of the vocabulary; raise text.vocabulary_size or"
            " grammar.training_sentences, or lower text.minimum_count"
        )
