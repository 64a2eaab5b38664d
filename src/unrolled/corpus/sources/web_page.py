"""Web pages, such as for logging in or paying, that servers send instead of a file."""

import html
import re
from textwrap import shorten

BEGINNING_SIZE = 1 << 12
"""Bytes of an answer in which the title of a web page is looked for."""


def web_page(beginning: bytes, content_type: str) -> str | None:
    """What is to be said of an answer that is not the file but a web page; None if it is none.

    Args:
        beginning: its first bytes, BEGINNING_SIZE of them or fewer.
        content_type: what its header says of it; empty without one.
    """
    text = beginning.decode("utf-8", errors="replace")
    is_page = re.match(r"[\ufeff\s]*<(!doctype\s+html|html)\b", text, re.IGNORECASE)
    if not is_page and not content_type.lower().startswith("text/html"):
        return None
    title = re.search(r"<title\b[^>]*>(.*?)</title", text, re.IGNORECASE | re.DOTALL)
    named = f" ({shorten(html.unescape(title[1]), 100)!r})" if title else ""
    return f"answers with a web page{named} instead of the file"
