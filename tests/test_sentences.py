"""From text to sentences: by Punkt, which learns from the corpus itself, or by lines."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nltk import redos
from nltk.tokenize.punkt import PunktParameters, PunktSentenceTokenizer, PunktTrainer

from strategies import PROSE
from unrolled.errors import DataError
from unrolled.storage import read_json, write_json
from unrolled.text import punkt as module
from unrolled.text.punkt import PunktSample, Splitter, read_punkt, write_punkt
from unrolled.text.sentences import sentences, sentences_by_line

DOCTORS = (
    "She met Dr. Brown at noon. He met Dr. Green later. They all saw Dr. White. "
    "It was Dr. Black who came. Nobody asked Dr. Gray. The rain fell. We went home. "
) * 5
PLAIN = (
    "She came home at noon. Rain fell that day. He left later. It was so. Did it fell the tree? "
    "He came later and left. They stayed at home. So it was. At noon rain fell. Yes! No. "
) * 5
_NOUNS = ["rain", "stone", "river", "bread", "light", "horse"]
INITIALS = "".join(
    f"In {noun}land came J. S. Bach, of e.g. {noun} and {other}. However it {noun}ed there. On 3."
    f" May Dr. Brown met {other} in {noun} of ten miles... so {noun} fell. However no rain fell. "
    for noun, other in zip(_NOUNS, _NOUNS[::-1], strict=True)
)
"""From which Punkt learns something of all that it can learn."""

STOPS = st.lists(
    st.sampled_from(
        ["Dr.", "J.", "S.", "Bach", "e.g.", "It", "it", "fell", "No.", "5.", "May", "...", ".", "?"]
        + ["!", ")", '"', "”", "«", "(", ".)", '."', "?!", "--", ",", "However", "U.S.", "é.", "\n"]
        + [" "] * 12
        + ["a" * 70 + "."]
    ),
    max_size=40,
).map("".join)
"""Text of stops in all surroundings, some longer than what is remembered."""


def learnt_from(*texts: str) -> PunktParameters:
    sample = PunktSample()
    for text in texts:
        sample.add(hash_of(text), text)
    return sample.trained()


def hash_of(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def splitter_of(*texts: str) -> Splitter:
    return Splitter(learnt_from(*texts))


def without_space(text: str) -> str:
    return "".join(text.split())


def contents(parameters: PunktParameters) -> Any:
    """All that Punkt has learnt, in a form that can be compared."""
    return (
        parameters.abbrev_types,
        parameters.collocations,
        parameters.sent_starters,
        dict(parameters.ortho_context),
    )


@pytest.fixture(scope="module")
def plain() -> Splitter:
    """A splitter that has met no abbreviation."""
    return splitter_of(PLAIN)


class TestSentences:
    def test_a_stop_ends_a_sentence_and_a_capital_begins_one(self, plain: Splitter) -> None:
        text = "It fell. Did it? Yes! So it was (really)."

        assert list(sentences(text, plain)) == [
            "It fell.",
            "Did it?",
            "Yes!",
            "So it was (really).",
        ]

    @pytest.mark.parametrize("blank", ["\n\n", "\n\n\n\n", "\n \t\n", "\n\u2003\n"])
    def test_a_blank_line_ends_a_sentence_even_without_a_stop(
        self, plain: Splitter, blank: str
    ) -> None:
        assert list(sentences(f"a heading{blank}and text", plain)) == ["a heading", "and text"]

    @pytest.mark.parametrize("space", ["\n", "\n   ", " \n", "\t", "  ", "\u2028", "\x85", "\xa0"])
    def test_a_single_line_break_is_a_space_as_any_other(self, plain: Splitter, space: str) -> None:
        assert list(sentences(f"It fell\u0020on{space}Rome.", plain)) == ["It fell on Rome."]

    @pytest.mark.parametrize("text", ["", " ", "\n", "\n\n\n", " \n \n ", " " * 10**6])
    def test_blank_text_has_no_sentence(self, plain: Splitter, text: str) -> None:
        assert list(sentences(text, plain)) == []

    @given(text=PROSE)
    def test_no_character_is_lost_or_moved(self, text: str) -> None:
        found = list(sentences(text, splitter_of(text)))

        assert without_space("".join(found)) == without_space(text)
        assert all(sentence and sentence == " ".join(sentence.split()) for sentence in found)

    @pytest.mark.parametrize("text", ["a" * 10**6, "a." * 100_000])
    def test_a_word_of_any_length_is_one_sentence(self, plain: Splitter, text: str) -> None:
        assert list(sentences(text, plain)) == [text]


class TestLines:
    @pytest.mark.parametrize(
        ("text", "end_token", "expected"),
        [
            ("one\n two \n\n \t\nthree", None, ["one", " two ", "three"]),
            ("so <eos>\nso", None, ["so <eos>", "so"]),
            ("it fell <eos>\n it fell <eos>\n", "<eos>", ["it fell", " it fell"]),
            ("one <eos> two <eos>", "<eos>", ["one", "two"]),
            ("<eos>  one  <eos>  two", "<eos>", [" one ", " two"]),
            ("<eos> <eos>\none <eos> <eos> two", "<eos>", ["one", "two"]),
            ("one<eos> <eos>two <eos>", "<eos>", ["one<eos> <eos>two"]),
            ("one\t<eos>\ttwo", "<eos>", ["one", "two"]),
            ("a.b . c", ".", ["a.b", "c"]),
            ("one\u2028two\x85three\rfour", None, ["one\u2028two\x85three\rfour"]),
            ("", "<eos>", []),
        ],
    )
    def test_lines_and_end_tokens_part_sentences(
        self, text: str, end_token: str | None, expected: list[str]
    ) -> None:
        assert list(sentences_by_line(text, end_token)) == expected

    @given(
        found=st.lists(
            st.text(st.sampled_from("ab <eos>\t\xa0"), min_size=1).filter(
                lambda text: text.strip() and "<eos>" not in text
            ),
            min_size=1,
        ),
        data=st.data(),
    )
    def test_sentences_with_end_tokens_between_them_are_found_as_they_were(
        self, found: list[str], data: st.DataObject
    ) -> None:
        ends = [data.draw(st.sampled_from(["\n", " <eos>\n", " <eos> "])) for _ in found]
        text = "".join(sentence + end for sentence, end in zip(found, ends, strict=True))

        assert list(sentences_by_line(text, "<eos>")) == found


class TestTraining:
    def test_the_abbreviations_of_the_corpus_are_learnt(self, plain: Splitter) -> None:
        text = "We saw Dr. Young there. It fell."

        assert list(sentences(text, splitter_of(DOCTORS))) == [
            "We saw Dr. Young there.",
            "It fell.",
        ]
        assert list(sentences(text, plain)) == ["We saw Dr.", "Young there.", "It fell."]

    @given(order=st.permutations([DOCTORS, PLAIN, "One more. Of e.g. this kind.", "Third text."]))
    def test_the_order_of_documents_does_not_matter(self, order: list[str]) -> None:
        assert contents(learnt_from(*order)) == contents(learnt_from(*sorted(order)))

    def test_a_corpus_without_a_stop_or_a_capital_is_one_sentence_a_paragraph(self) -> None:
        text = "no stops here\nnone at all\n\nand a second paragraph"

        assert list(sentences(text, splitter_of(text))) == [
            "no stops here none at all",
            "and a second paragraph",
        ]

    def test_nothing_is_learnt_from_nothing(self) -> None:
        assert contents(learnt_from()) == (set(), set(), set(), {})


class TestTrainingBytes:
    """How much text the trainer is handed, with a bound of 20 bytes."""

    @pytest.fixture(autouse=True)
    def _bound(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "TRAINING_BYTES", 20)

    def test_documents_are_taken_by_hash_until_the_bound_is_reached(self) -> None:
        texts = [f"{number} is 9 b." for number in range(5)]

        first, second, third, *_ = sorted(texts, key=hash_of)
        # 9 + 9 bytes, and the 2 that are left of the third
        assert handed_over((hash_of(text), text) for text in texts) == [first, second, third[:2]]

    def test_a_document_beyond_the_bound_is_learnt_from_as_far_as_it_reaches(self) -> None:
        assert handed_over([(1, "It fell. " * 100)]) == ["It fell. It fell. It"]

    def test_the_bound_is_one_of_bytes_and_cuts_no_character(self) -> None:
        # 1 + 9 * 2 bytes, and one more would be half an é
        assert handed_over([(1, "a" + "é" * 100)]) == ["a" + "é" * 9]

    @given(
        documents=st.lists(
            st.tuples(st.integers(0, 5) | st.integers(0, 2**64 - 1), st.text("aé🙂", max_size=30)),
            max_size=8,
            unique_by=lambda document: document[0],
        )
    )
    def test_what_is_learnt_from_is_what_sorting_all_documents_gives(
        self, documents: list[tuple[int, str]]
    ) -> None:
        expected, room = [], 20
        for _, text in sorted(documents, key=lambda document: document[0]):
            content = text.encode()[:room]
            room -= len(content)
            expected.append(content.decode(errors="ignore"))

        assert "\n".join(filter(None, handed_over(documents))) == "\n".join(filter(None, expected))

    def test_a_document_that_comes_again_is_learnt_from_once(self) -> None:
        assert handed_over([(2, "bb"), (1, "a"), (2, "bb"), (2, "bb")]) == ["a", "bb"]

    @given(sizes=st.lists(st.integers(1, 50), min_size=1), rng=st.randoms(use_true_random=False))
    def test_less_than_twice_the_bound_is_held(self, sizes: list[int], rng: Any) -> None:
        sample = PunktSample()

        for size in sizes:
            sample.add(rng.getrandbits(64), "a" * size)

        assert sum(len(content) for *_, content in sample._heap) < 2 * 20


def handed_over(documents: Iterable[tuple[int, str]]) -> list[str]:
    """The texts that the trainer is handed, which then learns nothing from them."""
    texts: list[str] = []
    sample = PunktSample()
    for document_hash, text in documents:
        sample.add(document_hash, text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PunktTrainer, "train", lambda _, text, **__: texts.append(text))
        sample.trained()
    return texts


class TestSplitter:
    @given(texts=st.lists(STOPS | PROSE, max_size=4), learnt=st.sampled_from([PLAIN, INITIALS]))
    def test_it_splits_as_punkt_itself(self, texts: list[str], learnt: str) -> None:
        splitter = Splitter(LEARNT[learnt])

        for text in [*texts, *texts]:  # decided first, then remembered
            assert splitter.tokenize(text) == PunktSentenceTokenizer(BY_NLTK[learnt]).tokenize(text)

    def test_it_decides_once_on_a_stop_that_comes_again(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        seen: list[str] = []
        decide = PunktSentenceTokenizer.text_contains_sentbreak

        def noted(punkt: PunktSentenceTokenizer, text: str) -> bool:
            seen.append(text)
            return bool(decide(punkt, text))

        monkeypatch.setattr(PunktSentenceTokenizer, "text_contains_sentbreak", noted)

        found = splitter_of(PLAIN).tokenize("It fell. We left. It fell. We stayed.")

        assert found == ["It fell.", "We left.", "It fell.", "We stayed."]
        assert seen == ["fell. We", "left. It"]

    def test_a_long_word_before_a_stop_is_not_remembered(
        self, plain: Splitter, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "LONGEST_CONTEXT", 8)
        before = plain._decided.cache_info().misses

        plain.tokenize("It faints. We fall. It faints.")

        # "faints. We" is longer, "fall. It" is not
        assert plain._decided.cache_info().misses == before + 1

    def test_what_it_has_learnt_does_not_change_with_what_it_splits(self) -> None:
        splitter = splitter_of(INITIALS)
        before = repr(contents(splitter._params))

        splitter.tokenize("J. Nobody met Dr. Unheard there. It was no. 7. Unread, too.")

        assert repr(contents(splitter._params)) == before

    def test_a_paragraph_may_take_longer_than_nltk_allows_a_search(
        self, plain: Splitter, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(redos, "DEFAULT_TIMEOUT", 0.01)
        text = "It fell. " * 20_000

        with pytest.raises(TimeoutError):
            PunktSentenceTokenizer(learnt_from(PLAIN)).tokenize(text)
        assert len(plain.tokenize(text)) == 20_000


def by_nltk(text: str) -> PunktParameters:
    """What NLTK learns from a text, in a table of its own."""
    trainer = PunktTrainer()
    trainer.train(text)
    return trainer.get_params()


LEARNT = {text: learnt_from(text) for text in (PLAIN, INITIALS)}
BY_NLTK = {text: by_nltk(text) for text in (PLAIN, INITIALS)}


class TestFile:
    def test_what_is_read_is_what_was_written(self, tmp_path: Path) -> None:
        learnt = learnt_from(INITIALS)

        write_punkt(tmp_path / "punkt.json", learnt)
        found = read_punkt(tmp_path / "punkt.json")

        assert contents(found) == contents(learnt)
        assert all(contents(learnt))  # nothing of it is empty

    @settings(max_examples=10)  # Punkt is trained anew for each
    @given(text=STOPS | PROSE)
    def test_a_splitter_from_the_file_splits_as_the_one_that_was_trained(
        self, text: str, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        path = tmp_path_factory.mktemp("punkt") / "punkt.json"
        learnt = learnt_from(INITIALS, text)

        write_punkt(path, learnt)

        expected = list(sentences(INITIALS + text, Splitter(learnt)))
        assert list(sentences(INITIALS + text, Splitter(read_punkt(path)))) == expected

    def test_it_is_in_code_point_order(self, tmp_path: Path) -> None:
        learnt = PunktParameters()
        learnt.abbrev_types = {"é.g", "dr", "Mr", "a"}
        learnt.collocations = {("s", "bach"), ("é", "a"), ("j", "s"), ("j", "bach")}
        learnt.sent_starters = {"however", "é", "But", "but"}
        learnt.ortho_context.update({"é": 2, "it": 126, "": 64})

        write_punkt(tmp_path / "punkt.json", learnt)

        # as text, for objects are equal in any order of their keys
        assert json.dumps(read_json(tmp_path / "punkt.json"), ensure_ascii=False) == (
            '{"abbrev_types": ["Mr", "a", "dr", "é.g"],'
            ' "collocations": [["j", "bach"], ["j", "s"], ["s", "bach"], ["é", "a"]],'
            ' "sent_starters": ["But", "but", "however", "é"],'
            ' "ortho_context": {"": 64, "it": 126, "é": 2}}'
        )

    def test_words_that_punkt_only_asked_for_are_not_in_it(self, tmp_path: Path) -> None:
        parameters = by_nltk(DOCTORS)
        write_punkt(tmp_path / "before.json", parameters)

        assert parameters.ortho_context["unheard"] == 0

        write_punkt(tmp_path / "after.json", parameters)
        assert (tmp_path / "after.json").read_bytes() == (tmp_path / "before.json").read_bytes()

    def test_its_bytes_do_not_depend_on_how_python_hashes(self, tmp_path: Path) -> None:
        script = (
            "import sys; from unrolled.text.punkt import PunktSample, write_punkt;"
            "sample = PunktSample(); sample.add(1, sys.argv[2]);"
            "write_punkt(sys.argv[1], sample.trained())"
        )

        for seed in ("0", "1"):
            subprocess.run(
                [sys.executable, "-c", script, tmp_path / seed, DOCTORS + INITIALS],
                env={"PYTHONHASHSEED": seed},
                check=True,
            )

        assert (tmp_path / "0").read_bytes() == (tmp_path / "1").read_bytes()

    @pytest.mark.parametrize(
        ("key", "value", "message"),
        [
            ("abbrev_types", "dr", "abbrev_types must be a list of texts"),
            ("abbrev_types", ["dr", 3], "abbrev_types must be a list of texts"),
            ("sent_starters", None, "sent_starters must be a list of texts"),
            ("collocations", [["s", "bach", "x"]], "collocations must be a list of pairs of texts"),
            ("collocations", ["ab"], "collocations must be a list of pairs of texts"),
            ("collocations", [["s", 1]], "collocations must be a list of pairs of texts"),
            ("ortho_context", ["it"], "ortho_context must be an object of even numbers"),
            ("ortho_context", {"it": 1}, "ortho_context must be an object of even numbers"),
            ("ortho_context", {"it": 3}, "ortho_context must be an object of even numbers"),
            ("ortho_context", {"it": 0}, "ortho_context must be an object of even numbers"),
            ("ortho_context", {"it": 128}, "ortho_context must be an object of even numbers"),
            ("ortho_context", {"it": 2.0}, "ortho_context must be an object of even numbers"),
            ("ortho_context", {"it": True}, "ortho_context must be an object of even numbers"),
            ("pickle", [], "must be an object of abbrev_types, collocations, sent_starters, ortho"),
        ],
    )
    def test_what_is_not_such_a_file_is_refused(
        self, key: str, value: object, message: str, tmp_path: Path
    ) -> None:
        path = tmp_path / "punkt.json"
        write_punkt(path, learnt_from(DOCTORS))
        write_json(path, read_json(path) | {key: value})

        with pytest.raises(DataError, match=rf"/punkt\.json,? {message}"):
            read_punkt(path)

    @pytest.mark.parametrize("content", ["[]", "{}", "null", "not JSON", "\x80\x04pickle"])
    def test_a_file_of_something_else_is_refused(self, content: str, tmp_path: Path) -> None:
        path = tmp_path / "punkt.json"
        path.write_text(content)

        with pytest.raises(DataError, match=r"/punkt\.json"):
            read_punkt(path)
