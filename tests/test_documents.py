"""Documents set down by split: none lost, none changed, repetitions told."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.config.sections import CleaningConfig
from unrolled.corpus.document import Passage
from unrolled.corpus.splits import SPLITS, Split
from unrolled.text import documents as module
from unrolled.text.accounts import Accounts, PutAside
from unrolled.text.cleaning import Cleaner
from unrolled.text.documents import SplitDocuments
from unrolled.text.punkt import PunktSample

NO_CLEANING = CleaningConfig(
    html_entities=False,
    markdown=False,
    links=False,
    user_names=False,
    control_characters=False,
    normalisation=None,
    repeated_documents=False,
)
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), min_size=1, max_size=40)


class Filled:
    """Documents that have gone through, and all that was said about them."""

    def __init__(
        self,
        passages: Sequence[Passage],
        folder: Path,
        cleaning: CleaningConfig = NO_CLEANING,
        splits: dict[str, Split] | None = None,
    ) -> None:
        self.accounts = Accounts()
        self.aside: list[PutAside] = []
        self.hashes: dict[str, int] = {}
        self.documents = SplitDocuments(folder, PunktSample())
        self._splits = splits or {}
        self.documents.fill(
            passages, Cleaner(cleaning), self._split_of, self.accounts, self.aside.append
        )

    def _split_of(self, name: str, text_hash: int) -> Split:
        self.hashes[name] = text_hash
        return self._splits.get(name, "train")

    def texts(self, split: Split = "train") -> list[tuple[str, str]]:
        return [(passage.document, passage.text) for passage in self.documents.passages(split)]

    def repeated(self) -> list[bool]:
        """Of all documents, by split."""
        found = self.documents.repeated(asked=True)
        return [is_repeated for split in SPLITS for is_repeated in found[split].tolist()]


@given(texts=st.lists(TEXTS), splits=st.lists(st.sampled_from(SPLITS), min_size=50))
def test_every_document_comes_out_of_its_split_as_it_went_in(
    texts: list[str], splits: list[Split]
) -> None:
    passages = [Passage(f"{number}.txt", text) for number, text in enumerate(texts)]
    places = {passage.document: splits[n % 50] for n, passage in enumerate(passages)}

    with TemporaryDirectory() as folder:
        filled = Filled(passages, Path(folder), splits=places)
        found = {split: filled.texts(split) for split in SPLITS}

    expected = [(passage.document, passage.text) for passage in passages if passage.text.strip()]
    for split in SPLITS:
        assert found[split] == [each for each in expected if places[each[0]] == split]
        assert filled.accounts.documents[split] == len(found[split])
    blank = [passage.document for passage in passages if not passage.text.strip()]
    assert [(each.document, each.sentence, each.reason) for each in filled.aside] == [
        (name, None, "empty") for name in blank
    ]
    assert filled.accounts.document_count == len(passages)


@given(parts=st.lists(TEXTS, min_size=1, max_size=5))
def test_a_document_in_parts_has_the_hash_of_its_lines_together(parts: list[str]) -> None:
    passages = [Passage("long.txt", part) for part in [*parts, "end"]]

    with TemporaryDirectory() as folder:
        filled = Filled(passages, Path(folder))
        found = filled.texts()

    whole = "\n".join([*parts, "end"])
    assert found == [("long.txt", part) for part in [*parts, "end"]]
    assert filled.hashes == {"long.txt": int(hashlib.sha256(whole.encode()).hexdigest()[:16], 16)}
    assert filled.accounts.document_count == 1


def test_a_document_larger_than_the_memory_for_it_is_set_down_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SPOOL_BYTES", 100)
    parts = [f"part {number} of some length" for number in range(50)]
    passages = [Passage("a", part) for part in parts] + [Passage("b", "short")]

    filled = Filled(passages, tmp_path)

    assert filled.texts() == [("a", part) for part in parts] + [("b", "short")]


def test_the_files_of_passages_can_be_read_by_anyone(tmp_path: Path) -> None:
    Filled([Passage("a.txt", 'Zoë said:\n"no"')], tmp_path)

    line = (tmp_path / "train.jsonl").read_text("utf-8")
    assert json.loads(line) == ["a.txt", 'Zoë said:\n"no"']


class TestRepetition:
    @pytest.mark.parametrize(
        "again", ["The cat, it sat.", "the CAT\n\nit sat", "«The cat» — it sat…", "The_cat it sat"]
    )
    def test_the_same_letters_are_repeated_whatever_stands_between_them(
        self, again: str, tmp_path: Path
    ) -> None:
        filled = Filled([Passage("a", "The cat, it sat."), Passage("b", again)], tmp_path)

        assert filled.repeated() == [False, True]

    @pytest.mark.parametrize(
        "other", ["The cat, it sits.", "The cat 2, it sat.", "Thé cat, it sat."]
    )
    def test_another_letter_or_digit_makes_another_document(
        self, other: str, tmp_path: Path
    ) -> None:
        filled = Filled([Passage("a", "The cat, it sat."), Passage("b", other)], tmp_path)

        assert filled.repeated() == [False, False]

    def test_documents_without_a_letter_are_compared_as_they_are(self, tmp_path: Path) -> None:
        filled = Filled([Passage("a", "!?"), Passage("b", "?!"), Passage("c", "!?")], tmp_path)

        assert filled.repeated() == [False, False, True]

    def test_what_stands_in_training_is_repeated_in_the_test_whatever_comes_first(
        self, tmp_path: Path
    ) -> None:
        passages = [Passage(name, "The same.") for name in ("c", "b", "a")]

        filled = Filled(passages, tmp_path, splits={"a": "train", "b": "valid", "c": "test"})

        found = filled.documents.repeated(asked=True)
        assert {split: found[split].tolist() for split in SPLITS} == {
            "train": [False],
            "valid": [True],
            "test": [True],
        }

    def test_none_is_told_where_it_is_not_asked(self, tmp_path: Path) -> None:
        filled = Filled([Passage("a", "Same."), Passage("b", "Same.")], tmp_path)

        assert filled.documents.repeated(asked=False)["train"].tolist() == [False, False]

    def test_cleaning_comes_before(self, tmp_path: Path) -> None:
        passages = [Passage("a", "Tom &amp; Ann."), Passage("b", "Tom Ann.")]
        cleaning = replace(NO_CLEANING, html_entities=True)

        assert Filled(passages, tmp_path, cleaning).repeated() == [False, True]
        assert Filled(passages, tmp_path).repeated() == [False, False]


def test_a_document_of_which_cleaning_leaves_nothing_is_told_of(tmp_path: Path) -> None:
    cleaning = replace(NO_CLEANING, control_characters=True)

    filled = Filled([Passage("a", "\u200b\u202e"), Passage("b", "text")], tmp_path, cleaning)

    assert filled.texts() == [("b", "text")]
    assert [(each.document, each.reason) for each in filled.aside] == [("a", "empty")]
    assert filled.aside[0].text == "\u200b\u202e"
    assert filled.accounts.as_json()["documents"] == {
        "read": 2,
        "put_aside": {"empty": 1},
        "train": 1,
        "valid": 0,
        "test": 0,
    }


def test_of_a_document_that_is_put_aside_the_beginning_is_shown() -> None:
    assert PutAside.whole("a", "repeated", "x" * 201).text == "x" * 200
