"""What the report is written from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from unrolled.report.pictures import DrawnPicture

Row = Mapping[str, str]


@dataclass(frozen=True)
class Material:
    """All that the report is written from.

    Attributes:
        experiment: its name.
        config: the resolved configuration.
        provenance: of the corpus.
        profile: of the corpus.
        summary: its rows.
        baselines: rows of model, split, loss and perplexity.
        gradients: the checks of them.
        overfitting: the checks by two sentences that were learned by heart.
        initial_losses: the checks of untrained networks.
        classes: `words_alone`, the `sizes` of the other word classes and the rows of the `telling`
            ones; None where no run goes by classes.
        samples: rows by run.
        own_sentences: rows by run; empty if none were asked for.
        own_words: likewise.
        timing: of each run, by its name.
        versions: what the figures were made with.
        pictures: as they were drawn, by name.
        surprisal: how much each word of some sentences surprised the best and the worst run.
        wall: sentences of the best run by epoch and temperature.
        units: what hidden units of the best run do over sentences.
        neighbours: the nearest neighbours of words in the best run.
        entropy: of the grammar that the text was drawn from; None where there is none.
        agreement: rows of all experiments, this one first; empty where no words agree.
        beside: what each experiment beside this one is for, by its name; None where that says
            nothing.
    """

    experiment: str
    config: Mapping[str, Any]
    provenance: Mapping[str, Any]
    profile: Mapping[str, Any]
    summary: Sequence[Row]
    baselines: Sequence[Row]
    gradients: Sequence[Mapping[str, Any]]
    overfitting: Sequence[Mapping[str, Any]]
    initial_losses: Sequence[Mapping[str, Any]]
    classes: Mapping[str, Any] | None
    samples: Mapping[str, Sequence[Row]]
    own_sentences: Mapping[str, Sequence[Row]]
    own_words: Mapping[str, Sequence[Row]]
    timing: Mapping[str, Row]
    versions: Mapping[str, Any]
    pictures: Mapping[str, DrawnPicture]
    surprisal: Sequence[Row]
    wall: Sequence[Row]
    units: Sequence[Row]
    neighbours: Sequence[Row]
    entropy: Mapping[str, Any] | None = None
    agreement: Sequence[Row] = ()
    beside: Mapping[str, str | None] = field(default_factory=dict)
