"""From words to ids, and what the corpus is like."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from unrolled.storage import read_tsv, write_json
from unrolled.text.dataset import encode_documents, write_dataset
from unrolled.text.profile import profile
from unrolled.text.sentence_file import read_sentences
from unrolled.text.vocabulary import read_vocabulary


def run(
    splits: Mapping[str, Path | str],
    vocabulary: Path | str,
    rejected: Path | str,
    folders: Mapping[str, Path | str],
    corpus_profile: Path | str,
) -> None:
    """Write each split as arrays, and the profile of the corpus.

    Args:
        splits: the sentences of train, valid and test.
        vocabulary: of the training split.
        rejected: the table of sentences put aside.
        folders: where the arrays of each split go.
        corpus_profile: where the profile goes.
    """
    words = read_vocabulary(vocabulary)
    documents = {split: read_sentences(path) for split, path in splits.items()}
    datasets = {split: encode_documents(documents[split], words) for split in splits}
    for split, dataset in datasets.items():
        write_dataset(folders[split], dataset)
    reasons = Counter(row["reason"] for row in read_tsv(rejected))
    write_json(corpus_profile, profile(documents, datasets, words, reasons))
