"""What the pictures of losses, perplexities and gradient checks say, and the tables behind them."""

from typing import Any

import pytest

from report_material import checked, compared, gradient_check, summary_row
from unrolled.report.drawing import NARROW, WIDE, drawing_style
from unrolled.report.figures.gradient_check import (
    gradient_picture,
    gradient_table,
    gradient_takeaway,
)
from unrolled.report.figures.loss import loss_picture, loss_table, loss_takeaway
from unrolled.report.figures.perplexity import (
    perplexity_picture,
    perplexity_table,
    perplexity_takeaway,
)
from unrolled.report.runs import Setting, by_setting, run_results

Row = dict[str, str]

DEPTH_0, FULL = "Elman, 5 hidden units, depth 0", "Elman, 5 hidden units, full depth"


def sweep(*rows: Row) -> list[Setting]:
    """The settings of rows of the summary."""
    return by_setting(run_results(rows))


def run(name: str, size: str, depth: str, perplexity: str, *, seed: str = "1", **more: str) -> Row:
    """A run of the summary; without a perplexity it has diverged."""
    return summary_row(name, size, depth, seed, "1.5" if perplexity else "", perplexity, **more)


def history(name: str, *losses: tuple[float, float]) -> list[Row]:
    """The history of a run: losses of training and validation, epoch by epoch."""
    first = {"train_loss_nats_per_token": "", "validation_loss_nats_per_token": "0.5"}
    rows = [
        {"train_loss_nats_per_token": str(of_one), "validation_loss_nats_per_token": str(of_other)}
        for of_one, of_other in losses
    ]
    return [
        {"run": name, "epoch": str(epoch), "learning_rate": "1.0", **row}
        for epoch, row in enumerate([first, *rows])
    ]


# Losses


def test_losses_tell_when_validation_was_best_and_where_the_gap_is_widest() -> None:
    settings = sweep(
        run("a1", "5", "0", "5.0"),
        run("a2", "5", "0", "5.0", seed="2"),
        run("b1", "5", "full", "5.0"),
    )
    rows = [
        *history("a1", (2.0, 2.0), (1.75, 1.875)),
        *history("a2", (2.0, 1.75), (1.5, 2.0)),
        *history("b1", (2.0, 2.0), (1.75, 2.0)),
    ]

    # a1 and b1 are lowest at the end; gaps of depth 0: 0.125 and 0.5, their mean 0.3125; of full
    # depth 0.25
    assert loss_takeaway(settings, rows) == (
        "Validation loss was lowest at the end in 2 of 3 finished runs; training loss ended at most"
        f" 0.31 nats per token below it ({DEPTH_0})."
    )


@pytest.mark.parametrize(
    ("last", "told"),
    [
        (1.5, "at the end in all 2 finished runs; training loss nowhere ended below it"),
        (
            2.5,
            "before the end in all 2 finished runs;"
            f" training loss ended at most 0.75 nats per token below it ({DEPTH_0})",
        ),
    ],
)
def test_losses_tell_whether_it_is_so_in_all_runs(last: float, told: str) -> None:
    settings = sweep(run("a1", "5", "0", "5.0"), run("a2", "5", "0", "5.0", seed="2"))
    rows = [row for name in ("a1", "a2") for row in history(name, (3.0, 2.0), (1.75, last))]

    assert loss_takeaway(settings, rows) == f"Validation loss was lowest {told}."


@pytest.mark.parametrize(("last", "when"), [(1.75, "at the end"), (2.25, "before the end")])
def test_losses_of_one_run_are_told_as_of_one(last: float, when: str) -> None:
    told = loss_takeaway(sweep(run("a", "5", "0", "5.0")), history("a", (2.0, 2.0), (2.5, last)))

    assert told == (
        f"Validation loss was lowest {when} in the only finished run;"
        " training loss nowhere ended below it."
    )


def test_losses_of_runs_that_diverged_say_nothing() -> None:
    diverged = run("b", "5", "full", "")
    rows = history("b", (1.0, 9.0))

    assert loss_takeaway(sweep(diverged), rows) == "No finished run has a loss to show."
    with_another = sweep(run("a", "5", "0", "5.0"), diverged)
    assert loss_takeaway(with_another, [*rows, *history("a", (2.0, 1.5))]) == (
        "Validation loss was lowest at the end in the only finished run;"
        " training loss nowhere ended below it."
    )


@pytest.mark.parametrize("count", [24, 25])
def test_losses_tell_that_the_picture_has_the_best_settings_alone(count: int) -> None:
    settings = sweep(*(run(f"r{k}", str(k + 1), "0", "5.0") for k in range(count)))

    told = loss_takeaway(settings, history("r0", (2.0, 1.5)))

    end = "; the picture shows the best 24 of 25 settings by validation loss."
    assert told.endswith(end) == (count == 25)
    assert ("picture" in told) == (count == 25)


def test_the_table_of_losses_is_the_history_of_all_runs() -> None:
    rows = history("a", (2.0, 1.5))

    assert loss_table(rows).rows == rows
    assert loss_table(rows).columns == list(rows[0])
    assert loss_table([]).columns == ["run"]


# Perplexities


def test_perplexities_tell_what_size_and_depth_change_on_average() -> None:
    settings = sweep(
        run("a", "5", "0", "100.0"),
        run("b", "5", "full", "60.0"),
        run("c", "7", "0", "1000.0"),  # neither the smallest nor the largest
        run("d", "9", "0", "80.0"),
        run("e", "9", "full", "40.0"),
    )

    # 160 becomes 120, 180 becomes 100
    assert perplexity_takeaway(settings) == (
        "On average, test perplexity (lower is better) falls by 25 % from 5 to 9 hidden units and"
        " falls by 44 % from depth 0 to full depth."
    )


def test_perplexities_are_compared_with_what_is_alike_in_all_else() -> None:
    settings = sweep(
        run("a", "5", "0", "100.0"),
        run("b", "5", "full", "125.0"),
        run("c", "5", "0", "10.0", cell="gru"),
        run("d", "5", "full", "", cell="gru"),
    )

    # the full depth of the second cell did not finish, so its depth 0 does not count
    assert perplexity_takeaway(settings) == (
        "On average, test perplexity (lower is better) rises by 25 % from depth 0 to full depth."
    )


@pytest.mark.parametrize(
    ("other", "told"),
    [("99.6", "hardly changes"), ("100.4", "hardly changes"), ("99.4", "falls by 1 %")],
)
def test_less_than_half_a_percent_is_hardly_a_change(other: str, told: str) -> None:
    settings = sweep(run("a", "5", "0", "100.0"), run("b", "5", "4", other))

    assert perplexity_takeaway(settings) == (
        f"On average, test perplexity (lower is better) {told} from depth 0 to depth 4."
    )


def test_seeds_count_as_their_mean() -> None:
    settings = sweep(
        run("a1", "5", "0", "90.0"),
        run("a2", "5", "0", "110.0", seed="2"),
        run("b1", "5", "1", "50.0"),
        run("b2", "5", "1", "", seed="2"),
    )

    assert "falls by 50 % from depth 0 to depth 1" in perplexity_takeaway(settings)


def test_a_single_setting_is_told_by_its_perplexity() -> None:
    settings = sweep(run("a", "5", "full", "5.25"), run("b", "5", "full", "5.75", seed="2"))

    assert perplexity_takeaway(settings) == f"{FULL}, reaches a test perplexity of 5.50."


def test_of_settings_without_a_counterpart_the_best_is_told() -> None:
    settings = sweep(run("a", "5", "full", "40.0"), run("b", "5", "full", "30.0", cell="gru"))

    assert perplexity_takeaway(settings) == (
        "GRU, 5 hidden units, full depth, reaches a test perplexity of 30.0, the lowest of all."
    )


def test_without_a_finished_run_no_perplexity_is_told() -> None:
    settings = sweep(run("a", "5", "0", ""), run("b", "5", "full", ""))

    assert perplexity_takeaway(settings) == "No run finished, so there is no perplexity to show."


def test_the_table_of_perplexities_has_mean_and_range_of_each_setting() -> None:
    table = perplexity_table(
        sweep(
            run("a1", "5", "0", "5.0"),
            run("a2", "5", "0", "5.5", seed="2"),
            run("b1", "5", "full", ""),
        )
    )

    assert list(table.columns[:3]) == ["cell", "hidden_size", "truncation_depth"]
    means = ["finished_runs", "mean_test_perplexity", "lowest", "highest"]
    assert list(table.columns[-4:]) == means
    assert [[row[column] for column in means] for row in table.rows] == [
        [2, 5.25, 5.0, 5.5],
        [0, None, None, None],
    ]
    assert all(set(row) == set(table.columns) for row in table.rows)


# Gradient checks


def test_passed_checks_tell_the_largest_errors_and_what_is_allowed() -> None:
    checks = [gradient_check("elman", "full"), gradient_check("gru", 2)]
    checks[1]["networks"][0]["parameters"].append(
        checked("bias", compared(6e-8, {"1e-8": 1000}), compared(2e-17, {"1e-17": 1000}))
    )

    # 116 entries of the first, 1116 of the second
    assert gradient_takeaway(checks) == (
        "All 1,232 compared entries of the gradients agree with numeric derivatives: the largest"
        " error of a parameter is 6.0e-8 (central differences, 1e-7 allowed) and 3.0e-16 (complex"
        " step, 1e-12 allowed)."
    )


def test_failed_checks_are_named() -> None:
    wrong = [gradient_check("gru", 2, trouble="wrong"), gradient_check(trouble="wrong")]

    assert gradient_takeaway([gradient_check("lstm"), *wrong]) == (
        "2 of 3 gradient checks failed: GRU, depth 2; Elman, full depth."
    )
    assert gradient_takeaway(wrong[:1]) == "1 of 1 gradient check failed: GRU, depth 2."


def test_the_table_of_checks_has_a_row_for_each_bar() -> None:
    table = gradient_table([gradient_check("gru", 2)])

    first, *others = [tuple(row[column] for column in table.columns) for row in table.rows]
    assert first == ("gru", 2, "softmax", "input_weights", "central differences", "1e-10", 30)
    # two and two bars of the first parameter, two and one of the second, one and one of the third
    assert len(others) == 8


# Pictures


PICTURES: dict[str, Any] = {
    "loss": lambda settings: loss_picture(settings, history("a", (2.0, 1.5)), {"unigram": 2.0}),
    "perplexity": perplexity_picture,
    "gradient_check": lambda settings: gradient_picture([gradient_check()]),
}


@pytest.mark.parametrize("name", PICTURES)
@pytest.mark.parametrize("perplexity", ["5.0", ""], ids=["finished", "diverged"])
def test_a_picture_has_a_sentence_a_table_and_a_figure_for_each_width(
    name: str, perplexity: str
) -> None:
    picture = PICTURES[name](sweep(run("a", "5", "0", perplexity)))

    assert picture.name == name
    assert picture.takeaway.endswith(".")
    assert "\n" not in picture.takeaway
    assert picture.table.rows
    with drawing_style():
        wide, narrow = (picture.draw(width) for width in (WIDE, NARROW))
    assert narrow.get_figwidth() <= NARROW
    assert wide.get_figwidth() <= WIDE
    assert len(str(wide.get_label())) > 20
