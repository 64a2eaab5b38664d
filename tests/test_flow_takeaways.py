"""What the pictures of how gradients travel say in words, and the tables behind them."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from flow_material import FUNCTIONS, GATES, flow_of, flows_of, sweep_of
from unrolled.report.drawing import NARROW, WIDE, Picture, drawing_style, write_picture
from unrolled.report.figures.activations import activation_picture
from unrolled.report.figures.arrival import arrival_picture
from unrolled.report.figures.cosines import cosine_picture
from unrolled.report.figures.panels import percent
from unrolled.report.figures.singular_values import singular_value_picture
from unrolled.report.flow import Flow
from unrolled.report.pictures import read_picture
from unrolled.report.runs import by_setting, run_results

Rows = Sequence[Mapping[str, str]]

PICTURES: dict[str, Callable[..., Picture]] = {
    "arrival": arrival_picture,
    "cosines": cosine_picture,
    "singular_values": singular_value_picture,
    "activations": activation_picture,
}
MANY_PANELS = sweep_of(sizes=range(1, 21))

every_picture = pytest.mark.parametrize("name", PICTURES)


def picture(name: str, rows: Rows, flows: Mapping[str, Flow] | None = None) -> Picture:
    return PICTURES[name](by_setting(run_results(rows)), flows_of(rows) if flows is None else flows)


def takeaway(name: str, rows: Rows, **flow: Any) -> str:
    """That of a sweep in which gradients travel alike in all runs."""
    return picture(name, rows, {row["run"]: flow_of(**flow) for row in rows}).takeaway


def told_of_each(name: str, rows: Rows, flows: Sequence[Flow]) -> str:
    """The takeaway of a sweep, given the flow of each of its runs."""
    named = {row["run"]: flow for row, flow in zip(rows, flows, strict=True)}
    return picture(name, rows, named).takeaway


def cells(name: str, rows: Rows, flows: Mapping[str, Flow]) -> list[tuple[Any, ...]]:
    """The rows of a table, each as the tuple of its cells."""
    table = picture(name, rows, flows).table
    return [tuple(row[column] for column in table.columns) for row in table.rows]


def diverged(row: Mapping[str, str]) -> dict[str, str]:
    trouble = {"state": "diverged", "validation_loss_nats_per_token": "", "test_perplexity": ""}
    return {**row, **trouble}


# All of them


@every_picture
def test_a_picture_is_read_back_as_it_was_written(name: str, tmp_path: Path) -> None:
    made = picture(name, sweep_of(depths=("0", "full"), seeds=2))

    write_picture(tmp_path, made)

    read = read_picture(tmp_path, name)
    assert made.name == name
    assert read.takeaway == made.takeaway
    assert [list(row) for row in read.rows] == [list(made.table.columns)] * len(made.table.rows)
    assert read.wide != read.narrow


@every_picture
def test_where_no_run_finished_a_picture_says_so_and_its_table_is_empty(name: str) -> None:
    made = picture(name, [diverged(row) for row in sweep_of(depths=("0", "full"), seeds=2)], {})

    assert made.takeaway == "No run finished, so no gradient was followed."
    assert made.table.rows == []
    assert len(made.table.columns) > 4


@every_picture
def test_a_takeaway_is_one_sentence(name: str) -> None:
    told = picture(name, sweep_of(("elman", "lstm"), depths=("0", "full"), seeds=2)).takeaway

    assert told.endswith(".")
    assert ". " not in told


@every_picture
def test_a_seed_that_diverged_changes_neither_takeaway_nor_table(name: str) -> None:
    good, bad = sweep_of(seeds=2)
    nothing = Flow([], [], [], [], [])

    made = picture(name, [good, diverged(bad)], {good["run"]: flow_of(), bad["run"]: nothing})

    alone = picture(name, [good])
    assert made.takeaway == alone.takeaway
    assert made.table == alone.table


@every_picture
def test_a_picture_is_drawn_as_wide_as_it_is_asked_for(name: str) -> None:
    made = picture(name, sweep_of(("gru",), sizes=(5, 9)))

    with drawing_style():
        widths = [made.draw(width).get_figwidth() for width in (WIDE, NARROW)]

    assert widths == [WIDE, NARROW]


@pytest.mark.parametrize("name", ["arrival", "cosines"])
def test_of_many_panels_takeaway_and_table_tell_which_are_shown(name: str) -> None:
    made = picture(name, MANY_PANELS)

    # the validation loss rises with the size
    settings = {row["setting"]: None for row in made.table.rows}
    shown = "; shown are 16 of 20 panels, those with the lowest validation losses."
    assert made.takeaway.endswith(shown)
    assert [str(setting).split()[1] for setting in settings] == [str(k) for k in range(1, 17)]


@pytest.mark.parametrize("name", ["arrival", "cosines"])
def test_sixteen_panels_are_all_shown(name: str) -> None:
    made = picture(name, MANY_PANELS[:16])

    assert "shown are" not in made.takeaway
    assert len({row["setting"] for row in made.table.rows}) == 16


@pytest.mark.parametrize(
    ("share", "told"),
    [
        (0.125, "12.5 %"),
        (1.0, "100.0 %"),
        (0.0, "0.0 %"),
        (0.0005, "0.1 %"),
        (1e-4, "less than 0.1 %"),
    ],
)
def test_what_is_not_nothing_is_not_called_nothing(share: float, told: str) -> None:
    assert percent(share) == told


# What arrives


def test_the_first_lag_with_less_than_a_tenth_is_told() -> None:
    told = takeaway("arrival", sweep_of(), shares=[1.0, 0.1, 0.05, 0.2, 0.01])

    # a tenth is not less than a tenth; what comes back later does not count
    assert told == (
        "In the best setting (Elman, 5 hidden units, full depth) less than a tenth of the gradient"
        " is left 2 steps back."
    )


def test_the_mean_over_seeds_is_what_is_told() -> None:
    told = told_of_each(
        "arrival", sweep_of(seeds=2), [flow_of([1.0, 0.5, 0.2]), flow_of([1.0, 0.01, 0.2])]
    )

    # the root of 0.5 * 0.01 is 0.07
    assert "is left 1 step back." in told


@pytest.mark.parametrize(
    ("shares", "told"),
    [
        ([1.0, 0.5, 0.25], "25.0 % of the gradient is left even 2 steps back."),
        (
            [1.0, 4.0],
            "the gradient grows: 1 step back it is 4 times what reaches the word just read.",
        ),
        ([1.0], "too few predictions have words before them to say how far the gradient gets."),
        ([], "too few predictions have words before them to say how far the gradient gets."),
    ],
)
def test_gradients_that_do_not_vanish_are_told_as_they_are(
    shares: Sequence[float], told: str
) -> None:
    assert takeaway("arrival", sweep_of(), shares=shares).endswith(f"full depth) {told}")


def test_what_truncation_cuts_off_is_told_of_the_best_truncated_setting_beside_the_best() -> None:
    rows = sweep_of(sizes=(5, 9), depths=("0", "1", "full"))
    losses = {"full": "1.0", "1": "1.2", "0": "1.3"}
    rows = [
        {**row, "validation_loss_nats_per_token": losses[row["truncation_depth"]]} for row in rows
    ]
    rows[0]["validation_loss_nats_per_token"] = "1.1"  # of depth 0, at the size of the best
    shares = [[1.0, 0.5, 0.25], [1.0, 0.4, 0.2], [1.0, 0.9, 0.8]]

    told = told_of_each("arrival", rows, [flow_of(share) for share in shares * 2])

    assert told == (
        "In the best setting (Elman, 5 hidden units, full depth) 80.0 % of the gradient is left"
        " even 2 steps back; training at depth 0 does not see what is left 1 step back, 50.0 %."
    )


def test_nothing_is_said_of_a_truncation_deeper_than_gradients_were_followed() -> None:
    told = takeaway("arrival", sweep_of(depths=("2",)), shares=[1.0, 0.5, 0.25])

    assert told.endswith("25.0 % of the gradient is left even 2 steps back.")


def test_the_table_of_arrival_tells_mean_and_range_and_what_training_saw() -> None:
    rows = sweep_of(depths=("0", "full"), seeds=2)
    flows = [flow_of([1.0, 0.4]), flow_of([1.0, 0.1]), flow_of([1.0, 0.25]), flow_of([1.0, 0.25])]

    found = cells("arrival", rows, dict(zip([row["run"] for row in rows], flows, strict=True)))

    # the root of 0.4 * 0.1 is 0.2
    assert found == [
        ("Elman, 5 hidden units, depth 0", 2, 0, 1.0, 1.0, 1.0, "yes"),
        ("Elman, 5 hidden units, depth 0", 2, 1, pytest.approx(0.2), 0.1, 0.4, "no"),
        ("Elman, 5 hidden units, full depth", 2, 0, 1.0, 1.0, 1.0, "yes"),
        ("Elman, 5 hidden units, full depth", 2, 1, 0.25, 0.25, 0.25, "yes"),
    ]


# Cosines


@pytest.mark.parametrize(
    ("depth", "cosines", "told"),
    [
        # the first that is nearly 1, where training saw all
        (
            "full",
            {0: 0.5, 1: 0.98, 2: 0.991, 4: 1.0},
            "0.500 to the whole one, at depth 2 one of 0.991",
        ),
        # the last, where none comes near
        ("full", {0: 0.5, 1: 0.7}, "0.500 to the whole one, at depth 1 one of 0.700"),
        # that of training, whatever it is
        ("1", {0: 0.5, 1: 0.6, 2: 1.0}, "0.500 to the whole one, at depth 1 one of 0.600"),
        ("0", {0: 0.5, 1: 0.6, 2: 1.0}, "0.500 to the whole one"),
        ("8", {0: 0.5, 1: 0.995}, "0.500 to the whole one, at depth 1 one of 0.995"),
        ("full", {0: 1.0, 1: 1.0}, "1.000 to the whole one"),
    ],
)
def test_the_cosine_is_told_at_the_least_depth_and_at_one_that_matters(
    depth: str, cosines: Mapping[int, float], told: str
) -> None:
    sentence = takeaway("cosines", sweep_of(depths=(depth,)), cosines=cosines)

    assert sentence.split("depth 0 keeps")[-1] == (
        f" a cosine of {told}, where 1 is the same direction."
    )


def test_where_there_is_no_cosine_that_is_said() -> None:
    told = takeaway("cosines", sweep_of(), cosines={})

    assert told == (
        "In the best setting (Elman, 5 hidden units, full depth) there is no gradient to compare"
        " with a truncated one."
    )


def test_the_table_of_cosines_tells_mean_and_range() -> None:
    rows = sweep_of(seeds=2)
    flows = {
        rows[0]["run"]: flow_of(cosines={0: 0.5, 1: 1.0}),
        rows[1]["run"]: flow_of(cosines={0: 0.75, 1: 1.0}),
    }

    assert cells("cosines", rows, flows) == [
        ("Elman, 5 hidden units, full depth", 2, 0, 0.625, 0.5, 0.75),
        ("Elman, 5 hidden units, full depth", 2, 1, 1.0, 1.0, 1.0),
    ]


# Singular values


def test_what_training_does_to_singular_values_is_told_over_all_seeds() -> None:
    told = told_of_each(
        "singular_values",
        sweep_of(seeds=2),
        [flow_of(after=[2.0, 1.5, 0.5, 0.25]), flow_of(after=[2.5, 0.5, 0.5, 0.25])],
    )

    # before, all are 1, which is not above 1; after, 3 of 8 are
    assert told == (
        "In the best setting (Elman, 5 hidden units, full depth) training takes the largest"
        " singular value of the recurrent weights from 1.00 to 2.50, and the share of those above"
        " 1, along which a state is stretched, from 0.0 % to 37.5 %."
    )


def test_singular_values_of_all_gates_are_told_together() -> None:
    flow = flow_of(gates=("input", "forget"), after=[0.5])
    flow.singular_values[1]["after"] = "3.0"

    told = told_of_each("singular_values", sweep_of(("lstm",)), [flow])

    assert "to 3.00" in told
    assert told.endswith("from 0.0 % to 50.0 %.")


def test_the_table_of_singular_values_has_the_best_setting_of_each_cell() -> None:
    rows = sweep_of(("elman", "gru"), depths=("0", "full"), seeds=2)
    flows = {row["run"]: flow_of(gates=GATES[row["cell"]], after=[2.0]) for row in rows}

    found = cells("singular_values", rows, flows)

    # the losses rise along the sweep
    assert found == [
        *((f"elman-5-0-{seed}", "state", "1", "1.0", "2.0") for seed in (1, 2)),
        *(
            (f"gru-5-0-{seed}", gate, "1", "1.0", "2.0")
            for seed in (1, 2)
            for gate in ("reset", "update", "candidate")
        ),
    ]


# Activations


def test_the_saturated_share_of_the_only_function_is_told() -> None:
    told = takeaway("activations", sweep_of(seeds=2), saturated_share=0.015)

    assert told == (
        "In the best run (Elman, 5 hidden units, full depth, seed 1) 1.5 % of the values of state"
        " are saturated: there, less than a tenth of the steepest slope is left to a gradient."
    )


def test_of_several_functions_the_most_and_the_least_saturated_are_told() -> None:
    flow = flow_of(functions=FUNCTIONS["lstm"], saturated_share=0.25)
    flow.saturation[1]["saturated_share"] = "0.5"
    flow.saturation[4]["saturated_share"] = "0.0"

    told = told_of_each("activations", sweep_of(("lstm",)), [flow])

    assert (
        "seed 1) 50.0 % of the values of forget, the most of its 5 functions, and 0.0 % of those"
        " of memory shown, the least, are saturated: there"
    ) in told


def test_functions_that_are_saturated_alike_are_told_together() -> None:
    told = takeaway(
        "activations", sweep_of(("gru",)), functions=FUNCTIONS["gru"], saturated_share=0.25
    )

    assert "seed 1) 25.0 % of the values of each function are saturated: there" in told


def test_the_table_of_activations_has_the_best_run_of_each_cell() -> None:
    rows = sweep_of(("elman", "gru"), depths=("0", "full"), seeds=2)
    rows[3]["validation_loss_nats_per_token"] = "0.5"
    flows = {row["run"]: flow_of(bins=[0.25, 0.75]) for row in rows}

    assert cells("activations", rows, flows) == [
        (run, "state", "tanh", low, high, share, 0.125)
        for run in ("elman-5-full-2", "gru-5-0-1")
        for low, high, share in (("-6.0", "0.0", "0.25"), ("0.0", "6.0", "0.75"))
    ]
