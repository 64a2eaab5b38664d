"""The sections of a validated configuration that say where text comes from, as records.

None of them has a default, as in `sections`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

from unrolled.config.paths import require_literal
from unrolled.errors import ConfigError


@dataclass(frozen=True)
class ReadingConfig:
    """What the bytes of the files mean; a part of the section `corpus`."""

    form: Literal["text", "csv", "jsonl"]
    column: str | None
    field: str | None
    encoding: str | Mapping[str, str]
    rejected_share: float
    splits: Mapping[str, str] | None

    def __post_init__(self) -> None:
        for form, key in (("csv", "column"), ("jsonl", "field")):
            value = getattr(self, key)
            if value is None and self.form == form:
                raise ConfigError(
                    f"corpus.{key} must be given when corpus.form is '{form}' (got null)"
                )
            if value is not None and self.form != form:
                raise ConfigError(
                    f"corpus.{key} must be null unless corpus.form is '{form}'"
                    f" (got {value!r} and '{self.form}')"
                )

    @property
    def encodings(self) -> Sequence[str]:
        """All encodings that are named."""
        return [self.encoding] if isinstance(self.encoding, str) else [*self.encoding.values()]

    def encoding_of(self, file: str) -> str:
        """The encoding of a file, by its path: that of the first pattern it matches, else UTF-8."""
        if isinstance(self.encoding, str):
            return self.encoding
        found = (name for pattern, name in self.encoding.items() if fnmatchcase(file, pattern))
        return next(found, "utf-8")


@dataclass(frozen=True)
class OriginConfig:
    """Where the text comes from; the other part of the section `corpus`."""

    source: Literal["documentation", "path", "url", "grammar"]
    packages: Sequence[str]
    path: str | None
    url: str | Sequence[str] | None
    size: int | None
    sha256: str | Mapping[str, str] | None
    files: Sequence[str] | None
    licence: str | None
    citation: str | None

    def __post_init__(self) -> None:
        needed = {"path": ("path",), "url": ("url", "size", "sha256")}
        for key in needed.get(self.source, ()):
            if getattr(self, key) is None:
                raise ConfigError(
                    f"corpus.{key} must be given when corpus.source is '{self.source}' (got null)"
                )
        if self.source == "url" and not isinstance(self.sha256, str):
            raise ConfigError(
                "corpus.sha256 must be one checksum when corpus.source is 'url'"
                f" (got those of {', '.join(self.sha256 or ())})"
            )

    @property
    def urls(self) -> Sequence[str]:
        """The addresses of the one file, the first to be asked first."""
        return [self.url] if isinstance(self.url, str) else self.url or []


@dataclass(frozen=True)
class CorpusConfig(OriginConfig, ReadingConfig):
    """The whole section `corpus`."""

    def __post_init__(self) -> None:
        OriginConfig.__post_init__(self)
        ReadingConfig.__post_init__(self)


@dataclass(frozen=True)
class GrammarConfig:
    """From which grammar sentences are drawn, and how many."""

    language: Literal["countdown", "geometric", "file"]
    path: str | None
    agreement: Mapping[str, str] | None
    markers: int
    distances: Sequence[int]
    fillers: int
    stop_probability: float
    cue: bool
    training_sentences: int
    validation_sentences: int
    test_sentences: int
    seed: int

    def __post_init__(self) -> None:
        if self.language == "file" and self.path is None:
            raise ConfigError(
                "grammar.path must be given when grammar.language is 'file' (got null)"
            )
        if self.language == "file" and self.path is not None:
            require_literal("grammar.path", self.path)
