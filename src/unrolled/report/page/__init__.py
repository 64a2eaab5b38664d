"""The report: one page, one file, nothing fetched from anywhere.

`page.html` is its frame and `sections/` what stands in it, in the order of the data's way.
"""

from unrolled.report.page.contents import PICTURES_OF_WORDS
from unrolled.report.page.material import Material
from unrolled.report.page.render import render, render_section

__all__ = ["PICTURES_OF_WORDS", "Material", "render", "render_section"]
