"""The corpora on which time to perplexity is measured."""

import zipfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from unrolled.errors import DataError
from unrolled.text.dataset import Dataset, encode_documents, read_dataset
from unrolled.text.vocabulary import build_vocabulary, read_vocabulary

WIKITEXT_VOCABULARY_SIZE = 10_000
"""With the reserved three; as large as that of the Penn Treebank, which models of this size are
often shown on.
"""

WIKITEXT_UNKNOWN = "<unk>"


@dataclass(frozen=True)
class Corpus:
    """What to learn from, and what to watch."""

    vocabulary_size: int
    training: Dataset
    validation: Dataset


def wikitext(path: Path) -> Corpus:
    """WikiText-2 from a zip file that holds wiki.train.tokens and wiki.valid.tokens.

    Each line that is not empty, a heading or a paragraph, is a sentence and a document of its own.
    What is `<unk>` there, and all words but the most frequent ones, are unknown.
    """
    training, validation = (_lines(path, f"wiki.{split}.tokens") for split in ("train", "valid"))
    counts = Counter(word for line in training for word in line)
    vocabulary = build_vocabulary(
        counts.items(), len(training), WIKITEXT_VOCABULARY_SIZE, 1, WIKITEXT_UNKNOWN
    )
    return Corpus(
        len(vocabulary),
        encode_documents([[line] for line in training], vocabulary),
        encode_documents([[line] for line in validation], vocabulary),
    )


def experiment(path: Path) -> Corpus:
    """The corpus of an experiment that has been run, from its folder."""
    size = len(read_vocabulary(path / "vocabulary.tsv"))
    return Corpus(
        size, read_dataset(path / "encoded/train", size), read_dataset(path / "encoded/valid", size)
    )


READERS: Mapping[str, Callable[[Path], Corpus]] = {"wikitext-2": wikitext, "default": experiment}
"""By the names of corpora in time_to_perplexity.yaml and in tables."""


def _lines(path: Path, name: str) -> Sequence[Sequence[str]]:
    """The words of each line that has any."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = [member for member in archive.namelist() if Path(member).name == name]
            if not members:
                raise DataError(f"{path} must hold a file named {name}")
            text = archive.read(members[0]).decode("utf-8")
    except (OSError, zipfile.BadZipFile) as error:
        raise DataError(f"{path} is not a readable zip file ({error})") from None
    return [words for line in text.split("\n") if (words := line.split())]
