"""Every form of file: what is written is what is read, and nothing is ever written half."""

import errno
import json
import math
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from unrolled.errors import DataError
from unrolled.storage import (
    Cell,
    new_file,
    new_folder,
    read_array,
    read_bytes,
    read_json,
    read_tensors,
    read_text,
    read_tsv,
    write_array,
    write_bytes,
    write_json,
    write_tensors,
    write_text,
    write_tsv,
)

ARRAYS = hnp.arrays(
    dtype=st.sampled_from([np.int32, np.int64, np.float32, np.float64, np.bool_]),
    shape=hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all examples of a property."""
    return tmp_path_factory.mktemp("storage")


@pytest.fixture(params=[0o022, 0o077], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    """The process's umask while a test runs."""
    mask: int = request.param
    before = os.umask(mask)
    yield mask
    os.umask(before)


def names_in(folder: Path) -> list[str]:
    """All names in a folder, hidden ones too."""
    return sorted(path.name for path in folder.iterdir())


def fail_half_way(path: Path, error: type[BaseException]) -> None:
    """Raise the error while a file is being written."""
    with new_file(path) as file:
        file.write(b"half of what was to be wri")
        raise error


def fail_half_way_in_folder(path: Path) -> None:
    """Raise an error while a folder is being filled."""
    with new_folder(path) as folder:
        write_text(folder / "new", "later")
        raise KeyboardInterrupt


class TestNewFile:
    def test_the_folder_is_made_where_it_is_missing(self, tmp_path: Path) -> None:
        write_bytes(tmp_path / "a" / "b" / "file", b"\x00\xff")

        assert read_bytes(tmp_path / "a" / "b" / "file") == b"\x00\xff"

    def test_the_earlier_file_stands_until_the_block_has_ended(self, tmp_path: Path) -> None:
        path = tmp_path / "file"
        write_text(path, "earlier")

        with new_file(path) as file:
            file.write(b"later")
            file.flush()
            during = read_text(path)

        assert during == "earlier"
        assert read_text(path) == "later"
        assert names_in(tmp_path) == ["file"]

    @pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
    def test_an_error_leaves_the_earlier_file_and_nothing_else(
        self, tmp_path: Path, error: type[BaseException]
    ) -> None:
        path = tmp_path / "file"
        write_text(path, "earlier")

        with pytest.raises(error):
            fail_half_way(path, error)

        assert read_text(path) == "earlier"
        assert names_in(tmp_path) == ["file"]

    def test_a_full_disk_leaves_the_earlier_file_and_nothing_else(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(_: int) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        path = tmp_path / "file"
        write_text(path, "earlier")
        monkeypatch.setattr(os, "fsync", full)

        with pytest.raises(OSError, match="No space left"):
            write_text(path, "later")

        assert read_text(path) == "earlier"
        assert names_in(tmp_path) == ["file"]

    def test_a_kill_leaves_the_earlier_file(self, tmp_path: Path) -> None:
        path = tmp_path / "file"
        write_text(path, "earlier")
        program = (
            "import os, signal, sys\n"
            "from unrolled.storage import new_file\n"
            "with new_file(sys.argv[1]) as file:\n"
            "    file.write(b'half of what was to be wri')\n"
            "    file.flush()\n"
            "    os.kill(os.getpid(), signal.SIGKILL)\n"
        )

        killed = subprocess.run([sys.executable, "-c", program, path], check=False)

        assert killed.returncode == -signal.SIGKILL
        assert read_text(path) == "earlier"

    def test_the_mode_is_that_of_any_new_file(self, tmp_path: Path, umask: int) -> None:
        write_text(tmp_path / "file", "words")

        assert (tmp_path / "file").stat().st_mode & 0o777 == 0o666 & ~umask


class TestNewFolder:
    def test_it_takes_the_place_of_the_earlier_folder_with_all_its_files(
        self, tmp_path: Path
    ) -> None:
        write_text(tmp_path / "made" / "old", "earlier")

        with new_folder(tmp_path / "made") as folder:
            write_text(folder / "new", "later")

        assert names_in(tmp_path) == ["made"]
        assert names_in(tmp_path / "made") == ["new"]

    def test_the_folder_above_is_made_where_it_is_missing(self, tmp_path: Path) -> None:
        with new_folder(tmp_path / "a" / "b"):
            pass

        assert names_in(tmp_path / "a") == ["b"]

    def test_an_error_leaves_the_earlier_folder_and_nothing_else(self, tmp_path: Path) -> None:
        write_text(tmp_path / "made" / "old", "earlier")

        with pytest.raises(KeyboardInterrupt):
            fail_half_way_in_folder(tmp_path / "made")

        assert names_in(tmp_path) == ["made"]
        assert names_in(tmp_path / "made") == ["old"]

    def test_the_mode_is_that_of_any_new_folder(self, tmp_path: Path, umask: int) -> None:
        with new_folder(tmp_path / "made"):
            pass

        assert (tmp_path / "made").stat().st_mode & 0o777 == 0o777 & ~umask


class TestText:
    @settings(max_examples=50)
    @given(text=st.text())
    def test_reading_gives_what_was_written_line_ends_included(
        self, folder: Path, text: str
    ) -> None:
        write_text(folder / "text", text)

        assert read_text(folder / "text") == text

    def test_a_missing_file_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match=r"/none cannot be read: No such file or directory$"):
            read_text(tmp_path / "none")

    def test_a_folder_in_the_place_of_a_file_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match=r"cannot be read: Is a directory$"):
            read_bytes(tmp_path)

    @pytest.mark.parametrize(
        ("content", "row"),
        [
            (b"\xff", 1),
            (b"one\n\xff", 2),
            (b"one\r\ntwo\r\n\xff", 3),
            (b"one\rtwo\r\xff", 3),
            (b"one\xe2\x80\xa8two\xff", 1),  # U+2028 ends no row
        ],
    )
    def test_a_byte_that_is_not_utf_8_is_named_with_its_row(
        self, tmp_path: Path, content: bytes, row: int
    ) -> None:
        write_bytes(tmp_path / "text", content)

        with pytest.raises(DataError, match=rf"/text, row {row}: the byte 0xff is not UTF-8; save"):
            read_text(tmp_path / "text")


class TestJson:
    def test_a_person_can_read_it(self, tmp_path: Path) -> None:
        write_json(tmp_path / "a.json", {"z": "naïve", "a": [1]})

        assert read_text(tmp_path / "a.json") == '{\n  "z": "naïve",\n  "a": [\n    1\n  ]\n}\n'

    def test_reading_gives_what_was_written_in_its_order(self, tmp_path: Path) -> None:
        value = {"z": None, "a": {"deep": [1, 2.5, True, "\u2028\t\\"]}}

        write_json(tmp_path / "a.json", value)

        assert read_json(tmp_path / "a.json") == value
        assert list(read_json(tmp_path / "a.json")) == ["z", "a"]

    @pytest.mark.parametrize("value", [math.nan, math.inf])
    def test_what_json_has_no_number_for_is_refused_and_nothing_written(
        self, tmp_path: Path, value: float
    ) -> None:
        with pytest.raises(ValueError, match="JSON compliant"):
            write_json(tmp_path / "a.json", {"loss": value})

        assert names_in(tmp_path) == []

    def test_what_is_not_json_is_named_with_its_row(self, tmp_path: Path) -> None:
        write_text(tmp_path / "a.json", '{\n"a": 1,\n}')

        with pytest.raises(DataError, match=r"/a\.json, row \d: not JSON \("):
            read_json(tmp_path / "a.json")


class TestTsv:
    def test_the_file_is_plain_rows_with_what_would_break_them_escaped(
        self, tmp_path: Path
    ) -> None:
        rows: list[dict[str, Cell]] = [
            {"word": "a\tb\nc\rd\\e", "count": 1},
            {"word": '"quoted"', "count": None},
        ]

        write_tsv(tmp_path / "a.tsv", ["word", "count"], rows)

        assert read_bytes(tmp_path / "a.tsv") == (
            b"word\tcount\n"
            b"a\\tb\\nc\\rd\\\\e\t1\n"
            b'"quoted"\t\n'
        )  # fmt: skip

    @settings(max_examples=50)
    @given(rows=st.lists(st.fixed_dictionaries({"a": st.text(), "b": st.text()}), max_size=4))
    def test_reading_gives_what_was_written(self, folder: Path, rows: list[dict[str, str]]) -> None:
        write_tsv(folder / "a.tsv", ["a", "b"], rows)

        assert read_tsv(folder / "a.tsv") == rows

    @settings(max_examples=50)
    @given(cells=st.lists(st.text(alphabet="\\\t\r\n\u2028x"), max_size=4))
    def test_a_single_column_keeps_its_empty_cells(self, folder: Path, cells: list[str]) -> None:
        write_tsv(folder / "a.tsv", ["a"], [{"a": cell} for cell in cells])

        assert [row["a"] for row in read_tsv(folder / "a.tsv")] == cells

    @settings(max_examples=50)
    @given(value=st.floats(allow_nan=False))
    def test_a_number_keeps_its_last_bit(self, folder: Path, value: float) -> None:
        write_tsv(folder / "a.tsv", ["loss"], [{"loss": value}])

        assert float(read_tsv(folder / "a.tsv")[0]["loss"]) == value

    def test_a_table_without_rows_is_its_header(self, tmp_path: Path) -> None:
        write_tsv(tmp_path / "a.tsv", ["a", "b"], [])

        assert read_bytes(tmp_path / "a.tsv") == b"a\tb\n"
        assert read_tsv(tmp_path / "a.tsv") == []

    def test_only_the_columns_asked_for_are_written(self, tmp_path: Path) -> None:
        write_tsv(tmp_path / "a.tsv", ["b"], [{"a": 1, "b": 2, "c": 3}])

        assert read_tsv(tmp_path / "a.tsv") == [{"b": "2"}]

    def test_an_empty_file_is_refused(self, tmp_path: Path) -> None:
        write_text(tmp_path / "a.tsv", "")

        with pytest.raises(DataError, match=r"/a\.tsv is empty; expected a header and rows$"):
            read_tsv(tmp_path / "a.tsv")

    @pytest.mark.parametrize(("row", "count"), [("1", 1), ("1\t2\t3", 3), ("", 1)])
    def test_a_ragged_row_is_named(self, tmp_path: Path, row: str, count: int) -> None:
        write_text(tmp_path / "a.tsv", f"a\tb\n1\t2\n{row}\n")

        with pytest.raises(DataError, match=rf"row 3: {count} cells under 2 columns$"):
            read_tsv(tmp_path / "a.tsv")


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
    @settings(max_examples=50)
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
    @settings(max_examples=50)
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
