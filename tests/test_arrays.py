"""Arrays and tensors: what is written is what is read, and what is no array is refused."""

import json
import mmap
import tracemalloc
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from unrolled.arrays import (
    new_array,
    read_array,
    read_tensors,
    release,
    write_array,
    write_tensors,
)
from unrolled.errors import DataError
from unrolled.storage import read_bytes, write_bytes

ARRAYS = hnp.arrays(
    dtype=st.sampled_from([np.int32, np.int64, np.float32, np.float64, np.bool_]),
    shape=hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all examples of a property."""
    return tmp_path_factory.mktemp("arrays")


def names_in(folder: Path) -> list[str]:
    """All names in a folder, hidden ones too."""
    return sorted(path.name for path in folder.iterdir())


def npy(array: NDArray[Any], allow_pickle: bool = False) -> bytes:
    """The bytes of a .npy file."""
    buffer = BytesIO()
    np.save(buffer, array, allow_pickle=allow_pickle)
    return buffer.getvalue()


def npy_that_claims(shape: str) -> bytes:
    """A .npy file of four bytes of data, whose header tells of another shape."""
    header = f"{{'descr': '<i4', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + b"data"


def npz() -> bytes:
    """An archive of arrays, which NumPy loads just as gladly as an array."""
    buffer = BytesIO()
    np.savez(buffer, ids=np.arange(3))
    return buffer.getvalue()


NOT_AN_ARRAY = {
    "an empty file": b"",
    "text": b"some words",
    "a pickled object": npy(np.array([{}], dtype=object), allow_pickle=True),
    "an archive of arrays": npz(),
    "a header cut short": npy(np.arange(9))[:20],
    "data cut short": npy(np.arange(9))[:-1],
    "a shape beyond the file": npy_that_claims("(1000,)"),
    "a shape whose size in bytes overflows": npy_that_claims(f"({2**40}, {2**40})"),
    "a shape beyond any integer": npy_that_claims(f"({10**30},)"),
    "a negative shape": npy_that_claims("(-1,)"),
}


class TestArrays:
    @given(array=ARRAYS)
    def test_reading_gives_what_was_written(self, folder: Path, array: NDArray[Any]) -> None:
        write_array(folder / "a.npy", array)

        found = read_array(folder / "a.npy")

        assert found.dtype == array.dtype
        np.testing.assert_array_equal(found, array, strict=True)

    def test_an_array_is_mapped_and_cannot_be_changed(self, tmp_path: Path) -> None:
        write_array(tmp_path / "a.npy", np.arange(9))

        array = read_array(tmp_path / "a.npy")

        assert isinstance(array, np.memmap)
        assert not array.flags.writeable

    def test_an_array_of_objects_is_refused_and_nothing_written(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="Object arrays cannot be saved"):
            write_array(tmp_path / "a.npy", np.array([{}], dtype=object))

        assert names_in(tmp_path) == []

    @pytest.mark.parametrize("content", NOT_AN_ARRAY.values(), ids=list(NOT_AN_ARRAY))
    def test_what_is_not_a_plain_array_is_refused(self, tmp_path: Path, content: bytes) -> None:
        write_bytes(tmp_path / "a.npy", content)

        with pytest.raises(DataError, match=r"/a\.npy is not a readable \.npy array \("):
            read_array(tmp_path / "a.npy")

    def test_a_missing_file_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match=r"/none\.npy is not a readable .*No such file"):
            read_array(tmp_path / "none.npy")


PIECES = st.sampled_from([np.int32, np.int64, np.float32, np.uint8]).flatmap(
    lambda dtype: st.lists(hnp.arrays(dtype, st.integers(0, 5)), min_size=1, max_size=6)
)
"""One-dimensional arrays of one type, some of them empty."""


class TestGrowingArrays:
    @given(pieces=PIECES)
    def test_the_bytes_are_those_of_all_pieces_at_once(
        self, folder: Path, pieces: list[NDArray[Any]]
    ) -> None:
        with new_array(folder / "a.npy", pieces[0].dtype) as append:
            for piece in pieces:
                append(piece)

        assert read_bytes(folder / "a.npy") == npy(np.concatenate(pieces))

    @pytest.mark.parametrize("length", [0, 9, 10, 99_999, 100_000, 12_345_678])
    def test_the_length_has_room_in_the_header(self, tmp_path: Path, length: int) -> None:
        numbers = np.zeros(length, dtype=np.uint8)

        with new_array(tmp_path / "a.npy", np.uint8) as append:
            append(numbers)

        assert read_bytes(tmp_path / "a.npy") == npy(numbers)

    def test_every_second_number_of_an_array_is_what_it_is(self, tmp_path: Path) -> None:
        with new_array(tmp_path / "a.npy", np.int32) as append:
            append(np.arange(9, dtype=np.int32)[::-2])

        assert read_array(tmp_path / "a.npy").tolist() == [8, 6, 4, 2, 0]

    def test_numbers_of_a_smaller_type_are_taken(self, tmp_path: Path) -> None:
        with new_array(tmp_path / "a.npy", np.int64) as append:
            append(np.array([-1, 7], dtype=np.int32))

        assert read_bytes(tmp_path / "a.npy") == npy(np.array([-1, 7], dtype=np.int64))

    @pytest.mark.parametrize(
        ("piece", "error"),
        [
            (np.array([2**40]), "Cannot cast"),
            (np.array([0.5]), "Cannot cast"),
            (np.zeros((2, 2), dtype=np.int32), "too many values"),
            (np.int32(1), "not enough values"),
        ],
        ids=["larger numbers", "fractions", "a matrix", "a number"],
    )
    def test_what_does_not_fit_is_refused_and_nothing_written(
        self, tmp_path: Path, piece: NDArray[Any], error: str
    ) -> None:
        def write() -> None:
            with new_array(tmp_path / "a.npy", np.int32) as append:
                append(np.array([1], dtype=np.int32))
                append(piece)

        with pytest.raises((TypeError, ValueError), match=error):
            write()

        assert names_in(tmp_path) == []

    def test_an_array_of_objects_is_refused(self, tmp_path: Path) -> None:
        with (
            pytest.raises(ValueError, match="Object arrays cannot be saved"),
            new_array(tmp_path / "a.npy", np.object_),
        ):
            pass

        assert names_in(tmp_path) == []

    def test_a_header_that_has_grown_is_noticed(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def unpadded(file: BinaryIO, described: dict[str, Any]) -> None:
            file.write(repr(described).encode())

        def write() -> None:
            with new_array(tmp_path / "a.npy", np.int32) as append:
                append(np.arange(10, dtype=np.int32))

        monkeypatch.setattr(np.lib.format, "write_array_header_1_0", unpadded)

        with pytest.raises(RuntimeError, match=r"header of 10 numbers has another size than of 0"):
            write()

        assert names_in(tmp_path) == []

    def test_numbers_are_not_held(self, tmp_path: Path) -> None:
        piece = np.arange(10_000)

        tracemalloc.start()
        with new_array(tmp_path / "a.npy", np.int64) as append:
            for _ in range(100):  # 8 MB
                append(piece)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()

        assert peak < 500_000


class TestRelease:
    def test_an_array_is_what_it_was(self, tmp_path: Path) -> None:
        write_array(tmp_path / "a.npy", np.arange(100_000))
        array = read_array(tmp_path / "a.npy")
        part = array[50_000:50_003]

        for each in (array, part, np.arange(3)):
            release(each)

        assert part.tolist() == [50_000, 50_001, 50_002]
        assert int(array.sum()) == 99_999 * 50_000

    def test_a_system_without_the_call_is_no_trouble(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write_array(tmp_path / "a.npy", np.arange(9))
        array = read_array(tmp_path / "a.npy")
        monkeypatch.delattr(mmap, "MADV_DONTNEED", raising=False)

        release(array)

        assert array.tolist() == list(range(9))


def safetensors(header: dict[str, Any], data: bytes) -> bytes:
    """The bytes of a safetensors file, put together by its specification."""
    encoded = json.dumps(header).encode()
    return len(encoded).to_bytes(8, "little") + encoded + data


def tensor(dtype: str, shape: list[int], size: int) -> dict[str, Any]:
    """The header of a file with one tensor of that many bytes."""
    return {"a": {"dtype": dtype, "shape": shape, "data_offsets": [0, size]}}


NOT_TENSORS = {
    "an empty file": b"",
    "text": b"some words in a row",
    "a header beyond the file": (2**60).to_bytes(8, "little") + b"{}",
    "a shape beyond the data": safetensors(tensor("F32", [1000], 4), b"data"),
    "data cut short": safetensors(tensor("F32", [2], 8), b"data"),
    "a type that numpy has not": safetensors(tensor("BF16", [2], 4), b"data"),
}


class TestTensors:
    @given(tensors=st.dictionaries(st.text(max_size=5), ARRAYS, max_size=3))
    def test_reading_gives_what_was_written(
        self, folder: Path, tensors: dict[str, NDArray[Any]]
    ) -> None:
        tensors.pop("__metadata__", None)  # the one name that the format keeps for itself

        write_tensors(folder / "a.safetensors", tensors)

        found = read_tensors(folder / "a.safetensors")
        assert found.keys() == tensors.keys()
        for name, array in tensors.items():
            np.testing.assert_array_equal(found[name], array, strict=True)

    def test_an_array_that_is_not_laid_out_row_by_row_keeps_its_values(
        self, tmp_path: Path
    ) -> None:
        array = np.arange(6).reshape(2, 3).T

        write_tensors(tmp_path / "a.safetensors", {"a": array})

        np.testing.assert_array_equal(read_tensors(tmp_path / "a.safetensors")["a"], array)

    def test_the_file_is_what_the_specification_says(self, tmp_path: Path) -> None:
        write_bytes(tmp_path / "a.safetensors", safetensors(tensor("I32", [1], 4), b"\1\0\0\0"))

        assert read_tensors(tmp_path / "a.safetensors") == {"a": np.array([1], dtype=np.int32)}

    @pytest.mark.parametrize("content", NOT_TENSORS.values(), ids=list(NOT_TENSORS))
    def test_what_is_not_safetensors_is_refused(self, tmp_path: Path, content: bytes) -> None:
        write_bytes(tmp_path / "a.safetensors", content)

        with pytest.raises(DataError, match=r"/a\.safetensors is not a safetensors file"):
            read_tensors(tmp_path / "a.safetensors")
