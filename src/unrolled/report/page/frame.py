"""What all pages have in common: how templates are read, how pages look, what browsers may load."""

import base64
import functools
import hashlib
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from unrolled.report import numbers
from unrolled.report.page import filters
from unrolled.report.runs import cell_title

_FOLDER = Path(__file__).parent

_MOST_ROWS = 200
"""Of a table of numbers on the page; files have them all."""


@functools.cache
def environment() -> jinja2.Environment:
    """How templates of this folder are read: all that they print is escaped."""
    found = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    shown = (
        filters.words,
        filters.visible,
        filters.drawing,
        filters.unbroken,
        numbers.number,
        numbers.whole,
        numbers.percent,
        numbers.error,
        numbers.power,
        numbers.spread,
        filters.bare,
        filters.number_columns,
        filters.cell_of_table,
    )
    found.filters |= {function.__name__: function for function in shown} | {"cell": cell_title}
    return found


def frame() -> dict[str, Any]:
    """What every page has: how it looks, what it does, and what browsers may load for it."""
    script = _own("table.js")
    return {
        "style": Markup(_own("style.css")),
        "script": Markup(script),
        "policy": Markup(content_policy(script)),
        "most_rows": _MOST_ROWS,
    }


def content_policy(script: str) -> str:
    """What a browser may load for the page: nothing, and run no script but this one."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        f"default-src 'none'; script-src 'sha256-{digest}';"
        " style-src 'unsafe-inline'; img-src data:"
    )


def _own(name: str) -> str:
    """The text of a file of this folder."""
    return (_FOLDER / name).read_text(encoding="utf-8")
