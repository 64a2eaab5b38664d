"""Bring the text here."""

from unrolled.config.corpus_sections import CorpusConfig, GrammarConfig
from unrolled.stages import acquire
from unrolled.stages.job import logged

with logged(snakemake.log[0]):
    config = CorpusConfig(**snakemake.config["corpus"])
    acquire.run(
        config,
        GrammarConfig(**snakemake.config["grammar"]),
        snakemake.input[0] if config.source == "url" else None,
        snakemake.output.raw,
    )
