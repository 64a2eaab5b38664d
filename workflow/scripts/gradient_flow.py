"""Measure how gradients travel in a run."""

from pathlib import Path

from unrolled.config.sections import GradientFlowConfig, ModelConfig, TrainingConfig
from unrolled.stages import gradient_flow
from unrolled.stages.job import logged

with logged(snakemake.log[0]):
    gradient_flow.run(
        GradientFlowConfig(**snakemake.params.gradient_flow),
        ModelConfig(**snakemake.params.model),
        TrainingConfig(**snakemake.params.training),
        Path(snakemake.input.metrics).parent,
        Path(snakemake.input.vocabulary).parent,
        Path(snakemake.output[0]).parent,
    )
