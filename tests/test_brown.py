"""Words that have similar neighbours come into one class."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_strategies import dataset_of, sentence
from unrolled.errors import DataError
from unrolled.text import pairs
from unrolled.text.brown import (
    Exchange,
    brown_classes,
    class_information,
)
from unrolled.text.classes import WordClasses, resolved
from unrolled.text.dataset import Dataset
from unrolled.text.pairs import count_pairs
from unrolled.text.vocabulary import END, START

Sentences = Sequence[Sequence[int]]
"""The words of sentences, without their starts and ends."""


def pairs_of(sentences: Sentences) -> list[tuple[int, int]]:
    """Every word or start with the word or end that follows it."""
    whole = [[START, *words, END] for words in sentences]
    return [pair for words in whole for pair in pairwise(words)]


def split_of(sentences: Sentences) -> Dataset:
    """The split of these sentences."""
    return dataset_of([sentence(*words) for words in sentences])


def objective(sentences: Sentences, labels: Sequence[int], size_penalty: float) -> float:
    """What the exchange raises, in nats over all tokens, from the pairs one by one."""
    pairs = [
        ("start" if before == START else labels[before], labels[word])
        for before, word in pairs_of(sentences)
    ]
    sizes = Counter(labels)
    return (
        sum(n * math.log(n) for n in Counter(pairs).values())
        - sum(n * math.log(n) for n in Counter(before for before, _ in pairs).values())
        - sum(n * math.log(n) for n in Counter(after for _, after in pairs).values())
        - size_penalty * sum(sizes[after] for _, after in pairs)
    )


def expected_size(sentences: Sentences, found: WordClasses) -> float:
    """How many words the class of a predicted token has, on average."""
    sizes = np.bincount(found.class_of)
    return float(np.mean([sizes[found.class_of[word]] for _, word in pairs_of(sentences)]))


def same_classes(found: WordClasses, expected: WordClasses) -> bool:
    """Whether all words have the same class and the same position."""
    return np.array_equal(found.class_of, expected.class_of) and np.array_equal(
        found.position, expected.position
    )


def noisy_text(seed: int = 1, count: int = 300, vocabulary_size: int = 60) -> list[list[int]]:
    """Sentences of words of very different frequency, each word leaning towards some others."""
    rng = np.random.default_rng(seed)
    words = np.arange(2, vocabulary_size)
    weights = 1 / words
    text = []
    for _ in range(count):
        line = [2]
        for _ in range(rng.integers(1, 9)):
            likely = weights * np.where((words + line[-1]) % 5 == 0, 8, 1)
            line.append(int(rng.choice(words, p=likely / likely.sum())))
        text.append(line)
    return text


NOUNS, VERBS = [2, 5, 6, 9], [3, 4, 7, 8]
"""Words that take turns in `TURNS`."""

TURNS = [
    [NOUNS[i % 4], VERBS[j % 4], NOUNS[k % 4], VERBS[(i + j + k) % 4]]
    for i, j, k in np.ndindex(4, 4, 5)
]
"""Noun, verb, noun, verb; the fifth round of the second noun makes one noun more frequent."""

SEEN = st.lists(st.lists(st.integers(2, 6), max_size=6), min_size=1, max_size=8)
"""Sentences of seven ids, the start and the end among them."""

PENALTIES = st.sampled_from([0.0, 0.01, 0.3])


@st.composite
def texts_and_wishes(draw: st.DrawFn) -> tuple[list[list[int]], int, int, int | None]:
    """Sentences, a vocabulary size, how many words stand alone and how many classes."""
    vocabulary_size = draw(st.integers(2, 12))
    words_alone = draw(st.integers(0, vocabulary_size + 1))
    most = max(0, vocabulary_size - words_alone) // 2
    count = draw(st.none() | st.integers(1, most)) if most else None
    word = st.integers(1, vocabulary_size - 1)
    text = draw(st.lists(st.lists(word, max_size=6), min_size=1, max_size=6))
    return text, vocabulary_size, words_alone, count


class TestExchange:
    @given(text=SEEN, labels=st.permutations([0, 0, 0, 1, 1, 1, 2]), penalty=PENALTIES)
    def test_what_the_moves_gain_is_what_the_objective_rises_by(
        self, text: list[list[int]], labels: list[int], penalty: float
    ) -> None:
        exchange = Exchange(count_pairs(split_of(text), 7), np.array(labels), 2, penalty)
        words = [word for word in range(1, 7) if labels[word] < 2]

        for _ in range(2):
            for word in words:
                exchange.visit(word)

        risen = objective(text, exchange.labels.tolist(), penalty)
        risen -= objective(text, labels, penalty)
        assert exchange.gained == pytest.approx(risen, abs=1e-9)

    @given(text=SEEN, words_alone=st.integers(0, 2), penalty=PENALTIES)
    def test_once_it_has_ended_no_other_class_is_better_for_any_word(
        self, text: list[list[int]], words_alone: int, penalty: float
    ) -> None:
        found = brown_classes(split_of(text), 7, words_alone, 2, 100, penalty)

        labels, sizes = found.class_of.tolist(), Counter(found.class_of.tolist())
        reached = objective(text, labels, penalty)
        shared = [number for number, size in sizes.items() if size > 1]
        for word in range(1, 7):
            if sizes[labels[word]] > 2:
                for other in shared:
                    moved = [*labels[:word], other, *labels[word + 1 :]]
                    assert objective(text, moved, penalty) <= reached + 1e-5

    def test_each_word_moves_to_the_best_class_at_once(self) -> None:
        text = noisy_text(count=80, vocabulary_size=24)
        exchange = Exchange(count_pairs(split_of(text), 24), np.arange(24) % 4, 4, 0.001)
        found, best = [], []

        for word in range(1, 24):
            labels = exchange.labels.tolist()
            values = [
                objective(text, [*labels[:word], c, *labels[word + 1 :]], 0.001) for c in range(4)
            ]
            best.append(int(np.argmax(values)))
            exchange.visit(word)
            found.append(int(exchange.labels[word]))

        assert found == best
        assert len(set(best)) == 4

    def test_a_word_that_would_leave_another_alone_stays(self) -> None:
        # A noun and a verb share a class, though the other nouns and verbs have one each.
        labels = [0, 2, 0, 1, 2, 0, 0, 2, 2, 1]
        exchange = Exchange(count_pairs(split_of(TURNS), 10), np.array(labels), 3, 0.0)

        moved = exchange.visit(9)

        with_nouns = [*labels[:9], 0]
        assert objective(TURNS, with_nouns, 0.0) > objective(TURNS, labels, 0.0)
        assert not moved
        assert exchange.labels.tolist() == labels

    def test_in_a_tie_a_word_stays(self) -> None:
        # All classes are alike to word 10, which is never seen. If it left, its class would be too
        # small for the noun 9 to leave.
        labels = np.array([0, 2, 0, 1, 2, 0, 0, 2, 2, 1, 1])
        exchange = Exchange(count_pairs(split_of(TURNS), 11), labels, 3, 0.0)

        assert not exchange.visit(10)
        assert exchange.labels[10] == 1
        assert exchange.visit(9)

    def test_the_classes_given_are_not_changed(self) -> None:
        labels = np.array([0, 0, 0, 1, 1, 1, 1, 0, 0, 0])
        exchange = Exchange(count_pairs(split_of(TURNS), 10), labels, 2, 0.0)

        exchange.run(list(range(1, 10)), 3, lambda words, count, sweep: words)

        assert exchange.gained > 0
        assert labels.tolist() == [0, 0, 0, 1, 1, 1, 1, 0, 0, 0]


class TestBrownClasses:
    def test_words_that_take_turns_are_told_apart(self) -> None:
        found = brown_classes(split_of(TURNS), 10, 1, 2, 10, 0.0)  # the end stands alone

        assert len({found.class_of[word] for word in NOUNS}) == 1
        assert len({found.class_of[word] for word in VERBS}) == 1
        assert found.class_of[NOUNS[0]] != found.class_of[VERBS[0]]

    def test_words_that_begin_sentences_are_told_from_those_that_do_not(self) -> None:
        # All that tells 2, 3 and 4 from 5, 6 and 7 is that they follow the start.
        text = [[first, last] for first in (2, 3, 4) for last in (5, 6, 7)]

        found = brown_classes(split_of(text), 8, 1, 2, 10, 0.0)

        assert len({found.class_of[word] for word in (2, 3, 4)}) == 1
        assert len({found.class_of[word] for word in (5, 6, 7)}) == 1

    def test_the_most_frequently_predicted_words_stand_alone(self) -> None:
        text = [[3, 3, 3, 3, 2, 4], [4, 4, 5, 6, 7]]

        found = brown_classes(split_of(text), 8, 3, 2, 5, 0.0)

        # Word 3 is predicted four times, word 4 three times, the end twice.
        assert [found.class_of[word] for word in (3, 4, END)] == [0, 1, 2]
        assert found.words_alone == 3

    @given(wishes=texts_and_wishes(), penalty=st.sampled_from([0.0, 0.1, 10.0]))
    def test_every_class_has_two_words_for_any_text(
        self, wishes: tuple[list[list[int]], int, int, int | None], penalty: float
    ) -> None:
        text, vocabulary_size, words_alone, count = wishes

        found = brown_classes(split_of(text), vocabulary_size, words_alone, count, 3, penalty)

        alone, shared = resolved(vocabulary_size, words_alone, count)
        sizes = Counter(found.class_of.tolist())
        assert len(found) == vocabulary_size
        assert found.words_alone == alone
        assert found.count == alone + shared
        assert sum(size > 1 for size in sizes.values()) == shared

    def test_the_same_text_gives_the_same_classes(self) -> None:
        first, second = (brown_classes(split_of(noisy_text()), 60, 4, 7, 5, 1e-3) for _ in "ab")

        assert same_classes(first, second)

    def test_a_text_read_three_times_gives_the_same_classes(self) -> None:
        text = noisy_text()

        once = brown_classes(split_of(text), 60, 4, 7, 20, 0.003)

        assert same_classes(brown_classes(split_of(text * 3), 60, 4, 7, 20, 0.003), once)

    def test_a_larger_penalty_makes_the_classes_of_predicted_tokens_smaller(self) -> None:
        text = noisy_text()

        found = [brown_classes(split_of(text), 60, 4, 7, 20, p) for p in (0.0, 0.003, 0.03, 1.0)]

        sizes = [expected_size(text, classes) for classes in found]
        assert sizes == sorted(sizes, reverse=True)
        assert sizes[0] > 1.2 * sizes[-1]

    def test_a_word_that_is_never_seen_goes_where_it_costs_least(self) -> None:
        text = [words for words in noisy_text() if 59 not in words]

        found = brown_classes(split_of(text), 60, 4, 7, 20, 0.003)

        tokens = Counter(int(found.class_of[word]) for _, word in pairs_of(text))
        assert tokens[int(found.class_of[59])] == min(tokens[number] for number in range(4, 11))

    def test_more_sweeps_are_never_worse(self) -> None:
        text = noisy_text()

        found = [brown_classes(split_of(text), 60, 4, 7, sweeps, 0.001) for sweeps in range(5)]

        values = [objective(text, classes.class_of.tolist(), 0.001) for classes in found]
        assert values == sorted(values)
        assert values[1] > values[0]

    def test_a_handful_of_words_stand_alone(self) -> None:
        found = brown_classes(split_of([[2]]), 3, 32, None, 6, 0.001)

        # The end and word 2 are predicted once each, the start never.
        assert found.class_of.tolist() == [2, 0, 1]
        assert found.words_alone == 3

    @given(asked=texts_and_wishes(), part=st.integers(1, 9))
    def test_they_do_not_depend_on_how_many_pairs_are_looked_at_together(
        self, asked: tuple[list[list[int]], int, int, int | None], part: int
    ) -> None:
        text, vocabulary_size, words_alone, count = asked
        wishes = (split_of(text), vocabulary_size, words_alone, count, 4, 0.01)
        expected = brown_classes(*wishes)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(pairs, "PART", part)
            found = brown_classes(*wishes)

        assert same_classes(found, expected)

    def test_more_classes_than_pairs_of_words_are_refused(self) -> None:
        with pytest.raises(DataError, match=r"^classes\.count must be at most 3, half of the 7"):
            brown_classes(split_of(TURNS), 10, 3, 4, 6, 0.0)

    def test_every_sweep_is_shown_until_none_moves(self) -> None:
        shown = []

        def show(words: Iterable[int], count: int, sweep: int) -> Iterable[int]:
            ranked = list(words)
            shown.append((sweep, count, len(ranked), START in ranked))
            return ranked

        brown_classes(split_of(TURNS), 10, 1, 2, 50, 0.0, show)

        # All but the word that stands alone, and the start, which is never predicted.
        assert shown == [(sweep, 8, 8, False) for sweep in range(1, len(shown) + 1)]
        assert 2 <= len(shown) < 50

    def test_frequent_words_are_visited_first(self) -> None:
        visited: list[int] = []

        def show(words: Iterable[int], count: int, sweep: int) -> Iterable[int]:
            visited.extend(words)
            return words

        brown_classes(split_of([[4, 4, 4, 3, 3], [2, 5, 5, 5, 5]]), 6, 0, 2, 1, 0.0, show)

        assert visited == [5, 4, END, 3, 2]  # four times, three, two, two and once; ties by id


class TestClassInformation:
    def test_it_is_the_divergence_of_the_class_before(self) -> None:
        # Ten predicted tokens: word 2 after the start four times, word 3 after word 2 twice, the
        # end after each of them twice.
        text = [[2], [2], [2, 3], [2, 3]]
        classes = WordClasses(np.array([1, 0, 1, 2, 2]), np.array([0, -1, 1, 2, 3]))

        found = class_information(classes, split_of(text))

        # Before any token stand the start (4 of 10), class 1 (4) and class 2 (2).
        assert found.share == pytest.approx([0.4, 0.4, 0.2])
        assert found.nats == pytest.approx(
            [0.5 * math.log(0.5 / 0.4) + 0.5 * math.log(0.5 / 0.2), -math.log(0.4), -math.log(0.4)]
        )

    @given(text=SEEN, labels=st.permutations([0, 0, 1, 1, 1, 2, 2]))
    def test_weighted_with_the_shares_it_adds_up_to_the_mutual_information(
        self, text: list[list[int]], labels: list[int]
    ) -> None:
        order = np.argsort(np.argsort(labels, kind="stable"), kind="stable")
        classes = WordClasses(np.array(labels, dtype=np.int32), order.astype(np.int32))

        found = class_information(classes, split_of(text))

        total = len(pairs_of(text))
        information = objective(text, labels, 0.0) / total + math.log(total)
        assert found.share @ found.nats == pytest.approx(information, abs=1e-12)
        assert found.share.sum() == pytest.approx(1)

    @given(text=SEEN, labels=st.permutations([0, 0, 1, 1, 1, 2, 2]))
    def test_it_is_what_counting_class_by_class_gives(
        self, text: list[list[int]], labels: list[int]
    ) -> None:
        order = np.argsort(np.argsort(labels, kind="stable"), kind="stable")
        classes = WordClasses(np.array(labels, dtype=np.int32), order.astype(np.int32))
        before: dict[int, Counter[int]] = defaultdict(Counter)
        for previous, word in pairs_of(text):
            before[labels[word]][-1 if previous == START else labels[previous]] += 1
        everywhere = sum(before.values(), Counter[int]())

        found = class_information(classes, split_of(text))

        for number in range(3):
            mine, total = before[number], everywhere.total()
            expected = sum(
                n / mine.total() * math.log(n / mine.total() / (everywhere[c] / total))
                for c, n in mine.items()
            )
            assert found.nats[number] == pytest.approx(expected, abs=1e-12)
            assert found.share[number] == pytest.approx(mine.total() / total)

    @given(text=SEEN, labels=st.permutations([0, 0, 1, 1, 1, 2, 2]), part=st.integers(1, 9))
    def test_it_does_not_depend_on_how_many_pairs_are_looked_at_together(
        self, text: list[list[int]], labels: list[int], part: int
    ) -> None:
        order = np.argsort(np.argsort(labels, kind="stable"), kind="stable")
        classes = WordClasses(np.array(labels, dtype=np.int32), order.astype(np.int32))
        expected = class_information(classes, split_of(text))

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(pairs, "PART", part)
            found = class_information(classes, split_of(text))

        assert found.share.tolist() == expected.share.tolist()
        assert found.nats.tolist() == expected.nats.tolist()

    def test_a_class_that_is_never_predicted_says_nothing(self) -> None:
        classes = WordClasses(np.array([1, 0, 0, 1, 1]), np.array([2, 0, 1, 3, 4]))

        found = class_information(classes, split_of([[2], [2, 2]]))

        assert (found.share[1], found.nats[1]) == (0, 0)
