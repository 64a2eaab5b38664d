"""From the rows of files to the passages of documents, in bounded memory.

A document is a file, a block, a row, or what follows a heading. Rejected rows are missing from it;
whoever reads is told of each.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, groupby, pairwise
from operator import itemgetter
from pathlib import Path

from unrolled.config.corpus_sections import ReadingConfig
from unrolled.config.sections import DocumentKind
from unrolled.corpus.document import Passage
from unrolled.corpus.folder import files_below
from unrolled.corpus.reading.csv_rows import csv_rows
from unrolled.corpus.reading.headings import heading_level
from unrolled.corpus.reading.json_rows import json_rows
from unrolled.corpus.reading.rows import Row, text_rows

PASSAGE_CHARACTERS = 2**20
"""A longer document is given in parts."""

Note = Callable[[str, Row], None]
"""Takes the name of a file and a row of it."""

Line = tuple[int, str]
"""The row of its file on which a document starts, from 1, and one line of that document."""


def read_passages(
    folder: Path, config: ReadingConfig, document: DocumentKind, note: Note
) -> Iterator[Passage]:
    """The passages that are not blank, in the order of the files' paths, then of their rows.

    A file is named by its path below the folder; any other document by that and the number of its
    first line: `letters/1912.txt:7`. Every line end is LF. A whole file of records is their texts,
    parted by blank lines. The passages of one document, joined by line ends, are its text, but for
    passages of plain text that are blank. A record that is blank is a blank passage: a document of
    which nothing is left.

    Args:
        folder: what holds the files, as `files_below` finds them.
        config: what their bytes mean.
        document: what belongs together. A file. A block, which stands between blank lines. A row.
            Or a heading of the first level and what follows it; what stands before the first one
            of a file is a document, too. Of CSV and JSON each record is one, unless the file is.
        note: told of every row as it is read, accepted or rejected, but not of blank lines of plain
            text.

    Raises:
        ConfigError: an encoding is none of those that can be read.
        DataError: a file cannot be read, or is not CSV with that column and rows.
    """
    for path in files_below(folder):
        file = path.relative_to(folder).as_posix()
        rows = _noted(_rows(path, config, config.encoding_of(file)), config.form, file, note)
        found = _lines(rows, document) if config.form == "text" else _texts(rows, document)
        for start, lines_of_one in groupby(found, key=itemgetter(0)):
            name = file if document == "file" else f"{file}:{start}"
            for text in _parts(line for _, line in lines_of_one):
                if text.strip() or config.form != "text":
                    yield Passage(name, text)


def _rows(path: Path, config: ReadingConfig, encoding: str) -> Iterator[Row]:
    match config.form:
        case "text":
            return text_rows(path, encoding)
        case "csv":
            return csv_rows(path, encoding, config.column or "")
        case "jsonl":
            return json_rows(path, encoding, config.field or "")


def _noted(rows: Iterable[Row], form: str, file: str, note: Note) -> Iterator[Row]:
    for row in rows:
        if form != "text" or not row.is_blank:
            note(file, row)
        yield row


def _lines(rows: Iterable[Row], document: DocumentKind) -> Iterator[Line]:
    """The lines of plain text that are accepted."""
    match document:
        case "file":
            return ((1, row.text) for row in rows if row.text is not None)
        case "block":
            return _lines_of_blocks(rows)
        case "row":
            return ((row.number, row.text) for row in rows if row.text is not None)
        case "heading":
            return _lines_of_articles(rows)


def _lines_of_blocks(rows: Iterable[Row]) -> Iterator[Line]:
    """A rejected line was not blank, as far as is known: it parts no block and may begin one."""
    start = None
    for row in rows:
        if row.is_blank:
            start = None
            continue
        start = start or row.number
        if row.text is not None:
            yield start, row.text


def _lines_of_articles(rows: Iterable[Row]) -> Iterator[Line]:
    """A heading stands between blank lines; a line that does not is mathematics or a legend."""
    accepted = ((row.number, row.text) for row in rows if row.text is not None)
    start, before = 1, ""
    for (number, line), (_, after) in pairwise(chain(accepted, [(0, "")])):
        if heading_level(line) == 1 and not before.strip() and not after.strip():
            start = number
        yield start, line
        before = line


def _texts(records: Iterable[Row], document: DocumentKind) -> Iterator[Line]:
    """The lines of the texts that are accepted and not blank."""
    is_first = True
    for record in records:
        if record.text is None or (document == "file" and record.is_blank):
            continue
        if document == "file" and not is_first:
            yield 1, ""
        is_first = False
        for line in record.text.split("\n"):
            yield (1 if document == "file" else record.number), line


def _parts(lines_of_document: Iterable[str]) -> Iterator[str]:
    """The text of a document, in parts no longer than PASSAGE_CHARACTERS where lines are not."""
    part: list[str] = []
    size = 0  # of the part, a line end after each line
    for line in lines_of_document:
        while part and size + len(line) > PASSAGE_CHARACTERS:
            end = _place_to_cut(part)
            yield "\n".join(part[:end])
            part = part[end:]
            size = sum(len(kept) + 1 for kept in part)
        part.append(line)
        size += len(line) + 1
    yield "\n".join(part)


def _place_to_cut(part: Sequence[str]) -> int:
    """How many lines go: up to the last blank one if it lies in the later half, else all."""
    left = PASSAGE_CHARACTERS // 2
    for end in range(len(part), 0, -1):
        left -= len(part[end - 1]) + 1
        if left < 0:
            break
        if not part[end - 1].strip():
            return end
    return len(part)
