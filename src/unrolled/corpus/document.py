"""What every source hands over: named texts."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Document:
    """One text that belongs together; splits are made between documents, never inside one."""

    name: str
    """Where it came from: a module, a file, a file and a row. Unique in its corpus."""
    text: str


@dataclass(frozen=True)
class Passage:
    """Text of one document: all of it, or where it is long a part of it.

    The parts of a document follow one another; between two of them there is a line end.
    """

    document: str
    """Where it came from: a file, or a file and a row. Unique in its corpus."""
    text: str
