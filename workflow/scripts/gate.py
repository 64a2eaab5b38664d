"""Let a cell be trained at a depth if its gradients are right there."""

from unrolled.stages import gate
from unrolled.stages.job import logged

with logged(snakemake.log[0]):
    gate.run(snakemake.input.check, snakemake.output.gate)
