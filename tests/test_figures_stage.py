"""The stage that draws a sweep: the pictures, and the tables behind them."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure

from report_material import BASELINES, PROFILE, SUMMARY, check
from unrolled.stages import figures
from unrolled.storage import Cell, read_tsv, write_json, write_tsv

NAMES = ["gradient_check", "lengths", "loss", "perplexity", "spread"]


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
    write_json(tmp_path / "check.json", check())
    write_json(tmp_path / "tied.json", check(tied=True))
    write_json(tmp_path / "classes.json", check(output="classes"))

    def drawn() -> Path:
        figures.run(
            tmp_path / "summary.tsv",
            {"a1": tmp_path / "history.tsv"},
            tmp_path / "baselines.tsv",
            tmp_path / "profile.json",
            [tmp_path / f"{name}.json" for name in ("check", "tied", "classes")],
            tmp_path / "figures",
        )
        return tmp_path / "figures"

    return drawn


def test_every_figure_is_a_picture_with_a_table(draw: Callable[[], Path]) -> None:
    folder = draw()

    assert sorted(path.name for path in folder.iterdir()) == sorted(
        f"{name}.{suffix}" for name in NAMES for suffix in ("svg", "tsv")
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


def test_the_table_of_gradient_checks_has_one_row_for_each_bar(draw: Callable[[], Path]) -> None:
    rows = read_tsv(draw() / "gradient_check.tsv")

    # two bars of each check: of the plain one, with tied weights, and with word classes
    bars = [tuple(value for key, value in row.items() if key != "entries") for row in rows]
    assert len(bars) == len(set(bars)) == 6
    assert [(row["output"], row["tied_weights"]) for row in rows[::2]] == [
        ("softmax", "false"),
        ("softmax", "true"),
        ("classes", "false"),
    ]
