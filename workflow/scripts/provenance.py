"""Note where the text came from."""

from unrolled.config.corpus_sections import OriginConfig
from unrolled.stages import provenance
from unrolled.stages.job import logged

with logged(snakemake.log[0]):
    provenance.run(
        OriginConfig(**snakemake.params.origin),
        snakemake.input.raw,
        snakemake.output.provenance,
    )
