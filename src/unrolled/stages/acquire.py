"""Bring the text here, as it is, and note where it came from."""

import importlib.metadata
import platform
import shutil
from datetime import UTC, datetime
from pathlib import Path

from unrolled.config.sections import CorpusConfig
from unrolled.corpus.documentation import package_versions, read_documentation
from unrolled.corpus.files import (
    check_column,
    copy_files,
    input_files,
    sha256_of_folder,
    verify,
)
from unrolled.storage import new_folder, write_json


def sources(config: CorpusConfig) -> list[Path]:
    """The user's own files that the text comes from, there and with the column asked for.

    Asked before anything starts, so that a wrong path costs no earlier result.

    Raises:
        ConfigError, DataError: a package, file or column is missing, or a file is empty.
    """
    versions(config)
    if config.source != "path" or config.path is None:
        return []
    files = input_files(config.path)
    if config.column is not None:
        for file in files:
            check_column(file, config.column)
    return files


def versions(config: CorpusConfig) -> dict[str, str]:
    """The versions of the packages whose documentation is read; none for other sources."""
    return package_versions(config.packages) if config.source == "documentation" else {}


def run(
    config: CorpusConfig, downloaded: Path | str | None, raw: Path | str, provenance: Path | str
) -> None:
    """Fill the folder `raw` with the text and write its provenance.

    Args:
        config: what to acquire.
        downloaded: where the download rule has put the file, for source `url`.
        raw: the folder to make.
        provenance: the JSON file to write.

    Raises:
        ConfigError, DataError: the source is not there or not what the configuration says.
    """
    with new_folder(raw) as folder:
        licence = _SOURCES[config.source](config, downloaded, folder)
        files = [path for path in folder.rglob("*") if path.is_file()]
        record = {
            "source": config.source,
            "packages": versions(config),
            "path": config.path if config.source == "path" else None,
            "url": config.url if config.source == "url" else None,
            "licence": config.licence or licence,
            "files": len(files),
            "bytes": sum(path.stat().st_size for path in files),
            "sha256": sha256_of_folder(folder),
            "python": platform.python_version(),
            "acquired": datetime.now(UTC).isoformat(timespec="seconds"),
        }
    write_json(provenance, record)


def _documentation(config: CorpusConfig, _: Path | str | None, folder: Path) -> str | None:
    for document in read_documentation(config.packages):
        path = folder / f"{document.name.removesuffix('.py')}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        paragraphs = document.text.replace("\n", "\n\n")  # a blank line ends a paragraph
        path.write_text(f"{paragraphs}\n", encoding="utf-8", newline="\n")
    licences = {name: _licence(name) for name in config.packages}
    return "; ".join(f"{name}: {licence}" for name, licence in licences.items())


def _path(config: CorpusConfig, _: Path | str | None, folder: Path) -> str | None:
    assert config.path is not None  # CorpusConfig sees to it
    verify(Path(config.path), config.size, config.sha256)
    copy_files(config.path, folder)
    return None


def _url(config: CorpusConfig, downloaded: Path | str | None, folder: Path) -> str | None:
    assert downloaded is not None  # the workflow sees to it
    shutil.copyfile(downloaded, folder / "download.txt")
    return None


_SOURCES = {"documentation": _documentation, "path": _path, "url": _url}
"""What fills the folder with the text of each source, and tells its licence where that is known."""


def _licence(package: str) -> str:
    """What a distribution says of its licence, in one line."""
    metadata = importlib.metadata.metadata(package).json
    stated = str(metadata.get("license_expression") or metadata.get("license") or "")
    first_line = next(iter(stated.strip().splitlines()), "")
    classifiers = [
        value.rpartition(" :: ")[2]
        for value in metadata.get("classifier", [])
        if value.startswith("License ::")
    ]
    return first_line or ", ".join(classifiers) or "not stated"
