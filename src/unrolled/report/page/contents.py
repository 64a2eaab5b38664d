"""The sections of the page, and which of them have something to show."""

from dataclasses import dataclass
from typing import Any

from unrolled.report.agreement import curves
from unrolled.report.page.material import Material


@dataclass(frozen=True)
class Section:
    """A part of the page; `sections/` has a file of its id."""

    id: str
    title: str
    """In the list of contents."""
    heading: str


TEXT = Section("text", "Text", "The text")
CLASSES = Section("classes", "Word classes", "The word classes")
NETWORK = Section("network", "Network", "The network")
PROOF = Section("proof", "Proof", "The proof")
TRAINING = Section("training", "Training", "Training")
GRADIENTS = Section("gradients", "Gradients", "How gradients travel")
RESULTS = Section("results", "Results", "Results")
AGREEMENT = Section("agreement", "Agreement", "Agreement over distances")
SURPRISE = Section("surprise", "Surprise", "What surprised it")
INSIDE = Section("inside", "Inside", "Inside the network")
SAMPLES = Section("samples", "Samples", "What it writes")
SENTENCES = Section("sentences", "Your sentences", "Your sentences")
BESIDE = Section("beside", "Beside it", "Beside this experiment")
TIME = Section("time", "Time", "Where the time went")
MADE = Section("made", "What was run", "What was run")

PICTURES_OF_WORDS = {section.id: section for section in (CLASSES, PROOF, SURPRISE, INSIDE, SAMPLES)}
"""The sections whose pictures are HTML, which are pages of their own as well."""


def sections(material: Material, any_finished: bool) -> list[Section]:
    """Those that have something to show, in the order of the data's way."""
    shown: dict[Section, Any] = {
        TEXT: True,
        CLASSES: material.classes,
        NETWORK: True,
        PROOF: True,
        TRAINING: True,
        GRADIENTS: True,
        RESULTS: True,
        AGREEMENT: curves(material.agreement),
        SURPRISE: material.surprisal,
        INSIDE: material.units,
        SAMPLES: any_finished,
        SENTENCES: any_finished and material.own_sentences,
        BESIDE: material.beside,
        TIME: True,
        MADE: True,
    }
    return [section for section, has_something in shown.items() if has_something]
