"""A page of the report in a real browser: how it is opened, and what is measured in it."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Playwright

WIDE, NARROW = 1280, 380
"""Pixels across a window beside which there is room, and across a phone."""

PAPER = 718
"""Pixels across a sheet of A4 between the margins that browsers leave: 190 mm of 96 to an inch."""

THEMES = ("light", "dark")

INSTALL = "needs Chromium, on Debian: apt-get install chromium"

_NAMES = ("chromium", "chromium-browser", "google-chrome")

_HEIGHT = 900

_PATIENCE = 10_000
"""Milliseconds until what does not come is given up; all that is asked for is in the page."""

_MEASURES = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")

_REPORT_VIOLATIONS = """
addEventListener("securitypolicyviolation", event =>
  console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`));
"""


def browser_path() -> str | None:
    """Of the system's Chromium; None where there is none."""
    return next((path for name in _NAMES if (path := shutil.which(name))), None)


def launch(playwright: Playwright, path: str) -> Browser:
    """A browser without a window; the sandbox wants rights that containers do not give."""
    return playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])


@dataclass(frozen=True)
class Visit:
    """An open page, and what it has asked for and complained of since.

    Attributes:
        page: as it is.
        requests: addresses.
        complaints: messages of the console, errors of scripts, and what the page's policy refused.
    """

    page: Page
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def show(self, width: int, theme: str = "light", media: str = "screen") -> None:
        """Another window, theme or medium; the page goes back to its top."""
        self.page.set_viewport_size({"width": width, "height": _HEIGHT})
        self.page.emulate_media(
            media="print" if media == "print" else "screen",
            color_scheme="dark" if theme == "dark" else "light",
        )
        self.page.evaluate("scrollTo(0, 0)")

    def measure(self, function: str) -> Any:
        """What a function of browser.js finds; the page's policy does not reach it."""
        return self.page.evaluate(f"() => {{ {_MEASURES}\nreturn {function}(); }}")

    def axe_violations(self) -> list[str]:
        """What axe finds wrong: its rule, and the first element that breaks it.

        Axe is handed over as measurements are, past the page, so that the policy stays as it is.
        """
        found = Axe().run(self.page).response
        assert found["passes"], "axe has looked at nothing"
        return [f"{rule['id']}: {rule['nodes'][0]['html'][:200]}" for rule in found["violations"]]


@contextmanager
def visit(browser: Browser, file: Path, *, touch: bool = False) -> Iterator[Visit]:
    """The page of a file, in a window of its own.

    Args:
        browser: that opens it.
        file: the page.
        touch: whether the window is touched, not pointed at.
    """
    context = browser.new_context(
        viewport={"width": WIDE, "height": _HEIGHT}, color_scheme="light", has_touch=touch
    )
    context.set_default_timeout(_PATIENCE)
    context.add_init_script(_REPORT_VIOLATIONS)
    seen = Visit(context.new_page())
    seen.page.on("request", lambda request: seen.requests.append(request.url))
    seen.page.on("console", lambda message: seen.complaints.append(message.text))
    seen.page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    seen.page.goto(file.as_uri())
    try:
        yield seen
    finally:
        context.close()
