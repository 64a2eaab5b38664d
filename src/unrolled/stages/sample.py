"""Sentences drawn from a trained run."""

from pathlib import Path

import numpy as np

from unrolled.analysis.sampling import draw_sentences
from unrolled.config.sections import SamplingConfig
from unrolled.model.files import read_model
from unrolled.storage import Cell, read_json, write_tsv
from unrolled.text.readable import readable

COLUMNS = ["sample", "text", "tokens", "log_probability", "temperature", "ended"]


def run(config: SamplingConfig, run_folder: Path | str, samples: Path | str) -> None:
    """Write the sentences; a header only if the run diverged.

    Args:
        config: how many and how they are drawn.
        run_folder: of the trained run.
        samples: the table to write.
    """
    run_folder = Path(run_folder)
    finished = read_json(run_folder / "metrics.json")["state"] == "finished"
    write_tsv(samples, COLUMNS, _rows(config, run_folder) if finished else [])


def _rows(config: SamplingConfig, run_folder: Path) -> list[dict[str, Cell]]:
    network, vocabulary, notes = read_model(run_folder / "model")
    rng = np.random.default_rng(config.seed)
    rows: list[dict[str, Cell]] = []
    for number, sample in enumerate(draw_sentences(network, config, rng), start=1):
        tokens = vocabulary.decode(sample.ids)
        rows.append(
            {
                "sample": number,
                "text": readable(tokens, notes["unit"]),
                "tokens": " ".join(tokens),
                "log_probability": sample.log_probability,
                "temperature": config.temperature,
                "ended": "yes" if sample.ended else "cut",
            }
        )
    return rows
