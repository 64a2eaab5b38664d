"""The user's own file or folder: what is found, what is refused, what a checksum covers."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from unrolled.corpus.files import (
    check_column,
    copy_files,
    files_below,
    input_files,
    sha256_of,
    sha256_of_folder,
    verify,
)
from unrolled.errors import ConfigError, DataError

ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
"""The sha256 of the bytes "abc", from FIPS 180-2, appendix B.1."""


def fill(folder: Path, **contents: str) -> None:
    """Write files named by their paths below the folder."""
    for name, content in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode())


@pytest.fixture
def letters(tmp_path: Path) -> Path:
    """A folder with spaces in its name, of files that count and files that do not."""
    folder = tmp_path / "my old letters"
    fill(
        folder,
        **{
            "b.txt": "B",
            "a.CSV": "text\nA\n",
            "year one/c.Txt": "C",
            "picture.png": "no text",
            "no suffix": "no text",
            ".hidden.txt": "hidden",
            ".cache/d.txt": "hidden",
        },
    )
    return folder


class TestInputFiles:
    def test_a_file_is_itself_whatever_its_suffix(self, tmp_path: Path) -> None:
        fill(tmp_path, **{"words.md": "Words."})

        assert input_files(f"{tmp_path}/words.md", None) == [tmp_path / "words.md"]

    @pytest.mark.parametrize(
        ("column", "expected"), [(None, ["b.txt", "year one/c.Txt"]), ("text", ["a.CSV"])]
    )
    def test_a_folder_is_its_visible_text_files_or_with_a_column_its_csv_files_in_order(
        self, letters: Path, column: str | None, expected: list[str]
    ) -> None:
        found = input_files(str(letters), column)

        assert [file.relative_to(letters).as_posix() for file in found] == expected

    def test_every_file_must_have_the_column(self, letters: Path) -> None:
        fill(letters, **{"year one/b.csv": "body,id\nB,1\n"})

        with pytest.raises(
            DataError, match=r"year one/b\.csv, row 1: .*got 'text', found 'body', 'id'"
        ):
            input_files(str(letters), "text")

    def test_a_csv_file_without_a_column_is_refused_with_the_columns_that_it_has(
        self, letters: Path
    ) -> None:
        fill(letters, **{"two.csv": "body,id\nB,1\n"})

        with pytest.raises(
            DataError, match=r"two\.csv: corpus\.column must name one of 'body', 'id'$"
        ):
            input_files(f"{letters}/two.csv", None)

    def test_a_single_file_with_a_column_is_csv_whatever_its_suffix(self, tmp_path: Path) -> None:
        fill(tmp_path, **{"table.txt": "text\nA\n"})

        assert input_files(f"{tmp_path}/table.txt", "text") == [tmp_path / "table.txt"]

    def test_a_hidden_folder_above_the_given_one_hides_nothing(self, tmp_path: Path) -> None:
        fill(tmp_path, **{".data/a.txt": "A"})

        assert input_files(f"{tmp_path}/.data", None) == [tmp_path / ".data/a.txt"]

    def test_what_is_named_like_a_file_but_is_none_is_left_out(self, letters: Path) -> None:
        (letters / "folder.txt").mkdir()
        (letters / "broken.txt").symlink_to("nowhere")

        assert len(input_files(str(letters), None)) == 2

    def test_a_path_that_is_not_there_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match=r"^corpus\.path: .*/none must be a file or a folder"):
            input_files(f"{tmp_path}/none", None)

    @pytest.mark.parametrize(
        ("column", "suffix", "other"), [(None, "txt", "a.csv"), ("text", "csv", "a.txt")]
    )
    def test_a_folder_without_files_of_the_kind_is_refused(
        self, tmp_path: Path, column: str | None, suffix: str, other: str
    ) -> None:
        fill(tmp_path, **{other: "text", "b.png": "no text", f".hidden.{suffix}": "hidden"})

        with pytest.raises(DataError, match=rf"^corpus\.path: .* must hold \.{suffix} files"):
            input_files(str(tmp_path), column)

    def test_an_empty_file_is_named(self, letters: Path) -> None:
        fill(letters, **{"year one/blank.txt": ""})

        with pytest.raises(DataError, match=r"^corpus\.path: .*/year one/blank\.txt .*0 bytes"):
            input_files(str(letters), None)

    def test_a_single_empty_file_is_named(self, tmp_path: Path) -> None:
        fill(tmp_path, **{"blank.txt": ""})

        with pytest.raises(DataError, match=r"^corpus\.path: .*/blank\.txt .*0 bytes"):
            input_files(f"{tmp_path}/blank.txt", None)

    def test_a_folder_that_cannot_be_read_is_named_rather_than_left_out(
        self, letters: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        scandir = os.scandir

        def guarded(path: str) -> Iterator[os.DirEntry[str]]:
            if path.endswith("year one"):
                raise PermissionError(13, "Permission denied", path)
            return scandir(path)

        monkeypatch.setattr(os, "scandir", guarded)

        with pytest.raises(DataError, match="year one cannot be read: Permission denied"):
            input_files(str(letters), None)


class TestCopyFiles:
    def test_a_folder_keeps_its_relative_names(self, letters: Path, tmp_path: Path) -> None:
        copy_files(str(letters), None, tmp_path / "raw")

        copies = {
            path.relative_to(tmp_path / "raw").as_posix(): path.read_text()
            for path in (tmp_path / "raw").rglob("*")
            if path.is_file()
        }
        assert copies == {"b.txt": "B", "year one/c.Txt": "C"}

    def test_a_column_is_asked_for_before_anything_is_copied(
        self, letters: Path, tmp_path: Path
    ) -> None:
        with pytest.raises(DataError, match=r"a\.CSV, row 1: corpus\.column"):
            copy_files(str(letters), "body", tmp_path / "raw")

        copy_files(str(letters), "text", tmp_path / "csv")

        assert not (tmp_path / "raw").exists()
        assert (tmp_path / "csv/a.CSV").read_text() == "text\nA\n"

    def test_a_file_keeps_its_name_and_its_bytes(self, tmp_path: Path) -> None:
        content = b"\xef\xbb\xbfone\r\ntwo\xff"
        (tmp_path / "odd.txt").write_bytes(content)

        copy_files(f"{tmp_path}/odd.txt", None, tmp_path / "raw")

        assert (tmp_path / "raw/odd.txt").read_bytes() == content

    def test_nothing_is_copied_when_one_file_is_empty(self, letters: Path, tmp_path: Path) -> None:
        fill(letters, **{"z.txt": ""})

        with pytest.raises(DataError, match=r"z\.txt"):
            copy_files(str(letters), None, tmp_path / "raw")

        assert not (tmp_path / "raw").exists()


class TestVerify:
    def test_the_right_size_and_checksum_pass(self, tmp_path: Path) -> None:
        fill(tmp_path, **{"abc.txt": "abc"})

        verify(tmp_path / "abc.txt", 3, ABC)

    def test_null_is_not_checked(self, letters: Path) -> None:
        verify(letters, None, None)
        verify(letters / "b.txt", 1, None)

    def test_another_size_is_refused(self, tmp_path: Path) -> None:
        fill(tmp_path, **{"abc.txt": "abc"})

        with pytest.raises(DataError, match=r"abc\.txt has 3 bytes; expected 4 \(corpus\.size\)"):
            verify(tmp_path / "abc.txt", 4, ABC)

    def test_another_checksum_is_refused(self, tmp_path: Path) -> None:
        fill(tmp_path, **{"abd.txt": "abd"})

        with pytest.raises(DataError, match=rf"abd\.txt has the sha256 \w+; expected {ABC}"):
            verify(tmp_path / "abd.txt", 3, ABC)

    @pytest.mark.parametrize(("size", "sha256"), [(3, None), (None, ABC)])
    def test_a_folder_has_neither_size_nor_checksum(
        self, letters: Path, size: int | None, sha256: str | None
    ) -> None:
        with pytest.raises(ConfigError, match=r"corpus\.size and corpus\.sha256 must be null"):
            verify(letters, size, sha256)

    def test_a_missing_file_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match=r"none\.txt"):
            verify(tmp_path / "none.txt", 3, None)


class TestChecksums:
    def test_the_checksum_of_a_file_is_that_of_its_bytes(self, tmp_path: Path) -> None:
        fill(tmp_path, **{"abc.txt": "abc"})

        assert sha256_of(tmp_path / "abc.txt") == ABC

    def test_a_missing_file_has_no_checksum(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match=r"none\.txt cannot be read: No such file"):
            sha256_of(tmp_path / "none.txt")

    def test_the_checksum_of_a_folder_is_that_of_its_listing(self, tmp_path: Path) -> None:
        fill(tmp_path, **{"b c/d.txt": "abc", "a.txt": "abc"})

        listing = f"{ABC}  a.txt\0{ABC}  b c/d.txt\0".encode()
        assert sha256_of_folder(tmp_path) == hashlib.sha256(listing).hexdigest()

    def test_a_folder_has_the_checksum_wherever_it_lies(self, tmp_path: Path) -> None:
        for place in ("here", "over there"):
            fill(tmp_path / place, **{"a.txt": "A", "b/c.txt": "C"})

        assert sha256_of_folder(tmp_path / "here") == sha256_of_folder(tmp_path / "over there")

    @pytest.mark.parametrize(
        "other",
        [
            {"a.txt": "one", "b.txt": "twO"},  # another content
            {"a.txt": "one", "c.txt": "two"},  # another name
            {"a.txt": "two", "b.txt": "one"},  # contents exchanged
            {"a.txt": "onetwo"},  # one file for two
            {"a.txt": "on", "b.txt": "etwo"},  # the border moved
            {"a.txt": "one", "b.txt": "two", "c.txt": ""},  # an empty file more
            {"a.txt": "one", "b/txt": "two"},  # a folder for a dot
        ],
    )
    def test_any_other_folder_has_another_checksum(
        self, tmp_path: Path, other: dict[str, str]
    ) -> None:
        fill(tmp_path / "one", **{"a.txt": "one", "b.txt": "two"})
        fill(tmp_path / "other", **other)

        assert sha256_of_folder(tmp_path / "one") != sha256_of_folder(tmp_path / "other")


class TestCheckColumn:
    @pytest.mark.parametrize(
        "content",
        [
            "id,text\n1,one\n",
            "\ufeffid,text\r\n1,one\r\n",
            "\ufefftext,id\n",
            'id,"text"\r1,one\r',
            '"a\nb",text\n',
            "\n\nid,text\n",
        ],
    )
    def test_a_header_with_the_column_passes(self, tmp_path: Path, content: str) -> None:
        fill(tmp_path, **{"a.csv": content})

        check_column(tmp_path / "a.csv", "text")

    def test_a_header_without_the_column_is_refused(self, tmp_path: Path) -> None:
        fill(tmp_path, **{"a.csv": "id,Text\n1,one\n"})

        with pytest.raises(
            DataError, match=r"a\.csv, row 1: corpus\.column .*got 'text', found 'id', 'Text'"
        ):
            check_column(tmp_path / "a.csv", "text")

    def test_a_column_that_stands_twice_is_refused(self, tmp_path: Path) -> None:
        fill(tmp_path, **{"a.csv": "text,text\n1,one\n"})

        with pytest.raises(DataError, match=r"one column .*found 'text', 'text'"):
            check_column(tmp_path / "a.csv", "text")

    def test_a_header_of_many_lines_makes_an_error_of_one(self, tmp_path: Path) -> None:
        fill(tmp_path, **{"a.csv": '"i\nd"\n1\n'})

        with pytest.raises(DataError, match=r"found 'i\\nd'\)$"):
            check_column(tmp_path / "a.csv", "text")

    def test_a_blank_file_has_no_column(self, tmp_path: Path) -> None:
        fill(tmp_path, **{"a.csv": "\n\n"})

        with pytest.raises(DataError, match=r"row 1: corpus\.column .*found none"):
            check_column(tmp_path / "a.csv", "text")

    def test_a_header_that_is_not_utf_8_is_named_with_its_row(self, tmp_path: Path) -> None:
        (tmp_path / "a.csv").write_bytes("größe,text\n".encode("latin-1"))

        with pytest.raises(DataError, match=r"a\.csv, row 1: the byte 0xf6 is not UTF-8"):
            check_column(tmp_path / "a.csv", "text")

    def test_a_missing_file_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match=r"a\.csv cannot be read: No such file"):
            check_column(tmp_path / "a.csv", "text")


def test_files_below_leaves_out_what_is_hidden(tmp_path: Path) -> None:
    for name in (".snakemake_timestamp", ".notes/a.txt", "b.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("text")

    assert files_below(tmp_path) == [tmp_path / "b.txt"]
