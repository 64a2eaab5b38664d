"""Text without what nobody wants to have learned, each kind of it a switch of its own.

The switches work in one order, each on what the one before has left: entities may stand for markup,
markup holds addresses, and addresses hold user names. Counts say how often each changed something.

The last four are idempotent: cleaned text, cleaned again by the same switch, stays as it is.
Entities and markup are not, since what is left may look like some again: `&amp;gt;` is `&gt;`.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache, partial
from html import unescape
from html.entities import html5
from string import whitespace
from typing import Any, Literal

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.token import Token

from unrolled.config.sections import CleaningConfig

LINK = "LINK"
"""The word for an address."""

USER = "USER"
"""The word for a user's name."""

DEEPEST_NESTING = 20
"""How many quotes, or half as many lists, in each other are told from text. Each is a call of the
parser inside the one before, and Python has a limit of 1000.
"""

LONGEST_PIECE = 500_000
"""How many characters the parser of Markdown is given at once, since it may take 400 bytes for one.
Where a longer text is cut, quotes, lists and blocks of code end.
"""

Cleaned = tuple[str, int]
"""A text, and how often something was changed in it."""


class Cleaner:
    """Cleans one text after the other and counts.

    Attributes:
        counts: for each switch that is on, how often it changed something: html_entities counts
            references, links and user_names what they replaced, control_characters characters,
            markdown and normalisation texts.
    """

    def __init__(self, config: CleaningConfig) -> None:
        self._steps = {name: step for name, step in _STEPS.items() if getattr(config, name)}
        if config.normalisation is not None:
            self._steps["normalisation"] = partial(_normalised, config.normalisation)
        self.counts = dict.fromkeys(self._steps, 0)

    def clean(self, text: str) -> str:
        """The text as the switches that are on leave it; line ends must be line feeds."""
        for name, step in self._steps.items():
            text, changes = step(text)
            self.counts[name] += changes
        return text


# HTML entities

_REFERENCE = re.compile(r"&(?:#(?:[0-9]{1,7}|[Xx][0-9A-Fa-f]{1,6})|[A-Za-z][A-Za-z0-9]*);")
"""As many digits as CommonMark allows, section 6.2: no character has more."""


def _without_html_entities(text: str) -> Cleaned:
    """Each character reference is replaced once by what it stands for.

    HTML also takes some names without their semicolon. Prose and addresses have too much that looks
    like them (`?section=1&copy=2`), so that here the semicolon must be there. Numbers that no text
    may hold, those of surrogates among them, become U+FFFD or nothing.

    Source: HTML Living Standard, section 13.2.5.80, as `html.unescape` follows it.
    """
    if "&" not in text:
        return text, 0
    replaced = 0

    def character(match: re.Match[str]) -> str:
        nonlocal replaced
        reference = match[0]
        if reference[1] != "#" and reference[1:] not in html5:
            return reference
        replaced += 1
        return unescape(reference)

    text = _REFERENCE.sub(character, text)
    if replaced:  # a carriage return is a line end here as well, alone or before a line feed
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text, replaced


# Markdown

_NO_WHITE_SPACE = dict.fromkeys(map(ord, whitespace))


class _Parser(MarkdownIt):
    """A parser of CommonMark, tables and strikethrough that leaves entities as they stand.

    It parses into blocks, and what is in them later, one by one (`inline.parse`): its tokens, a
    hundred times as large as the text, are then in memory for one block alone.
    """

    def __init__(self) -> None:
        # A list opens two levels. Below its own limit the parser would drop text without a word.
        super().__init__("commonmark", {"maxNesting": DEEPEST_NESTING + 2})
        self.enable(["table", "strikethrough"]).disable(["entity", "normalize", "inline"])
        self.block.ruler.before("table", "too_deep", _too_deep)

    # An address goes, or stays as it stands, so that none is dangerous and none is written anew.
    # The names, which N802 would have otherwise, are the library's.

    def validateLink(self, url: str) -> bool:  # noqa: N802
        return True

    def normalizeLink(self, url: str) -> str:  # noqa: N802
        return url

    def normalizeLinkText(self, link: str) -> str:  # noqa: N802
        return link


_parser = cache(_Parser)


def _without_markdown(text: str) -> Cleaned:
    """The text without markup, with blank lines between blocks; code and HTML stay as they are.

    No text, and gone, are the addresses and titles of links and images, definitions of links, the
    numbers of lists, the languages of code, and cells of a table's row beyond those of its head.
    The other cells of a row are parted by a space.

    Source: CommonMark 0.31; GitHub Flavored Markdown 0.29, sections 4.10 and 6.5.
    """
    blocks = (block.strip(whitespace) for block in _blocks(text))
    plain = "\n\n".join(block for block in blocks if block)
    return plain, int(plain.translate(_NO_WHITE_SPACE) != text.translate(_NO_WHITE_SPACE))


def _too_deep(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A rule of the parser: where nesting is too deep, a line stays as it stands."""
    if state.level < DEEPEST_NESTING:
        return False
    state.line = start + 1
    token = state.push("code_block", "code", 0)
    token.content = state.getLines(start, state.line, state.blkIndent, False)
    return True


def _blocks(text: str) -> Iterator[str]:
    """The text of each block; a row of a table is one."""
    parser = _parser()
    references: dict[str, Any] = {}
    parts: list[str] = []  # the cells of a row, or the whole of another block
    for token in (token for piece in _pieces(text) for token in parser.parse(piece, references)):
        match token.type:
            case "inline" if token.content:
                parts.append(_inline(parser.inline.parse(token.content, parser, references, [])))
            case "paragraph_close" | "heading_close" | "tr_close":
                yield " ".join(parts)
                parts.clear()
            case "code_block" | "fence" | "html_block":
                yield token.content


def _pieces(text: str) -> Iterator[str]:
    """The text, cut where it is too long: at a blank line, else a line end, a space, anywhere."""
    start = 0
    while len(text) - start > LONGEST_PIECE:
        limit = start + LONGEST_PIECE
        ends = (text.rfind(mark, start, limit) for mark in ("\n\n", "\n", " "))
        end = next((end for end in ends if end > start), limit)
        yield text[start:end]
        start = end
    yield text[start:]


def _inline(tokens: Iterable[Token]) -> str:
    """The text in a block."""
    return "".join(map(_text_of, tokens))


def _text_of(token: Token) -> str:
    """The text of a token: a line end of a break, of an image its description."""
    if token.type in {"softbreak", "hardbreak"}:
        return "\n"
    return _inline(token.children) if token.children else token.content


# Addresses and names: patterns match a character first and look back then, which alone is fast.

_ADDRESS = re.compile(
    r"[FHWfhw](?:"
    r"(?<=[Hh])[Tt][Tt][Pp][Ss]?://|(?<=[Ff])(?<![A-Za-z].)[Tt][Pp]://"
    r"|(?<=[Ww])(?<![\w@.-].)[Ww][Ww]\.)"
    r"\w[^\s<>\"`“”„«»、。，；：！？（）「」『』…]*"
)
"""None begins in a mail address, and `sftp://` is another scheme."""

_SENTENCE_MARKS = ".,;:!?'\""
_BRACKETS = {")": "(", "]": "[", "}": "{"}


def _without_links(text: str) -> Cleaned:
    """Web and FTP addresses become `LINK`; mail addresses stay."""
    if "://" not in text and "www." not in text.lower():
        return text, 0
    return _ADDRESS.subn(lambda match: LINK + match[0][_end_of_address(match[0]) :], text)


def _end_of_address(address: str) -> int:
    """Where the marks begin that follow an address and are not of it.

    A closing bracket is of it if it closes one in it, as in `wiki/Cell_(biology)`.

    Source: GitHub Flavored Markdown 0.29, section 6.9, for all brackets.
    """
    unopened = {
        closing: address.count(closing) - address.count(opening)
        for closing, opening in _BRACKETS.items()
    }
    end = len(address)
    while (mark := address[end - 1]) in _SENTENCE_MARKS or unopened.get(mark, 0) > 0:
        if mark in unopened:
            unopened[mark] -= 1
        end -= 1
    return end


_TWITTER_NAME = re.compile(r"@(?<![\w@]@)\w+")
_REDDIT_NAME = re.compile(
    r"[/Uu](?<![\w/@].)(?<![\w/-]-.)"  # a hyphen may stand before it, but not one of a word or name
    r"(?:(?<=/)[Uu])?(?<=[Uu])/[\w-]{2,}\w"  # names have 3 characters or more
)


def _without_user_names(text: str) -> Cleaned:
    """`@name`, `u/name` and `/u/name` become `USER`, but not inside a word or a mail address."""
    twitter = reddit = 0
    if "@" in text:
        text, twitter = _TWITTER_NAME.subn(USER, text)
    if "u/" in text or "U/" in text:
        text, reddit = _REDDIT_NAME.subn(USER, text)
    return text, twitter + reddit


# Characters

_CONTROL_CHARACTER = re.compile(
    # Cc but tab and line feed, and the separators of lines and paragraphs.
    "[\0-\x08\v-\x1f\x7f-\x9f\u2028\u2029"
    # Cf: hints for hyphens, direction, spacing, mathematics and notes. These of it stay: joiners,
    # signs that are seen, and what Mongolian, hieroglyphs and flags are written with.
    "\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0001]"
)
"""Written out, so that it is the same under every version of Unicode that a Python has."""


def _without_control_characters(text: str) -> Cleaned:
    """Characters that are not seen vanish; those of them that part lines become line feeds.

    A line feed and no space, since a line end is what they mean; with neither, words would grow
    together. U+001C to U+001F part records and fields, which are lines where text is shown.
    """
    rest = text.replace("\n", "").replace("\t", "").replace("\u00a0", "")
    if rest.isprintable():  # told several times as fast as by the pattern
        return text, 0
    return _CONTROL_CHARACTER.subn(_line_feed_or_nothing, text)


def _line_feed_or_nothing(match: re.Match[str]) -> str:
    return "\n" if match[0].isspace() else ""


def _normalised(form: Literal["NFC", "NFKC"], text: str) -> Cleaned:
    """The text in a normal form of Unicode."""
    if unicodedata.is_normalized(form, text):
        return text, 0
    return unicodedata.normalize(form, text), 1


_STEPS: Mapping[str, Callable[[str], Cleaned]] = {
    "html_entities": _without_html_entities,
    "markdown": _without_markdown,
    "links": _without_links,
    "user_names": _without_user_names,
    "control_characters": _without_control_characters,
}
"""The switches that are on or off, in their order."""
