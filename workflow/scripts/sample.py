"""Draw sentences from a run."""

from pathlib import Path

from unrolled.config.sections import SamplingConfig
from unrolled.stages import sample
from unrolled.stages.job import logged

with logged(snakemake.log[0]):
    sample.run(
        SamplingConfig(**snakemake.params.sampling),
        Path(snakemake.input.metrics).parent,
        snakemake.output.samples,
    )
