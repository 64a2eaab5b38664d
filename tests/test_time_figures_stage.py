"""The stage that draws where the time went."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from report_material import SUMMARY, TIME_FIGURES
from unrolled.report.pictures import SUFFIXES, read_picture
from unrolled.stages import time_figures
from unrolled.storage import read_tsv, write_tsv

SECONDS = {"a1": "20.0", "a2": "21.5", "b1": "42.0", "b2": "40.0", "c1": "1.5"}
"""Of training, by run."""

JOBS = [
    ("prepare", "2.5"),
    ("train", "30.0"),
    ("evaluate", "1.5"),
    ("train", "60.25"),
    ("evaluate", "0.75"),
    ("train", "5.0"),
]
"""The rule and the seconds of each job that Snakemake has measured."""


def drawn(
    folder: Path,
    timed: Sequence[str] = tuple(SECONDS),
    jobs: Sequence[tuple[str, str]] = JOBS,
    steps: Sequence[dict[str, str]] = (),
) -> Path:
    """Draws the hand-made sweep, these of its runs timed, and gives back the folder of pictures."""
    write_tsv(folder / "summary.tsv", list(SUMMARY[0]), SUMMARY)
    for run in timed:
        row = {"seconds": SECONDS[run], "tokens_per_second": "99.5", "peak_memory_mb": "40.5"}
        write_tsv(folder / run / "timing.tsv", list(row), [row])
        write_tsv(folder / run / "steps.tsv", ["step", "seconds"], steps)
    for number, (_, seconds) in enumerate(jobs):
        measured = {"s": seconds, "h:m:s": "0:00:09", "max_rss": "120.3", "io_in": "-"}
        write_tsv(folder / f"benchmarks/{number}.tsv", list(measured), [measured])
    time_figures.run(
        folder / "summary.tsv",
        {run: folder / run for run in timed},
        [(rule, folder / f"benchmarks/{number}.tsv") for number, (rule, _) in enumerate(jobs)],
        folder / "figures",
    )
    return folder / "figures"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pictures of the hand-made sweep, all of it timed, which are only read."""
    return drawn(tmp_path_factory.mktemp("sweep"))


def test_each_figure_is_a_picture_with_all_its_files_and_nothing_else_is_written(
    folder: Path,
) -> None:
    files = sorted(path.name for path in folder.iterdir())
    assert files == sorted(f"{name}{suffix}" for name in TIME_FIGURES for suffix in SUFFIXES)


def test_the_seconds_of_jobs_are_put_together_by_their_rule(folder: Path) -> None:
    rows = read_tsv(folder / "stages.tsv")

    assert [(row["step"], row["times"], row["seconds"]) for row in rows] == [
        ("train", "3", "95.25"),  # 30 + 60.25 + 5
        ("prepare", "1", "2.5"),
        ("evaluate", "2", "2.25"),  # 1.5 + 0.75
    ]
    # of 100 seconds in all
    assert [float(row["share"]) for row in rows] == pytest.approx([0.9525, 0.025, 0.0225])


def test_the_seconds_of_a_run_are_those_of_its_own_timing(folder: Path) -> None:
    rows = read_tsv(folder / "cost.tsv")

    assert [(row["run"], row["seconds"], row["test_perplexity"]) for row in rows] == [
        ("a1", "20.0", "5.0"),
        ("a2", "21.5", "5.4"),
        ("b2", "40.0", "5.6"),
        ("b1", "42.0", "4.8"),  # and c1 diverged
    ]


def test_a_run_that_was_not_timed_has_no_cost(tmp_path: Path) -> None:
    rows = read_tsv(drawn(tmp_path, timed=["b1"]) / "cost.tsv")

    assert [row["run"] for row in rows] == ["b1"]


def test_takeaways_tell_these_times(folder: Path) -> None:
    cost, stages = (read_picture(folder, name).takeaway for name in TIME_FIGURES)
    assert "trained for 20.0 seconds and reached a test perplexity of 5.00" in cost
    assert "trained for 42.0 seconds and reached a test perplexity of 4.80" in cost
    # 95.25 of 100 seconds
    assert stages == "Training took 95 % of the 100.0 seconds of all steps together."


def test_where_neither_a_finished_run_nor_a_job_was_timed_both_pictures_say_so(
    tmp_path: Path,
) -> None:
    folder = drawn(tmp_path, timed=["c1"], jobs=[])

    takeaways = [read_picture(folder, name).takeaway for name in TIME_FIGURES]
    assert takeaways == [
        "No run finished, so no time can be held against a perplexity.",
        "No step was timed.",
    ]


def test_the_same_times_give_the_same_bytes_again(folder: Path, tmp_path: Path) -> None:
    again = drawn(tmp_path)

    one, other = ({path.name: path.read_bytes() for path in of.iterdir()} for of in (folder, again))
    assert one == other


def test_the_steps_of_runs_are_counted_like_the_jobs_of_rules(tmp_path: Path) -> None:
    steps = [{"step": "train", "seconds": "2.25"}, {"step": "evaluate", "seconds": "0.5"}]
    timed = list(SECONDS)[:2]

    folder = drawn(tmp_path, timed, [("train", "1.0"), ("encode", "4.0")], steps)

    rows = {row["step"]: row for row in read_picture(folder, "stages").rows}
    found = {step: (int(row["times"]), float(row["seconds"])) for step, row in rows.items()}
    assert found == {"train": (3, 5.5), "encode": (1, 4.0), "evaluate": (2, 1.0)}
