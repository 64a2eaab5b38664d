"""From files to passages: what parts documents, what names them, where long ones are cut."""

from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Literal, get_args
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.config.corpus_sections import ReadingConfig
from unrolled.config.sections import DocumentKind
from unrolled.corpus.document import Passage
from unrolled.corpus.reading import readers
from unrolled.corpus.reading.headings import heading_level
from unrolled.corpus.reading.readers import read_passages
from unrolled.corpus.reading.rows import Row
from unrolled.errors import ConfigError, DataError

KINDS: tuple[DocumentKind, ...] = get_args(DocumentKind)

POEM = "\n\nOne.\nTwo.\n \t\n\nThree.\n"
"""Rows 3 and 4 are a block, so is row 7; row 5 holds white space only."""

ARTICLES = (
    " \n = Robert <unk> = \n \n Robert is an actor . \n \n = = Career = = \n \n He acts . \n \n"
    " = Other = \n \n Another . \n"
)
"""As WikiText has them: articles start on rows 2 and 10."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where one file can be written, again and again."""
    return tmp_path_factory.mktemp("raw")


def config(
    form: Literal["text", "csv", "jsonl"] = "text",
    encoding: str | Mapping[str, str] = "utf-8",
    field: str = "text",
) -> ReadingConfig:
    column = "text" if form == "csv" else None
    return ReadingConfig(
        form, column, field if form == "jsonl" else None, encoding, rejected_share=0, splits=None
    )


def ignore(file: str, row: Row) -> None:
    """Take note of nothing."""


def read(
    folder: Path,
    content: str | bytes,
    kind: DocumentKind = "file",
    form: Literal["text", "csv", "jsonl"] = "text",
) -> list[Passage]:
    """The passages of one file, a.txt."""
    content = content.encode() if isinstance(content, str) else content
    (folder / "a.txt").write_bytes(content)
    return list(read_passages(folder, config(form), kind, ignore))


def noted(
    folder: Path, content: bytes, kind: DocumentKind, form: Literal["text", "csv", "jsonl"]
) -> list[tuple[str, int, str | None, str | None]]:
    """What is noted while one file is read: its name, and each row without its content."""
    found: list[tuple[str, int, str | None, str | None]] = []
    (folder / "a.txt").write_bytes(content)

    def note(file: str, row: Row) -> None:
        found.append((file, row.number, row.text, row.reason))

    list(read_passages(folder, config(form), kind, note))
    return found


class TestPlainText:
    def test_a_file_is_a_document(self, tmp_path: Path) -> None:
        assert read(tmp_path, POEM, "file") == [Passage("a.txt", POEM)]

    def test_a_block_is_named_by_its_first_row(self, tmp_path: Path) -> None:
        assert read(tmp_path, POEM, "block") == [
            Passage("a.txt:3", "One.\nTwo."),
            Passage("a.txt:7", "Three."),
        ]

    def test_a_row_is_named_by_itself(self, tmp_path: Path) -> None:
        assert read(tmp_path, POEM, "row") == [
            Passage("a.txt:3", "One."),
            Passage("a.txt:4", "Two."),
            Passage("a.txt:7", "Three."),
        ]

    def test_without_headings_a_file_is_one_article_named_by_its_first_row(
        self, tmp_path: Path
    ) -> None:
        assert read(tmp_path, POEM, "heading") == [Passage("a.txt:1", POEM)]

    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize("content", ["", "\n", " \t\r\n\u2028\n", "\ufeff", "\ufeff\r\n"])
    def test_a_blank_file_has_no_passage(
        self, tmp_path: Path, kind: DocumentKind, content: str
    ) -> None:
        assert read(tmp_path, content, kind) == []

    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize("text", [POEM, ARTICLES])
    @pytest.mark.parametrize("line_end", ["\r\n", "\r"])
    def test_every_line_end_reads_as_a_line_feed(
        self, tmp_path: Path, kind: DocumentKind, text: str, line_end: str
    ) -> None:
        expected = read(tmp_path, text, kind)

        assert read(tmp_path, text.replace("\n", line_end), kind) == expected

    @pytest.mark.parametrize("kind", KINDS)
    def test_a_byte_order_mark_goes(self, tmp_path: Path, kind: DocumentKind) -> None:
        assert read(tmp_path, "\ufeffOne.", kind)[0].text == "One."

    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize("character", "\u2028\u2029\x85\x0b\x0c\x1c\x1e")
    def test_only_a_line_end_ends_a_line(
        self, tmp_path: Path, kind: DocumentKind, character: str
    ) -> None:
        text = f"One{character}{character}two."

        assert [passage.text for passage in read(tmp_path, text, kind)] == [text]

    @pytest.mark.parametrize(
        ("kind", "expected"),
        [
            ("file", [Passage("a.txt", "One.\nThree.\n\nSix.\n")]),
            # row 5 was not blank, as far as is known, so the second block begins there
            ("block", [Passage("a.txt:1", "One.\nThree."), Passage("a.txt:5", "Six.")]),
            (
                "row",
                [
                    Passage("a.txt:1", "One."),
                    Passage("a.txt:3", "Three."),
                    Passage("a.txt:6", "Six."),
                ],
            ),
            ("heading", [Passage("a.txt:1", "One.\nThree.\n\nSix.\n")]),
        ],
    )
    def test_rows_that_are_rejected_are_missing_and_part_nothing(
        self, tmp_path: Path, kind: DocumentKind, expected: list[Passage]
    ) -> None:
        assert read(tmp_path, b"One.\n\xff\nThree.\n\n\0\nSix.\n", kind) == expected


class TestHeadings:
    @pytest.mark.parametrize(
        ("line", "level"),
        [
            (" = Robert <unk> = ", 1),
            ("= Robert =", 1),
            (" = = Early life = = ", 2),
            ("== Early life ==", 2),
            (" = = = Films = = = ", 3),
            ("=== Films ===", 3),
            (" = = Unequal = ", 0),
            (" = Unequal = = ", 0),
            (" = 2 x = 3 = ", 0),
            ("=Close=", 0),
            (" =   = ", 0),
            (" = = ", 0),
            ("=", 0),
            ("", 0),
            (" = Open", 0),
            ("Robert = ", 0),
            ("One = two = three", 0),
        ],
    )
    def test_marks_are_counted_where_both_sides_have_as_many(self, line: str, level: int) -> None:
        assert heading_level(line) == level

    def test_an_article_begins_at_a_heading_of_the_first_level(self, tmp_path: Path) -> None:
        first, second = ARTICLES.split("\n = Other")

        passages = read(tmp_path, ARTICLES, "heading")

        # what stands before the first heading is blank
        assert passages == [
            Passage("a.txt:2", first.removeprefix(" \n")),
            Passage("a.txt:10", f" = Other{second}"),
        ]

    def test_what_stands_before_the_first_heading_is_a_document(self, tmp_path: Path) -> None:
        assert read(tmp_path, "Preface.\n\n= A =\n\nText.\n\n= B =", "heading") == [
            Passage("a.txt:1", "Preface.\n"),
            Passage("a.txt:3", "= A =\n\nText.\n"),
            Passage("a.txt:7", "= B ="),
        ]

    @pytest.mark.parametrize(
        "text",
        [
            "Key : W \n = Wins , L = \n Losses",  # a legend, as WikiText parts it
            "Key : W \n = Wins , L = \n\n",
            "\n = Wins , L = \n Losses",
        ],
    )
    def test_a_heading_stands_between_blank_lines(self, tmp_path: Path, text: str) -> None:
        assert read(tmp_path, text, "heading") == [Passage("a.txt:1", text)]

    def test_every_file_begins_an_article(self, tmp_path: Path) -> None:
        (tmp_path / "a.txt").write_text("= A =\n\nText.\n")
        (tmp_path / "b.txt").write_text("More.\n")

        passages = list(read_passages(tmp_path, config(), "heading", ignore))

        assert [passage.document for passage in passages] == ["a.txt:1", "b.txt:1"]


class TestFolders:
    def test_passages_come_in_the_order_of_paths_and_are_named_by_them(
        self, tmp_path: Path
    ) -> None:
        folder = tmp_path / "raw text"
        for name in ("b.txt", "year two/a.txt", "year one/z.txt", "B.txt", ".hidden"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text("Words.")

        passages = list(read_passages(folder, config(), "row", ignore))

        assert [passage.document for passage in passages] == [
            "B.txt:1",
            "b.txt:1",
            "year one/z.txt:1",
            "year two/a.txt:1",
        ]

    def test_each_file_has_the_encoding_of_its_name(self, tmp_path: Path) -> None:
        (tmp_path / "old").mkdir()
        (tmp_path / "old/a.txt").write_bytes("naïve".encode("cp1252"))
        (tmp_path / "b.txt").write_bytes("naïve".encode("utf-16"))
        encodings = {"old/*": "cp1252", "b.*": "utf-16"}

        passages = list(read_passages(tmp_path, config(encoding=encodings), "file", ignore))

        assert passages == [Passage("b.txt", "naïve"), Passage("old/a.txt", "naïve")]

    def test_an_encoding_that_is_none_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "a.txt").write_text("One.")

        with pytest.raises(ConfigError, match=r"corpus\.encoding .*got 'utf-9'"):
            next(read_passages(tmp_path, config(encoding="utf-9"), "file", ignore))

    def test_a_table_without_its_column_is_not_passed_over(self, tmp_path: Path) -> None:
        (tmp_path / "a.csv").write_text("text\nOne.\n")
        (tmp_path / "b.csv").write_text("body\nTwo.\n")
        passages = read_passages(tmp_path, config("csv"), "row", ignore)

        assert next(passages) == Passage("a.csv:2", "One.")
        with pytest.raises(DataError, match=r"b\.csv, row 1: corpus\.column"):
            next(passages)


class TestRecords:
    @pytest.mark.parametrize("kind", ["block", "row"])
    def test_a_record_is_a_document_named_by_its_first_row(
        self, tmp_path: Path, kind: DocumentKind
    ) -> None:
        table = 'id,text\n1,"One,\n\nand ""more""."\n\n2,Two.\n3,\n4\n5,Three.'

        # the first record takes rows 2 to 4, row 5 is blank, the text of row 7 is empty, and row 8
        # lacks a cell
        assert read(tmp_path, table, kind, "csv") == [
            Passage("a.txt:2", 'One,\n\nand "more".'),
            Passage("a.txt:6", "Two."),
            Passage("a.txt:7", ""),
            Passage("a.txt:9", "Three."),
        ]

    @pytest.mark.parametrize("kind", ["block", "row"])
    def test_an_object_is_a_document_named_by_its_row(
        self, tmp_path: Path, kind: DocumentKind
    ) -> None:
        objects = '{"text": "One.\\r\\nTwo."}\n\n{"text": ""}\n{"id": 1}\n{"text": "Three."}\n'

        assert read(tmp_path, objects, kind, "jsonl") == [
            Passage("a.txt:1", "One.\nTwo."),
            Passage("a.txt:3", ""),
            Passage("a.txt:5", "Three."),
        ]

    def test_a_file_of_csv_is_its_records_parted_by_blank_lines(self, tmp_path: Path) -> None:
        table = 'text,id\n"One,\ntwo.",1\n ,2\n3\nThree.,3\n'

        assert read(tmp_path, table, "file", "csv") == [Passage("a.txt", "One,\ntwo.\n\nThree.")]

    def test_a_file_of_json_is_its_texts_parted_by_blank_lines(self, tmp_path: Path) -> None:
        objects = '{"text": "One."}\n{"text": " "}\n[]\n{"text": "\\nTwo.\\n"}\n'

        assert read(tmp_path, objects, "file", "jsonl") == [Passage("a.txt", "One.\n\n\nTwo.\n")]

    @pytest.mark.parametrize("kind", ["block", "row"])
    def test_a_blank_text_is_a_blank_passage_for_whoever_counts_them(
        self, tmp_path: Path, kind: DocumentKind
    ) -> None:
        blank = [Passage("a.txt:2", ""), Passage("a.txt:3", " \n")]

        assert read(tmp_path, 'id,text\n1,\n2," \n"\n', kind, "csv") == blank
        assert read(tmp_path, '\n{"text": ""}\n{"text": " \\n"}\n', kind, "jsonl") == blank

    def test_blank_texts_are_nothing_to_a_whole_file(self, tmp_path: Path) -> None:
        assert read(tmp_path, 'id,text\n1,\n2," \n"\n', "file", "csv") == []
        assert read(tmp_path, '{"text": ""}\n{"text": "\\n"}\n', "file", "jsonl") == []


class TestNotes:
    @pytest.mark.parametrize("kind", KINDS)
    def test_every_line_of_text_is_noted_but_blank_ones(
        self, tmp_path: Path, kind: DocumentKind
    ) -> None:
        assert noted(tmp_path, b"One.\n \n\xff\n\n\0\nSix.\n", kind, "text") == [
            ("a.txt", 1, "One.", None),
            ("a.txt", 3, None, "encoding"),
            ("a.txt", 5, None, "NUL"),
            ("a.txt", 6, "Six.", None),
        ]

    @pytest.mark.parametrize("kind", ["file", "block", "row"])
    def test_every_record_is_noted_also_where_its_text_is_blank(
        self, tmp_path: Path, kind: DocumentKind
    ) -> None:
        assert noted(tmp_path, b'text,id\nOne.,1\n\n,2\n3\n"Four.,4\n', kind, "csv") == [
            ("a.txt", 2, "One.", None),
            ("a.txt", 4, "", None),
            ("a.txt", 5, None, "columns"),
            ("a.txt", 6, None, "quotes"),
        ]
        assert noted(tmp_path, b'{"text": "One."}\n\n{"text": " "}\n{', kind, "jsonl") == [
            ("a.txt", 1, "One.", None),
            ("a.txt", 3, " ", None),
            ("a.txt", 4, None, "JSON"),
        ]

    def test_a_row_is_noted_under_the_file_in_which_it_stands(self, tmp_path: Path) -> None:
        (tmp_path / "year one").mkdir()
        (tmp_path / "year one/a.txt").write_bytes(b"\xff")
        (tmp_path / "b.txt").write_text("One.")
        files = []

        list(read_passages(tmp_path, config(), "file", lambda file, row: files.append(file)))

        assert files == ["b.txt", "year one/a.txt"]


class TestLongDocuments:
    @pytest.mark.parametrize("kind", KINDS)
    @given(
        lines=st.lists(st.sampled_from(["", "One.", "Two and three.", " = Four = ", "5" * 30])),
        most=st.integers(min_value=1, max_value=60),
    )
    def test_the_passages_of_a_document_joined_are_its_text(
        self, folder: Path, kind: DocumentKind, lines: list[str], most: int
    ) -> None:
        text = "\n".join(lines)
        whole = read(folder, text, kind)

        with patch.object(readers, "PASSAGE_CHARACTERS", most):
            parts = read(folder, text, kind)

        assert list(_joined(parts)) == [(one.document, _lines_of(one.text)) for one in whole]
        assert all(len(part.text) <= most or "\n" not in part.text for part in parts)

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            # 20 characters go into one passage
            ("aaaa\nbbbb\ncccc\ndddd.", ["aaaa\nbbbb\ncccc\ndddd."]),
            ("aaaa\nbbbb\ncccc\ndddd..", ["aaaa\nbbbb\ncccc", "dddd.."]),
            # the blank line is among the last 10 characters of the part, or it is not
            ("aaaa\nbbbb\n\ncccc\ndddd.", ["aaaa\nbbbb\n", "cccc\ndddd."]),
            ("aaaa\n\nbbbb\ncccc\ndddd.", ["aaaa\n\nbbbb\ncccc", "dddd."]),
            # a line is never cut
            ("a\n" + 25 * "b" + "\nc", ["a", 25 * "b", "c"]),
        ],
    )
    def test_a_document_is_cut_at_a_blank_line_of_the_later_half_or_else_where_it_is_full(
        self, tmp_path: Path, text: str, expected: list[str]
    ) -> None:
        with patch.object(readers, "PASSAGE_CHARACTERS", 20):
            assert read(tmp_path, text) == [Passage("a.txt", part) for part in expected]

    @pytest.mark.parametrize(
        ("form", "content"),
        [
            ("csv", 'text\n"aaaa\nbbbb\ncccc\ndddd.."\nee\n'),
            ("jsonl", '\n{"text": "aaaa\\nbbbb\\ncccc\\ndddd.."}\n\n\n\n{"text": "ee"}'),
        ],
    )
    def test_a_long_record_is_cut_too(
        self, tmp_path: Path, form: Literal["csv", "jsonl"], content: str
    ) -> None:
        with patch.object(readers, "PASSAGE_CHARACTERS", 20):
            passages = read(tmp_path, content, "row", form)

        assert passages == [
            Passage("a.txt:2", "aaaa\nbbbb\ncccc"),
            Passage("a.txt:2", "dddd.."),
            Passage("a.txt:6", "ee"),
        ]

    def test_a_row_of_5_mb_is_rejected_and_one_of_4_mb_is_a_passage_of_its_own(
        self, tmp_path: Path
    ) -> None:
        long, longest = "x" * 5_000_000, "y" * 4_000_000

        assert read(tmp_path, f"One.\n{long}\n{longest}\nFour.") == [
            Passage("a.txt", "One."),
            Passage("a.txt", longest),
            Passage("a.txt", "Four."),
        ]


def _joined(parts: list[Passage]) -> Iterator[tuple[str, list[str]]]:
    for document, run in groupby(parts, key=lambda part: part.document):
        yield document, _lines_of("\n".join(part.text for part in run))


def _lines_of(text: str) -> list[str]:
    """Those that are not blank, since a passage of blank ones is not given."""
    return [line for line in text.split("\n") if line.strip()]
