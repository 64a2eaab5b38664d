"""From documents in three splits to sentences of tokens, every document and sentence accounted for.

Sentences are found before words are lowered, since Punkt goes by capitals.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, groupby
from operator import attrgetter

import numpy as np

from unrolled.config.sections import TextConfig
from unrolled.corpus.document import Passage
from unrolled.corpus.reading.headings import heading_level
from unrolled.corpus.splits import SPLITS, Split
from unrolled.errors import DataError
from unrolled.text.accounts import Accounts, PutAside
from unrolled.text.repetition import Seen, hash_of
from unrolled.text.words import Tokenizer

SENTENCE_CHARACTERS = 100
"""So many count for a sentence beside its own: what it takes in memory however short it is."""

BATCH_CHARACTERS = 2**20
"""Sentences of about so much text are compared with all before them at once."""

EXPECTED_SENTENCES = 256
"""So many are announced to a tokenizer at once: few of their chunks are in none before."""

LONGEST_WORD = 100
"""Characters: a sentence that has more for each word that it may have is long, however few words it
has. So no tokenizer needs to look at what goes on for a megabyte, which takes some of them hours.
"""

WITHOUT_SENTENCE = "without a sentence"
"""Why a document goes of which no sentence is found or left."""

Sentence = tuple[bool, list[str]]
"""Whether it begins a document, and its tokens."""


@dataclass(frozen=True)
class _Candidate:
    document: str
    sentence: int
    text: str


class Sieve:
    """Keeps the documents and sentences that the configuration asks for and puts aside the others.

    It remembers what it has kept over all splits, to tell what is repeated.
    """

    def __init__(
        self,
        config: TextConfig,
        cut: Callable[[str], Iterable[str]],
        tokenize: Tokenizer,
        accounts: Accounts,
        put_aside: Callable[[PutAside], None],
    ) -> None:
        """A sieve.

        Args:
            config: which sentences are kept.
            cut: makes sentences of a passage.
            tokenize: makes tokens of a sentence.
            accounts: where all that passes is counted.
            put_aside: takes what does not go on.
        """
        self._config = config
        self._cut, self._tokenize = cut, tokenize
        self._accounts, self._put_aside = accounts, put_aside
        self._seen = Seen()

    def kept(
        self, split: Split, passages: Iterable[Passage], repeated: Iterable[bool]
    ) -> Iterator[Sentence]:
        """The sentences of a split that stay.

        A document without a sentence left has none that begins it, and counts as put aside.

        Args:
            split: its name, for the accounts.
            passages: of all its documents.
            repeated: for each document whether it goes as a whole, as repeated.
        """
        last_document, documents = None, 0
        for batch in _batches(self._candidates(split, passages, repeated)):
            tokens = self._tokens(batch)
            reasons = self._reasons(batch, tokens)
            for candidate, words, reason in zip(batch, tokens, reasons, strict=True):
                if reason:
                    self._accounts.sentences_aside[reason] += 1
                    self._put_aside(
                        PutAside(candidate.document, candidate.sentence, reason, candidate.text)
                    )
                else:
                    begins = candidate.document != last_document
                    documents += begins
                    yield begins, words
                    last_document = candidate.document
        if lost := self._accounts.documents[split] - documents:
            self._accounts.documents_aside[WITHOUT_SENTENCE] += lost
            self._accounts.documents[split] = documents

    def _candidates(
        self, split: Split, passages: Iterable[Passage], repeated: Iterable[bool]
    ) -> Iterator[_Candidate]:
        documents = groupby(passages, key=attrgetter("document"))
        for (name, parts), is_repeated in zip(documents, repeated, strict=True):
            if is_repeated:
                self._accounts.documents[split] -= 1
                self._accounts.documents_aside["repeated"] += 1
                self._put_aside(PutAside.whole(name, "repeated", next(parts).text))
                continue
            first, number = next(parts), 0
            sentences = (one for part in chain([first], parts) for one in self._cut(part.text))
            for number, sentence in enumerate(sentences, start=1):
                self._accounts.sentences_read += 1
                yield _Candidate(name, number, sentence)
            if number == 0:  # else its sentences tell what became of it
                self._put_aside(PutAside.whole(name, WITHOUT_SENTENCE, first.text))

    def _tokens(self, batch: Sequence[_Candidate]) -> list[list[str]]:
        """The tokens of each; none for those that are too long to be looked at."""
        tokens: list[list[str]] = []
        for start in range(0, len(batch), EXPECTED_SENTENCES):
            part = batch[start : start + EXPECTED_SENTENCES]
            self._tokenize.expect(each.text for each in part if not self._is_endless(each))
            tokens += [[] if self._is_endless(each) else self._tokenize(each.text) for each in part]
        return tokens

    def _is_endless(self, candidate: _Candidate) -> bool:
        return len(candidate.text) > LONGEST_WORD * self._config.maximum_words

    def _reasons(
        self, batch: Sequence[_Candidate], tokens: Sequence[Sequence[str]]
    ) -> list[str | None]:
        """Why each does not stay; None where it does."""
        reasons = [self._reason(*each) for each in zip(batch, tokens, strict=True)]
        if self._config.drop_repeated:
            left = [number for number, reason in enumerate(reasons) if reason is None]
            hashes = [hash_of(" ".join(tokens[number])) for number in left]
            first = self._seen.first(np.array(hashes, dtype=np.uint64))
            for number in np.array(left, dtype=np.int64)[~first].tolist():
                reasons[number] = "repeated"
        return reasons

    def _reason(self, candidate: _Candidate, tokens: Sequence[str]) -> str | None:
        if self._config.headings == "drop" and heading_level(candidate.text):
            return "heading"
        if len(tokens) > self._config.maximum_words or self._is_endless(candidate):
            return "long"
        if len(tokens) < self._config.minimum_words:
            return "short"
        return None


def require_documents(
    accounts: Accounts, config: TextConfig, patterns: Mapping[str, str] | None
) -> None:
    """Return only if every split has a document.

    Args:
        accounts: of the documents.
        config: how they are told from each other and split.
        patterns: of the files of each split where the corpus brings its own, else None.

    Raises:
        DataError: one has none.
    """
    for split in SPLITS:
        if not accounts.documents[split]:
            raise DataError(_no_document(split, accounts, config, patterns))


def require_sentences(split: Split, count: int, accounts: Accounts, config: TextConfig) -> None:
    """Return only if a split has a sentence left.

    Raises:
        DataError: it has none.
    """
    if count == 0:
        raise DataError(
            f"the {split} split has no sentence left (put aside so far: of documents"
            f" {shown(accounts.documents_aside)}; of sentences {shown(accounts.sentences_aside)});"
            f" change text.minimum_words (now {config.minimum_words}), text.maximum_words (now"
            f" {config.maximum_words}), text.drop_repeated (now {config.drop_repeated}),"
            f" text.headings (now '{config.headings}') or cleaning.repeated_documents"
        )


def shown(counts: Mapping[str, int]) -> str:
    """Counts by reason in a line."""
    told = (f"{count} {reason}" for reason, count in sorted(counts.items()) if count)
    return ", ".join(told) or "none"


def _batches(candidates: Iterable[_Candidate]) -> Iterator[list[_Candidate]]:
    batch: list[_Candidate] = []
    characters = 0
    for candidate in candidates:
        batch.append(candidate)
        characters += len(candidate.text) + SENTENCE_CHARACTERS
        if characters >= BATCH_CHARACTERS:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch


def _no_document(
    split: Split, accounts: Accounts, config: TextConfig, patterns: Mapping[str, str] | None
) -> str:
    count = accounts.document_count
    if accounts.documents.total() == 0:
        return "the corpus has no text in it; see corpus/raw for what was acquired"
    if patterns is not None:
        return (
            f"the {split} split has none of the corpus's {count} documents; the pattern of its"
            f" files is {patterns[split]!r} (corpus.splits)"
        )
    return (
        f"the {split} split has none of the corpus's {count} documents; choose a finer"
        f" text.document (now '{config.document}') or other text.validation_fraction"
        f" ({config.validation_fraction}) and text.test_fraction ({config.test_fraction})"
    )
