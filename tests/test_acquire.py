"""Acquiring the text: what is written, and what is asked before anything starts."""

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from test_languages import CONFIG as GRAMMAR
from unrolled.config.sections import CorpusConfig
from unrolled.corpus.files import sha256_of_folder
from unrolled.corpus.grammar import read_grammar
from unrolled.corpus.languages import countdown, language
from unrolled.errors import ConfigError, DataError
from unrolled.stages import acquire


def test_documentation_is_a_file_for_each_module_with_a_blank_line_between_paragraphs(
    tmp_path: Path,
) -> None:
    config = _config(source="documentation", packages=["click"])

    acquire.run(config, GRAMMAR, None, tmp_path / "raw")

    text = (tmp_path / "raw/click/core.txt").read_text(encoding="utf-8")
    assert "\n\n" in text
    assert "\n\n\n" not in text


def test_documentation_is_the_same_bytes_again(tmp_path: Path) -> None:
    config = _config(source="documentation", packages=["click"])

    for name in ("first", "second"):
        acquire.run(config, GRAMMAR, None, tmp_path / name)

    assert sha256_of_folder(tmp_path / "first") == sha256_of_folder(tmp_path / "second")


def test_a_file_is_copied_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "my text.txt").write_bytes(b"One.\r\n\r\nTwo.\n")
    config = _config(source="path", path=str(tmp_path / "my text.txt"))

    acquire.run(config, GRAMMAR, None, tmp_path / "raw")

    assert (tmp_path / "raw/my text.txt").read_bytes() == b"One.\r\n\r\nTwo.\n"
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == ["raw"]


def test_a_download_is_copied_into_the_folder(tmp_path: Path) -> None:
    (tmp_path / "fetched").write_bytes(b"One.\r\n")
    config = _config(source="url", url="https://example.org/a", size=6, sha256="a" * 64)

    acquire.run(config, GRAMMAR, tmp_path / "fetched", tmp_path / "raw")

    assert (tmp_path / "raw/download.txt").read_bytes() == b"One.\r\n"


def test_a_file_of_another_checksum_is_refused_and_nothing_is_left(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"One.\n")
    config = _config(source="path", path=str(tmp_path / "a.txt"), sha256="0" * 64)
    found = hashlib.sha256(b"One.\n").hexdigest()

    with pytest.raises(DataError, match=found):
        acquire.run(config, GRAMMAR, None, tmp_path / "raw")

    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt"]


def test_an_earlier_text_outlives_a_failure(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw/old.txt").write_text("Old.")
    config = _config(source="path", path=str(tmp_path / "nowhere.txt"))

    with pytest.raises(DataError, match=r"nowhere\.txt"):
        acquire.run(config, GRAMMAR, None, tmp_path / "raw")

    assert (tmp_path / "raw/old.txt").read_text() == "Old."


def test_sources_are_the_files_that_the_text_is_made_from(tmp_path: Path) -> None:
    for name in ("b.txt", "a.txt", "notes.md"):
        (tmp_path / name).write_text("Some text.")

    files = acquire.sources(_config(source="path", path=str(tmp_path)), GRAMMAR)

    assert [file.name for file in files] == ["a.txt", "b.txt"]


def test_a_package_that_is_not_installed_is_named_before_anything_starts() -> None:
    with pytest.raises(ConfigError, match=r"corpus\.packages\[1\].*'nunpy'"):
        acquire.sources(_config(source="documentation", packages=["numpy", "nunpy"]), GRAMMAR)


def test_a_missing_column_is_named_with_those_that_are_there(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("text,author\nhello,me\n")
    config = _config(source="path", path=str(tmp_path / "t.csv"), column="body")

    with pytest.raises(DataError, match=r"(?s)body.*text.*author|text.*author.*body"):
        acquire.sources(config, GRAMMAR)


# Grammars

RULES = "S -> 'the' X [0.75] | 'a' X [0.25]\nX -> 'dog' [1.0]\n"


def test_a_grammar_is_written_as_its_rules(tmp_path: Path) -> None:
    acquire.run(_config(source="grammar"), GRAMMAR, None, tmp_path / "raw")

    assert [path.name for path in (tmp_path / "raw").iterdir()] == ["grammar.txt"]
    found = read_grammar(tmp_path / "raw/grammar.txt")
    assert found == countdown(GRAMMAR.markers, GRAMMAR.distances, GRAMMAR.fillers)


def test_a_users_grammar_is_written_without_what_is_not_a_rule(tmp_path: Path) -> None:
    (tmp_path / "mine.pcfg").write_text(f"# Which dog?\n\n{RULES}", encoding="utf-8")
    config = replace(GRAMMAR, language="file", path=str(tmp_path / "mine.pcfg"))

    acquire.run(_config(source="grammar"), config, None, tmp_path / "raw")

    text = (tmp_path / "raw/grammar.txt").read_text(encoding="utf-8")
    assert text == "S -> 'the' X [0.75] | 'a' X [0.25]\nX -> 'dog' [1.]\n"
    assert read_grammar(tmp_path / "raw/grammar.txt") == language(config)


def test_the_source_of_a_grammar_is_the_users_file_if_there_is_one(tmp_path: Path) -> None:
    (tmp_path / "mine.pcfg").write_text(RULES)
    path = str(tmp_path / "mine.pcfg")

    of_file, of_language = (
        acquire.sources(_config(source="grammar"), replace(GRAMMAR, language=name, path=path))
        for name in ("file", "countdown")
    )

    assert of_file == [tmp_path / "mine.pcfg"]
    assert of_language == []


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ("S -> 'a' S [0.6] | 'b' [0.4]\nX -> 'c' [1.0]\n", "'X' must be reached from 'S'"),
        ("S -> 'a' S S [0.6] | 'b' [0.4]\n", "sentences must end"),
        ("S -> 'a' [0.6] | 'b' [0.3]\n", r"mine\.pcfg: the probabilities of 'S' must add up to 1"),
        ("S -> 'a' [0.5] | 'a' S [0.5]\n", "must begin with different words"),
        ("S -> \n", "must begin with a word"),
        ("S dog\n", r"mine\.pcfg: Unable to parse"),
    ],
)
def test_a_grammar_that_is_not_sound_is_refused_before_anything_starts(
    rules: str, said: str, tmp_path: Path
) -> None:
    (tmp_path / "mine.pcfg").write_text(rules)
    config = replace(GRAMMAR, language="file", path=str(tmp_path / "mine.pcfg"))

    with pytest.raises(ConfigError, match=said):
        acquire.sources(_config(source="grammar"), config)


def test_a_language_with_too_many_symbols_is_refused_before_anything_starts() -> None:
    with pytest.raises(ConfigError, match=r"^grammar\.markers and grammar\.distances must make"):
        acquire.sources(_config(source="grammar"), replace(GRAMMAR, markers=1000))


def test_a_grammar_that_is_not_there_is_named_before_anything_starts(tmp_path: Path) -> None:
    config = replace(GRAMMAR, language="file", path=str(tmp_path / "mine.pcfg"))

    with pytest.raises(DataError, match=r"mine\.pcfg cannot be read"):
        acquire.sources(_config(source="grammar"), config)


@pytest.mark.parametrize(
    ("agreement", "missing"), [({"barks": "the"}, "barks"), ({"dog": "an"}, "an")]
)
def test_agreement_of_a_word_that_the_grammar_has_not_is_refused_before_anything_starts(
    agreement: dict[str, str], missing: str, tmp_path: Path
) -> None:
    (tmp_path / "mine.pcfg").write_text(RULES)
    path = str(tmp_path / "mine.pcfg")
    config = replace(GRAMMAR, language="file", path=path, agreement=agreement)

    with pytest.raises(ConfigError, match=rf"^grammar\.agreement must name .*no '{missing}' there"):
        acquire.sources(_config(source="grammar"), config)


def test_no_grammar_is_looked_at_where_the_text_comes_from_elsewhere(tmp_path: Path) -> None:
    config = replace(GRAMMAR, language="file", path=str(tmp_path / "nowhere.pcfg"))

    assert acquire.sources(_config(source="documentation", packages=["click"]), config) == []


# What the text depends on


@pytest.mark.parametrize(
    "change", [{"markers": 3}, {"distances": [1, 2]}, {"fillers": 5}, {"language": "geometric"}]
)
def test_other_rules_are_another_origin(change: dict[str, Any]) -> None:
    config = _config(source="grammar")

    assert acquire.origin(config, replace(GRAMMAR, **change)) != acquire.origin(config, GRAMMAR)


def test_how_many_sentences_are_drawn_and_by_which_seed_does_not_change_the_origin() -> None:
    config = _config(source="grammar")
    more = replace(
        GRAMMAR, training_sentences=20, validation_sentences=30, test_sentences=40, seed=2
    )
    # what the countdown does not ask for
    other = replace(more, stop_probability=0.5, cue=True, path="my.pcfg", agreement={"b": "a"})

    assert acquire.origin(config, other) == acquire.origin(config, GRAMMAR)
    assert acquire.origin(replace(config, licence="CC0"), GRAMMAR) == acquire.origin(config, other)


def test_a_users_other_rules_are_another_origin_and_other_comments_are_not(tmp_path: Path) -> None:
    path, config = tmp_path / "mine.pcfg", _config(source="grammar")
    grammar = replace(GRAMMAR, language="file", path=str(path))
    origins = []
    for rules in (
        RULES,
        f"# A remark.\n{RULES}",
        RULES.replace("0.75", "0.5").replace("0.25", "0.5"),
    ):
        path.write_text(rules)
        origins.append(acquire.origin(config, grammar))

    assert origins[0] == origins[1]
    assert origins[0] != origins[2]


def test_the_documentation_depends_on_its_packages_alone() -> None:
    plain = _config(source="documentation", packages=["click"])
    noted = replace(plain, licence="BSD", path="./texts/", column="body", size=3)

    assert acquire.origin(plain, GRAMMAR) == acquire.origin(noted, GRAMMAR)
    assert acquire.origin(plain, GRAMMAR) != acquire.origin(
        replace(plain, packages=["jinja2"]), GRAMMAR
    )


def test_another_version_of_a_package_is_another_origin(monkeypatch: pytest.MonkeyPatch) -> None:
    config = _config(source="documentation", packages=["click"])
    installed = acquire.origin(config, GRAMMAR)

    monkeypatch.setattr(acquire, "package_versions", lambda packages: {"click": "0.1"})

    assert acquire.origin(config, GRAMMAR) != installed


def test_a_file_of_another_size_is_another_origin(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("One.")
    config = _config(source="path", path=str(tmp_path))
    before = acquire.origin(config, GRAMMAR)

    (tmp_path / "a.txt").write_text("One, two.")

    assert acquire.origin(config, GRAMMAR) != before
    assert acquire.origin(replace(config, licence="CC0"), GRAMMAR) == acquire.origin(
        config, GRAMMAR
    )


def test_a_download_depends_on_its_checksum_alone() -> None:
    config = _config(source="url", url="https://example.org/a", size=3, sha256="a" * 64)
    moved = replace(config, url="https://example.org/b", licence="CC0")

    assert acquire.origin(moved, GRAMMAR) == acquire.origin(config, GRAMMAR)
    assert acquire.origin(replace(config, sha256="b" * 64), GRAMMAR) != acquire.origin(
        config, GRAMMAR
    )


def _config(**values: Any) -> CorpusConfig:
    """A corpus section whose other keys are null."""
    empty = dict.fromkeys(("path", "column", "url", "size", "sha256", "licence"))
    return CorpusConfig(**{**empty, "packages": [], **values})
