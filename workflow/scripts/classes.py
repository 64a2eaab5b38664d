"""Put words into classes."""

from pathlib import Path

from unrolled.config.sections import ClassesConfig
from unrolled.stages import classes
from unrolled.stages.job import logged

with logged(snakemake.log[0]) as log:
    classes.run(
        ClassesConfig(**snakemake.params.classes),
        Path(snakemake.input.vocabulary).parent,
        snakemake.output.classes,
        snakemake.output.telling,
        log,
    )
