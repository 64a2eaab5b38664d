"""The bytes that are promised: the same on the same machine, whatever else differs."""

from collections.abc import Mapping
from concurrent.futures import Future
from functools import partial
from pathlib import Path

import pytest

from workshop import GRAMMAR, GRAMMAR_TEXT, SMOKE, Workshop, side_by_side

ONE = {
    "PYTHONHASHSEED": "1",
    "LC_ALL": "C",
    "PYTHONCOERCECLOCALE": "0",  # or else Python makes UTF-8 of C
    "PYTHONUTF8": "0",  # likewise
    "TZ": "UTC0",
    "HOME": "/proc/none",  # which nobody can make, whatever their rights
    "DISPLAY": "",
    "WAYLAND_DISPLAY": "",
}
OTHER = {"PYTHONHASHSEED": "2", "LC_ALL": "C.UTF-8", "TZ": "AWAY-12:45"}
"""Two environments in which sets, texts and times come out otherwise where a program lets them."""

AGREEMENT = "results/grammar/figures/agreement.svg"
"""What all that is special of a grammar leads to."""

Hashes = Mapping[str, str]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Future[Hashes]]:
    """The content of results by how they were made, beside those that all tests share."""
    folder = tmp_path_factory.mktemp("made")
    return side_by_side(
        {
            "smoke": partial(_hashes, folder / "smoke", SMOKE, "--cores", "1", **ONE),
            "one": partial(_hashes, folder / "1", GRAMMAR, "--cores", "1", AGREEMENT, **ONE),
            "other": partial(_hashes, folder / "2", GRAMMAR, "--cores", "2", AGREEMENT, **OTHER),
        }
    )


def test_the_smoke_experiment_gives_the_same_bytes_in_any_order_and_environment(
    made: Mapping[str, Future[Hashes]], finished_smoke: Workshop
) -> None:
    one, other = made["smoke"].result(), finished_smoke.hashes()

    different = _different(one, other)

    assert {
        "smoke/report.html",
        "smoke/run.json",
        "smoke/corpus/encoded/train/ids.npy",
    } <= one.keys()
    assert not different, f"{different[0]} differs, with {len(different) - 1} other files"


def test_a_grammar_gives_the_same_bytes_in_any_order_and_environment(
    made: Mapping[str, Future[Hashes]],
) -> None:
    one, other = made["one"].result(), made["other"].result()

    different = _different(one, other)

    assert {"grammar/corpus/floor.tsv", "grammar/figures/agreement.svg"} <= one.keys()
    assert not different, f"{different[0]} differs, with {len(different) - 1} other files"


def test_a_changed_letter_is_noticed_and_a_time_is_not(workshop: Workshop) -> None:
    before = workshop.hashes()
    report = workshop.result("report.html")
    page = report.read_text(encoding="utf-8")
    times = page.index("<summary>How long each run took</summary>")

    report.write_text(page[:times] + page[times:].replace("<td>", "<td>9", 2), encoding="utf-8")
    after_a_time = workshop.hashes()
    report.write_text(page.replace("nats per token", "nats per tokens", 1), encoding="utf-8")
    after_a_letter = workshop.hashes()

    assert _different(before, after_a_time) == []
    assert _different(before, after_a_letter) == ["smoke/report.html"]


def _hashes(folder: Path, experiment: str, *arguments: str, **environment: str) -> Hashes:
    """The content of what a call makes in a new workshop."""
    workshop = Workshop.new(folder)
    workshop.write(GRAMMAR, GRAMMAR_TEXT.replace("[0, full]", "[full]"))
    # Snakemake itself wants a cache, and looks for a place at home if it is not told another one.
    environment["XDG_CACHE_HOME"] = str(folder / "cache")
    done = workshop.snakemake(*arguments, configfile=experiment, **environment)
    assert done.returncode == 0, done.stdout
    return workshop.hashes()


def _different(one: Hashes, other: Hashes) -> list[str]:
    """The names of files that only one side has, or that are not the same."""
    return [name for name in sorted({*one, *other}) if one.get(name) != other.get(name)]
