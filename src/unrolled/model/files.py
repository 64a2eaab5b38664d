"""A trained model as three plain files, readable without this project.

model.safetensors   the arrays, of the names and shapes of `initialisation.parameter_shapes`; with
                    word classes also word_class and word_position, a number for each word
config.json         what they mean: the cell, its formula, sizes and precision
vocabulary.tsv      token and count, the row number being the id
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from unrolled.arrays import read_tensors, write_tensors
from unrolled.declared import Layout, declared_tensors
from unrolled.errors import DataError
from unrolled.model.cells import CELLS
from unrolled.model.initialisation import parameter_shapes
from unrolled.model.network import Network, laid_out
from unrolled.model.types import Array, Parameters
from unrolled.storage import read_json, write_json
from unrolled.text.classes import WordClasses
from unrolled.text.vocabulary import Ids, Vocabulary, read_vocabulary, write_vocabulary

FORMAT = 1
"""Raised when an older reader would misunderstand the files."""

OUTPUTS = {
    "softmax": "P(x_{t+1}) = softmax(output_weights @ s_t + output_bias)",
    "classes": (
        "P(x_{t+1} = w) = P(c) * P(w | c) for c = word_class[w],"
        " P(c) = softmax(root_weights @ s_t + root_bias)[c],"
        " P(w | c) = 1 for the only word of a class, otherwise"
        " exp(score(w)) / the sum of exp(score(v)) over all words v of class c,"
        " score(v) = output_weights[word_position[v]] @ s_t + output_bias[word_position[v]]"
    ),
}
"""How states give probabilities, for the outputs by name."""

_BIAS = re.compile(r" \+ (\w+_)?bias(\[[\w\[\]]*\])?")
"""What is left out of the formulas of a network without biases."""

CLASS_ARRAYS = ("word_class", "word_position")
"""The classes of words: `WordClasses.class_of` and `WordClasses.position`."""

FILES = ("model.safetensors", "config.json", "vocabulary.tsv")
LAYOUT = ("cell", "output", "bias", "tied", "vocabulary_size", "hidden_size", "dtype")
"""The entries of config.json that say what the arrays are."""

MOST_SHOWN, MOST_CHARACTERS = 9, 40
"""How many arrays an error tells, as many as a model may have, and how much of their names."""


def write_model(
    folder: Path | str,
    network: Network,
    vocabulary: Vocabulary,
    notes: dict[str, Any],
    carry_state: bool = False,
) -> None:
    """Write the three files.

    Args:
        folder: where to.
        network: what was trained.
        vocabulary: what its rows stand for.
        notes: further entries of config.json, such as how text must be prepared.
        carry_state: whether states go on from sentence to sentence of a document.
    """
    folder = Path(folder)
    write_tensors(folder / FILES[0], {**network.parameters, **_class_arrays(network)})
    config = {
        "format": FORMAT,
        "formula": formula(network, carry_state),
        "cell": network.cell_name,
        "output": _output_name(network),
        "bias": "bias" in network.parameters,
        "tied": network.tied,
        "carry_state": carry_state,
        "vocabulary_size": network.vocabulary_size,
        "hidden_size": network.hidden_size,
        "dtype": str(network.parameters["output_weights"].dtype),
        **notes,
    }
    write_json(folder / FILES[1], config)
    write_vocabulary(folder / FILES[2], vocabulary)


def read_model(folder: Path | str) -> tuple[Network, Vocabulary, dict[str, Any]]:
    """The network, its vocabulary and its config.json.

    No array is read before the header of its file is known to declare what the config says.

    Raises:
        DataError: a file is missing or broken, of another format, or the arrays or the
            vocabulary are not those of the config.
    """
    folder = Path(folder)
    config, path = _read_config(folder / FILES[1]), folder / FILES[0]
    cell, output, bias, tied, words, hidden, dtype = (config[key] for key in LAYOUT)
    declared = declared_tensors(path)
    classes = _read_classes(path, declared, words) if output == "classes" else None
    shapes = parameter_shapes(cell, words, hidden, bias, tied, classes)
    of_classes = CLASS_ARRAYS if classes is not None else ()
    _require_layout(
        path,
        {name: (shape, dtype) for name, shape in shapes.items()},
        {name: found for name, found in declared.items() if name not in of_classes},
    )
    parameters: Parameters = read_tensors(path, *shapes)
    for name, array in parameters.items():
        require_finite(path, name, array)
    vocabulary = _read_vocabulary(folder / FILES[2], words)
    return Network(laid_out(parameters), cell, classes), vocabulary, config


def require_finite(path: Path | str, name: str, array: Array) -> None:
    """Refuse weights that are not finite numbers.

    Raises:
        DataError: some are not; the message tells the first of them.
    """
    for place in np.argwhere(~np.isfinite(array))[:1]:
        raise DataError(
            f"{path}: {name} has entries that are not finite numbers"
            f" (got {array[tuple(place)]} at {place.tolist()})"
        )


def formula(network: Network, carry_state: bool) -> str:
    """How the arrays give the probability of the next word, in their own names."""
    text = "document" if carry_state else "sentence"
    step, output = network.cell.FORMULA, OUTPUTS[_output_name(network)]
    if "bias" not in network.parameters:
        step, output = (_BIAS.sub("", part) for part in (step, output))
    if network.tied:
        step = step.replace("input_weights[x_t]", "input_projection @ output_weights[x_t]")
    start = f"all states are 0 before the first word of a {text}"
    return f"{step}; {start}; {output}"


def _output_name(network: Network) -> str:
    """The key of `OUTPUTS` for a network."""
    return "softmax" if network.classes is None else "classes"


def _class_arrays(network: Network) -> dict[str, Ids]:
    """The classes of a network's words as arrays; none without."""
    if network.classes is None:
        return {}
    arrays = (network.classes.class_of, network.classes.position)
    return dict(zip(CLASS_ARRAYS, arrays, strict=True))


def _read_classes(path: Path, declared: Layout, vocabulary_size: int) -> WordClasses:
    """The classes of the words of a model file, of which it declares so much."""
    for name in CLASS_ARRAYS:
        shape, dtype = declared.get(name, ((0,), "float64"))
        if (shape, dtype) != ((vocabulary_size,), "int32"):
            raise DataError(
                f"{path} must hold {name}, int32 of shape {(vocabulary_size,)}"
                f" (got {dtype} of shape {shape})"
            )
    found = read_tensors(path, *CLASS_ARRAYS)
    try:
        return WordClasses(*(found[name] for name in CLASS_ARRAYS))
    except DataError as error:
        raise DataError(f"{path}: {error}") from None


def _read_vocabulary(path: Path, size: int) -> Vocabulary:
    """The vocabulary of a model whose weights have so many rows."""
    vocabulary = read_vocabulary(path)
    if len(vocabulary) != size:
        raise DataError(
            f"{path} must have {size} tokens, one per row of the weights (got {len(vocabulary)})"
        )
    return vocabulary


def _require_layout(path: Path, wanted: Layout, declared: Layout) -> None:
    """Refuse a file that declares other arrays, and tell which."""
    names = [name for name in {**wanted, **declared} if wanted.get(name) != declared.get(name)]
    if names:
        right, found = (_shown(names[:MOST_SHOWN], layout) for layout in (wanted, declared))
        raise DataError(f"{path} must hold {right} (got {found})")


def _shown(names: Sequence[str], layout: Layout) -> str:
    """What a layout has of these names."""
    return ", ".join(
        f"{name[:MOST_CHARACTERS]!r}: {layout.get(name, 'no array')}" for name in names
    )


def _read_config(path: Path) -> dict[str, Any]:
    """The entries of config.json, of this format and with all that says what the arrays are."""
    try:
        config = read_json(path)
    except (ValueError, RecursionError) as error:  # a number of 5000 digits, lists in lists
        raise DataError(f"{path} is not JSON that can be read ({error})") from None
    if not isinstance(config, dict):
        raise DataError(f"{path} must hold keys and values (got {config!r})")
    if config.get("format") != FORMAT:
        raise DataError(f"{path} has format {config.get('format')}; expected {FORMAT}")
    for key, (is_right, right) in ENTRIES.items():
        if key not in config:
            raise DataError(f"{path} lacks {key}")
        if not is_right(config[key]):
            raise DataError(f"{path}: {key} must be {right} (got {config[key]!r})")
    if config["output"] == "classes" and config["tied"]:
        raise DataError(f"{path}: tied must be false when output is classes (got true)")
    return config


def _is_size(found: object) -> bool:
    """Whether something is a whole number of one or more."""
    return type(found) is int and found >= 1  # and no True


def _is_switch(found: object) -> bool:
    return isinstance(found, bool)


def _is_one_of(known: Iterable[str]) -> tuple[Callable[[object], bool], str]:
    """Whether something is one of the names, and how to say so."""
    names = list(known)
    return (lambda found: found in names), f"one of {', '.join(names)}"


ENTRIES: Mapping[str, tuple[Callable[[object], bool], str]] = {
    "cell": _is_one_of(CELLS),
    "output": _is_one_of(OUTPUTS),
    "bias": (_is_switch, "true or false"),
    "tied": (_is_switch, "true or false"),
    "vocabulary_size": (_is_size, "a whole number of 1 or more"),
    "hidden_size": (_is_size, "a whole number of 1 or more"),
    "dtype": _is_one_of(("float32", "float64")),
    "carry_state": (_is_switch, "true or false"),
}
"""What every config.json has: whether an entry is right, and what would be."""
