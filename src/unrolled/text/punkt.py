"""NLTK's Punkt, which learns from the corpus itself where its sentences end.

Trained so, it needs no downloaded data and works for any language whose sentences it can learn.

Source: Kiss & Strunk, Unsupervised Multilingual Sentence Boundary Detection (2006).
"""

from collections.abc import Callable, Iterable
from functools import lru_cache
from heapq import heappop, heappush
from pathlib import Path
from typing import Any

from nltk import redos
from nltk.tokenize.punkt import (
    PunktLanguageVars,
    PunktParameters,
    PunktSentenceTokenizer,
    PunktTrainer,
)

from unrolled.errors import DataError
from unrolled.storage import read_json, write_json

TRAINING_BYTES = 1_000_000
"""How much text Punkt learns from at most; its abbreviations hardly change beyond."""

# Training


class PunktSample:
    """The text that Punkt learns from, chosen from documents that come one by one.

    Documents are taken in the order of their hash, an arbitrary one that does not depend on how
    they come, until `TRAINING_BYTES` are reached; of the last, what then has room. Only what can
    still be taken is held: less than twice as many bytes, beside some hundred for each document.
    """

    def __init__(self) -> None:
        self._heap: list[tuple[int, bytes]] = []  # the largest hash first: all are negative
        self._hashes: set[int] = set()  # of those in the heap
        self._size = 0

    def add(self, document_hash: int, text: str) -> None:
        """Take a document in, unless it is one that has come before."""
        if document_hash in self._hashes:
            return
        content = text[:TRAINING_BYTES].encode("utf-8")[:TRAINING_BYTES]
        self._size += len(content)
        self._hashes.add(document_hash)
        heappush(self._heap, (-document_hash, content))
        while self._size - len(self._heap[0][1]) >= TRAINING_BYTES:
            dropped, content = heappop(self._heap)
            self._size -= len(content)
            self._hashes.remove(-dropped)

    def trained(self) -> PunktParameters:
        """What Punkt learns from the documents: their abbreviations and the like."""
        trainer = PunktTrainer()
        room = TRAINING_BYTES
        for _, content in sorted(self._heap, reverse=True):
            trainer.train(content[:room].decode("utf-8", errors="ignore"), finalize=False)
            room -= min(room, len(content))
        learnt = trainer.get_params()
        return _parameters(
            learnt.abbrev_types, learnt.collocations, learnt.sent_starters, learnt.ortho_context
        )


class _Contexts(dict[str, int]):
    """How each type was met, as flags; a type that was not is none, and asking does not add it.

    NLTK's own table grows with every word that it is asked for.
    """

    def __missing__(self, word: str) -> int:
        return 0


def _parameters(
    abbreviations: Iterable[str],
    collocations: Iterable[tuple[str, str]],
    starters: Iterable[str],
    contexts: dict[str, int],
) -> PunktParameters:
    parameters = PunktParameters()
    parameters.abbrev_types = set(abbreviations)
    parameters.collocations = set(collocations)
    parameters.sent_starters = set(starters)
    parameters.ortho_context = _Contexts({word: flags for word, flags in contexts.items() if flags})
    return parameters


# Splitting

REMEMBERED = 2**16
"""How many decisions are remembered: some 10 MB."""

LONGEST_CONTEXT = 64
"""How many characters of a context are remembered at most; what is longer hardly comes again."""


class Splitter(PunktSentenceTokenizer):  # type: ignore[misc]  # NLTK has no types
    """Punkt's sentence tokenizer, which remembers what it decided.

    Whether a stop ends a sentence follows from the word before and the word after, and many such
    pairs come again and again.
    """

    def __init__(self, parameters: PunktParameters) -> None:
        super().__init__(parameters, lang_vars=_Language())
        self._decided = lru_cache(REMEMBERED)(super().text_contains_sentbreak)

    def text_contains_sentbreak(self, text: str) -> bool:
        """Whether there is an end of a sentence in a stop with its neighbours."""
        if len(text) > LONGEST_CONTEXT:
            return bool(super().text_contains_sentbreak(text))
        return bool(self._decided(text))


class _Language(PunktLanguageVars):  # type: ignore[misc]  # NLTK has no types
    """NLTK's variables, without its time limit on the search for stops.

    The limit, five seconds, counts what is done with the stops as well, so that a paragraph of ten
    megabytes would pass it. The search itself takes time in proportion to the text.
    """

    def period_context_re(self) -> redos.TimedPattern:
        return redos.compile(super().period_context_re(), timeout=None)


# As a file


def write_punkt(path: Path | str, parameters: PunktParameters) -> None:
    """Write what Punkt has learnt as JSON, all in code-point order."""
    contexts = {word: flags for word, flags in parameters.ortho_context.items() if flags}
    write_json(
        path,
        {
            "abbrev_types": sorted(parameters.abbrev_types),
            "collocations": sorted(map(list, parameters.collocations)),
            "sent_starters": sorted(parameters.sent_starters),
            "ortho_context": dict(sorted(contexts.items())),
        },
    )


def read_punkt(path: Path | str) -> PunktParameters:
    """What Punkt has learnt, from its file.

    Raises:
        DataError: the file is missing or is not one that `write_punkt` writes.
    """
    value = read_json(path)
    if not isinstance(value, dict) or value.keys() != _FORMS.keys():
        raise DataError(
            f"{path} must be an object of {', '.join(_FORMS)}, as Punkt has learnt them"
        )
    for key, (is_right, form) in _FORMS.items():
        if not is_right(value[key]):
            raise DataError(f"{path}, {key} must be {form}")
    pairs = (tuple(pair) for pair in value["collocations"])
    return _parameters(value["abbrev_types"], pairs, value["sent_starters"], value["ortho_context"])


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(text, str) for text in value)


def _are_pairs(value: Any) -> bool:
    return isinstance(value, list) and all(_are_texts(pair) and len(pair) == 2 for pair in value)


def _are_flags(value: Any) -> bool:
    """Whether it is a mapping to Punkt's contexts, 2, 4, 8, 16, 32 and 64 put together."""
    return isinstance(value, dict) and all(
        isinstance(flags, int) and 2 <= flags <= 126 and flags % 2 == 0 for flags in value.values()
    )


_FORMS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "abbrev_types": (_are_texts, "a list of texts"),
    "collocations": (_are_pairs, "a list of pairs of texts"),
    "sent_starters": (_are_texts, "a list of texts"),
    "ortho_context": (_are_flags, "an object of even numbers from 2 to 126"),
}
"""What the file holds: how each value is known to be right, and what it must be."""
