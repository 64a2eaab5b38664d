"""Stop the runs that wait for checks unless all of them have passed."""

from collections.abc import Sequence
from pathlib import Path

from unrolled.errors import CheckError
from unrolled.storage import read_json, write_json


def run(checks: Sequence[Path | str], gate: Path | str) -> None:
    """Write that all checks have passed.

    Args:
        checks: their JSON files.
        gate: the JSON file to write.

    Raises:
        CheckError: some have not passed; the message is what the checks say of it.
    """
    troubles = [
        f"{record['trouble']}; see {check}"
        for check, record in ((check, read_json(check)) for check in checks)
        if record["passed"] is not True
    ]
    if troubles:
        raise CheckError("; ".join(troubles))
    write_json(gate, {"passed": True, "checks": [Path(check).name for check in checks]})
