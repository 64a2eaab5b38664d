"""The sweep that the report is timed on has what the stages write. Nothing is timed here."""

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from report import parsed, rows_of
from report_worker import STAGES
from sweep_material import (
    SWEEPS,
    WORDS,
    Sweep,
    changes,
    config_of,
    made_up_sentences,
    make,
    write_moved,
)
from sweep_results import Results, jobs
from unrolled.config.sweep import runs
from unrolled.report.runs import by_setting, run_results
from unrolled.storage import read_json, read_tsv

SWEEP: Sweep = {
    "cell": ["elman"],
    "hidden_size": [4, 6],
    "truncation_depth": [0, "full"],
    "seed": [1, 2],
}
"""Eight runs, of which the first of each size is trained."""

TRAINED = ["elman-hidden4-depth0-seed1", "elman-hidden6-depth0-seed1"]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    config = config_of(
        SWEEP,
        training={"epochs": 1},
        classes={"method": "frequency", "words_alone": 8},
        checks={"overfit_steps": 1, "overfit_loss": 9.0},  # which passes at once
    )
    return make(tmp_path_factory.mktemp("made up"), config, {"train": 60, "valid": 20, "test": 20})


@pytest.mark.parametrize(("count", "setting_count"), [(18, 9), (300, 100)])
def test_a_sweep_has_as_many_runs_as_it_is_called_by(count: int, setting_count: int) -> None:
    found = runs(config_of(SWEEPS[count]))

    settings = {tuple({**run.settings, "seed": 0}.items()) for run in found}
    assert (len(found), len(settings)) == (count, setting_count)


def test_frequent_words_of_made_up_sentences_stand_first_and_a_full_stop_last() -> None:
    sentences = made_up_sentences(2000, np.random.default_rng(1))

    words = [word for sentence in sentences for word in sentence[:-1]]
    counts = [words.count(word) for word in (WORDS[0], WORDS[9], WORDS[99])]
    assert {sentence[-1] for sentence in sentences} == {"."}
    assert len(set(WORDS)) == len(WORDS)
    # by Zipf's law the second is a tenth of the first, the third a tenth of that
    assert counts[1] == pytest.approx(counts[0] / 10, rel=0.2)
    assert counts[2] == pytest.approx(counts[1] / 10, rel=0.4)


def test_every_run_has_finished_and_settings_are_told_apart(results: Results) -> None:
    found = run_results(read_tsv(results.summary))

    settings = by_setting(found)
    assert [run.name for run in found] == [run.name for run in results.runs]
    assert all(run.finished for run in found)
    assert [setting.description for setting in settings] == [
        "Elman, 4 hidden units, depth 0",
        "Elman, 4 hidden units, full depth",
        "Elman, 6 hidden units, depth 0",
        "Elman, 6 hidden units, full depth",
    ]
    assert len({run.validation_loss for run in found}) == len(found)


def test_a_run_that_was_not_trained_has_the_tables_of_one_that_was(results: Results) -> None:
    trained = results.run_folders[TRAINED[0]]
    other = results.run_folders["elman-hidden4-depthfull-seed2"]

    def shape(folder: Path) -> Iterator[tuple[str, list[str], int]]:
        for table in changes(0.0):
            rows = read_tsv(folder / table)
            yield table, list(rows[0]), len(rows)

    assert list(shape(other)) == list(shape(trained))
    assert {path.name for path in trained.parent.glob("*/model")} == {"model"}
    assert sorted(path.parent.name for path in trained.parent.glob("*/model")) == TRAINED


def test_a_moved_run_loses_more_and_its_perplexity_follows(
    results: Results, tmp_path: Path
) -> None:
    like = results.run_folders[TRAINED[0]]

    write_moved(like, 0.25, tmp_path)

    before, after = (read_tsv(folder / "evaluation.tsv")[0] for folder in (like, tmp_path))
    loss = float(after["loss_nats_per_token"])
    assert loss == pytest.approx(float(before["loss_nats_per_token"]) + 0.25)
    assert float(after["perplexity"]) == pytest.approx(math.exp(loss), rel=1e-6)
    key = "validation_loss_nats_per_token"
    assert read_json(tmp_path / "metrics.json")[key] == pytest.approx(
        min(float(row[key]) for row in read_tsv(tmp_path / "history.tsv"))
    )


def test_a_moved_run_keeps_the_shares_that_are_one_and_the_cells_that_are_empty(
    results: Results, tmp_path: Path
) -> None:
    write_moved(results.run_folders[TRAINED[0]], 0.25, tmp_path)

    arrival, history = (read_tsv(tmp_path / name) for name in ("flow/arrival.tsv", "history.tsv"))
    assert float(arrival[0]["share"]) == 1.0
    assert 0.0 < float(arrival[1]["share"]) < 1.0
    assert history[0]["train_loss_nats_per_token"] == ""


def test_every_check_and_every_job_is_there(results: Results) -> None:
    checks = {kind: len(results.checks(kind)) for kind in ("gradient", "overfitting")}
    depths = {read_json(path)["truncation_depth"] for path in results.checks("gradient")}

    found = list(jobs(results))

    assert checks == {"gradient": 2, "overfitting": 2}
    assert depths == {0, "full"}
    # 8 of the corpus, 2 + 2 checks of depths and 2 of networks, 4 for each of 8 runs
    assert len({path for _, path in found}) == 8 + 6
    assert all(float(read_tsv(path)[0]["s"]) > 0 for _, path in found)


def test_the_stages_make_a_page_of_it_that_shows_every_run(results: Results) -> None:
    for stage in STAGES.values():
        stage(results)

    page = results.page.read_text(encoding="utf-8")
    drawn = {path.name for path in results.figures.glob("*.svg")}
    assert [run.name for run in results.runs if f">{run.name}" not in page] == []
    assert {"loss.svg", "loss.narrow.svg", "cost.svg", "stages.narrow.svg"} <= drawn


def test_a_row_holds_the_median_against_the_target() -> None:
    measured = {
        "build_seconds": [50.0, 20.0, 40.0],
        "page_megabytes": [2.999],
        "report_seconds": [5.0, 7.0],
    }

    rows = list(rows_of(18, measured, {"cores": 2}))

    found = [(row["median"], row["target"], row["within_target"]) for row in rows]
    # the target is to be stayed below: a median of 40 seconds is too much
    assert found == [(40.0, 40, "no"), (3.0, 3, "yes"), (6.0, None, None)]
    assert rows[0] == {
        "runs": 18,
        "measured": "build_seconds",
        "median": 40.0,
        "lowest": 20.0,
        "highest": 50.0,
        "rounds": 3,
        "target": 40,
        "within_target": "no",
        "cores": 2,
    }


def test_a_number_of_runs_for_which_there_is_no_sweep_is_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        parsed(["--runs", "19"])

    assert "invalid choice: 19" in capsys.readouterr().err
