"""A model on disk: written, read back, refused where broken, and open to strangers."""

import csv
import itertools
import json
import math
import re
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import DTypeLike, NDArray
from safetensors.numpy import load_file, save_file

from model_strategies import PARAMETERS, network_of, reference_log_probability
from unrolled.errors import DataError
from unrolled.model.cells import CELLS
from unrolled.model.files import LAYOUT, read_model, write_model
from unrolled.model.initialisation import initialised
from unrolled.model.network import Network
from unrolled.model.packing import pack
from unrolled.text.vocabulary import Vocabulary

VOCABULARY = Vocabulary(
    ["SENTENCE_START", "SENTENCE_END", "UNKNOWN_TOKEN", "the", "cat", "sat", "back\\slash"],
    [9, 9, 2, 8, 4, 4, 2],
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A sound model: 7 words, 4 hidden units, double precision."""
    write_model(tmp_path / "model", network_of(1), VOCABULARY, {"lowercase": True})
    return tmp_path / "model"


def change_tensors(folder: Path, **changes: NDArray[Any] | None) -> None:
    """Write the arrays again with some replaced, or removed where None is given."""
    tensors = {**load_file(folder / "model.safetensors"), **changes}
    kept = {name: array for name, array in tensors.items() if array is not None}
    save_file(kept, folder / "model.safetensors")


def change_config(folder: Path, **changes: Any) -> None:
    """Write config.json again with some entries replaced, or removed where None is given."""
    config = {**json.loads((folder / "config.json").read_text("utf-8")), **changes}
    kept = {key: value for key, value in config.items() if value is not None}
    (folder / "config.json").write_text(json.dumps(kept), "utf-8")


def declare(folder: Path, name: str, **changes: object) -> None:
    """Change what the header declares of an array, and nothing after the header."""
    content = (folder / "model.safetensors").read_bytes()
    size = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + size])
    header[name] |= changes
    encoded = json.dumps(header).encode()
    start = len(encoded).to_bytes(8, "little") + encoded
    (folder / "model.safetensors").write_bytes(start + content[8 + size :])


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("bias", [False, True], ids=["plain", "bias"])
@pytest.mark.parametrize("tied", [False, True], ids=["untied", "tied"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_model_comes_back_as_it_was_written(
    cell: str, bias: bool, tied: bool, dtype: DTypeLike, tmp_path: Path
) -> None:
    network = network_of(2, dtype=dtype, cell_name=cell, bias=bias, tied=tied)

    write_model(tmp_path, network, VOCABULARY, {"lowercase": False, "run": "a"})
    found, vocabulary, config = read_model(tmp_path)

    assert found.cell_name == cell
    assert set(found.parameters) == set(network.parameters)
    for name, array in found.parameters.items():
        assert array.dtype == dtype
        np.testing.assert_array_equal(array, network.parameters[name])
    assert vocabulary == VOCABULARY
    assert (config["lowercase"], config["run"]) == (False, "a")
    assert (config["vocabulary_size"], config["hidden_size"]) == (7, 4)
    assert (config["cell"], config["bias"], config["tied"]) == (cell, bias, tied)
    assert (config["output"], found.classes) == ("softmax", None)


def test_the_memory_order_of_arrays_is_lost_in_the_files_and_right_again_when_read(
    tmp_path: Path,
) -> None:
    network = initialised(7, 4, np.random.default_rng(1), tied=True)
    in_rows = Network({k: np.ascontiguousarray(v) for k, v in network.parameters.items()}, "elman")

    write_model(tmp_path / "columns", network, VOCABULARY, {})
    write_model(tmp_path / "rows", in_rows, VOCABULARY, {})

    assert network.parameters["output_weights"].flags.f_contiguous
    files = [tmp_path / folder / "model.safetensors" for folder in ("columns", "rows")]
    assert files[0].read_bytes() == files[1].read_bytes()
    found, _, _ = read_model(tmp_path / "rows")
    assert found.parameters["output_weights"].flags.f_contiguous
    for name, array in network.parameters.items():
        np.testing.assert_array_equal(found.parameters[name], array)


def test_a_model_is_three_files_and_equal_models_have_equal_bytes(tmp_path: Path) -> None:
    for name in ("first", "second"):
        write_model(tmp_path / name, network_of(3), VOCABULARY, {})

    files = sorted(path.name for path in (tmp_path / "first").iterdir())
    assert files == ["config.json", "model.safetensors", "vocabulary.tsv"]
    for name in files:
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes()


def test_a_sentences_probability_can_be_rebuilt_from_the_files_without_this_project(
    folder: Path,
) -> None:
    weights = load_file(folder / "model.safetensors")
    config = json.loads((folder / "config.json").read_text("utf-8"))
    with open(folder / "vocabulary.tsv", encoding="utf-8", newline="\n") as file:
        rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE, lineterminator="\n"))
    tokens = [token for token, _ in rows[1:]]

    # as config.json has it, and nothing else
    assert config["formula"] == (
        "s_t = tanh(input_weights[x_t] + recurrent_weights @ s_{t-1}); "
        "all states are 0 before the first word of a sentence; "
        "P(x_{t+1}) = softmax(output_weights @ s_t)"
    )
    words = ["SENTENCE_START", "the", "cat", "sat", "the", "SENTENCE_END"]
    x = [tokens.index(word) for word in words]
    s = np.zeros(config["hidden_size"])
    log_probability = 0.0
    for word, following in itertools.pairwise(x):
        s = np.tanh(weights["input_weights"][word] + weights["recurrent_weights"] @ s)
        exponentials = np.exp(weights["output_weights"] @ s)
        log_probability += math.log(exponentials[following] / exponentials.sum())

    ids = VOCABULARY.encode(["the", "cat", "sat", "the"])
    assert x == ids.tolist()
    expected = reference_log_probability(network_of(1), ids)
    assert log_probability == pytest.approx(expected, rel=1e-12)


def sigmoid(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1 / (1 + np.exp(-values))


Weights = dict[str, NDArray[np.float64]]
States = tuple[NDArray[np.float64], NDArray[np.float64]]


def word_of(weights: Weights, x: int) -> NDArray[np.float64]:
    """What a word brings to the step, by itself or by way of the rows that it comes out by."""
    word: NDArray[np.float64] = (
        weights["input_weights"][x]
        if "input_weights" in weights
        else weights["input_projection"] @ weights["output_weights"][x]
    )
    return word


def elman_step(weights: Weights, x: int, s: NDArray[np.float64], c: NDArray[np.float64]) -> States:
    recurrent = weights["recurrent_weights"] @ s
    return np.tanh(word_of(weights, x) + weights["bias"] + recurrent), c


def gru_step(weights: Weights, x: int, s: NDArray[np.float64], c: NDArray[np.float64]) -> States:
    u1, u2, u3 = np.split(word_of(weights, x) + weights["bias"], 3)
    w1, w2, w3 = np.split(weights["recurrent_weights"] @ s, 3)
    r, z = sigmoid(u1 + w1), sigmoid(u2 + w2)
    n = np.tanh(u3 + r * w3)
    return (1 - z) * n + z * s, c


def lstm_step(weights: Weights, x: int, s: NDArray[np.float64], c: NDArray[np.float64]) -> States:
    recurrent = weights["recurrent_weights"] @ s
    i, f, g, o = np.split(word_of(weights, x) + weights["bias"] + recurrent, 4)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


FORMULAS = {
    "elman": (elman_step, "s_t = tanh({word} + bias + recurrent_weights @ s_{t-1})"),
    "gru": (
        gru_step,
        "u1, u2, u3 = split({word} + bias, 3); "
        "w1, w2, w3 = split(recurrent_weights @ s_{t-1}, 3); "
        "r = sigmoid(u1 + w1); z = sigmoid(u2 + w2); n = tanh(u3 + r * w3); "
        "s_t = (1 - z) * n + z * s_{t-1}",
    ),
    "lstm": (
        lstm_step,
        "i, f, g, o = split({word} + bias + recurrent_weights @ s_{t-1}, 4); "
        "c_t = sigmoid(f) * c_{t-1} + sigmoid(i) * tanh(g); s_t = sigmoid(o) * tanh(c_t)",
    ),
}


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize(
    ("tied", "word_in"),
    [(False, "input_weights[x_t]"), (True, "input_projection @ output_weights[x_t]")],
)
def test_the_formula_of_every_cell_gives_its_probabilities(
    cell: str, tied: bool, word_in: str, tmp_path: Path
) -> None:
    network = network_of(4, cell_name=cell, bias=True, tied=tied)
    write_model(tmp_path, network, VOCABULARY, {})
    weights = load_file(tmp_path / "model.safetensors")
    config = json.loads((tmp_path / "config.json").read_text("utf-8"))

    step, formula = FORMULAS[cell]
    assert config["formula"] == (
        f"{formula.replace('{word}', word_in)}; "
        "all states are 0 before the first word of a sentence; "
        "P(x_{t+1}) = softmax(output_weights @ s_t + output_bias)"
    )
    ids = VOCABULARY.encode(["the", "cat", "sat", "the"])
    s, c = np.zeros((2, config["hidden_size"]))
    losses = []
    for word, following in itertools.pairwise(ids):
        s, c = step(weights, word, s, c)
        exponentials = np.exp(weights["output_weights"] @ s + weights["output_bias"])
        losses.append(-math.log(exponentials[following] / exponentials.sum()))

    expected, _ = network.losses_and_hits(pack([ids]))
    np.testing.assert_allclose(losses, expected, rtol=1e-12)


@pytest.mark.parametrize("cell", CELLS)
def test_a_formula_names_biases_only_where_there_are_some(cell: str, tmp_path: Path) -> None:
    write_model(tmp_path, network_of(4, cell_name=cell), VOCABULARY, {})

    assert "bias" not in json.loads((tmp_path / "config.json").read_text("utf-8"))["formula"]


@pytest.mark.parametrize("other", ["ellman", "", 1])
def test_a_cell_that_is_none_is_refused(folder: Path, other: object) -> None:
    change_config(folder, cell=other)

    with pytest.raises(DataError, match=rf"cell must be one of elman, gru, lstm \(got {other!r}\)"):
        read_model(folder)


@pytest.mark.parametrize(
    ("key", "other", "right"),
    [
        ("cell", [], "one of elman, gru, lstm"),
        ("output", {}, "one of softmax, classes"),
        ("bias", "false", "true or false"),
        ("tied", 0, "true or false"),
        ("carry_state", "no", "true or false"),
        ("vocabulary_size", 7.0, "a whole number of 1 or more"),
        ("vocabulary_size", "7", "a whole number of 1 or more"),
        ("vocabulary_size", 0, "a whole number of 1 or more"),
        ("hidden_size", True, "a whole number of 1 or more"),
        ("hidden_size", -4, "a whole number of 1 or more"),
        ("hidden_size", {}, "a whole number of 1 or more"),
        ("dtype", "int64", "one of float32, float64"),
        ("dtype", [], "one of float32, float64"),
    ],
)
def test_an_entry_of_another_type_is_refused(
    folder: Path, key: str, other: object, right: str
) -> None:
    change_config(folder, **{key: other})

    with pytest.raises(
        DataError, match=rf"config\.json: {key} must be {right} \(got {re.escape(repr(other))}\)$"
    ):
        read_model(folder)


@pytest.mark.parametrize(
    "text",
    ['{"format": ' + "[" * 100_000, '{"format": ' + "1" * 5000 + "}"],
    ids=["lists in lists", "a number of 5000 digits"],
)
def test_a_configuration_that_json_readers_give_up_on_is_refused(folder: Path, text: str) -> None:
    (folder / "config.json").write_text(text, "utf-8")

    with pytest.raises(DataError, match=r"config\.json is not JSON that can be read \("):
        read_model(folder)


@pytest.mark.parametrize("changes", [{"cell": "gru"}, {"bias": True}, {"tied": True}])
def test_arrays_of_another_cell_without_its_biases_or_not_tied_are_refused(
    folder: Path, changes: dict[str, Any]
) -> None:
    change_config(folder, **changes)

    with pytest.raises(DataError, match=r"safetensors must hold .* \(got"):
        read_model(folder)


def test_the_vocabulary_table_names_every_id_in_order(folder: Path) -> None:
    lines = (folder / "vocabulary.tsv").read_text("utf-8").splitlines()

    assert lines[:2] == ["token\tcount", "SENTENCE_START\t9"]
    assert lines[-1] == "back\\\\slash\t2"  # a backslash is escaped
    assert len(lines) == 1 + 7


def test_a_missing_array_is_refused(folder: Path) -> None:
    change_tensors(folder, recurrent_weights=None)

    with pytest.raises(
        DataError,
        match=r"safetensors must hold 'recurrent_weights': \(\(4, 4\), 'float64'\)"
        r" \(got 'recurrent_weights': no array\)$",
    ):
        read_model(folder)


def test_an_array_too_many_is_refused(folder: Path) -> None:
    change_tensors(folder, bias=np.zeros(7))

    with pytest.raises(
        DataError, match=r"must hold 'bias': no array \(got 'bias': \(\(7,\), 'float64'\)\)$"
    ):
        read_model(folder)


def test_many_arrays_of_long_names_too_many_make_no_long_message(folder: Path) -> None:
    change_tensors(folder, **{f"{number}{'n' * 1000}": np.zeros(0) for number in range(100)})

    with pytest.raises(DataError, match=r"must hold '0nnn") as raised:
        read_model(folder)

    assert len(str(raised.value)) < 2000


def test_an_array_of_another_shape_is_refused(folder: Path) -> None:
    change_tensors(folder, output_weights=np.zeros((4, 7)))

    with pytest.raises(DataError, match=r"must hold .*\(7, 4\).* \(got .*\(4, 7\)"):
        read_model(folder)


def test_an_array_of_another_precision_is_refused(folder: Path) -> None:
    change_tensors(folder, output_weights=np.zeros((7, 4), dtype=np.int64))

    with pytest.raises(DataError, match=r"must hold .*float64.* \(got .*int64"):
        read_model(folder)


@pytest.mark.parametrize("declares_it_too", [False, True], ids=["sound arrays", "such arrays"])
@pytest.mark.parametrize("output", ["softmax", "classes"])
def test_a_vocabulary_beyond_any_memory_is_refused_before_memory_is_asked_for(
    folder: Path, declares_it_too: bool, output: str
) -> None:
    change_config(folder, vocabulary_size=10**12, output=output)
    if declares_it_too:
        declare(folder, "input_weights", shape=[10**12, 4], data_offsets=[0, 32 * 10**12])

    tracemalloc.start()
    with pytest.raises(DataError, match=r"model\.safetensors (must hold|is not a safetensors)"):
        read_model(folder)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 1_000_000


def test_no_array_is_read_of_a_file_that_declares_another_model(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(*_: object) -> None:
        raise AssertionError("an array is read")

    monkeypatch.setattr("unrolled.model.files.read_tensors", read)

    with pytest.raises(AssertionError, match="an array is read"):
        read_model(folder)
    change_config(folder, hidden_size=5)
    with pytest.raises(DataError, match=r"must hold .*\(7, 5\)"):
        read_model(folder)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", PARAMETERS)
def test_weights_that_are_not_finite_are_refused(folder: Path, name: str, value: float) -> None:
    weights = network_of(1).parameters[name].copy()
    weights[1, 2] = value
    change_tensors(folder, **{name: weights})

    with pytest.raises(
        DataError,
        match=rf"{name} has entries that are not finite numbers \(got {value} at \[1, 2\]\)$",
    ):
        read_model(folder)


@pytest.mark.parametrize("other", [0, 2, "1", None])
def test_another_format_is_refused(folder: Path, other: int | str | None) -> None:
    change_config(folder, format=other)

    with pytest.raises(DataError, match=rf"config\.json has format {other}; expected 1"):
        read_model(folder)


@pytest.mark.parametrize("size", [0, 4, 100, -1])
def test_a_truncated_file_of_weights_is_refused(folder: Path, size: int) -> None:
    content = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(content[:size])

    with pytest.raises(DataError, match=r"model\.safetensors is not a safetensors file"):
        read_model(folder)


def test_a_header_that_declares_more_than_the_file_holds_is_refused(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes((2**62).to_bytes(8, "little") + b"{}")

    with pytest.raises(DataError, match=r"model\.safetensors is not a safetensors file"):
        read_model(folder)


def test_a_pickle_in_the_place_of_the_weights_is_refused(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"\x80\x04cos\nsystem\nX\x04\x00\x00\x00true\x85R.")

    with pytest.raises(DataError, match=r"model\.safetensors is not a safetensors file"):
        read_model(folder)


@pytest.mark.parametrize("text", ["", "{", '{"format": 1,'])
def test_a_truncated_configuration_is_refused(folder: Path, text: str) -> None:
    (folder / "config.json").write_text(text, "utf-8")

    with pytest.raises(DataError, match=r"config\.json, row 1: not JSON"):
        read_model(folder)


def test_a_configuration_that_is_no_object_is_refused(folder: Path) -> None:
    (folder / "config.json").write_text("[1]", "utf-8")

    with pytest.raises(DataError, match=r"config\.json must hold keys and values \(got \[1\]\)"):
        read_model(folder)


@pytest.mark.parametrize("key", [*LAYOUT, "carry_state"])
def test_a_configuration_without_an_entry_is_refused(folder: Path, key: str) -> None:
    change_config(folder, **{key: None})

    with pytest.raises(DataError, match=rf"config\.json lacks {key}"):
        read_model(folder)


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "vocabulary.tsv"])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()

    with pytest.raises(DataError, match=rf"{name} cannot be read: No such file"):
        read_model(folder)


def test_a_vocabulary_of_another_size_is_refused(folder: Path) -> None:
    lines = (folder / "vocabulary.tsv").read_text("utf-8").splitlines(keepends=True)
    (folder / "vocabulary.tsv").write_text("".join(lines[:-1]), "utf-8")

    with pytest.raises(DataError, match=r"tsv must have 7 tokens, one per row .*\(got 6\)"):
        read_model(folder)


def test_the_formula_says_where_carried_states_begin(tmp_path: Path) -> None:
    write_model(tmp_path, network_of(1), VOCABULARY, {}, carry_state=True)

    config = json.loads((tmp_path / "config.json").read_text("utf-8"))
    assert config["carry_state"] is True
    assert "all states are 0 before the first word of a document;" in config["formula"]


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A sound model of few bytes: 4 words, 2 hidden units."""
    vocabulary = Vocabulary(VOCABULARY.tokens[:4], VOCABULARY.counts[:4])
    write_model(tmp_path / "small", network_of(1, 4, 2), vocabulary, {"lowercase": True})
    return tmp_path / "small"


def flipped(content: bytes) -> Iterator[bytes]:
    """The content with one bit changed, at each place another one of the eight."""
    for place, byte in enumerate(content):
        yield content[:place] + bytes([byte ^ 1 << place % 8]) + content[place + 1 :]


def read_if_sound(folder: Path) -> tuple[Network, Vocabulary] | None:
    """The model; None where it is refused."""
    try:
        network, vocabulary, _ = read_model(folder)
    except DataError:
        return None
    return network, vocabulary


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "vocabulary.tsv"])
def test_a_flipped_bit_is_refused_or_changes_one_number_or_row_at_most(
    small: Path, name: str
) -> None:
    network, vocabulary, _ = read_model(small)
    rows = [*zip(vocabulary.tokens, vocabulary.counts, strict=True)]
    numbers = {key: array.copy() for key, array in network.parameters.items()}
    refused = 0

    for content in flipped((small / name).read_bytes()):
        (small / name).write_bytes(content)
        found = read_if_sound(small)
        if found is None:
            refused += 1
            continue
        found_rows = [*zip(found[1].tokens, found[1].counts, strict=True)]
        assert found[0].parameters.keys() == numbers.keys()
        different = [np.sum(found[0].parameters[key] != numbers[key]) for key in numbers]
        different.append(sum(a != b for a, b in zip(found_rows, rows, strict=True)))
        assert sum(different) <= 1, content

    assert refused > 0


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "vocabulary.tsv"])
def test_a_file_cut_anywhere_is_refused_or_lacks_nothing_but_its_last_line_feed(
    small: Path, name: str
) -> None:
    content = (small / name).read_bytes()

    sound = []
    for size in range(len(content)):
        (small / name).write_bytes(content[:size])
        if read_if_sound(small) is not None:
            sound.append(content[size:])

    assert sound == ([] if name == "model.safetensors" else [b"\n"])
