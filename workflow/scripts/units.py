"""Find what single hidden units of the best run do."""

from pathlib import Path

from unrolled.config.sections import PortraitsConfig
from unrolled.stages import inventory, units
from unrolled.stages.job import logged

with logged(snakemake.log[0]):
    units.run(
        PortraitsConfig(**snakemake.params.portraits),
        Path(snakemake.input.vocabulary).parent,
        snakemake.input.summary,
        inventory.run_folders(snakemake.input.inventory),
        snakemake.output.table,
    )
