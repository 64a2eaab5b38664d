"""The figures of a corpus."""

from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strategies import TEXTS
from unrolled.storage import read_json, write_json
from unrolled.text.dataset import encode_documents
from unrolled.text.profile import profile
from unrolled.text.vocabulary import RESERVED, Vocabulary, build_vocabulary

TRAIN = [[["a", "b", "a"], ["a"]], [["b", "ccc"]]]
VALID = [[["a", "x", "yyy", "x"]]]
REJECTED = {"short": 2, "long": 1}


def profile_of(splits: dict[str, list[list[list[str]]]], vocabulary: Vocabulary) -> dict[str, Any]:
    datasets = {name: encode_documents(text, vocabulary) for name, text in splits.items()}
    return profile(splits, datasets, vocabulary, REJECTED)


@pytest.fixture
def found() -> dict[str, Any]:
    """The profile of the two splits above, words seen once being unknown."""
    vocabulary = build_vocabulary([words for part in TRAIN for words in part], 100, 2)
    return profile_of({"train": TRAIN, "valid": VALID}, vocabulary)


def test_a_split_is_counted_in_words_without_starts_and_ends(found: dict[str, Any]) -> None:
    assert found["splits"]["train"] == {
        "documents": 2,
        "sentences": 3,
        "tokens": 6,
        "types": 3,
        "unknown_rate": 1 / 6,  # ccc
        "longest_token": "ccc",
        "length_histogram": {1: 1, 2: 1, 3: 1},
    }
    assert found["splits"]["valid"] == {
        "documents": 1,
        "sentences": 1,
        "tokens": 4,
        "types": 3,
        "unknown_rate": 3 / 4,  # x, yyy, x
        "longest_token": "yyy",
        "length_histogram": {4: 1},
    }


def test_the_last_word_of_the_vocabulary_is_told_with_its_count(found: dict[str, Any]) -> None:
    # a stands three times and b twice; with the reserved three that makes five
    assert found["vocabulary_size"] == 5
    assert found["rarest_kept"] == {"token": "b", "count": 2}


def test_a_vocabulary_of_reserved_tokens_alone_has_no_rarest_word() -> None:
    found = profile_of({"train": TRAIN}, Vocabulary(RESERVED, [3, 3, 6]))

    assert found["rarest_kept"] is None
    assert found["words_kept"] == 0
    assert found["word_frequencies"] == [[1, 3], [2, 2], [3, 1]]
    assert found["splits"]["train"]["unknown_rate"] == 1.0


def test_words_are_counted_by_rank_whether_or_not_they_are_kept(found: dict[str, Any]) -> None:
    # a three times, b twice, ccc once, which is not in the vocabulary
    assert found["word_frequencies"] == [[1, 3], [2, 2], [3, 1]]
    assert found["words_kept"] == 2


def test_of_many_words_about_sixty_ranks_are_told() -> None:
    # the word of rank r occurs 1001 - r times
    sentence = [f"w{rank}" for rank in range(1, 1001) for _ in range(1001 - rank)]
    vocabulary = build_vocabulary([sentence], 500, 1)  # 497 words and the reserved three

    frequencies = profile_of({"train": [[sentence]]}, vocabulary)["word_frequencies"]

    ranks = [rank for rank, _ in frequencies]
    assert [count for _, count in frequencies] == [1001 - rank for rank in ranks]
    assert {1, 497, 1000} <= set(ranks)
    assert 45 <= len(ranks) <= 61
    # of 60 places that are evenly spaced each is 1000 ** (1 / 59) = 1.124 times the one before,
    # and beyond rank 50 a rank is at most 1 % away from its place: 1.124 * 1.02 = 1.147
    spaced = [rank for rank in ranks if rank > 50]
    assert all(later / rank < 1.147 for rank, later in pairwise(spaced))


def test_reasons_to_put_a_sentence_aside_are_in_the_order_of_the_alphabet(
    found: dict[str, Any],
) -> None:
    assert list(found["rejected_sentences"].items()) == [("long", 1), ("short", 2)]


def test_of_tokens_of_one_length_the_last_by_code_points_is_the_longest() -> None:
    vocabulary = build_vocabulary([["a"]], 100, 1)

    found = profile_of({"train": [[["bb", "cc", "a"]]]}, vocabulary)

    assert found["splits"]["train"]["longest_token"] == "cc"


def test_it_can_be_written_as_json(found: dict[str, Any], tmp_path: Path) -> None:
    write_json(tmp_path / "profile.json", found)

    assert read_json(tmp_path / "profile.json")["splits"]["train"]["length_histogram"] == {
        "1": 1,
        "2": 1,
        "3": 1,
    }


@settings(max_examples=50)
@given(text=TEXTS)
def test_lengths_add_up_to_the_sentences_and_to_the_tokens(text: list[list[list[str]]]) -> None:
    vocabulary = build_vocabulary([words for part in text for words in part], 1000, 1)

    split = profile_of({"train": text}, vocabulary)["splits"]["train"]

    histogram = split["length_histogram"]
    assert sum(histogram.values()) == split["sentences"]
    assert sum(length * count for length, count in histogram.items()) == split["tokens"]
    assert split["unknown_rate"] == 0.0


@settings(max_examples=50)
@given(text=TEXTS, size=st.integers(4, 30))
def test_the_counts_told_are_those_of_a_counter(text: list[list[list[str]]], size: int) -> None:
    sentences = [words for part in text for words in part]
    counts = Counter(word for words in sentences for word in words)
    vocabulary = build_vocabulary(sentences, size, 1)

    found = profile_of({"train": text}, vocabulary)

    told = dict(found["word_frequencies"])
    expected = dict(enumerate((count for _, count in counts.most_common()), start=1))
    assert told.items() <= expected.items()
    assert {1, found["words_kept"], len(counts)} <= told.keys()
    assert found["words_kept"] == min(size - 3, len(counts))
