"""How well a trained run knows the words that agree with a word before them."""

from dataclasses import asdict, fields
from pathlib import Path

import numpy as np

from unrolled.analysis.agreement import AgreementLoss, by_distance
from unrolled.analysis.excess import token_losses
from unrolled.model.files import read_model
from unrolled.storage import Cell, read_json, read_tsv, write_tsv
from unrolled.text.dataset import read_dataset


def run(run_folder: Path | str, corpus: Path | str, agreement: Path | str) -> None:
    """Write the run's loss of the test's agreeing words by distance; a header only if it diverged.

    Args:
        run_folder: of the trained run.
        corpus: the folder of the encoded test split and of agreement.tsv.
        agreement: the table to write.
    """
    run_folder, corpus = Path(run_folder), Path(corpus)
    rows: list[dict[str, Cell]] = []
    words = read_tsv(corpus / "agreement.tsv")
    if words and read_json(run_folder / "metrics.json")["state"] == "finished":
        network, _, _ = read_model(run_folder / "model")
        test = read_dataset(corpus / "encoded/test", network.vocabulary_size)
        sentences, positions, distances = (
            np.array([int(row[column]) for row in words])
            for column in ("sentence", "position", "distance")
        )
        floor = -np.array([float(row["log_probability"]) for row in words])
        first_tokens = test.sentences[sentences - 1] - (sentences - 1)  # of those predicted
        losses = token_losses(network, test)[first_tokens + positions - 1]
        rows = [asdict(found) for found in by_distance(distances, losses, floor)]
    write_tsv(agreement, [field.name for field in fields(AgreementLoss)], rows)
