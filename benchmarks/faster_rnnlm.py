"""The speed of faster-rnnlm, a C++ program that trains recurrent language models.

Its output layer is a hierarchical softmax: a word is found by one decision after the other down a
Huffman tree, some ten for a word instead of a look at all words. It makes a step of gradient
descent for each sentence.

The program reads text, so that the sentences are written to a file, many times over, since it shows
its speed once in 50,000 words. What it shows leaves out its start and its look at validation text.
It is asked for one epoch, on one thread.

The program and how to compile it: https://github.com/yandex/faster-rnnlm
"""

import math
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from settings import Setting
from unrolled.text.vocabulary import END

NAME = "faster-rnnlm"

TOKENS = 200_000
"""How many a measurement goes through at least: three or four looks at the speed."""

_SPEED = re.compile(r"([0-9.]+) Kwords/sec")

_ONE_EPOCH = ("-stop", "1000", "-retry", "0")
"""It ends after as many epochs, and one more, as did not lower the entropy a thousandfold."""


def throughput(binary: Path, setting: Setting) -> Callable[[], float]:
    """Tokens a second, measured anew at each call; the ends of sentences are tokens."""

    def measure() -> float:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            write_text(folder, setting)
            done = subprocess.run(
                command(binary, folder, setting), capture_output=True, text=True, check=False
            )
        return shown_speed(done.stderr)

    return measure


def write_text(folder: Path, setting: Setting) -> None:
    """Write the vocabulary as the program keeps it, the training text and a line to validate with.

    Without a vocabulary it would take that of the text, which is too short to have all words.
    """
    counts = np.maximum(1, setting.prediction_counts.round().astype(int)).tolist()
    words = ["</s>" if word == END else f"w{word}" for word in range(setting.vocabulary_size)]
    ranked = sorted(range(len(words)), key=lambda word: (word != END, -counts[word]))
    sentences = [ids for batch in setting.batches() for ids in batch]
    lines = [" ".join(f"w{word}" for word in ids[1:-1]) for ids in sentences]
    tokens = sum(line.count(" ") + 2 for line in lines)
    text = "".join(f"{line}\n" for line in lines)
    vocabulary = "".join(f"{words[word]} {counts[word]}\n" for word in ranked)
    (folder / "model").write_text(vocabulary, encoding="utf-8")
    (folder / "train.txt").write_text(text * math.ceil(TOKENS / tokens), encoding="utf-8")
    (folder / "valid.txt").write_text(f"{lines[0]}\n", encoding="utf-8")


def command(binary: Path, folder: Path, setting: Setting) -> list[str | Path]:
    """How the program is called.

    At a truncation depth it cuts sentences into blocks of one step more: no gradient goes back
    further than the depth, most less far. A depth of 0 means full depth to it.

    Raises:
        ValueError: the setting is one of another cell or of depth 0.
    """
    if setting.cell != "elman" or setting.truncation_depth == 0:
        raise ValueError("measured for Elman networks, and a truncation depth of 1 or more")
    return [
        *(binary, "-rnnlm", folder / "model"),
        *("-train", folder / "train.txt", "-valid", folder / "valid.txt"),
        *("-hidden", str(setting.hidden_size), "-hidden-type", "tanh"),
        *("-bptt", str(setting.truncation_depth or 0), "-bptt-skip", "1"),
        *("-threads", "1", *_ONE_EPOCH),
    ]


def shown_speed(output: str) -> float:
    """Words a second, by the last look at the speed that the program has shown."""
    found = _SPEED.findall(output)
    if not found:
        sys.exit(f"{NAME} has shown no speed, but said: {output.strip()}")
    return 1000 * float(found[-1])
