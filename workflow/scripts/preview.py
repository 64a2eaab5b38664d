"""Show what would be trained or measured."""

import sys

from unrolled.stages import preview
from unrolled.stages.job import logged

with logged(snakemake.log[0]):
    asked = snakemake.params
    # -P: a json.py of the user, in the folder of the call, is none of Snakemake's modules
    command = [sys.executable, "-P", "-m", "snakemake", *asked.arguments, "--summary"]
    told = preview.run(
        asked.sweeps, asked.results, command, asked.cores, asked.code, asked.called_in
    )
    print(told)
