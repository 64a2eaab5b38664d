"""Whether the gradients of one cell at one truncation depth are right: always written, passed or
not.
"""

import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from unrolled.analysis.gradient_check import Checked, ParameterCheck, check_gradients
from unrolled.config.sections import ChecksConfig
from unrolled.config.sweep import depth_limit
from unrolled.storage import write_json


def run(
    config: ChecksConfig,
    cell: str,
    output: str,
    tied_weights: bool,
    truncation_depth: int | str,
    check: Path | str,
) -> None:
    """Write how the gradients compare, parameter by parameter, and whether all pass.

    Args:
        config: the small model and the figures of the check.
        cell: whose gradients.
        output: softmax or classes.
        tied_weights: whether input and output weights are tied.
        truncation_depth: how far back they reach.
        check: the JSON file to write.
    """
    # with biases, which are parameters like the others, whether the sweep uses them or not
    checked = Checked(cell, output, bias=True, tied=tied_weights)
    checks = check_gradients(checked, config, depth_limit(truncation_depth))
    write_json(
        check,
        {
            "cell": cell,
            "output": output,
            "tied_weights": tied_weights,
            "truncation_depth": truncation_depth,
            "passed": bool(checks) and all(item.passes(config.tolerance) for item in checks),
            **asdict(config),
            "parameters": [_record(item, config.tolerance) for item in checks],
        },
    )


def _record(check: ParameterCheck, tolerance: float) -> dict[str, Any]:
    logarithms = np.log10(np.maximum(check.relative_errors, 1e-17))
    counts, edges = np.histogram(logarithms[np.isfinite(logarithms)], bins=np.arange(-17, 1))
    return {
        "parameter": check.parameter,
        "passed": check.passes(tolerance),
        "error": _finite(check.error),
        "worst_index": check.worst_index,
        "analytic": _finite(check.analytic),
        "numeric": _finite(check.numeric),
        "plain_error": _finite(check.plain_error),
        "compared_count": len(check.relative_errors),
        "tiny_count": check.tiny_count,
        "relative_error_histogram": {
            f"1e{int(edge)}": int(count) for edge, count in zip(edges, counts, strict=False)
        },
    }


def _finite(value: float) -> float | str:
    """The number, or its name where JSON has no number for it."""
    return value if math.isfinite(value) else str(value)
