"""How tests read a page of the report."""

import html
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

ADDRESSES = {"href", "xlink:href", "src", "srcset", "action", "formaction", "data", "poster"}
"""Attributes by which a page leads, or loads, from elsewhere."""

VOID = {"meta", "input", "link", "br", "img"}
"""Elements without an end."""


@dataclass
class Page(HTMLParser):
    """A page as a browser takes it in.

    Attributes:
        page: its HTML.
        ids: of its elements, in order.
        references: ids that other elements name, by what is described, labelled or controlled.
        addresses: to which it leads, or from which it would load.
        tags: of all elements, in order.
        script: what would be run.
        isolated: the text of each element that keeps the direction of writing to itself.
        loose: the text outside of these and of drawings.
        open: the elements that the reader is in.
    """

    page: str
    ids: list[str] = field(default_factory=list)
    references: list[str] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    script: str = ""
    isolated: list[str] = field(default_factory=list)
    loose: str = ""
    open: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep what the attributes say."""
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)
        if tag == "bdi":
            self.isolated.append("")
        for name, value in attrs:
            said = value or ""
            if name == "id":
                self.ids.append(said)
            elif name in {"aria-labelledby", "aria-describedby", "aria-controls"}:
                self.references += said.split()
            elif name in ADDRESSES:
                self.addresses.append(said)
            self.addresses += re.findall(r"url\(([^)]*)\)", said)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element without content."""
        self.handle_starttag(tag, attrs)
        self.open = self.open[: -1 if tag not in VOID else None]

    def handle_endtag(self, tag: str) -> None:
        """Leave the element, which must be the innermost one."""
        assert self.open.pop() == tag, tag

    def handle_data(self, data: str) -> None:
        """Keep the text by what it stands in."""
        if "script" in self.open:
            self.script += data
        elif "style" in self.open:
            self.addresses += re.findall(r"url\(([^)]*)\)", data)
        elif "bdi" in self.open:
            self.isolated[-1] += data
        elif "svg" not in self.open:
            self.loose += data


def text(page: str) -> str:
    """What a reader sees of a page or a part of one, white space evened out."""
    body = page.partition("<body>")[2].partition("<script>")[0] or page
    seen = re.sub(r"<[^>]+>", "", body.replace("<br>", " "))
    return " ".join(html.unescape(seen).split())


def section(page: str, name: str) -> str:
    """What stands in a section of a page, after its heading."""
    start = page.index(f'<h2 id="{name}">')
    return page[page.index("</h2>", start) + 5 : page.index("</section>", start)]


def table(page: str, first_column: str) -> list[list[str]]:
    """The rows of the first table whose first column has this name, its names first, as seen."""
    start = page.rindex("<table", 0, page.index(f">{first_column}</th>"))
    rows = page[start : page.index("</table>", start)].split("<tr")[1:]
    return [
        [text(cell) for cell in re.findall(r"<t[dh]\b[^>]*>(.*?)</t[dh]>", row, re.DOTALL)]
        for row in rows
    ]


def marked(page: str, mark: str) -> list[str]:
    """What is shown as good or as bad, in the order of the page."""
    found = re.findall(rf'<(?:td|strong|p) class="[^"]*\b{mark}\b[^"]*"[^>]*>(.*?)</', page)
    return [text(one) for one in found]
