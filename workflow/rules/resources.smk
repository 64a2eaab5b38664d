"""What jobs ask a cluster for, in MB and minutes; each attempt asks for as much again."""

from unrolled.config.sections import ClassesConfig
from unrolled.stages import resources


def small_mb(wildcards, attempt):
    """Memory for a job that holds little."""
    return attempt * resources.SMALL_MB


def text_mb(wildcards, attempt):
    """Memory for a job that goes through the text."""
    return attempt * resources.TEXT_MB


def network_mb(wildcards, attempt):
    """Memory for a job that a check of an untrained network is."""
    return model_mb(NETWORKS[wildcards.network], attempt)


def largest_model_mb(wildcards, attempt):
    """Memory for a job that uses whichever run is the best."""
    return max(model_mb(run, attempt) for run in NETWORKS.values())


def model_mb(run, attempt):
    """Memory for a job that uses a run's network."""
    return attempt * resources.model_mb(run.model, VOCABULARY_SIZE)


def training_mb(wildcards, attempt):
    """Memory to train and measure a run."""
    return attempt * resources.training_mb(run_of(wildcards), VOCABULARY_SIZE)


def sweep_mb(wildcards, attempt):
    """Memory for a job that goes through the results of all runs."""
    return attempt * resources.sweep_mb(len(RUNS))


def sweep_minutes(wildcards, attempt):
    """Time for such a job."""
    return attempt * resources.sweep_minutes(len(RUNS))


def short_minutes(wildcards, attempt):
    """Time for a job of seconds."""
    return attempt * resources.SHORT_MINUTES


def text_minutes(wildcards, attempt):
    """Time for a job that goes through the text."""
    return attempt * resources.TEXT_MINUTES


def training_minutes(wildcards, attempt):
    """Time to train and measure a run."""
    run = run_of(wildcards)
    classes = ClassesConfig(**config["classes"])
    return attempt * resources.training_minutes(run, VOCABULARY_SIZE, classes)
