"""Headings as WikiText has them: a title between as many marks as it is deep.

The benchmark's files part the marks by spaces, ` = = Early life = = `; Wikipedia itself does not,
`== Early life ==`. Both are read.

Source: Merity et al., Pointer Sentinel Mixture Models (2017), whose files these are.
"""

import re

# A title has no mark in it: a line such as ` = 2 x = 3 = ` is more likely mathematics.
HEADING = re.compile(r"\s*(=(?: ?=)*) ([^=]*[^=\s][^=]*) (=(?: ?=)*)\s*")


def heading_level(line: str) -> int:
    """1 for the title of an article, 2 and more for its sections, 0 for what is no heading."""
    match = HEADING.fullmatch(line)
    if match is None:
        return 0
    level = match[1].count("=")
    return level if match[3].count("=") == level else 0
