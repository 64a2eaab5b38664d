"""Write the card of each cell's best model."""

from pathlib import Path

from unrolled.stages import inventory, model_cards
from unrolled.stages.job import logged

with logged(snakemake.log[0]):
    model_cards.run(
        snakemake.params.config,
        Path(snakemake.input.profile).parent,
        snakemake.input.summary,
        inventory.run_folders(snakemake.input.inventory),
        {Path(path).stem: path for path in snakemake.output},
    )
