"""Fetch one file from the web: the file that was asked for, or none.

Its addresses are asked in turn, each of them several times for what may pass. What has come of it
stays beside its place as a hidden part until the file is whole, so that a transfer which broke off
goes on from there: at the next attempt, at the next address, and after a kill.
"""

import os
import re
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from time import sleep

import requests
from requests import RequestException, Response
from requests.exceptions import ChunkedEncodingError
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    wait_exception,
    wait_exponential_jitter,
)
from tqdm import tqdm
from urllib3.exceptions import HTTPError, InvalidHeader
from urllib3.util import Retry

from unrolled.corpus.sources.download_failures import (
    AddressError,
    PassingError,
    failures_told,
    innermost,
)
from unrolled.corpus.sources.web_page import BEGINNING_SIZE, web_page
from unrolled.errors import DataError
from unrolled.storage import sha256_of

CONNECT_TIMEOUT_SECONDS = 9.5
"""Above 7 s: a lost first packet is sent again after 1, 3 and 7 s (RFC 6298)."""

READ_TIMEOUT_SECONDS = 60.0
"""Of silence, not of the whole download; most proxies, too, wait a minute for a slow server."""

ATTEMPTS = 4
"""At each address. Without any network all of them are in vain: some ten seconds of waiting."""

BACK_OFF = wait_exponential_jitter(jitter=1)
"""Seconds: 1, 2, 4, and up to 1 more by chance, lest all who were cut off come back at once."""

LONGEST_WAIT_SECONDS = 300.0
"""A server that asks for more patience than this (Retry-After) is left for the next address."""

PASSING_STATUSES = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS}
"""The statuses below 500 that another attempt may mend."""

DISCONTINUING_STATUSES = {
    HTTPStatus.PARTIAL_CONTENT,
    HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
}
"""In answer to a wish for a range: another range than that, or none."""

CHUNK_SIZE = 1 << 16
"""Bytes; enough to keep Python out of the way, few enough for a smooth progress bar."""


class _DiscontinuedError(Exception):
    """The part cannot be continued with what this address sends; it must begin anew."""


@dataclass(frozen=True)
class _Wanted:
    """The file, and where it is to stand."""

    size: int
    sha256: str
    path: Path

    @property
    def part(self) -> Path:
        """What has come of the file; no output of a rule, so that it outlives a job that fails."""
        return self.path.with_name(f".{self.path.name}.part")

    def part_size(self) -> int:
        """Bytes that have come; 0 without a part."""
        return self.part.stat().st_size if self.part.exists() else 0

    def part_is_whole(self) -> bool:
        """Whether the part is the file: what is on the disk is read, not what was sent."""
        return self.part_size() == self.size and sha256_of(self.part) == self.sha256


def download(urls: Sequence[str], size: int, sha256: str, path: Path) -> None:
    """Fetch a file from the first of its http or https addresses that gives it.

    The bytes are those that were sent, with no content encoding undone. They are checked before
    they appear under `path`; what stood there stays if anything fails. The progress is shown on
    standard error.

    Args:
        urls: addresses of the same file, the first to be asked first.
        size: bytes; never more of them are written.
        sha256: of the whole file, in small hexadecimal digits.
        path: where to put it. `.NAME.part` beside it holds what has come so far; two processes at
            once would write into the same.

    Raises:
        DataError: no address gives the file. The message has a line for each of them, and says how
            to do without.
    """
    wanted = _Wanted(size, sha256, path)
    path.parent.mkdir(parents=True, exist_ok=True)
    failures: list[tuple[str, AddressError]] = []
    for url in urls:
        try:
            _fetch(url, wanted)
        except AddressError as failure:
            failures.append((url, failure))
        else:
            os.replace(wanted.part, path)
            return
    raise DataError(_message(wanted, failures))


def _fetch(url: str, wanted: _Wanted) -> None:
    """Make the part whole from one address, asked again for what may pass."""
    retrying = Retrying(
        stop=stop_after_attempt(ATTEMPTS),
        wait=BACK_OFF + wait_exception(_seconds_asked_for),
        retry=retry_if_exception_type(PassingError),
        before_sleep=_tell,
        sleep=sleep,
        reraise=True,
    )
    retrying(_attempt, url, wanted)


def _seconds_asked_for(error: BaseException) -> float:
    return error.wait_seconds if isinstance(error, PassingError) else 0.0


def _tell(state: RetryCallState) -> None:
    url, problem = state.args[0], state.outcome and state.outcome.exception()
    line = f"{url} {problem}; asked again in {state.upcoming_sleep:.0f} s"
    tqdm.write(line, file=sys.stderr)


def _attempt(url: str, wanted: _Wanted) -> None:
    """Make the part whole by one request; by another, from the first byte, if it is discontinued.

    Raises:
        AddressError: the part is not whole. It is gone if it is the wrong file, else it stays.
    """
    try:
        if wanted.part_is_whole():  # a kill may come between the last byte and the new name
            return
        if 0 < wanted.part_size() < wanted.size:
            with suppress(_DiscontinuedError):
                _transfer(url, wanted, wanted.part_size())
                return
        _transfer(url, wanted, 0)
    except (requests.ConnectionError, requests.Timeout, ChunkedEncodingError) as error:
        reached = not isinstance(error, requests.ConnectionError)
        raise PassingError(f"cannot be downloaded: {innermost(error)}", reached=reached) from None
    except RequestException as error:
        raise AddressError(f"cannot be downloaded: {innermost(error)}") from None
    except HTTPError as error:
        received = f"{wanted.part_size()} of {wanted.size} bytes"
        raise PassingError(f"breaks off after {received}: {innermost(error)}") from None


def _transfer(url: str, wanted: _Wanted, start: int) -> None:
    """Make the part whole by one request for the bytes from `start` on."""
    with _response(url, start) as response:
        start = _agreed_start(response, wanted, start)
        received = _receive(response, wanted, start)
        if received == wanted.size and wanted.part_is_whole():
            return
        problem = _problem(wanted, received)
        if start:
            raise PassingError(problem) if received < wanted.size else _DiscontinuedError
        page = _page(response, _beginning_of(wanted.part))
        if received < wanted.size and not page and "Transfer-Encoding" not in response.headers:
            # Neither a length nor chunks: a lost connection looks like the end.
            raise PassingError(problem)
    wanted.part.unlink()
    raise AddressError(page or problem)


def _response(url: str, start: int) -> Response:
    headers = {"Accept-Encoding": "identity"}  # the checksum is of the file, not of its gzip
    if start:
        headers["Range"] = f"bytes={start}-"
    timeout = (CONNECT_TIMEOUT_SECONDS, READ_TIMEOUT_SECONDS)
    return requests.get(url, headers=headers, stream=True, timeout=timeout)


def _agreed_start(response: Response, wanted: _Wanted, start: int) -> int:
    """The byte at which the answer begins: `start`, or 0 if the server knows no ranges.

    Raises:
        AddressError: it is not an answer to be received.
        _DiscontinuedError: the server has no such range, or sends another one.
    """
    status = response.status_code
    if start and status == HTTPStatus.PARTIAL_CONTENT and _continues(response, wanted, start):
        return start
    if start and status in DISCONTINUING_STATUSES:
        raise _DiscontinuedError
    if status != HTTPStatus.OK:
        raise _refusal(response)
    stated = response.raw.length_remaining  # None if it is not stated
    if stated not in (None, wanted.size):
        problem = f"sends {stated} bytes; expected {wanted.size} (corpus.size)"
        raise AddressError(_page(response, _beginning(response)) or problem)
    return 0


def _continues(response: Response, wanted: _Wanted, start: int) -> bool:
    """Whether the range sent begins where the part ends, in a file of the right size."""
    stated = response.headers.get("Content-Range", "")
    return re.fullmatch(rf"bytes {start}-\d+/({wanted.size}|\*)", stated.strip()) is not None


def _refusal(response: Response) -> AddressError:
    """What is to be said of a status other than 200."""
    problem = f"answers with HTTP status {response.status_code}; expected 200"
    if response.status_code < 500 and response.status_code not in PASSING_STATUSES:
        return AddressError(problem)
    wait_seconds = 0.0
    with suppress(InvalidHeader, ValueError, OverflowError):  # a date may be no date
        wait_seconds = Retry().get_retry_after(response.raw) or 0.0
    if wait_seconds > LONGEST_WAIT_SECONDS:
        return AddressError(f"{problem}, and asks to be left alone for {wait_seconds:.0f} s")
    return PassingError(problem, wait_seconds)


def _receive(response: Response, wanted: _Wanted, start: int) -> int:
    """The size that the part would have with every byte received. None is written beyond the size
    wanted, and no chunk is asked for after the first byte too many.
    """
    received = start
    with (
        wanted.part.open("r+b" if start else "wb") as file,
        tqdm(total=wanted.size, initial=start, desc="download", unit="B", unit_scale=True) as bar,
    ):
        file.seek(start)
        for chunk in response.raw.stream(CHUNK_SIZE, decode_content=False):
            bar.update(file.write(chunk[: wanted.size - received]))
            received += len(chunk)
            if received > wanted.size:
                break
        file.flush()
        os.fsync(file.fileno())
    return received


def _problem(wanted: _Wanted, received: int) -> str:
    """What is wrong with all that was sent."""
    if received > wanted.size:
        return f"sends more than {wanted.size} bytes; expected {wanted.size} (corpus.size)"
    if received < wanted.size:
        return f"sends {received} bytes; expected {wanted.size} (corpus.size)"
    found = sha256_of(wanted.part)
    return f"has the sha256 {found}; expected {wanted.sha256} (corpus.sha256)"


def _page(response: Response, beginning: bytes) -> str | None:
    return web_page(beginning, response.headers.get("Content-Type", ""))


def _beginning(response: Response) -> bytes:
    """The first bytes of an answer, as many as come."""
    with suppress(HTTPError):
        return bytes(response.raw.read(BEGINNING_SIZE, decode_content=False))
    return b""


def _beginning_of(part: Path) -> bytes:
    with part.open("rb") as file:
        return file.read(BEGINNING_SIZE)


def _message(wanted: _Wanted, failures: Sequence[tuple[str, AddressError]]) -> str:
    """What each address gave, in a line each, what is wanted and how to do without the web."""
    lines = failures_told(failures, ATTEMPTS)
    lines.append(f"Wanted: {wanted.size} bytes with the sha256 {wanted.sha256}")
    if 0 < (received := wanted.part_size()) < wanted.size:
        lines.append(f"Received and kept, to be continued by the next run: {received} bytes")
    lines.append(
        f"By hand: put the file at {wanted.path.absolute()}, or give it as corpus.path"
        " (with corpus.source: path)"
    )
    return "\n".join(lines)
