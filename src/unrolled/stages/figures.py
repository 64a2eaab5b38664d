"""Draw the pictures of a sweep and write the table behind each."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from unrolled.report.drawing import drawing_style, write_figure
from unrolled.report.figures import (
    activation_figure,
    arrival_figure,
    cosine_figure,
    gradient_figure,
    length_figure,
    loss_figure,
    perplexity_figure,
    singular_value_figure,
    spread_figure,
)
from unrolled.report.flow import Flow, read_flow
from unrolled.report.runs import Setting, by_setting, run_results
from unrolled.storage import Cell, read_json, read_tsv, write_tsv

MEANS = ["finished_runs", "mean_test_perplexity", "lowest", "highest"]
SPREADS = ["setting", "run", "test_perplexity"]
ERRORS = [
    "cell",
    "truncation_depth",
    "network",
    "parameter",
    "method",
    "relative_error_from",
    "entries",
]
LENGTHS = ["split", "words", "sentences"]


def run(
    summary: Path | str,
    histories: Mapping[str, Path | str],
    baselines: Path | str,
    profile: Path | str,
    gradients: Sequence[Path | str],
    flows: Mapping[str, Path],
    folder: Path | str,
) -> None:
    """Write a picture as .svg and the table behind it as .tsv, of each of these names: loss,
    perplexity, spread, gradient_check, lengths, arrival, cosines, singular_values, activations.

    Args:
        summary: the table of runs.
        histories: of each run that exists, by its name.
        baselines: their table.
        profile: of the corpus.
        gradients: the checks of them.
        flows: the folder of each run's tables of how gradients travel, by its name.
        folder: where the pictures go.
    """
    settings = by_setting(run_results(read_tsv(summary)))
    history = [{"run": run, **row} for run, path in histories.items() for row in read_tsv(path)]
    validation_losses = _baselines(baselines, "valid", "loss_nats_per_token")
    test_perplexities = _baselines(baselines, "test", "perplexity")
    corpus, proofs = read_json(profile), [read_json(path) for path in gradients]
    folder = Path(folder)
    travel = {run: read_flow(path) for run, path in flows.items()}
    with drawing_style():
        write_figure(folder / "loss.svg", loss_figure(settings, history, validation_losses))
        write_figure(
            folder / "perplexity.svg", perplexity_figure(settings, test_perplexities.get("grammar"))
        )
        write_figure(folder / "spread.svg", spread_figure(settings, test_perplexities))
        write_figure(folder / "gradient_check.svg", gradient_figure(proofs))
        write_figure(folder / "lengths.svg", length_figure(corpus))
        write_figure(folder / "arrival.svg", arrival_figure(settings, travel))
        write_figure(folder / "cosines.svg", cosine_figure(settings, travel))
        write_figure(folder / "singular_values.svg", singular_value_figure(settings, travel))
        write_figure(folder / "activations.svg", activation_figure(settings, travel))
    _write_rows(folder / "loss.tsv", history)
    write_tsv(folder / "perplexity.tsv", [*settings[0].settings, *MEANS], _perplexities(settings))
    write_tsv(folder / "spread.tsv", SPREADS, _spreads(settings))
    write_tsv(folder / "gradient_check.tsv", ERRORS, _errors(proofs))
    write_tsv(folder / "lengths.tsv", LENGTHS, _lengths(corpus))
    for name, rows in _flow_rows(travel).items():
        _write_rows(folder / f"{name}.tsv", rows)


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
            "truncation_depth": check["truncation_depth"],
            "network": network["title"],
            "parameter": parameter["parameter"],
            "method": method,
            "relative_error_from": power,
            "entries": count,
        }
        for check in checks
        for network in check["networks"]
        for parameter in network["parameters"]
        for method, comparison in parameter["methods"].items()
        for power, count in comparison["relative_error_histogram"].items()
    ]


def _lengths(profile: Mapping[str, Any]) -> list[dict[str, Cell]]:
    return [
        {"split": split, "words": int(words), "sentences": sentences}
        for split, figures in profile["splits"].items()
        for words, sentences in figures["length_histogram"].items()
    ]


def _flow_rows(flows: Mapping[str, Flow]) -> dict[str, list[dict[str, Cell]]]:
    """The tables of all runs, and beside the histograms the share that is written in them."""
    found = list(flows.items())
    return {
        "arrival": [{"run": run, **row} for run, flow in found for row in flow.arrival],
        "cosines": [{"run": run, **row} for run, flow in found for row in flow.cosines],
        "singular_values": [
            {"run": run, **row} for run, flow in found for row in flow.singular_values
        ],
        "activations": [
            {"run": run, **row, "saturated_share": flow.saturated_shares[row["activation"]]}
            for run, flow in found
            for row in flow.activations
        ],
    }


def _write_rows(path: Path, rows: Sequence[Mapping[str, Cell]]) -> None:
    """Write rows that begin with the run; without any there is no other column."""
    write_tsv(path, list(rows[0]) if rows else ["run"], rows)
