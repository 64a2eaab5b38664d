"""Bring the text here, as it is."""

import os
import shutil
from pathlib import Path
from typing import Any

from unrolled.config.sections import CorpusConfig, GrammarConfig
from unrolled.corpus.documentation import package_versions, read_documentation
from unrolled.corpus.files import copy_files, input_files, verify
from unrolled.corpus.grammar import GRAMMAR_FILE, grammar_text
from unrolled.corpus.languages import language
from unrolled.storage import new_folder, write_text


def sources(config: CorpusConfig, grammar: GrammarConfig) -> list[Path]:
    """The user's own files that the text comes from, there and with the column asked for.

    Asked before anything starts, so that a wrong path costs no earlier result.

    Raises:
        ConfigError, DataError: a package, file or column is missing, a file is empty, or a grammar
            is not sound.
    """
    if config.source == "grammar":
        language(grammar)
        return [Path(grammar.path)] if grammar.language == "file" and grammar.path else []
    if config.source == "documentation":
        package_versions(config.packages)
    if config.source != "path" or config.path is None:
        return []
    return input_files(config.path, config.column)


def origin(config: CorpusConfig, grammar: GrammarConfig) -> dict[str, Any]:
    """What the text depends on, and nothing else: a licence that is noted does not change it."""
    if config.source == "documentation":
        return {"packages": package_versions(config.packages)}
    if config.source == "url":
        return {"sha256": config.sha256}
    if config.source == "grammar":
        return {"grammar": grammar_text(language(grammar))}
    sizes = {str(file): file.stat().st_size for file in sources(config, grammar)}
    return {"files": sizes, "size": config.size, "sha256": config.sha256}


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
            path = os.fspath(config.path or "")
            verify(Path(path), config.size, config.sha256)
            copy_files(path, config.column, folder)
        elif config.source == "grammar":
            write_text(folder / GRAMMAR_FILE, grammar_text(language(grammar)))
        else:
            shutil.copyfile(downloaded or "", folder / "download.txt")


def _write_documentation(config: CorpusConfig, folder: Path) -> None:
    for document in read_documentation(config.packages):
        path = folder / f"{document.name.removesuffix('.py')}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        paragraphs = document.text.replace("\n", "\n\n")  # a blank line ends a paragraph
        path.write_text(f"{paragraphs}\n", encoding="utf-8", newline="\n")
