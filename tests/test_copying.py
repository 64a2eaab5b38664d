"""Which spans of sentences were copied from a split, held against looking everywhere."""

import tracemalloc
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_strategies import dataset_of, sentence
from unrolled.analysis import copying
from unrolled.analysis.copying import copied_spans
from unrolled.text.dataset import Dataset
from unrolled.text.vocabulary import END, START, UNKNOWN

A, B, C, D, E = range(3, 8)

FEW_WORDS = st.integers(UNKNOWN, D)
"""So few that copies are frequent; the unknown word is one of them."""

TEXTS = st.lists(st.lists(FEW_WORDS, min_size=1, max_size=12), min_size=1, max_size=6)


def split_of(*sentences: Sequence[int]) -> Dataset:
    return dataset_of([sentence(*words) for words in sentences])


def spans_by_search(
    words: Sequence[int], text: Sequence[Sequence[int]], least: int
) -> list[tuple[int, int]]:
    """The copied spans of one sentence: all that there are, less those inside another one."""
    copied = [
        (begin, end)
        for begin in range(len(words))
        for end in range(begin + least, len(words) + 1)
        if UNKNOWN not in words[begin:end]
        and any(
            words[begin:end] == other[place : place + end - begin]
            for other in text
            for place in range(len(other))
        )
    ]
    return [
        (begin, end)
        for begin, end in copied
        if not any(
            first <= begin and end <= last and (first, last) != (begin, end)
            for first, last in copied
        )
    ]


@given(text=TEXTS, sentences=TEXTS, least=st.integers(1, 5), block=st.integers(1, 30))
def test_spans_are_those_that_a_search_for_each_span_finds(
    text: list[list[int]], sentences: list[list[int]], least: int, block: int
) -> None:
    found = copied_spans(sentences, split_of(*text), least, block)

    assert found == [spans_by_search(words, text, least) for words in sentences]


@given(text=TEXTS, sentences=TEXTS, least=st.integers(1, 5))
def test_windows_of_equal_hash_are_compared_word_by_word(
    text: list[list[int]], sentences: list[list[int]], least: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(copying, "MULTIPLIER", 1)  # the same words in any order have one hash
        found = copied_spans(sentences, split_of(*text), least)

    assert found == [spans_by_search(words, text, least) for words in sentences]


@given(text=TEXTS, block=st.integers(1, 30))
def test_a_sentence_of_the_split_is_copied_as_a_whole(text: list[list[int]], block: int) -> None:
    known = [[A, *(word for word in words if word != UNKNOWN)] for words in text]

    found = copied_spans(known, split_of(*known), least=1, block=block)

    assert found == [[(0, len(words))] for words in known]


def test_spans_of_five_words_are_the_shortest() -> None:
    split = split_of([A, B, C, D, E, A])

    four, five = [A, B, C, D, A], [A, B, C, D, E, E]
    assert copied_spans([four, five], split) == [[], [(0, 5)]]


def test_spans_may_overlap() -> None:
    split = split_of([A, B, C, D], [C, D, E, A])

    assert copied_spans([[A, B, C, D, E, A]], split, least=3) == [[(0, 4), (2, 6)]]


def test_the_longest_of_several_copies_counts() -> None:
    split = split_of([A, B, C, E], [E, A, B, C, D, E], [A, B, C, A])

    assert copied_spans([[B, A, B, C, D, E, B]], split, least=3) == [[(1, 6)]]


def test_no_copy_goes_on_from_sentence_to_sentence() -> None:
    split = split_of([A, B, C], [D, E])

    assert copied_spans([[A, B, C, D, E]], split, least=4) == [[]]


def test_reserved_words_are_never_copied() -> None:
    split = split_of([A, B, UNKNOWN, C, D])

    sentences = [[A, B, UNKNOWN, C, D], [START, A, B], [C, D, END]]
    found = copied_spans(sentences, split, least=2)
    assert found == [[(0, 2), (3, 5)], [(1, 3)], [(0, 2)]]


def test_a_split_shorter_than_a_span_and_sentences_that_are_lead_to_no_span() -> None:
    assert copied_spans([[A, B, C, D, E]], split_of([A])) == [[]]
    assert copied_spans([[], [A]], split_of([A, B, C, D, E])) == [[], []]
    assert copied_spans([], split_of([A])) == []


def test_pages_of_the_split_are_given_back_after_each_block(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    released: list[Dataset] = []
    monkeypatch.setattr(Dataset, "release", lambda dataset: released.append(dataset))
    split = split_of([A] * 20, [B] * 18)

    copied_spans([[A, A]], split, least=2, block=10)

    # 42 ids with starts and ends have 41 windows of two
    assert released == [split] * 5


def test_memory_goes_by_the_block_and_not_by_the_split() -> None:
    words = np.random.default_rng(1).integers(A, 100, 2**18).tolist()
    split = split_of(words)

    tracemalloc.start()
    try:
        found = copied_spans([words[-9:]], split, block=2**10)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    # an array as long as the split has 2 MB, one as long as a block 8 kB
    assert found == [[(0, 9)]]
    assert peak_bytes < 2**18
