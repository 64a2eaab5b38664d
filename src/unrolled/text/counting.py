"""How often each word occurs, in bounded memory however many different words there are.

Counts that have grown too many are set down in a file, sorted by word. In the end the files are
merged, so that each word comes once, with all its counts together.

Source: Knuth, The Art of Computer Programming, volume 3, section 5.4, for sorting by merging.
"""

import heapq
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, islice
from operator import itemgetter
from pathlib import Path
from typing import Self

MOST_TYPES = 500_000
"""So many different words are held in memory: some 60 MB."""

MOST_CHARACTERS = 2**24
"""And of so many characters together: four times as many bytes at worst."""

MOST_FILES = 64
"""So many are merged at once; systems let a process open some hundreds."""

WAITING = 2**14
"""So many words at most wait to be counted together, since each call of a counter has its cost."""


class WordCounts:
    """Counts of words, to be used in a `with` block; what they need of the disk goes with its end.

    A word may hold any character but a space and a line feed.

    Args:
        folder: where files are set down if memory is not enough; made where it is missing.
        most_types: of how many different words counts are held in memory.
        most_characters: how many characters these may have together.
        most_files: how many files are merged at once.
    """

    def __init__(
        self,
        folder: Path | str,
        most_types: int = MOST_TYPES,
        most_characters: int = MOST_CHARACTERS,
        most_files: int = MOST_FILES,
    ) -> None:
        Path(folder).mkdir(parents=True, exist_ok=True)
        self._folder = tempfile.TemporaryDirectory(prefix=".counts.", dir=folder)
        self._most_types = most_types
        self._most_characters = most_characters
        self._most_files = most_files
        self._waiting: list[str] = []
        self._counts: Counter[str] = Counter()
        self._characters = 0
        self._batch = min(WAITING, most_types)
        self._files: list[Path] = []
        self._made = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()

    def add(self, words: Iterable[str]) -> None:
        """Count each of these words once more."""
        self._waiting += words
        if len(self._waiting) >= self._batch:
            self._count()

    def merged(self) -> Iterator[tuple[str, int]]:
        """Each word with how often it was added, in the order of code points."""
        self._count()
        if not self._files:
            return ((word, self._counts[word]) for word in sorted(self._counts))
        self._spill()
        return _merged(self._files)

    def _count(self) -> None:
        """Count the words that wait."""
        before = len(self._counts)
        self._counts.update(self._waiting)
        self._waiting.clear()
        new = len(self._counts) - before
        self._characters += sum(map(len, islice(reversed(self._counts), new)))  # the new come last
        if len(self._counts) > self._most_types or self._characters > self._most_characters:
            self._spill()

    def _spill(self) -> None:
        """Set the counts down in a file."""
        self._write((word, self._counts[word]) for word in sorted(self._counts))
        self._counts.clear()
        self._characters = 0
        if len(self._files) >= self._most_files:
            merged, self._files = self._files, []
            self._write(_merged(merged))
            for path in merged:
                path.unlink()

    def _write(self, counts: Iterable[tuple[str, int]]) -> None:
        path = Path(self._folder.name) / str(self._made)
        with path.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(f"{word} {count}\n" for word, count in counts)
        self._files.append(path)
        self._made += 1


def _merged(paths: Sequence[Path]) -> Iterator[tuple[str, int]]:
    """Each word of sorted files, in the same order, its counts added up."""
    counts = heapq.merge(*map(_read, paths))
    for word, same in groupby(counts, key=itemgetter(0)):
        yield word, sum(count for _, count in same)


def _read(path: Path) -> Iterator[tuple[str, int]]:
    with path.open(encoding="utf-8", newline="\n") as file:  # a word may hold a carriage return
        for line in file:
            word, count = line.split(" ")
            yield word, int(count)
