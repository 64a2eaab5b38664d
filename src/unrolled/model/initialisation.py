"""The arrays that a network is made of, and what they are before training."""

import numpy as np
from numpy.typing import DTypeLike

from unrolled.model.arguments import require_at_least
from unrolled.model.cells import CELLS
from unrolled.model.network import Network, laid_out
from unrolled.model.types import Array, Parameters
from unrolled.text.classes import WordClasses


def parameter_shapes(
    cell_name: str,
    vocabulary_size: int,
    hidden_size: int,
    bias: bool,
    tied: bool = False,
    classes: WordClasses | None = None,
) -> dict[str, tuple[int, ...]]:
    """The arrays that a network is made of.

    The input weights have a row for each word: what it brings to the cell's blocks, one hidden size
    after the other. The recurrent weights act on hidden states, the output weights have a row for
    each word again. Where both are tied, the output weights' rows go in too, by way of a projection
    to the cell's blocks.

    With word classes the root weights have a row for each class, and the output weights one for
    each word that does not stand alone, at its position. They are never tied: such a row tells a
    word from the others of its class, and nothing of what sets the class apart.

    Source of the tying: Press & Wolf, Using the Output Embedding to Improve Language Models (2017).
    """
    blocks = CELLS[cell_name].BLOCKS * hidden_size
    shapes: dict[str, tuple[int, ...]] = {
        "input_weights": (vocabulary_size, blocks),
        "recurrent_weights": (blocks, hidden_size),
        "output_weights": (vocabulary_size, hidden_size),
    }
    if classes is not None:
        shapes["root_weights"] = (classes.count, hidden_size)
        shapes["output_weights"] = (int(classes.starts[-1]), hidden_size)
    if tied:
        del shapes["input_weights"]
        shapes["input_projection"] = (blocks, hidden_size)
    if bias:
        shapes["bias"] = (blocks,)
        shapes["output_bias"] = shapes["output_weights"][:1]
        if classes is not None:
            shapes["root_bias"] = shapes["root_weights"][:1]
    return shapes


def initialised(
    vocabulary_size: int,
    hidden_size: int,
    rng: np.random.Generator,
    dtype: DTypeLike = np.float64,
    cell_name: str = "elman",
    bias: bool = False,
    tied: bool = False,
    orthogonal: bool = False,
    classes: WordClasses | None = None,
) -> Network:
    """A network with weights uniform in ±1/sqrt(n), n being the length of what the weights act on.

    Recurrent weights are orthogonal on request, each block for itself: they keep the length of what
    they act on. Biases are zero, but that of the gate that keeps the state is one, so that a gated
    cell remembers before it has learned what.

    Source: Glorot & Bengio, Understanding the Difficulty of Training Deep Feedforward Neural
    Networks (2010), equation 1; Saxe, McClelland & Ganguli, Exact Solutions to the Nonlinear
    Dynamics of Learning in Deep Linear Neural Networks (2014), for orthogonal weights; Jozefowicz
    et al., An Empirical Exploration of Recurrent Network Architectures (2015), for the bias.

    Raises:
        ConfigError: a size is below one.
    """
    require_at_least("vocabulary_size", vocabulary_size, 1)
    require_at_least("hidden_size", hidden_size, 1)
    limits = dict.fromkeys(
        ("recurrent_weights", "root_weights", "output_weights", "input_projection"),
        hidden_size**-0.5,
    )
    limits |= dict.fromkeys(("bias", "root_bias", "output_bias"), 0.0)
    limits["input_weights"] = vocabulary_size**-0.5
    shapes = parameter_shapes(cell_name, vocabulary_size, hidden_size, bias, tied, classes)
    parameters: Parameters = {
        name: rng.uniform(-limits[name], limits[name], size=shape).astype(dtype)
        for name, shape in shapes.items()
    }
    if orthogonal:
        for block in parameters["recurrent_weights"].reshape(-1, hidden_size, hidden_size):
            block[:] = _orthogonal(hidden_size, rng)
    keep = CELLS[cell_name].KEEP_BLOCK
    if bias and keep is not None:
        parameters["bias"][keep * hidden_size : (keep + 1) * hidden_size] = 1
    return Network(laid_out(parameters), cell_name, classes)


def _orthogonal(size: int, rng: np.random.Generator) -> Array:
    """A random orthogonal matrix, all being as likely.

    Source: Mezzadri, How to Generate Random Matrices from the Classical Compact Groups (2007).
    """
    q, r = np.linalg.qr(rng.normal(size=(size, size)))
    matrix: Array = q * np.sign(np.diag(r))
    return matrix
