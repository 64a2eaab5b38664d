"""Measure a run on the test split."""

from pathlib import Path

from unrolled.stages import evaluate
from unrolled.stages.job import logged

with logged(snakemake.log[0]):
    evaluate.run(
        Path(snakemake.input.metrics).parent,
        Path(snakemake.input.vocabulary).parent,
        snakemake.input.get("floor"),
        snakemake.output.evaluation,
    )
