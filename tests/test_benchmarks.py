"""The contenders of the benchmarks do the same work: one step from the same weights. What is made
of measurements is right; nothing is timed here.
"""

import copy
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

import contenders
import corpora
import faster_rnnlm
import figure
import learners
import orchestration
import time_to_perplexity
from model_strategies import largest_error
from processes import HERE
from settings import Setting
from throughput import (
    TABLE,
    Measured,
    groups,
    quartiles,
    ratio_rows,
    throughput_rows,
)
from unrolled.errors import ConfigError, DataError
from unrolled.model.packing import pack
from unrolled.stages.untrained import network_of
from unrolled.storage import read_tsv, write_tsv
from unrolled.text.vocabulary import END, START, UNKNOWN
from unrolled.training.loop import mean_loss

SMALL = {"hidden_size": 6, "vocabulary_size": 40, "dtype": "float64"}
RECIPES = HERE / "time_to_perplexity.yaml"
NUMPY_CONTENDERS = ["softmax", "classes-frequency", "classes-brown"]


def assert_same_step(first: str, second: str, setting: Setting) -> None:
    """Both lose the same and end with the same weights, after each of some batches."""
    one, other = contenders.CONTENDERS[first](setting), contenders.CONTENDERS[second](setting)
    for sentences in setting.batches():
        losses = [subject.step(subject.prepared(sentences)) for subject in (one, other)]
        assert losses[0] == pytest.approx(losses[1], rel=1e-12)
    found, expected = one.weights(), other.weights()
    assert set(found) == set(expected)
    for name, weights in expected.items():
        assert largest_error(np.asarray(found[name]), np.asarray(weights)) < 1e-12, name


@pytest.mark.parametrize("depth", [0, 4, None])
def test_the_tutorials_code_makes_the_same_steps(depth: int | None) -> None:
    setting = Setting(truncation_depth=depth, batch_size=1, **SMALL)  # type: ignore[arg-type]

    assert_same_step("unrolled", "tutorial", setting)


@pytest.mark.parametrize("depth", [0, 4])
def test_the_truncated_gradient_in_pytorch_makes_the_same_steps(depth: int) -> None:
    pytest.importorskip("torch")
    setting = Setting(truncation_depth=depth, batch_size=8, **SMALL)  # type: ignore[arg-type]

    assert_same_step("unrolled", "torch-truncated", setting)


def test_every_setting_has_the_contender_that_ratios_are_taken_to() -> None:
    for group in TABLE:
        names = [name for name, _ in group]
        assert names[0] in ("unrolled", "unrolled-classes")
        assert names.count("torch-tuned") == 1


def test_every_contender_of_the_table_is_known() -> None:
    known = {*contenders.CONTENDERS, faster_rnnlm.NAME}

    assert {name for group in TABLE for name, _ in group} <= known


def test_sentences_of_a_setting_are_the_same_for_every_contender() -> None:
    def flat(setting: Setting) -> list[Any]:
        return [ids.tolist() for batch in setting.batches() for ids in batch]

    assert flat(Setting()) == flat(Setting())
    lengths = [len(ids) - 1 for ids in flat(Setting())]
    assert 15 < np.mean(lengths) < 26


@pytest.mark.parametrize("depth", [4, None])
def test_pytorchs_own_layer_begins_with_the_same_loss(depth: int | None) -> None:
    pytest.importorskip("torch")
    setting = Setting(truncation_depth=depth, batch_size=8, **SMALL)  # type: ignore[arg-type]
    sentences = setting.batches()[0]

    losses = []
    for name in ("unrolled", "torch"):
        subject = contenders.CONTENDERS[name](setting)
        losses.append(subject.step(subject.prepared(sentences)))

    assert losses[0] == pytest.approx(losses[1], rel=1e-12)


def test_ratios_are_those_of_one_round_and_not_of_medians() -> None:
    # the machine slows down by half between rounds; the ratios stay 2, 2, 2 and 3
    one = Measured("unrolled", Setting(), [200, 100, 50, 75], 0)
    other = Measured("torch-tuned", Setting(), [100, 50, 25, 25], 0)

    lower, middle, upper = quartiles(one, other)

    assert (lower, middle, upper) == (2, 2, 2.25)


def test_rows_of_the_table_say_what_was_measured() -> None:
    setting = Setting(hidden_size=2, vocabulary_size=10, truncation_depth=1)
    # 6 * 2 * 10 with the output weights, (1 + 2) * 2 * 4 with the recurrent ones: 144 a token
    peak = Measured("peak", setting, [28800, 14400], 0)
    group = [
        Measured("unrolled", setting, [100, 50], 3),
        Measured("torch-tuned", replace(setting, truncation_depth=None), [50, 25], 9),
    ]

    own, other = throughput_rows(peak, group)

    assert own == {
        "contender": "unrolled",
        "cell": "elman",
        "hidden_size": 2,
        "vocabulary_size": 10,
        "truncation_depth": "1",
        "batch_size": 32,
        "dtype": "float32",
        "threads": 1,
        "median_tokens_per_second": 75,
        "lowest": 50,
        "highest": 100,
        "ratio_to_tuned_torch": 2,
        "fraction_of_peak": 0.5,
    }
    assert (other["truncation_depth"], other["ratio_to_tuned_torch"]) == ("full", 1)
    (ratio,) = ratio_rows(group)
    assert (ratio["contender"], ratio["against"]) == ("unrolled", "torch-tuned")
    assert (ratio["ratio"], ratio["pairs"]) == (2, 2)


def test_a_fraction_of_the_peak_is_that_of_a_softmax() -> None:
    setting = Setting(hidden_size=2, vocabulary_size=10)
    peak = Measured("peak", setting, [28800], 0)
    group = [
        Measured("unrolled-classes", setting, [100], 0),
        Measured("torch-tuned", setting, [50], 0),
        Measured(faster_rnnlm.NAME, setting, [200], 0),
    ]

    rows = throughput_rows(peak, group)

    assert [row["fraction_of_peak"] is None for row in rows] == [True, False, True]


def test_word_classes_begin_with_the_loss_of_their_network_and_a_step_lowers_it() -> None:
    setting = Setting(hidden_size=6, vocabulary_size=200, dtype="float64", batch_size=8)
    sentences = setting.batches()[0]
    subject = contenders.UnrolledClasses(setting)
    batch = subject.prepared(sentences)
    own_loss = subject.network.losses(pack(batch)).mean()

    losses = [subject.step(batch) for _ in range(2)]

    assert subject.network.classes is not None
    assert losses[0] == pytest.approx(own_loss, rel=1e-12)
    assert losses[1] < losses[0]


def test_word_classes_begin_with_the_weights_of_the_softmax_before_the_output() -> None:
    setting = Setting(hidden_size=6, vocabulary_size=200)

    softmax, classes = (
        contenders.CONTENDERS[name](setting).weights() for name in ("unrolled", "unrolled-classes")
    )

    for name in ("input_weights", "recurrent_weights"):
        np.testing.assert_array_equal(softmax[name], classes[name])


def test_words_are_counted_as_sentences_have_them() -> None:
    setting = Setting(vocabulary_size=13)

    counts = setting.prediction_counts / setting.prediction_counts[END]

    # ten words with shares 1, 1/2, ... 1/10 of 7381/2520, twenty words a sentence
    assert counts[[START, UNKNOWN]].tolist() == [0, 0]
    assert counts[3:].sum() == pytest.approx(20)
    assert counts[3] == pytest.approx(20 * 2520 / 7381)
    assert counts[12] == pytest.approx(2 * 2520 / 7381)
    targets = np.concatenate([ids[1:] for batch in setting.batches() for ids in batch])
    found = np.bincount(targets, minlength=13) / (targets == END).sum()
    np.testing.assert_allclose(found, counts, atol=1)


def test_faster_rnnlm_is_left_out_with_a_word_where_no_path_is_given(
    capsys: pytest.CaptureFixture[str],
) -> None:
    kept = groups(None)

    assert faster_rnnlm.NAME not in {name for group in kept for name, _ in group}
    assert "faster-rnnlm is left out" in capsys.readouterr().out
    assert groups(Path("rnnlm")) == list(TABLE)


def test_faster_rnnlm_is_given_the_same_sentences_and_all_words(tmp_path: Path) -> None:
    setting = Setting(vocabulary_size=40, batch_size=32)

    faster_rnnlm.write_text(tmp_path, setting)

    lines = (tmp_path / "train.txt").read_text().splitlines()
    sentences = [[f"w{word}" for word in ids[1:-1]] for batch in setting.batches() for ids in batch]
    assert [line.split() for line in lines[: len(sentences)]] == sentences
    assert len(lines) % len(sentences) == 0
    assert sum(len(line.split()) + 1 for line in lines) >= faster_rnnlm.TOKENS
    vocabulary = [line.split() for line in (tmp_path / "model").read_text().splitlines()]
    assert vocabulary[0] == ["</s>", "50000"]
    counts = [int(count) for _, count in vocabulary[1:]]
    assert counts == sorted(counts, reverse=True)
    assert {word for word, _ in vocabulary} == {"</s>"} | {
        f"w{word}" for word in range(40) if word != END
    }


@pytest.mark.parametrize(("depth", "told"), [(4, "4"), (None, "0")])
def test_the_speed_of_faster_rnnlm_is_the_last_one_it_shows(
    depth: int | None, told: str, tmp_path: Path
) -> None:
    program = tmp_path / "rnnlm"
    program.write_text(
        "#!/bin/sh\n"
        f'echo "$@" > {tmp_path}/arguments\n'
        "printf 'progress: 40%%  90.00 Kwords/sec \\rprogress: 80%%  120.50 Kwords/sec' >&2\n"
    )
    program.chmod(0o755)

    measure = faster_rnnlm.throughput(program, Setting(vocabulary_size=40, truncation_depth=depth))

    assert measure() == 120_500
    arguments = (tmp_path / "arguments").read_text().split()
    assert arguments[arguments.index("-bptt") + 1] == told
    assert arguments[arguments.index("-threads") + 1] == "1"


def test_faster_rnnlm_that_shows_no_speed_ends_the_measurement_with_what_it_says() -> None:
    with pytest.raises(SystemExit, match="cannot open"):
        faster_rnnlm.shown_speed("cannot open the file")


def test_the_clock_stands_between_stop_and_start(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("time.process_time", lambda: now)
    clock = learners.Clock()

    clock.start()
    now = 103.0  # 3 seconds go
    clock.stop()
    clock.stop()
    now = 110.0  # these 7 do not
    clock.start()
    now = 112.0  # 2 more do

    assert clock.seconds == 5


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        # from 4 at 10 s down to 2 at 30 s: 3 lies half way
        (3.0, 20.0),
        # 1.75 is a quarter of the way from 2 at 30 s to 1 at 38 s
        (1.75, 32.0),
        (2.0, 30.0),
        # it was there before it began
        (4.5, 10.0),
        (0.5, None),
    ],
)
def test_a_loss_is_first_reached_on_the_line_between_two_looks(
    target: float, expected: float | None
) -> None:
    seconds, losses = [10.0, 30.0, 38.0, 50.0], [4.0, 2.0, 1.0, 3.0]

    assert time_to_perplexity.first_reached(seconds, losses, target) == expected


def test_times_are_compared_with_the_softmax_of_the_same_corpus_and_seed() -> None:
    def looks(
        run: tuple[str, str, int], found: Sequence[tuple[float, float]]
    ) -> list[dict[str, Any]]:
        return [
            time_to_perplexity.look_row(
                run,
                {"epoch": k, "cpu_seconds": seconds, "validation_loss_nats_per_token": loss},
            )
            for k, (seconds, loss) in enumerate(found)
        ]

    found: dict[tuple[str, str, int], list[tuple[float, float]]] = {
        ("default", "softmax", 1): [(0, 8), (50, 6), (100, 5)],
        ("default", "softmax", 2): [(0, 8), (100, 4)],
        ("default", "classes-brown", 1): [(2, 6), (12, 4)],  # 5 is half way, at 7 seconds
        ("default", "classes-brown", 2): [(2, 6), (12, 4.5)],
        ("wikitext-2", "classes-brown", 1): [(2, 6)],  # nothing to compare with
    }

    rows = time_to_perplexity.time_rows({run: looks(run, found[run]) for run in found})

    assert [row["seed"] for row in rows] == [1, 2]
    assert rows[0]["cpu_seconds"] == 7
    assert rows[0]["times_faster"] == round(100 / 7, 2)
    assert (rows[0]["softmax_epochs"], rows[0]["softmax_cpu_seconds"]) == (2, 100)
    assert rows[0]["softmax_perplexity"] == round(np.exp(5), 3)
    assert (rows[1]["cpu_seconds"], rows[1]["times_faster"]) == (None, None)


def write_wikitext(path: Path) -> None:
    """A corpus of some sixty words in the form of WikiText-2."""
    rng = np.random.default_rng(5)
    with zipfile.ZipFile(path, "w") as archive:
        for split, count in (("train", 60), ("valid", 12), ("test", 12)):
            lines = ["", " = A heading = ", ""]
            for _ in range(count):
                words = [f"w{word}" for word in rng.zipf(1.5, size=9) % 60]
                lines.append(f" {' '.join(words)} <unk> . ")
            archive.writestr(f"wikitext-2/wiki.{split}.tokens", "\n".join(lines))


def write_small_recipes(path: Path) -> None:
    """Those of the project, for a tiny network and a look after each half of one epoch."""
    recipes = copy.deepcopy(learners.read_recipes(RECIPES))
    small = {"epochs": 1, "evaluations_per_epoch": 2, "batch_size": 4, "segment_length": 10}
    for recipe in recipes["wikitext-2"].values():
        recipe["model"]["hidden_size"] = 4
        recipe["training"] |= small
        if "classes" in recipe:
            recipe["classes"]["words_alone"] = 4
    path.write_text(yaml.safe_dump(recipes))


def test_wikitext_is_read_line_by_line_from_its_zip_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with zipfile.ZipFile(tmp_path / "wikitext.zip", "w") as archive:
        archive.writestr("any/wiki.train.tokens", " \n = one = \n\n two two <unk> three two = \n")
        archive.writestr("any/wiki.valid.tokens", " two four \n")
    monkeypatch.setattr(corpora, "WIKITEXT_VOCABULARY_SIZE", 5)

    corpus = corpora.wikitext(tmp_path / "wikitext.zip")

    # = and two occur three times each and have the ids 3 and 4; all others are unknown, 2
    assert corpus.vocabulary_size == 5
    assert [ids.tolist() for ids in corpus.training] == [
        [0, 3, 2, 3, 1],
        [0, 4, 4, 2, 2, 4, 3, 1],
    ]
    assert [ids.tolist() for ids in corpus.validation] == [[0, 4, 2, 1]]
    assert corpus.training.documents.tolist() == [0, 1, 2]


def test_a_zip_file_without_wikitext_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("readme", "")

    with pytest.raises(DataError, match=r"must hold a file named wiki\.train\.tokens"):
        corpora.wikitext(tmp_path / "other.zip")


@pytest.mark.parametrize("corpus", list(corpora.READERS))
def test_recipes_of_the_project_are_sound_and_differ_by_contender(corpus: str) -> None:
    recipes = learners.read_recipes(RECIPES)[corpus]

    found = {name: learners.recipe_of(recipe, seed=7) for name, recipe in recipes.items()}

    assert list(found) == [*NUMPY_CONTENDERS, "torch-softmax"]
    assert {recipe.training.seed for recipe in found.values()} == {7}
    outputs = [recipe.model.output for recipe in found.values()]
    assert outputs == ["softmax", "classes", "classes", "softmax"]
    methods = [found[name].classes.method for name in NUMPY_CONTENDERS[1:]]
    assert methods == ["frequency", "brown"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"text": {}}, "no section 'text'"),
        ({"training": {"rate": 1}}, r"no key training\.rate"),
        ({"model": {"cell": "elman"}}, r"must say model\.hidden_size"),
    ],
)
def test_a_recipe_with_a_wrong_key_is_refused(
    change: Mapping[str, Mapping[str, Any]], message: str
) -> None:
    recipe = learners.read_recipes(RECIPES)["wikitext-2"]["softmax"]

    with pytest.raises(ConfigError, match=message):
        learners.recipe_of({**recipe, **change}, seed=1)


def measured(folder: Path, names: list[str], *more: str) -> None:
    """Measure contenders on the tiny corpus."""
    if not (folder / "recipes.yaml").exists():
        write_wikitext(folder / "wikitext.zip")
        write_small_recipes(folder / "recipes.yaml")
    time_to_perplexity.main(
        [
            *("--wikitext", str(folder / "wikitext.zip"), "--results", str(folder)),
            *("--recipes", str(folder / "recipes.yaml"), "--contenders", *names, *more),
        ]
    )


def assert_looks(rows: list[dict[str, str]]) -> None:
    """Three looks, of which the first is before training; CPU time grows."""
    seconds = [float(row["cpu_seconds"]) for row in rows]
    assert [float(row["epoch"]) for row in rows][::2] == [0, 1]
    assert seconds == sorted(set(seconds))
    for row in rows:
        loss = float(row["validation_loss_nats_per_token"])
        assert float(row["validation_perplexity"]) == pytest.approx(np.exp(loss), rel=1e-3)


def test_time_to_perplexity_writes_a_row_for_each_look_and_the_times(tmp_path: Path) -> None:
    measured(tmp_path, NUMPY_CONTENDERS)

    looks = read_tsv(tmp_path / "time_to_perplexity.tsv")
    assert list(looks[0]) == time_to_perplexity.COLUMNS
    assert len(looks) == 3 * len(NUMPY_CONTENDERS)
    of_contender = {
        name: [row for row in looks if row["contender"] == name] for name in NUMPY_CONTENDERS
    }
    for rows in of_contender.values():
        assert_looks(rows)
    # nothing is counted before the softmax trains; classes have been made by then
    assert float(of_contender["softmax"][0]["cpu_seconds"]) == 0
    assert float(of_contender["classes-brown"][0]["cpu_seconds"]) > 0
    times = read_tsv(tmp_path / "time_to_softmax.tsv")
    assert list(times[0]) == time_to_perplexity.TIMES_COLUMNS
    assert [row["contender"] for row in times] == ["classes-brown", "classes-frequency"]


def test_earlier_runs_of_others_stay_in_the_table(tmp_path: Path) -> None:
    earlier = ("default", "softmax", 3)
    look = {"epoch": 1, "cpu_seconds": 2, "validation_loss_nats_per_token": 5}
    old = time_to_perplexity.look_row(("wikitext-2", "softmax", 2), {**look, "epoch": 9})
    rows = [time_to_perplexity.look_row(earlier, look), old]
    write_tsv(tmp_path / "time_to_perplexity.tsv", time_to_perplexity.COLUMNS, rows)

    measured(tmp_path, ["softmax"], "--seeds", "2")

    found = time_to_perplexity.read_looks(tmp_path / "time_to_perplexity.tsv")
    assert list(found) == [earlier, ("wikitext-2", "softmax", 2)]
    assert [row["epoch"] for row in found["wikitext-2", "softmax", 2]][-1] == 1


def test_pytorch_learns_in_turns_as_well(tmp_path: Path) -> None:
    pytest.importorskip("torch")

    measured(tmp_path, ["torch-softmax"])

    assert_looks(read_tsv(tmp_path / "time_to_perplexity.tsv"))


@pytest.mark.parametrize("carry_state", [False, True])
def test_the_network_in_pytorch_has_the_loss_of_one_with_the_same_weights(
    carry_state: bool, tmp_path: Path
) -> None:
    torch = pytest.importorskip("torch")
    import torch_learner

    write_wikitext(tmp_path / "wikitext.zip")
    corpus = corpora.wikitext(tmp_path / "wikitext.zip")
    given = learners.read_recipes(RECIPES)["wikitext-2"]["softmax"]
    recipe = learners.recipe_of({**given, "model": {**given["model"], "hidden_size": 5}}, seed=1)
    own = network_of(recipe.model, corpus.vocabulary_size, None, np.random.default_rng(1))
    network = torch_learner.Network(corpus.vocabulary_size, 5, bias=True)
    copied = {
        "embedding.weight": own.parameters["input_weights"],
        "layer.weight_ih_l0": np.eye(5, dtype=np.float32),
        "layer.weight_hh_l0": own.parameters["recurrent_weights"],
        "layer.bias_ih_l0": own.parameters["bias"],
        "layer.bias_hh_l0": np.zeros(5, dtype=np.float32),
        "output.weight": own.parameters["output_weights"],
        "output.bias": own.parameters["output_bias"],
    }
    network.load_state_dict({name: torch.from_numpy(copied[name].copy("C")) for name in copied})

    found = torch_learner.mean_loss(network, corpus.validation, carry_state)

    assert found == pytest.approx(mean_loss(own, corpus.validation, carry_state), rel=1e-6)


def test_pytorch_refuses_a_recipe_for_what_it_is_not_made_for() -> None:
    pytest.importorskip("torch")
    import torch_learner

    recipes = learners.read_recipes(RECIPES)["default"]
    recipe = learners.recipe_of(recipes["classes-brown"], seed=1)

    with pytest.raises(ConfigError, match=r"model\.output must be 'softmax' \(got 'classes'\)"):
        torch_learner.require_supported(recipe)


def test_pictures_are_drawn_of_what_has_been_measured(tmp_path: Path) -> None:
    peak = Measured("peak", Setting(), [1e9], 0)
    rows = [
        {"group": number, **row}
        for number, group in enumerate(TABLE)
        for row in throughput_rows(
            peak, [Measured(name, setting, [2000 + number], 0) for name, setting in group]
        )
    ]
    write_tsv(tmp_path / "throughput.tsv", list(rows[0]), rows)
    looks = [
        time_to_perplexity.look_row(
            ("default", name, seed),
            {"epoch": k, "cpu_seconds": k, "validation_loss_nats_per_token": 8 - k},
        )
        for name in ("softmax", "classes-brown")
        for seed in (1, 2)
        for k in range(3)
    ]
    write_tsv(tmp_path / "time_to_perplexity.tsv", time_to_perplexity.COLUMNS, looks)

    figures = figure.draw(tmp_path)

    assert list(figures) == ["throughput.svg", "classes.svg", "time_to_perplexity.svg"]
    for name, drawn in figures.items():
        drawn.savefig(tmp_path / name)
    # speed beside PyTorch has no setting of word classes; these all have one
    shown = [label.get_text() for label in figures["throughput.svg"].axes[0].get_yticklabels()]
    assert len(shown) == len(set(shown)) == 10
    assert len(figures["classes.svg"].axes[0].get_yticklabels()) == len(TABLE) - 10
    # the untrained network, epoch 0, is left out
    line = figures["time_to_perplexity.svg"].axes[0].lines[0]
    assert np.asarray(line.get_xdata()).tolist() == [1, 2]


def test_what_snakemake_costs_is_one_table_of_dry_runs_and_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = iter([5.0, 2.0, 40.0, 25.0])

    def in_place_of_snakemake(project: Path, _: Sequence[str]) -> float:
        write_tsv(project / "results/small/benchmarks/encode.tsv", ["s"], [{"s": 30.0}])
        return next(seconds)

    monkeypatch.setattr(orchestration, "_seconds", in_place_of_snakemake)

    rows = [orchestration._planned(tmp_path, 10, 1), *orchestration._run(tmp_path, "small")]
    write_tsv(tmp_path / "table.tsv", orchestration.COLUMNS, rows)

    # one job of 30 of 40 seconds on one core, and of 2 * 25 = 50 on two
    assert [list(row.values()) for row in read_tsv(tmp_path / "table.tsv")] == [
        ["dry run", "10", "10", "5.0", "2.0", ""],
        ["small", "1", "1", "40.0", "", "0.25"],
        ["small", "2", "1", "25.0", "", "0.4"],
    ]
