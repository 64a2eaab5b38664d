"""From a file of JSON, an object a line, to the texts of one field, none lost: what cannot be read
is told with its reason.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from unrolled.corpus.reading.rows import NUL, Row, text_rows

JSON = "JSON"
"""Reason: a line that is no value of JSON."""
FIELD = "field"
"""Reason: no object, or one that does not hold a text under the name of the field."""
SURROGATE = "surrogate"
"""Reason: half of a character, which only an escape of JSON can write."""


def json_rows(path: Path, encoding: str, field: str) -> Iterator[Row]:
    """The texts of one field of the objects in a file that holds one a line.

    Where the whole name is no key of the object, the part before its first dot may be the key of
    another object in which the rest is looked for: `a.b` finds {"a.b": ...}, else {"a": {"b":
    ...}}. Blank lines are no rows. Every line end within a text becomes LF.

    A line is rejected for ENCODING, NUL, LONG, JSON, FIELD or SURROGATE.

    Raises:
        ConfigError: the encoding is none of those that can be read.
        DataError: the file cannot be read.
    """
    for row in text_rows(path, encoding):
        if row.text is None:
            yield row
        elif not row.is_blank:
            yield _member(row, row.text, field)


def _member(row: Row, line: str, field: str) -> Row:
    """The row with the text of its field."""
    text: Any = None
    try:
        text = _find(json.loads(line), field)
        reason = _fault(text)
    except (ValueError, RecursionError):
        reason = JSON
    if reason is None and "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return Row(row.number, row.content, text if reason is None else None, reason)


def _find(value: Any, field: str) -> Any:
    """What an object holds under a name; None where it is no object or has no such name."""
    if not isinstance(value, dict):
        return None
    if field in value:
        return value[field]
    key, dot, rest = field.partition(".")
    return _find(value.get(key), rest) if dot else None


def _fault(text: Any) -> str | None:
    """Why a member of an object is no text that can be taken; None where it is one."""
    if not isinstance(text, str):
        return FIELD
    if "\0" in text:
        return NUL
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return SURROGATE
    return None
