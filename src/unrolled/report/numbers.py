"""How numbers are written for people."""

import math
import re
from collections.abc import Sequence


def number(value: float | str | None, digits: int = 1) -> str:
    """A number for reading: thousands parted, a fixed count of decimals; a dash for none.

    What rounds to zero has no sign.
    """
    if value is None or value == "":
        return "–"
    if math.isnan(float(value)):
        return "no number"
    return f"{float(value):z,.{digits}f}".replace("-", "−")


def whole(value: float | str | None) -> str:
    """The same without decimals."""
    return number(value, 0)


def percent(value: float | str | None) -> str:
    """A share of one, in percent."""
    return "–" if value is None or value == "" else f"{100 * float(value):.1f} %"


def error(value: float | str) -> str:
    """The size of an error, to a digit or two."""
    found = float(value)
    return f"{found:.1e}" if math.isfinite(found) else "no number"


def power(value: float) -> str:
    """A round power of ten, such as a tolerance: 1e-7."""
    return re.sub(r"e([-+])0*", r"e\1", f"{value:g}")


def spread(values: Sequence[float], digits: int) -> str:
    """How far sorted values of some seeds reach, in words."""
    least, largest = number(values[0], digits), number(values[-1], digits)
    if least == largest:
        return f"with each of {len(values)} seeds"
    return f"{least} to {largest} over {len(values)} seeds"
