"""Models of the tutorial this project grew from, as models of this project.

    python -m unrolled.model.tutorial MODEL.npz WORDS.txt FOLDER

The tutorial keeps three arrays, U, V and W, and the words of its rows apart from them, in a list
`index_to_word`. Its network is the Elman network without biases:

    s_t = tanh(U[:, x_t] + W @ s_{t-1}),  P(x_{t+1}) = softmax(V @ s_t)

`model.reference` says what U, V and W are called here. Words move: here the ids of the reserved
three come first, there they stand anywhere.

Source: Britz, Recurrent Neural Networks Tutorial, parts 2 and 3 (2015), `save_model_parameters_*`.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from unrolled.arrays import read_arrays
from unrolled.declared import Layout, declared_arrays
from unrolled.errors import DataError, UnrolledError
from unrolled.model.files import MOST_CHARACTERS, MOST_SHOWN, require_finite, write_model
from unrolled.model.network import Network, laid_out
from unrolled.model.types import Parameters
from unrolled.storage import iterate_lines
from unrolled.text.vocabulary import RESERVED, Vocabulary

NOTES = {"unit": "word", "tokenizer": "nltk_word", "lowercase": True, "imported": "tutorial"}
"""How the tutorial makes words of text, for config.json."""

UNKNOWN_COUNT = 0
"""How often a word occurs: the tutorial does not keep it."""


def import_model(arrays: Path | str, words: Path | str, folder: Path | str) -> None:
    """Write a model of the tutorial as one of this project.

    Args:
        arrays: the .npz of U, (hidden, words), V, (words, hidden), and W, (hidden, hidden); all in
            single or all in double precision.
        words: the word of each row, one a line in UTF-8; among them the reserved three, by the
            names that they have here, too.
        folder: where the model goes.

    Raises:
        DataError: a file is missing or broken, or the two do not fit together.
    """
    tokens = _read_words(words)
    found = _read_arrays(arrays, tokens)
    order = _order(tokens)
    parameters: Parameters = {
        "input_weights": np.ascontiguousarray(found["U"].T[order]),
        "recurrent_weights": found["W"],
        "output_weights": found["V"][order],
    }
    vocabulary = Vocabulary([tokens[row] for row in order], [UNKNOWN_COUNT] * len(tokens))
    write_model(folder, Network(laid_out(parameters), "elman"), vocabulary, NOTES)


def main(arguments: Sequence[str] | None = None) -> None:
    """Import a model as the command line says; what the user can mend ends it with one line."""
    parser = argparse.ArgumentParser(
        prog="python -m unrolled.model.tutorial",
        description="Write a model of the tutorial as one of this project.",
    )
    parser.add_argument("arrays", help="its .npz of U, V and W")
    parser.add_argument("words", help="the word of each row, one a line")
    parser.add_argument("folder", help="where the model goes")
    try:
        import_model(**vars(parser.parse_args(arguments)))
    except UnrolledError as error:
        sys.exit(f"{type(error).__name__}: {error}")


def _read_words(path: Path | str) -> list[str]:
    """The word of each row."""
    words = [line.removesuffix("\r") for line in iterate_lines(path)]
    for word, count in Counter(words).items():
        if count > 1 or not word:
            raise DataError(
                f"{path} must have each word once, one a line (got {word!r} {count} times)"
            )
    for token in RESERVED:
        if token not in words:
            raise DataError(f"{path} must have the word {token} (got {len(words)} words without)")
    return words


def _read_arrays(path: Path | str, tokens: Sequence[str]) -> Parameters:
    """The three arrays, read once their headers are known to fit each other and the words."""
    declared = declared_arrays(path)
    if declared.keys() != {"U", "V", "W"}:
        names = [name[:MOST_CHARACTERS] for name in declared][:MOST_SHOWN]
        raise DataError(f"{path} must hold U, V and W and nothing else (got {names})")
    _require_shapes(path, declared, len(tokens))
    _require_one_precision(path, declared)
    arrays: Parameters = read_arrays(path)
    for name, array in arrays.items():
        require_finite(path, name, array)
    return arrays


def _require_shapes(path: Path | str, declared: Layout, word_count: int) -> None:
    """Refuse arrays that fit neither W nor the words."""
    hidden_size = declared["W"][0][0] if declared["W"][0] else 0
    shapes = {
        "W": (hidden_size, hidden_size),
        "U": (hidden_size, word_count),
        "V": (word_count, hidden_size),
    }
    for name, shape in shapes.items():
        if declared[name][0] != shape or hidden_size < 1:
            raise DataError(
                f"{path}: {name} must have the shape {shape}, for {hidden_size} hidden units by W"
                f" and {word_count} words by their list (got {declared[name][0]})"
            )


def _require_one_precision(path: Path | str, declared: Layout) -> None:
    """Refuse arrays that are not all in single or all in double precision."""
    types = sorted({dtype for _, dtype in declared.values()})
    if types not in (["float32"], ["float64"]):
        raise DataError(
            f"{path}: U, V and W must all be float32 or all float64 (got {', '.join(types)})"
        )


def _order(tokens: Sequence[str]) -> list[int]:
    """The row of each id: those of the reserved three, then the others as they stand."""
    reserved = [tokens.index(token) for token in RESERVED]
    return [*reserved, *(row for row, token in enumerate(tokens) if token not in RESERVED)]


if __name__ == "__main__":
    main()
