"""A configuration against the schema: each misfit is one line of key, finding and remedy."""

import copy
import math
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from unrolled.config.files import read_config_file
from unrolled.config.sweep import NAMED
from unrolled.config.validation import key_path, validate
from unrolled.errors import ConfigError

ROOT = Path(__file__).parents[1]
SCHEMA = read_config_file(ROOT / "workflow/schemas/config.schema.yaml")
DEFAULTS = read_config_file(ROOT / "config/config.yaml")

NAME = (
    "experiment must be small letters, digits, - and _, beginning with a letter or digit, and not"
)
DEPTH = "must be 0 or more, or 'full'"
LIST = "must be a list of one or more different values"
SIZE = "must be a whole number from 1 to 100000"
WHOLE = "must be a whole number, 1 or more"
DROPPED = "must be a number from 0 to 0.99"
WHOLE_FROM = "must be a whole number from"
BETWEEN = "must be a number between 0 and 1"
AGREEMENT = "must be closing words with their opening words, or null"
SHARE = "must be a number, 0 or more and below 1"
ADDRESS = "must be an http or https address, a list of such addresses, or null"
CHECKSUM = (
    "must be 64 hexadecimal digits in small letters, such digits for each file of a folder, or null"
)
PATTERNS = "must be a list of patterns of files such as '*.txt', or null"
ENCODING = "must be the name of an encoding such as utf-8 or cp1252"
SPLITS = "must be a pattern of files for each of train, valid and test, or null"
TOKEN = "must be a token without white space, or null"
SWITCH = "must be true or false"


def changed(key: str, value: Any) -> dict[str, Any]:
    """The default configuration with one value set, `key` written as in messages."""
    config = copy.deepcopy(DEFAULTS)
    section, _, name = key.partition(".")
    if name:
        config[section][name] = value
    else:
        config[section] = value
    return config


def message(config: dict[str, Any]) -> str:
    """What is said about a configuration that does not fit."""
    with pytest.raises(ConfigError) as refused:
        validate(config, SCHEMA)
    return str(refused.value)


NO_NAMES = [
    "..", "../up", "a/b", "/tmp", "a b", " a", "a\n", "", "Big", "naïve", "-a", "_a", "a.b",
    "$(ls)", "a;b", "~", "{run}", "<corpus>", "downloads", None, 5,
]  # fmt: skip

NO_ADDRESSES = [
    "ftp://x.org/a", "file:///etc/passwd", "https://x.org/a b", "https://x.org/a\n", "https://",
    "x.org/a", "", 5, {}, [], ["https://x.org/a", "ftp://x.org/a"], ["https://x.org/a"] * 2, [None],
]  # fmt: skip

NO_CHECKSUMS = [
    "A" * 64, "a" * 63, "a" * 65, "a" * 64 + "\n", "", 5, ["a" * 64], {}, {"a.txt": "a" * 63},
    {"a.txt": None},
]  # fmt: skip

NO_LISTS_OF_PATTERNS: list[Any] = ["*.txt", [], ["*.txt", "*.txt"], {}, 5]

NO_ENCODINGS: list[Any] = [None, "", {}, [], 1252]

# What is set, to what, and what is said about it.
REFUSED = [
    # An unknown key: the nearest known one, or all of them where none is near.
    ("modle", {}, "modle is not a known key; did you mean 'model'?"),
    ("sweep.hiden_size", [9], "sweep.hiden_size is not a known key; did you mean 'hidden_size'?"),
    ("sweep.seeds", [1], "sweep.seeds is not a known key; did you mean 'seed'?"),
    ("text.xyz", 1, "text.xyz is not a known key; known are document, sentences, unit,"),
    # The wrong type.
    ("corpus", None, "corpus must be a section of keys (got None)"),
    ("training", [1], "training must be a section of keys (got [1])"),
    ("text.lowercase", "yes", "text.lowercase must be true or false (got 'yes')"),
    ("text.lowercase", 1, "text.lowercase must be true or false (got 1)"),
    ("sweep.hidden_size", 100, f"sweep.hidden_size {LIST} (got 100)"),
    ("corpus.packages", "numpy", f"corpus.packages {LIST} (got 'numpy')"),
    ("corpus.path", 5, "corpus.path must be a text or null (got 5)"),
    ("corpus.path", "", "corpus.path must be a text or null (got '')"),
    ("sweep.cell", ["ellman"], "sweep.cell[0] must be elman, gru or lstm (got 'ellman')"),
    ("model.bias", "yes", "model.bias must be true or false (got 'yes')"),
    ("model.bias", 1, "model.bias must be true or false (got 1)"),
    ("model.precision", "half", "model.precision must be single or double (got 'half')"),
    ("model.tied_weights", "no", "model.tied_weights must be true or false (got 'no')"),
    ("model.output", "class", "model.output must be softmax or classes (got 'class')"),
    ("sweep.output", ["softmax", None], "sweep.output[1] must be softmax or classes (got None)"),
    (
        "model.recurrent_initialisation",
        "zeros",
        "model.recurrent_initialisation must be uniform or orthogonal (got 'zeros')",
    ),
    # The recipe.
    ("training.carry_state", 1, "training.carry_state must be true or false (got 1)"),
    ("training.segment_length", 0, f"training.segment_length {WHOLE} (got 0)"),
    ("training.segment_length", 35.0, f"training.segment_length {WHOLE} (got 35.0)"),
    (
        "training.optimiser",
        "adagrad",
        "training.optimiser must be sgd, momentum, adam or adam_and_sgd (got 'adagrad')",
    ),
    (
        "sweep.optimiser",
        ["sgd", "SGD"],
        "sweep.optimiser[1] must be sgd, momentum, adam or adam_and_sgd (got 'SGD')",
    ),
    ("training.momentum", 1, f"training.momentum {SHARE} (got 1)"),
    ("training.momentum", -0.1, f"training.momentum {SHARE} (got -0.1)"),
    (
        "training.schedule",
        "linear",
        "training.schedule must be constant, halving or cosine (got 'linear')",
    ),
    ("training.warmup_epochs", -1, "training.warmup_epochs must be a number, 0 or more (got -1)"),
    ("training.warmup_epochs", None, "training.warmup_epochs must be a number, 0 or more"),
    ("training.input_dropout", 1.0, f"training.input_dropout {DROPPED} (got 1.0)"),
    ("training.input_dropout", -0.1, f"training.input_dropout {DROPPED} (got -0.1)"),
    ("training.output_dropout", 1.0, f"training.output_dropout {DROPPED} (got 1.0)"),
    ("sweep.output_dropout", [0.5, math.nan], "sweep.output_dropout[1] must be a finite number"),
    ("training.patience", 0, f"training.patience {WHOLE}, or null (got 0)"),
    ("training.patience", 1.5, f"training.patience {WHOLE}, or null (got 1.5)"),
    (
        "training.class_learning_rate",
        0,
        "training.class_learning_rate must be a number above 0 (got 0)",
    ),
    ("sweep.class_learning_rate", [5, -1], "sweep.class_learning_rate[1] must be a number above 0"),
    # The word classes.
    ("classes.method", "random", "classes.method must be frequency or brown (got 'random')"),
    ("classes.count", 0, f"classes.count {WHOLE}, or null (got 0)"),
    ("classes.count", 60.0, f"classes.count {WHOLE}, or null (got 60.0)"),
    ("classes.words_alone", -1, "classes.words_alone must be a whole number, 0 or more (got -1)"),
    ("classes.words_alone", None, "classes.words_alone must be a whole number, 0 or more"),
    ("classes.sweeps", 0, f"classes.sweeps {WHOLE} (got 0)"),
    ("classes.size_penalty", -0.1, "classes.size_penalty must be a number, 0 or more (got -0.1)"),
    ("classes.size_penalty", math.inf, "classes.size_penalty must be a finite number (got inf)"),
    # The settings that name a run stand in the sweep alone.
    (
        "model.hidden_size",
        100,
        "model.hidden_size is not a known key; known are bias, tied_weights",
    ),
    ("training.seed", 1, "training.seed is not a known key"),
    # A whole number is neither a number with a point nor a truth value, and has a range.
    ("training.epochs", 0, f"training.epochs {WHOLE} (got 0)"),
    ("training.epochs", 2.0, f"training.epochs {WHOLE} (got 2.0)"),
    ("training.epochs", True, f"training.epochs {WHOLE} (got True)"),
    ("sweep.hidden_size", [8, 0], f"sweep.hidden_size[1] {SIZE} (got 0)"),
    ("sweep.hidden_size", [10**12], f"sweep.hidden_size[0] {SIZE} (got 1000000000000)"),
    ("sweep.batch_size", [0], f"sweep.batch_size[0] {WHOLE} (got 0)"),
    ("training.epochs", None, f"training.epochs {WHOLE} (got None)"),
    ("checks.seed", -1, "checks.seed must be a whole number from 0 to 4294967295 (got -1)"),
    ("sweep.seed", [2**32], "sweep.seed[0] must be a whole number from 0 to 4294967295"),
    ("text.vocabulary_size", 3, "text.vocabulary_size must be a whole number, 4 or more"),
    ("corpus.size", 10.0, "corpus.size must be a number of bytes, or null (got 10.0)"),
    # The truncation depth.
    ("sweep.truncation_depth", [0, 4, -1], f"sweep.truncation_depth[2] {DEPTH} (got -1)"),
    ("sweep.truncation_depth", [True], f"sweep.truncation_depth[0] {DEPTH} (got True)"),
    ("sweep.truncation_depth", ["4"], f"sweep.truncation_depth[0] {DEPTH} (got '4')"),
    ("sweep.truncation_depth", ["Full"], f"sweep.truncation_depth[0] {DEPTH} (got 'Full')"),
    ("sweep.truncation_depth", [2.0], f"sweep.truncation_depth[0] {DEPTH} (got 2.0)"),
    # Numbers.
    (
        "training.learning_rate",
        math.nan,
        "training.learning_rate must be a finite number (got nan)",
    ),
    ("sweep.learning_rate", [1.0, -math.inf], "sweep.learning_rate[1] must be a finite number"),
    ("training.learning_rate", -1.0, "training.learning_rate must be a number above 0 (got -1.0)"),
    ("training.learning_rate", 0, "training.learning_rate must be a number above 0 (got 0)"),
    ("training.learning_rate", True, "training.learning_rate must be a number above 0 (got True)"),
    ("training.gradient_norm_limit", 0.0, "must be a number above 0, or null (got 0.0)"),
    ("text.test_fraction", 0.6, "text.test_fraction must be a number above 0, at most 0.5"),
    ("sampling.temperature", 0, "sampling.temperature must be a number above 0, at most 1000"),
    ("sampling.temperature", 1001, "sampling.temperature must be a number above 0, at most 1000"),
    ("sampling.temperature", math.inf, "sampling.temperature must be a finite number (got inf)"),
    # What is proved before training.
    ("checks.step", 1e-5, "checks.step is not a known key; known are hidden_size,"),
    ("checks.tolerance", 1e-7, "checks.tolerance is not a known key; did you mean"),
    ("checks.hidden_size", 1, f"checks.hidden_size {WHOLE_FROM} 2 to 32 (got 1)"),
    ("checks.hidden_size", 33, f"checks.hidden_size {WHOLE_FROM} 2 to 32 (got 33)"),
    ("checks.vocabulary_size", 3, f"checks.vocabulary_size {WHOLE_FROM} 4 to 100 (got 3)"),
    ("checks.sentences", 33, f"checks.sentences {WHOLE_FROM} 1 to 32 (got 33)"),
    ("checks.central_step", 0, "checks.central_step must be a number above 0, at most 0.1 (got 0)"),
    ("checks.central_step", 0.2, "checks.central_step must be a number above 0, at most 0.1"),
    ("checks.central_tolerance", 1, f"checks.central_tolerance {BETWEEN} (got 1)"),
    ("checks.central_tolerance", 0, f"checks.central_tolerance {BETWEEN} (got 0)"),
    ("checks.complex_tolerance", 1.0, f"checks.complex_tolerance {BETWEEN} (got 1.0)"),
    ("checks.complex_tolerance", -1e-12, f"checks.complex_tolerance {BETWEEN} (got -1e-12)"),
    ("checks.complex_tolerance", None, f"checks.complex_tolerance {BETWEEN} (got None)"),
    ("checks.overfit_steps", 0, f"checks.overfit_steps {WHOLE_FROM} 1 to 100000 (got 0)"),
    ("checks.overfit_steps", 100001, f"checks.overfit_steps {WHOLE_FROM} 1 to 100000"),
    ("checks.overfit_steps", 300.0, f"checks.overfit_steps {WHOLE_FROM} 1 to 100000 (got 300.0)"),
    ("checks.overfit_loss", 0, "checks.overfit_loss must be a number above 0 (got 0)"),
    ("checks.overfit_loss", math.nan, "checks.overfit_loss must be a finite number (got nan)"),
    (
        "checks.initial_loss_difference",
        0.0,
        "checks.initial_loss_difference must be a number above 0 (got 0.0)",
    ),
    (
        "checks.initial_loss_difference",
        math.inf,
        "checks.initial_loss_difference must be a finite number (got inf)",
    ),
    # How gradients travel.
    ("gradient_flow.sentences", 0, f"gradient_flow.sentences {WHOLE} (got 0)"),
    ("gradient_flow.deepest", 1.0, f"gradient_flow.deepest {WHOLE} (got 1.0)"),
    # Portraits.
    (
        "portraits.sentences",
        0,
        "portraits.sentences must be a whole number from 1 to 100 (got 0)",
    ),
    (
        "portraits.words",
        101,
        "portraits.words must be a whole number from 1 to 100 (got 101)",
    ),
    # The grammar.
    ("grammar.language", "english", "grammar.language must be countdown, geometric or file"),
    ("grammar.path", "", "grammar.path must be a text or null (got '')"),
    ("grammar.agreement", {}, f"grammar.agreement {AGREEMENT} (got {{}})"),
    ("grammar.agreement", "barks", f"grammar.agreement {AGREEMENT} (got 'barks')"),
    ("grammar.agreement", {"barks": 1}, "grammar.agreement.barks must be a word (got 1)"),
    ("grammar.agreement", {"barks": ""}, "grammar.agreement.barks must be a word (got '')"),
    ("grammar.markers", 1, f"grammar.markers {WHOLE_FROM} 2 to 1000 (got 1)"),
    ("grammar.markers", 1001, f"grammar.markers {WHOLE_FROM} 2 to 1000 (got 1001)"),
    ("grammar.distances", [], f"grammar.distances {LIST} (got [])"),
    ("grammar.distances", [1, 1], f"grammar.distances {LIST} (got [1, 1])"),
    ("grammar.distances", [1, 0], f"grammar.distances[1] {WHOLE_FROM} 1 to 1000 (got 0)"),
    ("grammar.distances", [1001], f"grammar.distances[0] {WHOLE_FROM} 1 to 1000 (got 1001)"),
    ("grammar.fillers", 0, f"grammar.fillers {WHOLE_FROM} 1 to 10000 (got 0)"),
    ("grammar.stop_probability", 0, f"grammar.stop_probability {BETWEEN} (got 0)"),
    ("grammar.stop_probability", 1, f"grammar.stop_probability {BETWEEN} (got 1)"),
    ("grammar.cue", "no", "grammar.cue must be true or false (got 'no')"),
    ("grammar.training_sentences", 0, f"grammar.training_sentences {WHOLE} (got 0)"),
    ("grammar.seed", 2**32, f"grammar.seed {WHOLE_FROM} 0 to 4294967295"),
    # Lists.
    ("sweep.seed", [], f"sweep.seed {LIST} (got [])"),
    ("sweep.seed", [1, 2, 1], f"sweep.seed {LIST} (got [1, 2, 1])"),
    ("sweep.learning_rate", [1, 1.0], f"sweep.learning_rate {LIST} (got [1, 1.0])"),
    # Names that become folders.
    *[("experiment", name, f"{NAME} 'downloads' (got {name!r})") for name in NO_NAMES],
    *[
        ("beside", ["fine", name], f"{NAME.replace('experiment', 'beside[1]')} 'downloads'")
        for name in NO_NAMES
    ],
    ("beside", "far", "beside must be a list of names of experiments (got 'far')"),
    ("beside", None, "beside must be a list of names of experiments (got None)"),
    (
        "beside",
        ["far", "far"],
        "beside must be a list of names of experiments (got ['far', 'far'])",
    ),
    ("about", ["why"], "about must be a text or null (got ['why'])"),
    # Where the corpus comes from.
    (
        "corpus.source",
        "reddit",
        "corpus.source must be documentation, path, url or grammar (got 'reddit')",
    ),
    *[("corpus.url", url, f"corpus.url {ADDRESS} (got {url!r})") for url in NO_ADDRESSES],
    ("corpus.size", 0, "corpus.size must be a number of bytes, or null (got 0)"),
    ("corpus.size", True, "corpus.size must be a number of bytes, or null (got True)"),
    *[
        ("corpus.sha256", checksum, f"corpus.sha256 {CHECKSUM} (got {checksum!r})")
        for checksum in NO_CHECKSUMS
    ],
    # Which files, and what their bytes mean.
    *[
        ("corpus.files", files, f"corpus.files {PATTERNS} (got {files!r})")
        for files in NO_LISTS_OF_PATTERNS
    ],
    ("corpus.files", ["*.txt", ""], "corpus.files[1] must be a pattern of files (got '')"),
    ("corpus.files", [None], "corpus.files[0] must be a pattern of files (got None)"),
    ("corpus.form", "json", "corpus.form must be text, csv or jsonl (got 'json')"),
    ("corpus.form", None, "corpus.form must be text, csv or jsonl (got None)"),
    ("corpus.column", 1, "corpus.column must be a text or null (got 1)"),
    ("corpus.column", "", "corpus.column must be a text or null (got '')"),
    ("corpus.field", ["a"], "corpus.field must be a text or null (got ['a'])"),
    *[
        (
            "corpus.encoding",
            encoding,
            f"corpus.encoding {ENCODING}, or patterns of files with their",
        )
        for encoding in NO_ENCODINGS
    ],
    ("corpus.encoding", {"*.txt": 1252}, f"corpus.encoding.*.txt {ENCODING} (got 1252)"),
    ("corpus.encoding", {"*.txt": ""}, f"corpus.encoding.*.txt {ENCODING} (got '')"),
    ("corpus.encoding", {"*.txt": None}, f"corpus.encoding.*.txt {ENCODING} (got None)"),
    *[
        (
            "corpus.rejected_share",
            share,
            f"corpus.rejected_share must be a number from 0 to 1 (got {found}",
        )
        for share, found in (
            (-0.001, "-0.001"),
            (1.001, "1.001"),
            (None, "None"),
            (True, "True"),
            ("0.1", "the text"),
        )
    ],
    ("corpus.rejected_share", math.nan, "corpus.rejected_share must be a finite number (got nan)"),
    *[
        ("corpus.splits", splits, f"corpus.splits {SPLITS} (got {splits!r})")
        for splits in ("*.txt", ["a", "b", "c"], 5)
    ],
    ("corpus.splits", {}, "corpus.splits.train is missing"),
    ("corpus.splits", {"train": "a", "test": "c"}, "corpus.splits.valid is missing"),
    ("corpus.splits", {"train": "a", "valid": "b"}, "corpus.splits.test is missing"),
    (
        "corpus.splits",
        {"train": "a", "valid": "b", "test": "c", "dev": "d"},
        "corpus.splits.dev is not a known key; known are train, valid, test",
    ),
    *[
        (
            "corpus.splits",
            {"train": "a", "valid": pattern, "test": "c"},
            f"corpus.splits.valid must be a pattern of files (got {pattern!r})",
        )
        for pattern in ("", None, ["b"])
    ],
    ("corpus.licence", "", "corpus.licence must be a text or null (got '')"),
    ("corpus.citation", 2001, "corpus.citation must be a text or null (got 2001)"),
    # What is done to documents.
    *[
        (f"cleaning.{key}", value, f"cleaning.{key} {SWITCH} (got {value!r})")
        for key in DEFAULTS["cleaning"]
        if key != "normalisation"
        for value in ("yes", 1, None)
    ],
    *[
        (
            "cleaning.normalisation",
            form,
            f"cleaning.normalisation must be NFC, NFKC or null (got {form!r})",
        )
        for form in ("NFD", "nfc", "", False)
    ],
    # From documents to tokens.
    ("text.document", "line", "text.document must be file, block, row or heading (got 'line')"),
    ("text.sentences", "row", "text.sentences must be punkt or line (got 'row')"),
    ("text.unit", "byte", "text.unit must be word or character (got 'byte')"),
    (
        "text.tokenizer",
        "spacy",
        "text.tokenizer must be nltk_word, nltk_tweet or whitespace (got 'spacy')",
    ),
    *[
        (f"text.{key}", token, f"text.{key} {TOKEN} (got {token!r})")
        for key in ("end_token", "unknown_token")
        for token in ("", "a b", " <eos>", "<eos>\n", "\u2003", "\u00a0", 5, False, ["<eos>"])
    ],
    ("text.headings", True, "text.headings must be keep or drop (got True)"),
    ("text.minimum_words", 0, f"text.minimum_words {WHOLE} (got 0)"),
    ("text.maximum_words", 9.0, f"text.maximum_words {WHOLE} (got 9.0)"),
    ("text.drop_repeated", None, f"text.drop_repeated {SWITCH} (got None)"),
    ("missing_runs", "maybe", "missing_runs must be refuse or allow (got 'maybe')"),
]

ACCEPTED = [
    ("experiment", "0-a_b"),
    ("experiment", "downloads2"),
    ("corpus.path", "my letters/1912 $(ls).txt"),
    ("corpus.url", "https://example.org/a/b.txt?c=d"),
    ("corpus.url", "http://localhost:8000"),
    ("corpus.url", ["https://example.org/a"]),
    ("corpus.url", ["https://example.org/a", "http://elsewhere.org/b"]),
    ("corpus.size", 1),
    ("corpus.sha256", "0123456789abcdef" * 4),
    ("corpus.sha256", {"a.txt": "a" * 64, "my letters/b.txt": "b" * 64}),
    ("corpus.files", ["*.md"]),
    ("corpus.files", ["a/*", "*.txt"]),
    ("corpus.encoding", "utf-16"),
    ("corpus.encoding", {"19*.txt": "cp1252", "*": "big5"}),
    ("corpus.rejected_share", 0),
    ("corpus.rejected_share", 1),
    ("corpus.splits", {"train": "a", "valid": "b", "test": "c"}),
    ("corpus.citation", "Somebody, Some Texts (2001)"),
    ("cleaning.normalisation", "NFC"),
    ("cleaning.normalisation", "NFKC"),
    ("cleaning.normalisation", None),
    ("cleaning.links", True),
    ("cleaning.repeated_documents", False),
    ("text.document", "heading"),
    ("text.document", "row"),
    ("text.sentences", "line"),
    ("text.unit", "character"),
    ("text.tokenizer", "nltk_tweet"),
    ("text.tokenizer", "whitespace"),
    ("text.end_token", "<eos>"),
    ("text.unknown_token", "<unk>"),
    ("text.headings", "drop"),
    ("text.minimum_words", 1),
    ("text.vocabulary_size", 4),
    ("text.validation_fraction", 0.5),
    ("sweep.truncation_depth", ["full", 0]),
    ("sweep.learning_rate", [0.1, 1]),
    ("sweep.gradient_norm_limit", [None, 1.0]),
    ("sweep.seed", [2**32 - 1]),
    ("training.learning_rate", 1),
    ("training.gradient_norm_limit", None),
    ("model.recurrent_initialisation", "orthogonal"),
    ("training.patience", 1),
    ("training.momentum", 0.99),
    ("training.output_dropout", 0.5),
    ("training.warmup_epochs", 0.25),
    ("sweep.tied_weights", [True, False]),
    ("sweep.optimiser", ["adam", "momentum", "adam_and_sgd"]),
    ("sweep.output", ["classes", "softmax"]),
    ("training.class_learning_rate", 0.5),
    ("classes.method", "frequency"),
    ("classes.count", None),
    ("classes.count", 1),
    ("classes.words_alone", 0),
    ("classes.size_penalty", 0),
    ("sweep.schedule", ["constant", "cosine"]),
    ("sweep.patience", [None, 3]),
    ("evaluation.sentences", "mine.txt"),
    ("about", "What for?\n\nFor this."),
    ("beside", []),
    ("beside", ["far", "0-a_b"]),
    ("checks.hidden_size", 2),
    ("checks.hidden_size", 32),
    ("checks.central_step", 0.1),
    ("checks.central_tolerance", 0.999),
    ("checks.complex_tolerance", 1e-16),
    ("checks.overfit_steps", 1),
    ("checks.overfit_steps", 100000),
    ("checks.overfit_loss", 5),
    ("checks.initial_loss_difference", 1e-9),
    ("gradient_flow.deepest", 1),
    ("grammar.agreement", {"barks": "dog", "meows": "cat"}),
    ("grammar.markers", 2),
    ("grammar.distances", [1000, 1]),
    ("grammar.stop_probability", 0.999),
]


def test_the_defaults_fit() -> None:
    validate(DEFAULTS, SCHEMA)


@pytest.mark.parametrize(("key", "value"), ACCEPTED)
def test_a_value_within_its_range_fits(key: str, value: object) -> None:
    validate(changed(key, value), SCHEMA)


@pytest.mark.parametrize(("key", "value", "said"), REFUSED)
def test_a_misfit_is_named_with_what_was_found_and_what_would_be_right(
    key: str, value: object, said: str
) -> None:
    found = message(changed(key, value))

    assert said in found
    assert "\n" not in found


@pytest.mark.parametrize(
    "key",
    [
        f"{section}.{key}" if key else section
        for section, keys in DEFAULTS.items()
        for key in (keys if isinstance(keys, dict) else [""])
    ],
)
def test_no_key_takes_a_list_of_lists(key: str) -> None:
    found = message(changed(key, [[]]))

    # The sweep's lists and some others name the item.
    assert found.startswith((f"{key} must be ", f"{key}[0] must be "))
    assert "\n" not in found


@pytest.mark.parametrize("section", SCHEMA["required"])
def test_a_missing_section_is_named(section: str) -> None:
    config = copy.deepcopy(DEFAULTS)
    del config[section]

    assert message(config) == f"{section} is missing"


@pytest.mark.parametrize(
    ("section", "key"), [("training", "epochs"), *(("sweep", key) for key in NAMED)]
)
def test_a_missing_key_is_named_with_its_section(section: str, key: str) -> None:
    config = copy.deepcopy(DEFAULTS)
    del config[section][key]

    assert message(config) == f"{section}.{key} is missing"


class TestNumbersReadAsText:
    @pytest.mark.parametrize(
        ("key", "text", "number"),
        [
            ("training.learning_rate", "1e-3", "1.0e-03"),
            ("training.learning_rate", "1.25e3", "1.25e+03"),  # YAML wants the sign, too
            ("training.gradient_norm_limit", "5e0", "5.0e+00"),
            ("checks.central_step", "123456789e-20", "1.23456789e-12"),
            ("training.epochs", "1e1", "10"),
            ("corpus.size", "1e6", "1000000"),
        ],
    )
    def test_the_message_tells_how_the_number_is_written(
        self, key: str, text: str, number: str
    ) -> None:
        said = message(changed(key, text))

        assert said.endswith(f"(got the text '{text}'; written as a number it is {number})")

    @given(digits=st.integers(1, 10**17), exponent=st.integers(-300, 280))
    def test_what_is_advised_is_the_same_number_and_is_accepted(
        self, digits: int, exponent: int
    ) -> None:
        said = message(changed("training.learning_rate", f"{digits}e{exponent}"))

        advised = yaml.safe_load(re.findall(r"it is (\S+)\)", said)[0])
        assert advised == float(f"{digits}e{exponent}")
        validate(changed("training.learning_rate", advised), SCHEMA)

    @pytest.mark.parametrize(
        ("key", "text"),
        [
            ("training.learning_rate", "0.5"),
            ("training.learning_rate", "1.0e-3"),
            ("training.gradient_norm_limit", "-1"),
            ("training.epochs", "100"),
            ("corpus.size", "100"),
        ],
    )
    def test_what_would_be_a_number_without_quotes_is_to_be_written_so(
        self, key: str, text: str
    ) -> None:
        assert message(changed(key, text)).endswith(
            f"(got the text '{text}'; write it without quotes, and in a file, not under --config)"
        )

    @pytest.mark.parametrize("text", ["fast", "nan", "inf", "1e-3x", "", "yes", "[1", "2024-31-31"])
    def test_other_text_gets_no_such_hint(self, text: str) -> None:
        assert message(changed("training.learning_rate", text)).endswith(f"(got {text!r})")


class TestTheSchema:
    def test_it_is_a_schema(self) -> None:
        Draft202012Validator.check_schema(SCHEMA)

    def test_every_value_says_what_it_must_be(self) -> None:
        sections = {name: rule["properties"] for name, rule in SCHEMA["properties"].items()
                    if "properties" in rule}  # fmt: skip
        rules = [rule for section in sections.values() for rule in section.values()]
        rules += [*SCHEMA["properties"].values(), *SCHEMA["$defs"].values()]
        rules += [rule["items"] for rule in rules if "items" in rule]
        rules += [
            part for rule in rules if "properties" in rule for part in rule["properties"].values()
        ]
        rules += [rule["additionalProperties"] for rule in rules
                  if rule.get("additionalProperties")]  # fmt: skip

        assert [rule for rule in rules if "must_be" not in rule and "$ref" not in rule] == []


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        ([], ""),
        (["experiment"], "experiment"),
        (["sweep", "truncation_depth", 2], "sweep.truncation_depth[2]"),
    ],
)
def test_a_key_is_written_with_points_and_brackets(parts: list[str | int], text: str) -> None:
    assert key_path(parts) == text
