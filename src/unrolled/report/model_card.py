"""A model card: what a trained model is, what it was made from, and what it must not be used for.

Much of it comes from outside: a licence, a path, an experiment's own words. It is text until the
template prints it, and all that the template prints goes through `escaped`; only what is marked as
`Plain` is let through as it is. That is the one place for it.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2

from unrolled.config import sweep
from unrolled.report.numbers import number, percent, whole
from unrolled.report.runs import (
    BEST,
    RunResult,
    Setting,
    best_run,
    by_setting,
    cell_title,
    count_states,
)

Row = Mapping[str, str]

SPLITS = {"train": "training", "valid": "validation", "test": "test"}
BASELINES = {
    "bigram": "pairs of words (bigram)",
    "unigram": "single words (unigram)",
    "uniform": "guessing (uniform)",
    "grammar": "the grammar itself, the least possible",
}
OUTPUTS = {
    "softmax": "a softmax over all words",
    "classes": "a softmax over word classes, followed by one over the words of a class",
}

_FOLDER = Path(__file__).parent
_MARKUP = re.compile(r"[\\`*_\[\]{}~|#!@]|:(?=//)|(?<=www)\.", re.IGNORECASE)
"""What a backslash must stand before; the last two would make links of bare addresses."""

_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
"""A backslash before these means nothing to some readers of Markdown."""

_ARRAY = re.compile(r"\b[a-z]+_(?:weights|bias|projection|class|position)\b|\bbias\b")
"""The arrays of a model file, as its formula names them."""


@dataclass(frozen=True)
class Trained:
    """What lies in the folder of a finished run.

    Attributes:
        model: its config.json.
        made_with: its provenance.json.
        sentence: the words of one that it wrote, for the examples.
    """

    model: Mapping[str, Any]
    made_with: Mapping[str, Any]
    sentence: Sequence[str]


@dataclass(frozen=True)
class CardMaterial:
    """All that a card is written from.

    Attributes:
        cell: whose card it is.
        config: the resolved configuration.
        provenance: of the corpus.
        profile: of the corpus.
        baselines: rows of model, split, loss and perplexity.
        runs: all those of the cell.
        trained: of the best of them; None if none finished.
        entropy: of the grammar that the text was drawn from; None where there is none.
    """

    cell: str
    config: Mapping[str, Any]
    provenance: Mapping[str, Any]
    profile: Mapping[str, Any]
    baselines: Sequence[Row]
    runs: Sequence[RunResult]
    trained: Trained | None
    entropy: Mapping[str, Any] | None = None


class Plain(str):
    """Markdown that is meant as such."""


def render_card(material: CardMaterial) -> str:
    """The card as Markdown; the paths in it begin in the folder where snakemake is called."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER),
        finalize=_printed,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "number": number,
        "whole": whole,
        "percent": percent,
        "code": _code,
        "literal": _literal,
    }
    return environment.get_template("model_card.md.jinja").render(
        material=material,
        cell=cell_title(material.cell),
        states=count_states(material.runs),
        best_rule=BEST,
        folder=f"results/{material.config['experiment']}",
        splits=SPLITS,
        outputs=OUTPUTS,
        **_of_run(material),
    )


def escaped(text: str) -> str:
    """A text that Markdown shows letter by letter, within a line that it does not begin.

    Any white space becomes one space, so that nothing begins a line; what cannot be seen, such as a
    character that turns the direction of writing, becomes the replacement character.
    """
    line = re.sub(r"\s+", " ", text)
    shown = "".join(character if character.isprintable() else "\ufffd" for character in line)
    return _MARKUP.sub(r"\\\g<0>", shown).translate(_ENTITIES)


def _of_run(material: CardMaterial) -> dict[str, Any]:
    """What only the card of a finished run has; `run` is None without one."""
    run, trained = best_run(material.runs), material.trained
    if run is None or trained is None:
        return {"run": None}
    return {
        "run": run,
        "setting": _setting_of(run, material.runs),
        "depth": sweep.depth_limit(run.settings["truncation_depth"]),
        "carries": bool(trained.model["carry_state"]),
        "rows": _baseline_rows(material.baselines),
        "checks": _checks(material.config, run),
        "trained": trained,
        "arrays": [Plain(name) for name in dict.fromkeys(_ARRAY.findall(trained.model["formula"]))],
        "step": [Plain(line) for line in step_in_python(trained.model["formula"])],
        "states_at_zero": Plain(" = ".join(carried_states(trained.model["formula"]))),
    }


def step_in_python(formula: str) -> list[str]:
    """The step of a model's formula as statements of Python that change the states in place.

    `s_t` and `s_{t-1}` are both `s`, which is right as each statement sees the states that the ones
    before it have made.
    """
    *statements, _start, _output = formula.split("; ")
    at_once = (re.sub(r"_\{t-1\}|_t\b", "", statement) for statement in statements)
    return [re.sub(r"\b(tanh|split)\(", r"np.\1(", statement) for statement in at_once]


def carried_states(formula: str) -> list[str]:
    """The names of what a formula's step takes over from the step before, each once."""
    return sorted(set(re.findall(r"(\w+)_\{t-1\}", formula)))


def _setting_of(run: RunResult, runs: Sequence[RunResult]) -> Setting:
    """The setting that a run is one seed of."""
    return next(setting for setting in by_setting(runs) if run in setting.runs)


def _baseline_rows(baselines: Sequence[Row]) -> list[dict[str, Any]]:
    """The baselines on the test split, the best first, in words."""
    rows = [
        {
            "model": row["model"],
            "title": BASELINES[row["model"]],
            "loss": float(row["loss_nats_per_token"]),
            "perplexity": float(row["perplexity"]),
        }
        for row in baselines
        if row["split"] == "test"
    ]
    return sorted(rows, key=lambda row: row["loss"])


def _checks(config: Mapping[str, Any], run: RunResult) -> dict[str, str]:
    """What a run has waited for: what was proved, by the name of the check's file."""
    network = next(point.network for point in sweep.runs(config) if point.name == run.name)
    at_depth = f"{run.settings['cell']}-depth{run.settings['truncation_depth']}"
    return {
        f"gradient-{at_depth}": "the gradients of the cell at this depth agree with two numeric"
        " derivatives, and every fault that was planted in a copy was caught",
        f"overfitting-{at_depth}": "the cell learns two sentences by heart at this depth",
        f"initial_loss-{network}": "before training, a network of this shape knows nothing:"
        " it loses what guessing loses",
    }


def _printed(value: Any) -> str:
    """What the template prints of a value."""
    return value if isinstance(value, Plain) else escaped(str(value))


def _code(text: str) -> Plain:
    """A name or a path as code, within a line."""
    return Plain("`" + " ".join(text.split()).replace("`", "'") + "`")


def _literal(value: str | list[str]) -> Plain:
    """Texts as Python writes them, on one line and with nothing in it that cannot be seen."""
    return Plain(repr(value))
