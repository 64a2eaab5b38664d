"""How much words surprise a network: predictions, the choice of sentences, and the stage."""

import itertools
import math
from collections.abc import Callable, Sequence
from functools import partialmethod
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from class_strategies import (
    class_networks_and_sentences,
    classes_of,
    plain_log_probabilities,
)
from model_strategies import (
    dataset_of,
    fixed_network,
    ids,
    network_of,
    networks_and_sentences,
    reference_of,
    sentence,
    start_of,
    stepped,
)
from report_material import summary_row
from unrolled.analysis.evaluation import evaluate, score_sentence
from unrolled.analysis.surprisal import GUESSES, chosen_sentences, predictions
from unrolled.config.sections import PortraitsConfig
from unrolled.errors import DataError
from unrolled.model.cells import CELLS
from unrolled.model.files import write_model
from unrolled.model.network import Network
from unrolled.model.output.classes import ClassSoftmax
from unrolled.model.types import Array
from unrolled.stages import surprisal
from unrolled.storage import read_tsv, write_tsv
from unrolled.text.classes import WordClasses
from unrolled.text.dataset import Dataset, encode_documents, write_dataset
from unrolled.text.sentence_file import sentences_of, write_sentences
from unrolled.text.vocabulary import RESERVED, Ids, Vocabulary, write_vocabulary

CLASSES = classes_of([1, 3, 1, 2, 2])
OUTPUTS = {"softmax": None, "classes": CLASSES}


# Predictions


def plain_probabilities(network: Network, words: Ids) -> NDArray[np.float64]:
    """(words - 1, vocabulary) what follows each word but the last, step by step by formula."""
    state, rows = start_of(network), []
    for word in words[:-1].tolist():
        state, _ = stepped(network, word, state)
        rows.append(plain_distribution(network, state[:, : network.hidden_size]))
    return np.array(rows)


def plain_distribution(network: Network, hidden: Array) -> NDArray[np.float64]:
    """(vocabulary,) the probability of each word after a state."""
    if isinstance(network.output, ClassSoftmax):
        log_probabilities = plain_log_probabilities(network.output, hidden)[0]
        return np.array([math.exp(each) for each in log_probabilities])
    parameters = network.parameters
    scores = parameters["output_weights"] @ hidden[0] + parameters.get("output_bias", 0)
    exponentials = [math.exp(score) for score in scores]
    return np.array(exponentials) / math.fsum(exponentials)


@given(
    networks_and_sentences(ties=(False, True)) | class_networks_and_sentences(),
    st.integers(0, GUESSES + 2),
)
def test_surprisals_and_guesses_are_those_of_a_plain_distribution_over_all_words(
    case: tuple[Network, list[Ids]], count: int
) -> None:
    network, sentences = case

    for words in sentences:
        found = predictions(network, words, count)

        assert [prediction.token for prediction in found] == words[1:].tolist()
        for prediction, row in zip(found, plain_probabilities(network, words), strict=True):
            assert math.exp(-prediction.surprisal) == pytest.approx(row[prediction.token], rel=1e-9)
            guessed = [token for token, _ in prediction.guesses]
            probabilities = [probability for _, probability in prediction.guesses]
            assert len(set(guessed)) == len(guessed) == min(count, len(row))
            np.testing.assert_allclose(probabilities, row[guessed], rtol=1e-9)
            np.testing.assert_allclose(probabilities, np.sort(row)[::-1][:count], rtol=1e-9)
            assert probabilities == sorted(probabilities, reverse=True)


@pytest.mark.parametrize("classes", OUTPUTS.values(), ids=OUTPUTS)
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["single", "double"])
def test_surprisals_are_the_losses_by_which_own_sentences_and_splits_are_scored(
    cell: str, classes: WordClasses | None, dtype: type
) -> None:
    network = network_of(3, vocabulary_size=9, dtype=dtype, cell_name=cell, classes=classes)
    vocabulary = Vocabulary([*RESERVED, *"abcdef"], [1] * 9)
    words = ["a", "f", "unheard-of", "c"]
    tolerance = 1e-6 if dtype is np.float32 else 1e-14

    found = predictions(network, vocabulary.encode(words))

    surprisals = [prediction.surprisal for prediction in found]
    scored = score_sentence(network, vocabulary, words)
    np.testing.assert_allclose(surprisals, np.negative(scored.log_probabilities), rtol=tolerance)
    score = evaluate(network, dataset_of([vocabulary.encode(words)]))
    assert math.fsum(surprisals) / 5 == pytest.approx(score.loss_nats_per_token, rel=tolerance)


def test_surprisals_are_the_reference_networks() -> None:
    network, words = network_of(5), sentence(3, 6, 4)
    _, probabilities = reference_of(network).forward([0, 3, 6, 4])

    found = predictions(network, words)

    expected = -np.log(probabilities[[0, 1, 2, 3], [3, 6, 4, 1]])
    surprisals = [prediction.surprisal for prediction in found]
    np.testing.assert_allclose(surprisals, expected, rtol=1e-12)
    best = [prediction.guesses[0][0] for prediction in found]
    assert best == probabilities.argmax(axis=1).tolist()


def test_guesses_are_told_the_likeliest_first_and_equals_by_id() -> None:
    # exp gives 4, 8, 1, 2, 1: of 16 in all a quarter, a half, a 16th, an 8th and a 16th
    network = fixed_network([math.log(4), math.log(8), 0, math.log(2), 0])

    first, end = predictions(network, sentence(4))

    assert (first.token, end.token) == (4, 1)
    assert first.surprisal == pytest.approx(math.log(16), rel=1e-14)
    assert end.surprisal == pytest.approx(math.log(2), rel=1e-14)
    # a start, an end and the unknown word are guesses like any other
    assert [token for token, _ in first.guesses] == [1, 0, 3, 2, 4]
    probabilities = [probability for _, probability in first.guesses]
    np.testing.assert_allclose(probabilities, [1 / 2, 1 / 4, 1 / 8, 1 / 16, 1 / 16], rtol=1e-14)
    assert end.guesses == first.guesses


def test_of_many_equals_those_with_the_lowest_ids_are_guessed() -> None:
    (end,) = predictions(fixed_network([0] * 20 + [3] + [0] * 79), sentence())

    assert [token for token, _ in end.guesses] == [20, 0, 1, 2, 3]


def test_all_words_of_a_small_vocabulary_are_guesses() -> None:
    for prediction in predictions(network_of(2, vocabulary_size=4), sentence(3, 2)):
        assert sorted(token for token, _ in prediction.guesses) == [0, 1, 2, 3]
        total = math.fsum(probability for _, probability in prediction.guesses)
        assert total == pytest.approx(1, rel=1e-14)


def test_what_is_certain_surprises_by_nothing_and_what_is_out_of_reach_is_still_finite() -> None:
    # e^-1000 is nothing beside 1
    word, end = predictions(fixed_network([0, 1000, 0, 0]), sentence(3))

    assert str(end.surprisal) == "0.0"  # not -0.0
    assert word.surprisal == 1000
    assert word.guesses == [(1, 1.0), (0, 0.0), (2, 0.0), (3, 0.0)]


def test_what_comes_back_is_ready_to_be_written() -> None:
    (end,) = predictions(network_of(1, dtype=np.float32), sentence())

    assert {type(end.token), type(end.guesses[0][0])} == {int}
    assert {type(end.surprisal), type(end.guesses[0][1])} == {float}


def test_ids_beyond_the_vocabulary_and_sentences_without_an_end_are_refused() -> None:
    with pytest.raises(DataError, match=r"inputs must be ids of 0 to 6 \(got 7\)"):
        predictions(network_of(1), sentence(7))
    with pytest.raises(DataError, match="two ids, a start and an end"):
        predictions(network_of(1), ids(0))


# The choice of sentences

LENGTHS = st.lists(st.integers(1, 30), max_size=40)


@given(LENGTHS, st.integers(0, 12), st.integers(1, 20), st.integers(0, 20))
def test_so_many_sentences_are_chosen_as_there_are_evenly_spread_over_those_of_fitting_length(
    lengths: list[int], count: int, least: int, more: int
) -> None:
    chosen = chosen_sentences(lengths, count, least, least + more)

    fitting = [k for k, length in enumerate(lengths) if length in range(least, least + more + 1)]
    choice = fitting if len(fitting) >= count else list(range(len(lengths)))
    assert len(chosen) == min(count, len(lengths))
    assert set(chosen) <= set(choice)
    assert chosen == sorted(set(chosen))
    if len(chosen) > 1:
        assert (chosen[0], chosen[-1]) == (choice[0], choice[-1])
        gaps = [choice.index(b) - choice.index(a) for a, b in itertools.pairwise(chosen)]
        assert max(gaps) - min(gaps) <= 1


@pytest.mark.parametrize(
    ("lengths", "count", "chosen"),
    [
        # from the first to the last of ten; 9 / 3 = 3
        ([6] * 10, 4, [0, 3, 6, 9]),
        ([6] * 10, 1, [0]),
        # 5 / 3 = 1.67, 3.33 and 5 are rounded
        ([6] * 6, 4, [0, 2, 3, 5]),
        # 6 to 24 words fit: the third, the fourth and the last but one
        ([5, 25, 6, 24, 1, 10, 30], 3, [2, 3, 5]),
        ([5, 25, 6, 24, 1, 10, 30], 2, [2, 5]),
        # only three fit, so that all seven count: 6 / 3 = 2
        ([5, 25, 6, 24, 1, 10, 30], 4, [0, 2, 4, 6]),
        ([1, 2], 6, [0, 1]),
        ([], 6, []),
        ([9, 9], 0, []),
    ],
)
def test_sentences_are_chosen_by_length_and_place(
    lengths: list[int], count: int, chosen: list[int]
) -> None:
    assert chosen_sentences(lengths, count) == chosen


# The stage

SCRIPT, REVERSED, TABBED = "<script>alert('&')</script>", "\u202eback", "a\tb\\t"
VOCABULARY = Vocabulary([*RESERVED, "the", "dog", "barks", SCRIPT, REVERSED, TABBED], [9] * 9)
DOCUMENTS = [
    [["the", "dog", "barks", "the", "dog", "barks"], ["too", "short"]],
    [["the", SCRIPT, REVERSED, "axolotl", TABBED, "barks", "."]],
]
"""Of the three sentences two have a fitting length; too, short, axolotl and . are unknown."""

SENTENCES = [sentence for document in DOCUMENTS for sentence in document]

NETWORKS = {
    "first": network_of(1, vocabulary_size=9, hidden_size=3, cell_name="gru"),
    "second": network_of(2, vocabulary_size=9, cell_name="lstm", classes=CLASSES),
    "third": network_of(3, vocabulary_size=9, hidden_size=5, bias=True),
}
LOSSES = {"first": "1.5", "second": "1.2", "third": "1.9"}
"""So that the second is the best and the third the worst."""

Table = list[dict[str, str]]
Look = Callable[..., Table]


def write_corpus(
    folder: Path, vocabulary: Vocabulary, documents: Sequence[Sequence[Sequence[str]]]
) -> None:
    """What of a corpus the stage reads."""
    write_vocabulary(folder / "vocabulary.tsv", vocabulary)
    write_sentences(folder / "test.txt", sentences_of(documents))
    write_dataset(folder / "encoded/test", encode_documents(documents, vocabulary))


@pytest.fixture
def look(tmp_path: Path) -> Look:
    """Writes a corpus and runs of these networks, and gives back the table of surprisals."""

    def looked(
        networks: dict[str, Network] = NETWORKS,
        failed: Sequence[str] = (),
        sentences: int = 2,
        vocabulary: Vocabulary = VOCABULARY,
        documents: Sequence[Sequence[Sequence[str]]] = DOCUMENTS,
    ) -> Table:
        write_corpus(tmp_path / "corpus", vocabulary, documents)
        for name, network in networks.items():
            write_model(tmp_path / "runs" / name / "model", network, vocabulary, {})
        rows = [
            summary_row(name, "5", "0", "1", LOSSES[name], "4.0")
            for name in networks
            if name not in failed
        ]
        rows += [summary_row(name, "5", "0", "1", "", "") for name in failed]
        write_tsv(tmp_path / "summary.tsv", list(rows[0]), rows)
        surprisal.run(
            PortraitsConfig(sentences, words=1),
            tmp_path / "corpus",
            tmp_path / "summary.tsv",
            {name: tmp_path / "runs" / name for name in networks},
            tmp_path / "surprisal.tsv",
        )
        return read_tsv(tmp_path / "surprisal.tsv")

    return looked


def test_the_best_run_comes_before_the_worst_with_a_row_for_each_word_and_end(look: Look) -> None:
    rows = look()

    assert [list(row) for row in rows] == [surprisal.COLUMNS] * 30  # twice 7 and 8
    assert surprisal.COLUMNS[7:11] == ["guess_1", "probability_1", "guess_2", "probability_2"]
    assert len(surprisal.COLUMNS) == 7 + 2 * 5
    runs = [(row["role"], row["run"]) for row in rows]
    assert runs == [("best", "second")] * 15 + [("worst", "third")] * 15
    for role in ("best", "worst"):
        places = [(row["sentence"], row["place"]) for row in rows if row["role"] == role]
        assert places == [
            *(("1", str(place)) for place in range(1, 8)),
            *(("2", str(place)) for place in range(1, 9)),
        ]


def test_words_stand_as_in_the_text_and_those_unknown_are_told_apart(look: Look) -> None:
    rows = look()

    # the same sentences under both runs
    words = [*DOCUMENTS[0][0], "", *DOCUMENTS[1][0], ""]
    assert [row["word"] for row in rows] == words * 2
    known = ["no" if word in ("axolotl", ".") else "yes" for word in words]
    assert [row["known"] for row in rows] == known * 2


def test_each_row_is_what_the_run_of_its_role_predicts(look: Look) -> None:
    rows = look()

    sentences = [VOCABULARY.encode(words) for words in (DOCUMENTS[0][0], DOCUMENTS[1][0])]
    tokens = [token for words in sentences for token in words[1:].tolist()]
    expected = [
        probabilities
        for network in (NETWORKS["second"], NETWORKS["third"])
        for words in sentences
        for probabilities in plain_probabilities(network, words)
    ]
    for row, token, probabilities in zip(rows, tokens * 2, expected, strict=True):
        nats = -math.log(probabilities[token])
        assert float(row["surprisal_nats"]) == pytest.approx(nats, rel=1e-9)
        likeliest = np.argsort(-probabilities)[:5]
        guesses = [row[f"guess_{number}"] for number in range(1, 6)]
        assert guesses == VOCABULARY.decode(likeliest)
        shares = [float(row[f"probability_{number}"]) for number in range(1, 6)]
        np.testing.assert_allclose(shares, probabilities[likeliest], rtol=1e-9)


def test_guesses_survive_whatever_is_in_them(look: Look) -> None:
    # the unknown word, then the strange ones, then the end
    first = fixed_network([0, 1, 5, 0, 0, 0, 4, 3, 2])

    rows = look({"first": first})

    for row in rows:
        assert [row[f"guess_{number}"] for number in range(1, 6)] == [
            "UNKNOWN_TOKEN",
            SCRIPT,
            REVERSED,
            TABBED,
            "SENTENCE_END",
        ]


def test_cells_of_guesses_that_a_small_vocabulary_has_not_are_empty(look: Look) -> None:
    vocabulary = Vocabulary([*RESERVED, "the"], [1] * 4)

    rows = look({"first": network_of(1, vocabulary_size=4)}, vocabulary=vocabulary)

    for row in rows:
        assert {row[f"guess_{number}"] for number in range(1, 5)} == {*RESERVED, "the"}
        assert (row["guess_5"], row["probability_5"]) == ("", "")
        assert row["probability_4"]


def test_a_run_that_is_both_the_best_and_the_worst_is_the_best(look: Look) -> None:
    rows = look({"first": NETWORKS["first"]})

    assert [(row["role"], row["run"]) for row in rows] == [("best", "first")] * 15


def test_runs_that_diverged_or_are_missing_are_not_looked_at(look: Look) -> None:
    rows = look(
        {"first": NETWORKS["first"], "third": NETWORKS["third"]}, failed=["first", "second"]
    )

    assert {(row["role"], row["run"]) for row in rows} == {("best", "third")}


def test_a_sweep_without_a_finished_run_leaves_a_header_alone(look: Look, tmp_path: Path) -> None:
    rows = look({}, failed=["first", "second"])

    assert rows == []
    text = (tmp_path / "surprisal.tsv").read_text("utf-8")
    assert text == "\t".join(surprisal.COLUMNS) + "\n"


@pytest.mark.parametrize(
    ("count", "words"),
    [(1, [6]), (2, [6, 7]), (3, [6, 2, 7]), (9, [6, 2, 7])],
)
def test_as_many_sentences_are_shown_as_are_asked_for_if_there_are(
    count: int, words: list[int], look: Look
) -> None:
    rows = look({"first": NETWORKS["first"]}, sentences=count)

    ends = [(row["sentence"], int(row["place"]) - 1) for row in rows if row["word"] == ""]
    assert ends == [(str(number), length) for number, length in enumerate(words, start=1)]


def test_the_sentences_are_those_of_the_file_at_the_places_chosen(look: Look) -> None:
    sentences = [["the"] * 6, ["dog"] * 7, ["barks"] * 8, ["the"] * 9, ["dog"] * 10]

    rows = look({"first": NETWORKS["first"]}, sentences=3, documents=[sentences[:2], sentences[2:]])

    # the first, the third and the fifth of five that all fit
    shown = [row["word"] for row in rows]
    assert shown == ["the"] * 6 + [""] + ["barks"] * 8 + [""] + ["dog"] * 10 + [""]


@pytest.mark.parametrize("tokens", [1, 2**20])
@pytest.mark.parametrize(
    "other",
    [
        [["the", "dog", "barks", "the", "barks", "dog"], *SENTENCES[1:]],
        [*SENTENCES[:2], [*SENTENCES[2], "the"]],
        SENTENCES[:2],
        [*SENTENCES, ["the"]],
        [[*SENTENCES[0], *SENTENCES[1]], SENTENCES[2]],
    ],
    ids=["other words", "a word more", "one fewer", "one more", "two in one"],
)
def test_a_text_that_is_not_the_encoded_split_is_refused(
    other: list[list[str]],
    tokens: int,
    look: Look,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Dataset, "blocks", partialmethod(Dataset.blocks, tokens=tokens))
    look()  # which agrees, in blocks of any size
    write_sentences(tmp_path / "corpus/test.txt", sentences_of([other]))

    with pytest.raises(DataError, match=r"test\.txt must hold the sentences whose ids are in"):
        surprisal.run(
            PortraitsConfig(2, 1),
            tmp_path / "corpus",
            tmp_path / "summary.tsv",
            {name: tmp_path / "runs" / name for name in NETWORKS},
            tmp_path / "surprisal.tsv",
        )


def test_the_same_bytes_are_written_again(look: Look, tmp_path: Path) -> None:
    look()
    first = (tmp_path / "surprisal.tsv").read_bytes()

    look()

    assert (tmp_path / "surprisal.tsv").read_bytes() == first
