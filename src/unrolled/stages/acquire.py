"""Bring the text here, as it is."""

from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote

from unrolled.config.corpus_sections import CorpusConfig, GrammarConfig
from unrolled.corpus.grammars.grammar import GRAMMAR_FILE, grammar_text
from unrolled.corpus.grammars.languages import language
from unrolled.corpus.reading.encodings import check_encoding
from unrolled.corpus.sources.bringing import bring, bring_files
from unrolled.corpus.sources.documentation import package_versions, read_documentation
from unrolled.corpus.sources.files import (
    base_folder,
    found_files,
    given_patterns,
    input_files,
    verify,
)
from unrolled.storage import new_folder, write_text

MOST_NAME_BYTES = 200
"""A longer name of a download is not taken. File systems take 255, drafts have longer names."""


def sources(config: CorpusConfig, grammar: GrammarConfig) -> list[Path]:
    """The user's own files that the text comes from, there and with what is asked for in them.

    Asked before anything starts, so that a wrong path costs no earlier result.

    Raises:
        ConfigError, DataError: a package, file or column is missing, a file is empty, or a grammar
            is not sound.
    """
    for encoding in config.encodings:
        check_encoding(encoding)
    if config.source == "grammar":
        language(grammar)
        return [Path(grammar.path)] if grammar.language == "file" and grammar.path else []
    if config.source == "documentation":
        package_versions(config.packages)
    return input_files(config) if config.source == "path" else []


def origin(config: CorpusConfig, grammar: GrammarConfig) -> dict[str, Any]:
    """What the text depends on, and nothing else: a licence that is noted does not change it."""
    if config.source == "documentation":
        return {"packages": package_versions(config.packages)}
    if config.source == "grammar":
        return {"grammar": grammar_text(language(grammar))}
    taken = {"sha256": config.sha256, "wanted": sorted(given_patterns(config)) or config.form}
    if config.source == "url":
        return {"name": _downloaded_name(config.urls), **taken}
    sizes = {str(file): file.stat().st_size for file in found_files(config)}
    return {"below": str(base_folder(config)), "sizes": sizes, "size": config.size, **taken}


def run(
    config: CorpusConfig,
    grammar: GrammarConfig,
    downloaded: Path | str | None,
    raw: Path | str,
) -> None:
    """Fill the folder `raw` with the text, or with the grammar that is to bring it forth.

    Args:
        config: what to acquire.
        grammar: which grammar, for source `grammar`.
        downloaded: where the download rule has put the file, for source `url`.
        raw: the folder to make.

    Raises:
        ConfigError, DataError: the source is not there or not what the configuration says.
    """
    with new_folder(raw) as folder:
        if config.source == "documentation":
            _write_documentation(config, folder)
        elif config.source == "path":
            verify(Path(config.path or ""), config.size, config.sha256)
            bring_files(config, folder)
        elif config.source == "grammar":
            write_text(folder / GRAMMAR_FILE, grammar_text(language(grammar)))
        else:
            file = Path(downloaded or "")
            verify(file, config.size, config.sha256)  # it may have been put there by hand
            bring(file, folder, _downloaded_name(config.urls), "", config)


def _downloaded_name(urls: Sequence[str]) -> str:
    """What a file of these addresses is called: as in the first one, if a file may be named so."""
    address = urls[0].partition("?")[0].partition("#")[0]
    _, _, path = address.partition("://")[2].partition("/")
    name = PurePosixPath(unquote(path)).name
    is_plain = name.isprintable() and not name.startswith(".")
    return name if name and is_plain and len(name.encode()) <= MOST_NAME_BYTES else "download"


def _write_documentation(config: CorpusConfig, folder: Path) -> None:
    for document in read_documentation(config.packages):
        path = folder / f"{document.name.removesuffix('.py')}.txt"
        paragraphs = document.text.replace("\n", "\n\n")  # a blank line ends a paragraph
        write_text(path, f"{paragraphs}\n")
