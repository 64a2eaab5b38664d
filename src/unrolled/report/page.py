"""The report: one page, one file, nothing fetched from anywhere.

Whatever comes from a corpus is text until the template prints it, and the template escapes all that
it prints; only the figures, which hold no corpus text, are let through as they are. That is the one
place for it.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jinja2
import yaml
from markupsafe import Markup

from unrolled.config.sweep import depth_limit
from unrolled.model.cells import CELLS
from unrolled.report.agreement import Curve, curves
from unrolled.report.flow import Flow
from unrolled.report.proofs import fault_rows, gradient_rows, learned_rows
from unrolled.report.runs import (
    RunResult,
    Setting,
    best_run,
    best_setting,
    by_setting,
    cell_title,
    run_results,
)

Row = Mapping[str, str]

_FOLDER = Path(__file__).parent
_NEARLY_ALL = 0.99
"""The cosine of a truncated gradient that has nearly the direction of the full one."""

_SHOWN_STEPS = 5
"""Time steps of the drawn network; more would not fit a page."""


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
        figures: SVG text by name.
        flows: how gradients travel in each run, by its name.
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
    figures: Mapping[str, str]
    flows: Mapping[str, Flow]
    entropy: Mapping[str, Any] | None = None
    agreement: Sequence[Row] = ()
    beside: Mapping[str, str | None] = field(default_factory=dict)


def render(material: Material) -> str:
    """The page as HTML."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": _number,
        "whole": _whole,
        "percent": _percent,
        "cell": cell_title,
        "error": _error,
    }
    runs = run_results(material.summary)
    settings = by_setting(runs)
    run = best_run(runs)
    of_agreement = curves(material.agreement)
    return environment.get_template("page.html").render(
        material=material,
        css=Markup((_FOLDER / "page.css").read_text(encoding="utf-8")),
        figures={name: Markup(svg) for name, svg in material.figures.items()},
        gradient_rows=gradient_rows(material.gradients),
        fault_rows=fault_rows(material.gradients),
        learned_rows=learned_rows(material.overfitting),
        runs=runs,
        settings=settings,
        best=best_setting(settings),
        best_run=run,
        states=_counted(runs),
        baseline=_test_perplexities(material),
        spread=_largest_spread(settings),
        network=_network(material, run),
        travel=_travel(material.flows[run.name], run) if run else None,
        curves=of_agreement,
        shown_distances=_shown_distances(of_agreement),
        floor=_floor(material),
        guessing_loss=math.log(material.profile["vocabulary_size"]),
        config_text=yaml.safe_dump(dict(material.config), sort_keys=False, allow_unicode=True),
    )


def _test_perplexities(material: Material) -> dict[str, float]:
    """Of the baselines."""
    return {
        row["model"]: float(row["perplexity"])
        for row in material.baselines
        if row["split"] == "test"
    }


def _floor(material: Material) -> dict[str, float]:
    """The least possible loss by split; empty where no grammar tells it."""
    return {
        row["split"]: float(row["loss_nats_per_token"])
        for row in material.baselines
        if row["model"] == "grammar"
    }


def _shown_distances(found: Sequence[Curve]) -> list[int]:
    """Those of the agreement's distances that find room in a table: none, and the powers of two."""
    distances = sorted({distance for curve in found for distance in curve.losses})
    return [distance for distance in distances if distance.bit_count() < 2]


def _counted(runs: Sequence[RunResult]) -> dict[str, int]:
    """How many runs ended in each state."""
    states = [run.state for run in runs]
    return {state: states.count(state) for state in dict.fromkeys(states)}


def _largest_spread(settings: Sequence[Setting]) -> float:
    """The widest range of perplexity over the seeds of one setting."""
    ranges = [
        setting.perplexities[-1] - setting.perplexities[0]
        for setting in settings
        if len(setting.perplexities) > 1
    ]
    return max(ranges, default=0.0)


def _network(material: Material, run: RunResult | None) -> dict[str, Any]:
    """What the drawing of the unrolled network shows: the words of a sample, sizes and depth."""
    settings = run.settings if run else run_results(material.summary)[0].settings
    samples = material.samples.get(run.name, []) if run else []
    tokens = samples[0]["tokens"].split(" ") if samples else ["…"] * _SHOWN_STEPS
    words = ["SENTENCE_START", *tokens, "SENTENCE_END"][: _SHOWN_STEPS + 1]
    depth = settings["truncation_depth"]
    last = len(words) - 2
    reach = last if depth == "full" else min(int(depth), last)
    return {
        "read": words[:-1],
        "predicted": words[1:],
        "cell": settings["cell"],
        "bias": settings.get("bias") == "true",
        "tied": settings.get("tied_weights") == "true",
        "classes": _class_sizes(material) if settings.get("output") == "classes" else None,
        "start": "segment" if settings.get("carry_state") == "true" else "sentence",
        "blocks": CELLS[settings["cell"]].BLOCKS,
        "hidden_size": int(settings["hidden_size"]),
        "depth": depth,
        "first_reached": last - reach,
    }


def _travel(flow: Flow, run: RunResult) -> dict[str, Any]:
    """What is said of the way back through a run's network.

    Where training truncated, the cosine is that of what it saw; otherwise that of the least
    truncation that would have changed next to nothing.
    """
    own = depth_limit(run.settings["truncation_depth"])
    depth = flow.first_depth_from(_NEARLY_ALL) if own is None else own
    return {
        "outputs": max((int(row["outputs"]) for row in flow.arrival), default=0),
        "tenth_gone_to": flow.first_lag_below(0.1),
        "furthest": max(flow.shares, default=0),
        "truncated": own is not None,
        "depth": depth,
        "cosine": None if depth is None else flow.cosine_by_depth.get(depth),
        "saturated": flow.saturated_shares,
    }


def _class_sizes(material: Material) -> dict[str, int]:
    """How many classes there are, those of one word included, and how many words share one."""
    assert material.classes is not None  # as some run goes by them
    sizes = material.classes["sizes"]
    return {"count": material.classes["words_alone"] + len(sizes), "inside": sum(sizes)}


def _number(value: float | str | None, digits: int = 1) -> str:
    """A number for reading: thousands parted, a fixed count of decimals; a dash for none."""
    if value is None or value == "":
        return "–"
    if math.isnan(float(value)):
        return "no number"
    return f"{float(value):,.{digits}f}".replace("-", "−")


def _error(value: float | str) -> str:
    """The size of an error, to a digit or two."""
    number = float(value)
    return f"{number:.1e}" if math.isfinite(number) else "no number"


def _whole(value: float | str | None) -> str:
    return _number(value, 0)


def _percent(value: float | str | None) -> str:
    return "–" if value is None or value == "" else f"{100 * float(value):.1f} %"
