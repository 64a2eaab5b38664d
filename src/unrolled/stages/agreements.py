"""How well all runs know the words that agree with a word before them, in one table."""

from collections import Counter
from collections.abc import Mapping
from math import log
from pathlib import Path

from unrolled.report.agreement import COLUMNS, SETTINGS
from unrolled.report.runs import by_setting, run_results
from unrolled.storage import Cell, read_tsv, write_tsv


def run(
    experiment: str,
    summary: Path | str,
    run_folders: Mapping[str, Path],
    of_corpus: Path | str,
    table: Path | str,
) -> None:
    """Write a row for each run and distance.

    Args:
        experiment: its name.
        summary: the table of runs.
        run_folders: of each run that exists, by its name; agreement.tsv in it is read.
        of_corpus: the table of the test's agreeing words.
        table: the table to write.
    """
    chance = _entropy(Counter(row["word"] for row in read_tsv(of_corpus)))
    rows: list[dict[str, Cell]] = [
        {
            "experiment": experiment,
            "run": found.name,
            **{key: found.settings[key] for key in SETTINGS},
            "further": ", ".join(setting.further),
            **losses,
            "chance_nats": chance,
        }
        for setting in by_setting(run_results(read_tsv(summary)))
        for found in setting.runs
        if found.name in run_folders
        for losses in read_tsv(run_folders[found.name] / "agreement.tsv")
    ]
    write_tsv(table, COLUMNS, rows)


def _entropy(counts: Counter[str]) -> float:
    """The loss of agreeing words if nothing is known but how frequent each is, in nats."""
    total = counts.total()
    return -sum(count / total * log(count / total) for count in counts.values())
