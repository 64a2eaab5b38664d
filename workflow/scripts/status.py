"""Show where each run stands."""

from unrolled.stages import status
from unrolled.stages.job import logged

with logged(snakemake.log[0]):
    print(status.run(snakemake.params.sweeps, snakemake.params.results))
