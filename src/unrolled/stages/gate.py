"""Stop a cell's runs unless its gradients are right at every depth of the sweep."""

from collections.abc import Sequence
from pathlib import Path

from unrolled.errors import CheckError
from unrolled.storage import read_json, write_json


def run(checks: Sequence[Path | str], gate: Path | str) -> None:
    """Write which checks have passed.

    Raises:
        CheckError: one has not, or there is none; the message names parameter, index and both
        values.
    """
    if not checks:
        raise CheckError("no gradient check was made, so nothing is proved")
    for path in checks:
        _require_passed(path)
    write_json(gate, {"passed": True, "checks": [Path(path).name for path in checks]})


def _require_passed(path: Path | str) -> None:
    check = read_json(path)
    for parameter in check["parameters"]:
        if not parameter["passed"]:
            index = ", ".join(map(str, parameter["worst_index"]))
            raise CheckError(
                f"the gradient of {check['cell']} at depth {check['truncation_depth']} is wrong:"
                f" {parameter['parameter']}[{index}] is {parameter['analytic']} by back-propagation"
                f" and {parameter['numeric']} by central differences (largest difference over"
                f" largest value {parameter['error']}, at most {check['tolerance']} allowed;"
                f" {parameter['compared_count']} entries compared); see {path}"
            )
    if check["passed"] is not True:
        raise CheckError(f"{path} holds no parameter that was checked")
