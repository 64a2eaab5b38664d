"""Files that are compressed: told by their first bytes, and read in chunks.

Nothing is lost in silence: what stands between or behind compressed streams is an error, where bz2
and lzma would stop and say nothing.
"""

import bz2
import gzip
import lzma
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from unrolled.errors import DataError

SUFFIXES = (".gz", ".bz2", ".xz")
"""Ends of names under which one file is kept smaller."""

CHUNK_SIZE = 1 << 20
"""Bytes; the most that is held of any member at once, however well it was compressed."""

COMPRESSED_CHUNK_SIZE = 1 << 16
"""Bytes; what is left of them is copied at the end of each stream, and some files have many."""

XZ_MEMORY_LIMIT = 128 << 20
"""Bytes; `xz -9` takes 65 MiB to unpack, but a file may ask for 4 GiB."""

FORMATS = {
    # A local header; the end of the directory, where the zip is empty; the mark of a split one.
    "zip": re.compile(rb"PK(\x03\x04|\x05\x06|\x07\x08)"),
    "gzip": re.compile(rb"\x1f\x8b"),
    # "BZh" alone may be the start of a text; what follows are the first six bytes of a block, or of
    # the end where the file is empty.
    "bzip2": re.compile(rb"BZh[1-9](1AY&SY|\x17rE8P\x90)"),
    "xz": re.compile(rb"\xfd7zXZ\x00"),
}
"""How a file of each format starts. A plain tar starts with a member's header.

Sources: PKWARE, APPNOTE.TXT, sections 4.3.7, 4.3.16 and 8.5; RFC 1952, section 2.3.1; bzip2 1.0.8,
compress.c; The .xz File Format 1.2.1, section 2.1.1.1.
"""


def compression_of(path: Path) -> str | None:
    """The key of FORMATS that fits; None for a plain tar, too."""
    try:
        with path.open("rb") as file:
            head = file.read(16)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from None
    return next((name for name, start in FORMATS.items() if start.match(head)), None)


def content(path: Path, size: int = CHUNK_SIZE) -> Iterator[bytes]:
    """The bytes of a file, decompressed if they are compressed, in chunks of a size at most."""
    match compression_of(path):
        case "gzip":
            with gzip.open(path) as file:
                yield from chunks(file, size)
        case "bzip2":
            yield from _streams(path, bz2.BZ2Decompressor)
        case "xz":
            yield from _streams(path, _new_xz)
        case _:
            with path.open("rb") as plain:
                yield from chunks(plain, size)


def _new_xz() -> lzma.LZMADecompressor:
    return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=XZ_MEMORY_LIMIT)


def _streams(
    path: Path, new: Callable[[], bz2.BZ2Decompressor | lzma.LZMADecompressor]
) -> Iterator[bytes]:
    """What one compressed stream after another holds, as parallel compressors write them.

    Zeros may pad them. Anything else between or behind them is an error, where bz2.open and
    lzma.open take it for the end: a damaged second stream would be lost.

    Source: The .xz File Format 1.2.1, section 2.2, for the zeros.
    """
    with path.open("rb") as file:
        data = file.read(COMPRESSED_CHUNK_SIZE)
        while data:
            decompressor = new()
            while not decompressor.eof:
                if decompressor.needs_input and not data:
                    data = file.read(COMPRESSED_CHUNK_SIZE)
                    if not data:
                        raise EOFError("it ends too early")
                if chunk := decompressor.decompress(data, CHUNK_SIZE):
                    yield chunk
                data = b""
            data = _after_zeros(decompressor.unused_data, file)


def _after_zeros(data: bytes, file: IO[bytes]) -> bytes:
    """What comes first after the zeros that the data may start with; empty at the file's end."""
    while not (data := data.lstrip(b"\0")):
        data = file.read(COMPRESSED_CHUNK_SIZE)
        if not data:
            return b""
    return data


def chunks(file: IO[bytes] | gzip.GzipFile, size: int = CHUNK_SIZE) -> Iterator[bytes]:
    """What is left of a file."""
    while chunk := file.read(size):
        yield chunk
