"""From text to sentences: found by Punkt, or given as lines."""

import re
from collections.abc import Iterator

from nltk.tokenize.punkt import PunktSentenceTokenizer

_BLANK_LINE = re.compile(r"\n[^\S\n]*\n")


def sentences(text: str, splitter: PunktSentenceTokenizer) -> Iterator[str]:
    """The sentences of a text; a blank line always ends one, a single line break never does."""
    for paragraph in _BLANK_LINE.split(text):
        yield from splitter.tokenize(" ".join(paragraph.split()))


def sentences_by_line(text: str, end_token: str | None) -> Iterator[str]:
    """The lines of a text that are not blank, each a sentence exactly as it stands.

    Args:
        text: what it says.
        end_token: a word that ends a sentence wherever it stands between white space, at a line's
            end or inside it. It is no part of the sentence, nor is the one character of white space
            on either side of it.
    """
    for line in text.split("\n"):
        parts = [line] if end_token is None else _parts(line, end_token)
        yield from (part for part in parts if part.strip())


def _parts(line: str, end_token: str) -> list[str]:
    """What a word parts in a line; its neighbours are looked at, not only taken, for two in a row
    have one space between them.
    """
    return re.split(rf"\s?(?<!\S){re.escape(end_token)}(?!\S)\s?", line)
