"""What a run was made with, so that it can be made again."""

import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

import numpy as np


class MadeWith:
    """The commit, the versions of what computes, the machine, and how many threads it uses.

    They are those of the attempt that began the run. What another one finds may differ: the code
    that trains is the same, or it would not go on from there.
    """

    def __init__(self) -> None:
        self._found: dict[str, Any] = {
            "commit": _commit(),
            "python": platform.python_version(),
            "numpy": np.__version__,
            "unrolled": importlib.metadata.version("unrolled"),
            "machine": platform.machine(),
            "system": platform.platform(),
            "blas_threads": os.environ.get("OPENBLAS_NUM_THREADS"),
        }

    def memory(self) -> dict[str, Any]:
        """As `keeper.Part.memory`."""
        return self._found

    def remember(self, memory: dict[str, Any]) -> None:
        """As `keeper.Part.remember`."""
        self._found = memory


def _commit() -> str | None:
    """The commit of the code, marked where files differ from it; None outside a checkout."""
    checkout = Path(__file__).parents[3]
    if not (checkout / ".git").exists():
        return None
    commit, changes = (_git(checkout, *call) for call in (["rev-parse", "HEAD"], ["status", "-s"]))
    return f"{commit} with changes" if commit and changes else commit


def _git(checkout: Path, *arguments: str) -> str | None:
    """What git prints; None where it is missing or fails."""
    try:
        done = subprocess.run(
            ["git", "-C", str(checkout), *arguments], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
