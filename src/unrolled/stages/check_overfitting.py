"""Whether a cell can learn two sentences by heart at one truncation depth: always written, passed
or not.
"""

import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

from unrolled.analysis.gradient_check import KINDS, Kind
from unrolled.analysis.overfitting import Depth, Overfitted, overfit
from unrolled.config.sections import ChecksConfig
from unrolled.storage import write_json


def run(config: ChecksConfig, cell: str, truncation_depth: Depth, check: Path | str) -> None:
    """Write the loss that was reached with every output layer, and whether all are low enough.

    Args:
        config: steps and limit.
        cell: what is trained, with every output layer and with tied weights.
        truncation_depth: how far back gradients reach.
        check: the JSON file to write.
    """
    found = {
        kind: overfit(
            cell, kind.output, kind.tied, truncation_depth, config.overfit_steps, config.seed
        )
        for kind in KINDS
        if not kind.carried  # a state before the first word would tell the sentences apart
    }
    trouble = _trouble(found, config)
    record = {
        "cell": cell,
        "truncation_depth": truncation_depth,
        "passed": trouble is None,
        "trouble": trouble and f"{cell} at depth {truncation_depth}: {trouble}",
        "steps": config.overfit_steps,
        "largest_loss": config.overfit_loss,
        "networks": [_network(kind, result) for kind, result in found.items()],
    }
    write_json(check, record)


def _trouble(found: dict[Kind, Overfitted], config: ChecksConfig) -> str | None:
    """What is wrong, in a line; None if nothing is."""
    for kind, result in found.items():
        if not result.passes(config.overfit_loss):
            return (
                f"two sentences were not learned by heart: after {config.overfit_steps} steps the"
                f" loss is {result.loss_nats_per_token:.4g} nats per token, at most"
                f" {config.overfit_loss} allowed ({kind.title}); more checks.overfit_steps may help"
            )
    return None if found else "nothing was learned by heart"


def _network(kind: Kind, result: Overfitted) -> dict[str, Any]:
    loss = result.loss_nats_per_token
    figures = {**asdict(result), "loss_nats_per_token": loss if math.isfinite(loss) else str(loss)}
    return {**asdict(kind), "title": kind.title, **figures}
