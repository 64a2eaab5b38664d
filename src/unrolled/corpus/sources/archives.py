"""Archives: which files are some, what they hold, and their members written into a folder.

An archive comes from elsewhere, so nothing that it says of itself is believed: its kind is told
from its bytes, the bytes written are counted, and a name that leads out of the folder is refused.
Nor is anything lost in silence: a member that cannot be unpacked is an error, and so is what stands
behind the end of a tar, where zipfile and tarfile would stop and say nothing.
"""

import io
import lzma
import re
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import IO, Literal, TypeVar, cast

from unrolled.corpus.sources.compression import (
    CHUNK_SIZE,
    SUFFIXES,
    chunks,
    compression_of,
    content,
)
from unrolled.errors import DataError
from unrolled.storage import new_file

MOST_EXPANSION = 100
"""Times its own size that an archive may unpack to; text comes to 3 or 4, a bomb to 1,000."""

UNSUSPICIOUS_SIZE = 100 << 20
"""Bytes that any archive may unpack to: a small one of much repetition may exceed the ratio."""

OUTSIDE = re.compile(
    r"""\A(?:\Z|/|[A-Za-z]:)  # nothing; from the root; from a drive
      | (?:\A|/)\.\.(?:/|\Z)  # up
      | [\\\0]                # a path of Windows; the end of a name in C
      | [\ud800-\udfff]       # bytes that are not UTF-8, which no table could hold
    """,
    re.VERBOSE,
)
"""What is found in a name that may not become a path."""

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


def is_archive(path: Path) -> bool:
    """Whether a file is a zip, a tar or compressed, told from its first bytes, never its name.

    Raises:
        DataError: the file cannot be read.
    """
    return compression_of(path) is not None or _holds_tar(path)


def member_names(path: Path) -> list[str]:
    """The names of the files that `unpack` could write, sorted, each once, without a leading './'.

    A compressed file that holds no tar has one, its own without .gz, .bz2 or .xz.

    Raises:
        DataError: the file is no archive or a damaged one, or a name leads out of a folder.
    """
    with closing(_members(path)) as members:
        return sorted({found.name for found in members if found.kind == "file"})


def unpack(path: Path, folder: Path, wanted: Callable[[str], bool]) -> list[Path]:
    """The paths of the wanted members, sorted, once they are written below the folder.

    Hidden files and folders are left out, as everywhere, and so is __MACOSX. A member that is
    itself an archive is written as it is.

    Raises:
        DataError: the file is no archive or a damaged one; a name leads out of the folder; a wanted
            member is no file, is encrypted, or has a name that another has; there are more bytes
            than an honest archive of the size would hold. What was written before stays.
    """
    left = _most_bytes(path)
    written: set[Path] = set()
    with closing(_members(path)) as members:
        for member in members:
            if not wanted(member.name):
                continue
            target = folder / member.name
            _require_new_file(path, member, target in written)
            left -= _write(path, member, target, left)
            written.add(target)
    return sorted(written, key=Path.as_posix)


def _require_new_file(path: Path, member: Member, is_repeated: bool) -> None:
    if member.kind == "other":
        raise DataError(
            f"{path}: the member {member.name!r} must be a file (found a link or a device);"
            f" {BY_HAND}"
        )
    if is_repeated:
        raise DataError(
            f"{path}: the member {member.name!r} must be the only one of its name (found two);"
            f" {BY_HAND}"
        )


def _write(path: Path, member: Member, target: Path, most: int) -> int:
    """How many bytes the member has, which are written; at most so many."""
    size = 0
    try:
        with new_file(target, in_new_folder=True) as file:
            for chunk in member.content:
                size += len(chunk)
                if size > most:
                    raise DataError(
                        f"{path} unpacks to more than {_most_bytes(path)} bytes, the most that is"
                        f" believed of its size; if it is what it should be, {BY_HAND}"
                    )
                file.write(chunk)
    except OSError as error:
        raise DataError(
            f"{path}: the member {member.name!r} cannot be written: {error.strerror}"
        ) from None
    return size


def _most_bytes(path: Path) -> int:
    try:
        return max(UNSUSPICIOUS_SIZE, MOST_EXPANSION * path.stat().st_size)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from None


def _members(path: Path) -> Generator[Member, None, None]:
    """The members that are neither folders nor hidden, under names that stay inside a folder."""
    for member in _readable(str(path), _walk(path)):
        name = PurePosixPath(member.name)
        # '.' is the folder itself, and no file can take its place
        if OUTSIDE.search(member.name) or (member.kind != "folder" and not name.parts):
            raise DataError(
                f"{path}: the member {member.name!r} must have a relative name in UTF-8, without"
                f" '..', a backslash, a drive or a NUL; {BY_HAND}"
            )
        if member.kind != "folder" and not _is_hidden(name):
            place = f"{path}: the member {member.name!r}"
            content = _readable(place, member.content)
            yield replace(member, name=name.as_posix(), content=content)


def _is_hidden(name: PurePosixPath) -> bool:
    """Whether file managers would not show it; __MACOSX is what only that of macOS reads."""
    return any(part.startswith(".") or part == "__MACOSX" for part in name.parts)


def _readable(place: str, items: Iterator[Item]) -> Iterator[Item]:
    """The items, until one cannot be read; the error names the place."""
    try:
        yield from items
    except UNREADABLE as error:
        found = " ".join(str(error).split()) or type(error).__name__
        raise DataError(
            f"{place} cannot be unpacked ({found}); get the whole archive again, or {BY_HAND}"
        ) from None


def _walk(path: Path) -> Iterator[Member]:
    """Every member, in the archive's order, under the name that stands there."""
    if compression_of(path) == "zip":
        yield from _zip_members(path)
    elif _holds_tar(path):
        yield from _tar_members(path)
    elif compression_of(path) is not None:
        suffix = path.suffix if path.suffix.lower() in SUFFIXES else ""
        yield Member(path.name.removesuffix(suffix), "file", content(path))
    else:
        raise DataError(f"{path} must be a zip, tar, gzip, bzip2 or xz file (found none of them)")


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


def _holds_tar(path: Path) -> bool:
    """Whether the content, once decompressed, starts with a tar's header.

    That has the right checksum and a NUL, which no text has: digits might add up by chance.
    """
    start = content(path, tarfile.BLOCKSIZE)
    head = _Forward(_readable(str(path), start)).read(tarfile.BLOCKSIZE)
    try:
        tarfile.TarInfo.frombuf(head, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return b"\0" in head


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
