"""From documents to tokenised sentences in three splits."""

import hashlib
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategies import PROSE
from test_documents import NO_CLEANING
from unrolled.config.sections import TextConfig
from unrolled.corpus.document import Passage
from unrolled.corpus.splits import SPLITS, Split, split_by_hash
from unrolled.errors import DataError
from unrolled.text import preparation as module
from unrolled.text.accounts import Accounts, PutAside
from unrolled.text.cleaning import Cleaner
from unrolled.text.documents import SplitDocuments
from unrolled.text.preparation import Sieve, require_documents, require_sentences
from unrolled.text.punkt import PunktSample, Splitter
from unrolled.text.sentences import sentences, sentences_by_line
from unrolled.text.words import tokenizer

CONFIG = TextConfig(
    document="file",
    sentences="punkt",
    unit="word",
    tokenizer="nltk_word",
    lowercase=False,
    end_token=None,
    headings="keep",
    minimum_words=1,
    maximum_words=100,
    drop_repeated=False,
    validation_fraction=0.25,
    test_fraction=0.25,
)


@dataclass(frozen=True)
class Prepared:
    """What came of documents: sentences of words by document and split, and what was put aside."""

    splits: dict[Split, list[list[list[str]]]]
    rejections: list[PutAside]
    accounts: Accounts


def prepare(
    documents: Iterable[Passage], config: TextConfig, drop_documents: bool = False
) -> Prepared:
    """All steps in memory, but for the files of passages."""
    accounts, aside = Accounts(), list[PutAside]()
    splits: dict[Split, list[list[list[str]]]] = {}
    with TemporaryDirectory() as folder:
        sample = PunktSample()
        split_documents = SplitDocuments(Path(folder), sample)
        split_documents.fill(
            documents,
            Cleaner(NO_CLEANING),
            lambda _, place: split_by_hash(place, config.validation_fraction, config.test_fraction),
            accounts,
            aside.append,
        )
        require_documents(accounts, config, None)
        splitter = Splitter(sample.trained())
        sieve = Sieve(
            config,
            lambda text: (
                sentences(text, splitter)
                if config.sentences == "punkt"
                else sentences_by_line(text, None)
            ),
            tokenizer(config.unit, config.tokenizer, config.lowercase),
            accounts,
            aside.append,
        )
        repeated = split_documents.repeated(drop_documents)
        for split in SPLITS:
            splits[split] = []
            for begins, tokens in sieve.kept(
                split, split_documents.passages(split), repeated[split]
            ):
                if begins:
                    splits[split].append([])
                splits[split][-1].append(tokens)
            require_sentences(split, len(splits[split]), accounts, config)
    return Prepared(splits, aside, accounts)


def split_by_hand(text: str) -> Split:
    """With a quarter each for test and validation, the first byte of the hash decides."""
    byte = hashlib.sha256(text.encode()).digest()[0]
    return "test" if byte < 64 else "valid" if byte < 128 else "train"


def document(split: Split, text: str, name: str = "") -> Passage:
    """A document of this text in this split: line breaks at its end move it there."""
    candidates = (text + "\n" * count for count in itertools.count())
    return Passage(
        name or split, next(filter(lambda text: split_by_hand(text) == split, candidates))
    )


def corpus(train: str, valid: str = "Rain in Rome.", test: str = "Snow on hills.") -> list[Passage]:
    """A document for each split."""
    texts: dict[Split, str] = {"train": train, "valid": valid, "test": test}
    return [document(split, text) for split, text in texts.items()]


def sentences_of(prepared: Prepared, split: Split) -> list[str]:
    """The sentences of a split, words parted by spaces."""
    return [" ".join(words) for part in prepared.splits[split] for words in part]


def reasons(prepared: Prepared) -> list[tuple[str, int | None, str]]:
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
        documents = [
            *corpus("One."),
            document("train", "Three.", "3"),
            document("train", "Two.", "2"),
        ]

        prepared = prepare(documents, CONFIG)

        assert sentences_of(prepared, "train") == ["One .", "Three .", "Two ."]
        assert len(prepared.splits["train"]) == 3

    def test_a_document_without_a_sentence_left_is_not_in_its_split(self) -> None:
        documents = [*corpus("One here."), document("train", "Two.", "2")]

        prepared = prepare(documents, replace(CONFIG, minimum_words=3))

        assert prepared.splits["train"] == [[["One", "here", "."]]]
        assert prepared.accounts.documents["train"] == 1
        assert prepared.accounts.documents_aside == {"without a sentence": 1}


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
            PutAside("train", 1, "short", "One."),
            PutAside("train", 4, "long", "Four is here, too."),
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
        documents = anchors + [Passage(f"{n}", text) for n, text in enumerate(texts)]
        config = replace(
            CONFIG, minimum_words=shortest, maximum_words=longest, drop_repeated=drop_repeated
        )

        prepared = prepare(documents, config)

        found = count_by_name(documents)
        aside = [(each.document, each.sentence) for each in prepared.rejections]
        kept = [words for split in prepared.splits.values() for part in split for words in part]
        assert len(kept) + len(aside) == sum(found.values())
        assert len(set(aside)) == len(aside)
        assert all(number and 1 <= number <= found[name] for name, number in aside)
        assert all(shortest <= len(words) <= longest for words in kept)


def count_by_name(documents: Sequence[Passage]) -> dict[str, int]:
    """How many sentences each document has, under a splitter of those in the training split."""
    sample = PunktSample()
    for each in documents:
        if split_by_hand(each.text) == "train":
            sample.add(int(hashlib.sha256(each.text.encode()).hexdigest()[:16], 16), each.text)
    splitter = Splitter(sample.trained())
    return {each.document: len(list(sentences(each.text, splitter))) for each in documents}


class TestDocumentsPutAside:
    def test_a_repeated_document_goes_as_a_whole_and_counts_in_no_split(self) -> None:
        documents = [
            *corpus("One here. Two here."),
            document("train", "ONE here! Two here.", "again"),
        ]

        prepared = prepare(documents, CONFIG, drop_documents=True)

        assert sentences_of(prepared, "train") == ["One here .", "Two here ."]
        assert reasons(prepared) == [("again", None, "repeated")]
        assert prepared.rejections[0].text.startswith("ONE here! Two here.")
        assert prepared.accounts.documents["train"] == 1
        assert prepared.accounts.documents_aside == {"repeated": 1}
        assert prepared.accounts.document_count == 4

    def test_near_identical_documents_are_not_met_in_training_and_in_the_test(self) -> None:
        documents = corpus("The same text here.", test="The same, text here!")

        with pytest.raises(DataError, match="the test split has no sentence left"):
            prepare(documents, CONFIG, drop_documents=True)

    def test_they_stay_where_that_is_asked_for(self) -> None:
        documents = corpus("The same text here.", test="The same text here.")

        assert sentences_of(prepare(documents, CONFIG), "test") == ["The same text here ."]


class TestLines:
    LINES = replace(CONFIG, sentences="line", tokenizer="whitespace")

    def test_every_line_is_a_sentence_without_punkt(self) -> None:
        prepared = prepare(corpus("one . two\n\nthree"), self.LINES)

        assert sentences_of(prepared, "train") == ["one . two", "three"]

    def test_headings_are_put_aside_where_that_is_asked_for(self) -> None:
        documents = corpus(" = Cats = \n cats sleep \n = = Sleep = = \n a = b = c ")

        kept = prepare(documents, self.LINES)
        dropped = prepare(documents, replace(self.LINES, headings="drop"))

        assert len(sentences_of(kept, "train")) == 4
        assert sentences_of(dropped, "train") == ["cats sleep", "a = b = c"]
        assert reasons(dropped) == [("train", 1, "heading"), ("train", 3, "heading")]

    def test_characters_are_tokens_and_the_space_one_of_them(self) -> None:
        prepared = prepare(corpus(" a b"), replace(self.LINES, unit="character"))

        assert prepared.splits["train"] == [[["␣", "a", "␣", "b"]]]


def test_what_is_kept_does_not_depend_on_how_many_sentences_are_compared_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = "\n".join(f"Number {number % 7} is here." for number in range(30))
    config = replace(CONFIG, sentences="line", drop_repeated=True)
    at_once = prepare(corpus(text), config)

    monkeypatch.setattr(module, "BATCH_CHARACTERS", 20)
    in_batches = prepare(corpus(text), config)

    assert len(sentences_of(at_once, "train")) == 7
    assert in_batches.splits == at_once.splits
    assert in_batches.rejections == at_once.rejections


class TestTooLittleText:
    def test_a_corpus_without_a_document_is_refused(self) -> None:
        with pytest.raises(DataError, match="the corpus has no text in it"):
            prepare([], CONFIG)

    @pytest.mark.parametrize("missing", SPLITS)
    def test_a_split_without_a_document_is_named_with_the_keys_that_could_fill_it(
        self, missing: Split
    ) -> None:
        documents = [each for each in corpus("One.") if each.document != missing]

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

        # "One ." is short, and so is "Two ." of each split before; "More words are here now ." has
        # six tokens.
        short = 1 + SPLITS.index(poor)
        assert str(refused.value) == (
            f"the {poor} split has no sentence left (put aside so far: of documents"
            f" 1 without a sentence; of sentences 1 long, {short} short); change text.minimum_words"
            " (now 3), text.maximum_words (now 4), text.drop_repeated (now False), text.headings"
            " (now 'keep') or cleaning.repeated_documents"
        )


def test_a_sentence_of_a_megabyte_is_long_before_any_tokenizer_looks_at_it() -> None:
    # 100 characters for each of the hundred words that a sentence may have
    endless, longest = "a" * 10_001, "b" * 10_000
    config = replace(CONFIG, sentences="line", tokenizer="nltk_tweet")

    prepared = prepare(corpus(f"{endless}\n{longest}\n{'1' * 10**6}"), config)

    assert prepared.splits["train"] == [[[longest]]]
    assert [(each.sentence, each.reason) for each in prepared.rejections] == [
        (1, "long"),
        (3, "long"),
    ]
