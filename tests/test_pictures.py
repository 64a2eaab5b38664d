"""A picture from its drawing to the page: what is written, what is read, and other names for it."""

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from page_reading import Page
from report_material import SUMMARY
from unrolled.errors import DataError
from unrolled.report.drawing import Picture, new_figure, write_picture
from unrolled.report.figures import perplexity_picture
from unrolled.report.pictures import SUFFIXES, DrawnPicture, Table, read_picture
from unrolled.report.runs import by_setting, run_results
from unrolled.storage import Cell, read_tsv

NAMES = st.from_regex(r"[a-z0-9][a-z0-9_-]*", fullmatch=True)
"""As experiments are named."""


def picture(name: str = "perplexity") -> Picture:
    """A picture with clipped, hatched and repeated parts, which refer to each other."""
    return replace(perplexity_picture(by_setting(run_results(SUMMARY))), name=name)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the picture was written."""
    folder = tmp_path_factory.mktemp("figures")
    write_picture(folder, picture())
    return folder


@pytest.fixture(scope="module")
def drawn(written: Path) -> DrawnPicture:
    """The picture as it is read."""
    return read_picture(written, "perplexity")


def _ids(svg: str) -> list[str]:
    return Page(svg).ids


def _references(svg: str) -> set[str]:
    """The ids that parts of a drawing name."""
    addresses = Page(svg).addresses
    assert all(address.startswith("#") for address in addresses)
    return {address[1:] for address in addresses}


# Written


def test_a_picture_is_two_drawings_a_table_and_a_sentence(written: Path) -> None:
    files = {path.name for path in written.iterdir()}

    assert files == {f"perplexity{suffix}" for suffix in SUFFIXES}
    assert (written / "perplexity.txt").read_text() == f"{picture().takeaway}\n"
    assert len(read_tsv(written / "perplexity.tsv")) == len(picture().table.rows)


def test_a_picture_is_drawn_at_both_widths(tmp_path: Path) -> None:
    write_picture(tmp_path, replace(picture(), draw=lambda width: new_figure(width, 1, "empty")))

    # 8.4 and 3.6 inches of 72 points
    for suffix, width in ((".svg", 604.8), (".narrow.svg", 259.2)):
        root = ET.parse(tmp_path / f"perplexity{suffix}").getroot()
        assert float(root.attrib["width"].removesuffix("pt")) == pytest.approx(width)


def test_a_picture_is_written_with_the_same_bytes_again(written: Path, tmp_path: Path) -> None:
    write_picture(tmp_path, picture())

    for path in written.iterdir():
        assert (tmp_path / path.name).read_bytes() == path.read_bytes()


def test_ids_of_both_drawings_begin_with_the_name_and_never_meet(drawn: DrawnPicture) -> None:
    wide, narrow = _ids(drawn.wide), _ids(drawn.narrow)

    assert len({*wide, *narrow}) == len(wide) + len(narrow)
    assert all(name.startswith("perplexity-narrow-") for name in narrow)
    assert all(name.startswith("perplexity-") for name in wide)
    assert not any(name.startswith("perplexity-narrow-") for name in wide)


def test_references_stay_within_their_drawing(drawn: DrawnPicture) -> None:
    for svg in (drawn.wide, drawn.narrow):
        assert _references(svg)
        assert _references(svg) <= set(_ids(svg))


def test_a_table_is_written_as_it_is_read(tmp_path: Path) -> None:
    rows: list[dict[str, Cell]] = [
        {"word": "a\tb", "count": 3, "share": 0.1},
        {"word": "", "count": 0, "share": None},
    ]

    Table(["word", "count", "share"], rows).write(tmp_path / "a.tsv")

    assert read_tsv(tmp_path / "a.tsv") == [
        {"word": "a\tb", "count": "3", "share": "0.1"},
        {"word": "", "count": "0", "share": ""},
    ]


# Read


def test_a_picture_is_read_as_it_was_written(written: Path, drawn: DrawnPicture) -> None:
    assert (drawn.name, drawn.takeaway) == ("perplexity", picture().takeaway)
    assert drawn.rows == read_tsv(written / "perplexity.tsv")
    for svg, suffix in ((drawn.wide, ".svg"), (drawn.narrow, ".narrow.svg")):
        # without what only a file of its own needs, so that it can stand in a page
        assert svg.startswith("<svg ")
        assert (written / f"perplexity{suffix}").read_text(encoding="utf-8").endswith(svg)
        ET.fromstring(svg)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_file_that_is_missing_is_named(written: Path, tmp_path: Path, suffix: str) -> None:
    for path in written.iterdir():
        if path.name != f"perplexity{suffix}":
            (tmp_path / path.name).write_bytes(path.read_bytes())

    with pytest.raises(DataError, match=rf"perplexity{re.escape(suffix)} cannot be read"):
        read_picture(tmp_path, "perplexity")


@pytest.mark.parametrize("suffix", [".svg", ".narrow.svg"])
def test_a_file_without_a_drawing_is_named(written: Path, tmp_path: Path, suffix: str) -> None:
    for path in written.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / f"perplexity{suffix}").write_text("<?xml ")

    with pytest.raises(DataError, match=rf"perplexity{re.escape(suffix)} must hold an SVG drawing"):
        read_picture(tmp_path, "perplexity")


# By other names


@given(NAMES)
def test_a_renamed_picture_is_the_same_with_ids_that_begin_with_its_name(name: str) -> None:
    svg = '<svg><g id="a-b"/><path id="a-narrow-c"/><use xlink:href="#a-b" clip="url(#a-c)"/></svg>'

    renamed = DrawnPicture("a", svg, svg, "It falls.", [{"run": "a"}]).renamed(name)

    expected = (
        f'<svg><g id="{name}-b"/><path id="{name}-narrow-c"/>'
        f'<use xlink:href="#{name}-b" clip="url(#{name}-c)"/></svg>'
    )
    assert renamed == DrawnPicture(name, expected, expected, "It falls.", [{"run": "a"}])


def test_a_new_name_changes_no_words_and_no_ids_of_others() -> None:
    svg = '<svg aria-label="a-b"><g id="aa-b"/><g id="b-a-c"/><text>a-b #a-b</text></svg>'

    assert DrawnPicture("a", svg, svg, "", []).renamed("c").wide == svg


@pytest.mark.parametrize("name", ["default-perplexity", "24-perplexity", "perplexity-perplexity"])
def test_every_reference_of_a_renamed_picture_finds_its_part(
    drawn: DrawnPicture, name: str
) -> None:
    renamed = drawn.renamed(name)

    for svg, before in ((renamed.wide, drawn.wide), (renamed.narrow, drawn.narrow)):
        assert _references(svg) <= set(_ids(svg))
        assert _ids(svg) == [one.replace("perplexity", name, 1) for one in _ids(before)]
        assert re.sub(rf"{name}-", "perplexity-", svg) == before


def test_a_picture_stands_beside_its_like_without_an_id_twice(drawn: DrawnPicture) -> None:
    alike = [drawn, *map(drawn.renamed, ("a-perplexity", "aa-perplexity", "1-perplexity"))]

    ids = [name for one in alike for svg in (one.wide, one.narrow) for name in _ids(svg)]

    assert len(ids) == len(set(ids))
