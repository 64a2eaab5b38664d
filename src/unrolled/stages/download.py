"""Fetch one file, to be kept under its checksum and shared by experiments."""

from pathlib import Path

from unrolled.config.corpus_sections import CorpusConfig
from unrolled.corpus.sources.download import download
from unrolled.errors import ConfigError


def run(config: CorpusConfig, path: Path | str) -> None:
    """Put the file of `corpus.url` under `path`, its size and checksum verified.

    Raises:
        ConfigError: the address, size or checksum is not given.
        DataError: no address gives the file that the configuration names.
    """
    if not config.urls or config.size is None or not isinstance(config.sha256, str):
        raise ConfigError("corpus.url, corpus.size and corpus.sha256 must be given for a download")
    download(config.urls, config.size, config.sha256, Path(path))
