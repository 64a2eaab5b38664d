"""From text to sentences by Punkt, which learns from the corpus itself."""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nltk.tokenize.punkt import PunktSentenceTokenizer, PunktTrainer

from strategies import PROSE
from unrolled.corpus.document import Document
from unrolled.text import sentences as module
from unrolled.text.sentences import sentences, trained_splitter

DOCTORS = (
    "She met Dr. Brown at noon. He met Dr. Green later. They all saw Dr. White. "
    "It was Dr. Black who came. Nobody asked Dr. Gray. The rain fell. We went home. "
) * 5
PLAIN = (
    "She came home at noon. Rain fell that day. He left later. It was so. Did it fell the tree? "
    "He came later and left. They stayed at home. So it was. At noon rain fell. Yes! No. "
) * 5


def documents(*texts: str) -> list[Document]:
    return [Document(f"{number}.txt", text) for number, text in enumerate(texts)]


def splitter_of(*texts: str) -> PunktSentenceTokenizer:
    return trained_splitter(documents(*texts))


def without_space(text: str) -> str:
    return "".join(text.split())


def learnt(splitter: PunktSentenceTokenizer) -> Any:
    """All that a splitter has learned, in a form that can be compared."""
    parameters = splitter._params
    return (
        parameters.abbrev_types,
        parameters.collocations,
        parameters.sent_starters,
        dict(parameters.ortho_context),
    )


@pytest.fixture(scope="module")
def plain() -> PunktSentenceTokenizer:
    """A splitter that has met no abbreviation."""
    return splitter_of(PLAIN)


class TestSentences:
    def test_a_stop_ends_a_sentence_and_a_capital_begins_one(
        self, plain: PunktSentenceTokenizer
    ) -> None:
        text = "It fell. Did it? Yes! So it was (really)."

        assert list(sentences(text, plain)) == [
            "It fell.",
            "Did it?",
            "Yes!",
            "So it was (really).",
        ]

    @pytest.mark.parametrize("blank", ["\n\n", "\n\n\n\n", "\n \t\n", "\n\u2003\n"])
    def test_a_blank_line_ends_a_sentence_even_without_a_stop(
        self, plain: PunktSentenceTokenizer, blank: str
    ) -> None:
        assert list(sentences(f"a heading{blank}and text", plain)) == ["a heading", "and text"]

    @pytest.mark.parametrize("space", ["\n", "\n   ", " \n", "\t", "  ", "\u2028", "\x85", "\xa0"])
    def test_a_single_line_break_is_a_space_as_any_other(
        self, plain: PunktSentenceTokenizer, space: str
    ) -> None:
        assert list(sentences(f"It fell\u0020on{space}Rome.", plain)) == ["It fell on Rome."]

    @pytest.mark.parametrize("text", ["", " ", "\n", "\n\n\n", " \n \n "])
    def test_blank_text_has_no_sentence(self, plain: PunktSentenceTokenizer, text: str) -> None:
        assert list(sentences(text, plain)) == []

    @given(text=PROSE)
    def test_no_character_is_lost_or_moved(self, text: str) -> None:
        found = list(sentences(text, splitter_of(text)))

        assert without_space("".join(found)) == without_space(text)
        assert all(sentence and sentence == " ".join(sentence.split()) for sentence in found)


class TestTraining:
    def test_the_abbreviations_of_the_corpus_are_learnt(
        self, plain: PunktSentenceTokenizer
    ) -> None:
        text = "We saw Dr. Young there. It fell."

        assert list(sentences(text, splitter_of(DOCTORS))) == [
            "We saw Dr. Young there.",
            "It fell.",
        ]
        assert list(sentences(text, plain)) == ["We saw Dr.", "Young there.", "It fell."]

    @settings(max_examples=20)
    @given(order=st.permutations([DOCTORS, PLAIN, "One more. Of e.g. this kind.", "Third text."]))
    def test_the_order_of_documents_does_not_matter(self, order: list[str]) -> None:
        assert learnt(splitter_of(*order)) == learnt(splitter_of(*sorted(order)))

    def test_a_corpus_without_a_stop_or_a_capital_is_one_sentence_a_paragraph(self) -> None:
        text = "no stops here\nnone at all\n\nand a second paragraph"

        assert list(sentences(text, splitter_of(text))) == [
            "no stops here none at all",
            "and a second paragraph",
        ]


class TestTrainingBytes:
    """How much text the trainer is handed, with a bound of 20 bytes."""

    @pytest.fixture(autouse=True)
    def _bound(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "TRAINING_BYTES", 20)

    @pytest.fixture
    def seen(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """The texts that the trainer is handed, in their order."""
        texts: list[str] = []
        train = PunktTrainer.train

        def noted(trainer: PunktTrainer, text: str, *args: Any, **options: Any) -> None:
            texts.append(text)
            train(trainer, text, *args, **options)

        monkeypatch.setattr(PunktTrainer, "train", noted)
        return texts

    def test_documents_are_taken_by_hash_until_the_bound_is_reached(self, seen: list[str]) -> None:
        texts = [f"{number} is 9 b." for number in range(5)]

        splitter_of(*texts)

        first, second, third, *_ = by_hash(texts)
        # 9 + 9 bytes, and the 2 that are left of the third
        assert seen == [first, second, third[:2]]

    def test_a_document_beyond_the_bound_is_learnt_from_as_far_as_it_reaches(
        self, seen: list[str]
    ) -> None:
        splitter_of("It fell. " * 100)

        assert seen == ["It fell. It fell. It"]

    def test_the_bound_is_one_of_bytes_and_cuts_no_character(self, seen: list[str]) -> None:
        splitter_of("a" + "é" * 100)

        # 1 + 9 * 2 bytes, and one more would be half an é
        assert seen == ["a" + "é" * 9]

    @given(texts=st.lists(st.text(max_size=30), min_size=1, max_size=4))
    def test_no_more_bytes_are_learnt_from_than_the_bound_and_no_fewer_where_there_are_enough(
        self, texts: Sequence[str]
    ) -> None:
        with pytest.MonkeyPatch.context() as patch:
            seen = handed_over(patch)

            splitter_of(*texts)

        used, available = (sum(len(text.encode()) for text in part) for part in (seen, texts))
        # The last character may not fit: one of up to four bytes.
        assert min(available, 20) - 3 <= used <= 20


def by_hash(texts: Iterable[str]) -> list[str]:
    return sorted(texts, key=lambda text: hashlib.sha256(text.encode()).digest())


def handed_over(patch: pytest.MonkeyPatch) -> list[str]:
    """The texts that the trainer is handed, which then learns nothing from them."""
    texts: list[str] = []
    patch.setattr(PunktTrainer, "train", lambda _, text, **__: texts.append(text))
    return texts
