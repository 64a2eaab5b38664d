"""Let a cell be trained if its gradients are right."""

from unrolled.stages import gate
from unrolled.stages.job import logged

with logged(snakemake.log[0]):
    gate.run(snakemake.input.checks, snakemake.output.gate)
