"""Draw the pictures of a sweep and write the table behind each."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from unrolled.config.sweep import shown
from unrolled.report.drawing import drawing_style, write_figure
from unrolled.report.figures import (
    gradient_figure,
    length_figure,
    loss_figure,
    perplexity_figure,
    spread_figure,
)
from unrolled.report.runs import Setting, by_setting, run_results
from unrolled.storage import Cell, read_json, read_tsv, write_tsv

MEANS = ["finished_runs", "mean_test_perplexity", "lowest", "highest"]
SPREADS = ["setting", "run", "test_perplexity"]
ERRORS = [
    "cell",
    "output",
    "tied_weights",
    "truncation_depth",
    "parameter",
    "relative_error_from",
    "entries",
]
LENGTHS = ["split", "words", "sentences"]


def run(
    summary: Path | str,
    histories: Mapping[str, Path | str],
    baselines: Path | str,
    profile: Path | str,
    checks: Sequence[Path | str],
    folder: Path | str,
) -> None:
    """Write loss, perplexity, spread, gradient_check and lengths, each as .svg and .tsv.

    Args:
        summary: the table of runs.
        histories: of each run that exists, by its name.
        baselines: their table.
        profile: of the corpus.
        checks: of the gradients.
        folder: where the pictures go.
    """
    settings = by_setting(run_results(read_tsv(summary)))
    history = [{"run": run, **row} for run, path in histories.items() for row in read_tsv(path)]
    validation_losses = _baselines(baselines, "valid", "loss_nats_per_token")
    test_perplexities = _baselines(baselines, "test", "perplexity")
    corpus, proofs = read_json(profile), [read_json(path) for path in checks]
    folder = Path(folder)
    with drawing_style():
        write_figure(folder / "loss.svg", loss_figure(settings, history, validation_losses))
        write_figure(folder / "perplexity.svg", perplexity_figure(settings))
        write_figure(folder / "spread.svg", spread_figure(settings, test_perplexities))
        write_figure(folder / "gradient_check.svg", gradient_figure(proofs))
        write_figure(folder / "lengths.svg", length_figure(corpus))
    write_tsv(folder / "loss.tsv", list(history[0]) if history else ["run"], history)
    write_tsv(folder / "perplexity.tsv", [*settings[0].settings, *MEANS], _perplexities(settings))
    write_tsv(folder / "spread.tsv", SPREADS, _spreads(settings))
    write_tsv(folder / "gradient_check.tsv", ERRORS, _errors(proofs))
    write_tsv(folder / "lengths.tsv", LENGTHS, _lengths(corpus))


def _baselines(path: Path | str, split: str, column: str) -> dict[str, float]:
    return {row["model"]: float(row[column]) for row in read_tsv(path) if row["split"] == split}


def _perplexities(settings: Sequence[Setting]) -> list[dict[str, Cell]]:
    """A row for each setting."""
    return [
        {
            **setting.settings,
            "finished_runs": len(setting.finished),
            "mean_test_perplexity": setting.mean_perplexity if setting.finished else None,
            "lowest": min(setting.perplexities, default=None),
            "highest": max(setting.perplexities, default=None),
        }
        for setting in settings
    ]


def _spreads(settings: Sequence[Setting]) -> list[dict[str, Cell]]:
    """A row for each finished run."""
    return [
        {"setting": setting.description, "run": run.name, "test_perplexity": run.test_perplexity}
        for setting in settings
        for run in setting.finished
    ]


def _errors(checks: Sequence[Mapping[str, Any]]) -> list[dict[str, Cell]]:
    """A row for each bar of the histograms."""
    return [
        {
            "cell": check["cell"],
            "output": check["output"],
            "tied_weights": shown(check["tied_weights"]),
            "truncation_depth": check["truncation_depth"],
            "parameter": parameter["parameter"],
            "relative_error_from": power,
            "entries": count,
        }
        for check in checks
        for parameter in check["parameters"]
        for power, count in parameter["relative_error_histogram"].items()
    ]


def _lengths(profile: Mapping[str, Any]) -> list[dict[str, Cell]]:
    return [
        {"split": split, "words": int(words), "sentences": sentences}
        for split, figures in profile["splits"].items()
        for words, sentences in figures["length_histogram"].items()
    ]
