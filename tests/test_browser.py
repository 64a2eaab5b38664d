"""The report in a real browser: nothing is asked for, nothing is cut off, all can be read."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from browser import INSTALL, NARROW, PAPER, THEMES, WIDE, Visit, browser_path, launch, visit
from browser_pages import ALL, HOSTILE, LETTERS, MANY, PAGES, write_pages

pytestmark = pytest.mark.skipif(browser_path() is None, reason=INSTALL)

WIDTHS = (WIDE, NARROW)

SWEEPS = ("all of it", "hostile", "one missing", "all diverged", "one run", "many")

LOOKS = ((NARROW, "light"), (WIDE, "dark"), (WIDE, "light"), (NARROW, "dark"))

WITH_DRAWINGS = (*SWEEPS, "section proof", "side by side")

LEAST_CONTRAST = 4.5
"""Of text to its ground.

Source: WCAG 2.2, success criterion 1.4.3.
"""

LEAST_PIXELS = 9
"""What is written smaller is not read on a phone."""

BEYOND = 2
"""Pixels by which texts may reach beyond a drawing, which shows them all the same: browsers round
letters to other widths than matplotlib.
"""

COLUMNS = {
    "Best epoch": "best_epoch",
    "Validation loss": "validation_loss_nats_per_token",
    "Test loss": "test_loss_nats_per_token",
    "Test perplexity": "test_perplexity",
    "Above the least possible": "excess_nats_per_token",
    "Next word right": "next_word_accuracy",
}
"""The columns of numbers in the table of runs, and those of the summary that they show."""

Open = Callable[[str], Visit]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One for all tests of this file."""
    with sync_playwright() as playwright:
        browser = launch(playwright, str(browser_path()))
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Those of all pages, by name."""
    files = write_pages(tmp_path_factory.mktemp("pages"))
    assert set(files) == set(PAGES)
    return files


@pytest.fixture(scope="module")
def opened(browser: Browser, files: dict[str, Path]) -> Iterator[Open]:
    """Opens a page by its name, and all that can be opened in it: once, for tests that look."""
    with ExitStack() as stack:

        @cache
        def open_once(name: str) -> Visit:
            seen = stack.enter_context(visit(browser, files[name]))
            seen.measure("openDetails")
            return seen

        yield open_once


@pytest.fixture
def whole(browser: Browser, files: dict[str, Path]) -> Iterator[Visit]:
    """The page of all sections, as it comes: for tests that do something to it."""
    with visit(browser, files["all of it"]) as seen:
        yield seen


@pytest.mark.parametrize("name", PAGES)
def test_a_page_asks_for_nothing_but_itself_and_complains_of_nothing(
    name: str, opened: Open, files: dict[str, Path]
) -> None:
    seen = opened(name)

    assert seen.requests == [files[name].as_uri()]
    assert seen.complaints == []


def test_what_a_page_must_not_do_is_noticed(browser: Browser, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(
        "<meta http-equiv='Content-Security-Policy' content=\"img-src 'self'; style-src 'none'\">"
        "<style>b { color: red }</style><img src='other.png'>"
        "<script>console.log('told'); throw new Error('broken')</script>"
    )

    with visit(browser, page) as seen:
        assert seen.requests == [page.as_uri(), page.with_name("other.png").as_uri()]
        assert "told" in seen.complaints
        assert any("broken" in complaint for complaint in seen.complaints)
        assert any("policy: style-src" in complaint for complaint in seen.complaints)


def test_it_opens_with_the_answer_and_the_contents_name_every_section(whole: Visit) -> None:
    page = whole.page

    assert "The best of 12 settings, Elman, 5 hidden units, depth 0" in _text(page, ".answer")
    assert page.locator("nav a").all_inner_texts() == [
        "Text",
        "Word classes",
        "Network",
        "Proof",
        "Training",
        "Gradients",
        "Results",
        "Agreement",
        "Surprise",
        "Inside",
        "Samples",
        "Your sentences",
        "Beside it",
        "Time",
        "What was run",
    ]


@pytest.mark.parametrize("name", [*SWEEPS, "side by side"])
def test_each_line_of_the_contents_leads_to_a_heading_in_its_order(name: str, opened: Open) -> None:
    page = opened(name).page
    links = page.locator("nav a").evaluate_all("links => links.map(link => link.hash)")
    headings = page.locator("main h2").evaluate_all("all => all.map(one => `#${one.id}`)")

    assert len(links) >= 5
    assert links == headings


@pytest.mark.parametrize(("name", "count"), [("all of it", 24), ("many", 300)])
def test_every_run_has_a_row(name: str, count: int, opened: Open) -> None:
    rows = opened(name).page.locator("#runs-table tbody tr")

    assert len(rows.all()) == count == len(ALL if name == "all of it" else MANY)


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_makes_a_page_wider_than_its_window(name: str, width: int, opened: Open) -> None:
    seen = opened(name)
    seen.show(width)

    found = seen.measure("wide")

    assert found["count"] > 15
    assert found["beyond"] == []
    assert found["scrollWidth"] <= width


@pytest.mark.parametrize("name", WITH_DRAWINGS)
@pytest.mark.parametrize(("width", "variant"), [(WIDE, "wide"), (NARROW, "narrow")])
def test_drawings_are_those_for_the_width_and_their_texts_are_whole_and_large_enough(
    name: str, width: int, variant: str, opened: Open
) -> None:
    seen = opened(name)
    seen.show(width)

    drawings = seen.measure("drawn")
    texts = [text for drawing in drawings for text in drawing["texts"]]

    assert drawings
    assert len(texts) > 10
    assert {drawing["variant"] for drawing in drawings} == {variant}
    assert max(drawing["width"] for drawing in drawings) <= width
    assert [text for text in texts if text["beyond"] > BEYOND] == []
    assert [text for text in texts if text["pixels"] < LEAST_PIXELS] == []


@pytest.mark.parametrize("name", WITH_DRAWINGS)
@pytest.mark.parametrize("theme", THEMES)
def test_texts_of_drawings_stand_out_from_what_is_under_them(
    name: str, theme: str, opened: Open
) -> None:
    seen = opened(name)
    seen.show(WIDE, theme)

    texts = seen.measure("contrasts")

    assert len(texts) > 10
    assert [text for text in texts if text["ratio"] < LEAST_CONTRAST] == []


@pytest.mark.parametrize("theme", THEMES)
def test_every_figure_of_the_heat_map_stands_on_its_field(theme: str, opened: Open) -> None:
    seen = opened("many")
    seen.show(WIDE, theme)

    on_fields = [text for text in seen.measure("contrasts") if text["onField"]]

    # 100 settings, of each the mean, and the range where there is room
    means = [text for text in on_fields if re.fullmatch(r"\d+\.\d+", text["text"])]
    assert len(means) >= 100


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_wrong(name: str, browser: Browser, files: dict[str, Path]) -> None:
    found = {}

    with visit(browser, files[name]) as seen:
        seen.measure("openDetails")
        assert seen.measure("shorten") > 20  # axe takes its time with each element
        for width, theme in _looks_of(name):
            seen.show(width, theme)
            found[width, theme] = seen.axe_violations()

        assert {look: wrong for look, wrong in found.items() if wrong} == {}
        assert seen.complaints == []  # so the policy was kept


def _looks_of(name: str) -> Sequence[tuple[int, str]]:
    """All of them for the page that has everything; on the others, which differ from it in little,
    they take turns.
    """
    return LOOKS if name == "all of it" else LOOKS[PAGES.index(name) % 4 :][:1]


def test_axe_finds_nothing_wrong_before_anything_is_opened(whole: Visit) -> None:
    whole.measure("shorten")

    assert whole.axe_violations() == []


def test_axe_would_have_noticed(whole: Visit) -> None:
    whole.measure("shorten")
    whole.page.evaluate("document.querySelector('.answer').style.color = '#888'")

    assert [found for found in whole.axe_violations() if found.startswith("color-contrast")]


@pytest.mark.parametrize("width", WIDTHS)
def test_the_contents_stay_in_view_and_lead_to_headings_that_they_do_not_hide(
    width: int, whole: Visit
) -> None:
    page = whole.page
    whole.show(width)

    page.get_by_role("link", name="Results", exact=True).click()

    assert page.evaluate("scrollY") > 1000
    assert page.locator("nav").evaluate("nav => nav.getBoundingClientRect().top") == 0
    assert page.locator("#results").evaluate(
        """heading => {
          const {left, top, height} = heading.getBoundingClientRect();
          return document.elementFromPoint(left + 1, top + height / 2) === heading;
        }"""
    )


@pytest.mark.parametrize("width", WIDTHS)
def test_the_numbers_of_a_picture_are_shown_when_asked_for(width: int, whole: Visit) -> None:
    whole.show(width)
    details = whole.page.locator("details.numbers").first
    assert not details.locator("table").is_visible()

    details.locator("summary").click()

    assert details.locator("table").is_visible()
    assert len(details.locator("tbody tr").all()) == 5  # as the profile has 5 ranks


def test_a_click_sorts_runs_by_number_and_another_turns_them_round(whole: Visit) -> None:
    rows = ALL

    for name, column in COLUMNS.items():
        head = whole.page.get_by_role("columnheader", name=name, exact=True)
        for reverse, direction in ((False, "ascending"), (True, "descending")):
            rows = _sorted(rows, column, reverse)
            head.get_by_role("button").click()

            assert _runs(whole) == [row["run"] for row in rows]
            assert head.get_attribute("aria-sort") == direction
            assert len(whole.page.locator("[aria-sort]").all()) == 1


@pytest.mark.parametrize("key", ["Enter", "Space"])
def test_the_keyboard_sorts_too_and_names_go_by_the_numbers_in_them(key: str, whole: Visit) -> None:
    page = whole.page
    page.get_by_role("button", name="State", exact=True).focus()
    page.keyboard.press(key)
    # d(iverged) before f(inished)
    assert _runs(whole)[:2] == ["lstm-50-full-1", "lstm-50-full-2"]

    page.keyboard.press("Shift+Tab")
    page.keyboard.press(key)

    assert _runs(whole)[:6] == [
        "elman-5-0-1",
        "elman-5-0-2",
        "elman-5-full-1",
        "elman-5-full-2",
        "elman-50-0-1",
        "elman-50-0-2",
    ]
    assert page.locator("[aria-sort]").inner_text().strip() == "Run"


def test_the_filter_shows_the_runs_that_have_every_word_asked_for(whole: Visit) -> None:
    field = whole.page.get_by_role("searchbox")
    status = whole.page.get_by_role("status")
    asked = {
        "gru": [run for run in _runs(whole) if "gru" in run],
        "FULL gru ": ["gru-5-full-1", "gru-5-full-2", "gru-50-full-1", "gru-50-full-2"],
        "nan lstm": ["lstm-50-full-1", "lstm-50-full-2"],  # of the reason, and of the name
        "gru lstm": [],
    }

    for words, runs in asked.items():
        field.fill(words)

        assert _runs(whole) == runs
        assert status.inner_text() == f"{len(runs)} of 24"

    field.fill("")

    assert len(_runs(whole)) == 24
    assert status.inner_text() == ""


@pytest.mark.parametrize("name", ["all of it", "section surprise", "hostile"])
@pytest.mark.parametrize("width", WIDTHS)
def test_guesses_are_shown_at_their_word_and_inside_the_window(
    name: str, width: int, opened: Open
) -> None:
    seen = opened(name)
    seen.show(width)

    found = seen.measure("guesses")

    assert len(found) > 40
    for guesses in found:
        assert guesses["count"] == 5
        assert guesses["width"] > 50
        assert guesses["others"] == 0
        assert guesses["left"] >= 0
        assert guesses["right"] <= width
        assert abs(guesses["below"]) < 5
        assert guesses["aside"] < 0


def test_guesses_are_shown_to_a_pointer_and_go_when_it_goes(whole: Visit) -> None:
    word = whole.page.locator(".surprise button").nth(1)
    guesses = word.get_by_role("tooltip")
    assert not guesses.is_visible()

    word.hover()
    assert guesses.is_visible()
    assert guesses.inner_text().split() == [
        *("2.60", "nats"),  # 1.3 for each place
        *("30.0", "%", "."),
        *("15.0", "%", "unforgettably"),
        *("10.0", "%", "barks"),
        *("7.5", "%", "sees"),
        *("6.0", "%", "cat"),
    ]

    whole.page.locator("h2").first.hover()
    assert not guesses.is_visible()


def test_guesses_are_shown_to_the_keyboard(whole: Visit) -> None:
    words = whole.page.locator(".surprise button")
    words.first.focus()

    whole.page.keyboard.press("Tab")

    assert not words.first.get_by_role("tooltip").is_visible()
    assert words.nth(1).get_by_role("tooltip").is_visible()


def test_guesses_are_shown_to_a_finger(browser: Browser, files: dict[str, Path]) -> None:
    with visit(browser, files["all of it"], touch=True) as seen:
        seen.show(NARROW)
        words = seen.page.locator(".surprise button")
        words.nth(1).tap()

        assert words.nth(1).get_by_role("tooltip").is_visible()


@pytest.mark.parametrize("name", PAGES)
def test_a_printed_page_has_no_contents_and_nothing_is_cut_off(name: str, opened: Open) -> None:
    seen = opened(name)
    seen.show(PAPER, media="print")

    found = seen.measure("wide")

    assert found["count"] > 15
    assert found["beyond"] == []
    assert found["scrollWidth"] <= PAPER
    assert seen.measure("scrollable") == []
    assert not seen.page.locator("nav").is_visible()
    assert {drawing["variant"] for drawing in seen.measure("drawn")} <= {"wide"}


@pytest.mark.parametrize("width", WIDTHS)
def test_hundreds_of_rows_are_looked_through_in_place_below_their_head(
    width: int, opened: Open
) -> None:
    seen = opened("many")
    seen.show(width)
    table = seen.page.locator("#runs-table")

    table.evaluate("table => table.scrollIntoView()")
    table.locator("tbody tr").last.scroll_into_view_if_needed()

    assert "DIV Every run" in seen.measure("scrollable")
    assert table.evaluate("table => table.parentElement.clientHeight <= 0.75 * innerHeight")
    assert table.locator("thead th").first.evaluate(
        """head => {
          const {left, top, height} = head.getBoundingClientRect();
          return head.contains(document.elementFromPoint(left + 5, top + height / 2));
        }"""
    )


def test_of_what_can_be_opened_only_what_is_open_is_printed_and_never_the_numbers(
    whole: Visit,
) -> None:
    whole.show(PAPER, media="print")
    summary = whole.page.locator("details:not(.numbers) > summary").first

    assert not summary.is_visible()
    whole.measure("openDetails")
    assert summary.is_visible()
    assert not whole.page.locator(".numbers").first.is_visible()
    assert not whole.page.locator(".filter").is_visible()


@pytest.mark.parametrize("name", ["hostile", "section surprise", "side by side"])
def test_hostile_text_is_shown_as_it_is_and_does_nothing(name: str, opened: Open) -> None:
    page = opened(name).page
    text = page.evaluate("document.body.textContent")

    for word in HOSTILE:
        assert word in text or word == LETTERS
    assert LETTERS[:30] in text
    assert LETTERS not in text  # which is cut
    assert page.evaluate("typeof window.harmed") == "undefined"
    assert len(page.locator("script").all()) == 1
    assert page.locator("img, b:not(.guesses > b)").all() == []
    assert page.locator("[onfocus], [onerror], [autofocus]").all() == []


@pytest.mark.parametrize("name", ["hostile", "section surprise", "side by side"])
def test_marks_that_turn_the_direction_of_writing_turn_nothing_of_the_page(
    name: str, opened: Open
) -> None:
    seen = opened(name)
    seen.show(WIDE)

    found = seen.measure("directions")

    assert found["count"] > 40
    assert found["turned"] == []


def _text(page: Any, selector: str) -> str:
    return str(page.locator(selector).first.inner_text())


def _runs(seen: Visit) -> list[str]:
    """The names in the table of runs that are in view, from the top."""
    names = seen.page.locator("#runs-table tbody tr:not([hidden]) th").all_inner_texts()
    return [name.split()[0] for name in names]


def _sorted(rows: list[dict[str, str]], column: str, reverse: bool) -> list[dict[str, str]]:
    """Rows by a number, those without at the end; equals stay in their order."""
    known = [row for row in rows if row[column]]
    unknown = [row for row in rows if not row[column]]
    return sorted(known, key=lambda row: float(row[column]), reverse=reverse) + unknown
