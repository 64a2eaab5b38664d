"""Hold a configuration against its schema and say in one line what is wrong.

In the schema the annotation `must_be` tells what would be right; it becomes the message.
"""

import difflib
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml
from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import extend

from unrolled.errors import ConfigError


def _is_whole(_: object, value: object) -> bool:
    """JSON Schema takes 2.0 for an integer; `range` does not."""
    return isinstance(value, int) and not isinstance(value, bool)


def _pattern(_: object, pattern: str, value: object, __: object) -> Iterator[ValidationError]:
    """JSON Schema's `$` is the end of a text; Python's also stands before a last line feed."""
    if isinstance(value, str) and not re.search(pattern.replace("$", r"\Z"), value):
        yield ValidationError(f"{value!r} does not match {pattern!r}")


_Validator: Any = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator,
    validators={"pattern": _pattern},
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine("integer", _is_whole),
)


def validate(config: Mapping[str, Any], schema: Mapping[str, Any]) -> None:
    """Return if the configuration fits the schema.

    Raises:
        ConfigError: the first misfit in the order of the keys' names: its key, what was found, what
            would be right; for an unknown key the nearest known one.
    """
    for path, value in _leaves(config):
        if isinstance(value, float) and not math.isfinite(value):
            raise ConfigError(f"{path} must be a finite number (got {value})")
    errors = _Validator(schema).iter_errors(config)
    first = min(errors, key=lambda error: list(map(str, error.absolute_path)), default=None)
    if first is not None:
        raise ConfigError(_message(first))


def key_path(parts: Iterator[str | int] | list[str | int]) -> str:
    """A key as it is written in messages: `sweep.truncation_depth[2]`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    return text.removeprefix(".")


def _leaves(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Every scalar of the configuration with its key."""
    if isinstance(value, Mapping):
        children: Any = value.items()
    elif isinstance(value, list):
        children = enumerate(value)
    else:
        yield key_path(list(path)), value
        return
    for part, child in children:
        yield from _leaves(child, (*path, part))


def _message(error: ValidationError) -> str:
    schema: Any = error.schema
    instance: Any = error.instance
    path = key_path(list(error.absolute_path))
    if error.validator == "additionalProperties":
        return _unknown_key(path, error)
    if error.validator == "required":
        keys: Any = error.validator_value
        missing = next(key for key in keys if key not in instance)
        return f"{key_path([path, missing] if path else [missing])} is missing"
    requirement = schema.get("must_be", error.message)
    return f"{path or 'the configuration'} must be {requirement} (got {_found(error)})"


def _unknown_key(path: str, error: ValidationError) -> str:
    schema: Any = error.schema
    instance: Any = error.instance
    known = list(schema["properties"])
    unknown = next(key for key in instance if key not in known)
    near = difflib.get_close_matches(str(unknown), known, n=1)
    hint = f"did you mean '{near[0]}'?" if near else f"known are {', '.join(known)}"
    return f"{f'{path}.' if path else ''}{unknown} is not a known key; {hint}"


def _found(error: ValidationError) -> str:
    """What was found, with a hint where YAML took a number for a string."""
    schema: Any = error.schema
    value = error.instance
    if not isinstance(value, str) or "number" not in str(schema.get("must_be")):
        return repr(value)
    if _is_number_without_quotes(value):
        return f"the text {value!r}; write it without quotes, and in a file, not under --config"
    if not _is_number(value):
        return repr(value)
    number = _as_yaml(float(value), whole="integer" in schema.get("type", ()))
    return f"the text {value!r}; written as a number it is {number}"


def _as_yaml(number: float, whole: bool) -> str:
    """A number as YAML reads it: with a point and a sign before the exponent, unlike `1e3`."""
    if whole and number.is_integer():
        return str(int(number))
    spellings = (f"{number:.{digits}e}" for digits in range(1, 17))  # 17 digits tell any float
    return next(text for text in spellings if float(text) == number)


def _is_number_without_quotes(text: str) -> bool:
    try:
        value = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError):  # such as "[1", or the 31st of a short month
        return False
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
