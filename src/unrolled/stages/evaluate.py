"""How well a trained run predicts the test split."""

from dataclasses import asdict, fields
from pathlib import Path

import numpy as np

from unrolled.analysis.evaluation import Score, evaluate
from unrolled.analysis.excess import Excess, excess, sentence_losses
from unrolled.model.files import read_model
from unrolled.model.network import Network
from unrolled.storage import Cell, iterate_tsv, read_json, write_tsv
from unrolled.text.dataset import Dataset, read_dataset


def run(
    run_folder: Path | str,
    corpus: Path | str,
    floor: Path | str | None,
    evaluation: Path | str,
) -> None:
    """Write the run's figures on the test split; a header only if the run diverged.

    Args:
        run_folder: of the trained run.
        corpus: the folder of the encoded splits.
        floor: the table of what the grammar gives each sentence; None where there is no grammar.
        evaluation: the table to write.
    """
    run_folder = Path(run_folder)
    columns = [
        field.name for record in (Score, Excess)[: 2 if floor else 1] for field in fields(record)
    ]
    rows: list[dict[str, Cell]] = []
    if read_json(run_folder / "metrics.json")["state"] == "finished":
        network, _, model = read_model(run_folder / "model")
        test = read_dataset(Path(corpus) / "encoded/test", network.vocabulary_size)
        score = asdict(evaluate(network, test, model["carry_state"]))
        rows = [{**score, **(asdict(_excess(network, test, floor)) if floor else {})}]
    write_tsv(evaluation, columns, rows)


def _excess(network: Network, test: Dataset, floor: Path | str) -> Excess:
    sentences = (row for row in iterate_tsv(floor) if row["split"] == "test")
    figures = ((float(row["log_probability"]), int(row["tokens"])) for row in sentences)
    found = np.fromiter(figures, dtype=[("log_probability", np.float64), ("tokens", np.int64)])
    losses = sentence_losses(network, test)
    return excess(losses, -found["log_probability"], found["tokens"])
