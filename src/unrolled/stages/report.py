"""Put the page together, and write down what was run."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from unrolled.report.page import Material, render
from unrolled.storage import read_json, read_text, read_tsv, write_json, write_text
from unrolled.text.classes import read_classes
from unrolled.text.vocabulary import read_vocabulary

Folders = Mapping[str, Path]
VERSIONS = ["unrolled", "python", "numpy", "commit"]


def run(
    config: Mapping[str, Any],
    corpus: Path | str,
    summary: Path | str,
    checks: Sequence[Path | str],
    with_classes: bool,
    run_folders: Mapping[str, Path | str],
    figures: Sequence[Path | str],
    report: Path | str,
    record: Path | str,
) -> None:
    """Write the report and the resolved configuration.

    Args:
        config: the resolved configuration.
        corpus: the folder of provenance.json, profile.json and baselines.tsv, of vocabulary.tsv,
            classes.tsv and telling_classes.tsv.
        summary: the table of runs.
        checks: of the gradients.
        with_classes: whether any run goes by word classes; the last three files are read only then.
        run_folders: of the runs that exist, by name.
        figures: the SVG files.
        report: the page to write.
        record: the JSON file of the configuration to write.
    """
    corpus = Path(corpus)
    folders = {name: Path(folder) for name, folder in run_folders.items()}
    own = folders if config["evaluation"]["sentences"] else {}
    material = Material(
        experiment=config["experiment"],
        config=config,
        provenance=read_json(corpus / "provenance.json"),
        profile=read_json(corpus / "profile.json"),
        summary=read_tsv(summary),
        baselines=read_tsv(corpus / "baselines.tsv"),
        checks=[read_json(path) for path in checks],
        classes=_classes(corpus) if with_classes else None,
        samples=_tables(folders, "samples.tsv"),
        own_sentences=_tables(own, "own_sentences.tsv"),
        own_words=_tables(own, "own_words.tsv"),
        timing={name: rows[0] for name, rows in _tables(folders, "timing.tsv").items()},
        versions=_versions(folders),
        figures={Path(path).stem: _inline(read_text(path)) for path in figures},
    )
    write_text(report, render(material))
    write_json(record, config)


def _classes(corpus: Path) -> dict[str, Any]:
    """What the page says of the word classes."""
    classes = read_classes(corpus / "classes.tsv", read_vocabulary(corpus / "vocabulary.tsv"))
    return {
        "words_alone": classes.words_alone,
        "sizes": [size for size in np.diff(classes.starts).tolist() if size > 0],
        "telling": read_tsv(corpus / "telling_classes.tsv"),
    }


def _tables(folders: Folders, name: str) -> dict[str, list[dict[str, str]]]:
    return {run: read_tsv(folder / name) for run, folder in folders.items()}


def _versions(folders: Folders) -> dict[str, str]:
    """What the runs were made with; more than one of a kind where runs were added later."""
    records = [read_json(folder / "provenance.json") for folder in folders.values()]
    found = {key: {record[key]: None for record in records if record[key]} for key in VERSIONS}
    return {key: " and ".join(values) for key, values in found.items() if values}


def _inline(svg: str) -> str:
    """A figure without what only a file of its own needs."""
    return svg[svg.index("<svg") :]
