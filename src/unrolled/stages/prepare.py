"""From the acquired text to tokenised sentences in three splits."""

from collections.abc import Mapping
from pathlib import Path

from unrolled.config.sections import TextConfig
from unrolled.corpus.readers import read_documents
from unrolled.corpus.splits import SPLITS
from unrolled.storage import Cell, write_tsv
from unrolled.text.preparation import prepare
from unrolled.text.sentence_file import write_sentences

REJECTED = ["document", "sentence", "reason", "text"]
"""Columns of the table of sentences put aside."""


def run(
    config: TextConfig,
    column: str | None,
    raw: Path | str,
    splits: Mapping[str, Path | str],
    rejected: Path | str,
) -> None:
    """Write the sentences of each split, and a table of those put aside.

    Args:
        config: how text becomes sentences.
        column: the CSV column that holds the text, or None.
        raw: the folder of acquired text.
        splits: where the sentences of train, valid and test go.
        rejected: where the table goes.

    Raises:
        DataError: the text cannot be read, or a split has no sentence.
    """
    prepared = prepare(read_documents(Path(raw), config.document, column), config)
    for split in SPLITS:
        write_sentences(splits[split], prepared.splits[split])
    rows: list[dict[str, Cell]] = [
        {
            "document": rejection.document,
            "sentence": rejection.sentence,
            "reason": rejection.reason,
            "text": rejection.text,
        }
        for rejection in prepared.rejections
    ]
    write_tsv(rejected, REJECTED, rows)
