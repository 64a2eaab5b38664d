"""Choose the words that the models know."""

from unrolled.config.sections import VocabularyConfig
from unrolled.stages import vocabulary
from unrolled.stages.job import logged

with logged(snakemake.log[0]):
    vocabulary.run(
        VocabularyConfig(**snakemake.params.text),
        snakemake.input.train,
        snakemake.output.vocabulary,
    )
