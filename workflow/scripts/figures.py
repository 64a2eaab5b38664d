"""Draw the pictures of the sweep."""

from pathlib import Path

from unrolled.stages import figures
from unrolled.stages.job import logged

with logged(snakemake.log[0]):
    figures.run(
        snakemake.input.summary,
        {Path(path).parent.name: path for path in snakemake.input.histories},
        snakemake.input.baselines,
        snakemake.input.profile,
        snakemake.input.gradients,
        {Path(path).parents[1].name: Path(path).parent for path in snakemake.input.flows},
        Path(snakemake.output[0]).parent,
    )
