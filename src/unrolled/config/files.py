"""Read a configuration file more strictly than YAML asks for.

YAML lets the last of two equal keys win, and Snakemake runs Python found under `__use_yte__`. Both
lose or hide what the user meant, so both are refused here, with the line.
"""

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from unrolled.errors import ConfigError
from unrolled.storage import read_text


class _StrictLoader(yaml.SafeLoader):
    """Plain YAML values only, each key once."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":
                continue
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise _error(key_node.start_mark, f"the key '{key}' stands twice; remove one")
            if key == "__use_yte__":
                raise _error(key_node.start_mark, "__use_yte__ would run code; write plain values")
            seen.add(key)
        return super().construct_mapping(node, deep)


def read_config_file(path: Path | str) -> dict[str, Any]:
    """The mapping that a configuration file holds; empty for an empty file.

    Raises:
        ConfigError: not YAML, a key that stands twice, a tag such as `!!python/object`,
        `__use_yte__`, or no
            mapping at the top; the message names file and line.
    """
    loader = _StrictLoader(read_text(path))
    loader.name = str(path)
    try:
        content = loader.get_single_data()
    except yaml.MarkedYAMLError as error:
        raise _error(error.problem_mark, str(error.problem)) from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: {' '.join(str(error).split())}") from None
    finally:
        loader.dispose()
    if not isinstance(content, dict | None):
        raise ConfigError(f"{path} must hold keys and values (got {content!r})")
    return content or {}


def _error(mark: yaml.Mark | None, problem: str) -> ConfigError:
    return ConfigError(f"{mark.name}, line {mark.line + 1}: {problem}" if mark else problem)
