"""Large arrays that are used again and again.

A fresh array of some megabytes is paid for page by page at its first use. Training spends a sixth
of its time on that where the logits are allocated anew for each batch, and with word classes up to
half of it where memory that is freed after a batch goes back to the system.
"""

import math
from typing import Any

import numpy as np

from unrolled.model.types import Array

GIVEN_BACK = 2**25 - 2**16
"""Just below the size, 32 MB, beyond which glibc learns nothing from what is given back."""


class Workspace:
    """Arrays by name, allocated once and handed out again; their content is whatever was left."""

    def __init__(self) -> None:
        self._kept: dict[str, Array] = {}
        # glibc's allocator sees a block of this size given back, and from then on keeps smaller
        # ones for the next time; the block itself is never touched and takes no memory
        np.empty(GIVEN_BACK, dtype=np.uint8)

    def array(self, name: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
        """An array of a shape; what was handed out under the same name before is overwritten."""
        size = math.prod(shape)
        kept = self._kept.get(name)
        if kept is None or kept.size < size or kept.dtype != dtype:
            kept = self._kept[name] = np.empty(size, dtype=dtype)
        return kept[:size].reshape(shape)
