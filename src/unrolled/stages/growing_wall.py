"""The wall of sentences that grows while a run is trained."""

from dataclasses import dataclass, field
from typing import Any

from unrolled.analysis.wall import wall_sentences
from unrolled.config.sections import Unit
from unrolled.model.network import Network
from unrolled.storage import Cell
from unrolled.text.vocabulary import Vocabulary
from unrolled.training.loop import Evaluation

COLUMNS = ["epoch", "temperature", "sample", "tokens", "log_probability", "ended"]


@dataclass
class GrowingWall:
    """Sentences drawn from a network while it is trained.

    Attributes:
        network: what is trained.
        vocabulary: what it knows.
        unit: what a token is.
        looks: at which evaluations sentences are drawn.
        evaluations: how many there were.
        drawn: the rows of each epoch, in the order of drawing.
    """

    network: Network
    vocabulary: Vocabulary
    unit: Unit
    looks: set[int]
    evaluations: int = 0
    drawn: dict[float, list[dict[str, Cell]]] = field(default_factory=dict)

    @property
    def rows(self) -> list[dict[str, Cell]]:
        """Of all epochs."""
        return [row for rows in self.drawn.values() for row in rows]

    def memory(self) -> dict[str, Any]:
        """As `keeper.Part.memory`."""
        return {"evaluations": self.evaluations, "drawn": list(self.drawn.items())}

    def remember(self, memory: dict[str, Any]) -> None:
        """As `keeper.Part.remember`."""
        self.evaluations = memory["evaluations"]
        self.drawn = dict(memory["drawn"])

    def look(self, evaluation: Evaluation) -> None:
        """Draw sentences, if this is one of the evaluations to do so."""
        if self.evaluations in self.looks:
            self.draw(self.network, evaluation.epoch)
        self.evaluations += 1

    def draw(self, network: Network, epoch: float) -> None:
        """Draw sentences, in the place of those drawn at the same epoch before."""
        self.drawn.pop(epoch, None)  # or the epoch would keep its place, and the best not be last
        self.drawn[epoch] = [
            {
                "epoch": epoch,
                "temperature": temperature,
                "sample": number,
                "tokens": " ".join(self.vocabulary.decode(sample.ids)),
                "log_probability": sample.log_probability,
                "ended": "yes" if sample.ended else "cut",
            }
            for temperature, samples in wall_sentences(network, self.unit).items()
            for number, sample in enumerate(samples, start=1)
        ]
