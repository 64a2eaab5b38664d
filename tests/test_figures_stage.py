"""The stage that draws a sweep: the pictures, and the tables behind them."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from report_material import (
    BASELINES,
    FIGURES,
    FLOW_TABLES,
    PROFILE,
    SUMMARY,
    gradient_check,
    summary_row,
)
from unrolled.report.drawing import Picture
from unrolled.report.pictures import SUFFIXES, read_picture
from unrolled.stages import figures
from unrolled.storage import Cell, read_tsv, write_json, write_tsv

Row = dict[str, str]
Draw = Callable[..., Path]

MISSING = summary_row("d1", "9", "full", "1", "", "", state="missing")
UNFINISHED = [
    {**row, "state": "diverged", "validation_loss_nats_per_token": "", "test_perplexity": ""}
    for row in SUMMARY
]
FLOOR = [
    {"model": "grammar", "split": split, "loss_nats_per_token": loss, "perplexity": perplexity}
    for split, loss, perplexity in (("valid", "1.2", "3.3201"), ("test", "1.25", "3.4903"))
]
"""What is added to the baselines of a text that was drawn from a grammar."""

WITH_MISSING = [*SUMMARY, MISSING]
WITH_FLOOR = [*BASELINES, *FLOOR]

HISTORY: list[dict[str, Cell]] = [
    {"epoch": 0, "train_loss_nats_per_token": None, "validation_loss_nats_per_token": 2.3},
    {"epoch": 1, "train_loss_nats_per_token": 1.9, "validation_loss_nats_per_token": 1.8},
]


@pytest.fixture(scope="module")
def draw(tmp_path_factory: pytest.TempPathFactory) -> Draw:
    """Draws a hand-made sweep and gives back the folder of its pictures, which are only read: the
    same sweep is drawn once, unless it is to be drawn anew. A sweep of a text from a grammar, of
    which a run diverged and one is missing, where no other is named.
    """
    tmp_path = tmp_path_factory.mktemp("sweeps")
    write_json(tmp_path / "profile.json", PROFILE)
    write_json(tmp_path / "elman.json", gradient_check())
    write_json(tmp_path / "gru.json", gradient_check("gru", 2, trouble="wrong"))
    count = itertools.count(1)

    known: dict[str, Path] = {}

    def drawn(
        summary: Sequence[Row] = WITH_MISSING,
        baselines: Sequence[Row] = WITH_FLOOR,
        anew: bool = False,
    ) -> Path:
        if anew:
            return drawn_anew(summary, baselines)
        sweep = repr((summary, baselines))
        if sweep not in known:
            known[sweep] = drawn_anew(summary, baselines)
        return known[sweep]

    def drawn_anew(summary: Sequence[Row], baselines: Sequence[Row]) -> Path:
        folder = tmp_path / f"sweep{next(count)}"
        write_tsv(folder / "summary.tsv", list(summary[0]), summary)
        write_tsv(folder / "baselines.tsv", list(baselines[0]), baselines)
        runs = {row["run"]: folder / row["run"] for row in summary if row["state"] != "missing"}
        for row in summary:
            if row["run"] in runs:
                _write_run(runs[row["run"]], row["state"] == "finished")
        figures.run(
            folder / "summary.tsv",
            runs,
            folder / "baselines.tsv",
            tmp_path / "profile.json",
            [tmp_path / "elman.json", tmp_path / "gru.json"],
            folder / "figures",
        )
        return folder / "figures"

    return drawn


def _unwritten(folder: Path, picture: Picture) -> None:
    """A picture that is not drawn."""


def _write_run(folder: Path, finished: bool) -> None:
    """A run's history, and how gradients travel in it, which is told of a finished run alone."""
    write_tsv(folder / "history.tsv", list(HISTORY[0]), HISTORY)
    for name, table in FLOW_TABLES.items():
        write_tsv(folder / f"flow/{name}.tsv", list(table[0]), table if finished else [])


@pytest.mark.parametrize(
    ("summary", "baselines"),
    [(WITH_MISSING, WITH_FLOOR), (UNFINISHED, BASELINES), (SUMMARY[:1], BASELINES)],
    ids=["a run missing", "no run finished", "one run"],
)
def test_every_figure_is_a_picture_with_all_its_files_and_nothing_else_is_written(
    draw: Draw, summary: Sequence[Row], baselines: Sequence[Row]
) -> None:
    folder = draw(summary, baselines)

    files = sorted(path.name for path in folder.iterdir())
    assert files == sorted(f"{name}{suffix}" for name in FIGURES for suffix in SUFFIXES)
    for name in FIGURES:
        picture = read_picture(folder, name)
        assert picture.wide.startswith("<svg")
        assert picture.narrow.startswith("<svg")
        assert picture.wide != picture.narrow


def test_the_same_files_are_written_byte_for_byte_again(draw: Draw) -> None:
    first, again = (
        {path.name: path.read_bytes() for path in draw(anew=anew).iterdir()}
        for anew in (False, True)
    )

    assert first == again


def test_a_takeaway_is_a_line_of_its_own(draw: Draw) -> None:
    folder = draw()

    for name in FIGURES:
        text = (folder / f"{name}.txt").read_text(encoding="utf-8")
        assert text.endswith(".\n")
        assert text.count("\n") == 1


def test_takeaways_are_made_from_the_numbers_of_this_sweep(draw: Draw) -> None:
    folder = draw()

    told = {name: (folder / f"{name}.txt").read_text(encoding="utf-8") for name in FIGURES}
    # half of 4 sentences: one of 4 words and one of 5
    assert told["lengths"] == (
        "Half of the training sentences have 5 words or fewer; the longest has 6.\n"
    )
    assert told["gradient_check"] == "1 of 2 gradient checks failed: GRU, depth 2.\n"
    # at epoch 1, the last one, 1.8, which is below the training loss of 1.9
    assert told["loss"] == (
        "Validation loss was lowest at the end in all 4 finished runs;"
        " training loss nowhere ended below it.\n"
    )
    # from 4.8 to 5.6 is the wider range; both settings have a mean of 5.2, bigrams reach 6.05
    assert "Another seed changes test perplexity by up to 0.80" in told["spread"]
    assert "all 2 settings are better than the bigram baseline's 6.05" in told["spread"]
    # of the two settings full depth has the lower validation loss, (1.5 + 1.7) / 2
    assert "In the best setting (Elman, 5 hidden units, full depth)" in told["arrival"]
    # b1 has the lowest of all
    assert "In the best run (Elman, 5 hidden units, full depth, seed 1)" in told["activations"]


def test_losses_are_held_against_the_validation_split_and_perplexities_against_the_test_split(
    draw: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits: dict[str, Mapping[str, float] | float | None] = {}

    def noted(name: str) -> Callable[..., Picture]:
        sound: Callable[..., Picture] = getattr(figures, name)

        def made(*arguments: Any) -> Picture:
            limits[name] = arguments[-1]
            return sound(*arguments)

        return made

    for name in ("loss_picture", "spread_picture", "perplexity_picture"):
        monkeypatch.setattr(figures, name, noted(name))
    monkeypatch.setattr(figures, "write_picture", _unwritten)
    draw(anew=True)

    assert limits == {
        "loss_picture": {"uniform": 2.302585, "unigram": 1.9, "bigram": 1.7, "grammar": 1.2},
        "spread_picture": {"uniform": 10.0, "unigram": 7.389, "bigram": 6.05, "grammar": 3.4903},
        "perplexity_picture": 3.4903,
    }


def test_the_least_possible_perplexity_is_told_where_a_grammar_tells_it(draw: Draw) -> None:
    with_floor, without = (
        read_picture(folder, "perplexity").wide for folder in (draw(), draw(SUMMARY[:1], BASELINES))
    )

    assert "the least possible is 3.49" in with_floor
    assert "least possible" not in without


def test_the_table_of_losses_is_the_history_of_every_run_that_exists(draw: Draw) -> None:
    rows = read_tsv(draw() / "loss.tsv")

    assert [tuple(row.values()) for row in rows] == [
        (run, *cells)
        for run in ("a1", "a2", "b1", "b2", "c1")
        for cells in (("0", "", "2.3"), ("1", "1.9", "1.8"))
    ]


def test_the_table_of_perplexities_has_a_row_for_each_setting(draw: Draw) -> None:
    rows = read_tsv(draw() / "perplexity.tsv")

    assert [row["finished_runs"] for row in rows] == ["2", "2", "0", "0"]
    assert [row["lowest"] for row in rows] == ["5.0", "4.8", "", ""]
    assert [row["highest"] for row in rows] == ["5.4", "5.6", "", ""]


def test_the_table_of_gradient_checks_has_a_row_for_each_bar(draw: Draw) -> None:
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


def test_tables_of_gradients_are_those_of_finished_runs(draw: Draw) -> None:
    folder = draw()

    arrival, activations = (read_tsv(folder / f"{name}.tsv") for name in ("arrival", "activations"))
    # two settings with a finished run, three lags with enough outputs each
    assert [row["lag"] for row in arrival] == ["0", "1", "2"] * 2
    assert {row["mean_share"] for row in arrival} == {"1.0", "0.25", "0.05"}
    assert [(row["run"], row["share"], row["saturated_share"]) for row in activations] == [
        ("b1", "0.4", "0.125"),
        ("b1", "0.6", "0.125"),
    ]


def test_where_no_run_finished_tables_of_results_are_headers_and_the_text_has_its_own(
    draw: Draw,
) -> None:
    folder = draw(UNFINISHED, BASELINES)

    rows = {name: len(read_tsv(folder / f"{name}.tsv")) for name in FIGURES}
    assert rows == {
        "frequencies": 5,
        "lengths": 9,
        "gradient_check": 18,
        "loss": 10,
        "arrival": 0,
        "cosines": 0,
        "singular_values": 0,
        "activations": 0,
        "perplexity": 3,
        "differences": 0,
        "spread": 0,
    }
