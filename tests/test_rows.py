"""From the bytes of a file to its rows: where they end, what they say, why they are rejected."""

import csv
import encodings
import io
import json
import pkgutil
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuzz_readers import ENCODINGS, WIDE, run_composed, run_mutated, true_lines
from unrolled.corpus.reading import csv_rows as csv_module
from unrolled.corpus.reading import rows
from unrolled.corpus.reading.csv_rows import csv_rows
from unrolled.corpus.reading.encodings import check_encoding
from unrolled.corpus.reading.json_rows import json_rows
from unrolled.corpus.reading.rows import MOST_ROW_BYTES, Row, text_rows
from unrolled.errors import ConfigError, DataError

LINE_ENDS = ["\n", "\r\n", "\r"]

LINES = st.lists(st.text(st.characters(exclude_characters="\r\n\0", codec="utf-8"), max_size=6))
"""Of any characters but the three that no line holds."""

READERS: list[Callable[[Path], Iterator[Row]]] = [
    lambda path: text_rows(path, "utf-8"),
    lambda path: csv_rows(path, "utf-8", "text"),
    lambda path: json_rows(path, "utf-8", "text"),
]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a file can be written, again and again."""
    return tmp_path_factory.mktemp("rows") / "a.txt"


def read_lines(file: Path, content: bytes | str, encoding: str = "utf-8") -> list[Row]:
    file.write_bytes(content.encode(encoding) if isinstance(content, str) else content)
    return list(text_rows(file, encoding))


def read_csv(file: Path, content: bytes | str, encoding: str = "utf-8") -> list[Row]:
    file.write_bytes(content.encode(encoding) if isinstance(content, str) else content)
    return list(csv_rows(file, encoding, "text"))


def read_json(file: Path, content: bytes | str, field: str = "text") -> list[Row]:
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return list(json_rows(file, "utf-8", field))


def said(found: list[Row]) -> list[tuple[int, str | None]]:
    """Where each row starts and what it says, or why it is rejected."""
    return [(row.number, row.text if row.reason is None else row.reason) for row in found]


class TestEncodings:
    @pytest.mark.parametrize(
        "name", [*ENCODINGS, "UTF8", "Latin1", "windows-1252", "utf_16", "U32", "gb2312"]
    )
    def test_text_encodings_are_taken_under_all_of_their_names(self, name: str) -> None:
        check_encoding(name)

    @pytest.mark.parametrize(
        "name",
        [
            *["utf-9", "", "no such", "a\0b", "..", "\ud800"],  # none
            *["rot13", "hex", "base64", "zip", "undefined"],  # not of text
            *["cp037", "cp500", "cp1140"],  # EBCDIC: LF is the byte 25
            *["utf-7", "hz", "iso2022_kr"],  # what a byte means is said on a line before
            *["idna", "punycode", "unicode_escape", "raw_unicode_escape"],
        ],
    )
    def test_others_are_refused(self, name: str, file: Path) -> None:
        with pytest.raises(ConfigError, match=r"^corpus\.encoding must be a text encoding"):
            check_encoding(name)
        with pytest.raises(ConfigError, match=r"^corpus\.encoding"):
            next(text_rows(file, name))

    def test_lines_of_every_encoding_that_is_taken_are_those_of_the_whole_text(
        self, file: Path
    ) -> None:
        names = sorted(module.name for module in pkgutil.iter_modules(encodings.__path__))
        taken = [name for name in names if _is_taken(name)]
        assert len(taken) > 90

        for name in taken:
            text = _alphabet(name)
            found = read_lines(file, text.encode(name), name)
            assert [row.text for row in found] == text.split("\n"), name


class TestLines:
    def test_a_line_has_its_number_its_bytes_and_its_text(self, file: Path) -> None:
        assert read_lines(file, "Eins\r\nzwölf\rdrei\n\nfünf") == [
            Row(1, b"Eins\r\n", "Eins"),
            Row(2, b"zw\xc3\xb6lf\r", "zwölf"),
            Row(3, b"drei\n", "drei"),
            Row(4, b"\n", ""),
            Row(5, b"f\xc3\xbcnf", "fünf"),
        ]

    def test_after_the_last_line_end_there_is_an_empty_line(self, file: Path) -> None:
        assert read_lines(file, b"") == [Row(1, b"", "")]
        assert read_lines(file, b"One.\n") == [Row(1, b"One.\n", "One."), Row(2, b"", "")]

    @pytest.mark.parametrize("encoding", ["utf-8", *WIDE])
    @pytest.mark.parametrize("character", "\u2028\u2029\x85\x0b\x0c\x1c\x1e\u0a00\u0d0a\u0a0d")
    def test_nothing_else_ends_a_line(self, file: Path, encoding: str, character: str) -> None:
        text = f"One{character}{character}two."

        assert [row.text for row in read_lines(file, text, encoding)] == [text]

    @pytest.mark.parametrize("encoding", ["utf-8", "cp1252", *WIDE])
    @given(
        expected=LINES,
        line_end=st.sampled_from(LINE_ENDS),
        block=st.sampled_from([4, 8, 12, 2**20]),
    )
    def test_the_texts_are_what_stands_between_the_line_ends_wherever_a_block_ends(
        self, file: Path, encoding: str, line_end: str, block: int, expected: list[str]
    ) -> None:
        expected = [line.encode(encoding, "ignore").decode(encoding) for line in [*expected, "end"]]
        expected[0] = expected[0].lstrip("\ufeff")

        with patch.object(rows, "BLOCK_BYTES", block):
            found = read_lines(file, line_end.join(expected), encoding)

        assert [row.text for row in found] == expected

    @given(
        encoding=st.sampled_from(ENCODINGS),
        content=st.lists(
            st.binary() | st.sampled_from([b"\n", b"\r", b"\n\0", b"\0\r", b"\xff\xfe"])
        ).map(b"".join),
        block=st.sampled_from([4, 8, 2**20]),
    )
    def test_the_contents_joined_are_the_file_whatever_it_holds(
        self, file: Path, encoding: str, content: bytes, block: int
    ) -> None:
        with patch.object(rows, "BLOCK_BYTES", block):
            found = read_lines(file, content, encoding)

        assert b"".join(row.content for row in found) == content
        assert found == true_lines(content, encoding, MOST_ROW_BYTES)

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", *WIDE])
    def test_one_byte_order_mark_goes_from_the_text_of_the_first_line_only(
        self, file: Path, encoding: str
    ) -> None:
        mark = "\ufeff"
        content = f"{mark}{mark}One.\n{mark}Two.".encode(encoding.removesuffix("-sig"))
        if encoding in ("utf-16", "utf-32"):
            content = content[len(mark.encode(f"{encoding}-le")) :]  # Python puts one there itself

        found = read_lines(file, content, encoding)

        assert [row.text for row in found] == [f"{mark}One.", f"{mark}Two."]
        assert b"".join(row.content for row in found) == content

    @pytest.mark.parametrize(("encoding", "width"), [("utf-16", 2), ("utf-32", 4)])
    @pytest.mark.parametrize("order", ["le", "be"])
    def test_the_mark_tells_the_order_of_bytes(
        self, file: Path, encoding: str, width: int, order: str
    ) -> None:
        content = "\ufeffOne.\r\nTwo.".encode(f"{encoding}-{order}")

        found = read_lines(file, content, encoding)

        assert said(found) == [(1, "One."), (2, "Two.")]
        assert [len(row.content) for row in found] == [7 * width, 4 * width]

    @pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
    def test_without_a_mark_the_order_is_little_endian(self, file: Path, encoding: str) -> None:
        content = "One.\nTwo.".encode(f"{encoding}-le")

        assert said(read_lines(file, content, encoding)) == [(1, "One."), (2, "Two.")]

    def test_bytes_that_are_not_allowed_cost_their_line_alone(self, file: Path) -> None:
        found = read_lines(file, b"One.\ncaf\xe9\r\nThree.")

        assert found[1] == Row(2, b"caf\xe9\r\n", None, "encoding")
        assert said(found) == [(1, "One."), (2, "encoding"), (3, "Three.")]

    @pytest.mark.parametrize("line", [b"\x81", "\u0378".encode("utf-8")[:1], b"\xff\xfeO\0n\0"])
    def test_nothing_is_repaired(self, file: Path, line: bytes) -> None:
        assert said(read_lines(file, line + b"\nTwo.", "utf-8")) == [(1, "encoding"), (2, "Two.")]

    @pytest.mark.parametrize(
        ("encoding", "rest"),
        [
            ("utf-16-le", b"\n"),
            ("utf-16-be", b"a\0\n"),  # which ends as if by LF
            ("utf-32-be", b"\n\n\n"),
        ],
    )
    def test_half_a_code_unit_at_the_end_is_a_line_that_cannot_be_read(
        self, file: Path, encoding: str, rest: bytes
    ) -> None:
        content = "One.\n".encode(encoding) + rest

        assert said(read_lines(file, content, encoding)) == [(1, "One."), (2, "encoding")]

    def test_half_a_character_of_utf_16_costs_its_line(self, file: Path) -> None:
        content = "One.\n".encode("utf-16-le") + b"\x00\xd8\n\0" + "Three.".encode("utf-16-le")

        found = read_lines(file, content, "utf-16-le")

        assert said(found) == [(1, "One."), (2, "encoding"), (3, "Three.")]

    def test_a_nul_costs_its_line(self, file: Path) -> None:
        assert said(read_lines(file, "One.\nTw\0o.\nThree.")) == [
            (1, "One."),
            (2, "NUL"),
            (3, "Three."),
        ]

    def test_a_line_may_have_as_many_bytes_as_that_and_no_more(self, file: Path) -> None:
        longest = b"x" * (MOST_ROW_BYTES - 1) + b"\n"

        found = read_lines(file, longest + b"x" + longest + b"Three.")

        assert [row.reason for row in found] == [None, "long", None]
        assert found[0].content == longest
        assert found[1] == Row(2, b"x" * MOST_ROW_BYTES, None, "long")
        assert found[2].text == "Three."

    @pytest.mark.parametrize("encoding", ["utf-8", *WIDE])
    @pytest.mark.parametrize("line_end", [*LINE_ENDS, ""])
    @pytest.mark.parametrize("block", [4, 16, 2**20])
    def test_a_long_line_ends_where_it_ends(
        self, file: Path, encoding: str, line_end: str, block: int
    ) -> None:
        text = f"One.{line_end or '.'}{'x' * 300}{line_end}{'Three.' if line_end else ''}"
        content = text.encode(encoding)

        with patch.object(rows, "MOST_ROW_BYTES", 64), patch.object(rows, "BLOCK_BYTES", block):
            found = read_lines(file, content, encoding)

        assert found == true_lines(content, encoding, 64)
        assert [row.reason for row in found] == ([None, "long", None] if line_end else ["long"])

    def test_a_long_line_that_ends_within_a_code_unit_has_no_line_end(self, file: Path) -> None:
        content = ("x" * 300).encode("utf-16-be") + b"a\0\n"

        with patch.object(rows, "MOST_ROW_BYTES", 64):
            found = read_lines(file, content, "utf-16-be")

        assert found == [Row(1, content[:64], None, "long")]

    def test_of_a_line_without_end_no_more_is_held_than_a_row_and_a_few_blocks(
        self, file: Path
    ) -> None:
        file.write_bytes(b"x" * 8 * MOST_ROW_BYTES)

        tracemalloc.start()
        found = [(row.reason, len(row.content)) for row in text_rows(file, "utf-8")]
        most_bytes = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()

        assert found == [("long", MOST_ROW_BYTES)]
        assert most_bytes < 6 * MOST_ROW_BYTES

    @pytest.mark.parametrize("read", READERS)
    def test_a_file_that_cannot_be_read_is_named(
        self, tmp_path: Path, read: Callable[[Path], Iterator[Row]]
    ) -> None:
        with pytest.raises(DataError, match=r"none\.txt cannot be read: No such file"):
            next(read(tmp_path / "none.txt"))
        with pytest.raises(DataError, match=r"cannot be read: Is a directory"):
            next(read(tmp_path))


class TestCsv:
    @given(
        cells=st.lists(st.tuples(*[st.text(st.characters(codec="utf-8"), max_size=8)] * 2)),
        encoding=st.sampled_from(["utf-8", "utf-16", "utf-32-be"]),
        line_end=st.sampled_from(LINE_ENDS),
    )
    def test_the_cells_are_those_that_were_written(
        self, file: Path, cells: list[tuple[str, str]], encoding: str, line_end: str
    ) -> None:
        cells = [(one.replace("\0", ""), two.replace("\0", "")) for one, two in [*cells, ("", "")]]
        table = io.StringIO(newline="")
        writer = csv.writer(table, lineterminator=line_end, quoting=csv.QUOTE_ALL)
        writer.writerows([("id", "text"), *cells])

        found = read_csv(file, table.getvalue(), encoding)

        expected = [text.replace("\r\n", "\n").replace("\r", "\n") for _, text in cells]
        assert [row.text for row in found] == expected

    def test_a_record_has_the_line_on_which_it_starts_and_the_bytes_of_all_of_its_lines(
        self, file: Path
    ) -> None:
        found = read_csv(file, '\n\nid,text\r\n1,"One,\n\r\nand ""more""."\n \t\n\n2,Two.')

        # the header is on line 3, and lines 7 and 8 are blank
        assert found == [
            Row(4, b'1,"One,\n\r\nand ""more""."\n', 'One,\n\nand "more".'),
            Row(9, b"2,Two.", "Two."),
        ]

    def test_a_blank_cell_is_a_row(self, file: Path) -> None:
        assert said(read_csv(file, 'id,text\n1,\n2," "\n,\n')) == [(2, ""), (3, " "), (4, "")]

    def test_a_byte_order_mark_is_no_part_of_the_first_column(self, file: Path) -> None:
        assert said(read_csv(file, "\ufefftext\nOne.\n")) == [(2, "One.")]

    @pytest.mark.parametrize("encoding", WIDE)
    def test_tables_may_be_of_utf_16_and_utf_32(self, file: Path, encoding: str) -> None:
        assert said(read_csv(file, 'text,id\r\n"Zwölf,\r\n",1\r\nDrei,2', encoding)) == [
            (2, "Zwölf,\n"),
            (4, "Drei"),
        ]

    def test_a_line_separator_ends_no_record(self, file: Path) -> None:
        assert said(read_csv(file, "text\nOne\u2028two.\nThree.\n")) == [
            (2, "One\u2028two."),
            (3, "Three."),
        ]

    @pytest.mark.parametrize("quote", ["", '"'])
    def test_a_field_may_be_longer_than_131_072_characters(self, file: Path, quote: str) -> None:
        text = "word " * 30_000  # 150,000 characters

        assert said(read_csv(file, f"text\n{quote}{text}{quote}\n")) == [(2, text)]

    def test_a_quote_that_is_never_closed_costs_its_line_alone(self, file: Path) -> None:
        found = read_csv(file, 'text,id\nOne.,1\n"Two.,2\nThree.,3\n\nFour.,4\n')

        assert found[1] == Row(3, b'"Two.,2\n', None, "quotes")
        assert said(found) == [(2, "One."), (3, "quotes"), (4, "Three."), (6, "Four.")]

    def test_a_quote_that_is_closed_by_that_of_another_record_costs_its_line_alone(
        self, file: Path
    ) -> None:
        found = read_csv(file, 'text,id\n"One.,1\nTwo.,2\n"Three,\nindeed.",3\n')

        # the quote before Three closes the one before One, and a letter after it is a fault
        assert said(found) == [(2, "quotes"), (3, "Two."), (4, "Three,\nindeed.")]

    def test_a_quote_that_closes_too_early_costs_its_line(self, file: Path) -> None:
        assert said(read_csv(file, 'text\n"One" two.\nThree.')) == [(2, "quotes"), (3, "Three.")]

    @pytest.mark.parametrize(("name", "most"), [("MOST_ROW_BYTES", 15), ("MOST_ROW_LINES", 2)])
    def test_a_quote_that_is_closed_too_far_away_is_never_closed(
        self, file: Path, name: str, most: int
    ) -> None:
        content = 'text\n"One\ntwo."\n"Four\nfive\nsix."\n'  # of 11 and of 16 bytes

        with patch.object(csv_module, name, most):
            found = read_csv(file, content)

        # the quote after six stands within a word
        assert said(found) == [(2, "One\ntwo."), (4, "quotes"), (5, "five"), (6, 'six."')]

    def test_quotes_that_are_never_closed_are_looked_for_only_so_often(self, file: Path) -> None:
        # At the start of a record this line leaves a quote open; within quotes it closes one and
        # opens the next. So each is tried up to the end of the file, which is 600 lines of 5 bytes.
        content = 'text\n"' + 'x","\n' * 600
        reads = []
        take_first = csv_module._Lines.take_first

        def counted(source: csv_module._Lines) -> Row:
            reads.append(len(source._given))
            return take_first(source)

        with (
            patch.object(csv_module, "MOST_BYTES_REREAD", 30_000),
            patch.object(csv_module._Lines, "take_first", counted),
        ):
            found = read_csv(file, content)

        assert said(found) == [(number, "quotes") for number in range(2, 602)]
        # 30,000 bytes and the file's own are 6,600 lines, and a line a try; else they were 180,000
        assert sum(reads) <= 6_600 + 600 + 600

    @pytest.mark.parametrize(
        ("cell", "reason"), [(b"caf\xe9", "encoding"), (b"Tw\0o", "NUL"), (b"x" * 99, "long")]
    )
    def test_a_line_that_cannot_be_read_costs_its_record(
        self, file: Path, cell: bytes, reason: str
    ) -> None:
        content = b"text,id\nOne.,1\n" + cell + b",2\nThree.,3\n"

        with patch.object(rows, "MOST_ROW_BYTES", 60):
            found = read_csv(file, content)

        assert said(found) == [(2, "One."), (3, reason), (4, "Three.")]
        assert found[1].content == (cell + b",2\n")[:60]

    @pytest.mark.parametrize(("part", "reason"), [(b"caf\xe9", "encoding"), (b"\0", "NUL")])
    def test_of_a_record_of_several_lines_all_are_lost_by_one(
        self, file: Path, part: bytes, reason: str
    ) -> None:
        record = b'"One,\n' + part + b'\nthree.",1\n'

        found = read_csv(file, b"text,id\n" + record + b"Four.,2\n")

        assert found == [Row(2, record, None, reason), Row(5, b"Four.,2\n", "Four.")]

    def test_a_line_that_cannot_be_read_is_rejected_for_that_even_if_its_quotes_are_wrong(
        self, file: Path
    ) -> None:
        found = read_csv(file, b'text\n"caf\xe9\nTwo.\n')

        assert said(found) == [(2, "encoding"), (3, "Two.")]

    @pytest.mark.parametrize("record", ["1", "1,One.,more", '1,"One\none.",'])
    def test_another_number_of_cells_costs_the_record(self, file: Path, record: str) -> None:
        found = read_csv(file, f"id,text\n{record}\n2,Two.\n")

        assert found[0] == Row(2, f"{record}\n".encode(), None, "columns")
        assert found[1].text == "Two."

    @pytest.mark.parametrize("content", ["id,body\n1,One.\n", "text,id,text\nOne.,1,Two.\n"])
    def test_a_header_without_the_column_once_is_refused_and_shown(
        self, file: Path, content: str
    ) -> None:
        shown = ", ".join(f"'{name}'" for name in content.split("\n")[0].split(","))

        with pytest.raises(DataError, match=rf"row 1: corpus\.column .*got 'text', found {shown}"):
            read_csv(file, content)

    def test_of_a_header_without_end_only_the_start_is_shown(self, file: Path) -> None:
        header = ",".join(f"{number:099}" for number in range(999))

        with pytest.raises(DataError, match=r"found '0{40}', .*, \.\.\.\)$") as raised:
            read_csv(file, f"{header}\nOne.\n")

        assert len(str(raised.value)) < 1000

    @pytest.mark.parametrize(
        ("header", "reason"), [(b"caf\xe9,text", "encoding"), (b"\0,text", "NUL"), (b'"', "quotes")]
    )
    def test_a_header_that_cannot_be_read_is_refused(
        self, file: Path, header: bytes, reason: str
    ) -> None:
        with pytest.raises(DataError, match=rf"row 2: the header cannot be read \({reason}\)"):
            read_csv(file, b"\n" + header + b"\nOne.,Two.\n")

    @pytest.mark.parametrize("content", ["id,text", "id,text\n", "id,text\r\n\r\n \n"])
    def test_a_header_alone_is_refused(self, file: Path, content: str) -> None:
        with pytest.raises(DataError, match=r"row 1: found a header only; expected rows"):
            read_csv(file, content)

    @pytest.mark.parametrize("content", ["", "\n", "\ufeff \r\n\t\n"])
    def test_a_file_without_a_header_is_refused(self, file: Path, content: str) -> None:
        with pytest.raises(DataError, match=r"must hold a header and rows under it"):
            read_csv(file, content)


class TestJson:
    @given(
        texts=st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\0"))),
        ascii_only=st.booleans(),
    )
    def test_the_texts_are_those_that_were_written(
        self, file: Path, texts: list[str], ascii_only: bool
    ) -> None:
        objects = [json.dumps({"id": 1, "text": text}, ensure_ascii=ascii_only) for text in texts]

        found = read_json(file, "\n".join(objects))

        assert [row.text for row in found] == texts
        assert [row.number for row in found] == list(range(1, len(texts) + 1))

    def test_blank_lines_are_no_rows(self, file: Path) -> None:
        found = read_json(file, '\ufeff\r\n{"text": ""}\r\n \t\r\n\u2028\n{"text": "Five."}')

        assert found == [Row(2, b'{"text": ""}\r\n', ""), Row(5, b'{"text": "Five."}', "Five.")]

    def test_a_file_may_be_empty(self, file: Path) -> None:
        assert read_json(file, "") == []

    @pytest.mark.parametrize(
        ("line", "expected"),
        [
            ('{"a.b.c": "whole", "a": {"b": {"c": "nested"}}}', "whole"),
            ('{"a": {"b": {"c": "nested"}}}', "nested"),
            ('{"a": {"b.c": "half"}}', "half"),
            ('{"a.b": {"c": "no"}}', "field"),  # a name is parted at its first dot
            ('{"a": {"b": ["c"]}}', "field"),
        ],
    )
    def test_dots_lead_into_objects_unless_the_whole_name_is_a_key(
        self, file: Path, line: str, expected: str
    ) -> None:
        assert said(read_json(file, line, "a.b.c")) == [(1, expected)]

    def test_every_line_end_that_is_escaped_becomes_lf(self, file: Path) -> None:
        assert said(read_json(file, r'{"text": "1\r\n2\r\r3\n"}')) == [(1, "1\n2\n\n3\n")]

    @pytest.mark.parametrize(
        ("line", "reason"),
        [
            (b'{"text": "One.', "JSON"),
            (b"{'text': 'One.'}", "JSON"),
            (b'{"text": "One."} {}', "JSON"),
            (b'{"text": "One\ttwo."}', "JSON"),
            (b"[" * 100_000, "JSON"),  # deeper than is read
            (b'{"id": ' + b"9" * 10_000 + b', "text": "One."}', "JSON"),  # more digits, too
            (b"null", "field"),
            (b'["text"]', "field"),
            (b'"text"', "field"),
            (b'{"Text": "One."}', "field"),
            (b'{"text": null}', "field"),
            (b'{"text": 1}', "field"),
            (b'{"text": ["One."]}', "field"),
            (b'{"text": "Tw\0o."}', "NUL"),
            (rb'{"text": "Tw\u0000o."}', "NUL"),
            (rb'{"text": "half \ud83d"}', "surrogate"),
            (b'{"text": "caf\xe9"}', "encoding"),
            (b'{"text": "' + b"x" * 5_000_000 + b'"}', "long"),
        ],
        ids=str,
    )
    def test_a_line_without_a_text_is_rejected_alone(
        self, file: Path, line: bytes, reason: str
    ) -> None:
        found = read_json(file, line + b'\n{"text": "Two."}\n')

        assert found[0] == Row(1, (line + b"\n")[:MOST_ROW_BYTES], None, reason)
        assert said(found) == [(1, reason), (2, "Two.")]

    def test_two_halves_are_a_character(self, file: Path) -> None:
        assert said(read_json(file, r'{"text": "\ud83d\ude00"}')) == [(1, "😀")]


def test_files_that_nobody_wrote_are_read_as_well() -> None:
    counts = run_mutated(1, 120) + run_composed(1, 60)

    assert counts.total() == 180
    assert counts.keys() == {"text", "csv", "jsonl", "archive"}


def _is_taken(encoding: str) -> bool:
    try:
        check_encoding(encoding)
    except ConfigError:
        return False
    return True


def _alphabet(encoding: str) -> str:
    """Lines of characters that the encoding has, as many scripts beside each other as it can."""
    ranges = [(0x20, 0x180), (0x390, 0x460), (0x5D0, 0x5EA), (0x3041, 0x3100), (0xAC00, 0xAC40)]
    ranges.append((0x4E00, 0x4E40))
    characters = [chr(code) for first, last in ranges for code in range(first, last)]
    known = [one for one in characters if one.encode(encoding, "ignore").decode(encoding) == one]
    return "\n".join("".join(known[start::7]) for start in range(7))
