"""What is said to be left of a sweep, and what it is said to take."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from test_estimates import SETTINGS
from test_status import begin, end
from unrolled.errors import DataError
from unrolled.lock import locked
from unrolled.stages import preview
from unrolled.stages.preview import pending
from unrolled.storage import write_json, write_text

CODE = "abc"


def checkpoint(
    experiment: Path,
    run: str,
    code: str = CODE,
    numpy: str = np.__version__,
    settings: Mapping[str, Any] = SETTINGS,
) -> None:
    """Let a run with some settings have kept its place, by which code ever."""
    epochs = {"epochs": settings["epochs"]}
    model = {key: value for key, value in settings.items() if key != "epochs"}
    fingerprint = {"model": model, "training": epochs, "code": code, "numpy": numpy, "data": {}}
    for step, depends_on in ((3, {**fingerprint, "code": "another"}), (20, fingerprint)):
        notes = experiment / "state" / run / f"step-{step:09}.json"
        write_json(notes, {"step": step, "fingerprint": depends_on})


def printing(folder: Path, *lines: str) -> list[str]:
    """A command that prints a table of files."""
    table = "\n".join(["Building ...", "output_file\tdate\trule\tlog\tstatus\tplan", *lines])
    write_text(folder / "table.py", f"print({table!r})")
    return [sys.executable, str(folder / "table.py")]


def row(experiment: Path, run: str, status: str, plan: str = "update pending") -> str:
    return f"{experiment}/runs/{run}\tnow\ttrain\ta.log\t{status}\t{plan}"


def test_files_that_are_to_be_made_are_told_with_their_reason(tmp_path: Path) -> None:
    command = printing(
        tmp_path,
        "a/b.json\t-\ttrain\tx.log\tmissing\tupdate pending",
        "c d.tsv\tnow\ttrain\tx.log\tok\tno update",
        "e\tnow\ttrain\t\tparams changed\tupdate pending",
    )

    assert pending(command) == {"a/b.json": "missing", "e": "params changed"}


@pytest.mark.parametrize(
    ("program", "told"),
    [
        ("import sys; sys.exit('it is locked')", "it is locked"),
        ("print('nothing')", "no table"),
        ("print('output_file\\tplan'); import sys; sys.exit(3)", "no table"),
    ],
)
def test_a_command_that_prints_no_table_is_told(program: str, told: str) -> None:
    with pytest.raises(DataError, match=rf"must print a table of files \(got: {told}\)"):
        pending([sys.executable, "-c", program])


@pytest.fixture
def experiment(tmp_path: Path) -> Path:
    """The folder of an experiment whose corpus is there."""
    split = {"tokens": 950_000, "sentences": 50_000}
    folder = tmp_path / "one"
    write_json(
        folder / "corpus/profile.json", {"splits": {"train": split}, "vocabulary_size": 4000}
    )
    return folder


def test_the_table_tells_what_is_to_do_of_each_run_and_what_all_of_it_takes(
    experiment: Path,
) -> None:
    # the finished one made 30,000 tokens a second: 3 million take 100 seconds
    for name in ("good", "changed"):
        end(experiment, name)
    begin(experiment, "stopped", {"state": "stopped", "reason": "asked to"}, share=0.75)
    checkpoint(experiment, "stopped")
    for name, code in (("measured", CODE), ("edited", "of before")):
        end(experiment, name)
        begin(experiment, name, share=0.99)
        checkpoint(experiment, name, code=code)
    begin(experiment, "killed", share=0.75)  # before its first checkpoint
    busy = begin(experiment, "busy", tokens_per_second=30_000)
    names = ["good", "changed", "measured", "edited", "stopped", "killed", "busy", "left"]
    command = printing(
        experiment,
        row(experiment, "good", "ok", "no update"),
        *(row(experiment, name, "params changed") for name in ("changed", "measured", "edited")),
        *(row(experiment, name, "missing") for name in ("stopped", "killed", "busy")),
    )

    with locked(busy, pytest.fail):
        text = preview.run(
            {"one": dict.fromkeys(names, SETTINGS)}, experiment.parent, command, cores=2, code=CODE
        )

    # changed, edited and killed take 100 seconds, measured 1, stopped 25, and busy has said 90: 416
    assert text.split("\n") == [
        "one: 6 of 8 runs to do",
        "",
        "run       to do                          state     time   memory, MB",
        "good      –                              finished",
        "changed   train again: params changed    finished  2 min  120",
        "measured  measure again: params changed  finished  1 s    120",
        "edited    train again: params changed    finished  2 min  120",
        "stopped   train                          stopped   25 s   120",
        "killed    train                          failed    2 min  120",
        "busy      is being trained               running   2 min  120",
        "left      –                              waiting",
        "",
        "Training alone is likely to take 3 min on 2 cores (7 min on one), and 240 MB of memory for"
        " 2 at once.",
    ]


def to_do(experiment: Path, settings: Mapping[str, Any] = SETTINGS, *pending: str) -> str:
    """What is said of a trained run, with its settings, when files of the corpus are to be made."""
    end(experiment, "a")
    begin(experiment, "a", share=1.0)
    corpus = [f"{experiment}/corpus/{name}\tnow\tx\ta.log\tmissing\tupdate" for name in pending]
    command = printing(experiment, row(experiment, "a", "ok"), *corpus)
    return preview.run({"one": {"a": settings}}, experiment.parent, command, cores=1, code=CODE)


@pytest.mark.parametrize(
    ("output", "pending", "what"),
    [
        ("softmax", "profile.json", "measure"),
        ("softmax", "classes.tsv", "measure"),
        ("softmax", "encoded", "train"),
        ("softmax", "vocabulary.tsv", "train"),
        ("classes", "classes.tsv", "train"),
        ("classes", "telling_classes.tsv", "measure"),
    ],
)
def test_a_trained_run_is_trained_again_where_another_text_is_to_be_read(
    output: str, pending: str, what: str, experiment: Path
) -> None:
    settings = {**SETTINGS, "output": output}
    checkpoint(experiment, "a", settings=settings)

    assert f"a    {what} again: " in to_do(experiment, settings, pending)


def test_a_trained_run_is_trained_again_with_another_numpy(experiment: Path) -> None:
    checkpoint(experiment, "a", numpy="1.0")

    assert "a    train again: " in to_do(experiment)


def test_of_a_sweep_that_is_measured_again_nothing_is_to_be_trained(experiment: Path) -> None:
    checkpoint(experiment, "a")

    text = to_do(experiment)

    assert "a    measure again: what it reads changes  finished  0 s " in text
    assert text.endswith("\n\nNothing is to be trained, only measured.")


def test_a_run_that_is_about_to_end_is_not_taken_for_one_that_begins(experiment: Path) -> None:
    end(experiment, "good")
    busy = begin(experiment, "busy", seconds_left=0)
    command = printing(experiment, row(experiment, "busy", "missing"))

    with locked(busy, pytest.fail):
        text = preview.run(
            {"one": {"busy": SETTINGS}}, experiment.parent, command, cores=1, code=CODE
        )

    assert "busy  is being trained  running  0 s " in text


def test_no_more_cores_than_runs_make_it_shorter(experiment: Path) -> None:
    end(experiment, "a")
    command = printing(experiment, row(experiment, "a", "ok"))

    text = preview.run({"one": {"a": SETTINGS}}, experiment.parent, command, cores=8, code=CODE)

    assert "a    train again: what it reads changes  finished  2 min  120\n" in text
    assert text.endswith(
        "likely to take 2 min on 8 cores (2 min on one), and 120 MB of memory for 1 at once."
    )


def test_before_the_first_run_only_memory_is_known_and_that_is_said(experiment: Path) -> None:
    command = printing(experiment, row(experiment, "a", "missing"))

    text = preview.run({"one": {"a": SETTINGS}}, experiment.parent, command, cores=1, code=CODE)

    # 125 + (810,000 * 5 + 3 * 320 * 4000) * 4 bytes, which are 30.1 MB
    assert "a    train  waiting  –     155\n" in text
    assert text.endswith("is not known before a first run has trained for some seconds.")


def test_of_a_finished_sweep_nothing_is_to_do(experiment: Path) -> None:
    end(experiment, "a")
    command = printing(experiment, row(experiment, "a", "ok", "no update"))

    text = preview.run({"one": {"a": SETTINGS}}, experiment.parent, command, cores=1, code=CODE)

    assert text.startswith("one: 0 of 1 runs to do\n")
    assert text.endswith("Nothing is to be trained.")
