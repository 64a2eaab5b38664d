"""Let a cell at a depth learn two sentences by heart."""

from unrolled.config.sections import ChecksConfig
from unrolled.stages import check_overfitting
from unrolled.stages.job import logged

with logged(snakemake.log[0]):
    check_overfitting.run(
        ChecksConfig(**snakemake.params.checks),
        snakemake.params.cell,
        snakemake.params.truncation_depth,
        snakemake.output.check,
    )
