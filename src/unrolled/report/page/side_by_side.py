"""Several experiments on one page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from unrolled.analysis.wall import TEMPERATURES
from unrolled.report.baselines import of_test
from unrolled.report.page.frame import environment, frame
from unrolled.report.page.material import Row
from unrolled.report.pictures import DrawnPicture
from unrolled.report.runs import Setting, best_run, best_setting, by_setting, run_results
from unrolled.text.readable import readable

_TEMPERATURE = str(TEMPERATURES[1])
"""That of the samples, neither bold nor timid."""


@dataclass(frozen=True)
class Experiment:
    """What the page shows of one experiment.

    Attributes:
        config: its resolved configuration.
        profile: of its corpus.
        summary: its rows.
        baselines: rows of model, split, loss and perplexity.
        wall: sentences of its best run by epoch and temperature.
        perplexity: its heat map.
    """

    config: Mapping[str, Any]
    profile: Mapping[str, Any]
    summary: Sequence[Row]
    baselines: Sequence[Row]
    wall: Sequence[Row]
    perplexity: DrawnPicture

    @property
    def name(self) -> str:
        """Of the folder of its results."""
        return str(self.config["experiment"])

    @property
    def settings(self) -> list[Setting]:
        """With their runs."""
        return by_setting(run_results(self.summary))

    @property
    def test_perplexities(self) -> dict[str, float]:
        """Of the baselines."""
        return of_test(self.baselines, "perplexity")


def render_side_by_side(experiments: Sequence[Experiment], together: DrawnPicture) -> str:
    """The page as HTML.

    Args:
        experiments: to show, in order.
        together: the picture of all of them.
    """
    template = environment().get_template("side_by_side.html")
    return template.render(
        **frame(),
        together=together,
        experiments=[_shown(experiment) for experiment in experiments],
        differing=differing_keys([experiment.config for experiment in experiments]),
    )


def differing_keys(configs: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """The keys that are not the same in all configurations, with their values in each."""
    flat = [_flat(config) for config in configs]
    keys = dict.fromkeys(key for values in flat for key in values)
    found = {key: [values.get(key, "") for values in flat] for key in keys}
    not_told = {"experiment", "about", "beside", "missing_runs"}
    return {
        key: values for key, values in found.items() if key not in not_told and len(set(values)) > 1
    }


def _flat(config: Mapping[str, Any], above: str = "") -> dict[str, str]:
    values: dict[str, str] = {}
    for key, value in config.items():
        if isinstance(value, Mapping):
            values |= _flat(value, f"{above}{key}.")
        else:
            values[above + key] = _told(value)
    return values


def _told(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if value is None:
        return "none"
    return str(value) if not isinstance(value, bool) else "yes" if value else "no"  # 1 is not True


def _shown(experiment: Experiment) -> dict[str, Any]:
    settings = experiment.settings
    runs = [run for setting in settings for run in setting.runs]
    best = best_setting(settings)
    last = experiment.wall[-1]["epoch"] if experiment.wall else None
    return {
        "name": experiment.name,
        "about": experiment.config["about"],
        "train": experiment.profile["splits"]["train"],
        "vocabulary_size": experiment.profile["vocabulary_size"],
        "settings": len(settings),
        "runs": len(runs),
        "finished": sum(run.finished for run in runs),
        "best": best,
        "best_run": best_run(runs),
        "digits": 1 if best and best.mean_perplexity >= 10 else 2,
        "baseline": experiment.test_perplexities,
        "perplexity": experiment.perplexity.renamed(f"{experiment.name}-perplexity"),
        "samples": [
            {
                "text": readable(row["tokens"].split(" "), experiment.config["text"]["unit"]),
                "is_cut": row["ended"] == "cut",
            }
            for row in experiment.wall
            if row["epoch"] == last and row["temperature"] == _TEMPERATURE
        ],
        "temperature": _TEMPERATURE,
    }
