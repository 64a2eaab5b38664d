"""Texts with a name: as they are written into corpus/raw, and as they are read from there."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Document:
    """One text that belongs together, which becomes a file."""

    name: str
    """Where it came from, such as a module. Unique in its corpus."""
    text: str


@dataclass(frozen=True)
class Passage:
    """Text of one document: all of it, or where it is long a part of it. Splits are made between
    documents, never inside one.

    The parts of a document follow one another; between two of them there is a line end.
    """

    document: str
    """Where it came from: a file, or a file and a row. Unique in its corpus."""
    text: str
