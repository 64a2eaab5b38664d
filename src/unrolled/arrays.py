"""Read and write arrays: one as .npy, mapped into memory or written piece by piece, or several by
their names as safetensors or .npz. All are written as `storage` writes, whole or not at all.

Files may come from strangers. No pickle is ever read, and what a header declares is held against
the bytes that are there before memory is asked for.
"""

import mmap
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from unrolled.declared import (
    UNREADABLE,
    declared_arrays,
    declared_tensors,
    no_npz,
    no_tensors,
    no_word_on_python_2,
)
from unrolled.errors import DataError
from unrolled.storage import new_file, write_bytes


def write_array(path: Path | str, array: NDArray[Any]) -> None:
    """Write one array as .npy, atomically."""
    with new_file(path) as file:
        np.save(file, array, allow_pickle=False)


@contextmanager
def new_array(
    path: Path | str, dtype: type[np.generic] | np.dtype[Any]
) -> Iterator[Callable[[NDArray[Any]], None]]:
    """A function that adds to the end of a one-dimensional array, whose .npy takes the place of
    `path` once the block has ended without an error.

    The bytes are those of `write_array` of all pieces together. A piece must be one-dimensional and
    of a type that goes into `dtype` without loss.
    """
    length = 0
    with new_file(path) as file:
        _write_header(file, np.dtype(dtype), length)
        start = file.tell()

        def append(piece: NDArray[Any]) -> None:
            nonlocal length
            (size,) = piece.shape
            file.write(piece.astype(dtype, order="C", casting="safe", copy=False).tobytes())
            length += size

        yield append
        file.seek(0)
        _write_header(file, np.dtype(dtype), length)
        if file.tell() != start:  # it would lie upon the first numbers
            raise RuntimeError(f"{path}: the header of {length} numbers has another size than of 0")


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


def release(array: NDArray[Any]) -> None:
    """Give the pages of an array that is mapped into memory back to the system.

    The array stays what it is: pages that are read again come from the file again, mostly out of
    the system's cache. Without it, a file that has been read through counts as memory of this
    process, in whatever Snakemake and clusters measure and limit. Any other array is left alone,
    and so is every one where the system has no such call.
    """
    pages = getattr(array, "_mmap", None)
    if isinstance(pages, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        pages.madvise(mmap.MADV_DONTNEED)


def write_tensors(path: Path | str, tensors: Mapping[str, NDArray[Any]]) -> None:
    """Write named arrays as safetensors, atomically."""
    write_bytes(path, save({name: np.asarray(array, order="C") for name, array in tensors.items()}))


def read_tensors(path: Path | str, *names: str) -> dict[str, NDArray[Any]]:
    """The arrays of these names of a safetensors file, or all where none is given.

    Raises:
        DataError: as `declared_tensors`, or an array is not there.
    """
    declared = declared_tensors(path)
    try:
        with safe_open(path, framework="numpy") as file:
            return {name: file.get_tensor(name) for name in names or declared}
    except (SafetensorError, OSError, ValueError, ArithmeticError) as error:
        raise no_tensors(path, error) from None


def write_arrays(path: Path | str, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write named arrays as .npz, atomically and without a copy of them, each as it lies in memory.

    None may be called `file`.
    """
    with new_file(path) as file:
        np.savez(file, allow_pickle=False, **arrays)


def read_arrays(path: Path | str) -> dict[str, NDArray[Any]]:
    """The named arrays of a .npz file.

    Raises:
        DataError: as `declared_arrays`, or the file is damaged.
    """
    declared_arrays(path)
    try:
        with no_word_on_python_2(), np.load(path, allow_pickle=False) as found:
            return {name: found[name] for name in found.files}
    except UNREADABLE as error:
        raise no_npz(path, error) from None


def under(name: str, arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """The arrays, each with the name and a stop before its own, to be kept among others."""
    return {f"{name}.{own}": array for own, array in arrays.items()}


def taken_from(name: str, arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Those that were put under a name, by their own names."""
    start = f"{name}."
    return {own[len(start) :]: array for own, array in arrays.items() if own.startswith(start)}


def _write_header(file: BinaryIO, dtype: np.dtype[Any], length: int) -> None:
    """Write the header of a .npy file, which NumPy pads so that the length has room to grow."""
    if dtype.hasobject:
        raise ValueError("Object arrays cannot be saved")
    described = {
        "descr": np.lib.format.dtype_to_descr(dtype),
        "fortran_order": False,
        "shape": (length,),
    }
    np.lib.format.write_array_header_1_0(file, described)
