"""A hash of the code that a stage runs, so that editing code reruns exactly what it touches.

Taken from the syntax trees of all modules of this package that the stage imports, directly or not,
docstrings left out: a comment, a docstring or a new place for the folder changes nothing. Templates
and what else is read from the folder of the code count byte for byte: those that have the name of a
module beside them with this module, all others with every module of their package.
"""

import ast
import functools
import hashlib
from collections.abc import Iterator
from pathlib import Path

import grimp

PACKAGE = "unrolled"
DATA_SUFFIXES = {".html", ".css", ".svg", ".js", ".jinja"}
_ROOT = Path(__file__).parent
_BLOCKS = ("body", "orelse", "handlers", "finalbody", "cases")
"""Where a statement holds others."""


def code_hash(module: str) -> str:
    """A hash of one module of this package and all that it imports from it.

    Args:
        module: its full name, such as `unrolled.stages.train`.
    """
    modules = sorted({module, *_imports().find_upstream_modules(module)})
    digest = hashlib.sha256()
    for name in modules:
        digest.update(f"{name}\n{_module_hash(name)}\n".encode())
    return digest.hexdigest()[:16]


@functools.cache
def _imports() -> grimp.ImportGraph:
    return grimp.build_graph(PACKAGE, cache_dir=None)


@functools.cache
def _module_hash(name: str) -> str:
    path = _ROOT.joinpath(*name.split(".")[1:])
    source = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    digest = hashlib.sha256(_code(source.read_bytes()).encode())
    for file in _files_read_by(source):
        place = file.relative_to(source.parent).as_posix()
        digest.update(f"{place}\n".encode() + file.read_bytes())
    return digest.hexdigest()


def _code(source: bytes) -> str:
    """What a module does, without its docstrings, comments and layout."""
    tree = ast.parse(source)
    for node in _statements(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [statement for statement in node.body if not _is_string(statement)]
    return ast.dump(tree)


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """The node and all statements in it; expressions, most of a tree, hold no docstring."""
    yield node
    for block in _BLOCKS:
        for statement in getattr(node, block, ()):
            yield from _statements(statement)


def _is_string(statement: ast.stmt) -> bool:
    """Whether a statement is a bare string: a docstring of what encloses it or stands before it."""
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def _files_read_by(source: Path) -> list[Path]:
    """The files that count as a module's: its own, and those that all of its package share."""
    owned = _data_files()
    return sorted([*owned.get(source, []), *owned.get(source.parent, [])])


@functools.cache
def _data_files() -> dict[Path, list[Path]]:
    """The files of the package that count and are no modules, by their owners."""
    owned: dict[Path, list[Path]] = {}
    for path in _ROOT.rglob("*"):
        if path.suffix in DATA_SUFFIXES:
            owned.setdefault(_owner(path), []).append(path)
    return owned


def _owner(file: Path) -> Path:
    """The module beside a file whose name it has, as model_card.md.jinja belongs to model_card.py;
    otherwise the folder of the package that it lies in.
    """
    package = next(folder for folder in file.parents if (folder / "__init__.py").exists())
    module = file.parent / f"{file.name.split('.')[0]}.py"
    return module if module.exists() else package
