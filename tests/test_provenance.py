"""The note of where the text came from."""

import os
from pathlib import Path
from typing import Any

import pytest

from corpus_material import corpus
from unrolled.corpus.folder import sha256_of_folder
from unrolled.stages import provenance
from unrolled.storage import read_json


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    """An acquired text of two files, 9 bytes together."""
    for name, content in (("a.txt", b"One."), ("more/b.txt", b"Two.\n")):
        (tmp_path / "raw" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "raw" / name).write_bytes(content)
    return tmp_path / "raw"


def record_of(raw: Path, **values: Any) -> dict[str, Any]:
    """What is noted of a text; keys of the corpus section that are not given are null."""
    provenance.run(corpus(**{"packages": ["click"], **values}), raw, raw.parent / "provenance.json")
    record: dict[str, Any] = read_json(raw.parent / "provenance.json")
    return record


def test_files_bytes_and_checksum_are_those_of_the_folder(raw: Path) -> None:
    record = record_of(raw, source="path", path="texts", licence="CC0")

    assert (record["files"], record["bytes"]) == (2, 9)
    assert record["sha256"] == sha256_of_folder(raw)
    assert (record["source"], record["path"], record["urls"]) == ("path", "texts", [])
    assert record["downloaded_sha256"] is None
    assert (record["licence"], record["packages"]) == ("CC0", {})


def test_documentation_is_noted_with_versions_and_licences(raw: Path) -> None:
    packages = ["click", "jinja2"]
    record = record_of(raw, source="documentation", packages=packages, path="texts", url="http://a")

    assert list(record["packages"]) == ["click", "jinja2"]
    assert record["licence"].startswith("click: BSD-3-Clause; jinja2: ")
    assert (record["path"], record["urls"]) == (None, [])


def test_a_licence_that_is_given_stands_for_those_of_the_packages(raw: Path) -> None:
    assert record_of(raw, source="documentation", licence="mine")["licence"] == "mine"


@pytest.mark.parametrize("citation", [None, "Somebody, Some Texts (2001)"])
def test_the_citation_is_noted_as_it_is(raw: Path, citation: str | None) -> None:
    assert record_of(raw, path="texts", citation=citation)["citation"] == citation


@pytest.mark.parametrize(
    ("url", "urls"),
    [
        ("https://example.org/a.zip", ["https://example.org/a.zip"]),
        (["https://a.org/a.zip", "https://b.org/a.zip"], ["https://a.org/a.zip", "https://b.org/a.zip"]),
    ],
)  # fmt: skip
def test_a_download_is_noted_with_its_addresses_and_the_checksum_of_what_was_fetched(
    raw: Path, url: str | list[str], urls: list[str]
) -> None:
    record = record_of(raw, source="url", url=url, size=9, sha256="a" * 64)

    assert (record["urls"], record["path"], record["licence"]) == (urls, None, None)
    assert record["downloaded_sha256"] == "a" * 64
    assert record["sha256"] == sha256_of_folder(raw)


def test_an_address_of_another_source_is_not_noted(raw: Path) -> None:
    record = record_of(raw, path="texts", url="https://example.org/a.zip", sha256="a" * 64)

    assert (record["urls"], record["downloaded_sha256"]) == ([], None)


def test_the_time_is_when_the_text_was_acquired_not_when_it_was_noted(raw: Path) -> None:
    os.utime(raw, (0, 86_400))

    assert record_of(raw, path="texts")["acquired"] == "1970-01-02T00:00:00+00:00"
