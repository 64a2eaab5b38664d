"""How texts and numbers stand on the page.

Whatever comes from a corpus is text until `words` makes HTML of it: that is the one place for it.
The templates escape all else that they print, but for the figures, which hold no corpus text.
"""

import re
from collections.abc import Mapping, Sequence

from markupsafe import Markup

_LONGEST = 300
"""Letters in a row without a space; more are cut off, so that no line grows without end."""

_CONTROLS = {code: 0x2400 + code for code in range(32) if chr(code) not in "\t\n\r"} | {
    0x7F: 0x2421
}
"""Control characters, which browsers drop, and the pictures that stand for them."""

_NUMBER = re.compile(r"(-?[0-9]+(\.[0-9]+)?(e[-+]?[0-9]+)?|nan|-?inf)?")
"""A number as it is written in tables, or nothing."""


def words(text: str, longest: int = _LONGEST) -> Markup:
    """Text of a corpus or of a user as HTML: shown as it is, and to itself, so that marks which
    turn the direction of writing do not reach what stands around it.
    """
    return Markup("<bdi>{}</bdi>").format(visible(text, longest))


def visible(text: str, longest: int = _LONGEST) -> str:
    """The text, not HTML yet, as it is shown: with pictures of what browsers drop, and without the
    rest of a word of more than so many letters.
    """
    return _closed(re.sub(rf"(\S{{{longest}}})\S+", r"\1…", text.translate(_CONTROLS)))


def _closed(text: str) -> str:
    """The text with every mark closed that sets a part of it apart, and none that closes another:
    what is left open or closed too often would turn the direction of what stands around it.

    Source: Unicode Standard Annex 9, the isolates U+2066 to U+2068 and their end U+2069.
    """
    left_open = closed_too_often = 0
    for mark in re.findall("[\u2066-\u2069]", text):
        if mark != "\u2069":
            left_open += 1
        elif left_open:
            left_open -= 1
        else:
            closed_too_often += 1
    return "\u2068" * closed_too_often + text + "\u2069" * left_open


def unbroken(sentence: str) -> str:
    """A sentence in which no line ends inside a number or between it and its percent sign."""
    return re.sub(r"(\de)-(\d)", r"\1−\2", sentence).replace(" %", "\u00a0%")


def drawing(svg: str) -> Markup:
    """A figure, let through as it is."""
    return Markup(svg)


def bare(value: float | None) -> str:
    """A number for sorting, nothing for none."""
    return "" if value is None else repr(value)


def number_columns(rows: Sequence[Mapping[str, str]]) -> list[str]:
    """The columns of a table, of one row at least, in which every cell is a number or empty."""
    return [column for column in rows[0] if all(_NUMBER.fullmatch(row[column]) for row in rows)]


def cell_of_table(value: str, is_number: bool) -> Markup:
    """A cell of a table as it was written, decimals rounded to four digits that count.

    A word of a text that looks like a number stays as it is.
    """
    if value == "":
        return Markup("–")
    if not is_number:
        return words(value)
    return Markup((f"{float(value):.4g}" if "." in value else value).replace("-", "−"))
