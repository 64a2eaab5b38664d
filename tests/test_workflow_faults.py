"""What befalls a sweep from outside: kills, other calls, wrong times, odd files in its folder."""

import functools
import multiprocessing
import os
import random
import re
import shutil
import signal
import subprocess
import sysconfig
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from test_checkpoint import newest, written
from unrolled.errors import DataError
from unrolled.lock import is_locked, locked
from unrolled.results import brought_to_now, require_writable
from unrolled.storage import read_json, read_tsv, write_json
from workshop import GRAMMAR, GRAMMAR_TEXT, ROOT, RUNS, SMOKE, Workshop, jobs, side_by_side

SUMMARY = "results/smoke/summary.tsv"
GATE = "results/smoke/checks/gate-elman-hidden8-depth1.json"
SNAKEMAKE = Path(sysconfig.get_path("scripts")) / "snakemake"
"""The command as users call it."""

REFUSED = "Directory cannot be locked"
"""What Snakemake says of a folder in which another call works."""

LONGEST = 120
"""Seconds after which what has not come is given up."""

HOUR = 3_600_000_000_000
"""Nanoseconds."""


Ended = subprocess.CompletedProcess[str]


class Call:
    """A call of Snakemake that is under way."""

    def __init__(self, workshop: Workshop, *targets: str) -> None:
        number = len(list(workshop.folder.glob("said-*")))
        self._said = workshop.folder / f"said-{number}"  # no pipe, which an orphan would hold open
        with self._said.open("wb") as file:
            self.process = subprocess.Popen(
                [SNAKEMAKE, "--configfile", SMOKE, "--", *targets],
                cwd=workshop.folder,
                env=surroundings(workshop),
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def said(self) -> str:
        """What it and its jobs have printed so far."""
        return self._said.read_text(encoding="utf-8")

    def wait_until(self, has_come: Callable[[], Any]) -> None:
        """Wait for something that comes before its end."""
        end = time.monotonic() + LONGEST
        while not has_come():
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < end, self.said()
            time.sleep(0.05)

    def wait_until_it_says(self, words: str) -> None:
        """Wait for words that it or one of its jobs prints."""
        self.wait_until(lambda: words in self.said())

    def end(self) -> Ended:
        """What has come of it in the end."""
        return Ended([], self.process.wait(LONGEST), self.said())


@contextmanager
def begun(workshop: Workshop, *targets: str) -> Iterator[Call]:
    """A call under way, of which nothing is left after the block, orphans neither."""
    call = Call(workshop, *targets)
    try:
        yield call
    finally:
        with suppress(ProcessLookupError):  # all have ended
            os.killpg(call.process.pid, signal.SIGKILL)
        call.process.wait()


def called(workshop: Workshop, *targets: str) -> Ended:
    """What comes of a call, in a bounded time even if it waits for what never comes."""
    with begun(workshop, *targets) as call:
        return call.end()


def surroundings(workshop: Workshop) -> dict[str, str]:
    """The environment of a call that imports the library of a workshop."""
    return {**os.environ, "PYTHONPATH": str(workshop.folder / "src")}


def locks(workshop: Workshop) -> set[str]:
    """The files that lock the folder for other calls of Snakemake."""
    return {path.name for path in (workshop.folder / ".snakemake/locks").glob("*")}


def state(workshop: Workshop) -> Path:
    """The folder of the state of the first run."""
    return workshop.result(f"state/{RUNS[0]}")


def all_files(folder: Path) -> list[Path]:
    """The files and folders below a folder."""
    return list(folder.rglob("*"))


# Snakemake's own folder


def test_without_what_snakemake_knows_nothing_runs_again_and_what_is_new_does(
    workshop: Workshop,
) -> None:
    shutil.rmtree(workshop.folder / ".snakemake")

    assert workshop.planned() == {}
    workshop.edit(SMOKE, "truncation_depth: [1, full]", "truncation_depth: [1, 3, full]")
    gate = GATE.replace("depth1", "depth3")
    done = workshop.snakemake("--", gate)

    assert done.returncode == 0, done.stdout
    assert jobs(done.stdout) == {"check_gradients": 1, "check_overfitting": 1, "gate": 1}
    assert read_json(workshop.folder / gate)


# Kills


@dataclass(frozen=True)
class Killed:
    """What became of a sweep whose Snakemake was killed while a run was trained.

    Attributes:
        workshop: where it is done in the end.
        locks: how many locks the kill has left.
        orphan: the process that trained on.
        refused: the next call.
        unlocked: that of the README.
        again: the call after that.
    """

    workshop: Workshop
    locks: int
    orphan: int
    refused: Ended
    unlocked: Ended
    again: Ended


@pytest.fixture(scope="module")
def killed(finished_smoke: Workshop, tmp_path_factory: pytest.TempPathFactory) -> Killed:
    """A sweep of one run, which is trained again, and waits for us as soon as it has its lock."""
    workshop = finished_smoke.copy(tmp_path_factory.mktemp("killed") / "work shop")
    workshop.edit(SMOKE, "truncation_depth: [1, full]", "truncation_depth: [1]")
    workshop.edit(
        "src/unrolled/lock.py",
        "        file.flush()\n",
        "        file.flush()\n"
        "        while Path('wait').exists():\n"
        "            __import__('time').sleep(0.05)\n",
    )
    wait = workshop.folder / workshop.write("wait", "")
    shutil.rmtree(workshop.result("state"))
    for name in (f"runs/{RUNS[0]}", "summary.tsv"):
        _remove(workshop.result(name))
    with begun(workshop, SUMMARY) as first:
        lock = state(workshop) / "lock"
        first.wait_until(lambda: lock.exists() and lock.read_text())
        orphan = read_json(lock)["pid"]
        first.process.kill()
        first.end()
        left = len(locks(workshop))
        refused = called(workshop, SUMMARY)
        unlocked = workshop.snakemake("--unlock", configfile=None)
        with begun(workshop, SUMMARY) as second:
            second.wait_until_it_says("waits for")
            wait.unlink()
            return Killed(workshop, left, orphan, refused, unlocked, second.end())


class TestAKillOfSnakemake:
    def test_leaves_a_lock_and_the_next_call_says_how_it_is_taken_away(
        self, killed: Killed
    ) -> None:
        assert killed.locks > 0
        assert killed.refused.returncode == 1
        assert REFUSED in killed.refused.stdout
        assert "It can be removed with the --unlock argument" in killed.refused.stdout
        assert "Traceback" not in killed.refused.stdout

    def test_costs_one_call_as_the_readme_has_it(self, killed: Killed) -> None:
        readme = (ROOT / "README.md").read_text(encoding="utf-8")

        assert "call `snakemake --unlock` once, and then again" in readme
        assert killed.unlocked.returncode == 0, killed.unlocked.stdout
        assert killed.again.returncode == 0, killed.again.stdout

    def test_leaves_a_job_for_which_the_next_one_waits_and_says_so(self, killed: Killed) -> None:
        folder = f"results/smoke/state/{RUNS[0]}"

        assert re.search(
            rf"^{RUNS[0]}  waits for process {killed.orphan} on .*, which writes to {folder}$",
            killed.again.stdout,
            re.MULTILINE,
        )

    def test_changes_no_byte_of_a_run(self, killed: Killed, finished_smoke: Workshop) -> None:
        hashes = killed.workshop.hashes()

        (row,) = read_tsv(killed.workshop.result("summary.tsv"))
        assert row == read_tsv(finished_smoke.result("summary.tsv"))[0]
        of_run = {name: hash_ for name, hash_ in hashes.items() if RUNS[0] in name}
        assert f"smoke/runs/{RUNS[0]}/metrics.json" in of_run
        assert of_run.items() <= finished_smoke.hashes().items()


def holding_until_killed(folder: Path, has_it: Any) -> None:
    """Be a process that dies with the lock of a folder."""
    with locked(folder, pytest.fail):
        has_it.set()
        signal.pause()


def test_a_lock_of_a_process_that_is_dead_is_not_waited_for(tmp_path: Path) -> None:
    processes = multiprocessing.get_context("fork")
    has_it = processes.Event()
    other = processes.Process(target=holding_until_killed, args=(tmp_path, has_it))
    other.start()
    has_it.wait()
    assert is_locked(tmp_path)
    other.kill()
    other.join()

    assert read_json(tmp_path / "lock")["pid"] == other.pid
    assert not is_locked(tmp_path)
    with locked(tmp_path, pytest.fail):
        assert is_locked(tmp_path)


def test_a_lock_whose_number_another_process_has_by_now_is_not_waited_for(tmp_path: Path) -> None:
    write_json(tmp_path / "lock", {"pid": os.getppid(), "host": "here", "since": "yesterday"})

    with locked(tmp_path, pytest.fail):
        assert read_json(tmp_path / "lock")["pid"] == os.getpid()


# Two calls in one folder


@dataclass(frozen=True)
class Beside:
    """What became of a sweep, and of calls beside it.

    Attributes:
        workshop: where it is done in the end.
        sweep: what came of it.
        other: a call for the same.
        watching: one that shows where the sweep stands.
        locks: the sweep's locks before these calls and after each of them.
    """

    workshop: Workshop
    sweep: Ended
    other: Ended
    watching: Ended
    locks: list[set[str]]


@pytest.fixture(scope="module")
def beside(finished_smoke: Workshop, tmp_path_factory: pytest.TempPathFactory) -> Beside:
    """A sweep of which one run is trained, and waits for us, while others are called."""
    workshop = finished_smoke.copy(tmp_path_factory.mktemp("beside") / "work shop")
    for name in (f"runs/{RUNS[0]}", "summary.tsv"):
        _remove(workshop.result(name))
    with begun(workshop, SUMMARY) as first:
        with locked(state(workshop), pytest.fail):
            first.wait_until_it_says(f"waits for process {os.getpid()} on ")
            found = [locks(workshop)]
            other = called(workshop, SUMMARY)
            found.append(locks(workshop))
            watching = workshop.snakemake("-q", "all", "--", "status", "preview", "clean_state")
            found.append(locks(workshop))
        return Beside(workshop, first.end(), other, watching, found)


class TestASecondCall:
    def test_for_the_same_is_refused(self, beside: Beside) -> None:
        assert beside.other.returncode == 1
        assert REFUSED in beside.other.stdout
        assert "Traceback" not in beside.other.stdout

    def test_that_shows_where_runs_stand_is_not(self, beside: Beside) -> None:
        assert beside.watching.returncode == 0, beside.watching.stdout
        lines = beside.watching.stdout.split("\n")
        assert "smoke: 1 finished, 1 running" in lines
        assert "smoke: 1 of 2 runs to do" in lines

    def test_takes_away_no_lock_of_the_first(self, beside: Beside) -> None:
        before, *after = beside.locks

        assert before
        assert after == [before, before]

    def test_does_not_disturb_the_first(self, beside: Beside, finished_smoke: Workshop) -> None:
        assert beside.sweep.returncode == 0, beside.sweep.stdout
        hashes = beside.workshop.hashes()
        assert {f"smoke/runs/{RUNS[0]}/metrics.json", "smoke/summary.tsv"} <= hashes.keys()
        assert hashes.items() <= finished_smoke.hashes().items()
        assert locks(beside.workshop) == set()


# Times


def test_after_the_clock_went_back_what_is_new_runs_once_and_nothing_else(
    workshop: Workshop,
) -> None:
    for path in all_files(workshop.folder):
        status = path.lstat()
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + HOUR))
    earlier = {name: read_tsv(workshop.result(f"runs/{name}/history.tsv")) for name in RUNS}

    workshop.edit(SMOKE, "truncation_depth: [1, full]", "truncation_depth: [1, 3, full]")
    done = workshop.snakemake()

    assert done.returncode == 0, done.stdout
    assert re.search(r"^\d+ files were of the future, and are of now$", done.stdout, re.M)
    ran = jobs(done.stdout)
    assert (ran["check_gradients"], ran["train_and_measure"], ran["report"]) == (1, 1, 1)
    assert (ran["acquire"], ran["vocabulary"], ran["check_initial_loss"]) == (0, 0, 0)
    assert "elman-hidden8-depth3-seed1" in workshop.result("report.html").read_text("utf-8")
    for name, history in earlier.items():
        assert read_tsv(workshop.result(f"runs/{name}/history.tsv")) == history
    assert workshop.planned() == {}


def test_times_of_the_future_become_those_of_now_in_their_order_and_no_other_is_changed(
    tmp_path: Path,
) -> None:
    began = time.time_ns()
    hours = {"old": -2, "a/first": 1, "a/third": 3, "a/b/.second": 2, "a/b/as_first": 1}
    for name, number in hours.items():
        write_json(tmp_path / name, name)
        os.utime(tmp_path / name, ns=(began, began + number * HOUR))
    os.utime(tmp_path / "a/b", ns=(began, began + 2 * HOUR))

    assert brought_to_now(tmp_path / "missing", tmp_path) == 5
    ended = time.time_ns()

    times = {name: (tmp_path / name).stat().st_mtime_ns for name in [*hours, "a/b"]}
    assert times["old"] == began - 2 * HOUR
    assert began <= times["a/first"] == times["a/b/as_first"]
    assert times["a/first"] < times["a/b"] == times["a/b/.second"] < times["a/third"]
    assert times["a/third"] <= ended + 3000  # three moments, a microsecond apart


def test_what_is_gone_or_belongs_to_others_keeps_its_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(*_: object, **__: object) -> None:
        raise PermissionError

    write_json(tmp_path / "a", 1)
    os.utime(tmp_path / "a", (0, time.time() + 60))
    monkeypatch.setattr(os, "utime", forbidden)

    assert brought_to_now(tmp_path) == 0


def test_what_is_written_while_folders_are_looked_through_keeps_its_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[int] = []
    walk = os.walk

    def walk_beside_a_sweep(folder: Path) -> Iterator[tuple[str, list[str], list[str]]]:
        for found in walk(folder):
            written.append(time.time_ns())
            os.utime(tmp_path / "a", ns=(written[-1], written[-1]))
            yield found

    write_json(tmp_path / "a", 1)
    monkeypatch.setattr(os, "walk", walk_beside_a_sweep)

    assert brought_to_now(tmp_path) == 0
    assert [(tmp_path / "a").stat().st_mtime_ns] == written


def test_what_is_written_before_it_is_set_back_keeps_its_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time_ns()
    write_json(tmp_path / "a", 1)
    os.utime(tmp_path / "a", ns=(now, now + HOUR))

    def written_meanwhile() -> int:
        os.utime(tmp_path / "a", ns=(now, now - HOUR))
        return now

    monkeypatch.setattr(time, "time_ns", written_meanwhile)

    assert brought_to_now(tmp_path) == 0
    assert (tmp_path / "a").stat().st_mtime_ns == now - HOUR


def test_a_call_that_only_watches_sets_no_time(workshop: Workshop) -> None:
    summary, late = workshop.result("summary.tsv"), time.time_ns() + HOUR
    os.utime(summary, ns=(late, late))

    watching = workshop.snakemake("-q", "all", "--", "status", "preview")

    assert watching.returncode == 0, watching.stdout
    assert "of the future" not in watching.stdout
    assert summary.stat().st_mtime_ns == late
    assert "1 files were of the future" in workshop.snakemake("--dry-run").stdout
    assert summary.stat().st_mtime_ns < late


def test_times_of_experiments_side_by_side_are_set_together_and_those_of_others_are_not(
    workshop: Workshop,
) -> None:
    workshop.write(GRAMMAR, f"{GRAMMAR_TEXT}beside: [smoke]\n")
    names = ["grammar/run.json", "smoke/summary.tsv", "downloads/text", "other/summary.tsv"]
    paths = [workshop.folder / workshop.write(f"results/{name}", "") for name in names]
    began = time.time_ns()
    for hours, path in zip((3, 2, 1, 4), paths, strict=True):
        os.utime(path, ns=(began, began + hours * HOUR))

    done = workshop.snakemake("--dry-run", configfile=GRAMMAR)

    assert done.returncode == 0, done.stdout
    assert re.findall("^.* of the future", done.stdout, re.M) == ["3 files were of the future"]
    last, second, first, other = (path.stat().st_mtime_ns for path in paths)
    assert began < first < second < last < began + HOUR
    assert other == began + 4 * HOUR


def test_the_newest_checkpoint_is_that_of_the_most_steps_whatever_their_times(
    tmp_path: Path,
) -> None:
    checkpoints = written(tmp_path, 1, 2)
    now = time.time()
    for path in tmp_path.iterdir():
        hours = 1 if "1" in path.name else -1
        os.utime(path, (now, now + 3600 * hours))

    assert newest(checkpoints) == (2, [])


def test_after_a_touch_of_every_file_a_call_ends_in_the_same_bytes(
    workshop: Workshop, finished_smoke: Workshop
) -> None:
    # Snakemake cannot know that a folder, or a file above a megabyte, is the same; nor a script
    # that seems to be newer than what it made. What it then runs again is its own affair.
    workshop.edit(SMOKE, "truncation_depth: [1, full]", "truncation_depth: [1]")
    files = all_files(workshop.folder)
    random.Random(1).shuffle(files)
    for path in files:
        os.utime(path)

    done = workshop.snakemake("--", SUMMARY)

    assert done.returncode == 0, done.stdout
    (row,) = read_tsv(workshop.result("summary.tsv"))
    assert row == read_tsv(finished_smoke.result("summary.tsv"))[0]
    for run in RUNS:
        for name in ("metrics.json", "history.tsv"):
            before, after = (
                shop.result(f"runs/{run}/{name}").read_bytes()
                for shop in (finished_smoke, workshop)
            )
            assert after == before


# Files in the folder


MODULES = ["json", "numpy", "random"]
"""Some of those that Snakemake and this package import."""


@pytest.mark.parametrize("elsewhere", [False, True], ids=["in the project", "with --directory"])
def test_no_module_in_the_working_folder_is_imported(elsewhere: bool, workshop: Workshop) -> None:
    # By the command `snakemake`: `python -m snakemake` imports from the working folder first, as
    # Python has it, before Snakemake or anything here can know.
    place = workshop.folder / ("other" if elsewhere else ".")
    place.mkdir(exist_ok=True)
    for module in MODULES:
        (place / f"{module}.py").write_text('raise SystemExit("wrong module")\n')
    (place / GATE).unlink(missing_ok=True)
    directory = ["--directory", "other"] if elsewhere else []

    done = subprocess.run(
        [SNAKEMAKE, GATE, "status", "preview", *directory, "--configfile", SMOKE],
        cwd=workshop.folder,
        env=surroundings(workshop),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )

    assert "wrong module" not in done.stdout
    assert done.returncode == 0, done.stdout
    assert read_json(place / GATE)
    assert re.search(rf"^{RUNS[0]} +(train|–)", done.stdout, re.MULTILINE)


def _a_file(place: Path) -> None:
    place.parent.mkdir(exist_ok=True)
    place.write_text("no folder")


def _a_link_that_leads_nowhere(place: Path) -> None:
    place.symlink_to("an/unmounted disk")


NOT_TO_BE_WRITTEN: Mapping[str, tuple[str, Callable[[Path], None], str]] = {
    "results that are a file": ("results", _a_file, "a file"),
    "an experiment's results that are a file": ("results/smoke", _a_file, "a file"),
    "a link that leads nowhere": (
        "results",
        _a_link_that_leads_nowhere,
        "a link that leads nowhere",
    ),
}
"""What stands in the place of the results, how it comes there, and what is said of it."""


@pytest.fixture(scope="module")
def refusals(
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, Future[Ended]]:
    """What comes of a call where results cannot be written."""

    def call(folder: Path, place: str, put: Callable[[Path], None]) -> Any:
        workshop = Workshop.new(folder)
        put(folder / place)
        return workshop.snakemake()

    return side_by_side(
        {
            name: functools.partial(call, tmp_path_factory.mktemp("place") / "shop", place, put)
            for name, (place, put, _) in NOT_TO_BE_WRITTEN.items()
        }
    )


@pytest.mark.parametrize("name", NOT_TO_BE_WRITTEN)
def test_a_place_where_no_results_can_be_written_is_one_line_that_names_it(
    refusals: Mapping[str, Future[Ended]], name: str
) -> None:
    place, _, found = NOT_TO_BE_WRITTEN[name]

    done = refusals[name].result()

    *_, last = done.stdout.strip().split("\n")
    assert done.returncode == 2
    assert last.startswith("DataError: /")
    assert last.endswith(f"/{place} must be a folder that may be written to (found {found})")
    assert "Traceback" not in done.stdout


def test_a_folder_that_may_not_be_written_to_is_named_and_one_that_may_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    require_writable(tmp_path)
    require_writable(tmp_path / "results/smoke")
    # to root, as whom tests may run, every folder may be written to
    monkeypatch.setattr(os, "access", lambda path, mode: not mode & os.W_OK)

    with pytest.raises(DataError, match=rf"^{tmp_path} must be a folder .* \(found one that may"):
        require_writable(tmp_path / "results/smoke")
    assert list(tmp_path.iterdir()) == []


def _remove(path: Path) -> None:
    """Remove a file or a folder."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
