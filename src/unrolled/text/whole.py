"""Whole numbers in few bytes, for the arrays that are as long as a split has sentences or pairs."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Whole = NDArray[np.signedinteger[Any]]
"""Whole numbers of 32 bits where these hold the largest, else of 64."""


def whole_type(largest: int) -> type[np.signedinteger[Any]]:
    """The type of an array of whole numbers from 0 to the largest."""
    return np.int32 if largest < 2**31 else np.int64
