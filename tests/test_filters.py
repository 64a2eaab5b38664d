"""How texts and numbers stand on the page."""

import html
import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.report.numbers import error, number, percent, power, spread, whole
from unrolled.report.page.filters import (
    bare,
    cell_of_table,
    drawing,
    number_columns,
    unbroken,
    visible,
    words,
)

ISOLATES = "\u2066\u2067\u2068\u2069"
"""Three marks that set what follows apart, and the one that ends it."""

TEXTS = st.text(st.characters(codec="utf-8") | st.sampled_from(ISOLATES))
PLAIN = st.text(st.characters(codec="utf-8", exclude_characters=ISOLATES))

# Texts


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("a dog", "a dog"),
        ("<b> & \"c\" 'd' {{ e }}", "<b> & \"c\" 'd' {{ e }}"),
        ("&amp;", "&amp;"),
        ("東京 😀 \u202eשלום\u200f", "東京 😀 \u202eשלום\u200f"),
        ("\x00 \x07 \x1b \x1f \x7f", "␀ ␇ ␛ ␟ ␡"),
        ("a\tb\nc\r\nd", "a\tb\nc\r\nd"),  # white space to browsers
    ],
)
def test_a_text_stands_as_it_is_with_pictures_of_what_browsers_drop(text: str, shown: str) -> None:
    assert visible(text) == shown


@given(TEXTS)
def test_the_html_of_a_text_says_what_is_visible_and_holds_no_other_markup(text: str) -> None:
    found = words(text)

    inside = re.fullmatch(r"<bdi>([^<>\"']*)</bdi>", found, re.DOTALL)
    assert inside is not None
    assert html.unescape(inside[1]) == visible(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\u2067a\u2069 b", "\u2067a\u2069 b"),
        ("\u2066a", "\u2066a\u2069"),
        ("a\u2069b", "\u2068a\u2069b"),
        ("\u2066\u2067a\u2069", "\u2066\u2067a\u2069\u2069"),
        ("\u2069\u2066", "\u2068\u2069\u2066\u2069"),
    ],
)
def test_what_sets_a_part_apart_is_closed_and_closes_nothing_else(text: str, shown: str) -> None:
    assert visible(text) == shown


@given(TEXTS)
def test_no_mark_of_a_text_is_left_open_or_closes_what_is_around_it(text: str) -> None:
    found = visible(text, 10**6)

    # pairs without another pair inside are taken away until none is left
    left, before = found, ""
    while left != before:
        before, left = left, re.sub("[\u2066-\u2068][^\u2066-\u2069]*\u2069", "", left)
    assert re.search(f"[{ISOLATES}]", left) is None
    assert re.sub(f"[{ISOLATES}]", "", found) == visible(re.sub(f"[{ISOLATES}]", "", text), 10**6)


@given(PLAIN, st.integers(1, 5))
def test_what_is_shown_is_the_beginning_of_each_word(text: str, longest: int) -> None:
    # white space is the same as before, which cuts both into as many words
    expected = [
        word if len(word) <= longest or word.isspace() else f"{word[:longest]}…"
        for word in re.findall(r"\s+|\S+", visible(text, 10**6))
    ]

    assert visible(text, longest) == "".join(expected)


@pytest.mark.parametrize(("letters", "shown"), [(300, "x" * 300), (301, "x" * 300 + "…")])
def test_a_word_of_300_letters_is_shown_whole(letters: int, shown: str) -> None:
    assert visible("x" * letters) == shown
    assert words("x" * letters) == f"<bdi>{shown}</bdi>"


def test_a_long_text_of_short_words_is_shown_whole() -> None:
    text = "a dog " * 1000

    assert visible(text) == text


def test_a_cut_leaves_no_half_of_an_entity() -> None:
    assert words("a<<<", 2) == "<bdi>a&lt;…</bdi>"


def test_a_drawing_is_let_through() -> None:
    assert drawing("<svg>&amp;</svg>").__html__() == "<svg>&amp;</svg>"


# Cells


def test_columns_of_numbers_hold_nothing_else() -> None:
    rows = [
        {"run": "a1", "loss": "1.5", "steps": "-12", "best": "", "word": "3.5", "epoch": "nan"},
        {"run": "b1", "loss": "2e-05", "steps": "3", "best": "", "word": "٣", "epoch": "-inf"},
    ]

    assert number_columns(rows) == ["loss", "steps", "best", "epoch"]


@given(st.floats() | st.integers())
def test_every_number_that_is_written_is_known_as_one(value: float) -> None:
    assert number_columns([{"value": str(value)}]) == ["value"]


@pytest.mark.parametrize("word", ["1.2.3", "2-6", ".5", "5.", "1,000", "0x10", "1_000", "+1", " 1"])
def test_what_is_no_number_as_it_is_written_is_a_word(word: str) -> None:
    assert number_columns([{"word": word}]) == []


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("", "–"),
        ("0", "0"),
        ("123456", "123456"),
        ("-12", "−12"),
        ("2.0", "2"),
        ("0.123456", "0.1235"),
        ("-1234.56", "−1235"),
        ("1.23456e-07", "1.235e−07"),
        ("2e-05", "2e−05"),
        ("nan", "nan"),
        ("-inf", "−inf"),
    ],
)
def test_a_cell_of_numbers_has_four_digits_that_count(value: str, shown: str) -> None:
    assert cell_of_table(value, True) == shown


@pytest.mark.parametrize("value", ["3.14159265", "-1", "a1"])
def test_a_cell_of_words_is_text(value: str) -> None:
    assert cell_of_table(value, False) == f"<bdi>{value}</bdi>"
    assert cell_of_table("", False) == "–"


@pytest.mark.parametrize(("value", "shown"), [(None, ""), (0, "0"), (0.1, "0.1"), (-2.5, "-2.5")])
def test_a_number_for_sorting_is_one_to_a_script(value: float | None, shown: str) -> None:
    assert bare(value) == shown


@given(st.floats(allow_nan=False))
def test_a_number_for_sorting_has_all_its_digits(value: float) -> None:
    assert float(bare(value)) == value


# Numbers for people


@pytest.mark.parametrize(
    ("value", "digits", "shown"),
    [
        (None, 1, "–"),
        ("", 1, "–"),
        (0, 1, "0.0"),
        ("1234567.25", 1, "1,234,567.2"),  # a half goes to the even digit
        (1.375, 2, "1.38"),
        (-0.5, 3, "−0.500"),
        (-0.04, 1, "0.0"),
        (-0.06, 1, "−0.1"),
        ("-0.0", 0, "0"),
        ("nan", 2, "no number"),
        (math.inf, 2, "inf"),
    ],
)
def test_a_number_has_so_many_decimals(value: float | str | None, digits: int, shown: str) -> None:
    assert number(value, digits) == shown


@given(st.floats(-1e9, 1e9), st.integers(0, 6))
def test_a_number_is_off_by_half_of_its_last_digit_at_most(value: float, digits: int) -> None:
    shown = number(value, digits)

    read = float(shown.replace(",", "").replace("−", "-"))
    assert abs(read - value) <= 0.5 * 10**-digits + 1e-6  # whose digits float64 still holds
    assert ("−" in shown) == (read < 0)


@pytest.mark.parametrize(
    ("value", "shown"), [(None, "–"), ("", "–"), (1234.4, "1,234"), ("89.6", "90")]
)
def test_a_whole_number_has_no_decimals(value: float | str | None, shown: str) -> None:
    assert whole(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"), [(None, "–"), ("", "–"), (0, "0.0 %"), ("0.1234", "12.3 %"), (1, "100.0 %")]
)
def test_a_share_is_told_in_percent(value: float | str | None, shown: str) -> None:
    assert percent(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(4e-9, "4.0e-09"), ("3.26e-16", "3.3e-16"), ("nan", "no number"), (math.inf, "no number")],
)
def test_an_error_is_told_by_its_size(value: float | str, shown: str) -> None:
    assert error(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"), [(1e-7, "1e-7"), (1e-12, "1e-12"), (1e10, "1e+10"), (0.5, "0.5")]
)
def test_a_power_of_ten_has_no_leading_zeros(value: float, shown: str) -> None:
    assert power(value) == shown


@pytest.mark.parametrize(
    ("values", "digits", "shown"),
    [
        ([4.8, 5.6], 2, "4.80 to 5.60 over 2 seeds"),
        ([4.8, 5.0, 5.6], 1, "4.8 to 5.6 over 3 seeds"),
        ([61.41, 61.44], 1, "with each of 2 seeds"),
        ([61.41, 61.44], 2, "61.41 to 61.44 over 2 seeds"),
        ([61.44, 61.46], 1, "61.4 to 61.5 over 2 seeds"),
    ],
)
def test_a_spread_is_told_by_its_ends_unless_they_look_alike(
    values: list[float], digits: int, shown: str
) -> None:
    assert spread(values, digits) == shown


def test_a_line_ends_neither_inside_a_number_nor_before_its_percent_sign() -> None:
    told = "At 1.5e-16 and 1e-7, well-known and 3 - 4, it is 30 % of all."

    assert unbroken(told) == "At 1.5e−16 and 1e−7, well-known and 3 - 4, it is 30\u00a0% of all."
