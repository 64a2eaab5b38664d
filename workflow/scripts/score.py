"""Score the user's own sentences."""

from pathlib import Path

from unrolled.stages import score
from unrolled.stages.job import logged

with logged(snakemake.log[0]):
    score.run(
        snakemake.input.sentences,
        Path(snakemake.input.metrics).parent,
        snakemake.output.by_sentence,
        snakemake.output.by_word,
    )
