"""Large arrays that are used again and again.

A fresh array of some megabytes is paid for page by page at its first use. Training spends a sixth
of its time on that where the logits are allocated anew for each batch.
"""

import math
from typing import Any

import numpy as np

from unrolled.model.types import Array


class Workspace:
    """Arrays by name, allocated once and handed out again; their content is whatever was left."""

    def __init__(self) -> None:
        self._kept: dict[str, Array] = {}

    def array(self, name: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
        """An array of a shape; what was handed out under the same name before is overwritten."""
        size = math.prod(shape)
        kept = self._kept.get(name)
        if kept is None or kept.size < size or kept.dtype != dtype:
            kept = self._kept[name] = np.empty(size, dtype=dtype)
        return kept[:size].reshape(shape)
