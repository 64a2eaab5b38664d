"""Where the text came from."""

import importlib.metadata
import platform
from datetime import UTC, datetime
from pathlib import Path

from unrolled.config.corpus_sections import OriginConfig
from unrolled.corpus.folder import files_below, sha256_of_folder
from unrolled.corpus.sources.documentation import package_versions
from unrolled.storage import write_json


def run(config: OriginConfig, raw: Path | str, provenance: Path | str) -> None:
    """Write source, versions, licence, size, checksum and time of the acquired text.

    Args:
        config: what was acquired.
        raw: the folder of the text.
        provenance: the JSON file to write.
    """
    raw = Path(raw)
    files = files_below(raw)
    acquired = datetime.fromtimestamp(raw.stat().st_mtime, UTC)
    documented = config.packages if config.source == "documentation" else []
    write_json(
        provenance,
        {
            "source": config.source,
            "packages": package_versions(documented),
            "path": config.path if config.source == "path" else None,
            "urls": config.urls if config.source == "url" else [],
            "downloaded_sha256": config.sha256 if config.source == "url" else None,
            "licence": config.licence or "; ".join(map(_licence, documented)) or None,
            "citation": config.citation,
            "files": len(files),
            "bytes": sum(path.stat().st_size for path in files),
            "sha256": sha256_of_folder(raw),
            "python": platform.python_version(),
            "acquired": acquired.isoformat(timespec="seconds"),
        },
    )


def _licence(package: str) -> str:
    """A distribution, and what it says of its licence in one line."""
    metadata = importlib.metadata.metadata(package).json
    stated = str(metadata.get("license_expression") or metadata.get("license") or "")
    first_line = next(iter(stated.strip().splitlines()), "")
    classifiers = [
        value.rpartition(" :: ")[2]
        for value in metadata.get("classifier", [])
        if value.startswith("License ::")
    ]
    return f"{package}: {first_line or ', '.join(classifiers) or 'not stated'}"
