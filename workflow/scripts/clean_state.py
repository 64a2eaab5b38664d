"""Remove the checkpoints of finished runs."""

from pathlib import Path

from unrolled.stages import clean_state
from unrolled.stages.job import logged

with logged(snakemake.log[0]):
    results = Path(snakemake.params.results)
    print(clean_state.run(results / name for name in snakemake.params.sweeps))
