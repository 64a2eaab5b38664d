"""Does a sweep survive the death of a node? `PYTHONPATH=tests python tests/slurm/survival.py`, as
root.

The smoke experiment is run on a cluster of two nodes, one of which is killed while it trains, with
all that runs on it, and once more without a cluster. Every result must be the same, byte for byte,
but those that hold times. It ends with 0 if they are.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from cluster import Cluster, ClusterError, cluster, wait_for

from workshop import RUNS, SMOKE, Workshop

EPOCHS = 60
"""Some ten seconds of training, so that there is a middle of it."""

ON_THE_CLUSTER = [
    "--workflow-profile=workflow/profiles/slurm",
    "--slurm-no-account",
    "--slurm-status-command=squeue",
    # the others are patient, for clusters that others use, too
    "--slurm-init-seconds-before-status-checks=3",
    "--seconds-between-status-checks=3",
    "--latency-wait=5",
]

PATIENCE_SECONDS = 300
"""How long the workflow may take until it trains; and for the rest, a dead node among it, twice."""

GOES_ON = "goes on after step"
"""What the log of a run says that has found a checkpoint."""


def main() -> int:
    """Whether the results of the cluster are those of this machine: 0 or 1."""
    with tempfile.TemporaryDirectory(prefix="slurm-") as name:
        folder = Path(name)
        local, remote = (_workshop(folder / place) for place in ("local", "cluster"))
        try:
            with cluster(folder / "slurm") as slurm:
                tell("two nodes are up")
                _run_on(slurm, remote)
        except ClusterError as error:
            tell(f"ClusterError: {error}")
            return 1
        tell("the same without a cluster")
        _require_success(local.snakemake("--cores", "2"))
        return _compared(local.hashes(), remote.hashes())


def tell(line: str) -> None:
    """Print a line with the time since the beginning, in seconds."""
    print(f"{time.monotonic() - BEGAN:5.0f} s  {line}", flush=True)


def _workshop(folder: Path) -> Workshop:
    """A copy of the project in which smoke trains for longer and keeps a checkpoint a second."""
    workshop = Workshop.new(folder)
    workshop.edit(SMOKE, "  epochs: 2\n", f"  epochs: {EPOCHS}\n")
    workshop.edit(SMOKE, "corpus:\n", "checkpoints:\n  seconds: 1\n\ncorpus:\n")
    return workshop


def _run_on(slurm: Cluster, workshop: Workshop) -> None:
    """Run the experiment, and kill the node that trains the first run once it can be resumed.

    Raises:
        ClusterError: it did not come to its end, or not by way of a checkpoint.
    """
    done = ThreadPoolExecutor(1).submit(workshop.snakemake, *ON_THE_CLUSTER)
    state = workshop.result("state") / RUNS[0]
    wait_for(f"a checkpoint of {RUNS[0]}", _checkpoint_in(state, done), PATIENCE_SECONDS)
    holder = json.loads((state / "lock").read_text())["pid"]
    node = slurm.node_of(holder)
    if node is None:
        raise ClusterError(f"process {holder}, which trains {RUNS[0]}, is on no node")
    steps = [path.stem for path in sorted(state.glob("step-*.json"))]
    killed = slurm.kill_node(node)
    tell(f"{node} is dead, {killed} processes with it; {RUNS[0]} had kept {', '.join(steps)}")
    wait_for("the end of the workflow", done.done, 2 * PATIENCE_SECONDS)
    _require_success(done.result())
    tell("the workflow has come to its end:")
    _show_jobs()
    log = workshop.result(f"logs/train_and_measure/{RUNS[0]}.log").read_text()
    found = [line for line in log.splitlines() if GOES_ON in line]
    if not found:
        raise ClusterError(f"{RUNS[0]} has begun anew, not after a checkpoint")
    tell(found[0])


def _checkpoint_in(
    state: Path, done: "Future[subprocess.CompletedProcess[str]]"
) -> Callable[[], bool]:
    def is_there() -> bool:
        if done.done():
            raise ClusterError(f"the workflow ended before that\n{done.result().stdout}")
        return any(state.glob("step-*.json"))

    return is_there


def _require_success(done: "subprocess.CompletedProcess[str]") -> None:
    if done.returncode != 0:
        raise ClusterError(f"the workflow failed with {done.returncode}\n{done.stdout}")


def _show_jobs() -> None:
    """Print what Slurm knows of the jobs that trained or did not succeed."""
    call = ["squeue", "--states=all", "--noheader", "--format=%i %k %T %N %m %l"]
    listed = subprocess.run(call, capture_output=True, text=True, check=True)
    jobs = listed.stdout.splitlines()
    for job in jobs:
        if "COMPLETED" not in job or "train" in job:
            tell(f"  {job}")
    tell(f"  {len(jobs)} jobs in all")


def _compared(local: dict[str, str], remote: dict[str, str]) -> int:
    different = sorted(
        name for name in local.keys() | remote.keys() if local.get(name) != remote.get(name)
    )
    for name in different:
        tell(f"different: {name}")
    tell(f"{len(local) - len(different)} of {len(local)} results are the same, byte for byte")
    return 1 if different or not local else 0


if __name__ == "__main__":
    BEGAN = time.monotonic()
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by a signal"))  # by way of `finally`
    sys.exit(main())
