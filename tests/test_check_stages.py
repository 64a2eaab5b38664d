"""A proof is written whether it holds or not, and the gate stops on one that has failed."""

import json
import math
import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from check_strategies import CHECKS, CLASSES, SOFTMAX, TIED, every_cell, numeric, problem
from model_strategies import VOCABULARY, write_corpus
from training_strategies import RECIPE
from unrolled.analysis import planted_faults
from unrolled.analysis.gradient_check import (
    KINDS,
    Comparison,
    Kind,
    ParameterCheck,
    tolerances,
)
from unrolled.analysis.numeric_gradients import CENTRAL, COMPLEX
from unrolled.analysis.overfitting import Overfitted
from unrolled.analysis.planted_faults import IN_CELL, IN_GRADIENT, IN_TIME
from unrolled.config.sections import ChecksConfig, ModelConfig
from unrolled.errors import CheckError, DataError
from unrolled.model import bptt
from unrolled.model.files import read_model
from unrolled.model.initialisation import initialised, parameter_shapes
from unrolled.model.network import ForwardPass, Network
from unrolled.model.packing import PackedBatch
from unrolled.model.types import Gradients
from unrolled.stages import check_gradients, check_initial_loss, check_overfitting, gate, train
from unrolled.stages.untrained import generators, untrained_network
from unrolled.text.classes import WordClasses, frequency_classes, write_classes
from unrolled.text.dataset import read_dataset
from unrolled.training.loop import Outcome, mean_loss

MODEL = ModelConfig(
    cell="elman",
    hidden_size=5,
    bias=True,
    tied_weights=False,
    output="softmax",
    recurrent_initialisation="uniform",
    precision="double",
)
WITH_CLASSES = replace(MODEL, output="classes")

SoundCheck = Callable[[str, int | str], Path]

NOT_FINITE = [math.nan, math.inf, -math.inf]


def strictly_read(path: Path) -> Any:
    """The JSON of a file, in which NaN and Infinity are no values."""

    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is not JSON")

    return json.loads(path.read_text("utf-8"), parse_constant=refuse)


def shut(check: Path) -> str:
    """What the gate says of a check that has not passed; it writes nothing."""
    with pytest.raises(CheckError, match=f"see {re.escape(str(check))}$") as raised:
        gate.run([check], check.parent / "gate.json")
    assert sorted(path.name for path in check.parent.iterdir()) == [check.name]
    return str(raised.value)


def assert_open(check: Path) -> None:
    """The gate writes that the check has passed."""
    gate.run([check], check.parent / "gate.json")

    assert strictly_read(check.parent / "gate.json") == {"passed": True, "checks": [check.name]}


# Gradients


def gradients_checked(
    folder: Path, config: ChecksConfig = CHECKS, cell: str = "elman", depth: int | str = 1
) -> Any:
    check_gradients.run(config, cell, depth, folder / "check.json")
    return strictly_read(folder / "check.json")


@pytest.fixture(scope="module")
def sound_check(tmp_path_factory: pytest.TempPathFactory) -> SoundCheck:
    """The check of a cell at a depth with the settings that tests share, made once."""

    @cache
    def made(cell: str, depth: int | str) -> Path:
        folder = tmp_path_factory.mktemp("sound")
        gradients_checked(folder, CHECKS, cell, depth)
        return folder / "check.json"

    return made


each_sound_check = pytest.mark.parametrize(
    ("cell", "depth"), [("elman", 0), ("elman", "full"), ("gru", "full"), ("lstm", 2)]
)
"""Every cell, at depth 0, at one that is neither 0 nor full, and at full depth."""


@pytest.fixture
def two_kinds(monkeypatch: pytest.MonkeyPatch) -> list[Kind]:
    """The kinds of networks that are checked in this test: fewer, where one fault is in all."""
    kinds = [SOFTMAX, Kind("classes", carried=True)]
    monkeypatch.setattr(check_gradients, "KINDS", kinds)
    return kinds


def break_recurrent_gradient(monkeypatch: pytest.MonkeyPatch, value: float) -> None:
    """Let back-propagation give this value for one entry of the recurrent weights."""
    sound = Network.loss_and_gradients

    def broken(
        network: Network,
        batch: PackedBatch,
        truncation_depth: int | None,
        forward: ForwardPass | None = None,
    ) -> tuple[float, Gradients]:
        loss, gradients = sound(network, batch, truncation_depth, forward)
        recurrent = np.array(gradients["recurrent_weights"])
        recurrent[2, 1] = value
        return loss, {**gradients, "recurrent_weights": recurrent}

    monkeypatch.setattr(Network, "loss_and_gradients", broken)


@each_sound_check
def test_sound_gradients_are_written_as_passed_and_open_the_gate(
    cell: str, depth: int | str, sound_check: SoundCheck
) -> None:
    check = strictly_read(sound_check(cell, depth))

    assert (check["passed"], check["trouble"]) == (True, None)
    assert (check["cell"], check["truncation_depth"]) == (cell, depth)
    assert check["tolerances"] == {CENTRAL: 1e-7, COMPLEX: 1e-12}
    assert check["central_step"] == 1e-5
    assert_open(sound_check(cell, depth))


@each_sound_check
def test_every_parameter_of_every_network_is_written(
    cell: str, depth: int | str, sound_check: SoundCheck
) -> None:
    networks = strictly_read(sound_check(cell, depth))["networks"]

    kinds = [Kind(network["output"], network["tied"], network["carried"]) for network in networks]
    assert kinds == KINDS
    assert [network["title"] for network in networks] == [kind.title for kind in KINDS]
    for kind, network in zip(kinds, networks, strict=True):
        # of five words one stands alone and four are one class
        classes = frequency_classes(np.arange(5), 1, 1) if kind.output == "classes" else None
        shapes = parameter_shapes(cell, 5, 3, bias=True, tied=kind.tied, classes=classes)
        assert [entry["parameter"] for entry in network["parameters"]] == list(shapes)
        for entry, shape in zip(network["parameters"], shapes.values(), strict=True):
            assert entry["passed"] is True
            assert list(entry["methods"]) == [CENTRAL, COMPLEX]
            for method, allowed in ((CENTRAL, 1e-8), (COMPLEX, 1e-13)):
                found = entry["methods"][method]
                counts = [found[f"{kind}_count"] for kind in ("compared", "tiny", "skipped")]
                assert sum(counts) == math.prod(shape)
                histogram = found["relative_error_histogram"]
                assert sum(histogram.values()) == counts[0] > 0
                assert list(histogram) == [f"1e{power}" for power in range(-17, 0)]
                assert found["error"] <= allowed
                assert len(found["worst_index"]) == len(shape)
                assert found["analytic"] == pytest.approx(found["numeric"], abs=1e-6)


@pytest.mark.parametrize(("depth", "least", "most"), [(0, 0.1, 10), ("full", 0, 1e-13)])
def test_plain_errors_show_what_was_cut_off(
    depth: int | str, least: float, most: float, sound_check: SoundCheck
) -> None:
    network, *_ = strictly_read(sound_check("elman", depth))["networks"]

    errors = {entry["parameter"]: entry["plain_error"] for entry in network["parameters"]}
    assert least <= errors["input_weights"] <= most
    assert least <= errors["recurrent_weights"] <= most
    assert errors["output_weights"] <= 1e-13


@pytest.mark.usefixtures("two_kinds")
def test_relative_errors_are_counted_by_their_power_of_ten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    errors = np.array([0, 1e-18, 3e-17, 2e-12, 9e-12, 1.1e-2, 0.5, 1, math.nan])
    found = Comparison(math.nan, (0,), 1.0, 1.0, errors, tiny_count=2, skipped_count=3)
    checks = [ParameterCheck("bias", {CENTRAL: found, COMPLEX: found})]
    monkeypatch.setattr(check_gradients, "compare", lambda *arguments: checks)

    check = gradients_checked(tmp_path)

    (entry,) = check["networks"][0]["parameters"]
    method = entry["methods"][COMPLEX]
    counts = method["relative_error_histogram"]
    # what is less than 1e-17 counts as 1e-17; NaN has no power of ten
    assert {power: count for power, count in counts.items() if count} == {
        "1e-17": 3,
        "1e-12": 2,
        "1e-2": 1,
        "1e-1": 2,
    }
    assert list(counts) == [f"1e{power}" for power in range(-17, 0)]
    assert (method["compared_count"], method["tiny_count"], method["skipped_count"]) == (9, 2, 3)
    assert "; 9 entries compared; softmax)" in check["trouble"]


@each_sound_check
def test_planted_faults_are_counted_over_all_networks(
    cell: str, depth: int | str, sound_check: SoundCheck
) -> None:
    rows = strictly_read(sound_check(cell, depth))["planted_faults"]

    found = {(row["fault"], row["place"]): row for row in rows}
    assert len(found) == len(rows)
    expected = {
        (fault.name, fault.place): len(KINDS)
        for fault in [*IN_TIME, IN_CELL[cell]]
        if (depth != 0 or fault.least_reach == 0)
        and (depth != "full" or "too late" not in fault.name)
    }
    parameters = sum(len(problem(cell, kind).network.parameters) for kind in KINDS)
    expected |= {(name, "gradient of one parameter"): parameters for name in IN_GRADIENT}
    assert {key: row["planted"] for key, row in found.items()} == expected
    errors: dict[tuple[str, str], list[float]] = {key: [] for key in found}
    for kind in KINDS:
        case = (cell, kind, None if depth == "full" else int(depth))
        for fault in planted_faults.planted_faults(
            problem(*case), numeric(*case), tolerances(CHECKS)
        ):
            errors[fault.fault, fault.place].append(fault.error)
    for key, row in found.items():
        assert row["caught"] == row["planted"]
        assert row["smallest_error"] == ("nan" if key[0] == "NaN" else min(errors[key]))


def test_sound_gradients_open_the_gate_where_no_check_could_feel_a_step_more(
    sound_check: SoundCheck,
) -> None:
    check = strictly_read(sound_check("elman", 13))  # one step more than is felt for sure

    assert (check["passed"], check["trouble"]) == (True, None)
    assert not [row for row in check["planted_faults"] if "truncation" in row["fault"]]
    assert_open(sound_check("elman", 13))


@pytest.mark.parametrize("value", [0.125, *NOT_FINITE])
def test_a_broken_gradient_is_written_as_not_passed(
    value: float, two_kinds: list[Kind], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_recurrent_gradient(monkeypatch, value)

    check = gradients_checked(tmp_path)

    assert check["passed"] is False
    assert len(check["networks"]) == len(two_kinds)
    for network in check["networks"]:
        entries = {entry["parameter"]: entry for entry in network["parameters"]}
        failed = [name for name, entry in entries.items() if not entry["passed"]]
        assert failed == ["recurrent_weights"]
        for found in entries["recurrent_weights"]["methods"].values():
            assert found["worst_index"] == [2, 1]
            assert found["analytic"] == (value if math.isfinite(value) else str(value))
            assert isinstance(found["numeric"], float)
            assert isinstance(found["error"], float) or found["error"] == "nan"
        plain = entries["recurrent_weights"]["plain_error"]
        assert (plain == "nan") is not math.isfinite(value)


@pytest.mark.usefixtures("two_kinds")
@pytest.mark.parametrize("value", [0.125, *NOT_FINITE])
@pytest.mark.parametrize("depth", [1, "full"])
def test_the_gate_names_the_network_the_entry_both_values_and_what_is_allowed(
    value: float, depth: int | str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_recurrent_gradient(monkeypatch, value)

    network, *_ = gradients_checked(tmp_path, depth=depth)["networks"]

    recurrent = network["parameters"][1]
    assert recurrent["parameter"] == "recurrent_weights"
    found = recurrent["methods"][CENTRAL]
    assert shut(tmp_path / "check.json") == (
        f"elman at depth {depth}: a gradient is wrong: recurrent_weights[2, 1] is {value} by"
        f" back-propagation and {found['numeric']} by central differences (largest difference over"
        f" largest value {found['error']}, at most 1e-07 allowed; 9 entries compared; softmax); see"
        f" {tmp_path / 'check.json'}"
    )


@pytest.mark.usefixtures("two_kinds")
def test_the_method_that_finds_the_fault_is_named_with_what_it_allows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_recurrent_gradient(monkeypatch, 0.125)

    gradients_checked(tmp_path, replace(CHECKS, central_tolerance=1e3))

    said = shut(tmp_path / "check.json")
    assert "by complex step (largest difference" in said
    assert "at most 1e-12 allowed" in said


def test_the_network_that_fails_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sound = Network._add_gradients_of_words

    def doubled(network: Network, gradients: Any, *rest: Any) -> None:
        sound(network, gradients, *rest)
        if network.tied:
            gradients["input_projection"] *= 2

    monkeypatch.setattr(Network, "_add_gradients_of_words", doubled)

    check = gradients_checked(tmp_path, CHECKS, "gru", 0)

    passed = {
        network["title"]: all(entry["passed"] for entry in network["parameters"])
        for network in check["networks"]
    }
    assert [title for title in passed if not passed[title]] == [
        "softmax, tied weights",
        "softmax, tied weights, state carried over",
    ]
    said = shut(tmp_path / "check.json")
    assert said.startswith("gru at depth 0: a gradient is wrong: input_projection[")
    assert " entries compared; softmax, tied weights); see " in said


@pytest.mark.usefixtures("two_kinds")
def test_sound_gradients_that_are_not_exact_enough_do_not_pass(tmp_path: Path) -> None:
    check = gradients_checked(tmp_path, replace(CHECKS, complex_tolerance=1e-20))

    assert check["passed"] is False
    assert "at most 1e-20 allowed" in shut(tmp_path / "check.json")


@pytest.mark.usefixtures("two_kinds")
def test_a_check_that_is_blind_to_a_fault_keeps_the_gate_shut(tmp_path: Path) -> None:
    # a thousandth goes unnoticed, and nothing else does
    config = replace(CHECKS, central_tolerance=2e-3, complex_tolerance=2e-3)

    check = gradients_checked(tmp_path, config)

    assert all(entry["passed"] for net in check["networks"] for entry in net["parameters"])
    assert check["passed"] is False
    uncaught = {
        (row["fault"], row["place"]): row["caught"]
        for row in check["planted_faults"]
        if row["caught"] < row["planted"]
    }
    assert uncaught == {
        ("0.1 % too large", "what arrives at the recurrent weights"): 0,
        ("0.1 % too large", "gradient of one parameter"): 0,
    }
    assert re.match(
        r"elman at depth 1: the gradient check is blind to the fault '0\.1 % too large' in a copy"
        r" \(what arrives at the recurrent weights\), with a largest error of 0\.00(1|09999)\d*;"
        r" see ",
        shut(tmp_path / "check.json"),
    )


@pytest.mark.usefixtures("two_kinds")
def test_a_fault_in_one_gradient_that_is_not_noticed_is_named_by_its_parameter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes: dict[str, Callable[..., Any]] = {**IN_GRADIENT, "nothing": np.copy}
    monkeypatch.setattr(planted_faults, "IN_GRADIENT", changes)

    check = gradients_checked(tmp_path)

    assert check["passed"] is False
    row = check["planted_faults"][-1]
    assert (row["fault"], row["caught"]) == ("nothing", 0)
    assert row["planted"] > 0
    assert re.match(
        r"elman at depth 1: the gradient check is blind to the fault 'nothing' in a copy"
        r" \(output_weights\), with a largest error of \d\.\d+e-\d\d; see ",
        shut(tmp_path / "check.json"),
    )


@pytest.mark.usefixtures("two_kinds")
def test_a_wrong_gradient_is_told_before_blindness(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_recurrent_gradient(monkeypatch, 1e6)

    check = gradients_checked(tmp_path, replace(CHECKS, central_tolerance=5.0))

    assert "a gradient is wrong" in check["trouble"]


def test_a_check_of_no_network_keeps_the_gate_shut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check_gradients, "KINDS", [])

    check = gradients_checked(tmp_path)

    assert check["passed"] is False
    assert "elman at depth 1: no gradient was checked; see" in shut(tmp_path / "check.json")


@pytest.mark.usefixtures("two_kinds")
def test_a_check_without_planted_faults_keeps_the_gate_shut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check_gradients, "planted_faults", lambda *arguments: [])

    assert gradients_checked(tmp_path)["passed"] is False


# Overfitting


def overfitting_checked(
    folder: Path, config: ChecksConfig = CHECKS, cell: str = "elman", depth: Any = "full"
) -> Any:
    check_overfitting.run(config, cell, depth, folder / "check.json")
    return strictly_read(folder / "check.json")


def overfit_to(
    monkeypatch: pytest.MonkeyPatch, losses: dict[str, float], seen: list[Any] | None = None
) -> None:
    """Let networks end at these losses, by the title of their kind; at 0.03 otherwise."""

    def overfit(cell: str, output: str, tied: bool, *rest: Any) -> Overfitted:
        if seen is not None:
            seen.append((cell, output, tied, *rest))
        return Overfitted(losses.get(Kind(output, tied).title, 0.03), 0.02)

    monkeypatch.setattr(check_overfitting, "overfit", overfit)


def test_sentences_learned_by_heart_are_written_as_passed_and_open_the_gate(tmp_path: Path) -> None:
    config = replace(CHECKS, overfit_steps=60)

    check = overfitting_checked(tmp_path, config)

    assert (check["passed"], check["trouble"]) == (True, None)
    assert (check["cell"], check["truncation_depth"]) == ("elman", "full")
    assert (check["steps"], check["largest_loss"]) == (60, 0.05)
    for network in check["networks"]:
        assert network["least_loss"] < network["loss_nats_per_token"] <= 0.05
    assert_open(tmp_path / "check.json")


def test_sentences_are_learned_with_every_output_layer_each_from_its_own_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []
    overfit_to(monkeypatch, {"word classes": 0.04}, seen)

    check = overfitting_checked(tmp_path, replace(CHECKS, seed=7), "gru", 4)

    rest = (4, 300, 7)  # depth, steps and seed
    assert seen == [
        ("gru", "softmax", False, *rest),
        ("gru", "softmax", True, *rest),
        ("gru", "classes", False, *rest),
    ]
    assert check["networks"] == [
        {
            "output": kind.output,
            "tied": kind.tied,
            "carried": False,
            "title": kind.title,
            "loss_nats_per_token": loss,
            "least_loss": 0.02,
        }
        for kind, loss in ((SOFTMAX, 0.03), (TIED, 0.03), (CLASSES, 0.04))
    ]


@pytest.mark.parametrize(
    ("loss", "shown"),
    [(0.050001, "0.05"), (2.48490, "2.485"), (math.nan, "nan"), (math.inf, "inf")],
)
@pytest.mark.parametrize("title", ["softmax", "softmax, tied weights", "word classes"])
def test_sentences_that_were_not_learned_keep_the_gate_shut(
    loss: float, shown: str, title: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    overfit_to(monkeypatch, {title: loss})

    check = overfitting_checked(tmp_path, CHECKS, "lstm", 2)

    assert check["passed"] is False
    (found,) = (
        network["loss_nats_per_token"] for network in check["networks"] if network["title"] == title
    )
    assert found == (loss if math.isfinite(loss) else shown)
    assert shut(tmp_path / "check.json") == (
        "lstm at depth 2: two sentences were not learned by heart: after 300 steps the loss is"
        f" {shown} nats per token, at most 0.05 allowed ({title}); more checks.overfit_steps may"
        f" help; see {tmp_path / 'check.json'}"
    )


def test_nothing_learned_by_heart_keeps_the_gate_shut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check_overfitting, "KINDS", [])

    check = overfitting_checked(tmp_path)

    assert (check["passed"], check["networks"]) == (False, [])
    assert "elman at depth full: nothing was learned by heart; see" in shut(tmp_path / "check.json")


def test_training_that_does_not_come_to_its_end_keeps_the_gate_shut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = bptt.deltas
    monkeypatch.setattr(
        bptt, "deltas", lambda *arguments: bptt.Deltas(*(a * np.nan for a in sound(*arguments)))
    )

    check = overfitting_checked(tmp_path)

    assert check["passed"] is False
    assert {network["loss_nats_per_token"] for network in check["networks"]} == {"nan"}
    assert "after 300 steps the loss is nan" in shut(tmp_path / "check.json")


def test_too_few_steps_are_written_as_not_passed(tmp_path: Path) -> None:
    check = overfitting_checked(tmp_path, replace(CHECKS, overfit_steps=2))

    assert check["passed"] is False
    assert "after 2 steps the loss is 2." in shut(tmp_path / "check.json")


# The initial loss


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    write_corpus(folder)
    write_classes(folder / "classes.tsv", word_classes(), VOCABULARY)
    return folder


def word_classes() -> WordClasses:
    """Of nine words two stand alone, the others are in classes of three and four."""
    return frequency_classes(np.array(VOCABULARY.counts), 2, 2)


def initial_loss_checked(
    corpus: Path, folder: Path, model: ModelConfig = MODEL, config: ChecksConfig = CHECKS
) -> Any:
    check_initial_loss.run(config, model, corpus, folder / "check.json")
    return strictly_read(folder / "check.json")


@every_cell
@pytest.mark.parametrize("tied", [False, True], ids=["untied", "tied"])
@pytest.mark.parametrize("precision", ["single", "double"])
def test_an_untrained_network_that_guesses_opens_the_gate(
    cell: str, tied: bool, precision: Any, corpus: Path, tmp_path: Path
) -> None:
    model = replace(MODEL, cell=cell, tied_weights=tied, precision=precision)

    check = initial_loss_checked(corpus, tmp_path, model)

    assert check["passed"] is True
    assert check["trouble"] is None
    assert (check["cell"], check["hidden_size"]) == (cell, 5)
    assert check["title"] == ("softmax, tied weights, biases" if tied else "softmax, biases")
    assert check["largest_difference"] == 0.1
    assert check["of_guessing"] == math.log(9)
    network = untrained_network(model, corpus, VOCABULARY, CHECKS.seed)
    loss = mean_loss(network, read_dataset(corpus / "encoded/valid", 9))
    assert check["loss_nats_per_token"] == loss
    assert_open(tmp_path / "check.json")


@every_cell
def test_an_untrained_network_with_classes_guesses_first_the_class(
    cell: str, corpus: Path, tmp_path: Path
) -> None:
    check = initial_loss_checked(corpus, tmp_path, replace(WITH_CLASSES, cell=cell))

    assert check["passed"] is True
    assert check["title"] == "word classes, biases"
    sizes = {0: 1, 1: 1} | {number: len(word_classes().members[number]) for number in (2, 3)}
    predicted = [
        int(word_classes().class_of[word])
        for words in read_dataset(corpus / "encoded/valid", 9)
        for word in words[1:]
    ]
    expected = math.log(4) + math.fsum(math.log(sizes[number]) for number in predicted) / len(
        predicted
    )
    assert check["of_guessing"] == pytest.approx(expected, rel=1e-13)
    assert abs(check["of_guessing"] - math.log(9)) > 0.05
    assert check["loss_nats_per_token"] == pytest.approx(expected, abs=0.1)
    assert_open(tmp_path / "check.json")


@pytest.mark.parametrize(
    ("bias", "shown"),
    [(9.0, r"\d\.\d+"), (-900.0, r"\d+\.?\d*"), *((v, "nan") for v in NOT_FINITE)],
)
def test_a_network_that_does_not_guess_keeps_the_gate_shut(
    bias: float, shown: str, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*arguments: Any) -> Network:
        network = untrained_network(*arguments)
        network.parameters["output_bias"][4] = bias
        return network

    monkeypatch.setattr(check_initial_loss, "untrained_network", broken)

    check = initial_loss_checked(corpus, tmp_path)

    assert check["passed"] is False
    loss = check["loss_nats_per_token"]
    assert loss in ("nan", "inf") if not math.isfinite(bias) else loss > 2.5
    assert re.match(
        r"an untrained elman network of 5 hidden units does not begin at the loss of guessing,"
        rf" 2\.197 nats per token, but at ({shown}|inf); they may differ by 0\.1; see ",
        shut(tmp_path / "check.json"),
    )


@pytest.mark.parametrize(
    ("model", "title"),
    [
        (replace(MODEL, bias=False), "softmax"),
        (replace(WITH_CLASSES, bias=False), "word classes"),
        (
            replace(MODEL, tied_weights=True, recurrent_initialisation="orthogonal"),
            "softmax, tied weights, biases, orthogonal recurrent weights",
        ),
    ],
)
def test_the_title_says_what_the_network_has_beside_its_cell_and_size(
    model: ModelConfig, title: str, corpus: Path, tmp_path: Path
) -> None:
    assert initial_loss_checked(corpus, tmp_path, model)["title"] == title


def test_how_much_the_losses_may_differ_is_configured(corpus: Path, tmp_path: Path) -> None:
    config = replace(CHECKS, initial_loss_difference=1e-6)

    check = initial_loss_checked(corpus, tmp_path, MODEL, config)

    assert check["passed"] is False
    assert "they may differ by 1e-06; see" in shut(tmp_path / "check.json")


def test_the_seed_of_the_untrained_network_is_that_of_the_checks(
    corpus: Path, tmp_path: Path
) -> None:
    losses = [
        initial_loss_checked(corpus, tmp_path, MODEL, replace(CHECKS, seed=seed))[
            "loss_nats_per_token"
        ]
        for seed in (1, 1, 2)
    ]

    assert losses[0] == losses[1] != losses[2]


# The gate


@pytest.mark.parametrize("passed", [False, None, 1, "true", "yes", []])
def test_whatever_is_not_true_keeps_the_gate_shut(passed: object, tmp_path: Path) -> None:
    record = {"passed": passed, "trouble": "elman at depth 1: it is wrong"}
    (tmp_path / "check.json").write_text(json.dumps(record), "utf-8")

    assert shut(tmp_path / "check.json").startswith("elman at depth 1: it is wrong; see ")


@pytest.mark.parametrize("length", [0, 1, 100, -3])
def test_a_check_that_was_cut_short_keeps_the_gate_shut(length: int, tmp_path: Path) -> None:
    text = json.dumps({"passed": True, "trouble": None, "networks": [{}] * 50}, indent=2)
    (tmp_path / "check.json").write_text(text[:length], "utf-8")

    with pytest.raises(DataError, match=r"check\.json, row \d+: not JSON"):
        gate.run([tmp_path / "check.json"], tmp_path / "gate.json")

    assert not (tmp_path / "gate.json").exists()


def test_a_check_that_is_missing_keeps_the_gate_shut(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"check\.json cannot be read"):
        gate.run([tmp_path / "check.json"], tmp_path / "gate.json")

    assert not (tmp_path / "gate.json").exists()


# The untrained network that checks and runs share


def trained_from(
    monkeypatch: pytest.MonkeyPatch, corpus: Path, folder: Path, model: ModelConfig, seed: int
) -> tuple[Network, np.random.Generator]:
    """The network that a run begins with, and what its training is drawn by."""
    given: list[tuple[Network, np.random.Generator]] = []

    def noted(network: Network, _: Any, __: Any, ___: Any, rng: Any, *____: Any) -> Outcome:
        given.append((network, rng))
        return Outcome(network, None, [], "diverged", "not trained")

    with monkeypatch.context() as patch, (folder / "log").open("w") as log:
        patch.setattr(train, "train", noted)
        train.run("run", model, replace(RECIPE, seed=seed), {"unit": "word"}, corpus, folder, log)
    ((network, rng),) = given
    return network, rng


MODELS = {
    "plain": replace(MODEL, bias=False),
    "single precision": replace(MODEL, precision="single"),
    "tied gru": replace(MODEL, cell="gru", tied_weights=True),
    "orthogonal lstm": replace(MODEL, cell="lstm", recurrent_initialisation="orthogonal"),
    "classes": replace(WITH_CLASSES, hidden_size=3),
}


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
@pytest.mark.parametrize("seed", [1, 2])
def test_what_is_checked_is_what_a_run_of_the_same_seed_begins_with(
    model: ModelConfig, seed: int, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, _ = trained_from(monkeypatch, corpus, tmp_path, model, seed)

    found = untrained_network(model, corpus, VOCABULARY, seed)

    assert (found.cell_name, found.tied) == (begun.cell_name, begun.tied)
    assert list(found.parameters) == list(begun.parameters)
    for name, array in found.parameters.items():
        np.testing.assert_array_equal(array, begun.parameters[name])
        assert array.dtype == begun.parameters[name].dtype
    written, _, _ = read_model(tmp_path / "model")
    np.testing.assert_array_equal(
        written.parameters["recurrent_weights"], found.parameters["recurrent_weights"]
    )


@pytest.mark.parametrize("name", MODELS)
def test_an_untrained_network_has_the_configured_shape(name: str, corpus: Path) -> None:
    model = MODELS[name]

    network = untrained_network(model, corpus, VOCABULARY, 1)

    classes = word_classes() if model.output == "classes" else None
    assert {key: array.shape for key, array in network.parameters.items()} == parameter_shapes(
        model.cell, 9, model.hidden_size, model.bias, model.tied_weights, classes
    )
    dtype = np.float32 if model.precision == "single" else np.float64
    assert {array.dtype for array in network.parameters.values()} == {np.dtype(dtype)}
    blocks = network.parameters["recurrent_weights"].reshape(-1, *[model.hidden_size] * 2)
    lengths = np.linalg.norm(blocks, axis=2)
    is_orthogonal = bool(np.abs(lengths - 1).max() < 1e-6)
    assert is_orthogonal is (model.recurrent_initialisation == "orthogonal")
    if classes is not None:
        assert network.classes is not None
        np.testing.assert_array_equal(network.classes.class_of, classes.class_of)


def test_weights_are_drawn_by_the_first_of_a_runs_generators(corpus: Path) -> None:
    found = untrained_network(MODEL, corpus, VOCABULARY, 1)

    weights, _ = np.random.SeedSequence(1).spawn(2)
    expected = initialised(9, 5, np.random.default_rng(weights), bias=True)
    for name, array in found.parameters.items():
        np.testing.assert_array_equal(array, expected.parameters[name])


def test_another_seed_is_another_network(corpus: Path) -> None:
    first, second = (untrained_network(MODEL, corpus, VOCABULARY, seed) for seed in (1, 2))

    for name in ("input_weights", "recurrent_weights", "output_weights"):
        assert (first.parameters[name] != second.parameters[name]).all()


def test_without_classes_their_file_is_not_needed(tmp_path: Path) -> None:
    untrained_network(MODEL, tmp_path, VOCABULARY, 1)

    with pytest.raises(DataError, match=r"classes\.tsv cannot be read"):
        untrained_network(WITH_CLASSES, tmp_path, VOCABULARY, 1)


@pytest.mark.parametrize("seed", [0, 1, 4294967295])
def test_training_is_drawn_by_a_generator_of_its_own(seed: int) -> None:
    weights, training = generators(seed)
    again = generators(seed)

    # the one draws as much as a network needs; the other does not notice
    first = weights.random(100_000)
    np.testing.assert_array_equal(training.random(1000), again[1].random(1000))
    np.testing.assert_array_equal(first, again[0].random(100_000))
    assert not np.isin(generators(seed)[1].random(1000), first).any()
    assert not np.isin(generators(seed + 1)[0].random(1000), first).any()


def test_training_goes_the_same_way_whatever_the_network_is(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draws = [
        trained_from(monkeypatch, corpus, tmp_path, model, 1)[1].random(10).tolist()
        for model in MODELS.values()
    ]

    assert draws == [generators(1)[1].random(10).tolist()] * len(MODELS)
    assert draws[0] != trained_from(monkeypatch, corpus, tmp_path, MODEL, 2)[1].random(10).tolist()
