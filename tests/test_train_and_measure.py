"""The job of a run: its folder is whole or missing, and no other measure trains it again."""

import io
import multiprocessing
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from model_strategies import write_corpus
from training_strategies import ALL_AT_ONCE, SMALL_MODEL
from unrolled.config.sections import CheckpointsConfig, GradientFlowConfig, SamplingConfig
from unrolled.errors import DataError, StoppedError
from unrolled.lock import is_locked
from unrolled.stages import sample, train_and_measure
from unrolled.stages.keeping import Failure, Keeping, failure
from unrolled.stages.train_and_measure import Measures
from unrolled.storage import read_json, read_tsv, write_text

TRAINING = replace(ALL_AT_ONCE, epochs=2, patience=None)
SAMPLING = SamplingConfig(sentences=3, temperature=1.0, minimum_words=1, maximum_words=9, seed=1)
MEASURES = Measures(SAMPLING, GradientFlowConfig(sentences=5, deepest=4))
KEEPING = Keeping(CheckpointsConfig(seconds=1e9, steps=None), "abc")
TIMED = {"timing.tsv", "steps.tsv", "provenance.json", "checksums.tsv"}
NOTES = {"unit": "word", "tokenizer": "whitespace", "lowercase": True}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    write_corpus(folder)
    return folder


def run(corpus: Path, folder: Path, measures: Measures = MEASURES) -> str:
    """Train and measure a run, and give back its log."""
    log = io.StringIO()
    train_and_measure.run("a", SMALL_MODEL, TRAINING, NOTES, measures, corpus, folder, log, KEEPING)
    return log.getvalue()


def files(folder: Path) -> dict[str, bytes]:
    """What must be the same each time."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name not in TIMED
    }


@pytest.fixture(scope="module")
def undisturbed(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("undisturbed") / "runs/a"
    run(corpus, folder)
    return files(folder)


def instead_of_sampling(monkeypatch: pytest.MonkeyPatch, act: Callable[[], None]) -> None:
    """Let something happen before sentences are drawn."""
    draw = sample.run

    def disturbed(config: SamplingConfig, run_folder: Path, samples: Path) -> None:
        act()
        draw(config, run_folder, samples)

    monkeypatch.setattr(sample, "run", disturbed)


def test_another_measure_is_taken_of_the_same_training_which_is_not_done_again(
    corpus: Path, undisturbed: dict[str, bytes], tmp_path: Path
) -> None:
    first = run(corpus, tmp_path / "runs/a")

    log = run(corpus, tmp_path / "runs/a", replace(MEASURES, sampling=replace(SAMPLING, seed=2)))

    assert "epoch 2/2" in first
    assert "goes on after step" in log
    assert "epoch" not in log
    found = files(tmp_path / "runs/a")
    different = {name for name in found if found[name] != undisturbed[name]}
    assert found.keys() == undisturbed.keys()
    assert different == {"samples.tsv"}
    # what it took to train is told, not what it took to find that nothing is left to be trained
    (timing,) = read_tsv(tmp_path / "runs/a/timing.tsv")
    (notes,) = (tmp_path / "state/a").glob("step-*.json")
    kept = read_json(notes)["values"]["parts"]["stopwatch"]["seconds"]
    assert float(timing["seconds"]) >= round(kept, 3) > 0


def test_a_signal_between_two_measures_stops_the_job_and_the_next_trains_nothing(
    corpus: Path, undisturbed: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    instead_of_sampling(monkeypatch, lambda: signal.raise_signal(signal.SIGTERM))
    with pytest.raises(StoppedError, match="stopped after training"):
        run(corpus, tmp_path / "runs/a")
    monkeypatch.undo()

    assert list((tmp_path / "runs").iterdir()) == []
    assert failure(tmp_path / "state/a") == Failure(
        "stopped", "stopped after training; the next call goes on from there"
    )
    assert "epoch" not in run(corpus, tmp_path / "runs/a")
    assert files(tmp_path / "runs/a") == undisturbed


def killed_while_it_measures(corpus: Path, folder: Path) -> None:
    """Be a process that has trained, and dies before it draws sentences."""
    with pytest.MonkeyPatch.context() as patch:
        instead_of_sampling(patch, lambda: os.kill(os.getpid(), signal.SIGKILL))
        run(corpus, folder)


def test_a_kill_leaves_nothing_beside_the_runs_nor_anything_at_all_once_another_call_has_ended(
    corpus: Path, undisturbed: dict[str, bytes], tmp_path: Path
) -> None:
    left = []
    for _ in range(2):
        process = multiprocessing.get_context("fork").Process(
            target=killed_while_it_measures, args=(corpus, tmp_path / "runs/a")
        )
        process.start()
        process.join()
        assert process.exitcode == -signal.SIGKILL
        assert list((tmp_path / "runs").iterdir()) == []
        left += [path.name for path in (tmp_path / "state/a").iterdir() if path.is_dir()]

    log = run(corpus, tmp_path / "runs/a")

    first, second = left  # the first is gone once the second is there
    assert first.startswith(".results-")
    assert second.startswith(".results-")
    assert first != second
    assert "epoch" not in log
    assert files(tmp_path / "runs/a") == undisturbed
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["a"]
    assert [path.name for path in (tmp_path / "state/a").iterdir() if path.is_dir()] == []


def test_a_run_may_have_a_name_as_long_as_any(
    corpus: Path, undisturbed: dict[str, bytes], tmp_path: Path
) -> None:
    name = "a" * 255  # bytes, of which a name may have no more

    run(corpus, tmp_path / "runs" / name)

    assert [path.name for path in (tmp_path / "runs").iterdir()] == [name]
    assert files(tmp_path / "runs" / name) == undisturbed


def test_only_its_own_files_are_forced_to_disk(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sync", lambda: pytest.fail("which waits for all of the machine's"))

    run(corpus, tmp_path / "runs/a")

    assert (tmp_path / "runs/a/metrics.json").exists()


def test_a_measure_that_fails_leaves_no_folder_and_its_reason(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise DataError("no sentence can be drawn")

    instead_of_sampling(monkeypatch, fail)

    with pytest.raises(DataError, match="no sentence can be drawn"):
        run(corpus, tmp_path / "runs/a")

    assert list((tmp_path / "runs").iterdir()) == []
    assert failure(tmp_path / "state/a") == Failure("failed", "DataError: no sentence can be drawn")


def test_nobody_else_writes_to_a_run_that_is_being_measured(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[bool] = []
    instead_of_sampling(monkeypatch, lambda: held.append(is_locked(tmp_path / "state/a")))

    run(corpus, tmp_path / "runs/a")

    assert held == [True]
    assert not is_locked(tmp_path / "state/a")


def test_each_step_is_told_with_its_seconds(corpus: Path, tmp_path: Path) -> None:
    write_text(tmp_path / "own.txt", "a b\n")

    run(corpus, tmp_path / "runs/a", replace(MEASURES, own_sentences=tmp_path / "own.txt"))

    steps = read_tsv(tmp_path / "runs/a/steps.tsv")
    (timing,) = read_tsv(tmp_path / "runs/a/timing.tsv")
    assert [row["step"] for row in steps] == [
        "train",
        "evaluate",
        "sample",
        "gradient_flow",
        "score",
    ]
    assert steps[0]["seconds"] == timing["seconds"]
    assert all(float(row["seconds"]) >= 0 for row in steps)
    assert len(read_tsv(tmp_path / "runs/a/own_sentences.tsv")) == 1
