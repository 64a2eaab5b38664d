"""Measure how well a run knows the words that agree with a word before them."""

from pathlib import Path

from unrolled.stages import agreement
from unrolled.stages.job import logged

with logged(snakemake.log[0]):
    agreement.run(
        Path(snakemake.input.metrics).parent,
        Path(snakemake.input.agreement).parent,
        snakemake.output.agreement,
    )
