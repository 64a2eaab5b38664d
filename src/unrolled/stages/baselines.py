"""What the models must beat on this corpus."""

import math
from collections.abc import Iterator
from pathlib import Path

from unrolled.analysis.baselines import fit_baselines
from unrolled.analysis.measures import perplexity
from unrolled.storage import Cell, iterate_tsv, write_tsv
from unrolled.text.dataset import read_dataset
from unrolled.text.vocabulary import read_vocabulary

COLUMNS = ["model", "split", "loss_nats_per_token", "perplexity"]


def run(corpus: Path | str, floor: Path | str | None, baselines: Path | str) -> None:
    """Write the loss of each baseline on the validation and the test split.

    Args:
        corpus: the folder of vocabulary.tsv and the encoded splits.
        floor: the table of what the grammar gives each sentence, which no model can pass; None
            where there is no grammar.
        baselines: the table to write.
    """
    corpus = Path(corpus)
    vocabulary_size = len(read_vocabulary(corpus / "vocabulary.tsv"))
    models = fit_baselines(read_dataset(corpus / "encoded/train", vocabulary_size), vocabulary_size)
    rows = [
        _row(model, split, loss)
        for split in ("valid", "test")
        for model, loss in {
            **models.losses(read_dataset(corpus / "encoded" / split, vocabulary_size)),
            **({"grammar": _floor(floor, split)} if floor else {}),
        }.items()
    ]
    write_tsv(baselines, COLUMNS, rows)


def _row(model: str, split: str, loss: float) -> dict[str, Cell]:
    return {
        "model": model,
        "split": split,
        "loss_nats_per_token": loss,
        "perplexity": perplexity(loss),
    }


def _floor(floor: Path | str, split: str) -> float:
    """The grammar's own loss on a split, in nats per token."""

    def cells(column: str) -> Iterator[str]:
        return (row[column] for row in iterate_tsv(floor) if row["split"] == split)

    return -math.fsum(map(float, cells("log_probability"))) / sum(map(int, cells("tokens")))
