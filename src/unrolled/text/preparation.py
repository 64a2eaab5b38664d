"""From documents to tokenised sentences in three splits, every sentence accounted for.

The order matters: documents are split first, so that Punkt learns from the training split alone;
sentences are found before words are lowered, since Punkt goes by capitals.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from nltk.tokenize.punkt import PunktSentenceTokenizer

from unrolled.config.sections import TextConfig
from unrolled.corpus.document import Document
from unrolled.corpus.splits import SPLITS, Split, split_of
from unrolled.errors import DataError
from unrolled.text.sentences import sentences, trained_splitter
from unrolled.text.words import words

Sentence = list[str]
"""The words of one sentence."""

Text = list[list[Sentence]]
"""The sentences of each document."""


@dataclass(frozen=True)
class Rejection:
    """A sentence that was put aside."""

    document: str
    sentence: int
    """Its number in the document, from 1."""
    reason: str
    text: str


@dataclass(frozen=True)
class Prepared:
    """A corpus as sentences of words, split by document; a document without a sentence left is not
    in it.
    """

    splits: dict[Split, Text]
    rejections: list[Rejection] = field(default_factory=list)


def prepare(documents: Iterable[Document], config: TextConfig) -> Prepared:
    """The corpus as it is trained on.

    Raises:
        DataError: there is no document, a split gets no document, or a split has no sentence left.
    """
    parts = _split(documents, config)
    splitter = trained_splitter(parts["train"])
    sieve = _Sieve(config)
    splits = {split: _text(parts[split], splitter, sieve) for split in SPLITS}
    for split in SPLITS:
        if not splits[split]:
            raise DataError(_no_sentence_left(split, sieve.rejections, config))
    return Prepared(splits, sieve.rejections)


def _split(documents: Iterable[Document], config: TextConfig) -> dict[Split, list[Document]]:
    parts: dict[Split, list[Document]] = {split: [] for split in SPLITS}
    for document in documents:
        split = split_of(document, config.validation_fraction, config.test_fraction)
        parts[split].append(document)
    for split in SPLITS:
        if not parts[split]:
            raise DataError(_no_document(split, sum(map(len, parts.values())), config))
    return parts


def _text(documents: Iterable[Document], splitter: PunktSentenceTokenizer, sieve: "_Sieve") -> Text:
    kept = (list(sieve.kept(document, splitter)) for document in documents)
    return [document for document in kept if document]


class _Sieve:
    """Keeps the sentences that the configuration asks for and notes the others."""

    def __init__(self, config: TextConfig) -> None:
        self.config = config
        self.seen: set[tuple[str, ...]] = set()
        self.rejections: list[Rejection] = []

    def kept(self, document: Document, splitter: PunktSentenceTokenizer) -> Iterator[Sentence]:
        """The sentences of a document that stay, tokenised."""
        for number, sentence in enumerate(sentences(document.text, splitter), start=1):
            tokens = words(sentence, self.config.lowercase)
            if reason := self._reason_to_reject(tokens):
                self.rejections.append(Rejection(document.name, number, reason, sentence))
            else:
                yield tokens

    def _reason_to_reject(self, tokens: Sentence) -> str | None:
        if len(tokens) < self.config.minimum_words:
            return "short"
        if len(tokens) > self.config.maximum_words:
            return "long"
        if self.config.drop_repeated:
            if tuple(tokens) in self.seen:
                return "repeated"
            self.seen.add(tuple(tokens))
        return None


def _no_document(split: Split, document_count: int, config: TextConfig) -> str:
    if document_count == 0:
        return "the corpus has no text in it; see corpus/raw for what was acquired"
    return (
        f"the {split} split has none of the corpus's {document_count} documents; choose a finer"
        f" text.document (now '{config.document}') or other text.validation_fraction"
        f" ({config.validation_fraction}) and text.test_fraction ({config.test_fraction})"
    )


def _no_sentence_left(split: Split, rejections: list[Rejection], config: TextConfig) -> str:
    reasons = Counter(rejection.reason for rejection in rejections)
    aside = ", ".join(f"{count} {reason}" for reason, count in sorted(reasons.items())) or "none"
    return (
        f"the {split} split has no sentence left (put aside in all: {aside}); change"
        f" text.minimum_words (now {config.minimum_words}), text.maximum_words"
        f" (now {config.maximum_words}) or text.drop_repeated (now {config.drop_repeated})"
    )
