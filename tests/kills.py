"""A program that kills a sweep again and again and looks whether it ends as if nothing had been:
`python tests/kills.py --kills 50`.

At random moments it kills a job, Snakemake, or all of them, and jobs while they write a checkpoint.
Each time Snakemake is called again. In the end every result must be the same, byte for byte, as
that of a sweep that nobody has disturbed, and no kill may have cost more than the time from one
checkpoint to the next.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from workshop import SMOKE, Workshop

INTERVAL = 3.0
"""Seconds from one checkpoint to the next."""

ALLOWED = 2 * INTERVAL
"""What a kill may cost at most, in seconds. A step, a look at the validation split and the writing
of a checkpoint come on top of the interval, which is longer itself where a disk is so slow that
writing takes a fiftieth of it. What was lost is told; on two cores it was 3.6 seconds at most.
"""

EPOCHS_A_KILL = 25
"""So long is the training of each of four runs, in epochs of some hundredths of a second."""

SETTINGS = """\
experiment: smoke
sweep: {{hidden_size: [8], truncation_depth: [1, full], seed: [1, 2]}}
training: {{epochs: {epochs}, carry_state: true, output_dropout: 0.1}}
checkpoints: {{seconds: {interval}}}
"""

LATEST = 9.0
"""Seconds after a call at which something is killed at the latest."""


@dataclass(frozen=True)
class Kill:
    """What was killed.

    Attributes:
        what: job, snakemake, all, or writing: a job that writes a checkpoint.
        trainings: how many trainings were hit.
        half_written: how many checkpoints this has left half written.
        seconds: the most that one of them has lost; 0 if none was hit.
    """

    what: str
    trainings: int
    half_written: int
    seconds: float


class Sweep:
    """A sweep that is called again after each kill."""

    def __init__(self, folder: Path, settings: str) -> None:
        self.workshop = Workshop.new(folder)
        self.workshop.write("kills.yaml", settings)
        self._log = (folder / "calls.log").open("ab")

    def call(self, *arguments: str) -> psutil.Popen:
        """A new call of Snakemake, under way."""
        command = [sys.executable, "-m", "snakemake", "--configfile", SMOKE, "kills.yaml"]
        return psutil.Popen(
            [*command, "--cores", "2", *arguments],
            cwd=self.workshop.folder,
            env={**dict(psutil.Process().environ()), "PYTHONPATH": f"{self.workshop.folder}/src"},
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )

    def finish(self) -> None:
        """Run to the end."""
        self.unlock()
        if (code := self.call().wait()) != 0:
            raise SystemExit(f"the sweep ends with {code}; see {self.workshop.folder}/calls.log")

    def unlock(self) -> None:
        """Take Snakemake's lock away, which a kill of it leaves."""
        self.call("--unlock").wait()

    def jobs(self) -> list[psutil.Process]:
        """The processes of jobs, orphans too."""
        scripts = f"{self.workshop.folder}/.snakemake/scripts/"
        return [process for process, line in _processes() if any(scripts in part for part in line)]

    def training_lost(self, job: psutil.Process) -> float | None:
        """The seconds of training that a job would lose now; None if it does not train."""
        state = self.workshop.folder / "results/smoke/state"
        for lock in state.glob("*/lock"):
            if f'"pid": {job.pid},' in lock.read_text():
                written = [path.stat().st_mtime for path in lock.parent.glob("step-*.json")]
                return time.time() - max([lock.stat().st_mtime, *written])
        return None

    def half_written(self) -> dict[Path, int]:
        """The checkpoints that are being written or that a kill has left so, with who writes."""
        state = self.workshop.folder / "results/smoke/state"
        return {
            path: json.loads((path.parent / "lock").read_text())["pid"]
            for path in state.glob("*/.step-*")
        }


def main() -> None:
    """Kill, call again, compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1, help="of the moments and of what is killed")
    options = parser.parse_args()
    settings = SETTINGS.format(epochs=EPOCHS_A_KILL * options.kills, interval=INTERVAL)
    with tempfile.TemporaryDirectory(prefix="kills.") as folder:
        disturbed = Sweep(Path(folder) / "disturbed", settings)
        undisturbed = Sweep(Path(folder) / "undisturbed", settings)
        undisturbed.finish()
        kills = list(killed(disturbed, options.kills, random.Random(options.seed)))
        disturbed.finish()
        different = _different(undisturbed.workshop.hashes(), disturbed.workshop.hashes())
    _tell(kills)
    print(f"{len(different)} results differ", *different[:10], sep="\n  ")
    lost = max(kill.seconds for kill in kills)
    sys.exit(1 if different or lost > ALLOWED or len(kills) < options.kills else 0)


def killed(sweep: Sweep, count: int, rng: random.Random) -> Iterator[Kill]:
    """Kill so many times; the sweep is called again whenever it has ended."""
    call = None
    for number in range(count):
        if call is None or call.poll() is not None:
            sweep.unlock()
            call = sweep.call()
        _wait(lambda: False, rng.uniform(1, LATEST))
        kill = _kill(["job", "snakemake", "all", "writing"][number % 4], sweep, call, rng)
        yield kill
        if kill.what in ("snakemake", "all"):
            call.wait()


def _kill(what: str, sweep: Sweep, call: psutil.Popen, rng: random.Random) -> Kill:
    before = sweep.half_written()
    jobs = sweep.jobs()
    if what == "writing":
        jobs = _writer(sweep, before)
    elif what == "job":
        jobs = rng.sample(jobs, min(1, len(jobs)))
    elif what == "snakemake":
        jobs = []
    lost = [lost for job in jobs if (lost := sweep.training_lost(job)) is not None]
    for victim in [*([call] if what in ("snakemake", "all") else []), *jobs]:
        if victim.is_running():
            victim.kill()
    _wait(lambda: not any(job.is_running() for job in jobs), 1)
    left = len(sweep.half_written().keys() - before.keys()) if jobs else 0
    return Kill(what, len(lost), left, max(lost, default=0.0))


def _writer(sweep: Sweep, before: Mapping[Path, int]) -> list[psutil.Process]:
    """The job that begins to write a checkpoint; none if none does soon."""
    found: list[psutil.Process] = []

    def begins() -> bool:
        new = [pid for path, pid in sweep.half_written().items() if path not in before]
        found.extend(psutil.Process(pid) for pid in new[:1] if psutil.pid_exists(pid))
        return bool(found)

    _wait(begins, 5)
    return found


def _wait(until: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not until() and time.monotonic() < end:
        time.sleep(0.0005)


def _processes() -> Iterator[tuple[psutil.Process, list[str]]]:
    for process in psutil.process_iter():
        try:
            yield process, process.cmdline()
        except psutil.Error:  # it has just ended
            continue


def _different(one: dict[str, str], other: dict[str, str]) -> list[str]:
    return [name for name in sorted({*one, *other}) if one.get(name) != other.get(name)]


def _tell(kills: list[Kill]) -> None:
    heads = ["times", "trainings hit", "half-written checkpoints left", "most seconds lost"]
    print(f"{'killed':<12}", *heads, sep="  ")
    for what in dict.fromkeys(kill.what for kill in kills):
        some = [kill for kill in kills if kill.what == what]
        cells = [
            str(len(some)),
            str(sum(kill.trainings for kill in some)),
            str(sum(kill.half_written for kill in some)),
            f"{max(kill.seconds for kill in some):.2f}",
        ]
        print(f"{what:<12}", *map(str.rjust, cells, map(len, heads)), sep="  ")


if __name__ == "__main__":
    main()
