"""How far training has come through the training split."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from unrolled.model.types import Array


@dataclass
class Place:
    """A place in the training split.

    Attributes:
        epoch: how many times the whole split has been seen.
        batches: how many batches have been seen since.
        order: the state of the generator before the order of the epoch was drawn.
        loss: in nats, summed over all that was predicted since the evaluation before.
        tokens: how many predictions these were.
        states: those after the last batch, where states go on from batch to batch.
    """

    epoch: int = 0
    batches: int = 0
    order: Mapping[str, Any] = field(default_factory=dict)
    loss: float = 0.0
    tokens: int = 0
    states: Array | None = None

    def add(self, loss: float, tokens: int) -> None:
        """A further batch."""
        self.batches += 1
        self.loss += loss
        self.tokens += tokens

    def mean_loss_since_last_look(self) -> float:
        """In nats per prediction; from here on others are counted."""
        mean = self.loss / self.tokens
        self.loss, self.tokens = 0.0, 0
        return mean

    def values(self) -> dict[str, Any]:
        """All but the states, as `Place` takes them."""
        return {name: value for name, value in vars(self).items() if name != "states"}
