"""From a file of CSV to the cells of one column, none lost: what cannot be read is told with its
reason.

A record ends where its quotes say. A quote that is never closed costs its line alone: the search
for its end is bounded, and goes on behind that line.
"""

import csv
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from unrolled.corpus.reading.rows import MOST_ROW_BYTES, Row, codec_of_file, text_rows
from unrolled.errors import DataError

COLUMNS = "columns"
"""Reason: another number of cells than the header has."""
QUOTES = "quotes"
"""Reason: quotes that are not CSV's, or one that is never closed."""

MOST_ROW_LINES = 2**16
"""Of a CSV record, since short lines take more room in memory than in the file."""

MOST_BYTES_REREAD = 2**26
"""How much may be read again, beyond the size of the file itself, to look for quotes that close."""

SHOWN_COLUMNS = 12
SHOWN_CHARACTERS = 40
"""How many columns of a header an error shows, and of each of them."""

FIELD_SIZE_LIMIT = 2**31 - 1
"""Characters: the most that csv takes on every platform. Its own limit is 131,072."""


def csv_rows(path: Path, encoding: str, column: str) -> Iterator[Row]:
    """The cells of one column, each with the content of its whole record.

    The first record is the header. Blank lines between records are no rows; a record with a blank
    cell is one. Every line end within a cell is LF.

    A record is rejected for what one of its lines is rejected for, or for COLUMNS. Where quotes are
    wrong, or one is not closed within MOST_ROW_BYTES and MOST_ROW_LINES, only the line on which the
    record starts is rejected, for QUOTES, and the next record is looked for on the next line: a
    quote that is never closed does not swallow the rest of the file.

    Raises:
        ConfigError: the encoding is none of those that can be read.
        DataError: the file cannot be read, has no header, has one that is rejected or has not this
            column once, or has nothing under it.
    """
    records = _records(path, encoding)
    header = next(records, None)
    if header is None:
        raise DataError(f"{path} must hold a header and rows under it (found blank lines only)")
    index = _index(path, header, column)
    record = None
    for record in records:
        yield _cell(record, index, len(header.cells))
    if record is None:
        raise DataError(f"{path}, row {header.number}: found a header only; expected rows under it")


class _Record(NamedTuple):
    """A CSV record; the line on which it starts alone where its quotes are wrong.

    Attributes:
        number, content: as those of a row.
        cells: as the quotes part them; none where these are wrong.
        reason: why it is rejected, as far as its header does not matter; None where it is not.
    """

    number: int
    content: bytes
    cells: Sequence[str]
    reason: str | None


def _records(path: Path, encoding: str) -> Iterator[_Record]:
    csv.field_size_limit(FIELD_SIZE_LIMIT)  # of the process: csv has no other
    source = _Lines(text_rows(path, encoding), codec_of_file(path, encoding).name)
    reader = csv.reader(source, strict=True)
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            row = source.take_first()
            yield _Record(row.number, row.content, (), row.reason or QUOTES)
            reader = csv.reader(source, strict=True)
        else:
            rows = source.take()
            content = b"".join([row.content for row in rows])
            reasons = [row.reason for row in rows if row.reason is not None]
            yield _Record(rows[0].number, content, cells, reasons[0] if reasons else None)


class _Lines:
    """The lines that a CSV reader asks for, one record at a time.

    Lines that are rejected are handed out as well, with marks in the place of bad bytes, since
    their quotes tell where the record ends.
    """

    def __init__(self, rows: Iterator[Row], codec: str) -> None:
        self._rows = rows
        self._codec = codec
        self._again: deque[Row] = deque()
        self._spare_bytes = MOST_BYTES_REREAD
        self._given: list[Row] = []
        self._given_bytes = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        """The text of the next line, LF at its end.

        Raises:
            StopIteration: the file ends, or the record grows too long; both end the data for csv.
        """
        row = self._next_row()
        while not self._given and row.is_blank:
            row = self._next_row()
        self._given.append(row)
        self._given_bytes += len(row.content)
        if len(self._given) > 1 and self._is_too_long():
            raise StopIteration
        if row.text is not None:
            return row.text + "\n"
        return row.content.decode(self._codec, "replace").rstrip("\r\n") + "\n"

    def take(self) -> Sequence[Row]:
        """The lines given out so far; the next one starts a record."""
        given = self._given
        self._given = []
        self._given_bytes = 0
        return given

    def take_first(self) -> Row:
        """The first of the lines given out so far; the others will be given out again."""
        row, *others = self.take()
        self._again.extendleft(reversed(others))
        self._spare_bytes -= sum(len(other.content) for other in others)
        return row

    def _is_too_long(self) -> bool:
        most_bytes = min(MOST_ROW_BYTES, self._spare_bytes)
        return self._given_bytes > most_bytes or len(self._given) > MOST_ROW_LINES

    def _next_row(self) -> Row:
        if self._again:
            return self._again.popleft()
        row = next(self._rows)
        self._spare_bytes += len(row.content)
        return row


def _index(path: Path, header: _Record, column: str) -> int:
    """The place of the column in the header."""
    place = f"{path}, row {header.number}"
    if header.reason is not None:
        raise DataError(
            f"{place}: the header cannot be read ({header.reason}); check the file's encoding and"
            " quotes"
        )
    if header.cells.count(column) != 1:
        raise DataError(
            f"{place}: corpus.column must be one column of the header"
            f" (got {column!r}, found {_shown(header.cells)})"
        )
    return header.cells.index(column)


def _shown(columns: Sequence[str]) -> str:
    shown = ", ".join(repr(column[:SHOWN_CHARACTERS]) for column in columns[:SHOWN_COLUMNS])
    return f"{shown}, ..." if len(columns) > SHOWN_COLUMNS else shown


def _cell(record: _Record, index: int, columns: int) -> Row:
    reason = record.reason
    if reason is None and len(record.cells) != columns:
        reason = COLUMNS
    text = record.cells[index] if reason is None else None
    return Row(record.number, record.content, text, reason)
