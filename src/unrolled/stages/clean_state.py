"""Take away from which places finished runs could go on: nobody will."""

from collections.abc import Iterable
from pathlib import Path

from unrolled.stages.status import under_way

MEGABYTE = 1e6


def run(experiments: Iterable[Path | str]) -> str:
    """Remove the checkpoints of runs that have their results, and say how much that freed.

    A run keeps them as long as a process writes there, as it does while it is trained again.

    Args:
        experiments: the folders of results.
    """
    states = [state for folder in experiments for state in sorted(Path(folder).glob("state/*"))]
    sizes = [size for state in states if _is_over(state) and (size := _freed(state))]
    runs = "run" if len(sizes) == 1 else "runs"
    return f"{sum(sizes) / MEGABYTE:.1f} MB freed: the checkpoints of {len(sizes)} finished {runs}"


def _is_over(state: Path) -> bool:
    """Whether a run has its results, and nobody writes to its state."""
    outputs = state.parents[1] / "runs" / state.name
    return (outputs / "metrics.json").exists() and not under_way(state)


def _freed(state: Path) -> int:
    """Remove the checkpoints of a run; how many bytes these were."""
    files = list(state.glob("step-*.*"))
    size = sum(file.stat().st_size for file in files)
    for file in sorted(files):  # .json before .npz, which is no checkpoint without it
        file.unlink()
    return size
