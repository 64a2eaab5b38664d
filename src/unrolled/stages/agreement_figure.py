"""Draw how well runs know agreeing words, those of experiments beside this one too."""

from collections.abc import Sequence
from pathlib import Path

from unrolled.report.drawing import write_picture
from unrolled.report.figures.agreement import agreement_picture
from unrolled.storage import read_tsv


def run(tables: Sequence[Path | str], folder: Path | str) -> None:
    """Write the picture `agreement`.

    Args:
        tables: of each experiment, this one first.
        folder: where it goes.
    """
    rows = [row for table in tables for row in read_tsv(table)]
    write_picture(Path(folder), agreement_picture(rows))
