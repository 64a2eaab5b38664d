"""Integers in as few bytes as hold the largest."""

import numpy as np
import pytest

from unrolled.text.integers import integer_type


@pytest.mark.parametrize("largest", [0, 1, 2**31 - 1, 2**31, 2**40])
def test_the_largest_number_fits_and_no_wider_type_is_taken_than_it_needs(largest: int) -> None:
    found = integer_type(largest)

    assert np.array([0, largest], dtype=found).tolist() == [0, largest]
    assert np.dtype(found).itemsize == (4 if largest < 2**31 else 8)
