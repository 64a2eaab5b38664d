"""Turn words into ids."""

from unrolled.stages import encode
from unrolled.stages.job import logged

with logged(snakemake.log[0]):
    encode.run(
        {split: snakemake.input[split] for split in ("train", "valid", "test")},
        snakemake.input.vocabulary,
        snakemake.input.accounts,
        snakemake.output.encoded,
        snakemake.output.profile,
        snakemake.params.closed,
        snakemake.params.unknown_token,
    )
