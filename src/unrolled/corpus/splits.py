"""Which documents are for training, which for validation and which for the test."""

import hashlib
from typing import Literal, get_args

from unrolled.corpus.document import Document

Split = Literal["train", "valid", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)


def split_of(document: Document, validation_fraction: float, test_fraction: float) -> Split:
    """The split of a document, from its text alone: it stays when other documents come or go.

    Equal texts share a split: none is seen in training and met again in the test.
    """
    place = document_hash(document) / 2**64
    if place < test_fraction:
        return "test"
    if place < test_fraction + validation_fraction:
        return "valid"
    return "train"


def document_hash(document: Document) -> int:
    """A number below 2^64 that looks random and depends on the document's text alone."""
    return int.from_bytes(hashlib.sha256(document.text.encode("utf-8")).digest()[:8], "big")
