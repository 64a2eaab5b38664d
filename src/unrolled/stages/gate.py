"""Stop the runs of a cell at a depth unless its gradients are right there."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from unrolled.errors import CheckError
from unrolled.storage import read_json, write_json


def run(path: Path | str, gate: Path | str) -> None:
    """Write that a check has passed.

    Args:
        path: the check's JSON file.
        gate: the JSON file to write.

    Raises:
        CheckError: it has not, or nothing was checked; the message names parameter, index and both
            values.
    """
    check = read_json(path)
    for parameter in check["parameters"]:
        if not parameter["passed"]:
            index = ", ".join(map(str, parameter["worst_index"]))
            raise CheckError(
                f"the gradient of {_title(check)} at depth {check['truncation_depth']} is wrong:"
                f" {parameter['parameter']}[{index}] is {parameter['analytic']} by back-propagation"
                f" and {parameter['numeric']} by central differences (largest difference over"
                f" largest value {parameter['error']}, at most {check['tolerance']} allowed;"
                f" {parameter['compared_count']} entries compared); see {path}"
            )
    if check["passed"] is not True:
        raise CheckError(f"{path} holds no parameter that was checked")
    write_json(gate, {"passed": True, "check": Path(path).name})


def _title(check: Mapping[str, Any]) -> str:
    """Which kind of network was checked."""
    title = str(check["cell"])
    title += " with tied weights" if check["tied_weights"] else ""
    return title + (" with word classes" if check["output"] == "classes" else "")
