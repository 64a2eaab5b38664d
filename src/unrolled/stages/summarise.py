"""The whole sweep in one table."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from unrolled.config.sweep import shown
from unrolled.report.runs import EXCESS, RESULTS
from unrolled.storage import Cell, read_json, read_tsv, write_tsv


def run(
    settings: Mapping[str, Mapping[str, Any]],
    run_folders: Mapping[str, Path | str],
    baselines: Path | str,
    summary: Path | str,
) -> None:
    """Write a row for each run of the sweep, its settings as columns.

    Args:
        settings: of every run of the sweep, by its name.
        run_folders: of those runs that exist; the others are shown as missing.
        baselines: their table.
        summary: the table to write.
    """
    floor: dict[str, Cell] = {
        f"{row['model']}_perplexity": row["perplexity"]
        for row in read_tsv(baselines)
        if row["split"] == "test"
    }
    results = [*RESULTS, *(EXCESS if "grammar_perplexity" in floor else [])]
    rows = [
        {"run": name, **_shown(values), **_results(run_folders.get(name), results), **floor}
        for name, values in settings.items()
    ]
    columns = ["run", *next(iter(settings.values())), *results, *floor]
    write_tsv(summary, columns, rows)


def _shown(settings: Mapping[str, Any]) -> dict[str, Cell]:
    return {key: shown(value) for key, value in settings.items()}


def _results(folder: Path | str | None, columns: Sequence[str]) -> dict[str, Cell]:
    """What a run came to; empty cells for what it has not."""
    results: dict[str, Cell] = dict.fromkeys(columns)
    if folder is None:
        return {**results, "state": "missing", "reason": "no results; see its log"}
    results |= read_json(Path(folder) / "metrics.json")
    for score in read_tsv(Path(folder) / "evaluation.tsv"):
        results["test_loss_nats_per_token"] = score["loss_nats_per_token"]
        results["test_perplexity"] = score["perplexity"]
        results |= {key: score[key] for key in columns if key in score}
    return results
