"""The proofs as the report shows them: rows of counts, of largest and of smallest errors."""

import math
from typing import Any

import pytest

from report_material import checked, compared, gradient_check, overfitting_check, planted
from unrolled.report.proofs import FaultRow, fault_rows, gradient_rows, learned_rows


def check_of(*errors: tuple[float | str, float | str]) -> dict[str, Any]:
    """A check of so many parameters with these errors by either method, all of one network."""
    parameters = [
        checked(f"weights {place}", compared(central, {}), compared(by_complex_step, {}))
        for place, (central, by_complex_step) in enumerate(errors)
    ]
    network = {**gradient_check()["networks"][0], "parameters": parameters}
    return {**gradient_check(), "networks": [network]}


def check_with(cell: str, *faults: dict[str, Any], depth: int | str = "full") -> dict[str, Any]:
    """A check of a cell in which these faults were planted."""
    return {**gradient_check(cell, depth), "planted_faults": list(faults)}


class TestGradients:
    def test_a_row_counts_the_parameters_and_entries_of_all_networks(self) -> None:
        (row,) = gradient_rows([gradient_check()])

        assert row.parameters == 2 + 1
        assert row.compared == 50 + 16 + 50
        assert row.tiny == 4 + 0 + 4
        assert row.skipped == 6 + 0 + 6

    def test_a_row_has_the_largest_error_by_each_method(self) -> None:
        (row,) = gradient_rows([gradient_check()])

        assert row.largest == {
            "central differences": 4e-9,  # of 2e-10, 4e-9, 5e-10
            "complex step": 3e-16,  # of 3e-16, 1e-16, 2e-16
        }

    def test_each_check_is_a_row_in_the_order_in_which_they_come(self) -> None:
        places: list[tuple[str, int | str]] = [("gru", 2), ("gru", "full"), ("elman", 2)]
        checks = [gradient_check(cell, depth) for cell, depth in places]

        rows = gradient_rows(checks)

        assert [row.check for row in rows] == checks

    def test_a_check_has_no_part_in_the_row_of_another(self) -> None:
        small, large = gradient_rows([check_of((1e-9, 1e-16)), check_of((1.0, 2.0), (3.0, 4.0))])

        assert (small.parameters, large.parameters) == (1, 2)
        assert list(small.largest.values()) == [1e-9, 1e-16]
        assert list(large.largest.values()) == [3.0, 4.0]

    @pytest.mark.parametrize("place", [0, 1, 2])
    def test_one_error_that_is_no_number_makes_the_largest_no_number(self, place: int) -> None:
        errors: list[tuple[float | str, float | str]] = [(1e-9, 1e-16)] * 3
        errors[place] = ("nan", 1e-15)

        (row,) = gradient_rows([check_of(*errors)])

        assert math.isnan(row.largest["central differences"])
        assert row.largest["complex step"] == 1e-15

    def test_nan_counts_for_more_than_an_infinity(self) -> None:
        (row,) = gradient_rows([check_of(("inf", "inf"), (0.5, "nan"))])

        assert row.largest["central differences"] == math.inf
        assert math.isnan(row.largest["complex step"])

    def test_errors_may_be_written_as_whole_numbers(self) -> None:
        (row,) = gradient_rows([check_of((0, 1), (2, 0))])

        assert row.largest == {"central differences": 2.0, "complex step": 1.0}

    def test_without_checks_there_are_no_rows(self) -> None:
        assert gradient_rows([]) == []


class TestPlantedFaults:
    def test_a_fault_in_several_places_is_one_row(self) -> None:
        rows = fault_rows([gradient_check()])

        # the sign 2 + 3 times, with 1.25 and 2.0 as the smallest errors
        sign, nan = rows
        assert sign == FaultRow(
            "flipped sign",
            ["way back through time", "gradient of one parameter"],
            {"elman": 5},
            {"elman": 5},
            1.25,
        )
        assert (nan.fault, nan.places) == ("NaN", ["gradient of one parameter"])
        assert (nan.planted, nan.caught) == ({"elman": 3}, {"elman": 3})

    def test_faults_stand_in_the_order_in_which_they_are_first_planted(self) -> None:
        checks = [
            check_with("elman", planted("zeros", "a", 1, 1, 1.0), planted("sign", "b", 1, 1, 1.0)),
            check_with("elman", planted("shift", "c", 1, 1, 1.0), planted("zeros", "a", 1, 1, 1.0)),
        ]

        assert [row.fault for row in fault_rows(checks)] == ["zeros", "sign", "shift"]

    def test_a_place_is_named_once_however_often_it_has_the_fault(self) -> None:
        checks = [
            check_with(cell, planted("sign", "b", 1, 1, 1.0), planted("sign", "a", 1, 1, 1.0))
            for cell in ("elman", "gru")
        ]

        (row,) = fault_rows(checks)

        assert row.places == ["b", "a"]

    def test_copies_are_counted_by_cell_over_all_depths(self) -> None:
        checks = [
            check_with("gru", planted("sign", "a", 6, 6, 1.0), depth=0),
            check_with("gru", planted("sign", "a", 5, 4, 1.0), depth="full"),
            check_with("elman", planted("sign", "a", 3, 2, 1.0), depth=0),
        ]

        (row,) = fault_rows(checks)

        assert row.planted == {"gru": 6 + 5, "elman": 3}
        assert row.caught == {"gru": 6 + 4, "elman": 2}

    def test_faults_are_told_apart(self) -> None:
        faults = [planted("sign", "a", 6, 5, 0.5), planted("zeros", "b", 4, 3, 0.25)]

        sign, zeros = fault_rows([check_with("lstm", *faults)])

        assert sign == FaultRow("sign", ["a"], {"lstm": 6}, {"lstm": 5}, 0.5)
        assert zeros == FaultRow("zeros", ["b"], {"lstm": 4}, {"lstm": 3}, 0.25)

    @pytest.mark.parametrize(
        ("errors", "smallest"),
        [
            ((0.5, 0.25, 1.0), 0.25),
            (("nan", 0.5, 0.75), 0.5),
            ((0.75, 0.5, "nan"), 0.5),
            (("inf", "nan", 3), 3.0),
            (("inf", "nan", "nan"), math.inf),
        ],
    )
    def test_the_smallest_error_is_that_of_all_copies_which_have_a_number(
        self, errors: tuple[float | str, ...], smallest: float
    ) -> None:
        checks = [
            check_with(cell, planted("fault", "a", 1, 1, error))
            for cell, error in zip(("elman", "gru", "lstm"), errors, strict=True)
        ]

        (row,) = fault_rows(checks)

        assert row.smallest_error == smallest

    def test_without_any_number_the_smallest_error_is_none(self) -> None:
        (row,) = fault_rows([check_with("elman", planted("NaN", "a", 2, 2, "nan"))])

        assert math.isnan(row.smallest_error)

    def test_a_fault_that_was_caught_in_every_copy_was_caught(self) -> None:
        checks = [check_with(cell, planted("sign", "a", 2, 2, 1.0)) for cell in ("elman", "gru")]

        assert [row.all_caught for row in fault_rows(checks)] == [True]

    @pytest.mark.parametrize("missed", ["elman", "gru", "lstm"])
    def test_one_copy_that_went_unnoticed_is_enough(self, missed: str) -> None:
        checks = [
            check_with(cell, planted("sign", "a", 2, 1 if cell == missed else 2, 1.0))
            for cell in ("elman", "gru", "lstm")
        ]

        assert [row.all_caught for row in fault_rows(checks)] == [False]

    def test_a_cell_without_the_fault_takes_no_part(self) -> None:
        checks = [
            check_with("elman", planted("missing term", "slope", 6, 6, 1.0), depth=0),
            check_with("gru", planted("zeros", "words", 6, 6, 1.0), depth=0),
        ]

        missing_term, zeros = fault_rows(checks)

        assert missing_term.planted == missing_term.caught == {"elman": 6}
        assert zeros.planted == zeros.caught == {"gru": 6}
        assert missing_term.all_caught

    def test_without_checks_there_are_no_rows(self) -> None:
        assert fault_rows([]) == []


class TestLearnedByHeart:
    def test_networks_go_by_cell_and_kind_and_losses_by_depth(self) -> None:
        losses: dict[tuple[str, int | str], float] = {
            ("elman", 0): 0.01,
            ("elman", "full"): 0.02,
            ("lstm", 0): 0.03,
            ("lstm", "full"): 0.04,
        }

        rows = learned_rows(
            [overfitting_check(cell, depth, loss) for (cell, depth), loss in losses.items()]
        )

        found = {
            title: {depth: network["loss_nats_per_token"] for depth, network in by_depth.items()}
            for title, by_depth in rows.items()
        }
        assert found == {
            "Elman, softmax": {"0": 0.01, "full": 0.02},
            "Elman, softmax, tied weights": {"0": 0.025, "full": 0.025},
            "LSTM, softmax": {"0": 0.03, "full": 0.04},
            "LSTM, softmax, tied weights": {"0": 0.025, "full": 0.025},
        }

    def test_networks_and_depths_keep_their_order(self) -> None:
        checks = [
            overfitting_check(cell, depth)
            for cell in ("lstm", "elman")
            for depth in (10, 2, "full")
        ]

        rows = learned_rows(checks)

        assert list(rows) == [
            "LSTM, softmax",
            "LSTM, softmax, tied weights",
            "Elman, softmax",
            "Elman, softmax, tied weights",
        ]
        assert [list(by_depth) for by_depth in rows.values()] == [["10", "2", "full"]] * 4

    def test_a_network_comes_whole(self) -> None:
        check = overfitting_check(depth=2)

        rows = learned_rows([check])

        assert rows["Elman, softmax, tied weights"] == {"2": check["networks"][1]}

    def test_without_checks_there_are_no_rows(self) -> None:
        assert learned_rows([]) == {}
