"""The configuration, checked, and the functions that rules ask for their share of it."""

import gc
import re
import shlex
import sys
from functools import cache
from pathlib import Path

from unrolled.config.corpus_sections import (
    CorpusConfig,
    GrammarConfig,
    OriginConfig,
    ReadingConfig,
)
from unrolled.config.files import read_config_file
from unrolled.config.loading import beside, checked_config, laid_over, section_part
from unrolled.config.sections import TextConfig, TokensConfig, VocabularyConfig
from unrolled.config.sweep import runs
from unrolled.errors import UnrolledError
from unrolled.fingerprint import code_hash
from unrolled.results import brought_to_now, require_writable
from unrolled.stages import acquire
from unrolled.stages.status import failures, why_missing
from unrolled.text.sentence_file import read_own_sentences

ROOT = Path(workflow.current_basedir.get_path_or_uri(secret_free=True)).parents[1]

IS_MODULE = workflow.modifier.parent_modifier is not None

# The files of the settings; those of a module are known to nobody but to whoever uses it.
CONFIG_FILES = [] if IS_MODULE else workflow.configfiles

# Snakemake puts the interpreter's path into a shell command without quotes, which fails for an
# environment below a folder with a space in its name. Whoever uses this as a module may have quoted
# it already.
if Path(sys.executable).exists():
    sys.executable = shlex.quote(sys.executable)


def in_place(path):
    """Where a result lies, with the prefix of whoever uses this as a module."""
    return workflow.modifier.path_modifier.replace_prefix(path)


try:
    if IS_MODULE:  # whose `configfile:` Snakemake passes over
        config = laid_over(read_config_file(ROOT / "config/config.yaml"), config)
    config = checked_config(
        config,
        CONFIG_FILES,
        schema=ROOT / "workflow/schemas/config.schema.yaml",
        defaults=ROOT / "config/config.yaml",
    )
    BESIDE = beside(config, ROOT / "config", CONFIG_FILES)
    CORPUS = CorpusConfig(**config["corpus"])
    GRAMMAR = GrammarConfig(**config["grammar"])
    SOURCES = acquire.sources(CORPUS, GRAMMAR)
    OWN_SENTENCES = config["evaluation"]["sentences"]
    if OWN_SENTENCES:
        read_own_sentences(OWN_SENTENCES)
    require_writable(in_place(f"results/{config['experiment']}"))
except UnrolledError as error:
    whose = f"experiment {config.get('experiment')}: " if IS_MODULE else ""
    print(f"{type(error).__name__}: {whose}{error}", file=sys.stderr)
    sys.exit(2)  # as for a wrong command line; a job that failed ends with 1

WATCHING = {"status", "preview", "clean_state"}


def is_asked_to_watch():
    """Whether the words of this call name what only shows or cleans up, among them the summary that
    a preview asks for. What of them are targets is not known before all rules are.
    """
    return not {*WATCHING, "--summary", "--detailed-summary"}.isdisjoint(sys.argv)


def is_beside():
    """Whether this is an experiment beside the one that was called for."""
    own = ROOT / "workflow/Snakefile"
    return IS_MODULE and Path(workflow.main_snakefile).absolute() == own.absolute()


# All at once, for their order. Scripts too, since what is not newer than its script is made again.
if workflow.is_main_process and not is_asked_to_watch() and not is_beside():
    looked_at = [config["experiment"], *BESIDE, "downloads"]
    late = brought_to_now(
        *(in_place(f"results/{name}") for name in looked_at), ROOT / "workflow/scripts"
    )
    if late:
        print(f"{late} files were of the future, and are of now", file=sys.stderr)


def download_of(settings):
    """Where the file of an experiment's address is kept, to be shared; None without an address."""
    corpus = settings["corpus"]
    return (
        f"results/downloads/{corpus['sha256']}" if corpus["source"] == "url" else None
    )


def uses_classes(run):
    """Whether a run's output layer goes by word classes."""
    return run.model["output"] == "classes"


def gate_of(run):
    """The name of what a run waits for."""
    return f"{run.network}-depth{run.training['truncation_depth']}"


def cell_at_depth(run):
    """What a run's gradient is checked as: its cell at its truncation depth."""
    return f"{run.model['cell']}-depth{run.training['truncation_depth']}"


def checks_of(run):
    """The names of the checks that the gate of a run is made of."""
    return [
        f"gradient-{cell_at_depth(run)}",
        f"overfitting-{cell_at_depth(run)}",
        f"initial_loss-{run.network}",
    ]


EXPERIMENT = config["experiment"]
FROM_GRAMMAR = CORPUS.source == "grammar"
FLOOR = "<corpus>/floor.tsv" if FROM_GRAMMAR else []
AGREEMENTS = ["<results>/agreement.tsv"] if FROM_GRAMMAR else []
AGREEMENTS += [
    f"results/{name}/agreement.tsv"
    for name, settings in BESIDE.items()
    if settings["corpus"]["source"] == "grammar"
]
DOWNLOAD = download_of(config)
VOCABULARY_SIZE = config["text"]["vocabulary_size"]
RUNS = {run.name: run for run in runs(config)}
CELLS_AT_DEPTH = {cell_at_depth(run): run for run in RUNS.values()}
NETWORKS = {run.network: run for run in RUNS.values()}
GATES = {gate_of(run): run for run in RUNS.values()}
BEST_OF_CELLS = list(dict.fromkeys(run.model["cell"] for run in RUNS.values()))
GRAMMAR_TABLES = (
    multiext("<corpus>/", "floor.tsv", "agreement.tsv") if FROM_GRAMMAR else []
)
MEASURES = {
    "sampling": config["sampling"],
    "gradient_flow": config["gradient_flow"],
    "from_grammar": FROM_GRAMMAR,
    "own_sentences": OWN_SENTENCES,
}


wildcard_constraints:
    run="[^/]+",  # all of their names would be tried one after the other, for each file
    cell_at_depth="|".join(map(re.escape, CELLS_AT_DEPTH)),
    network="|".join(map(re.escape, NETWORKS)),
    gate="|".join(map(re.escape, GATES)),


def stage_code(stage):
    """What makes a rule run again when the code of its stage has changed."""
    return code_hash(f"unrolled.stages.{stage}")


def own_file(path):
    """A file of the user, which lies where it lies, whatever the prefix of this as a module."""
    return local(str(path))


# Snakemake makes hundreds of thousands of objects and drops few of them: to look through all of them
# for those that are dropped takes a quarter of a dry run of ten thousand runs.
gc.set_threshold(100_000, 50, 100)

# corpus


def corpus_source(wildcards):
    """What the text is made from: the download or the user's files; nothing for packages."""
    if config["corpus"]["source"] == "url":
        return DOWNLOAD
    return [own_file(path) for path in SOURCES]


def corpus_origin(wildcards):
    """What the text depends on, such as the versions of packages, so that a change is noticed."""
    return acquire.origin(CORPUS, GRAMMAR)


def unknown_token(wildcards):
    """The token of the text that stands for unknown words, in which a brace is a brace."""
    return config["text"]["unknown_token"]


# checks


def checked_cell(wildcards):
    """The cell that a check is about."""
    return CELLS_AT_DEPTH[wildcards.cell_at_depth].model["cell"]


def checked_depth(wildcards):
    """The truncation depth that a check is about."""
    return CELLS_AT_DEPTH[wildcards.cell_at_depth].training["truncation_depth"]


def checks_of_gate(wildcards):
    """The checks that must have passed."""
    return [f"<checks>/{check}.json" for check in checks_of(GATES[wildcards.gate])]


def checked_model(wildcards):
    """The shape of an untrained network that a check is about."""
    return dict(NETWORKS[wildcards.network].model)


def classes_of_network(wildcards):
    """The table of word classes, if an untrained network needs it."""
    return classes_for(NETWORKS[wildcards.network])


# runs


def run_of(wildcards):
    """The run of a job.

    Raises:
        WorkflowError: the sweep has none of this name.
    """
    if wildcards.run not in RUNS:
        raise WorkflowError(
            f"{wildcards.run} is no run of {EXPERIMENT}; they are {', '.join([*RUNS][:9])}"
            f"{' and so on' if len(RUNS) > 9 else ''}."
        )
    return RUNS[wildcards.run]


def gate_of_run(wildcards):
    """The proof that a run waits for."""
    return f"<checks>/gate-{gate_of(run_of(wildcards))}.json"


def classes_of_run(wildcards):
    """The table of word classes, if the run needs it."""
    return classes_for(run_of(wildcards))


def classes_for(run):
    """The table of word classes, if the run's output layer goes by them."""
    return "<corpus>/classes.tsv" if uses_classes(run) else []


def settings_of_run(wildcards):
    """The run's network and its recipe."""
    run = run_of(wildcards)
    return {"model": dict(run.model), "training": dict(run.training)}


def classes_for_report():
    """The vocabulary and what is known of its classes, if any run goes by them."""
    if not any(map(uses_classes, RUNS.values())):
        return []
    return multiext("<corpus>/", "vocabulary.tsv", "classes.tsv", "telling_classes.tsv")


def sweep_settings(wildcards):
    """The settings of every run of the sweep, those of missing runs too."""
    return {name: run.settings for name, run in RUNS.items()}


def folders_of_runs():
    """Those of every run that the summary is made of."""
    return expand("<runs>/{run}", run=summarised_runs())


def measured_jobs():
    """What Snakemake has measured of the jobs that the summary waits for, but for those of runs."""
    of_corpus = ["acquire", "provenance", "vocabulary", "encode", "baselines"]
    of_corpus += ["draw", "measure_grammar"] if FROM_GRAMMAR else ["prepare"]
    of_corpus += ["classes"] if any(map(uses_classes, RUNS.values())) else []
    return [
        *expand("<benchmarks>/{rule}.tsv", rule=[*of_corpus, "summarise"]),
        *expand("<benchmarks>/check_gradients/{name}.tsv", name=CELLS_AT_DEPTH),
        *expand("<benchmarks>/check_overfitting/{name}.tsv", name=CELLS_AT_DEPTH),
        *expand("<benchmarks>/check_initial_loss/{name}.tsv", name=NETWORKS),
    ]


@cache
def summarised_runs():
    """All runs; with missing_runs=allow those whose results exist."""
    if config["missing_runs"] == "refuse":
        return list(RUNS)
    return [name for name in RUNS if is_complete(name)]


def is_complete(name):
    """Whether all results of a run are there; those of a job that has failed are not."""
    results = Path(in_place(f"results/{EXPERIMENT}"))
    gate = results / f"checks/gate-{gate_of(RUNS[name])}.json"
    return (results / "runs" / name).exists() and gate.exists()


# watching


def watches_only():
    """Whether this call makes nothing, and only shows or cleans up."""
    targets = set(workflow.dag_settings.targets)
    return targets and targets <= WATCHING


def arguments_of_call(wildcards):
    """What Snakemake was called with, but for the names of these rules."""
    return [given for given in sys.argv[1:] if given not in {*WATCHING, "--"}]


def sweeps_together(wildcards):
    """The settings of every run of this experiment and of those beside it, by experiment."""
    of_others = {
        name: {run.name: run.settings for run in runs(settings)}
        for name, settings in BESIDE.items()
    }
    return {EXPERIMENT: sweep_settings(wildcards), **of_others}


def failed_runs():
    """A line for each run that has failed or stopped, with its reason."""
    return [
        line
        for name, settings in sweeps_together(None).items()
        for line in failures(in_place(f"results/{name}"), settings)
    ]


def reasons_of_missing_runs(wildcards):
    """Why the runs have no results that the summary does without."""
    folder = Path(in_place(f"results/{EXPERIMENT}/runs"))
    missing = RUNS.keys() - summarised_runs()
    return {name: why_missing(folder / name) for name in sorted(missing)}
