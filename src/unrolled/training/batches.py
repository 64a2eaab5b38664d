"""Minibatches of sentences in a new random order each epoch."""

from collections.abc import Iterator

import numpy as np

from unrolled.model.packing import PackedBatch, pack
from unrolled.text.dataset import Dataset

EVALUATION_BATCH = 64
"""Sentences whose hidden states are held at once while a split is scored."""


def shuffled_batches(
    dataset: Dataset, batch_size: int, rng: np.random.Generator
) -> Iterator[PackedBatch]:
    """Every sentence once, `batch_size` of them at a time, fewer in the last batch."""
    order = rng.permutation(len(dataset))
    for start in range(0, len(order), batch_size):
        yield pack([dataset[index] for index in order[start : start + batch_size]])


def ordered_batches(dataset: Dataset, batch_size: int = EVALUATION_BATCH) -> Iterator[PackedBatch]:
    """Every sentence once, in the order of the dataset."""
    for start in range(0, len(dataset), batch_size):
        stop = min(start + batch_size, len(dataset))
        yield pack([dataset[index] for index in range(start, stop)])
