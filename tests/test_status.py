"""Where runs stand, by the files that they have left; and which of these are taken away."""

import errno
import fcntl
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from unrolled.lock import locked
from unrolled.stages import clean_state, status, summarise
from unrolled.stages.keeping import KILLED
from unrolled.stages.status import Standing, aligned, duration, failures, standing, why_missing
from unrolled.storage import read_tsv, write_json, write_text, write_tsv

PROGRESS = {
    "epoch": 1.25,
    "epochs": 3,
    "train_loss_nats_per_token": 4.5,
    "validation_loss_nats_per_token": None,
    "tokens_per_second": 20000,
    "seconds_left": 90,
}
STOPPED = "stopped after step 12; the next call goes on from there"
FULL = "OSError: No space left on device"


def end(experiment: Path, run: str, state: str = "finished", reason: str | None = None) -> None:
    """Write what a run leaves that has come to its end."""
    folder = experiment / "runs" / run
    write_json(folder / "metrics.json", {"state": state, "reason": reason})
    columns = ["epoch", "train_loss_nats_per_token", "validation_loss_nats_per_token"]
    rows = [dict(zip(columns, row, strict=True)) for row in ((0.0, None, 6.0), (3.0, 4.0, 4.25))]
    write_tsv(folder / "history.tsv", columns, rows)
    write_tsv(
        folder / "timing.tsv",
        ["seconds", "tokens_per_second", "peak_memory_mb"],
        [{"seconds": 7.5, "tokens_per_second": 30000, "peak_memory_mb": 120}],
    )


def begin(
    experiment: Path, run: str, failure: Mapping[str, str] | None = None, **progress: Any
) -> Path:
    """Write what a run leaves in the folder of its state; of one that was killed by default."""
    folder = experiment / "state" / run
    write_text(folder / "lock", "{}")
    write_json(folder / "progress.json", PROGRESS | progress)
    if failure is not None:
        write_json(folder / "failure.json", failure)
    return folder


def test_a_run_that_has_ended_stands_as_its_files_say(tmp_path: Path) -> None:
    end(tmp_path, "good")
    end(tmp_path, "bad", "diverged", "loss nan at step 2")
    begin(tmp_path, "good")  # its progress is older

    assert standing(tmp_path / "runs/good") == Standing(
        "good", "finished", None, 3.0, 4.0, 4.25, 30000.0
    )
    bad = standing(tmp_path / "runs/bad")
    assert (bad.state, bad.reason) == ("diverged", "loss nan at step 2")


def test_a_run_that_diverged_before_its_first_evaluation_has_no_losses(tmp_path: Path) -> None:
    end(tmp_path, "bad", "diverged", "loss nan at step 1")
    write_tsv(
        tmp_path / "runs/bad/history.tsv",
        ["epoch", "train_loss_nats_per_token", "validation_loss_nats_per_token"],
        [],
    )

    found = standing(tmp_path / "runs/bad")

    assert (found.epoch, found.train_loss, found.validation_loss) == (None, None, None)


@pytest.mark.parametrize("has_results", [False, True])
def test_a_run_whose_folder_is_locked_is_running_also_if_it_is_trained_again(
    has_results: bool, tmp_path: Path
) -> None:
    if has_results:
        end(tmp_path, "a")
    folder = begin(tmp_path, "a", {"state": "failed", "reason": "an older failure"})

    with locked(folder, pytest.fail):
        found = standing(tmp_path / "runs/a")

    assert found == Standing("a", "running", None, 1.25, 4.5, None, 20000, 90)


def test_a_run_under_way_is_running_also_where_a_file_system_has_no_locks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without_locks(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", without_locks)
    folder = begin(tmp_path, "a")

    with locked(folder, lambda line: None):
        assert standing(tmp_path / "runs/a").state == "running"
        assert failures(tmp_path, ["a"]) == []
    assert standing(tmp_path / "runs/a").state == "waiting"


def test_a_run_that_begins_has_noted_nothing_yet(tmp_path: Path) -> None:
    with locked(tmp_path / "state/a", pytest.fail):
        assert standing(tmp_path / "runs/a") == Standing("a", "running")


@pytest.mark.parametrize(
    ("failure", "state", "reason", "line"),
    [
        ({"state": "stopped", "reason": STOPPED}, "stopped", STOPPED, STOPPED),
        ({"state": "failed", "reason": FULL}, "failed", FULL, f"failed: {FULL}"),
        (None, "failed", KILLED, f"failed: {KILLED}"),
        ({"state": "failed"}, "failed", KILLED, f"failed: {KILLED}"),
        # as it was noted before there was a state
        ({"reason": f"StoppedError: {STOPPED}"}, "stopped", STOPPED, STOPPED),
        ({"reason": FULL}, "failed", FULL, f"failed: {FULL}"),
    ],
)
def test_a_run_that_ended_early_has_its_reason_and_no_time_left(
    failure: Mapping[str, str] | None, state: str, reason: str, line: str, tmp_path: Path
) -> None:
    begin(tmp_path, "a", failure)

    found = standing(tmp_path / "runs/a")

    assert (found.state, found.reason) == (state, reason)
    assert (found.epoch, found.seconds_left) == (1.25, None)
    assert why_missing(tmp_path / "runs/a") == reason
    assert failures(tmp_path, ["a", "b"]) == [f"a  {line}"]


def test_a_run_of_which_nothing_is_there_waits_and_nothing_is_made_to_find_out(
    tmp_path: Path,
) -> None:
    (tmp_path / "state/a").mkdir(parents=True)

    assert standing(tmp_path / "runs/a") == Standing("a", "waiting")
    assert why_missing(tmp_path / "runs/a") == status.NO_REASON
    assert failures(tmp_path, ["a"]) == []
    assert list((tmp_path / "state/a").iterdir()) == []


def test_a_run_that_has_its_results_and_is_missing_lacks_its_checks(tmp_path: Path) -> None:
    begin(tmp_path, "a")
    end(tmp_path, "a")

    assert why_missing(tmp_path / "runs/a") == "its checks have not passed"


@pytest.mark.parametrize("state", ["stopped", "failed"])
def test_a_run_whose_outputs_are_taken_away_waits(state: str, tmp_path: Path) -> None:
    folder = begin(tmp_path, "a", {"state": state, "reason": "an older reason"})
    with locked(folder, pytest.fail):
        (folder / "failure.json").unlink()  # as another attempt does, which comes to its end

    assert standing(tmp_path / "runs/a") == Standing("a", "waiting")
    assert why_missing(tmp_path / "runs/a") == status.NO_REASON
    assert failures(tmp_path, ["a"]) == []


def test_the_summary_says_why_a_run_is_missing(tmp_path: Path) -> None:
    begin(tmp_path, "gone")
    end(tmp_path, "unchecked")
    write_tsv(tmp_path / "baselines.tsv", ["model", "split", "perplexity"], [])
    settings = {name: {"cell": "elman"} for name in ("gone", "never", "unchecked")}

    summarise.run(
        settings, {}, *(tmp_path / f"{name}.tsv" for name in ("baselines", "summary", "inventory"))
    )

    rows = read_tsv(tmp_path / "summary.tsv")
    assert [(row["run"], row["state"], row["reason"]) for row in rows] == [
        ("gone", "missing", KILLED),
        ("never", "missing", "no results; see its log"),
        ("unchecked", "missing", "its checks have not passed"),
    ]


def test_the_table_has_a_row_for_each_run_and_counts_their_states(tmp_path: Path) -> None:
    end(tmp_path / "one", "good")
    folder = begin(tmp_path / "one", "busy")
    begin(tmp_path / "one", "gone")
    names = ["good", "busy", "gone", "next"]

    with locked(folder, pytest.fail):
        text = status.run(
            {"one": {name: {"epochs": 3} for name in names}, "two": {"a": {"epochs": 1}}}, tmp_path
        )

    assert text.split("\n") == [
        "one: 1 finished, 1 running, 1 failed, 1 waiting",
        "",
        "run   state     epoch   train  validation  tokens/s  left   reason",
        "good  finished  3.00/3  4.000  4.250       30,000",
        "busy  running   1.25/3  4.500              20,000    2 min",
        f"gone  failed    1.25/3  4.500              20,000           {KILLED}",
        "next  waiting",
        "",
        "two: 1 waiting",
        "",
        "run  state",
        "a    waiting",
        "",
        "Losses are the last ones, in nats per token.",
    ]


def test_columns_are_as_wide_as_their_widest_cell_and_empty_ones_are_left_out() -> None:
    rows = [["abc", "", "1"], ["d", "", ""]]

    assert aligned(["run", "none", "n"], rows) == ["run  n", "abc  1", "d"]
    assert aligned(["run", "n"], []) == ["run"]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "–"),
        (0.0, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (90.1, "2 min"),
        (3569.0, "59 min"),
        (3571.0, "1 h 00 min"),
        (27 * 3600 + 300.0, "27 h 05 min"),
    ],
)
def test_a_time_is_told_in_words(seconds: float | None, words: str) -> None:
    assert duration(seconds) == words


# The state of finished runs


def checkpoint(folder: Path, step: int) -> list[Path]:
    """A checkpoint of 1,000 bytes in two files, of which nothing is read."""
    files = [folder / f"step-{step:09}{suffix}" for suffix in (".json", ".npz")]
    for file, size in zip(files, (100, 900), strict=True):
        write_text(file, "x" * size)
    return files


def test_checkpoints_of_finished_runs_alone_are_removed(tmp_path: Path) -> None:
    kept = []
    for name in ("good", "again", "failed"):
        begin(tmp_path, name)
        if name != "failed":
            end(tmp_path, name)
        files = [*checkpoint(tmp_path / "state" / name, 3), *checkpoint(tmp_path / "state/good", 5)]
        kept += [] if name == "good" else files[:2]

    with locked(tmp_path / "state/again", pytest.fail):
        told = clean_state.run([tmp_path, tmp_path / "nowhere"])

    assert told == "0.0 MB freed: the checkpoints of 1 finished run"  # 2,000 bytes
    assert sorted(tmp_path.rglob("step-*")) == sorted(kept)
    left = {path.name for path in (tmp_path / "state/good").iterdir()}
    assert left == {"lock", "progress.json"}
    assert json.loads((tmp_path / "state/good/progress.json").read_text("utf-8")) == PROGRESS


def test_what_is_removed_is_counted_in_megabytes(tmp_path: Path) -> None:
    for experiment in ("one", "two"):
        end(tmp_path / experiment, "a")
        write_text(tmp_path / experiment / "state/a/step-000000001.npz", "x" * 2_600_000)

    assert clean_state.run([tmp_path / "one", tmp_path / "two"]) == (
        "5.2 MB freed: the checkpoints of 2 finished runs"
    )
    assert clean_state.run([tmp_path / "one"]) == "0.0 MB freed: the checkpoints of 0 finished runs"
