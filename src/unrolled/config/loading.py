"""From what Snakemake has merged to a configuration that can be relied on."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from unrolled.config.files import read_config_file
from unrolled.config.sections import (
    ChecksConfig,
    CorpusConfig,
    EvaluationConfig,
    ModelConfig,
    SamplingConfig,
    TextConfig,
    TrainingConfig,
)
from unrolled.config.sweep import runs
from unrolled.config.validation import validate
from unrolled.errors import ConfigError

SECTIONS = {
    "corpus": CorpusConfig,
    "text": TextConfig,
    "model": ModelConfig,
    "training": TrainingConfig,
    "checks": ChecksConfig,
    "evaluation": EvaluationConfig,
    "sampling": SamplingConfig,
}


def checked_config(
    merged: Mapping[str, Any], files: Iterable[Path | str], schema: Path | str, defaults: Path | str
) -> dict[str, Any]:
    """The merged configuration as plain values, once all of it is known to be sound.

    Args:
        merged: what Snakemake has made of all files and of the command line.
        files: the configuration files, read once more with a strict loader.
        schema: the schema's file.
        defaults: which of the files is the one of defaults.

    Raises:
        ConfigError: anything is wrong with a file, a key or a value; the message names it.
    """
    for file in files:
        if Path(file).resolve() != Path(defaults).resolve():
            _require_own_name(Path(file), read_config_file(file))
    read_config_file(defaults)
    # Plain dicts and lists; a date, which the command line may bring, is the text it was.
    config: dict[str, Any] = json.loads(json.dumps(merged, default=str))
    validate(config, read_config_file(schema))
    for section, record in SECTIONS.items():
        record(**config[section])
    _require_different(run.name for run in runs(config))
    return config


def _require_own_name(file: Path, content: Mapping[str, Any]) -> None:
    """Two experiments that shared a name would overwrite each other's results."""
    name = content.get("experiment", file.stem)
    if name != file.stem:
        raise ConfigError(
            f"{file}: experiment must be '{file.stem}', the name of its file (got {name!r})"
        )


def _require_different(names: Iterable[str]) -> None:
    seen = set()
    for name in names:
        if name in seen:
            raise ConfigError(f"sweep: two runs would both be named '{name}'")
        seen.add(name)
