"""Find which words the best run reads alike."""

from unrolled.config.sections import PortraitsConfig
from unrolled.stages import inventory, neighbours
from unrolled.stages.job import logged

with logged(snakemake.log[0]):
    neighbours.run(
        PortraitsConfig(**snakemake.params.portraits),
        snakemake.input.summary,
        inventory.run_folders(snakemake.input.inventory),
        snakemake.output.table,
    )
