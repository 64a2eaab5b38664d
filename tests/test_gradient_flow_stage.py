"""The stage that measures how gradients travel in a trained run."""

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model_strategies import VOCABULARY, some_classes, write_corpus
from training_strategies import RECIPE
from training_strategies import SMALL_MODEL as MODEL
from unrolled.analysis.gradient_flow import arrival
from unrolled.config.sections import GradientFlowConfig, ModelConfig, TrainingConfig
from unrolled.model.cells import CELLS
from unrolled.model.files import read_model
from unrolled.model.initialisation import initialised
from unrolled.model.packing import PackedBatch, pack
from unrolled.stages import gradient_flow, train
from unrolled.stages.untrained import generators
from unrolled.storage import read_tsv
from unrolled.text.classes import write_classes
from unrolled.text.dataset import read_dataset

MEASURED = GradientFlowConfig(sentences=10, deepest=5)
TRAINING = replace(RECIPE, truncation_depth=2, epochs=3, batch_size=8, gradient_norm_limit=1.0)
DIVERGING = replace(TRAINING, learning_rate=1e300, gradient_norm_limit=None)
EDGES = np.linspace(-6, 6, 49)

Table = list[dict[str, str]]
Measure = Callable[..., dict[str, Table]]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    write_corpus(folder)
    return folder


@pytest.fixture
def measure(corpus: Path, tmp_path: Path) -> Measure:
    """Trains a run, measures it, and gives back its tables."""

    def measured(
        training: TrainingConfig = TRAINING,
        model: ModelConfig = MODEL,
        config: GradientFlowConfig = MEASURED,
        folder: str = "flow",
    ) -> dict[str, Table]:
        run, tables = tmp_path / "run", tmp_path / folder
        train.run("name", model, training, {"unit": "word"}, corpus, run, io.StringIO())
        gradient_flow.run(config, model, training, run, corpus, tables)
        return {name: read_tsv(tables / f"{name}.tsv") for name in gradient_flow.COLUMNS}

    return measured


def test_a_finished_run_has_all_tables_with_their_columns(measure: Measure, tmp_path: Path) -> None:
    tables = measure()

    for name, columns in gradient_flow.COLUMNS.items():
        assert [list(row) for row in tables[name]] == [columns] * len(tables[name])
        assert tables[name]
    assert sorted(path.stem for path in (tmp_path / "flow").iterdir()) == sorted(tables)


def test_a_diverged_run_has_all_tables_without_rows(measure: Measure, tmp_path: Path) -> None:
    measure(DIVERGING)

    for name, columns in gradient_flow.COLUMNS.items():
        text = (tmp_path / "flow" / f"{name}.tsv").read_text("utf-8")
        assert text == "\t".join(columns) + "\n"


def test_the_same_bytes_are_written_again(measure: Measure, tmp_path: Path) -> None:
    for folder in ("first", "again"):
        measure(folder=folder)

    for name in gradient_flow.COLUMNS:
        first, again = (tmp_path / folder / f"{name}.tsv" for folder in ("first", "again"))
        assert first.read_bytes() == again.read_bytes(), name


# What is measured on


@pytest.mark.parametrize(
    ("count", "places"),
    # 20 sentences, from the first to the last; 19 / 3 = 6.33, 12.67 and 19 are rounded
    [(1, [0]), (2, [0, 19]), (4, [0, 6, 13, 19]), (20, range(20)), (100, range(20))],
)
def test_the_sample_is_spread_evenly_over_the_split_and_not_longer(
    count: int, places: list[int], corpus: Path, measure: Measure, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches: list[PackedBatch] = []

    def noted(network: Any, batch: PackedBatch, deepest: int) -> Any:
        batches.append(batch)
        return arrival(network, batch, deepest)

    monkeypatch.setattr(gradient_flow, "arrival", noted)
    measure(config=replace(MEASURED, sentences=count))

    split = read_dataset(corpus / "encoded/valid", len(VOCABULARY))
    expected = pack([split[place] for place in places])
    (batch,) = batches
    assert len(split) == 20
    np.testing.assert_array_equal(batch.inputs, expected.inputs)
    np.testing.assert_array_equal(batch.targets, expected.targets)


def test_gradients_are_followed_to_the_deepest_step_or_the_start_of_the_longest_sentence(
    corpus: Path, measure: Measure
) -> None:
    shallow, deep = (
        measure(config=replace(MEASURED, deepest=deepest))["arrival"] for deepest in (2, 32)
    )

    split = read_dataset(corpus / "encoded/valid", len(VOCABULARY))
    chosen = [split[place] for place in np.linspace(0, 19, 10).round().astype(int)]
    longest = max(len(sentence) - 1 for sentence in chosen)
    assert [row["lag"] for row in shallow] == ["0", "1", "2"]
    assert [row["lag"] for row in deep] == [str(lag) for lag in range(longest)]
    # so many outputs have as many words before them
    assert [int(row["outputs"]) for row in deep] == [
        sum(max(0, len(sentence) - 1 - lag) for sentence in chosen) for lag in range(longest)
    ]


@pytest.mark.parametrize(
    ("deepest", "own", "depths"),
    [
        (5, 2, [0, 1, 2, 4, 5]),
        (8, "full", [0, 1, 2, 4, 8]),
        (8, 3, [0, 1, 2, 3, 4, 8]),
        (4, 6, [0, 1, 2, 4, 6]),
        (1, 0, [0, 1]),
        (0, "full", [0]),
    ],
)
def test_depths_are_zero_the_powers_of_two_the_deepest_and_that_of_training(
    deepest: int, own: Any, depths: list[int], measure: Measure
) -> None:
    training = replace(TRAINING, truncation_depth=own, epochs=1)

    rows = measure(training, config=replace(MEASURED, deepest=deepest))["cosines"]

    assert [int(row["depth"]) for row in rows] == depths


# What is measured


@pytest.mark.parametrize(
    "changed",
    [{"bias": True, "tied_weights": True}, {"output": "classes"}, {"precision": "double"}],
    ids=["tied", "classes", "double"],
)
def test_every_kind_of_network_can_be_measured(
    changed: dict[str, Any], corpus: Path, measure: Measure
) -> None:
    write_classes(corpus / "classes.tsv", some_classes(len(VOCABULARY)), VOCABULARY)

    tables = measure(model=replace(MODEL, **changed))

    assert tables["arrival"][0]["share"] == "1.0"
    assert all(tables.values())


@pytest.mark.parametrize("cell", CELLS)
def test_every_gate_has_its_singular_values_before_and_after_training(
    cell: str, measure: Measure, tmp_path: Path
) -> None:
    rows = measure(model=replace(MODEL, cell=cell))["singular_values"]

    gates = CELLS[cell].GATES
    assert [(row["gate"], row["rank"]) for row in rows] == [
        (gate, str(rank)) for gate in gates for rank in range(1, 6)
    ]
    before = initialised(len(VOCABULARY), 5, generators(TRAINING.seed)[0], np.float32, cell)
    after = read_model(tmp_path / "run/model")[0]
    for column, network in (("before", before), ("after", after)):
        weights = network.parameters["recurrent_weights"].astype(np.float64)
        expected = [np.linalg.svd(block)[1] for block in np.split(weights, len(gates))]
        found = np.array([float(row[column]) for row in rows]).reshape(len(gates), 5)
        np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_values_before_training_are_those_of_the_seed(measure: Measure) -> None:
    one, other = (
        [row["before"] for row in measure(replace(TRAINING, seed=seed))["singular_values"]]
        for seed in (1, 2)
    )

    assert one != other


@pytest.mark.parametrize("cell", CELLS)
def test_every_function_of_a_cell_has_its_histogram_and_its_saturation(
    cell: str, measure: Measure
) -> None:
    tables = measure(model=replace(MODEL, cell=cell))

    functions = list(CELLS[cell].ACTIVATIONS.items())
    saturation = [(row["activation"], row["function"]) for row in tables["saturation"]]
    assert saturation == functions
    for name, function in functions:
        rows = [row for row in tables["activations"] if row["activation"] == name]
        assert {row["function"] for row in rows} == {function}
        assert [float(row["from"]) for row in rows] == list(EDGES[:-1])
        assert [float(row["to"]) for row in rows] == list(EDGES[1:])
        assert sum(float(row["share"]) for row in rows) == pytest.approx(1)
