"""Train a run."""

from pathlib import Path

from unrolled.config.sections import CheckpointsConfig, ModelConfig, TrainingConfig
from unrolled.stages import train
from unrolled.stages.job import logged
from unrolled.stages.keeping import Keeping

with logged(snakemake.log[0]) as log:
    train.run(
        snakemake.wildcards.run,
        ModelConfig(**snakemake.params.model),
        TrainingConfig(**snakemake.params.training),
        snakemake.params.tokens,
        Path(snakemake.input.vocabulary).parent,
        Path(snakemake.output.history).parent,
        log,
        Keeping(CheckpointsConfig(**snakemake.config["checkpoints"]), snakemake.params.code),
    )
