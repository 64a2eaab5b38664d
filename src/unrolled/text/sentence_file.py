"""Tokenised sentences as a plain file: one a line, tokens parted by spaces, a blank line between
documents.

The file is written and read sentence by sentence, however long it is. Only a space parts tokens
and only a line feed ends a sentence: whatever else Unicode holds may stand in a token.
"""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from unrolled.errors import DataError
from unrolled.storage import iterate_lines, new_file, read_text


def write_sentences(path: Path | str, sentences: Iterable[tuple[bool, Sequence[str]]]) -> None:
    """Write sentences as they come.

    Args:
        path: the file to write.
        sentences: whether each begins a document, as the first one does whatever is said, and its
            words: at least one, none of them with a space or a line feed in it.
    """
    with new_file(path) as file:
        between = ""  # nothing stands before the first document
        for begins, words in sentences:
            file.write(f"{between if begins else ''}{' '.join(words)}\n".encode())
            between = "\n"


def iterate_sentences(path: Path | str) -> Iterator[tuple[bool, list[str]]]:
    """Whether each sentence begins a document, and its words.

    Raises:
        DataError: the file is missing or not UTF-8; only once the sentence is asked for.
    """
    begins = True
    for line in iterate_lines(path):
        if line:
            yield begins, line.split(" ")
        begins = not line


def chosen(path: Path | str, numbers: Sequence[int]) -> list[list[str]]:
    """The words of some sentences.

    Args:
        path: the file of sentences.
        numbers: which ones, the first being 0; ascending.

    Raises:
        DataError: the file is missing, not UTF-8, or has fewer sentences.
    """
    wanted = set(numbers)
    sentences = itertools.islice(iterate_sentences(path), max(numbers, default=-1) + 1)
    found = [words for number, (_, words) in enumerate(sentences) if number in wanted]
    if len(found) < len(wanted):
        raise DataError(f"{path} must have {max(numbers) + 1} sentences or more; it has fewer")
    return found


def sentences_of(
    documents: Iterable[Iterable[Sequence[str]]],
) -> Iterator[tuple[bool, Sequence[str]]]:
    """Sentences of documents one after the other, each with whether it begins one."""
    for document in documents:
        for number, words in enumerate(document):
            yield number == 0, words


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
