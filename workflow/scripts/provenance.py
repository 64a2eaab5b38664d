"""Note where the text came from."""

from unrolled.config.sections import CorpusConfig
from unrolled.stages import provenance
from unrolled.stages.job import logged

with logged(snakemake.log[0]):
    provenance.run(
        CorpusConfig(**snakemake.params.corpus),
        snakemake.input.raw,
        snakemake.output.provenance,
    )
