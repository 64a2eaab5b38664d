"""Read and write bytes, text, JSON and tables, and new files of any form, whole or not at all.

Each write goes to a temporary name beside its target, is forced to disk and renamed, so that a
kill, a full disk or an error leaves the earlier file untouched and never half of a new one.
Lines and tables that grow with a corpus can be read and written piece by piece.

TSV here is UTF-8 without quoting: backslash, tab, carriage return and line feed inside a cell are
escaped, and only a line feed ends a row (other Unicode line separators are ordinary characters).
"""

import errno
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import Any, BinaryIO

from unrolled.errors import DataError

PREFIX_LENGTH = 40
"""Characters of a name that its temporary name begins with; both may have 255 bytes."""

UNFORCED = {errno.EINVAL, errno.EBADF}
"""What systems say of a file system that cannot force a folder to disk."""

Cell = str | int | float | None
"""What a cell of a table may hold; None is an empty cell."""

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\r": "\\r", "\n": "\\n"})
_UNESCAPED = {"\\": "\\", "t": "\t", "r": "\r", "n": "\n"}
_SHOWN = re.compile(rb"\\(?:\\|x([0-9a-f]{2}))")


def write_bytes(path: Path | str, content: bytes) -> None:
    """Write a file atomically, its folder made where it is missing."""
    with new_file(path) as file:
        file.write(content)


def write_text(path: Path | str, text: str) -> None:
    """Write UTF-8 text atomically, line ends as they are."""
    write_bytes(path, text.encode("utf-8"))


def read_text(path: Path | str) -> str:
    """The text of a UTF-8 file, line ends as they are.

    Raises:
        DataError: the file is missing or is not UTF-8; the message names the row.
    """
    content = read_bytes(path)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        row = len(content[: error.start + 1].splitlines())  # of bytes: at LF, CR and CRLF only
        raise _not_utf_8(path, row, error) from None


def iterate_lines(path: Path | str) -> Iterator[str]:
    """The lines of a UTF-8 file without their line feeds, one at a time; only a line feed ends one.

    Raises:
        DataError: the file is missing or is not UTF-8; the message names the row. Only raised once
            the line is asked for.
    """
    with _opened(path) as file:
        for row, line in enumerate(file, start=1):
            try:
                text = line.decode("utf-8")
            except UnicodeDecodeError as error:
                raise _not_utf_8(path, row, error) from None
            yield text.removesuffix("\n")


def read_bytes(path: Path | str) -> bytes:
    """The bytes of a file.

    Raises:
        DataError: the file is missing or cannot be read.
    """
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from None


def sha256_of(path: Path | str) -> str:
    """The checksum of a file, in hexadecimal digits.

    Raises:
        DataError: the file is missing or cannot be read.
    """
    with _opened(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def bytes_shown(content: bytes) -> str:
    r"""Bytes as text that a person can read and that tells them all.

    What is UTF-8 stands as its characters, but a backslash is doubled; zero and every byte that is
    not UTF-8 is a backslash, x and two digits: b"caf\xe9" is caf\xe9.
    """
    escaped = content.replace(b"\\", rb"\\").replace(b"\0", rb"\x00")
    return escaped.decode("utf-8", errors="backslashreplace")


def bytes_meant(text: str) -> bytes:
    """The bytes that are shown so by `bytes_shown`."""
    return _SHOWN.sub(
        lambda found: bytes.fromhex(found[1].decode()) if found[1] else b"\\",
        text.encode("utf-8"),
    )


def write_json(path: Path | str, value: Any) -> None:
    """Write JSON atomically: indented, keys in their given order, no NaN."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: Path | str) -> Any:
    """The value of a JSON file.

    Raises:
        DataError: the file is missing or is not JSON.
    """
    try:
        return json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise DataError(f"{path}, row {error.lineno}: not JSON ({error.msg})") from None


def write_tsv(path: Path | str, columns: Sequence[str], rows: Iterable[Mapping[str, Cell]]) -> None:
    """Write a table atomically: a header, then a row per mapping from column to cell.

    Rows are written as they come, so that there may be millions of them.
    """
    with new_table(path, columns) as write:
        for row in rows:
            write(row)


@contextmanager
def new_table(
    path: Path | str, columns: Sequence[str]
) -> Iterator[Callable[[Mapping[str, Cell]], None]]:
    """A function that adds a row to a table, which takes the place of `path` once the block has
    ended without an error.
    """
    with new_file(path) as file:
        file.write(("\t".join(columns) + "\n").encode("utf-8"))

        def write(row: Mapping[str, Cell]) -> None:
            cells = "\t".join(_cell_text(row[column]) for column in columns)
            file.write(f"{cells}\n".encode())

        yield write


def read_tsv(path: Path | str) -> list[dict[str, str]]:
    """The rows of a table, each a mapping from column name to the cell's text.

    Raises:
        DataError: the file is missing, empty or not UTF-8, or a row has more or fewer cells than
            the header.
    """
    return list(iterate_tsv(path))


def iterate_tsv(path: Path | str) -> Iterator[dict[str, str]]:
    """The rows of a table, one at a time, as `read_tsv` gives them.

    Raises:
        DataError: as there, but only once the row is asked for.
    """
    lines = iterate_lines(path)
    header = next(lines, None)
    if header is None:
        raise DataError(f"{path} is empty; expected a header and rows")
    columns = header.split("\t")
    for number, line in enumerate(lines, start=2):
        yield _row(path, number, columns, line)


@contextmanager
def new_file(path: Path | str, in_new_folder: bool = False) -> Iterator[BinaryIO]:
    """A file to fill, which takes the place of `path` once the block has ended without an error.

    Args:
        path: where it is to stand.
        in_new_folder: whether it lies in one of `new_folder`, which is forced to disk as a whole:
            file by file that takes many seconds for some thousands of them.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    prefix = f".{path.name[:PREFIX_LENGTH]}."
    handle, temporary = tempfile.mkstemp(prefix=prefix, dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            if not in_new_folder:
                os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


@contextmanager
def new_folder(
    path: Path | str, begun_as: Path | None = None, has_forced_files: bool = False
) -> Iterator[Path]:
    """A folder to fill, which takes the place of `path` only once the block has ended without an
    error.

    Args:
        path: where it is to stand.
        begun_as: what its temporary path begins with, in a folder that is there and on the same
            file system, so that what a kill leaves can be found; else it is made beside `path`.
        has_forced_files: whether each of its files is forced to disk already, as `new_file` does
            unless it is told not to; else all that the system has still to write is forced.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    begun_as = begun_as or path.with_name(f".{path.name[:PREFIX_LENGTH]}.")
    temporary = Path(tempfile.mkdtemp(prefix=begun_as.name, dir=begun_as.parent))
    try:
        yield temporary
        if has_forced_files:
            _force_names(temporary)
        else:
            os.sync()
        temporary.chmod(0o777 & ~_umask())
        if path.exists():
            shutil.rmtree(path)
        temporary.rename(path)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    _force(path.parent)


def _force_names(folder: Path) -> None:
    """Force to disk what all in a folder is called, also further down."""
    for below, _, _ in os.walk(folder):
        _force(Path(below))


def _force(folder: Path) -> None:
    """Force to disk what stands in a folder, where its file system can do that."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in UNFORCED:
            raise
    finally:
        os.close(handle)


def _umask() -> int:
    """The process's umask, which can only be read by setting it."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


@contextmanager
def _opened(path: Path | str) -> Iterator[BufferedReader]:
    """The file to be read.

    Raises:
        DataError: it is missing or cannot be opened.
    """
    try:
        file = Path(path).open("rb")  # noqa: SIM115  closed below; errors of opening are told apart
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from None
    with file:
        yield file


def _not_utf_8(path: Path | str, row: int, error: UnicodeDecodeError) -> DataError:
    return DataError(
        f"{path}, row {row}: the byte 0x{error.object[error.start]:02x} is not UTF-8;"
        " save the file as UTF-8"
    )


def _cell_text(value: Cell) -> str:
    if value is None:
        return ""
    return str(value).translate(_ESCAPES)


def _row(path: Path | str, number: int, columns: list[str], line: str) -> dict[str, str]:
    cells = line.split("\t")
    if len(cells) != len(columns):
        raise DataError(f"{path}, row {number}: {len(cells)} cells under {len(columns)} columns")
    return dict(zip(columns, map(_unescaped, cells), strict=True))


def _unescaped(cell: str) -> str:
    if "\\" not in cell:
        return cell
    characters = iter(cell)
    return "".join(
        _UNESCAPED.get(following := next(characters, ""), following)
        if character == "\\"
        else character
        for character in characters
    )
