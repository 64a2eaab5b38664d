"""What moves the hash of a stage's code, tried on copies of the package.

The stage is that of the vocabulary, where it is one. It imports `text.sentence_file`, which imports
`storage`; with the network it has nothing to do.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import unrolled
from unrolled.fingerprint import DATA_SUFFIXES, _code

STAGE = "unrolled.stages.vocabulary"
SOURCE = Path(unrolled.__file__).parent
NO_STAGES = {"__init__", "job"}

Edit = Callable[[Path], object]


def hash_in(folder: Path, hash_seed: str = "0") -> str:
    """The hash of the stage in the copy of the package below a folder."""
    program = f"from unrolled.fingerprint import code_hash; print(code_hash('{STAGE}'))"
    return said_in(folder, program, hash_seed=hash_seed).strip()


def said_in(folder: Path, program: str, *arguments: str, hash_seed: str = "0") -> str:
    """What a program prints that uses the copy of the package below a folder."""
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONHASHSEED": hash_seed}
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def copied(folder: Path) -> Path:
    """A copy of the package below a folder."""
    ignored = shutil.ignore_patterns("__pycache__")
    return shutil.copytree(SOURCE, folder / "unrolled", ignore=ignored)


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The hash of an unedited copy."""
    folder = tmp_path_factory.mktemp("unedited copy")
    copied(folder)
    return hash_in(folder)


def added(name: str, text: str) -> Edit:
    """An edit that adds text at the end of a file, which need not exist."""

    def edit(package: Path) -> None:
        with (package / name).open("a", encoding="utf-8") as file:
            file.write(text)

    return edit


def replaced(name: str, old: str, new: str) -> Edit:
    """An edit that replaces what stands in a file exactly once."""

    def edit(package: Path) -> None:
        text = (package / name).read_text(encoding="utf-8")
        assert text.count(old) == 1
        (package / name).write_text(text.replace(old, new), encoding="utf-8")

    return edit


def all_of(*edits: Edit) -> Edit:
    """Several edits, one after the other."""
    return lambda package: [edit(package) for edit in edits]


DOCSTRING = '"""Write the table of token and count, ids by order."""'

SAME = {
    "no edit, in another place": all_of(),
    "comments, docstrings and layout": all_of(
        added("stages/vocabulary.py", "\n\n# a comment\n"),
        replaced("text/vocabulary.py", DOCSTRING, '"""Other words."""  # a comment'),
        replaced("storage.py", "import json\n", "import json\n\n\n"),
    ),
    "a docstring less": replaced("text/vocabulary.py", f"    {DOCSTRING}\n", ""),
    "modules that the stage does not import": all_of(
        added("model/network.py", "\nEDITED = True\n"),
        added("model/network.html", "<p>"),
        added("stages/other.py", "EDITED = True\n"),
    ),
}

OTHER = {
    "the stage itself": added("stages/vocabulary.py", "\nEDITED = True\n"),
    "a module that it imports": added("text/vocabulary.py", "\nEDITED = True\n"),
    "a module that this one imports in turn": added("storage.py", "\nEDITED = True\n"),
    "a number": replaced("text/vocabulary.py", "UNKNOWN = 0, 1, 2", "UNKNOWN = 1, 0, 2"),
    "a string that is no docstring": replaced("text/vocabulary.py", '"SENTENCE_END"', '"END"'),
    "a template beside a module that it imports": added("text/vocabulary.html", "<p>"),
}


@pytest.mark.parametrize("edit", SAME.values(), ids=list(SAME))
def test_what_does_not_touch_the_code_of_a_stage_leaves_its_hash(
    tmp_path: Path, before: str, edit: Edit
) -> None:
    edit(copied(tmp_path))

    assert hash_in(tmp_path, hash_seed="1") == before


@pytest.mark.parametrize("edit", OTHER.values(), ids=list(OTHER))
def test_what_touches_the_code_of_a_stage_moves_its_hash(
    tmp_path: Path, before: str, edit: Edit
) -> None:
    edit(copied(tmp_path))

    assert hash_in(tmp_path) != before


AROUND_A_FUNCTION = {
    "class": "class C:\n    x = 1\n    {}",
    "function": "def f():\n    {}",
    "coroutine": "async def f():\n    {}",
    "if": "if x:\n    {}",
    "else": "if x:\n    pass\nelse:\n    {}",
    "loop": "for x in y:\n    {}",
    "with": "with x:\n    {}",
    "except": "try:\n    pass\nexcept E:\n    {}",
    "finally": "try:\n    pass\nfinally:\n    {}",
    "case": "match x:\n    case 1:\n        {}",
}


@pytest.mark.parametrize("around", AROUND_A_FUNCTION.values(), ids=list(AROUND_A_FUNCTION))
def test_a_docstring_counts_nowhere_and_what_it_explains_everywhere(around: str) -> None:
    plain, explained, other = (
        _code(around.format(f"def g(): {body}").encode())
        for body in ("return 1", "'Says it.'; return 1", "return 2")
    )

    assert plain == explained != other


def test_a_template_moves_the_hash_with_every_byte(tmp_path: Path) -> None:
    package = copied(tmp_path)
    hashes = set()

    for _ in range(2):
        added("text/vocabulary.html", " ")(package)
        hashes.add(hash_in(tmp_path))

    assert len(hashes) == 2


PAGES = {"report", "side_by_side"}

FILES = {
    "report/page/base.html": PAGES,
    "report/page/macros.html": PAGES,
    "report/page/style.css": PAGES,
    "report/page/table.js": PAGES,
    "report/page/sections/results.html": PAGES,
    "report/page/sections/network.svg": PAGES,
    "report/page/sections/new.html": PAGES,
    "report/page/side_by_side.html": {"side_by_side"},
    "report/model_card.md.jinja": {"model_cards"},
    "report/notes.md": set(),
}
"""Files of the package that are no modules, and the stages that use them."""


DRAWINGS = {
    "report/figures/loss.py": {"figures"},
    "report/figures/cost.py": {"figures", "time_figures"},
    "report/figures/stages.py": {"figures", "time_figures"},
    "report/figures/side_by_side.py": {"figures", "side_by_side"},
}
"""Modules of figures, and the stages that import them; the first has all in its package."""

MOVED = """
import functools, json, sys
from pathlib import Path
from unrolled import fingerprint

def hashes():
    fingerprint._module_hash.cache_clear()
    fingerprint._data_files.cache_clear()
    return {stage: fingerprint.code_hash(f"unrolled.stages.{stage}") for stage in stages}

stages, files = map(json.loads, sys.argv[1:])
fingerprint._code = functools.cache(fingerprint._code)  # of equal bytes it is the same
before, moved = hashes(), {}
for name in files:
    file = Path("unrolled", name)
    content = file.read_bytes() if file.exists() else None
    file.write_bytes((content or b"") + b"\\nEDITED = True\\n")
    moved[name] = [stage for stage, found in hashes().items() if found != before[stage]]
    file.unlink() if content is None else file.write_bytes(content)
print(json.dumps(moved))
"""
"""A program that edits one file after the other, each alone, and prints whose hashes it moved."""


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """For each of the files above the stages whose hashes an edit of it moves."""
    folder = tmp_path_factory.mktemp("edited copy")
    stages = {path.stem for path in (copied(folder) / "stages").glob("*.py")} - NO_STAGES
    arguments = json.dumps(sorted(stages)), json.dumps([*FILES, *DRAWINGS])
    found: dict[str, list[str]] = json.loads(said_in(folder, MOVED, *arguments))
    return found


@pytest.mark.parametrize(("file", "users"), FILES.items(), ids=list(FILES))
def test_a_file_moves_the_hashes_of_the_stages_that_use_it_and_no_others(
    moved: dict[str, list[str]], file: str, users: set[str]
) -> None:
    assert set(moved[file]) == users


@pytest.mark.parametrize(("figure", "users"), DRAWINGS.items(), ids=list(DRAWINGS))
def test_a_figure_moves_the_hashes_of_stages_that_draw_it(
    moved: dict[str, list[str]], figure: str, users: set[str]
) -> None:
    assert set(moved[figure]) == users


def test_a_file_that_moves_to_another_folder_moves_the_hash(tmp_path: Path) -> None:
    package = copied(tmp_path) / "text"
    (package / "zone").mkdir()  # last of its folder, as is the file: their order stays
    added("zone/zone.html", "<p>")(package)
    before = hash_in(tmp_path)

    (package / "zone/zone.html").rename(package / "zone.html")

    assert hash_in(tmp_path) != before


def test_every_template_and_script_of_the_package_is_of_a_kind_that_counts() -> None:
    found = {
        path.suffix
        for path in SOURCE.rglob("*")
        if path.is_file() and path.parent.name != "__pycache__"
    }

    assert found - {".py"} <= DATA_SUFFIXES


def test_the_hash_is_short_enough_for_a_table_and_long_enough_to_be_alone(before: str) -> None:
    # 16 hexadecimal digits, 64 bits
    assert len(before) == 16
    assert int(before, 16) >= 0
