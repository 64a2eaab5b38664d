"""The results of a sweep that was hardly trained, from which pages are made when they are timed.

Words are made up of syllables, sentences drawn by Zipf's law. The workflow's own stages make of
them all that belongs to no run, and train the first run of each network. Every other run of the
network is written like that one, its numbers moved: further from setting to setting than from seed
to seed.
"""

import io
import itertools
import math
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from settings import MEAN_WORDS, Setting
from sweep_results import Results, jobs
from unrolled.config.corpus_sections import CorpusConfig
from unrolled.config.files import read_config_file
from unrolled.config.sections import (
    CheckpointsConfig,
    ChecksConfig,
    ClassesConfig,
    GradientFlowConfig,
    ModelConfig,
    PortraitsConfig,
    SamplingConfig,
    TrainingConfig,
    VocabularyConfig,
)
from unrolled.config.sweep import Run
from unrolled.stages import (
    baselines,
    check_gradients,
    check_initial_loss,
    check_overfitting,
    classes,
    encode,
    neighbours,
    provenance,
    summarise,
    surprisal,
    train_and_measure,
    units,
    vocabulary,
    wall,
)
from unrolled.stages.inventory import write_checksums
from unrolled.stages.keeping import Keeping
from unrolled.stages.train_and_measure import Measures
from unrolled.storage import Cell, read_json, read_tsv, write_json, write_tsv
from unrolled.text.accounts import Accounts
from unrolled.text.sentence_file import write_sentences
from unrolled.text.vocabulary import RESERVED

DEFAULTS = Path(__file__).parent.parent / "config/config.yaml"

Sweep = Mapping[str, Sequence[Any]]

SWEEPS: Mapping[int, Sweep] = {
    18: {
        "cell": ["elman"],
        "hidden_size": [25, 50, 100],
        "truncation_depth": [0, 4, "full"],
        "seed": [1, 2],
    },
    300: {
        "cell": ["elman", "gru"],
        "hidden_size": [16, 25, 50, 100, 200],
        "truncation_depth": [0, 2, 4, 8, "full"],
        "learning_rate": [0.004, 0.008],
        "seed": [1, 2, 3],
    },
}
"""By the number of their runs: that of the default experiment, and 100 settings of 3 seeds."""

SENTENCES = {"train": 2000, "valid": 400, "test": 400}
"""Of each split: enough for a vocabulary of some thousand words, few enough to train on quickly."""

PROVENANCE = "provenance.json"

SYLLABLES = [consonant + vowel for vowel in "aeiou" for consonant in "bdfghjklmnprstvwxz"]
WORDS = ["".join(syllables) for syllables in itertools.product(SYLLABLES, repeat=2)]
"""8,100 of them, the most frequent first."""

SETTING_NATS, SEED_NATS = 0.05, 0.01
"""Standard deviations of what a setting and a seed add to losses, in nats per token."""

JOB_COLUMNS = ["s", "h:m:s", "max_rss", "max_vms", "max_uss", "max_pss"]
JOB_COLUMNS += ["io_in", "io_out", "mean_load", "cpu_time"]
"""What Snakemake measures of a job; the report reads the seconds, the first."""


def config_of(sweep: Sweep, **changed: Mapping[str, Any]) -> dict[str, Any]:
    """The default configuration with a sweep, of a text of one's own.

    Args:
        sweep: the values of each key.
        changed: by the names of other sections, values to change there.
    """
    config = read_config_file(DEFAULTS)
    # by frequency, which takes no time; the report shows them as it shows others
    changes = {
        "corpus": {"source": "path", "path": "text.txt"},
        "classes": {"method": "frequency"},
        **changed,
    }
    laid_over = {section: {**config[section], **values} for section, values in changes.items()}
    return {**config, **laid_over, "experiment": "made-up", "sweep": dict(sweep)}


def make(
    folder: Path, config: Mapping[str, Any], sentences: Mapping[str, int] = SENTENCES
) -> Results:
    """Write all that pictures and page are made from.

    Args:
        folder: a new one, for it.
        config: of the experiment, as by `config_of`.
        sentences: how many each split has.
    """
    results = Results(folder, config)
    rng = np.random.default_rng(1)
    write_json(folder / "config.json", config)
    write_corpus(results, sentences, rng)
    write_checks(results)
    for run in results.first_runs.values():
        write_run(results, run)
    write_portraits(results)
    write_other_runs(results, rng)
    write_summary(results, results.runs, results.summary)
    write_jobs(results, rng)
    return results


def made_up_sentences(count: int, rng: np.random.Generator) -> list[list[str]]:
    """Words by Zipf's law and a full stop, the lengths log-normal."""
    spread = 0.6
    lengths = rng.lognormal(np.log(MEAN_WORDS) - spread**2 / 2, spread, count)
    ends = np.cumsum(np.clip(lengths, 3, 99).astype(int))
    frequencies = Setting(vocabulary_size=len(WORDS) + len(RESERVED)).word_frequencies
    words = rng.choice(WORDS, size=int(ends[-1]), p=frequencies)
    return [[*part.tolist(), "."] for part in np.split(words, ends[:-1])]


def write_corpus(results: Results, sentences: Mapping[str, int], rng: np.random.Generator) -> None:
    """Write text and all that is made of it before anything is trained."""
    corpus = results.corpus
    texts = {split: corpus / f"{split}.txt" for split in sentences}
    for split, count in sentences.items():
        sentences_of_split = made_up_sentences(count, rng)
        write_sentences(texts[split], ((True, sentence) for sentence in sentences_of_split))
    accounts = Accounts(tokenizer={"name": "whitespace", "sentences": "line"})
    write_json(corpus / "accounts.json", accounts.as_json())
    (corpus / "raw").mkdir()
    shutil.copy(texts["train"], corpus / "raw/text.txt")
    words, folders = corpus / "vocabulary.tsv", corpus / "encoded"
    provenance.run(results.section("corpus", CorpusConfig), corpus / "raw", corpus / PROVENANCE)
    vocabulary.run(results.section("text", VocabularyConfig), texts["train"], words)
    encode.run(texts, words, corpus / "accounts.json", folders, corpus / "profile.json")
    baselines.run(corpus, None, corpus / "baselines.tsv")
    telling = corpus / "telling_classes.tsv"
    made = results.section("classes", ClassesConfig)
    classes.run(made, corpus, corpus / "classes.tsv", telling, io.StringIO())


def write_checks(results: Results) -> None:
    """Write the checks of every cell at every depth, and of every network.

    Those of a cell are made at the first depth; at the others they are said to be the same.
    """
    config: ChecksConfig = results.section("checks", ChecksConfig)
    folder = results.folder / "checks"
    stages = {"gradient": check_gradients.run, "overfitting": check_overfitting.run}
    first, *others = results.config["sweep"]["truncation_depth"]
    for cell, (kind, stage) in itertools.product(results.config["sweep"]["cell"], stages.items()):
        path = folder / f"{kind}-{cell}-depth{first}.json"
        stage(config, cell, first, path)
        for depth in others:
            check = {**read_json(path), "truncation_depth": depth}
            write_json(folder / f"{kind}-{cell}-depth{depth}.json", check)
    for network, run in results.first_runs.items():
        path = folder / f"initial_loss-{network}.json"
        check_initial_loss.run(config, ModelConfig(**run.model), results.corpus, path)


def write_run(results: Results, run: Run) -> None:
    """Train a run and write what is measured of it."""
    folder, corpus = results.run_folders[run.name], results.corpus
    model, training = ModelConfig(**run.model), TrainingConfig(**run.training)
    measures = Measures(
        results.section("sampling", SamplingConfig),
        results.section("gradient_flow", GradientFlowConfig),
    )
    keeping = Keeping(results.section("checkpoints", CheckpointsConfig), "")
    name, tokens, log = run.name, {"unit": "word"}, io.StringIO()
    train_and_measure.run(name, model, training, tokens, measures, corpus, folder, log, keeping)


def write_portraits(results: Results) -> None:
    """Write what is shown of the best and the worst run among those that were trained."""
    trained, folder = results.folder / "trained.tsv", results.portraits
    write_summary(results, list(results.first_runs.values()), trained)
    config: PortraitsConfig = results.section("portraits", PortraitsConfig)
    folders, corpus = results.run_folders, results.corpus
    surprisal.run(config, corpus, trained, folders, folder / "surprisal.tsv")
    wall.run(trained, folders, corpus, "word", folder / "wall.tsv")
    units.run(config, corpus, trained, folders, folder / "units.tsv")
    neighbours.run(config, trained, folders, folder / "neighbours.tsv")


def write_other_runs(results: Results, rng: np.random.Generator) -> None:
    """Write each run that was not trained like the trained one of its network."""
    first, folders = results.first_runs, results.run_folders
    of_settings: dict[tuple[str, ...], float] = {}
    for run in results.runs:
        setting = tuple(f"{key} {run.settings[key]}" for key in run.settings if key != "seed")
        nats = of_settings.setdefault(setting, rng.normal(0, SETTING_NATS))
        nats += rng.normal(0, SEED_NATS)
        like = first[run.network]
        if run.name != like.name:
            write_moved(folders[like.name], nats, folders[run.name])


Change = Callable[[float], float]


def changes(nats: float) -> dict[str, dict[str, Change]]:
    """What is changed in which columns of which tables of a run that loses some nats more.

    Whatever is one stays it: the shares that arrive at lag 0, the cosines that reach the start.
    """
    factor = math.exp(nats)

    def added(value: float) -> float:
        return value + nats

    def scaled(value: float) -> float:
        return value * factor

    def raised(value: float) -> float:
        return float(value**factor)

    losses = ("train_loss_nats_per_token", "validation_loss_nats_per_token")
    shares = ("share", "lower_quartile", "median", "upper_quartile")
    return {
        "history.tsv": dict.fromkeys(losses, added),
        "evaluation.tsv": {"loss_nats_per_token": added, "perplexity": scaled},
        "timing.tsv": {"seconds": scaled},
        "steps.tsv": {"seconds": scaled},
        "samples.tsv": {},
        "flow/arrival.tsv": dict.fromkeys(shares, raised),
        "flow/cosines.tsv": {"cosine": raised},
        "flow/singular_values.tsv": {"after": scaled},
        "flow/activations.tsv": {},
        "flow/saturation.tsv": {"saturated_share": raised},
    }


def write_moved(like: Path, nats: float, folder: Path) -> None:
    """Write a run like another, but for some nats per token.

    Args:
        like: the folder of the other.
        nats: that this one loses more.
        folder: of this one.
    """
    for table, columns in changes(nats).items():
        rows = read_tsv(like / table)
        write_tsv(folder / table, list(rows[0]), [_changed(row, columns) for row in rows])
    metrics = read_json(like / "metrics.json")
    metrics["validation_loss_nats_per_token"] += nats
    write_json(folder / "metrics.json", metrics)
    shutil.copy(like / PROVENANCE, folder / PROVENANCE)
    write_checksums(folder)


def _changed(row: Mapping[str, str], columns: Mapping[str, Change]) -> dict[str, Cell]:
    """A row with some of its numbers changed; empty cells stay."""
    return {
        key: columns[key](float(value)) if key in columns and value else value
        for key, value in row.items()
    }


def write_summary(results: Results, of: Sequence[Run], path: Path) -> None:
    """Write the table of some runs."""
    settings = {run.name: run.settings for run in of}
    tables = results.corpus / "baselines.tsv", path, path.with_name(f"inventory_of_{path.name}")
    every = results.run_folders
    folders = {run.name: every[run.name] for run in of}
    summarise.run(settings, folders, *tables)


def write_jobs(results: Results, rng: np.random.Generator) -> None:
    """Write seconds for each job, some seconds in the mean."""
    for _, path in jobs(results):
        row = {**dict.fromkeys(JOB_COLUMNS, "-"), "s": f"{rng.exponential(5):.4f}"}
        write_tsv(path, JOB_COLUMNS, [row])
