"""The stages of a text that is drawn from a grammar: paths in, files out."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model_strategies import network_of, some_classes
from report_material import summary_row
from test_derivation import sentences_of
from test_languages import CONFIG
from training_strategies import read_by_hand
from unrolled.config.corpus_sections import GrammarConfig
from unrolled.config.sections import VocabularyConfig
from unrolled.corpus.grammars.derivation import entropy_nats_per_sentence, entropy_nats_per_token
from unrolled.corpus.grammars.grammar import Grammar, grammar_text
from unrolled.corpus.grammars.languages import countdown, language
from unrolled.errors import DataError
from unrolled.model.files import write_model
from unrolled.model.network import Network
from unrolled.report.agreement import COLUMNS, curves
from unrolled.report.pictures import SUFFIXES, read_picture
from unrolled.stages import (
    agreement,
    agreement_figure,
    agreements,
    baselines,
    draw,
    encode,
    evaluate,
    measure_grammar,
    summarise,
)
from unrolled.stages import vocabulary as vocabulary_stage
from unrolled.stages.inventory import write_checksums
from unrolled.storage import read_json, read_tsv, write_json, write_text, write_tsv
from unrolled.text.dataset import Dataset, read_dataset
from unrolled.text.sentence_file import iterate_sentences, write_sentences
from unrolled.text.vocabulary import Vocabulary, read_vocabulary

SPLITS = ("train", "valid", "test")
SMALL = replace(
    CONFIG,
    markers=3,
    distances=[1, 2, 4],
    fillers=2,
    training_sentences=200,
    validation_sentences=70,
    test_sentences=90,
)
"""Three pairs of words, with up to four fillers between."""

PETS = (
    "S -> 'dog' B [0.5] | 'cat' M [0.25] | 'hush' [0.25]\n"
    "B -> 'and' S Y [0.25] | 'barks' [0.75]\n"
    "M -> 'meows' [1.0]\n"
    "Y -> 'barks' [0.5] | 'sits' [0.5]\n"
)
"""Nested sentences: dog and cat meows barks."""


@pytest.fixture
def pets(tmp_path: Path) -> GrammarConfig:
    """Rules of a user's own, with words that agree."""
    write_text(tmp_path / "pets.pcfg", PETS)
    return replace(
        SMALL,
        language="file",
        path=str(tmp_path / "pets.pcfg"),
        agreement={"barks": "dog", "meows": "cat"},
    )


def drawn(folder: Path, config: GrammarConfig) -> Path:
    """The folder, with the sentences of each split and what belongs to them."""
    write_text(folder / "grammar.txt", grammar_text(language(config)))
    texts = {split: folder / f"{split}.txt" for split in SPLITS}
    draw.run(config, folder / "grammar.txt", texts, folder / "accounts.json")
    return folder


def measured(folder: Path, config: GrammarConfig) -> None:
    """Measure the grammar by the sentences of a folder."""
    measure_grammar.run(
        config,
        folder / "grammar.txt",
        {split: folder / f"{split}.txt" for split in SPLITS[1:]},
        folder / "floor.tsv",
        folder / "agreement.tsv",
        folder / "entropy.json",
    )


def encoded(folder: Path, vocabulary_size: int = 100, closed: bool = True) -> None:
    """Encode the splits of a folder by the words of the training split."""
    texts = {split: folder / f"{split}.txt" for split in SPLITS}
    known = VocabularyConfig(None, minimum_count=1, vocabulary_size=vocabulary_size)
    vocabulary_stage.run(known, texts["train"], folder / "vocabulary.tsv")
    encode.run(
        texts,
        folder / "vocabulary.tsv",
        folder / "accounts.json",
        folder / "encoded",
        folder / "profile.json",
        closed,
    )


def sentences_in(path: Path) -> list[list[str]]:
    """The sentences of a file, documents left aside."""
    return [words for _, words in iterate_sentences(path)]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus of the small countdown that has gone through all stages before training."""
    folder = drawn(tmp_path_factory.mktemp("corpus"), SMALL)
    measured(folder, SMALL)
    encoded(folder)
    return folder


def probabilities_of(grammar: Grammar) -> dict[str, float]:
    """The probability of every sentence of a grammar that has so many and no more."""
    return {" ".join(words): chance for words, chance in sentences_of(grammar, [grammar.start])}


# Sentences


def test_each_split_has_as_many_sentences_as_asked_for_each_a_document_of_its_own(
    corpus: Path,
) -> None:
    begins = {
        split: [begins for begins, _ in iterate_sentences(corpus / f"{split}.txt")]
        for split in SPLITS
    }

    assert begins == {"train": [True] * 200, "valid": [True] * 70, "test": [True] * 90}


def test_sentences_of_each_split_are_those_of_the_grammar(corpus: Path) -> None:
    known = probabilities_of(countdown(3, [1, 2, 4], 2))

    for split in SPLITS:
        assert {" ".join(words) for words in sentences_in(corpus / f"{split}.txt")} <= known.keys()


def test_sentences_are_as_frequent_as_they_are_probable(tmp_path: Path, pets: Any) -> None:
    folder = drawn(tmp_path / "corpus", replace(pets, training_sentences=4000))

    counts = Counter(words[0] for words in sentences_in(folder / "train.txt"))

    # 4000 tosses of 1/4 have a standard deviation of 27
    assert counts["dog"] == pytest.approx(2000, abs=130)
    assert counts["cat"] == pytest.approx(1000, abs=110)


def test_every_sentence_is_accounted_for_and_none_put_aside(corpus: Path) -> None:
    accounts = read_json(corpus / "accounts.json")

    # 200 + 70 + 90 sentences, each a row and a document as well
    assert accounts == {
        "rows": {"read": 360, "accepted": 360, "rejected": {}},
        "documents": {"read": 360, "put_aside": {}, "train": 200, "valid": 70, "test": 90},
        "cleaning": {},
        "sentences": {"read": 360, "put_aside": {}},
        "tokenizer": {},
    }
    assert read_json(corpus / "profile.json")["accounts"] == accounts


def test_equal_seeds_draw_equal_bytes_and_other_seeds_others(tmp_path: Path) -> None:
    for name, seed in (("first", 1), ("again", 1), ("other", 2)):
        drawn(tmp_path / name, replace(SMALL, seed=seed))

    for split in SPLITS:
        first, again, other = (
            (tmp_path / name / f"{split}.txt").read_bytes() for name in ("first", "again", "other")
        )
        assert first == again
        assert first != other


def test_the_splits_are_drawn_apart_from_each_other(tmp_path: Path) -> None:
    counts = dict.fromkeys(("training_sentences", "validation_sentences", "test_sentences"), 60)

    folder = drawn(tmp_path, replace(CONFIG, **counts))  # type: ignore[arg-type]

    texts = [sentences_in(folder / f"{split}.txt") for split in SPLITS]
    for one, other in ((0, 1), (0, 2), (1, 2)):
        same = sum(left == right for left, right in zip(texts[one], texts[other], strict=True))
        assert same < 5  # as two sentences may be the same by chance


@pytest.mark.parametrize("key", ["training_sentences", "validation_sentences", "test_sentences"])
def test_more_sentences_of_one_split_leave_those_of_the_others_as_they_are(
    key: str, corpus: Path, tmp_path: Path
) -> None:
    changes: dict[str, Any] = {key: 5000}
    (changed,) = (split for split in SPLITS if key.startswith(split))

    folder = drawn(tmp_path, replace(SMALL, **changes))

    for split in SPLITS:
        before, after = ((each / f"{split}.txt").read_bytes() for each in (corpus, folder))
        assert after.startswith(before)  # the first ones stay what they were
        assert (after == before) == (split != changed)


# The floor


def test_the_floor_is_the_logarithm_of_each_sentences_probability(corpus: Path) -> None:
    chances = probabilities_of(countdown(3, [1, 2, 4], 2))

    rows = read_tsv(corpus / "floor.tsv")

    sentences = {split: sentences_in(corpus / f"{split}.txt") for split in ("valid", "test")}
    assert list(rows[0]) == ["split", "sentence", "tokens", "log_probability"]
    assert [(row["split"], row["sentence"]) for row in rows] == [
        (split, str(number))
        for split, found in sentences.items()
        for number in range(1, len(found) + 1)
    ]
    for row in rows:
        words = sentences[row["split"]][int(row["sentence"]) - 1]
        expected = math.log(chances[" ".join(words)])
        assert int(row["tokens"]) == len(words) + 1  # its end
        assert float(row["log_probability"]) == pytest.approx(expected, rel=1e-12)


def test_agreeing_words_are_named_with_their_place_and_distance(corpus: Path) -> None:
    rows = read_tsv(corpus / "agreement.tsv")

    # a countdown is an opening word, fillers, and the closing word, which is certain
    sentences = sentences_in(corpus / "test.txt")
    assert list(rows[0]) == ["sentence", "position", "word", "distance", "log_probability"]
    assert [list(row.values()) for row in rows] == [
        [str(number), str(len(words)), words[-1], str(len(words) - 2), "0.0"]
        for number, words in enumerate(sentences, start=1)
    ]
    assert {row["distance"] for row in rows} == {"1", "2", "4"}


def test_words_of_a_users_grammar_agree_as_it_is_said(tmp_path: Path, pets: Any) -> None:
    folder = drawn(tmp_path / "corpus", pets)
    sentences = ["hush", "dog and dog barks sits", "dog and cat meows barks", "cat meows"]
    write_sentences(folder / "test.txt", ((True, words.split()) for words in sentences))

    measured(folder, pets)

    rows = read_tsv(folder / "agreement.tsv")
    assert [tuple(row.values())[:4] for row in rows] == [
        ("2", "4", "barks", "0"),
        ("3", "4", "meows", "0"),
        ("3", "5", "barks", "3"),
        ("4", "2", "meows", "0"),
    ]
    # after dog: 3/4 barks; where it nests, barks or sits
    chances = [math.exp(float(row["log_probability"])) for row in rows]
    assert chances == pytest.approx([0.75, 1.0, 0.5, 1.0], rel=1e-14)
    floor = [row for row in read_tsv(folder / "floor.tsv") if row["split"] == "test"]
    found = [math.exp(float(row["log_probability"])) for row in floor]
    # dog and dog barks sits: 1/2 * 1/4 * 1/2 * 3/4 * 1/2
    # dog and cat meows barks: 1/2 * 1/4 * 1/4 * 1 * 1/2
    assert found == pytest.approx([1 / 4, 3 / 128, 1 / 64, 1 / 4], rel=1e-14)
    assert [row["tokens"] for row in floor] == ["2", "6", "6", "3"]


def test_without_agreement_its_table_is_a_header(tmp_path: Path, pets: Any) -> None:
    config = replace(pets, agreement=None)
    folder = drawn(tmp_path / "corpus", config)

    measured(folder, config)

    header = "sentence\tposition\tword\tdistance\tlog_probability\n"
    assert (folder / "agreement.tsv").read_text(encoding="utf-8") == header


def test_the_entropy_is_that_of_all_sentences(corpus: Path) -> None:
    chances = probabilities_of(countdown(3, [1, 2, 4], 2))

    found = read_json(corpus / "entropy.json")

    entropy = -math.fsum(chance * math.log(chance) for chance in chances.values())
    words = math.fsum(chance * len(text.split()) for text, chance in chances.items())
    assert found == {
        # S, and for each marker K and X with 0 to 3 fillers left
        "symbols": 1 + 3 * 5,
        "words": 3 * 2 + 4 * 2,  # pairs that agree, and classes of fillers
        "mean_words_per_sentence": pytest.approx(words, rel=1e-12),
        "entropy_nats_per_sentence": pytest.approx(entropy, rel=1e-12),
        "entropy_nats_per_token": pytest.approx(entropy / (words + 1), rel=1e-12),
    }


def test_the_entropy_is_exact_where_sentences_have_no_longest(tmp_path: Path, pets: Any) -> None:
    folder = drawn(tmp_path / "corpus", replace(pets, test_sentences=20_000))

    measured(folder, pets)

    grammar, found = language(pets), read_json(folder / "entropy.json")
    rows = [row for row in read_tsv(folder / "floor.tsv") if row["split"] == "test"]
    losses = np.array([-float(row["log_probability"]) for row in rows])
    error = float(losses.std()) / math.sqrt(len(losses))
    assert found["entropy_nats_per_sentence"] == entropy_nats_per_sentence(grammar)
    assert found["entropy_nats_per_token"] == entropy_nats_per_token(grammar)
    assert losses.mean() == pytest.approx(found["entropy_nats_per_sentence"], abs=4 * error)


@pytest.mark.parametrize("split", ["valid", "test"])
@pytest.mark.parametrize(
    ("sentence", "said"),
    [
        ("dog meows", "word 2, 'meows', is none of those of 'B': and, barks"),
        ("dog and hush", "ends too early: the grammar goes on with 'Y'"),
        ("hush hush", "word 2, 'hush', comes after its end"),
    ],
)
def test_a_sentence_that_is_not_one_of_the_grammar_is_refused(
    sentence: str, said: str, split: str, tmp_path: Path, pets: Any
) -> None:
    folder = drawn(tmp_path / "corpus", pets)
    write_sentences(folder / f"{split}.txt", [(True, ["hush"]), (True, sentence.split())])

    with pytest.raises(DataError, match=said):
        measured(folder, pets)

    assert not (folder / "floor.tsv").exists()


# Words that are all known


def test_a_closed_vocabulary_knows_every_word(corpus: Path) -> None:
    profile = read_json(corpus / "profile.json")

    assert {split["unknown_rate"] for split in profile["splits"].values()} == {0}
    assert profile["accounts"]["sentences"]["put_aside"] == {}
    assert profile["splits"]["test"]["documents"] == 90


@pytest.mark.parametrize("split", ["valid", "test"])
def test_a_word_that_training_did_not_see_is_named_with_the_keys_that_help(
    split: str, tmp_path: Path
) -> None:
    folder = drawn(tmp_path, SMALL)
    write_sentences(folder / f"{split}.txt", [(True, ["open1"]), (True, ["open1", "zebra"])])

    with pytest.raises(DataError) as refused:
        encoded(folder)

    assert str(refused.value) == (
        f"{folder / split}.txt: every word of a grammar must be known, and 'zebra' is not one of"
        " the 14 of the vocabulary; raise text.vocabulary_size or grammar.training_sentences, or"
        " lower text.minimum_count"
    )


def test_a_vocabulary_that_is_too_small_for_the_grammar_is_refused(tmp_path: Path) -> None:
    folder = drawn(tmp_path, SMALL)

    # 13 words and the three reserved ones; the rarest of 14 is left out
    with pytest.raises(DataError, match=r"train\.txt: every word .* one of the 13 of the vocab"):
        encoded(folder, vocabulary_size=16)

    assert not (folder / "encoded/train").exists()


@pytest.mark.parametrize("word", ["SENTENCE_START", "SENTENCE_END", "UNKNOWN_TOKEN"])
def test_a_word_spelled_like_a_reserved_token_is_known_only_if_training_saw_it(
    word: str, tmp_path: Path
) -> None:
    folder = drawn(tmp_path, SMALL)
    write_sentences(folder / "train.txt", [(True, ["open1"]), (True, [word])])
    for split in ("valid", "test"):
        write_sentences(folder / f"{split}.txt", [(True, [word])])

    encoded(folder)
    write_sentences(folder / "train.txt", [(True, ["open1"])])

    with pytest.raises(DataError, match=f"'{word}' is not one of the 1 of the vocabulary"):
        encoded(folder)


def test_a_vocabulary_that_is_not_closed_lets_unknown_words_pass(tmp_path: Path) -> None:
    folder = drawn(tmp_path, SMALL)

    encoded(folder, vocabulary_size=10, closed=False)

    assert read_json(folder / "profile.json")["splits"]["test"]["unknown_rate"] > 0


# Baselines and the summary


def floor_per_token(corpus: Path, split: str) -> float:
    """The loss of the grammar itself by the chance of every sentence there is."""
    chances = probabilities_of(countdown(3, [1, 2, 4], 2))
    sentences = sentences_in(corpus / f"{split}.txt")
    loss = -math.fsum(math.log(chances[" ".join(words)]) for words in sentences)
    return loss / sum(len(words) + 1 for words in sentences)


def test_the_grammar_is_the_last_of_the_baselines_and_the_best(
    corpus: Path, tmp_path: Path
) -> None:
    baselines.run(corpus, corpus / "floor.tsv", tmp_path / "baselines.tsv")

    rows = read_tsv(tmp_path / "baselines.tsv")
    assert [(row["split"], row["model"]) for row in rows] == [
        (split, model)
        for split in ("valid", "test")
        for model in ("uniform", "unigram", "bigram", "grammar")
    ]
    for row in (rows[3], rows[7]):
        loss = float(row["loss_nats_per_token"])
        assert loss == pytest.approx(floor_per_token(corpus, row["split"]), rel=1e-12)
        assert float(row["perplexity"]) == pytest.approx(math.exp(loss), abs=1e-9)
        others = [float(other["perplexity"]) for other in rows if other["split"] == row["split"]]
        assert float(row["perplexity"]) == min(others)


def test_other_baselines_do_not_depend_on_the_floor(corpus: Path, tmp_path: Path) -> None:
    for name, floor in (("with", corpus / "floor.tsv"), ("without", None)):
        baselines.run(corpus, floor, tmp_path / name)

    found = [row for row in read_tsv(tmp_path / "with") if row["model"] != "grammar"]
    assert found == read_tsv(tmp_path / "without")


# After training


def write_run(
    folder: Path, network: Network, vocabulary: Vocabulary, state: str = "finished"
) -> Path:
    """A run's folder as training leaves it."""
    notes = {"run": folder.name, "unit": "word", "carry_state": False}
    write_model(folder / "model", network, vocabulary, notes)
    metrics = {
        "state": state,
        "reason": None,
        "parameters": 1,
        "best_epoch": 1,
        "validation_loss_nats_per_token": 2.0,
    }
    write_json(folder / "metrics.json", metrics)
    return folder


def some_run(folder: Path, corpus: Path, state: str = "finished", **shape: Any) -> Path:
    """A run of a network of random weights, and the table of its excess where it finished."""
    vocabulary = read_vocabulary(corpus / "vocabulary.tsv")
    network = network_of(1, vocabulary_size=len(vocabulary), **shape)
    write_run(folder, network, vocabulary, state)
    evaluate.run(folder, corpus, corpus / "floor.tsv", folder / "evaluation.tsv")
    return folder


def losses_by_hand(network: Network, test: Dataset) -> list[list[float]]:
    """The losses of the tokens of each sentence, word by word."""
    return [[loss for loss, _ in read_by_hand(network, [words])] for words in test]


@pytest.mark.parametrize("cell", ["elman", "lstm"])
def test_the_excess_is_the_difference_between_the_networks_loss_and_the_floor(
    cell: str, corpus: Path, tmp_path: Path
) -> None:
    some_run(tmp_path / "run", corpus, cell_name=cell)

    (row,) = read_tsv(tmp_path / "run/evaluation.tsv")
    assert list(row) == [
        "loss_nats_per_token",
        "perplexity",
        "next_word_accuracy",
        "excess_nats_per_token",
        "excess_standard_error",
    ]
    expected = float(row["loss_nats_per_token"]) - floor_per_token(corpus, "test")
    assert float(row["excess_nats_per_token"]) == pytest.approx(expected, rel=1e-10)


def test_the_error_of_the_excess_is_by_sentences(corpus: Path, tmp_path: Path) -> None:
    some_run(tmp_path / "run", corpus)

    (row,) = read_tsv(tmp_path / "run/evaluation.tsv")
    vocabulary_size = len(read_vocabulary(corpus / "vocabulary.tsv"))
    test = read_dataset(corpus / "encoded/test", vocabulary_size)
    losses = losses_by_hand(network_of(1, vocabulary_size=vocabulary_size), test)
    chances = probabilities_of(countdown(3, [1, 2, 4], 2))
    over = [
        math.fsum(found) + math.log(chances[" ".join(words)])
        for found, words in zip(losses, sentences_in(corpus / "test.txt"), strict=True)
    ]
    tokens, ratio = [len(found) for found in losses], float(row["excess_nats_per_token"])
    squares = math.fsum((y - ratio * x) ** 2 for y, x in zip(over, tokens, strict=True))
    expected = math.sqrt(squares / 89 * 90) / sum(tokens)  # 90 sentences
    assert float(row["excess_standard_error"]) == pytest.approx(expected, rel=1e-9)


def test_the_floor_of_the_validation_split_has_no_part_in_the_excess(
    corpus: Path, tmp_path: Path
) -> None:
    folder = some_run(tmp_path / "run", corpus)
    rows = [row for row in read_tsv(corpus / "floor.tsv") if row["split"] == "test"]
    write_tsv(tmp_path / "floor.tsv", list(rows[0]), rows)

    evaluate.run(folder, corpus, tmp_path / "floor.tsv", tmp_path / "evaluation.tsv")

    expected = (folder / "evaluation.tsv").read_bytes()
    assert (tmp_path / "evaluation.tsv").read_bytes() == expected


def test_a_diverged_run_has_a_header_with_the_excess_and_nothing_below(
    corpus: Path, tmp_path: Path
) -> None:
    some_run(tmp_path / "run", corpus, state="diverged")

    assert (tmp_path / "run/evaluation.tsv").read_text(encoding="utf-8") == (
        "loss_nats_per_token\tperplexity\tnext_word_accuracy"
        "\texcess_nats_per_token\texcess_standard_error\n"
    )


def summary_of(tmp_path: Path, corpus: Path, floor: Path | None) -> list[dict[str, str]]:
    """The summary of one finished, one diverged and one missing run."""
    settings = {
        name: {"cell": "elman", "hidden_size": 4, "truncation_depth": depth, "seed": 1}
        for name, depth in (("good", 2), ("bad", 4), ("gone", "full"))
    }
    folders = {
        "good": some_run(tmp_path / "good", corpus),
        "bad": some_run(tmp_path / "bad", corpus, state="diverged"),
    }
    for folder in folders.values():
        write_checksums(folder)
    baselines.run(corpus, floor, tmp_path / "baselines.tsv")
    summarise.run(
        settings,
        folders,
        *(tmp_path / f"{name}.tsv" for name in ("baselines", "summary", "inventory")),
    )
    return read_tsv(tmp_path / "summary.tsv")


def test_the_summary_has_the_excess_of_runs_that_have_one(corpus: Path, tmp_path: Path) -> None:
    good, bad, gone = summary_of(tmp_path, corpus, corpus / "floor.tsv")

    (score,) = read_tsv(tmp_path / "good/evaluation.tsv")
    for key in ("excess_nats_per_token", "excess_standard_error"):
        assert good[key] == score[key]
        assert (bad[key], gone[key]) == ("", "")
    names = list(good)
    assert names[names.index("next_word_accuracy") + 1] == "excess_nats_per_token"
    assert names[-1] == "grammar_perplexity"
    least = float(gone["grammar_perplexity"])
    assert least == pytest.approx(math.exp(floor_per_token(corpus, "test")), abs=1e-9)


def test_the_summary_of_a_text_without_a_floor_has_no_excess(corpus: Path, tmp_path: Path) -> None:
    good, _, _ = summary_of(tmp_path, corpus, None)

    assert good["test_perplexity"]
    assert not [name for name in good if "excess" in name or "grammar" in name]


# Agreement of a run

LOSSES = "distance\twords\tloss_nats\tstandard_error\tfloor_nats\n"


def biased(vocabulary: Vocabulary, probabilities: Mapping[str, float]) -> Network:
    """A network that gives words these probabilities everywhere, and shares the rest equally."""
    rest = (1 - sum(probabilities.values())) / (len(vocabulary) - len(probabilities))
    bias = [math.log(probabilities.get(token, rest)) for token in vocabulary.tokens]
    network = network_of(1, vocabulary_size=len(vocabulary), bias=True)
    parameters = {
        **network.parameters,
        "output_weights": np.zeros_like(network.parameters["output_weights"]),
        "output_bias": np.array(bias),
    }
    return Network(parameters, "elman")


def test_the_loss_of_closing_words_is_that_which_a_network_gives_them(
    corpus: Path, tmp_path: Path
) -> None:
    vocabulary = read_vocabulary(corpus / "vocabulary.tsv")
    chances = {"close1": 0.5, "close2": 0.125, "close3": 0.25}
    write_run(tmp_path / "run", biased(vocabulary, chances), vocabulary)

    agreement.run(tmp_path / "run", corpus, tmp_path / "agreement.tsv")

    by_distance: dict[int, list[float]] = {1: [], 2: [], 4: []}
    for words in sentences_in(corpus / "test.txt"):
        by_distance[len(words) - 2].append(-math.log(chances[words[-1]]))
    rows = read_tsv(tmp_path / "agreement.tsv")
    assert [int(row["distance"]) for row in rows] == [1, 2, 4]
    for row, (distance, losses) in zip(rows, by_distance.items(), strict=True):
        error = float(np.std(losses, ddof=1)) / math.sqrt(len(losses))
        assert (int(row["distance"]), int(row["words"])) == (distance, len(losses))
        assert float(row["loss_nats"]) == pytest.approx(np.mean(losses), rel=1e-12)
        assert float(row["standard_error"]) == pytest.approx(error, rel=1e-9)
        assert float(row["floor_nats"]) == 0


@pytest.mark.parametrize(
    "shape",
    [{"cell_name": "gru"}, {"cell_name": "lstm", "tied": True}, {"classes": some_classes(17)}],
    ids=["gru", "tied lstm", "classes"],
)
def test_losses_of_agreeing_words_are_those_of_reading_word_by_word(
    shape: dict[str, Any], corpus: Path, tmp_path: Path
) -> None:
    folder = some_run(tmp_path / "run", corpus, **shape)

    agreement.run(folder, corpus, tmp_path / "agreement.tsv")

    network = network_of(1, vocabulary_size=17, **shape)
    by_distance: dict[int, list[float]] = {1: [], 2: [], 4: []}
    for losses in losses_by_hand(network, read_dataset(corpus / "encoded/test", 17)):
        by_distance[len(losses) - 3].append(losses[-2])  # before the end stands the closing word
    rows = read_tsv(tmp_path / "agreement.tsv")
    found = [float(row["loss_nats"]) for row in rows]
    assert found == pytest.approx([np.mean(losses) for losses in by_distance.values()], rel=1e-11)


def test_several_agreeing_words_of_a_sentence_are_each_found_in_their_place(
    tmp_path: Path, pets: Any
) -> None:
    folder = drawn(tmp_path / "corpus", pets)
    sentences = ["hush", "dog and cat meows barks", "dog barks", "hush", "cat meows"]
    write_sentences(folder / "test.txt", ((True, words.split()) for words in sentences))
    measured(folder, pets)
    encoded(folder)
    vocabulary = read_vocabulary(folder / "vocabulary.tsv")
    network = network_of(2, vocabulary_size=len(vocabulary))
    write_run(tmp_path / "run", network, vocabulary)

    agreement.run(tmp_path / "run", folder, tmp_path / "agreement.tsv")

    losses = losses_by_hand(network, read_dataset(folder / "encoded/test", len(vocabulary)))
    # at distance 0 meows, barks and meows; at 3 barks, the fifth word of the second sentence
    near = [losses[1][3], losses[2][1], losses[4][1]]
    first, second = read_tsv(tmp_path / "agreement.tsv")
    assert (first["distance"], first["words"]) == ("0", "3")
    assert float(first["loss_nats"]) == pytest.approx(np.mean(near), rel=1e-12)
    assert float(first["floor_nats"]) == pytest.approx(-math.log(0.75) / 3, rel=1e-12)
    assert (second["distance"], second["words"]) == ("3", "1")
    assert float(second["loss_nats"]) == pytest.approx(losses[1][4], rel=1e-12)
    assert float(second["standard_error"]) == 0
    assert float(second["floor_nats"]) == pytest.approx(math.log(2), rel=1e-12)


def test_a_diverged_run_knows_of_no_agreeing_word(corpus: Path, tmp_path: Path) -> None:
    some_run(tmp_path / "run", corpus, state="diverged")
    (tmp_path / "run/model").rename(tmp_path / "run/elsewhere")  # it is not even looked at

    agreement.run(tmp_path / "run", corpus, tmp_path / "agreement.tsv")

    assert (tmp_path / "agreement.tsv").read_text(encoding="utf-8") == LOSSES


def test_where_no_words_agree_the_table_is_a_header(tmp_path: Path, pets: Any) -> None:
    config = replace(pets, agreement=None)
    folder = drawn(tmp_path / "corpus", config)
    measured(folder, config)
    encoded(folder)
    some_run(tmp_path / "run", folder)

    agreement.run(tmp_path / "run", folder, tmp_path / "agreement.tsv")

    assert (tmp_path / "agreement.tsv").read_text(encoding="utf-8") == LOSSES


# Agreement of all runs


def agreement_row(distance: int, loss: float) -> dict[str, str]:
    """A row of a run's table as it is read."""
    return {
        "distance": str(distance),
        "words": "40",
        "loss_nats": str(loss),
        "standard_error": "0.125",
        "floor_nats": "0.5",
    }


def together(
    folder: Path,
    of_runs: Mapping[str, Sequence[dict[str, str]]],
    words: Sequence[str] = ("a", "b"),
    experiment: str = "trial",
    learning_rate: str = "1.0",
) -> Path:
    """The table of all runs: two of one setting, but for the second one's learning rate, and one
    that may be missing.
    """
    summary = [
        summary_row("r1", "5", "2", "1", "1.5", "5.0"),
        summary_row("r2", "5", "2", "2", "1.5", "5.0", learning_rate=learning_rate),
        summary_row("r3", "9", "full", "1", "", "", state="missing"),
    ]
    write_tsv(folder / "summary.tsv", list(summary[0]), summary)
    of_corpus = [{"sentence": "1", "position": "2", "word": word} for word in words]
    write_tsv(folder / "corpus.tsv", ["sentence", "position", "word"], of_corpus)
    for name, rows in of_runs.items():
        write_tsv(folder / f"{name}/agreement.tsv", LOSSES.strip().split("\t"), rows)
    agreements.run(
        experiment,
        folder / "summary.tsv",
        {name: folder / name for name in of_runs},
        folder / "corpus.tsv",
        folder / "agreement.tsv",
    )
    return folder / "agreement.tsv"


def test_all_runs_stand_in_one_table_with_their_settings(tmp_path: Path) -> None:
    near, far = agreement_row(1, 0.25), agreement_row(4, 0.75)

    table = together(tmp_path, {"r2": [near], "r1": [near, far]})

    rows = read_tsv(table)
    settings = {"cell": "elman", "hidden_size": "5", "truncation_depth": "2"}
    others = {"further": "", "chance_nats": str(math.log(2))}
    # in the order of the summary; the third run is missing
    assert rows == [
        {"experiment": "trial", "run": run, **settings, "seed": seed, **losses, **others}
        for run, seed, losses in (("r1", "1", near), ("r1", "1", far), ("r2", "2", near))
    ]


def test_what_else_tells_runs_apart_is_said_in_words_and_makes_curves_of_their_own(
    tmp_path: Path,
) -> None:
    table = together(
        tmp_path,
        {"r1": [agreement_row(1, 0.75)], "r2": [agreement_row(1, 1.0)]},
        learning_rate="0.5",
    )

    rows = read_tsv(table)
    assert {row["run"]: row["further"] for row in rows} == {
        "r1": "learning rate 1.0",
        "r2": "learning rate 0.5",
    }
    found = {curve.further: curve.means for curve in curves(rows)}
    # less the 0.5 of the grammar itself
    assert found == {"learning rate 1.0": {1: 0.25}, "learning rate 0.5": {1: 0.5}}


def test_a_run_without_agreeing_words_has_no_row(tmp_path: Path) -> None:
    table = together(tmp_path, {"r1": [], "r3": [agreement_row(1, 0.25)]})

    assert [row["run"] for row in read_tsv(table)] == ["r3"]


@pytest.mark.parametrize(
    ("words", "chance"),
    [
        (["a"] * 9, 0),
        (["a", "b", "c", "d"], math.log(4)),
        # 1/2 ln 2 + 2 * 1/4 ln 4
        (["a", "b", "a", "c"], 1.5 * math.log(2)),
    ],
    ids=["one word", "equal words", "a half and two quarters"],
)
def test_chance_is_the_entropy_of_the_agreeing_words(
    words: list[str], chance: float, tmp_path: Path
) -> None:
    table = together(tmp_path, {"r1": [agreement_row(1, 0.25)]}, words)

    (row,) = read_tsv(table)
    assert float(row["chance_nats"]) == pytest.approx(chance, abs=1e-14)


def test_chance_is_the_loss_of_a_network_that_knows_how_frequent_closing_words_are(
    corpus: Path, tmp_path: Path
) -> None:
    words = [row["word"] for row in read_tsv(corpus / "agreement.tsv")]
    vocabulary = read_vocabulary(corpus / "vocabulary.tsv")
    # a trillionth is left for the other words
    shares = {word: count / len(words) - 1e-12 for word, count in Counter(words).items()}
    write_run(tmp_path / "run", biased(vocabulary, shares), vocabulary)
    agreement.run(tmp_path / "run", corpus, tmp_path / "of_run.tsv")
    rows = read_tsv(tmp_path / "of_run.tsv")

    table = together(tmp_path, {"r1": rows}, words)

    found = read_tsv(table)
    mean = sum(int(row["words"]) * float(row["loss_nats"]) for row in found) / len(words)
    assert {row["chance_nats"] for row in found} == {found[0]["chance_nats"]}
    assert float(found[0]["chance_nats"]) == pytest.approx(mean, rel=1e-9)


def test_without_agreeing_words_the_table_of_all_runs_is_a_header(tmp_path: Path) -> None:
    table = together(tmp_path, {"r1": []}, words=[])

    assert table.read_text(encoding="utf-8") == "\t".join(COLUMNS) + "\n"


# The picture


def test_the_picture_is_made_of_all_tables_with_all_its_files(tmp_path: Path) -> None:
    tables = [
        together(tmp_path / name, {"r1": [agreement_row(1, 0.25)]}, experiment=name)
        for name in ("near", "far")
    ]

    agreement_figure.run(tables, tmp_path / "figures")

    folder = tmp_path / "figures"
    svg = (folder / "agreement.svg").read_text(encoding="utf-8")
    files = sorted(path.name for path in folder.iterdir())
    assert files == sorted(f"agreement{suffix}" for suffix in SUFFIXES)
    assert read_tsv(folder / "agreement.tsv") == [
        row for table in tables for row in read_tsv(table)
    ]
    assert [row["experiment"] for row in read_tsv(folder / "agreement.tsv")] == ["near", "far"]
    assert svg.index("near: Elman") < svg.index("far: Elman")


def test_the_picture_is_the_same_bytes_again(tmp_path: Path) -> None:
    table = together(tmp_path, {"r1": [agreement_row(1, 0.25), agreement_row(4, 0.75)]})

    for name in ("first", "again"):
        agreement_figure.run([table], tmp_path / name)

    first, again = (
        {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()}
        for name in ("first", "again")
    )
    assert first == again


def test_a_picture_of_no_agreeing_words_says_so(tmp_path: Path) -> None:
    table = together(tmp_path, {"r1": []}, words=[])

    agreement_figure.run([table], tmp_path / "figures")

    picture = read_picture(tmp_path / "figures", "agreement")
    for told in (picture.wide, picture.narrow, picture.takeaway):
        assert "No run knows of agreeing words." in told
    assert (tmp_path / "figures/agreement.tsv").read_bytes() == table.read_bytes()
