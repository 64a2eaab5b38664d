"""Which runs the summary was made of, so that whatever is made of runs afterwards goes by them.

The table stands for the folders of all runs: it changes when anything in one of them does. To name
ten thousand folders in each rule instead would double the time of a dry run.
"""

from collections.abc import Mapping
from pathlib import Path

from unrolled.errors import DataError
from unrolled.storage import read_tsv, sha256_of, write_tsv

COLUMNS = ["run", "sha256"]

CHECKSUMS = "checksums.tsv"
"""The table, in the folder of a run, of all other files in it."""

RUNS = "runs"
"""The folder beside the table in which the runs lie."""


def write_checksums(folder: Path) -> None:
    """Write the checksum of each file of a run into its folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    rows = [
        {"file": path.relative_to(folder).as_posix(), "sha256": sha256_of(path)} for path in files
    ]
    write_tsv(folder / CHECKSUMS, ["file", "sha256"], rows)


def write_inventory(run_folders: Mapping[str, Path], path: Path | str) -> None:
    """Write the table: a checksum of the checksums of each run."""
    rows = (
        {"run": name, "sha256": sha256_of(folder / CHECKSUMS)}
        for name, folder in run_folders.items()
    )
    write_tsv(path, COLUMNS, rows)


def run_folders(path: Path | str) -> dict[str, Path]:
    """Those of the runs of a table, by name.

    Raises:
        DataError: one is no longer there.
    """
    runs = Path(path).parent / RUNS
    folders = {row["run"]: runs / row["run"] for row in read_tsv(path)}
    for folder in folders.values():
        if not folder.exists():
            raise DataError(
                f"{folder}: {path} was made of this run, which is gone (`snakemake --forcerun"
                " summarise` makes it again)"
            )
    return folders
