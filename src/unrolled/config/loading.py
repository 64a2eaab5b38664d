"""From what Snakemake has merged to a configuration that can be relied on."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from unrolled.config.corpus_sections import CorpusConfig, GrammarConfig
from unrolled.config.files import read_config_file
from unrolled.config.sections import (
    CheckpointsConfig,
    ChecksConfig,
    ClassesConfig,
    CleaningConfig,
    EvaluationConfig,
    GradientFlowConfig,
    ModelConfig,
    PortraitsConfig,
    SamplingConfig,
    TextConfig,
    TrainingConfig,
    VocabularyConfig,
)
from unrolled.config.sweep import Run, runs
from unrolled.config.validation import validate
from unrolled.errors import ConfigError

RECORDS: Sequence[tuple[str, type]] = (
    ("corpus", CorpusConfig),
    ("cleaning", CleaningConfig),
    ("grammar", GrammarConfig),
    ("text", TextConfig),
    ("text", VocabularyConfig),
    ("classes", ClassesConfig),
    ("checkpoints", CheckpointsConfig),
    ("checks", ChecksConfig),
    ("evaluation", EvaluationConfig),
    ("gradient_flow", GradientFlowConfig),
    ("portraits", PortraitsConfig),
    ("sampling", SamplingConfig),
)
"""The records that are the same for all runs, and the sections they are made from."""


def checked_config(
    merged: Mapping[str, Any], files: Iterable[Path | str], schema: Path | str, defaults: Path | str
) -> dict[str, Any]:
    """The merged configuration as plain values, once all of it is known to be sound.

    Its keys stand in the order of the schema: in which order a user writes them changes nothing.

    Args:
        merged: what Snakemake has made of all files and of the command line.
        files: the configuration files, read once more with a strict loader.
        schema: the schema's file.
        defaults: which of the files is the one of defaults.

    Raises:
        ConfigError: anything is wrong with a file, a key or a value; the message names it.
    """
    default_file = Path(defaults).resolve()
    given = [Path(file) for file in files if Path(file).resolve() != default_file]
    for file in (default_file, *given):
        read_config_file(file)
    rules = read_config_file(schema)
    # Plain dicts and lists; a date, which the command line may bring, is the text it was.
    config: dict[str, Any] = json.loads(json.dumps(merged, default=str))
    validate(config, rules)
    _require_own_name(config["experiment"], given)
    ordered: dict[str, Any] = _in_order_of(rules, config)
    for section, record in RECORDS:
        record(**section_part(ordered, section, record))
    _require_own_files(ordered["corpus"])
    _require_sense_of_text(ordered)
    for run in runs(ordered):
        _require_sense(run)
    if any(run.model["output"] == "classes" for run in runs(ordered)):
        _require_room_for_classes(ordered)
    _require_different(run.name for run in runs(ordered))
    return ordered


def beside(
    config: Mapping[str, Any], folder: Path, files: Sequence[Path | str]
) -> dict[str, dict[str, Any]]:
    """The settings of each experiment that is to stand beside this one, by its name.

    They are the defaults with the experiment's own file laid over them, which is looked for beside
    this experiment's file, then among the experiments of the project.

    Args:
        config: this experiment's, checked.
        folder: of config.yaml and experiments/.
        files: the configuration files of this experiment.

    Raises:
        ConfigError: an experiment is this one, or has no file, or one that is not sound as YAML or
            names another experiment.
    """
    default_file = folder / "config.yaml"
    defaults = read_config_file(default_file)
    own = [Path(file) for file in files if Path(file).resolve() != default_file.resolve()]
    folders = [*(file.parent for file in own), folder / "experiments"]
    found = {}
    for name in config["beside"]:
        if name == config["experiment"]:
            raise ConfigError(f"beside must name other experiments (got this one, '{name}')")
        file = _experiment_file(name, folders)
        settings = laid_over(defaults, read_config_file(file))
        _require_own_name(settings["experiment"], [file])
        found[name] = {**settings, "beside": [], "missing_runs": config["missing_runs"]}
    return found


def _experiment_file(name: str, folders: Sequence[Path]) -> Path:
    for folder in folders:
        if (folder / f"{name}.yaml").exists():
            return folder / f"{name}.yaml"
    raise ConfigError(
        f"beside: '{name}' must be an experiment with a file of its own (looked for {name}.yaml in"
        f" {', '.join(dict.fromkeys(map(str, folders)))})"
    )


def laid_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Two configurations merged as Snakemake does: key by key, lists replaced as a whole."""
    merged = dict(below)
    for key, value in above.items():
        known = below.get(key)
        if isinstance(value, Mapping) and isinstance(known, Mapping):
            value = laid_over(known, value)
        merged[key] = value
    return merged


def section_part(config: Mapping[str, Any], section: str, record: type) -> dict[str, Any]:
    """Those keys of a section that a record is made from."""
    return {field.name: config[section][field.name] for field in fields(record)}


def _in_order_of(schema: Mapping[str, Any], config: Any) -> Any:
    """The same keys and values, ordered as the schema lists them."""
    known = schema.get("properties")
    if known is None or not isinstance(config, Mapping):
        return config
    return {key: _in_order_of(known[key], config[key]) for key in known if key in config}


def _require_own_name(experiment: str, files: Sequence[Path]) -> None:
    """Two experiments that shared a name would overwrite each other's results."""
    names = [file.stem for file in files]
    if names and experiment not in names:
        raise ConfigError(
            f"experiment must be the name of its file, {' or '.join(map(repr, names))}"
            f" (got {experiment!r})"
        )


def _require_own_files(corpus: Mapping[str, Any]) -> None:
    """Refuse to read what the workflow writes itself otherwise than as it is: UTF-8, no table."""
    if corpus["source"] in ("path", "url"):
        return
    as_written = {"form": "text", "encoding": "utf-8", "splits": None, "files": None}
    for key, value in as_written.items():
        if corpus[key] != value:
            raise ConfigError(
                f"corpus.{key} must be {value or 'null'} unless corpus.source is 'path' or 'url'"
                f" (got {corpus[key]!r} and '{corpus['source']}')"
            )


def _require_sense_of_text(config: Mapping[str, Any]) -> None:
    """Refuse settings of the text that each are sound and together have no meaning."""
    corpus, text = config["corpus"], config["text"]
    unknown = text["unknown_token"]
    if text["document"] == "heading" and corpus["form"] != "text":
        raise ConfigError(
            f"text.document must be file, block or row when corpus.form is '{corpus['form']}'"
            " (got 'heading')"
        )
    if text["end_token"] and text["sentences"] != "line":
        raise ConfigError(
            "text.end_token must be null when text.sentences is 'punkt'"
            f" (got {text['end_token']!r}, which ends lines)"
        )
    if unknown and (text["tokenizer"] != "whitespace" or text["unit"] != "word"):
        raise ConfigError(
            "text.unknown_token must be null unless text.unit is 'word' and text.tokenizer is"
            f" 'whitespace' (got {unknown!r}): other tokenizers take it apart"
        )
    if unknown and text["lowercase"] and unknown != unknown.lower():
        raise ConfigError(
            "text.unknown_token must be in small letters when text.lowercase is true"
            f" (got {unknown!r})"
        )


def _require_sense(run: Run) -> None:
    """Refuse settings that each are sound and together have no meaning."""
    model, training = ModelConfig(**run.model), TrainingConfig(**run.training)
    if training.optimiser == "adam_and_sgd" and model.output != "classes":
        raise ConfigError(
            "training.optimiser must be sgd, momentum or adam when model.output is"
            f" '{model.output}' (got 'adam_and_sgd', which is for classes)"
        )


def _require_room_for_classes(config: Mapping[str, Any]) -> None:
    """Refuse classes that would not have two words each even in the largest vocabulary allowed.

    Without a count there is no need: as many are made as find words.
    """
    classes, most_words = ClassesConfig(**config["classes"]), config["text"]["vocabulary_size"]
    needed = classes.words_alone + 2 * (classes.count or 0)
    if classes.count is not None and needed > most_words:
        raise ConfigError(
            "classes.words_alone and two words for each of classes.count must be at most"
            f" text.vocabulary_size, {most_words} (got {classes.words_alone} and {classes.count},"
            f" which makes {needed})"
        )


def _require_different(names: Iterable[str]) -> None:
    seen = set()
    for name in names:
        if name in seen:
            raise ConfigError(f"sweep: two runs would both be named '{name}'")
        seen.add(name)
