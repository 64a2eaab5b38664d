"""Check the gradients of a cell at a depth."""

from unrolled.config.sections import ChecksConfig
from unrolled.stages import check_gradients
from unrolled.stages.job import logged

with logged(snakemake.log[0]):
    check_gradients.run(
        ChecksConfig(**snakemake.params.checks),
        snakemake.params.cell,
        snakemake.params.truncation_depth,
        snakemake.output.check,
    )
