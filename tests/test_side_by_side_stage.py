"""The stage that puts several experiments on one page."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from page_reading import Page, section, table, text
from report_material import BASELINES, PROFILE, SUMMARY, WALL
from unrolled.report.drawing import write_picture
from unrolled.report.figures import perplexity_picture
from unrolled.report.pictures import SUFFIXES, read_picture
from unrolled.report.runs import by_setting, run_results
from unrolled.stages import side_by_side
from unrolled.storage import read_tsv, write_json, write_tsv

Row = dict[str, str]

UNFINISHED = [
    {**row, "state": "diverged", "validation_loss_nats_per_token": "", "test_perplexity": ""}
    for row in SUMMARY
]
HALVED = [{**row, "test_perplexity": str(float(row["test_perplexity"]) / 2)} for row in SUMMARY[:2]]
"""Two seeds of one setting, with perplexities of 2.5 and 2.7."""


def experiment(
    folder: Path, name: str, summary: Sequence[Row] = SUMMARY, wall: Sequence[Row] = WALL
) -> Path:
    """The folder of a finished experiment's results."""
    write_json(folder / name / "corpus/profile.json", PROFILE)
    write_tsv(folder / name / "corpus/baselines.tsv", list(BASELINES[0]), BASELINES)
    write_tsv(folder / name / "summary.tsv", list(summary[0]), summary)
    write_tsv(folder / name / "portraits/wall.tsv", list(WALL[0]), wall)
    picture = perplexity_picture(by_setting(run_results(summary)))
    write_picture(folder / name / "figures", picture)
    return folder / name


def configured(name: str, **more: Any) -> dict[str, Any]:
    """The resolved configuration of an experiment."""
    return {
        "experiment": name,
        "about": None,
        "beside": [],
        "corpus": {"source": "path"},
        "text": {"unit": "word"},
        "training": {"epochs": 3, "shuffle": True},
        **more,
    }


def written(folder: Path, configs: Sequence[dict[str, Any]], together: Path | None = None) -> str:
    """Writes the page and the picture of experiments below a folder, and gives the page back.

    Args:
        folder: where the results of the experiments lie.
        configs: of the experiments.
        together: the folder to write into, beside the experiments where it is not given.
    """
    together = together or folder / "together"
    side_by_side.run(
        configs,
        [folder / config["experiment"] for config in configs],
        together / "figures",
        together / "side_by_side.html",
    )
    return (together / "side_by_side.html").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Pair:
    """Two experiments with the same results, near and far, and their page; they are only read.

    Attributes:
        folder: where the results lie, and in `together` page and picture of both.
        configs: of the two.
        page: as it is written.
    """

    folder: Path
    configs: Sequence[dict[str, Any]]
    page: str


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    folder = tmp_path_factory.mktemp("pair")
    for name in ("near", "far"):
        experiment(folder, name)
    configs = [configured("near"), configured("far")]
    return Pair(folder, configs, written(folder, configs))


def test_a_page_and_a_picture_with_all_its_files_are_written_and_nothing_else(pair: Pair) -> None:
    together = pair.folder / "together"

    files = {path.relative_to(together) for path in together.rglob("*")}
    assert {path.as_posix() for path in files} == {
        "side_by_side.html",
        "figures",
        *(f"figures/side_by_side{suffix}" for suffix in SUFFIXES),
    }


def test_each_experiment_is_held_against_the_bigrams_of_its_own_test_split(tmp_path: Path) -> None:
    experiment(tmp_path, "near")
    far = experiment(tmp_path, "far", HALVED)
    baselines = [{**row, "perplexity": str(float(row["perplexity"]) / 2)} for row in BASELINES]
    write_tsv(far / "corpus/baselines.tsv", list(baselines[0]), baselines)

    written(tmp_path, [configured("near"), configured("far")])

    rows = read_tsv(tmp_path / "together/figures/side_by_side.tsv")
    found = [(row["experiment"], row["setting"]) for row in rows]
    shallow, whole = (f"Elman, 5 hidden units, {depth}" for depth in ("depth 0", "full depth"))
    assert found == [("near", shallow), ("near", whole), ("far", shallow)]
    # means of 5.2, and of 2.6 for half of it; bigrams reach 6.05 in the test split, and half of it
    shares = [float(row["share_of_bigram"]) for row in rows]
    assert shares == pytest.approx([5.2 / 6.05] * 3)


def test_the_page_shows_the_picture_of_all_and_the_heat_map_of_each(pair: Pair) -> None:
    together = read_picture(pair.folder / "together/figures", "side_by_side")
    heat_map = read_picture(pair.folder / "near/figures", "perplexity")

    for drawing in (together.wide, together.narrow):
        assert drawing in section(pair.page, "results")
    for name in ("near", "far"):
        of_it = heat_map.renamed(f"{name}-perplexity")
        assert of_it.wide in pair.page
        assert of_it.narrow in pair.page


@pytest.mark.parametrize("names", [["results", "differences"], ["a", "a-b"]])
def test_no_id_stands_twice_and_every_link_within_the_page_leads_somewhere(
    tmp_path: Path, names: list[str]
) -> None:
    for name in names:
        experiment(tmp_path, name)

    page = Page(written(tmp_path, [configured(name) for name in names]))

    assert len(page.ids) == len(set(page.ids))
    leading = {address[1:] for address in page.addresses if address.startswith("#")}
    assert {*leading, *page.references} <= set(page.ids)


def test_the_page_loads_nothing_and_leads_to_the_reports_of_the_experiments(pair: Pair) -> None:
    addresses = Page(pair.page).addresses

    elsewhere = {address for address in addresses if not address.startswith("#")}
    assert elsewhere == {"../near/report.html", "../far/report.html"}


def test_experiments_are_compared_in_a_table_in_their_order(tmp_path: Path) -> None:
    experiment(tmp_path, "near")
    experiment(tmp_path, "far", UNFINISHED, wall=[])

    page = written(tmp_path, [configured("far"), configured("near")])

    header, *rows = table(page, "Experiment")
    far, near = (dict(zip(header, row, strict=True)) for row in rows)
    assert far["Experiment"] == "far no run finished"
    assert near["Experiment"] == "near Elman, 5 hidden units, full depth"
    assert (far["Runs finished"], near["Runs finished"]) == ("0 of 5", "4 of 5")
    assert (far["Best setting"], near["Best setting"]) == ("–", "5.20")
    assert (near["Single words"], near["Pairs of words"]) == ("7.39", "6.05")
    assert (near["Least possible"], near["Words known"]) == ("–", "10")


def test_what_the_best_run_wrote_last_is_shown_as_text_with_what_the_experiment_is_for(
    tmp_path: Path,
) -> None:
    last = {**WALL[-2], "tokens": "<b>the</b> cat", "epoch": "7.0"}
    experiment(tmp_path, "near", wall=[*WALL, last])
    experiment(tmp_path, "far", UNFINISHED, wall=[])

    page = written(tmp_path, [configured("near", about="To <i>try</i> it."), configured("far")])

    assert "<bdi>To &lt;i&gt;try&lt;/i&gt; it.</bdi>" in page
    assert "<bdi>&lt;b&gt;the&lt;/b&gt; cat</bdi>" in page
    assert page.count('<ol class="samples">') == 1
    assert "b1 writes:" in text(page)
    assert WALL[0]["tokens"] not in page


def test_the_same_experiments_give_the_same_bytes_again(pair: Pair, tmp_path: Path) -> None:
    written(pair.folder, pair.configs, tmp_path)

    first, again = (
        {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.*")}
        for folder in (pair.folder / "together", tmp_path)
    )
    assert len(first) == 1 + len(SUFFIXES)
    assert first == again


def test_every_experiment_needs_a_folder(pair: Pair, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="shorter"):
        side_by_side.run(pair.configs, [pair.folder / "near"], tmp_path, tmp_path / "page.html")


def test_differences_are_a_table_and_where_there_are_none_the_page_says_so(
    pair: Pair, tmp_path: Path
) -> None:
    other = [pair.configs[0], configured("far", training={"epochs": 9, "shuffle": True})]

    page = written(pair.folder, other, tmp_path)

    assert "Their configurations are the same." in pair.page
    assert table(page, "Key") == [["Key", "near", "far"], ["training.epochs", "3", "9"]]
    assert "configurations are the same" not in page
