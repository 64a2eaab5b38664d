"""What moves the hash of a stage's code, tried on copies of the package.

The stage is that of the vocabulary, where it is one. It imports `text.sentence_file`, which imports
`storage`; with the network it has nothing to do.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

import unrolled
from unrolled.fingerprint import DATA_SUFFIXES

STAGE = "unrolled.stages.vocabulary"
SOURCE = Path(unrolled.__file__).parent
NO_STAGES = {"__init__", "job"}

Edit = Callable[[Path], object]


def hash_in(folder: Path, hash_seed: str = "0") -> str:
    """The hash of the stage in the copy of the package below a folder."""
    (found,) = _hashes_in(folder, [STAGE], hash_seed)
    return found


def all_hashes_in(folder: Path) -> dict[str, str]:
    """The hashes of all stages in the copy of the package below a folder, by their names."""
    names = {path.stem for path in (folder / "unrolled/stages").glob("*.py")} - NO_STAGES
    stages = [f"unrolled.stages.{name}" for name in sorted(names)]
    return dict(zip(sorted(names), _hashes_in(folder, stages, "0"), strict=True))


def _hashes_in(folder: Path, stages: Sequence[str], hash_seed: str) -> list[str]:
    """Hashes in the copy of the package below a folder, in a process of their own."""
    program = (
        "from unrolled.fingerprint import code_hash\n"
        f"for stage in {list(stages)!r}: print(code_hash(stage))"
    )
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONHASHSEED": hash_seed}
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()


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


@pytest.fixture(scope="module")
def all_before(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The hashes of all stages of an unedited copy."""
    folder = tmp_path_factory.mktemp("unedited copy")
    copied(folder)
    return all_hashes_in(folder)


@pytest.mark.parametrize(("file", "users"), FILES.items(), ids=list(FILES))
def test_a_file_moves_the_hashes_of_the_stages_that_use_it_and_no_others(
    tmp_path: Path, all_before: dict[str, str], file: str, users: set[str]
) -> None:
    added(file, " ")(copied(tmp_path))

    after = all_hashes_in(tmp_path)

    assert {stage for stage in after if after[stage] != all_before[stage]} == users


def test_a_file_that_moves_to_another_folder_moves_the_hash(tmp_path: Path) -> None:
    page = copied(tmp_path) / "report/page"
    (page / "zone").mkdir()  # last of its folder, as is the file: their order stays
    added("zone/zone.html", "<p>")(page)
    before = all_hashes_in(tmp_path)["report"]

    (page / "zone/zone.html").rename(page / "zone.html")

    assert all_hashes_in(tmp_path)["report"] != before


DRAWINGS = {
    "loss": {"figures"},
    "cost": {"figures", "time_figures"},
    "stages": {"figures", "time_figures"},
    "side_by_side": {"figures", "side_by_side"},
}
"""Modules of figures, and the stages that import them; the first has all in its package."""


@pytest.mark.parametrize(("figure", "users"), DRAWINGS.items(), ids=list(DRAWINGS))
def test_a_figure_moves_the_hashes_of_stages_that_draw_it(
    tmp_path: Path, all_before: dict[str, str], figure: str, users: set[str]
) -> None:
    added(f"report/figures/{figure}.py", "\nEDITED = True\n")(copied(tmp_path))

    after = all_hashes_in(tmp_path)

    assert {stage for stage in after if after[stage] != all_before[stage]} == users


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
