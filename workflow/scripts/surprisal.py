"""Find how much test sentences surprise the best and the worst run."""

from pathlib import Path

from unrolled.config.sections import PortraitsConfig
from unrolled.stages import inventory, surprisal
from unrolled.stages.job import logged

with logged(snakemake.log[0]):
    surprisal.run(
        PortraitsConfig(**snakemake.params.portraits),
        Path(snakemake.input.vocabulary).parent,
        snakemake.input.summary,
        inventory.run_folders(snakemake.input.inventory),
        snakemake.output.table,
    )
