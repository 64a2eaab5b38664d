"""What holds of the project's files as a whole."""

import ast
import os
import re
import shutil
import subprocess
import tomllib
import zipfile
from collections.abc import Collection
from importlib import import_module
from pathlib import Path

import pytest
import yaml

from report_material import FIGURES, TIME_FIGURES
from unrolled.config.files import read_config_file
from unrolled.report.page import PICTURES_OF_WORDS
from unrolled.stages import report as report_stage
from workshop import ROOT
from writing import writing_calls

PINS = ["requirements.txt", "requirements-dev.txt"]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
RULES = {path.name: path.read_text("utf-8") for path in (ROOT / "workflow/rules").glob("*.smk")}
CAPTIONS = sorted((ROOT / "workflow/report").glob("*.rst"))


@pytest.mark.parametrize("name", PINS)
def test_pins_are_hashed_and_hold_no_address(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")

    pins = re.findall(r"^[a-z0-9._-]+==", text, re.MULTILINE)
    assert len(pins) > 20
    assert "://" not in text
    blocks = re.split(r"^(?=[a-z0-9._-]+==)", text, flags=re.MULTILINE)[1:]
    assert all("--hash=sha256:" in block for block in blocks)


@pytest.mark.parametrize("name", PINS)
def test_every_dependency_is_pinned(name: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = project["dependencies"] + extras["build"]
    if "dev" in name:
        wanted += extras["dev"]

    pinned = _pins(name)

    assert {_name(requirement) for requirement in wanted} <= pinned.keys()


def test_the_build_backend_that_is_pinned_is_the_one_that_is_used() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

    assert (
        project["build-system"]["requires"] == project["project"]["optional-dependencies"]["build"]
    )


def test_the_conda_environment_has_the_pinned_versions() -> None:
    environment = yaml.safe_load((ROOT / "workflow/envs/unrolled.yaml").read_text(encoding="utf-8"))
    versions = dict(entry.split("=") for entry in environment["dependencies"])
    del versions["python"]
    versions["matplotlib"] = versions.pop("matplotlib-base")

    pinned = _pins("requirements.txt")

    assert versions == {name: pinned[name] for name in versions}


WRITERS = {
    "src/unrolled/storage.py": "is what all others go through",
    "src/unrolled/arrays.py": "into files that storage has opened",
    "src/unrolled/lock.py": "a lock, which is held open; what stands in it is for people",
    "src/unrolled/stages/job.py": "a log, which is read while it grows",
    "src/unrolled/stages/prepare.py": "makes a folder of drafts, which goes when the job ends",
    "src/unrolled/text/documents.py": "drafts in that folder",
    "src/unrolled/text/counting.py": "drafts in a folder of its own, which goes afterwards",
    "src/unrolled/corpus/sources/download.py": "a part, which a later call adds to; it takes its"
    " place once its checksum is right",
    "src/unrolled/corpus/sources/bringing.py": "gives another name to what it has unpacked in a"
    " new folder of storage",
}
"""The modules that write files by themselves, and why they may."""


def test_files_are_written_through_storage_alone() -> None:
    scripts = (ROOT / "workflow").rglob("*.py")

    writers = {
        path.relative_to(ROOT).as_posix()
        for path in [*SOURCES, *scripts]
        if writing_calls(path.read_text(encoding="utf-8"))
    }

    assert writers == WRITERS.keys()


def test_only_figures_know_matplotlib_and_nothing_knows_snakemake() -> None:
    importers: dict[str, set[str]] = {"matplotlib": set(), "snakemake": set()}
    for path in SOURCES:
        for module in _imported(ast.parse(path.read_bytes())):
            if module in importers:
                importers[module].add(str(path.relative_to(ROOT / "src/unrolled")))

    assert importers["snakemake"] == set()
    in_figures = {name for name in importers["matplotlib"] if name.startswith("report/figures/")}
    assert len(in_figures) > 10
    assert importers["matplotlib"] - in_figures == {"report/drawing.py"}


def test_no_picture_is_drawn_by_what_looks_for_a_display() -> None:
    sources = {path: path.read_text(encoding="utf-8") for path in SOURCES}

    assert [path for path, text in sources.items() if "backend_svg" in text]
    assert [path for path, text in sources.items() if "pyplot" in text] == []


def test_scripts_are_short_enough_to_hold_nothing_that_needs_a_test() -> None:
    scripts = sorted((ROOT / "workflow/scripts").glob("*.py"))

    lengths = {path.name: len(path.read_text(encoding="utf-8").splitlines()) for path in scripts}

    assert len(scripts) >= 14
    assert {name: length for name, length in lengths.items() if length > 24} == {}


def test_a_wheel_has_every_file_of_the_package_the_templates_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)

    wheel = tmp_path / import_module("flit_core.buildapi").build_wheel(str(tmp_path))

    files = [path for path in (ROOT / "src/unrolled").rglob("*") if path.is_file()]
    expected = {
        path.relative_to(ROOT / "src").as_posix()
        for path in files
        if path.parent.name != "__pycache__"
    }
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("unrolled/")}
    assert packed == expected
    assert {Path(name).suffix for name in packed} >= {".html", ".css", ".js", ".svg", ".jinja"}


OLD_PYTHON = """\
#!/bin/sh
exec python3 -c "import sys; sys.version_info = (3, 10, 14); sys.version = '3.10.14 (old)'; $2"
"""
WITHOUT_VENV = """\
#!/bin/sh
test "$1" = -c && exit 0
echo "No module named venv" >&2
exit 1
"""


@pytest.mark.parametrize(
    ("python", "said"),
    [
        (OLD_PYTHON, "Python 3.11 or later is needed, this is 3.10.14; try make PYTHON=python3.12"),
        (WITHOUT_VENV, "No module named venv"),
    ],
    ids=["3.10", "without venv"],
)
def test_make_stops_at_an_interpreter_that_will_not_do_and_takes_nothing_for_installed(
    python: str, said: str, tmp_path: Path
) -> None:
    for name in ("Makefile", "requirements.txt", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "python").write_text(python)
    (tmp_path / "python").chmod(0o755)
    outside = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}

    done = subprocess.run(
        ["make", "install", "PYTHON=./python"],
        cwd=tmp_path, env=outside, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 2
    assert said in done.stderr.splitlines()
    assert not (tmp_path / ".venv").exists()


@pytest.mark.parametrize(
    ("home", "cache"), [("/proc/none", "{project}/.cache"), ("{project}", "")], ids=["none", "some"]
)
def test_make_gives_snakemake_a_cache_where_the_home_folder_cannot_be_written(
    home: str, cache: str, tmp_path: Path
) -> None:
    project = tmp_path / "my project"
    project.mkdir()
    shutil.copy(ROOT / "Makefile", project)
    ours = ("MAKE", "XDG_CACHE_HOME")
    outside = {name: value for name, value in os.environ.items() if not name.startswith(ours)}

    done = subprocess.run(
        ["make", "--eval", 'cache: ; @echo "$$XDG_CACHE_HOME"', "cache"],
        cwd=project, env={**outside, "HOME": home.format(project=project)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert done.stdout == cache.format(project=project) + "\n"


@pytest.mark.parametrize(
    ("name", "drawn"),
    [
        ("PICTURES", FIGURES),
        ("TIME_PICTURES", TIME_FIGURES),
        ("AGREEMENT_PICTURES", ["agreement"]),
        ("SIDE_BY_SIDE", ["side_by_side"]),
        ("PICTURES_OF_WORDS", PICTURES_OF_WORDS),
        ("PORTRAITS", report_stage.PORTRAITS),
    ],
)
def test_rules_promise_the_pictures_and_tables_that_stages_write(
    name: str, drawn: Collection[str]
) -> None:
    assert sorted(_constant(name)) == sorted(drawn)


@pytest.mark.parametrize("name", ["default", "slurm"])
def test_on_every_profile_a_failed_run_stops_no_other_and_what_was_half_done_is_done_again(
    name: str,
) -> None:
    profile = read_config_file(ROOT / "workflow/profiles" / name / "config.yaml")

    assert (profile["keep-going"], profile["rerun-incomplete"]) == (True, True)


def test_everything_in_snakemakes_own_report_has_a_caption_and_every_caption_is_used() -> None:
    tables = [*re.findall(r"\bdrawn\(([A-Z_]+)\)", _rules()), "PICTURES_OF_WORDS"]
    pictures = {name for table in tables for name in _constant(table)}
    # "<results>/summary.tsv", "summary",
    others = set(re.findall(r'for_own_report\(\s*"[^"]+",\s*"(\w+)"', _rules()))

    assert len(tables) == 5
    assert others == {"report", "side_by_side", "summary"}
    assert pictures | others == {path.stem for path in CAPTIONS}


@pytest.mark.parametrize("path", CAPTIONS, ids=[path.stem for path in CAPTIONS])
def test_a_caption_is_one_line_of_whole_sentences(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    assert text.count("\n") == 1
    assert re.fullmatch(r"[A-Z].+\.\n", text)


def test_only_the_readme_of_results_is_tracked_there() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")

    listed = subprocess.run(
        ["git", "ls-files", "results"], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert listed.stdout.split() == ["results/README.md"]


def _rules() -> str:
    """The text of all rules."""
    return "\n".join(RULES.values())


def _constant(name: str) -> Collection[str]:
    """A dictionary or list of the rules, which as a whole are no Python."""
    found = re.search(rf"^{name} = ((?:\{{|\[).*?(?:\}}|\]))$", RULES["pictures.smk"], re.M | re.S)
    assert found is not None
    value: Collection[str] = ast.literal_eval(found[1])
    return value


def _pins(name: str) -> dict[str, str]:
    text = (ROOT / name).read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9._-]+)==([^ \\;]+)", text, re.MULTILINE))


def _name(requirement: str) -> str:
    return re.split(r"[<>=!~ ]", requirement)[0].replace("_", "-").lower()


def _imported(tree: ast.Module) -> set[str]:
    """The top-level packages that a module imports."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found
