"""Put every run into one table."""

from pathlib import Path

from unrolled.stages import summarise
from unrolled.stages.job import logged

with logged(snakemake.log[0]):
    summarise.run(
        snakemake.params.settings,
        {Path(path).name: Path(path) for path in snakemake.input.runs},
        snakemake.input.baselines,
        snakemake.output.summary,
        snakemake.output.inventory,
    )
