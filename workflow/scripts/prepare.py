"""Cut the text into sentences and words."""

from unrolled.config.sections import TextConfig
from unrolled.stages import prepare
from unrolled.stages.job import logged

with logged(snakemake.log[0]):
    prepare.run(
        TextConfig(**snakemake.params.text),
        snakemake.params.column,
        snakemake.input.raw,
        {split: snakemake.output[split] for split in ("train", "valid", "test")},
        snakemake.output.rejected,
    )
