"""How much faster words are cut than by NLTK's own tokenizer, and that they are the same words.

    python benchmarks/tokenizing.py TEXT ... [--rounds 5]

A text is a file, a folder or an archive of UTF-8 texts; files whose names end in .tokens are
tokenised, their lines being sentences. NLTK's word tokenizer is called for one sentence after the
other. It and this project's take turns, round after round, on one core: first unread text, the
memory of chunks being empty, then the same text again. What is measured is processor time.

Writes results/tokenizing.tsv beside this file.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from nltk.tokenize.destructive import NLTKWordTokenizer

from processes import HERE
from unrolled.config.corpus_sections import CorpusConfig
from unrolled.config.files import read_config_file
from unrolled.corpus.document import Passage
from unrolled.corpus.reading.readers import read_passages
from unrolled.corpus.sources.bringing import bring_files
from unrolled.storage import Cell, write_tsv
from unrolled.text.preparation import EXPECTED_SENTENCES
from unrolled.text.punkt import PunktSample, Splitter
from unrolled.text.repetition import hash_of
from unrolled.text.sentences import sentences, sentences_by_line
from unrolled.text.words import tokenizer

TABLE = "tokenizing.tsv"
COLUMNS = ["text", "sentences", "tokens", "tokens_that_differ", "nltk_tokens_per_second"]
COLUMNS += ["unread_tokens_per_second", "unread_ratio", "read_ratio", "rounds", "target_ratio"]
TARGET_RATIO = 3
TOKENISED = ".tokens"

Tokens = list[list[str]]


def main() -> None:
    """Measure all texts."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("texts", nargs="+", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    rows = [_measured(text, arguments.rounds) for text in arguments.texts]
    write_tsv(HERE / "results" / TABLE, COLUMNS, rows)


def _measured(text: Path, rounds: int) -> dict[str, Cell]:
    found = list(_sentences(text))
    tokens = _by_nltk(found)
    times = [_round(found) for _ in range(rounds)]
    nltk = median(seconds for seconds, _, _ in times)
    unread = median(seconds for _, seconds, _ in times)
    count = sum(map(len, tokens))
    row: dict[str, Cell] = {
        "text": text.stem,
        "sentences": len(found),
        "tokens": count,
        "tokens_that_differ": _differing(tokens, _Ours()(found)),
        "nltk_tokens_per_second": round(count / nltk),
        "unread_tokens_per_second": round(count / unread),
        "unread_ratio": round(median(one / other for one, other, _ in times), 2),
        "read_ratio": round(median(one / other for one, _, other in times), 2),
        "rounds": rounds,
        "target_ratio": TARGET_RATIO,
    }
    print(*(f"{key} {value}" for key, value in row.items()), flush=True)
    return row


def _round(found: Sequence[str]) -> tuple[float, float, float]:
    """Seconds of NLTK, of this project with unread text, and with the same text again."""
    ours = _Ours()
    return _seconds(_by_nltk, found), _seconds(ours, found), _seconds(ours, found)


def _seconds(tokens_of: Callable[[Sequence[str]], Tokens], found: Sequence[str]) -> float:
    began = time.process_time()
    tokens_of(found)
    return time.process_time() - began


def _by_nltk(found: Sequence[str]) -> Tokens:
    tokenize = NLTKWordTokenizer().tokenize
    return [tokenize(sentence) for sentence in found]


class _Ours:
    """This project's tokenizer, told of sentences as the workflow tells it."""

    def __init__(self) -> None:
        self._tokens = tokenizer("word", "nltk_word", lowercase=False)

    def __call__(self, found: Sequence[str]) -> Tokens:
        tokens: Tokens = []
        for start in range(0, len(found), EXPECTED_SENTENCES):
            part = found[start : start + EXPECTED_SENTENCES]
            self._tokens.expect(part)
            tokens += map(self._tokens, part)
        return tokens


def _differing(ones: Tokens, others: Tokens) -> int:
    """How many tokens there are in sentences that are not the same in both."""
    pairs = zip(ones, others, strict=True)
    return sum(max(len(one), len(other)) for one, other in pairs if one != other)


def _sentences(text: Path) -> Iterator[str]:
    defaults: dict[str, Any] = read_config_file(HERE.parent / "config/config.yaml")["corpus"]
    patterns = ["*.txt", f"*{TOKENISED}"]
    config = CorpusConfig(**{**defaults, "source": "path", "path": str(text), "files": patterns})
    with tempfile.TemporaryDirectory() as folder:
        bring_files(config, Path(folder))
        passages = list(read_passages(Path(folder), config, "file", lambda file, row: None))
    splitter = _splitter(passages)
    for passage in passages:
        is_tokenised = passage.document.endswith(TOKENISED)
        if is_tokenised:
            yield from sentences_by_line(passage.text, None)
        else:
            yield from sentences(passage.text, splitter)


def _splitter(passages: Sequence[Passage]) -> Splitter:
    sample = PunktSample()
    for passage in passages:
        sample.add(hash_of(passage.text), passage.text)
    return Splitter(sample.trained())


if __name__ == "__main__":
    main()
