"""Put all runs' losses of agreeing words into one table."""

from unrolled.stages import agreements, inventory
from unrolled.stages.job import logged

with logged(snakemake.log[0]):
    agreements.run(
        snakemake.params.experiment,
        snakemake.input.summary,
        inventory.run_folders(snakemake.input.inventory),
        snakemake.input.of_corpus,
        snakemake.output.table,
    )
