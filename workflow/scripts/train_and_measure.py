"""Train a run and measure it."""

from pathlib import Path

from unrolled.config import sections
from unrolled.stages import train_and_measure
from unrolled.stages.job import logged
from unrolled.stages.keeping import Keeping

with logged(snakemake.log[0]) as log:
    given = snakemake.params
    train_and_measure.run(
        snakemake.wildcards.run,
        sections.ModelConfig(**given.settings["model"]),
        sections.TrainingConfig(**given.settings["training"]),
        given.tokens,
        train_and_measure.measures(given.measures),
        Path(snakemake.input.vocabulary).parent,
        snakemake.output[0],
        log,
        Keeping(sections.CheckpointsConfig(**snakemake.config["checkpoints"]), given.training_code),
    )
