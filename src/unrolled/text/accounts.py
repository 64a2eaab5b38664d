"""What became of all that was read: every row, document and sentence has its place."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from unrolled.corpus.splits import SPLITS, Split

BEGINNING = 200
"""Characters that are shown of a whole document."""


@dataclass(frozen=True)
class PutAside:
    """A document or a sentence that does not go on."""

    document: str
    sentence: int | None
    """Its number in the document, from 1; None for a whole document."""
    reason: str
    text: str
    """What it says; of a document its beginning."""

    @classmethod
    def whole(cls, document: str, reason: str, text: str) -> Self:
        """A document with all that is in it."""
        return cls(document, None, reason, text[:BEGINNING])


@dataclass
class Accounts:
    """Counts that grow while a corpus is prepared.

    Attributes:
        rows_read: lines with text in them, CSV records or lines of JSON.
        rejected: of these, how many could not be read, by reason.
        documents: how many go on, by split; while a split is sieved those that have come to it.
        documents_aside: how many do not, by reason.
        sentences_read: found in the documents that are not put aside as a whole.
        sentences_aside: of these, how many do not, by reason.
        cleaning: how often each switch has changed something.
        tokenizer: what has cut sentences into tokens, and its version.
    """

    rows_read: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    documents: Counter[Split] = field(default_factory=Counter)
    documents_aside: Counter[str] = field(default_factory=Counter)
    sentences_read: int = 0
    sentences_aside: Counter[str] = field(default_factory=Counter)
    cleaning: Mapping[str, int] = field(default_factory=dict)
    tokenizer: Mapping[str, str] = field(default_factory=dict)

    @property
    def document_count(self) -> int:
        """How many documents there were."""
        return self.documents.total() + self.documents_aside.total()

    def as_json(self) -> dict[str, Any]:
        """The counts ready for JSON."""
        return {
            "rows": {
                "read": self.rows_read,
                "accepted": self.rows_read - self.rejected.total(),
                "rejected": _sorted(self.rejected),
            },
            "documents": {
                "read": self.document_count,
                "put_aside": _sorted(self.documents_aside),
                **{split: self.documents[split] for split in SPLITS},
            },
            "cleaning": dict(self.cleaning),
            "sentences": {
                "read": self.sentences_read,
                "put_aside": _sorted(self.sentences_aside),
            },
            "tokenizer": dict(self.tokenizer),
        }


def _sorted(counts: Counter[str]) -> dict[str, int]:
    return {reason: count for reason, count in sorted(counts.items()) if count}
