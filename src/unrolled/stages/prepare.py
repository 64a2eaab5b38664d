"""From the acquired text to tokenised sentences in three splits."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import nltk

from unrolled.config.corpus_sections import ReadingConfig
from unrolled.config.sections import CleaningConfig, TextConfig
from unrolled.corpus.reading.readers import read_passages
from unrolled.corpus.reading.rows import Row
from unrolled.corpus.splits import SPLITS, given_split, split_by_hash
from unrolled.errors import DataError
from unrolled.storage import Cell, bytes_shown, new_table, write_json
from unrolled.text.accounts import Accounts, PutAside
from unrolled.text.cleaning import Cleaner
from unrolled.text.documents import SplitDocuments, SplitOf
from unrolled.text.preparation import (
    Sentence,
    Sieve,
    require_documents,
    require_sentences,
    shown,
)
from unrolled.text.punkt import PunktSample, Splitter, write_punkt
from unrolled.text.sentence_file import write_sentences
from unrolled.text.sentences import sentences, sentences_by_line
from unrolled.text.words import tokenizer

REJECTED = ["file", "row", "reason", "bytes"]
"""Columns of the table of rows that cannot be read."""

PUT_ASIDE = ["document", "sentence", "reason", "text"]
"""Columns of the table of documents and sentences that are not kept."""

DRAFTS = ".drafts."
"""What the names of folders begin with that are gone when the job is done."""

SHOWN_ROWS = 3
"""Rejected rows that an error shows."""

SHOWN_BYTES = 60
"""Of each of them."""

Write = Callable[[Mapping[str, Cell]], None]


class Outputs(NamedTuple):
    """Where the results go."""

    splits: Mapping[str, Path | str]
    rejected: Path | str
    put_aside: Path | str
    punkt: Path | str
    accounts: Path | str


def run(
    reading: ReadingConfig,
    cleaning: CleaningConfig,
    text: TextConfig,
    raw: Path | str,
    outputs: Outputs,
) -> None:
    """Write the sentences of each split, tables of what was left out, and the accounts of it all.

    Args:
        reading: what the bytes of the files mean, and the splits that they bring.
        cleaning: what is taken out of documents.
        text: how text becomes sentences and tokens.
        raw: the folder of acquired text.
        outputs: the files to write. What Punkt has learned is `null` where it is not asked.

    Raises:
        ConfigError: an encoding cannot be read.
        DataError: too many rows cannot be read, or a split has no sentence.
    """
    accounts = Accounts()
    with ExitStack() as stack:
        drafts = stack.enter_context(_drafts_folder(Path(outputs.accounts).parent))
        reject = stack.enter_context(new_table(outputs.rejected, REJECTED))
        put_aside = _putting_aside(stack.enter_context(new_table(outputs.put_aside, PUT_ASIDE)))
        sample = PunktSample() if text.sentences == "punkt" else None
        documents = SplitDocuments(Path(drafts), sample)
        cleaner = Cleaner(cleaning)
        rejections = _Rejections(reject, accounts)
        passages = read_passages(Path(raw), reading, text.document, rejections.note)
        documents.fill(passages, cleaner, _split_of(reading, text), accounts, put_aside)
        accounts.cleaning = cleaner.counts
        rejections.require_few(reading)
        require_documents(accounts, text, reading.splits)
        accounts.tokenizer = _made_with(text)
        tokenize = tokenizer(text.unit, text.tokenizer, text.lowercase)
        sieve = Sieve(text, _cutting(text, sample, outputs.punkt), tokenize, accounts, put_aside)
        _write_splits(sieve, documents, cleaning.repeated_documents, text, accounts, outputs.splits)
        write_json(outputs.accounts, accounts.as_json())


def _drafts_folder(corpus: Path) -> "TemporaryDirectory[str]":
    """A folder for documents on their way; what a job that was killed has left of one goes."""
    for left in corpus.glob(f"{DRAFTS}*"):
        shutil.rmtree(left)
    return TemporaryDirectory(prefix=DRAFTS, dir=corpus)


def _write_splits(
    sieve: Sieve,
    documents: SplitDocuments,
    drop_repeated: bool,
    text: TextConfig,
    accounts: Accounts,
    splits: Mapping[str, Path | str],
) -> None:
    repeated = documents.repeated(drop_repeated)
    for split in SPLITS:
        kept = _Counted(sieve.kept(split, documents.passages(split), repeated[split]))
        write_sentences(splits[split], kept)
        require_sentences(split, kept.count, accounts, text)


def _cutting(
    text: TextConfig, sample: PunktSample | None, punkt: Path | str
) -> Callable[[str], Iterator[str]]:
    """What makes sentences of a passage; what Punkt has learned for it is written."""
    if sample is None:
        write_json(punkt, None)
        return lambda passage: sentences_by_line(passage, text.end_token)
    parameters = sample.trained()
    write_punkt(punkt, parameters)
    splitter = Splitter(parameters)
    return lambda passage: sentences(passage, splitter)


def _made_with(text: TextConfig) -> dict[str, str]:
    """What cuts text into sentences and tokens: with another version they may be others."""
    is_nltk = text.unit == "word" and text.tokenizer != "whitespace"
    name = text.tokenizer if text.unit == "word" else "character"
    versions = {"nltk": nltk.__version__} if is_nltk or text.sentences == "punkt" else {}
    return {"name": name, "sentences": text.sentences, **versions}


def _split_of(reading: ReadingConfig, text: TextConfig) -> SplitOf:
    """The split that the corpus brings, or the one by the hash of the text."""
    patterns = reading.splits
    if patterns is None:
        return lambda _, text_hash: split_by_hash(
            text_hash, text.validation_fraction, text.test_fraction
        )
    if text.document == "file":
        return lambda name, _: given_split(name, patterns)
    return lambda name, _: given_split(name.rpartition(":")[0], patterns)


def _putting_aside(write: Write) -> Callable[[PutAside], None]:
    """Writes a row of the table for each."""
    return lambda aside: write(vars(aside))


class _Counted:
    """Sentences that are counted as they pass."""

    def __init__(self, sentences: Iterator[Sentence]) -> None:
        self.count = 0
        self._sentences = sentences

    def __iter__(self) -> Iterator[Sentence]:
        for sentence in self._sentences:
            self.count += 1
            yield sentence


class _Rejections:
    """Counts the rows that are read and writes those that cannot be."""

    def __init__(self, write: Write, accounts: Accounts) -> None:
        self._write, self._accounts = write, accounts
        self._first: list[str] = []

    def note(self, file: str, row: Row) -> None:
        """A row has been read."""
        self._accounts.rows_read += 1
        if row.reason is None:
            return
        self._accounts.rejected[row.reason] += 1
        content = bytes_shown(row.content)
        self._write({"file": file, "row": row.number, "reason": row.reason, "bytes": content})
        if len(self._first) < SHOWN_ROWS:
            self._first.append(f"{file}, row {row.number}, {row.reason}: {content[:SHOWN_BYTES]}")

    def require_few(self, reading: ReadingConfig) -> None:
        """Return only if no larger share of the rows was rejected than may be.

        Raises:
            DataError: more were.
        """
        rejected, read = self._accounts.rejected.total(), self._accounts.rows_read
        share = reading.rejected_share
        if rejected > share * read:
            named = {"csv": ", corpus.column", "jsonl": ", corpus.field"}.get(reading.form, "")
            raise DataError(
                f"{rejected} of {read} rows cannot be read ({shown(self._accounts.rejected)}), at"
                f" most a share of {share} may be: corpus.rejected_share. Is corpus.encoding{named}"
                f" or corpus.form another one? The first of them:\n  " + "\n  ".join(self._first)
            )
