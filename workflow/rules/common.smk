"""The configuration, checked, and the functions that rules ask for their share of it."""

import re
import shlex
import sys
from pathlib import Path

from unrolled.config.loading import checked_config
from unrolled.config.sections import CorpusConfig
from unrolled.config.sweep import runs
from unrolled.errors import UnrolledError
from unrolled.fingerprint import code_hash
from unrolled.stages import acquire
from unrolled.text.sentence_file import read_own_sentences

ROOT = Path(workflow.basedir).parent

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
    SOURCES = acquire.sources(CorpusConfig(**config["corpus"]))
    OWN_SENTENCES = config["evaluation"]["sentences"]
    if OWN_SENTENCES:
        read_own_sentences(OWN_SENTENCES)
except UnrolledError as error:
    sys.exit(f"{type(error).__name__}: {error}")

EXPERIMENT = config["experiment"]
DOWNLOAD = f"results/downloads/{config['corpus']['sha256']}"
RUNS = {run.name: run for run in runs(config)}
CHECKS = {
    f"{run.model['cell']}-depth{run.training['truncation_depth']}": run
    for run in RUNS.values()
}
CELLS = sorted({run.model["cell"] for run in RUNS.values()})
FIGURES = ["loss", "perplexity", "spread", "gradient_check", "lengths"]
TRAINED_MODEL = multiext(
    "<runs>/{run}/model/", "model.safetensors", "config.json", "vocabulary.tsv"
)


wildcard_constraints:
    run="|".join(map(re.escape, RUNS)),
    check="|".join(map(re.escape, CHECKS)),
    cell="|".join(map(re.escape, CELLS)),


def stage_code(stage):
    """What makes a rule run again when the code of its stage has changed."""
    return code_hash(f"unrolled.stages.{stage}")


# corpus


def corpus_source(wildcards):
    """What the text is made from: the download or the user's files; nothing for packages."""
    if config["corpus"]["source"] == "url":
        return DOWNLOAD
    return [str(path) for path in SOURCES]


def corpus_versions(wildcards):
    """The versions of the packages that are read, so that an update is noticed."""
    return acquire.versions(CorpusConfig(**config["corpus"]))


def encoded(split):
    """The three arrays of a split."""
    return multiext(f"<corpus>/{split}/", "ids.npy", "sentences.npy", "documents.npy")


# checks


def checked_cell(wildcards):
    """The cell that a check is about."""
    return CHECKS[wildcards.check].model["cell"]


def checked_depth(wildcards):
    """The truncation depth that a check is about."""
    return CHECKS[wildcards.check].training["truncation_depth"]


def checks_of_cell(wildcards):
    """The checks of a cell at every depth of the sweep."""
    names = [
        name for name, run in CHECKS.items() if run.model["cell"] == wildcards.cell
    ]
    return expand("<checks>/gradient-{check}.json", check=names)


# runs


def gate_of_run(wildcards):
    """The proof that a run waits for."""
    return f"<checks>/gate-{RUNS[wildcards.run].model['cell']}.json"


def model_of_run(wildcards):
    """The run's network."""
    return dict(RUNS[wildcards.run].model)


def training_of_run(wildcards):
    """The run's recipe."""
    return dict(RUNS[wildcards.run].training)


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


def is_complete(run):
    """Whether all results of a run are there; those of a job that has failed are not."""
    folder = Path(f"results/{EXPERIMENT}/runs/{run}")
    needed = ["metrics.json", "evaluation.tsv", "samples.tsv"]
    if OWN_SENTENCES:
        needed.append("own_sentences.tsv")
    return all((folder / name).exists() for name in needed)
