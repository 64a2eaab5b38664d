"""The stage that trains a run: the files it leaves, whichever way the run ends."""

import io
import json
import math
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from model_strategies import VOCABULARY, network_of, write_corpus
from training_strategies import ALL_AT_ONCE, RECIPE
from training_strategies import SMALL_MODEL as MODEL
from unrolled.analysis.wall import wall_sentences
from unrolled.config.sections import ModelConfig, TrainingConfig, Unit
from unrolled.errors import DataError
from unrolled.model.cells import CELLS
from unrolled.model.files import read_model
from unrolled.model.initialisation import initialised, parameter_shapes
from unrolled.model.network import Network
from unrolled.stages import growing_wall, made_with, stopwatch, train, untrained
from unrolled.stages.untrained import untrained_network
from unrolled.storage import read_tsv
from unrolled.text.dataset import read_dataset
from unrolled.training import loop
from unrolled.training.loop import mean_loss

NAME = "elman-hidden5-depth2-seed1"
TRAINING = replace(RECIPE, truncation_depth=2, epochs=3, batch_size=8, gradient_norm_limit=1.0)
DIVERGING = replace(TRAINING, learning_rate=1e300, gradient_norm_limit=None)
FILES = [
    "history.tsv",
    "metrics.json",
    "model/config.json",
    "model/model.safetensors",
    "model/vocabulary.tsv",
    "provenance.json",
    "timing.tsv",
    "wall.tsv",
]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    write_corpus(folder)
    return folder


def run(
    corpus: Path, folder: Path, training: TrainingConfig = TRAINING, model: ModelConfig = MODEL
) -> str:
    """Train a run and give back its log."""
    log = io.StringIO()
    train.run(NAME, model, training, {"unit": "word", "lowercase": True}, corpus, folder, log)
    return log.getvalue()


def json_of(path: Path) -> Any:
    """The JSON of a file, in which NaN and Infinity are no values."""

    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is not JSON")

    return json.loads(path.read_text("utf-8"), parse_constant=refuse)


def files_in(folder: Path) -> list[str]:
    return sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    )


@pytest.mark.parametrize("training", [TRAINING, DIVERGING], ids=["finished", "diverged"])
def test_the_same_files_are_written_whichever_way_a_run_ends(
    training: TrainingConfig, corpus: Path, tmp_path: Path
) -> None:
    run(corpus, tmp_path / "run", training)

    assert files_in(tmp_path / "run") == FILES


def test_history_has_a_row_for_every_epoch_the_untrained_network_first(
    corpus: Path, tmp_path: Path
) -> None:
    run(corpus, tmp_path)

    rows = read_tsv(tmp_path / "history.tsv")
    assert [row["epoch"] for row in rows] == ["0.0", "1.0", "2.0", "3.0"]
    assert [row["step"] for row in rows] == ["0", "8", "16", "24"]  # 60 sentences, 8 a step
    assert [row["train_loss_nats_per_token"] == "" for row in rows] == [True, False, False, False]
    untrained = float(rows[0]["validation_loss_nats_per_token"])
    assert untrained == pytest.approx(np.log(9), rel=0.05)
    assert float(rows[3]["validation_loss_nats_per_token"]) < 0.7 * untrained


def test_metrics_are_those_of_the_best_epoch(corpus: Path, tmp_path: Path) -> None:
    run(corpus, tmp_path)

    metrics = json_of(tmp_path / "metrics.json")
    rows = read_tsv(tmp_path / "history.tsv")
    losses = [float(row["validation_loss_nats_per_token"]) for row in rows]
    assert metrics == {
        "state": "finished",
        "reason": None,
        "parameters": 9 * 5 + 5 * 5 + 9 * 5,
        "steps": 24,
        "best_epoch": losses.index(min(losses)),
        "validation_loss_nats_per_token": min(losses),
    }


def test_the_best_epoch_need_not_be_the_last(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    losses = iter([2.0, 1.25, 1.5, 1.75])
    monkeypatch.setattr(loop, "mean_loss", lambda *arguments: next(losses))

    run(corpus, tmp_path)

    metrics = json_of(tmp_path / "metrics.json")
    assert (metrics["state"], metrics["steps"]) == ("finished", 24)
    assert (metrics["best_epoch"], metrics["validation_loss_nats_per_token"]) == (1, 1.25)


def test_the_model_written_is_the_one_that_the_metrics_describe(
    corpus: Path, tmp_path: Path
) -> None:
    run(corpus, tmp_path)

    network, vocabulary, config = read_model(tmp_path / "model")
    loss = mean_loss(network, read_dataset(corpus / "encoded/valid", len(VOCABULARY)))
    assert loss == json_of(tmp_path / "metrics.json")["validation_loss_nats_per_token"]
    assert vocabulary == VOCABULARY
    assert (config["run"], config["lowercase"], config["hidden_size"]) == (NAME, True, 5)


@pytest.mark.parametrize(("precision", "dtype"), [("single", "float32"), ("double", "float64")])
def test_the_precision_is_the_configured_one(
    precision: Any, dtype: str, corpus: Path, tmp_path: Path
) -> None:
    run(corpus, tmp_path, replace(TRAINING, epochs=1), replace(MODEL, precision=precision))

    network, _, config = read_model(tmp_path / "model")
    assert config["dtype"] == dtype
    assert {array.dtype for array in network.parameters.values()} == {np.dtype(dtype)}


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize(("bias", "tied"), [(False, False), (True, False), (True, True)])
def test_the_cell_its_biases_and_the_tying_of_its_weights_are_the_configured_ones(
    cell: str, bias: bool, tied: bool, corpus: Path, tmp_path: Path
) -> None:
    run(corpus, tmp_path, model=replace(MODEL, cell=cell, bias=bias, tied_weights=tied))

    network, _, config = read_model(tmp_path / "model")
    metrics = json_of(tmp_path / "metrics.json")
    shapes = parameter_shapes(cell, 9, 5, bias, tied)
    assert (config["cell"], config["bias"], network.cell_name) == (cell, bias, cell)
    assert (config["tied"], network.tied) == (tied, tied)
    assert {name: array.shape for name, array in network.parameters.items()} == shapes
    assert metrics["parameters"] == sum(math.prod(shape) for shape in shapes.values())
    losses = [
        float(row["validation_loss_nats_per_token"]) for row in read_tsv(tmp_path / "history.tsv")
    ]
    assert losses[-1] < losses[0]


def test_word_classes_that_are_not_there_are_named(corpus: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"classes\.tsv cannot be read"):
        run(corpus, tmp_path, model=replace(MODEL, output="classes"))


def test_a_run_without_word_classes_does_not_look_at_any(corpus: Path, tmp_path: Path) -> None:
    shutil.copytree(corpus, tmp_path / "corpus")
    (tmp_path / "corpus/classes.tsv").write_text("nonsense\n", "utf-8")

    run(tmp_path / "corpus", tmp_path / "run")

    network, _, config = read_model(tmp_path / "run/model")
    assert (config["output"], network.classes) == ("softmax", None)


@pytest.mark.parametrize("initialisation", ["uniform", "orthogonal"])
def test_the_initialisation_of_the_recurrent_weights_is_the_configured_one(
    initialisation: Any, corpus: Path, tmp_path: Path
) -> None:
    model = replace(MODEL, recurrent_initialisation=initialisation, precision="double")

    run(corpus, tmp_path, replace(TRAINING, epochs=1, learning_rate=1e-13), model)

    weights = read_model(tmp_path / "model")[0].parameters["recurrent_weights"]
    is_orthogonal = np.allclose(weights @ weights.T, np.eye(5), rtol=0, atol=1e-9)
    assert is_orthogonal == (initialisation == "orthogonal")


@pytest.mark.parametrize("carry_state", [False, True])
def test_the_model_says_whether_its_state_goes_on_between_sentences_and_is_judged_so(
    carry_state: bool, corpus: Path, tmp_path: Path
) -> None:
    run(corpus, tmp_path, replace(TRAINING, carry_state=carry_state))

    network, _, config = read_model(tmp_path / "model")
    judged = json_of(tmp_path / "metrics.json")["validation_loss_nats_per_token"]
    assert config["carry_state"] is carry_state
    assert judged == mean_loss(
        network, read_dataset(corpus / "encoded/valid", len(VOCABULARY)), carry_state
    )
    assert judged != mean_loss(
        network, read_dataset(corpus / "encoded/valid", len(VOCABULARY)), not carry_state
    )


def test_every_option_of_a_recipe_goes_through_the_stage(corpus: Path, tmp_path: Path) -> None:
    model = replace(MODEL, cell="lstm", bias=True, tied_weights=True)

    for name in ("first", "again"):
        run(corpus, tmp_path / name, replace(ALL_AT_ONCE, epochs=3, batch_size=4), model)

    metrics = json_of(tmp_path / "first/metrics.json")
    losses = [
        float(row["validation_loss_nats_per_token"])
        for row in read_tsv(tmp_path / "first/history.tsv")
    ]
    assert metrics["state"] == "finished"
    assert losses[-1] < losses[0]
    for file in set(FILES) - {"timing.tsv", "provenance.json"}:
        first, again = (tmp_path / name / file for name in ("first", "again"))
        assert first.read_bytes() == again.read_bytes(), file


def test_equal_seeds_write_equal_bytes_and_other_seeds_others(corpus: Path, tmp_path: Path) -> None:
    for name, seed in (("first", 1), ("again", 1), ("other", 2)):
        run(corpus, tmp_path / name, replace(TRAINING, seed=seed))

    for file in set(FILES) - {"timing.tsv", "provenance.json"}:
        first, again = (tmp_path / name / file for name in ("first", "again"))
        assert first.read_bytes() == again.read_bytes(), file
    for file in ("history.tsv", "metrics.json", "model/model.safetensors"):
        first, other = (tmp_path / name / file for name in ("first", "other"))
        assert first.read_bytes() != other.read_bytes(), file


def test_initialisation_and_order_are_drawn_from_different_streams(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    streams: list[Any] = []

    def noted_initialised(*arguments: Any, **named: Any) -> Any:
        streams.append(arguments[2].bit_generator.state["state"])
        return initialised(*arguments, **named)

    def noted_train(*arguments: Any) -> Any:
        streams.append(arguments[4].bit_generator.state["state"])
        return loop.train(*arguments)

    monkeypatch.setattr(untrained, "initialised", noted_initialised)
    monkeypatch.setattr(train, "train", noted_train)
    run(corpus, tmp_path)

    for_weights, for_order = streams
    assert for_weights != for_order


def test_a_diverged_run_says_why_and_leaves_a_model_that_can_be_read(
    corpus: Path, tmp_path: Path
) -> None:
    run(corpus, tmp_path, DIVERGING)

    metrics = json_of(tmp_path / "metrics.json")
    assert metrics["state"] == "diverged"
    assert metrics["reason"].endswith("at step 2")
    assert metrics["best_epoch"] == 0
    assert [row["epoch"] for row in read_tsv(tmp_path / "history.tsv")] == ["0.0"]
    network, _, _ = read_model(tmp_path / "model")
    loss = mean_loss(network, read_dataset(corpus / "encoded/valid", len(VOCABULARY)))
    assert loss == metrics["validation_loss_nats_per_token"]


def test_a_run_that_diverges_before_its_first_evaluation_is_written_too(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = network_of(1, vocabulary_size=9, hidden_size=5)
    network.parameters["output_weights"][3, 1] = np.nan
    monkeypatch.setattr(untrained, "initialised", lambda *arguments, **named: network)

    run(corpus, tmp_path)

    metrics = json_of(tmp_path / "metrics.json")
    assert (metrics["state"], metrics["reason"]) == (
        "diverged",
        "validation loss nan after step 0",
    )
    assert (metrics["steps"], metrics["validation_loss_nats_per_token"]) == (0, None)
    assert read_tsv(tmp_path / "history.tsv") == []
    assert read_tsv(tmp_path / "wall.tsv") == []
    assert files_in(tmp_path) == FILES


def wall_of(network: Network, epoch: str) -> list[dict[str, str]]:
    """The rows that a network's sentences make, as they are read."""
    return [
        {
            "epoch": epoch,
            "temperature": str(temperature),
            "sample": str(number),
            "tokens": " ".join(VOCABULARY.decode(sample.ids)),
            "log_probability": str(sample.log_probability),
            "ended": "yes" if sample.ended else "cut",
        }
        for temperature, samples in wall_sentences(network, "word").items()
        for number, sample in enumerate(samples, start=1)
    ]


def epochs_of_wall(folder: Path) -> list[str]:
    """The epochs in their order."""
    return list(dict.fromkeys(row["epoch"] for row in read_tsv(folder / "wall.tsv")))


def test_the_wall_begins_with_the_untrained_network_and_ends_with_the_model_written(
    corpus: Path, tmp_path: Path
) -> None:
    run(corpus, tmp_path, replace(TRAINING, epochs=2, evaluations_per_epoch=3))

    rows = read_tsv(tmp_path / "wall.tsv")
    # of 6 evaluations numbers 0, 1 and 2 = round(2.4); the sixth has the lowest loss
    assert epochs_of_wall(tmp_path) == ["0.0", "0.375", "0.75", "2.0"]
    assert len(rows) == 4 * 3 * 2  # epochs, temperatures, sentences
    untrained = untrained_network(MODEL, corpus, VOCABULARY, TRAINING.seed)
    assert rows[:6] == wall_of(untrained, "0.0")
    assert rows[-6:] == wall_of(read_model(tmp_path / "model")[0], "2.0")


def test_a_look_draws_from_the_network_as_it_stands(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    losses = iter([2.0, 1.25, 1.5, 1.75])
    run(corpus, tmp_path / "one", replace(TRAINING, epochs=1))
    monkeypatch.setattr(loop, "mean_loss", lambda *arguments: next(losses))

    run(corpus, tmp_path / "three")

    # the best epoch is one that was looked at: it is there once, and last
    rows = read_tsv(tmp_path / "three/wall.tsv")
    assert epochs_of_wall(tmp_path / "three") == ["0.0", "2.0", "1.0"]
    assert rows[-6:] == wall_of(read_model(tmp_path / "one/model")[0], "1.0")
    assert rows[-6:] != [{**row, "epoch": "1.0"} for row in rows[6:12]]


@pytest.mark.parametrize("training", [TRAINING, replace(ALL_AT_ONCE, epochs=3, batch_size=4)])
@pytest.mark.parametrize("cell", ["elman", "lstm"])
def test_drawing_sentences_changes_nothing_that_is_learned(
    cell: str,
    training: TrainingConfig,
    corpus: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = replace(MODEL, cell=cell)
    run(corpus, tmp_path / "with", training, model)
    monkeypatch.setattr(growing_wall, "wall_sentences", lambda network, unit: {})

    run(corpus, tmp_path / "without", training, model)

    assert read_tsv(tmp_path / "without/wall.tsv") == []
    for file in ("history.tsv", "metrics.json", "model/model.safetensors"):
        found, expected = (tmp_path / name / file for name in ("with", "without"))
        assert found.read_bytes() == expected.read_bytes(), file


def test_of_a_diverged_run_the_looks_until_then_remain(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(corpus, tmp_path / "overflow", DIVERGING)
    losses = iter([1.0, 0.75, 1.25, 1.5])
    monkeypatch.setattr(loop, "mean_loss", lambda *arguments: next(losses))

    run(corpus, tmp_path / "worse")

    assert epochs_of_wall(tmp_path / "overflow") == ["0.0"]
    assert epochs_of_wall(tmp_path / "worse") == ["0.0", "1.0", "2.0"]


def test_every_epoch_is_a_line_in_the_log_and_at_the_terminal(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = run(corpus, tmp_path)

    row = read_tsv(tmp_path / "history.tsv")[2]
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 4
    assert lines[0].startswith(f"{NAME}  epoch 0/3  untrained")
    train_loss, validation_loss = (
        float(row[f"{split}_loss_nats_per_token"]) for split in ("train", "validation")
    )
    assert lines[2] == (
        f"{NAME}  epoch 2/3  train {train_loss:.3f}  validation {validation_loss:.3f} nats/token"
    )
    for line in lines:
        assert line in log


def test_timing_is_measured(corpus: Path, tmp_path: Path) -> None:
    run(corpus, tmp_path)

    (row,) = read_tsv(tmp_path / "timing.tsv")
    assert float(row["seconds"]) > 0
    assert float(row["peak_memory_mb"]) > 10  # Python and NumPy alone need more


@pytest.mark.parametrize("epochs", [1, 3])
def test_tokens_per_second_count_every_prediction_and_not_the_time_for_the_wall(
    epochs: int, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [10.0]

    def trained_in_4_seconds(*arguments: Any) -> Any:
        now[0] += 4
        return loop.train(*arguments)

    def drawn_in_100_seconds(network: Network, unit: Unit) -> Any:
        now[0] += 100
        return wall_sentences(network, unit)

    clock = SimpleNamespace(perf_counter=lambda: now[0])
    monkeypatch.setattr(stopwatch, "time", clock)
    monkeypatch.setattr(train, "train", trained_in_4_seconds)
    monkeypatch.setattr(growing_wall, "wall_sentences", drawn_in_100_seconds)

    run(corpus, tmp_path, replace(TRAINING, epochs=epochs))

    (row,) = read_tsv(tmp_path / "timing.tsv")
    predictions = sum(
        len(words) - 1 for words in read_dataset(corpus / "encoded/train", len(VOCABULARY))
    )
    assert row["seconds"] == "4.0"
    assert float(row["tokens_per_second"]) == pytest.approx(epochs * predictions / 4, abs=0.5)


def test_where_git_is_missing_no_commit_is_named(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout = tmp_path / "checkout"
    (checkout / ".git").mkdir(parents=True)
    monkeypatch.setattr(made_with, "__file__", str(checkout / "src/unrolled/stages/made_with.py"))
    monkeypatch.setenv("PATH", str(tmp_path))

    run(corpus, tmp_path / "run")

    assert json_of(tmp_path / "run" / "provenance.json")["commit"] is None


@pytest.mark.parametrize(("is_checkout", "commit"), [(True, "abc with changes"), (False, None)])
def test_the_commit_is_that_of_this_project_and_not_of_a_folder_above(
    corpus: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    is_checkout: bool,
    commit: str | None,
) -> None:
    project = tmp_path / "project"
    (project / ".git" if is_checkout else project).mkdir(parents=True)
    (tmp_path / "git").write_text("#!/bin/sh\necho abc\n")  # as where a folder above is a checkout
    (tmp_path / "git").chmod(0o755)
    monkeypatch.setattr(made_with, "__file__", str(project / "src/unrolled/stages/train.py"))
    monkeypatch.setenv("PATH", str(tmp_path))

    run(corpus, tmp_path / "run")

    assert json_of(tmp_path / "run" / "provenance.json")["commit"] == commit


def test_provenance_names_versions_and_the_commit_if_there_is_one(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(made_with, "__file__", str(tmp_path / "no/checkout/here/made_with.py"))

    run(corpus, tmp_path / "run")

    provenance = json_of(tmp_path / "run" / "provenance.json")
    assert provenance["commit"] is None
    assert provenance["numpy"] == np.__version__
    assert set(provenance) == {
        "commit",
        "python",
        "numpy",
        "unrolled",
        "machine",
        "system",
        "blas_threads",
    }


def test_a_run_is_made_with_what_it_was_begun_with() -> None:
    begun, gone_on = made_with.MadeWith(), made_with.MadeWith()

    gone_on.remember({**begun.memory(), "commit": "another"})

    assert gone_on.memory() == {**begun.memory(), "commit": "another"}
    assert begun.memory()["numpy"] == np.__version__
