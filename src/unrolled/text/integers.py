"""Integers in few bytes, for the arrays that are as long as a split has sentences or pairs."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.signedinteger[Any]]
"""Integers of 32 bits where these hold the largest, else of 64."""


def integer_type(largest: int) -> type[np.signedinteger[Any]]:
    """The type of an array of integers from 0 to the largest."""
    return np.int32 if largest < 2**31 else np.int64
