"""Which words the best run reads alike."""

from collections.abc import Mapping
from pathlib import Path

from unrolled.analysis.neighbours import (
    NEIGHBOURS,
    Neighbours,
    frequent_words,
    nearest_neighbours,
    spread_over,
)
from unrolled.config.sections import PortraitsConfig
from unrolled.model.files import read_model
from unrolled.report.runs import best_run, run_results
from unrolled.storage import Cell, read_tsv, write_tsv
from unrolled.text.vocabulary import RESERVED, Vocabulary

NEIGHBOUR_COLUMNS = [
    f"{what}_{number}" for number in range(1, NEIGHBOURS + 1) for what in ("neighbour", "cosine")
]

COLUMNS = ["run", "word", "rank_of_word", "count", *NEIGHBOUR_COLUMNS]


def run(
    config: PortraitsConfig,
    summary: Path | str,
    run_folders: Mapping[str, Path | str],
    table: Path | str,
) -> None:
    """Write a row for each of some frequent words; a header only if no run finished.

    Ranks begin with 1, the most frequent word. Where a small vocabulary has too few words for all
    neighbours, their cells are empty.

    Args:
        config: how many words.
        summary: the table of runs.
        run_folders: of the trained runs, by their names.
        table: the table to write.
    """
    best = best_run(run_results(read_tsv(summary)))
    rows: list[dict[str, Cell]] = []
    if best is not None:
        network, vocabulary, _ = read_model(Path(run_folders[best.name]) / "model")
        frequent = frequent_words(vocabulary)
        found = nearest_neighbours(network, spread_over(frequent, config.words), frequent)
        rows = [{"run": best.name, **_row(of_word, vocabulary)} for of_word in found]
    write_tsv(table, COLUMNS, rows)


def _row(found: Neighbours, vocabulary: Vocabulary) -> dict[str, Cell]:
    cells: list[Cell] = [
        cell
        for neighbour, cosine in found.nearest
        for cell in (vocabulary.tokens[neighbour], cosine)
    ]
    return {
        "word": vocabulary.tokens[found.word],
        "rank_of_word": found.word - len(RESERVED) + 1,
        "count": vocabulary.counts[found.word],
        **dict.fromkeys(NEIGHBOUR_COLUMNS),
        **dict(zip(NEIGHBOUR_COLUMNS, cells, strict=False)),
    }
