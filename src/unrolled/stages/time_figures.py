"""Draw where the time went."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from unrolled.report.drawing import write_picture
from unrolled.report.figures.cost import cost_picture
from unrolled.report.figures.stages import stage_picture
from unrolled.report.runs import by_setting, run_results
from unrolled.storage import read_tsv


def run(
    summary: Path | str,
    run_folders: Mapping[str, Path],
    benchmarks: Sequence[tuple[str, Path | str]],
    folder: Path | str,
) -> None:
    """Write the pictures that show times: these are others each time that jobs are run.

    Args:
        summary: the table of runs.
        run_folders: of each run that exists, by its name; timing.tsv and steps.tsv in it are read.
        benchmarks: what Snakemake has measured of each other job, with the name of its rule.
        folder: where the pictures go.
    """
    settings = by_setting(run_results(read_tsv(summary)))
    seconds = {
        run: float(read_tsv(run_folder / "timing.tsv")[0]["seconds"])
        for run, run_folder in run_folders.items()
    }
    jobs = [(rule, float(read_tsv(path)[0]["s"])) for rule, path in benchmarks]
    jobs += [
        (row["step"], float(row["seconds"]))
        for run_folder in run_folders.values()
        for row in read_tsv(run_folder / "steps.tsv")
    ]
    for picture in (cost_picture(settings, seconds), stage_picture(jobs)):
        write_picture(Path(folder), picture)
