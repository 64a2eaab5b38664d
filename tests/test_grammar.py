"""What a grammar is: how it is written and read, and which rules are refused."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from strategies import WORDS
from unrolled.corpus.grammars.grammar import (
    Alternative,
    Grammar,
    check_grammar,
    expected_totals,
    grammar_text,
    parse_grammar,
    read_grammar,
)
from unrolled.errors import ConfigError, DataError

NAMES = ["S", "NP", "X1_7", "A/B", "N^2", "V<x>", "Ü-1"]
"""Symbols, of every kind of character that NLTK's notation allows."""

TEXT = "S -> 'a' X S [0.25] | 'b' [0.75]\nX -> 'c' [0.5] | 'b' X [0.5]\n"

GRAMMAR = Grammar(
    "S",
    {
        "S": [Alternative("a", ("X", "S"), 0.25), Alternative("b", (), 0.75)],
        "X": [Alternative("c", (), 0.5), Alternative("b", ("X",), 0.5)],
    },
)
"""What TEXT says."""


def chain(length: int) -> Grammar:
    """Of one sentence, for each word of which there is a symbol."""
    following = [*((f"X{number}",) for number in range(1, length)), ()]
    return Grammar(
        "X0", {f"X{number}": [Alternative("a", rest, 1.0)] for number, rest in enumerate(following)}
    )


def reached(grammar: Grammar) -> Grammar:
    """The grammar without the symbols that no derivation reaches."""
    rules: dict[str, Sequence[Alternative]] = {}
    waiting = [grammar.start]
    while waiting:
        symbol = waiting.pop()
        if symbol not in rules:
            rules[symbol] = grammar.rules[symbol]
            waiting += [name for found in rules[symbol] for name in found.symbols]
    return Grammar(grammar.start, rules)


def expected_symbols(rules: Mapping[str, Sequence[Alternative]]) -> list[list[float]]:
    """How many of each symbol one of each brings, by counting."""
    return [
        [
            math.fsum(found.symbols.count(name) * found.probability for found in rule)
            for name in rules
        ]
        for rule in rules.values()
    ]


WRITABLE = WORDS.filter(lambda word: not ("'" in word and '"' in word))
"""Words that NLTK's notation can quote."""


@st.composite
def grammars(draw: st.DrawFn, recursive: bool = True, ending: bool = True) -> Grammar:
    """Simple grammars of up to three symbols; if not recursive, each leads to later ones only."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True))
    rules = {}
    for number, name in enumerate(names):
        words = draw(st.lists(WRITABLE, min_size=1, max_size=3, unique=True))
        following = names if recursive else names[number + 1 :]
        body = st.lists(st.sampled_from(following), max_size=2) if following else st.just([])
        bodies = [draw(body) for _ in words]
        weights = [draw(st.integers(1, 5)) for _ in words]
        if ending:
            # two symbols come less than half the time, so that each brings less than one
            bodies[-1], weights[-1] = [], sum(weights)
        rules[name] = [
            Alternative(word, tuple(body), weight / sum(weights))
            for word, body, weight in zip(words, bodies, weights, strict=True)
        ]
    return reached(Grammar(names[0], rules))


# Reading and writing


def test_a_text_reads_as_its_rules() -> None:
    assert parse_grammar(TEXT, "mine") == GRAMMAR


def test_rules_are_written_as_they_are_read() -> None:
    # a whole number has its point
    assert grammar_text(GRAMMAR) == TEXT
    assert grammar_text(chain(1)) == "X0 -> 'a' [1.]\n"


@pytest.mark.parametrize(
    "text",
    [
        TEXT.replace("\n", "\r\n"),
        "# Mine.\n\n" + TEXT.replace("\n", "\n\n  # and\n"),
        TEXT.replace(" | ", " \\\n  | "),
        TEXT.replace(" | 'b' [0.75]", "\nS -> 'b' [.75]"),
        TEXT.replace("'", '"'),
    ],
    ids=["CRLF", "remarks", "continued", "again", "quotes"],
)
def test_the_layout_of_a_text_does_not_matter(text: str) -> None:
    assert parse_grammar(text, "mine") == GRAMMAR


def test_the_first_rule_is_that_of_the_start_wherever_it_stood() -> None:
    reordered = Grammar("S", {name: GRAMMAR.rules[name] for name in ("X", "S")})

    assert grammar_text(reordered) == TEXT


def test_a_word_may_hold_either_quote() -> None:
    words = ["it's", '"so"', "[0.5]", "|", "->", "#", "%start", "\\"]
    grammar = Grammar("S", {"S": [Alternative(word, (), 1 / 8) for word in words]})

    text = grammar_text(grammar)

    assert text.startswith('S -> "it\'s" [0.125] | \'"so"\' [0.125]')
    assert parse_grammar(text, "mine") == grammar


@given(grammars())
def test_what_is_written_is_read_back(grammar: Grammar) -> None:
    text = grammar_text(grammar)

    assert parse_grammar(text, "mine") == grammar
    assert text.count("\n") == len(grammar.rules)
    assert text.startswith(f"{grammar.start} -> ")


@given(st.floats(0, 0.5, exclude_min=True))
def test_a_probability_is_read_back_to_the_last_bit(probability: float) -> None:
    alternatives = [Alternative("a", (), probability), Alternative("b", (), 1 - probability)]
    grammar = Grammar("S", {"S": alternatives})

    assert parse_grammar(grammar_text(grammar), "mine") == grammar


def test_a_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "rules.txt").write_text(TEXT.replace("'a'", "'ä'"), encoding="utf-8")

    grammar = read_grammar(tmp_path / "rules.txt")

    assert [found.word for found in grammar.rules["S"]] == ["ä", "b"]


def test_a_byte_order_mark_is_no_part_of_the_first_symbol(tmp_path: Path) -> None:
    (tmp_path / "rules.txt").write_bytes(b"\xef\xbb\xbf" + TEXT.replace("\n", "\r\n").encode())

    assert read_grammar(tmp_path / "rules.txt") == GRAMMAR


def test_a_file_that_is_not_utf_8_is_named_with_its_row(tmp_path: Path) -> None:
    (tmp_path / "rules.txt").write_bytes(TEXT.encode() + b"Y -> '\xe4' [1.0]\n")

    with pytest.raises(DataError, match=r"/rules\.txt, row 3: the byte 0xe4 is not UTF-8"):
        read_grammar(tmp_path / "rules.txt")


def test_a_fault_in_a_file_is_told_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "rules.txt").write_text("S -> 'a' [0.5]\n")

    with pytest.raises(ConfigError, match=r"/rules\.txt: the probabilities of 'S' must add up"):
        read_grammar(tmp_path / "rules.txt")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"rules\.txt cannot be read: No such file"):
        read_grammar(tmp_path / "rules.txt")


# Refused

REFUSED = {
    "nothing": ("# Mine.\n", "No productions found"),
    "no arrow": ("S -> 'a' [1.0]\n\nS 'b' [1.0]", "Unable to parse line 3: S 'b' .* an arrow"),
    "no closing quote": ("S -> 'a [1.0]", "line 1: .* Unterminated string"),
    "exponent": ("S -> 'a' [1e-3] | 'b' [0.999]", r"line 1: .* found: \[1e-3\]"),
    "two points": ("S -> 'a' [0.5.1]", "line 1: .* could not convert string to float"),
    "above 1": ("S -> 'a' [1.5]", "line 1: .* should not be greater than 1"),
    "negative": ("S -> 'a' [-0.5] | 'b' [1.0]", r"line 1: .* found: \[-0\.5\]"),
    "directive": ("%begin S\nS -> 'a' [1.0]", "line 1: %begin S Bad directive"),
    "no alternative": ("S ->", "of 'S' must begin with a word in quotes .* begins with nothing"),
    "empty alternative": ("S -> 'a' [0.5] | [0.5]", "of 'S' must begin with a word .* nothing"),
    "symbol first": ("S -> X [1.0]\nX -> 'a' [1.0]", "'S' must begin with a word .* with 'X'"),
    "second word": ("S -> 'a' 'b' [1.0]", "'S' must hold symbols .*'b'; give it a symbol of its"),
    "late word": ("S -> 'a' X 'b' [1.0]\nX -> 'a' [1.0]", "must hold symbols .*word 'b'"),
    "empty word": ("S -> 'a' X [1.0]\nX -> '' [1.0]", "a word of 'X' must hold .* white space"),
    "space": ("S -> 'a b' [1.0]", "a word of 'S' must hold .* no white space .got 'a b'"),
    "no-break space": ("S -> 'a\u00a0b' [1.0]", "a word of 'S' must hold .* no white space"),
    "space around": ("S -> ' a' [1.0]", "a word of 'S' must hold .* no white space .got ' a'"),
    "no probability": ("S -> 'a' | 'b' [1.0]", "of 'a' after 'S' must be above 0 .got 0.0"),
    "zero": ("S -> 'a' [1.0] | 'b' [0.0]", "probability of 'b' after 'S' must be above 0 .got 0"),
    "sum": ("S -> 'a' X [1.0]\nX -> 'b' [0.5] | 'c' [0.4]", "of 'X' must add up to 1 .got 0.9"),
    "same word": ("S -> 'a' [0.5] | 'a' S [0.5]", "'S' must begin with different .*'a' begins 2"),
    "same twice": ("S -> 'a' [0.5]\nS -> 'a' [0.5]", "'S' must begin with different words"),
    "no rules": (
        "S -> 'a' S X [0.1] | 'b' [0.9]",
        "'X', which follows 'a' in a rule of 'S', must have a rule of its own .found none",
    ),
    "never reached": (
        "S -> 'a' [1.0]\nX -> 'b' Y [1.0]\nY -> 'c' [1.0]",
        "'X' must be reached from 'S' .no rule leads to it",
    ),
}
"""A text, and what is said of it."""


@pytest.mark.parametrize(("text", "message"), REFUSED.values(), ids=REFUSED)
def test_a_fault_in_a_text_is_named(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=rf"^mine: .*{message}"):
        parse_grammar(text, "mine")


@pytest.mark.parametrize("text", [text for text, _ in REFUSED.values()], ids=REFUSED)
def test_an_error_is_one_line(text: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parse_grammar(text, "mine")

    assert len(str(refused.value).splitlines()) == 1


@pytest.mark.parametrize("probability", [0.0, -0.5, math.nan, math.inf, -math.inf])
def test_a_probability_must_be_a_number_above_0(probability: float) -> None:
    alternatives = [Alternative("a", (), probability), Alternative("b", (), 1 - probability)]

    with pytest.raises(ConfigError, match=rf"of 'a' after 'S' must be above 0 .got {probability}"):
        check_grammar(Grammar("S", {"S": alternatives}), "mine")


@pytest.mark.parametrize("off", [2e-9, -2e-9, 0.009, -0.009])
def test_probabilities_that_nltk_would_let_pass_must_still_add_up(off: float) -> None:
    text = f"S -> 'a' [0.5] | 'b' [{0.5 + off:.12f}]"

    with pytest.raises(ConfigError, match=r"of 'S' must add up to 1 .got (1\.0|0\.99)"):
        parse_grammar(text, "mine")


@pytest.mark.parametrize("off", [5e-10, -5e-10])
def test_probabilities_may_be_rounded(off: float) -> None:
    grammar = parse_grammar(f"S -> 'a' [0.5] | 'b' [{0.5 + off:.12f}]", "mine")

    assert grammar.rules["S"][1].probability == pytest.approx(0.5 + off, abs=1e-12)


def test_a_start_without_rules_is_named() -> None:
    with pytest.raises(ConfigError, match=r"mine: the start 'Q' must have a rule .found none"):
        parse_grammar("%start Q\nS -> 'a' [1.0]", "mine")


def test_a_symbol_without_alternatives_is_named() -> None:
    with pytest.raises(ConfigError, match=r"mine: 'S' must have an alternative .found none"):
        check_grammar(Grammar("S", {"S": []}), "mine")


# Sentences end

ENDLESS = {
    "for ever": ("S -> 'a' S [1.0]", "1"),
    "round": ("S -> 'a' X [1.0]\nX -> 'b' S [1.0]", "1"),
    "on the edge": ("S -> 'a' S S [0.5] | 'b' [0.5]", "1"),
    "growing": ("S -> 'a' S S [0.6] | 'b' [0.4]", r"1\.2"),
    # one S brings 2 * 0.9 X, one X brings 0.9 S: in two rounds 1.62, the square of 1.2727922
    "growing together": (
        "S -> 'a' X X [0.9] | 'b' [0.1]\nX -> 'c' S [0.9] | 'd' [0.1]",
        r"1\.27279221",
    ),
    # the equations have a solution: x = 1 / (1 - 1.2) = -5 words, s = 1 + 0.001 x, nearly 1
    "seldom": ("S -> 'a' X [0.001] | 'b' [0.999]\nX -> 'c' X X [0.6] | 'd' [0.4]", r"1\.2"),
    # 1 / (1 - 0.9999998) = 5,000,000 words
    "too long": ("S -> 'a' S S [0.4999999] | 'b' [0.5000001]", r"0\.9999998"),
}


@pytest.mark.parametrize(("text", "growth"), ENDLESS.values(), ids=ENDLESS)
def test_rules_that_go_on_without_end_are_refused(text: str, growth: str) -> None:
    message = rf"^mine: sentences must end, .* each round of rules leaves {growth} times as many"

    with pytest.raises(ConfigError, match=message):
        parse_grammar(text, "mine")


def test_sentences_may_be_long() -> None:
    # 1 / (1 - 0.999998) = 500,000 words
    grammar = parse_grammar("S -> 'a' S S [0.499999] | 'b' [0.500001]", "mine")

    assert expected_totals(grammar, [1.0])[0] == pytest.approx(500_000, rel=1e-9)


def test_a_long_chain_of_symbols_is_no_growth() -> None:
    grammar = chain(400)

    check_grammar(grammar, "mine")

    np.testing.assert_allclose(
        expected_totals(grammar, [1.0] * 400), np.arange(400, 0, -1), rtol=1e-14
    )


def test_more_symbols_than_a_matrix_has_room_for_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"mine: there may be at most 2000 symbols .got 2001"):
        check_grammar(chain(2001), "mine")


@given(grammars(ending=False))
def test_a_grammar_is_taken_where_the_spectral_radius_is_below_1(grammar: Grammar) -> None:
    radius = float(np.abs(np.linalg.eigvals(np.array(expected_symbols(grammar.rules)))).max())
    assume(abs(radius - 1) > 1e-3)  # its rounding

    try:
        check_grammar(grammar, "mine")
    except ConfigError as error:
        refusal = str(error)
    else:
        refusal = ""

    assert ("sentences must end" in refusal) == (radius > 1)


# What a derivation amounts to


def test_totals_are_those_of_hand_arithmetic() -> None:
    # x = 3 + x/2, so x = 6; s = 1 + s/4 + x/4, so s = 2.5 * 4/3 = 10/3
    totals = expected_totals(GRAMMAR, [1.0, 3.0])

    np.testing.assert_allclose(totals, [10 / 3, 6], rtol=1e-14)


@given(grammars(), st.data())
def test_totals_are_the_sum_over_rounds_of_rules(grammar: Grammar, data: st.DataObject) -> None:
    size = len(grammar.rules)
    amounts = data.draw(st.lists(st.floats(0, 10), min_size=size, max_size=size))
    matrix = expected_symbols(grammar.rules)

    totals = expected_totals(grammar, amounts)

    plain = list(amounts)
    for _ in range(800):
        plain = [
            own + math.fsum(count * rest for count, rest in zip(row, plain, strict=True))
            for own, row in zip(amounts, matrix, strict=True)
        ]
    # a round leaves 20/21 at most of the symbols, and 800 leave 1e-17
    np.testing.assert_allclose(totals, plain, rtol=1e-12, atol=1e-12)
