"""Which split a document goes to: by the hash of its text alone, or as its corpus says."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.corpus.splits import SPLITS, given_split, split_by_hash
from unrolled.errors import DataError

FRACTIONS = st.floats(min_value=0, max_value=0.5)
HASHES = st.integers(0, 2**64 - 1)


class TestByHash:
    @pytest.mark.parametrize(
        ("document_hash", "split"),
        [
            (0, "test"),
            (2**62 - 2**12, "test"),
            (2**62, "valid"),
            (2**62 + 2**61 - 2**12, "valid"),
            (2**62 + 2**61, "train"),
            (2**64 - 1, "train"),
        ],
    )
    def test_the_test_split_is_the_lowest_share_of_hashes_and_validation_the_next(
        self, document_hash: int, split: str
    ) -> None:
        # A quarter of 2^64 is 2^62, an eighth 2^61.
        assert split_by_hash(document_hash, 0.125, 0.25) == split

    @given(document_hash=HASHES, valid=FRACTIONS, other_valid=FRACTIONS, test=FRACTIONS)
    def test_another_validation_fraction_leaves_the_test_split_alone(
        self, document_hash: int, valid: float, other_valid: float, test: float
    ) -> None:
        before, after = (
            split_by_hash(document_hash, fraction, test) for fraction in (valid, other_valid)
        )

        assert (before == "test") == (after == "test")

    @given(document_hash=HASHES, valid=FRACTIONS, test=FRACTIONS, more=FRACTIONS)
    def test_a_larger_test_fraction_takes_no_document_out_of_the_test_split(
        self, document_hash: int, valid: float, test: float, more: float
    ) -> None:
        if split_by_hash(document_hash, valid, min(test, more)) == "test":
            assert split_by_hash(document_hash, valid, max(test, more)) == "test"

    @given(
        place=st.integers(0, 2**53 - 1),
        rest=st.integers(0, 2**11 - 1),
        valid=st.integers(0, 500),
        test=st.integers(0, 500),
    )
    def test_the_rule_in_exact_fractions_gives_the_same_split(
        self, place: int, rest: int, valid: int, test: int
    ) -> None:
        # The shares are thousandths of 2^64; a float holds 53 bits, and near a border it may err by
        # the last of them.
        exact = Fraction((place << 11) + rest, 2**64)
        borders = [Fraction(test, 1000), Fraction(test + valid, 1000)]
        expected = SPLITS[::-1][sum(exact >= border for border in borders)]

        if all(abs(exact - border) > Fraction(1, 2**50) for border in borders):
            assert split_by_hash((place << 11) + rest, valid / 1000, test / 1000) == expected

    def test_hashes_evenly_spread_come_out_in_the_shares_that_were_asked_for(self) -> None:
        found = [split_by_hash((2 * place + 1) * 2**63 // 1000, 0.2, 0.1) for place in range(1000)]

        assert [found.count(split) for split in SPLITS] == [700, 200, 100]

    def test_a_fraction_of_nothing_gets_nothing(self) -> None:
        assert split_by_hash(0, 0.0, 0.0) == "train"


class TestGiven:
    PATTERNS = {"train": "*train*", "valid": "*.valid.txt", "test": "test/*"}  # noqa: RUF012

    @pytest.mark.parametrize(
        ("file", "split"),
        [
            ("train.txt", "train"),
            ("wiki/train/a.txt", "train"),  # * stands for / too
            ("wiki.valid.txt", "valid"),
            ("test/a.txt", "test"),
            ("test/deeper/a.txt", "test"),
        ],
    )
    def test_a_file_is_in_the_split_whose_pattern_its_path_fits(
        self, file: str, split: str
    ) -> None:
        assert given_split(file, self.PATTERNS) == split

    @pytest.mark.parametrize("file", ["TRAIN.txt", "a.txt", "valid.txt", "a/test/b.txt", "test"])
    def test_a_file_that_fits_none_is_refused(self, file: str) -> None:
        with pytest.raises(DataError) as refused:
            given_split(file, self.PATTERNS)

        assert str(refused.value) == (
            f"{file} must fit one pattern of corpus.splits (fits none of"
            " train: '*train*', valid: '*.valid.txt', test: 'test/*')"
        )

    @pytest.mark.parametrize(
        ("file", "fits"),
        [
            ("test/train.txt", "train and test"),
            ("test/train.valid.txt", "train and valid and test"),
        ],
    )
    def test_a_file_that_fits_several_is_refused(self, file: str, fits: str) -> None:
        with pytest.raises(DataError) as refused:
            given_split(file, self.PATTERNS)

        assert str(refused.value) == (
            f"{file} must fit one pattern of corpus.splits (fits {fits} of"
            " train: '*train*', valid: '*.valid.txt', test: 'test/*')"
        )

    @given(file=st.text(min_size=1), split=st.sampled_from(SPLITS))
    def test_a_pattern_that_is_a_path_is_fitted_by_that_path_alone(
        self, file: str, split: str
    ) -> None:
        escaped = "".join(f"[{sign}]" if sign in "*?[" else sign for sign in file)
        patterns: dict[str, str] = {name: f"{name}/{escaped}" for name in SPLITS}

        assert given_split(f"{split}/{file}", patterns) == split
