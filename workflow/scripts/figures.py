"""Draw the pictures of the sweep."""

from pathlib import Path

from unrolled.stages import figures, inventory
from unrolled.stages.job import logged

with logged(snakemake.log[0]):
    figures.run(
        snakemake.input.summary,
        inventory.run_folders(snakemake.input.inventory),
        snakemake.input.baselines,
        snakemake.input.profile,
        snakemake.input.gradients,
        Path(snakemake.output[0]).parent,
    )
