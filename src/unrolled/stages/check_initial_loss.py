"""Whether an untrained network is as good as guessing: always written, passed or not."""

import math
from pathlib import Path

from unrolled.analysis.initial_loss import initial_loss
from unrolled.config.sections import ChecksConfig, ModelConfig
from unrolled.stages.untrained import untrained_network
from unrolled.storage import write_json
from unrolled.text.dataset import read_dataset
from unrolled.text.vocabulary import read_vocabulary


def run(config: ChecksConfig, model: ModelConfig, corpus: Path | str, check: Path | str) -> None:
    """Write the loss on the validation split beside that of guessing.

    Args:
        config: how much they may differ.
        model: the network's shape.
        corpus: the folder of vocabulary.tsv, the encoded validation split and, where the model goes
            by them, classes.tsv.
        check: the JSON file to write.
    """
    corpus = Path(corpus)
    vocabulary = read_vocabulary(corpus / "vocabulary.tsv")
    validation = read_dataset(corpus / "encoded/valid", len(vocabulary))
    network = untrained_network(model, corpus, vocabulary, config.seed)
    found = initial_loss(network, validation)
    passed = found.passes(config.initial_loss_difference)
    loss = found.loss_nats_per_token
    record = {
        "cell": model.cell,
        "hidden_size": model.hidden_size,
        "title": _title(model),
        "passed": passed,
        "trouble": None
        if passed
        else (
            f"an untrained {model.cell} network of {model.hidden_size} hidden units does not begin"
            f" at the loss of guessing, {found.of_guessing:.4g} nats per token, but at {loss:.4g};"
            f" they may differ by {config.initial_loss_difference}"
        ),
        "largest_difference": config.initial_loss_difference,
        "loss_nats_per_token": loss if math.isfinite(loss) else str(loss),
        "of_guessing": found.of_guessing,
    }
    write_json(check, record)


def _title(model: ModelConfig) -> str:
    """What the network has beside its cell and size, in words."""
    further = {
        "tied weights": model.tied_weights,
        "biases": model.bias,
        "orthogonal recurrent weights": model.recurrent_initialisation == "orthogonal",
    }
    output = "word classes" if model.output == "classes" else "softmax"
    return ", ".join([output, *(name for name, present in further.items() if present)])
