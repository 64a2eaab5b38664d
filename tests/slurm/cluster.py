"""A Slurm cluster of two pretended nodes on this machine, without systemd and without a network.

It needs root, and Debian's packages slurm-wlm and munge. The daemons stay in the foreground, as
children of this process, and so do all that they leave behind: what is below this process is the
cluster, and nothing else is ever killed.
"""

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

SETTINGS = Path("/etc/slurm/slurm.conf")
"""Where every command looks; one named by SLURM_CONF alone is unknown to srun inside a job."""

MARK = "# Written by tests/slurm/cluster.py, which takes it away again."

NODES = ("n1", "n2")

TEXT = """\
{mark}
ClusterName=loopback
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
ReturnToService=2
SlurmctldPort=6817
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool.%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.%n.log
SwitchType=switch/none
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_interval=5
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
JobAcctGatherType=jobacct_gather/none
# a node that does not answer for so many seconds is down
SlurmdTimeout=15
KillWait=5
# how long squeue knows a job that has ended, in seconds
MinJobAge=600
NodeName=n[1-2] NodeHostname={host} NodeAddr=127.0.0.1 Port=[6820-6821] CPUs=1 RealMemory=6000
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""

PATIENCE_SECONDS = 60
"""How long daemons may take until both nodes are idle."""

PR_SET_CHILD_SUBREAPER = 36
"""Source: linux/prctl.h."""


class ClusterError(Exception):
    """The cluster cannot be set up, or has ended."""


class Cluster:
    """The daemons of a running cluster.

    Attributes:
        daemons: by `munged`, `slurmctld` or the name of a node.
    """

    def __init__(self, daemons: Mapping[str, subprocess.Popen[bytes]]) -> None:
        self.daemons = daemons

    def node_of(self, process: int) -> str | None:
        """The node on which a process runs; None for one that does not run, or on none."""
        return _environment(process).get("SLURMD_NODENAME")

    def kill_node(self, node: str) -> int:
        """Kill a node's daemon and all of its jobs at once, as a power cut does; how many processes
        that were.
        """
        of_jobs = {process for process in descendants() if self.node_of(process) == node}
        stepd = {
            parent
            for parent in map(_parent, of_jobs)
            if parent is not None and _name(parent) == "slurmstepd"
        }
        killed = {self.daemons[node].pid, *stepd, *of_jobs}
        for process in killed:
            _kill(process)
        self.daemons[node].wait()
        return len(killed)


@contextmanager
def cluster(folder: Path) -> Iterator[Cluster]:
    """A cluster whose files lie in a folder, until the block ends.

    Raises:
        ClusterError: it cannot be set up here.
    """
    _require_a_machine_for_it()
    for name in ("state", *(f"spool.{node}" for node in NODES)):
        (folder / name).mkdir(parents=True)
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    SETTINGS.parent.mkdir(exist_ok=True)
    SETTINGS.write_text(TEXT.format(mark=MARK, host=socket.gethostname(), folder=folder))
    try:
        yield _started(folder)
    finally:
        _end_descendants()
        SETTINGS.unlink()


def descendants() -> list[int]:
    """All processes below this one; those whose parent has died belong to it as well."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and (parent := _parent(int(entry.name))) is not None:
            children.setdefault(parent, []).append(int(entry.name))
    found = list(children.get(os.getpid(), []))
    for process in found:  # which grows meanwhile
        found.extend(children.get(process, []))
    return found


def wait_for(what: str, is_there: Callable[[], bool], seconds: float) -> None:
    """Return once something is there.

    Raises:
        ClusterError: it is not there in time.
    """
    end = time.monotonic() + seconds
    while not is_there():
        if time.monotonic() > end:
            raise ClusterError(f"{what}: not within {seconds} seconds")
        time.sleep(0.2)


def _require_a_machine_for_it() -> None:
    if os.geteuid() != 0:
        raise ClusterError("daemons of a cluster are started by root (this is another user)")
    for command in ("munged", "slurmctld", "slurmd", "sbatch"):
        if shutil.which(command) is None:
            raise ClusterError(f"no {command} here: apt-get install slurm-wlm munge")
    if SETTINGS.exists() and not SETTINGS.read_text().startswith(MARK):
        raise ClusterError(f"{SETTINGS} is that of another cluster; this test would replace it")


def _started(folder: Path) -> Cluster:
    for name in ("run", "var/log", "var/lib"):
        path = Path("/", name, "munge")
        path.mkdir(exist_ok=True)
        path.chmod(0o755 if name == "run" else 0o700)
        shutil.chown(path, "munge", "munge")
    commands = {
        "munged": ["runuser", "-u", "munge", "--", "munged", "--foreground", "--force"],
        "slurmctld": ["slurmctld", "-D", "-c"],  # -c: nothing is left of another time
        **{node: ["slurmd", "-D", "-N", node] for node in NODES},
    }
    daemons = {}
    for name, command in commands.items():
        with (folder / f"{name}.out").open("wb") as out:
            daemons[name] = subprocess.Popen(command, stdout=out, stderr=out)
        if name == "munged":
            wait_for("munged", lambda: _succeeds("munge", "-n"), PATIENCE_SECONDS)
    wait_for(f"two idle nodes, see {folder}", _nodes_are_idle, PATIENCE_SECONDS)
    return Cluster(daemons)


def _nodes_are_idle() -> bool:
    call = ["sinfo", "--noheader", "--Node", "--format=%t"]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    return done.stdout.split() == ["idle"] * len(NODES)


def _succeeds(*call: str) -> bool:
    return subprocess.run(call, capture_output=True, check=False).returncode == 0


def _end_descendants() -> None:
    while found := descendants():
        for process in found:
            _kill(process)
        time.sleep(0.1)
        _reap()


def _reap() -> None:
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _kill(process: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)


def _parent(process: int) -> int | None:
    """None for a process that has ended."""
    try:
        # the name in brackets may hold anything, brackets too
        return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return None


def _name(process: int) -> str:
    return _read(process, "comm").strip()


def _environment(process: int) -> dict[str, str]:
    pairs = (line.partition("=") for line in _read(process, "environ").split("\0"))
    return {key: value for key, _, value in pairs}


def _read(process: int, name: str) -> str:
    """A file of /proc; nothing for a process that has ended."""
    try:
        return Path(f"/proc/{process}/{name}").read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""
