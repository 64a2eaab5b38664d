"""The user's own file, or folder of files: found, checked and copied."""

import csv
import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from unrolled.errors import ConfigError, DataError
from unrolled.storage import read_bytes, read_text, write_bytes

FIELD_SIZE_LIMIT = 2**31 - 1
"""Characters: the most that csv takes on every platform. Its own limit is 131,072."""


def input_files(path: str, column: str | None) -> list[Path]:
    """The file itself, or those below a folder, in the order of their paths.

    Of a folder the .csv files are taken if a column is named, the .txt files if none is. Hidden
    files and folders are left out, and links to folders are not followed.

    Raises:
        DataError: there is no such path, no such file below it, one of the files is empty or lacks
            the column, or a .csv file is to be read without a column.
    """
    given = Path(path)
    suffix = ".txt" if column is None else ".csv"
    files = [given]
    if os.path.isdir(given):
        files = [file for file in files_below(given) if file.suffix.lower() == suffix]
    if not files:
        raise DataError(f"corpus.path: {path} must hold {suffix} files (found none)")
    for file in files:
        _require_content(file)
        if column is not None:
            check_column(file, column)
        elif file.suffix.lower() == ".csv":
            raise DataError(f"{file}: corpus.column must name one of {_shown(csv_header(file)[1])}")
    return files


def files_below(folder: Path) -> list[Path]:
    """Every regular file below a folder, in the order of the paths, which no locale moves.

    Hidden files and folders are left out: Snakemake and file managers put notes of their own there.

    Raises:
        DataError: a folder cannot be read.
    """
    try:
        walk = list(os.walk(folder, onerror=_raise))
    except OSError as error:
        raise DataError(f"{error.filename} cannot be read: {error.strerror}") from None
    files = [Path(parent, name) for parent, _, names in walk for name in names]
    shown = (file for file in files if not _is_hidden(file.relative_to(folder)))
    return sorted(filter(os.path.isfile, shown), key=Path.as_posix)


def copy_files(path: str, column: str | None, folder: Path) -> None:
    """Copy the input files into a folder, under their names relative to `path`.

    Raises:
        DataError: as `input_files` does, or a file cannot be read.
    """
    given = Path(path)
    base = given if os.path.isdir(given) else given.parent
    for file in input_files(path, column):
        write_bytes(folder / file.relative_to(base), read_bytes(file))


def verify(path: Path, size: int | None, sha256: str | None) -> None:
    """Return only if the file has the size in bytes and the checksum; None is not checked.

    Raises:
        ConfigError: one of them is given for a folder.
        DataError: the file differs, is missing or is empty.
    """
    if size is None and sha256 is None:
        return
    if os.path.isdir(path):
        raise ConfigError(
            f"corpus.size and corpus.sha256 must be null where corpus.path is a folder (got {path})"
        )
    _require_content(path)
    if size is not None and (found := path.stat().st_size) != size:
        raise DataError(f"{path} has {found} bytes; expected {size} (corpus.size)")
    if sha256 is not None and (digest := sha256_of(path)) != sha256:
        raise DataError(f"{path} has the sha256 {digest}; expected {sha256} (corpus.sha256)")


def sha256_of(path: Path) -> str:
    """The checksum of a file, in hexadecimal digits.

    Raises:
        DataError: the file is missing or cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from None


def sha256_of_folder(folder: Path) -> str:
    """The checksum of every name and content below a folder.

    It is that of the listing which `sha256sum --zero` makes of the sorted relative names: checksum,
    two spaces, name, NUL. No name holds a NUL, so no two folders share a listing.
    """
    listing = hashlib.sha256()
    for file in files_below(folder):
        name = os.fsencode(file.relative_to(folder).as_posix())
        listing.update(sha256_of(file).encode() + b"  " + name + b"\0")
    return listing.hexdigest()


def check_column(path: Path, column: str) -> None:
    """Return only if the header of a CSV file has the column, once. Only the header is read.

    Raises:
        DataError: it has not, or the file is not UTF-8 or not CSV so far.
    """
    row, header = csv_header(path)
    if header.count(column) != 1:
        raise DataError(
            f"{path}, row {row}: corpus.column must be one column of the header"
            f" (got {column!r}, found {_shown(header)})"
        )


def csv_header(path: Path) -> tuple[int, list[str]]:
    """The row of a CSV file's header, and its columns; none for a file of blank lines.

    Raises:
        DataError: the file cannot be read, or is not UTF-8 or not CSV so far.
    """
    try:
        with path.open(encoding="utf-8-sig") as file:
            return next(csv_records(path, file), (1, []))
    except UnicodeDecodeError:
        read_text(path)  # which names the row
        raise
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from None


def csv_records(path: Path, lines: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    """The records of a CSV file that are not blank, each with the row on which it starts.

    Raises:
        DataError: the quotes are wrong, or one is never closed.
    """
    csv.field_size_limit(FIELD_SIZE_LIMIT)  # of the process: csv has no other
    reader = csv.reader(lines, strict=True)
    row = 1
    try:
        for cells in reader:
            if cells:
                yield row, cells
            row = reader.line_num + 1
    except csv.Error as error:
        raise DataError(
            f"{path}, row {row}: the record that starts here is not CSV ({error}); check its quotes"
        ) from None


def _is_hidden(name: Path) -> bool:
    return any(part.startswith(".") for part in name.parts)


def _require_content(file: Path) -> None:
    if not os.path.isfile(file):  # Path.is_file raises where a folder may not be entered
        raise DataError(f"corpus.path: {file} must be a file or a folder (found neither)")
    if file.stat().st_size == 0:
        raise DataError(f"corpus.path: {file} must hold text (found 0 bytes)")


def _shown(columns: list[str]) -> str:
    return ", ".join(map(repr, columns)) or "none"


def _raise(error: OSError) -> None:
    raise error
