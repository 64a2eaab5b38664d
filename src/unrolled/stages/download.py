"""Fetch one file, to be kept under its checksum and shared by experiments."""

from pathlib import Path

from unrolled.config.sections import CorpusConfig
from unrolled.corpus.download import download


def run(config: CorpusConfig, path: Path | str) -> None:
    """Put the file of `corpus.url` under `path`, its size and checksum verified.

    Raises:
        DataError: it cannot be fetched, or is not the file that the configuration names.
    """
    assert config.url and config.size and config.sha256  # CorpusConfig sees to it
    download(config.url, config.size, config.sha256, Path(path))
