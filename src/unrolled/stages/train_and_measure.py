"""A run from its first step to all that is known of it, in a folder that is whole or missing."""

import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from unrolled.config.sections import (
    GradientFlowConfig,
    ModelConfig,
    SamplingConfig,
    TrainingConfig,
)
from unrolled.errors import StoppedError
from unrolled.stages import agreement, evaluate, gradient_flow, sample, score, train
from unrolled.stages.inventory import write_checksums
from unrolled.stages.job import teller
from unrolled.stages.keeping import Keeping, held, state_folder
from unrolled.storage import Cell, new_folder, read_tsv, write_tsv

STEPS = ["step", "seconds"]
"""The columns of steps.tsv."""

RESULTS = ".results-"
"""What the name of the folder begins with in which outputs are made, within that of the state: no
name of a run, so that it is never too long.
"""


@dataclass(frozen=True)
class Measures:
    """What is measured of a run once it is trained, beside its loss on the test split.

    Attributes:
        sampling: how sentences are drawn.
        gradient_flow: what the travel of gradients is measured on.
        from_grammar: whether the corpus has floor.tsv and agreement.tsv.
        own_sentences: the file of the user's sentences to be scored; None for none.
    """

    sampling: SamplingConfig
    gradient_flow: GradientFlowConfig
    from_grammar: bool = False
    own_sentences: Path | str | None = None


def measures(settings: Mapping[str, Any]) -> Measures:
    """What is to be measured, from the values of `Measures` by name, its sections as mappings."""
    sampling = SamplingConfig(**settings["sampling"])
    gradient_flow = GradientFlowConfig(**settings["gradient_flow"])
    return Measures(**{**settings, "sampling": sampling, "gradient_flow": gradient_flow})


def run(
    name: str,
    model: ModelConfig,
    training: TrainingConfig,
    tokens: Mapping[str, Any],
    to_measure: Measures,
    corpus: Path | str,
    folder: Path | str,
    log: TextIO,
    keeping: Keeping,
) -> None:
    """Train a run, measure it, and write all that comes of it: what `train` writes, evaluation.tsv,
    samples.tsv, flow/, with a grammar agreement.tsv, with own sentences own_sentences.tsv and
    own_words.tsv, in steps.tsv how long each of these has taken, and checksums.tsv of them all.

    A run whose training is done is not trained again for being measured anew, as long as its last
    checkpoint is there.

    Args:
        name: the run's name.
        model: the network's shape.
        training: the recipe.
        tokens: what a token is.
        to_measure: what is measured.
        corpus: the folder of the corpus.
        folder: where all goes, once all is there.
        log: as `train.run` takes it.
        keeping: what is kept beside it, so that training can go on after a kill.

    Raises:
        StoppedError: a signal has asked to stop; the run goes on from there at the next call.
        DataError: the file of the user's sentences cannot be read, or something of the corpus.
    """
    corpus, folder = Path(corpus), Path(folder)
    with (
        held(keeping, state_folder(folder), teller(name, log)) as state,
        _new_outputs(folder, state.folder) as new,
    ):
        train.run(name, model, training, tokens, corpus, new, log, state)
        (timing,) = read_tsv(new / "timing.tsv")
        taken: list[dict[str, Cell]] = [{"step": "train", "seconds": timing["seconds"]}]
        for step, measure in _measures(to_measure, model, training, corpus, new):
            if state.is_asked_to_stop():
                raise StoppedError("stopped after training; the next call goes on from there")
            began = time.perf_counter()
            measure()
            taken.append({"step": step, "seconds": round(time.perf_counter() - began, 3)})
        write_tsv(new / "steps.tsv", STEPS, taken)
        write_checksums(new)


def _new_outputs(folder: Path, state: Path) -> AbstractContextManager[Path]:
    """The folder of the outputs, to be filled; what a kill has left of earlier ones goes.

    It is made where nobody but the holder of the lock writes.
    """
    for leftover in state.glob(f"{RESULTS}*"):
        shutil.rmtree(leftover)
    return new_folder(folder, state / RESULTS, has_forced_files=True)


def _measures(
    to_measure: Measures, model: ModelConfig, training: TrainingConfig, corpus: Path, folder: Path
) -> Iterator[tuple[str, Callable[[], None]]]:
    """What is measured of the run in a folder, by name."""
    floor = corpus / "floor.tsv" if to_measure.from_grammar else None
    yield "evaluate", lambda: evaluate.run(folder, corpus, floor, folder / "evaluation.tsv")
    yield "sample", lambda: sample.run(to_measure.sampling, folder, folder / "samples.tsv")
    yield (
        "gradient_flow",
        lambda: gradient_flow.run(
            to_measure.gradient_flow, model, training, folder, corpus, folder / "flow"
        ),
    )
    if to_measure.from_grammar:
        yield "agreement", lambda: agreement.run(folder, corpus, folder / "agreement.tsv")
    if own := to_measure.own_sentences:
        by_sentence, by_word = folder / "own_sentences.tsv", folder / "own_words.tsv"
        yield "score", lambda: score.run(own, folder, by_sentence, by_word)
