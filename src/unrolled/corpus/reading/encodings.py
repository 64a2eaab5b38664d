"""Which encodings can be read line by line, and how their bytes fall into lines.

Those are Python's text encodings in which the byte 0A is LF and the byte 0D is CR whatever stands
before them, and UTF-16 and UTF-32, where a code unit of two or four bytes is.
"""

import codecs
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from unrolled.errors import ConfigError

BYTE_ORDER_MARK = "\ufeff"

WIDEST_UNIT = 4
"""Bytes."""

_WIDTHS = {"utf-16": 2, "utf-32": WIDEST_UNIT}
"""Bytes of a code unit, where it is more than one; the forms with an order of bytes included."""

_NOT_BY_LINE = frozenset(
    {"utf-7", "hz", "iso2022_kr", "idna", "punycode", "unicode-escape", "raw-unicode-escape"}
)
"""Where a line cannot be read without those before it, or ASCII stands for other characters."""


@dataclass(frozen=True)
class Codec:
    """How bytes are read: by a codec of Python's, which is strict, so many bytes a code unit."""

    name: str
    width: int

    def split(self, content: bytes) -> list[bytes]:
        """The lines that some bytes begin, each with its line end where that is there."""
        if self.width == 1:
            return content.splitlines(keepends=True)  # of bytes: at LF, CR and CRLF only
        order = "<" if self.name.endswith("le") else ">"
        units = np.frombuffer(content, f"{order}u{self.width}", len(content) // self.width)
        ends = (units == ord("\n")) | (units == ord("\r"))
        ends[:-1] &= (units[:-1] != ord("\r")) | (units[1:] != ord("\n"))  # CRLF is one
        places = ((np.flatnonzero(ends) + 1) * self.width).tolist()
        pieces = [content[start:end] for start, end in pairwise([0, *places, len(content)])]
        return pieces if pieces[-1] else pieces[:-1]

    def has_end(self, line: bytes) -> bool:
        """Whether a line has its line end."""
        last = line[-self.width :]
        is_whole = len(line) % self.width == 0
        return is_whole and last in ("\n".encode(self.name), "\r".encode(self.name))


def check_encoding(name: str) -> None:
    """Return only if files of this encoding can be read line by line.

    Raises:
        ConfigError: they cannot, or there is none of this name.
    """
    try:
        found = codecs.lookup(name)
        is_text = found._is_text_encoding and found.name not in _NOT_BY_LINE
        by_line = is_text and (_width(found.name) > 1 or b"\r\n".decode(found.name) == "\r\n")
    except (LookupError, ValueError):  # the latter for a name with a NUL, and by some codecs
        by_line = False
    if not by_line:
        raise ConfigError(
            "corpus.encoding must be a text encoding such as utf-8, cp1252 or utf-16"
            f" (got {name!r})"
        )


def codec_of(encoding: str, start: bytes) -> Codec:
    """The codec of a file; where the encoding leaves the order of bytes open, by the file's mark.

    Without a mark it is little-endian, as with Python's own codecs on today's machines.

    Args:
        encoding: one that `check_encoding` lets pass.
        start: the first bytes of the file, as many as the widest unit has, if there are.
    """
    name = codecs.lookup(encoding).name.removesuffix("-sig")  # the mark is looked for elsewhere
    if name in _WIDTHS:
        is_big = start.startswith(BYTE_ORDER_MARK.encode(f"{name}-be"))
        name += "-be" if is_big else "-le"
    return Codec(name, _width(name))


def _width(codec: str) -> int:
    return _WIDTHS.get(codec[: len("utf-16")], 1)
