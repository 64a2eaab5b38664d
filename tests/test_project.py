"""What holds of the project's files as a whole."""

import ast
import re
import subprocess
import tomllib

import pytest
import yaml

from workshop import ROOT

PINS = ["requirements.txt", "requirements-dev.txt"]
SOURCES = sorted((ROOT / "src").rglob("*.py"))


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


def test_files_are_written_through_storage_alone() -> None:
    allowed = {
        "storage.py",
        "stages/job.py",  # a log, which is read while it grows
        "stages/acquire.py",  # into a folder that appears as a whole
    }

    offenders = {
        str(path.relative_to(ROOT / "src/unrolled"))
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.Call) and _writes(node)
    }

    assert offenders <= allowed


def test_only_figures_know_matplotlib_and_nothing_knows_snakemake() -> None:
    importers: dict[str, set[str]] = {"matplotlib": set(), "snakemake": set()}
    for path in SOURCES:
        for module in _imported(ast.parse(path.read_bytes())):
            if module in importers:
                importers[module].add(str(path.relative_to(ROOT / "src/unrolled")))

    assert importers["snakemake"] == set()
    assert importers["matplotlib"] == {
        "report/drawing.py",
        "report/figures/activations.py",
        "report/figures/agreement.py",
        "report/figures/arrival.py",
        "report/figures/cosines.py",
        "report/figures/depth_lines.py",
        "report/figures/gradient_check.py",
        "report/figures/lengths.py",
        "report/figures/loss.py",
        "report/figures/panels.py",
        "report/figures/perplexity.py",
        "report/figures/singular_values.py",
        "report/figures/spread.py",
    }


def test_scripts_are_short_enough_to_hold_nothing_that_needs_a_test() -> None:
    scripts = sorted((ROOT / "workflow/scripts").glob("*.py"))

    lengths = {path.name: len(path.read_text(encoding="utf-8").splitlines()) for path in scripts}

    assert len(scripts) >= 14
    assert {name: length for name, length in lengths.items() if length > 24} == {}


def test_only_the_readme_of_results_is_tracked_there() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")

    listed = subprocess.run(
        ["git", "ls-files", "results"], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert listed.stdout.split() == ["results/README.md"]


def _pins(name: str) -> dict[str, str]:
    text = (ROOT / name).read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9._-]+)==([^ \\;]+)", text, re.MULTILINE))


def _name(requirement: str) -> str:
    return re.split(r"[<>=!~ ]", requirement)[0].replace("_", "-").lower()


def _writes(call: ast.Call) -> bool:
    """Whether a call opens a file for writing, or writes one."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if name in {"write_text", "write_bytes"} and isinstance(call.func, ast.Attribute):
        return True
    if name in {"save", "savez", "savetxt", "copyfile", "tofile"}:
        return True
    modes = [argument.value for argument in call.args[1:2] if isinstance(argument, ast.Constant)]
    return name == "open" and any(set(str(mode)) & set("wax+") for mode in modes)


def _imported(tree: ast.Module) -> set[str]:
    """The top-level packages that a module imports."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found
