"""The proof of the gradients is written whether it holds or not; the gate stops on a failed one."""

import json
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from unrolled.config.sections import ChecksConfig
from unrolled.errors import CheckError, DataError
from unrolled.model.cells import CELLS
from unrolled.model.initialisation import parameter_shapes
from unrolled.model.network import Network
from unrolled.model.packing import PackedBatch
from unrolled.model.types import Gradients
from unrolled.stages import check_gradients, gate
from unrolled.text.classes import frequency_classes

CONFIG = ChecksConfig(
    hidden_size=3, vocabulary_size=5, sentences=2, step=1e-5, tolerance=1e-7, seed=1
)


def break_recurrent_gradient(monkeypatch: pytest.MonkeyPatch, value: float) -> None:
    """Let back-propagation give this value for one entry of the recurrent weights."""
    sound = Network.loss_and_gradients

    def broken(
        network: Network, batch: PackedBatch, truncation_depth: int | None
    ) -> tuple[float, Gradients]:
        loss, gradients = sound(network, batch, truncation_depth)
        recurrent = np.array(gradients["recurrent_weights"])
        recurrent[2, 1] = value
        return loss, {**gradients, "recurrent_weights": recurrent}

    monkeypatch.setattr(Network, "loss_and_gradients", broken)


def strictly_read(path: Path) -> Any:
    """The JSON of a file, in which NaN and Infinity are no values."""

    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is not JSON")

    return json.loads(path.read_text("utf-8"), parse_constant=refuse)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize(
    ("output", "tied"),
    [("softmax", False), ("softmax", True), ("classes", False)],
    ids=["free", "tied", "classes"],
)
@pytest.mark.parametrize("depth", [0, 2, "full"])
def test_sound_gradients_are_written_as_passed_and_open_the_gate(
    cell: str, output: str, tied: bool, depth: int | str, tmp_path: Path
) -> None:
    check_gradients.run(CONFIG, cell, output, tied, depth, tmp_path / "check.json")
    gate.run(tmp_path / "check.json", tmp_path / "gate.json")

    check = strictly_read(tmp_path / "check.json")
    assert (check["passed"], check["cell"], check["truncation_depth"]) == (True, cell, depth)
    assert check["tied_weights"] is tied
    assert check["output"] == output
    assert (check["tolerance"], check["seed"], check["sentences"]) == (1e-7, 1, 2)
    # of five words one stands alone and four are one class
    classes = frequency_classes(np.arange(5), 1, 1) if output == "classes" else None
    shapes = parameter_shapes(cell, 5, 3, bias=True, tied=tied, classes=classes)
    assert [entry["parameter"] for entry in check["parameters"]] == list(shapes)
    for entry, shape in zip(check["parameters"], shapes.values(), strict=True):
        assert entry["passed"] is True
        assert entry["error"] < 1e-8
        assert entry["compared_count"] + entry["tiny_count"] == math.prod(shape)
        assert sum(entry["relative_error_histogram"].values()) == entry["compared_count"]
    assert strictly_read(tmp_path / "gate.json") == {"passed": True, "check": "check.json"}


@pytest.mark.parametrize("value", [0.125, math.nan, math.inf, -math.inf])
def test_a_broken_gradient_is_written_as_not_passed(
    value: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_recurrent_gradient(monkeypatch, value)

    check_gradients.run(CONFIG, "elman", "softmax", False, 1, tmp_path / "check.json")

    check = strictly_read(tmp_path / "check.json")
    passed = {entry["parameter"]: entry["passed"] for entry in check["parameters"]}
    assert check["passed"] is False
    assert [name for name in passed if not passed[name]] == ["recurrent_weights"]
    assert len(passed) == 5
    recurrent = check["parameters"][1]
    assert recurrent["worst_index"] == [2, 1]
    assert recurrent["analytic"] == (value if math.isfinite(value) else str(value))
    assert isinstance(recurrent["numeric"], float)


@pytest.mark.parametrize("value", [0.125, math.nan, math.inf])
@pytest.mark.parametrize(("tied", "said"), [(False, ""), (True, " with tied weights")])
def test_the_gate_names_parameter_index_and_both_values(
    value: float, tied: bool, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_recurrent_gradient(monkeypatch, value)
    check_gradients.run(CONFIG, "elman", "softmax", tied, 1, tmp_path / "check.json")
    (numeric,) = (
        parameter["numeric"]
        for parameter in strictly_read(tmp_path / "check.json")["parameters"]
        if parameter["parameter"] == "recurrent_weights"
    )

    with pytest.raises(
        CheckError,
        match=rf"gradient of elman{said} at depth 1 is wrong: recurrent_weights\[2, 1\] is {value}"
        rf" by back-propagation and {re.escape(str(numeric))}"
        r" by central differences .* see .*check",
    ):
        gate.run(tmp_path / "check.json", tmp_path / "gate.json")

    assert not (tmp_path / "gate.json").exists()


def test_a_check_of_no_parameter_keeps_the_gate_shut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check_gradients, "check_gradients", lambda *arguments: [])
    check_gradients.run(CONFIG, "elman", "softmax", False, 1, tmp_path / "check.json")

    with pytest.raises(CheckError, match=r"check\.json holds no parameter that was checked"):
        gate.run(tmp_path / "check.json", tmp_path / "gate.json")


def test_a_check_that_was_cut_short_keeps_the_gate_shut(tmp_path: Path) -> None:
    check_gradients.run(CONFIG, "elman", "softmax", False, 0, tmp_path / "check.json")
    text = (tmp_path / "check.json").read_text("utf-8")
    (tmp_path / "check.json").write_text(text[:100], "utf-8")

    with pytest.raises(DataError, match=r"check\.json, row \d+: not JSON"):
        gate.run(tmp_path / "check.json", tmp_path / "gate.json")
