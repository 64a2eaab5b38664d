"""Text, JSON and tables: what is written is what is read, and nothing is ever written half."""

import errno
import math
import os
import signal
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.errors import DataError
from unrolled.storage import (
    Cell,
    bytes_meant,
    bytes_shown,
    iterate_lines,
    iterate_tsv,
    new_file,
    new_folder,
    new_table,
    read_bytes,
    read_json,
    read_text,
    read_tsv,
    write_bytes,
    write_json,
    write_text,
    write_tsv,
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

    def test_it_is_made_where_it_is_asked_to_be_so_that_what_a_kill_leaves_is_found(
        self, tmp_path: Path
    ) -> None:
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()

        with new_folder(tmp_path / "above/made", begun_as=elsewhere / ".begun-") as folder:
            write_text(folder / "new", "later")
            during = names_in(tmp_path / "above"), list(elsewhere.glob(".begun-*"))

        assert during == ([], [folder])
        assert names_in(tmp_path / "above/made") == ["new"]
        assert names_in(elsewhere) == []

    @pytest.mark.parametrize("name", ["a" * 255, "é" * 127])  # 255 and 254 bytes; 255 may be
    def test_its_name_may_be_as_long_as_any(self, tmp_path: Path, name: str) -> None:
        with new_folder(tmp_path / name) as folder:
            write_text(folder / "new", "later")

        assert names_in(tmp_path) == [name]

    def test_all_is_forced_to_disk_at_once_before_it_stands(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        standing: list[bool] = []
        monkeypatch.setattr(os, "sync", lambda: standing.append((tmp_path / "made").exists()))

        with new_folder(tmp_path / "made"):
            pass

        assert standing == [False]

    def test_of_files_that_are_forced_to_disk_only_the_names_still_are(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        forced: list[int] = []
        monkeypatch.setattr(os, "sync", lambda: pytest.fail("which takes all of the machine's"))

        with new_folder(tmp_path / "made", has_forced_files=True) as folder:
            write_text(folder / "below/new", "later")
            monkeypatch.setattr(os, "fsync", lambda file: forced.append(os.fstat(file).st_ino))

        *within, last = forced
        places = (tmp_path / "made", tmp_path / "made/below")
        assert sorted(within) == sorted(place.stat().st_ino for place in places)
        assert last == tmp_path.stat().st_ino  # its own name, which it has at the end

    @pytest.mark.parametrize("code", [errno.EINVAL, errno.EBADF])
    def test_a_file_system_that_cannot_force_names_is_none_to_fail_on(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
    ) -> None:
        def refuse(_: int) -> None:
            raise OSError(code, os.strerror(code))

        with new_folder(tmp_path / "made"):
            monkeypatch.setattr(os, "fsync", refuse)

        assert names_in(tmp_path) == ["made"]

    def test_a_broken_disk_is_told(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(_: int) -> None:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

        monkeypatch.setattr(os, "fsync", refuse)

        with (
            pytest.raises(OSError, match="Input/output error"),
            new_folder(tmp_path / "made", has_forced_files=True),
        ):
            pass

        assert names_in(tmp_path) == []

    def test_the_mode_is_that_of_any_new_folder(self, tmp_path: Path, umask: int) -> None:
        with new_folder(tmp_path / "made"):
            pass

        assert (tmp_path / "made").stat().st_mode & 0o777 == 0o777 & ~umask


class TestText:
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

    @given(rows=st.lists(st.fixed_dictionaries({"a": st.text(), "b": st.text()}), max_size=4))
    def test_reading_gives_what_was_written(self, folder: Path, rows: list[dict[str, str]]) -> None:
        write_tsv(folder / "a.tsv", ["a", "b"], rows)

        assert read_tsv(folder / "a.tsv") == rows

    @given(cells=st.lists(st.text(alphabet="\\\t\r\n\u2028x"), max_size=4))
    def test_a_single_column_keeps_its_empty_cells(self, folder: Path, cells: list[str]) -> None:
        write_tsv(folder / "a.tsv", ["a"], [{"a": cell} for cell in cells])

        assert [row["a"] for row in read_tsv(folder / "a.tsv")] == cells

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
        rows: Iterator[dict[str, Cell]] = ({"a": "x" * 200, "b": k} for k in range(8_000))  # 1.6 MB

        tracemalloc.start()
        write_tsv(folder / "long.tsv", ["a", "b"], rows)
        numbers = sum(int(row["b"]) for row in iterate_tsv(folder / "long.tsv"))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()

        assert numbers == 7_999 * 8_000 // 2
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
