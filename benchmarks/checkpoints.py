"""What it costs to write checkpoints, as a share of the time for training.

    python benchmarks/checkpoints.py [--writes 9]

Some steps of training are made on random sentences, and the checkpoint after each of the last ones
is written, forced to disk and renamed as in a run. Its median time is set beside the minute from
one checkpoint to the next. Where it is more than a fiftieth of that, a run writes them less often:
the seconds between are what its keeper makes of it.

Writes results/checkpoints.tsv beside this file.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

import numpy as np

from processes import HERE
from unrolled.config.files import read_config_file
from unrolled.config.loading import section_part
from unrolled.config.sections import TrainingConfig
from unrolled.model.initialisation import initialised
from unrolled.storage import Cell, write_tsv
from unrolled.text.classes import frequency_classes
from unrolled.text.dataset import Dataset, encode_documents
from unrolled.text.vocabulary import RESERVED, Vocabulary
from unrolled.training.checkpoint import Checkpoint, Checkpoints
from unrolled.training.keeper import MOST_TIME
from unrolled.training.loop import train

TABLE = "checkpoints.tsv"
COLUMNS = ["cell", "hidden_size", "vocabulary_size", "megabytes", "seconds", "lowest", "highest"]
COLUMNS += ["share_of_usual_time", "seconds_between"]

SIZES = [("elman", 100, 8_000), ("lstm", 200, 33_000), ("lstm", 500, 8_000)]
"""Cell, hidden size and vocabulary size: the default experiment's largest, and larger ones."""

DEFAULTS = read_config_file(HERE.parent / "config/config.yaml")


class EnoughError(Exception):
    """As many checkpoints as were asked for have been written."""


class Writing:
    """Writes a checkpoint after each step but the first ones, and takes the time of it."""

    def __init__(self, folder: Path, writes: int) -> None:
        self.checkpoints = Checkpoints(folder, {})
        self.writes = writes
        self.seconds: list[float] = []

    def begin(self) -> Checkpoint | None:
        """Nothing to go on from."""
        return None

    def after_step(self, step: int, stand: Callable[[], Checkpoint]) -> None:
        """Write one, until there are enough."""
        began = time.perf_counter()
        self.checkpoints.write(stand())
        if step > 1:  # before, files and pages are new
            self.seconds.append(time.perf_counter() - began)
        if len(self.seconds) == self.writes:
            raise EnoughError

    def at_end(self, step: int, stand: Callable[[], Checkpoint]) -> None:
        """There are enough before."""


def main() -> None:
    """Measure each size and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--writes", type=int, default=9)
    options = parser.parse_args()
    rows = [_row(*size, options.writes) for size in SIZES]
    write_tsv(HERE / "results" / TABLE, COLUMNS, rows)


def _row(cell: str, hidden_size: int, vocabulary_size: int, writes: int) -> dict[str, Cell]:
    with tempfile.TemporaryDirectory() as folder:
        seconds = _seconds(Path(folder), cell, hidden_size, vocabulary_size, writes)
        megabytes = max(path.stat().st_size for path in Path(folder).glob("*.npz")) / 1e6
    usual = DEFAULTS["checkpoints"]["seconds"]
    share = median(seconds) / usual
    print(f"{cell} {hidden_size} {vocabulary_size}: {megabytes:.0f} MB, {share:.2%}", flush=True)
    return {
        "cell": cell,
        "hidden_size": hidden_size,
        "vocabulary_size": vocabulary_size,
        "megabytes": round(megabytes, 1),
        "seconds": round(median(seconds), 4),
        "lowest": round(min(seconds), 4),
        "highest": round(max(seconds), 4),
        "share_of_usual_time": round(share, 5),
        "seconds_between": round(max(usual, median(seconds) / MOST_TIME), 1),
    }


def _seconds(
    folder: Path, cell: str, hidden_size: int, vocabulary_size: int, writes: int
) -> Sequence[float]:
    """Of each checkpoint, with all that the default recipe remembers."""
    rng = np.random.default_rng(1)
    words = [*RESERVED, *(f"w{number}" for number in range(vocabulary_size - len(RESERVED)))]
    vocabulary = Vocabulary(words, range(vocabulary_size, 0, -1))
    classes = frequency_classes(np.asarray(vocabulary.counts), 32, round(vocabulary_size**0.5))
    network = initialised(vocabulary_size, hidden_size, rng, np.float32, cell, classes=classes)
    data = _sentences(vocabulary, rng)
    config = TrainingConfig(
        **section_part({"training": {**DEFAULTS["training"], **_SWEPT}}, "training", TrainingConfig)
    )
    writing = Writing(folder, writes)
    try:
        train(network, data, data, config, rng, keeper=writing)
    except EnoughError:
        return writing.seconds
    raise AssertionError("there are fewer steps than checkpoints to write")


_SWEPT = {"truncation_depth": "full", "seed": 1}


def _sentences(vocabulary: Vocabulary, rng: np.random.Generator) -> Dataset:
    some = rng.integers(len(RESERVED), len(vocabulary), (1000, 20)).tolist()
    return encode_documents([[vocabulary.decode(ids)] for ids in some], vocabulary)


if __name__ == "__main__":
    main()
