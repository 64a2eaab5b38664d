"""Read and write every form of file, whole or not at all.

Each write goes to a temporary name beside its target, is forced to disk and renamed, so that a
kill, a full disk or an error leaves the earlier file untouched and never half of a new one.

TSV here is UTF-8 without quoting: backslash, tab, carriage return and line feed inside a cell are
escaped, and only a line feed ends a row (other Unicode line separators are ordinary characters).
"""

import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from unrolled.errors import DataError

Cell = str | int | float | None
"""What a cell of a table may hold; None is an empty cell."""

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\r": "\\r", "\n": "\\n"})
_UNESCAPED = {"\\": "\\", "t": "\t", "r": "\r", "n": "\n"}


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
        raise DataError(
            f"{path}, row {row}: the byte 0x{content[error.start]:02x} is not UTF-8;"
            " save the file as UTF-8"
        ) from None


def read_bytes(path: Path | str) -> bytes:
    """The bytes of a file.

    Raises:
        DataError: the file is missing or cannot be read.
    """
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from None


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
    """Write a table atomically: a header, then a row per mapping from column to cell."""
    lines = ["\t".join(columns)]
    lines += ["\t".join(_cell_text(row[column]) for column in columns) for row in rows]
    write_text(path, "\n".join(lines) + "\n")


def read_tsv(path: Path | str) -> list[dict[str, str]]:
    """The rows of a table, each a mapping from column name to the cell's text.

    Raises:
        DataError: the file is missing or empty, or a row has more or fewer cells than the header.
    """
    text = read_text(path)
    if not text:
        raise DataError(f"{path} is empty; expected a header and rows")
    header, *lines = text.removesuffix("\n").split("\n")
    columns = header.split("\t")
    return [_row(path, number, columns, line) for number, line in enumerate(lines, start=2)]


def write_array(path: Path | str, array: NDArray[Any]) -> None:
    """Write one array as .npy, atomically."""
    import io

    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    write_bytes(path, buffer.getvalue())


def read_array(path: Path | str) -> NDArray[Any]:
    """The array of a .npy file, mapped into memory rather than read.

    Raises:
        DataError: the file is missing, or is not a plain .npy array.
    """
    try:
        with np.errstate(over="raise"):  # a header may claim more bytes than an integer can count
            array: NDArray[Any] = np.lib.format.open_memmap(path, mode="r")
    except (OSError, ValueError, ArithmeticError) as error:
        raise DataError(f"{path} is not a readable .npy array ({error})") from None
    return array


def write_tensors(path: Path | str, tensors: Mapping[str, NDArray[Any]]) -> None:
    """Write named arrays as safetensors, atomically."""
    write_bytes(path, save({name: np.asarray(array, order="C") for name, array in tensors.items()}))


def read_tensors(path: Path | str) -> dict[str, NDArray[Any]]:
    """The named arrays of a safetensors file.

    Raises:
        DataError: the file is missing, is not safetensors, or has a type that NumPy has not.
    """
    try:
        tensors: dict[str, NDArray[Any]] = load(read_bytes(path))
    except (SafetensorError, KeyError) as error:  # the name of a type unknown to NumPy is the key
        raise DataError(f"{path} is not a safetensors file of NumPy's types ({error})") from None
    return tensors


@contextmanager
def new_file(path: Path | str) -> Iterator[BinaryIO]:
    """A file to fill, which takes the place of `path` once the block has ended without an error."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


@contextmanager
def new_folder(path: Path | str) -> Iterator[Path]:
    """A folder to fill, which takes the place of `path` only once the block has ended without an
    error.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    try:
        yield temporary
        temporary.chmod(0o777 & ~_umask())
        if path.exists():
            shutil.rmtree(path)
        temporary.rename(path)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def _umask() -> int:
    """The process's umask, which can only be read by setting it."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


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
