"""The stages that look into the best run: its hidden units and its nearest neighbours."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model_strategies import network_of, some_classes
from report_material import summary_row
from unrolled.analysis.neighbours import NEIGHBOURS, nearest_neighbours
from unrolled.analysis.surprisal import chosen_sentences
from unrolled.analysis.units import WORD_CLASS, picked, unit_statistics, values
from unrolled.config.sections import PortraitsConfig
from unrolled.model.cells import CELLS
from unrolled.model.files import write_model
from unrolled.model.network import Network
from unrolled.model.packing import PackedBatch
from unrolled.stages import neighbours, units
from unrolled.storage import read_tsv, write_tsv
from unrolled.text.dataset import encode_documents, read_dataset, write_dataset
from unrolled.text.sentence_file import sentences_of, write_sentences
from unrolled.text.vocabulary import RESERVED, Vocabulary
from unrolled.training.batches import SentenceBatches

SCRIPT, TURNED, BACKSLASH = "<script>", "\u202eevil", "\\t"
WORDS = ["the", ".", "dog", SCRIPT, TURNED, BACKSLASH, "cat", "2", "的", "saw"]
VOCABULARY = Vocabulary([*RESERVED, *WORDS], [9, 9, 4, *range(60, 50, -1)])
CONFIG = PortraitsConfig(sentences=3, words=4)

Table = list[dict[str, str]]


def some_sentences(count: int, seed: int) -> list[list[str]]:
    """Sentences of one to nine words, some of which are not in the vocabulary."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, 10, count)
    return [rng.choice([*WORDS, "axolotl"], length).tolist() for length in lengths]


TEST = some_sentences(30, seed=1)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A validation split of 20 sentences and a test split of 30 in two documents."""
    folder = tmp_path_factory.mktemp("corpus")
    write_dataset(
        folder / "encoded/valid", encode_documents([some_sentences(20, seed=2)], VOCABULARY)
    )
    write_sentences(folder / "test.txt", sentences_of([TEST[:11], TEST[11:]]))
    return folder


def network_for(seed: int, **kind: Any) -> Network:
    return network_of(seed, vocabulary_size=len(VOCABULARY), hidden_size=8, **kind)


@pytest.fixture
def sweep(tmp_path: Path) -> Callable[..., dict[str, Path]]:
    """Writes runs and their summary, gives the folders by name. A loss of None has diverged."""

    def written(
        networks: Mapping[str, Network],
        losses: Sequence[float | None],
        vocabulary: Vocabulary = VOCABULARY,
    ) -> dict[str, Path]:
        folders = {name: tmp_path / "runs" / name for name in networks}
        for name, network in networks.items():
            write_model(folders[name] / "model", network, vocabulary, {})
        rows = [
            summary_row(name, "8", "full", "1", *("", "") if loss is None else (str(loss), "5.0"))
            for name, loss in zip(networks, losses, strict=True)
        ]
        write_tsv(tmp_path / "summary.tsv", list(rows[0]), rows)
        return folders

    return written


@pytest.fixture
def shown_units(corpus: Path, tmp_path: Path) -> Callable[[Mapping[str, Path]], Table]:
    """The table of units of a sweep."""

    def read(folders: Mapping[str, Path]) -> Table:
        table = tmp_path / "units.tsv"
        units.run(CONFIG, corpus, tmp_path / "summary.tsv", folders, table)
        return read_tsv(table)

    return read


@pytest.fixture
def shown_neighbours(tmp_path: Path) -> Callable[..., Table]:
    """The table of neighbours of a sweep."""

    def read(folders: Mapping[str, Path], config: PortraitsConfig = CONFIG) -> Table:
        table = tmp_path / "neighbours.tsv"
        neighbours.run(config, tmp_path / "summary.tsv", folders, table)
        return read_tsv(table)

    return read


# Hidden units


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("output", ["softmax", "classes"])
def test_rows_are_the_values_of_the_picked_units_after_each_word(
    cell: str, output: str, corpus: Path, sweep: Any, shown_units: Any
) -> None:
    classes = some_classes(len(VOCABULARY)) if output == "classes" else None
    network = network_for(1, cell_name=cell, classes=classes)
    validation = read_dataset(corpus / "encoded/valid", len(VOCABULARY))

    rows = shown_units(sweep({"a": network}, [1.5]))

    chosen = picked(unit_statistics(network, SentenceBatches(validation, np.arange(20), 64)))
    shown = [TEST[index] for index in chosen_sentences(list(map(len, TEST)), 3)[:2]]
    expected = [
        ["a", unit.rule, str(unit.unit), str(unit.measure), str(number), str(place), word, value]
        for unit in chosen
        for number, words in enumerate(shown, start=1)
        for place, (word, value) in enumerate(
            zip(words, values(network, VOCABULARY.encode(words), [unit.unit])[:, 0], strict=True),
            start=1,
        )
    ]
    assert len(chosen) == 6
    assert list(rows[0]) == units.COLUMNS
    keys = ["run", "rule", "unit", "measure", "sentence", "place", "word"]
    assert [[row[key] for key in keys] for row in rows] == [row[:-1] for row in expected]
    assert [float(row["value"]) for row in rows] == pytest.approx([row[-1] for row in expected])


def test_only_a_unit_tied_to_a_class_has_a_detail_the_words_of_the_class(
    sweep: Any, shown_units: Any
) -> None:
    rows = shown_units(sweep({"a": network_for(1)}, [1.5]))

    details = {row["rule"]: set[str]() for row in rows}
    for row in rows:
        details[row["rule"]].add(row["detail"])
    of_classes = details.pop(WORD_CLASS)
    assert list(details.values()) == [{""}, {""}]
    assert of_classes <= {*WORDS, "UNKNOWN_TOKEN"}


def test_words_stand_as_in_the_text_whatever_they_are(
    corpus: Path, tmp_path: Path, sweep: Any
) -> None:
    words = ["axolotl", SCRIPT, TURNED, BACKSLASH, "的", "the", "{{7*7}}"]
    write_sentences(tmp_path / "corpus/test.txt", [(True, words)])
    (tmp_path / "corpus/encoded").symlink_to(corpus / "encoded")
    folders = sweep({"a": network_for(1)}, [1.5])

    units.run(CONFIG, tmp_path / "corpus", tmp_path / "summary.tsv", folders, tmp_path / "u.tsv")

    rows = read_tsv(tmp_path / "u.tsv")
    assert [row["word"] for row in rows[: len(words)]] == words
    assert {row["sentence"] for row in rows} == {"1"}  # there is no second one


def test_units_are_picked_on_sentences_spread_over_the_validation_split(
    corpus: Path, sweep: Any, shown_units: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(units, "MEASURED_SENTENCES", 4)
    seen: list[PackedBatch] = []

    def noted(network: Network, batches: SentenceBatches) -> Any:
        seen.extend(batches)
        return unit_statistics(network, batches)

    monkeypatch.setattr(units, "unit_statistics", noted)
    shown_units(sweep({"a": network_for(1)}, [1.5]))

    # 19 / 3 = 6.33, 12.67 and 19 are rounded
    split = read_dataset(corpus / "encoded/valid", len(VOCABULARY))
    chosen = np.concatenate([split[index][1:] for index in (0, 6, 13, 19)])
    assert sorted(seen[0].targets.tolist()) == sorted(chosen.tolist())
    assert len(seen) == 1


# Nearest neighbours


def test_rows_are_the_neighbours_of_words_by_rank(sweep: Any, shown_neighbours: Any) -> None:
    network = network_for(1, cell_name="gru")

    rows = shown_neighbours(sweep({"a": network}, [1.5]))

    # With letters are the ranks 1, 3, 4, 5, 6, 7, 9 and 10: "." and "2" have none. The four at
    # 1, 2, 4 and 8 of these eight are those of the ranks 1, 3, 5 and 10 in the vocabulary.
    among = np.array([2 + rank for rank in (1, 3, 4, 5, 6, 7, 9, 10)])
    assert list(rows[0]) == neighbours.COLUMNS
    assert [row["run"] for row in rows] == ["a"] * 4
    assert [row["word"] for row in rows] == ["the", "dog", TURNED, "saw"]
    assert [row["rank_of_word"] for row in rows] == ["1", "3", "5", "10"]
    assert [row["count"] for row in rows] == ["60", "58", "56", "51"]
    for row, rank in zip(rows, (1, 3, 5, 10), strict=True):
        (expected,) = nearest_neighbours(network, among[among == 2 + rank], among)
        for number, (word, cosine) in enumerate(expected.nearest, start=1):
            assert row[f"neighbour_{number}"] == VOCABULARY.tokens[word]
            assert float(row[f"cosine_{number}"]) == cosine


def test_hostile_words_are_written_as_they_are(sweep: Any, shown_neighbours: Any) -> None:
    rows = shown_neighbours(sweep({"a": network_for(1)}, [1.5]), PortraitsConfig(3, words=100))

    assert {row["word"] for row in rows} == {*WORDS} - {".", "2"}
    columns = [f"neighbour_{number}" for number in range(1, NEIGHBOURS + 1)]
    assert {SCRIPT, TURNED, BACKSLASH} <= {row[column] for row in rows for column in columns}


def test_the_cells_of_neighbours_that_a_small_vocabulary_lacks_are_empty(
    sweep: Any, shown_neighbours: Any
) -> None:
    vocabulary = Vocabulary([*RESERVED, "cat", "1", "dog"], [5, 5, 1, 3, 2, 2])
    folders = sweep({"a": network_of(1, vocabulary_size=6)}, [1.5], vocabulary)

    rows = shown_neighbours(folders)

    assert [(row["word"], row["neighbour_1"]) for row in rows] == [("cat", "dog"), ("dog", "cat")]
    assert {row[column] for row in rows for column in neighbours.COLUMNS[6:]} == {""}


def test_a_vocabulary_without_letters_has_no_rows(sweep: Any, shown_neighbours: Any) -> None:
    vocabulary = Vocabulary([*RESERVED, "1", "2", "+"], [5, 5, 1, 3, 2, 2])

    assert shown_neighbours(sweep({"a": network_of(1, vocabulary_size=6)}, [1.5], vocabulary)) == []


# Both


def test_it_is_the_best_run_that_is_looked_into(
    sweep: Any, shown_units: Any, shown_neighbours: Any
) -> None:
    networks = {name: network_for(seed) for seed, name in enumerate("abcd")}

    folders = sweep(networks, [1.6, 1.4, None, 1.5])

    assert {row["run"] for row in shown_units(folders)} == {"b"}
    assert {row["run"] for row in shown_neighbours(folders)} == {"b"}


def test_without_a_finished_run_there_is_a_header_only(
    tmp_path: Path, sweep: Any, shown_units: Any, shown_neighbours: Any
) -> None:
    folders = sweep({"a": network_for(1), "b": network_for(2)}, [None, None])

    assert shown_units(folders) == shown_neighbours(folders) == []
    for name, columns in (("units", units.COLUMNS), ("neighbours", neighbours.COLUMNS)):
        assert (tmp_path / f"{name}.tsv").read_text("utf-8") == "\t".join(columns) + "\n"


def test_the_same_bytes_are_written_again(
    tmp_path: Path, sweep: Any, shown_units: Any, shown_neighbours: Any
) -> None:
    folders = sweep({"a": network_for(1, cell_name="lstm")}, [1.5])
    tables = [tmp_path / "units.tsv", tmp_path / "neighbours.tsv"]

    written = []
    for _ in range(2):
        shown_units(folders)
        shown_neighbours(folders)
        written.append([table.read_bytes() for table in tables])

    assert written[0] == written[1]
