"""Train a run."""

from pathlib import Path

from unrolled.config.sections import ModelConfig, TrainingConfig
from unrolled.stages import train
from unrolled.stages.job import logged

with logged(snakemake.log[0]) as log:
    train.run(
        snakemake.wildcards.run,
        ModelConfig(**snakemake.params.model),
        TrainingConfig(**snakemake.params.training),
        snakemake.params.tokens,
        Path(snakemake.input.vocabulary).parent,
        Path(snakemake.output.history).parent,
        log,
    )
