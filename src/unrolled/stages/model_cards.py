"""A model card for the best run of each cell."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from unrolled.report.model_card import CardMaterial, Trained, render_card
from unrolled.report.runs import RunResult, best_run, run_results
from unrolled.storage import read_json, read_tsv, write_text


def run(
    config: Mapping[str, Any],
    corpus: Path | str,
    summary: Path | str,
    run_folders: Mapping[str, Path | str],
    cards: Mapping[str, Path | str],
) -> None:
    """Write the cards; that of a cell of which no run finished says so.

    Args:
        config: the resolved configuration.
        corpus: the folder of provenance.json, profile.json and baselines.tsv, and of entropy.json
            for a text from a grammar.
        summary: the table of runs.
        run_folders: of the runs that exist, by name; of each cell's best run are read
            provenance.json, samples.tsv and model/config.json.
        cards: the Markdown files to write, by cell.
    """
    corpus = Path(corpus)
    from_grammar = config["corpus"]["source"] == "grammar"
    runs = run_results(read_tsv(summary))
    for cell, card in cards.items():
        of_cell = [run for run in runs if run.settings["cell"] == cell]
        material = CardMaterial(
            cell=cell,
            config=config,
            provenance=read_json(corpus / "provenance.json"),
            profile=read_json(corpus / "profile.json"),
            baselines=read_tsv(corpus / "baselines.tsv"),
            runs=of_cell,
            trained=_trained(best_run(of_cell), run_folders),
            entropy=read_json(corpus / "entropy.json") if from_grammar else None,
        )
        write_text(card, render_card(material))


def _trained(run: RunResult | None, folders: Mapping[str, Path | str]) -> Trained | None:
    """What lies in the folder of a run; None for none."""
    if run is None:
        return None
    folder = Path(folders[run.name])
    return Trained(
        model=read_json(folder / "model/config.json"),
        made_with=read_json(folder / "provenance.json"),
        sentence=_short_sentence(read_tsv(folder / "samples.tsv")),
    )


def _short_sentence(samples: Sequence[Mapping[str, str]]) -> list[str]:
    """The words of the shortest sample that has any, of one that came to its end if any did."""
    ended = [sample for sample in samples if sample["ended"] == "yes"] or samples
    return min(
        filter(None, (sample["tokens"].split(" ") for sample in ended if sample["tokens"])),
        key=len,
        default=[],
    )
