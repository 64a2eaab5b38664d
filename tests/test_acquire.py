"""Acquiring the text: what is written, and what is asked before anything starts."""

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from unrolled.config.sections import CorpusConfig
from unrolled.corpus.files import sha256_of_folder
from unrolled.errors import ConfigError, DataError
from unrolled.stages import acquire


def test_documentation_is_a_file_for_each_module_with_a_blank_line_between_paragraphs(
    tmp_path: Path,
) -> None:
    config = _config(source="documentation", packages=["click"])

    acquire.run(config, None, tmp_path / "raw")

    text = (tmp_path / "raw/click/core.txt").read_text(encoding="utf-8")
    assert "\n\n" in text
    assert "\n\n\n" not in text


def test_documentation_is_the_same_bytes_again(tmp_path: Path) -> None:
    config = _config(source="documentation", packages=["click"])

    for name in ("first", "second"):
        acquire.run(config, None, tmp_path / name)

    assert sha256_of_folder(tmp_path / "first") == sha256_of_folder(tmp_path / "second")


def test_a_file_is_copied_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "my text.txt").write_bytes(b"One.\r\n\r\nTwo.\n")
    config = _config(source="path", path=str(tmp_path / "my text.txt"))

    acquire.run(config, None, tmp_path / "raw")

    assert (tmp_path / "raw/my text.txt").read_bytes() == b"One.\r\n\r\nTwo.\n"
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == ["raw"]


def test_a_download_is_copied_into_the_folder(tmp_path: Path) -> None:
    (tmp_path / "fetched").write_bytes(b"One.\r\n")
    config = _config(source="url", url="https://example.org/a", size=6, sha256="a" * 64)

    acquire.run(config, tmp_path / "fetched", tmp_path / "raw")

    assert (tmp_path / "raw/download.txt").read_bytes() == b"One.\r\n"


def test_a_file_of_another_checksum_is_refused_and_nothing_is_left(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"One.\n")
    config = _config(source="path", path=str(tmp_path / "a.txt"), sha256="0" * 64)
    found = hashlib.sha256(b"One.\n").hexdigest()

    with pytest.raises(DataError, match=found):
        acquire.run(config, None, tmp_path / "raw")

    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt"]


def test_an_earlier_text_outlives_a_failure(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw/old.txt").write_text("Old.")
    config = _config(source="path", path=str(tmp_path / "nowhere.txt"))

    with pytest.raises(DataError, match=r"nowhere\.txt"):
        acquire.run(config, None, tmp_path / "raw")

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


# What the text depends on


def test_the_documentation_depends_on_its_packages_alone() -> None:
    plain = _config(source="documentation", packages=["click"])
    noted = replace(plain, licence="BSD", path="./texts/", column="body", size=3)

    assert acquire.origin(plain) == acquire.origin(noted)
    assert acquire.origin(plain) != acquire.origin(replace(plain, packages=["jinja2"]))


def test_another_version_of_a_package_is_another_origin(monkeypatch: pytest.MonkeyPatch) -> None:
    config = _config(source="documentation", packages=["click"])
    installed = acquire.origin(config)

    monkeypatch.setattr(acquire, "package_versions", lambda packages: {"click": "0.1"})

    assert acquire.origin(config) != installed


def test_a_file_of_another_size_is_another_origin(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("One.")
    config = _config(source="path", path=str(tmp_path))
    before = acquire.origin(config)

    (tmp_path / "a.txt").write_text("One, two.")

    assert acquire.origin(config) != before
    assert acquire.origin(replace(config, licence="CC0")) == acquire.origin(config)


def test_a_download_depends_on_its_checksum_alone() -> None:
    config = _config(source="url", url="https://example.org/a", size=3, sha256="a" * 64)
    moved = replace(config, url="https://example.org/b", licence="CC0")

    assert acquire.origin(moved) == acquire.origin(config)
    assert acquire.origin(replace(config, sha256="b" * 64)) != acquire.origin(config)


def _config(**values: Any) -> CorpusConfig:
    """A corpus section whose other keys are null."""
    empty = dict.fromkeys(("path", "column", "url", "size", "sha256", "licence"))
    return CorpusConfig(**{**empty, "packages": [], **values})
