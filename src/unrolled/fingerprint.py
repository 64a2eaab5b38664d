"""A hash of the code that a stage runs, so that editing code reruns exactly what it touches.

Taken from the syntax trees of all modules of this package that the stage imports, directly or not,
docstrings left out: a comment, a docstring or a new place for the folder changes nothing. Files
that lie beside a module and are read by it, such as a template, count byte for byte.
"""

import ast
import functools
import hashlib
from pathlib import Path

import grimp

PACKAGE = "unrolled"
DATA_SUFFIXES = {".html", ".css", ".svg"}
_ROOT = Path(__file__).parent


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
    digest = hashlib.sha256(_code(source).encode())
    for file in _files_read_by(source):
        digest.update(file.name.encode() + b"\n" + file.read_bytes())
    return digest.hexdigest()


def _code(source: Path) -> str:
    """What a module does, without its docstrings, comments and layout."""
    tree = ast.parse(source.read_bytes())
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [statement for statement in node.body if not _is_string(statement)]
    return ast.dump(tree)


def _is_string(statement: ast.stmt) -> bool:
    """Whether a statement is a bare string: a docstring of what encloses it or stands before it."""
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def _files_read_by(source: Path) -> list[Path]:
    """The files of a module's own name with another suffix, as page.html belongs to page.py."""
    return sorted(
        path
        for path in source.parent.glob(f"{source.stem}.*")
        if path.is_file() and path.suffix in DATA_SUFFIXES
    )
