"""Draw sentences from the grammar."""

from pathlib import Path

from unrolled.config.corpus_sections import GrammarConfig
from unrolled.corpus.grammars.grammar import GRAMMAR_FILE
from unrolled.stages import draw
from unrolled.stages.job import logged

with logged(snakemake.log[0]):
    draw.run(
        GrammarConfig(**snakemake.params.grammar),
        Path(snakemake.input.raw) / GRAMMAR_FILE,
        {split: snakemake.output[split] for split in ("train", "valid", "test")},
        snakemake.output.accounts,
    )
