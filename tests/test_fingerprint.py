"""What moves the hash of a stage's code, tried on copies of the package.

The stage is that of the vocabulary. It imports `text.sentence_file`, which imports `storage`; with
the network it has nothing to do.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import unrolled

STAGE = "unrolled.stages.vocabulary"
SOURCE = Path(unrolled.__file__).parent

Edit = Callable[[Path], object]


def hash_in(folder: Path, hash_seed: str = "0") -> str:
    """The hash of the stage in the copy of the package below a folder, in a process of its own."""
    program = f"from unrolled.fingerprint import code_hash; print(code_hash({STAGE!r}))"
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONHASHSEED": hash_seed}
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


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


def test_a_template_moves_the_hash_with_every_byte(tmp_path: Path) -> None:
    package = copied(tmp_path)
    hashes = set()

    for _ in range(2):
        added("text/vocabulary.html", " ")(package)
        hashes.add(hash_in(tmp_path))

    assert len(hashes) == 2


def test_the_hash_is_short_enough_for_a_table_and_long_enough_to_be_alone(before: str) -> None:
    # 16 hexadecimal digits, 64 bits
    assert len(before) == 16
    assert int(before, 16) >= 0
