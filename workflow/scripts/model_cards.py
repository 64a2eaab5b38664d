"""Write the card of each cell's best model."""

from pathlib import Path

from unrolled.stages import model_cards
from unrolled.stages.job import logged

with logged(snakemake.log[0]):
    model_cards.run(
        snakemake.params.config,
        Path(snakemake.input.profile).parent,
        snakemake.input.summary,
        {Path(path).parent.name: Path(path).parent for path in snakemake.input.metrics},
        {Path(path).stem: path for path in snakemake.output},
    )
