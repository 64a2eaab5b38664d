"""From the bytes of files to documents: what parts them, what names them, what is refused."""

from pathlib import Path
from typing import Literal

import pytest

from unrolled.corpus.document import Document
from unrolled.corpus.readers import read_documents
from unrolled.errors import DataError

Kind = Literal["file", "block", "row"]
KINDS: tuple[Kind, ...] = ("file", "block", "row")

POEM = "\n\nOne.\nTwo.\n \t\n\nThree.\n"
"""Rows 3 and 4 are a block, so is row 7; row 5 holds white space only."""


def read(
    folder: Path, content: str | bytes, kind: Kind = "file", column: str | None = None
) -> list[Document]:
    """The documents of one file, a.txt."""
    content = content.encode() if isinstance(content, str) else content
    (folder / "a.txt").write_bytes(content)
    return list(read_documents(folder, kind, column))


class TestPlainText:
    def test_a_file_is_a_document(self, tmp_path: Path) -> None:
        assert read(tmp_path, POEM, "file") == [Document("a.txt", POEM)]

    def test_a_block_is_named_by_its_first_row(self, tmp_path: Path) -> None:
        assert read(tmp_path, POEM, "block") == [
            Document("a.txt:3", "One.\nTwo."),
            Document("a.txt:7", "Three."),
        ]

    def test_a_row_is_named_by_itself(self, tmp_path: Path) -> None:
        assert read(tmp_path, POEM, "row") == [
            Document("a.txt:3", "One."),
            Document("a.txt:4", "Two."),
            Document("a.txt:7", "Three."),
        ]

    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize("content", ["", "\n", " \t\r\n\u2028\n", "\ufeff", "\ufeff\r\n"])
    def test_a_blank_file_has_no_document(self, tmp_path: Path, kind: Kind, content: str) -> None:
        assert read(tmp_path, content, kind) == []

    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize("line_end", ["\r\n", "\r"])
    def test_every_line_end_reads_as_a_line_feed(
        self, tmp_path: Path, kind: Kind, line_end: str
    ) -> None:
        expected = read(tmp_path, POEM, kind)

        assert read(tmp_path, POEM.replace("\n", line_end), kind) == expected

    @pytest.mark.parametrize("kind", KINDS)
    def test_a_byte_order_mark_goes(self, tmp_path: Path, kind: Kind) -> None:
        assert read(tmp_path, "\ufeffOne.", kind)[0].text == "One."

    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize("character", "\u2028\u2029\x85\x0b\x0c\x1c\x1e")
    def test_only_a_line_feed_ends_a_line(self, tmp_path: Path, kind: Kind, character: str) -> None:
        text = f"One{character}{character}two."

        assert [document.text for document in read(tmp_path, text, kind)] == [text]

    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
    def test_a_byte_that_is_not_utf_8_is_named_with_its_row(
        self, tmp_path: Path, kind: Kind, line_end: str
    ) -> None:
        content = f"One.{line_end}Two.{line_end}".encode() + b"\xffThree."

        with pytest.raises(DataError, match=r"a\.txt, row 3: the byte 0xff is not UTF-8"):
            read(tmp_path, content, kind)

    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize("column", [None, "text"])
    def test_a_nul_is_named_with_its_row(
        self, tmp_path: Path, kind: Kind, column: str | None
    ) -> None:
        with pytest.raises(DataError, match=r"a\.txt, row 3: found a NUL character"):
            read(tmp_path, "text\r\nOne.\r\nTw\0o.\r\n", kind, column)

    @pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32-be"])
    def test_other_encodings_of_unicode_are_refused(self, tmp_path: Path, encoding: str) -> None:
        with pytest.raises(DataError, match=r"a\.txt, row 1: .* UTF-8"):
            read(tmp_path, "One.".encode(encoding))


class TestFolders:
    def test_documents_come_in_the_order_of_paths_and_are_named_by_them(
        self, tmp_path: Path
    ) -> None:
        folder = tmp_path / "raw text"
        for name in ("b.txt", "year two/a.txt", "year one/z.txt", "B.txt"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text("Words.")

        documents = list(read_documents(folder, "row", None))

        assert [document.name for document in documents] == [
            "B.txt:1",
            "b.txt:1",
            "year one/z.txt:1",
            "year two/a.txt:1",
        ]

    def test_a_bad_file_is_not_passed_over(self, tmp_path: Path) -> None:
        (tmp_path / "a.txt").write_text("One.")
        (tmp_path / "b.txt").write_bytes(b"\xff")
        documents = read_documents(tmp_path, "file", None)

        assert next(documents).name == "a.txt"
        with pytest.raises(DataError, match=r"b\.txt, row 1"):
            next(documents)


class TestColumns:
    @pytest.mark.parametrize("kind", ["block", "row"])
    def test_a_record_is_a_document_named_by_its_first_row(
        self, tmp_path: Path, kind: Kind
    ) -> None:
        content = 'id,text\n1,"One,\n\nand ""more""."\n\n2,Two.\n3,Three.'

        # The first record takes rows 2 to 4, and row 5 is blank.
        assert read(tmp_path, content, kind, "text") == [
            Document("a.txt:2", 'One,\n\nand "more".'),
            Document("a.txt:6", "Two."),
            Document("a.txt:7", "Three."),
        ]

    def test_a_file_is_its_records_parted_by_blank_lines(self, tmp_path: Path) -> None:
        content = 'text,id\n"One,\ntwo.",1\n ,2\nThree.,3\n'

        assert read(tmp_path, content, "file", "text") == [
            Document("a.txt", "One,\ntwo.\n\nThree.")
        ]

    @pytest.mark.parametrize("kind", KINDS)
    def test_blank_cells_make_no_document(self, tmp_path: Path, kind: Kind) -> None:
        assert read(tmp_path, 'id,text\n1,\n2," \n"\n', kind, "text") == []

    @pytest.mark.parametrize("line_end", ["\r\n", "\r"])
    def test_every_line_end_reads_as_a_line_feed_within_quotes_too(
        self, tmp_path: Path, line_end: str
    ) -> None:
        content = 'text\n"One\ntwo."\nThree.\n'.replace("\n", line_end)

        assert read(tmp_path, content, "row", "text") == [
            Document("a.txt:2", "One\ntwo."),
            Document("a.txt:4", "Three."),
        ]

    def test_a_byte_order_mark_is_no_part_of_the_first_column(self, tmp_path: Path) -> None:
        assert read(tmp_path, "\ufefftext\nOne.\n", "row", "text") == [Document("a.txt:2", "One.")]

    def test_a_line_separator_ends_no_record(self, tmp_path: Path) -> None:
        documents = read(tmp_path, "text\nOne\u2028two.\nThree.\n", "row", "text")

        assert documents == [Document("a.txt:2", "One\u2028two."), Document("a.txt:3", "Three.")]

    @pytest.mark.parametrize("quote", ["", '"'])
    def test_a_field_may_be_longer_than_131_072_characters(
        self, tmp_path: Path, quote: str
    ) -> None:
        text = "word " * 30_000  # 150,000 characters

        documents = read(tmp_path, f"text\n{quote}{text}{quote}\n", "row", "text")

        assert [document.text for document in documents] == [text]

    @pytest.mark.parametrize("kind", KINDS)
    def test_a_quote_that_is_never_closed_is_named_where_it_opens(
        self, tmp_path: Path, kind: Kind
    ) -> None:
        with pytest.raises(DataError, match=r"a\.txt, row 3: the record that starts here is not"):
            read(tmp_path, 'text\nOne.\n"Two.\nThree.\nFour.\n', kind, "text")

    def test_a_quote_that_closes_too_early_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match=r"a\.txt, row 2: .* expected after"):
            read(tmp_path, 'text\n"One" two.\n', "row", "text")

    @pytest.mark.parametrize(("row", "count"), [("2", 1), ("2,Two.,more", 3)])
    def test_a_ragged_row_is_named(self, tmp_path: Path, row: str, count: int) -> None:
        with pytest.raises(DataError, match=rf"a\.txt, row 4: {count} cells under 2 columns"):
            read(tmp_path, f'id,text\n1,"One\none."\n{row}\n', "row", "text")

    def test_a_missing_column_is_named_with_what_was_found(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match=r"a\.txt, row 1: corpus\.column .*found 'id', 'body'"):
            read(tmp_path, "id,body\n1,One.\n", "row", "text")

    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize("content", ["id,text", "id,text\n", "id,text\r\n\r\n"])
    def test_a_header_alone_is_refused(self, tmp_path: Path, kind: Kind, content: str) -> None:
        with pytest.raises(DataError, match=r"a\.txt, row 1: found a header only"):
            read(tmp_path, content, kind, "text")

    def test_a_byte_that_is_not_utf_8_is_named_with_its_row(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match=r"a\.txt, row 2: the byte 0xe9 is not UTF-8"):
            read(tmp_path, b"text\ncaf\xe9\n", "row", "text")
