"""What the best run wrote while it was trained, and what of it was copied."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from unrolled.analysis.copying import LEAST, copied_spans
from unrolled.config.sections import Unit
from unrolled.report.runs import best_run, run_results
from unrolled.storage import Cell, read_tsv, write_tsv
from unrolled.text.dataset import read_dataset
from unrolled.text.vocabulary import read_vocabulary

COLUMNS = [
    "run",
    "epoch",
    "temperature",
    "sample",
    "tokens",
    "ended",
    "copied",
    "copied_words",
]


def run(
    summary: Path | str,
    run_folders: Mapping[str, Path | str],
    corpus: Path | str,
    unit: Unit,
    table: Path | str,
) -> None:
    """Write the best run's sentences, each with the spans that it has from the training split; a
    header only if no run finished.

    Args:
        summary: the table of runs.
        run_folders: of the trained runs, by name.
        corpus: the folder of vocabulary.tsv and the encoded training split.
        unit: what a token is.
        table: the table to write. Spans are written by the first and the last word, counted from 1:
            `3-8 10-16`.
    """
    best = best_run(run_results(read_tsv(summary)))
    found = _rows(best.name, Path(run_folders[best.name]), Path(corpus), unit) if best else []
    write_tsv(table, COLUMNS, found)


def _rows(name: str, run_folder: Path, corpus: Path, unit: Unit) -> list[dict[str, Cell]]:
    vocabulary = read_vocabulary(corpus / "vocabulary.tsv")
    dataset = read_dataset(corpus / "encoded/train", len(vocabulary))
    rows = read_tsv(run_folder / "wall.tsv")
    # without the start and the end that are encoded with the words
    sentences = [vocabulary.encode(row["tokens"].split(" "))[1:-1].tolist() for row in rows]
    found = copied_spans(sentences, dataset, LEAST[unit])
    return [
        {
            "run": name,
            **row,
            "copied": " ".join(f"{begin + 1}-{end}" for begin, end in spans),
            "copied_words": _covered(spans),
        }
        for row, spans in zip(rows, found, strict=True)
    ]


def _covered(spans: Sequence[tuple[int, int]]) -> int:
    """How many words stand in any of the spans."""
    return len({word for begin, end in spans for word in range(begin, end)})
