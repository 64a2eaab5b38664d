"""From documents to tokenised sentences in three splits."""

import hashlib
import itertools
from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strategies import PROSE
from unrolled.config.sections import TextConfig
from unrolled.corpus.document import Document
from unrolled.corpus.splits import SPLITS, Split
from unrolled.errors import DataError
from unrolled.text.preparation import Prepared, Rejection, prepare
from unrolled.text.sentences import sentences, trained_splitter

CONFIG = TextConfig(
    document="file",
    lowercase=False,
    minimum_words=1,
    maximum_words=100,
    drop_repeated=False,
    validation_fraction=0.25,
    test_fraction=0.25,
)


def split_by_hand(text: str) -> Split:
    """With a quarter each for test and validation, the first byte of the hash decides."""
    byte = hashlib.sha256(text.encode()).digest()[0]
    return "test" if byte < 64 else "valid" if byte < 128 else "train"


def document(split: Split, text: str, name: str = "") -> Document:
    """A document of this text in this split: line breaks at its end move it there."""
    candidates = (text + "\n" * count for count in itertools.count())
    return Document(
        name or split, next(filter(lambda text: split_by_hand(text) == split, candidates))
    )


def corpus(
    train: str, valid: str = "Rain in Rome.", test: str = "Snow on hills."
) -> list[Document]:
    """A document for each split."""
    texts: dict[Split, str] = {"train": train, "valid": valid, "test": test}
    return [document(split, text) for split, text in texts.items()]


def sentences_of(prepared: Prepared, split: Split) -> list[str]:
    """The sentences of a split, words parted by spaces."""
    return [" ".join(words) for part in prepared.splits[split] for words in part]


def reasons(prepared: Prepared) -> list[tuple[str, int, str]]:
    return [(each.document, each.sentence, each.reason) for each in prepared.rejections]


class TestSplits:
    def test_a_document_goes_to_one_split_as_a_whole(self) -> None:
        prepared = prepare(corpus("One here. Two here.", "Three here. Four here.", "Five."), CONFIG)

        assert prepared.splits == {
            "train": [[["One", "here", "."], ["Two", "here", "."]]],
            "valid": [[["Three", "here", "."], ["Four", "here", "."]]],
            "test": [[["Five", "."]]],
        }

    def test_documents_keep_their_order_within_a_split(self) -> None:
        documents = [*corpus("One."), document("train", "Three."), document("train", "Two.")]

        prepared = prepare(documents, CONFIG)

        assert sentences_of(prepared, "train") == ["One .", "Three .", "Two ."]
        assert len(prepared.splits["train"]) == 3

    def test_a_document_without_a_sentence_left_is_not_in_its_split(self) -> None:
        documents = [*corpus("One here."), document("train", "Two.")]

        prepared = prepare(documents, replace(CONFIG, minimum_words=3))

        assert prepared.splits["train"] == [[["One", "here", "."]]]


DOCTORS = (
    "She met Dr. Brown at noon. He met Dr. Green later. They all saw Dr. White. "
    "It was Dr. Black who came. Nobody asked Dr. Gray. The rain fell. We went home. "
) * 5
PLAIN = (
    "She came home at noon. Rain fell that day. He left later. It was so. Nobody asked. "
    "He came later and left. They stayed at home. So it was. At noon rain fell. We met. "
) * 5


class TestPunkt:
    def test_it_learns_from_the_training_split(self) -> None:
        prepared = prepare(corpus(DOCTORS, test="We met Dr. Young."), CONFIG)

        assert sentences_of(prepared, "test") == ["We met Dr. Young ."]

    def test_it_learns_nothing_from_the_other_splits(self) -> None:
        prepared = prepare(corpus(PLAIN, valid=DOCTORS, test=DOCTORS + "We met Dr. Young."), CONFIG)

        # NLTK takes the stop off a sentence's last word.
        assert sentences_of(prepared, "test")[-2:] == ["We met Dr .", "Young ."]

    def test_it_sees_capitals_that_are_lowered_only_afterwards(self) -> None:
        documents = corpus(DOCTORS + "Then they left.", test="We saw the Dr. They saw him.")

        plain, lowered = (
            prepare(documents, replace(CONFIG, lowercase=low)) for low in (False, True)
        )

        # After an abbreviation only the capital of a word like `they` tells a new sentence.
        assert sentences_of(plain, "test") == ["We saw the Dr .", "They saw him ."]
        for split in SPLITS:
            expected = [sentence.lower() for sentence in sentences_of(plain, split)]
            assert sentences_of(lowered, split) == expected


class TestSentencesPutAside:
    def test_short_and_long_ones_are_counted_in_tokens_marks_included(self) -> None:
        documents = corpus("One. Two here. Three is here. Four is here, too.")

        prepared = prepare(documents, replace(CONFIG, minimum_words=3, maximum_words=4))

        # "One ." has two tokens, "Four is here , too ." has six.
        assert sentences_of(prepared, "train") == ["Two here .", "Three is here ."]
        assert prepared.rejections == [
            Rejection("train", 1, "short", "One."),
            Rejection("train", 4, "long", "Four is here, too."),
        ]

    def test_repeated_ones_stay_where_they_stand_first(self) -> None:
        documents = corpus("One here. Two here. One here.", "Two here. Three.", "Three. Four.")

        prepared = prepare(documents, replace(CONFIG, drop_repeated=True))

        assert sentences_of(prepared, "train") == ["One here .", "Two here ."]
        assert sentences_of(prepared, "valid") == ["Three ."]
        assert sentences_of(prepared, "test") == ["Four ."]
        assert reasons(prepared) == [
            ("train", 3, "repeated"),
            ("valid", 1, "repeated"),
            ("test", 1, "repeated"),
        ]

    def test_none_of_the_training_split_is_met_again_in_the_test_whatever_the_order(self) -> None:
        documents = corpus("One here.", test="One here. Four.")[::-1]

        prepared = prepare(documents, replace(CONFIG, drop_repeated=True))

        assert sentences_of(prepared, "test") == ["Four ."]

    def test_sentences_that_differ_in_capitals_only_are_the_same_once_lowered(self) -> None:
        documents = corpus("One here. ONE here.")

        counts = [
            len(prepare(documents, replace(CONFIG, drop_repeated=True, lowercase=low)).rejections)
            for low in (False, True)
        ]

        assert counts == [0, 1]

    def test_repeated_ones_stay_where_that_is_asked_for(self) -> None:
        prepared = prepare(corpus("One here. One here."), CONFIG)

        assert sentences_of(prepared, "train") == ["One here .", "One here ."]

    @settings(max_examples=30)
    @given(
        texts=st.lists(PROSE, max_size=5),
        shortest=st.integers(1, 3),
        longest=st.integers(5, 8),
        drop_repeated=st.booleans(),
    )
    def test_every_sentence_is_kept_or_put_aside(
        self, texts: list[str], shortest: int, longest: int, drop_repeated: bool
    ) -> None:
        anchors = corpus("Anchor of train here.", "Anchor of valid here.", "Anchor of test here.")
        documents = anchors + [Document(f"{n}", text) for n, text in enumerate(texts)]
        config = replace(
            CONFIG, minimum_words=shortest, maximum_words=longest, drop_repeated=drop_repeated
        )

        prepared = prepare(documents, config)

        found = count_by_name(documents)
        aside = [(each.document, each.sentence) for each in prepared.rejections]
        kept = [words for split in prepared.splits.values() for part in split for words in part]
        assert len(kept) + len(aside) == sum(found.values())
        assert len(set(aside)) == len(aside)
        assert all(1 <= number <= found[name] for name, number in aside)
        assert all(shortest <= len(words) <= longest for words in kept)


def count_by_name(documents: Iterable[Document]) -> dict[str, int]:
    """How many sentences each document has, under a splitter of those in the training split."""
    documents = list(documents)
    splitter = trained_splitter(each for each in documents if split_by_hand(each.text) == "train")
    return {each.name: len(list(sentences(each.text, splitter))) for each in documents}


class TestTooLittleText:
    def test_a_corpus_without_a_document_is_refused(self) -> None:
        with pytest.raises(DataError, match="the corpus has no text in it"):
            prepare([], CONFIG)

    @pytest.mark.parametrize("missing", SPLITS)
    def test_a_split_without_a_document_is_named_with_the_keys_that_could_fill_it(
        self, missing: Split
    ) -> None:
        documents = [each for each in corpus("One.") if each.name != missing]

        with pytest.raises(DataError) as refused:
            prepare(documents, replace(CONFIG, document="block"))

        assert str(refused.value) == (
            f"the {missing} split has none of the corpus's 2 documents; choose a finer"
            " text.document (now 'block') or other text.validation_fraction (0.25) and"
            " text.test_fraction (0.25)"
        )

    @pytest.mark.parametrize("poor", SPLITS)
    def test_a_split_without_a_sentence_left_is_named_with_the_keys_that_put_them_aside(
        self, poor: Split
    ) -> None:
        texts = dict.fromkeys(SPLITS, "A sentence here. Two.")
        texts[poor] = "One. More words are here now."

        with pytest.raises(DataError) as refused:
            prepare(corpus(**texts), replace(CONFIG, minimum_words=3, maximum_words=4))

        # "Two ." twice and "One ." are short; "More words are here now ." has six tokens.
        assert str(refused.value) == (
            f"the {poor} split has no sentence left (put aside in all: 1 long, 3 short); change"
            " text.minimum_words (now 3), text.maximum_words (now 4) or text.drop_repeated (now"
            f" {CONFIG.drop_repeated})"
        )
