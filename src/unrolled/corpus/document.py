"""What every source hands over: named texts."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Document:
    """One text that belongs together; splits are made between documents, never inside one."""

    name: str
    """Where it came from: a module, a file, a file and a row. Unique in its corpus."""
    text: str
