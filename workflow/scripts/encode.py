"""Turn words into ids."""

from pathlib import Path

from unrolled.stages import encode
from unrolled.stages.job import logged

with logged(snakemake.log[0]):
    corpus = Path(snakemake.output.profile).parent
    splits = ("train", "valid", "test")
    encode.run(
        {split: snakemake.input[split] for split in splits},
        snakemake.input.vocabulary,
        snakemake.input.accounts,
        {split: corpus / split for split in splits},
        snakemake.output.profile,
        snakemake.params.closed,
        snakemake.params.unknown_token,
    )
