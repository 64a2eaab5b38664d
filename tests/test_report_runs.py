"""Runs put together by setting, and the best one chosen."""

import pytest

from report_material import SUMMARY, summary_row
from unrolled.report.runs import (
    best_run,
    best_setting,
    by_setting,
    cell_title,
    run_results,
)


def test_runs_that_differ_in_their_seed_alone_are_one_setting() -> None:
    settings = by_setting(run_results(SUMMARY))

    names = [[run.name for run in setting.runs] for setting in settings]

    assert names == [["a1", "a2"], ["b1", "b2"], ["c1"]]


def test_a_further_key_of_the_sweep_parts_settings() -> None:
    rows = [
        summary_row("a", "5", "0", "1", "1.6", "5.0", learning_rate="1.0"),
        summary_row("b", "5", "0", "1", "1.6", "5.0", learning_rate="0.5"),
    ]

    assert len(by_setting(run_results(rows))) == 2


def test_settings_go_by_cell_then_what_else_varies_then_size_then_depth() -> None:
    places = [
        ("elman", "0.5", "5", "0"),
        ("elman", "0.5", "5", "10"),
        ("elman", "0.5", "5", "full"),
        ("elman", "0.5", "10", "2"),
        ("elman", "1.0", "5", "0"),
        ("elman", "1.0", "5", "2"),
        ("gru", "0.5", "5", "0"),
    ]
    rows = [
        summary_row(str(place), size, depth, "1", "1.5", "5.0", cell=cell, learning_rate=rate)
        for place, (cell, rate, size, depth) in enumerate(places)
    ]

    settings = by_setting(run_results(rows[::-1]))

    assert [setting.runs[0].name for setting in settings] == [row["run"] for row in rows]


def test_perplexities_are_those_of_finished_runs_alone() -> None:
    rows = [
        summary_row("a", "5", "0", "1", "1.6", "5.0"),
        summary_row("b", "5", "0", "2", "1.2", "2.0", state="diverged"),
        summary_row("c", "5", "0", "3", "", "", state="missing"),
        summary_row("d", "5", "0", "4", "1.4", "4.0"),
    ]

    (setting,) = by_setting(run_results(rows))

    assert setting.perplexities == [4.0, 5.0]
    assert setting.mean_perplexity == pytest.approx(4.5)
    assert setting.mean_validation_loss == pytest.approx(1.5)


def test_the_best_setting_has_the_lowest_mean_validation_loss() -> None:
    settings = by_setting(run_results(SUMMARY))

    best = best_setting(settings)

    # means: a (1.6 + 1.8) / 2 = 1.7, b (1.5 + 1.7) / 2 = 1.6, c has not finished
    assert best is settings[1]
    assert best.mean_validation_loss == pytest.approx(1.6)
    assert best.mean_perplexity == pytest.approx(5.2)  # (4.8 + 5.6) / 2
    assert best.perplexities == [4.8, 5.6]


def test_the_test_split_takes_no_part_in_the_choice() -> None:
    rows = [
        summary_row("a", "5", "0", "1", "1.5", "9.0"),
        summary_row("b", "6", "0", "1", "1.6", "2.0"),
    ]

    run, setting = best_run(run_results(rows)), best_setting(by_setting(run_results(rows)))

    assert run is not None
    assert run.name == "a"
    assert setting is not None
    assert setting.runs == [run]


def test_of_equals_the_first_is_the_best() -> None:
    rows = [summary_row(name, "5", "0", name, "1.5", "5.0") for name in "ab"]

    best = best_run(run_results(rows))

    assert best is not None
    assert best.name == "a"


def test_without_a_finished_run_there_is_no_best() -> None:
    runs = run_results([summary_row("c", "9", "0", "1", "", "")])

    assert best_run(runs) is None
    assert best_setting(by_setting(runs)) is None


def test_a_setting_says_itself_in_words() -> None:
    first, second, _ = by_setting(run_results(SUMMARY))

    assert first.description == "Elman, 5 hidden units, depth 0"
    assert second.description == "Elman, 5 hidden units, full depth"


@pytest.mark.parametrize(("cell", "title"), [("elman", "Elman"), ("gru", "GRU"), ("lstm", "LSTM")])
def test_a_cell_is_written_as_it_is_in_print(cell: str, title: str) -> None:
    (setting,) = by_setting(run_results([summary_row("a", "5", "0", "1", "1.5", "5.0", cell=cell)]))

    assert cell_title(cell) == title
    assert setting.description == f"{title}, 5 hidden units, depth 0"


def test_a_setting_says_its_depth_apart_from_all_else() -> None:
    rows = [
        summary_row(f"{depth} {rate}", "5", depth, "1", "1.6", "5.0", learning_rate=rate)
        for depth in ("2", "full")
        for rate in ("0.5", "1.0")
    ]

    settings = by_setting(run_results(rows))

    assert [(setting.all_but_depth, setting.depth) for setting in settings] == [
        ("Elman, 5 hidden units, learning rate 0.5", "depth 2"),
        ("Elman, 5 hidden units, learning rate 0.5", "full depth"),
        ("Elman, 5 hidden units, learning rate 1.0", "depth 2"),
        ("Elman, 5 hidden units, learning rate 1.0", "full depth"),
    ]


def test_where_the_least_possible_loss_is_known_a_run_says_how_far_above_it_is() -> None:
    known = {"excess_nats_per_token": "0.125", "excess_standard_error": "0.01"}
    rows = [
        summary_row("a", "5", "0", "1", "1.6", "5.0", **known),
        summary_row("b", "5", "0", "2", "", "", **dict.fromkeys(known, "")),
        summary_row("c", "5", "0", "3", "1.6", "5.0"),
    ]

    found = [(run.excess, run.excess_error) for run in run_results(rows)]

    assert found == [(0.125, 0.01), (None, None), (None, None)]


def test_what_a_run_came_to_is_none_of_its_settings() -> None:
    known = {"excess_nats_per_token": "0.125", "excess_standard_error": "0.01"}
    rows = [summary_row("a", "5", "0", "1", "1.6", "5.0", grammar_perplexity="2", **known)]

    (run,) = run_results(rows)

    assert list(run.settings) == [
        "cell",
        "hidden_size",
        "truncation_depth",
        "seed",
        "learning_rate",
    ]


def test_one_hidden_unit_is_not_called_units() -> None:
    (setting,) = by_setting(run_results([summary_row("a", "1", "0", "1", "1.5", "5.0")]))

    assert setting.description == "Elman, 1 hidden unit, depth 0"


def test_a_setting_says_what_else_of_it_varies() -> None:
    rows = [
        summary_row(name, "5", "0", "1", "1.6", "5.0", learning_rate=rate)
        for name, rate in (("a", "0.5"), ("b", "1.0"))
    ]

    descriptions = [setting.description for setting in by_setting(run_results(rows))]

    assert descriptions == [
        "Elman, 5 hidden units, depth 0, learning rate 0.5",
        "Elman, 5 hidden units, depth 0, learning rate 1.0",
    ]
