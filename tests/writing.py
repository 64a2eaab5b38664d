"""By which calls a module may write files: what its source tells without being run."""

import ast
import re

OPENERS = {"open", "fdopen", "ZipFile", "TarFile", "GzipFile", "BZ2File", "LZMAFile"}
"""What opens a file in the mode that it is given, to read without one."""

MAPPERS = {"memmap", "open_memmap"}
"""Likewise, but to write without one."""

WRITING_METHODS = {
    *("write_text", "write_bytes", "touch", "rename", "symlink_to", "hardlink_to"),
    *("tofile", "extract", "extractall", "savefig"),
}
"""Methods of paths, arrays, archives and figures; `replace` is one of text as well."""

WRITING_FUNCTIONS = re.compile(
    r"(os|posix)\.(open|replace|renames?|link|symlink|truncate|mkfifo|mknod)"
    r"|shutil\.(copy|copy2|copyfile|copytree|move|make_archive|unpack_archive)"
    r"|numpy\.(save|savez|savez_compressed|savetxt)"
    r"|(json|pickle|marshal|yaml)\.dump"
    r"|tempfile\.\w+"
    r"|safetensors\.numpy\.save_file"
)
"""Functions by where they come from; those that take files already open are noticed there."""


def writing_calls(source: str) -> list[ast.Call]:
    """The calls of a module by which it may write files."""
    tree = ast.parse(source)
    origins = _origins(tree)
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return [call for call in calls if _writes(call, _full_name(call.func, origins))]


def _writes(call: ast.Call, name: str) -> bool:
    """Whether a call of a function of this full name writes a file, or opens one to write."""
    is_method = isinstance(call.func, ast.Attribute)
    last = name.rpartition(".")[2]
    if WRITING_FUNCTIONS.fullmatch(name):
        return True
    if last in OPENERS | MAPPERS:
        return _mode_writes(call, last in MAPPERS, is_method)
    if last == "replace":  # that of text takes two
        return is_method and len(call.args) == 1
    return is_method and last in WRITING_METHODS


def _mode_writes(call: ast.Call, without_one: bool, is_method: bool) -> bool:
    """Whether a file is opened to be written, as it is taken to be in a mode that only runs tell.

    The mode comes second, or first if the file is what `open` is a method of.
    """
    named = [keyword.value for keyword in call.keywords if keyword.arg == "mode"]
    first = call.args[:1] if is_method else []
    written_out = [mode for mode in first if isinstance(mode, ast.Constant | ast.IfExp)]
    modes = [*named, *written_out, *call.args[1:2]]
    found = [
        getattr(part, "value", "w")
        for mode in modes
        for part in ([mode.body, mode.orelse] if isinstance(mode, ast.IfExp) else [mode])
    ]
    return any(set(str(mode)) & set("wax+") for mode in found) or (without_one and not found)


def _origins(tree: ast.Module) -> dict[str, str]:
    """What each imported name stands for, its module before it."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.asname or alias.name: alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {
                alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names
            }
    return found


def _full_name(function: ast.expr, origins: dict[str, str]) -> str:
    """The name of what is called, an imported one with its module."""
    if isinstance(function, ast.Attribute):
        return f"{_full_name(function.value, origins)}.{function.attr}"
    name = getattr(function, "id", "")
    return origins.get(name, name)
