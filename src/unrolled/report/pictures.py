"""What stands on a page for each picture: two drawings, the table behind them, what it says."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from unrolled.errors import DataError
from unrolled.storage import Cell, read_text, read_tsv, write_tsv

SUFFIXES = (".svg", ".narrow.svg", ".tsv", ".txt")
"""The files of a picture: for wide pages, for narrow ones, its table, and its takeaway."""


@dataclass(frozen=True)
class Table:
    """The numbers behind a picture."""

    columns: Sequence[str]
    rows: Sequence[Mapping[str, Cell]]

    def write(self, path: Path) -> None:
        """Write it as TSV."""
        write_tsv(path, self.columns, self.rows)


@dataclass(frozen=True)
class DrawnPicture:
    """A picture as it was written.

    Attributes:
        name: of its files.
        wide: SVG text, for pages with room.
        narrow: SVG text, for phones.
        takeaway: what it says, in one sentence.
        rows: of the table behind it, not one of them where there is nothing to show.
    """

    name: str
    wide: str
    narrow: str
    takeaway: str
    rows: Sequence[Mapping[str, str]]

    def renamed(self, name: str) -> "DrawnPicture":
        """The same with ids that begin with another name, so that it can stand beside its like."""

        def drawing(svg: str) -> str:
            reference = rf'((?:id="|href="#|url\(#)){re.escape(self.name)}-'
            return re.sub(reference, rf"\g<1>{name}-", svg)  # a name may begin with a digit

        return replace(self, name=name, wide=drawing(self.wide), narrow=drawing(self.narrow))


def read_picture(folder: Path, name: str) -> DrawnPicture:
    """A picture of this name.

    Raises:
        DataError: one of its files is missing or not readable, or holds no drawing.
    """
    paths = {suffix: folder / f"{name}{suffix}" for suffix in SUFFIXES}
    return DrawnPicture(
        name,
        wide=_inline(paths[".svg"]),
        narrow=_inline(paths[".narrow.svg"]),
        takeaway=read_text(paths[".txt"]).strip(),
        rows=read_tsv(paths[".tsv"]),
    )


def _inline(path: Path) -> str:
    """A drawing without what only a file of its own needs.

    Raises:
        DataError: the file is missing or holds no drawing.
    """
    _, start, drawing = read_text(path).partition("<svg")
    if not start:
        raise DataError(f"{path} must hold an SVG drawing (found no <svg); let it be drawn anew")
    return start + drawing
