"""Put several experiments on one page."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from unrolled.report.drawing import write_picture
from unrolled.report.figures.side_by_side import side_by_side_picture
from unrolled.report.page.side_by_side import Experiment, render_side_by_side
from unrolled.report.pictures import read_picture
from unrolled.storage import read_json, read_tsv, write_text


def run(
    configs: Sequence[Mapping[str, Any]],
    results: Sequence[Path | str],
    figures: Path | str,
    page: Path | str,
) -> None:
    """Write the picture `side_by_side` and the page that it stands on.

    Args:
        configs: the resolved configuration of each experiment.
        results: the folder of each one's results.
        figures: the folder where the picture goes.
        page: to write.
    """
    experiments = [
        _experiment(config, Path(folder)) for config, folder in zip(configs, results, strict=True)
    ]
    picture = side_by_side_picture(
        {experiment.name: experiment.settings for experiment in experiments},
        {experiment.name: experiment.test_perplexities["bigram"] for experiment in experiments},
    )
    write_picture(Path(figures), picture)
    together = read_picture(Path(figures), picture.name)
    write_text(page, render_side_by_side(experiments, together))


def _experiment(config: Mapping[str, Any], folder: Path) -> Experiment:
    return Experiment(
        config=config,
        profile=read_json(folder / "corpus/profile.json"),
        summary=read_tsv(folder / "summary.tsv"),
        baselines=read_tsv(folder / "corpus/baselines.tsv"),
        wall=read_tsv(folder / "portraits/wall.tsv"),
        perplexity=read_picture(folder / "figures", "perplexity"),
    )
