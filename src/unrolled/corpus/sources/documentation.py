"""The default corpus: the English in the documentation of installed distributions.

Every machine that can run the workflow has it. It is read from the source by `ast`, never imported,
so nothing of a package runs. It is the same for the same versions; `package_versions` says which.
"""

import ast
import warnings
from collections.abc import Iterator, Sequence
from importlib.metadata import Distribution, PackageNotFoundError, PackagePath, distribution

from unrolled.corpus.document import Document
from unrolled.corpus.sources.docstrings import english_paragraphs
from unrolled.errors import ConfigError, DataError

# The English of tests is about the tests. What ".." leads to is a script outside the distribution.
DIRECTORIES_LEFT_OUT = frozenset({"test", "tests", "testing", ".."})


def read_documentation(packages: Sequence[str]) -> list[Document]:
    """The English of each module that has some, in the order of the packages, then of the paths.

    A document is named by its module (`numpy/linalg/_linalg.py`) and holds a paragraph a line. A
    paragraph that stood in it or in an earlier document is left out: methods repeat the words of
    the functions they wrap.

    Raises:
        ConfigError: a package is not installed.
        DataError: a package adds no English to what stood before it.
    """
    seen: set[str] = set()
    documents: list[Document] = []
    for package, installed in zip(packages, _distributions(packages), strict=True):
        modules = _modules(installed)
        found = [document for module in modules if (document := _document(module, seen)).text]
        if not found:
            raise DataError(
                f"corpus.packages: '{package}' adds no English ({len(modules)} modules read);"
                " take it off the list"
            )
        documents += found
    return documents


def package_versions(packages: Sequence[str]) -> dict[str, str]:
    """The installed version of each package, under the name it was asked for.

    Raises:
        ConfigError: a package is not installed.
    """
    installed = _distributions(packages)
    return {package: found.version for package, found in zip(packages, installed, strict=True)}


def documentation_strings(source: bytes) -> list[str]:
    """The strings that document a module, in the order of its lines; none if it does not parse.

    These are strings that stand as statements, first in a body or below an attribute, and those
    handed to numpy's `add_newdoc`, which documents what is written in C.

    Sources:
        PEP 257, also for attributes; PEP 263: `ast` decodes bytes as the module declares.
    """
    try:
        # An old module's invalid escapes are its own affair.
        with warnings.catch_warnings(action="ignore"):
            tree = ast.parse(source)
    except (SyntaxError, ValueError):  # a template, or Python 2; a null byte
        return []
    found = [string for node in ast.walk(tree) for string in _strings(node)]
    found.sort(key=lambda string: (string.lineno, string.col_offset))
    return [str(string.value) for string in found]


def _strings(node: ast.AST) -> Iterator[ast.Constant]:
    match node:
        case ast.Expr(ast.Constant(str()) as string):
            yield string
        case ast.Call(ast.Name(name) | ast.Attribute(attr=name)) if name.startswith("add_newdoc"):
            for child in ast.walk(node):
                if isinstance(child, ast.Constant) and isinstance(child.value, str):
                    yield child


def _document(module: PackagePath, seen: set[str]) -> Document:
    """The module's paragraphs that were not seen before; they are, after this."""
    strings = documentation_strings(module.read_binary())
    paragraphs = dict.fromkeys(text for string in strings for text in english_paragraphs(string))
    new = [paragraph for paragraph in paragraphs if paragraph not in seen]
    seen.update(new)
    return Document(module.as_posix(), "\n".join(new))


def _modules(installed: Distribution) -> list[PackagePath]:
    """In the order of their paths, which no file system's order and no locale moves."""
    modules = [
        path
        for path in installed.files or ()
        if path.suffix == ".py" and DIRECTORIES_LEFT_OUT.isdisjoint(path.parts)
    ]
    return sorted(modules, key=PackagePath.as_posix)


def _distributions(packages: Sequence[str]) -> list[Distribution]:
    """All of them before any is read, so that a wrong name is told at once."""
    return [_distribution(package, index) for index, package in enumerate(packages)]


def _distribution(package: str, index: int) -> Distribution:
    try:
        return distribution(package)
    except (PackageNotFoundError, ValueError):  # not there; empty
        raise ConfigError(
            f"corpus.packages[{index}] must name an installed distribution (got '{package}')"
        ) from None
