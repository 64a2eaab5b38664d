"""Find what the best run has copied from the training split."""

from pathlib import Path

from unrolled.stages import inventory, wall
from unrolled.stages.job import logged

with logged(snakemake.log[0]):
    wall.run(
        snakemake.input.summary,
        inventory.run_folders(snakemake.input.inventory),
        Path(snakemake.input.vocabulary).parent,
        snakemake.params.unit,
        snakemake.output.table,
    )
