"""The sections of a validated configuration as records; those of a corpus are `corpus_sections`.

None of them has a default: config/config.yaml is the only home of defaults. What each key means
stands there too.
"""

from dataclasses import dataclass
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
