"""Archives: which files are some, what they hold, and their members written into a folder.

An archive comes from elsewhere, so nothing that it says of itself is believed: its kind is told
from its bytes, the bytes written are counted, and a name that leads out of the folder is refused.
"""

import re
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import replace
from pathlib import Path, PurePosixPath

from unrolled.corpus.sources.compression import compression_of
from unrolled.corpus.sources.members import BY_HAND, Member, every_member, holds_tar, while_readable
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


def is_archive(path: Path) -> bool:
    """Whether a file is a zip, a tar or compressed, told from its first bytes, never its name.

    Raises:
        DataError: the file cannot be read.
    """
    return compression_of(path) is not None or holds_tar(path)


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
    for member in while_readable(str(path), every_member(path)):
        name = PurePosixPath(member.name)
        # '.' is the folder itself, and no file can take its place
        if OUTSIDE.search(member.name) or (member.kind != "folder" and not name.parts):
            raise DataError(
                f"{path}: the member {member.name!r} must have a relative name in UTF-8, without"
                f" '..', a backslash, a drive or a NUL; {BY_HAND}"
            )
        if member.kind != "folder" and not _is_hidden(name):
            place = f"{path}: the member {member.name!r}"
            content = while_readable(place, member.content)
            yield replace(member, name=name.as_posix(), content=content)


def _is_hidden(name: PurePosixPath) -> bool:
    """Whether file managers would not show it; __MACOSX is what only that of macOS reads."""
    return any(part.startswith(".") or part == "__MACOSX" for part in name.parts)
