"""The sections of a validated configuration as records.

None of them has a default: config/config.yaml is the only home of defaults. What each key means
stands there too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

from unrolled.config.paths import require_literal
from unrolled.config.sweep import depth_limit
from unrolled.errors import ConfigError

DocumentKind = Literal["file", "block", "row", "heading"]
"""What a document is, and so where one ends."""

Unit = Literal["word", "character"]
"""What a token is."""

TokenizerName = Literal["nltk_word", "nltk_tweet", "whitespace"]
"""How words are told from one another."""


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


@dataclass(frozen=True)
class CleaningConfig:
    """What is taken out of documents before they are split."""

    html_entities: bool
    markdown: bool
    links: bool
    user_names: bool
    control_characters: bool
    normalisation: Literal["NFC", "NFKC"] | None
    repeated_documents: bool


@dataclass(frozen=True)
class TokensConfig:
    """From a sentence to tokens; a part of the section `text`."""

    unit: Unit
    tokenizer: TokenizerName
    lowercase: bool


@dataclass(frozen=True)
class TextConfig(TokensConfig):
    """From text to sentences of tokens in three splits."""

    document: DocumentKind
    sentences: Literal["punkt", "line"]
    end_token: str | None
    headings: Literal["keep", "drop"]
    minimum_words: int
    maximum_words: int
    drop_repeated: bool
    validation_fraction: float
    test_fraction: float

    def __post_init__(self) -> None:
        _ordered("text", self.minimum_words, self.maximum_words)
        if self.validation_fraction + self.test_fraction >= 1:
            raise ConfigError(
                "text.validation_fraction and text.test_fraction must leave something for training"
                f" (got {self.validation_fraction} and {self.test_fraction})"
            )


@dataclass(frozen=True)
class VocabularyConfig:
    """Which words are known; the rest of the section `text`."""

    unknown_token: str | None
    minimum_count: int
    vocabulary_size: int


@dataclass(frozen=True)
class ClassesConfig:
    """How words are put into classes, for output layers that go by them."""

    method: Literal["frequency", "brown"]
    count: int | None
    words_alone: int
    sweeps: int
    size_penalty: float


@dataclass(frozen=True)
class ModelConfig:
    """The network's shape."""

    cell: str
    hidden_size: int
    bias: bool
    tied_weights: bool
    output: Literal["softmax", "classes"]
    recurrent_initialisation: Literal["uniform", "orthogonal"]
    precision: Literal["single", "double"]

    def __post_init__(self) -> None:
        if self.tied_weights and self.output == "classes":
            raise ConfigError(
                "model.tied_weights must be false when model.output is 'classes' (got true): there"
                " the output weights of a word tell it from the other words of its class alone, too"
                " little for it to go in by"
            )


@dataclass(frozen=True)
class TrainingConfig:
    """How a network is trained."""

    truncation_depth: int | Literal["full"]
    seed: int
    epochs: int
    evaluations_per_epoch: int
    batch_size: int
    carry_state: bool
    segment_length: int
    optimiser: Literal["sgd", "momentum", "adam", "adam_and_sgd"]
    momentum: float
    learning_rate: float
    class_learning_rate: float
    schedule: Literal["constant", "halving", "cosine"]
    warmup_epochs: float
    gradient_norm_limit: float | None
    input_dropout: float
    output_dropout: float
    patience: int | None

    def __post_init__(self) -> None:
        if self.warmup_epochs >= self.epochs:
            raise ConfigError(
                "training.warmup_epochs must be less than training.epochs"
                f" (got {self.warmup_epochs} and {self.epochs})"
            )

    @property
    def depth_limit(self) -> int | None:
        """The truncation depth as a number of steps; None for `full`."""
        return depth_limit(self.truncation_depth)


@dataclass(frozen=True)
class ChecksConfig:
    """What is proved before training, and how exactly."""

    hidden_size: int
    vocabulary_size: int
    sentences: int
    central_step: float
    central_tolerance: float
    complex_tolerance: float
    overfit_steps: int
    overfit_loss: float
    initial_loss_difference: float
    seed: int


@dataclass(frozen=True)
class EvaluationConfig:
    """What is scored beside the test split."""

    sentences: str | None

    def __post_init__(self) -> None:
        if self.sentences is not None:
            require_literal("evaluation.sentences", self.sentences)


@dataclass(frozen=True)
class CheckpointsConfig:
    """How often it is noted where training stands; nothing of its results depends on it."""

    seconds: float
    steps: int | None


@dataclass(frozen=True)
class GradientFlowConfig:
    """What the travel of gradients is measured on."""

    sentences: int
    deepest: int


@dataclass(frozen=True)
class PortraitsConfig:
    """What the best and the worst run are looked at with."""

    sentences: int
    words: int


@dataclass(frozen=True)
class SamplingConfig:
    """How sentences are drawn."""

    sentences: int
    temperature: float
    minimum_words: int
    maximum_words: int
    seed: int

    def __post_init__(self) -> None:
        _ordered("sampling", self.minimum_words, self.maximum_words)


def _ordered(section: str, minimum_words: int, maximum_words: int) -> None:
    if minimum_words > maximum_words:
        raise ConfigError(
            f"{section}.minimum_words must be at most {section}.maximum_words"
            f" (got {minimum_words} and {maximum_words})"
        )
