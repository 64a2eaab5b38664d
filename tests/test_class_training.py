"""Training of networks that go by word classes: what is asked for, how they are moved, and what the
stages make of a table of classes.
"""

import io
import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from class_strategies import class_network_of, classes_of, dense_gradients, scored
from model_strategies import VOCABULARY, dataset_of, sentence, write_corpus
from training_strategies import ALL_AT_ONCE, RECIPE
from unrolled.config.files import read_config_file
from unrolled.config.loading import checked_config
from unrolled.config.sections import ModelConfig, SamplingConfig, TrainingConfig
from unrolled.config.sweep import runs
from unrolled.errors import DataError
from unrolled.model.files import read_model
from unrolled.model.packing import pack
from unrolled.model.types import Parameters
from unrolled.stages import sample, train
from unrolled.storage import read_json, read_tsv
from unrolled.text.classes import write_classes
from unrolled.text.dataset import Dataset, read_dataset
from unrolled.text.vocabulary import END, START, Vocabulary
from unrolled.training import loop
from unrolled.training.loop import mean_loss

ROOT = Path(__file__).parents[1]
CLASSES = classes_of([1, 3, 1, 2, 2])
MODEL = ModelConfig(
    cell="gru",
    hidden_size=5,
    bias=True,
    tied_weights=False,
    output="classes",
    recurrent_initialisation="uniform",
    precision="double",
)
TRAINING = replace(
    RECIPE, optimiser="adam_and_sgd", learning_rate=0.02, class_learning_rate=1.0, epochs=4
)


def sentences(count: int) -> Dataset:
    """Sentences of the same few patterns."""
    patterns = [[3, 4, 6, 8], [3, 5, 6, 3, 4, 8], [3, 5, 7, 8], [3, 2, 7, 8]]
    return dataset_of([sentence(*patterns[k % len(patterns)]) for k in range(count)])


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """A small corpus with a table of classes: 2 words alone, 7 in three classes."""
    write_corpus(tmp_path / "corpus")
    write_classes(tmp_path / "corpus/classes.tsv", CLASSES, VOCABULARY)
    return tmp_path / "corpus"


def trained(
    corpus: Path, folder: Path, training: TrainingConfig = TRAINING, model: ModelConfig = MODEL
) -> None:
    train.run("a", model, training, {"unit": "word"}, corpus, folder, io.StringIO())


# What is asked for


def checked(changes: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The defaults with some keys of some sections changed, once they are known to be sound."""
    defaults = ROOT / "config/config.yaml"
    config = read_config_file(defaults)
    merged = {**config, **{key: {**config[key], **changes[key]} for key in changes}}
    schema = ROOT / "workflow/schemas/config.schema.yaml"
    return checked_config(merged, [defaults], schema, defaults)


def test_a_sweep_over_the_output_has_runs_of_both() -> None:
    sweep = {"output": ["softmax", "classes"], "hidden_size": [9], "truncation_depth": [1]}

    found = runs(checked({"sweep": {**sweep, "seed": [1]}, "classes": {"count": 20}}))

    assert {run.name: run.model["output"] for run in found} == {
        "elman-hidden9-depth1-seed1-outputsoftmax": "softmax",
        "elman-hidden9-depth1-seed1-outputclasses": "classes",
    }
    models = [ModelConfig(**run.model) for run in found]
    assert [model.output for model in models] == ["softmax", "classes"]


# How parameters are moved


def rate_at(epoch: float, config: TrainingConfig) -> float:
    """Half a cosine after a warm-up, as a share of the learning rate."""
    gone = max(0.0, epoch - config.warmup_epochs) / (config.epochs - config.warmup_epochs)
    return min(1.0, epoch / config.warmup_epochs) * (1 + math.cos(math.pi * gone)) / 2


def test_words_inside_classes_are_moved_by_their_own_rate_and_all_else_by_adam() -> None:
    # all sentences in one batch, so that an epoch is a step, looked at in its middle
    config = replace(
        TRAINING,
        epochs=6,
        batch_size=50,
        schedule="cosine",
        warmup_epochs=2.0,
        evaluations_per_epoch=1,
    )
    data, network = sentences(12), class_network_of(CLASSES, 3, cell_name="lstm", bias=True)
    twin = class_network_of(CLASSES, 3, cell_name="lstm", bias=True)
    expected = twin.parameters
    means: Parameters = {name: np.zeros_like(array) for name, array in expected.items()}
    squares: Parameters = {name: np.zeros_like(array) for name, array in expected.items()}
    for step in range(1, 7):
        batch = pack(list(data))
        _, gradients = twin.loss_and_gradients(batch, None)
        share = rate_at(step - 0.5, config)
        for name, summed in dense_gradients(twin, gradients).items():
            gradient = summed / batch.positions
            if name in {"output_weights", "output_bias"}:
                expected[name] -= share * config.class_learning_rate * gradient
                continue
            means[name] = 0.9 * means[name] + 0.1 * gradient
            squares[name] = 0.999 * squares[name] + 0.001 * gradient**2
            mean, square = means[name] / (1 - 0.9**step), squares[name] / (1 - 0.999**step)
            expected[name] -= share * config.learning_rate * mean / (np.sqrt(square) + 1e-8)

    loop.train(network, data, data, config, np.random.default_rng(1))

    for name, array in network.parameters.items():
        np.testing.assert_allclose(array, expected[name], rtol=0, atol=1e-9, err_msg=name)


def test_clipping_and_halving_hold_for_both_rates(monkeypatch: pytest.MonkeyPatch) -> None:
    losses = iter([9.0, 8.0, 8.5, 8.0, 7.0])  # a rise after the second epoch
    monkeypatch.setattr(loop, "mean_loss", lambda *arguments: next(losses))
    config = replace(TRAINING, batch_size=50, schedule="halving", gradient_norm_limit=1e-3)
    data, network = sentences(12), class_network_of(CLASSES, 3)
    steps: list[Parameters] = []

    def look(evaluation: loop.Evaluation) -> None:
        steps.append({name: array.copy() for name, array in network.parameters.items()})

    loop.train(network, data, data, config, np.random.default_rng(1), on_evaluation=look)

    # before clipping a gradient is some hundred times as long
    for number, halves in ((1, 1.0), (2, 1.0), (3, 0.5), (4, 0.5)):
        moved = steps[number]["output_weights"] - steps[number - 1]["output_weights"]
        length = float(np.linalg.norm(moved))
        assert 0.02 * 1e-3 * halves < length < 1e-3 * halves


@pytest.mark.parametrize("cell", ["elman", "lstm"])
def test_a_network_with_classes_learns_with_every_option_of_a_recipe_at_once(cell: str) -> None:
    data = sentences(40)
    network = class_network_of(CLASSES, 3, cell_name=cell, bias=True)
    config = replace(
        ALL_AT_ONCE, optimiser="adam_and_sgd", class_learning_rate=0.5, epochs=3, segment_length=9
    )

    outcome = loop.train(network, data, data, config, np.random.default_rng(1))

    assert outcome.state == "finished"
    assert outcome.best is not None
    first = outcome.history[0].validation_loss_nats_per_token
    assert outcome.best.validation_loss_nats_per_token < 0.85 * first
    assert outcome.network.classes is CLASSES


# The stages


def test_a_trained_run_is_written_judged_and_drawn_from(corpus: Path, tmp_path: Path) -> None:
    trained(corpus, tmp_path / "run")
    config = SamplingConfig(sentences=5, temperature=0.8, minimum_words=1, maximum_words=7, seed=1)
    sample.run(config, tmp_path / "run", tmp_path / "samples.tsv")

    network, vocabulary, _ = read_model(tmp_path / "run/model")
    history = read_tsv(tmp_path / "run/history.tsv")
    losses = [float(row["validation_loss_nats_per_token"]) for row in history]
    assert losses[-1] < losses[0]
    metrics = read_json(tmp_path / "run/metrics.json")
    loss = mean_loss(network, read_dataset(corpus / "encoded/valid", 9))
    assert metrics["validation_loss_nats_per_token"] == loss
    # of 9 words 2 stand alone in 5 classes, and have no rows of their own
    of_gru = 9 * 15 + 15 * 5 + 15
    assert metrics["parameters"] == of_gru + 5 * 5 + 5 + 7 * 5 + 7
    for row in read_tsv(tmp_path / "samples.tsv"):
        ids = [vocabulary.tokens.index(token) for token in row["tokens"].split(" ")]
        words = [START, *ids, *([END] if row["ended"] == "yes" else [])]
        expected = math.fsum(scored(network, words))
        assert float(row["log_probability"]) == pytest.approx(expected, rel=1e-12)


def test_equal_seeds_write_equal_bytes(corpus: Path, tmp_path: Path) -> None:
    for name in ("first", "again"):
        trained(corpus, tmp_path / name)

    for file in ("model/model.safetensors", "model/config.json", "history.tsv", "metrics.json"):
        first, again = (tmp_path / name / file for name in ("first", "again"))
        assert first.read_bytes() == again.read_bytes(), file


def test_a_table_of_another_vocabulary_is_refused_by_name(corpus: Path, tmp_path: Path) -> None:
    tokens = [*VOCABULARY.tokens[:5], "bear", *VOCABULARY.tokens[6:]]
    write_classes(corpus / "classes.tsv", CLASSES, Vocabulary(tokens, VOCABULARY.counts))

    with pytest.raises(
        DataError,
        match=r"classes\.tsv, row 7: made for another vocabulary; the word must be 'dog'"
        r" \(got 'bear'\)$",
    ):
        trained(corpus, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_table_that_lacks_a_word_is_refused_by_name(corpus: Path, tmp_path: Path) -> None:
    lines = (corpus / "classes.tsv").read_text("utf-8").splitlines(keepends=True)
    (corpus / "classes.tsv").write_text("".join(lines[:-1]), "utf-8")

    with pytest.raises(DataError, match=r"classes\.tsv lacks the word '\.', to be in row 10$"):
        trained(corpus, tmp_path / "run")


def test_a_table_whose_classes_do_not_fit_is_refused_by_name(corpus: Path, tmp_path: Path) -> None:
    text = (corpus / "classes.tsv").read_text("utf-8")
    (corpus / "classes.tsv").write_text(text.replace("cat\t", "cat\t1"), "utf-8")

    with pytest.raises(DataError, match=r"classes\.tsv: "):
        trained(corpus, tmp_path / "run")
