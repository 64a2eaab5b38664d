"""A program that reads files nobody wrote to be read: `python tests/fuzz_readers.py --seconds 600`.

Half of the files are good ones in which bytes were changed; the others are put together by
Hypothesis. Whatever they hold, nothing but an error meant for the user may be raised, and every
line must be found again among the rows. What stands in a file is worked out by `true_lines`, which
looks at one code unit at a time and shares nothing with the readers.

Archives are damaged in the same manner: they are unpacked inside their folder, or refused.
"""

import argparse
import bz2
import gzip
import io
import itertools
import lzma
import os
import sys
import tarfile
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar
from unittest.mock import patch

import numpy as np
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from unrolled.config.corpus_sections import ReadingConfig
from unrolled.config.sections import DocumentKind
from unrolled.corpus.document import Passage
from unrolled.corpus.reading import csv_rows, readers, rows
from unrolled.corpus.reading.readers import read_passages
from unrolled.corpus.reading.rows import Row
from unrolled.corpus.sources.archives import unpack
from unrolled.errors import DataError, UnrolledError

SCRATCH = "/dev/shm" if os.path.isdir("/dev/shm") else None
"""Where files are written: in memory where that is possible, for they are many."""

WIDE = ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"]
ENCODINGS = [
    *["utf-8", "utf-8", "utf-8-sig", "ascii", "latin-1", "cp1252", "cp437", "koi8-r", "mac-roman"],
    *["shift_jis", "shift_jis_2004", "gb18030", "big5", "euc_kr", "euc_jp", "iso2022_jp"],
    *WIDE,
]
Form = Literal["text", "csv", "jsonl"]
KINDS: list[tuple[Form, DocumentKind]] = [
    ("text", "file"),
    ("text", "block"),
    ("text", "row"),
    ("text", "heading"),
    ("csv", "file"),
    ("csv", "row"),
    ("jsonl", "file"),
    ("jsonl", "row"),
]

TEXTS = [
    "",
    "One.\nTwo.\n\n \t\nThree.",
    "One.\r\nTwo\u2028\x85\x0b\x0c and more.\r\rThree.\r",
    "\ufeffFirst.\n\ufeffSecond.\n",
    " \n = Title = \n \n Some text . \n = = Section = = \n\n = Other = \n\n",
    "Ein naïver Satz, 한국어, 日本語, Ελληνικά, 😀.\n" * 3,
    "No end, " * 40,
]
HEADER = "text,id\n"
TABLES = [
    "text\nOne.\nTwo.\n",
    'id,text\r\n1,"One,\r\n\r\nand ""more""."\r\n\r\n2,\r\n3,Three.\r\n',
    'text,id\n"Never closed,1\nTwo.,2\n"Three.\nFour.",3\n,4\nFive.\n',
    'text\n"x","\n"x","\n"x","\n"x","\n"x","\n',
]
OBJECTS = [
    '{"a": {"text": "One."}}\n\n{"a.text": "Two.\\r\\nThree."}\n{"a": 1}\n',
    '{"a.text": "nul \\u0000"}\r\n{"a.text": "half \\ud800"}\r\n{"a.text": "\\ud83d\\ude00"}\r\n',
    '[1]\nnull\n{"a.text": null}\n' + "[" * 3000 + "\n" + "9" * 5000 + "\n",
]
SEEDS: dict[Form, list[str]] = {"text": TEXTS, "csv": TABLES, "jsonl": OBJECTS}
TELLING_BYTES = [
    *[b"\n", b"\r", b"\r\n", b"\0", b'"', b",", b'""', b'","', b"=", b"\xff", b"\xff\xfe"],
]

Item = TypeVar("Item")


@dataclass(frozen=True)
class Limits:
    """The readers' own limits, those of bytes multiples of 4; small ones are met in small files."""

    row_bytes: int = rows.MOST_ROW_BYTES
    row_lines: int = csv_rows.MOST_ROW_LINES
    reread_bytes: int = csv_rows.MOST_BYTES_REREAD
    block_bytes: int = rows.BLOCK_BYTES
    passage_characters: int = readers.PASSAGE_CHARACTERS


LIMITS = [
    *[Limits(), Limits()],
    *[Limits(64, 9, 0, 16, 20), Limits(40, 3, 400, 4, 200)],
    *[Limits(40, 2, 40, 8, 4), Limits(4, 9, 40, 8, 4)],
]


@dataclass(frozen=True)
class Case:
    """A file and how it is read."""

    content: bytes
    encoding: str
    form: Form
    document: DocumentKind
    limits: Limits


class FoundError(Exception):
    """A file that was not read as it should be; the message shows it."""


def main(seconds: float) -> int:
    """0 once the time is up; 1 as soon as a case fails, which is shown."""
    end = time.monotonic() + seconds
    counts: Counter[str] = Counter()
    for number in itertools.count():
        if time.monotonic() > end:
            break
        try:
            counts += run_mutated(number, 300)
            counts += run_composed(number, 100)
        except FoundError as error:
            print(f"seed {number}: {error}\ncaused by {error.__cause__!r}")
            return 1
    print(", ".join(f"{form}: {count} cases" for form, count in sorted(counts.items())))
    return 0


def run_mutated(number: int, count: int) -> Counter[str]:
    """How many cases of each form were tried, all of them well; the number is their seed.

    Raises:
        FoundError: one of them failed.
    """
    rng = np.random.default_rng(number)
    counts: Counter[str] = Counter()
    for _ in range(count):
        if rng.random() < 0.15:
            damaged = mutated(good_archive(rng), rng)
            _try(check_archive, damaged)
            counts["archive"] += 1
        else:
            case = mutated_case(rng)
            _try(check, case)
            counts[case.form] += 1
    return counts


def run_composed(number: int, count: int) -> Counter[str]:
    """How many cases of each form Hypothesis made, all of them well; the number is its seed.

    Raises:
        FoundError: one of them failed; it is the smallest one that does.
    """
    counts: Counter[str] = Counter()

    @seed(number)
    @settings(
        max_examples=count, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(CASES)
    def try_one(case: Case) -> None:
        counts[case.form] += 1
        _try(check, case)

    try_one()
    return counts


def mutated_case(rng: np.random.Generator) -> Case:
    form, document = _chosen(KINDS, rng)
    encoding = _chosen(ENCODINGS, rng)
    text = _chosen(SEEDS[form], rng) * int(rng.choice([1, 1, 3]))
    content = mutated(text.encode(encoding, "ignore"), rng)
    if form == "csv" and rng.random() < 0.6:
        content = HEADER.encode(encoding) + content
    return Case(content, encoding, form, document, _chosen(LIMITS, rng))


def mutated(content: bytes, rng: np.random.Generator) -> bytes:
    """The bytes after a few changes, or after none."""
    for _ in range(rng.integers(6)):
        start, end = sorted(rng.integers(len(content) + 1, size=2).tolist())
        end = min(end, start + int(rng.choice([1, 4, 1000])))
        before, part, after = content[:start], content[start:end], content[end:]
        content = [
            before + bytes(byte ^ 1 << int(rng.integers(8)) for byte in part) + after,
            before + rng.bytes(int(rng.integers(5))) + part + after,
            before + _chosen(TELLING_BYTES, rng) + part + after,
            before + after,
            before + part * int(rng.integers(2, 5)) + after,
            before + _chosen(_chosen([TEXTS, TABLES, OBJECTS], rng), rng).encode() + after,
            after + part + before,
            before,
        ][rng.integers(8)]
    return content


def _chosen(items: Sequence[Item], rng: np.random.Generator) -> Item:
    return items[int(rng.integers(len(items)))]


PIECES = st.one_of(
    st.text(max_size=5),
    st.sampled_from(["\n", "\r", "\r\n", "\0", '"', ",", '"a,\n', '\n"', "text", "\ufeff", "\n\n"]),
    st.sampled_from(["\n= A =\n", "\n\n = A = \n\n", '{"a.text": "', '"}', "\\ud800", "\\u0000"]),
    st.sampled_from([text for texts in SEEDS.values() for text in texts]),
)


@st.composite
def _cases(draw: st.DrawFn) -> Case:
    encoding = draw(st.sampled_from(ENCODINGS))
    pieces = draw(st.lists(PIECES.map(lambda text: text.encode(encoding, "ignore")) | st.binary()))
    form, document = draw(st.sampled_from(KINDS))
    header = HEADER.encode(encoding) if form == "csv" else b""
    content = header + b"".join(pieces)
    return Case(content, encoding, form, document, draw(st.sampled_from(LIMITS)))


CASES = _cases()


def good_archive(rng: np.random.Generator) -> bytes:
    """A zip, a tar, a compressed tar or a compressed text."""
    text = _chosen(TEXTS, rng).encode()
    pack, compress = _chosen(PACKERS, rng), _chosen(COMPRESSORS, rng)
    return compress(pack(text))


def _zip(text: bytes) -> bytes:
    with io.BytesIO() as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("one.txt", text)
            archive.writestr("two/three.txt", text)
        return file.getvalue()


def _tar(text: bytes) -> bytes:
    with io.BytesIO() as file:
        with tarfile.open(fileobj=file, mode="w") as archive:
            for name in ("one.txt", "two/three.txt"):
                member = tarfile.TarInfo(name)
                member.size = len(text)
                archive.addfile(member, io.BytesIO(text))
        return file.getvalue()


PACKERS: list[Callable[[bytes], bytes]] = [_zip, _tar, bytes]
COMPRESSORS: list[Callable[[bytes], bytes]] = [bytes, gzip.compress, bz2.compress, lzma.compress]


def _try(check_one: Callable[[Item], None], case: Item) -> None:
    try:
        check_one(case)
    except Exception as error:
        raise FoundError(repr(case)) from error


def check_archive(content: bytes) -> None:
    """Unpack it, or see it refused; what comes out stands in its folder."""
    with tempfile.TemporaryDirectory(dir=SCRATCH) as name:
        path, folder = Path(name, "archive.gz"), Path(name, "unpacked")
        path.write_bytes(content)
        try:
            written = unpack(path, folder, lambda member: True)
        except DataError:
            written = []
        assert all(file.resolve().is_relative_to(folder.resolve()) for file in written)
        assert {file.name for file in Path(name).iterdir()} <= {"archive.gz", "unpacked"}


def check(case: Case) -> None:
    """Read the file, and hold what was read against what stands in it.

    Raises:
        AssertionError: they differ.
    """
    found = true_lines(case.content, case.encoding, case.limits.row_bytes)
    try:
        noted, passages = _read(case)
    except UnrolledError:
        assert case.form == "csv"  # which may lack a header, its column, or rows
        return
    if case.form == "text":
        assert noted == [row for row in found if not row.is_blank]
    elif case.form == "jsonl":
        expected = [(row.number, row.content) for row in found if not row.is_blank]
        assert [(row.number, row.content) for row in noted] == expected
    else:
        _check_records(noted, found)
    assert all((row.text is None) != (row.reason is None) for row in noted)
    _check_passages(passages, noted, case)


def reading(form: Form, encoding: str) -> ReadingConfig:
    """Of the column `text`, or of the field `a.text`."""
    column = "text" if form == "csv" else None
    field = "a.text" if form == "jsonl" else None
    return ReadingConfig(form, column, field, encoding, rejected_share=1, splits=None)


def _read(case: Case) -> tuple[list[Row], list[Passage]]:
    noted: list[Row] = []
    config = reading(case.form, case.encoding)
    with tempfile.TemporaryDirectory(dir=SCRATCH) as name, _limited(case.limits):
        Path(name, "a.txt").write_bytes(case.content)
        passages = read_passages(
            Path(name), config, case.document, lambda file, row: noted.append(row)
        )
        return noted, list(passages)


@contextmanager
def _limited(limits: Limits) -> Iterator[None]:
    with (
        patch.object(rows, "MOST_ROW_BYTES", limits.row_bytes),
        patch.object(csv_rows, "MOST_ROW_BYTES", limits.row_bytes),
        patch.object(csv_rows, "MOST_ROW_LINES", limits.row_lines),
        patch.object(csv_rows, "MOST_BYTES_REREAD", limits.reread_bytes),
        patch.object(rows, "BLOCK_BYTES", limits.block_bytes),
        patch.object(readers, "PASSAGE_CHARACTERS", limits.passage_characters),
    ):
        yield


def _check_records(noted: Sequence[Row], found: Sequence[Row]) -> None:
    """Records take up whole lines, one after the other, and what lies between is blank."""
    place = noted[0].number - 1  # the header's lines go before
    for row in noted:
        assert all(line.is_blank for line in found[place : row.number - 1])
        place = row.number - 1
        content = b""
        while len(content) < len(row.content):
            content += found[place].content
            place += 1
        assert content == row.content
    assert all(line.is_blank for line in found[place:])


def _check_passages(passages: Sequence[Passage], noted: Sequence[Row], case: Case) -> None:
    """All that is not white is there, in order, and nothing else; no document comes back."""
    texts = [passage.text for passage in passages]
    assert _not_white(texts) == _not_white([row.text or "" for row in noted])
    for text in texts:
        assert text.strip() or case.form != "text"
        assert "\0" not in text
        assert "\r" not in text
        assert text.encode("utf-8").decode("utf-8") == text
        assert len(text) <= case.limits.passage_characters or "\n" not in text
    names = [name for name, _ in itertools.groupby(passage.document for passage in passages)]
    assert len(set(names)) == len(names)


def _not_white(texts: Sequence[str]) -> str:
    return "".join("".join(texts).split())


def true_lines(content: bytes, encoding: str, most_bytes: int) -> list[Row]:
    """The lines of a file, one code unit at a time; the last one has no line end."""
    width = {"utf-16": 2, "utf-32": 4}.get(encoding[:6], 1)
    codec = "utf-8" if encoding == "utf-8-sig" else encoding
    if encoding in ("utf-16", "utf-32"):
        codec += "-be" if content[:width] == "\ufeff".encode(f"{encoding}-be") else "-le"
    feed, back = "\n".encode(codec), "\r".encode(codec)
    units = [content[place : place + width] for place in range(0, len(content), width)]
    found, line = [], b""
    for unit, following in itertools.zip_longest(units, units[1:]):
        line += unit
        if unit == feed or (unit == back and following != feed):
            found.append(line)
            line = b""
    return [
        _true_line(number, line, codec, most_bytes)
        for number, line in enumerate([*found, line], start=1)
    ]


def _true_line(number: int, line: bytes, codec: str, most_bytes: int) -> Row:
    if len(line) > most_bytes:
        return Row(number, line[:most_bytes], None, "long")
    try:
        text = line.decode(codec)
    except UnicodeError:
        return Row(number, line, None, "encoding")
    if "\0" in text:
        return Row(number, line, None, "NUL")
    text = text[1:] if number == 1 and text[:1] == "\ufeff" else text
    return Row(number, line, text.rstrip("\r\n"))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600)
    sys.exit(main(parser.parse_args().seconds))
