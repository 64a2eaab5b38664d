"""A model that goes by word classes on disk: as it was written, open to strangers, refused where
broken.
"""

import csv
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import DTypeLike, NDArray
from safetensors.numpy import load_file, save_file

from class_strategies import (
    all_kinds,
    class_network_of,
    classes_of,
    scored,
    with_and_without_bias,
)
from model_strategies import sentence
from unrolled.errors import DataError
from unrolled.model.cells import CELLS
from unrolled.model.files import read_model, write_model
from unrolled.model.initialisation import initialised
from unrolled.text.vocabulary import RESERVED, Vocabulary

CLASSES = classes_of([1, 3, 1, 2])
ARRAYS = {"input_weights", "recurrent_weights", "root_weights", "output_weights"}
BIASES = {"bias", "root_bias", "output_bias"}


def vocabulary_of(size: int) -> Vocabulary:
    """Words by number after the reserved ones."""
    tokens = [*RESERVED, *(f"word {number}" for number in range(size - 3))]
    return Vocabulary(tokens[:size] if size >= 3 else list(RESERVED[:size]), [3] * size)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A sound model: 7 words, 2 of them alone and 5 in two classes, 4 hidden units, biases."""
    write_model(tmp_path / "model", class_network_of(CLASSES, bias=True), vocabulary_of(7), {})
    return tmp_path / "model"


def change_tensors(folder: Path, **changes: NDArray[Any] | None) -> None:
    """Write the arrays again with some replaced, or removed where None is given."""
    tensors = {**load_file(folder / "model.safetensors"), **changes}
    kept = {name: array for name, array in tensors.items() if array is not None}
    save_file(kept, folder / "model.safetensors")


def change_config(folder: Path, **changes: Any) -> None:
    """Write config.json again with some entries replaced, or removed where None is given."""
    config = {**config_of(folder), **changes}
    kept = {key: value for key, value in config.items() if value is not None}
    (folder / "config.json").write_text(json.dumps(kept), "utf-8")


def config_of(folder: Path) -> dict[str, Any]:
    config: dict[str, Any] = json.loads((folder / "config.json").read_text("utf-8"))
    return config


@pytest.mark.parametrize("cell", CELLS)
@with_and_without_bias
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_model_comes_back_as_it_was_written(
    cell: str, bias: bool, dtype: DTypeLike, tmp_path: Path
) -> None:
    network = class_network_of(CLASSES, 2, dtype=dtype, cell_name=cell, bias=bias)

    write_model(tmp_path, network, vocabulary_of(7), {"run": "a"}, carry_state=True)
    found, vocabulary, config = read_model(tmp_path)

    assert found.classes is not None
    np.testing.assert_array_equal(found.classes.class_of, CLASSES.class_of, strict=True)
    np.testing.assert_array_equal(found.classes.position, CLASSES.position, strict=True)
    assert set(found.parameters) == ARRAYS | (BIASES if bias else set())
    for name, array in found.parameters.items():
        np.testing.assert_array_equal(array, network.parameters[name], strict=True)
    assert vocabulary == vocabulary_of(7)
    named = {key: config[key] for key in ("cell", "output", "bias", "tied", "carry_state", "run")}
    assert named == {
        "cell": cell,
        "output": "classes",
        "bias": bias,
        "tied": False,
        "carry_state": True,
        "run": "a",
    }
    assert (config["vocabulary_size"], config["hidden_size"]) == (7, 4)
    hidden = np.ones((2, 4), dtype=dtype)
    np.testing.assert_array_equal(
        found.output.log_probabilities(hidden), network.output.log_probabilities(hidden)
    )


@all_kinds
def test_a_model_of_any_classes_comes_back(sizes: list[int], tmp_path: Path) -> None:
    classes = classes_of([2, *sizes])  # there must be three reserved words
    network = class_network_of(classes, bias=True)

    write_model(tmp_path, network, vocabulary_of(len(classes)), {})
    found, _, _ = read_model(tmp_path)

    for name, array in network.parameters.items():
        np.testing.assert_array_equal(found.parameters[name], array, strict=True)


def test_a_model_whose_words_all_stand_alone_comes_back(tmp_path: Path) -> None:
    network = class_network_of(classes_of([1] * 5))

    write_model(tmp_path, network, vocabulary_of(5), {})
    found, _, _ = read_model(tmp_path)

    assert found.parameters["output_weights"].shape == (0, 4)
    words = sentence(3, 4, 3)
    expected = scored(network, words.tolist())
    assert scored(found, words.tolist()) == pytest.approx(expected, rel=1e-14)


def test_the_memory_order_of_arrays_is_right_again_when_read(tmp_path: Path) -> None:
    network = initialised(7, 4, np.random.default_rng(1), classes=CLASSES)

    write_model(tmp_path, network, vocabulary_of(7), {})
    found, _, _ = read_model(tmp_path)

    assert found.parameters["root_weights"].flags.f_contiguous
    assert found.parameters["output_weights"].flags.c_contiguous
    for name, array in network.parameters.items():
        np.testing.assert_array_equal(found.parameters[name], array)


def test_a_model_is_three_files_and_equal_models_have_equal_bytes(tmp_path: Path) -> None:
    for name in ("first", "second"):
        write_model(tmp_path / name, class_network_of(CLASSES), vocabulary_of(7), {})

    files = sorted(path.name for path in (tmp_path / "first").iterdir())
    assert files == ["config.json", "model.safetensors", "vocabulary.tsv"]
    for name in files:
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes()


# Open to strangers


def softmax(scores: NDArray[Any]) -> NDArray[Any]:
    shares: NDArray[Any] = np.exp(scores)
    shares /= shares.sum()
    return shares


def probability_of(weights: Mapping[str, NDArray[Any]], s_t: NDArray[Any], w: int) -> float:
    """The formula of config.json in Python, and nothing else."""

    def score(v: int) -> float:
        row = weights["word_position"][v]
        bias = weights["output_bias"][row] if "output_bias" in weights else 0
        return float(weights["output_weights"][row] @ s_t + bias)

    c = weights["word_class"][w]
    of_class = softmax(weights["root_weights"] @ s_t + weights.get("root_bias", 0))[c]
    words = [v for v in range(len(weights["word_class"])) if weights["word_class"][v] == c]
    if words == [w]:
        return float(of_class)
    return float(of_class * math.exp(score(w)) / sum(math.exp(score(v)) for v in words))


FORMULA = (
    "s_t = tanh(input_weights[x_t] + bias + recurrent_weights @ s_{t-1}); "
    "all states are 0 before the first word of a sentence; "
    "P(x_{t+1} = w) = P(c) * P(w | c) for c = word_class[w], "
    "P(c) = softmax(root_weights @ s_t + root_bias)[c], "
    "P(w | c) = 1 for the only word of a class, otherwise "
    "exp(score(w)) / the sum of exp(score(v)) over all words v of class c, "
    "score(v) = output_weights[word_position[v]] @ s_t + output_bias[word_position[v]]"
)


@with_and_without_bias
def test_all_probabilities_can_be_rebuilt_from_the_files_without_this_project(
    bias: bool, tmp_path: Path
) -> None:
    network = class_network_of(CLASSES, 3, bias=bias)
    write_model(tmp_path, network, vocabulary_of(7), {})

    weights = load_file(tmp_path / "model.safetensors")
    config = config_of(tmp_path)
    with open(tmp_path / "vocabulary.tsv", encoding="utf-8", newline="\n") as file:
        rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE, lineterminator="\n"))
    words = [*range(7)]
    found, s_t = [], np.zeros(config["hidden_size"])
    for word in words:
        u = weights["input_weights"][word] + weights.get("bias", 0)
        s_t = np.tanh(u + weights["recurrent_weights"] @ s_t)
        found.append([probability_of(weights, s_t, w) for w in range(len(rows) - 1)])

    hidden = np.empty((7, 4))
    state = None
    for t, word in enumerate(words):
        state = network.step(np.array([word], dtype=np.int32), state)
        hidden[t] = state[0]
    expected = np.exp(network.output.log_probabilities(hidden))
    assert config["output"] == "classes"
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    np.testing.assert_allclose(np.sum(found, axis=1), 1, rtol=1e-13)


def test_the_formula_is_the_one_that_is_tried_here(folder: Path) -> None:
    assert config_of(folder)["formula"] == FORMULA


@pytest.mark.parametrize("cell", CELLS)
def test_the_formula_without_biases_names_none(cell: str, tmp_path: Path) -> None:
    write_model(tmp_path, class_network_of(CLASSES, cell_name=cell), vocabulary_of(7), {})

    formula = config_of(tmp_path)["formula"]

    assert "bias" not in formula
    plain = (
        FORMULA.replace(" + bias", "")
        .replace(" + root_bias", "")
        .replace(" + output_bias[word_position[v]]", "")
    )
    assert formula.split("; ")[-2:] == plain.split("; ")[-2:]


def test_every_array_of_the_file_is_named_by_the_formula(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")

    assert set(weights) == {*ARRAYS, *BIASES, "word_class", "word_position"}
    for name in weights:
        assert name in config_of(folder)["formula"]
    np.testing.assert_array_equal(weights["word_class"], CLASSES.class_of, strict=True)
    np.testing.assert_array_equal(weights["word_position"], CLASSES.position, strict=True)


# Damaged


@pytest.mark.parametrize("name", ["word_class", "word_position"])
def test_a_missing_array_of_classes_is_refused(name: str, folder: Path) -> None:
    change_tensors(folder, **{name: None})

    with pytest.raises(
        DataError,
        match=rf"model\.safetensors must hold {name}, int32 of shape \(7,\) \(got float64 of",
    ):
        read_model(folder)


@pytest.mark.parametrize("name", ["word_class", "word_position"])
@pytest.mark.parametrize(
    ("array", "found"),
    [
        (np.zeros(6, dtype=np.int32), r"int32 of shape \(6,\)"),
        (np.zeros(8, dtype=np.int32), r"int32 of shape \(8,\)"),
        (np.zeros((7, 1), dtype=np.int32), r"int32 of shape \(7, 1\)"),
        (np.zeros(7, dtype=np.int64), r"int64 of shape \(7,\)"),
        (np.zeros(7), r"float64 of shape \(7,\)"),
        (np.zeros(7, dtype=np.uint32), r"uint32 of shape \(7,\)"),
    ],
)
def test_classes_of_another_type_or_of_another_number_of_words_are_refused(
    name: str, array: NDArray[Any], found: str, folder: Path
) -> None:
    change_tensors(folder, **{name: array})

    with pytest.raises(
        DataError,
        match=rf"safetensors must hold {name}, int32 of shape \(7,\) \(got {found}\)$",
    ):
        read_model(folder)


def changed(array: NDArray[np.int32], word: int, value: int) -> NDArray[np.int32]:
    """The array with another number for a word."""
    copy = array.copy()
    copy[word] = value
    return copy


ALONE = int(np.flatnonzero(CLASSES.class_of == 0)[0])
FIRST = int(np.flatnonzero(CLASSES.position == 0)[0])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"word_class": changed(CLASSES.class_of, ALONE, 9)}, "class 0 has no word"),
        ({"word_class": changed(CLASSES.class_of, ALONE, -1)}, "its class must be 0 or more"),
        ({"word_class": changed(CLASSES.class_of, FIRST, 3)}, "it must have a position before"),
        ({"word_position": changed(CLASSES.position, ALONE, 2)}, "it must have no position"),
        ({"word_position": changed(CLASSES.position, FIRST, -1)}, "it must have a position of"),
        ({"word_position": changed(CLASSES.position, FIRST, 5)}, "it must have a position of"),
    ],
)
def test_classes_that_do_not_fit_are_refused_by_the_name_of_the_file(
    changes: dict[str, NDArray[np.int32]], message: str, folder: Path
) -> None:
    change_tensors(folder, **changes)

    with pytest.raises(DataError, match=rf"^{folder}/model\.safetensors: .*{message}"):
        read_model(folder)


def test_classes_of_another_network_are_refused(folder: Path) -> None:
    other = classes_of([1, 3, 1, 1, 1])
    change_tensors(folder, word_class=other.class_of, word_position=other.position)

    with pytest.raises(
        DataError,
        match=r"safetensors must hold .*'root_weights': \(\(5, 4\).* \(got .*\(\(4, 4\), 'float64'",
    ):
        read_model(folder)


@pytest.mark.parametrize("name", sorted({*ARRAYS, *BIASES}))
def test_a_missing_parameter_is_refused(name: str, folder: Path) -> None:
    change_tensors(folder, **{name: None})

    with pytest.raises(DataError, match=rf"safetensors must hold .*{name}.* \(got"):
        read_model(folder)


def test_an_array_of_a_network_without_classes_is_one_too_many(folder: Path) -> None:
    change_tensors(folder, input_projection=np.zeros((4, 4)))

    with pytest.raises(DataError, match=r"safetensors must hold .* \(got .*input_projection"):
        read_model(folder)


@pytest.mark.parametrize("name", ["root_weights", "root_bias", "output_weights"])
def test_weights_that_are_not_finite_are_refused(name: str, folder: Path) -> None:
    weights = class_network_of(CLASSES, bias=True).parameters[name].copy()
    weights[1] = np.nan
    change_tensors(folder, **{name: weights})

    with pytest.raises(DataError, match=f"{name} has entries that are not finite numbers"):
        read_model(folder)


@pytest.mark.parametrize("output", ["", "class", "Softmax", 1])
def test_an_output_that_is_none_is_refused(output: object, folder: Path) -> None:
    change_config(folder, output=output)

    with pytest.raises(
        DataError,
        match=rf"config\.json: output must be one of softmax, classes \(got {output!r}\)$",
    ):
        read_model(folder)


def test_a_configuration_that_does_not_say_the_output_is_refused(folder: Path) -> None:
    change_config(folder, output=None)

    with pytest.raises(DataError, match=r"config\.json lacks output"):
        read_model(folder)


def test_classes_where_the_configuration_has_the_plain_softmax_are_refused(folder: Path) -> None:
    change_config(folder, output="softmax")

    with pytest.raises(DataError, match=r"safetensors must hold .* \(got .*word_class"):
        read_model(folder)


def test_a_vocabulary_of_another_size_is_refused(folder: Path) -> None:
    lines = (folder / "vocabulary.tsv").read_text("utf-8").splitlines(keepends=True)
    (folder / "vocabulary.tsv").write_text("".join(lines[:-1]), "utf-8")

    with pytest.raises(DataError, match=r"tsv must have 7 tokens, one per row .*\(got 6\)"):
        read_model(folder)


def test_tied_weights_are_refused_with_classes(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    change_config(folder, tied=True)
    change_tensors(
        folder, input_weights=None, input_projection=np.zeros_like(weights["recurrent_weights"])
    )

    with pytest.raises(DataError, match="tied"):
        read_model(folder)


def test_a_sentence_has_the_same_probability_after_it_was_read(folder: Path) -> None:
    found, _, _ = read_model(folder)
    words = sentence(3, 6, 4, 5)

    expected = scored(class_network_of(CLASSES, bias=True), words.tolist())

    assert scored(found, words.tolist()) == pytest.approx(expected, rel=1e-14)
