"""Put all runs' losses of agreeing words into one table."""

from pathlib import Path

from unrolled.stages import agreements
from unrolled.stages.job import logged

with logged(snakemake.log[0]):
    agreements.run(
        snakemake.params.experiment,
        snakemake.input.summary,
        {Path(path).parent.name: path for path in snakemake.input.of_runs},
        snakemake.input.of_corpus,
        snakemake.output.table,
    )
