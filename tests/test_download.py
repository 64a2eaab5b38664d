"""Downloads from a server on this machine that misbehaves in every way a test asks for."""

import gzip
import hashlib
import re
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from unrolled.corpus import download as module
from unrolled.corpus.download import download
from unrolled.errors import DataError

TEXT = b"It was the best of times, it was the worst of times.\n"
SIZE = len(TEXT)
SHA256 = hashlib.sha256(TEXT).hexdigest()
NO_HEADERS: Mapping[str, str] = {}
RELEASED = threading.Event()
"""Ends the silence of /silent once a test is over."""


class Handler(BaseHTTPRequestHandler):
    """Answers by path; any other is 404."""

    def do_GET(self) -> None:
        match self.path:
            case "/text":
                self.answer(TEXT)
            case "/moved":
                self.answer(b"", status=301, headers={"Location": "/text"})
            case "/truncated":
                self.answer(TEXT[:20], length=SIZE)
            case "/unmeasured":
                self.answer(TEXT[:20], length=None)
            case "/gzip":
                self.answer(gzip.compress(TEXT, mtime=0), headers={"Content-Encoding": "gzip"})
            case "/encodings":
                self.answer(self.headers["Accept-Encoding"].encode())
            case "/silent":
                self.answer(b"", length=SIZE)
                RELEASED.wait(timeout=10)
            case _:
                self.send_error(404)

    def answer(
        self,
        body: bytes,
        status: int = 200,
        length: int | None = -1,
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> None:
        """A response; -1 stands for the body's own length, None for no length at all."""
        self.send_response(status)
        if length is not None:
            self.send_header("Content-Length", str(len(body) if length == -1 else length))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: standard error is the progress bar's."""


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The server's address, reached without a proxy."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    RELEASED.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        RELEASED.set()
        server.shutdown()
        thread.join()


def assert_refused(
    url: str, path: Path, problem: str, size: int = SIZE, sha256: str = SHA256
) -> None:
    """One line that begins with the address and goes on with the problem; the folder as it was."""
    path.write_bytes(b"earlier")

    with pytest.raises(DataError, match=f"^{re.escape(url)} {problem}") as caught:
        download(url, size, sha256, path)

    assert "\n" not in str(caught.value)
    assert path.read_bytes() == b"earlier"
    assert list(path.parent.iterdir()) == [path]


def test_a_download_is_the_bytes_that_were_sent(address: str, tmp_path: Path) -> None:
    path = tmp_path / "raw text" / "times.txt"

    download(f"{address}/text", SIZE, SHA256, path)

    assert path.read_bytes() == TEXT
    assert list(path.parent.iterdir()) == [path]


def test_a_download_takes_the_place_of_an_earlier_file(address: str, tmp_path: Path) -> None:
    path = tmp_path / "times.txt"
    path.write_bytes(b"earlier")

    download(f"{address}/text", SIZE, SHA256, path)

    assert path.read_bytes() == TEXT


def test_a_download_follows_an_address_that_moved(address: str, tmp_path: Path) -> None:
    download(f"{address}/moved", SIZE, SHA256, tmp_path / "times.txt")

    assert (tmp_path / "times.txt").read_bytes() == TEXT


def test_progress_in_bytes_goes_to_standard_error(
    address: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    download(f"{address}/text", SIZE, SHA256, tmp_path / "times.txt")

    shown = capfd.readouterr()
    assert shown.out == ""
    assert f"{SIZE}.0/{SIZE}.0" in shown.err
    assert "B/s" in shown.err


def test_a_download_asks_for_no_content_encoding(address: str, tmp_path: Path) -> None:
    answer = b"identity"

    download(
        f"{address}/encodings", len(answer), hashlib.sha256(answer).hexdigest(), tmp_path / "answer"
    )

    assert (tmp_path / "answer").read_bytes() == answer


def test_a_content_encoding_sent_all_the_same_is_not_undone(address: str, tmp_path: Path) -> None:
    packed = gzip.compress(TEXT, mtime=0)

    download(
        f"{address}/gzip", len(packed), hashlib.sha256(packed).hexdigest(), tmp_path / "times.gz"
    )

    assert (tmp_path / "times.gz").read_bytes() == packed


def test_an_http_status_other_than_200_is_refused(address: str, tmp_path: Path) -> None:
    assert_refused(
        f"{address}/missing", tmp_path / "times.txt", "answers with HTTP status 404; expected 200"
    )


def test_a_body_that_breaks_off_is_refused(address: str, tmp_path: Path) -> None:
    # 20 of 53 bytes came, so 33 are missing.
    assert_refused(
        f"{address}/truncated",
        tmp_path / "times.txt",
        r"cannot be downloaded: .*20 bytes read, 33 more expected.*; expected 53 bytes",
    )


def test_a_body_of_no_stated_length_that_is_too_short_is_refused(
    address: str, tmp_path: Path
) -> None:
    assert_refused(
        f"{address}/unmeasured",
        tmp_path / "times.txt",
        r"sends 20 bytes; expected 53 \(corpus.size\)",
    )


def test_a_body_shorter_than_the_size_is_refused(address: str, tmp_path: Path) -> None:
    assert_refused(
        f"{address}/text", tmp_path / "times.txt", "sends 53 bytes; expected 54", size=SIZE + 1
    )


def test_a_body_longer_than_the_size_is_refused(address: str, tmp_path: Path) -> None:
    assert_refused(
        f"{address}/text",
        tmp_path / "times.txt",
        "sends more than 52 bytes; expected 52",
        size=SIZE - 1,
    )


def test_a_download_stops_at_the_first_byte_too_many(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "CHUNK_SIZE", 10)

    assert_refused(f"{address}/text", tmp_path / "times.txt", "sends more than 10 bytes", size=10)

    # One chunk was taken; the second was one too many, and the other four were never asked for.
    assert "10.0/10.0" in capfd.readouterr().err


def test_another_checksum_is_refused(address: str, tmp_path: Path) -> None:
    other = "0" * 64

    assert_refused(
        f"{address}/text",
        tmp_path / "times.txt",
        f"has the sha256 {SHA256}; expected {other}",
        sha256=other,
    )


def test_a_refused_connection_is_one_line(address: str, tmp_path: Path) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as closed:
        url = f"http://127.0.0.1:{closed.server_port}/text"

    assert_refused(
        url, tmp_path / "times.txt", "cannot be downloaded: .*refused; expected 53 bytes"
    )


def test_a_server_that_falls_silent_is_given_up(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "READ_TIMEOUT_SECONDS", 0.1)

    assert_refused(f"{address}/silent", tmp_path / "times.txt", "cannot be downloaded: timed out")


def test_an_address_that_is_not_http_is_refused(tmp_path: Path) -> None:
    assert_refused("ftp://127.0.0.1/text", tmp_path / "times.txt", "cannot be downloaded: No conn")
