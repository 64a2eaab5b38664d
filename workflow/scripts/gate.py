"""Let runs be trained only if the checks that they wait for have passed."""

from unrolled.stages import gate
from unrolled.stages.job import logged

with logged(snakemake.log[0]):
    gate.run(snakemake.input.checks, snakemake.output.gate)
