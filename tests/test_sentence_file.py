"""Sentences as a plain file that a person can open, and the file of a user's own sentences."""

import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategies import DOCUMENTS
from unrolled.errors import DataError
from unrolled.text.sentence_file import (
    chosen,
    iterate_sentences,
    read_own_sentences,
    sentences_of,
    write_sentences,
)

STRANGE = st.lists(st.text("a\t\r\x0b\x0c\x1c\x85\xa0\u2028\u3000", min_size=1), min_size=1)
"""Words of what other readers of text take for line ends and spaces."""


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One file for all examples of a property."""
    return tmp_path_factory.mktemp("sentences") / "train.txt"


def grouped(sentences: Iterator[tuple[bool, list[str]]]) -> list[list[list[str]]]:
    """The sentences of each document."""
    documents: list[list[list[str]]] = []
    for begins, words in sentences:
        if begins:
            documents.append([])
        documents[-1].append(words)
    return documents


class TestPreparedSentences:
    def test_a_sentence_is_a_line_and_a_blank_line_parts_documents(self, tmp_path: Path) -> None:
        sentences = [(True, ["it", "fell", "."]), (False, ["we", "left"]), (True, ["yes", "!"])]

        write_sentences(tmp_path / "train.txt", sentences)

        assert (tmp_path / "train.txt").read_bytes() == b"it fell .\nwe left\n\nyes !\n"

    def test_the_first_one_begins_a_document_whatever_is_said(self, tmp_path: Path) -> None:
        write_sentences(tmp_path / "train.txt", [(False, ["a"]), (False, ["b"])])

        assert (tmp_path / "train.txt").read_bytes() == b"a\nb\n"
        assert list(iterate_sentences(tmp_path / "train.txt")) == [(True, ["a"]), (False, ["b"])]

    @given(documents=st.lists(DOCUMENTS | st.lists(STRANGE, min_size=1), max_size=4))
    def test_reading_gives_what_was_written(
        self, path: Path, documents: list[list[list[str]]]
    ) -> None:
        write_sentences(path, sentences_of(documents))

        assert grouped(iterate_sentences(path)) == documents

    def test_what_is_written_and_read_is_not_held(self, path: Path) -> None:
        sentences = ((False, ["word"] * 50) for _ in range(20_000))  # 5 MB of text

        tracemalloc.start()
        write_sentences(path, sentences)
        count = sum(1 for _ in iterate_sentences(path))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()

        assert count == 20_000
        assert peak < 1_000_000

    def test_what_is_not_utf_8_is_named_with_its_row_once_it_is_come_to(
        self, tmp_path: Path
    ) -> None:
        (tmp_path / "train.txt").write_bytes(b"it fell\n\n\xff\n")

        sentences = iterate_sentences(tmp_path / "train.txt")

        assert next(sentences) == (True, ["it", "fell"])
        with pytest.raises(DataError, match=r"train\.txt, row 3: the byte 0xff is not UTF-8"):
            next(sentences)

    @pytest.mark.parametrize("numbers", [[], [0], [2], [0, 1, 2], [1, 2]])
    def test_chosen_ones_are_those_of_their_numbers(
        self, tmp_path: Path, numbers: list[int]
    ) -> None:
        sentences = [["a"], ["b", "b"], ["c"]]
        write_sentences(tmp_path / "test.txt", sentences_of([sentences[:2], sentences[2:]]))

        assert chosen(tmp_path / "test.txt", numbers) == [sentences[number] for number in numbers]

    def test_what_comes_after_the_last_chosen_one_is_not_read(self, tmp_path: Path) -> None:
        (tmp_path / "test.txt").write_bytes(b"a\nb\n\xff\n")

        assert chosen(tmp_path / "test.txt", [1]) == [["b"]]

    def test_a_chosen_one_that_is_not_there_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "test.txt").write_bytes(b"a\n\nb\n")

        with pytest.raises(DataError, match=r"test\.txt must have 3 sentences or more; it has few"):
            chosen(tmp_path / "test.txt", [0, 2])


def own(folder: Path, content: bytes) -> list[str]:
    """What is read of a user's file."""
    (folder / "mine.txt").write_bytes(content)
    return read_own_sentences(folder / "mine.txt")


class TestOwnSentences:
    @pytest.mark.parametrize(
        "content",
        [
            b"It fell.\nWe left.\n",
            b"It fell.\nWe left.",
            b"\xef\xbb\xbfIt fell.\r\nWe left.\r\n",
            b"\n  It fell. \n \t\n\nWe left.\n\n",
        ],
    )
    def test_each_line_that_is_not_blank_is_one(self, tmp_path: Path, content: bytes) -> None:
        assert own(tmp_path, content) == ["It fell.", "We left."]

    def test_only_a_line_feed_ends_one(self, tmp_path: Path) -> None:
        assert own(tmp_path, "It\u2028fell.\n".encode()) == ["It\u2028fell."]

    @pytest.mark.parametrize("content", [b"", b"\n", b" \r\n\t\n", b"\xef\xbb\xbf\n"])
    def test_a_file_without_a_sentence_is_refused(self, tmp_path: Path, content: bytes) -> None:
        with pytest.raises(DataError, match=r"mine\.txt has no sentence in it; write one a line$"):
            own(tmp_path, content)

    @pytest.mark.parametrize(
        "content", [b"Fine.\ncaf\xe9.\n", "Fine.\n".encode("utf-16"), b"\n\xed\xa0\x80\n"]
    )
    def test_a_file_that_is_not_utf_8_is_named_with_its_row(
        self, tmp_path: Path, content: bytes
    ) -> None:
        with pytest.raises(DataError, match=r"mine\.txt, row [12]: the byte 0x.. is not UTF-8"):
            own(tmp_path, content)

    def test_a_missing_file_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match=r"none\.txt cannot be read: No such file"):
            read_own_sentences(tmp_path / "none.txt")
