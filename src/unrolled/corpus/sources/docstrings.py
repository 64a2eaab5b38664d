"""From one documentation string to its English.

Documentation strings come in three styles, numpydoc, Google and plain reStructuredText, none of
them kept strictly, so no parser of one of them fits. What they share is layout: blank lines,
indentation, and marks at the start of a line. Hence two steps.

1. A chain of stages takes the lines. Each knows one form that is not prose (doctests, tables, ...)
   and leaves a blank line in its place.
2. The lines that stand together at one depth are joined, their inline markup is reduced to words,
   and each sentence is judged by itself.

The second step is strict, so the first need not be perfect: a parameter's head or a line of code
that slips through lacks the capital or the full stop, or has characters that prose has not. A good
sentence lost costs little; a bad one kept is learnt by the model.
"""

import inspect
import re
from collections.abc import Iterable, Iterator
from itertools import groupby, pairwise

# What may stand before the prose of a line, in any order and number: "- x: The ...".
MARKS = re.compile(
    r"""(?: \.\.[ ](?:note|warning|tip|hint|important|caution|attention)::\s*  # English inside
          | (?:[-*+•]|\(?(?:\d{1,2}|[a-z\#])[.)])\s+        # a list's bullet or number
          | [:@](?!r?type\b)\w+(?:[ ][^:]*)?:(?:\s+|$)      # :param x: and @param x:
          | [*`'"]*[\w.]+[`'"]*(?:[ ]\([^)]*\))?:(?:\s+|$)  # x (int): and Returns:
        )+""",
    re.VERBOSE,
)
DOCTEST = re.compile(r"\s*>>>")
# Directives, comments, footnotes, targets; and the two fields that hold a type.
EXPLICIT_MARKUP = re.compile(r"\s*(\.\.(\s|$)|__ |[:@]r?type\b)")
TABLE_BORDER = re.compile(r"\s*((=+ +)+=+|\+[-=+]+\+)\s*$")
UNDERLINE = re.compile(r"\s*([=\-~^\"'`#*+:_])\1{2,}\s*$")
SECTIONS_OF_NAMES = frozenset({"see also", "reference", "references", "bibliography", "citations"})


def english_paragraphs(docstring: str) -> list[str]:
    """The paragraphs of whole English sentences, one line each, in their order.

    Sources:
        PEP 257 for indentation; the style guides of numpydoc and Google; reStructuredText's
        specification.
    """
    lines: Iterable[str] = inspect.cleandoc(docstring).splitlines()
    for stage in STAGES:
        lines = stage(lines)
    paragraphs = (whole_sentences(plain_words(block)) for block in _blocks(lines))
    return [paragraph for paragraph in paragraphs if paragraph]


def _without_doctests(lines: Iterable[str]) -> Iterator[str]:
    """A doctest and its output end at the next blank line, as `doctest` itself reads them."""
    inside = False
    for line in lines:
        inside = bool(line.strip()) and (inside or DOCTEST.match(line) is not None)
        yield "" if inside else line


def _without_marks(lines: Iterable[str]) -> Iterator[str]:
    """What follows a mark starts a paragraph, at the depth of the lines that go on with it."""
    for line, following in pairwise([*lines, ""]):
        text = line.lstrip()
        mark = MARKS.match(text)
        if mark is None:
            yield line
        else:
            yield ""
            yield " " * max(_depth(line) + 1, _depth(following)) + text[mark.end() :]


def _without_bodies(lines: Iterable[str]) -> Iterator[str]:
    """A directive and a literal block reach as far as the lines deeper than what opened them."""
    opener: int | None = None
    for line in lines:
        if opener is not None and (_depth(line) > opener or not line.strip()):
            yield ""
            continue
        markup = EXPLICIT_MARKUP.match(line) is not None
        opener = _depth(line) if markup or line.rstrip().endswith("::") else None
        yield "" if markup else line


def _without_tables(lines: Iterable[str]) -> Iterator[str]:
    """A table begins with a border and ends with one that a blank line follows."""
    inside = False
    for line, following in pairwise([*lines, ""]):
        border = TABLE_BORDER.match(line) is not None
        yield "" if inside or border else line
        inside = bool(following.strip()) if border else inside


def _without_headings(lines: Iterable[str]) -> Iterator[str]:
    """Nor sections that list names or publications: those go until the next heading."""
    skipping = False
    for line, following in pairwise([*lines, ""]):
        heading = bool(line.strip()) and UNDERLINE.match(following) is not None
        if heading:
            skipping = line.strip().lower() in SECTIONS_OF_NAMES
        yield "" if heading or skipping or UNDERLINE.match(line) else line


STAGES = (_without_doctests, _without_marks, _without_bodies, _without_tables, _without_headings)


def _blocks(lines: Iterable[str]) -> Iterator[str]:
    """Neighbouring lines of one depth, joined; so a parameter's head is parted from its body."""
    for depth, block in groupby(lines, key=_depth):
        if depth >= 0:
            yield " ".join(" ".join(block).split())


def _depth(line: str) -> int:
    """Spaces before the text; -1 for a blank line."""
    return len(line) - len(line.lstrip()) if line.strip() else -1


LEFT_OUT = "\N{OBJECT REPLACEMENT CHARACTER}"
"""Stands where code or a formula stood. It is no character of prose, so its sentence goes too."""

FOOTNOTE_MARK = re.compile(r"\s*\[[\w#*, -]+\]_")
REFERENCE = re.compile(r":[\w:+-]+:`([^`]+)`|(?<![\w`])`(?!\s)([^`]+)(?<!\s)`__?(?!\w)")
REFERENCE_MARK = re.compile(r"(?<=[a-z0-9])_(?=[\s.,;:)]|$)")  # word_ is a link, too
PRIVATE_MODULE = re.compile(r"_\w+\.(?=\w)")
LITERAL = re.compile(r"``(.+?)``|`([^`]+)`|\b[A-Z]\{([^{}]+)\}")  # the last is epytext's C{x}
EMPHASIS = re.compile(r"(?<!\w)(\*\*?)(\w[^*]*?)\1(?!\w)")
ESCAPE = re.compile(r"\\(\s|(?=\w))")  # what parts markup from the letters that follow it: `x`\s
PLAIN_CODE = re.compile(r"""[\w\s.,'"()-]+""")


def plain_words(text: str) -> str:
    """The text with its inline markup reduced to the words it shows."""
    text = REFERENCE_MARK.sub("", FOOTNOTE_MARK.sub("", text))
    text = REFERENCE.sub(lambda match: _shown(match[1] or match[2]), text)
    text = LITERAL.sub(lambda match: _spoken(match[1] or match[2] or match[3]), text)
    return ESCAPE.sub("", EMPHASIS.sub(r"\2", text))


def _shown(reference: str) -> str:
    """`title <target>` shows its title, `~a.b.C` its last name, `_a.B` what follows its module."""
    title, target, _ = reference.partition("<")
    if target:
        return title.strip()
    if reference.startswith("~"):
        return _spoken(reference.rpartition(".")[2])
    return _spoken(PRIVATE_MODULE.sub("", reference))


def _spoken(code: str) -> str:
    """Code that can be read out within a sentence: a name, a value, a tuple of them."""
    name = code.strip().removesuffix("()").lstrip(".")
    return name if PLAIN_CODE.fullmatch(name) else LEFT_OUT


MINIMUM_WORDS = 4
"""Fewer make a label or a cross-reference ("See below.")."""

MINIMUM_WORD_SHARE = 0.8
"""The rest may be numbers and identifiers; with more of them a sentence is a listing."""

# A full stop after one of these ends no sentence; nor does one after an initial.
ABBREVIATIONS = ("e.g.", "i.e.", "cf.", "vs.", "al.", "Fig.", "Eq.", "Sec.", "Dr.", "Prof.")
SENTENCE_BREAK = re.compile(
    r"""(?:(?<=[.!?])|(?<=[.!?]["')]))(?<!\b[A-Z]\.)"""
    + "".join(rf"(?<!\b{re.escape(short)})" for short in ABBREVIATIONS)
    + r"""\s+(?=["'(]*[A-Z])"""
)
LETTERS = "A-Za-zÀ-ÖØ-öø-ÿ"
WORD = re.compile(rf"[{LETTERS}]+(?:['’/-][{LETTERS}]+)*")
SENTENCE = re.compile(rf"""["'“(]*[A-Z][{LETTERS}\d_\s.,;:!?'"()/%&’“”–—-]*[.!?]["'”)]*""")
NOT_PROSE = re.compile(
    r"""\s[,.;:!?](?:\s|$)  # a type ("x : int"), or text that is tokenised already
      | \.\.               # something left open
      | //                 # an address
      | %\(                # a hole that is filled in when the program runs
      | [A-Z\ ,]{40}       # a licence, shouting
      | \w\((?!e?s\))      # a call, but not "name(s)"
    """,
    re.VERBOSE,
)
# Among publications, authors and titles look like sentences, so the whole paragraph goes.
PUBLICATION = re.compile(
    r"""\b(?:Proceedings|Journal|(?:University|MIT)\ Press)\b | \bpp\.\ ?\d
      | [.)]\ (?:19|20)\d\d\. | \((?:19|20)\d\d\)\.?\ [A-Z]  # the year alone, or before a title
    """,
    re.VERBOSE,
)


def whole_sentences(paragraph: str) -> str:
    """The sentences that read as English, joined by a space; maybe none."""
    if PUBLICATION.search(paragraph):
        return ""
    return " ".join(filter(_is_english, SENTENCE_BREAK.split(paragraph)))


def _is_english(sentence: str) -> bool:
    words = [word.strip(""".,;:!?'"()’“”""") for word in sentence.split()]
    word_count = sum(WORD.fullmatch(word) is not None for word in words)
    return (
        SENTENCE.fullmatch(sentence) is not None
        and NOT_PROSE.search(sentence) is None
        and word_count >= max(MINIMUM_WORDS, MINIMUM_WORD_SHARE * len(words))
        # One of a pair means that a sentence was cut in the wrong place.
        and sentence.count("(") == sentence.count(")")
        and sentence.count('"') % 2 == 0
    )
