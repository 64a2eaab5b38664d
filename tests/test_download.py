"""Downloads from a server on this machine that misbehaves in every way a test asks for."""

import gzip
import hashlib
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from unrolled.config.corpus_sections import CorpusConfig
from unrolled.corpus.sources import download as module
from unrolled.corpus.sources.download import download
from unrolled.errors import ConfigError, DataError
from unrolled.stages import download as stage

TEXT = b"It was the best of times, it was the worst of times.\n"
SIZE = len(TEXT)
SHA256 = hashlib.sha256(TEXT).hexdigest()
FAR_TEXT = TEXT * 10_000
PAGE = b"\xef\xbb\xbf \n<!DocType HTML><title>\nLog in &amp;\npay</title>"
NO_HEADERS: Mapping[str, str] = {}
RELEASED = threading.Event()
"""Ends the silence of /silent and /stalls once a test is over."""

SEEN: list[tuple[str, str | None]] = []
"""The path and the Range of every request, in their order."""


class Handler(BaseHTTPRequestHandler):
    """Answers by path; any other is 404."""

    def do_GET(self) -> None:
        SEEN.append((self.path, self.headers["Range"]))
        self.asked_before = [path for path, _ in SEEN].count(self.path) - 1
        folder = self.path.split("/")[1]
        getattr(self, f"answer_{folder}", self.answer_whole)()

    def answer_whole(self) -> None:
        """The answers that do not depend on what was asked for before, or on a range."""
        match self.path:
            case "/text":
                self.answer(TEXT)
            case "/moved":
                self.answer(b"", status=301, headers={"Location": "/text"})
            case "/unmeasured":
                self.answer(TEXT[:20], length=None)
            case "/gzip":
                self.answer(gzip.compress(TEXT, mtime=0), headers={"Content-Encoding": "gzip"})
            case "/encodings":
                self.answer(self.headers["Accept-Encoding"].encode())
            case "/silent":
                self.answer(b"", length=SIZE)
                RELEASED.wait(timeout=10)
            case "/other":
                self.answer(b"~" * SIZE)
            case "/immense":
                self.answer(b"", length=10**12)
            case "/chunked":
                self.answer_in_chunks([TEXT[:20], TEXT[20:]])
            case _:
                self.send_error(404)

    def answer_status(self) -> None:
        """The status at the end of the path at first, the text from then on."""
        if self.asked_before:
            self.answer(TEXT)
        else:
            self.answer(b"", status=int(self.path.rpartition("/")[2]))

    def answer_always(self) -> None:
        """The status at the end of the path, whenever it is asked for."""
        self.answer(b"", status=int(self.path.rpartition("/")[2]))

    def answer_later(self) -> None:
        """429 at first, with the Retry-After at the end of the path; the text from then on."""
        wait = self.path.rpartition("/")[2].replace("_", " ")
        if self.asked_before:
            self.answer(TEXT)
        else:
            self.answer(b"", status=429, headers={"Retry-After": wait})

    def answer_ranges(self) -> None:
        """The text from the byte asked for."""
        self.answer_range(TEXT)

    def answer_breaks(self) -> None:
        """20 bytes at first; ranges from then on."""
        self.answer_range(TEXT, sent=None if self.asked_before else 20)

    def answer_drips(self) -> None:
        """10 bytes from the byte asked for, of all that are promised."""
        self.answer_range(TEXT, sent=10)

    def answer_short(self) -> None:
        """A range that ends 10 bytes after its start, as its headers say."""
        start = int((self.headers["Range"] or "bytes=0-")[6:-1])
        stated = {"Content-Range": f"bytes {start}-{start + 9}/{SIZE}"}
        self.answer(TEXT[start : start + 10], status=206, headers=stated)

    def answer_forgets(self) -> None:
        """20 bytes at first; the whole text from then on, whatever is asked for."""
        self.answer(TEXT if self.asked_before else TEXT[:20], length=SIZE)

    def answer_stalls(self) -> None:
        """Half of a longer text at first, then silence; ranges from then on."""
        if self.asked_before:
            self.answer_range(FAR_TEXT)
        else:
            self.answer(FAR_TEXT[: len(FAR_TEXT) // 2], length=len(FAR_TEXT))
            RELEASED.wait(timeout=60)

    def answer_stating(self) -> None:
        """206 with the Content-Range at the end of the path, or the whole if no range is asked."""
        _, _, stated, sent = self.path.replace("_", " ").split("/", 3)
        if self.headers["Range"]:
            stated = f"bytes {stated}/{sent}" if stated != "none" else ""
            self.answer(TEXT[20:], status=206, headers={"Content-Range": stated} if stated else {})
        else:
            self.answer(TEXT)

    def answer_unsatisfiable(self) -> None:
        """416 for a range, else the whole."""
        if self.headers["Range"]:
            self.answer(b"", status=416, headers={"Content-Range": f"bytes */{SIZE}"})
        else:
            self.answer(TEXT)

    def answer_overflows(self) -> None:
        """More than the text, of no stated length; of a range, too."""
        start = int((self.headers["Range"] or "bytes=0-")[6:-1])
        headers = {"Content-Range": f"bytes {start}-{SIZE - 1}/{SIZE}"} if start else {}
        self.answer(TEXT[start:] + b"~", status=206 if start else 200, length=None, headers=headers)

    def answer_page(self) -> None:
        """A web page of 200, told by its bytes alone, its type alone, or in other ways."""
        html = {"Content-Type": "text/HTML; charset=utf-8"}
        match self.path.rpartition("/")[2]:
            case "bytes":
                self.answer(PAGE)
            case "type":
                self.answer(b"Sorry.", headers=html)
            case "size":
                self.answer(b"<html>".ljust(SIZE, b"~"))
            case "unmeasured":
                self.answer(PAGE[:20], length=None)
            case "chunked":
                self.answer_in_chunks([PAGE])
            case "file":
                self.answer(TEXT, headers=html)

    def answer_range(self, text: bytes, sent: int | None = None) -> None:
        """The text from the byte asked for, of which no more is sent than `sent` bytes."""
        if asked := self.headers["Range"]:
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
            stated = f"bytes {start}-{len(text) - 1}/{len(text)}"
            rest = text[start:]
            self.answer(rest[:sent], 206, len(rest), {"Content-Range": stated})
        else:
            self.answer(text[:sent], length=len(text))

    def answer_in_chunks(self, chunks: Sequence[bytes]) -> None:
        body = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in [*chunks, b""])
        self.answer(body, length=None, headers={"Transfer-Encoding": "chunked"})

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
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("no_proxy", "*")
    RELEASED.clear()
    SEEN.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        RELEASED.set()
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds of every wait between two attempts, none of which is waited for."""
    seconds: list[float] = []
    monkeypatch.setattr(module, "sleep", seconds.append)
    return seconds


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file is to stand."""
    return tmp_path / "times.txt"


@pytest.fixture
def part(path: Path) -> Path:
    """Where that which has come of it stands."""
    return path.with_name(".times.txt.part")


@pytest.fixture
def closed(address: str) -> str:
    """An address of this machine at which nothing answers."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        return f"http://127.0.0.1:{server.server_port}/text"


def assert_refused(
    url: str,
    path: Path,
    problem: str,
    size: int = SIZE,
    sha256: str = SHA256,
    kept: bytes | None = None,
) -> None:
    """A line that begins with the address and goes on with the problem; the folder as it was, but
    for the part that is kept.
    """
    path.write_bytes(b"earlier")
    part = path.with_name(f".{path.name}.part")

    with pytest.raises(DataError, match=rf"^{re.escape(url)} {problem}\n") as caught:
        download([url], size, sha256, path)

    assert f"\nWanted: {size} bytes with the sha256 {sha256}\n" in str(caught.value)
    assert path.read_bytes() == b"earlier"
    assert set(path.parent.iterdir()) == ({path} if kept is None else {path, part})
    assert kept is None or part.read_bytes() == kept


def ranges() -> list[str | None]:
    """What the server was asked for, by each request in turn; None is the whole."""
    return [asked for _, asked in SEEN]


class TestADownload:
    def test_is_the_bytes_that_were_sent(self, address: str, tmp_path: Path) -> None:
        path = tmp_path / "raw text" / "times.txt"

        download([f"{address}/text"], SIZE, SHA256, path)

        assert path.read_bytes() == TEXT
        assert list(path.parent.iterdir()) == [path]

    def test_takes_the_place_of_an_earlier_file(self, address: str, path: Path) -> None:
        path.write_bytes(b"earlier")

        download([f"{address}/text"], SIZE, SHA256, path)

        assert path.read_bytes() == TEXT

    def test_follows_an_address_that_moved(self, address: str, path: Path) -> None:
        download([f"{address}/moved"], SIZE, SHA256, path)

        assert path.read_bytes() == TEXT

    def test_may_come_in_chunks_of_no_stated_total(self, address: str, path: Path) -> None:
        download([f"{address}/chunked"], SIZE, SHA256, path)

        assert path.read_bytes() == TEXT

    def test_shows_its_progress_in_bytes_on_standard_error(
        self, address: str, path: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        download([f"{address}/text"], SIZE, SHA256, path)

        shown = capfd.readouterr()
        assert shown.out == ""
        assert f"{SIZE}.0/{SIZE}.0" in shown.err
        assert "B/s" in shown.err

    def test_asks_for_no_content_encoding(self, address: str, path: Path) -> None:
        answer = b"identity"

        download([f"{address}/encodings"], len(answer), hashlib.sha256(answer).hexdigest(), path)

        assert path.read_bytes() == answer

    def test_leaves_a_content_encoding_sent_all_the_same(self, address: str, path: Path) -> None:
        packed = gzip.compress(TEXT, mtime=0)

        download([f"{address}/gzip"], len(packed), hashlib.sha256(packed).hexdigest(), path)

        assert path.read_bytes() == packed

    def test_has_the_permissions_of_an_ordinary_file(self, address: str, path: Path) -> None:
        earlier = os.umask(0o027)
        try:
            download([f"{address}/text"], SIZE, SHA256, path)
        finally:
            os.umask(earlier)

        assert path.stat().st_mode & 0o777 == 0o640  # 666 without 027

    def test_is_forced_to_disk_before_it_appears(
        self, address: str, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        forced: list[tuple[int, bool]] = []
        monkeypatch.setattr(
            os, "fsync", lambda file: forced.append((os.fstat(file).st_size, path.exists()))
        )

        download([f"{address}/text"], SIZE, SHA256, path)

        assert forced == [(SIZE, False)]
        assert path.exists()


class TestAnAnswerIsRefused:
    @pytest.mark.parametrize("status", [404, 403, 401, 410, 206])
    def test_at_once_if_its_status_is_not_to_pass(
        self, address: str, path: Path, status: int, waits: list[float]
    ) -> None:
        assert_refused(
            f"{address}/always/{status}", path, f"answers with HTTP status {status}; expected 200"
        )

        assert waits == []
        assert len(SEEN) == 1

    def test_if_it_is_longer_than_the_size(self, address: str, path: Path) -> None:
        assert_refused(
            f"{address}/text",
            path,
            r"sends 53 bytes; expected 52 \(corpus.size\)",
            size=SIZE - 1,
        )

    def test_if_it_is_shorter_than_the_size(
        self, address: str, path: Path, waits: list[float]
    ) -> None:
        assert_refused(
            f"{address}/text",
            path,
            r"sends 53 bytes; expected 54 \(corpus.size\)",
            size=SIZE + 1,
        )

        assert waits == []

    def test_before_it_is_received_if_its_stated_length_is_wrong(
        self, address: str, path: Path, part: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        part.write_bytes(TEXT[:20])

        assert_refused(
            f"{address}/immense",
            path,
            r"sends 1000000000000 bytes; expected 53 \(corpus.size\)",
            kept=TEXT[:20],
        )

        assert "download" not in capfd.readouterr().err

    def test_if_its_chunks_end_early(self, address: str, path: Path, waits: list[float]) -> None:
        assert_refused(
            f"{address}/chunked",
            path,
            r"sends 53 bytes; expected 54 \(corpus.size\)",
            size=SIZE + 1,
        )

        assert waits == []

    def test_at_the_first_byte_too_many(
        self,
        address: str,
        path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        monkeypatch.setattr(module, "CHUNK_SIZE", 10)

        # Of 54 bytes the second chunk of 10 has one too many; the other four are not asked for.
        assert_refused(
            f"{address}/overflows", path, "sends more than 19 bytes; expected 19 .*", size=19
        )

        assert "19.0/19.0" in capfd.readouterr().err

    def test_if_it_has_another_checksum(self, address: str, path: Path, waits: list[float]) -> None:
        other = "0" * 64

        assert_refused(
            f"{address}/text",
            path,
            rf"has the sha256 {SHA256}; expected {other} \(corpus.sha256\)",
            sha256=other,
        )

        assert waits == []
        assert len(SEEN) == 1

    def test_if_its_address_is_not_http(self, path: Path, waits: list[float]) -> None:
        assert_refused("ftp://127.0.0.1/text", path, "cannot be downloaded: No connection ada.*")

        assert waits == []


class TestAWebPageInsteadOfTheFile:
    @pytest.mark.parametrize("kind", ["bytes", "chunked"])
    def test_is_told_by_its_first_bytes_and_named_by_its_title(
        self, address: str, path: Path, kind: str
    ) -> None:
        assert_refused(
            f"{address}/page/{kind}",
            path,
            r"answers with a web page \('Log in & pay'\) instead of the file",
        )

    @pytest.mark.parametrize("kind", ["type", "size", "unmeasured"])
    def test_may_have_no_title(
        self, address: str, path: Path, kind: str, waits: list[float]
    ) -> None:
        assert_refused(
            f"{address}/page/{kind}", path, "answers with a web page instead of the file"
        )

        assert waits == []

    def test_may_be_longer_than_the_file(self, address: str, path: Path) -> None:
        # 20 bytes of it come, of which the first 19 are enough to tell.
        assert_refused(
            f"{address}/page/unmeasured",
            path,
            "answers with a web page instead of the file",
            size=19,
        )

    def test_is_the_file_if_the_checksum_says_so(self, address: str, path: Path) -> None:
        download([f"{address}/page/bytes"], len(PAGE), hashlib.sha256(PAGE).hexdigest(), path)

        assert path.read_bytes() == PAGE

    def test_is_no_page_if_only_its_type_says_so(self, address: str, path: Path) -> None:
        download([f"{address}/page/file"], SIZE, SHA256, path)

        assert path.read_bytes() == TEXT


class TestWhatMayPassIsTriedAgain:
    @pytest.mark.parametrize("status", [500, 503, 408, 429])
    def test_after_a_status_that_passes(
        self, address: str, path: Path, status: int, waits: list[float]
    ) -> None:
        download([f"{address}/status/{status}"], SIZE, SHA256, path)

        assert path.read_bytes() == TEXT
        assert len(waits) == 1

    def test_four_times_with_waits_that_double(
        self, address: str, path: Path, waits: list[float], capfd: pytest.CaptureFixture[str]
    ) -> None:
        url = f"{address}/always/503"

        assert_refused(url, path, r"answers with HTTP status 503; expected 200 \(4 attempts\)")

        assert len(SEEN) == 4
        # 1, 2 and 4 seconds, each with up to one more by chance.
        assert all(0 < seconds - base < 1 for seconds, base in zip(waits, (1, 2, 4), strict=True))
        told = f"{url} answers with HTTP status 503; expected 200; asked again in "
        assert capfd.readouterr().err.count(told) == 3

    def test_after_the_seconds_that_the_server_asks_for(
        self, address: str, path: Path, waits: list[float]
    ) -> None:
        download([f"{address}/later/120"], SIZE, SHA256, path)

        assert path.read_bytes() == TEXT
        assert len(waits) == 1
        assert 120 <= waits[0] <= 122

    def test_after_the_date_that_the_server_names(
        self, address: str, path: Path, waits: list[float]
    ) -> None:
        date = formatdate(time.time() + 200, usegmt=True).replace(" ", "_")

        download([f"{address}/later/{date}"], SIZE, SHA256, path)

        assert path.read_bytes() == TEXT
        assert 100 < waits[0] <= 202

    @pytest.mark.parametrize(
        "wait", ["soon", "1_Jan_2999999_0:0:0", "1_Jan_9999999999_0:0:0", "9" * 5000]
    )
    def test_after_the_usual_wait_if_the_server_asks_for_nonsense(
        self, address: str, path: Path, wait: str, waits: list[float]
    ) -> None:
        download([f"{address}/later/{wait}"], SIZE, SHA256, path)

        assert path.read_bytes() == TEXT
        assert 1 <= waits[0] <= 2

    def test_but_not_if_the_server_asks_for_too_much_patience(
        self, address: str, path: Path, waits: list[float]
    ) -> None:
        assert_refused(
            f"{address}/later/301",
            path,
            "answers with HTTP status 429; expected 200, and asks to be left alone for 301 s",
        )

        assert waits == []

    def test_after_a_refused_connection(self, closed: str, path: Path, waits: list[float]) -> None:
        assert_refused(closed, path, r"cannot be downloaded: .*refused \(4 attempts\)")

        assert len(waits) == 3

    def test_after_silence(
        self, address: str, path: Path, monkeypatch: pytest.MonkeyPatch, waits: list[float]
    ) -> None:
        monkeypatch.setattr(module, "READ_TIMEOUT_SECONDS", 0.1)

        assert_refused(
            f"{address}/silent",
            path,
            r"breaks off after 0 of 53 bytes: timed out \(4 attempts\)",
            kept=b"",
        )

        assert len(waits) == 3

    def test_if_an_end_without_a_stated_length_may_be_a_lost_connection(
        self, address: str, path: Path, waits: list[float]
    ) -> None:
        assert_refused(
            f"{address}/unmeasured",
            path,
            r"sends 20 bytes; expected 53 \(corpus.size\) \(4 attempts\)",
            kept=TEXT[:20],
        )

        assert ranges() == [None, "bytes=20-", "bytes=20-", "bytes=20-"]


class TestATransferThatBreaksOff:
    def test_goes_on_from_where_it_broke(self, address: str, path: Path, part: Path) -> None:
        download([f"{address}/breaks"], SIZE, SHA256, path)

        assert path.read_bytes() == TEXT
        assert ranges() == [None, "bytes=20-"]
        assert not part.exists()

    def test_keeps_its_part_for_the_next_run(self, address: str, path: Path, part: Path) -> None:
        url = f"{address}/drips"

        # Four times 10 of 53 bytes; at the end 10 of the 23 from byte 30 on.
        assert_refused(
            url,
            path,
            r"breaks off after 40 of 53 bytes: .*10 bytes read, 13 more expected.* \(4 attempts\)"
            r"(.|\n)*Received and kept, to be continued by the next run: 40 bytes",
            kept=TEXT[:40],
        )
        download([url], SIZE, SHA256, path)

        assert path.read_bytes() == TEXT
        assert ranges() == [None, *(f"bytes={start}-" for start in (10, 20, 30, 40, 50))]

    def test_shows_its_progress_from_where_it_broke(
        self, address: str, path: Path, part: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        part.write_bytes(TEXT[:20])

        download([f"{address}/ranges"], SIZE, SHA256, path)

        assert re.search(r"^\s*download:\s+38%\S* *\S* +20.0/53.0", capfd.readouterr().err)

    def test_goes_on_from_a_range_that_ends_early(self, address: str, path: Path) -> None:
        path.with_name(".times.txt.part").write_bytes(TEXT[:20])

        download([f"{address}/short"], SIZE, SHA256, path)

        assert path.read_bytes() == TEXT
        assert ranges() == ["bytes=20-", "bytes=30-", "bytes=40-", "bytes=50-"]

    def test_goes_on_where_the_total_is_not_stated(
        self, address: str, path: Path, part: Path
    ) -> None:
        part.write_bytes(TEXT[:20])

        download([f"{address}/stating/20-52/*"], SIZE, SHA256, path)

        assert path.read_bytes() == TEXT
        assert ranges() == ["bytes=20-"]

    def test_begins_anew_where_the_server_knows_no_ranges(
        self, address: str, path: Path, waits: list[float]
    ) -> None:
        download([f"{address}/forgets"], SIZE, SHA256, path)

        assert path.read_bytes() == TEXT
        assert ranges() == [None, "bytes=20-"]

    @pytest.mark.parametrize(
        "stated", ["0-52/53", "21-52/53", "20-52/54", "20-52/5", "20-52/531", "none/0"]
    )
    def test_begins_anew_after_another_range_than_asked_for(
        self, address: str, path: Path, part: Path, stated: str, waits: list[float]
    ) -> None:
        part.write_bytes(TEXT[:20])

        download([f"{address}/stating/{stated}"], SIZE, SHA256, path)

        assert path.read_bytes() == TEXT
        assert ranges() == ["bytes=20-", None]
        assert waits == []

    def test_begins_anew_where_there_is_no_such_range(
        self, address: str, path: Path, part: Path, waits: list[float]
    ) -> None:
        part.write_bytes(TEXT[:20])

        download([f"{address}/unsatisfiable"], SIZE, SHA256, path)

        assert path.read_bytes() == TEXT
        assert ranges() == ["bytes=20-", None]
        assert waits == []

    def test_begins_anew_once_if_the_whole_is_wrong(
        self, address: str, path: Path, part: Path, waits: list[float]
    ) -> None:
        part.write_bytes(b"~" * 20)

        download([f"{address}/ranges"], SIZE, SHA256, path)

        assert path.read_bytes() == TEXT
        assert ranges() == ["bytes=20-", None]
        assert waits == []

    def test_is_given_up_if_the_whole_is_wrong_anew(
        self, address: str, path: Path, part: Path, waits: list[float]
    ) -> None:
        part.write_bytes(TEXT[:20])

        assert_refused(
            f"{address}/ranges",
            path,
            rf"has the sha256 {SHA256}; expected {'0' * 64} \(corpus.sha256\)",
            sha256="0" * 64,
        )

        assert ranges() == ["bytes=20-", None]
        assert waits == []

    def test_is_given_up_if_more_comes_than_asked_for(
        self, address: str, path: Path, part: Path
    ) -> None:
        part.write_bytes(TEXT[:20])

        assert_refused(
            f"{address}/overflows", path, r"sends more than 53 bytes; expected 53 \(corpus.size\)"
        )

        assert ranges() == ["bytes=20-", None]

    @pytest.mark.parametrize("earlier", [b"", b"~" * SIZE, TEXT + b"~"])
    def test_begins_anew_after_a_part_of_no_use(
        self, address: str, path: Path, part: Path, earlier: bytes
    ) -> None:
        part.write_bytes(earlier)

        download([f"{address}/ranges"], SIZE, SHA256, path)

        assert path.read_bytes() == TEXT
        assert ranges() == [None]

    def test_needs_no_server_if_nothing_is_missing(
        self, closed: str, path: Path, part: Path
    ) -> None:
        part.write_bytes(TEXT)

        download([closed], SIZE, SHA256, path)

        assert path.read_bytes() == TEXT
        assert not part.exists()

    def test_goes_on_after_a_kill(self, address: str, path: Path, part: Path) -> None:
        url = f"{address}/stalls"
        sha256 = hashlib.sha256(FAR_TEXT).hexdigest()
        program = (
            "import sys, pathlib; from unrolled.corpus.sources.download import download;"
            "url, size, sha256, path = sys.argv[1:];"
            "download([url], int(size), sha256, pathlib.Path(path))"
        )
        arguments = [url, str(len(FAR_TEXT)), sha256, str(path)]
        with subprocess.Popen(
            [sys.executable, "-c", program, *arguments], stderr=subprocess.DEVNULL
        ) as child:
            while child.poll() is None and not (part.exists() and part.stat().st_size):
                time.sleep(0.01)
            child.kill()
        RELEASED.set()
        received = part.stat().st_size
        assert 0 < received <= len(FAR_TEXT) // 2
        assert not path.exists()

        download([url], len(FAR_TEXT), sha256, path)

        assert path.read_bytes() == FAR_TEXT
        assert ranges() == [None, f"bytes={received}-"]


class TestOfSeveralAddresses:
    def test_only_the_first_is_asked_if_it_gives_the_file(self, address: str, path: Path) -> None:
        download([f"{address}/text", f"{address}/ranges"], SIZE, SHA256, path)

        assert [path for path, _ in SEEN] == ["/text"]

    @pytest.mark.parametrize(
        "failing", ["/missing", "/always/500", "/other", "/immense", "/page/bytes", "/later/999"]
    )
    def test_the_next_is_asked_after_one_that_fails(
        self, address: str, path: Path, failing: str
    ) -> None:
        download([f"{address}{failing}", f"{address}/ranges"], SIZE, SHA256, path)

        assert path.read_bytes() == TEXT
        assert list(path.parent.iterdir()) == [path]

    def test_the_next_is_asked_after_one_that_is_down(
        self, address: str, closed: str, path: Path
    ) -> None:
        download([closed, f"{address}/text"], SIZE, SHA256, path)

        assert path.read_bytes() == TEXT

    def test_the_next_goes_on_from_where_the_one_before_broke_off(
        self, address: str, path: Path
    ) -> None:
        download([f"{address}/drips", f"{address}/ranges"], SIZE, SHA256, path)

        assert path.read_bytes() == TEXT
        assert SEEN[-1] == ("/ranges", "bytes=40-")

    def test_one_with_another_file_takes_no_part_from_the_next(
        self, address: str, path: Path, part: Path
    ) -> None:
        part.write_bytes(TEXT[:20])

        download([f"{address}/immense", f"{address}/ranges"], SIZE, SHA256, path)

        assert SEEN[-1] == ("/ranges", "bytes=20-")

    def test_each_is_named_with_what_it_gave(self, address: str, path: Path) -> None:
        failing = [f"{address}{name}" for name in ("/missing", "/page/bytes", "/always/503")]

        with pytest.raises(DataError) as caught:
            download(failing, SIZE, SHA256, path)

        assert str(caught.value).split("\n") == [
            "none of the 3 addresses of corpus.url gives the file",
            f"  {failing[0]} answers with HTTP status 404; expected 200",
            f"  {failing[1]} answers with a web page ('Log in & pay') instead of the file",
            f"  {failing[2]} answers with HTTP status 503; expected 200 (4 attempts)",
            f"Wanted: 53 bytes with the sha256 {SHA256}",
            f"By hand: put the file at {path}, or give it as corpus.path"
            " (with corpus.source: path)",
        ]


def test_without_a_network_the_message_says_what_is_wanted_and_how_to_do_without(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nowhere(*arguments: object, **named: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(socket, "getaddrinfo", nowhere)

    with pytest.raises(DataError) as caught:
        download(["https://a.example/t.txt", "http://b.example/t.txt"], SIZE, SHA256, path)

    unknown = "cannot be downloaded: [Errno -2] Name or service not known (4 attempts)"
    assert str(caught.value).split("\n") == [
        "none of the 2 addresses of corpus.url gives the file",
        f"  https://a.example/t.txt {unknown}",
        f"  http://b.example/t.txt {unknown}",
        "No address could be reached: is this machine connected to the internet? If it needs a"
        " proxy, name it in the environment variable HTTPS_PROXY.",
        f"Wanted: 53 bytes with the sha256 {SHA256}",
        f"By hand: put the file at {path}, or give it as corpus.path (with corpus.source: path)",
    ]


class TestTheStage:
    def test_asks_every_address_of_the_configuration(self, address: str, path: Path) -> None:
        stage.run(_config([f"{address}/missing", f"{address}/text"]), path)

        assert path.read_bytes() == TEXT

    def test_takes_a_single_address(self, address: str, path: Path) -> None:
        stage.run(_config(f"{address}/text"), str(path))

        assert path.read_bytes() == TEXT

    def test_needs_an_address(self, path: Path) -> None:
        with pytest.raises(ConfigError, match=r"corpus\.url, corpus\.size and corpus\.sha256"):
            stage.run(_config([]), path)


def _config(url: str | list[str]) -> CorpusConfig:
    return CorpusConfig(
        source="url",
        packages=[],
        path=None,
        url=url,
        size=SIZE,
        sha256=SHA256,
        files=None,
        form="text",
        column=None,
        field=None,
        encoding="utf-8",
        rejected_share=0.0,
        splits=None,
        licence=None,
        citation=None,
    )
