"""Counts of words that go to the disk where memory does not suffice."""

import tracemalloc
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.text import counting
from unrolled.text.counting import WordCounts

ANY_WORDS = st.text(
    st.characters(codec="utf-8", exclude_characters=" \n")
    | st.sampled_from("ab\t\r\x1f\x85\u2028é😀"),
    min_size=1,
    max_size=3,
)
"""Words of any characters but the two that none may hold."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all examples of a property."""
    return tmp_path_factory.mktemp("counting")


@given(
    sentences=st.lists(st.lists(ANY_WORDS, max_size=5), max_size=12),
    most_types=st.integers(1, 6),
    most_characters=st.integers(1, 9),
    most_files=st.integers(1, 3),
)
def test_counts_are_those_of_a_counter_in_the_order_of_code_points(
    folder: Path,
    sentences: list[list[str]],
    most_types: int,
    most_characters: int,
    most_files: int,
) -> None:
    with WordCounts(folder, most_types, most_characters, most_files) as counts:
        for words in sentences:
            counts.add(words)
        found = list(counts.merged())

    assert found == sorted(Counter(word for words in sentences for word in words).items())
    assert list(folder.iterdir()) == []


def files_in(folder: Path) -> list[str]:
    """The lines of each file below a folder, by the files' names."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return [path.read_text("utf-8") for path in files]


def test_more_different_words_than_are_allowed_are_set_down_sorted(tmp_path: Path) -> None:
    with WordCounts(tmp_path, most_types=3) as counts:
        counts.add(["d", "b", "d"])
        within = files_in(tmp_path)
        counts.add(["c", "a", "c"])

        assert within == []
        assert files_in(tmp_path) == ["a 1\nb 1\nc 2\nd 2\n"]


def test_so_are_words_of_more_characters_than_are_allowed(tmp_path: Path) -> None:
    sizes = []
    with WordCounts(tmp_path, most_types=4, most_characters=9) as counts:
        for words in (["bbbbbb"] * 4, ["a", "a", "c", "a"], ["a", "d", "e", "c"], ["f", "gg"] * 2):
            counts.add(words)
            sizes.append(len(files_in(tmp_path)))

        # 6 characters, since equal words are held once, then 8, and 10; after that 3
        assert sizes == [0, 0, 1, 1]
        assert files_in(tmp_path) == ["a 4\nbbbbbb 4\nc 2\nd 1\ne 1\n"]


@pytest.mark.parametrize("word", ["\r", "a\r\tb", "\x1f", "\x85", "\u2028", "\xa0"])
def test_a_word_may_be_of_other_white_space(tmp_path: Path, word: str) -> None:
    with WordCounts(tmp_path, most_types=1) as counts:
        for _ in range(3):
            counts.add(["a", word])

        assert list(counts.merged()) == sorted([("a", 3), (word, 3)])


def test_no_more_files_than_are_allowed_lie_side_by_side(tmp_path: Path) -> None:
    sizes = []
    with WordCounts(tmp_path, most_types=1, most_files=3) as counts:
        for number in range(10):
            counts.add([f"w{number}", "a"])
            sizes.append(len(files_in(tmp_path)))
        found = dict(counts.merged())

    # the third becomes one with those before, and so does the fifth, then being the third again
    assert sizes == [1, 2, 1, 2, 1, 2, 1, 2, 1, 2]
    assert found == {"a": 10, **{f"w{number}": 1 for number in range(10)}}


def test_words_are_not_held_however_many_there_are(tmp_path: Path) -> None:
    tracemalloc.start()
    with WordCounts(tmp_path, most_types=2_000) as counts:
        for number in range(50_000):
            counts.add([f"word{number}", f"word{number // 2}"])
        told = sum(1 for _ in counts.merged())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    # a word alone takes more than 50 bytes, so that all of them would take 2.5 MB and more
    assert told == 50_000
    assert peak < 1_500_000


def test_few_words_never_touch_a_file(tmp_path: Path) -> None:
    with WordCounts(tmp_path) as counts:
        counts.add(["a"] * counting.WAITING)
        counts.add(["b"])

        assert dict(counts.merged()) == {"a": counting.WAITING, "b": 1}
        assert files_in(tmp_path) == []


def test_an_error_leaves_no_file(tmp_path: Path) -> None:
    def fail() -> None:
        with WordCounts(tmp_path / "made", most_types=1) as counts:
            counts.add(["a", "b"])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()

    assert list((tmp_path / "made").iterdir()) == []
