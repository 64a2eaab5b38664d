"""What becomes of files of any kind: sentences, tables of what was left out, accounts of it all."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from test_documents import NO_CLEANING
from test_preparation import DOCTORS
from unrolled.config.corpus_sections import ReadingConfig
from unrolled.config.sections import CleaningConfig, TextConfig
from unrolled.corpus.splits import Split
from unrolled.errors import DataError
from unrolled.stages import prepare
from unrolled.storage import bytes_meant, read_json, read_tsv

SPLITS: tuple[Split, ...] = ("train", "valid", "test")
READING = ReadingConfig(
    form="text",
    column=None,
    field=None,
    encoding="utf-8",
    rejected_share=1,
    splits={"train": "train*", "valid": "valid*", "test": "test*"},
)
TEXT = TextConfig(
    document="row",
    sentences="line",
    unit="word",
    tokenizer="whitespace",
    lowercase=False,
    end_token=None,
    headings="keep",
    minimum_words=1,
    maximum_words=1000,
    drop_repeated=False,
    validation_fraction=0.1,
    test_fraction=0.1,
)
ALL_CLEANING = CleaningConfig(
    html_entities=True,
    markdown=True,
    links=True,
    user_names=True,
    control_characters=True,
    normalisation="NFKC",
    repeated_documents=True,
)
OTHERS = {"valid.txt": b"a valid line\n", "test.txt": b"a test line\n"}
"""Two splits for those who care for the training split alone."""


class Prepared:
    """A folder of raw files that has been prepared."""

    def __init__(
        self,
        folder: Path,
        files: Mapping[str, bytes],
        reading: ReadingConfig = READING,
        text: TextConfig = TEXT,
        cleaning: CleaningConfig = NO_CLEANING,
    ) -> None:
        self.folder = folder
        for name, content in files.items():
            path = folder / "raw" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        prepare.run(reading, cleaning, text, folder / "raw", outputs(folder))

    def lines(self, split: Split = "train") -> list[str]:
        return (self.folder / f"{split}.txt").read_text("utf-8").splitlines()

    @property
    def rejected(self) -> list[tuple[str, str, str, bytes]]:
        rows = read_tsv(self.folder / "rejected.tsv")
        return [(row["file"], row["row"], row["reason"], bytes_meant(row["bytes"])) for row in rows]

    @property
    def put_aside(self) -> list[tuple[str, ...]]:
        return [tuple(row.values()) for row in read_tsv(self.folder / "put_aside.tsv")]

    @property
    def accounts(self) -> Any:
        return read_json(self.folder / "accounts.json")


def outputs(folder: Path) -> prepare.Outputs:
    return prepare.Outputs(
        {str(split): folder / f"{split}.txt" for split in SPLITS},
        folder / "rejected.tsv",
        folder / "put_aside.tsv",
        folder / "punkt.json",
        folder / "accounts.json",
    )


def test_a_given_split_is_kept_and_a_document_of_any_kind_named(tmp_path: Path) -> None:
    prepared = Prepared(tmp_path, {"train.txt": b"one\ntwo\n\nthree\n", **OTHERS})

    assert prepared.lines() == ["one", "", "two", "", "three"]
    assert prepared.lines("valid") == ["a valid line"]
    assert prepared.lines("test") == ["a test line"]
    assert prepared.accounts["documents"] == {
        "read": 5,
        "put_aside": {},
        "train": 3,
        "valid": 1,
        "test": 1,
    }


@pytest.mark.parametrize(
    ("document", "blocks"),
    [
        ("file", ["one two = Three = four"]),
        ("block", ["one two", "= Three =", "four"]),
        ("row", ["one", "two", "= Three =", "four"]),
        ("heading", ["one two", "= Three = four"]),
    ],
)
def test_what_belongs_together_is_parted_by_blank_lines(
    document: Any, blocks: list[str], tmp_path: Path
) -> None:
    content = b"one\ntwo\n\n = Three = \n\nfour\n"

    prepared = Prepared(
        tmp_path, {"train.txt": content, **OTHERS}, text=replace(TEXT, document=document)
    )

    text = (tmp_path / "train.txt").read_text().rstrip("\n")
    assert [" ".join(block.split("\n")) for block in text.split("\n\n")] == blocks
    assert prepared.accounts["documents"]["train"] == len(blocks)


class TestRejected:
    def test_a_row_that_is_not_of_the_encoding_is_told_with_its_bytes(self, tmp_path: Path) -> None:
        prepared = Prepared(tmp_path, {"train.txt": b"good\nna\xefve\nfine\n", **OTHERS})

        assert prepared.lines() == ["good", "", "fine"]
        assert prepared.rejected == [("train.txt", "2", "encoding", b"na\xefve\n")]
        assert prepared.accounts["rows"] == {
            "read": 5,
            "accepted": 4,
            "rejected": {"encoding": 1},
        }

    def test_the_encoding_may_be_another_one_for_some_files(self, tmp_path: Path) -> None:
        reading = replace(READING, encoding={"train/old*": "cp1252"})
        files = {"train/old.txt": b"na\xefve\n", "train/new.txt": "naïf\n".encode(), **OTHERS}

        prepared = Prepared(tmp_path, files, reading)

        assert prepared.lines() == ["naïf", "", "naïve"]
        assert prepared.rejected == []

    def test_rows_of_json_are_told_by_what_is_wrong_with_them(self, tmp_path: Path) -> None:
        reading = replace(READING, form="jsonl", field="text")
        rows = [b'{"text": "good"}', b'{"text": 1}', b"{", b"", b'{"text": "\\ud800"}']

        prepared = Prepared(
            tmp_path,
            {
                "train.jsonl": b"\n".join(rows),
                "valid.jsonl": b'{"text": "b"}',
                "test.jsonl": b'{"text": "c"}',
            },
            reading,
        )

        assert prepared.lines() == ["good"]
        assert [(row, reason) for _, row, reason, _ in prepared.rejected] == [
            ("2", "field"),
            ("3", "JSON"),
            ("5", "surrogate"),
        ]
        assert prepared.accounts["rows"]["read"] == 6

    def test_an_unterminated_quote_costs_its_own_row_alone(self, tmp_path: Path) -> None:
        reading = replace(READING, form="csv", column="body")
        good = b"id,body\n1,a\n"

        prepared = Prepared(
            tmp_path,
            {
                "train.csv": b'id,body\n1,one\n2,"never closed\n3,three\n4,four\n',
                "valid.csv": good,
                "test.csv": good,
            },
            reading,
        )

        assert prepared.lines() == ["one", "", "three", "", "four"]
        assert prepared.rejected == [("train.csv", "3", "quotes", b'2,"never closed\n')]

    @pytest.mark.parametrize(("share", "is_refused"), [(0.24, True), (0.25, False)])
    def test_more_than_a_share_of_them_stops_everything_before_anything_is_written(
        self, share: float, is_refused: bool, tmp_path: Path
    ) -> None:
        # one of four rows
        files = {"train.txt": b"good\n\xff\\\n", **OTHERS}
        reading = replace(READING, rejected_share=share)

        if not is_refused:
            assert len(Prepared(tmp_path, files, reading).rejected) == 1
            return
        with pytest.raises(DataError) as refused:
            Prepared(tmp_path, files, reading)

        assert str(refused.value) == (
            "1 of 4 rows cannot be read (1 encoding), at most a share of 0.24 may be:"
            " corpus.rejected_share. Is corpus.encoding or corpus.form another one? The first of"
            " them:\n  train.txt, row 2, encoding: \\xff\\\\\n"
        )
        assert sorted(path.name for path in tmp_path.iterdir()) == ["raw"]

    def test_a_field_that_no_row_has_is_refused_with_its_key_and_a_row(
        self, tmp_path: Path
    ) -> None:
        files = {f"{split}.jsonl": b'{"body": "a text"}\n' for split in SPLITS}
        reading = replace(READING, form="jsonl", field="text", rejected_share=0.5)

        with pytest.raises(DataError) as refused:
            Prepared(tmp_path, files, reading)

        assert str(refused.value).startswith("3 of 3 rows cannot be read (3 field), ")
        assert "Is corpus.encoding, corpus.field or corpus.form another one?" in str(refused.value)
        assert 'test.jsonl, row 1, field: {"body": "a text"}' in str(refused.value)

    def test_a_file_in_utf_16_taken_for_utf_8_is_refused_with_a_hint(self, tmp_path: Path) -> None:
        files = {"train.txt": "plain text\n".encode("utf-16"), **OTHERS}

        with pytest.raises(DataError, match=r"Is corpus\.encoding or corpus\.form another one\?"):
            Prepared(tmp_path, files, replace(READING, rejected_share=0.1))

        prepared = Prepared(tmp_path, files, replace(READING, encoding={"train*": "utf-16"}))
        assert prepared.lines() == ["plain text"]

    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(content=st.binary(max_size=300), form=st.sampled_from(["text", "jsonl"]))
    def test_accepted_and_rejected_are_the_rows_read(
        self, content: bytes, form: Any, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        good = b'{"text": "fine"}\n'
        reading = replace(READING, form=form, field="text" if form == "jsonl" else None)
        files = {"train.t": good + content, "valid.t": good, "test.t": good}

        prepared = Prepared(tmp_path_factory.mktemp("any"), files, reading)

        # Of lines with something in them: what Python does not take for white space, or no text.
        raw = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        read = 3 + sum(not _is_blank(line) for line in raw)
        rows = prepared.accounts["rows"]
        assert rows["read"] == read == rows["accepted"] + sum(rows["rejected"].values())
        assert len(prepared.rejected) == sum(rows["rejected"].values())


def _is_blank(line: bytes) -> bool:
    try:
        return not line.decode("utf-8").strip()
    except UnicodeDecodeError:
        return False


CSV = replace(READING, form="csv", column="body")
JSONL = replace(READING, form="jsonl", field="body")
BY_HASH = replace(READING, splits=None)
TOO_LITTLE = {
    "empty": ({"train.txt": b""}, BY_HASH, "the corpus has no text in it"),
    "blank rows": (
        {"train.txt": b" \n\t\r\n\xe2\x80\xa8\n"},
        BY_HASH,
        "the corpus has no text in it",
    ),
    "one sentence": (
        {"train.txt": b"One sentence."},
        BY_HASH,
        r"the (train|valid) split has none of the corpus's 1 documents; choose a finer text\.docu",
    ),
    "a split that is blank": (
        {**OTHERS, "train.txt": b"\n \n"},
        READING,
        r"the train split has none of the corpus's 2 documents; .*'train\*'",
    ),
    "an empty table": ({"train.csv": b""}, CSV, r"train\.csv must hold a header and rows under it"),
    "a header only": ({"train.csv": b"id,body\n\n"}, CSV, "found a header only; expected rows"),
    "no such column": ({"train.csv": b"id,text\n1,a\n"}, CSV, "got 'body', found 'id', 'text'"),
    "blank cells": ({"train.csv": b'body\n" "\n""\n'}, CSV, "the corpus has no text in it"),
    "blank lines of JSON": ({"train.jsonl": b"\n\n"}, JSONL, "the corpus has no text in it"),
    "blank texts of JSON": (
        {"train.jsonl": b'{"body": ""}\n{"body": " \\n"}\n'},
        JSONL,
        "the corpus has no text in it",
    ),
}
"""Files with nothing or next to nothing in them, how they are read, and what is said."""


@pytest.mark.parametrize(("files", "reading", "said"), TOO_LITTLE.values(), ids=TOO_LITTLE)
def test_too_little_text_is_told_in_a_line_and_nothing_is_written(
    files: Mapping[str, bytes], reading: ReadingConfig, said: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=said) as refused:
        Prepared(tmp_path, files, reading)

    assert "\n" not in str(refused.value)
    assert [path.name for path in tmp_path.iterdir()] == ["raw"]


class TestHardText:
    def test_each_odd_character_stays_or_costs_its_own_row(self, tmp_path: Path) -> None:
        content = (
            "\ufeffOne.\r\n"  # the mark goes, and CR with LF
            "two\u2028too.\n"  # which ends no line
            "Thr\0ee.\n"
            "\u202efour\u202c \u2066five\u2069\n"  # which turn the direction of writing
            "\U0001f600\U0001d518 🏳️‍🌈\n"
            "\ufeffsix\n"  # elsewhere it is a character
        ).encode() + b"caf\xe9\n\xed\xa0\x80\n\xf4\x90\x80\x80\n"  # half a character, and none

        prepared = Prepared(
            tmp_path, {"train.txt": content, **OTHERS}, text=replace(TEXT, document="file")
        )

        # other tokenizers take U+2028 for white space as well
        assert prepared.lines() == [
            "One.",
            "two too.",
            "\u202efour\u202c \u2066five\u2069",
            "\U0001f600\U0001d518 🏳️‍🌈",
            "\ufeffsix",
        ]
        assert prepared.rejected == [
            ("train.txt", "3", "NUL", b"Thr\0ee.\n"),
            ("train.txt", "7", "encoding", b"caf\xe9\n"),
            ("train.txt", "8", "encoding", b"\xed\xa0\x80\n"),
            ("train.txt", "9", "encoding", b"\xf4\x90\x80\x80\n"),
        ]

    @pytest.mark.parametrize(
        ("sentences", "tokenizer"),
        [("line", "whitespace"), ("line", "nltk_tweet"), ("punkt", "nltk_word")],
    )
    @pytest.mark.parametrize("word", [b"A" * 10**6, b"a." * 100_000], ids=["letters", "stops"])
    def test_a_word_without_end_is_put_aside_whole_by_every_way_of_cutting(
        self, word: bytes, tokenizer: Any, sentences: Any, tmp_path: Path
    ) -> None:
        text = replace(TEXT, document="block", sentences=sentences, tokenizer=tokenizer)
        content = b"before it\n\n" + word + b"\n\nafter it\n"

        prepared = Prepared(tmp_path, {"train.txt": content, **OTHERS}, READING, text, ALL_CLEANING)

        # markdown is read in pieces, each of which is a paragraph
        assert prepared.lines() == ["before it", "", "after it"]
        aside = [(name, reason) for name, _, reason, _ in prepared.put_aside]
        assert set(aside) == {("train.txt:3", "long")}
        assert "".join(said for *_, said in prepared.put_aside) == word.decode()

    def test_a_text_without_capitals_and_stops_is_a_sentence_for_each_paragraph(
        self, tmp_path: Path
    ) -> None:
        text = replace(TEXT, document="file", sentences="punkt", tokenizer="nltk_word")
        content = b"no stop here\nand none here\n\nand so on\n"

        prepared = Prepared(tmp_path, {"train.txt": content, **OTHERS}, text=text)

        assert prepared.lines() == ["no stop here and none here", "and so on"]

    def test_names_of_reserved_tokens_are_ordinary_words(self, tmp_path: Path) -> None:
        text = replace(TEXT, document="file", sentences="punkt", tokenizer="nltk_word")
        content = b"We met SENTENCE_START and SENTENCE_END. UNKNOWN_TOKEN, too."

        prepared = Prepared(tmp_path, {"train.txt": content, **OTHERS}, text=text)

        assert prepared.lines() == [
            "We met SENTENCE_START and SENTENCE_END .",
            "UNKNOWN_TOKEN , too .",
        ]


class TestPutAside:
    def test_no_document_of_training_is_met_in_a_given_split_in_other_clothes(
        self, tmp_path: Path
    ) -> None:
        cleaning = replace(NO_CLEANING, repeated_documents=True)
        files = {
            "test.txt": b"IT FELL -- on Rome\nIt fell on Roma.\n",
            "train.txt": b"It fell, on Rome.\n",
            "valid.txt": b"a valid line\n",
        }

        prepared = Prepared(tmp_path, files, cleaning=cleaning)

        # letters and digits alone count; a document with another letter is another one
        assert prepared.lines() == ["It fell, on Rome."]
        assert prepared.lines("test") == ["It fell on Roma."]
        assert prepared.put_aside == [("test.txt:1", "", "repeated", "IT FELL -- on Rome")]

    def test_documents_and_sentences_are_told_with_their_reasons(self, tmp_path: Path) -> None:
        cleaning = replace(NO_CLEANING, repeated_documents=True, control_characters=True)
        text = replace(TEXT, minimum_words=2, maximum_words=3, document="block")
        content = b"a b\nc\n\nA, b! C\n\n\xe2\x80\xae\n\nd e f g\nh i\n"

        prepared = Prepared(tmp_path, {"train.txt": content, **OTHERS}, READING, text, cleaning)

        assert prepared.lines() == ["a b", "", "h i"]
        assert sorted(prepared.put_aside) == [
            ("train.txt:1", "2", "short", "c"),
            ("train.txt:4", "", "repeated", "A, b! C"),
            ("train.txt:6", "", "empty", "\u202e"),
            ("train.txt:8", "1", "long", "d e f g"),
        ]
        assert prepared.accounts["documents"]["put_aside"] == {"empty": 1, "repeated": 1}
        assert prepared.accounts["sentences"] == {"read": 6, "put_aside": {"long": 1, "short": 1}}
        assert prepared.accounts["cleaning"] == {"control_characters": 1}


def test_a_document_in_which_no_sentence_is_found_is_told_of(tmp_path: Path) -> None:
    text = replace(TEXT, end_token="<eos>")

    prepared = Prepared(tmp_path, {"train.txt": b"one\n<eos> <eos>\n", **OTHERS}, text=text)

    assert prepared.put_aside == [("train.txt:2", "", "without a sentence", "<eos> <eos>")]
    assert prepared.accounts["documents"]["put_aside"] == {"without a sentence": 1}
    assert prepared.accounts["documents"]["train"] == 1


class TestTokens:
    def test_tokenised_text_keeps_its_tokens_without_ends_and_headings(
        self, tmp_path: Path
    ) -> None:
        text = replace(TEXT, document="heading", end_token="<eos>", headings="drop")
        content = b" = Cats = \n\n <unk> sleep @-@ walk <eos> they eat <eos>\n"

        prepared = Prepared(tmp_path, {"train.txt": content, **OTHERS}, text=text)

        assert prepared.lines() == ["<unk> sleep @-@ walk", "they eat"]
        assert prepared.put_aside == [("train.txt:1", "1", "heading", " = Cats = ")]

    def test_a_language_without_spaces_goes_by_characters(self, tmp_path: Path) -> None:
        text = replace(TEXT, unit="character")

        prepared = Prepared(
            tmp_path, {"train.txt": "今日は 晴れ。\n".encode(), **OTHERS}, text=text
        )

        assert prepared.lines() == ["今 日 は ␣ 晴 れ 。"]
        assert prepared.accounts["tokenizer"] == {"name": "character", "sentences": "line"}

    def test_what_punkt_has_learned_lies_beside_the_corpus(self, tmp_path: Path) -> None:
        text = replace(TEXT, sentences="punkt", tokenizer="nltk_word", document="file")
        content = DOCTORS.encode()

        prepared = Prepared(tmp_path, {"train.txt": content, **OTHERS}, text=text)

        learned = json.loads((tmp_path / "punkt.json").read_text())
        assert "dr" in learned["abbrev_types"]
        assert prepared.lines()[0] == "She met Dr. Brown at noon ."
        assert prepared.accounts["tokenizer"]["nltk"]


@pytest.mark.parametrize("missing", SPLITS)
def test_a_given_split_without_a_file_is_named(missing: Split, tmp_path: Path) -> None:
    files = {f"{split}.txt": b"a line\n" for split in SPLITS if split != missing}

    with pytest.raises(DataError, match=rf"the {missing} split has none .*'{missing}\*'"):
        Prepared(tmp_path, files)


def test_nothing_is_left_of_the_way_there(tmp_path: Path) -> None:
    Prepared(tmp_path, {"train.txt": b"one\n", **OTHERS})

    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "accounts.json",
        "punkt.json",
        "put_aside.tsv",
        "raw",
        "rejected.tsv",
        "test.txt",
        "train.txt",
        "valid.txt",
    ]


def test_the_same_files_give_the_same_bytes(tmp_path: Path) -> None:
    content = "Dr. Brown came. Ümlaut met Dr. White. It rained.\n\n".encode() * 30
    text = replace(TEXT, sentences="punkt", tokenizer="nltk_word", drop_repeated=True)
    for name in ("one", "two"):
        Prepared(tmp_path / name, {"train.txt": content, **OTHERS}, text=text)

    one, two = (
        {path.name: path.read_bytes() for path in (tmp_path / name).iterdir() if path.is_file()}
        for name in ("one", "two")
    )
    assert len(one) == 7
    assert one == two
