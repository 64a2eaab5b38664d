"""Put the page together, and write down what was run."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from unrolled.report.flow import read_flow
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
    gradients: Sequence[Path | str],
    overfitting: Sequence[Path | str],
    initial_losses: Sequence[Path | str],
    with_classes: bool,
    run_folders: Mapping[str, Path | str],
    figures: Sequence[Path | str],
    beside: Mapping[str, str | None],
    report: Path | str,
    record: Path | str,
) -> None:
    """Write the report and the resolved configuration.

    Args:
        config: the resolved configuration.
        corpus: the folder of provenance.json, profile.json and baselines.tsv, of vocabulary.tsv,
            classes.tsv and telling_classes.tsv, and of entropy.json for a text from a grammar.
        summary: the table of runs.
        gradients: the checks of them.
        overfitting: the checks by two sentences that were learned by heart.
        initial_losses: the checks of untrained networks.
        with_classes: whether any run goes by word classes; vocabulary and classes are read only
            then.
        run_folders: of the runs that exist, by name.
        figures: the SVG files; beside agreement.svg, where it is one of them, lies its table.
        beside: what each experiment beside this one is for, by its name.
        report: the page to write.
        record: the JSON file of the configuration to write.
    """
    corpus = Path(corpus)
    folders = {name: Path(folder) for name, folder in run_folders.items()}
    drawn = {Path(path).stem: Path(path) for path in figures}
    from_grammar = config["corpus"]["source"] == "grammar"
    own = folders if config["evaluation"]["sentences"] else {}
    material = Material(
        experiment=config["experiment"],
        config=config,
        provenance=read_json(corpus / "provenance.json"),
        profile=read_json(corpus / "profile.json"),
        summary=read_tsv(summary),
        baselines=read_tsv(corpus / "baselines.tsv"),
        gradients=[read_json(path) for path in gradients],
        overfitting=[read_json(path) for path in overfitting],
        initial_losses=[read_json(path) for path in initial_losses],
        classes=_classes(corpus) if with_classes else None,
        samples=_tables(folders, "samples.tsv"),
        own_sentences=_tables(own, "own_sentences.tsv"),
        own_words=_tables(own, "own_words.tsv"),
        timing={name: rows[0] for name, rows in _tables(folders, "timing.tsv").items()},
        versions=_versions(folders),
        figures={name: _inline(read_text(path)) for name, path in drawn.items()},
        flows={name: read_flow(folder / "flow") for name, folder in folders.items()},
        entropy=read_json(corpus / "entropy.json") if from_grammar else None,
        agreement=_agreement(drawn),
        beside=beside,
    )
    write_text(report, render(material))
    write_json(record, config)


def _agreement(figures: Mapping[str, Path]) -> list[dict[str, str]]:
    """The table behind the figure of agreeing words, if there is one."""
    figure = figures.get("agreement")
    return read_tsv(figure.with_suffix(".tsv")) if figure else []


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
