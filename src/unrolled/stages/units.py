"""What single hidden units of the best run do over test sentences."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from unrolled.analysis.surprisal import chosen_sentences
from unrolled.analysis.units import PickedUnit, picked, unit_statistics, values
from unrolled.config.sections import PortraitsConfig
from unrolled.model.files import read_model
from unrolled.model.network import Network
from unrolled.report.runs import best_run, run_results
from unrolled.storage import Cell, read_tsv, write_tsv
from unrolled.text.dataset import read_dataset
from unrolled.text.sentence_file import chosen, iterate_sentences
from unrolled.text.vocabulary import Vocabulary
from unrolled.training.batches import EVALUATION_BATCH, SentenceBatches

MEASURED_SENTENCES = 2000
"""Of the validation split, evenly spread; enough for correlations, and quickly read."""

SHOWN_SENTENCES = 2
"""Of those test sentences that are coloured by surprisal, the first ones."""

COLUMNS = ["run", "rule", "unit", "measure", "detail", "sentence", "place", "word", "value"]


def run(
    config: PortraitsConfig,
    corpus: Path | str,
    summary: Path | str,
    run_folders: Mapping[str, Path | str],
    table: Path | str,
) -> None:
    """Write the value of each unit that is picked after each word; a header only if no run
    finished.

    The detail of a unit that is tied to a class is the class's most frequent words, that of others
    is empty.

    Args:
        config: how many test sentences are coloured by surprisal.
        corpus: the folder of the encoded validation split and of test.txt.
        summary: the table of runs.
        run_folders: of the trained runs, by their names.
        table: the table to write.
    """
    corpus, best = Path(corpus), best_run(run_results(read_tsv(summary)))
    rows: list[dict[str, Cell]] = []
    if best is not None:
        network, vocabulary, _ = read_model(Path(run_folders[best.name]) / "model")
        units = _picked(network, corpus / "encoded/valid")
        sentences = _shown(corpus / "test.txt", config.sentences)
        rows = [{"run": best.name, **row} for row in _rows(network, vocabulary, units, sentences)]
    write_tsv(table, COLUMNS, rows)


def _picked(network: Network, split: Path) -> list[PickedUnit]:
    """The units picked by sentences of a split."""
    dataset = read_dataset(split, network.vocabulary_size)
    measured = np.linspace(0, len(dataset) - 1, MEASURED_SENTENCES).round().astype(np.int64)
    batches = SentenceBatches(dataset, np.unique(measured), EVALUATION_BATCH)
    return picked(unit_statistics(network, batches))


def _shown(path: Path, coloured: int) -> list[list[str]]:
    """The sentences that are shown, as they stand in the text."""
    lengths = [len(words) for _, words in iterate_sentences(path)]
    return chosen(path, chosen_sentences(lengths, coloured)[:SHOWN_SENTENCES])


def _rows(
    network: Network,
    vocabulary: Vocabulary,
    units: Sequence[PickedUnit],
    sentences: Sequence[Sequence[str]],
) -> Iterator[dict[str, Cell]]:
    """A row for each unit, sentence and word, without the run's name."""
    of_sentences = [
        values(network, vocabulary.encode(words), [unit.unit for unit in units])
        for words in sentences
    ]
    for column, unit in enumerate(units):
        for number, (words, found) in enumerate(zip(sentences, of_sentences, strict=True), start=1):
            for place, (word, value) in enumerate(
                zip(words, found[:, column].tolist(), strict=True), start=1
            ):
                yield {
                    "rule": unit.rule,
                    "unit": unit.unit,
                    "measure": unit.measure,
                    "detail": " ".join(vocabulary.decode(unit.class_words)),
                    "sentence": number,
                    "place": place,
                    "word": word,
                    "value": value,
                }
