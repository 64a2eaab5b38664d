"""Cut the text into sentences and words."""

from unrolled.config.corpus_sections import ReadingConfig
from unrolled.config.sections import CleaningConfig, TextConfig
from unrolled.stages import prepare
from unrolled.stages.job import logged

with logged(snakemake.log[0]):
    output = snakemake.output
    prepare.run(
        ReadingConfig(**snakemake.params.reading),
        CleaningConfig(**snakemake.params.cleaning),
        TextConfig(**snakemake.params.text),
        snakemake.input.raw,
        prepare.Outputs(
            {split: output[split] for split in ("train", "valid", "test")},
            output.rejected,
            output.put_aside,
            output.punkt,
            output.accounts,
        ),
    )
