"""What a grammar says: the chances of its sentences, their entropy, and sentences by chance."""

import hashlib
import itertools
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from test_grammar import GRAMMAR, grammars
from unrolled.corpus.grammars.derivation import (
    BLOCK,
    draw_sentences,
    entropy_nats_per_sentence,
    entropy_nats_per_token,
    log_probabilities,
    mean_length,
)
from unrolled.corpus.grammars.grammar import Alternative, Grammar, parse_grammar
from unrolled.corpus.grammars.languages import countdown, geometric
from unrolled.errors import DataError

ALMOST_ONE = float(np.nextafter(1, 0))
"""The largest number that a generator gives."""

LANGUAGES = {
    "small": GRAMMAR,
    "branching": parse_grammar("S -> 'a' S S [0.4] | 'b' [0.5] | 'c' S [0.1]", "branching"),
    "countdown": countdown(8, [1, 2, 4, 8, 16], 4),
    "geometric": geometric(8, 32, 0.15, cue=False),
    "cue": geometric(8, 32, 0.15, cue=True),
}
every_language = pytest.mark.parametrize("grammar", LANGUAGES.values(), ids=LANGUAGES)

Weighed = tuple[tuple[str, ...], float]
"""Words, and the product of the probabilities of the rules that lead to them."""


def sentences_of(grammar: Grammar, symbols: Sequence[str]) -> Iterator[Weighed]:
    """Everything that can be derived from symbols that lead to later ones only."""
    if not symbols:
        yield (), 1.0
        return
    for found in grammar.rules[symbols[0]]:
        for inner, one in sentences_of(grammar, found.symbols):
            for rest, other in sentences_of(grammar, symbols[1:]):
                yield (found.word, *inner, *rest), found.probability * one * other


def derived(grammar: Grammar, symbol: str, choices: Iterator[int], depth: int) -> Weighed:
    """A derivation by the choices, and below the depth by those that bring the fewest symbols."""
    alternatives = sorted(grammar.rules[symbol], key=lambda found: len(found.symbols))
    found = alternatives[next(choices) % len(alternatives) if depth else 0]
    parts = [derived(grammar, name, choices, max(depth - 1, 0)) for name in found.symbols]
    words = (found.word, *itertools.chain.from_iterable(part for part, _ in parts))
    return words, found.probability * math.prod(probability for _, probability in parts)


def plainly_drawn(grammar: Grammar, symbol: str, rng: np.random.Generator) -> list[str]:
    """A sentence by one number for each word, as one would write it down first."""
    number, total = rng.random(), 0.0
    alternatives = list(grammar.rules[symbol])
    for found in alternatives:
        total += found.probability
        if number < total:
            break
    words = [found.word]
    for name in found.symbols:
        words += plainly_drawn(grammar, name, rng)
    return words


def drawn(grammar: Grammar, count: int, seed: int = 1) -> list[list[str]]:
    """Sentences by a generator of their own."""
    return list(draw_sentences(grammar, count, np.random.default_rng(seed)))


class Constant:
    """Stands in for a generator: its numbers are all the same."""

    def __init__(self, number: float) -> None:
        self.number = number

    def random(self, size: int) -> NDArray[np.float64]:
        """So many of them."""
        return np.full(size, self.number)


def constant(number: float) -> np.random.Generator:
    """A generator that gives this number for ever."""
    return cast(np.random.Generator, Constant(number))


# Entropy and length


@pytest.mark.parametrize("going_on", [0.01, 0.3, 0.9, 0.999])
def test_a_loop_has_the_entropy_of_one_choice_times_the_choices(going_on: float) -> None:
    stop = 1 - going_on
    rules = {"S": [Alternative("a", ("S",), going_on), Alternative("b", (), stop)]}
    grammar = Grammar("S", rules)

    choice = -going_on * math.log(going_on) - stop * math.log(stop)

    assert mean_length(grammar) == pytest.approx(1 / stop, rel=1e-12)
    assert entropy_nats_per_sentence(grammar) == pytest.approx(choice / stop, rel=1e-12)
    # the end is a token of its own
    assert entropy_nats_per_token(grammar) == pytest.approx(choice / (1 + stop), rel=1e-12)


def test_symbols_that_wait_together_add_up() -> None:
    # X: 2 words and 2 ln 2. S brings a quarter of both: s = 1 + s/4 + 2/4, so 2 words, and
    # 3/4 of the entropy is that of 1/4 and 3/4, which is ln 4 - 3/4 ln 3, and a half of ln 2
    entropy = (math.log(4) - 0.75 * math.log(3) + 0.5 * math.log(2)) / 0.75

    assert mean_length(GRAMMAR) == pytest.approx(2, rel=1e-14)
    assert entropy_nats_per_sentence(GRAMMAR) == pytest.approx(entropy, rel=1e-14)


def test_a_single_sentence_says_nothing() -> None:
    grammar = parse_grammar("S -> 'a' X [1.0]\nX -> 'b' [1.0]", "one")

    assert entropy_nats_per_sentence(grammar) == 0
    assert entropy_nats_per_token(grammar) == 0
    assert mean_length(grammar) == 2


@given(grammars(recursive=False))
def test_figures_are_those_of_all_sentences_written_out(grammar: Grammar) -> None:
    sentences = list(sentences_of(grammar, [grammar.start]))

    total = math.fsum(share for _, share in sentences)
    entropy = -math.fsum(share * math.log(share) for _, share in sentences)
    length = math.fsum(share * len(words) for words, share in sentences)

    assert len({words for words, _ in sentences}) == len(sentences)  # one derivation each
    assert total == pytest.approx(1, rel=1e-12)
    assert entropy_nats_per_sentence(grammar) == pytest.approx(entropy, rel=1e-12, abs=1e-14)
    assert mean_length(grammar) == pytest.approx(length, rel=1e-12)
    assert entropy_nats_per_token(grammar) == pytest.approx(
        entropy / (length + 1), rel=1e-12, abs=1e-14
    )


# Probabilities of words


def test_each_word_has_the_probability_of_its_alternative_and_the_end_is_certain() -> None:
    # S -> a X S, X -> b X, X -> c, S -> b
    found = log_probabilities(GRAMMAR, ["a", "b", "c", "b"])

    np.testing.assert_allclose(np.exp(found), [0.25, 0.5, 0.5, 0.75, 1.0], rtol=1e-15)
    assert found[-1] == 0


@given(grammars(), st.lists(st.integers(0, 5), min_size=1), st.integers(0, 6))
def test_a_sentence_has_the_probability_of_its_derivation(
    grammar: Grammar, numbers: list[int], depth: int
) -> None:
    choices = itertools.cycle(numbers)
    words, probability = derived(grammar, grammar.start, choices, depth)

    found = log_probabilities(grammar, words)

    assert len(found) == len(words) + 1
    assert math.fsum(found) == pytest.approx(math.log(probability), rel=1e-12, abs=1e-14)


@given(grammars(recursive=False))
def test_every_sentence_written_out_has_its_probability(grammar: Grammar) -> None:
    for words, probability in sentences_of(grammar, [grammar.start]):
        found = math.fsum(log_probabilities(grammar, words))

        assert math.exp(found) == pytest.approx(probability, rel=1e-12)


@pytest.mark.parametrize(
    ("sentence", "message"),
    [
        ("a a b", "the sentence 'a a b' .* word 2, 'a', is none of those of 'X': c, b$"),
        ("c", "the sentence 'c' .* word 1, 'c', is none of those of 'S': a, b$"),
        ("b b", "the sentence 'b b' .* word 2, 'b', comes after its end$"),
        ("a c b b c", "the sentence 'a c b b c' .* word 4, 'b', comes after its end$"),
        ("a b", "the sentence 'a b' ends too early: the grammar goes on with 'X'$"),
        ("a c", "the sentence 'a c' ends too early: the grammar goes on with 'S'$"),
        ("", "the sentence '' ends too early: the grammar goes on with 'S'$"),
    ],
)
def test_a_sentence_of_another_language_is_refused(sentence: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        log_probabilities(GRAMMAR, sentence.split())


def test_of_many_possible_words_eight_are_shown() -> None:
    nine, eight = (
        Grammar("S", {"S": [Alternative(word, (), 1 / len(words)) for word in words]})
        for words in ("abcdefghi", "abcdefgh")
    )

    with pytest.raises(DataError, match=r"those of 'S': a, b, c, d, e, f, g, h, \.\.\.$"):
        log_probabilities(nine, ["x"])
    with pytest.raises(DataError, match=r"those of 'S': a, b, c, d, e, f, g, h$"):
        log_probabilities(eight, ["x"])


# Drawing


@given(grammars(), st.integers(0, 2**32 - 1))
def test_sentences_are_those_that_one_number_a_word_gives(grammar: Grammar, seed: int) -> None:
    rng = np.random.default_rng(seed)
    expected = [plainly_drawn(grammar, grammar.start, rng) for _ in range(10)]

    assert drawn(grammar, 10, seed) == expected


def test_a_new_block_of_numbers_goes_on_where_the_last_one_ended() -> None:
    grammar = LANGUAGES["branching"]
    rng = np.random.default_rng(3)
    expected = [plainly_drawn(grammar, grammar.start, rng) for _ in range(900)]

    assert sum(map(len, expected)) > 2 * BLOCK
    assert drawn(grammar, 900, 3) == expected


@every_language
def test_a_seed_gives_its_sentences_and_another_seed_others(grammar: Grammar) -> None:
    assert drawn(grammar, 50, seed=1) == drawn(grammar, 50, seed=1)
    assert drawn(grammar, 50, seed=1) != drawn(grammar, 50, seed=2)


@every_language
@pytest.mark.parametrize("count", [0, 1, 999])
def test_fewer_sentences_are_the_first_of_more(grammar: Grammar, count: int) -> None:
    assert drawn(grammar, count) == drawn(grammar, 1000)[:count]


@pytest.mark.parametrize(
    ("name", "sha256"),
    [
        ("countdown", "4aed518b302682bc229f425d42c84b493c43c3192902e43f0680cc3f3567dc9c"),
        ("geometric", "bb7a5b2878e417f466d940fe872024e42c2a92291ca66de4c17f512623963339"),
        ("cue", "4335b5eaa6acf56f10f7f8ce36f8d895287df10eb09081d8766fe84f8ed09c4a"),
    ],
)
def test_the_bytes_of_a_thousand_sentences_are_known(name: str, sha256: str) -> None:
    text = "".join(f"{' '.join(words)}\n" for words in drawn(LANGUAGES[name], 1000))

    assert hashlib.sha256(text.encode()).hexdigest() == sha256


@pytest.mark.parametrize("count", [3, 10, 49, 1000])
def test_the_ends_of_a_long_list_are_drawn_by_the_ends_of_the_numbers(count: int) -> None:
    # ten tenths add up to ALMOST_ONE
    words = [str(number) for number in range(count)]
    grammar = Grammar("S", {"S": [Alternative(word, (), 1 / count) for word in words]})

    first, last = (
        list(draw_sentences(grammar, 2, constant(number))) for number in (0.0, ALMOST_ONE)
    )

    assert first == [[words[0]]] * 2
    assert last == [[words[-1]]] * 2


def test_a_number_on_a_limit_belongs_to_what_follows() -> None:
    grammar = parse_grammar("S -> 'a' [0.25] | 'b' [0.5] | 'c' [0.25]", "limits")
    numbers = [0.0, float(np.nextafter(0.25, 0)), 0.25, float(np.nextafter(0.75, 0)), 0.75]

    found = [next(draw_sentences(grammar, 1, constant(number)))[0] for number in numbers]

    assert found == ["a", "a", "b", "b", "c"]


@every_language
def test_drawn_sentences_cost_the_entropy_and_are_as_long_as_the_mean(grammar: Grammar) -> None:
    sentences = drawn(grammar, 5_000)

    costs = [-math.fsum(log_probabilities(grammar, words)) for words in sentences]
    lengths = [len(words) for words in sentences]

    for found, expected in (
        (costs, entropy_nats_per_sentence(grammar)),
        (lengths, mean_length(grammar)),
    ):
        standard_error = np.std(found) / math.sqrt(len(found))
        assert abs(np.mean(found) - expected) < 4 * standard_error


def test_sentences_come_as_often_as_they_are_likely() -> None:
    grammar = countdown(2, [1, 2], 2)
    probabilities = dict(sentences_of(grammar, [grammar.start]))

    counts = Counter(tuple(words) for words in drawn(grammar, 20_000))

    assert counts.keys() == probabilities.keys()
    for words, probability in probabilities.items():
        standard_deviation = math.sqrt(20_000 * probability * (1 - probability))
        assert abs(counts[words] - 20_000 * probability) < 4 * standard_deviation
