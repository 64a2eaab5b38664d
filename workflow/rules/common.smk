"""The configuration, checked, and the functions that rules ask for their share of it."""

import re
import shlex
import sys
from pathlib import Path

from unrolled.config.loading import checked_config, section_part
from unrolled.config.sections import CorpusConfig, TextConfig, VocabularyConfig
from unrolled.config.sweep import runs
from unrolled.errors import UnrolledError
from unrolled.fingerprint import code_hash
from unrolled.model import files as model_files
from unrolled.stages import acquire
from unrolled.text import dataset
from unrolled.text.sentence_file import read_own_sentences

ROOT = Path(workflow.current_basedir.get_path_or_uri(secret_free=True)).parents[1]

# Snakemake puts the interpreter's path into a shell command without quotes, which fails for an
# environment below a folder with a space in its name.
sys.executable = shlex.quote(sys.executable)

try:
    config = checked_config(
        config,
        workflow.configfiles,
        schema=ROOT / "workflow/schemas/config.schema.yaml",
        defaults=ROOT / "config/config.yaml",
    )
    CORPUS = CorpusConfig(**config["corpus"])
    SOURCES = acquire.sources(CORPUS)
    OWN_SENTENCES = config["evaluation"]["sentences"]
    if OWN_SENTENCES:
        read_own_sentences(OWN_SENTENCES)
except UnrolledError as error:
    print(f"{type(error).__name__}: {error}", file=sys.stderr)
    sys.exit(2)  # as for a wrong command line; a job that failed ends with 1


def uses_classes(run):
    """Whether a run's output layer goes by word classes."""
    return run.model["output"] == "classes"


def check_of(run):
    """The name of the gradient check that a run waits for: its cell, its output layer and depth."""
    output = "-tied" if run.model["tied_weights"] else ""
    output += "-classes" if uses_classes(run) else ""
    return f"{run.model['cell']}{output}-depth{run.training['truncation_depth']}"


EXPERIMENT = config["experiment"]
DOWNLOAD = f"results/downloads/{config['corpus']['sha256']}"
RUNS = {run.name: run for run in runs(config)}
CHECKS = {check_of(run): run for run in RUNS.values()}
FIGURES = ["loss", "perplexity", "spread", "gradient_check", "lengths"]
TRAINED_MODEL = multiext("<runs>/{run}/model/", *model_files.FILES)


wildcard_constraints:
    run="|".join(map(re.escape, RUNS)),
    check="|".join(map(re.escape, CHECKS)),


def stage_code(stage):
    """What makes a rule run again when the code of its stage has changed."""
    return code_hash(f"unrolled.stages.{stage}")


# corpus


def corpus_source(wildcards):
    """What the text is made from: the download or the user's files; nothing for packages."""
    if config["corpus"]["source"] == "url":
        return DOWNLOAD
    return [str(path) for path in SOURCES]


def corpus_origin(wildcards):
    """What the text depends on, such as the versions of packages, so that a change is noticed."""
    return acquire.origin(CORPUS)


def corpus_column(wildcards):
    """The CSV column that holds the text, where the source is a file."""
    return None if CORPUS.source == "documentation" else CORPUS.column


def encoded(split):
    """The three arrays of a split."""
    return multiext(f"<corpus>/{split}/", *dataset.FILES)


# checks


def checked_cell(wildcards):
    """The cell that a check is about."""
    return CHECKS[wildcards.check].model["cell"]


def checked_output(wildcards):
    """The output layer that a check is about."""
    return CHECKS[wildcards.check].model["output"]


def checked_tying(wildcards):
    """Whether a check is about tied weights."""
    return CHECKS[wildcards.check].model["tied_weights"]


def checked_depth(wildcards):
    """The truncation depth that a check is about."""
    return CHECKS[wildcards.check].training["truncation_depth"]


# runs


def gate_of_run(wildcards):
    """The proof that a run waits for."""
    return f"<checks>/gate-{check_of(RUNS[wildcards.run])}.json"


def classes_of_run(wildcards):
    """The table of word classes, if the run needs it."""
    return "<corpus>/classes.tsv" if uses_classes(RUNS[wildcards.run]) else []


def model_of_run(wildcards):
    """The run's network."""
    return dict(RUNS[wildcards.run].model)


def training_of_run(wildcards):
    """The run's recipe."""
    return dict(RUNS[wildcards.run].training)


def classes_for_report():
    """The vocabulary and what is known of its classes, if any run goes by them."""
    if not any(map(uses_classes, RUNS.values())):
        return []
    return multiext("<corpus>/", "vocabulary.tsv", "classes.tsv", "telling_classes.tsv")


def sweep_settings(wildcards):
    """The settings of every run of the sweep, those of missing runs too."""
    return {name: run.settings for name, run in RUNS.items()}


def of_runs(path):
    """A file of every run that the summary is made of, `{run}` in its path being the run."""
    return expand(path, run=summarised_runs())


def summarised_runs():
    """All runs; with missing_runs=allow those whose results exist."""
    if config["missing_runs"] == "refuse":
        return list(RUNS)
    return [name for name in RUNS if is_complete(name)]


def is_complete(name):
    """Whether all results of a run are there; those of a job that has failed are not."""
    folder = Path(f"results/{EXPERIMENT}/runs/{name}")
    needed = [
        folder / "metrics.json",
        folder / "evaluation.tsv",
        folder / "samples.tsv",
    ]
    needed += [folder / "own_sentences.tsv"] if OWN_SENTENCES else []
    needed += [Path(f"results/{EXPERIMENT}/checks/gate-{check_of(RUNS[name])}.json")]
    return all(path.exists() for path in needed)
