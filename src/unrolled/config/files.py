"""Read a configuration file more strictly than YAML asks for.

YAML lets the last of two equal keys win, and Snakemake runs Python found under `__use_yte__`. Both
lose or hide what the user meant, so both are refused here, with the line.
"""

import copy
import functools
from pathlib import Path
from typing import Any

import yaml

from unrolled.errors import ConfigError
from unrolled.storage import read_text


class _StrictLoader(yaml.SafeLoader):
    """Plain YAML values only, each key once.

    All is judged as it is written, before mappings are merged: keys may stand twice by right after.
    """

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]  # missing in the stubs
        if tag := getattr(event, "tag", None):
            raise _error(event.start_mark, f"the tag {tag} is not allowed; write plain values")
        return super().compose_node(parent, index)

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise _error(key.start_mark, "a key must be a plain value")
            if key.value in seen:
                raise _error(key.start_mark, f"the key '{key.value}' stands twice; remove one")
            if key.value == "__use_yte__":
                raise _error(key.start_mark, "__use_yte__ would run code; write plain values")
            seen.add(key.value)
        return node

    def construct_yaml_timestamp(self, node: yaml.ScalarNode) -> Any:
        raise _error(node.start_mark, f"{node.value} reads as a date; put it in quotes")


_StrictLoader.add_constructor("tag:yaml.org,2002:timestamp", _StrictLoader.construct_yaml_timestamp)


def read_config_file(path: Path | str) -> dict[str, Any]:
    """The mapping that a configuration file holds; empty for an empty file.

    Raises:
        ConfigError: not YAML, a key that stands twice, a tag such as `!!python/object`, a date,
            `__use_yte__`, or no mapping at the top; the message names the file and, where there is
            one, the line.
        DataError: the file is missing or is not UTF-8.
    """
    return copy.deepcopy(_mapping(str(path), read_text(path)))


@functools.cache
def _mapping(name: str, text: str) -> dict[str, Any]:
    """What a file of this name and text holds; once, since PyYAML is slow and schemas are long."""
    try:
        loader = _StrictLoader(text)
        loader.name = name
        content = loader.get_single_data()
    except yaml.MarkedYAMLError as error:
        raise _error(error.problem_mark, str(error.problem)) from None
    except (yaml.YAMLError, ValueError) as error:  # a character, or a number, that is none
        raise ConfigError(f"{name}: {' '.join(str(error).split())}") from None
    if not isinstance(content, dict | None):
        raise ConfigError(f"{name} must hold keys and values (got {content!r})")
    return content or {}


def _error(mark: yaml.Mark | None, problem: str) -> ConfigError:
    return ConfigError(f"{mark.name}, line {mark.line + 1}: {problem}" if mark else problem)
