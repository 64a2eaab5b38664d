"""Fetch one file."""

from unrolled.config.corpus_sections import CorpusConfig
from unrolled.stages import download
from unrolled.stages.job import logged

with logged(snakemake.log[0]):
    download.run(CorpusConfig(**snakemake.config["corpus"]), snakemake.output[0])
