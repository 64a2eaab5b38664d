"""What has been seen before: equal to a set, whatever comes in which portions."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.text import repetition as module
from unrolled.text.repetition import Seen, hash_of

PORTIONS = st.lists(st.lists(st.integers(0, 30) | st.integers(0, 2**64 - 1), max_size=12))


@given(portions=PORTIONS, longest=st.integers(1, 20))
def test_a_hash_is_new_exactly_where_a_set_has_not_met_it(
    portions: list[list[int]], longest: int
) -> None:
    seen, met = Seen(), set[int]()

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(module, "LONGEST", longest)
        for portion in portions:
            found = seen.first(np.array(portion, dtype=np.uint64))

            for number, is_new in zip(portion, found.tolist(), strict=True):
                assert is_new == (number not in met)
                met.add(number)


def test_what_is_known_lies_in_few_sorted_arrays_of_falling_length() -> None:
    seen = Seen()

    for number in range(1000):
        seen.first(np.array([number * 7919 % 1000], dtype=np.uint64))

    lengths = [len(known) for known in seen._known]
    assert sum(lengths) == 1000
    assert all(longer > 2 * shorter for longer, shorter in pairwise(lengths))
    assert all(np.all(np.diff(known.astype(object)) > 0) for known in seen._known)


def test_an_array_that_is_long_enough_is_not_merged_any_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "LONGEST", 8)
    seen = Seen()

    for number in range(40):
        seen.first(np.array([number], dtype=np.uint64))

    # 8 may still be merged, with 4 and more, and what comes of it is too long
    assert sum(len(known) for known in seen._known) == 40
    assert max(len(known) for known in seen._known) <= 2 * 8 + 1


def test_nothing_new_is_in_nothing() -> None:
    assert Seen().first(np.zeros(0, dtype=np.uint64)).tolist() == []


@pytest.mark.parametrize("text", ["", "one two", "\u2028\U0001f600"])
def test_a_hash_has_64_bits_and_depends_on_the_text_alone(text: str) -> None:
    assert hash_of(text) == hash_of("".join(text))
    assert 0 <= hash_of(text) < 2**64
    assert hash_of(text) != hash_of(text + " ")
