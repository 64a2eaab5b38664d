"""Which split a document goes to: by its text alone."""

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from unrolled.corpus.document import Document
from unrolled.corpus.splits import SPLITS, document_hash, split_of

FRACTIONS = st.floats(min_value=0, max_value=0.5)

ABC = 0xBA7816BF8F01CFEA
"""The first 64 bits of the sha256 of "abc", from FIPS 180-2, appendix B.1."""


def test_the_hash_is_the_start_of_the_sha256_of_the_text() -> None:
    assert document_hash(Document("a.txt", "abc")) == ABC


def test_a_document_falls_into_test_then_valid_then_train_by_its_place_from_0_to_1() -> None:
    # 0xba7816.../2^64 = (186 + 120/256 + ...)/256 = 0.7284 and a bit
    document = Document("a.txt", "abc")

    assert split_of(document, 0.1, 0.729) == "test"
    assert split_of(document, 0.1, 0.728) == "valid"
    assert split_of(document, 0.329, 0.4) == "valid"
    assert split_of(document, 0.328, 0.4) == "train"


@given(name=st.text(), other=st.text(), text=st.text(), valid=FRACTIONS, test=FRACTIONS)
def test_equal_texts_share_a_split_whatever_their_names(
    name: str, other: str, text: str, valid: float, test: float
) -> None:
    one, two = Document(name, text), Document(other, text)

    assert split_of(one, valid, test) == split_of(two, valid, test)


@given(text=st.text(), valid=FRACTIONS, other_valid=FRACTIONS, test=FRACTIONS)
def test_another_validation_fraction_leaves_the_test_split_alone(
    text: str, valid: float, other_valid: float, test: float
) -> None:
    document = Document("a.txt", text)

    before, after = (split_of(document, fraction, test) for fraction in (valid, other_valid))

    assert (before == "test") == (after == "test")


@given(text=st.text(), valid=FRACTIONS, test=FRACTIONS)
def test_the_rule_in_whole_numbers_gives_the_same_split(
    text: str, valid: float, test: float
) -> None:
    # 53 bits are what a float has, so the last eleven of 64 are left out on both sides.
    place = int(hashlib.sha256(text.encode()).hexdigest()[:16], 16) >> 11

    expected = (
        "test"
        if place < test * 2**53
        else "valid"
        if place < (test + valid) * 2**53
        else "train"
    )  # fmt: skip

    assert split_of(Document("a.txt", text), valid, test) == expected


def test_many_documents_come_out_in_the_shares_that_were_asked_for() -> None:
    found = [split_of(Document("", f"text {number}"), 0.2, 0.1) for number in range(4000)]

    # The standard deviations of the counts are sqrt(4000 * p * (1 - p)): 25 of 800, 19 of 400.
    assert abs(found.count("valid") - 800) < 4 * 25
    assert abs(found.count("test") - 400) < 4 * 19
    assert set(found) == set(SPLITS)


def test_a_fraction_of_nothing_gets_nothing() -> None:
    found = {split_of(Document("", f"text {number}"), 0.0, 0.0) for number in range(100)}

    assert found == {"train"}
