"""Put the page together."""

from pathlib import Path

from unrolled.stages import inventory, report
from unrolled.stages.job import logged

with logged(snakemake.log[0]):
    report.run(
        snakemake.params.config,
        Path(snakemake.input.profile).parent,
        snakemake.input.summary,
        snakemake.input.gradients,
        snakemake.input.overfitting,
        snakemake.input.initial_losses,
        bool(snakemake.input.classes),
        inventory.run_folders(snakemake.input.inventory),
        snakemake.input.figures,
        Path(snakemake.input.portraits[0]).parent,
        snakemake.params.beside,
        snakemake.output.report,
        snakemake.output.record,
        Path(snakemake.output[0]).parent,
    )
