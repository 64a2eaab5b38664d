"""Measure what the models must beat."""

from pathlib import Path

from unrolled.stages import baselines
from unrolled.stages.job import logged

with logged(snakemake.log[0]):
    baselines.run(
        Path(snakemake.input.vocabulary).parent,
        snakemake.input.get("floor"),
        snakemake.output.baselines,
    )
