"""What lies below a folder, and its checksums."""

import hashlib
from pathlib import Path

import pytest

from corpus_material import fill
from unrolled.corpus.folder import files_below, sha256_of_folder
from unrolled.errors import DataError
from unrolled.storage import sha256_of

ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
"""The sha256 of the bytes "abc", from FIPS 180-2, appendix B.1."""


class TestChecksums:
    def test_the_checksum_of_a_file_is_that_of_its_bytes(self, tmp_path: Path) -> None:
        fill(tmp_path, {"abc.txt": "abc"})

        assert sha256_of(tmp_path / "abc.txt") == ABC

    def test_a_missing_file_has_no_checksum(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match=r"none\.txt cannot be read: No such file"):
            sha256_of(tmp_path / "none.txt")

    def test_the_checksum_of_a_folder_is_that_of_its_listing(self, tmp_path: Path) -> None:
        fill(tmp_path, {"b c/d.txt": "abc", "a.txt": "abc"})

        listing = f"{ABC}  a.txt\0{ABC}  b c/d.txt\0".encode()
        assert sha256_of_folder(tmp_path) == hashlib.sha256(listing).hexdigest()

    def test_a_folder_has_the_checksum_wherever_it_lies(self, tmp_path: Path) -> None:
        for place in ("here", "over there"):
            fill(tmp_path / place, {"a.txt": "A", "b/c.txt": "C"})

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
        fill(tmp_path / "one", {"a.txt": "one", "b.txt": "two"})
        fill(tmp_path / "other", other)

        assert sha256_of_folder(tmp_path / "one") != sha256_of_folder(tmp_path / "other")


def test_files_below_leaves_out_what_is_hidden(tmp_path: Path) -> None:
    for name in (".snakemake_timestamp", ".notes/a.txt", "b.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("text")

    assert files_below(tmp_path) == [tmp_path / "b.txt"]
