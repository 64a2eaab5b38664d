"""Documents on their way from reading to sentences: cleaned, told from repetitions, and by split.

They are set down in files, passage by passage, since what they are cut into sentences by is only
known when all of them have been seen.
"""

import hashlib
import json
import re
from array import array
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO

import numpy as np
from numpy.typing import NDArray

from unrolled.corpus.document import Passage
from unrolled.corpus.splits import SPLITS, Split
from unrolled.text.accounts import Accounts, PutAside
from unrolled.text.cleaning import Cleaner
from unrolled.text.punkt import PunktSample
from unrolled.text.repetition import Seen

SplitOf = Callable[[str, int], Split]
"""The split of a document, by its name and the hash of its text."""

BATCH = 2**16
"""Documents that are compared with all before them at once."""

SPOOL_BYTES = 2**22
"""So much of a document is kept in memory until its end, where its split is known."""

_NOT_IN_WORDS = re.compile(r"[\W_]+")


class SplitDocuments:
    """The documents of a corpus in the three splits."""

    def __init__(self, folder: Path, sample: PunktSample | None) -> None:
        """No document yet.

        Args:
            folder: for the files that they are set down in.
            sample: what Punkt may learn from, to be filled with documents of the training split;
                None if it is not asked.
        """
        self._sample = sample
        self._folder = folder
        self._files = {split: folder / f"{split}.jsonl" for split in SPLITS}
        self._fingerprints = {split: array("Q") for split in SPLITS}

    def fill(
        self,
        passages: Iterable[Passage],
        cleaner: Cleaner,
        split_of: SplitOf,
        accounts: Accounts,
        put_aside: Callable[[PutAside], None],
    ) -> None:
        """Clean the documents and set each down in its split, those with nothing left put aside."""
        with ExitStack() as stack:
            files = {
                split: stack.enter_context(path.open("w", encoding="utf-8", newline="\n"))
                for split, path in self._files.items()
            }
            spool: IO[str] = stack.enter_context(
                SpooledTemporaryFile(
                    SPOOL_BYTES, "w+", encoding="utf-8", newline="\n", dir=str(self._folder)
                )
            )
            for name, parts in groupby(passages, key=attrgetter("document")):
                draft = _Draft(name, spool)
                for part in parts:
                    draft.add(part.text, cleaner.clean(part.text))
                if draft.is_blank:
                    accounts.documents_aside["empty"] += 1
                    put_aside(PutAside.whole(name, "empty", draft.before_cleaning))
                else:
                    split = split_of(name, draft.hash)
                    accounts.documents[split] += 1
                    self._set_down(draft, split, files[split])

    def _set_down(self, draft: "_Draft", split: Split, file: IO[str]) -> None:
        draft.copy_to(file)
        self._fingerprints[split].append(draft.fingerprint)
        if split == "train" and self._sample is not None:
            self._sample.add(draft.hash, draft.beginning)

    def repeated(self, asked: bool) -> dict[Split, NDArray[np.bool_]]:
        """For each split (documents,) whether one before it says the same: the same letters and
        digits, small or capital, whatever stands between them. Splits come in their usual order.

        Args:
            asked: if not, none is said to be repeated.
        """
        if not asked:
            return {
                split: np.zeros(len(self._fingerprints[split]), dtype=np.bool_) for split in SPLITS
            }
        seen = Seen()
        return {split: _repeated(self._fingerprints[split], seen) for split in SPLITS}

    def passages(self, split: Split) -> Iterator[Passage]:
        """The passages of a split in the order in which they were read."""
        with self._files[split].open(encoding="utf-8", newline="\n") as file:
            for line in file:
                yield Passage(*json.loads(line))


class _Draft:
    """One document, part by part, in a file that was another one's before."""

    def __init__(self, name: str, spool: IO[str]) -> None:
        spool.seek(0)
        spool.truncate()
        self.before_cleaning = ""
        self.beginning = ""
        self.is_blank = True
        self._name, self._spool = name, spool
        self._is_first = True
        self._text_hash = hashlib.sha256()
        self._words_hash = hashlib.blake2b(digest_size=8)
        self._has_words = False

    def add(self, original: str, text: str) -> None:
        """A further part, before and after cleaning."""
        if self._is_first:
            self.before_cleaning, self.beginning = original, text
        else:
            self._text_hash.update(b"\n")
        self._is_first = False
        self.is_blank = self.is_blank and not text.strip()
        self._text_hash.update(text.encode("utf-8"))
        words = _NOT_IN_WORDS.sub("", text.casefold())
        self._words_hash.update(words.encode("utf-8"))
        self._has_words = self._has_words or bool(words)
        self._spool.write(json.dumps([self._name, text], ensure_ascii=False) + "\n")

    @property
    def hash(self) -> int:
        """A number below 2^64 that depends on the document's text alone."""
        return int.from_bytes(self._text_hash.digest()[:8], "big")

    @property
    def fingerprint(self) -> int:
        """The same for its letters and digits; for its text where it has none."""
        if not self._has_words:
            return self.hash
        return int.from_bytes(self._words_hash.digest(), "big")

    def copy_to(self, file: IO[str]) -> None:
        """Write all parts."""
        self._spool.seek(0)
        file.writelines(self._spool)


def _repeated(fingerprints: "array[int]", seen: Seen) -> NDArray[np.bool_]:
    numbers = np.frombuffer(fingerprints, dtype=np.uint64)
    starts = range(0, len(numbers), BATCH)
    masks = [~seen.first(numbers[start : start + BATCH]) for start in starts]
    return np.concatenate([np.zeros(0, dtype=np.bool_), *masks])
