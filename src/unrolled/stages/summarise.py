"""The whole sweep in one table."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from unrolled.config.sweep import shown
from unrolled.report.runs import EXCESS, RESULTS
from unrolled.stages.inventory import write_inventory
from unrolled.stages.status import why_missing
from unrolled.storage import Cell, read_json, read_tsv, write_tsv


def run(
    settings: Mapping[str, Mapping[str, Any]],
    run_folders: Mapping[str, Path],
    baselines: Path | str,
    summary: Path | str,
    inventory: Path | str,
) -> None:
    """Write a row for each run of the sweep, its settings as columns, and which runs exist.

    Args:
        settings: of every run of the sweep, by its name.
        run_folders: of those runs that exist; the others are shown as missing.
        baselines: their table.
        summary: the table to write, beside which the folders of runs and of their states lie.
        inventory: the table of runs that exist, to be written.
    """
    floor: dict[str, Cell] = {
        f"{row['model']}_perplexity": row["perplexity"]
        for row in read_tsv(baselines)
        if row["split"] == "test"
    }
    results = [*RESULTS, *(EXCESS if "grammar_perplexity" in floor else [])]
    empty: dict[str, Cell] = dict.fromkeys(results)
    rows = []
    for name, values in settings.items():
        if name in run_folders:
            found = _results(run_folders[name], results)
        else:
            found = _missing(Path(summary).parent / "runs" / name)
        rows.append({"run": name, **_shown(values), **empty, **found, **floor})
    columns = ["run", *next(iter(settings.values())), *results, *floor]
    write_tsv(summary, columns, rows)
    write_inventory(run_folders, inventory)


def _shown(settings: Mapping[str, Any]) -> dict[str, Cell]:
    return {key: shown(value) for key, value in settings.items()}


def _missing(folder: Path) -> dict[str, Cell]:
    """What is shown of a run that has not all of its results, by where they would be."""
    return {"state": "missing", "reason": why_missing(folder)}


def _results(folder: Path, columns: Sequence[str]) -> dict[str, Cell]:
    """What a run came to; nothing for what it has not."""
    results: dict[str, Cell] = dict(read_json(folder / "metrics.json"))
    for score in read_tsv(folder / "evaluation.tsv"):
        results["test_loss_nats_per_token"] = score["loss_nats_per_token"]
        results["test_perplexity"] = score["perplexity"]
        results |= {key: score[key] for key in columns if key in score}
    return results
