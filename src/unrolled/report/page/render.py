"""From material to HTML."""

import math
from collections.abc import Sequence
from typing import Any

import yaml

from unrolled.report.agreement import Curve, curves
from unrolled.report.baselines import floor, of_test
from unrolled.report.comparison import METHOD, noise_note
from unrolled.report.page import portraits
from unrolled.report.page.contents import Section, sections
from unrolled.report.page.frame import environment, frame
from unrolled.report.page.material import Material
from unrolled.report.page.network import network
from unrolled.report.proofs import fault_rows, gradient_rows, learned_rows
from unrolled.report.runs import (
    BEST,
    best_run,
    best_setting,
    by_setting,
    count_states,
    run_results,
)


def render(material: Material) -> str:
    """The page as HTML."""
    return environment().get_template("page.html").render(_context(material))


def render_section(material: Material, section: Section) -> str:
    """One section as a page of its own."""
    return environment().get_template("section.html").render(_context(material), section=section)


def _context(material: Material) -> dict[str, Any]:
    """All that the templates know."""
    runs = run_results(material.summary)
    settings = by_setting(runs)
    best, run = best_setting(settings), best_run(runs)
    of_agreement = curves(material.agreement)
    return {
        **frame(),
        "material": material,
        "sections": sections(material, best is not None),
        "gradient_rows": gradient_rows(material.gradients),
        "fault_rows": fault_rows(material.gradients),
        "learned_rows": learned_rows(material.overfitting),
        "runs": runs,
        "settings": settings,
        "best": best,
        "bits": math.log2(best.mean_perplexity) if best else None,
        "best_run": run,
        "rule_of_best": BEST,
        "method_of_comparison": METHOD,
        "noise": noise_note(settings),
        "digits": 1 if best and best.mean_perplexity >= 10 else 2,
        "states": count_states(runs),
        "baseline": of_test(material.baselines, "perplexity"),
        "network": network(material, run),
        "curves": of_agreement,
        "shown_distances": _shown_distances(of_agreement),
        "floor": floor(material.baselines),
        "guessing_loss": math.log(material.profile["vocabulary_size"]),
        "surprise": portraits.surprise(material.surprisal),
        "wall": portraits.wall(material.wall, material.config["text"]["unit"]),
        "units": portraits.units(material.units),
        "neighbours": portraits.neighbours(material.neighbours),
        "config_text": yaml.safe_dump(dict(material.config), sort_keys=False, allow_unicode=True),
    }


def _shown_distances(found: Sequence[Curve]) -> list[int]:
    """Those of the agreement's distances that find room in a table: none, and the powers of two."""
    distances = sorted({distance for curve in found for distance in curve.losses})
    return [distance for distance in distances if distance.bit_count() < 2]
