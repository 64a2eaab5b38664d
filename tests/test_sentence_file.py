"""Sentences as a plain file that a person can open, and the file of a user's own sentences."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strategies import DOCUMENTS
from unrolled.errors import DataError
from unrolled.text.sentence_file import read_own_sentences, read_sentences, write_sentences


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One file for all examples of a property."""
    return tmp_path_factory.mktemp("sentences") / "train.txt"


class TestPreparedSentences:
    def test_a_sentence_is_a_line_and_a_blank_line_parts_documents(self, tmp_path: Path) -> None:
        documents = [[["it", "fell", "."], ["we", "left"]], [["yes", "!"]]]

        write_sentences(tmp_path / "train.txt", documents)

        assert (tmp_path / "train.txt").read_bytes() == b"it fell .\nwe left\n\nyes !\n"

    @settings(max_examples=50)
    @given(documents=st.lists(DOCUMENTS, max_size=4))
    def test_reading_gives_what_was_written(
        self, path: Path, documents: list[list[list[str]]]
    ) -> None:
        write_sentences(path, documents)

        assert read_sentences(path) == documents

    def test_what_is_not_utf_8_is_named_with_its_row(self, tmp_path: Path) -> None:
        (tmp_path / "train.txt").write_bytes(b"it fell\n\xff\n")

        with pytest.raises(DataError, match=r"train\.txt, row 2: the byte 0xff is not UTF-8"):
            read_sentences(tmp_path / "train.txt")


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

    def test_a_missing_file_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match=r"none\.txt cannot be read: No such file"):
            read_own_sentences(tmp_path / "none.txt")
