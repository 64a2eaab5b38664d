"""Draw the losses of agreeing words."""

from pathlib import Path

from unrolled.stages import agreement_figure
from unrolled.stages.job import logged

with logged(snakemake.log[0]):
    agreement_figure.run(snakemake.input.tables, Path(snakemake.output[0]).parent)
