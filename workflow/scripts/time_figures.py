"""Draw where the time went."""

from pathlib import Path

from unrolled.stages import inventory, time_figures
from unrolled.stages.job import logged

with logged(snakemake.log[0]):
    folder = Path(snakemake.input.summary).parent / "benchmarks"
    jobs = [Path(path) for path in snakemake.input.jobs]
    time_figures.run(
        snakemake.input.summary,
        inventory.run_folders(snakemake.input.inventory),
        [(path.relative_to(folder).with_suffix("").parts[0], path) for path in jobs],
        Path(snakemake.output[0]).parent,
    )
