"""How much memory and time each job takes of texts from a tenth of a gigabyte to eight tenths.

    python benchmarks/corpus_scale.py [--gigabytes 0.1 0.2 0.4 0.8] [--folder FOLDER]

Texts are made up: JSON lines, a document of some sentences each, words by Zipf's law, the more
different ones the longer the text. Each job from acquisition to evaluation has a process of its own
with one thread, as in the workflow; what is measured is the most memory that it had at once, by the
system's own account, how long it took, and how much of the processor's time.

Writes results/corpora.tsv beside this file. The folder, of which a new one is made in the place for
temporary files, needs room for five times the largest text.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from processes import HERE, ONE_THREAD
from unrolled.config.corpus_sections import CorpusConfig, GrammarConfig, ReadingConfig
from unrolled.config.files import read_config_file
from unrolled.config.loading import section_part
from unrolled.config.sections import (
    ClassesConfig,
    CleaningConfig,
    GradientFlowConfig,
    ModelConfig,
    TextConfig,
    TrainingConfig,
    VocabularyConfig,
)
from unrolled.corpus.splits import SPLITS
from unrolled.stages import (
    acquire,
    baselines,
    classes,
    encode,
    evaluate,
    gradient_flow,
    prepare,
    provenance,
    train,
    vocabulary,
)
from unrolled.storage import Cell, new_file, write_tsv

TABLE = "corpora.tsv"
COLUMNS = ["gigabytes", "job", "seconds", "processor_seconds", "peak_megabytes"]
COLUMNS += ["target_megabytes", "within_target"]
TARGET_MEGABYTES = 300
GIGABYTES = (0.1, 0.2, 0.4, 0.8)
GIGABYTE = 10**9

TYPES = 2_000_000
"""Different words that may occur; of the smallest text some hundred thousand do."""

KERNEL_TYPES = 10_000
"""Words beyond the language's kernel are rarer than Zipf's law says (Ferrer i Cancho & Solé, Two
Regimes in the Frequency of Words, 2001).
"""

SYLLABLES = [consonant + vowel for consonant in "bdfgklmnprstvz" for vowel in "aeiou"]
SENTENCES_OF_A_DOCUMENT = 6
MEAN_WORDS = 17
BLOCK_DOCUMENTS = 5_000
SEED = 1

Record = TypeVar("Record")

RUN = "elman-hidden16-depth0-seed1"
MODEL = {"cell": "elman", "hidden_size": 16}
TRAINING = {"truncation_depth": 0, "seed": 1, "epochs": 1, "batch_size": 256}


def main() -> None:
    """Measure all sizes, or be one job."""
    arguments = _arguments()
    if arguments.job == "text":
        write_text_of(arguments.size, arguments.folder / "text.jsonl")
        return
    if arguments.job:
        JOBS[arguments.job](arguments.folder)
        return
    rows: list[dict[str, Cell]] = []
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        for gigabytes in arguments.gigabytes:
            rows += _measured(gigabytes, Path(folder) / str(gigabytes))
            write_tsv(HERE / "results" / TABLE, COLUMNS, rows)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--gigabytes", type=float, nargs="+", default=GIGABYTES)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()))
    parser.add_argument("--job", choices=["text", *JOBS], help=argparse.SUPPRESS)
    parser.add_argument("--size", type=int, help=argparse.SUPPRESS)
    return parser.parse_args()


def _measured(gigabytes: float, folder: Path) -> Iterator[dict[str, Cell]]:
    """A row for each job of a text of this size."""
    folder.mkdir()
    _run("text", folder, "--size", str(round(gigabytes * GIGABYTE)))
    for job in JOBS:
        seconds, of_processor, megabytes = _run(job, folder)
        print(
            f"{gigabytes} GB  {job:<14} {seconds:8.1f} s {of_processor:8.1f} s {megabytes:6.0f} MB",
            flush=True,
        )
        yield {
            "gigabytes": gigabytes,
            "job": job,
            "seconds": round(seconds, 1),
            "processor_seconds": round(of_processor, 1),
            "peak_megabytes": round(megabytes),
            "target_megabytes": TARGET_MEGABYTES,
            "within_target": "yes" if megabytes < TARGET_MEGABYTES else "no",
        }


def _run(job: str, folder: Path, *arguments: str) -> tuple[float, float, float]:
    """Seconds, those of the processor, and the most megabytes that a job had in memory at once.

    This process must stay small: what it has when another begins counts as that one's, too.
    """
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, __file__, "--job", job, "--folder", folder, *arguments],
        env={**os.environ, **ONE_THREAD},
        stderr=subprocess.DEVNULL if job == "train" else None,  # its bar
    )
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{job} ended, see above")
    seconds = time.perf_counter() - began
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / 10**6


# The text


def write_text_of(size: int, path: Path) -> None:
    """Write documents as JSON lines until there are so many bytes."""
    rng = np.random.default_rng(SEED)
    spelled = np.array([_spelled(number) for number in range(TYPES)], dtype=object)
    ranks = np.arange(TYPES)
    weights = 1 / (ranks + 2.7) / (1 + ranks / KERNEL_TYPES) ** 0.7
    cumulative = np.cumsum(weights / weights.sum())
    with new_file(path) as file:
        while file.tell() < size:
            file.write(_documents(spelled, cumulative, rng).encode())


def _documents(
    spelled: NDArray[np.object_], cumulative: NDArray[np.float64], rng: np.random.Generator
) -> str:
    lengths = 1 + rng.poisson(MEAN_WORDS, BLOCK_DOCUMENTS * SENTENCES_OF_A_DOCUMENT)
    ranks = np.searchsorted(cumulative, rng.random(lengths.sum())).clip(max=TYPES - 1)
    words = spelled[ranks].tolist()
    ends = np.cumsum(lengths).tolist()
    sentences = [
        f"{' '.join(words[end - length : end]).capitalize()}."
        for end, length in zip(ends, lengths.tolist(), strict=True)
    ]
    texts = (
        " ".join(sentences[start : start + SENTENCES_OF_A_DOCUMENT])
        for start in range(0, len(sentences), SENTENCES_OF_A_DOCUMENT)
    )
    return "".join(json.dumps({"text": text}) + "\n" for text in texts)


def _spelled(number: int) -> str:
    """A word of its own for each number, the shorter the smaller it is."""
    word = SYLLABLES[number % len(SYLLABLES)]
    while number := number // len(SYLLABLES):
        word += SYLLABLES[number % len(SYLLABLES)]
    return word


# The jobs


def _config(folder: Path) -> dict[str, Any]:
    config: dict[str, Any] = read_config_file(HERE.parent / "config/config.yaml")
    config["corpus"] |= {"source": "path", "path": f"{folder}/text.jsonl"}
    config["corpus"] |= {"form": "jsonl", "field": "text"}
    config["text"] |= {"document": "row"}
    return config


def _record(folder: Path, section: str, record: type[Record]) -> Record:
    return record(**section_part(_config(folder), section, record))


def _acquire(folder: Path) -> None:
    acquire.run(
        _record(folder, "corpus", CorpusConfig),
        _record(folder, "grammar", GrammarConfig),
        None,
        folder / "raw",
    )


def _provenance(folder: Path) -> None:
    provenance.run(
        _record(folder, "corpus", CorpusConfig), folder / "raw", folder / "provenance.json"
    )


def _prepare(folder: Path) -> None:
    prepare.run(
        _record(folder, "corpus", ReadingConfig),
        _record(folder, "cleaning", CleaningConfig),
        _record(folder, "text", TextConfig),
        folder / "raw",
        prepare.Outputs(
            _texts(folder),
            folder / "rejected.tsv",
            folder / "put_aside.tsv",
            folder / "punkt.json",
            folder / "accounts.json",
        ),
    )


def _vocabulary(folder: Path) -> None:
    vocabulary.run(
        _record(folder, "text", VocabularyConfig), folder / "train.txt", folder / "vocabulary.tsv"
    )


def _encode(folder: Path) -> None:
    encode.run(
        _texts(folder),
        folder / "vocabulary.tsv",
        folder / "accounts.json",
        folder / "encoded",
        folder / "profile.json",
    )


def _classes(folder: Path) -> None:
    classes.run(
        _record(folder, "classes", ClassesConfig),
        folder,
        folder / "classes.tsv",
        folder / "telling_classes.tsv",
        sys.stderr,
    )


def _baselines(folder: Path) -> None:
    baselines.run(folder, None, folder / "baselines.tsv")


def _settings(folder: Path) -> tuple[ModelConfig, TrainingConfig]:
    config = _config(folder)
    return (
        ModelConfig(**{**config["model"], **MODEL}),
        TrainingConfig(**{**config["training"], **TRAINING}),
    )


def _train(folder: Path) -> None:
    train.run(
        RUN,
        *_settings(folder),
        {"unit": "word", "tokenizer": "nltk_word", "lowercase": True},
        folder,
        folder / "run",
        sys.stderr,
    )


def _evaluate(folder: Path) -> None:
    evaluate.run(folder / "run", folder, None, folder / "evaluation.tsv")


def _gradient_flow(folder: Path) -> None:
    gradient_flow.run(
        _record(folder, "gradient_flow", GradientFlowConfig),
        *_settings(folder),
        folder / "run",
        folder,
        folder / "flow",
    )


def _texts(folder: Path) -> Mapping[str, Path]:
    return {split: folder / f"{split}.txt" for split in SPLITS}


JOBS: Mapping[str, Callable[[Path], None]] = {
    "acquire": _acquire,
    "provenance": _provenance,
    "prepare": _prepare,
    "vocabulary": _vocabulary,
    "encode": _encode,
    "classes": _classes,
    "baselines": _baselines,
    "train": _train,
    "evaluate": _evaluate,
    "gradient_flow": _gradient_flow,
}


if __name__ == "__main__":
    main()
