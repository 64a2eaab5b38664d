"""Hold the loss of an untrained network against that of guessing."""

from pathlib import Path

from unrolled.config.sections import ChecksConfig, ModelConfig
from unrolled.stages import check_initial_loss
from unrolled.stages.job import logged

with logged(snakemake.log[0]):
    check_initial_loss.run(
        ChecksConfig(**snakemake.params.checks),
        ModelConfig(**snakemake.params.model),
        Path(snakemake.input.vocabulary).parent,
        snakemake.output.check,
    )
