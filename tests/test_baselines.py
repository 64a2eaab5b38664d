"""The models to beat: guessing, word frequencies, and pairs of words."""

import itertools
import math
from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_strategies import dataset_of, ids, sentence
from unrolled.analysis.baselines import Baselines, fit_baselines
from unrolled.text.vocabulary import END, START, Ids

V = 6
WORDS = st.lists(st.integers(2, V - 1), max_size=6).map(lambda words: sentence(*words))
SPLIT = st.lists(WORDS, min_size=1, max_size=5)

TRAINING = [sentence(3, 4), sentence(3, 5), sentence(3, 4, 3)]


class PlainBaselines:
    """The three models with dictionaries, word by word."""

    def __init__(self, sentences: list[Ids]) -> None:
        self.following: dict[int, Counter[int]] = defaultdict(Counter)
        self.counts: Counter[int] = Counter()
        for words in sentences:
            for v, w in itertools.pairwise(words.tolist()):
                self.counts[w] += 1
                self.following[v][w] += 1

    def unigram(self, w: int) -> float:
        return (self.counts[w] + 1) / (self.counts.total() + V)

    def bigram(self, v: int, w: int) -> float:
        after = self.following[v]
        if not after:
            return self.unigram(w)
        return (after[w] + len(after) * self.unigram(w)) / (after.total() + len(after))

    def losses(self, sentences: list[Ids]) -> dict[str, float]:
        pairs = [pair for words in sentences for pair in itertools.pairwise(words.tolist())]
        return {
            "uniform": math.log(V),
            "unigram": -math.fsum(math.log(self.unigram(w)) for _, w in pairs) / len(pairs),
            "bigram": -math.fsum(math.log(self.bigram(v, w)) for v, w in pairs) / len(pairs),
        }


def bigram(models: Baselines, v: int, w: int) -> float:
    return float(models.bigram(ids(v), ids(w))[0])


def test_unigram_adds_one_to_every_count() -> None:
    models = fit_baselines(dataset_of(TRAINING), V)

    # 10 words are predicted: END 3 times, 3 four times, 4 twice, 5 once; (count + 1) / (10 + 6)
    expected = np.array([1, 4, 1, 5, 3, 2]) / 16
    np.testing.assert_allclose(models.unigram, expected, rtol=1e-15)


def test_bigram_is_the_one_worked_out_by_hand() -> None:
    models = fit_baselines(dataset_of(TRAINING), V)

    # after 3 came 4 twice, 5 once and END once: 4 in all, 3 different; (c + 3 P(w)) / (4 + 3)
    assert bigram(models, 3, 4) == pytest.approx((2 + 3 * 3 / 16) / 7, rel=1e-14)
    assert bigram(models, 3, 5) == pytest.approx((1 + 3 * 2 / 16) / 7, rel=1e-14)
    assert bigram(models, 3, 3) == pytest.approx((0 + 3 * 5 / 16) / 7, rel=1e-14)
    # after the start came 3 three times: 3 in all, 1 different
    assert bigram(models, START, 3) == pytest.approx((3 + 5 / 16) / 4, rel=1e-14)
    # after 5 came the end, once
    assert bigram(models, 5, END) == pytest.approx((1 + 4 / 16) / 2, rel=1e-14)


def test_a_history_never_seen_falls_back_to_the_unigram() -> None:
    models = fit_baselines(dataset_of(TRAINING), V)

    for unseen in (2, END):
        for w in range(V):
            assert bigram(models, unseen, w) == pytest.approx(models.unigram[w], rel=1e-15)


def test_no_pair_reaches_across_the_end_of_a_sentence() -> None:
    models = fit_baselines(dataset_of([sentence(3), sentence(4)]), V)

    # pairs: start 3, 3 end, start 4, 4 end; not: end start
    pairs = [divmod(key, V) for key in models.pairs.keys.tolist()]
    assert pairs == [(START, 3), (START, 4), (3, END), (4, END)]
    assert models.pairs.counts.tolist() == [1, 1, 1, 1]


@given(SPLIT)
def test_each_distribution_sums_to_one_over_the_vocabulary_for_every_history(
    sentences: list[Ids],
) -> None:
    models = fit_baselines(dataset_of(sentences), V)

    assert models.unigram.sum() == pytest.approx(1, abs=1e-14)
    for v in range(V):
        distribution = models.bigram(np.full(V, v), np.arange(V))
        assert (distribution > 0).all()
        assert distribution.sum() == pytest.approx(1, abs=1e-14)


@given(SPLIT, SPLIT, st.integers(1, 20))
def test_losses_are_those_of_the_plain_models(
    training: list[Ids], test: list[Ids], tokens: int
) -> None:
    losses = fit_baselines(dataset_of(training), V, tokens).losses(dataset_of(test), tokens)

    expected = PlainBaselines(training).losses(test)
    assert list(losses) == ["uniform", "unigram", "bigram"]
    for name, loss in losses.items():
        assert loss == pytest.approx(expected[name], rel=1e-12), name


@given(SPLIT, SPLIT)
def test_losses_of_one_block_are_means_over_the_whole_split_to_the_last_bit(
    training: list[Ids], test: list[Ids]
) -> None:
    models, split = fit_baselines(dataset_of(training), V), dataset_of(test)

    losses = models.losses(split)

    previous, following = split.neighbours
    assert losses["unigram"] == -float(np.log(models.unigram[following]).mean())
    assert losses["bigram"] == -float(np.log(models.bigram(previous, following)).mean())


@given(SPLIT, st.integers(1, 20))
def test_models_do_not_depend_on_the_blocks_in_which_a_split_is_read(
    training: list[Ids], tokens: int
) -> None:
    expected = fit_baselines(dataset_of(training), V)

    found = fit_baselines(dataset_of(training), V, tokens)

    every = np.indices((V, V))
    assert found.unigram.tolist() == expected.unigram.tolist()
    assert found.bigram(*every).tolist() == expected.bigram(*every).tolist()


def test_on_its_own_training_text_more_context_is_better() -> None:
    losses = fit_baselines(dataset_of(TRAINING), V).losses(dataset_of(TRAINING))

    assert losses["bigram"] < losses["unigram"] < losses["uniform"]


def test_ids_too_large_for_their_product_to_fit_in_32_bits_are_told_apart() -> None:
    # 60000 * 60000 > 2^31
    models = fit_baselines(dataset_of([sentence(59_999, 59_998)]), 60_000)

    # after 59999 came 59998, once; P(w) is (1 + 1) / (3 + 60000)
    seen, unseen = (1 + 2 / 60_003) / 2, (0 + 1 / 60_003) / 2
    assert bigram(models, 59_999, 59_998) == pytest.approx(seen, rel=1e-14)
    assert bigram(models, 59_999, 59_997) == pytest.approx(unseen, rel=1e-14)
