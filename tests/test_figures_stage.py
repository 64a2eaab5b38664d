"""The stage that draws a sweep: the pictures, and the tables behind them."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure

from report_material import (
    BASELINES,
    FIGURES,
    FLOW_TABLES,
    PROFILE,
    SUMMARY,
    gradient_check,
)
from unrolled.stages import figures
from unrolled.storage import Cell, read_tsv, write_json, write_tsv


@pytest.fixture
def draw(tmp_path: Path) -> Callable[[], Path]:
    """Draws the hand-made sweep and gives back the folder of its pictures."""
    history: list[dict[str, Cell]] = [
        {"epoch": 0, "train_loss_nats_per_token": None, "validation_loss_nats_per_token": 2.3},
        {"epoch": 1, "train_loss_nats_per_token": 1.9, "validation_loss_nats_per_token": 1.8},
    ]
    write_tsv(tmp_path / "summary.tsv", list(SUMMARY[0]), SUMMARY)
    write_tsv(tmp_path / "baselines.tsv", list(BASELINES[0]), BASELINES)
    write_tsv(tmp_path / "history.tsv", list(history[0]), history)
    write_json(tmp_path / "profile.json", PROFILE)
    write_json(tmp_path / "elman.json", gradient_check())
    write_json(tmp_path / "gru.json", gradient_check("gru", 2, trouble="wrong"))
    for row in SUMMARY:
        for name, table in FLOW_TABLES.items():
            rows = table if row["state"] == "finished" else []
            write_tsv(tmp_path / row["run"] / f"{name}.tsv", list(table[0]), rows)

    def drawn() -> Path:
        figures.run(
            tmp_path / "summary.tsv",
            {"a1": tmp_path / "history.tsv"},
            tmp_path / "baselines.tsv",
            tmp_path / "profile.json",
            [tmp_path / "elman.json", tmp_path / "gru.json"],
            {row["run"]: tmp_path / row["run"] for row in SUMMARY},
            tmp_path / "figures",
        )
        return tmp_path / "figures"

    return drawn


def test_every_figure_is_a_picture_with_a_table(draw: Callable[[], Path]) -> None:
    folder = draw()

    assert sorted(path.name for path in folder.iterdir()) == sorted(
        f"{name}.{suffix}" for name in FIGURES for suffix in ("svg", "tsv")
    )


def test_losses_are_held_against_the_validation_split_and_perplexities_against_the_test_split(
    draw: Callable[[], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    limits: dict[str, Mapping[str, float]] = {}

    def noted(name: str) -> Callable[..., Figure]:
        sound: Callable[..., Figure] = getattr(figures, name)

        def drawn(*arguments: Any) -> Figure:
            limits[name] = arguments[-1]
            return sound(*arguments)

        return drawn

    for name in ("loss_figure", "spread_figure"):
        monkeypatch.setattr(figures, name, noted(name))
    draw()

    assert limits["loss_figure"] == {"uniform": 2.302585, "unigram": 1.9, "bigram": 1.7}
    assert limits["spread_figure"] == {"uniform": 10.0, "unigram": 7.389, "bigram": 6.05}


def test_the_table_of_perplexities_has_a_row_for_each_setting(draw: Callable[[], Path]) -> None:
    rows = read_tsv(draw() / "perplexity.tsv")

    assert [row["finished_runs"] for row in rows] == ["2", "2", "0"]
    assert [row["lowest"] for row in rows] == ["5.0", "4.8", ""]
    assert [row["highest"] for row in rows] == ["5.4", "5.6", ""]


def test_the_table_of_gradient_checks_has_a_row_for_each_bar(draw: Callable[[], Path]) -> None:
    rows = read_tsv(draw() / "gradient_check.tsv")

    assert list(rows[0]) == [
        "cell",
        "truncation_depth",
        "network",
        "parameter",
        "method",
        "relative_error_from",
        "entries",
    ]
    found = [tuple(row.values()) for row in rows]
    carried = "softmax, state carried over"
    assert found[:9] == [
        ("elman", "full", "softmax", "input_weights", "central differences", "1e-10", "30"),
        ("elman", "full", "softmax", "input_weights", "central differences", "1e-9", "20"),
        ("elman", "full", "softmax", "input_weights", "complex step", "1e-17", "45"),
        ("elman", "full", "softmax", "input_weights", "complex step", "1e-16", "5"),
        ("elman", "full", "softmax", "recurrent_weights", "central differences", "1e-10", "10"),
        ("elman", "full", "softmax", "recurrent_weights", "central differences", "1e-8", "6"),
        ("elman", "full", "softmax", "recurrent_weights", "complex step", "1e-16", "16"),
        ("elman", "full", carried, "input_weights", "central differences", "1e-9", "50"),
        ("elman", "full", carried, "input_weights", "complex step", "1e-16", "50"),
    ]
    assert found[9:] == [("gru", "2", *bar[2:]) for bar in found[:9]]
