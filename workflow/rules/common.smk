"""The configuration, checked, and the functions that rules ask for their share of it."""

import re
import shlex
import sys
from pathlib import Path

from unrolled.config.corpus_sections import (
    CorpusConfig,
    GrammarConfig,
    OriginConfig,
    ReadingConfig,
)
from unrolled.config.files import read_config_file
from unrolled.config.loading import beside, checked_config, laid_over, section_part
from unrolled.config.sections import (
    ClassesConfig,
    TextConfig,
    TokensConfig,
    VocabularyConfig,
)
from unrolled.config.sweep import runs
from unrolled.errors import UnrolledError
from unrolled.fingerprint import code_hash
from unrolled.model import files as model_files
from unrolled.report import pictures as picture_files
from unrolled.stages import acquire, gradient_flow, resources
from unrolled.stages.status import failures, why_missing
from unrolled.text import dataset
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
except UnrolledError as error:
    whose = f"experiment {config.get('experiment')}: " if IS_MODULE else ""
    print(f"{type(error).__name__}: {whose}{error}", file=sys.stderr)
    sys.exit(2)  # as for a wrong command line; a job that failed ends with 1


def download_of(settings):
    """Where the file of an experiment's address is kept, to be shared; None without an address."""
    corpus = settings["corpus"]
    return (
        f"results/downloads/{corpus['sha256']}" if corpus["source"] == "url" else None
    )


def uses_classes(run):
    """Whether a run's output layer goes by word classes."""
    return run.model["output"] == "classes"


def cell_at_depth(run):
    """What a run's gradient is checked as: its cell at its truncation depth."""
    return f"{run.model['cell']}-depth{run.training['truncation_depth']}"


def checks_of(run):
    """The names of the checks that a run waits for."""
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
CHECKS = {check for run in RUNS.values() for check in checks_of(run)}
PICTURES = {
    "frequencies": ("Text", "how frequent words are"),
    "lengths": ("Text", "lengths of sentences"),
    "gradient_check": ("Proof", "errors of the gradients"),
    "loss": ("Training", "loss of every run"),
    "arrival": ("Gradients", "how far back gradients travel"),
    "cosines": ("Gradients", "what truncation does to gradients"),
    "singular_values": ("Gradients", "singular values of recurrent weights"),
    "activations": ("Gradients", "where functions are saturated"),
    "perplexity": ("Results", "test perplexity"),
    "differences": ("Results", "differences between settings"),
    "spread": ("Results", "every run beside its seeds"),
}
TIME_PICTURES = {
    "cost": ("Time", "time against perplexity"),
    "stages": ("Time", "where the time went"),
}
AGREEMENT_PICTURES = {"agreement": ("Results", "agreement over distances")}
SIDE_BY_SIDE = {"side_by_side": ("Results", "experiments together")}
REPORTED_PICTURES = [*PICTURES, *TIME_PICTURES]
REPORTED_PICTURES += AGREEMENT_PICTURES if FROM_GRAMMAR else []
PICTURES_OF_WORDS = {
    "classes": ("Text", "the most telling word classes"),
    "proof": ("Proof", "gates and planted faults"),
    "surprise": ("Words", "what surprised the best and the worst run"),
    "inside": ("Words", "hidden units and nearest neighbours"),
    "samples": ("Words", "sentences by epoch and temperature"),
}
PORTRAITS = ["surprisal", "wall", "units", "neighbours"]
BEST_OF_CELLS = list(dict.fromkeys(run.model["cell"] for run in RUNS.values()))
TRAINED_MODEL = multiext("<runs>/{run}/model/", *model_files.FILES)
GRADIENT_FLOW = expand("<runs>/{{run}}/flow/{table}.tsv", table=gradient_flow.COLUMNS)


wildcard_constraints:
    run="|".join(map(re.escape, RUNS)),
    cell_at_depth="|".join(map(re.escape, CELLS_AT_DEPTH)),
    network="|".join(map(re.escape, NETWORKS)),
    check="|".join(map(re.escape, sorted(CHECKS))),


def stage_code(stage):
    """What makes a rule run again when the code of its stage has changed."""
    return code_hash(f"unrolled.stages.{stage}")


def for_own_report(path, name, category, what):
    """A file that Snakemake's own report shows as well."""
    caption = f"../report/{name}.rst"
    return report(path, caption=caption, category=category, labels={"what": what})


def drawn(pictures):
    """The wide drawing of each picture."""
    return [
        for_own_report(f"<figures>/{name}.svg", name, *shown)
        for name, shown in pictures.items()
    ]


def beside_drawings(pictures):
    """What else is written of each picture: the narrow drawing, the table, and what it says."""
    return expand(
        "<figures>/{picture}{suffix}",
        picture=pictures,
        suffix=picture_files.SUFFIXES[1:],
    )


def section_pages():
    """The sections whose pictures are made of words, as pages of their own."""
    return [
        for_own_report(f"<figures>/{name}.html", name, *shown)
        for name, shown in PICTURES_OF_WORDS.items()
    ]


def own_file(path):
    """A file of the user, which lies where it lies, whatever the prefix of this as a module."""
    return local(str(path))


def in_place(path):
    """Where a result lies, with the prefix of whoever uses this as a module."""
    return workflow.modifier.path_modifier.replace_prefix(path)


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


def encoded(split):
    """The three arrays of a split."""
    return multiext(f"<corpus>/{split}/", *dataset.FILES)


# checks


def checked_cell(wildcards):
    """The cell that a check is about."""
    return CELLS_AT_DEPTH[wildcards.cell_at_depth].model["cell"]


def checked_depth(wildcards):
    """The truncation depth that a check is about."""
    return CELLS_AT_DEPTH[wildcards.cell_at_depth].training["truncation_depth"]


def checked_model(wildcards):
    """The shape of an untrained network that a check is about."""
    return dict(NETWORKS[wildcards.network].model)


def classes_of_network(wildcards):
    """The table of word classes, if an untrained network needs it."""
    return classes_for(NETWORKS[wildcards.network])


# runs


def gates_of_run(wildcards):
    """The proofs that a run waits for."""
    return [f"<checks>/gate-{check}.json" for check in checks_of(RUNS[wildcards.run])]


def classes_of_run(wildcards):
    """The table of word classes, if the run needs it."""
    return classes_for(RUNS[wildcards.run])


def classes_for(run):
    """The table of word classes, if the run's output layer goes by them."""
    return "<corpus>/classes.tsv" if uses_classes(run) else []


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


def of_runs(paths):
    """Files of every run that the summary is made of, `{run}` in their paths being the run."""
    return expand(paths, run=summarised_runs())


def models_of_runs():
    """The models of all runs that the summary is made of."""
    return of_runs([f"<runs>/{{run}}/model/{file}" for file in model_files.FILES])


def measured_jobs():
    """What Snakemake has measured of the jobs that the summary waits for."""
    of_corpus = ["acquire", "provenance", "vocabulary", "encode", "baselines"]
    of_corpus += ["draw", "measure_grammar"] if FROM_GRAMMAR else ["prepare"]
    of_corpus += ["classes"] if any(map(uses_classes, RUNS.values())) else []
    of_each_run = ["train", "evaluate", "sample", "gradient_flow"]
    of_each_run += ["agreement"] if FROM_GRAMMAR else []
    of_each_run += ["score"] if OWN_SENTENCES else []
    return [
        *expand("<benchmarks>/{rule}.tsv", rule=[*of_corpus, "summarise"]),
        *expand("<benchmarks>/check_gradients/{name}.tsv", name=CELLS_AT_DEPTH),
        *expand("<benchmarks>/check_overfitting/{name}.tsv", name=CELLS_AT_DEPTH),
        *expand("<benchmarks>/check_initial_loss/{name}.tsv", name=NETWORKS),
        *expand(
            "<benchmarks>/{rule}/{run}.tsv", rule=of_each_run, run=summarised_runs()
        ),
    ]


def summarised_runs():
    """All runs; with missing_runs=allow those whose results exist."""
    if config["missing_runs"] == "refuse":
        return list(RUNS)
    return [name for name in RUNS if is_complete(name)]


def is_complete(name):
    """Whether all results of a run are there; those of a job that has failed are not."""
    results = Path(in_place(f"results/{EXPERIMENT}"))
    folder = results / "runs" / name
    needed = [
        folder / "metrics.json",
        folder / "evaluation.tsv",
        folder / "samples.tsv",
        folder / "wall.tsv",
        *(folder / f"flow/{table}.tsv" for table in gradient_flow.COLUMNS),
    ]
    needed += [folder / "agreement.tsv"] if FROM_GRAMMAR else []
    needed += [folder / "own_sentences.tsv"] if OWN_SENTENCES else []
    checks = results / "checks"
    needed += [checks / f"gate-{check}.json" for check in checks_of(RUNS[name])]
    return all(path.exists() for path in needed)


# what jobs ask a cluster for, in MB and minutes; each attempt asks for as much again


def small_mb(wildcards, attempt):
    """Memory for a job that holds little."""
    return attempt * resources.SMALL_MB


def text_mb(wildcards, attempt):
    """Memory for a job that goes through the text."""
    return attempt * resources.TEXT_MB


def network_mb(wildcards, attempt):
    """Memory for a job that a check of an untrained network is."""
    return model_mb(NETWORKS[wildcards.network], attempt)


def model_of_run_mb(wildcards, attempt):
    """Memory for a job that uses a trained run."""
    return model_mb(RUNS[wildcards.run], attempt)


def largest_model_mb(wildcards, attempt):
    """Memory for a job that uses whichever run is the best."""
    return max(model_mb(run, attempt) for run in NETWORKS.values())


def model_mb(run, attempt):
    """Memory for a job that uses a run's network."""
    return attempt * resources.model_mb(run.model, VOCABULARY_SIZE)


def training_mb(wildcards, attempt):
    """Memory to train a run."""
    return attempt * resources.training_mb(RUNS[wildcards.run], VOCABULARY_SIZE)


def short_minutes(wildcards, attempt):
    """Time for a job of seconds."""
    return attempt * resources.SHORT_MINUTES


def text_minutes(wildcards, attempt):
    """Time for a job that goes through the text."""
    return attempt * resources.TEXT_MINUTES


def training_minutes(wildcards, attempt):
    """Time to train a run."""
    run = RUNS[wildcards.run]
    classes = ClassesConfig(**config["classes"])
    return attempt * resources.training_minutes(run, VOCABULARY_SIZE, classes)


# watching

WATCHING = {"status", "preview", "clean_state"}


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
    missing = [name for name in RUNS if name not in summarised_runs()]
    return {name: why_missing(folder / name) for name in missing}
