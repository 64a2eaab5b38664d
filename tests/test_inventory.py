"""The inventory changes when anything in the folder of a run does, and names the folders again."""

import hashlib
from pathlib import Path

import pytest

from unrolled.errors import DataError
from unrolled.stages.inventory import run_folders, write_checksums, write_inventory
from unrolled.storage import read_tsv, write_text


@pytest.fixture
def folders(tmp_path: Path) -> dict[str, Path]:
    """Two runs of two files each."""
    found = {name: tmp_path / "runs" / name for name in ("b", "a")}
    for folder in found.values():
        write_text(folder / "metrics.json", "{}")
        write_text(folder / "flow/arrival.tsv", "lag\n")
    return found


def checksums(folders: dict[str, Path], path: Path) -> dict[str, str]:
    """The inventory, the folders being new ones with what lies in them."""
    for folder in folders.values():
        (folder / "checksums.tsv").unlink(missing_ok=True)
        write_checksums(folder)
    write_inventory(folders, path)
    return {row["run"]: row["sha256"] for row in read_tsv(path)}


def test_the_folders_of_the_runs_are_found_again_in_their_order(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    checksums(folders, tmp_path / "inventory.tsv")

    assert list(run_folders(tmp_path / "inventory.tsv").items()) == list(folders.items())


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: write_text(folder / "flow/arrival.tsv", "lag\n1\n"),
        lambda folder: (folder / "metrics.json").rename(folder / "other.json"),
        lambda folder: (folder / "metrics.json").unlink(),
        lambda folder: write_text(folder / "more/new.tsv", ""),
    ],
)
def test_any_change_of_a_run_changes_its_checksum_and_no_other(
    folders: dict[str, Path], tmp_path: Path, change: object
) -> None:
    before = checksums(folders, tmp_path / "inventory.tsv")

    change(folders["a"])  # type: ignore[operator]

    after = checksums(folders, tmp_path / "inventory.tsv")
    assert after["a"] != before["a"]
    assert after["b"] == before["b"]


def test_times_of_files_are_no_change(folders: dict[str, Path], tmp_path: Path) -> None:
    before = checksums(folders, tmp_path / "inventory.tsv")

    write_text(folders["a"] / "metrics.json", "{}")

    assert checksums(folders, tmp_path / "inventory.tsv") == before


def test_the_checksums_of_a_run_are_those_that_sha256sum_finds(folders: dict[str, Path]) -> None:
    write_checksums(folders["a"])

    rows = [(row["file"], row["sha256"]) for row in read_tsv(folders["a"] / "checksums.tsv")]

    assert rows == [
        (name, hashlib.sha256(content).hexdigest())
        for name, content in (("flow/arrival.tsv", b"lag\n"), ("metrics.json", b"{}"))
    ]


def test_a_run_that_is_gone_is_told_with_what_makes_it_again(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    checksums(folders, tmp_path / "inventory.tsv")
    folders["b"].rename(tmp_path / "elsewhere")

    with pytest.raises(
        DataError, match=r"runs/b: .*inventory.tsv was made of this run.*--forcerun"
    ):
        run_folders(tmp_path / "inventory.tsv")
