"""Acquiring the text: what is written, and what is asked before anything starts."""

import hashlib
from pathlib import Path
from typing import Any

import pytest

from unrolled.config.sections import CorpusConfig
from unrolled.errors import ConfigError, DataError
from unrolled.stages import acquire
from unrolled.storage import read_json


def test_documentation_is_a_file_for_each_module_with_a_blank_line_between_paragraphs(
    tmp_path: Path,
) -> None:
    config = _config(source="documentation", packages=["click"])

    acquire.run(config, None, tmp_path / "raw", tmp_path / "provenance.json")

    text = (tmp_path / "raw/click/core.txt").read_text(encoding="utf-8")
    assert "\n\n" in text
    assert "\n\n\n" not in text


def test_provenance_of_documentation_names_versions_licences_and_checksum(tmp_path: Path) -> None:
    config = _config(source="documentation", packages=["click", "jinja2"])

    acquire.run(config, None, tmp_path / "raw", tmp_path / "provenance.json")

    record = read_json(tmp_path / "provenance.json")
    assert list(record["packages"]) == ["click", "jinja2"]
    assert record["licence"].startswith("click: BSD-3-Clause; jinja2: ")
    assert len(record["sha256"]) == 64
    assert record["files"] == sum(1 for path in (tmp_path / "raw").rglob("*.txt"))


def test_documentation_is_the_same_bytes_again(tmp_path: Path) -> None:
    config = _config(source="documentation", packages=["click"])

    checksums = set()
    for name in ("first", "second"):
        acquire.run(config, None, tmp_path / name, tmp_path / f"{name}.json")
        checksums.add(read_json(tmp_path / f"{name}.json")["sha256"])

    assert len(checksums) == 1


def test_a_file_is_copied_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "my text.txt").write_bytes(b"One.\r\n\r\nTwo.\n")
    config = _config(source="path", path=str(tmp_path / "my text.txt"), licence="CC0")

    acquire.run(config, None, tmp_path / "raw", tmp_path / "provenance.json")

    assert (tmp_path / "raw/my text.txt").read_bytes() == b"One.\r\n\r\nTwo.\n"
    assert read_json(tmp_path / "provenance.json")["licence"] == "CC0"


def test_a_file_of_another_checksum_is_refused_and_nothing_is_left(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"One.\n")
    config = _config(source="path", path=str(tmp_path / "a.txt"), sha256="0" * 64)
    found = hashlib.sha256(b"One.\n").hexdigest()

    with pytest.raises(DataError, match=found):
        acquire.run(config, None, tmp_path / "raw", tmp_path / "provenance.json")

    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt"]


def test_an_earlier_text_outlives_a_failure(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw/old.txt").write_text("Old.")
    config = _config(source="path", path=str(tmp_path / "nowhere.txt"))

    with pytest.raises(DataError, match=r"nowhere\.txt"):
        acquire.run(config, None, tmp_path / "raw", tmp_path / "provenance.json")

    assert (tmp_path / "raw/old.txt").read_text() == "Old."


def test_sources_are_the_files_that_the_text_is_made_from(tmp_path: Path) -> None:
    for name in ("b.txt", "a.txt", "notes.md"):
        (tmp_path / name).write_text("Some text.")

    files = acquire.sources(_config(source="path", path=str(tmp_path)))

    assert [file.name for file in files] == ["a.txt", "b.txt"]


def test_a_package_that_is_not_installed_is_named_before_anything_starts() -> None:
    with pytest.raises(ConfigError, match=r"corpus\.packages\[1\].*'nunpy'"):
        acquire.sources(_config(source="documentation", packages=["numpy", "nunpy"]))


def test_a_missing_column_is_named_with_those_that_are_there(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("text,author\nhello,me\n")
    config = _config(source="path", path=str(tmp_path / "t.csv"), column="body")

    with pytest.raises(DataError, match=r"(?s)body.*text.*author|text.*author.*body"):
        acquire.sources(config)


def _config(**values: Any) -> CorpusConfig:
    """A corpus section whose other keys are null."""
    empty = dict.fromkeys(("path", "column", "url", "size", "sha256", "licence"))
    return CorpusConfig(**{**empty, "packages": [], **values})
