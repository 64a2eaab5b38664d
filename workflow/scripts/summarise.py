"""Put every run into one table."""

from pathlib import Path

from unrolled.stages import summarise
from unrolled.stages.job import logged

with logged(snakemake.log[0]):
    folders = (Path(path).parent for path in snakemake.input.metrics)
    summarise.run(
        snakemake.params.settings,
        {folder.name: folder for folder in folders},
        snakemake.input.baselines,
        snakemake.output.summary,
    )
