"""Bring the text here."""

from unrolled.config.sections import CorpusConfig
from unrolled.stages import acquire
from unrolled.stages.job import logged

with logged(snakemake.log[0]):
    acquire.run(
        CorpusConfig(**snakemake.params.corpus),
        snakemake.input[0] if snakemake.params.corpus["source"] == "url" else None,
        snakemake.output.raw,
        snakemake.output.provenance,
    )
