"""The members of zips, tars and compressed files: every one in its order, as it stands there.

Nothing is lost in silence: a member that cannot be unpacked is an error, and so is what stands
behind the end of a tar, where zipfile and tarfile would stop and say nothing.
"""

import io
import lzma
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal, TypeVar, cast

from unrolled.corpus.sources.compression import (
    CHUNK_SIZE,
    SUFFIXES,
    chunks,
    compression_of,
    content,
)
from unrolled.errors import DataError

BY_HAND = "unpack it by hand and give its folder as corpus.path"

UNREADABLE = (
    OSError,  # also what gzip and bz2 find wrong
    EOFError,
    ValueError,  # an offset before the file's start, a name that is not UTF-8
    ArithmeticError,  # an offset that no integer of C holds
    LookupError,  # a field shorter than it should be
    RuntimeError,  # what zipfile does not implement; too many headers inside one another
    struct.error,
    zlib.error,
    lzma.LZMAError,
    tarfile.TarError,
    zipfile.BadZipFile,
)
"""What the standard library raises for bytes that are not as they should be."""

Item = TypeVar("Item")


@dataclass(frozen=True)
class Member:
    """What stands in an archive under one name.

    Attributes:
        name: with slashes.
        kind: 'other' is a link, a device, a pipe; a sparse file, too, which no text is.
        content: its bytes, in chunks; to be read before the next member is asked for.
    """

    name: str
    kind: Literal["file", "folder", "other"]
    content: Iterator[bytes]


def every_member(path: Path) -> Iterator[Member]:
    """Every member, in the archive's order, under the name that stands there.

    Raises:
        DataError: the file is no archive or cannot be read; a member that is read is encrypted or
            of a method without a bound. What the standard library finds wrong comes as it is, to be
            told by `while_readable`.
    """
    if compression_of(path) == "zip":
        yield from _zip_members(path)
    elif holds_tar(path):
        yield from _tar_members(path)
    elif compression_of(path) is not None:
        suffix = path.suffix if path.suffix.lower() in SUFFIXES else ""
        yield Member(path.name.removesuffix(suffix), "file", content(path))
    else:
        raise DataError(f"{path} must be a zip, tar, gzip, bzip2 or xz file (found none of them)")


def holds_tar(path: Path) -> bool:
    """Whether the content, once decompressed, starts with a tar's header.

    That has the right checksum and a NUL, which no text has: digits might add up by chance.
    """
    start = content(path, tarfile.BLOCKSIZE)
    head = _Forward(while_readable(str(path), start)).read(tarfile.BLOCKSIZE)
    try:
        tarfile.TarInfo.frombuf(head, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return b"\0" in head


def while_readable(place: str, items: Iterator[Item]) -> Iterator[Item]:
    """The items, until one cannot be read; the error names the place."""
    try:
        yield from items
    except UNREADABLE as error:
        found = " ".join(str(error).split()) or type(error).__name__
        raise DataError(
            f"{place} cannot be unpacked ({found}); get the whole archive again, or {BY_HAND}"
        ) from None


def _zip_members(path: Path) -> Iterator[Member]:
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            content = _zip_content(path, archive, info)
            # its `filename` ends before a NUL
            yield Member(info.orig_filename, _zip_kind(info), content)


def _zip_kind(info: zipfile.ZipInfo) -> Literal["file", "folder", "other"]:
    if info.orig_filename.endswith("/"):
        return "folder"
    kind = stat.S_IFMT(info.external_attr >> 16)  # of a zip from Unix; else 0
    return "file" if kind in (0, stat.S_IFREG) else "other"


def _zip_content(path: Path, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    """The bytes of a member; of two methods only, as zipfile makes gigabytes of 4 KiB of bzip2 or
    LZMA at once.
    """
    if info.flag_bits & 1:
        raise DataError(
            f"{path}: the member {info.filename!r} is encrypted; expected one without a password;"
            f" {BY_HAND}"
        )
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise DataError(
            f"{path}: the member {info.filename!r} must be stored or deflated"
            f" (found the compression method {info.compress_type}); {BY_HAND}"
        )
    with archive.open(info) as file:
        yield from chunks(file)


def _tar_members(path: Path) -> Iterator[Member]:
    stream = _Forward(content(path))
    file = cast(IO[bytes], stream)  # tarfile uses only what _Forward has
    with tarfile.open(fileobj=file, mode="r:", encoding="utf-8") as archive:
        while (info := archive.next()) is not None:
            archive.members.clear()  # type: ignore[attr-defined]  # else all are kept
            yield Member(info.name, _tar_kind(info), _tar_content(archive, info))
        _require_end(stream)


def _tar_kind(info: tarfile.TarInfo) -> Literal["file", "folder", "other"]:
    if info.isdir():
        return "folder"
    return "file" if info.isreg() and not info.issparse() else "other"


def _tar_content(archive: tarfile.TarFile, info: tarfile.TarInfo) -> Iterator[bytes]:
    with cast(IO[bytes], archive.extractfile(info)) as file:  # None is for what is no file
        yield from chunks(file)


def _require_end(stream: "_Forward") -> None:
    """Return only if the walk met the end, rather than a header that is damaged or cut off.

    The end is zeros, to the last byte: else a second tar may stand there. With that byte a gzip
    file's checksum is compared.

    Source: POSIX.1-2017, pax, "ustar Interchange Format": two blocks of zeros. One is enough here.
    """
    if stream.latest != bytes(tarfile.BLOCKSIZE):
        raise tarfile.ReadError("a header is damaged, or the zeros that end a tar are missing")
    while chunk := stream.read(CHUNK_SIZE):
        if chunk.strip(b"\0"):
            raise tarfile.ReadError("more follows the zeros that end a tar")


class _Forward:
    """Chunks as the file that tarfile reads: only forward, and never much at once.

    A header that points back would be read for ever, and one that says that its text is long would
    fill the memory.

    Attributes:
        latest: the bytes that were last read.
    """

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self.latest = b""
        self._chunks = chunks
        self._chunk = io.BytesIO()
        self._place = 0

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, place: int) -> int:
        """The place, or the end if that comes first."""
        if place < self._place:
            raise tarfile.StreamError("a header points back")
        while self._place < place and self.read(min(CHUNK_SIZE, place - self._place)):
            pass
        return self._place

    def read(self, size: int) -> bytes:
        """So many bytes, fewer only at the end."""
        if not 0 <= size <= CHUNK_SIZE:
            raise tarfile.StreamError(f"a header claims {size} bytes of text")
        found = self._chunk.read(size)
        while len(found) < size and (chunk := next(self._chunks, b"")):
            self._chunk = io.BytesIO(chunk)
            found += self._chunk.read(size - len(found))
        self._place += len(found)
        self.latest = found
        return found
