"""Which documents are for training, which for validation and which for the test."""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Literal, get_args

from unrolled.errors import DataError

Split = Literal["train", "valid", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)


def split_by_hash(document_hash: int, validation_fraction: float, test_fraction: float) -> Split:
    """The split of a document, from the hash of its text alone: it stays when others come or go.

    Equal texts share a split: none is seen in training and met again in the test.

    Args:
        document_hash: a number below 2^64.
        validation_fraction: share of the documents for validation.
        test_fraction: share for the test.
    """
    place = document_hash / 2**64
    if place < test_fraction:
        return "test"
    if place < test_fraction + validation_fraction:
        return "valid"
    return "train"


def given_split(file: str, patterns: Mapping[str, str]) -> Split:
    """The split that a corpus brings for one of its files.

    Args:
        file: its path below corpus/raw.
        patterns: those of `corpus.splits`, a pattern of paths for each split.

    Raises:
        DataError: the file is in no split, or in several.
    """
    found = [split for split in SPLITS if fnmatchcase(file, patterns[split])]
    if len(found) != 1:
        shown = ", ".join(f"{split}: {patterns[split]!r}" for split in SPLITS)
        raise DataError(
            f"{file} must fit one pattern of corpus.splits"
            f" (fits {' and '.join(found) or 'none'} of {shown})"
        )
    return found[0]
