"""Find which words the best run reads alike."""

from pathlib import Path

from unrolled.config.sections import PortraitsConfig
from unrolled.stages import neighbours
from unrolled.stages.job import logged

with logged(snakemake.log[0]):
    neighbours.run(
        PortraitsConfig(**snakemake.params.portraits),
        snakemake.input.summary,
        {Path(path).parent.name: Path(path).parent for path in snakemake.input.metrics},
        snakemake.output.table,
    )
