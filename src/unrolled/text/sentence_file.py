"""Tokenised sentences as a plain file: one a line, tokens parted by spaces, a blank line between
documents.
"""

from collections.abc import Sequence
from pathlib import Path

from unrolled.errors import DataError
from unrolled.storage import read_text, write_text


def write_sentences(path: Path | str, documents: Sequence[Sequence[Sequence[str]]]) -> None:
    """Write the words of each sentence of each document; no document is empty and no word holds
    white space.
    """
    blocks = ("".join(f"{' '.join(sentence)}\n" for sentence in document) for document in documents)
    write_text(path, "\n".join(blocks))


def read_sentences(path: Path | str) -> list[list[list[str]]]:
    """The words of each sentence of each document.

    Raises:
        DataError: the file is missing or not UTF-8.
    """
    text = read_text(path)
    blocks = text.removesuffix("\n").split("\n\n") if text else []
    return [[line.split(" ") for line in block.split("\n")] for block in blocks]


def read_own_sentences(path: Path | str) -> list[str]:
    """The sentences that a user wants to see scored, one a line; blank lines do not count.

    Raises:
        DataError: the file is missing, not UTF-8, or has no sentence in it.
    """
    lines = read_text(path).removeprefix("\ufeff").split("\n")
    sentences = [line.strip() for line in lines if line.strip()]
    if not sentences:
        raise DataError(f"{path} has no sentence in it; write one a line")
    return sentences
