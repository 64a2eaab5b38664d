"""Files by a pattern: which are found, what is left out, where their names begin."""

import os
from pathlib import Path

import pytest

from corpus_material import fill
from unrolled.corpus.sources.patterns import matching_files, split_pattern
from unrolled.errors import ConfigError, DataError

NAMES = [
    "a.txt",
    "b.md",
    "one/a.txt",
    "one/deep/deeper/a.txt",
    "two/a.txt",
    "two/c.txt",
    ".hidden.txt",
    ".cache/a.txt",
    "one/.cache/a.txt",
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of the files above."""
    fill(tmp_path / "my texts", dict.fromkeys(NAMES, "text"))
    return tmp_path / "my texts"


def found(folder: Path, pattern: str) -> list[str]:
    """The paths below the folder of the files that fit a pattern below it."""
    start, parts = split_pattern(f"{folder}/{pattern}")
    return [file.relative_to(folder).as_posix() for file in matching_files(start, parts)]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*.txt", ["a.txt"]),
        ("?.*", ["a.txt", "b.md"]),
        ("[!a].md", ["b.md"]),
        ("*/a.txt", ["one/a.txt", "two/a.txt"]),
        ("two/*.txt", ["two/a.txt", "two/c.txt"]),
        ("**/a.txt", ["a.txt", "one/a.txt", "one/deep/deeper/a.txt", "two/a.txt"]),
        ("one/**/*.txt", ["one/a.txt", "one/deep/deeper/a.txt"]),
        ("**/deep/**/a.txt", ["one/deep/deeper/a.txt"]),
        ("one/**", ["one/a.txt", "one/deep/deeper/a.txt"]),
        ("two/**", ["two/a.txt", "two/c.txt"]),
        ("*", ["a.txt", "b.md"]),
        ("*.TXT", []),
        ("on*", []),
        (".*", []),
        ("*/*/*.txt", []),
    ],
)
def test_a_pattern_is_that_of_a_shell(folder: Path, pattern: str, expected: list[str]) -> None:
    assert found(folder, pattern) == expected


def test_a_file_that_several_stars_find_is_found_once(folder: Path) -> None:
    assert found(folder, "**/**/c.txt") == ["two/c.txt"]


def test_files_come_in_the_order_of_their_paths_as_texts(tmp_path: Path) -> None:
    fill(tmp_path, dict.fromkeys(["a/b.txt", "a b.txt", "a.txt", "B.txt"], "text"))

    # Space, point and slash are 20, 2E and 2F; capitals stand before small letters.
    assert found(tmp_path, "**/*.txt") == ["B.txt", "a b.txt", "a.txt", "a/b.txt"]


def test_a_link_to_a_folder_is_not_followed_and_one_to_a_file_is(folder: Path) -> None:
    (folder / "two/round").symlink_to(folder)
    (folder / "two/d.txt").symlink_to(folder / "b.md")

    assert found(folder, "two/**/*.txt") == ["two/a.txt", "two/c.txt", "two/d.txt"]
    assert found(folder, "two/*/*.txt") == []


def test_a_hidden_folder_before_the_pattern_hides_nothing(folder: Path) -> None:
    assert found(folder, ".cache/*.txt") == [".cache/a.txt"]


def test_a_folder_that_cannot_be_read_is_named_rather_than_left_out(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listdir = os.listdir

    def guarded(path: Path) -> list[str]:
        if path.name == "deep":
            raise PermissionError(13, "Permission denied", path)
        return listdir(path)

    monkeypatch.setattr(os, "listdir", guarded)

    with pytest.raises(DataError, match=r"one/deep cannot be read: Permission denied$"):
        found(folder, "**/*.txt")
    assert found(folder, "*/a.txt") == ["one/a.txt", "two/a.txt"]


def test_a_start_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"/none cannot be read: No such file or directory$"):
        found(tmp_path, "none/*.txt")


class TestSplitPattern:
    @pytest.mark.parametrize("path", ["a.txt", "a/b", "./a", "/a", "../a.txt", "a b; $(c)", ""])
    def test_a_path_without_signs_has_no_pattern(self, path: str) -> None:
        assert split_pattern(path) == (Path(path), ())

    @pytest.mark.parametrize(
        ("path", "start", "parts"),
        [
            ("*.txt", ".", ["*.txt"]),
            ("a/b?/c.txt", "a", ["b?", "c.txt"]),
            ("a/b/**/[cd]/*.txt", "a/b", ["**", "[cd]", "*.txt"]),
            ("/*", "/", ["*"]),
            ("../a/*", "../a", ["*"]),
        ],
    )
    def test_the_pattern_begins_with_the_first_part_that_has_a_sign(
        self, path: str, start: str, parts: list[str]
    ) -> None:
        folder, found_parts = split_pattern(path)

        assert (folder, list(found_parts)) == (Path(start), parts)

    def test_a_part_that_is_there_as_it_is_written_is_itself(self, tmp_path: Path) -> None:
        fill(tmp_path, {"notes [1]/a*.txt": "itself", "notes [1]/ab.txt": "b", "notes 1/a.txt": ""})

        assert split_pattern(f"{tmp_path}/notes [1]/a*.txt") == (
            tmp_path / "notes [1]/a*.txt",
            (),
        )
        assert found(tmp_path, "notes [1]/*b.txt") == ["notes [1]/ab.txt"]

    @pytest.mark.parametrize("path", ["*/../a.txt", "a/**/../../b/*.txt", "*/.."])
    def test_a_pattern_that_leads_up_again_is_refused(self, path: str) -> None:
        with pytest.raises(
            ConfigError, match=r"^corpus\.path must have no '\.\.' after the first sign"
        ):
            split_pattern(path)
