"""Put several experiments on one page."""

from pathlib import Path

from unrolled.stages import side_by_side
from unrolled.stages.job import logged

with logged(snakemake.log[0]):
    side_by_side.run(
        snakemake.params.configs,
        [Path(path).parent for path in snakemake.input.summaries],
        Path(snakemake.output[0]).parent,
        snakemake.output.page,
    )
