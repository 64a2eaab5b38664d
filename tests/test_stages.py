"""The stages around training: paths in, files out, each looked at as a reader would."""

import io
import itertools
import math
import shutil
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model_strategies import (
    VOCABULARY,
    network_of,
    reference_log_probability,
    reference_of,
    write_corpus,
)
from report_material import (
    BASELINES,
    FIGURES,
    NEIGHBOURS,
    PROFILE,
    SUMMARY,
    SURPRISAL,
    TIME_FIGURES,
    UNITS,
    WALL,
    drawn_picture,
    gradient_check,
    initial_loss_check,
    material,
    overfitting_check,
)
from test_documents import NO_CLEANING
from training_strategies import read_by_hand
from unrolled.config.corpus_sections import ReadingConfig
from unrolled.config.sections import ClassesConfig, SamplingConfig, TextConfig, VocabularyConfig
from unrolled.errors import DataError
from unrolled.model.files import write_model
from unrolled.model.network import Network
from unrolled.report.page import PICTURES_OF_WORDS, Material
from unrolled.report.pictures import DrawnPicture
from unrolled.stages import (
    baselines,
    classes,
    encode,
    evaluate,
    prepare,
    report,
    sample,
    score,
    summarise,
)
from unrolled.stages import vocabulary as vocabulary_stage
from unrolled.stages.inventory import write_checksums
from unrolled.storage import read_json, read_tsv, write_json, write_text, write_tsv
from unrolled.text.classes import read_classes
from unrolled.text.dataset import read_dataset
from unrolled.text.vocabulary import RESERVED, UNKNOWN, Ids, read_vocabulary

SPLITS = ("train", "valid", "test")
PLAIN_TEXT = ReadingConfig(
    form="text", column=None, field=None, encoding="utf-8", rejected_share=0, splits=None
)
TEXT = TextConfig(
    document="row",
    sentences="punkt",
    unit="word",
    tokenizer="nltk_word",
    lowercase=True,
    end_token=None,
    headings="keep",
    minimum_words=3,
    maximum_words=9,
    drop_repeated=True,
    validation_fraction=0.2,
    test_fraction=0.2,
)
KNOWN = VocabularyConfig(unknown_token=None, minimum_count=2, vocabulary_size=12)
SAMPLING = SamplingConfig(sentences=5, temperature=0.8, minimum_words=2, maximum_words=6, seed=1)


def words_of(path: Path) -> list[list[list[str]]]:
    """The sentences of each document of a file: a blank line between documents."""
    blocks = path.read_text("utf-8").rstrip("\n").split("\n\n")
    return [[line.split(" ") for line in block.split("\n")] for block in blocks]


# From text to ids


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus of 60 rows that has gone through prepare, vocabulary and encode."""
    folder = tmp_path_factory.mktemp("prepared")
    animals, verbs = ["Cat", "Dog", "Hen", "Fox", "Owl"], ["slept", "sang", "ran", "hid"]
    places = ["here", "there", "away"]
    rows = [
        f"The {animal.lower()} {verb} {place} today! Yes! {animal}s always {verb} {place}."
        for animal, verb, place in itertools.product(animals, verbs, places)
    ]
    write_text(folder / "raw/rows.txt", "\n".join(rows) + "\n")
    prepare_and_encode(folder, TEXT)
    return folder


def prepare_and_encode(
    folder: Path,
    config: TextConfig,
    reading: ReadingConfig = PLAIN_TEXT,
    known: VocabularyConfig = KNOWN,
) -> None:
    texts = {split: folder / f"{split}.txt" for split in SPLITS}
    outputs = prepare.Outputs(
        texts,
        folder / "rejected.tsv",
        folder / "put_aside.tsv",
        folder / "punkt.json",
        folder / "accounts.json",
    )
    prepare.run(reading, NO_CLEANING, config, folder / "raw", outputs)
    vocabulary_stage.run(known, texts["train"], folder / "vocabulary.tsv")
    encode.run(
        texts,
        folder / "vocabulary.tsv",
        folder / "accounts.json",
        folder / "encoded",
        folder / "profile.json",
    )


def test_every_sentence_is_in_one_split_or_among_those_put_aside(prepared: Path) -> None:
    documents = {split: words_of(prepared / f"{split}.txt") for split in SPLITS}
    put_aside = read_tsv(prepared / "put_aside.tsv")

    # 60 rows of three sentences, of which the "Yes!" is too short
    sentences = [tuple(words) for split in SPLITS for text in documents[split] for words in text]
    assert len(sentences) == len(set(sentences)) == 2 * 60
    assert sum(len(documents[split]) for split in SPLITS) == 60
    assert len(put_aside) == 60
    assert {(row["reason"], row["text"], row["sentence"]) for row in put_aside} == {
        ("short", "Yes!", "2")
    }
    assert {row["document"] for row in put_aside} == {f"rows.txt:{k}" for k in range(1, 61)}


def test_a_documents_sentences_stay_together_in_lower_case(prepared: Path) -> None:
    for split in SPLITS:
        for first, second in words_of(prepared / f"{split}.txt"):
            assert (first[0], first[-2:]) == ("the", ["today", "!"])
            # the fox ran away today ! foxs always ran away .
            assert second == [f"{first[1]}s", "always", *first[2:4], "."]


def test_capitals_stay_where_they_are_asked_for(prepared: Path, tmp_path: Path) -> None:
    write_text(tmp_path / "raw/rows.txt", (prepared / "raw/rows.txt").read_text("utf-8"))

    prepare_and_encode(tmp_path, replace(TEXT, lowercase=False))

    assert {text[0][0] for split in SPLITS for text in words_of(tmp_path / f"{split}.txt")} == {
        "The"
    }


def test_the_vocabulary_is_that_of_the_training_split_alone(prepared: Path) -> None:
    counts = Counter(
        word for text in words_of(prepared / "train.txt") for words in text for word in words
    )
    sentence_count = sum(len(text) for text in words_of(prepared / "train.txt"))

    rows = [(row["token"], int(row["count"])) for row in read_tsv(prepared / "vocabulary.tsv")]

    kept = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:9]  # 12 less 3 reserved
    unknown = counts.total() - sum(count for _, count in kept)
    assert rows[:3] == list(zip(RESERVED, (sentence_count, sentence_count, unknown), strict=True))
    assert rows[3:] == kept


def test_ids_decode_to_the_words_of_the_text(prepared: Path) -> None:
    tokens = [row["token"] for row in read_tsv(prepared / "vocabulary.tsv")]
    for split in SPLITS:
        documents = words_of(prepared / f"{split}.txt")
        ids, sentences, offsets = (
            np.load(prepared / "encoded" / split / f"{name}.npy", allow_pickle=False)
            for name in ("ids", "sentences", "documents")
        )

        found = [
            [tokens[k] for k in ids[start:stop]] for start, stop in itertools.pairwise(sentences)
        ]
        expected = [
            [
                RESERVED[0],
                *(word if word in tokens else RESERVED[UNKNOWN] for word in words),
                RESERVED[1],
            ]
            for text in documents
            for words in text
        ]
        assert found == expected
        assert (ids.dtype, sentences.dtype, offsets.dtype) == (np.int32, np.int64, np.int64)
        assert np.diff(offsets).tolist() == [len(text) for text in documents]


def test_the_profile_counts_what_is_there(prepared: Path) -> None:
    profile = read_json(prepared / "profile.json")

    assert profile["vocabulary_size"] == 12
    assert profile["accounts"]["sentences"]["put_aside"] == {"short": 60}
    last = read_tsv(prepared / "vocabulary.tsv")[-1]
    assert profile["rarest_kept"] == {"token": last["token"], "count": int(last["count"])}
    for split in SPLITS:
        words = [
            word
            for text in words_of(prepared / f"{split}.txt")
            for sentence in text
            for word in sentence
        ]
        figures = profile["splits"][split]
        # of every document's two sentences, one has six words and one has five
        documents = len(words_of(prepared / f"{split}.txt"))
        assert (figures["documents"], figures["sentences"]) == (documents, 2 * documents)
        assert figures["length_histogram"] == {"5": documents, "6": documents}
        assert (figures["tokens"], figures["types"]) == (11 * documents, len(set(words)))
        unknown = np.count_nonzero(np.load(prepared / "encoded" / split / "ids.npy") == UNKNOWN)
        assert figures["unknown_rate"] == pytest.approx(unknown / len(words), rel=1e-15)


def test_what_stands_for_unknown_words_in_the_text_is_the_unknown_token(tmp_path: Path) -> None:
    texts = {split: tmp_path / f"{split}.txt" for split in SPLITS}
    for path in texts.values():
        write_text(path, "a <unk> a\n\n<unk> b b\n")
    write_json(tmp_path / "accounts.json", {"sentences": {"read": 6, "put_aside": {}}})

    known = replace(KNOWN, unknown_token="<unk>")
    vocabulary_stage.run(known, texts["train"], tmp_path / "vocabulary.tsv")
    encode.run(
        texts,
        tmp_path / "vocabulary.tsv",
        tmp_path / "accounts.json",
        tmp_path / "encoded",
        tmp_path / "profile.json",
        unknown_token="<unk>",
    )

    rows = [(row["token"], row["count"]) for row in read_tsv(tmp_path / "vocabulary.tsv")]
    assert rows[2:] == [("UNKNOWN_TOKEN", "2"), ("a", "2"), ("b", "2")]
    profile = read_json(tmp_path / "profile.json")
    for split in SPLITS:
        ids = np.load(tmp_path / "encoded" / split / "ids.npy").tolist()
        assert ids == [0, 3, 2, 3, 1, 0, 2, 4, 4, 1]
        figures = profile["splits"][split]
        assert (figures["documents"], figures["tokens"], figures["types"]) == (2, 6, 2)
        assert figures["unknown_rate"] == 2 / 6
    assert profile["word_frequencies"] == [[1, 2], [2, 2]]


def test_names_of_reserved_tokens_in_the_text_are_words_with_ids_of_their_own(
    tmp_path: Path,
) -> None:
    write_text(tmp_path / "raw/train.txt", "SENTENCE_END a UNKNOWN_TOKEN b\n" * 2)
    for split in ("valid", "test"):
        write_text(tmp_path / f"raw/{split}.txt", "a SENTENCE_START SENTENCE_END\n")
    config = replace(TEXT, sentences="line", lowercase=False, drop_repeated=False)
    patterns = {split: f"{split}.txt" for split in SPLITS}

    prepare_and_encode(tmp_path, config, replace(PLAIN_TEXT, splits=patterns))

    vocabulary = read_vocabulary(tmp_path / "vocabulary.tsv")
    assert vocabulary.tokens == [*RESERVED, "SENTENCE_END", "UNKNOWN_TOKEN", "a", "b"]
    (first, _), (test,) = (
        [ids.tolist() for ids in read_dataset(tmp_path / "encoded" / split, len(vocabulary))]
        for split in ("train", "test")
    )
    assert first == [0, 3, 5, 4, 6, 1]
    assert test == [0, 5, UNKNOWN, 3, 1]  # SENTENCE_START was not in training
    assert read_json(tmp_path / "profile.json")["splits"]["test"]["unknown_rate"] == 1 / 3


def test_a_corpus_of_one_sentence_a_split_has_ids_and_baselines_though_no_word_comes_again(
    tmp_path: Path,
) -> None:
    for split, line in zip(
        SPLITS, ("One two three.", "Four five six.", "Two six seven."), strict=True
    ):
        write_text(tmp_path / f"raw/{split}.txt", line)
    reading = replace(PLAIN_TEXT, splits={split: f"{split}.txt" for split in SPLITS})

    prepare_and_encode(tmp_path, TEXT, reading, replace(KNOWN, minimum_count=1))
    baselines.run(tmp_path, None, tmp_path / "baselines.tsv")

    vocabulary = read_vocabulary(tmp_path / "vocabulary.tsv")
    assert vocabulary.tokens == [*RESERVED, ".", "one", "three", "two"]
    assert vocabulary.counts == [1, 1, 0, 1, 1, 1, 1]
    # five predictions in each split; add-one over 5 + 7, and of those of the test `two`, `.` and
    # the end were seen once, and the two unknown words never
    unigram = {
        row["split"]: row
        for row in read_tsv(tmp_path / "baselines.tsv")
        if row["model"] == "unigram"
    }
    expected = -(3 * math.log(2 / 12) + 2 * math.log(1 / 12)) / 5
    assert float(unigram["test"]["loss_nats_per_token"]) == pytest.approx(expected, rel=1e-12)


def test_a_column_of_a_csv_file_is_prepared(prepared: Path, tmp_path: Path) -> None:
    rows = (prepared / "raw/rows.txt").read_text("utf-8").splitlines()
    write_text(tmp_path / "raw/a.csv", "id,body\n" + "".join(f'1,"{row}"\n' for row in rows))

    prepare_and_encode(tmp_path, TEXT, replace(PLAIN_TEXT, form="csv", column="body"))

    for split in SPLITS:
        expected = (prepared / f"{split}.txt").read_text("utf-8")
        assert (tmp_path / f"{split}.txt").read_text("utf-8") == expected


def test_a_split_left_empty_names_the_documents_and_the_key(tmp_path: Path) -> None:
    write_text(tmp_path / "raw/one.txt", "A single document is here. It has two sentences.\n")

    with pytest.raises(DataError, match=r"split has none of the corpus's 1 documents.*text\.docum"):
        prepare_and_encode(tmp_path, TEXT)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["raw"]


# Baselines


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    write_corpus(folder)
    return folder


def test_the_table_of_baselines_has_each_model_on_each_split(corpus: Path, tmp_path: Path) -> None:
    baselines.run(corpus, None, tmp_path / "baselines.tsv")

    rows = read_tsv(tmp_path / "baselines.tsv")
    assert [(row["split"], row["model"]) for row in rows] == [
        (split, model) for split in ("valid", "test") for model in ("uniform", "unigram", "bigram")
    ]
    for row in rows:
        expected = math.exp(float(row["loss_nats_per_token"]))
        assert float(row["perplexity"]) == pytest.approx(expected, abs=1e-9)
    perplexities = [float(row["perplexity"]) for row in rows]
    for uniform, unigram, bigram in (perplexities[:3], perplexities[3:]):
        assert uniform == pytest.approx(9, rel=1e-12)  # the size of the vocabulary
        assert bigram < unigram < uniform


def test_the_unigram_baseline_is_counted_on_the_training_split(
    corpus: Path, tmp_path: Path
) -> None:
    baselines.run(corpus, None, tmp_path / "baselines.tsv")

    training, test = (
        [
            int(k)
            for words in read_dataset(corpus / "encoded" / split, len(VOCABULARY))
            for k in words[1:]
        ]
        for split in ("train", "test")
    )
    counts = Counter(training)
    losses = [-math.log((counts[k] + 1) / (len(training) + 9)) for k in test]
    found = read_tsv(tmp_path / "baselines.tsv")[4]
    assert (found["split"], found["model"]) == ("test", "unigram")
    expected = math.fsum(losses) / len(losses)
    assert float(found["loss_nats_per_token"]) == pytest.approx(expected, rel=1e-12)


# After training

NETWORK = network_of(1, vocabulary_size=9, hidden_size=4)


def write_run(
    folder: Path, state: str = "finished", network: Network = NETWORK, lowercase: bool = True
) -> Path:
    """A run's folder as training leaves it."""
    notes = {"run": folder.name, "unit": "word", "tokenizer": "nltk_word", "lowercase": lowercase}
    write_model(folder / "model", network, VOCABULARY, notes)
    metrics = {
        "state": state,
        "reason": None if state == "finished" else "loss nan at step 2",
        "parameters": 88,
        "steps": 24,
        "best_epoch": 3,
        "validation_loss_nats_per_token": 1.25,
    }
    write_json(folder / "metrics.json", metrics)
    return folder


def test_evaluation_is_a_row_of_the_test_splits_figures(corpus: Path, tmp_path: Path) -> None:
    evaluate.run(write_run(tmp_path / "run"), corpus, None, tmp_path / "evaluation.tsv")

    (row,) = read_tsv(tmp_path / "evaluation.tsv")
    sentences = list(read_dataset(corpus / "encoded/test", len(VOCABULARY)))
    predictions = sum(len(words) - 1 for words in sentences)
    loss = -math.fsum(reference_log_probability(NETWORK, words) for words in sentences)
    hits = sum(
        int(np.sum(reference_of(NETWORK).predict(words[:-1]) == words[1:])) for words in sentences
    )
    assert list(row) == ["loss_nats_per_token", "perplexity", "next_word_accuracy"]
    assert float(row["loss_nats_per_token"]) == pytest.approx(loss / predictions, rel=1e-12)
    assert float(row["perplexity"]) == pytest.approx(math.exp(loss / predictions), abs=1e-9)
    assert float(row["next_word_accuracy"]) == pytest.approx(hits / predictions, rel=1e-15)


@pytest.mark.parametrize("carry_state", [False, True])
def test_evaluation_carries_the_state_of_a_model_that_was_trained_so(
    carry_state: bool, corpus: Path, tmp_path: Path
) -> None:
    folder = write_run(tmp_path / "run")
    notes = {"run": "run", "unit": "word", "carry_state": carry_state}
    write_model(folder / "model", NETWORK, VOCABULARY, notes)

    evaluate.run(folder, corpus, None, tmp_path / "evaluation.tsv")

    (row,) = read_tsv(tmp_path / "evaluation.tsv")
    sentences = list(read_dataset(corpus / "encoded/test", len(VOCABULARY)))  # one document
    documents = [sentences] if carry_state else [[words] for words in sentences]
    by_hand = [word for document in documents for word in read_by_hand(NETWORK, document)]
    loss = math.fsum(loss for loss, _ in by_hand) / len(by_hand)
    hits = sum(right for _, right in by_hand)
    assert float(row["loss_nats_per_token"]) == pytest.approx(loss, rel=1e-12)
    assert float(row["next_word_accuracy"]) == pytest.approx(hits / len(by_hand), rel=1e-15)


def test_samples_are_sentences_with_their_tokens_and_probability(tmp_path: Path) -> None:
    sample.run(SAMPLING, write_run(tmp_path / "run"), tmp_path / "samples.tsv")

    rows = read_tsv(tmp_path / "samples.tsv")
    assert [row["sample"] for row in rows] == ["1", "2", "3", "4", "5"]
    for row in rows:
        tokens = row["tokens"].split(" ")
        assert set(tokens) <= set(VOCABULARY.tokens[3:])
        assert 2 <= len(tokens) <= 6
        assert row["text"].replace(" ", "") == row["tokens"].replace(" ", "")
        assert row["temperature"] == "0.8"
        ids: Ids = VOCABULARY.encode(tokens)
        expected = reference_log_probability(NETWORK, ids if row["ended"] == "yes" else ids[:-1])
        assert float(row["log_probability"]) == pytest.approx(expected, rel=1e-12)
    assert {row["ended"] for row in rows} <= {"yes", "cut"}


def test_equal_seeds_write_equal_samples_and_other_seeds_others(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run")
    for name, seed in (("first", 1), ("again", 1), ("other", 2)):
        sample.run(replace(SAMPLING, seed=seed), folder, tmp_path / name)

    assert (tmp_path / "first").read_bytes() == (tmp_path / "again").read_bytes()
    assert (tmp_path / "first").read_bytes() != (tmp_path / "other").read_bytes()


@pytest.fixture
def own_sentences(tmp_path: Path) -> Path:
    write_text(tmp_path / "mine.txt", "\ufeffThe dog slept.\n\n  The\tunicorn saw the cat.  \r\n")
    return tmp_path / "mine.txt"


def test_own_sentences_are_scored_word_by_word(own_sentences: Path, tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run")

    score.run(own_sentences, folder, tmp_path / "sentences.tsv", tmp_path / "words.tsv")

    rows = [
        (row["sentence"], row["position"], row["word"], row["token"], row["known"])
        for row in read_tsv(tmp_path / "words.tsv")
    ]
    assert rows == [
        ("1", "1", "the", "the", "yes"),
        ("1", "2", "dog", "dog", "yes"),
        ("1", "3", "slept", "slept", "yes"),
        ("1", "4", ".", ".", "yes"),
        ("1", "5", "", "SENTENCE_END", "yes"),
        ("2", "1", "the", "the", "yes"),
        ("2", "2", "unicorn", "UNKNOWN_TOKEN", "no"),
        ("2", "3", "saw", "saw", "yes"),
        ("2", "4", "the", "the", "yes"),
        ("2", "5", "cat", "cat", "yes"),
        ("2", "6", ".", ".", "yes"),
        ("2", "7", "", "SENTENCE_END", "yes"),
    ]


def test_capitals_of_own_sentences_stay_where_the_model_was_trained_with_them(
    own_sentences: Path, tmp_path: Path
) -> None:
    folder = write_run(tmp_path / "run", lowercase=False)

    score.run(own_sentences, folder, tmp_path / "sentences.tsv", tmp_path / "words.tsv")

    first = read_tsv(tmp_path / "words.tsv")[0]
    assert (first["word"], first["token"], first["known"]) == ("The", "UNKNOWN_TOKEN", "no")
    assert [row["unknown_words"] for row in read_tsv(tmp_path / "sentences.tsv")] == ["1", "2"]


def test_scores_are_the_references_log_probabilities(own_sentences: Path, tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run")

    score.run(own_sentences, folder, tmp_path / "sentences.tsv", tmp_path / "words.tsv")

    first, second = read_tsv(tmp_path / "sentences.tsv")
    # ids of the vocabulary: the 3, cat 4, dog 5, saw 6, slept 7, . 8; unicorn is unknown, 2
    for row, words in ((first, [0, 3, 5, 7, 8, 1]), (second, [0, 3, 2, 6, 3, 4, 8, 1])):
        expected = reference_log_probability(NETWORK, np.array(words))
        assert float(row["log_probability"]) == pytest.approx(expected, rel=1e-12)
        per_token = expected / (len(words) - 1)
        assert float(row["log_probability_per_token"]) == pytest.approx(per_token, rel=1e-12)
        by_word = [
            float(word["log_probability"])
            for word in read_tsv(tmp_path / "words.tsv")
            if word["sentence"] == row["sentence"]
        ]
        assert math.fsum(by_word) == pytest.approx(expected, rel=1e-12)
    assert (first["text"], first["unknown_words"]) == ("The dog slept.", "0")
    assert (second["text"], second["unknown_words"]) == ("The\tunicorn saw the cat.", "1")


def test_a_file_without_a_sentence_is_refused(tmp_path: Path) -> None:
    write_text(tmp_path / "mine.txt", "\n \n")

    with pytest.raises(DataError, match=r"mine\.txt has no sentence in it; write one a line"):
        score.run(
            tmp_path / "mine.txt",
            write_run(tmp_path / "run"),
            tmp_path / "sentences.tsv",
            tmp_path / "words.tsv",
        )


def test_a_diverged_run_leaves_tables_with_a_header_only(
    corpus: Path, own_sentences: Path, tmp_path: Path
) -> None:
    folder = write_run(tmp_path / "run", state="diverged")

    evaluate.run(folder, corpus, None, tmp_path / "evaluation.tsv")
    sample.run(SAMPLING, folder, tmp_path / "samples.tsv")
    score.run(own_sentences, folder, tmp_path / "sentences.tsv", tmp_path / "words.tsv")

    headers = {
        "evaluation": "loss_nats_per_token\tperplexity\tnext_word_accuracy\n",
        "samples": "sample\ttext\ttokens\tlog_probability\ttemperature\tended\n",
        "sentences": (
            "sentence\ttext\tunknown_words\tlog_probability\tlog_probability_per_token\n"
        ),
        "words": "sentence\tposition\tword\ttoken\tknown\tlog_probability\n",
    }
    for name, header in headers.items():
        assert (tmp_path / f"{name}.tsv").read_text("utf-8") == header


def test_a_diverged_runs_weights_are_not_even_looked_at(corpus: Path, tmp_path: Path) -> None:
    network = network_of(2, vocabulary_size=9)
    network.parameters["input_weights"][0, 0] = np.nan
    folder = write_run(tmp_path / "run", state="diverged", network=network)

    evaluate.run(folder, corpus, None, tmp_path / "evaluation.tsv")

    assert read_tsv(tmp_path / "evaluation.tsv") == []


# The summary


def summary_rows(tmp_path: Path, corpus: Path) -> dict[str, dict[str, str]]:
    """The summary of one finished, one diverged and one missing run, by run."""
    settings: dict[str, dict[str, Any]] = {
        name: {"cell": "elman", "hidden_size": 4, "truncation_depth": depth, "seed": 1}
        for name, depth in (("good", 2), ("bad", 4), ("gone", "full"))
    }
    folders = {
        "good": write_run(tmp_path / "good"),
        "bad": write_run(tmp_path / "bad", state="diverged"),
    }
    for folder in folders.values():
        evaluate.run(folder, corpus, None, folder / "evaluation.tsv")
        write_checksums(folder)
    baselines.run(corpus, None, tmp_path / "baselines.tsv")
    summarise.run(
        settings,
        folders,
        *(tmp_path / f"{name}.tsv" for name in ("baselines", "summary", "inventory")),
    )
    return {row["run"]: row for row in read_tsv(tmp_path / "summary.tsv")}


def test_the_summary_has_a_row_for_every_run_in_the_order_of_the_sweep(
    tmp_path: Path, corpus: Path
) -> None:
    rows = summary_rows(tmp_path, corpus)

    assert [(run, row["state"]) for run, row in rows.items()] == [
        ("good", "finished"),
        ("bad", "diverged"),
        ("gone", "missing"),
    ]
    assert [row["truncation_depth"] for row in rows.values()] == ["2", "4", "full"]
    assert {row["hidden_size"] for row in rows.values()} == {"4"}


def test_a_finished_run_shows_what_it_came_to(tmp_path: Path, corpus: Path) -> None:
    row = summary_rows(tmp_path, corpus)["good"]

    (scores,) = read_tsv(tmp_path / "good/evaluation.tsv")
    assert (row["reason"], row["parameters"], row["best_epoch"]) == ("", "88", "3")
    assert row["validation_loss_nats_per_token"] == "1.25"
    assert row["test_loss_nats_per_token"] == scores["loss_nats_per_token"]
    assert row["test_perplexity"] == scores["perplexity"]
    assert row["next_word_accuracy"] == scores["next_word_accuracy"]


def test_a_diverged_run_shows_why_and_no_test_figures(tmp_path: Path, corpus: Path) -> None:
    row = summary_rows(tmp_path, corpus)["bad"]

    assert row["reason"] == "loss nan at step 2"
    assert (row["test_loss_nats_per_token"], row["test_perplexity"]) == ("", "")


def test_a_missing_run_has_its_settings_and_nothing_else(tmp_path: Path, corpus: Path) -> None:
    row = summary_rows(tmp_path, corpus)["gone"]

    assert row["reason"] == "no results; see its log"
    figures = ("parameters", "best_epoch", "validation_loss_nats_per_token", "test_perplexity")
    assert [row[figure] for figure in figures] == ["", "", "", ""]


def test_each_row_has_the_baselines_perplexities_on_the_test_split(
    tmp_path: Path, corpus: Path
) -> None:
    rows = summary_rows(tmp_path, corpus)

    expected = {
        f"{row['model']}_perplexity": row["perplexity"]
        for row in read_tsv(tmp_path / "baselines.tsv")[3:]
    }
    for row in rows.values():
        assert {key: row[key] for key in expected} == expected


def test_a_setting_without_a_value_is_shown_as_none(tmp_path: Path, corpus: Path) -> None:
    baselines.run(corpus, None, tmp_path / "baselines.tsv")
    settings = {"one": {"cell": "elman", "gradient_norm_limit": None, "epochs": 3}}

    summarise.run(
        settings, {}, *(tmp_path / f"{name}.tsv" for name in ("baselines", "summary", "inventory"))
    )

    (row,) = read_tsv(tmp_path / "summary.tsv")
    assert (row["gradient_norm_limit"], row["epochs"]) == ("none", "3")


# The report


TIMING = {"seconds": "4.0", "tokens_per_second": "99.5", "peak_memory_mb": "40.5"}
CHECKS = {
    "gradient": gradient_check("lstm", 2, trouble="lstm at depth 2: wrong"),
    "overfitting": overfitting_check("gru", 4, 0.046),
    "initial_loss": initial_loss_check(loss=2.34),
}
OWN_SENTENCES = [
    {
        "sentence": "1",
        "text": "The dog slept.",
        "unknown_words": "0",
        "log_probability": "-6.5",
        "log_probability_per_token": "-1.3",
    }
]
OWN_WORDS = [
    {
        "sentence": "1",
        "position": "1",
        "word": "the",
        "token": "the",
        "known": "yes",
        "log_probability": "-0.5",
    }
]
PORTRAITS = {"surprisal": SURPRISAL, "wall": WALL, "units": UNITS, "neighbours": NEIGHBOURS}
ENTROPY = {"symbols": 5, "words": 7, "entropy_nats_per_token": 0.654321}
FLOOR = [
    {"model": "grammar", "split": split, "loss_nats_per_token": loss, "perplexity": "2"}
    for split, loss in (("valid", "0.64"), ("test", "0.66"))
]


def write_drawn(folder: Path, picture: DrawnPicture) -> None:
    """The files of a picture, its drawings beginning as files of their own do."""
    for suffix, svg in ((".svg", picture.wide), (".narrow.svg", picture.narrow)):
        write_text(folder / f"{picture.name}{suffix}", f'<?xml version="1.0"?>\n{svg}')
    write_text(folder / f"{picture.name}.txt", f"{picture.takeaway}\n")
    write_tsv(folder / f"{picture.name}.tsv", list(picture.rows[0]), picture.rows)


def write_results(folder: Path, corpus: Path) -> None:
    """All that the report of the hand-made sweep is made from."""
    shutil.copytree(corpus, folder / "corpus")
    write_json(folder / "corpus/provenance.json", material().provenance)
    write_json(folder / "corpus/profile.json", PROFILE)
    write_tsv(folder / "corpus/baselines.tsv", list(BASELINES[0]), BASELINES)
    write_tsv(folder / "summary.tsv", list(SUMMARY[0]), SUMMARY)
    for name, check in CHECKS.items():
        write_json(folder / f"{name}.json", check)
    for name in (*FIGURES, *TIME_FIGURES):
        write_drawn(folder / "figures", drawn_picture(name))
    for name, table in PORTRAITS.items():
        write_tsv(folder / f"portraits/{name}.tsv", list(table[0]), table)
    for run, samples in material().samples.items():
        write_tsv(folder / run / "samples.tsv", list(samples[0]), samples)
        write_tsv(folder / run / "timing.tsv", list(TIMING), [TIMING])
        write_json(folder / run / "provenance.json", dict.fromkeys(report.VERSIONS, "1.0"))


@pytest.fixture
def write_report(corpus: Path, tmp_path: Path) -> Callable[..., str]:
    """Writes the report of the hand-made sweep, with word classes or without, and gives it back."""
    write_results(tmp_path, corpus)

    def written(
        with_classes: bool = False,
        more: Mapping[str, Any] | None = None,
        runs: Sequence[str] = tuple(material().samples),
    ) -> str:
        resolved = {**material().config, "experiment": "trial", **(more or {})}
        report.run(
            resolved,
            tmp_path / "corpus",
            tmp_path / "summary.tsv",
            [tmp_path / "gradient.json"],
            [tmp_path / "overfitting.json"],
            [tmp_path / "initial_loss.json"],
            with_classes,
            {run: tmp_path / run for run in runs},
            [path for path in tmp_path.glob("figures/*.svg") if ".narrow" not in path.suffixes],
            tmp_path / "portraits",
            {"far": "To be held against this one."},
            tmp_path / "report.html",
            tmp_path / "run.json",
            tmp_path / "sections",
        )
        assert read_json(tmp_path / "run.json") == resolved
        return (tmp_path / "report.html").read_text("utf-8")

    return written


@pytest.fixture
def rendered(monkeypatch: pytest.MonkeyPatch) -> list[Material]:
    """The materials of which the report was made so far, sections of their own included."""
    found: list[Material] = []

    def render(material: Material, section: object = None) -> str:
        found.append(material)
        return "a page"

    monkeypatch.setattr(report, "render", render)
    monkeypatch.setattr(report, "render_section", render)
    return found


def test_the_report_is_made_of_all_that_lies_in_the_files(
    write_report: Callable[..., str], rendered: list[Material], tmp_path: Path
) -> None:
    write_tsv(tmp_path / "corpus/baselines.tsv", list(BASELINES[0]), [*BASELINES, *FLOOR])
    write_json(tmp_path / "corpus/entropy.json", ENTROPY)
    write_drawn(tmp_path / "figures", drawn_picture("agreement"))
    for run in material().samples:
        write_tsv(tmp_path / run / "own_sentences.tsv", list(OWN_SENTENCES[0]), OWN_SENTENCES)
        write_tsv(tmp_path / run / "own_words.tsv", list(OWN_WORDS[0]), OWN_WORDS)
    of_runs = material().samples
    more = {"corpus": {"source": "grammar"}, "evaluation": {"sentences": "mine.txt"}}

    write_report(more=more)

    assert rendered[0] == material(
        config={**material().config, "experiment": "trial", **more},
        baselines=[*BASELINES, *FLOOR],
        gradients=[CHECKS["gradient"]],
        overfitting=[CHECKS["overfitting"]],
        initial_losses=[CHECKS["initial_loss"]],
        own_sentences=dict.fromkeys(of_runs, OWN_SENTENCES),
        own_words=dict.fromkeys(of_runs, OWN_WORDS),
        timing=dict.fromkeys(of_runs, TIMING),
        versions=dict.fromkeys(report.VERSIONS, "1.0"),
        entropy=ENTROPY,
        agreement=drawn_picture("agreement").rows,
        beside={"far": "To be held against this one."},
    )


def test_without_grammar_and_own_sentences_nothing_is_read_of_them(
    write_report: Callable[..., str], rendered: list[Material]
) -> None:
    write_report()

    found = rendered[0]
    assert (found.entropy, found.agreement) == (None, [])
    assert (found.own_sentences, found.own_words) == ({}, {})
    assert sorted(found.pictures) == sorted([*FIGURES, *TIME_FIGURES])


def test_of_runs_that_are_missing_nothing_is_read(
    write_report: Callable[..., str], rendered: list[Material]
) -> None:
    write_report(runs=["a2", "b1"])

    found = rendered[0]
    assert list(found.samples) == list(found.timing) == ["a2", "b1"]
    assert found.summary == SUMMARY


def test_sections_of_words_are_pages_of_their_own_made_of_the_same_material(
    write_report: Callable[..., str], rendered: list[Material], tmp_path: Path
) -> None:
    write_report()

    pages = sorted(path.name for path in (tmp_path / "sections").iterdir())
    assert pages == sorted(f"{name}.html" for name in PICTURES_OF_WORDS)
    assert len(rendered) == 1 + len(pages)
    assert all(found is rendered[0] for found in rendered)


def test_a_section_of_its_own_is_what_stands_in_the_report(
    write_report: Callable[..., str], tmp_path: Path
) -> None:
    page = write_report()

    for name, heading in (("surprise", "What surprised it"), ("inside", "Inside the network")):
        alone = (tmp_path / f"sections/{name}.html").read_text("utf-8")
        assert f"<title>trial: {heading}</title>" in alone
        body = alone[alone.index("</h1>") + 5 : alone.index("</main>")].strip()
        assert body in page
        assert len(body) > 500


def test_a_section_without_anything_to_show_says_so(
    write_report: Callable[..., str], tmp_path: Path
) -> None:
    write_report()

    assert "There is nothing to show." in (tmp_path / "sections/classes.html").read_text("utf-8")


def test_versions_of_runs_that_were_made_with_several_are_all_told(
    write_report: Callable[..., str], rendered: list[Material], tmp_path: Path
) -> None:
    newer = {**dict.fromkeys(report.VERSIONS, "1.0"), "numpy": "2.0", "commit": None}
    write_json(tmp_path / "b2/provenance.json", newer)

    write_report()

    assert rendered[0].versions == {
        "unrolled": "1.0",
        "python": "1.0",
        "numpy": "1.0 and 2.0",
        "commit": "1.0",
    }


def test_a_picture_without_its_narrow_drawing_is_refused(
    write_report: Callable[..., str], tmp_path: Path
) -> None:
    (tmp_path / "figures/loss.narrow.svg").unlink()

    with pytest.raises(DataError, match=r"loss\.narrow\.svg"):
        write_report()


def test_the_same_results_give_the_same_page_and_sections_again(
    write_report: Callable[..., str], tmp_path: Path
) -> None:
    first, again = (
        (write_report(), [path.read_bytes() for path in sorted(tmp_path.glob("sections/*"))])
        for _ in range(2)
    )

    assert first == again


def test_the_report_reads_the_word_classes_where_a_run_goes_by_them(
    write_report: Callable[..., str], rendered: list[Material], tmp_path: Path
) -> None:
    folder = tmp_path / "corpus"
    config = ClassesConfig("brown", 2, 3, 6, 0.001)
    classes.run(
        config, folder, folder / "classes.tsv", folder / "telling_classes.tsv", io.StringIO()
    )

    write_report(True)

    # the words of the classes after those that stand alone
    sizes = [len(members) for members in read_classes(folder / "classes.tsv", VOCABULARY).members]
    assert rendered[0].classes == {
        "words_alone": 3,
        "sizes": sizes[3:],
        "telling": read_tsv(folder / "telling_classes.tsv"),
    }
    assert len(sizes[3:]) == 2


def test_the_report_of_runs_without_word_classes_needs_no_table_of_them(
    write_report: Callable[..., str], rendered: list[Material], tmp_path: Path
) -> None:
    (tmp_path / "corpus/vocabulary.tsv").unlink()

    write_report(False)

    assert rendered[0].classes is None


def test_the_report_shows_what_it_is_made_of(write_report: Callable[..., str]) -> None:
    page = write_report()

    for name in (*FIGURES, *TIME_FIGURES):
        picture = drawn_picture(name)
        for shown in (picture.wide, picture.narrow, picture.takeaway):
            assert shown in page
    assert "lstm at depth 2: wrong" in page
    assert "2.3400" in page
    assert "To be held against this one." in page
    assert WALL[0]["tokens"].split(" . ")[0] in page
