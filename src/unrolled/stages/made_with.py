"""What a run was made with, so that it can be made again."""

import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

import numpy as np


def made_with() -> dict[str, Any]:
    """The commit, the versions of what computes, the machine, and how many threads it uses."""
    return {
        "commit": _commit(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "unrolled": importlib.metadata.version("unrolled"),
        "machine": platform.machine(),
        "system": platform.platform(),
        "blas_threads": os.environ.get("OPENBLAS_NUM_THREADS"),
    }


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
