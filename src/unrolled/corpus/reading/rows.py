"""From the bytes of a file to its rows, none lost: what cannot be read is told with its reason.

A line ends at LF, CRLF or a lone CR and nowhere else: U+2028, U+0085 and their like are characters.
Bytes are decoded strictly and line by line, so that a bad byte costs its line and nothing else. A
file is read in blocks: never more of it is held than the longest row that may be, and a block.
"""

import csv
import json
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from unrolled.corpus.reading.encodings import (
    BYTE_ORDER_MARK,
    WIDEST_UNIT,
    Codec,
    check_encoding,
    codec_of,
)
from unrolled.errors import DataError

ENCODING = "encoding"
"""Reason: bytes that the encoding does not allow."""
NUL = "NUL"
"""Reason: U+0000, which no text holds."""
LONG = "long"
"""Reason: a line of more than MOST_ROW_BYTES."""
COLUMNS = "columns"
"""Reason: another number of cells than the header has."""
QUOTES = "quotes"
"""Reason: quotes that are not CSV's, or one that is never closed."""
JSON = "JSON"
"""Reason: a line that is no value of JSON."""
FIELD = "field"
"""Reason: no object, or one that does not hold a text under the name of the field."""
SURROGATE = "surrogate"
"""Reason: half of a character, which only an escape of JSON can write."""

MOST_ROW_BYTES = 2**22
"""A longer line is no line of text. A multiple of 4, which every code unit divides."""

MOST_ROW_LINES = 2**16
"""Of a CSV record, since short lines take more room in memory than in the file."""

MOST_BYTES_REREAD = 2**26
"""How much may be read again, beyond the size of the file itself, to look for quotes that close."""

BLOCK_BYTES = 2**20
"""How much is read at once; a multiple of 4, too."""

SHOWN_COLUMNS = 12
SHOWN_CHARACTERS = 40
"""How many columns of a header an error shows, and of each of them."""

FIELD_SIZE_LIMIT = 2**31 - 1
"""Characters: the most that csv takes on every platform. Its own limit is 131,072."""


class Row(NamedTuple):  # made twice as fast as a frozen dataclass, and there are millions
    """A line, a CSV record or a line of JSON; blank lines are no rows of CSV and of JSON lines.

    Attributes:
        number: the line of the file on which it starts, from 1.
        content: its bytes as they stand in the file, line end included.
        text: what it says; None where it is rejected.
        reason: why it is rejected; None where it is not.
    """

    number: int
    content: bytes
    text: str | None
    reason: str | None = None

    @property
    def is_blank(self) -> bool:
        """Whether it is known to say nothing."""
        return self.text is not None and not self.text.strip()


def lines(path: Path, encoding: str) -> Iterator[Row]:
    """Every line of a file: what stands before, between and after its line ends.

    So after a line end at the end of the file there is one more line, which is empty; the texts
    joined by line ends are the text of the file. The contents joined are its bytes, but for lines
    that are too long: of such a line the first MOST_ROW_BYTES are given. A byte-order mark at the
    start of the file is no part of the text.

    A line is rejected for ENCODING, NUL or LONG.

    Raises:
        ConfigError: the encoding is none of those that can be read.
        DataError: the file cannot be read.
    """
    codec = _codec(path, encoding)
    for number, content in enumerate(_contents(path, codec), start=1):
        yield _line(number, content, codec.name)


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


def json_rows(path: Path, encoding: str, field: str) -> Iterator[Row]:
    """The texts of one field of the objects in a file that holds one a line.

    Where the whole name is no key of the object, the part before its first dot may be the key of
    another object in which the rest is looked for: `a.b` finds {"a.b": ...}, else {"a": {"b":
    ...}}. Blank lines are no rows. Every line end within a text becomes LF.

    A line is rejected for ENCODING, NUL, LONG, JSON, FIELD or SURROGATE.

    Raises:
        ConfigError: the encoding is none of those that can be read.
        DataError: the file cannot be read.
    """
    for row in lines(path, encoding):
        if row.text is None:
            yield row
        elif not row.is_blank:
            yield _member(row, row.text, field)


def _codec(path: Path, encoding: str) -> Codec:
    check_encoding(encoding)
    return codec_of(encoding, next(_blocks(path, WIDEST_UNIT), b""))


def _blocks(path: Path, size: int) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            while block := file.read(size):
                yield block
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from None


def _contents(path: Path, codec: Codec) -> Iterator[bytes]:
    """The bytes of each line; of one that is too long its start and its end, more than allowed."""
    rest = b""
    for block in _blocks(path, BLOCK_BYTES):
        # the last one is held back, since CR may be half of a line end
        *whole, rest = codec.split(rest + block)
        yield from whole
        if len(rest) > MOST_ROW_BYTES + 2 * WIDEST_UNIT:
            last_unit = (len(rest) // WIDEST_UNIT - 1) * WIDEST_UNIT
            rest = rest[:MOST_ROW_BYTES] + rest[last_unit:]
    yield rest
    if codec.has_end(rest):
        yield b""


def _line(number: int, content: bytes, codec: str) -> Row:
    if len(content) > MOST_ROW_BYTES:
        return Row(number, content[:MOST_ROW_BYTES], None, LONG)
    try:
        text = content.decode(codec)
    except UnicodeError:
        return Row(number, content, None, ENCODING)
    if "\0" in text:
        return Row(number, content, None, NUL)
    if number == 1:
        text = text.removeprefix(BYTE_ORDER_MARK)
    return Row(number, content, text.rstrip("\r\n"))


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
    source = _Lines(lines(path, encoding), _codec(path, encoding).name)
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


def _member(row: Row, line: str, field: str) -> Row:
    """The row with the text of its field."""
    text: Any = None
    try:
        text = _find(json.loads(line), field)
        reason = _fault(text)
    except (ValueError, RecursionError):
        reason = JSON
    if reason is None and "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return Row(row.number, row.content, text if reason is None else None, reason)


def _find(value: Any, field: str) -> Any:
    """What an object holds under a name; None where it is no object or has no such name."""
    if not isinstance(value, dict):
        return None
    if field in value:
        return value[field]
    key, dot, rest = field.partition(".")
    return _find(value.get(key), rest) if dot else None


def _fault(text: Any) -> str | None:
    """Why a member of an object is no text that can be taken; None where it is one."""
    if not isinstance(text, str):
        return FIELD
    if "\0" in text:
        return NUL
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return SURROGATE
    return None
