"""A trained model as three plain files, readable without this project.

model.safetensors   the arrays, of the names and shapes of `initialisation.parameter_shapes`; with
                    word classes also word_class and word_position, a number for each word
config.json         what they mean: the cell, its formula, sizes and precision
vocabulary.tsv      token and count, the row number being the id
"""

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrolled.arrays import read_tensors, write_tensors
from unrolled.errors import DataError
from unrolled.model.cells import CELLS
from unrolled.model.initialisation import parameter_shapes
from unrolled.model.network import Network, laid_out
from unrolled.model.types import Parameters
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

    Raises:
        DataError: a file is missing or broken, of another format, or the arrays or the
            vocabulary are not those of the config.
    """
    folder = Path(folder)
    config = _read_config(folder / FILES[1])
    tensors = read_tensors(folder / FILES[0])
    cell, output, bias, tied, words, hidden, dtype = (config[key] for key in LAYOUT)
    parameters, classes = tensors, None
    if output == "classes":
        parameters, classes = _with_classes(folder / FILES[0], tensors, words)
    shapes = parameter_shapes(cell, words, hidden, bias, tied, classes)
    layout = {name: (shape, dtype) for name, shape in shapes.items()}
    found = {name: (array.shape, str(array.dtype)) for name, array in parameters.items()}
    if found != layout:
        raise DataError(f"{folder / FILES[0]} must hold {layout} (got {found})")
    for name, array in parameters.items():
        if not np.isfinite(array).all():
            raise DataError(f"{folder / FILES[0]}: {name} has entries that are not finite numbers")
    vocabulary = read_vocabulary(folder / FILES[2])
    if len(vocabulary) != words:
        raise DataError(
            f"{folder / FILES[2]} must have {words} tokens, one per row of the weights"
            f" (got {len(vocabulary)})"
        )
    return Network(laid_out(parameters), cell, classes), vocabulary, config


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


def _with_classes(
    path: Path, tensors: dict[str, NDArray[Any]], vocabulary_size: int
) -> tuple[Parameters, WordClasses]:
    """The arrays of a model file that are parameters, and the classes made of the others."""
    for name in CLASS_ARRAYS:
        found = tensors.get(name, np.empty(0))
        if found.shape != (vocabulary_size,) or found.dtype != np.int32:
            raise DataError(
                f"{path} must hold {name}, int32 of shape {(vocabulary_size,)}"
                f" (got {found.dtype} of shape {found.shape})"
            )
    try:
        classes = WordClasses(*(tensors[name] for name in CLASS_ARRAYS))
    except DataError as error:
        raise DataError(f"{path}: {error}") from None
    return {name: tensors[name] for name in tensors if name not in CLASS_ARRAYS}, classes


def _read_config(path: Path) -> dict[str, Any]:
    """The entries of config.json, of this format and with all that says what the arrays are."""
    config = read_json(path)
    if not isinstance(config, dict):
        raise DataError(f"{path} must hold keys and values (got {config!r})")
    if config.get("format") != FORMAT:
        raise DataError(f"{path} has format {config.get('format')}; expected {FORMAT}")
    for key in (*LAYOUT, "carry_state"):
        if key not in config:
            raise DataError(f"{path} lacks {key}")
    for key, known in (("cell", CELLS), ("output", OUTPUTS)):
        if config[key] not in known:
            raise DataError(
                f"{path}: {key} must be one of {', '.join(known)} (got {config[key]!r})"
            )
    if config["output"] == "classes" and config["tied"]:
        raise DataError(f"{path}: tied must be false when output is classes (got true)")
    return config
