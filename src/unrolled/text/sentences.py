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
    they are listed, until `TRAINING_BYTES` are reached.
    """
    trainer = PunktTrainer()
    used = 0
    for document in sorted(documents, key=document_hash):
        used += len(document.text.encode("utf-8"))
        if used > TRAINING_BYTES and used > len(document.text.encode("utf-8")):
            break
        trainer.train(document.text[:TRAINING_BYTES], finalize=False)
    trainer.finalize_training()
    return PunktSentenceTokenizer(trainer.get_params())


def sentences(text: str, splitter: PunktSentenceTokenizer) -> Iterator[str]:
    """The sentences of a text; a blank line always ends one, a single line break never does."""
    for paragraph in _BLANK_LINE.split(text):
        yield from splitter.tokenize(" ".join(paragraph.split()))
