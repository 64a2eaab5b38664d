"""Draw the pictures of a sweep and write the table behind each."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from unrolled.report.baselines import of_test, of_validation
from unrolled.report.drawing import write_picture
from unrolled.report.figures import (
    activation_picture,
    arrival_picture,
    cosine_picture,
    difference_picture,
    frequency_picture,
    gradient_picture,
    length_picture,
    loss_picture,
    perplexity_picture,
    singular_value_picture,
    spread_picture,
)
from unrolled.report.flow import read_flow
from unrolled.report.runs import by_setting, run_results
from unrolled.storage import read_json, read_tsv


def run(
    summary: Path | str,
    run_folders: Mapping[str, Path],
    baselines: Path | str,
    profile: Path | str,
    gradients: Sequence[Path | str],
    folder: Path | str,
) -> None:
    """Write all pictures that show no times, each of them as `unrolled.report.pictures.SUFFIXES`.

    Args:
        summary: the table of runs.
        run_folders: of each run that exists, by its name; history.tsv and flow/ in it are read.
        baselines: their table.
        profile: of the corpus.
        gradients: the checks of them.
        folder: where the pictures go.
    """
    settings = by_setting(run_results(read_tsv(summary)))
    history = [
        {"run": run, **row}
        for run, run_folder in run_folders.items()
        for row in read_tsv(run_folder / "history.tsv")
    ]
    limits = read_tsv(baselines)
    validation_losses = of_validation(limits, "loss_nats_per_token")
    test_perplexities = of_test(limits, "perplexity")
    corpus, proofs = read_json(profile), [read_json(path) for path in gradients]
    travel = {run: read_flow(path / "flow") for run, path in run_folders.items()}
    for picture in (
        frequency_picture(corpus),
        length_picture(corpus),
        gradient_picture(proofs),
        loss_picture(settings, history, validation_losses),
        arrival_picture(settings, travel),
        cosine_picture(settings, travel),
        singular_value_picture(settings, travel),
        activation_picture(settings, travel),
        perplexity_picture(settings, test_perplexities.get("grammar")),
        difference_picture(settings),
        spread_picture(settings, test_perplexities),
    ):
        write_picture(Path(folder), picture)
