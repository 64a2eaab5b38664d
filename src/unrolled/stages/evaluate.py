"""How well a trained run predicts the test split."""

from dataclasses import asdict, fields
from pathlib import Path

from unrolled.analysis.evaluation import Score, evaluate
from unrolled.model.files import read_model
from unrolled.storage import read_json, write_tsv
from unrolled.text.dataset import read_dataset


def run(run_folder: Path | str, corpus: Path | str, evaluation: Path | str) -> None:
    """Write the run's figures on the test split; a header only if the run diverged.

    Args:
        run_folder: of the trained run.
        corpus: the folder of the encoded splits.
        evaluation: the table to write.
    """
    run_folder = Path(run_folder)
    rows = []
    if read_json(run_folder / "metrics.json")["state"] == "finished":
        network, _, model = read_model(run_folder / "model")
        test = read_dataset(Path(corpus) / "test", network.vocabulary_size)
        rows = [asdict(evaluate(network, test, model["carry_state"]))]
    write_tsv(evaluation, [field.name for field in fields(Score)], rows)
