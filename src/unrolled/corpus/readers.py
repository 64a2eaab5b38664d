"""Documents from the files of acquired text: plain text, or one column of CSV.

A byte-order mark goes, and every line end becomes LF. Nothing else ends a row: U+2028 and its like
are characters.
"""

import io
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Literal

from unrolled.corpus.document import Document
from unrolled.corpus.files import check_column, csv_records, files_below
from unrolled.errors import DataError
from unrolled.storage import read_text

BYTE_ORDER_MARK = "\ufeff"

Piece = tuple[int, str]
"""A text, and the row of its file on which it starts, from 1."""


def read_documents(
    folder: Path, document: Literal["file", "block", "row"], column: str | None
) -> Iterator[Document]:
    """The documents that are not blank, in the order of the files' paths, then of their rows.

    A file is named by its path below the folder; a block (what stands between blank lines) or a row
    by that and its first line's number: `letters/1912.txt:7`. With a column, each CSV record is a
    document, called block or row alike; a whole file is its records, parted by blank lines.

    Raises:
        DataError: a file is not UTF-8, holds a NUL, or, with a column, is not CSV with that column
            and rows of one length; the message names file and row.
    """
    for path in files_below(folder):
        name = path.relative_to(folder).as_posix()
        text = _text(path)
        pieces = _plain(text, document) if column is None else _column(path, text, document, column)
        for row, piece in pieces:
            if piece.strip():
                yield Document(name if document == "file" else f"{name}:{row}", piece)


def _text(path: Path) -> str:
    text = read_text(path).removeprefix(BYTE_ORDER_MARK)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\0" in text:
        row = text.count("\n", 0, text.index("\0")) + 1
        raise DataError(f"{path}, row {row}: found a NUL character; save the file as UTF-8 text")
    return text


def _plain(text: str, document: Literal["file", "block", "row"]) -> Iterator[Piece]:
    match document:
        case "file":
            yield 1, text
        case "block":
            yield from _blocks(text)
        case "row":
            yield from enumerate(text.split("\n"), start=1)


def _blocks(text: str) -> Iterator[Piece]:
    """The runs of lines that are not blank."""
    lines = enumerate(text.split("\n"), start=1)
    for has_text, run in groupby(lines, key=lambda line: bool(line[1].strip())):
        if has_text:
            rows, block = zip(*run, strict=True)
            yield rows[0], "\n".join(block)


def _column(
    path: Path, text: str, document: Literal["file", "block", "row"], column: str
) -> Iterator[Piece]:
    cells = _cells(path, text, column)
    if document == "file":
        return iter([(1, "\n\n".join(cell for _, cell in cells if cell.strip()))])
    return cells


def _cells(path: Path, text: str, column: str) -> Iterator[Piece]:
    check_column(path, column)
    (row, header), *records = csv_records(path, io.StringIO(text))
    if not records:
        raise DataError(f"{path}, row {row}: found a header only; expected rows under it")
    index = header.index(column)
    for row, cells in records:
        if len(cells) != len(header):
            raise DataError(f"{path}, row {row}: {len(cells)} cells under {len(header)} columns")
        yield row, cells[index]
