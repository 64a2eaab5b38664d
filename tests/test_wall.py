"""The wall: what networks write at some looks, and what the best run's sentences copy."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_strategies import VOCABULARY, fixed_network, network_of, some_classes, zero_network
from report_material import summary_row
from unrolled.analysis.copying import LEAST
from unrolled.analysis.wall import TEMPERATURES, looks, wall_sentences
from unrolled.config.sections import Unit
from unrolled.model.network import Network
from unrolled.model.types import Array
from unrolled.stages import wall
from unrolled.stages.growing_wall import COLUMNS as WALL
from unrolled.storage import Cell, read_tsv, write_tsv
from unrolled.text.classes import WordClasses
from unrolled.text.dataset import encode_documents, write_dataset
from unrolled.text.vocabulary import RESERVED, write_vocabulary

# Looks


@pytest.mark.parametrize(
    ("evaluations", "expected"),
    [
        (1, {0}),
        (2, {0, 1}),
        (3, {0, 1, 2}),  # the root of 3 is 1.7
        (6, {0, 1, 2}),  # of 6 it is 2.4
        (100, {0, 1, 10}),
    ],
)
def test_looks_are_the_untrained_network_the_first_evaluation_and_the_geometric_middle(
    evaluations: int, expected: set[int]
) -> None:
    assert looks(evaluations) == expected


@given(st.integers(1, 10**6))
def test_the_untrained_network_is_always_looked_at_and_the_last_evaluation_never(
    evaluations: int,
) -> None:
    found = looks(evaluations)

    assert 0 in found
    assert max(found) < evaluations


# Sentences


def test_two_sentences_of_5_to_24_words_are_drawn_at_each_temperature() -> None:
    endless, short = (fixed_network([0.0, end, 0.0, 0.0, 0.0]) for end in (-1e3, 1e3))

    for network, length in ((endless, 24), (short, 5)):
        lengths = {
            temperature: [len(sample.ids) for sample in samples]
            for temperature, samples in wall_sentences(network, "word").items()
        }
        assert lengths == {0.5: [length] * 2, 0.8: [length] * 2, 1.1: [length] * 2}


def test_every_look_draws_the_same_from_the_same_network() -> None:
    assert wall_sentences(network_of(1), "word") == wall_sentences(network_of(1), "word")
    assert wall_sentences(network_of(1), "word") != wall_sentences(network_of(2), "word")


def test_every_temperature_is_drawn_at_by_the_same_chances() -> None:
    # where all words are alike to the network, a temperature changes nothing
    first, second, third = wall_sentences(zero_network(9), "word").values()

    assert first == second == third
    assert first[0] != first[1]


def test_a_higher_temperature_draws_less_probable_sentences() -> None:
    drawn = wall_sentences(fixed_network([0.0, -1e3, 0.0, 4.0, 2.0, 0.0, -2.0]), "word")

    # all are cut at 24 words
    means = [np.mean([sample.log_probability for sample in drawn[place]]) for place in TEMPERATURES]
    assert means[0] > means[1] > means[2]


@pytest.mark.parametrize("classes", [None, some_classes(7)], ids=["softmax", "classes"])
def test_drawing_leaves_the_network_as_it_is(classes: WordClasses | None) -> None:
    network = network_of(3, bias=True, classes=classes)
    before = {name: array.copy() for name, array in network.parameters.items()}

    wall_sentences(network, "word")

    for name, array in network.parameters.items():
        np.testing.assert_array_equal(array, before[name], strict=True)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 3e38])
@pytest.mark.parametrize(
    ("classes", "cell"),
    [(None, "elman"), (None, "lstm"), (some_classes(7), "gru")],
    ids=["softmax-elman", "softmax-lstm", "classes-gru"],
)
def test_parameters_beyond_all_bounds_draw_no_sentence_that_is_not_one(
    value: float, classes: WordClasses | None, cell: str
) -> None:
    for name in network_of(4, cell_name=cell, bias=True, classes=classes).parameters:
        for spoilt in (slice(None), 3):
            network = network_of(4, 7, 4, np.float32, cell, bias=True, classes=classes)
            _spoil(network.parameters[name], spoilt, value)

            for sample in (
                one for samples in wall_sentences(network, "word").values() for one in samples
            ):
                assert math.isfinite(sample.log_probability)
                assert min(sample.ids) >= len(RESERVED)


def _spoil(array: Array, spoilt: slice | int, value: float) -> None:
    """Put the value into some rows of an array, the last where it has not as many."""
    array[spoilt if isinstance(spoilt, slice) else min(spoilt, len(array) - 1)] = value


def test_a_network_of_nothing_but_nan_draws_nothing() -> None:
    network = Network(
        {name: array * np.nan for name, array in network_of(1).parameters.items()}, "elman"
    )

    assert wall_sentences(network, "word") == {temperature: [] for temperature in TEMPERATURES}


# The stage

TRAINING = [
    ["the", "cat", "saw", "the", "dog", "."],
    ["the", "dog", "saw", "the", "cat", "."],
    ["saw", "the", "dog", "slept", "the", "axolotl"],  # the last word is not known
]


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    write_vocabulary(tmp_path / "corpus/vocabulary.tsv", VOCABULARY)
    write_dataset(tmp_path / "corpus/encoded/train", encode_documents([TRAINING], VOCABULARY))
    return tmp_path / "corpus"


def write_walls(folder: Path, walls: Mapping[str, list[str]]) -> dict[str, Path]:
    """The folders of runs, with a wall of these sentences each."""
    for name, sentences in walls.items():
        rows: list[dict[str, Cell]] = [
            {
                "epoch": "0.5",
                "temperature": "0.8",
                "sample": number,
                "tokens": sentence,
                "log_probability": -1.5,
                "ended": "cut",
            }
            for number, sentence in enumerate(sentences, start=1)
        ]
        write_tsv(folder / name / "wall.tsv", WALL, rows)
    return {name: folder / name for name in walls}


def write_summary(path: Path, *runs: dict[str, str]) -> Path:
    write_tsv(path, list(runs[0]), runs)
    return path


def test_the_table_says_which_words_of_the_best_runs_sentences_were_copied(
    corpus: Path, tmp_path: Path
) -> None:
    summary = write_summary(
        tmp_path / "summary.tsv",
        summary_row("worse", "5", "0", "1", "1.6", "5.0"),
        summary_row("best", "5", "4", "1", "1.5", "5.5"),
    )
    sentences = [
        "slept the cat saw the dog .",
        "the cat saw the dog cat the dog saw the cat .",
        "the cat saw the dog slept the",
        "the dog slept the cat",
    ]
    folders = write_walls(tmp_path / "runs", {"worse": [sentences[0]] * 9, "best": sentences})

    wall.run(summary, folders, corpus, "word", tmp_path / "wall.tsv")

    # 1: the first sentence, all of it. 2: its first five words, and all of the second sentence.
    # 3: five of the first, five of the third, three words in both. 4: no five known words.
    rows = read_tsv(tmp_path / "wall.tsv")
    assert [(row["sample"], row["copied"], row["copied_words"]) for row in rows] == [
        ("1", "2-7", "6"),
        ("2", "1-5 7-12", "11"),
        ("3", "1-5 3-7", "7"),
        ("4", "", "0"),
    ]
    assert [row["tokens"] for row in rows] == sentences
    for row in rows:
        assert (row["run"], row["epoch"], row["temperature"]) == ("best", "0.5", "0.8")
        assert row["ended"] == "cut"


def test_where_no_run_finished_there_is_a_header_only(corpus: Path, tmp_path: Path) -> None:
    summary = write_summary(tmp_path / "summary.tsv", summary_row("a", "5", "0", "1", "", ""))
    folders = write_walls(tmp_path / "runs", {"a": ["the cat saw the dog ."]})

    wall.run(summary, folders, corpus, "word", tmp_path / "wall.tsv")

    header = "run epoch temperature sample tokens ended copied copied_words"
    assert (tmp_path / "wall.tsv").read_text("utf-8") == header.replace(" ", "\t") + "\n"


def test_sentences_of_characters_are_longer_and_so_is_what_counts_as_copied() -> None:
    network = fixed_network([0.0, -1e3, 0.0, 4.0, 2.0, 0.0, -2.0])  # which never ends a sentence

    lengths = {
        unit: {
            len(sample.ids)
            for samples in wall_sentences(network, unit).values()
            for sample in samples
        }
        for unit in get_args(Unit)
    }

    assert lengths == {"word": {24}, "character": {120}}
    assert LEAST["word"] == 5 < LEAST["character"] == 25
