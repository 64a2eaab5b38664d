"""Find the least loss that the grammar allows."""

from pathlib import Path

from unrolled.config.corpus_sections import GrammarConfig
from unrolled.corpus.grammars.grammar import GRAMMAR_FILE
from unrolled.stages import measure_grammar
from unrolled.stages.job import logged

with logged(snakemake.log[0]):
    measure_grammar.run(
        GrammarConfig(**snakemake.params.grammar),
        Path(snakemake.input.raw) / GRAMMAR_FILE,
        {split: snakemake.input[split] for split in ("valid", "test")},
        snakemake.output.floor,
        snakemake.output.agreement,
        snakemake.output.entropy,
    )
