"""The figures of a corpus."""

import tempfile
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategies import TEXTS
from unrolled.storage import read_json, write_json
from unrolled.text.counting import WordCounts
from unrolled.text.profile import Passing, SplitFigures, profile
from unrolled.text.sentence_file import sentences_of
from unrolled.text.vocabulary import RESERVED, Vocabulary, build_vocabulary

TRAIN = [[["a", "b", "a"], ["a"]], [["b", "ccc"]]]
VALID = [[["a", "x", "yyy", "x"]]]
ACCOUNTS = {"rows": {"read": 9}, "sentences": {"read": 7, "put_aside": {"short": 2, "long": 1}}}

Text = list[list[list[str]]]


def vocabulary_of(text: Text, size: int = 1000, minimum_count: int = 1) -> Vocabulary:
    """The vocabulary of a split's words."""
    counts = Counter(word for part in text for words in part for word in words)
    return build_vocabulary(counts.items(), sum(map(len, text)), size, minimum_count)


def figures_of(
    text: Text, vocabulary: Vocabulary, unknown_token: str | None = None
) -> SplitFigures:
    """What was counted of a split while its sentences have passed."""
    with tempfile.TemporaryDirectory() as folder, WordCounts(folder, most_types=5) as counts:
        passing = Passing(counts)
        assert list(passing.noted(sentences_of(text))) == list(sentences_of(text))
        return passing.figures(vocabulary, unknown_token)


def profile_of(
    splits: dict[str, Text], vocabulary: Vocabulary, unknown_token: str | None = None
) -> dict[str, Any]:
    figures = {name: figures_of(text, vocabulary, unknown_token) for name, text in splits.items()}
    return profile(figures, vocabulary, ACCOUNTS)


@pytest.fixture
def found() -> dict[str, Any]:
    """The profile of the two splits above, words seen once being unknown."""
    vocabulary = vocabulary_of(TRAIN, 100, 2)
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
    vocabulary = vocabulary_of([[sentence]], 500)  # 497 words and the reserved three

    frequencies = profile_of({"train": [[sentence]]}, vocabulary)["word_frequencies"]

    ranks = [rank for rank, _ in frequencies]
    assert [count for _, count in frequencies] == [1001 - rank for rank in ranks]
    assert {1, 497, 1000} <= set(ranks)
    assert 45 <= len(ranks) <= 61
    # of 60 places that are evenly spaced each is 1000 ** (1 / 59) = 1.124 times the one before,
    # and beyond rank 50 a rank is at most 1 % away from its place: 1.124 * 1.02 = 1.147
    spaced = [rank for rank in ranks if rank > 50]
    assert all(later / rank < 1.147 for rank, later in pairwise(spaced))


def test_the_accounts_are_told_as_they_are(found: dict[str, Any]) -> None:
    assert found["accounts"] == ACCOUNTS


def test_of_tokens_of_one_length_the_last_by_code_points_is_the_longest() -> None:
    vocabulary = vocabulary_of([[["a"]]])

    found = profile_of({"train": [[["bb", "cc", "a"]]]}, vocabulary)

    assert found["splits"]["train"]["longest_token"] == "cc"


def test_what_stands_for_unknown_words_is_a_token_but_no_word() -> None:
    train = [[["<unk>", "a", "<unk>", "b", "a", "<unk>"]]]
    vocabulary = Vocabulary([*RESERVED, "a", "b"], [1, 1, 3, 2, 1])

    found = profile_of({"train": train}, vocabulary, "<unk>")

    split = found["splits"]["train"]
    assert (split["tokens"], split["types"], split["longest_token"]) == (6, 2, "b")
    assert split["unknown_rate"] == 3 / 6
    assert split["length_histogram"] == {6: 1}
    assert found["word_frequencies"] == [[1, 2], [2, 1]]  # the last rank is that of the last word


def test_where_it_is_not_named_it_is_a_word_like_any_other() -> None:
    train = [[["<unk>", "a", "<unk>"]]]

    found = profile_of({"train": train}, vocabulary_of(train))

    split = found["splits"]["train"]
    assert (split["types"], split["longest_token"], split["unknown_rate"]) == (2, "<unk>", 0.0)
    assert found["word_frequencies"] == [[1, 2], [2, 1]]


def test_it_can_be_written_as_json(found: dict[str, Any], tmp_path: Path) -> None:
    write_json(tmp_path / "profile.json", found)

    assert read_json(tmp_path / "profile.json")["splits"]["train"]["length_histogram"] == {
        "1": 1,
        "2": 1,
        "3": 1,
    }


@given(text=TEXTS)
def test_lengths_add_up_to_the_sentences_and_to_the_tokens(text: Text) -> None:
    vocabulary = vocabulary_of(text)

    split = profile_of({"train": text}, vocabulary)["splits"]["train"]

    histogram = split["length_histogram"]
    assert sum(histogram.values()) == split["sentences"]
    assert sum(length * count for length, count in histogram.items()) == split["tokens"]
    assert split["unknown_rate"] == 0.0


@given(text=TEXTS, size=st.integers(4, 30))
def test_the_counts_told_are_those_of_a_counter(text: Text, size: int) -> None:
    counts = Counter(word for part in text for words in part for word in words)
    vocabulary = vocabulary_of(text, size)

    found = profile_of({"train": text}, vocabulary)

    told = dict(found["word_frequencies"])
    expected = dict(enumerate((count for _, count in counts.most_common()), start=1))
    assert told.items() <= expected.items()
    assert {1, found["words_kept"], len(counts)} <= told.keys()
    assert found["words_kept"] == min(size - 3, len(counts))
