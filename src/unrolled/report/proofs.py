"""The proofs as the report shows them: a few rows of the many figures that the checks hold."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from unrolled.report.runs import cell_title

Check = Mapping[str, Any]


@dataclass(frozen=True)
class GradientRow:
    """What the gradient checks of one cell at one depth came to.

    Attributes:
        check: the whole of it.
        parameters: how many there are, over all networks.
        compared: how many entries, and how many were left out as `tiny` or `skipped`.
        largest: error of all parameters, by method; the text `nan` or `inf` where it is no number.
    """

    check: Check
    parameters: int
    compared: int
    tiny: int
    skipped: int
    largest: Mapping[str, float]


@dataclass(frozen=True)
class FaultRow:
    """What came of one planted fault.

    Attributes:
        fault: what was wrong.
        places: where.
        planted: in how many copies, by cell.
        caught: of these, by cell.
        smallest_error: of all copies.
    """

    fault: str
    places: Sequence[str]
    planted: Mapping[str, int]
    caught: Mapping[str, int]
    smallest_error: float

    @property
    def all_caught(self) -> bool:
        """Whether none went unnoticed."""
        return self.planted == self.caught


def gradient_rows(checks: Sequence[Check]) -> list[GradientRow]:
    """A row for each check."""
    return [_gradient_row(check) for check in checks]


def fault_rows(checks: Sequence[Check]) -> list[FaultRow]:
    """A row for each fault, in the order in which they are planted."""
    faults = dict.fromkeys(row["fault"] for check in checks for row in check["planted_faults"])
    return [_fault_row(fault, checks) for fault in faults]


def learned_rows(checks: Sequence[Check]) -> dict[str, dict[str, Any]]:
    """The loss on two sentences learned by heart: by network, then by truncation depth."""
    rows: dict[str, dict[str, Any]] = {}
    for check in checks:
        for network in check["networks"]:
            title = f"{cell_title(check['cell'])}, {network['title']}"
            rows.setdefault(title, {})[str(check["truncation_depth"])] = network
    return rows


def _gradient_row(check: Check) -> GradientRow:
    parameters = [found for network in check["networks"] for found in network["parameters"]]
    methods = list(check["tolerances"])
    counts = [parameter["methods"][methods[0]] for parameter in parameters]
    return GradientRow(
        check,
        parameters=len(parameters),
        compared=sum(found["compared_count"] for found in counts),
        tiny=sum(found["tiny_count"] for found in counts),
        skipped=sum(found["skipped_count"] for found in counts),
        largest={
            method: _largest(parameter["methods"][method]["error"] for parameter in parameters)
            for method in methods
        },
    )


def _fault_row(fault: str, checks: Sequence[Check]) -> FaultRow:
    places: dict[str, None] = {}
    planted: dict[str, int] = {}
    caught: dict[str, int] = {}
    errors: list[float] = []
    for check in checks:
        for row in check["planted_faults"]:
            if row["fault"] == fault:
                cell = check["cell"]
                places[row["place"]] = None
                planted[cell] = planted.get(cell, 0) + row["planted"]
                caught[cell] = caught.get(cell, 0) + row["caught"]
                errors.append(float(row["smallest_error"]))
    return FaultRow(fault, list(places), planted, caught, _smallest(errors))


def _largest(errors: Iterable[float | str]) -> float:
    """The largest number; NaN if one of them is NaN."""
    found = [float(error) for error in errors]
    return math.nan if any(map(math.isnan, found)) else max(found)


def _smallest(errors: Iterable[float]) -> float:
    """The smallest of those that are numbers; NaN without any."""
    return min((error for error in errors if not math.isnan(error)), default=math.nan)
