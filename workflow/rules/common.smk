"""The configuration, checked, and what the rules of several files ask for."""

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
RUNS = {run.name: run for run in runs(config)}
CHECKS = {
    f"{run.model['cell']}-depth{run.training['truncation_depth']}": run
    for run in RUNS.values()
}
CELLS = sorted({run.model["cell"] for run in RUNS.values()})
TRAINED_MODEL = multiext(
    "<runs>/{run}/model/", "model.safetensors", "config.json", "vocabulary.tsv"
)


wildcard_constraints:
    run="|".join(RUNS),
    check="|".join(CHECKS),
    cell="|".join(CELLS),


def stage_code(stage):
    """What makes a rule run again when the code of its stage has changed."""
    return code_hash(f"unrolled.stages.{stage}")


def encoded(split):
    """The three arrays of a split."""
    return multiext(f"<corpus>/{split}/", "ids.npy", "sentences.npy", "documents.npy")


def of_runs(path):
    """A file of every run that the summary is made of, `{run}` in its path being the run."""
    return expand(path, run=summarised_runs())


def summarised_runs():
    """All runs; with missing_runs=allow those whose results exist."""
    if config["missing_runs"] == "refuse":
        return list(RUNS)
    return [name for name in RUNS if is_complete(name)]


def is_complete(run):
    """Whether the last results of a run are there."""
    folder = Path(f"results/{EXPERIMENT}/runs/{run}")
    return all((folder / name).exists() for name in ("evaluation.tsv", "samples.tsv"))
