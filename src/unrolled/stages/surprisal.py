"""How much each word of some test sentences surprises the best and the worst run."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from unrolled.analysis.surprisal import GUESSES, Prediction, chosen_sentences, predictions
from unrolled.config.sections import PortraitsConfig
from unrolled.errors import DataError
from unrolled.model.files import read_model
from unrolled.report.runs import best_run, run_results, worst_run
from unrolled.storage import Cell, read_tsv, write_tsv
from unrolled.text.dataset import Dataset, read_dataset
from unrolled.text.sentence_file import chosen, iterate_sentences
from unrolled.text.vocabulary import UNKNOWN, Ids, Vocabulary, read_vocabulary

GUESS_COLUMNS = [
    f"{what}_{number}" for number in range(1, GUESSES + 1) for what in ("guess", "probability")
]

COLUMNS = [
    "role",
    "run",
    "sentence",
    "place",
    "word",
    "known",
    "surprisal_nats",
    *GUESS_COLUMNS,
]

Sentence = tuple[Sequence[str], Ids]
"""The words as they stand in the text, and their ids with start and end."""


def run(
    config: PortraitsConfig,
    corpus: Path | str,
    summary: Path | str,
    run_folders: Mapping[str, Path | str],
    table: Path | str,
) -> None:
    """Write a row for each word and end under the best run, then under the worst.

    If they are the same run it is written as the best alone; a header only if no run finished. The
    word of an end is empty, and so are the guesses that a small vocabulary has not.

    Args:
        config: how many sentences.
        corpus: the folder of the vocabulary, of test.txt and of the encoded test split.
        summary: the table of runs.
        run_folders: of the trained runs, by their names.
        table: the table to write.

    Raises:
        DataError: test.txt and the encoded split are not the same sentences.
    """
    sentences = _sentences(Path(corpus), config.sentences)
    rows: list[dict[str, Cell]] = [
        {"role": role, "run": name, **row}
        for role, name in _roles(summary).items()
        for row in _rows(Path(run_folders[name]), sentences)
    ]
    write_tsv(table, COLUMNS, rows)


def _roles(summary: Path | str) -> dict[str, str]:
    """The names of the best and the worst run by their roles; none if no run finished."""
    runs = run_results(read_tsv(summary))
    best, worst = best_run(runs), worst_run(runs)
    if best is None or worst is None:
        return {}
    return {"best": best.name, **({"worst": worst.name} if worst.name != best.name else {})}


def _sentences(corpus: Path, count: int) -> list[Sentence]:
    """The chosen sentences of the test split.

    Raises:
        DataError: the text and the encoded split are not the same sentences.
    """
    vocabulary = read_vocabulary(corpus / "vocabulary.tsv")
    text, dataset = corpus / "test.txt", read_dataset(corpus / "encoded/test", len(vocabulary))
    if not _same(iterate_sentences(text), dataset, vocabulary):
        raise DataError(
            f"{text} must hold the sentences whose ids are in {corpus / 'encoded/test'}"
            " (found others); let both be made anew"
        )
    lengths = np.diff(dataset.sentences) - 2  # without start and end
    numbers = chosen_sentences(lengths.tolist(), count)
    words = chosen(text, numbers)
    return [(words[place], dataset[number]) for place, number in enumerate(numbers)]


def _same(
    sentences: Iterator[tuple[bool, Sequence[str]]], dataset: Dataset, vocabulary: Vocabulary
) -> bool:
    """Whether a split holds the ids of these sentences and no others."""
    for block in dataset.blocks():
        texts = itertools.islice(sentences, len(block))
        ids = [token for _, words in texts for token in vocabulary.ids_of(words)]
        if not np.array_equal(np.array(ids, dtype=np.int32), block.ids):
            return False
    return next(sentences, None) is None


def _rows(run_folder: Path, sentences: Sequence[Sentence]) -> Iterator[dict[str, Cell]]:
    network, vocabulary, _ = read_model(run_folder / "model")
    for number, (words, ids) in enumerate(sentences, start=1):
        places = zip([*words, ""], predictions(network, ids), strict=True)
        for place, (word, prediction) in enumerate(places, start=1):
            yield {
                "sentence": number,
                "place": place,
                "word": word,
                "known": "no" if prediction.token == UNKNOWN else "yes",
                "surprisal_nats": prediction.surprisal,
                **_guesses(prediction, vocabulary),
            }


def _guesses(prediction: Prediction, vocabulary: Vocabulary) -> dict[str, Cell]:
    """The guesses in their columns; empty cells where there are fewer."""
    cells: list[Cell] = [
        cell
        for token, probability in prediction.guesses
        for cell in (vocabulary.tokens[token], probability)
    ]
    return {**dict.fromkeys(GUESS_COLUMNS), **dict(zip(GUESS_COLUMNS, cells, strict=False))}
