"""From text to sentences, with NLTK's Punkt trained on the corpus itself.

Trained so, it needs no downloaded data and works for any language whose sentences it can learn.

Source: Kiss & Strunk, Unsupervised Multilingual Sentence Boundary Detection (2006).
"""

import re
from collections.abc import Iterable, Iterator

from nltk.tokenize.punkt import PunktSentenceTokenizer, PunktTrainer

from unrolled.corpus.document import Document
from unrolled.corpus.splits import document_hash

TRAINING_BYTES = 1_000_000
"""How much text Punkt learns from at most; its abbreviations hardly change beyond."""

_BLANK_LINE = re.compile(r"\n[^\S\n]*\n")


def trained_splitter(documents: Iterable[Document]) -> PunktSentenceTokenizer:
    """A sentence splitter that has learned the abbreviations of these documents.

    Documents are taken in the order of their hash, an arbitrary one that does not depend on how
    they are listed, until `TRAINING_BYTES` are reached; of the last, what then has room.
    """
    trainer = PunktTrainer()
    room = TRAINING_BYTES
    for document in sorted(documents, key=document_hash):
        content = document.text.encode("utf-8")[:room]
        trainer.train(content.decode("utf-8", errors="ignore"), finalize=False)
        room -= len(content)
        if room == 0:
            break
    trainer.finalize_training()
    return PunktSentenceTokenizer(trainer.get_params())


def sentences(text: str, splitter: PunktSentenceTokenizer) -> Iterator[str]:
    """The sentences of a text; a blank line always ends one, a single line break never does."""
    for paragraph in _BLANK_LINE.split(text):
        yield from splitter.tokenize(" ".join(paragraph.split()))
