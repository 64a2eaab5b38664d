"""The user's own files: which are found and wanted, what is refused, what a checksum covers."""

import gzip
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus_material import Contents, corpus, fill, tarred, zipped
from unrolled.corpus.sources.files import input_files, is_wanted, verify
from unrolled.errors import ConfigError, DataError

ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
"""The sha256 of the bytes "abc", from FIPS 180-2, appendix B.1."""

CSV = {"form": "csv", "column": "text"}
JSONL = {"form": "jsonl", "field": "text"}
SPLITS = {"train": "*.train.txt", "valid": "*.valid.txt", "test": "*.test.txt"}


@pytest.fixture
def letters(tmp_path: Path) -> Path:
    """A folder with spaces in its name, of files that count and files that do not."""
    folder = tmp_path / "my old letters"
    fill(
        folder,
        {
            "b.txt": "B",
            "a.CSV": "text\nA\n",
            "rows.jsonl": '{"text": "A"}',
            "more.ndjson": '{"text": "B"}',
            "year one/c.Txt": "C",
            "year one/d.txt.gz": gzip.compress(b"D"),
            "picture.png": "no text",
            "no suffix": "no text",
            "old.zip": zipped({"e.txt": "E"}),
            ".hidden.txt": "hidden",
            ".cache/d.txt": "hidden",
        },
    )
    return folder


def found(path: Path | str, **values: Any) -> list[str]:
    """The files of a path that a corpus section of these values names."""
    return [file.as_posix() for file in input_files(corpus(path=str(path), **values))]


def below(folder: Path, **values: Any) -> list[str]:
    """The files of a folder, by their paths there."""
    return [Path(file).relative_to(folder).as_posix() for file in found(folder, **values)]


def message(path: Path | str, **values: Any) -> str:
    """What is said of a path that is refused."""
    with pytest.raises(DataError) as refused:
        found(path, **values)
    return str(refused.value)


class TestAFile:
    @pytest.mark.parametrize(
        ("name", "form", "right"),
        [("a.csv", {}, "csv"), ("a.JSONL", {}, "jsonl"), ("a.csv", JSONL, "csv")],
    )
    def test_a_file_that_is_named_for_another_form_is_refused_with_the_key_to_change(
        self, tmp_path: Path, name: str, form: dict[str, str], right: str
    ) -> None:
        fill(tmp_path, {name: "text\n"})

        with pytest.raises(DataError, match=rf"{name}: corpus\.form must be '{right}'"):
            input_files(corpus(path=f"{tmp_path}/{name}", **form))

    @pytest.mark.parametrize("name", ["words.md", "a b; $(ls) `x` & 'y'.txt", "[a]*.txt", "größe"])
    def test_it_is_itself_whatever_its_name(self, tmp_path: Path, name: str) -> None:
        fill(tmp_path, {name: "Words.", "a.txt": "another"})

        assert found(tmp_path / name) == [f"{tmp_path}/{name}"]

    def test_it_may_lie_above_and_be_named_from_here(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        fill(tmp_path, {"texts/a.txt": "A", "here/b.txt": "B"})
        monkeypatch.chdir(tmp_path / "here")

        assert found("../texts/a.txt") == ["../texts/a.txt"]
        assert found("b.txt") == ["b.txt"]

    def test_no_pattern_of_wanted_files_concerns_it(self, tmp_path: Path) -> None:
        fill(tmp_path, {"a.text": "A"})

        assert found(tmp_path / "a.text", files=["*.md"]) == [f"{tmp_path}/a.text"]

    @pytest.mark.parametrize("path", ["none", "none/a.txt", "~/none", "a\0b"])
    def test_one_that_is_not_there_is_refused(
        self, tmp_path: Path, path: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)

        said = message(path)

        assert said.startswith(f"corpus.path: {path} must be a file, a folder or a pattern")

    def test_what_is_neither_file_nor_folder_is_refused(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe.txt")

        assert "pipe.txt must be a file, a folder or a pattern" in message(tmp_path / "pipe.txt")

    def test_an_empty_one_is_named(self, tmp_path: Path) -> None:
        fill(tmp_path, {"blank.txt": ""})

        assert message(tmp_path / "blank.txt") == (
            f"corpus.path: {tmp_path}/blank.txt must hold text (found 0 bytes)"
        )

    def test_a_hidden_one_is_refused_since_its_copy_would_be_passed_over(
        self, tmp_path: Path
    ) -> None:
        fill(tmp_path, {".notes.txt": "Notes."})

        assert message(tmp_path / ".notes.txt") == (
            f"corpus.path: {tmp_path}/.notes.txt must not be hidden, as files are whose names begin"
            " with a dot"
        )

    @pytest.mark.parametrize("name", ["my {draft}.txt", "<corpus>/a.txt"])
    def test_one_in_whose_path_the_workflow_would_put_something_else_is_refused(
        self, tmp_path: Path, name: str
    ) -> None:
        fill(tmp_path, {f"texts/{name}": "Words."})

        for path in (tmp_path / "texts" / name, tmp_path / "texts", f"{tmp_path}/**/*.txt"):
            with pytest.raises(
                ConfigError, match=r"^corpus\.path must lead to .* rename it"
            ) as said:
                found(path)
            assert str(said.value).endswith(f"(got '{tmp_path}/texts/{name}')")

    def test_one_whose_name_is_not_utf_8_is_refused(self, tmp_path: Path) -> None:
        name = os.fsdecode(b"caf\xe9.txt")
        fill(tmp_path, {name: "Menu."})

        assert message(tmp_path / name).endswith(r"caf\udce9.txt' must have a name in UTF-8")


class TestAFolder:
    @pytest.mark.parametrize(
        ("values", "expected"),
        [
            ({}, ["b.txt", "year one/c.Txt", "year one/d.txt.gz"]),
            (CSV, ["a.CSV"]),
            (JSONL, ["more.ndjson", "rows.jsonl"]),
            ({"files": ["*.png", "no*"]}, ["no suffix", "picture.png"]),
            ({"files": ["year one/*"]}, ["year one/c.Txt", "year one/d.txt.gz"]),
        ],
    )
    def test_it_is_its_visible_files_that_are_wanted_in_order(
        self, letters: Path, values: dict[str, Any], expected: list[str]
    ) -> None:
        assert below(letters, **values) == expected

    def test_it_may_be_written_with_a_slash_at_its_end(self, letters: Path) -> None:
        assert found(f"{letters}/") == found(letters)

    def test_a_hidden_folder_above_hides_nothing(self, tmp_path: Path) -> None:
        fill(tmp_path, {".data/a.txt": "A"})

        assert below(tmp_path / ".data") == ["a.txt"]

    def test_signs_in_its_name_are_no_pattern(self, tmp_path: Path) -> None:
        fill(tmp_path, {"texts [1]/a.txt": "A", "texts 1/b.txt": "B"})

        assert below(tmp_path / "texts [1]") == ["a.txt"]

    def test_what_is_named_like_a_file_but_is_none_is_left_out(self, letters: Path) -> None:
        (letters / "folder.txt").mkdir()
        (letters / "broken.txt").symlink_to("nowhere")

        assert len(below(letters)) == 3

    @pytest.mark.parametrize(
        ("values", "wanted"),
        [
            ({}, ".txt files"),
            (CSV, ".csv files"),
            (JSONL, ".jsonl or .ndjson files"),
            ({"files": ["*.md", "x*"]}, "files named '*.md' or 'x*'"),
            ({"splits": SPLITS}, "files named '*.train.txt' or '*.valid.txt' or '*.test.txt'"),
        ],
    )
    def test_one_without_wanted_files_is_refused_with_what_it_holds(
        self, tmp_path: Path, values: dict[str, Any], wanted: str
    ) -> None:
        fill(tmp_path, {"a.png": "no text", "b/c.dat.gz": "no text", ".hidden.txt": "hidden"})

        assert message(tmp_path, **values) == (
            f"corpus.path: {tmp_path} must hold {wanted} (found 'a.png', 'b/c.dat'); see"
            " corpus.files"
        )

    def test_of_many_other_files_five_are_shown(self, tmp_path: Path) -> None:
        fill(tmp_path, {f"{letter}.png": "no text" for letter in "gfedcba"})

        assert message(tmp_path).endswith(
            "(found 'a.png', 'b.png', 'c.png', 'd.png', 'e.png' and 2 more); see corpus.files"
        )

    def test_an_empty_folder_holds_none(self, tmp_path: Path) -> None:
        assert message(tmp_path).endswith("must hold .txt files (found none); see corpus.files")

    def test_an_empty_file_is_named(self, letters: Path) -> None:
        fill(letters, {"year one/blank.txt": ""})

        assert message(letters) == (
            f"corpus.path: {letters}/year one/blank.txt must hold text (found 0 bytes)"
        )

    def test_a_folder_that_cannot_be_read_is_named_rather_than_left_out(
        self, letters: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        scandir = os.scandir

        def guarded(path: str) -> Iterator[os.DirEntry[str]]:
            if path.endswith("year one"):
                raise PermissionError(13, "Permission denied", path)
            return scandir(path)

        monkeypatch.setattr(os, "scandir", guarded)

        assert message(letters).endswith("year one cannot be read: Permission denied")


class TestAPattern:
    def test_it_takes_what_it_fits_whatever_the_suffix(self, letters: Path) -> None:
        assert found(f"{letters}/**/*[xv]*") == [
            f"{letters}/{name}"
            for name in ("b.txt", "no suffix", "year one/c.Txt", "year one/d.txt.gz")
        ]

    def test_one_that_fits_nothing_is_refused(self, letters: Path) -> None:
        assert message(f"{letters}/*.md") == (
            f"corpus.path: {letters}/*.md must be the pattern of some file (found none)"
        )

    def test_a_folder_is_no_file(self, letters: Path) -> None:
        assert "must be the pattern of some file" in message(f"{letters}/year*")

    def test_an_empty_file_is_named(self, letters: Path) -> None:
        fill(letters, {"blank.txt": ""})

        assert "blank.txt must hold text" in message(f"{letters}/*.txt")

    def test_one_that_leads_up_again_is_refused(self, letters: Path) -> None:
        with pytest.raises(ConfigError, match=r"^corpus\.path must have no '\.\.'"):
            found(f"{letters}/*/../b.txt")


class TestArchives:
    @pytest.mark.parametrize("pack", [zipped, tarred])
    def test_an_archive_is_a_file_as_any(self, tmp_path: Path, pack: Any) -> None:
        fill(tmp_path, {"texts.archive": pack({"a.txt": "A"})})

        assert found(tmp_path / "texts.archive") == [f"{tmp_path}/texts.archive"]

    @pytest.mark.parametrize(
        ("members", "shown"),
        [
            ({"one/a.md": "A", "b.dat.gz": "B"}, "'b.dat', 'one/a.md'"),
            (dict.fromkeys("abcdef", ""), "'a', 'b', 'c', 'd', 'e' and 1 more"),
            ({}, "none"),
        ],
    )
    def test_a_zip_without_wanted_files_is_refused_with_what_it_holds(
        self, tmp_path: Path, members: Contents, shown: str
    ) -> None:
        fill(tmp_path, {"texts.zip": zipped(members)})

        assert message(tmp_path / "texts.zip") == (
            f"{tmp_path}/texts.zip must hold .txt files (found {shown}); see corpus.files"
        )

    def test_a_zip_is_looked_into_for_the_files_that_are_asked_for(self, tmp_path: Path) -> None:
        fill(tmp_path, {"texts.zip": zipped({"one/a.md": "A"})})

        assert found(tmp_path / "texts.zip", files=["one/*"])
        assert "files named 'two/*'" in message(tmp_path / "texts.zip", files=["two/*"])

    def test_a_compressed_file_is_not_taken_for_its_column_before_it_is_unpacked(
        self, tmp_path: Path
    ) -> None:
        fill(tmp_path, {"a.csv.gz": gzip.compress(b"text\nA\n")})

        assert below(tmp_path, **CSV) == ["a.csv.gz"]

    def test_a_damaged_archive_is_named(self, tmp_path: Path) -> None:
        fill(tmp_path, {"texts.zip": zipped({"a.txt": "A"})[:40]})

        assert message(tmp_path / "texts.zip").startswith(f"{tmp_path}/texts.zip")


class TestColumns:
    def test_every_file_must_have_the_column(self, letters: Path) -> None:
        fill(letters, {"year one/b.csv": "body,id\nB,1\n"})

        said = message(letters, **CSV)

        assert "year one/b.csv, row 1: " in said
        assert said.endswith("(got 'text', found 'body', 'id')")

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            ("text,id\n", "row 1: found a header only; expected rows under it"),
            ("\n \n", "must hold a header and rows under it"),
        ],
    )
    def test_a_table_without_rows_is_refused(self, tmp_path: Path, content: str, said: str) -> None:
        fill(tmp_path, {"a.csv": "text\nA\n", "b.csv": content})

        assert said in message(tmp_path, **CSV)

    def test_a_single_file_is_csv_whatever_its_suffix(self, tmp_path: Path) -> None:
        fill(tmp_path, {"table.txt": "text\nA\n", "other.txt": "body\nA\n"})

        assert found(tmp_path / "table.txt", **CSV) == [f"{tmp_path}/table.txt"]
        assert "found 'body'" in message(tmp_path / "other.txt", **CSV)

    def test_a_header_is_read_in_the_encoding_of_its_file_by_its_path_below(
        self, tmp_path: Path
    ) -> None:
        rows = "größe,text\n1,A\n"
        fill(tmp_path, {"old/a.csv": rows.encode("cp1252"), "new/a.csv": rows})

        found = below(tmp_path, **CSV, encoding={"old/*": "cp1252"})

        assert found == ["new/a.csv", "old/a.csv"]
        assert "old/a.csv, row 1: " in message(tmp_path, **CSV)


class TestIsWanted:
    @pytest.mark.parametrize(
        ("values", "wanted", "unwanted"),
        [
            ({}, ["a.txt", "b/A.TXT", "a.txt.gz", "a.txt.XZ"], ["a.md", "txt", "a.gz", "a.zip"]),
            (CSV, ["a.csv", "a.csv.bz2"], ["a.txt", "a.csv.txt"]),
            (JSONL, ["a.jsonl", "a.ndjson.gz"], ["a.json"]),
            ({"files": ["*.md"]}, ["a.md", "b/c.md", "a.md.gz"], ["a.txt", "a.MD", "a.md.zip"]),
            ({"files": ["b/*", "c?.x"]}, ["b/c/d", "c1.x"], ["a/b/c", "c12.x"]),
            ({"splits": SPLITS}, ["x.test.txt", "y/b.train.txt.gz"], ["a.txt", "train.txt"]),
            ({"splits": SPLITS, "files": ["*.md"]}, ["a.md"], ["x.train.txt"]),
        ],
    )  # fmt: skip
    def test_the_given_patterns_say_so_or_else_the_usual_suffix(
        self, values: dict[str, Any], wanted: list[str], unwanted: list[str]
    ) -> None:
        config = corpus(path="texts", **values)

        assert [name for name in (*wanted, *unwanted) if is_wanted(name, config)] == wanted

    @given(name=st.from_regex(r"[a-z./]{1,8}", fullmatch=True))
    def test_a_compressed_file_is_wanted_exactly_if_it_would_be_uncompressed(
        self, name: str
    ) -> None:
        for values in ({}, {"files": ["*a*", "b?"]}):
            config = corpus(path="texts", **values)

            assert is_wanted(f"x{name}", config) == is_wanted(f"x{name}.gz", config)


class TestVerify:
    def test_the_right_size_and_checksum_pass(self, tmp_path: Path) -> None:
        fill(tmp_path, {"abc.txt": "abc"})

        verify(tmp_path / "abc.txt", 3, ABC)

    def test_null_is_not_checked(self, letters: Path) -> None:
        verify(letters, None, None)
        verify(letters / "b.txt", 1, None)

    def test_another_size_is_refused(self, tmp_path: Path) -> None:
        fill(tmp_path, {"abc.txt": "abc"})

        with pytest.raises(DataError, match=r"abc\.txt has 3 bytes; expected 4 \(corpus\.size\)"):
            verify(tmp_path / "abc.txt", 4, ABC)

    def test_another_checksum_is_refused(self, tmp_path: Path) -> None:
        fill(tmp_path, {"abd.txt": "abd"})

        with pytest.raises(DataError, match=rf"abd\.txt has the sha256 \w+; expected {ABC}"):
            verify(tmp_path / "abd.txt", 3, ABC)

    def test_the_checksums_of_files_in_a_folder_are_each_compared(self, tmp_path: Path) -> None:
        fill(tmp_path, {"a.txt": "abc", "b/c.txt": "abc", "other.txt": "not named"})

        verify(tmp_path, None, {"a.txt": ABC, "b/c.txt": ABC})

        with pytest.raises(DataError, match=rf"/other\.txt has the sha256 \w+; expected {ABC}"):
            verify(tmp_path, None, {"a.txt": ABC, "other.txt": ABC, "b/c.txt": ABC})

    def test_a_file_that_the_folder_lacks_is_named(self, letters: Path) -> None:
        with pytest.raises(DataError, match=r"^corpus\.path: .*/none\.txt must be a file"):
            verify(letters, None, {"none.txt": ABC})

    @pytest.mark.parametrize(
        ("path", "size", "sha256"),
        [
            ("", 3, None),
            ("", None, ABC),
            ("", 3, {"b.txt": ABC}),
            ("b.txt", None, {"b.txt": ABC}),
            ("*.txt", 1, None),
            ("*.txt", None, ABC),
            ("*.txt", None, {"b.txt": ABC}),
        ],
    )
    def test_what_is_not_one_file_has_neither_size_nor_checksum(
        self, letters: Path, path: str, size: int | None, sha256: str | dict[str, str] | None
    ) -> None:
        with pytest.raises(ConfigError, match=r"^corpus\.size and corpus\.sha256 must be null"):
            verify(letters / path, size, sha256)

    def test_signs_in_the_name_of_a_file_are_no_pattern(self, tmp_path: Path) -> None:
        fill(tmp_path, {"[a]*.txt": "abc"})

        verify(tmp_path / "[a]*.txt", 3, ABC)

    @pytest.mark.parametrize(("size", "sha256"), [(3, None), (None, ABC)])
    def test_a_missing_or_empty_file_is_named(
        self, tmp_path: Path, size: int | None, sha256: str | None
    ) -> None:
        fill(tmp_path, {"blank.txt": ""})

        for name, said in (("none.txt", "must be a file"), ("blank.txt", "must hold text")):
            with pytest.raises(DataError, match=rf"^corpus\.path: .*/{name} {said}"):
                verify(tmp_path / name, size, sha256)
