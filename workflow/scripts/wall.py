"""Find what the best run has copied from the training split."""

from pathlib import Path

from unrolled.stages import wall
from unrolled.stages.job import logged

with logged(snakemake.log[0]):
    wall.run(
        snakemake.input.summary,
        {Path(path).parent.name: Path(path).parent for path in snakemake.input.walls},
        Path(snakemake.input.vocabulary).parent,
        snakemake.params.unit,
        snakemake.output.table,
    )
