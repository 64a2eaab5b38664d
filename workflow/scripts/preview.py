"""Show what would be trained."""

import sys

from unrolled.stages import preview
from unrolled.stages.job import logged

with logged(snakemake.log[0]):
    command = [sys.executable, "-m", "snakemake", *snakemake.params.arguments, "--summary"]
    asked = snakemake.params
    print(preview.run(asked.sweeps, asked.results, command, asked.cores, asked.code))
