"""What is drawn and said of the unrolled network."""

from collections.abc import Sequence
from typing import Any

from unrolled.config.sweep import depth_limit
from unrolled.model.cells import CELLS
from unrolled.report.page.material import Material
from unrolled.report.runs import RunResult, run_results

_SHOWN_STEPS = {"wide": 5, "narrow": 3}
"""Time steps of the drawn network; more would not fit a page."""

_STEP = {"wide": 165, "narrow": 108}
"""Pixels from one to the next."""


def network(material: Material, run: RunResult | None) -> dict[str, Any]:
    """What the drawings of the unrolled network show: the words of a sample, sizes and depth."""
    settings = run.settings if run else run_results(material.summary)[0].settings
    samples = material.samples.get(run.name, []) if run else []
    tokens = samples[0]["tokens"].split(" ") if samples else ["…"] * max(_SHOWN_STEPS.values())
    words = ["SENTENCE_START", *tokens, "SENTENCE_END"]
    depth = settings["truncation_depth"]
    return {
        "cell": settings["cell"],
        "bias": settings.get("bias") == "true",
        "tied": settings.get("tied_weights") == "true",
        "classes": _class_sizes(material) if settings.get("output") == "classes" else None,
        "start": "segment" if settings.get("carry_state") == "true" else "sentence",
        "blocks": CELLS[settings["cell"]].BLOCKS,
        "hidden_size": int(settings["hidden_size"]),
        "depth": depth,
        "drawings": [
            {
                "id": f"network-{width}",
                "width": width,
                "step": _STEP[width],
                **_drawing(words[: steps + 1], depth),
            }
            for width, steps in _SHOWN_STEPS.items()
        ],
    }


def _drawing(words: Sequence[str], depth: str) -> dict[str, Any]:
    """The steps between these words, and the first one that the last loss reaches."""
    last = len(words) - 2
    limit = depth_limit(depth)
    reach = last if limit is None else min(limit, last)
    return {"read": words[:-1], "predicted": words[1:], "first_reached": last - reach}


def _class_sizes(material: Material) -> dict[str, int]:
    """How many classes there are, those of one word included, and how many words share one."""
    assert material.classes is not None  # as some run goes by them
    sizes = material.classes["sizes"]
    return {"count": material.classes["words_alone"] + len(sizes), "inside": sum(sizes)}
