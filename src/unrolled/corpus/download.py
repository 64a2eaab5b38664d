"""Fetch one file from the web: the file that was asked for, or none."""

import hashlib
from http import HTTPStatus
from pathlib import Path
from typing import BinaryIO

import requests
from requests import RequestException, Response
from tqdm import tqdm
from urllib3.exceptions import HTTPError

from unrolled.errors import DataError
from unrolled.storage import new_file

CONNECT_TIMEOUT_SECONDS = 9.5
"""Above 7 s: a lost first packet is sent again after 1, 3 and 7 s (RFC 6298)."""

READ_TIMEOUT_SECONDS = 60.0
"""Of silence, not of the whole download; most proxies, too, wait a minute for a slow server."""

CHUNK_SIZE = 1 << 16
"""Bytes; enough to keep Python out of the way, few enough for a smooth progress bar."""


def download(url: str, size: int, sha256: str, path: Path) -> None:
    """Fetch the file at an http or https address, its progress shown on standard error.

    The bytes are those that were sent, with no content encoding undone. They are checked before
    they appear under `path`; what stood there stays if anything fails.

    Raises:
        DataError: no connection, a time-out, an HTTP status other than 200, or another size or
            checksum than stated.
    """
    try:
        with _response(url) as response, new_file(path) as file:
            _require_success(url, response)
            found = _receive(url, response, size, file)
            if found != sha256:
                raise DataError(f"{url} has the sha256 {found}; expected {sha256} (corpus.sha256)")
    except (RequestException, HTTPError) as error:
        raise DataError(
            f"{url} cannot be downloaded: {_innermost(error)}; expected {size} bytes (corpus.size)"
        ) from None


def _response(url: str) -> Response:
    return requests.get(
        url,
        headers={"Accept-Encoding": "identity"},  # the checksum is of the file, not of its gzip
        stream=True,
        timeout=(CONNECT_TIMEOUT_SECONDS, READ_TIMEOUT_SECONDS),
    )


def _require_success(url: str, response: Response) -> None:
    if response.status_code != HTTPStatus.OK:
        raise DataError(f"{url} answers with HTTP status {response.status_code}; expected 200")


def _receive(url: str, response: Response, size: int, file: BinaryIO) -> str:
    """The checksum of the bytes received, which are exactly `size` many."""
    digest = hashlib.sha256()
    received = 0
    with tqdm(total=size, desc="download", unit="B", unit_scale=True) as progress:
        for chunk in response.raw.stream(CHUNK_SIZE, decode_content=False):
            received += len(chunk)
            if received > size:
                raise DataError(
                    f"{url} sends more than {size} bytes; expected {size} (corpus.size)"
                )
            file.write(chunk)
            digest.update(chunk)
            progress.update(len(chunk))
    if received < size:
        raise DataError(f"{url} sends {received} bytes; expected {size} (corpus.size)")
    return digest.hexdigest()


def _innermost(error: BaseException) -> str:
    """The cause in one line; the errors that requests wraps around it are longer and say less."""
    while error.__context__ is not None:
        error = error.__context__
    return " ".join(str(error).split()) or type(error).__name__
