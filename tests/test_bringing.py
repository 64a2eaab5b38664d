"""Files brought into a folder: under which names, unpacked where they are archives."""

import bz2
import gzip
import lzma
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from corpus_material import Contents, contents_of, corpus, fill, tarred, zipped
from unrolled.corpus.sources.bringing import bring, bring_files
from unrolled.errors import ConfigError, DataError

MEMBERS = {"a.txt": "A", "more/b.txt": "B", "more/c.md": "C", "read me": "no text", ".d.txt": "D"}


def brought(tmp_path: Path, contents: Contents, path: str, **values: Any) -> dict[str, str]:
    """What a path below a folder of some files brings."""
    fill(tmp_path / "here", contents)
    bring_files(corpus(path=f"{tmp_path}/here/{path}", **values), tmp_path / "raw")
    return contents_of(tmp_path / "raw")


class TestNames:
    FILES = {"a.txt": "A", "one/b.txt": "B", "one/two/c.txt": "C"}  # noqa: RUF012  never changed

    @pytest.mark.parametrize(
        ("path", "expected"),
        [
            ("one/b.txt", ["b.txt"]),
            ("one", ["b.txt", "two/c.txt"]),
            ("one/two", ["c.txt"]),
            ("*.txt", ["a.txt"]),
            ("one/*.txt", ["b.txt"]),
            ("*/b.txt", ["one/b.txt"]),
            ("**/*.txt", ["a.txt", "one/b.txt", "one/two/c.txt"]),
            ("one/t*/*", ["two/c.txt"]),
            ("one/../one/b.txt", ["b.txt"]),
        ],
    )
    def test_files_are_named_below_the_folder_or_the_first_sign_of_the_pattern(
        self, tmp_path: Path, path: str, expected: list[str]
    ) -> None:
        assert sorted(brought(tmp_path, self.FILES, path)) == expected

    def test_a_file_alone_in_its_folder_keeps_its_path_by_which_its_encoding_is_told(
        self, tmp_path: Path
    ) -> None:
        assert brought(tmp_path, {"old/a.txt": "A"}, "") == {"old/a.txt": "A"}

    @pytest.mark.parametrize("name", ["a b; $(touch x) `y` & 'z'.txt", "[a]*.txt", "größe.txt"])
    def test_odd_names_are_kept(self, tmp_path: Path, name: str) -> None:
        assert brought(tmp_path, {name: "A"}, name) == {name: "A"}
        assert os.listdir(tmp_path / "here") == [name]

    def test_a_pattern_that_leads_up_again_brings_nothing_anywhere(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match=r"must have no '\.\.'"):
            brought(tmp_path, self.FILES, "*/../a.txt")

        assert sorted(path.name for path in tmp_path.iterdir()) == ["here"]


class TestCopies:
    def test_a_copy_has_the_same_bytes(self, tmp_path: Path) -> None:
        content = b"\xef\xbb\xbfone\r\ntwo\xff\0"
        fill(tmp_path, {"odd.txt": content})

        bring_files(corpus(path=f"{tmp_path}/odd.txt"), tmp_path / "raw")

        assert (tmp_path / "raw/odd.txt").read_bytes() == content

    @pytest.mark.parametrize(
        ("more", "said"),
        [({"z.csv": ""}, r"z\.csv"), ({"z.csv": "body\nA\n"}, r"z\.csv, row 1: corpus\.column")],
    )
    def test_nothing_is_copied_when_one_file_is_refused(
        self, tmp_path: Path, more: Contents, said: str
    ) -> None:
        with pytest.raises(DataError, match=said):
            brought(tmp_path, {"a.csv": "text\nA\n", **more}, "", form="csv", column="text")

        assert not (tmp_path / "raw").exists()

    def test_a_file_that_cannot_be_read_is_named(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(source: object, target: object) -> None:
            raise OSError(5, "Input/output error")

        monkeypatch.setattr(shutil, "copyfileobj", fail)

        with pytest.raises(DataError, match=r"/a\.txt cannot be copied: Input/output error$"):
            brought(tmp_path, {"a.txt": "A"}, "a.txt")


class TestOneArchive:
    @pytest.mark.parametrize("pack", [zipped, tarred])
    @pytest.mark.parametrize("name", ["texts.zip", "texts.tgz", "a b [1].dat", "texts"])
    def test_its_wanted_files_keep_their_names_whatever_its_own(
        self, tmp_path: Path, pack: Callable[[Contents], bytes], name: str
    ) -> None:
        assert brought(tmp_path, {name: pack(MEMBERS)}, name) == {"a.txt": "A", "more/b.txt": "B"}

    @pytest.mark.parametrize("pack", [zipped, tarred])
    @pytest.mark.parametrize(
        ("values", "expected"),
        [
            ({"files": ["*.md"]}, ["more/c.md"]),
            ({"files": ["more/*", "read*"]}, ["more/b.txt", "more/c.md", "read me"]),
            (
                {"splits": {"train": "a.txt", "valid": "more/b.txt", "test": "*.md"}},
                ["a.txt", "more/b.txt", "more/c.md"],
            ),
        ],
    )
    def test_given_patterns_say_which_files_are_wanted(
        self,
        tmp_path: Path,
        pack: Callable[[Contents], bytes],
        values: dict[str, Any],
        expected: list[str],
    ) -> None:
        found = brought(tmp_path, {"texts.zip": pack(MEMBERS)}, "texts.zip", **values)

        assert sorted(found) == expected

    @pytest.mark.parametrize("pack", [zipped, tarred])
    def test_one_without_wanted_files_is_refused_with_what_it_holds(
        self, tmp_path: Path, pack: Callable[[Contents], bytes]
    ) -> None:
        with pytest.raises(DataError) as refused:
            brought(tmp_path, {"texts": pack(MEMBERS)}, "texts", files=["*.html"])

        assert str(refused.value) == (
            f"{tmp_path}/here/texts must hold files named '*.html'"
            " (found 'a.txt', 'more/b.txt', 'more/c.md', 'read me'); see corpus.files"
        )

    def test_compressed_files_in_it_are_decompressed(self, tmp_path: Path) -> None:
        packed = zipped({"a.txt.gz": gzip.compress(b"A"), "b/c.txt": bz2.compress(b"C")})

        assert brought(tmp_path, {"texts.zip": packed}, "texts.zip") == {
            "a.txt": "A",
            "b/c.txt": "C",
        }

    def test_a_name_that_leads_out_of_the_folder_is_refused(self, tmp_path: Path) -> None:
        packed = tarred({"../../out.txt": "out", "a.txt": "A"})

        with pytest.raises(DataError, match=r"'\.\./\.\./out\.txt'"):
            brought(tmp_path, {"texts.tar.gz": packed}, "texts.tar.gz")

        assert not list(tmp_path.rglob("out.txt"))


class TestCompressedFiles:
    @pytest.mark.parametrize(
        ("suffix", "compress"),
        [
            (".gz", gzip.compress),
            (".GZ", gzip.compress),
            (".bz2", bz2.compress),
            (".xz", lzma.compress),
        ],
    )
    @pytest.mark.parametrize("name", ["a.txt", "notes", "a b.md"])
    def test_one_is_decompressed_under_its_name_without_the_suffix(
        self, tmp_path: Path, name: str, suffix: str, compress: Callable[[bytes], bytes]
    ) -> None:
        found = brought(tmp_path, {name + suffix: compress(b"Text.")}, name + suffix)

        assert found == {name: "Text."}

    def test_one_is_known_by_its_bytes_not_its_name(self, tmp_path: Path) -> None:
        files: Contents = {"a.txt": gzip.compress(b"A"), "b.txt.gz": "not compressed"}

        assert brought(tmp_path, files, "") == {"a.txt": "A", "b.txt.gz": "not compressed"}

    def test_those_of_a_folder_are_taken_with_the_others(self, tmp_path: Path) -> None:
        files: Contents = {
            "a.txt": "A",
            "one/b.txt.gz": gzip.compress(b"B"),
            "c.md.gz": gzip.compress(b"C"),
        }

        assert brought(tmp_path, files, "") == {"a.txt": "A", "one/b.txt": "B"}

    def test_a_file_beside_its_compressed_self_is_refused(self, tmp_path: Path) -> None:
        files: Contents = {"a.txt": "A", "a.txt.gz": gzip.compress(b"A")}

        with pytest.raises(DataError) as refused:
            brought(tmp_path, files, "")

        assert str(refused.value) == (
            f"{tmp_path}/here/a.txt.gz and another file would both become a.txt; keep one"
        )

    def test_two_of_an_archive_that_would_become_one_are_refused(self, tmp_path: Path) -> None:
        packed = zipped({"a.txt": "A", "a.txt.gz": gzip.compress(b"A")})

        with pytest.raises(
            DataError, match=r"a\.txt\.gz and another file would both become a\.txt"
        ):
            brought(tmp_path, {"texts.zip": packed}, "texts.zip")

    def test_a_damaged_one_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match=r"/a\.txt\.gz"):
            brought(tmp_path, {"a.txt.gz": gzip.compress(b"Text." * 99)[:-9]}, "a.txt.gz")


class TestSeveralArchives:
    def test_each_becomes_a_folder_of_its_name_so_that_none_hides_anothers_files(
        self, tmp_path: Path
    ) -> None:
        files: Contents = {
            "1912.zip": zipped({"a.txt": "of 1912", "more/b.txt": "B"}),
            "1913.tar.gz": tarred({"a.txt": "of 1913"}),
            "c.txt": "C",
            "d.txt.xz": lzma.compress(b"D"),
            "late/1914.zip": zipped({"a.txt": "of 1914"}),
        }

        assert brought(tmp_path, files, "**/*") == {
            "1912.zip/a.txt": "of 1912",
            "1912.zip/more/b.txt": "B",
            "1913.tar.gz/a.txt": "of 1913",
            "c.txt": "C",
            "d.txt": "D",
            "late/1914.zip/a.txt": "of 1914",
        }

    def test_one_that_a_pattern_finds_alone_is_as_if_named(self, tmp_path: Path) -> None:
        assert brought(tmp_path, {"1912.zip": zipped({"a.txt": "A"})}, "*.zip") == {"a.txt": "A"}

    def test_each_must_hold_something_wanted(self, tmp_path: Path) -> None:
        files = {"1912.tgz": tarred({"a.txt": "A"}), "1913.tgz": tarred({"a.md": "A"})}

        with pytest.raises(DataError, match=r"/1913\.tgz must hold \.txt files \(found 'a\.md'\)"):
            brought(tmp_path, files, "*.tgz")


def test_a_file_is_brought_under_another_name_than_its_own(tmp_path: Path) -> None:
    fill(tmp_path, {"fetched": "plain", "packed": gzip.compress(b"compressed")})
    raw = tmp_path / "raw"

    bring(tmp_path / "fetched", raw, "a.txt", "", corpus(path="unused"))
    bring(tmp_path / "packed", raw, "b.txt.gz", "", corpus(path="unused"))

    assert contents_of(raw) == {"a.txt": "plain", "b.txt": "compressed"}


def test_of_several_archives_each_file_is_wanted_by_its_path_in_the_folder_that_is_filled(
    tmp_path: Path,
) -> None:
    files = {
        "a.zip": zipped({"one.txt": "A", "two.txt": "B"}),
        "b.zip": zipped({"one.txt": "C"}),
    }

    found = brought(tmp_path, files, "*.zip", files=["a.zip/one*", "b.zip/*"])

    assert found == {"a.zip/one.txt": "A", "b.zip/one.txt": "C"}


def test_of_a_folder_of_archives_alone_the_error_says_how_they_are_read(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"archives are read by a pattern: .*/here/\*\.zip$"):
        brought(tmp_path, {"a.zip": zipped({"one.txt": "A"})}, "")
