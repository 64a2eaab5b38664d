"""Whether the gradients of one cell at one truncation depth are right, and whether the check would
have noticed if not: always written, passed or not.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from unrolled.analysis.gradient_check import (
    KINDS,
    Comparison,
    Kind,
    ParameterCheck,
    compare,
    numeric_of,
    plain_errors,
    problem_of,
    tolerances,
)
from unrolled.analysis.planted_faults import Planted, planted_faults
from unrolled.config.sections import ChecksConfig
from unrolled.config.sweep import depth_limit
from unrolled.storage import write_json

Checks = Mapping[Kind, Sequence[ParameterCheck]]


def run(config: ChecksConfig, cell: str, truncation_depth: int | str, check: Path | str) -> None:
    """Write how the gradients compare, network by network and parameter by parameter.

    Args:
        config: the small networks and the figures of the check.
        cell: whose gradients; it is checked with every output layer, with tied weights, and with
            states that are carried over.
        truncation_depth: how far back they reach.
        check: the JSON file to write.
    """
    checks: dict[Kind, list[ParameterCheck]] = {}
    plain: dict[Kind, dict[str, float]] = {}
    faults: list[Planted] = []
    for kind in KINDS:
        problem = problem_of(cell, kind, config, depth_limit(truncation_depth))
        numeric, gradients = numeric_of(problem, config), problem.back_propagated()
        checks[kind] = compare(problem.network.parameters, gradients, numeric)
        plain[kind] = plain_errors(problem, gradients, numeric)
        faults += planted_faults(problem, numeric, tolerances(config))
    trouble = _trouble(checks, faults, tolerances(config))
    record = {
        "cell": cell,
        "truncation_depth": truncation_depth,
        "passed": trouble is None,
        "trouble": trouble and f"{cell} at depth {truncation_depth}: {trouble}",
        "tolerances": tolerances(config),
        "central_step": config.central_step,
        "networks": [_network(kind, checks[kind], plain[kind], config) for kind in checks],
        "planted_faults": _counted(faults),
    }
    write_json(check, record)


def _trouble(checks: Checks, faults: Sequence[Planted], allowed: Mapping[str, float]) -> str | None:
    """What is wrong, in a line; None if nothing is."""
    for kind, parameters in checks.items():
        for parameter in parameters:
            for method, found in parameter.comparisons.items():
                if not found.passes(allowed[method]):
                    return _wrong(kind, parameter.parameter, method, found, allowed[method])
    for fault in faults:
        if not fault.caught:
            return (
                f"the gradient check is blind to the fault '{fault.fault}' in a copy"
                f" ({fault.parameter or fault.place}), with a largest error of {fault.error}"
            )
    return None if checks and faults else "no gradient was checked"


def _wrong(kind: Kind, parameter: str, method: str, found: Comparison, allowed: float) -> str:
    index = ", ".join(map(str, found.worst_index))
    return (
        f"a gradient is wrong: {parameter}[{index}] is {found.analytic} by back-propagation and"
        f" {found.numeric} by {method} (largest difference over largest value {found.error}, at"
        f" most {allowed} allowed; {len(found.relative_errors)} entries compared; {kind.title})"
    )


def _network(
    kind: Kind, checks: Sequence[ParameterCheck], plain: Mapping[str, float], config: ChecksConfig
) -> dict[str, Any]:
    parameters = [
        {
            "parameter": check.parameter,
            "passed": check.passes(tolerances(config)),
            "plain_error": _finite(plain[check.parameter]),
            "methods": {method: _comparison(found) for method, found in check.comparisons.items()},
        }
        for check in checks
    ]
    return {**asdict(kind), "title": kind.title, "parameters": parameters}


def _comparison(found: Comparison) -> dict[str, Any]:
    logarithms = np.log10(np.maximum(found.relative_errors, 1e-17))
    counts, edges = np.histogram(logarithms[np.isfinite(logarithms)], bins=np.arange(-17, 1))
    return {
        "error": _finite(found.error),
        "worst_index": found.worst_index,
        "analytic": _finite(found.analytic),
        "numeric": _finite(found.numeric),
        "compared_count": len(found.relative_errors),
        "tiny_count": found.tiny_count,
        "skipped_count": found.skipped_count,
        "relative_error_histogram": {
            f"1e{int(edge)}": int(count) for edge, count in zip(edges, counts, strict=False)
        },
    }


def _counted(faults: Sequence[Planted]) -> list[dict[str, Any]]:
    """A row for each fault and place: in how many networks it was planted, and caught."""
    rows: dict[tuple[str, str], list[Planted]] = {}
    for planted in faults:
        rows.setdefault((planted.fault, planted.place), []).append(planted)
    return [
        {
            "fault": fault,
            "place": place,
            "planted": len(found),
            "caught": sum(planted.caught for planted in found),
            "smallest_error": _finite(float(np.fmin.reduce([planted.error for planted in found]))),
        }
        for (fault, place), found in rows.items()
    ]


def _finite(value: float) -> float | str:
    """The number, or its name where JSON has no number for it."""
    return value if math.isfinite(value) else str(value)
