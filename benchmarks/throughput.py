"""Training speed of this project and others, side by side.

    python benchmarks/throughput.py [--rounds 11] [--only TEXT] [--faster-rnnlm PATH]

Contenders of a setting take turns, a measurement each, round after round, since the speed of a
machine drifts by more than what is to be seen. Ratios are those of one round; shown is their
median, with the quartiles. Each contender is a process of one thread; while one is measured, the
others wait. The peak is that of a square matrix product in the same rounds. faster-rnnlm takes part
where its binary is given.

Writes results/throughput.tsv, ratios.tsv and memory.tsv beside this file.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

import faster_rnnlm
from processes import TUNED_ALLOCATOR, Process
from settings import SENTENCES, Setting
from unrolled.storage import write_tsv

RESULTS = Path(__file__).parent / "results"

HEADLINE = Setting()
FULL_DEPTH = replace(HEADLINE, truncation_depth=None)
SINGLE_SENTENCE = replace(HEADLINE, batch_size=1, dtype="float64")
LARGE_BATCH = replace(HEADLINE, batch_size=SENTENCES)
"""Word classes take many tokens a step, lest their matrix products become too small."""

SOFTMAX = ("unrolled", "tutorial", "torch", "torch-tuned", "torch-truncated")
"""Contenders that look at all words for each token."""

Group = Sequence[tuple[str, Setting]]
"""Contenders that take turns, this project first; PyTorch's own layers with the tuned allocator,
which ratios are taken to, are always among them.
"""


def beside_torch(setting: Setting) -> Group:
    """This project, and PyTorch in all its forms."""
    layers = replace(setting, truncation_depth=None)  # they know no other depth
    group = [("unrolled", setting), ("torch", layers), ("torch-tuned", layers)]
    if setting.cell == "elman":
        group.append(("torch-truncated", setting))
    return group


def beside_softmax(setting: Setting) -> Group:
    """This project with word classes, and others, one of them with another cheap output layer."""
    group = [
        ("unrolled-classes", setting),
        ("unrolled", setting),
        ("torch-tuned", replace(setting, truncation_depth=None)),
    ]
    if setting.cell == "elman":
        group.append((faster_rnnlm.NAME, replace(setting, batch_size=1)))  # it knows no batches
    return group


TABLE: Sequence[Group] = [
    [
        *beside_torch(HEADLINE),
        ("unrolled", replace(HEADLINE, truncation_depth=0)),
        ("unrolled", FULL_DEPTH),
        ("tutorial", SINGLE_SENTENCE),  # it cannot do batches
    ],
    beside_torch(replace(HEADLINE, hidden_size=50)),
    beside_torch(replace(HEADLINE, hidden_size=256)),
    beside_torch(replace(HEADLINE, hidden_size=512)),
    beside_torch(replace(HEADLINE, vocabulary_size=2000)),
    beside_torch(replace(HEADLINE, vocabulary_size=32000)),
    *(
        [*beside_torch(replace(HEADLINE, cell=cell)), ("unrolled", replace(FULL_DEPTH, cell=cell))]
        for cell in ("gru", "lstm")
    ),
    beside_torch(replace(HEADLINE, dtype="float64")),
    [*beside_torch(SINGLE_SENTENCE), ("tutorial", SINGLE_SENTENCE)],
    beside_softmax(LARGE_BATCH),
    beside_softmax(replace(LARGE_BATCH, truncation_depth=None)),
    beside_softmax(replace(LARGE_BATCH, vocabulary_size=32000)),
    beside_softmax(replace(LARGE_BATCH, hidden_size=200, vocabulary_size=10000)),
    *(
        beside_softmax(replace(LARGE_BATCH, cell=cell, truncation_depth=depth))
        for cell in ("gru", "lstm")
        for depth in (4, None)
    ),
]


def groups(binary: Path | None, only: str = "") -> list[Group]:
    """Those groups of the table in which some text occurs; a line says if faster-rnnlm is left out.

    Args:
        binary: that of faster-rnnlm; None to leave it out.
        only: the text.
    """
    found = [
        group
        for group in TABLE
        if any(only in f"{contender} {setting}" for contender, setting in group)
    ]
    if binary is not None:
        return found
    kept: list[Group] = [
        [member for member in group if member[0] != faster_rnnlm.NAME] for group in found
    ]
    if kept != found:
        print(f"{faster_rnnlm.NAME} is left out; --faster-rnnlm PATH would name its binary")
    return kept


class Worker:
    """A contender in a process of its own."""

    def __init__(self, contender: str, setting: Setting, binary: Path | None) -> None:
        self.contender, self.setting = contender, setting
        self.rates: list[float] = []
        self.memory_mb = 0.0
        arguments = [contender, json.dumps(asdict(setting)), *([str(binary)] if binary else [])]
        tuned = TUNED_ALLOCATOR if contender in ("torch-tuned", "torch-truncated") else {}
        self.process = Process("worker.py", arguments, tuned)

    def measure(self) -> None:
        """Take one measurement more."""
        answer = self.process.ask()
        self.rates.append(answer["rate"])
        self.memory_mb = answer["memory_mb"]


@dataclass(frozen=True)
class Measured:
    """One contender at one setting."""

    contender: str
    setting: Setting
    rates: Sequence[float]
    memory_mb: float


def measured(group: Group, rounds: int, binary: Path | None) -> tuple[Measured, list[Measured]]:
    """The peak, and the contenders in the order of the group."""
    workers = [Worker(*member, binary) for member in [("peak", group[0][1]), *group]]
    for number in range(rounds + 1):
        turn = number % len(workers)  # nobody always follows the same other
        for worker in workers[turn:] + workers[:turn]:
            worker.measure()
        if number == 0:  # the first one warms up
            for worker in workers:
                worker.rates.clear()
    for worker in workers:
        worker.process.close()
    peak, *found = (
        Measured(worker.contender, worker.setting, worker.rates, worker.memory_mb)
        for worker in workers
    )
    return peak, found


def quartiles(of: Measured, against: Measured) -> tuple[float, float, float]:
    """Lower quartile, median and upper quartile of the ratios of each round."""
    ratios = np.array(of.rates) / np.array(against.rates)
    lower, middle, upper = np.quantile(ratios, [0.25, 0.5, 0.75])
    return float(lower), float(middle), float(upper)


def setting_columns(setting: Setting) -> dict[str, Any]:
    """The setting as columns."""
    return {**asdict(setting), "truncation_depth": setting.depth}


def throughput_rows(peak: Measured, group: Sequence[Measured]) -> list[dict[str, Any]]:
    """A row for each contender; of the peak only for products that a softmax cannot do without, and
    where the peak is one of the same precision.
    """
    (tuned,) = (found for found in group if found.contender == "torch-tuned")
    rows = []
    for found in group:
        operations = found.setting.operations_per_token
        fractions = np.array(found.rates) * operations / np.array(peak.rates)
        comparable = found.contender in SOFTMAX and found.setting.dtype == peak.setting.dtype
        rows.append(
            {
                "contender": found.contender,
                **setting_columns(found.setting),
                "threads": 1,
                "median_tokens_per_second": round(float(np.median(found.rates))),
                "lowest": round(min(found.rates)),
                "highest": round(max(found.rates)),
                "ratio_to_tuned_torch": round(quartiles(found, tuned)[1], 3),
                "fraction_of_peak": round(float(np.median(fractions)), 3) if comparable else None,
            }
        )
    return rows


def ratio_rows(group: Sequence[Measured]) -> list[dict[str, Any]]:
    """The first of a group, this project, against each of the others."""
    own, *others = group
    rows = []
    for other in others:
        lower, middle, upper = quartiles(own, other)
        rows.append(
            {
                "contender": own.contender,
                **setting_columns(own.setting),
                "against": other.contender,
                "against_truncation_depth": other.setting.depth,
                "against_batch_size": other.setting.batch_size,
                "against_dtype": other.setting.dtype,
                "ratio": round(middle, 3),
                "lower_quartile": round(lower, 3),
                "upper_quartile": round(upper, 3),
                "pairs": len(own.rates),
            }
        )
    return rows


def memory_rows(group: Sequence[Measured]) -> list[dict[str, Any]]:
    """The most memory that each contender has held beyond what it imports."""
    return [
        {
            "contender": found.contender,
            **setting_columns(found.setting),
            "memory_mb_beyond_imports": round(found.memory_mb),
        }
        for found in group
    ]


def show(peak: Measured, rows: Sequence[Mapping[str, Any]]) -> None:
    """What was measured of a group, for reading along."""
    print(peak.setting, f"peak {np.median(peak.rates) / 1e9:.0f} GFLOP/s")
    for row in rows:
        print(
            f"    {row['contender']:16} depth {row['truncation_depth']:5}"
            f"{row['median_tokens_per_second']:8} tokens/s"
            f"  {row['ratio_to_tuned_torch']:6} of tuned torch"
            f"  {row['fraction_of_peak'] or '':6} of the peak",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description="Training speed, side by side.")
    parser.add_argument("--rounds", type=int, default=11, help="measurements of each contender")
    parser.add_argument("--only", default="", help="settings that contain this text; not written")
    parser.add_argument("--faster-rnnlm", type=Path, help="its binary; without, it is left out")
    arguments = parser.parse_args()
    binary = arguments.faster_rnnlm
    if binary is not None and not binary.is_file():
        parser.error(f"--faster-rnnlm must be a file (got {binary})")
    tables: dict[str, list[dict[str, Any]]] = {"throughput": [], "ratios": [], "memory": []}
    for number, members in enumerate(groups(binary, arguments.only), start=1):
        peak, group = measured(members, arguments.rounds, binary)
        rows = throughput_rows(peak, group)
        show(peak, rows)
        tables["throughput"] += [{"group": number, **row} for row in rows]
        tables["ratios"] += ratio_rows(group)
        tables["memory"] += memory_rows(group)
    if not arguments.only:
        for name, rows in tables.items():
            write_tsv(RESULTS / f"{name}.tsv", list(rows[0]), rows)


if __name__ == "__main__":
    main()
