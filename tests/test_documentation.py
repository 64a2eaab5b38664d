"""What counts as English in a documentation string, and which strings are read."""

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.corpus.sources import documentation
from unrolled.corpus.sources.docstrings import (
    MINIMUM_WORDS,
    english_paragraphs,
    plain_words,
    whole_sentences,
)
from unrolled.corpus.sources.documentation import (
    documentation_strings,
    package_versions,
    read_documentation,
)
from unrolled.errors import ConfigError, DataError

Plant = Callable[..., Path]

KEPT = "The first sentence is kept as it stands."
LAST = "The last sentence is kept as well."

NOT_ENGLISH = {
    "a doctest and its output": """
        >>> total = 1 + 1
        This is what the example prints out.
    """,
    "a literal block": """
        without a capital::

            This line of text is an example.

              This one is deeper still.
    """,
    "a directive and its body": """
        .. versionadded:: 1.5
           This argument was not there before.
    """,
    "a directive whose body follows a blank line": """
        .. code-block:: text

           This line of text is an example.
    """,
    "a comment": ".. This is a note to the authors.",
    "a footnote": """
        .. [1] This is an article about sentences.
           Its title goes on here.
    """,
    "a simple table": """
        ==========  =====================
        Name        What it is good for
        ==========  =====================
        short       This is a cell of it.

        Another cell of the same table.
        ==========  =====================
    """,
    "a grid table": """
        +------+--------------------------+
        | Name | This is a cell of it.    |
        +------+--------------------------+
    """,
    "a heading": """
        This heading has a full stop.
        -----------------------------
    """,
    "an overlined heading": """
        =============================
        This heading has a full stop.
        =============================
    """,
    "numpydoc's head of a parameter": "x : array_like, optional",
    "several heads": """
        x, y : float
        dtype : dtype, optional
    """,
    "a field without an explanation": ":param x:",
    "a field that holds a type": """
        :type x: This is a list of words.
            It may be a tuple of words.
    """,
    "a type that is returned": ":rtype: A list of all the words.",
    "a section's label": "Returns:",
    "a line of names": "Linspace, arange and logspace",
    "a line of code": "Values = sorted(names)",
    "an address": "See https://example.org/some/page for all the details.",
    "a sentence cut short": "This sentence has no end",
    "a sentence left open": "This sentence goes on like this...",
    "a sentence without a beginning": "and this one has no beginning.",
    "a sentence that introduces something": "The words are the following:",
    "too few words": "See also below.",
    "a listing": "The bits are a1, b2, c3, d4, e5 and f6.",
    "a sentence around a formula": "The value of :math:`x^2 + 1` is never negative.",
    "a sentence around code": "The call ``f(x, y=2)`` gives back the sum.",
    "a call without markup": "Use sorted(names) when the order is of interest.",
    "an unclosed parenthesis": "The words (all of them are in the list.",
    "an unclosed quotation": 'The word "example is in the list.',
    "a hole for the program to fill": "The words of %(name)s are in the list.",
    "text that is tokenised": "What county is the city of Modesto , California in ?",
    "another script": "Слова в этом списке идут по порядку.",
    "a shouted licence": "THE SOFTWARE IS PROVIDED AS IS, WITHOUT WARRANTY OF ANY KIND.",
    "a publication": "Ada Byron and others (1993) Notes on the Engine. It is a long book.",
}

ENGLISH = {
    "a paragraph over several lines": (
        "The words of a paragraph\nare joined  by\none space.",
        ["The words of a paragraph are joined by one space."],
    ),
    "the explanation under numpydoc's head": (
        "Parameters\n----------\nx : array_like, optional\n    The values to be sorted.",
        ["The values to be sorted."],
    ),
    "the explanation after Google's head": (
        "Args:\n    x (int, optional): The values to be\n        sorted in place.",
        ["The values to be sorted in place."],
    ),
    "the explanation after a field": (
        ":param x: The values to be\n    sorted in place.\n:type x: list",
        ["The values to be sorted in place."],
    ),
    "the explanation after an epytext field": (
        "@param x: The values to be sorted.",
        ["The values to be sorted."],
    ),
    "items of a list, each by itself": (
        "- The first item of the list\n  goes on here.\n* The second item is short.",
        ["The first item of the list goes on here.", "The second item is short."],
    ),
    "items with numbers and labels": (
        "1. The first item of the list.\n(b) ``x``: The second item is short.",
        ["The first item of the list.", "The second item is short."],
    ),
    "the body of a note": (
        ".. note::\n   This is something to know.\n\nThis comes after the note.",
        ["This is something to know.", "This comes after the note."],
    ),
    "what precedes a literal block": (
        "This is a whole sentence. See::\n\n    x = 1\n\nThis comes after the block.",
        ["This is a whole sentence.", "This comes after the block."],
    ),
    "the good sentences of a paragraph": (
        "This one is kept. Call ``f(x)`` to see it. This one is kept, too.",
        ["This one is kept. This one is kept, too."],
    ),
    "a sentence with abbreviations": (
        "Some words, e.g. Python, are names (cf. Knuth et al. They agree).",
        ["Some words, e.g. Python, are names (cf. Knuth et al. They agree)."],
    ),
    "a quotation": (
        '"This is said by somebody." So it is quoted.',
        ['"This is said by somebody." So it is quoted.'],
    ),
    "the text under a heading": (
        "Notes\n-----\nThis is said in the notes.",
        ["This is said in the notes."],
    ),
}

MARKUP = {
    "``name``": "name",
    "`name`": "name",
    "``'quoted'``": "'quoted'",
    "``(M, N)``": "(M, N)",
    "`f()`": "f",
    ":class:`~a.b.Name`": "Name",
    ":class:`a.b.Name`": "a.b.Name",
    ":meth:`.Name.method`": "Name.method",
    ":class:`_a.Name`": "Name",
    ":py:func:`the title <a.b>`": "the title",
    "`the title <https://example.org>`_": "the title",
    "`the title`_ and title_": "the title and title",
    "**bold** and *emphasised*": "bold and emphasised",
    "C{name}": "name",
    r"`Name`\s": "Names",
    "words [1]_": "words",
    "``x[0] = 1``": "\N{OBJECT REPLACEMENT CHARACTER}",
    "2 * x and 3 * y": "2 * x and 3 * y",
    "__init__ of snake_case": "__init__ of snake_case",
}


@pytest.fixture
def plant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plant:
    """A function that installs a distribution of the given modules where Python looks first."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def plant_modules(modules: Mapping[str, str], name: str = "planted") -> Path:
        information = tmp_path / f"{name}-1.2.dist-info"
        information.mkdir()
        (information / "METADATA").write_text(f"Name: {name}\nVersion: 1.2\n", "utf-8")
        (information / "RECORD").write_text("".join(f"{path},,\n" for path in modules), "utf-8")
        for path, source in modules.items():
            file = tmp_path / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(source, "utf-8")
        return tmp_path

    return plant_modules


def module_of(*sentences: str) -> str:
    return '"""' + "\n\n".join(sentences) + '"""\n'


@pytest.mark.parametrize("form", NOT_ENGLISH)
def test_what_is_not_english_is_dropped_and_its_neighbours_stay(form: str) -> None:
    docstring = f"{KEPT}\n\n{textwrap.dedent(NOT_ENGLISH[form]).strip()}\n\n{LAST}"

    assert english_paragraphs(docstring) == [KEPT, LAST]


@pytest.mark.parametrize("form", ENGLISH)
def test_english_is_kept(form: str) -> None:
    docstring, paragraphs = ENGLISH[form]

    assert english_paragraphs(docstring) == paragraphs


@pytest.mark.parametrize("title", ["See Also", "References"])
def test_a_section_of_names_ends_at_the_next_heading(title: str) -> None:
    docstring = f"""{KEPT}

    {title}
    {"-" * len(title)}
    sorted : This is what another function does.

    This is the title of a book.

    Notes
    -----
    {LAST}
    """

    assert english_paragraphs(docstring) == [KEPT, LAST]


@pytest.mark.parametrize("markup", MARKUP)
def test_inline_markup_is_reduced_to_the_words_it_shows(markup: str) -> None:
    assert plain_words(markup) == MARKUP[markup]


@given(st.text(st.sampled_from("AbcD .!?\"'():`*_-\n>é1"), max_size=200))
def test_every_paragraph_is_a_line_of_whole_sentences(docstring: str) -> None:
    for paragraph in english_paragraphs(docstring):
        assert "\n" not in paragraph
        assert paragraph.strip() == paragraph
        assert paragraph.lstrip("\"'(“")[0].isupper()
        assert paragraph.rstrip("\"')”")[-1] in ".!?"
        assert len(paragraph.split()) >= MINIMUM_WORDS


@given(st.lists(st.sampled_from([KEPT, LAST, "no capital.", "Too short."])))
def test_whole_sentences_of_whole_sentences_are_the_same(sentences: list[str]) -> None:
    once = whole_sentences(" ".join(sentences))

    assert whole_sentences(once) == once


def test_strings_of_every_kind_of_body_are_read_in_the_order_of_the_lines() -> None:
    source = b'''
"""Module."""
x = "not one"
"""Attribute."""
class C:
    """Class."""
    async def method(self):
        """Method."""
        if x:
            def inner(): "Inner."
add_newdoc("numpy", "C", ("attribute", """In C."""))
'''

    strings = documentation_strings(source)

    assert strings[:5] == ["Module.", "Attribute.", "Class.", "Method.", "Inner."]
    assert strings[5:] == ["numpy", "C", "attribute", "In C."]


@pytest.mark.parametrize("source", [b"print 'Python 2'", b"{{ template }} =", b"x = '\0'"])
def test_a_module_that_does_not_parse_has_no_strings(source: bytes) -> None:
    assert documentation_strings(source) == []


def test_a_module_is_decoded_as_it_declares() -> None:
    assert documentation_strings('# coding: latin-1\n"Bézier"'.encode("latin-1")) == ["Bézier"]
    assert documentation_strings('"Bézier"'.encode()) == ["Bézier"]


def test_a_warning_about_a_module_is_not_passed_on() -> None:
    assert documentation_strings(rb'"\d is an invalid escape"') == [r"\d is an invalid escape"]


def test_documents_are_named_by_module_and_stand_in_the_order_of_their_paths(plant: Plant) -> None:
    plant({"p/z.py": module_of(LAST), "p/a/b.py": module_of(KEPT), "p/empty.py": ""})

    documents = read_documentation(["planted"])

    assert [(document.name, document.text) for document in documents] == [
        ("p/a/b.py", KEPT),
        ("p/z.py", LAST),
    ]


def test_packages_stand_in_the_order_given(plant: Plant) -> None:
    plant({"a.py": module_of(KEPT)}, name="first")
    plant({"b.py": module_of(LAST)}, name="second")

    documents = read_documentation(["second", "first"])

    assert [document.name for document in documents] == ["b.py", "a.py"]


def test_a_paragraph_seen_before_is_dropped(plant: Plant) -> None:
    plant(
        {
            "a.py": module_of(KEPT, KEPT),
            "b.py": module_of("The first  sentence\nis kept as it stands.", LAST),
        }
    )

    documents = read_documentation(["planted"])

    assert [document.text for document in documents] == [KEPT, LAST]


def test_tests_and_files_other_than_modules_are_left_out(plant: Plant) -> None:
    english = module_of(LAST)
    plant(
        {
            "p/a.py": module_of(KEPT),
            "p/tests/test_a.py": english,
            "p/test/a.py": english,
            "p/testing/deeper/a.py": english,
            "p/a.pyi": english,
            "p/a.txt": english,
        }
    )

    assert [document.name for document in read_documentation(["planted"])] == ["p/a.py"]


def test_a_module_is_never_imported(plant: Plant) -> None:
    plant({"planted_module.py": module_of(KEPT) + "raise RuntimeError('imported')\n"})

    documents = read_documentation(["planted"])

    assert documents[0].text == KEPT
    assert "planted_module" not in sys.modules


def test_a_package_that_is_not_installed_is_named_in_one_line() -> None:
    message = r"^corpus\.packages\[1\] must name an installed distribution \(got 'nunpy'\)$"

    with pytest.raises(ConfigError, match=message):
        read_documentation(["numpy", "nunpy"])
    with pytest.raises(ConfigError, match=message):
        package_versions(["numpy", "nunpy"])


def test_an_empty_name_is_no_package() -> None:
    with pytest.raises(ConfigError, match=r"packages\[0\] must name an installed distribution"):
        package_versions([""])


@pytest.mark.parametrize("modules", [{}, {"a.py": "x = 1"}])
def test_a_package_without_english_is_an_error(plant: Plant, modules: dict[str, str]) -> None:
    plant(modules)

    with pytest.raises(
        DataError, match=rf"'planted' adds no English \({len(modules)} modules read"
    ):
        read_documentation(["planted"])


def test_a_package_listed_twice_is_an_error(plant: Plant) -> None:
    plant({"a.py": module_of(KEPT)})

    with pytest.raises(DataError, match="'planted' adds no English"):
        read_documentation(["planted", "planted"])


def test_versions_are_those_installed(plant: Plant) -> None:
    plant({})

    assert package_versions(["planted", "numpy"]) == {"planted": "1.2", "numpy": version("numpy")}


def test_documents_do_not_depend_on_hash_seed_or_locale(plant: Plant) -> None:
    root = plant(
        {"p/a.py": module_of(KEPT, "The Bézier curve is a curve."), "p/b.py": module_of(LAST)}
    )
    program = (
        "from unrolled.corpus.sources.documentation import read_documentation; import sys;"
        "sys.stdout.buffer.write(repr(read_documentation(['planted', 'click'])).encode())"
    )

    def run(hash_seed: str, locale: str) -> bytes:
        environment = {"PYTHONPATH": str(root), "PYTHONHASHSEED": hash_seed, "LC_ALL": locale}
        command = [sys.executable, "-X", "utf8=0", "-c", program]
        return subprocess.run(
            command, env=os.environ | environment, stdout=subprocess.PIPE, check=True
        ).stdout

    assert run("1", "C") == run("2", "C.UTF-8") != b""


def test_the_default_packages_hold_enough_english(monkeypatch: pytest.MonkeyPatch) -> None:
    # All modules take long to read, and every eighth of them shows as well what is lost.
    modules = documentation._modules
    monkeypatch.setattr(documentation, "_modules", lambda installed: modules(installed)[::8])

    documents = read_documentation(["numpy", "matplotlib", "nltk"])

    # Each about a tenth below what an eighth of the pinned versions holds, of 290,000 words in all.
    assert sum(len(document.text.split()) for document in documents) > 34_000
    assert sum(document.text.count("\n") + 1 for document in documents) > 2_000
