"""Models of the tutorial: imported they give the probabilities that its own code gives."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from numpy.typing import DTypeLike, NDArray

from unrolled.errors import DataError
from unrolled.model.files import read_model
from unrolled.model.network import Network
from unrolled.model.packing import pack
from unrolled.model.tutorial import import_model, main
from unrolled.text.vocabulary import Vocabulary

WORDS = ["the", "SENTENCE_START", ".", "cat", "SENTENCE_END", "sat", "UNKNOWN_TOKEN"]
"""The tutorial's `index_to_word`: by how frequent they are, and what is unknown last."""

SENTENCE = ["SENTENCE_START", "the", "cat", "UNKNOWN_TOKEN", "the", ".", "SENTENCE_END"]


Arrays = Mapping[str, NDArray[Any]]
AS_THEY_ARE: Arrays = MappingProxyType({})


def arrays_of(dtype: DTypeLike = np.float64) -> dict[str, NDArray[Any]]:
    """The arrays of 7 words and 4 hidden units, large enough for the tanh to bend."""
    rng = np.random.default_rng(1)
    shapes = {"U": (4, 7), "V": (7, 4), "W": (4, 4)}
    return {name: rng.normal(size=shape).astype(dtype) for name, shape in shapes.items()}


def written(folder: Path, arrays: Arrays = AS_THEY_ARE, words: str = "\n".join(WORDS)) -> list[str]:
    """The files of a model of the tutorial, some arrays replaced, and a folder to be made."""
    np.savez(folder / "model.npz", allow_pickle=True, **{**arrays_of(), **arrays})
    (folder / "words.txt").write_text(words, "utf-8")
    return [str(folder / name) for name in ("model.npz", "words.txt", "model")]


def imported(
    folder: Path, arrays: Arrays = AS_THEY_ARE
) -> tuple[Network, Vocabulary, dict[str, Any]]:
    files = written(folder, arrays)
    import_model(*files)
    return read_model(files[-1])


def forward_propagation(
    weights: dict[str, NDArray[Any]], x: list[int]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The probabilities and the states of a sentence, step by step as the tutorial has it."""
    T = len(x)  # noqa: N806  its own name
    s = np.zeros((T + 1, 4))  # whose last row is the state before the first word
    o = np.zeros((T, 7))
    for t in np.arange(T):
        s[t] = np.tanh(weights["U"][:, x[t]] + weights["W"].dot(s[t - 1]))
        exponentials = np.exp(weights["V"].dot(s[t]))
        o[t] = exponentials / np.sum(exponentials)
    return o, s


def test_every_word_has_the_probability_that_the_tutorial_gives_it(tmp_path: Path) -> None:
    o, _ = forward_propagation(arrays_of(), [WORDS.index(word) for word in SENTENCE])

    network, vocabulary, _ = imported(tmp_path)

    state, found = None, []
    for word in SENTENCE:
        state = network.step(np.array([vocabulary.tokens.index(word)], dtype=np.int32), state)
        log_probabilities = network.output.log_probabilities(state[:, :4])[0]
        found.append([np.exp(log_probabilities[vocabulary.tokens.index(w)]) for w in WORDS])
    np.testing.assert_allclose(found, o, rtol=1e-12)


def test_a_sentence_has_the_loss_that_the_tutorial_gives_it(tmp_path: Path) -> None:
    x = [WORDS.index(word) for word in SENTENCE]
    o, _ = forward_propagation(arrays_of(), x[:-1])
    expected = -np.log(o[np.arange(6), x[1:]])

    network, vocabulary, _ = imported(tmp_path)

    ids = vocabulary.encode(["the", "cat", "somebody", "the", "."])
    losses, _ = network.losses_and_hits(pack([ids]))
    np.testing.assert_allclose(losses, expected, rtol=1e-12)


def test_reserved_words_come_first_and_the_others_stay_in_order(tmp_path: Path) -> None:
    _, vocabulary, _ = imported(tmp_path)

    assert vocabulary.tokens == [
        *("SENTENCE_START", "SENTENCE_END", "UNKNOWN_TOKEN"),
        *("the", ".", "cat", "sat"),
    ]
    assert vocabulary.counts == [0] * 7


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_precision_stays(dtype: DTypeLike, tmp_path: Path) -> None:
    network, _, config = imported(tmp_path, arrays_of(dtype))

    assert {array.dtype for array in network.parameters.values()} == {np.dtype(dtype)}
    assert config["dtype"] == np.dtype(dtype).name


def test_the_model_says_how_its_words_are_made(tmp_path: Path) -> None:
    _, _, config = imported(tmp_path)

    assert config["cell"] == "elman"
    assert (config["bias"], config["tied"], config["carry_state"]) == (False, False, False)
    assert (config["unit"], config["tokenizer"], config["lowercase"]) == ("word", "nltk_word", True)


def test_arrays_may_lie_in_memory_by_columns_and_lines_end_as_on_windows(tmp_path: Path) -> None:
    (tmp_path / "rows").mkdir()
    by_columns = {name: np.asfortranarray(array) for name, array in arrays_of().items()}
    network, vocabulary, _ = imported(tmp_path / "rows")

    files = written(tmp_path, by_columns, "\r\n".join(WORDS) + "\r\n")
    import_model(*files)

    found, found_vocabulary, _ = read_model(files[-1])
    assert found_vocabulary == vocabulary
    for name, array in network.parameters.items():
        np.testing.assert_array_equal(found.parameters[name], array)


SHAPES = {
    "U of other words": ({"U": np.zeros((4, 6))}, r"U must have the shape \(4, 7\), .*\(4, 6\)"),
    "U by rows": ({"U": np.zeros((7, 4))}, r"U must have the shape \(4, 7\), .*\(7, 4\)"),
    "V by columns": ({"V": np.zeros((4, 7))}, r"V must have the shape \(7, 4\), .*\(4, 7\)"),
    "W of others": ({"W": np.zeros((5, 5))}, r"U must have the shape \(5, 7\), .*\(4, 7\)"),
    "W that is no square": ({"W": np.zeros((4, 5))}, r"W must have the shape \(4, 4\), .*\(4, 5\)"),
    "W that is a number": ({"W": np.zeros(())}, r"W must have the shape .* \(got \(\)\)"),
    "W of nothing": ({"W": np.zeros((0, 0))}, r"W must have the shape .* for 0 hidden units"),
}
"""Arrays that do not fit, and what is said of them."""


@pytest.mark.parametrize(("arrays", "message"), SHAPES.values(), ids=SHAPES)
def test_arrays_that_do_not_fit_are_refused(arrays: Arrays, message: str, tmp_path: Path) -> None:
    files = written(tmp_path, arrays)

    with pytest.raises(DataError, match=rf"^{tmp_path}/model\.npz: {message}"):
        import_model(*files)

    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize(
    "arrays",
    [
        {"U": np.zeros((4, 7), dtype=np.float32)},
        arrays_of(np.int64),
        arrays_of(np.float16),
        arrays_of(">f8"),
        arrays_of(np.complex128),
    ],
    ids=["two", "int64", "float16", "big end first", "complex"],
)
def test_arrays_of_another_precision_or_of_two_are_refused(arrays: Arrays, tmp_path: Path) -> None:
    files = written(tmp_path, arrays)

    with pytest.raises(DataError, match=r"must all be float32 or all float64 \(got "):
        import_model(*files)


@pytest.mark.parametrize("name", ["U", "V", "W"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_not_finite_are_refused(name: str, value: float, tmp_path: Path) -> None:
    weights = arrays_of()[name]
    weights[3, 2] = value
    files = written(tmp_path, {name: weights})

    with pytest.raises(
        DataError, match=rf"model\.npz: {name} has entries .* \(got {value} at \[3, 2\]\)$"
    ):
        import_model(*files)


def test_a_missing_array_and_one_too_many_are_refused(tmp_path: Path) -> None:
    files = written(tmp_path, {"b": np.zeros(4)})

    with pytest.raises(
        DataError, match=r"hold U, V and W and nothing else \(got \['U', 'V', 'W', 'b'\]\)"
    ):
        import_model(*files)

    np.savez(tmp_path / "model.npz", U=np.zeros((4, 7)))
    with pytest.raises(DataError, match=r"hold U, V and W and nothing else \(got \['U'\]\)"):
        import_model(*files)


class Harm:
    """What writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def test_a_pickled_object_is_refused_and_not_unpickled(tmp_path: Path) -> None:
    files = written(tmp_path, {"U": np.array([[Harm(tmp_path / "harm")]], dtype=object)})

    with pytest.raises(DataError, match="no objects"):
        import_model(*files)

    assert not (tmp_path / "harm").exists()
    np.load(tmp_path / "model.npz", allow_pickle=True)["U"]  # as whoever trusts it would
    assert (tmp_path / "harm").exists()


UNSOUND_WORDS = {
    "one too few": ("\n".join(WORDS[1:]), r"\.npz: U must have the shape \(4, 6\), for 4 .* 6 wo"),
    "one twice": ("\n".join([*WORDS[:-1], "the", WORDS[-1]]), r"once.* \(got 'the' 2 times\)"),
    "an empty one": ("\n".join(["", *WORDS[1:]]), r"once.* \(got '' 1 times\)"),
    "no start": ("\n".join(WORDS[2:]), r"the word SENTENCE_START \(got 5 words without\)"),
    "no end": ("\n".join(WORDS[:4]), r"the word SENTENCE_END \(got 4 words without\)"),
    "nothing unknown": ("\n".join(WORDS[:-1]), r"the word UNKNOWN_TOKEN \(got 6 words without\)"),
    "nothing": ("", r"the word SENTENCE_START \(got 0 words without\)"),
}
"""Lists of words, and what is said of them."""


@pytest.mark.parametrize(("words", "message"), UNSOUND_WORDS.values(), ids=UNSOUND_WORDS)
def test_a_list_of_words_that_does_not_fit_is_refused(
    words: str, message: str, tmp_path: Path
) -> None:
    files = written(tmp_path, words=words)

    with pytest.raises(DataError, match=message):
        import_model(*files)


def test_the_command_writes_the_model(tmp_path: Path) -> None:
    files = written(tmp_path)

    done = subprocess.run(
        [sys.executable, "-m", "unrolled.model.tutorial", *files],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    network, vocabulary, _ = read_model(tmp_path / "model")
    assert (network.vocabulary_size, network.hidden_size, len(vocabulary)) == (7, 4, 7)


def test_the_command_ends_with_one_line_where_a_file_is_missing(tmp_path: Path) -> None:
    files = written(tmp_path)
    (tmp_path / "words.txt").unlink()

    with pytest.raises(SystemExit, match=r"^DataError: .*/words\.txt cannot be read: No such file"):
        main(files)
