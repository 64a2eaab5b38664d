"""Stop the runs that wait for a check unless it has passed."""

from pathlib import Path

from unrolled.errors import CheckError
from unrolled.storage import read_json, write_json


def run(check: Path | str, gate: Path | str) -> None:
    """Write that a check has passed.

    Args:
        check: its JSON file.
        gate: the JSON file to write.

    Raises:
        CheckError: it has not passed; the message is what the check says of it.
    """
    record = read_json(check)
    if record["passed"] is not True:
        raise CheckError(f"{record['trouble']}; see {check}")
    write_json(gate, {"passed": True, "check": Path(check).name})
