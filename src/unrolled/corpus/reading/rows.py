"""From the bytes of a file to its lines, none lost: what cannot be read is told with its reason.

A line ends at LF, CRLF or a lone CR and nowhere else: U+2028, U+0085 and their like are characters.
Bytes are decoded strictly and line by line, so that a bad byte costs its line and nothing else. A
file is read in blocks: never more of it is held than the longest row that may be, and a block.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

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

MOST_ROW_BYTES = 2**22
"""A longer line is no line of text. A multiple of 4, which every code unit divides."""

BLOCK_BYTES = 2**20
"""How much is read at once; a multiple of 4, too."""


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


def text_rows(path: Path, encoding: str) -> Iterator[Row]:
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
    codec = codec_of_file(path, encoding)
    for number, content in enumerate(_contents(path, codec), start=1):
        yield _line(number, content, codec.name)


def codec_of_file(path: Path, encoding: str) -> Codec:
    """The codec of a file's bytes, which its first ones may tell.

    Raises:
        ConfigError: the encoding is none of those that can be read.
        DataError: the file cannot be read.
    """
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
