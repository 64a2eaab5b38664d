"""From the lists under `sweep` to runs: each combination is one, and its name says its settings."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

NAMED = {"cell": "", "hidden_size": "hidden", "truncation_depth": "depth", "seed": "seed"}
"""The settings that every sweep lists and every name shows, with the word before the value."""

MODEL = {"cell", "hidden_size"}
"""Those of them that belong to the model; the others belong to training."""

FULL = "full"
"""The truncation depth that reaches the start of the sentence."""


@dataclass(frozen=True)
class Run:
    """One point of the sweep."""

    name: str
    network: str
    """The part of the name that says what the untrained network is like, but for its seed."""
    model: Mapping[str, Any]
    training: Mapping[str, Any]

    @property
    def settings(self) -> dict[str, Any]:
        """The settings of model and training together, the named ones first."""
        merged = {**self.model, **self.training}
        return {key: merged[key] for key in [*NAMED, *(key for key in merged if key not in NAMED)]}


def runs(config: Mapping[str, Any]) -> list[Run]:
    """Every combination of the sweep's values over `model` and `training`, `full` depth last."""
    values = dict(config["sweep"])
    values["truncation_depth"] = sorted(values["truncation_depth"], key=depth_order)
    combinations = itertools.product(*values.values())
    return [_run(config, dict(zip(values, point, strict=True))) for point in combinations]


def depth_limit(truncation_depth: int | str) -> int | None:
    """The number of steps back that a gradient may travel; None for no limit."""
    return None if truncation_depth == FULL else int(truncation_depth)


def depth_order(truncation_depth: int | str) -> float:
    """What depths are sorted by: `full` comes after every number."""
    limit = depth_limit(truncation_depth)
    return float("inf") if limit is None else limit


def run_name(point: Mapping[str, Any]) -> str:
    """A run's name: `elman-hidden100-depth4-seed1`, further settings following as `-key<value>`."""
    return "-".join(f"{NAMED.get(key, key)}{shown(value)}" for key, value in point.items())


def shown(value: Any) -> str:
    """A setting's value as names and tables show it: like YAML, not like Python."""
    if isinstance(value, bool):
        return str(value).lower()
    return "none" if value is None else str(value)


def _run(config: Mapping[str, Any], point: Mapping[str, Any]) -> Run:
    model = {key: point[key] for key in point if key in {*MODEL, *config["model"]}}
    training = {key: value for key, value in point.items() if key not in model}
    return Run(
        run_name(point),
        run_name(model),
        {**config["model"], **model},
        {**config["training"], **training},
    )
