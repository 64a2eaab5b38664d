"""Paths that a user names and the workflow reads."""

import re

from unrolled.errors import ConfigError

_PLACEHOLDER = re.compile(r"\{\s*[.\w]+\s*[,}]|<[a-z][a-z0-9_]*>")
"""What rules of the workflow put something else in the place of: `{run}`, `<corpus>`.

Source: Snakemake 9, WILDCARD_REGEX and PATHVAR_REGEX in its code.
"""


def require_literal(key: str, path: str) -> None:
    """Return only if the workflow reads a path as it is written.

    Args:
        key: of the configuration, for the message.
        path: where a file lies.

    Raises:
        ConfigError: something in it stands for something else.
    """
    if _PLACEHOLDER.search(path):
        raise ConfigError(
            f"{key} must lead to a file whose path has no name in braces or angle brackets, which"
            f" stands for something else there; rename it (got {path!r})"
        )
