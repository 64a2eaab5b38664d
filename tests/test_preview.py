"""What is said to be left of a sweep, and what it is said to take."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from test_status import begin, checkpoint, end
from unrolled.errors import DataError
from unrolled.lock import locked
from unrolled.stages import preview
from unrolled.stages.preview import Corpus, Measured, expected_memory_mb, expected_seconds, pending
from unrolled.storage import write_json, write_text

SETTINGS: Mapping[str, Any] = {
    "cell": "elman",
    "hidden_size": 100,
    "truncation_depth": 4,
    "output": "softmax",
    "bias": False,
    "tied_weights": False,
    "precision": "single",
    "optimiser": "sgd",
    "epochs": 3,
    "batch_size": 16,
    "carry_state": False,
    "segment_length": 20,
}
CORPUS = Corpus(predictions=1_000_000, sentences=50_000, vocabulary_size=4000)
MEASURED = Measured(SETTINGS, tokens_per_second=50_000, peak_memory_mb=200)


def like(**settings: Any) -> dict[str, Any]:
    return {**SETTINGS, **settings}


# Time


def test_an_equal_run_takes_as_long_for_each_token() -> None:
    # 3 epochs of a million tokens at 50,000 a second
    assert expected_seconds(SETTINGS, CORPUS, [MEASURED]) == pytest.approx(60)
    assert expected_seconds(like(epochs=1), CORPUS, [MEASURED]) == pytest.approx(20)


@pytest.mark.parametrize(
    ("settings", "slower"),
    [
        ({"hidden_size": 300}, 3),
        ({"cell": "lstm"}, 4),  # four blocks
        ({"cell": "gru", "hidden_size": 200}, 6),
        ({"hidden_size": 10}, 1),  # small networks do not gain as much as they have less to do
    ],
)
def test_a_run_with_more_work_takes_as_much_longer_and_one_with_less_no_shorter(
    settings: Mapping[str, Any], slower: float
) -> None:
    assert expected_seconds(like(**settings), CORPUS, [MEASURED]) == pytest.approx(60 * slower)


def test_of_several_runs_that_counts_which_is_nearest_in_work_and_then_in_other_settings() -> None:
    measured = [
        MEASURED,
        Measured(like(hidden_size=400, truncation_depth="full"), 10_000),
        Measured(like(hidden_size=400), 20_000),
        Measured(like(hidden_size=1600), 1_000),
    ]

    # 300 is nearer to 400 than to 100, in that 4 / 3 is less than 3: 3 million at 20,000
    assert expected_seconds(like(hidden_size=300), CORPUS, measured) == pytest.approx(150)
    full = like(hidden_size=300, truncation_depth="full")
    assert expected_seconds(full, CORPUS, measured) == pytest.approx(300)


def test_nothing_is_known_before_there_is_a_measurement_and_a_corpus() -> None:
    assert expected_seconds(SETTINGS, CORPUS, []) is None
    assert expected_seconds(SETTINGS, None, [MEASURED]) is None
    assert expected_memory_mb(SETTINGS, None, [MEASURED]) is None


# Memory


def test_a_run_with_more_parameters_takes_what_the_measured_one_took_and_the_difference() -> None:
    # 4000 * 100 * 2 + 100 * 100 = 810,000 numbers, with 200 units 1,640,000. Plain descent has them
    # 5 times: twice the weights and the best ones, and the gradient. 830,000 * 5 * 4 bytes are
    # 16.6 million, 15.83 MB.
    found = expected_memory_mb(like(hidden_size=200), CORPUS, [MEASURED])

    assert found == pytest.approx(200 + 16.6e6 / 2**20)
    assert expected_memory_mb(like(hidden_size=50), CORPUS, [MEASURED]) == 200


def test_without_a_run_that_has_ended_memory_follows_from_the_sizes() -> None:
    under_way = Measured(SETTINGS, 50_000)

    # Beside 810,000 * 5 numbers there are three times the logits of a batch: 16 sentences of
    # 1,000,000 / 50,000 = 20 predictions, each with 4000 words.
    expected = preview.EMPTY_MB + (810_000 * 5 + 3 * 16 * 20 * 4000) * 4 / 2**20
    assert expected_memory_mb(SETTINGS, CORPUS, [under_way]) == pytest.approx(expected)
    doubled = expected_memory_mb(like(precision="double"), CORPUS, [])
    assert doubled == pytest.approx(2 * expected - preview.EMPTY_MB)
    longer = like(carry_state=True, segment_length=40)  # words of a stream in place of sentences
    assert expected_memory_mb(longer, CORPUS, []) == pytest.approx(
        expected + 3 * 16 * 20 * 4000 * 4 / 2**20
    )


# What is to do


def printing(folder: Path, *lines: str) -> list[str]:
    """A command that prints a table of files."""
    table = "\n".join(["Building ...", "output_file\tdate\trule\tlog\tstatus\tplan", *lines])
    write_text(folder / "table.py", f"print({table!r})")
    return [sys.executable, str(folder / "table.py")]


def row(experiment: Path, run: str, status: str, plan: str = "update pending") -> str:
    return f"{experiment}/runs/{run}/metrics.json\tnow\ttrain\ta.log\t{status}\t{plan}"


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
    begin(experiment, "stopped", "StoppedError: stopped", share=0.75)
    checkpoint(experiment / "state/stopped", 3)
    begin(experiment, "killed", share=0.75)  # before its first checkpoint
    busy = begin(experiment, "busy", tokens_per_second=30_000)
    names = ["good", "changed", "stopped", "killed", "busy", "left"]
    command = printing(
        experiment,
        row(experiment, "good", "ok", "no update"),
        row(experiment, "changed", "params changed"),
        *(row(experiment, name, "missing") for name in ("stopped", "killed", "busy")),
    )

    with locked(busy, pytest.fail):
        text = preview.run(
            {"one": dict.fromkeys(names, SETTINGS)}, experiment.parent, command, cores=2
        )

    # changed and killed take 100 seconds, stopped 25, and busy has said 90: 315 in all
    assert text.split("\n") == [
        "one: 4 of 6 runs to do",
        "",
        "run      to do                        state     time   memory, MB",
        "good     –                            finished",
        "changed  train again: params changed  finished  2 min  120",
        "stopped  train                        stopped   25 s   120",
        "killed   train                        failed    2 min  120",
        "busy     is being trained             running   2 min  120",
        "left     –                            waiting",
        "",
        "Training alone is likely to take 3 min on 2 cores (5 min on one), and 240 MB of memory for"
        " 2 at once.",
    ]


def test_a_run_that_is_about_to_end_is_not_taken_for_one_that_begins(experiment: Path) -> None:
    end(experiment, "good")
    busy = begin(experiment, "busy", seconds_left=0)
    command = printing(experiment, row(experiment, "busy", "missing"))

    with locked(busy, pytest.fail):
        text = preview.run({"one": {"busy": SETTINGS}}, experiment.parent, command, cores=1)

    assert "busy  is being trained  running  0 s " in text


def test_no_more_cores_than_runs_make_it_shorter(experiment: Path) -> None:
    end(experiment, "a")
    command = printing(experiment, row(experiment, "a", "ok"))

    text = preview.run({"one": {"a": SETTINGS}}, experiment.parent, command, cores=8)

    assert "a    train again: what it reads changes  finished  2 min  120\n" in text
    assert text.endswith(
        "likely to take 2 min on 8 cores (2 min on one), and 120 MB of memory for 1 at once."
    )


def test_before_the_first_run_only_memory_is_known_and_that_is_said(experiment: Path) -> None:
    command = printing(experiment, row(experiment, "a", "missing"))

    text = preview.run({"one": {"a": SETTINGS}}, experiment.parent, command, cores=1)

    # 125 + (810,000 * 5 + 3 * 320 * 4000) * 4 bytes, which are 30.1 MB
    assert "a    train  waiting  –     155\n" in text
    assert text.endswith("is not known before a first run has trained for some seconds.")


def test_of_a_finished_sweep_nothing_is_to_do(experiment: Path) -> None:
    end(experiment, "a")
    command = printing(experiment, row(experiment, "a", "ok", "no update"))

    text = preview.run({"one": {"a": SETTINGS}}, experiment.parent, command, cores=1)

    assert text.startswith("one: 0 of 1 runs to do\n")
    assert text.endswith("Nothing is to be trained.")
