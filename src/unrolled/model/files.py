"""A trained model as three plain files, readable without this project.

model.safetensors   the arrays, of the names and shapes of `initialisation.parameter_shapes`
config.json         what they mean: the cell, its formula, sizes and precision
vocabulary.tsv      token and count, the row number being the id
"""

from pathlib import Path
from typing import Any

import numpy as np

from unrolled.errors import DataError
from unrolled.model.cells import CELLS
from unrolled.model.initialisation import parameter_shapes
from unrolled.model.network import Network
from unrolled.model.output.softmax import laid_out
from unrolled.storage import read_json, read_tensors, write_json, write_tensors
from unrolled.text.vocabulary import Vocabulary, read_vocabulary, write_vocabulary

FORMAT = 1
"""Raised when an older reader would misunderstand the files."""

FILES = ("model.safetensors", "config.json", "vocabulary.tsv")
LAYOUT = ("cell", "bias", "tied", "vocabulary_size", "hidden_size", "dtype")
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
    write_tensors(folder / FILES[0], network.parameters)
    config = {
        "format": FORMAT,
        "formula": formula(network, carry_state),
        "cell": network.cell_name,
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
    parameters = read_tensors(folder / FILES[0])
    cell, bias, tied, words, hidden, dtype = (config[key] for key in LAYOUT)
    if cell not in CELLS:
        raise DataError(
            f"{folder / FILES[1]}: cell must be one of {', '.join(CELLS)} (got {cell!r})"
        )
    shapes = parameter_shapes(cell, words, hidden, bias, tied)
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
    parameters["output_weights"] = laid_out(parameters["output_weights"])
    return Network(parameters, cell), vocabulary, config


def formula(network: Network, carry_state: bool) -> str:
    """How the arrays give the probability of the next word, in their own names."""
    text = "document" if carry_state else "sentence"
    step, output = network.cell.FORMULA, "output_weights @ s_t"
    if "bias" in network.parameters:
        output += " + output_bias"
    else:
        step = step.replace(" + bias", "")
    if network.tied:
        step = step.replace("input_weights[x_t]", "input_projection @ output_weights[x_t]")
    start = f"all states are 0 before the first word of a {text}"
    return f"{step}; {start}; P(x_{{t+1}}) = softmax({output})"


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
    return config
