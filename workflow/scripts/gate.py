"""Let runs be trained only if a check that they wait for has passed."""

from unrolled.stages import gate
from unrolled.stages.job import logged

with logged(snakemake.log[0]):
    gate.run(snakemake.input.check, snakemake.output.gate)
