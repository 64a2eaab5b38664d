"""Training speed of this project and others, side by side.

    python benchmarks/throughput.py [--rounds 11] [--only TEXT]

Contenders of a setting take turns, a measurement each, round after round, since the speed of a
machine drifts by more than what is to be seen. Ratios are those of one round; shown is their
median, with the quartiles. Each contender is a process of one thread; while one is measured, the
others wait. The peak is that of a square matrix product in the same rounds.

Writes results/throughput.tsv, ratios.tsv and memory.tsv beside this file.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from settings import Setting
from unrolled.storage import write_tsv

HERE = Path(__file__).parent
RESULTS = HERE / "results"

ONE_THREAD = {
    f"{library}_NUM_THREADS": "1" for library in ("OPENBLAS", "OMP", "MKL", "VECLIB_MAXIMUM")
}
LARGE = str(2**31)
TUNED_ALLOCATOR = dict.fromkeys(
    ("MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_", "MALLOC_TOP_PAD_"), LARGE
)
"""glibc then keeps large arrays, instead of asking the system for new pages at every step."""

HEADLINE = Setting()
EVERYONE = ("unrolled", "torch", "torch-tuned", "torch-truncated")
AT_FULL_DEPTH = ("unrolled", "torch", "torch-tuned")
SINGLE_SENTENCE = replace(HEADLINE, batch_size=1, dtype="float64")

TABLE: Sequence[tuple[Setting, Sequence[str]]] = [
    (HEADLINE, EVERYONE),
    (replace(HEADLINE, truncation_depth=0), ("unrolled", "torch-tuned")),
    (replace(HEADLINE, truncation_depth=None), AT_FULL_DEPTH),
    (replace(HEADLINE, hidden_size=50), EVERYONE),
    (replace(HEADLINE, hidden_size=256), EVERYONE),
    (replace(HEADLINE, hidden_size=512), EVERYONE),
    (replace(HEADLINE, vocabulary_size=2000), EVERYONE),
    (replace(HEADLINE, vocabulary_size=32000), EVERYONE),
    (replace(HEADLINE, cell="gru"), AT_FULL_DEPTH),
    (replace(HEADLINE, cell="gru", truncation_depth=None), AT_FULL_DEPTH),
    (replace(HEADLINE, cell="lstm"), AT_FULL_DEPTH),
    (replace(HEADLINE, cell="lstm", truncation_depth=None), AT_FULL_DEPTH),
    (replace(HEADLINE, dtype="float64"), EVERYONE),
    (SINGLE_SENTENCE, ("unrolled", "tutorial", *EVERYONE[1:])),
]
"""What is measured together. PyTorch's layers always go back to the start of the sentence."""


class Worker:
    """A contender in a process of its own."""

    def __init__(self, contender: str, setting: Setting) -> None:
        self.contender, self.setting = contender, setting
        self.rates: list[float] = []
        self.memory_mb = 0.0
        tuned = TUNED_ALLOCATOR if contender in ("torch-tuned", "torch-truncated") else {}
        self.process = subprocess.Popen(
            [sys.executable, HERE / "worker.py", contender, json.dumps(asdict(setting))],
            env={**os.environ, **ONE_THREAD, **tuned},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def measure(self) -> None:
        """Take one measurement more."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print("measure", file=self.process.stdin, flush=True)
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"{self.contender} at {self.setting} ended, see above")
        answer = json.loads(line)
        self.rates.append(answer["rate"])
        self.memory_mb = answer["memory_mb"]

    def close(self) -> None:
        """End the process."""
        self.process.communicate()


@dataclass(frozen=True)
class Measured:
    """One contender at one setting."""

    contender: str
    setting: Setting
    rates: Sequence[float]
    memory_mb: float


def measured(setting: Setting, contenders: Sequence[str], rounds: int) -> dict[str, Measured]:
    """The contenders, taking turns; the tutorial's code stands beside those that can do batches."""
    workers = [Worker("peak", setting)]
    for contender in contenders:
        workers.append(Worker(contender, setting))
    if "tutorial" not in contenders and setting == HEADLINE:
        workers.append(Worker("tutorial", SINGLE_SENTENCE))
    for number in range(rounds + 1):
        for worker in workers:
            worker.measure()
        if number == 0:  # the first one warms up
            for worker in workers:
                worker.rates.clear()
    for worker in workers:
        worker.close()
    return {
        worker.contender: Measured(worker.contender, worker.setting, worker.rates, worker.memory_mb)
        for worker in workers
    }


def quartiles(of: Measured, against: Measured) -> tuple[float, float, float]:
    """Lower quartile, median and upper quartile of the ratios of each round."""
    ratios = np.array(of.rates) / np.array(against.rates)
    lower, middle, upper = np.quantile(ratios, [0.25, 0.5, 0.75])
    return float(lower), float(middle), float(upper)


def setting_columns(setting: Setting) -> dict[str, Any]:
    """The setting as columns."""
    return {**asdict(setting), "truncation_depth": setting.depth}


def throughput_rows(group: Mapping[str, Measured]) -> list[dict[str, Any]]:
    """A row for each contender."""
    peak = group["peak"]
    rows = []
    for name, found in group.items():
        if name == "peak":
            continue
        operations = found.setting.operations_per_token
        fractions = np.array(found.rates) * operations / np.array(peak.rates)
        same_type = found.setting.dtype == peak.setting.dtype
        columns = setting_columns(found.setting)
        if name in ("torch", "torch-tuned"):
            columns["truncation_depth"] = "full"
        rows.append(
            {
                "contender": name,
                **columns,
                "threads": 1,
                "median_tokens_per_second": round(float(np.median(found.rates))),
                "lowest": round(min(found.rates)),
                "highest": round(max(found.rates)),
                "ratio_to_tuned_torch": round(quartiles(found, group["torch-tuned"])[1], 3),
                "fraction_of_peak": round(float(np.median(fractions)), 3) if same_type else None,
            }
        )
    return rows


def ratio_rows(group: Mapping[str, Measured]) -> list[dict[str, Any]]:
    """This project against each other contender."""
    own = group["unrolled"]
    rows = []
    for name, other in group.items():
        if name in ("unrolled", "peak"):
            continue
        lower, middle, upper = quartiles(own, other)
        rows.append(
            {
                **setting_columns(own.setting),
                "against": name,
                "ratio": round(middle, 3),
                "lower_quartile": round(lower, 3),
                "upper_quartile": round(upper, 3),
                "pairs": len(own.rates),
            }
        )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description="Training speed, side by side.")
    parser.add_argument("--rounds", type=int, default=11, help="measurements of each contender")
    parser.add_argument("--only", default="", help="settings that contain this text; not written")
    arguments = parser.parse_args()
    throughput: list[dict[str, Any]] = []
    ratios: list[dict[str, Any]] = []
    memory: list[dict[str, Any]] = []
    for setting, contenders in TABLE:
        if arguments.only not in str(setting):
            continue
        group = measured(setting, contenders, arguments.rounds)
        throughput += throughput_rows(group)
        ratios += ratio_rows(group)
        memory += [
            {
                "contender": found.contender,
                **setting_columns(found.setting),
                "memory_mb_beyond_imports": round(found.memory_mb),
            }
            for found in group.values()
            if found.contender != "peak"
        ]
        print(setting)
        peak = np.median(group["peak"].rates) / 1e9
        print(f"    peak {peak:.0f} GFLOP/s")
        for row in throughput[-len(group) + 1 :]:
            print(
                f"    {row['contender']:16}{row['median_tokens_per_second']:8} tokens/s"
                f"  {row['ratio_to_tuned_torch']:6} of tuned torch"
                f"  {row['fraction_of_peak'] or '':6} of the peak",
                flush=True,
            )
    if not arguments.only:
        for name, rows in (("throughput", throughput), ("ratios", ratios), ("memory", memory)):
            write_tsv(RESULTS / f"{name}.tsv", list(rows[0]), rows)


if __name__ == "__main__":
    main()
