"""What the headers of files of arrays declare, held against the bytes that are there.

Files may come from strangers: nothing here reads an array, asks for memory that a header names, or
unpickles.
"""

import json
import math
import os
import struct
import tokenize
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np

from unrolled.errors import DataError

Layout = dict[str, tuple[tuple[int, ...], str]]
"""The shape of each array and NumPy's name of its type, by its name."""

TENSOR_TYPES = {
    "BOOL": "bool",
    "U8": "uint8",
    "I8": "int8",
    "U16": "uint16",
    "I16": "int16",
    "F16": "float16",
    "U32": "uint32",
    "I32": "int32",
    "F32": "float32",
    "U64": "uint64",
    "I64": "int64",
    "F64": "float64",
    "C64": "complex64",
}
"""What NumPy calls the types of safetensors that both have."""

TENSORS_HEADER_SIZE = 2**20
"""Bytes of the longest header of safetensors that is read; ten thousand arrays find room in it."""

MOST_DIMENSIONS = 64
"""NumPy's limit."""

ARRAY_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
"""How the headers of .npy are read, by their version; a later one is only for names of fields."""

MOST_PACKED = 10
"""How many times its own size a .npz may have unpacked. Weights shrink to nine tenths, or to less
than half where double precision holds single; zeros, of which bombs are made, to a thousandth.
"""

SMALL = 2**20
"""Bytes that may unpack from a file of any size: headers shrink, too."""

UNREADABLE = (
    OSError,
    ValueError,
    EOFError,
    ArithmeticError,  # a shape whose bytes no integer counts
    LookupError,  # a field of an archive that is too short
    RuntimeError,  # a member with a password, of an unknown method, or of a header too deep
    SyntaxError,  # a header that is no Python
    tokenize.TokenError,
    struct.error,
    zlib.error,
    zipfile.BadZipFile,
)
"""What NumPy and the standard library raise for a .npz that is not as it should be."""


def declared_tensors(path: Path | str) -> Layout:
    """What the header of a safetensors file says that it holds; no array is read.

    Raises:
        DataError: the file is missing, is not safetensors, has a type that NumPy has not, or
            declares other bytes than it has.

    Source: the format's own description, https://github.com/huggingface/safetensors#format
    """
    try:
        with Path(path).open("rb") as file:
            return _declared(*_tensors_header(file))
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise no_tensors(path, error) from None


def declared_arrays(path: Path | str) -> Layout:
    """What the headers of a .npz file say that it holds; no array is read.

    Raises:
        DataError: the file is missing or is none; a member is compressed by another method than
            NumPy's, is no plain array, or declares other bytes than it has; or all together would
            unpack to more than `MOST_PACKED` times the file.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            _require_no_bomb(archive, Path(path).stat().st_size)
            return dict(_declared_member(archive, member) for member in archive.infolist())
    except UNREADABLE as error:
        raise no_npz(path, error) from None


@contextmanager
def no_word_on_python_2() -> Iterator[None]:
    """Take headers as Python 2 wrote them, with an L after each number, for as good as any."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Reading `.npy` or `.npz` file required additional")
        yield


def no_tensors(path: Path | str, error: Exception) -> DataError:
    """The error of a file that is not safetensors."""
    return DataError(f"{path} is not a safetensors file of NumPy's types ({error})")


def no_npz(path: Path | str, error: Exception) -> DataError:
    """The error of a file that is not .npz."""
    found = " ".join(str(error).split()) or type(error).__name__
    return DataError(f"{path} is not a readable .npz file ({found})")


def _tensors_header(file: IO[bytes]) -> tuple[dict[str, Any], int]:
    """The header of a safetensors file, and how many bytes follow it.

    Raises:
        ValueError: there is none, or it is too long.
    """
    size = int.from_bytes(file.read(8), "little")
    after = os.fstat(file.fileno()).st_size - 8 - size
    if after < 0 or size > TENSORS_HEADER_SIZE:
        raise ValueError(
            f"its header must end within the file and have at most {TENSORS_HEADER_SIZE} bytes; it"
            f" would have {size}"
        )
    header = json.loads(file.read(size).decode("utf-8"), object_pairs_hook=_each_once)
    if not isinstance(header, dict):
        raise ValueError("its header must have names and values")
    header.pop("__metadata__", None)
    return header, after


def _declared(header: Mapping[str, Any], data_size: int) -> Layout:
    """What a header declares, once that is known to be exactly the bytes that follow it.

    Raises:
        ValueError: it is not.
    """
    layout: Layout = {}
    places = []
    for name, entry in header.items():
        shape, dtype, start, end = _declared_tensor(name, entry)
        size = math.prod(shape) * np.dtype(dtype).itemsize
        if end - start != size:
            raise ValueError(
                f"{_shown(name)}, {dtype} of shape {shape}, must have {size} bytes; it has"
                f" {end - start}"
            )
        layout[name] = shape, dtype
        places.append((start, end))
    ends = [0, *(end for _, end in sorted(places))]
    if [*(start for start, _ in sorted(places)), data_size] != ends:
        raise ValueError(
            f"its arrays must follow each other from 0 to {data_size}, the bytes after its header"
        )
    return layout


def _declared_tensor(name: str, entry: Any) -> tuple[tuple[int, ...], str, int, int]:
    """The shape and NumPy's type of an array by its entry in a header, its start and its end.

    Raises:
        ValueError: the entry has another form.
    """
    keys = ("dtype", "shape", "data_offsets")
    if not isinstance(entry, dict) or entry.keys() != set(keys):
        raise ValueError(f"{_shown(name)} must have {', '.join(keys)} and nothing else")
    dtype, shape, place = (entry[key] for key in keys)
    if not isinstance(dtype, str) or dtype not in TENSOR_TYPES:
        raise ValueError(
            f"{_shown(name)} must be of the type {', '.join(TENSOR_TYPES)}; it is {_shown(dtype)}"
        )
    if not (_are_sizes(shape) and _are_sizes(place) and len(place) == 2):
        raise ValueError(f"{_shown(name)} must have a shape and a place of whole numbers")
    return tuple(shape), TENSOR_TYPES[dtype], place[0], place[1]


def _are_sizes(found: Any) -> bool:
    """Whether something is a list of numbers that can count bytes in memory, as few as a shape."""
    largest = np.iinfo(np.intp).max
    return (
        isinstance(found, list)
        and len(found) <= MOST_DIMENSIONS
        and all(type(number) is int and 0 <= number <= largest for number in found)
    )


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object of a JSON file, of whose two equal keys two readers might take different ones.

    Raises:
        ValueError: a key stands twice.
    """
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice in its header")
    return found


def _require_no_bomb(archive: zipfile.ZipFile, size: int) -> None:
    """Refuse an archive that would unpack to far more than it is, or that hides how much.

    Raises:
        ValueError: it does so.
    """
    members = archive.infolist()
    for member in members:
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ValueError(  # of others a few KiB can become gigabytes at one call
                f"{_shown(member.filename)} must be stored or deflated; its compression method is"
                f" {member.compress_type}"
            )
    unpacked = sum(member.file_size for member in members)
    if unpacked > max(SMALL, MOST_PACKED * size):
        raise ValueError(
            f"its {size} bytes must unpack to at most {MOST_PACKED} times as many; they would to"
            f" {unpacked}"
        )
    if len({_name(member) for member in members}) < len(members):
        raise ValueError("a name stands twice in it")


def _declared_member(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo
) -> tuple[str, tuple[tuple[int, ...], str]]:
    """The name, the shape and the type of an array, once it is known to have its bytes.

    Raises:
        ValueError: it has other bytes than its header declares, or is no plain array.
    """
    with archive.open(member) as file:
        shape, dtype = _declared_array(file)
        size = math.prod(shape) * dtype.itemsize
        left = member.file_size - file.tell()
    name = _shown(member.filename)
    if dtype.hasobject or dtype.fields is not None:
        raise ValueError(f"{name} must hold plain numbers, no objects and no records")
    if size != left or min(shape, default=0) < 0:
        raise ValueError(f"{name}, {dtype} of shape {shape}, must have {size} bytes; it has {left}")
    return _name(member), (shape, str(dtype))


def _name(member: zipfile.ZipInfo) -> str:
    """The name of an array, as NumPy finds it by: that of its member with or without a suffix."""
    return member.filename.removesuffix(".npy")


def _declared_array(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """The shape and the type that the header of a .npy file tells.

    Raises:
        ValueError: it is none, or of an unknown version.
    """
    version = np.lib.format.read_magic(file)
    if version not in ARRAY_HEADERS:
        raise ValueError(f"the version of a .npy header must be 1.0 or 2.0; it is {version}")
    with no_word_on_python_2():
        shape, _, dtype = ARRAY_HEADERS[version](file)
    return shape, dtype


def _shown(found: object) -> str:
    """What a stranger's file says, at a length that a message can have."""
    text = repr(found)
    return text if len(text) <= 60 else f"{text[:60]}..."
