"""Draw how well runs know agreeing words, those of experiments beside this one too."""

from collections.abc import Sequence
from pathlib import Path

from unrolled.report.drawing import drawing_style, write_figure
from unrolled.report.figures.agreement import agreement_figure
from unrolled.stages.agreements import COLUMNS
from unrolled.storage import Cell, read_tsv, write_tsv


def run(tables: Sequence[Path | str], folder: Path | str) -> None:
    """Write agreement.svg, and agreement.tsv behind it.

    Args:
        tables: of each experiment, this one first.
        folder: where both go.
    """
    rows = [row for table in tables for row in read_tsv(table)]
    with drawing_style():
        write_figure(Path(folder) / "agreement.svg", agreement_figure(rows))
    cells: list[dict[str, Cell]] = [dict(row) for row in rows]
    write_tsv(Path(folder) / "agreement.tsv", COLUMNS, cells)
