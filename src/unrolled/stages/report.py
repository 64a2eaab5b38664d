"""Put the page together, and write down what was run."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from unrolled.report.page import PICTURES_OF_WORDS, Material, render, render_section
from unrolled.report.pictures import read_picture
from unrolled.storage import read_json, read_tsv, write_json, write_text
from unrolled.text.classes import read_classes
from unrolled.text.vocabulary import read_vocabulary

Folders = Mapping[str, Path]
PORTRAITS = ["surprisal", "wall", "units", "neighbours"]
"""The tables of the best and the worst run."""

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
    portraits: Path | str,
    beside: Mapping[str, str | None],
    report: Path | str,
    record: Path | str,
    pictures_of_words: Path | str,
) -> None:
    """Write the report, some of its sections as pages of their own, and the resolved configuration.

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
        figures: the wide drawings of the pictures, beside which their other files lie.
        portraits: the folder of the tables of `PORTRAITS`.
        beside: what each experiment beside this one is for, by its name.
        report: the page to write.
        record: the JSON file of the configuration to write.
        pictures_of_words: the folder of the pages of single sections to write.
    """
    corpus = Path(corpus)
    folders = {name: Path(folder) for name, folder in run_folders.items()}
    drawn = [read_picture(Path(path).parent, Path(path).stem) for path in figures]
    pictures = {picture.name: picture for picture in drawn}
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
        pictures=pictures,
        **{name: read_tsv(Path(portraits) / f"{name}.tsv") for name in PORTRAITS},
        entropy=read_json(corpus / "entropy.json") if from_grammar else None,
        agreement=pictures["agreement"].rows if "agreement" in pictures else [],
        beside=beside,
    )
    write_text(report, render(material))
    for name, section in PICTURES_OF_WORDS.items():
        write_text(Path(pictures_of_words) / f"{name}.html", render_section(material, section))
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
