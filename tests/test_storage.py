"""Every form of file: what is written is what is read, and nothing is ever written half."""

import errno
import json
import math
import mmap
import os
import signal
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from unrolled.errors import DataError
from unrolled.storage import (
    Cell,
    bytes_meant,
    bytes_shown,
    iterate_lines,
    iterate_tsv,
    new_array,
    new_file,
    new_folder,
    new_table,
    read_array,
    read_bytes,
    read_json,
    read_tensors,
    read_text,
    read_tsv,
    release,
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


class TestLines:
    @settings(max_examples=50)
    @given(lines=st.lists(st.text("a\r\t\x0b\x1c\x85\u2028é")))
    def test_only_a_line_feed_ends_one(self, folder: Path, lines: list[str]) -> None:
        write_text(folder / "lines", "".join(f"{line}\n" for line in lines))

        assert list(iterate_lines(folder / "lines")) == lines

    def test_the_last_one_may_lack_its_line_feed(self, tmp_path: Path) -> None:
        write_text(tmp_path / "lines", "a\n\nb")

        assert list(iterate_lines(tmp_path / "lines")) == ["a", "", "b"]

    def test_what_is_not_utf_8_is_named_with_its_row_once_it_is_come_to(
        self, tmp_path: Path
    ) -> None:
        write_bytes(tmp_path / "lines", b"a\rb\n\xe2\x80\xa8\nc\xc3\n")

        lines = iterate_lines(tmp_path / "lines")

        assert [next(lines), next(lines)] == ["a\rb", "\u2028"]
        with pytest.raises(DataError, match=r"/lines, row 3: the byte 0xc3 is not UTF-8; save"):
            next(lines)

    def test_a_missing_file_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match=r"/none cannot be read: No such file or directory$"):
            next(iterate_lines(tmp_path / "none"))


class TestBytesAsText:
    @pytest.mark.parametrize(
        ("content", "text"),
        [
            (b"plain", "plain"),
            ("naïve 的 \u202e😀".encode(), "naïve 的 \u202e😀"),
            (b"caf\xe9", r"caf\xe9"),
            (b"C:\\x00", r"C:\\x00"),  # a backslash, not a zero
            (b"a\0b", r"a\x00b"),
            (b"\xed\xa0\x80", r"\xed\xa0\x80"),  # half of a surrogate pair is not UTF-8
            (b"\xc0\xaf", r"\xc0\xaf"),  # nor is a character in more bytes than it needs
            (b"\xe7\x9a", r"\xe7\x9a"),  # nor one that is cut short
            (b"a\tb\r\n", "a\tb\r\n"),
        ],
    )
    def test_what_is_utf_8_stands_as_it_is_and_all_else_by_its_number(
        self, content: bytes, text: str
    ) -> None:
        assert bytes_shown(content) == text
        assert bytes_meant(text) == content

    @settings(max_examples=300)
    @given(
        content=st.binary()
        | st.text().map(str.encode)
        | st.text("\\x0f7\0").map(str.encode)
        | st.lists(st.sampled_from([b"\\", b"x", b"0", b"\xe2", b"\x80", b"\0"])).map(b"".join)
    )
    def test_any_bytes_come_back(self, content: bytes) -> None:
        assert bytes_meant(bytes_shown(content)) == content

    @given(content=st.binary())
    def test_it_can_be_a_cell_of_a_table(self, folder: Path, content: bytes) -> None:
        write_tsv(folder / "a.tsv", ["bytes"], [{"bytes": bytes_shown(content)}])

        assert bytes_meant(read_tsv(folder / "a.tsv")[0]["bytes"]) == content


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

    def test_rows_are_not_held(self, folder: Path) -> None:
        rows: Iterator[dict[str, Cell]] = ({"a": "x" * 200, "b": k} for k in range(20_000))  # 4 MB

        tracemalloc.start()
        write_tsv(folder / "long.tsv", ["a", "b"], rows)
        numbers = sum(int(row["b"]) for row in iterate_tsv(folder / "long.tsv"))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()

        assert numbers == 19_999 * 20_000 // 2
        assert peak < 500_000

    def test_a_table_is_there_once_all_its_rows_are(self, tmp_path: Path) -> None:
        with new_table(tmp_path / "a.tsv", ["a", "b"]) as write:
            write({"b": "\t", "a": 1, "c": "left out"})
            write({"a": None, "b": 0.5})
            during = (tmp_path / "a.tsv").exists()

        assert not during
        assert read_bytes(tmp_path / "a.tsv") == b"a\tb\n1\t\\t\n\t0.5\n"
        assert names_in(tmp_path) == ["a.tsv"]

    def test_an_error_between_rows_leaves_the_earlier_table(self, tmp_path: Path) -> None:
        write_tsv(tmp_path / "a.tsv", ["a"], [{"a": "earlier"}])

        def rows() -> Iterator[dict[str, Cell]]:
            yield {"a": "later"}
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            write_tsv(tmp_path / "a.tsv", ["a"], rows())

        assert read_tsv(tmp_path / "a.tsv") == [{"a": "earlier"}]
        assert names_in(tmp_path) == ["a.tsv"]

    def test_rows_are_read_one_at_a_time(self, tmp_path: Path) -> None:
        write_bytes(tmp_path / "a.tsv", b"a\tb\n1\t2\nragged\n\xff")

        rows = iterate_tsv(tmp_path / "a.tsv")

        assert next(rows) == {"a": "1", "b": "2"}
        with pytest.raises(DataError, match=r"row 3: 1 cells under 2 columns$"):
            next(rows)

    def test_a_row_that_is_not_utf_8_is_named(self, tmp_path: Path) -> None:
        write_bytes(tmp_path / "a.tsv", b"a\n1\n\xff\n")

        with pytest.raises(DataError, match=r"/a\.tsv, row 3: the byte 0xff is not UTF-8; save"):
            read_tsv(tmp_path / "a.tsv")

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


PIECES = st.sampled_from([np.int32, np.int64, np.float32, np.uint8]).flatmap(
    lambda dtype: st.lists(hnp.arrays(dtype, st.integers(0, 5)), min_size=1, max_size=6)
)
"""One-dimensional arrays of one type, some of them empty."""


class TestGrowingArrays:
    @settings(max_examples=50)
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
